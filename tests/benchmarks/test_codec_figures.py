"""The bars of the codec: what its results tell of a run, and what the README makes of them; nothing is measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vaezip.bench import machine
from vaezip.models import file as model_file

from .conftest import script

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def called(monkeypatch, tmp_path):
    """called(*arguments, commit="c"): the results after a call."""
    codec = script("codec")
    monkeypatch.setattr(codec, "RESULTS", tmp_path / "results" / "codec.json")
    monkeypatch.setattr(codec, "PARTS", {"one": lambda data: {"bytes": 1}, "two": lambda data: {"bytes": 2}})

    def call(*arguments, commit="c"):
        monkeypatch.setattr(machine, "commit", lambda: commit)
        monkeypatch.setattr(sys, "argv", ["codec.py", *arguments])
        codec.main()
        return json.loads(codec.RESULTS.read_text())

    return call


def test_results_tell_what_each_part_ran_on(called):
    found = called()
    assert found["one"] == {"bytes": 1}
    for run in found["runs"].values():
        assert run["machine"]["cpu"]
        assert run["versions"]["vaezip"]
        assert run["commit"] == "c"
        assert run["models"]["mnist"] == model_file.fingerprint(model_file.find("mnist")).hex()


def test_a_part_measured_anew_leaves_the_others_their_run(called):
    called()
    runs = called("--only", "two", commit="d")["runs"]
    assert {name: run["commit"] for name, run in runs.items()} == {"one": "c", "two": "d"}


def test_the_readme_is_up_to_date():
    subprocess.run([sys.executable, BENCHMARKS / "readme.py", "--check"], check=True)


def test_the_readme_is_made_of_results_with_runs_too():
    readme = script("readme")
    results = json.loads((BENCHMARKS / "results" / "codec.json").read_text())
    table = readme.table(results)
    assert readme.table(results | {"runs": {}}) == table
    assert "4,000×3,000 RGB mosaic: compress, photo" in table
