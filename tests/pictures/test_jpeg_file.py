import io

import numpy as np
import pytest
from PIL import Image

from vaezip.errors import ImageError
from vaezip.pictures.io import read

from .helpers import refusal, saved

OPTIONS = [
    {},
    {"quality": 98, "subsampling": 0},
    {"subsampling": 1, "optimize": True},
    {"restart_marker_blocks": 3},
    {"progressive": True},
    {"progressive": True, "subsampling": 2, "quality": 95, "restart_marker_rows": 1},
]


def picture_of(mode, height=45, width=61):
    y, x = np.mgrid[:height, :width]
    waves = np.stack([128 + 120 * np.sin(x / 3 + y / 7), 2 * y + x, 4 * x], axis=-1)
    grain = np.random.default_rng(0).normal(0, 9, waves.shape)
    return Image.fromarray((waves + grain).clip(0, 255).astype(np.uint8)).convert(mode)


def scan_of(data):
    start = data.rindex(b"\xff\xda")
    return start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(45, 61), (1, 1), (8, 17), (64, 64)])
def test_whole_jpegs_are_read(options, mode, size):
    data = saved(picture_of(mode, *size), "JPEG", **options)
    assert np.array_equal(read(data).samples.squeeze(), np.array(Image.open(io.BytesIO(data))).squeeze())


@pytest.mark.parametrize("options", OPTIONS)
def test_codes_that_stop_or_go_on_are_damage(options):
    data = saved(picture_of("RGB"), "JPEG", **options)
    at = scan_of(data)
    end = data.rindex(b"\xff\xd9")
    for damaged in (data[: end - 40] + data[end:], data[:at] + data[at + 60 :], data[:end] + b"\x12" * 9 + data[end:]):
        assert "truncated or damaged" in refusal(read, damaged)


@pytest.mark.parametrize("options", OPTIONS)
def test_zeros_within_a_scan_are_often_seen(options):
    data = saved(picture_of("RGB"), "JPEG", **options)
    at, end = scan_of(data), data.rindex(b"\xff\xd9")
    seen = 0
    places = range(at, end - 40, max(1, (end - at) // 20))
    for place in places:
        try:
            read(data[:place] + bytes(32) + data[place + 32 :])
        except ImageError:
            seen += 1
    assert seen > len(places) // 4


def test_restart_markers_must_come_in_order_and_all():
    data = saved(picture_of("RGB"), "JPEG", restart_marker_blocks=2)
    first = data.index(b"\xff\xd0", scan_of(data))
    second = data.index(b"\xff\xd1", first)
    assert "a restart marker is out of order" in refusal(read, data[:first] + data[second:])
    assert "restart markers in the place of" in refusal(read, data[:second] + data[data.rindex(b"\xff\xd9") :])


def test_an_end_that_is_missing_is_damage():
    data = saved(picture_of("L"), "JPEG")
    assert "it ends within a scan" in refusal(read, data[:-2])
    assert "truncated or damaged" in refusal(read, data[: scan_of(data) - 20])


def test_scans_that_are_missing_are_damage():
    data = saved(picture_of("RGB"), "JPEG", progressive=True)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    assert read(data[:second] + b"\xff\xd9").mode == "RGB"  # a blurred picture, but whole as it stands
    only_luma = data.index(b"\xff\xda")
    assert "truncated or damaged" in refusal(read, data[:only_luma] + b"\xff\xd9")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((0, b"\xc3"), "lossless or hierarchical JPEG pictures are not supported; convert to PNG first"),
        ((3, b"\x0c"), "12-bit RGB JPEG pictures are not supported; convert to PNG first"),
    ],
)
def test_processes_and_depths_that_pillow_does_not_know_are_named(change, message):
    data = bytearray(saved(picture_of("RGB"), "JPEG"))
    place = data.index(b"\xff\xc0") + 1
    data[place + change[0] : place + change[0] + 1] = change[1]
    assert refusal(read, bytes(data)) == message


def test_cmyk_is_refused():
    message = "8-bit CMYK JPEG pictures are not supported; convert to RGB first"
    assert refusal(read, saved(picture_of("CMYK"), "JPEG")) == message


def test_more_scans_than_anyone_writes_are_refused():
    data = saved(picture_of("L", 8, 8), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    assert "has more than 500 scans" in refusal(read, data[:last] + scan * 600 + b"\xff\xd9")


def test_a_restart_marker_behind_the_last_interval_is_harmless():
    data = saved(picture_of("L"), "JPEG", restart_marker_blocks=2)
    end = data.rindex(b"\xff\xd9")
    last = max(data.rfind(bytes((0xFF, marker)), 0, end) for marker in range(0xD0, 0xD8))
    following = bytes((0xFF, 0xD0 + (data[last + 1] - 0xD0 + 1) % 8))
    assert np.array_equal(read(data[:end] + following + data[end:]).samples, read(data).samples)
