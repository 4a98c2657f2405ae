"""The benchmark of exact products: that all forms agree, and are shown."""

import json
import sys

import numpy as np
import pytest


@pytest.fixture
def script(photo_script, monkeypatch):
    found = photo_script("products")
    monkeypatch.setitem(sys.modules, "products", found)  # by whose name numba finds again what it has cached
    return found


@pytest.mark.parametrize("rows", [1, 3, 40])
def test_all_forms_give_the_same_integers(script, rows):
    forms = script.products(rows)
    expected = forms["float64"]()
    assert expected.shape == (rows, script.UNITS)
    assert np.abs(expected).max() > 1 << 24  # more than float32 holds
    assert all(np.array_equal(product(), expected) for product in forms.values())


def test_another_sum_ends_the_script(script, monkeypatch):
    made = script.products(2)
    monkeypatch.setattr(script, "products", lambda _: made | {"int16": lambda: made["float64"]() + 1})
    with pytest.raises(SystemExit, match="int16 gives other sums"):
        script.speeds(2, 0.0)


def test_rows_are_shown(script, tmp_path):
    script.main(["--out", str(tmp_path), "--seconds", "0"])
    found = json.loads((tmp_path / "products.json").read_text())
    assert [row["rows"] for row in found["rows"]] == list(script.ROWS)
    speeds = [speed for row in found["rows"] for speed in row["gmac_per_second"].values()]
    assert min(speeds) > 0
    assert f"{speeds[0]:.1f}" in (tmp_path / "README.md").read_text()
