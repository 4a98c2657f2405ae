"""Filters of PNG: what is written is smaller, and any reader reads it."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from vaezip.pictures import io as pictures
from vaezip.pictures.picture import MODES, Picture
from vaezip.pictures.png import filters
from vaezip.pictures.png.filters import deflated, rows_of


def smooth(mode, height=40, width=33):
    """A slope with a little noise in each channel."""
    kind = MODES[mode]
    rng = np.random.default_rng(1)
    slope = np.arange(height)[:, None] * 3 + np.arange(width) * 2
    values = slope[..., None] * (1 << kind.bits >> 8) + rng.integers(0, 3, (height, width, kind.channels))
    return Picture(mode, values.astype(kind.dtype))


@pytest.mark.parametrize(
    ("depth", "width", "packed"),
    [(1, 3, [0b10100000]), (2, 5, [0b11_01_10_00, 0b11_000000]), (4, 3, [0x21, 0xF0]), (8, 2, [7, 9])],
)
def test_samples_of_few_bits_share_bytes_and_the_first_is_the_highest(depth, width, packed):
    values = {1: [1, 0, 1], 2: [3, 1, 2, 0, 3], 4: [2, 1, 15], 8: [7, 9]}[depth]
    samples = np.array(values, np.uint8).reshape(1, width, 1)
    assert rows_of(samples, depth).tolist() == [packed]


def test_samples_of_16_bits_have_the_higher_byte_first():
    assert rows_of(np.array([[[0x0102], [0x0304]]], np.uint16), 16).tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "LA;16", "RGB;16", "RGBA;16"])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_pictures_come_back_at_every_level(mode, level, monkeypatch):
    monkeypatch.setattr(filters, "_AT_ONCE", 500)  # so that rows are filtered in pieces
    picture = smooth(mode)
    assert np.array_equal(pictures.read(pictures.write(picture, ".png", level=level)).samples, picture.samples)


def test_every_filter_is_used_and_pillow_undoes_it():
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (2, 1, 3))
    across, down = np.arange(300)[None, :, None], np.arange(6)[:, None, None]
    parts = [
        rng.integers(0, 4, (3, 300, 3)),
        across * 5 + noise[:1],
        across * across + down * 9,
        np.full((4, 300, 3), 8),
    ]
    samples = np.concatenate([np.broadcast_to(part, (len(part), 300, 3)) for part in parts]).astype(np.uint8)
    data = pictures.write(Picture("RGB", samples), ".png")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), samples)
    lines = zlib.decompress(b"".join(deflated(rows_of(samples, 8), 3, 6)))
    assert set(lines[:: 1 + 900]) >= {0, 1, 2}


def test_a_drawing_is_written_without_filters_and_a_slope_with_them():
    rng = np.random.default_rng(3)
    tiles = rng.integers(0, 256, (4, 8, 8), np.uint8)
    drawing = np.block([[tiles[i] for i in row] for row in rng.integers(0, 4, (16, 16))])[..., None]
    found = {
        name: zlib.decompress(b"".join(deflated(rows_of(s, 8), 1, 6)))[:: 1 + s.shape[1]]
        for name, s in {"drawing": drawing, "slope": smooth("L", 128, 128).samples}.items()
    }
    assert set(found["drawing"]) == {0}
    assert set(found["slope"]) != {0}


def test_a_higher_level_is_smaller():
    picture = smooth("RGB", 100, 100)
    sizes = [len(pictures.write(picture, ".png", level=level)) for level in (0, 1, 9)]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3
