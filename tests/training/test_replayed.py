import functools

import pytest
import torch

from vaezip.networks.floating import Vae
from vaezip.networks.mlp import mlp
from vaezip.training import loop
from vaezip.training.loop import Stage, fit
from vaezip.training.objectives import classic, denoising, half_asleep

OBJECTIVES = {"classic": classic, "half-asleep": functools.partial(half_asleep, alpha=0.3), "denoising": denoising}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_replayed_step_is_the_step(discs, tmp_path, monkeypatch, objective):
    """Bit for bit, random numbers and learning rates included. Of a network of matrices: cuDNN's convolutions
    may give other bits each time."""
    images = discs(96, 28, 28, 1)
    stage = Stage("s", OBJECTIVES[objective], 3, 1e-3, batch=8, warmup=4, moved=0.5, average=0.9)

    def trained(name):
        torch.manual_seed(0)
        vae = Vae(mlp("logistic", 2, 16)).to("cuda")
        fit(vae, images[:80], images[80:], stage, tmp_path / f"{name}.pt")
        return vae.state_dict(), [x["train_bpd"] for x in loop.read_log(tmp_path / f"{name}.jsonl")]

    replayed, rates = trained("replayed")
    monkeypatch.setattr(loop._Run, "_replayed", lambda self: None)
    stepped, expected = trained("stepped")
    assert rates == expected
    assert all(torch.equal(stepped[name], weights) for name, weights in replayed.items())
