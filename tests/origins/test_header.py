"""The header of an origin comes back, and damage in it is refused."""

import numpy as np
import pytest

from vaezip.errors import FormatError
from vaezip.origins import header
from vaezip.origins.colour import named
from vaezip.origins.header import FITTED, Origin


@pytest.mark.parametrize("sums", [False, True])
@pytest.mark.parametrize(("unexplained", "coded"), [(0, b""), (300, b"abc")])
@pytest.mark.parametrize("number", [FITTED, 1, 3])
def test_a_header_comes_back(number, unexplained, coded, sums):
    found = Origin(number, named()[2].map if number == FITTED else named()[number - 1].map, sums, unexplained, coded)
    assert header.read(found.to_bytes() + b"rest", 1000) == (found, b"rest")


def test_damage_is_refused():
    for data in (b"", b"\x7f\0", b"\0" * 48, b"\1", b"\1\x05", b"\1\x05\x09abc"):
        with pytest.raises(FormatError):
            header.read(data, 100)
    with pytest.raises(FormatError):
        header.read(Origin(1, named()[0].map, False, 101, b"abc").to_bytes(), 100)


def test_another_number_of_unexplained_pixels_is_refused():
    planes = np.full((1, 2, 2, 3), 128, np.uint8)
    none = header.differences.encode(planes, np.zeros(planes.shape, np.int8))
    with pytest.raises(FormatError):
        Origin(1, named()[0].map, False, 1, none).samples(planes)


def test_it_says_what_the_picture_was():
    assert Origin(1, named()[0].map, False, 3, b"x").describe(9) == {
        "name": "JPEG colours",
        "pixels": 9,
        "explained": 6,
    }
