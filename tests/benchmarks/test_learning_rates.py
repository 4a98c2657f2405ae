"""What learning while coding gains, on pictures of no meaning: that it is measured, kept, and shown."""

import importlib
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.bench import peers
from vaezip.bench.method import UnavailableError
from vaezip.models import file as model_file
from vaezip.models.effort import PRESETS
from vaezip.pictures import datasets
from vaezip.pictures.picture import Picture

LEARNING = Path(__file__).parents[2] / "benchmarks" / "learning"
HEIGHT, WIDTH = 32, 48

pytestmark = pytest.mark.skipif("photo" not in model_file.shipped(), reason="the model is not shipped")


@pytest.fixture(scope="module")
def rates():
    """The script, its timed picture small and timed once."""
    sys.path.insert(0, str(LEARNING))
    script = importlib.import_module("rates")
    sys.path.remove(str(LEARNING))
    script.SPEED_HEIGHT, script.SPEED_WIDTH, script.CROP, script.SPEED_RUNS = 32, 64, 32, 1
    return script


@pytest.fixture(scope="module")
def folders(tmp_path_factory, discs):
    """Four photographs, one of them grey, and a CIFAR-10 of three test images."""
    root = tmp_path_factory.mktemp("learning")
    for name in ("photos", "data/cifar-10-batches-bin"):
        (root / name).mkdir(parents=True)
    for i, samples in enumerate(discs(3, HEIGHT, WIDTH, 3)):
        (root / "photos" / f"{i}.png").write_bytes(vaezip.pictures.write(Picture("RGB", samples), ".png"))
    (root / "photos" / "grey.png").write_bytes(vaezip.pictures.write(Picture("L", discs(1, HEIGHT, WIDTH)[0]), ".png"))
    planes = discs(3, 32, 32, 3).transpose(0, 3, 1, 2).reshape(3, -1)
    records = np.concatenate([np.zeros((3, 1), np.uint8), planes], axis=1)
    (root / "data" / "cifar-10-batches-bin" / "test_batch.bin").write_bytes(records.tobytes())
    return root


def arguments(folders, out, *more):
    return ["--photos", str(folders / "photos"), "--data", str(folders / "data"), "--out", str(out), *more]


@pytest.fixture(scope="module")
def results(rates, folders):
    """A folder with the results at presets 1 and 2."""
    rates.main(arguments(folders, folders / "out", "--presets", "1,2", "--cifar", "2"))
    return folders / "out"


@pytest.fixture
def found(results):
    return json.loads((results / "rates.json").read_text())


def chosen(folders):
    return datasets.collection(folders / "photos").select(3)


def test_every_set_is_measured_at_every_preset(found):
    assert list(found["sets"]) == ["photographs", "unlike", "cifar10", "solid"]
    for part in (*found["sets"].values(), found["speed"]):
        assert list(part["presets"]) == ["1", "2"]
        for row in part["presets"].values():
            assert row["lossless"]
            assert row["bpd"] == pytest.approx(8 * row["bytes"] / part["facts"]["values"])
            assert row["of_preset_1"] == row["bytes"] / part["presets"]["1"]["bytes"]
            assert min(row["compress_s"], row["encode_s"], row["decompress_s"]) > 0
    assert {key: found["sets"]["cifar10"]["facts"][key] for key in ("files", "pictures")} == {"files": 1, "pictures": 2}


def test_pictures_of_other_modes_are_left_out(found):
    known = found["sets"]["photographs"]["facts"]
    assert (known["pictures"], known["pixels"], known["values"]) == (3, 3 * HEIGHT * WIDTH, 9 * HEIGHT * WIDTH)


def test_sizes_are_those_of_the_files(found, folders):
    import vaezip

    for preset, row in found["sets"]["photographs"]["presets"].items():
        assert row["bytes"] == sum(
            len(vaezip.compress(p, model="photo", preset=int(preset))) for _, p in chosen(folders)
        )


def test_kinds_add_up(found):
    part = found["sets"]["unlike"]
    assert sum(part["facts"]["kinds"].values()) == part["facts"]["values"]
    for row in (*part["presets"].values(), *part["peers"].values()):
        assert list(row["kinds"]) == ["film grain", "gamma, sharpened", "resampled"]
        assert sum(row["kinds"].values()) == row["bytes"]


def test_peers_stand_beside_them(found):
    for name in ("photographs", "unlike"):
        part = found["sets"][name]
        for key in part["peers"]:
            assert part["peers"][key]["label"] == peers.CODECS[key].label
        assert {*part["peers"], *found["skipped"]} == {"jxl-9", "jxl-7", "webp"}
        if "jxl-9" in part["peers"]:
            assert part["presets"]["2"]["of_jxl_9"] == part["presets"]["2"]["bytes"] / part["peers"]["jxl-9"]["bytes"]
    assert not found["sets"]["cifar10"]["peers"]


def test_the_readme_has_every_figure(rates, results, found):
    text = (results / "README.md").read_text()
    for part in (*found["sets"].values(), found["speed"]):
        for row in (*part["presets"].values(), *part["peers"].values()):
            assert f"| {row['bytes']:,} | {row['bpd']:.4f} |" in text
    assert all(f"Of these, {kind} (" in text for kind in rates.KINDS)
    assert "commit" in text


def test_plot_and_readme_are_made_again_from_the_json(rates, results):
    made = [results / name for name in ("README.md", "rates.png")]
    before = [path.read_bytes() for path in made if path.exists()]
    for path in made:
        path.unlink(missing_ok=True)
    rates.main(["--readme", "--out", str(results)])
    assert [path.read_bytes() for path in made if path.exists()] == before


def test_a_second_call_measures_nothing(rates, folders, results, found, monkeypatch):
    monkeypatch.setattr(rates, "once", None)
    rates.main(arguments(folders, results, "--presets", "1,2", "--cifar", "2"))
    assert json.loads((results / "rates.json").read_text()) == found


def test_photographs_alone_need_no_data_sets(rates, folders, tmp_path):
    options = ["--photos", str(folders / "photos"), "--only", "photographs", "--presets", "1", "--limit", "1"]
    rates.main([*options, "--out", str(tmp_path)])
    assert list(json.loads((tmp_path / "rates.json").read_text())["sets"]) == ["photographs"]


def copied(results, folder, change):
    """The results in another folder, changed."""
    found = json.loads((results / "rates.json").read_text())
    change(found)
    (folder / "rates.json").write_text(json.dumps(found))
    return folder


@pytest.mark.parametrize("gone", ["1", "2"])
def test_a_call_that_was_cut_is_gone_on_with(rates, folders, results, found, gone, tmp_path):
    def cut(partial):
        del partial["sets"]["unlike"]["presets"][gone]

    rates.main(arguments(folders, copied(results, tmp_path, cut), "--presets", "1,2", "--cifar", "2"))
    again = json.loads((tmp_path / "rates.json").read_text())["sets"]["unlike"]["presets"]
    for preset, row in again.items():
        old = found["sets"]["unlike"]["presets"][preset]
        assert row["bytes"] == old["bytes"]
        assert row["of_preset_1"] == old["of_preset_1"]
        assert preset == gone or row == old


def test_a_preset_that_means_something_else_now_is_measured_anew(rates, folders, results, found, tmp_path):
    def other(partial):
        partial["sets"]["photographs"]["presets"]["2"] |= {"effort": {}, "bytes": 1}

    rates.main(arguments(folders, copied(results, tmp_path, other), "--presets", "2", "--cifar", "2"))
    row = json.loads((tmp_path / "rates.json").read_text())["sets"]["photographs"]["presets"]["2"]
    assert row["bytes"] == found["sets"]["photographs"]["presets"]["2"]["bytes"]


def test_figures_of_other_pictures_are_refused_or_made_anew(rates, folders, results, tmp_path):
    copied(results, tmp_path, lambda _: None)
    call = arguments(folders, tmp_path, "--presets", "1", "--only", "photographs", "--limit", "1")
    with pytest.raises(SystemExit, match="other pictures"):
        rates.main(call)
    rates.main([*call, "--again"])
    part = json.loads((tmp_path / "rates.json").read_text())["sets"]["photographs"]
    assert part["facts"]["pictures"] == 1
    assert list(part["presets"]) == ["1"]


def test_a_part_alone(rates, folders, tmp_path):
    rates.main(arguments(folders, tmp_path, "--presets", "1", "--cifar", "0", "--limit", "1", "--only", "unlike"))
    found = json.loads((tmp_path / "rates.json").read_text())
    assert list(found["sets"]) == ["unlike"]
    assert not found["speed"]


def test_figures_of_another_model_are_refused(rates, folders, results, tmp_path):
    copied(results, tmp_path, lambda found: found.update(fingerprint="00000000"))
    with pytest.raises(SystemExit, match="another model"):
        rates.main(arguments(folders, tmp_path))


def test_a_peer_that_is_missing_is_named(rates, folders, tmp_path, monkeypatch):
    def missing():
        raise UnavailableError("it is not installed")

    for key in ("jxl-7", "jxl-9"):
        monkeypatch.setitem(peers.CODECS, key, replace(peers.CODECS[key], check=missing))
    rates.main(arguments(folders, tmp_path, "--presets", "1", "--only", "photographs", "--limit", "1"))
    found = json.loads((tmp_path / "rates.json").read_text())
    assert found["skipped"] == dict.fromkeys(("jxl-7", "jxl-9"), "it is not installed")
    assert found["sets"]["photographs"]["presets"]["1"]["of_jxl_9"] is None
    assert "Skipped: `jxl-9`: it is not installed" in (tmp_path / "README.md").read_text()
    assert not (tmp_path / "rates.png").exists()


@pytest.mark.parametrize("name", ["Ours", "Peer"])
def test_a_picture_that_comes_back_changed_ends_the_script(rates, folders, tmp_path, monkeypatch, name):
    method = getattr(rates, name)
    restore = method.restore

    def changed(self, decoded, pictures):
        return [Picture(p.mode, p.samples ^ np.uint8(1)) for p in restore(self, decoded, pictures)]

    monkeypatch.setattr(method, "restore", changed)
    with pytest.raises(SystemExit, match="bit for bit"):
        rates.main(arguments(folders, tmp_path, "--presets", "1", "--only", "photographs", "--limit", "1"))


@pytest.mark.parametrize("given", ["-1", "1,10"])
def test_presets_out_of_range_are_refused(rates, folders, tmp_path, given, capsys):
    with pytest.raises(SystemExit):
        rates.main(arguments(folders, tmp_path, f"--presets={given}"))
    assert f"between 1 and {max(PRESETS)}" in capsys.readouterr().err


def test_all_is_held_against_the_presets_without_learning(rates, folders, tmp_path):
    rates.main(arguments(folders, tmp_path, "--presets", "1,2", "--only", "photographs", "--limit", "1"))
    found = json.loads((tmp_path / "rates.json").read_text())["sets"]["photographs"]["presets"]
    assert found["1"]["of_preset_2"] == found["1"]["bytes"] / found["2"]["bytes"]
    assert found["2"]["of_preset_1"] == found["2"]["bytes"] / found["1"]["bytes"]
    text = (tmp_path / "README.md").read_text()
    assert "| `-1` | – |" in text
    assert "| `-2` | –, –, –, 2 |" in text


def test_images_are_drawn_but_where_all_are_taken(rates, folders):
    whole = datasets.collection("cifar10", data=str(folders / "data"))
    assert rates.drawn(whole, 2).indices == whole.select(2, 0).indices
    for count in (3, 4):
        assert rates.drawn(whole, count).indices == (0, 1, 2)


def test_one_network_learns_from_pictures_in_one_file(rates):
    row = {"effort": asdict(PRESETS[9])}
    assert rates._effort(row, together=False) == "2, 2, 1, 8, 3"
    assert rates._effort(row, together=True) == "1, 2, 1, 8, 3"


def test_the_options_of_a_part_are_told(results, folders):
    text = (results / "README.md").read_text()
    for options in ("photographs --limit 3", "unlike --limit 3", "cifar10 --cifar 2", "solid --cifar 2", "speed"):
        assert f"By `--only {options} --presets 1,2`." in text


def test_changed_pictures_are_the_same_in_every_call(rates, folders):
    originals = [picture.samples for _, picture in chosen(folders)]
    first, second = ([file.pictures[0][1].samples for file in rates.unlike(chosen(folders))] for _ in range(2))
    for original, a, b in zip(originals, first, second, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.shape == original.shape
        assert (a != original).mean() > 0.1


def test_grain_has_its_strength_and_is_half_shared(rates):
    flat = np.full((200, 200, 3), 128, np.uint8)
    noise = rates.grain(flat, np.random.default_rng(0)).astype(float).reshape(-1, 3) - 128
    assert noise.std() == pytest.approx(6, rel=0.03)
    assert np.corrcoef(noise.T)[0, 1] == pytest.approx(0.5, abs=0.03)


def test_resampling_keeps_the_middle(rates):
    samples = np.zeros((40, 60, 3), np.uint8)
    samples[20:, :] = 200
    back = rates.resampled(samples, np.random.default_rng(0))
    assert back.shape == samples.shape
    assert (back[:15] == 0).all()
    assert (back[25:] == 200).all()


def test_a_small_picture_fills_its_patch(rates, folders):
    assert rates.patchwork(chosen(folders)).samples.shape == (32, 64, 3)
    assert rates._middle(np.zeros((5, 70, 3), np.uint8)).shape == (32, 32, 3)
