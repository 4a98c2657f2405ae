"""Pictures of 9 to 16 bits are coded by the coder for them, where that is shorter."""

import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import vaezip
from tests.models.deep.test_coder import MODES, noisy
from vaezip.cli import main
from vaezip.codec import choice, coders, remaking
from vaezip.models.effort import Effort

ROOT = Path(__file__).parents[2]
if str(ROOT / "docs") not in sys.path:
    sys.path.insert(0, str(ROOT / "docs"))

import reference_decoder  # noqa: E402

EFFORT = Effort(1, 4, 4, turns=1)


def methods(data):
    return [block["method"] for block in vaezip.Archive(data).info()["blocks"]]


@pytest.mark.parametrize("channels", MODES)
def test_both_readers_read_files_of_every_mode(channels, monkeypatch):
    monkeypatch.setattr(choice, "promising", lambda job: [coders.DEEP])
    samples = noisy(11, 14, channels)[0]
    data = vaezip.compress(vaezip.Picture(MODES[channels], samples), effort=EFFORT)
    assert methods(data) == ["deep"]
    theirs = reference_decoder.decode(data, {})[""].samples
    assert np.array_equal(vaezip.decompress(data).samples, samples)
    assert np.array_equal(theirs, samples)


def test_pages_of_a_set_tell_of_one_another():
    pages = noisy(24, 30, 1, pictures=1).repeat(3, axis=0) + np.arange(3, dtype=np.uint16)[:, None, None, None]
    found = {f"{i}.png": vaezip.Picture("I;16", page) for i, page in enumerate(pages)}
    data = vaezip.compress(found, effort=EFFORT)
    assert methods(data) == ["deep"]
    assert len(data) < 1.5 * len(vaezip.compress(found["0.png"], effort=EFFORT))
    for name, picture in found.items():
        assert np.array_equal(vaezip.Archive(data).read(name).samples, picture.samples)


def tried(monkeypatch, samples):
    """Code a picture, and return by what, and the candidates that were tried on some rows and coded with."""
    coded, payload = [], choice.shortest
    monkeypatch.setattr(choice, "FEW_PIXELS", 100)
    monkeypatch.setattr(choice, "bands", lambda samples: samples[:, :16])
    monkeypatch.setattr(
        choice, "shortest", lambda job, one, sum_: coded.append((job.samples.shape[1], one)) or payload(job, one, sum_)
    )
    data = vaezip.compress(vaezip.Picture("I;16", samples), effort=EFFORT)
    assert np.array_equal(vaezip.decompress(data).samples, samples)
    return methods(data), {one for rows, one in coded if rows == 16}, {one for rows, one in coded if rows > 16}


def test_where_only_the_coder_of_16_bits_may_win_nothing_is_tried(monkeypatch):
    found, some, whole = tried(monkeypatch, noisy(48, 48, 1)[0])
    assert found == ["deep"]
    assert (some, whole) == (set(), {coders.DEEP})


def test_values_between_holes_are_ranks_without_a_trial(monkeypatch):
    monkeypatch.setattr(remaking, "_SMALL", 100)
    _, some, whole = tried(monkeypatch, 17 * (noisy(48, 48, 1)[0] >> 1))
    assert (some, whole) == (set(), {coders.REMADE, coders.DEEP})


def test_ranks_of_8_bits_are_coded_by_the_coder_of_16(monkeypatch):
    samples = (37 * (noisy(48, 48, 1, top=200, noise=2)[0] // 2)).astype(np.uint16)
    found, some, whole = tried(monkeypatch, samples)
    assert found == ["remade"]
    assert {coders.DEEP, coders.REMADE} <= some | whole


def test_info_says_it_in_words(tmp_path):
    path = tmp_path / "a.vz"
    path.write_bytes(vaezip.compress(vaezip.Picture("I;16", noisy(20, 24, 1)[0]), effort=EFFORT))
    assert "deep picture (regression and contexts)" in CliRunner().invoke(main, ["info", str(path)]).stdout
