import numpy as np
import pytest
from PIL import Image

from vaezip.pictures.picture import MODES, Picture
from vaezip.pictures.thumbnail import thumbnail


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_shown_in_colours_of_8_bits(mode):
    samples = np.ones((40, 20, MODES[mode].channels), MODES[mode].dtype)
    image = thumbnail(Picture(mode, samples, (("palette", bytes(6)),) if mode == "P" else ()), 10, 10)
    assert (image.mode, image.size) == ("RGB", (5, 10))


def test_nothing_is_enlarged():
    assert thumbnail(Picture("L", np.zeros((3, 2, 1), np.uint8)), 100, 100).size == (2, 3)


def test_few_bits_of_sixteen_are_brightened():
    image = thumbnail(Picture("I;16", np.full((4, 4, 1), 1023, np.uint16)), 4, 4)
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_black_and_white():
    picture = Picture("1", np.array([[[0], [1]]], np.uint8))
    assert [thumbnail(picture, 2, 1).getpixel((x, 0))[0] for x in (0, 1)] == [0, 255]


def test_what_is_transparent_shows_a_ground():
    samples = np.zeros((16, 16, 4), np.uint8)
    samples[..., 0] = 200
    samples[:8, :, 3] = 255
    image = thumbnail(Picture("RGBA", samples), 16, 16)
    assert image.getpixel((0, 0)) == (200, 0, 0)
    assert {image.getpixel((x, 12))[0] for x in (0, 12)} == {176, 224}
    boxes = (("palette", b"\xff\0\0\0\xff\0"), ("transparency", b"\xff\0"))
    image = thumbnail(Picture("P", np.array([[[0], [1]]], np.uint8), boxes), 2, 1)
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (224, 224, 224)]


def exif(orientation):
    made = Image.Exif()
    made[0x0112] = orientation
    return made.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize(("data", "size"), [(exif(6), (1, 2)), (exif(1), (2, 1)), (b"MM\0*\xff\xff\xff\xff", (2, 1))])
def test_the_orientation_is_applied(data, size):
    picture = Picture("L", np.array([[[0], [255]]], np.uint8), (("exif", data),))
    image = thumbnail(picture, 9, 9)
    assert image.size == size
    assert image.getpixel((0, 0)) == (0, 0, 0)
