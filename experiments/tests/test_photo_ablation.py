"""The ablation of the photograph model, a step or two each: that rows are made, kept, and shown."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from vaezip.models.pixel.constants import RADIUS
from vaezip.models.pixel.context import framed
from vaezip.models.pixel.strips import tile_frames

ROW = {"bpd", "kl_bpd", "parameters", "mac_per_pixel", "steps", "seconds", "run"}
SOME = ("base", "radius-1", "latents-none", "encoder-classic", "encoder-half-asleep", "base, seed 1")


@pytest.fixture(scope="module")
def ablation(photo_script):
    """The script, with small steps."""
    script = photo_script("ablation")
    script.TILES = 2
    return script


@pytest.fixture(scope="module")
def folder(tmp_path_factory, discs):
    """Enough photographs for some to be left to learn from, one of them too small."""
    root = tmp_path_factory.mktemp("train")
    for i, samples in enumerate(discs(30, 48, 70, 3)):
        Image.fromarray(samples[:, :40] if i == 29 else samples).save(root / f"{i:02d}_0.png")
    return root


def call(ablation, folder, out, *more):
    options = ["--train", str(folder), "--out", str(out), "--runs", str(out / "runs"), "--quick", "--steps", "2"]
    ablation.main([*options, *more])
    return json.loads((out / "ablation-quick.json").read_text())


@pytest.fixture(scope="module")
def results(ablation, folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    return out, call(ablation, folder, out, "--only", *SOME)


@pytest.fixture
def copied(results, tmp_path):
    """The results in another folder, changed."""

    def copy(change):
        found = json.loads((results[0] / "ablation-quick.json").read_text())
        change(found)
        (tmp_path / "ablation-quick.json").write_text(json.dumps(found))
        return tmp_path

    return copy


def test_every_row_has_its_figures(results):
    _, found = results
    assert set(found) == {"settings", "axes", "runs", "rows"}
    assert list(found["rows"]) == list(SOME)
    for name, row in found["rows"].items():
        assert set(row) == ROW
        assert 0 < row["bpd"] < 20
        assert (row["kl_bpd"] > 0) == (name != "latents-none")
        assert row["steps"] == (1 if name.startswith("encoder") else 2)
        assert found["runs"][row["run"]]["machine"]["cpu"]
    assert found["rows"]["radius-1"]["parameters"] == found["rows"]["base"]["parameters"] - 20 * 3 * 64
    assert found["rows"]["base, seed 1"]["bpd"] != found["rows"]["base"]["bpd"]
    assert (results[0] / "ablation-quick.png").stat().st_size > 0


def test_settings_name_the_photographs(ablation, results):
    settings = results[1]["settings"]
    assert settings["data"].keys() == {"photographs", "held_out", "values", "sha256"}
    assert settings["data"]["held_out"] == ablation.tiles.HELD_OUT
    assert settings["data"]["values"] == ablation.tiles.HELD_OUT * 32 * 32 * 3
    assert {key: settings[key] for key in ("steps", "encoder_steps", "tiles")} == {
        "steps": 2,
        "encoder_steps": 1,
        "tiles": 2,
    }


def test_every_axis_has_known_rows(ablation):
    on_axes = {name for rows in ablation.AXES.values() for name in rows.values()}
    assert on_axes == set(ablation.NAMES)
    assert all({"base", "latents-none"} & set(rows.values()) for rows in ablation.AXES.values())


def test_variants_differ_from_the_base_in_one_thing(ablation):
    base = vars(ablation.BASE)
    for name, design in ablation.DESIGNS.items():
        changed = [key for key, value in vars(design).items() if value != base[key]]
        assert changed == ([] if name == "base" else [name.partition("-")[0]])


def test_a_call_that_was_cut_is_gone_on_with(ablation, folder, results, copied, monkeypatch):
    """Only what is missing is trained, and comes out the same."""
    trained = []
    fit = ablation.fit
    monkeypatch.setattr(ablation, "fit", lambda *given: (trained.append(given[2]), fit(*given)))
    out = copied(lambda found: found["rows"].pop("radius-1"))
    again = call(ablation, folder, out, "--only", *SOME)
    assert len(trained) == 1
    unlike = {"seconds", "run"}
    for name, row in results[1]["rows"].items():
        assert {k: v for k, v in again["rows"][name].items() if k not in unlike} == {
            k: v for k, v in row.items() if k not in unlike
        }


def test_without_its_weights_the_base_is_trained_again(ablation, folder, results, copied):
    again = call(ablation, folder, copied(lambda found: found["rows"].pop("encoder-classic")), "--only", *SOME)
    assert again["rows"]["encoder-classic"]["bpd"] == results[1]["rows"]["encoder-classic"]["bpd"]


def test_figures_of_other_settings_are_refused_or_made_anew(ablation, folder, copied):
    out = copied(lambda found: found["settings"].update(steps=3))
    with pytest.raises(SystemExit, match="other settings"):
        call(ablation, folder, out, "--only", "base")
    assert list(call(ablation, folder, out, "--only", "base", "--again")["rows"]) == ["base"]


def test_a_folder_of_too_few_photographs_is_refused(ablation, tmp_path):
    Image.new("RGB", (60, 60)).save(tmp_path / "one.png")
    with pytest.raises(SystemExit, match="too few"):
        ablation.Source(tmp_path, 32)


def test_training_gains(ablation, folder):
    source = ablation.Source(folder, 32)
    torch.manual_seed(0)
    variant = ablation.BASE.build()
    before, _ = ablation.evaluate(variant, source)
    ablation.fit(variant, source, ablation.Stage(0, 12, ablation.together), ablation.optimisers_of(variant))
    after, _ = ablation.evaluate(variant, source)
    assert after < before - 0.05


@pytest.mark.parametrize("name", ["encoder-classic", "encoder-half-asleep"])
def test_the_encoder_alone_is_trained_on(ablation, folder, name):
    variant = ablation.BASE.build()
    before = {key: value.clone() for key, value in variant.state_dict().items()}
    stage = ablation.Stage(0, 1, ablation.LOSSES[name])
    ablation.fit(variant, ablation.Source(folder, 32), stage, ablation.encoder_optimiser(variant))
    for key, value in variant.state_dict().items():
        assert torch.equal(value, before[key]) != key.startswith("encoder.")


def test_every_parameter_has_one_optimiser(ablation):
    for design in ablation.DESIGNS.values():
        variant = design.build()
        taken = [id(p) for o in ablation.optimisers_of(variant) for group in o.param_groups for p in group["params"]]
        assert sorted(taken) == sorted(id(p) for p in variant.parameters())


def test_all_variants_learn_from_the_same_tiles(ablation, folder):
    source = ablation.Source(folder, 32)
    first, second = (source.batch(np.random.default_rng([0, 5])) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == (2, *ablation.WINDOW, 3)
    assert torch.equal(first, first.round().clamp(0, 255))


def test_windows_of_held_out_pictures_are_those_of_the_coder(ablation, discs):
    """But for what is farther away than its context."""
    (picture,) = discs(1, 64, 96, 3)
    theirs = np.concatenate([tile_frames(framed(picture[None]), top, 32) for top in (0, 32)])
    spare = ablation.MARGIN - RADIUS
    ours = ablation.surrounded(picture[None])
    assert ours.shape == (2 * 3, *ablation.WINDOW, 3)
    assert np.array_equal(ours[:, spare:, spare:-spare], theirs)


def test_the_middle_is_of_whole_tiles(ablation):
    picture = np.arange(70 * 130).reshape(70, 130, 1)
    found = ablation.middle(picture, 96)
    assert found.shape == (64, 96, 1)
    assert found[0, 0, 0] == picture[3, 17, 0]


def test_the_readme_has_every_row(ablation, results):
    text = ablation.readme.ablation(results[1])
    for row in results[1]["rows"].values():
        assert f"| {row['bpd']:.4f} |" in text
        assert f"| {row['parameters']:,} | {row['mac_per_pixel']:,} |" in text
    assert all(f"### {axis.capitalize()}\n" in text for axis in results[1]["axes"])
    assert "commit" in text
