import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from vaezip.errors import DataError, ModelError, OutputError
from vaezip.models.kinds import ALL_PLANES
from vaezip.models.pixel.architecture import PixelArchitecture, pixel_architecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.pictures.picture import Picture
from vaezip.training import trainer
from vaezip.training.data import Split, Survey
from vaezip.training.families.base import Options
from vaezip.training.families.pixel.tiles import SIDE
from vaezip.training.objectives import numbers
from vaezip.training.trainer import Run, architecture_of, objectives_of, plan_of, verified

MLP_SIZE = frozenset([(28, 28)])
ANY_SIZE = frozenset([(28, 28), (9, 9)])


def found(likelihood, sizes):
    return Survey(None, next(planes for planes in ALL_PLANES if planes.likelihood == likelihood), sizes, ())


@pytest.fixture
def data(discs):
    images = discs(40, 28, 28, 1, 2)
    return Split(images[:32], images[32:], [("a", Picture("1", images[0]))], (32, 8))


@pytest.mark.parametrize(("sizes", "tiled"), [(MLP_SIZE, False), (ANY_SIZE, True)])
def test_the_network_suits_black_and_white(sizes, tiled):
    architecture = architecture_of(Options(), found("bernoulli", sizes))
    assert (architecture.likelihood, architecture.tiled) == ("bernoulli", tiled)


@pytest.mark.parametrize("sizes", [MLP_SIZE, ANY_SIZE])
@pytest.mark.parametrize(("likelihood", "channels"), [("logistic", 1), ("colour-logistic", 3)])
def test_grey_and_colour_are_predicted_pixel_by_pixel(likelihood, channels, sizes):
    architecture = architecture_of(Options(hidden=64, latents=5), found(likelihood, sizes))
    assert isinstance(architecture, PixelArchitecture)
    assert (architecture.channels, architecture.hidden, architecture.latents) == (channels, 64, 5)
    assert architecture.regressed
    assert architecture == architecture_of(Options(arch="local", hidden=64, latents=5), found(likelihood, sizes))
    assert objectives_of(Options(), architecture) == ("elbo",)


@pytest.mark.parametrize(
    ("likelihood", "options", "said", "remedy"),
    [
        ("bernoulli", {}, "these are black and white", "resnet"),
        ("logistic", {"hidden": 40}, "local takes a multiple of 32 hidden units, up to 1024, not 40", "other-hidden"),
        ("logistic", {"hidden": 1056}, "local takes a multiple of 32 hidden units", "other-hidden"),
        ("logistic", {"latents": 1025}, "local takes at most 1024 latents, not 1025", "other-latents"),
        ("logistic", {"objectives": ("elbo", "half-asleep")}, "by the objective elbo alone", "elbo-alone"),
        ("logistic", {"objectives": ("wake-sleep",)}, "by the objective elbo alone", "elbo-alone"),
    ],
)
def test_what_a_local_model_cannot_do(likelihood, options, said, remedy):
    with pytest.raises(DataError, match=said) as caught:
        architecture_of(Options(arch="local", **options), found(likelihood, ANY_SIZE))
    assert caught.value.remedy == remedy


@pytest.mark.parametrize("sizes", [ANY_SIZE, MLP_SIZE])
def test_a_network_that_does_not_suit_them_is_refused(sizes):
    kind = "logistic" if sizes is ANY_SIZE else "colour-logistic"
    with pytest.raises(DataError, match="mlp codes pictures of 28×28") as caught:
        architecture_of(Options(arch="mlp"), found(kind, sizes))
    assert caught.value.remedy == "resnet"


def test_sizes_that_are_asked_for():
    options = Options(arch="resnet", latents=3, hidden=7)
    architecture = architecture_of(options, found("logistic", MLP_SIZE))
    assert architecture.latent == (8, 8, 3)
    assert architecture.encoder[1].outputs == 7
    assert architecture_of(Options(latents=3), found("bernoulli", MLP_SIZE)).latent == (3,)


def test_the_first_stage_trains_both_and_the_second_the_encoder(data):
    first, second = plan_of(Options(), mlp("bernoulli"), data, name="x").stages
    assert (first.name, first.encoder_only, first.learning_rate) == ("elbo", False, 1e-3)
    assert (second.name, second.encoder_only, second.learning_rate) == ("half-asleep", True, 5e-4)
    assert second.epochs == -(-first.epochs // 4)


def test_few_pictures_get_small_batches_and_many_epochs(data):
    few = Split(data.train[:3], data.valid, [], (3, 8))
    many = Split(np.zeros((60_000, 28, 28, 1), np.uint8), data.valid, [], (60_000, 8))
    for some, batch, epochs in ((few, 2, (500, 125)), (data, 8, (500, 125)), (many, 64, (50, 13))):
        stages = plan_of(Options(), mlp("bernoulli"), some, name="x").stages
        assert [(s.batch, s.epochs) for s in stages] == [(batch, epochs[0]), (batch, epochs[1])]


def test_what_is_asked_for_is_done(data):
    options = Options(objectives=("elbo", "sleep", "elbo"), epochs=(3, 2, 1), batch=5, learning_rate=0.5)
    stages = plan_of(options, mlp("bernoulli"), data, name="x").stages
    assert [(s.name, s.epochs, s.batch, s.learning_rate) for s in stages] == [
        ("elbo", 3, 5, 0.5),
        ("sleep", 2, 5, 0.25),
        ("elbo", 1, 5, 0.5),
    ]


@pytest.mark.parametrize(("likelihood", "source"), [("bernoulli", "prior"), ("colour-logistic", "posterior")])
def test_a_stage_takes_the_numbers_that_are_asked_for(data, tmp_path, likelihood, source):
    architecture = resnet(2, hidden=8, blocks=1, size=8) if source == "posterior" else mlp(likelihood, 2, 8)
    options = Options(objectives=("elbo", "half-asleep:0.25", "denoising:0.5:0.4"), epochs=(1, 1, 1))
    plan = plan_of(options, architecture, data, name="x")
    _, asleep, noisy = plan.stages
    assert numbers(asleep.objective) == {"alpha": 0.25}
    assert inspect.signature(asleep.objective).parameters["source"].default == source
    assert numbers(noisy.objective) == {"alpha": 0.5, "sigma": 0.4}
    made = Run(plan, data, seed=0, folder=tmp_path / "r")
    assert [made._state(i).name for i in (1, 2)] == ["2-half-asleep-0.25.pt", "3-denoising-0.5-0.4.pt"]


def test_a_local_model_has_one_stage(data):
    architecture = pixel_architecture(1, hidden=32)
    (stage,) = plan_of(Options(), architecture, data, name="x").stages
    assert (stage.name, stage.epochs, stage.batch, stage.learning_rate, stage.warmup) == ("elbo", 500, 8, 2e-3, 200)
    options = Options(epochs=(3,), batch=2, learning_rate=0.5)
    (stage,) = plan_of(options, architecture, data, name="x").stages
    assert (stage.epochs, stage.batch, stage.learning_rate, stage.warmup) == (3, 2, 0.5, 4)
    many = Split(np.zeros((40_000, *SIDE, 2), np.uint8), data.valid, [], (40_000, 8))
    (stage,) = plan_of(Options(), architecture, many, name="x").stages
    assert (stage.epochs, stage.batch, stage.warmup) == (4, 16, 1000)


# The folder of a run


def run(data, folder, seed=0, **options):
    options = {"epochs": (1, 1), **options}
    return Run(plan_of(Options(**options), mlp("bernoulli", 2, 8), data, name="x"), data, seed=seed, folder=folder)


def test_a_run_goes_on_in_its_own_folder(data, tmp_path):
    assert run(data, tmp_path / "r").open(force=False) is False
    assert run(data, tmp_path / "r").open(force=False) is True


@pytest.mark.parametrize(
    ("change", "named"), [({"seed": 1}, "seed"), ({"batch": 3}, "stages"), ({"pictures": 1}, "pictures")]
)
def test_another_run_does_not(data, tmp_path, change, named):
    run(data, tmp_path / "r").open(force=False)
    (tmp_path / "r" / "1-elbo.pt").touch()
    if change.pop("pictures", None):
        data = Split(data.train ^ 1, data.valid, data.held_out, data.counts)
    other = run(data, tmp_path / "r", **change)
    with pytest.raises(OutputError, match=f"holds a training with other {named}$") as caught:
        other.open(force=False)
    assert caught.value.remedy == "begin-anew"
    assert (tmp_path / "r" / "1-elbo.pt").exists()
    assert other.open(force=True) is False
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["settings.json"]


def test_another_run_may_have_the_folder_of_one_that_did_nothing(data, tmp_path):
    run(data, tmp_path / "r").open(force=False)
    assert run(data, tmp_path / "r", seed=1).open(force=False) is False


@pytest.mark.parametrize("content", [None, "[]", "{"])
def test_a_folder_that_is_none_of_a_run_is_never_touched(data, tmp_path, content):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ("settings.json" if content else "other")).write_text(content or "")
    for force in (False, True):
        with pytest.raises(OutputError, match="is in the way"):
            run(data, tmp_path / "r").open(force=force)
    assert len(list((tmp_path / "r").iterdir())) == 1


def test_a_file_in_the_place_of_the_folder_is_never_touched(data, tmp_path):
    (tmp_path / "r").write_text("mine")
    with pytest.raises(OutputError, match="is in the way"):
        run(data, tmp_path / "r").open(force=True)
    assert (tmp_path / "r").read_text() == "mine"


def test_a_run_that_was_killed_before_its_settings_were_whole_begins_again(data, tmp_path, killed_while_writing):
    (tmp_path / "r").mkdir()  # killed right after this
    assert run(data, tmp_path / "r").open(force=False) is False
    assert run(data, tmp_path / "r").open(force=False) is True
    killed_while_writing(1)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "q").open(force=False)
    assert run(data, tmp_path / "q").open(force=False) is False
    assert [path.name for path in (tmp_path / "q").iterdir()] == ["settings.json"]


@pytest.mark.parametrize("settings", [False, True])
def test_temporary_files_of_a_run_that_was_killed_go_and_do_not_count(data, tmp_path, settings):
    folder = tmp_path / "r"
    folder.mkdir()
    if settings:
        run(data, folder).open(force=False)
    (folder / ".vaezip-0123456789abcdef.tmp").write_text("half")
    assert run(data, folder).open(force=False) is settings
    assert [path.name for path in folder.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("when", [1, 2, 3])
def test_a_folder_is_a_runs_whenever_its_emptying_is_killed(data, tmp_path, monkeypatch, when):
    old = run(data, tmp_path / "r")
    old.open(force=False)
    for name in ("1-elbo.jsonl", "1-elbo.pt", "2-half-asleep.pt"):
        (tmp_path / "r" / name).touch()
    removed, unlink = [], Path.unlink

    def killed(path):
        removed.append(path.name)
        if len(removed) == when:
            raise KeyboardInterrupt
        unlink(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            run(data, tmp_path / "r", seed=1).open(force=True)
    assert old.open(force=False) is True
    assert (tmp_path / "r" / "1-elbo.jsonl").exists()  # no state is without its log
    assert run(data, tmp_path / "r", seed=1).open(force=True) is False


def test_settings_tell_what_makes_it_this_training(data, tmp_path):
    run(data, tmp_path / "r").open(force=False)
    assert set(json.loads((tmp_path / "r" / "settings.json").read_text())) == {
        "pictures",
        "architecture",
        "stages",
        "seed",
    }


# The model


def test_pictures_held_out_come_back(small):
    a = small.architecture
    mode = {(1, 2): "1", (1, 256): "L", (3, 256): "RGB"}[a.channels, a.levels]
    pictures = [(str(i), Picture(mode, small.images[i])) for i in range(3)]
    if a.tiled:
        pictures.insert(1, ("odd", Picture(mode, np.ascontiguousarray(small.images[3][:5]))))
    assert 30 < verified(pictures, small.path, 1) < sum(p.samples.size for _, p in pictures)


def test_a_model_that_does_not_give_a_picture_back_is_refused(small_models, monkeypatch):
    small = small_models["logistic"]
    monkeypatch.setattr(trainer, "same", lambda a, b: False)
    with pytest.raises(ModelError, match="does not give back 'a', so it is not written"):
        verified([("a", Picture("L", small.images[0]))], small.path, 1)


def test_the_best_of_a_stage_in_which_no_epoch_is_better_is_what_it_began_with(data, tmp_path):
    trained = run(data, tmp_path / "r")
    trained.open(force=False)
    for name, bpds in (("1-elbo", (0.9, 0.5)), ("2-half-asleep", (0.7, 0.6))):
        log = [{"stage": name[2:], "epoch": i + 1, "valid_bpd": bpd} for i, bpd in enumerate(bpds)]
        (tmp_path / "r" / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    assert [(line["stage"], line["epoch"], line["valid_bpd"]) for line in trained.best()] == [
        ("elbo", 2, 0.5),
        ("half-asleep", 0, 0.5),
    ]
