import pytest

from vaezip.errors import ImageError
from vaezip.pictures.exact_kinds import EXACT, GREY, RGB, Kind, Look, library, way
from vaezip.pictures.formats import READABLE, format_name
from vaezip.pictures.io import read
from vaezip.pictures.picture import MODES

from .helpers import picture, refusal


def test_the_table_names_formats_and_modes_that_there_are():
    assert {kind.format for kind in EXACT} == set(READABLE) - {"PNG"}
    assert all(way.modes and set(way.modes) <= set(MODES) for way in EXACT.values())
    of_pictures = {kind for kind in EXACT if kind.format not in ("DICOM", "FITS")}
    assert all(kind.sample == "unsigned" and kind.bits <= 16 for kind in of_pictures)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Kind("TIFF", GREY, 8, "signed"), "signed 8-bit grey TIFF {}unsigned samples of 8 or 16 bits first"),
        (Kind("TIFF", RGB, 32), "32-bit RGB TIFF {}unsigned samples of 8 or 16 bits first"),
        (Kind("JPEG", "CMYK", 8), "8-bit CMYK JPEG {}RGB first"),
        (Kind("JPEG", RGB, 12), "12-bit RGB JPEG {}PNG first"),
    ],
)
def test_a_kind_that_is_not_listed_is_refused_by_its_name(kind, message):
    assert refusal(way, Look(kind, 1, 1)) == message.format("pictures are not supported; convert to ")


def test_a_library_that_is_not_there_is_named_with_a_remedy():
    with pytest.raises(ImageError, match="need the library no_such_library") as caught:
        library("no_such_library", Kind("TIFF", RGB, 16))
    assert caught.value.remedy == "formats"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"II*\0", "TIFF"),
        (b"MM\0+", "TIFF"),
        (b"GIF89a", "GIF"),
        (b"RIFF\0\0\0\0WEBP", "WEBP"),
        (b"\0\0\0\x20ftypavif", "AVIF"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x20ftypheic\0\0\0\0mif1heic", None),
        (b"P5 1 1", "PPM"),
        (b"P5x", None),
        (b"PK\3\4", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_format(data, name):
    assert format_name(data) == name


def test_pictures_that_are_written_have_the_signatures_that_are_read():
    from vaezip.pictures.io import stands_for, write

    for suffix in (".png", ".webp", ".tif", ".bmp", ".ppm"):
        assert stands_for(suffix, write(picture("RGB"), suffix))


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"\0\0\0\x20ftypheic", "HEIF"), (b"\xff\x0a\0", "JPEG XL"), (b"8BPS\0\1", "PSD"), (b"qoif", "QOI")],
)
def test_pictures_of_other_formats_are_named(data, name):
    assert refusal(read, data) == f"{name} pictures are not supported; convert to PNG first"
