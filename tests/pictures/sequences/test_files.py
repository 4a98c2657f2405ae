"""Files of several pictures come apart and together again, and what is shown is the same."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageDraw

import vaezip
from vaezip.errors import ImageError, SeveralError
from vaezip.pictures.picture import MODES, Picture, same
from vaezip.pictures.sequences import apng, files
from vaezip.pictures.sequences.frame import (
    HIDDEN,
    PNG,
    Frame,
    InexactError,
    frame_of,
    with_frame,
    without_frame,
)

LIMIT = 1 << 20


def drawn(count=4, mode="RGB"):
    """A disc that moves to the right."""
    found = []
    for i in range(count):
        image = Image.new("RGB", (40, 24), "white")
        ImageDraw.Draw(image).ellipse((3 + 7 * i, 4, 15 + 7 * i, 16), fill=(200, 40 * i, 90))
        found.append(image.convert(mode))
    return found


def saved(format, images, **options):
    file = io.BytesIO()
    images[0].save(file, format, save_all=True, append_images=images[1:], **options)
    return file.getvalue()


def faded():
    images = drawn(mode="RGBA")
    for i, image in enumerate(images):
        image.putalpha(Image.new("L", image.size, 255 - 50 * i))
    return images


def of_one_palette():
    images = [drawn(1)[0].quantize(8) for _ in range(2)]
    for x in range(9):
        images[1].putpixel((x, x), 1)
    return images


def deep():
    pictures = [Picture("RGB;16", np.full((4, 5, 3), value, np.uint16)) for value in (300, 60000)]
    return apng.join(pictures, [Frame(PNG, 5, 4, delay=(i + 1, 3)) for i in range(2)])


CASES = {
    "gif": (".gif", saved("GIF", [i.quantize(8) for i in drawn()], duration=[100, 50, 70, 1000], loop=0)),
    "gif once": (".gif", saved("GIF", drawn(), duration=30, disposal=2)),
    "gif of grey": (".gif", saved("GIF", drawn(mode="L"), duration=30)),
    "gif with holes": (".gif", saved("GIF", faded(), duration=40, loop=5, disposal=2)),
    "png": (".png", saved("PNG", drawn(), duration=[100, 50, 70, 33], loop=3)),
    "png of a palette": (".png", saved("PNG", of_one_palette(), duration=100)),
    "png with alpha": (".apng", saved("PNG", faded(), duration=33, disposal=1, blend=1)),
    "png with a hidden picture": (".png", saved("PNG", drawn(), duration=33, default_image=True)),
    "png of 16 bits": (".png", deep()),
    "tiff": (".tif", saved("TIFF", [*drawn(2), *drawn(1, "L"), *drawn(1, "1")], compression="tiff_deflate")),
    "big tiff": (".tif", saved("TIFF", drawn(2), big_tiff=True)),
}


@pytest.fixture(params=CASES)
def case(request):
    """A suffix and a file."""
    return CASES[request.param]


def shown(data):
    """What a viewer shows: each frame, and for how long."""
    found = []
    with Image.open(io.BytesIO(data)) as image:
        for i in range(image.n_frames):
            image.seek(i)
            found.append((np.array(image.convert("RGBA")), image.info.get("duration"), image.info.get("loop")))
    return found


def test_one_picture_is_asked_for(case):
    with pytest.raises(SeveralError):
        vaezip.pictures.read(case[1])
    assert len(files.read_all(case[1], LIMIT)) > 1


def test_what_comes_back_shows_the_same(case):
    suffix, data = case
    apart = files.read_all(data, LIMIT)
    together = files.write_all(apart, suffix)
    for before, after in zip(shown(data), shown(together), strict=True):
        assert np.array_equal(before[0], after[0])
        assert before[1:] == after[1:]
    again = files.read_all(together, LIMIT)
    assert list(apart) == list(again)
    assert [frame_of(p.boxes)[1:] for p in apart.values()] == [frame_of(p.boxes)[1:] for p in again.values()]
    assert all(same(without_frame(apart[name]), without_frame(again[name])) for name in apart)


def test_frames_go_through_a_set(case):
    apart = files.read_all(case[1], LIMIT)
    decoded = vaezip.decompress(vaezip.compress(apart, preset=1))
    assert files.write_all(decoded, case[0]) == files.write_all(apart, case[0])


def test_names_tell_the_order_and_delays_are_kept():
    found = files.read_all(CASES["gif"][1], LIMIT)
    assert list(found) == ["0001.png", "0002.png", "0003.png", "0004.png"]
    frames = [frame_of(picture.boxes) for picture in found.values()]
    assert [frame.delay for frame in frames] == [(10, 100), (5, 100), (7, 100), (100, 100)]
    assert [frame.loops for frame in frames] == [0] * 4
    assert all(picture.dropped == () for picture in found.values())
    assert files.describe([p.boxes for p in found.values()]) == "an animated GIF of 4 frames, 1.22 s"
    pages = files.read_all(CASES["tiff"][1], LIMIT)
    assert next(iter(pages)) == "0001.tif"
    assert [picture.mode for picture in pages.values()] == ["RGB", "RGB", "L", "1"]
    assert files.describe([p.boxes for p in pages.values()]) == "the 4 pages of a TIFF"


def test_a_hidden_picture_has_no_time():
    first, *_ = files.read_all(CASES["png with a hidden picture"][1], LIMIT).values()
    assert frame_of(first.boxes).disposal == HIDDEN


def test_other_pictures_are_no_sequence(case):
    apart = files.read_all(case[1], LIMIT)
    first = next(iter(apart.values()))
    assert files.describe([first.boxes, ()]) is None
    assert files.describe([()]) is None
    assert list(files.read_all(vaezip.pictures.write(first, ".png"), LIMIT)) == [""]
    with pytest.raises(InexactError, match="not every picture tells its place"):
        files.write_all({**apart, "9999.png": Picture("L", first.samples[..., :1].astype(np.uint8))}, case[0])


def test_all_pixels_are_bounded_together(case):
    with pytest.raises(ImageError, match="more than the limit") as caught:
        files.read_all(case[1], 12)
    assert caught.value.remedy == "more-pixels"


def test_a_cut_or_damaged_file_is_refused_or_read_as_it_shows(case):
    data = case[1]
    for end in range(0, len(data), max(1, len(data) // 60)):
        try:
            files.read_all(data[:end], LIMIT)
        except ImageError:
            continue


@pytest.mark.parametrize(("name", "suffix"), [("png", ".gif"), ("gif", ".png"), ("tiff", ".png"), ("png", ".tif")])
def test_another_format_is_refused(name, suffix):
    with pytest.raises(InexactError, match="is another format") as caught:
        files.write_all(files.read_all(CASES[name][1], LIMIT), suffix)
    assert caught.value.remedy == "as-folder"


def changed(name, change):
    """A file's pictures, the second of which is another."""
    apart = files.read_all(CASES[name][1], LIMIT)
    second = list(apart)[1]
    return {**apart, second: change(apart[second])}


def with_other(picture, mode, *boxes):
    samples = np.zeros((*picture.samples.shape[:2], MODES[mode].channels), MODES[mode].dtype)
    return with_frame(Picture(mode, samples, boxes), frame_of(picture.boxes))


@pytest.mark.parametrize(
    ("name", "suffix", "mode", "boxes", "reason"),
    [
        ("gif", ".gif", "RGB", (), "a GIF cannot hold RGB pictures exactly"),
        ("gif", ".gif", "P", (("palette", bytes(6)), ("transparency", b"\7")), "one transparent colour"),
        ("gif", ".gif", "L", (("text", b"a\0\0\0b"),), "would not give the same pictures"),
        ("png", ".png", "RGBA", (), "one mode and one palette"),
        ("png of a palette", ".png", "P", (("palette", bytes(6)),), "one mode and one palette"),
        ("tiff", ".tif", "RGB;16", (), "cannot hold RGB;16 pictures"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(name, suffix, mode, boxes, reason):
    pictures = changed(name, lambda picture: with_other(picture, mode, *boxes))
    with pytest.raises(InexactError, match=reason):
        files.write_all(pictures, suffix)


def test_delays_that_a_gif_cannot_tell_are_refused():
    apart = files.read_all(CASES["gif"][1], LIMIT)
    odd = {n: with_frame(without_frame(p), frame_of(p.boxes)._replace(delay=(1, 3))) for n, p in apart.items()}
    with pytest.raises(InexactError, match="hundredths"):
        files.write_all(odd, ".gif")


def test_a_picture_behind_an_animation_is_refused():
    with pytest.raises(SeveralError):
        files.read_all(CASES["gif"][1] + CASES["png"][1], LIMIT)


def test_a_circle_of_pages_ends():
    data = bytearray(CASES["tiff"][1])
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    assert len(files.read_all(bytes(data), LIMIT)) == 1
