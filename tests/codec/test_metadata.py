"""Palettes come back from few bytes, and damaged ones are found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaezip
from vaezip.codec import metadata
from vaezip.errors import FormatError, IncompleteError, VaezipError

RAMP = bytes(value for i in range(200) for value in (i, 10 + i, 255 - i))


def picture(palette=RAMP, boxes=()):
    samples = (np.arange(600, dtype=np.uint8) % (len(palette) // 3)).reshape(20, 30, 1)
    return vaezip.Picture("P", samples, (("palette", palette), *boxes))


def test_a_palette_of_a_ramp_takes_next_to_nothing():
    boxes = metadata.shortened(metadata.numbered(picture().boxes))
    assert boxes[0][0] == metadata.CODED_PALETTE
    assert len(boxes[0][1]) < 60
    assert metadata.named(boxes) == picture().boxes
    assert metadata.names(boxes) == ["palette"]


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=256).map(lambda data: data * 3))
def test_any_palette_comes_back_and_takes_no_more(palette):
    boxes = metadata.numbered((("palette", palette),))
    short = metadata.shortened(boxes)
    assert len(short[0][1]) <= len(palette)
    assert metadata.named(short) == (("palette", palette),)


def test_files_with_a_coded_palette_come_back():
    given_picture = picture(boxes=(("transparency", b"\0\7"),))
    data = vaezip.compress(given_picture)
    assert len(data) < 200
    assert vaezip.pictures.same(vaezip.decompress(data), given_picture)
    assert vaezip.Archive(data).info()["pictures"][0]["metadata"] == ["palette", "transparency"]


def test_other_boxes_are_left_as_they_are():
    boxes = ((1, b"\0\7"), (2, bytes(500)))
    assert metadata.shortened(boxes) == boxes
    assert metadata.shortened(()) == ()


@pytest.mark.parametrize("content", [b"", b"\1", b"\1" + bytes(9), b"\7" + bytes([1, 2, 3, 4, 5])])
def test_damaged_palettes_are_refused(content):
    with pytest.raises(FormatError, match="damaged"):
        metadata.named(((metadata.CODED_PALETTE, content),))


def test_a_coded_palette_is_the_first_box():
    assert metadata.is_known(((metadata.CODED_PALETTE, b""), (3, b"")))
    assert not metadata.is_known(((3, b""), (metadata.CODED_PALETTE, b"")))
    assert not metadata.is_known(((252, b""),))


def test_a_picture_whose_coded_palette_is_damaged_is_refused_and_salvaged(monkeypatch):
    damaged = ((metadata.CODED_PALETTE, b"\1" + bytes(4) + b"\1"),)
    monkeypatch.setattr(metadata, "shortened", lambda boxes: damaged)
    data = vaezip.compress(picture(), verify=False)
    with pytest.raises(VaezipError):
        vaezip.decompress(data)
    options = vaezip.ReadOptions(salvage=True)
    ((_, found),) = vaezip.Archive(data, options=options).pictures()
    assert isinstance(found, IncompleteError)
    assert np.array_equal(found.picture.samples, picture().samples)
