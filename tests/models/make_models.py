"""Writes the small models of the tests: ``python tests/models/make_models.py``.

They are trained in float, and so another machine would make others, whose rates differ: therefore the
integers that came of it once are kept, as NAME.safetensors beside this file, and no test trains a model and
asks for its rate. Of each the recipe is here: pictures that integers draw (``discs`` in ``tests/conftest.py``),
seeds, and a number of steps of Adam. Files that exist are never written again; to make one anew, remove it,
and run the tests that use it on more than one machine.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import torch

from vaezip.models import file as model_file
from vaezip.models.layers import Conv, Dense, Flatten, SpaceToDepth
from vaezip.models.pixel.architecture import RADIUS, PixelArchitecture, pixel_architecture
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.posterior import Settings
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.training.families.pixel.quantize import quantize as quantize_pixel
from vaezip.training.families.pixel.stage import losses
from vaezip.training.families.tile.quantize import quantize
from vaezip.training.networks.pixel import PixelVae
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import classic
from vaezip.training.quantize import Precision, Tensors

HERE = Path(__file__).parent

_spec = importlib.util.spec_from_file_location("conftest_of_all_tests", HERE.parent / "conftest.py")
conftest = sys.modules[_spec.name] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(conftest)

WIDTH = 8
"""Of the convolutions that read a tile, where a shipped model has 64: nine tenths of the weights are theirs."""


def narrow(channels: int, predictors: int = 0) -> PixelArchitecture:
    """A local-autoregressive architecture of a few thousand weights."""
    sizes = {"hidden": 32, "blocks": 1, "head": 8, "mixture": 3, "latents": 4}
    whole = pixel_architecture(channels, predictors=predictors, **sizes)
    return replace(
        whole,
        encoder=(
            SpaceToDepth(4),
            Conv("encoder.0", 16 * channels, WIDTH),
            SpaceToDepth(2),
            Conv("encoder.1", 4 * WIDTH, WIDTH),
            Flatten(),
            Dense("encoder.out", 16 * WIDTH, 2 * whole.latents, relu=False),
        ),
        style=(
            Dense("style.0", whole.latents, 2 * WIDTH),
            Dense("style.out", 2 * WIDTH, whole.style_offsets, relu=False),
        ),
    )


ARCHITECTURES: dict[str, TileArchitecture | PixelArchitecture] = {
    "bernoulli": mlp("bernoulli", latents=4, hidden=16),
    "logistic": mlp("logistic", latents=4, hidden=16),
    "colour": resnet(latent_channels=2, hidden=12, blocks=1, size=8),
    "local-grey": narrow(1),
    "local-colour": narrow(3),
    "local-regressed": narrow(3, predictors=1),
    "local-predictors": narrow(3, predictors=3),
}


def trained(a: TileArchitecture, steps: int) -> Tensors:
    """The integers of a model whose pixels are independent given z, trained on 256 pictures.

    Without the floor under p: these models start so far from their pictures that under it no gradient
    would lead there in so few steps.
    """
    torch.manual_seed(0)
    vae, images = TileVae(a), conftest.draw_discs(256, *a.tile, a.channels, a.levels)
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-2)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=steps)
    with mock.patch("vaezip.training.likelihoods.floored", lambda log_prob: log_prob):
        for step in range(steps):
            loss = classic(vae, torch.from_numpy(images[step % 8 :: 8]).long())
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(vae.parameters(), 2000.0)
            optimiser.step()
            falling.step()
    return quantize(vae, images, Precision(wide=("decoder.out",)))


def trained_locally(a: PixelArchitecture, steps: int) -> Tensors:
    """The integers of a local-autoregressive model, trained on 64 pictures."""
    torch.manual_seed(0)
    vae, images = PixelVae(a), conftest.draw_discs(64, 40, 40, a.channels)
    frames = torch.from_numpy(frame_with_predictions(a, images)).float()[:, : 32 + RADIUS, : 32 + 2 * RADIUS]
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-3)
    for step in range(steps):
        part = frames[step % 4 :: 4]
        nats, kl = losses(vae, part, torch.ones(part.shape[0], 32, 32))
        loss = (nats + kl).mean() / 1000
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return quantize_pixel(vae, frames)


def main(folder: Path = HERE, steps: int | None = None) -> None:
    """Write what is missing.

    Args:
        folder: to write to.
        steps: of Adam, where not as many as the models of the tests have had.
    """
    torch.set_num_threads(1)
    for name, a in ARCHITECTURES.items():
        path = folder / f"{name}.safetensors"
        if path.exists():
            print(f"{path.name}: exists, left alone", file=sys.stderr)
            continue
        tensors = trained_locally(a, steps or 200) if isinstance(a, PixelArchitecture) else trained(a, steps or 300)
        model_file.save(path, a, settings=Settings(), tensors=tensors, information={"made": "for tests"})


if __name__ == "__main__":
    main()
