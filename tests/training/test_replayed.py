import functools

import pytest
import torch

from vaezip.models.tile.mlp import mlp
from vaezip.training import loop
from vaezip.training.families.pixel.stage import PixelStage
from vaezip.training.families.tile.stage import TileStage
from vaezip.training.loop import Samples, fit
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import classic, denoising, half_asleep

OBJECTIVES = {"classic": classic, "half-asleep": functools.partial(half_asleep, alpha=0.3), "denoising": denoising}
needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture
def trained(discs, tmp_path):
    """trained(name, loss, **more): weights and log of ten steps an epoch. Of a network of matrices: cuDNN's
    convolutions may give other bits each time."""
    images = discs(96, 28, 28, 1)

    def run(name, loss, **more):
        torch.manual_seed(0)
        vae = TileVae(mlp("logistic", 2, 16)).to("cuda")
        stage = TileStage("s", loss, 3, 1e-3, batch=8, warmup=4, moved=0.5, average=0.9)
        fit(vae, Samples(images[:80], images[80:]), stage, state=tmp_path / f"{name}.pt", **more)
        return vae.state_dict(), [line["train_bpd"] for line in loop.read_log(tmp_path / f"{name}.jsonl")]

    return run


def same(one, other):
    return one[1] == other[1] and all(torch.equal(other[0][name], weights) for name, weights in one[0].items())


@needs_a_gpu
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_replayed_step_is_the_step(trained, monkeypatch, objective):
    """Bit for bit, random numbers and learning rates included."""
    calls = []

    def counted(vae, x):
        calls.append(1)
        return OBJECTIVES[objective](vae, x)

    replayed = trained("replayed", counted)
    assert len(calls) == 4  # three steps before the recording, and that
    monkeypatch.setattr(loop._Run, "_replayed", lambda self: None)
    assert same(replayed, trained("stepped", counted))
    assert len(calls) == 4 + 30


@needs_a_gpu
def test_a_replayed_stage_that_is_resumed_ends_like_one_that_was_not(trained, tmp_path):
    def interrupt(progress):
        if progress.step == 17:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained("parts", classic, progress=interrupt)
    (group,) = torch.load(tmp_path / "parts.pt", map_location="cpu", weights_only=True)["optimisers"][0]["param_groups"]
    assert isinstance(group["lr"], float)
    assert not group["capturable"]
    assert same(trained("parts", classic), trained("whole", classic))


def test_a_stage_whose_loss_changes_is_not_replayed():
    assert TileStage("s", classic, 1, 1e-3).replayable
    assert not PixelStage("s", classic, 1, 1e-3).replayable
