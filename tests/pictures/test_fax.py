import io

import numpy as np
import pytest
from PIL import Image

from vaezip.errors import ImageError
from vaezip.pictures.io import read

from .helpers import refusal, saved

SCHEMES = [("group3", {}), ("group3", {292: 1}), ("group3", {292: 4}), ("group4", {}), ("tiff_ccitt", {})]


def fax(pixels, scheme):
    name, tags = scheme
    return saved(Image.fromarray(pixels), "TIFF", compression=name, tiffinfo=tags)


def place(data):
    tags = Image.open(io.BytesIO(data)).tag_v2
    return tags[273][0], tags[279][0]


def noise(height=64, width=64, share=0.9):
    return np.random.default_rng(0).random((height, width)) > share


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("pixels", [noise(), noise(9, 1), noise(7, 17, 0.4), np.zeros((5, 6000), bool)])
def test_whole_faxes_are_read(scheme, pixels):
    got = read(fax(pixels, scheme))
    assert (got.mode, np.array_equal(got.samples[..., 0], pixels)) == ("1", True)


def test_every_length_of_a_run_is_read():
    pixels = np.tri(2700, 2700, dtype=bool)[::25]
    for scheme in SCHEMES:
        for rows in (pixels, ~pixels):
            assert np.array_equal(read(fax(rows, scheme)).samples[..., 0], rows)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_zeros_within_a_fax_are_damage(scheme):
    data = fax(noise(), scheme)
    start, length = place(data)
    for at in range(start, start + length - 20, 7):
        damaged = data[:at] + bytes(16) + data[at + 16 :]
        assert "the picture is truncated or damaged (the codes of a fax" in refusal(read, damaged)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_most_single_bits_that_flip_are_seen(scheme):
    data = fax(noise(), scheme)
    start, length = place(data)
    seen = total = 0
    for bit in range(8 * start + 99, 8 * (start + length) - 99, 31):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        total += 1
        try:
            read(bytes(damaged))
        except ImageError:
            seen += 1
    assert seen > 0.8 * total


def test_a_fax_whose_lowest_bit_comes_first_is_read():
    pixels = noise()
    first, second = fax(pixels, ("group4", {})), fax(pixels, ("group4", {266: 2}))
    assert Image.open(io.BytesIO(second)).tag_v2[266] == 2
    assert first != second
    assert np.array_equal(read(second).samples[..., 0], pixels)
