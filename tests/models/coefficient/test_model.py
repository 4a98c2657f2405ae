"""Coefficients of JPEG files come back, take less than their Huffman codes, and damage is found."""

import gc
import io
import sys
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from vaezip.errors import FormatError
from vaezip.models.coefficient import model
from vaezip.pictures.jpeg import parts


def jpeg(mode="RGB", size=(61, 45), **options):
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: size[1], : size[0]]
    planes = np.stack([3 * x + y, 2 * y + x, (x * y) // 9, 255 - x], -1) + rng.integers(0, 20, (size[1], size[0], 4))
    colours = planes.clip(0, 255).astype(np.uint8)
    image = Image.fromarray(colours, "CMYK") if mode == "CMYK" else Image.fromarray(colours[..., :3]).convert(mode)
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


KINDS = {
    "halved": {"quality": 80, "subsampling": 2},
    "halved across": {"quality": 95, "subsampling": 1, "progressive": True},
    "full": {"quality": 100, "subsampling": 0},
    "grey": {"mode": "L", "quality": 60},
    "CMYK": {"mode": "CMYK", "quality": 90},
    "one pixel": {"size": (1, 1)},
    "a column": {"size": (3, 70), "quality": 30},
}


def parsed(data):
    return parts.parse(data, 1 << 20)


def skeleton(file):
    return parts.skeleton(file.pieces, file.pads, 1 << 20)


@pytest.mark.parametrize("kind", KINDS)
def test_coefficients_and_seed_come_back(kind):
    data = jpeg(**KINDS[kind])
    file = parsed(data)
    coded, found = model.encode(file, 0xFEDCBA98), skeleton(file)
    assert model.decode(coded, found) == 0xFEDCBA98
    assert np.array_equal(found.coefficients, file.coefficients)
    assert parts.build(found, len(data)) == data
    assert model.encode(file, 0xFEDCBA98) == coded
    if file.size[0] * file.size[1] > 2000:
        assert len(coded) < 0.96 * (len(data) - sum(map(len, file.pieces)))


def test_any_coefficients_come_back():
    file = parsed(jpeg(quality=90))
    rng = np.random.default_rng(0)
    file.coefficients[:] = rng.integers(-(1 << 15) + 1, 1 << 15, file.coefficients.shape)
    found = skeleton(file)
    assert model.decode(model.encode(file, 1), found) == 1
    assert np.array_equal(found.coefficients, file.coefficients)


def test_damage_is_found_or_gives_another_seed():
    file = parsed(jpeg())
    coded = model.encode(file, 77)
    rng = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(coded)
        damaged[rng.integers(len(coded))] ^= 1 << rng.integers(8)
        with suppress(FormatError):
            assert model.decode(bytes(damaged), skeleton(file)) != 77
    for short in (b"", coded[:5], coded[:-4]):
        with pytest.raises(FormatError):
            model.decode(short, skeleton(file))


def test_damage_leaves_no_memory_behind(monkeypatch):
    """Compiled code that raises an error never frees what it was given."""
    made = []
    monkeypatch.setattr(model, "_Planes", lambda file, whole=model._Planes: made.append(whole(file)) or made[-1])
    file = parsed(jpeg())
    data = model.encode(file, 0)
    made.clear()
    with pytest.raises(FormatError):
        model.decode(data[:40], parts.skeleton(file.pieces, file.pads, 1 << 20))
    slots = made.pop().mixing.slots
    gc.collect()
    assert sys.getrefcount(slots) == 2
