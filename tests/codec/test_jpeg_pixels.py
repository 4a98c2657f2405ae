"""Pictures that were JPEGs: their payload."""

import numpy as np
import pytest

import vaezip
from tests.origins.jpeg.pictures import drawn, was_jpeg
from vaezip.codec import coders, jpeg_pixels
from vaezip.errors import FormatError, VaezipError
from vaezip.models.effort import Effort

MARK = bytes([0, 0, 0, 2])


def coded(samples, mode="RGB"):
    """Code pictures, and check that they come back."""
    data = jpeg_pixels.encode(samples, mode, 0x12345678, effort=Effort())
    again, checksum = jpeg_pixels.decode(data, mode, samples.shape)
    assert np.array_equal(again, samples)
    assert checksum == 0x12345678
    return data


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_takes_less_than_its_jpeg(channels):
    samples, size = was_jpeg(128, 128, channels, quality=85)
    data = coded(samples[None], "L" if channels == 1 else "RGB")
    assert len(data) < 0.95 * size
    assert jpeg_pixels.describe(data, (1, *samples.shape)).startswith("was a JPEG, quality about 85, ")


def test_what_was_changed_comes_back():
    samples, _ = was_jpeg(80, 72, quality=85)
    samples[10:20, 30:50] = np.arange(20)[:, None]
    coded(samples[None])


def test_several_pictures_come_back():
    samples = np.stack([was_jpeg(64, 64, quality=85, level=level)[0] for level in (120, 140, 220)])
    data = coded(samples)
    assert (
        jpeg_pixels.cost(data, "RGB", samples.shape).work
        > jpeg_pixels.cost(coded(samples[:1]), "RGB", (1, *samples.shape[1:])).work
    )


def test_the_compressor_chooses_it():
    samples, size = was_jpeg(96, 100, quality=85)
    data = vaezip.compress(vaezip.Picture("RGB", samples))
    assert len(data) < size
    block = vaezip.Archive(data).info()["blocks"][0]
    assert (block["method"], block["fingerprint"]) == ("jpeg pixels", MARK.hex())
    assert block["note"].startswith("was a JPEG, quality about 85, 4:2:0; ")
    assert np.array_equal(vaezip.decompress(data).samples, samples)


def test_other_pictures_are_left_alone():
    for samples, mode in ((drawn(64, 64), "RGB"), (drawn(64, 64, 1), "L")):
        assert not jpeg_pixels.promises(samples[None], mode)
    with pytest.raises(VaezipError, match="was no JPEG"):
        jpeg_pixels.encode(drawn(64, 64)[None], "RGB", 0, effort=Effort())


def test_only_pictures_that_a_jpeg_may_have_been_fit():
    sizes = [("RGB", (8, 8)), ("L", (9, 90)), ("RGB", (7, 90)), ("RGBA", (90, 90))]
    assert [MARK in coders.fitting(*size) for size in sizes] == [True, True, False, False]


def test_damage_is_found():
    samples, _ = was_jpeg(48, 48, quality=85)
    samples[3:9, 4:8] = 5
    data = coded(samples[None])
    random = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(data)
        place = int(random.integers(len(broken)))
        broken[place] ^= 1 << int(random.integers(8))
        try:
            again, checksum = jpeg_pixels.decode(bytes(broken), "RGB", (1, *samples.shape))
        except FormatError:
            continue
        assert checksum != 0x12345678 or np.array_equal(again[0], samples)
    for end in range(0, len(data), 50):
        with pytest.raises(FormatError):
            jpeg_pixels.decode(data[:end], "RGB", (1, *samples.shape))
