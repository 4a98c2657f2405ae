"""The benchmark of the regression, on pictures of no meaning: that both kinds are trained, kept, and shown."""

import json

import numpy as np
import pytest

import vaezip
from vaezip.pictures.picture import Picture


@pytest.fixture
def script(photo_script, monkeypatch):
    found = photo_script("regression")
    monkeypatch.setattr(found, "SIZES", {"hidden": 32, "blocks": 0, "head": 8, "mixture": 2})
    monkeypatch.setattr("vaezip.training.families.pixel.stage._EVERY", 2)
    monkeypatch.setattr("vaezip.training.families.pixel.tiles.HELD_OUT", 2)
    return found


def test_rows_are_kept_and_shown(script, discs, tmp_path, monkeypatch):
    for i, samples in enumerate(discs(4, 70, 72, 3)):
        (tmp_path / f"{i}_0.png").write_bytes(vaezip.pictures.write(Picture("RGB", samples), ".png"))
    arguments = ["--train", str(tmp_path), "--steps", "2", "--out", str(tmp_path), "--seeds"]
    script.main([*arguments, "0"])
    first = json.loads((tmp_path / "regression.json").read_text())["rows"]
    assert [row["regressed"] for row in first] == [False, True]
    assert all(np.isfinite(row["bpd"]) for row in first)
    assert first[1]["parameters"] > first[0]["parameters"]
    script.main([*arguments, "0", "1"])
    again = json.loads((tmp_path / "regression.json").read_text())["rows"]
    assert again[:2] == first
    assert [row["seed"] for row in again] == [0, 0, 1, 1]
    text = (tmp_path / "README.md").read_text()
    assert f"{first[1]['bpd']:.4f}" in text
    assert "+0.00 %" in text
