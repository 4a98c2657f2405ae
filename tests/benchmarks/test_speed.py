"""How time grows: what is measured, what is kept of a call that was cut, and the parts of a picture."""

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import pytest

import vaezip
from vaezip.bench.plan import Plan
from vaezip.pictures.picture import Picture

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "speed.py"
SETS = [f"{count} images of {name}" for name in ("mnist-binary", "mnist", "cifar10") for count in (10, 100, 1000)]
ROWS = [*(f"{size} megapixels" for size in (0.1, 0.3, 1.0)), *SETS]
"""Of the quick form, in which they are measured."""


@pytest.fixture
def speed(profiling, monkeypatch, tmp_path):
    """The script, writing elsewhere, with fewer sizes."""
    spec = importlib.util.spec_from_file_location("speed", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "RESULTS", tmp_path)
    monkeypatch.setattr(script, "COUNTS", (10, 100, 1000, 10000))
    monkeypatch.setattr(script, "PROFILED_MEGAPIXELS", 0.03)
    return script


@pytest.fixture
def called(speed, monkeypatch):
    """called(cut=None): the plans that a call measures, until it is done or cut; nothing is compressed."""
    plans = []

    def run(cut=None, commit="c"):
        plans.clear()

        def measured(plan):
            if len(plans) == cut:
                raise KeyboardInterrupt
            plans.append(plan)
            size = plan.limit or vaezip.pictures.read(next(Path(plan.dataset).iterdir())).samples.size / 3e6
            seconds = {
                name: size * factor for name, factor in (("compress_s", 3), ("encode_s", 1), ("decompress_s", 2))
            }
            return {**seconds, "peak_mb": 200.0, "bytes": 1, "bpd": 1.0}

        monkeypatch.setattr(speed, "_measured", measured)
        monkeypatch.setattr(speed, "_parts", lambda plan, steps: {"compress, K = 0": dict.fromkeys(speed.PARTS, 1.0)})
        monkeypatch.setattr(speed.machine, "commit", lambda: commit)
        monkeypatch.setattr(sys, "argv", ["speed.py", "--quick"])
        if cut is None:
            speed.main()
        else:
            with pytest.raises(KeyboardInterrupt):
                speed.main()
        return list(plans)

    return run


def test_sets_by_their_own_models_and_pictures_by_that_of_photographs(called, tmp_path):
    plans = called()
    assert [plan.models for plan in plans[::3]] == [("photo",), ("mnist-binary",), ("mnist",), ("cifar10",)]
    found = json.loads((tmp_path / "speed-quick.json").read_text())
    assert [row["images"] for row in found["sets"]["mnist"]] == [10, 100, 1000]
    assert [row["megapixels"] for row in found["pictures"]] == [0.1, 0.3, 1.0]
    assert found["growth"]["mnist"] == {"compress_s": 1.0, "encode_s": 1.0, "decompress_s": 1.0}
    assert found["growth"]["pictures"]["compress_s"] == pytest.approx(1, abs=0.01)
    assert list(found["parts"]) == ["mnist-binary", "mnist", "cifar10", "photo"]
    assert (tmp_path / "speed-quick.png").exists()
    assert not (tmp_path / "speed-quick-part.json").exists()


def test_images_are_drawn_but_where_all_are_taken(speed, monkeypatch):
    plans = []
    monkeypatch.setattr(speed, "_measured", lambda plan: plans.append(plan) or {})
    options = argparse.Namespace(data=None, threads=1)
    unfinished = speed.Unfinished(speed.RESULTS / "part.json", {})
    speed._sets("cifar10", [10, 10000], options, unfinished)
    assert [(plan.limit, plan.seed) for plan in plans] == [(10, 0), (10000, None)]


def test_a_call_that_was_cut_goes_on_and_measures_nothing_twice(called, tmp_path):
    called(cut=4)
    kept = json.loads((tmp_path / "speed-quick-part.json").read_text())["rows"]
    assert [name for name in kept if not name.startswith("parts")] == ROWS[:4]
    assert len(called(cut=3)) == 3
    assert len(called()) == len(ROWS) - 7
    assert len(called()) == len(ROWS)


def test_rows_of_another_source_are_measured_again(called):
    called(cut=4)
    assert len(called(commit="d")) == len(ROWS)


def test_the_parts_of_a_picture(speed, local_models, tmp_path):
    small = local_models["colour"]
    (tmp_path / "photo.png").write_bytes(vaezip.pictures.write(Picture("RGB", small.images[0]), ".png"))
    found = speed._parts(Plan(str(tmp_path), models=(str(small.path),)), (0,))
    assert list(found) == ["compress, K = 0", "decompress, K = 0"]
    for parts in found.values():
        assert all(parts[name] > 0 for name in ("pixel network", "decoder network", "stack", "container", "files"))
    assert found["compress, K = 0"]["encoder network"] > 0
