"""Rate and time over K on the posteriors, on pictures of no meaning: that it is measured, kept, and shown."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.bench.method import MismatchError
from vaezip.bench.report import Report
from vaezip.codec.compressor import Compressor
from vaezip.models.effort import Effort
from vaezip.pictures import datasets
from vaezip.pictures.picture import Picture

PHOTO = Path(__file__).parents[2] / "benchmarks" / "photo"
HEIGHT, WIDTH = 32, 40


@pytest.fixture(scope="module")
def steps(photo_script):
    return photo_script("steps")


@pytest.fixture(scope="module")
def folders(tmp_path_factory, discs):
    """Three photographs, and a CIFAR-10 of three test images."""
    root = tmp_path_factory.mktemp("steps")
    (root / "photos").mkdir()
    (root / "data" / "cifar-10-batches-bin").mkdir(parents=True)
    for i, samples in enumerate(discs(3, HEIGHT, WIDTH, 3)):
        (root / "photos" / f"{i}.png").write_bytes(vaezip.pictures.write(Picture("RGB", samples), ".png"))
    planes = discs(3, 32, 32, 3).transpose(0, 3, 1, 2).reshape(3, -1)
    records = np.concatenate([np.zeros((3, 1), np.uint8), planes], axis=1)
    (root / "data" / "cifar-10-batches-bin" / "test_batch.bin").write_bytes(records.tobytes())
    return root


@pytest.fixture(scope="module")
def arguments(folders, local_models):
    def made(out, *more):
        model = str(local_models["colour"].path)
        options = ["--photos", str(folders / "photos"), "--data", str(folders / "data"), "--out", str(out)]
        return [
            *options,
            "--model",
            model,
            "--small-model",
            model,
            "--steps",
            "0,2",
            "--cifar",
            "2",
            "--limit",
            "2",
            *more,
        ]

    return made


@pytest.fixture(scope="module")
def results(steps, folders, arguments):
    steps.main(arguments(folders / "out"))
    return folders / "out"


@pytest.fixture
def reports(results):
    found = json.loads((results / "steps.json").read_text())["sets"]
    return {name: Report.from_dict(fields) for name, fields in found.items()}


def test_saved_bytes_are_held_against_those_without_steps(steps, reports):
    report = reports["photographs"]
    first, last = (row.figures.bytes for row in report.models)
    assert steps.against_first(report) == [0, pytest.approx(100 * (last - first) / first)]


def test_both_sets_are_measured_at_every_k(reports, local_models):
    assert {name: report.orders for name, report in reports.items()} == {"photographs": ["single"], "cifar10": ["set"]}
    for report in reports.values():
        assert report.facts.images == 2
        assert report.commit
        assert report.machine["cpu"]
        assert [row.steps for row in report.models] == [0, 2]
        for row in report.models:
            assert row.fingerprint == local_models["colour"].model.fingerprint.hex()
            assert row.figures.lossless
            assert row.figures.bpd == pytest.approx(8 * row.figures.bytes / report.facts.dims, rel=1e-4)
            assert min(row.figures.compress_s, row.figures.decompress_s) > 0


def test_sizes_are_those_of_files_in_which_nothing_learns(reports, folders, local_models):
    pictures = [picture for _, picture in datasets.collection("cifar10", data=str(folders / "data")).select(2, 0)]
    for row in reports["cifar10"].models:
        with Compressor(model=local_models["colour"].path, effort=Effort(row.steps, rows=0)) as compressor:
            for i, picture in enumerate(pictures):
                compressor.add(f"{i:05d}", picture)
            assert row.figures.bytes == len(compressor.close())


def test_the_readme_has_every_figure(results, reports):
    text = (results / "README.md").read_text()
    for report in reports.values():
        for row in report.models:
            assert f"| {row.steps} | {row.figures.bytes:,} | {row.figures.bpd:.4f} |" in text
    assert (results / "steps.png").stat().st_size > 0


def test_the_readme_tells_which_images_were_taken(steps, results):
    found = json.loads((results / "steps.json").read_text())
    assert [report["seed"] for report in found["sets"].values()] == [steps.SEED, steps.SEED]
    text = steps.readme.steps(found)
    assert "\n2 photographs drawn at random, each a file of its own, by" in text
    assert "\n2 CIFAR-10 test images drawn at random, one file, by" in text
    assert " --limit 2 --cifar 2 --steps 2`" in text.replace("\n", " ")
    found["sets"]["cifar10"]["seed"] = None
    assert "\nThe first 2 CIFAR-10 test images, one file, by" in steps.readme.steps(found)


def test_the_readme_is_made_again_from_the_json(steps, results):
    before = (results / "README.md").read_bytes()
    (results / "README.md").unlink()
    steps.readme.write(results)
    assert (results / "README.md").read_bytes() == before


def test_a_second_call_measures_only_what_is_new(steps, results, reports, arguments, tmp_path, monkeypatch):
    (tmp_path / "steps.json").write_bytes((results / "steps.json").read_bytes())
    measured = []
    measure = steps.measured
    monkeypatch.setattr(steps, "measured", lambda plan, k: (measured.append(k), measure(plan, k))[1])
    steps.main([*arguments(tmp_path, "--steps", "1,2")])
    assert measured == [1, 1]
    again = json.loads((tmp_path / "steps.json").read_text())["sets"]
    for name, report in reports.items():
        rows = {row.steps: row for row in Report.from_dict(again[name]).models}
        assert list(rows) == [0, 1, 2]
        assert [rows[0], rows[2]] == report.models


@pytest.mark.parametrize("change", [{"commit": "other"}, {"threads": 9}])
def test_rows_of_another_source_or_machine_are_measured_anew(
    steps, results, arguments, tmp_path, monkeypatch, reports, change
):
    changed = {name: replace(report, **change).to_dict() for name, report in reports.items()}
    (tmp_path / "steps.json").write_text(json.dumps({"sets": changed}))
    measured = []
    monkeypatch.setattr(
        steps, "measured", lambda plan, k: (measured.append(k), reports["photographs"].models[k // 2])[1]
    )
    steps.main(arguments(tmp_path, "--cifar", "0"))
    assert measured == [0, 2]


def test_quick_is_quick_and_kept_apart(steps, arguments, tmp_path):
    steps.main(arguments(tmp_path, "--quick", "--limit", "1", "--steps", "1", "--cifar", "1"))
    assert {path.name for path in tmp_path.iterdir()} == {"steps-quick.json", "steps-quick.png"}
    quick = steps.parsed(["--photos", "x", "--quick"])
    assert (quick.steps, quick.limit, quick.cifar) == ((0, 1), 1, 8)


def test_a_picture_that_comes_back_changed_ends_the_script(steps, arguments, tmp_path, monkeypatch):
    restore = steps.OnPosteriors.restore

    def changed(self, decoded, pictures):
        return [Picture(p.mode, p.samples ^ np.uint8(1)) for p in restore(self, decoded, pictures)]

    monkeypatch.setattr(steps.OnPosteriors, "restore", changed)
    with pytest.raises(MismatchError, match="bit for bit"):
        steps.main(arguments(tmp_path))


def test_steps_out_of_form_are_refused(steps, capsys):
    with pytest.raises(SystemExit):
        steps.parsed(["--photos", "x", "--steps", "many"])
    assert "is no number of steps" in capsys.readouterr().err


def test_the_figures_of_a_benchmark_stand_beside_its_peers(steps):
    """Those that are committed."""
    found = json.loads((PHOTO / "valid.json").read_text())
    text = steps.readme.beside_peers("valid", found)
    for row in (*found["methods"], *found["peers"]):
        assert f"| {row['bytes']:,} | {row['bpd']:.4f} |" in text
