"""The header of an origin comes back, and damage in it is refused."""

import numpy as np
import pytest

from vaezip.errors import FormatError
from vaezip.origins import header
from vaezip.origins.colour import named
from vaezip.origins.header import FITTED, Origin
from vaezip.origins.upsampling import Sampling


@pytest.mark.parametrize("sums", [False, True])
@pytest.mark.parametrize(("unexplained", "coded"), [(0, b""), (300, b"abc")])
@pytest.mark.parametrize("number", [FITTED, 1, 3])
def test_a_header_comes_back(number, unexplained, coded, sums):
    known = named()[2].map if number == FITTED else named()[number - 1].map
    sampling = None if sums else Sampling(True, (0, 1), 2)
    found = Origin(number, known, sums, sampling, unexplained, coded)
    assert header.read(found.to_bytes() + b"rest", 1000) == (found, b"rest")


def test_damage_is_refused():
    for data in (b"", b"\x7f\0", b"\0" * 48, b"\1", b"\1\x05", b"\1\x05\x09abc", b"\x41\x18\0", b"\xc1\0\0"):
        with pytest.raises(FormatError):
            header.read(data, 100)
    with pytest.raises(FormatError):
        header.read(Origin(1, named()[0].map, unexplained=101, coded=b"abc").to_bytes(), 100)


def test_another_number_of_unexplained_pixels_is_refused():
    planes = np.full((1, 2, 2, 3), 128, np.uint8)
    none = header.differences.encode(planes, np.zeros(planes.shape, np.int8))
    with pytest.raises(FormatError):
        Origin(1, named()[0].map, unexplained=1, coded=none).samples(planes, (2, 2))


def test_it_says_what_the_picture_was():
    assert Origin(1, named()[0].map, unexplained=3, coded=b"x").describe(9) == {
        "name": "JPEG colours",
        "chroma": "4:4:4",
        "pixels": 9,
        "explained": 6,
    }
    assert Origin(2, named()[1].map, sampling=Sampling(True, (0, 0), 1)).describe(9)["chroma"] == "4:2:0"
