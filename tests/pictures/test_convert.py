import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaezip
from vaezip.errors import ImageError
from vaezip.pictures.convert import as_picture, named
from vaezip.pictures.picture import MODES, Picture, same

from .helpers import picture


def test_a_picture_is_itself():
    one = picture("RGB")
    assert as_picture(one) == (one, None)


def test_files(tmp_path):
    one = picture("RGB")
    data = vaezip.pictures.write(one, ".png")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        for source in (path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), file):
            found, original = as_picture(source)
            assert same(found, one)
            assert original == data
    assert same(vaezip.pictures.read(io.BytesIO(data)), one)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "P"])
def test_arrays(mode):
    samples = picture(mode).samples
    array = samples.astype(np.bool_) if mode == "1" else samples
    arrays = [array, array[::-1, ::-1][::-1, ::-1], array.astype(array.dtype.newbyteorder(">"))]
    if MODES[mode].channels == 1:
        arrays.append(array[..., 0])
    for one in arrays:
        assert same(as_picture(one)[0], Picture(mode, samples))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_images_of_pillow(mode):
    from vaezip.pictures.pillow import to_pillow

    one = picture(mode)
    assert same(as_picture(to_pillow(one))[0], one)


def test_what_an_image_of_pillow_brings_along(tmp_path):
    one = Image.new("P", (2, 3), 1)
    one.putpalette(bytes(range(12)))
    one.save(tmp_path / "a.png", transparency=2, icc_profile=b"profile", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    with Image.open(tmp_path / "a.png") as image:
        found, _ = as_picture(image)
    assert same(found, vaezip.pictures.read(tmp_path / "a.png"))
    assert [name for name, _ in found.boxes] == ["palette", "transparency", "icc", "exif"]
    for mode, colour, stored in [("L", 7, b"\0\7"), ("RGB", (1, 2, 3), b"\0\1\0\2\0\3")]:
        image = Image.new(mode, (2, 3))
        image.info["transparency"] = colour
        assert as_picture(image)[0].boxes == (("transparency", stored),)


def test_an_image_of_pillow_that_cannot_be_read(tmp_path):
    data = vaezip.pictures.write(picture("RGB"), ".png")
    with Image.open(io.BytesIO(data[:-30])) as image, pytest.raises(ImageError, match="truncated or damaged"):
        as_picture(image)
    Image.new("L", (2, 3)).save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("L", (2, 3), 9)])
    with Image.open(tmp_path / "a.gif") as image, pytest.raises(ImageError, match="several pictures"):
        as_picture(image)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (5, "a picture must be a Picture, the path .* this is of the type int"),
        ([[1, 2], [3, 4]], "this is of the type list"),
        (np.zeros((2, 3), np.float32), r"this is an array of float32 with the shape \(2, 3\)"),
        (np.zeros((2, 3, 5), np.uint8), r"this is an array of uint8 with the shape \(2, 3, 5\)"),
        (np.zeros((1, 2, 3, 3), np.uint8), r"with the shape \(1, 2, 3, 3\)"),
        (np.zeros((2, 3, 0), np.uint8), r"with the shape \(2, 3, 0\)"),
        (np.zeros((0, 3), np.uint8), "must be"),
        (np.zeros((2, 3, 2), np.bool_), "this is an array of bool"),
        (Image.new("CMYK", (2, 3)), "PIL images of mode CMYK are not supported; convert it to one of 1, L, "),
        (b"", "not a picture"),
        ("none.png", "cannot be read: No such file"),
        (Path("."), "cannot be read: Is a directory"),
        (io.StringIO("a picture"), "open for bytes, not for text"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(source, reason):
    with pytest.raises(ImageError, match=reason) as caught:
        as_picture(source)
    assert "\n" not in str(caught.value)


def test_sets():
    one = picture("L")
    assert list(named(one)) == [("", one)]
    assert list(named({"a": one})) == list(named([("a", one)])) == [("a", one)]
    assert list(named(iter([("a", one)]))) == [("a", one)]


@pytest.mark.parametrize("source", [5, None, [5], [("a",)], [("a", 1, 2)], [(1, picture("L"))], [picture("L")]])
def test_what_is_no_set_is_refused(source):
    with pytest.raises(ImageError, match=r"pairs of name and such a picture|pairs \(name, picture\)"):
        list(named(source))
