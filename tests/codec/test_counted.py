"""Palettes that stand by how many pixels have each colour come back without that order being written."""

import numpy as np
import pytest

import vaezip
from vaezip.codec import counted, metadata
from vaezip.errors import FormatError, ImageError


def by_count(seed=1, size=(32, 48), colours=90):
    """Return a picture of steps of brightness, whose palette stands by how many pixels have each colour."""
    rng = np.random.default_rng(seed)
    walk = np.abs(np.cumsum(rng.integers(-3, 4, size[0] * size[1]))) % colours
    used, indices = np.unique(walk, return_inverse=True)
    palette = np.stack([used * 2, used, 255 - used], 1).astype(np.uint8)
    order = np.lexsort((*-palette.T.astype(int), -np.bincount(indices)))
    places = np.argsort(order)
    samples = places[indices].astype(np.uint8).reshape(*size, 1)
    return vaezip.Picture("P", samples, (("palette", palette[order].tobytes()), ("transparency", b"\0\7")))


def test_a_palette_by_count_comes_back_and_takes_less(monkeypatch):
    given = by_count()
    data = vaezip.compress(given)
    assert vaezip.pictures.same(vaezip.decompress(data), given)
    monkeypatch.setattr(counted, "by_brightness", lambda *_: None)
    assert len(data) < 0.9 * len(vaezip.compress(given))


def test_its_boxes_are_those_of_the_picture():
    given = by_count(2)
    archive = vaezip.Archive(vaezip.compress(given))
    assert metadata.is_counted(archive.file.groups[0].boxes[0])
    assert archive.boxes() == given.boxes
    assert archive.info()["pictures"][0]["metadata"] == ["palette", "transparency"]


def test_colours_that_no_pixel_has_and_equal_ones_come_back():
    samples = np.repeat(np.arange(4, dtype=np.uint8), 8).reshape(4, 8, 1)
    palette = bytes([9, 9, 9, 9, 9, 9, 8, 8, 8, 7, 9, 7, 3, 3, 3, 2, 2, 2])
    indices, coded = counted.by_brightness(samples, palette)
    found, colours = counted.restored(indices, coded)
    assert colours == palette
    assert np.array_equal(found, samples)


def test_other_orders_are_left_as_they_are():
    given = by_count(3)
    palette = given.boxes[0][1]
    backwards = bytes(np.frombuffer(palette, np.uint8).reshape(-1, 3)[::-1])
    assert counted.by_brightness(given.samples, backwards) is None
    assert counted.by_brightness(given.samples, palette[:30]) is None
    assert counted.by_brightness(np.zeros((2, 2, 1), np.uint8), bytes(6)) is None
    boxes = metadata.numbered((("palette", backwards),))
    same, short = metadata.by_brightness(given.samples, boxes)
    assert same is given.samples
    assert short == metadata.shortened(boxes)
    assert metadata.by_brightness(given.samples, ()) == (given.samples, ())


def test_a_copy_has_the_indices_of_its_original():
    given = by_count(4)
    indices, coded = counted.by_brightness(given.samples, given.boxes[0][1])
    samples, boxes = metadata.restored(indices, ((metadata.COUNTED_PALETTE, coded), (1, b"\0\7")))
    assert np.array_equal(samples, given.samples)
    assert boxes == given.boxes


def test_damage_is_refused():
    given = by_count(5)
    indices, coded = counted.by_brightness(given.samples, given.boxes[0][1])
    with pytest.raises(FormatError, match="damaged"):
        counted.restored(indices, coded[:-3])
    with pytest.raises(FormatError, match="damaged"):
        counted.restored(np.full_like(indices, 255), coded)
    with pytest.raises(FormatError, match="damaged"):
        counted.restored(indices.astype(np.uint16), coded)
    with pytest.raises(ImageError, match="palette"):
        vaezip.Picture("L", *metadata.restored(indices, ((metadata.COUNTED_PALETTE, coded),)))
