"""The simulation of mixing once more, on pictures of no meaning: that what mixes nothing costs what the codec takes."""

import json
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.pictures.picture import Picture

MODEL = Path(__file__).parents[2] / "tests" / "models" / "local-regressed.safetensors"


@pytest.fixture
def script(photo_script, monkeypatch):
    found = photo_script("mixing")
    monkeypatch.syspath_prepend(Path(found.__file__).parent)  # compiled kernels are looked up by their module's name
    monkeypatch.setattr(found, "HELD_OUT", 2)
    return found


def test_decisions_that_learn_nothing_cost_what_the_mixture_costs(script, discs):
    model = script.grown(vaezip.load_model(MODEL))
    values, (w, m, scales), predicted, bits = script.mixtures_of(model, discs(1, 48, 40, 3)[0])
    order = script.kernels.coding_order(48, 40, rows=4)
    assert sorted(map(tuple, order)) == sorted(np.ndindex(48, 40, 3))
    cost = script.kernels.decisions(values, w, m, scales, predicted, order, (0.0, 0, 0))
    assert cost == pytest.approx(bits, rel=1e-3)


def test_rows_are_shown(script, discs, tmp_path):
    for i, samples in enumerate(discs(4, 48, 48, 3)):
        (tmp_path / f"{i}_0.png").write_bytes(vaezip.pictures.write(Picture("RGB", samples), ".png"))
    arguments = ["--photos", str(tmp_path), "--model", str(MODEL), "--side", "40", "--count", "2"]
    script.main([*arguments, "--out", str(tmp_path)])
    rows = json.loads((tmp_path / "mixing.json").read_text())["rows"]
    assert [len(row["percent"]) for row in rows] == [2] * 5
    assert rows[0]["way"] in (tmp_path / "README.md").read_text()
