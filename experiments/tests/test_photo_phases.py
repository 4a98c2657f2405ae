"""The estimate of what a place in the grid tells."""

import json

import numpy as np
from PIL import Image


def test_a_coarse_jpeg_tells_more_by_its_places_than_a_fine_one(photo_script, tmp_path, monkeypatch):
    script = photo_script("phases")
    y, x = np.mgrid[:96, :96]
    noise = np.random.default_rng(0).normal(0, 9, (96, 96, 3))
    pixels = 120 + 40 * np.sin(x / 9)[..., None] + 40 * np.cos(y / 7)[..., None] + noise
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "in" / "a.png")
    monkeypatch.setattr(script, "RESULT", tmp_path / "phases.json")
    monkeypatch.setattr(script, "SIDE", 96)
    monkeypatch.setattr(script, "QUALITIES", (30, 100))
    monkeypatch.setattr("sys.argv", ["phases.py", "--photos", str(tmp_path / "in")])
    script.main()
    coarse, fine = json.loads((tmp_path / "phases.json").read_text())["rows"]
    assert coarse["gain"] > fine["gain"] + 0.05
