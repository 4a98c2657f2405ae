"""FITS files of every type are read exactly, and come back byte for byte."""

import numpy as np
import pytest

from tests.pictures.fits.fits_files import fits, header, padded
from tests.pictures.helpers import picture, refusal
from vaezip.pictures import read, read_all, same, write, write_all
from vaezip.pictures.shell import shell_of


def ramp(dtype="i2", *shape, step=37):
    shape = shape or (5, 7)
    return (np.arange(np.prod(shape)).reshape(shape) * step).astype(dtype)


def less(by, dtype):
    return (ramp("i8") - by).astype(dtype)


def with_card(keyword, value):
    """A FITS file one of whose cards has another value."""
    card = f"{keyword:8}= {value:>20}".encode()
    place = fits(ramp()).index(f"{keyword:8}=".encode())
    return fits(ramp())[:place] + card + fits(ramp())[place + len(card) :]


@pytest.mark.parametrize(
    ("data", "mode", "shift"),
    [
        (fits(ramp("u1", step=7)), "L", 0),
        (fits(ramp("u1", step=7), BZERO=-128), "L", 0),
        (fits(ramp()), "I;16", 0),
        (fits(less(50, "i2")), "I;16", 32768),
        (fits(less(32768, "i2"), BZERO="3.2768D4"), "I;16", 32768),
        (fits(ramp("i4")), "I;16", 0),
        (fits(less(1 << 30, "i4")), "I;16", 1 << 30),
        (fits(less(1 << 31, "i4"), BZERO=1 << 31), "I;16", 1 << 31),
        (fits(ramp("i8") + 100000), "I;16", -100000),
        (fits(ramp("f4")), "I;16", 0),
        (fits(ramp("f8") - 900), "I;16", 900),
        (fits(ramp(), BZERO="0.5", BSCALE="0.1"), "I;16", 0),
        (fits(ramp("i2", 1, 1, 5, 7)), "I;16", 0),
    ],
)
def test_samples_are_read_as_they_are_stored_and_the_file_comes_back(data, mode, shift):
    found = read(data)
    assert (found.mode, found.dropped, shell_of(found.boxes).shift) == (mode, (), shift)
    assert found.samples[0, 1, 0] - found.samples[0, 0, 0] in (7, 37)
    assert write(found, ".fits") == data
    assert same(read(write(found, ".png")), found)


def test_astropy_reads_the_same_samples():
    astropy = pytest.importorskip("astropy.io.fits")
    import io

    data = fits(less(32768, "i2"), BZERO=32768)
    with astropy.open(io.BytesIO(data)) as file:
        assert np.array_equal(file[0].data, np.squeeze(read(data).samples))


def test_planes_of_a_cube_and_images_of_several_units_are_pages():
    data = fits(ramp("i2", 2, 5, 7)) + fits(ramp("u1", 3, 4), extension="IMAGE") + padded(b"behind")
    found = read_all(data)
    assert [(one.mode, one.samples.shape) for one in found.values()] == [
        ("I;16", (5, 7, 1)),
        ("I;16", (5, 7, 1)),
        ("L", (3, 4, 1)),
    ]
    assert np.array_equal(found["0002.png"].samples[..., 0], ramp("i2", 2, 5, 7)[1])
    assert write_all(found, ".fits") == data
    assert refusal(read, data) == "holds several pictures; save them singly"


def test_tables_and_empty_units_around_a_picture_come_back():
    data = header() + fits(ramp("u1", 3, 8), extension="BINTABLE") + fits(ramp(), extension="IMAGE")
    data += fits(ramp("u1", 2, 8), extension="TABLE")
    assert np.array_equal(read(data).samples[..., 0], ramp())
    assert write(read(data), ".fit") == data


def test_a_picture_that_was_no_fits_cannot_become_one():
    assert refusal(write, picture("I;16"), ".fits") == "was no FITS file, or its header is not kept; choose .png"
    assert "'.fits' cannot hold RGB pictures exactly" in refusal(write, picture("RGB"), ".fits")
    found = read(fits(ramp()))
    larger = type(found)(found.mode, np.repeat(found.samples, 2, axis=0), found.boxes)
    assert refusal(write, larger, ".fits") == "is not all of the FITS file that it was in; choose .png"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header(), "holds no picture"),
        (header(shape=(9,)) + padded(bytes(9)), "holds no picture"),
        (fits(ramp("f4") + 0.5), "floating-point 32-bit grey FITS pictures whose samples are no whole numbers"),
        (fits(np.full((2, 2), np.nan, "f4")), "no whole numbers within a range of 65,536"),
        (fits(ramp("i4", step=100000)), "no whole numbers within a range of 65,536"),
        (fits(ramp())[:2900], "the file ends before its samples"),
        (header(shape=(1 << 40, 1 << 40)), "the file ends before its samples"),
        (header().replace(b"END", b"ENE"), "a header has no end"),
        (with_card("BITPIX", 17), "BITPIX cannot be 17"),
        (with_card("NAXIS1", -7), "an axis is negative"),
        (with_card("NAXIS1", "x"), "NAXIS1 is no whole"),
        (fits(ramp("u1", 70000, 1, 1)), "holds more than 65,536 pictures"),
        (header() + fits(ramp("u1", 3, 8), extension="BINTABLE", ZIMAGE="T"), "tile-compressed FITS pictures are not"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_by_its_reason(data, message):
    assert message in refusal(read, data)


def test_more_pixels_than_the_limit_are_refused():
    assert "more than the limit of 30" in refusal(read, fits(ramp()), 30)
