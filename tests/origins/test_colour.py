"""Colour maps compute what the converters do."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vaezip.errors import FormatError
from vaezip.origins import colour
from vaezip.origins.colour import ColourMap, named

NAMES = [known.name for known in named()]
NUMBERS = st.integers(-(1 << 31), (1 << 31) - 1)


def every(first):
    """All planes whose first is given: (256, 256, 3)."""
    y, x = np.mgrid[:256, :256].astype(np.uint8)
    return np.stack([np.full_like(x, first), y, x], axis=-1)


def test_the_map_of_jpegs_is_that_of_libjpeg():
    """Pillow converts by tables that round otherwise, so the formula of jdcolor.c stands here once more."""
    for cr in range(0, 256, 5):
        planes = every(cr)
        found = named()[0].map.samples(planes)
        y, cb = planes[..., 1].astype(np.int64), planes[..., 2].astype(np.int64) - 128
        red = y + ((91881 * (cr - 128) + 32768) >> 16)
        green = y + ((-22554 * cb - 46802 * (cr - 128) + 32768) >> 16)
        blue = y + ((116130 * cb + 32768) >> 16)
        assert np.array_equal(found, np.clip(np.stack([red, green, blue], axis=-1), 0, 255))


def test_pillow_decodes_a_jpeg_by_that_map(tmp_path):
    draw = np.random.default_rng(0)
    Image.fromarray(draw.integers(0, 256, (64, 64, 3)).astype(np.uint8)).save(
        tmp_path / "a.jpg", quality=100, subsampling=0
    )
    with Image.open(tmp_path / "a.jpg") as file:
        file.draft("YCbCr", file.size)
        planes = np.asarray(file)[..., [2, 0, 1]]
    with Image.open(tmp_path / "a.jpg") as file:
        assert np.array_equal(named()[0].map.samples(np.ascontiguousarray(planes)), np.asarray(file))


def test_the_map_of_webps_is_that_of_libwebp():
    for v in range(0, 256, 5):
        planes = every(v)
        y, u = planes[..., 1].astype(np.int64), planes[..., 2].astype(np.int64)
        luma = (y * 19077) >> 8
        red = luma + ((v * 26149) >> 8) - 14234
        green = luma - ((u * 6419) >> 8) - ((v * 13320) >> 8) + 8708
        blue = luma + ((u * 33050) >> 8) - 17685
        expected = np.clip(np.stack([red, green, blue], axis=-1) >> 6, 0, 255)
        assert np.array_equal(named()[1].map.samples(planes), expected)


def test_the_map_of_photocd_is_that_of_its_formula():
    for c2 in range(0, 256, 5):
        planes = every(c2).astype(np.float64)
        y, c1 = 1.3584 * planes[..., 1], planes[..., 2] - 156
        red, blue = y + 1.8215 * (c2 - 137), y + 2.2179 * c1
        green = y - 0.194 * 2.2179 * c1 - 0.509 * 1.8215 * (c2 - 137)
        expected = np.clip(np.floor(np.stack([red, green, blue], axis=-1)), 0, 255)
        found = named()[2].map.samples(every(c2))
        assert (found != expected).any(axis=-1).mean() < 1e-3  # whole numbers, which floats miss


def product_high(a, b):
    """The upper 16 bits of products of 16 bits with a sign, as PMULHW computes them."""
    return (a.astype(np.int32) * b >> 16).astype(np.int16)


STANDARDS = {"BT.601": (104597, 53279, 25675, 132201), "BT.709": (117489, 34925, 13975, 138438)}


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("standard", STANDARDS)
def test_the_maps_of_ffmpeg_are_those_of_its_vector_code(standard, full):
    """By its tables for a standard, times 2^16, and in 16 bits as the vector code counts."""
    scale, black = (65536, 0) if full else (65536 * 255 // 219, 16)
    cr_red, cr_green, cb_green, cb_blue = (n * 224 // 255 if full else n for n in STANDARDS[standard])
    factors = scale, cr_red, -cr_green, -cb_green, cb_blue
    y1, r, gr, gb, b = (((n << 13) + (1 << 15)) >> 16 for n in factors)
    number = 6 + list(STANDARDS).index(standard) + 3 * full
    for cr in range(0, 256, 5):
        planes = every(cr)
        y, v, u = (planes[..., i].astype(np.int16) * 8 - zero for i, zero in ((1, 8 * black), (0, 1024), (2, 1024)))
        luma = product_high(y, y1)
        green = luma + product_high(u, gb) + product_high(v, gr)
        expected = np.clip(np.stack([luma + product_high(v, r), green, luma + product_high(u, b)], axis=-1), 0, 255)
        assert np.array_equal(named()[number].map.samples(planes), expected)


DIGESTS = {
    "JPEG": 54925033,
    "WebP": 2434373461,
    "PhotoCD": 2475503090,
    "BT.601 video": 2508944604,
    "BT.709 video": 2522941136,
    "BT.709 full range": 1574737568,
    "FFmpeg BT.601": 2734732639,
    "FFmpeg BT.709": 4146565621,
    "FFmpeg BT.2020": 498273315,
    "FFmpeg full range": 1948142698,
    "FFmpeg BT.709 full range": 1049403139,
    "FFmpeg BT.2020 full range": 1577625675,
}


@pytest.mark.parametrize("name", NAMES)
def test_maps_keep_what_they_give(name):
    """Over all planes."""
    known, digest = named()[NAMES.index(name)].map, 0
    for first in range(256):
        digest = zlib.crc32(known.samples(every(first)).tobytes(), digest)
    assert digest == DIGESTS[name]


@given(st.lists(NUMBERS, min_size=12, max_size=12), st.tuples(*[st.integers(0, 255)] * 3))
@settings(max_examples=50)
def test_any_map_is_computed_exactly(numbers, planes):
    rows = tuple(tuple(numbers[i : i + 4]) for i in (0, 4, 8))
    found = ColourMap(rows).samples(np.array(planes, np.uint8)[None])[0]
    expected = [sum(a * p for a, p in zip(row, planes)) + row[3] for row in rows]
    assert found.tolist() == [min(max(value >> 20, 0), 255) for value in expected]
    assert colour.read_map(colour.write_map(ColourMap(rows))) == ColourMap(rows)


def test_a_map_is_refused_that_is_cut():
    with pytest.raises(FormatError):
        colour.read_map(bytes(47))


def test_sums_are_undone():
    planes = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    assert np.array_equal(colour.unsummed(colour.summed(planes)), planes)
