"""The table of coders without a model file."""

import types

import numpy as np
import pytest

import vaezip
from vaezip.codec import coders, decoding
from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.models.library import Library
from vaezip.vz import archive as vz
from vaezip.vz.records import NO_MODEL, Block, has_model

MARK = bytes([0, 0, 0, 250])


@pytest.fixture
def plain(monkeypatch):
    """A coder that keeps samples of grey as they are, and promises what begins with 7."""
    module = types.SimpleNamespace(
        NAME="plain",
        fits=lambda mode, shape: mode == "L",
        promises=lambda samples, mode: samples.flat[0] == 7,
        encode=lambda samples, mode, checksum, *, effort: checksum.to_bytes(4, "little") + samples.tobytes(),
        decode=lambda data, mode, shape: (
            np.frombuffer(data[4:], np.uint8).reshape(shape),
            int.from_bytes(data[:4], "little"),
        ),
        cost=lambda data, mode, shape: Cost(len(data), 0),
    )
    monkeypatch.setattr(coders, "CODERS", {MARK: "plain"})
    monkeypatch.setattr(coders, "import_module", lambda name: module)
    return module


def test_marks_are_no_fingerprints():
    assert [has_model(mark) for mark in (NO_MODEL, MARK, *coders.CODERS, b"\0\0\1\0")] == [False] * (
        2 + len(coders.CODERS)
    ) + [True]


def test_a_coder_is_tried_where_it_promises_and_kept_where_it_is_shortest(plain):
    pixels = np.arange(7, 10, dtype=np.uint8).reshape(1, 3)
    for first, mark in ((7, MARK), (8, None)):
        pixels[0, 0] = first
        data = vaezip.compress(vaezip.Picture("L", pixels[..., None]))
        found = vz.parse(data).groups[0].blocks[0].model
        assert (found == MARK) == (mark == MARK)
        assert np.array_equal(vaezip.decompress(data).samples[..., 0], pixels)


def test_info_names_the_coder(plain):
    data = vaezip.compress(vaezip.Picture("L", np.full((1, 1, 1), 7, np.uint8)))
    assert vaezip.Archive(data).info()["blocks"][0]["method"] == "plain"


@pytest.mark.parametrize(
    ("mark", "mode", "reason"),
    [
        (MARK, "RGB", "the coder 'plain' does not code such pictures"),
        (MARK, "verbatim", "the coder 'plain' does not code such pictures"),
        (bytes([0, 0, 0, 251]), "L", "the coder 000000fb is unknown; a newer vaezip may know it"),
    ],
)
def test_what_no_coder_can_have_made_is_refused(plain, mark, mode, reason):
    shape = (1, 1, 3, 1) if mode != "RGB" else (1, 1, 1, 3)
    with pytest.raises(FormatError, match=reason):
        decoding.decode(decoding.DecodeJob(mode, shape, Block(mark, bytes(7)), Library()))
