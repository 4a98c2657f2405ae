"""The pixel network's forms against each other: float and matrix products."""

import dataclasses

import numpy as np
import pytest
import torch

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact import backend
from vaezip.models.likelihoods import LogisticMixture
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel import strips
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.pixel.constants import ACTIVATION_BOUND
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.network import layers
from vaezip.models.pixel.networks import _Decoder
from vaezip.models.posterior import Refinement
from vaezip.training.families.pixel.stage import losses


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def bins_of(model, tiles, seed=0):
    drawn = np.random.default_rng(seed).normal(0, 1 << d.LATENT_BITS, (tiles, model.architecture.latents))
    return np.clip(drawn + d.LATENT_BINS // 2, 0, d.LATENT_BINS - 1).astype(np.int32)


def _zero_tensors(a):
    tensors = {}
    for layer, shape in a.layer_shapes.items():
        tensors[f"{layer}.weight"] = np.zeros(shape, np.int16)
        tensors[f"{layer}.bias"] = np.zeros(shape[0], np.int32)
        tensors[f"{layer}.shift"] = np.ones(shape[0], np.uint8)
        tensors[f"{layer}.clamp"] = np.array((0, ACTIVATION_BOUND), np.int32)
    return tensors


@pytest.mark.parametrize("name", ["outer.0", "outer.1"])
def test_sums_of_a_block_are_bounded_by_what_its_units_can_be(name):
    """The last input of a block is a unit like any other, and no hint."""
    a = pixel_architecture(3, hidden=32, blocks=2, head=8, mixture=2, latents=3, predictors=1)
    tensors = _zero_tensors(a)
    tensors[f"{name}.weight"][0] = 1 << 14
    assert layers(a, tensors)
    tensors[f"{name}.weight"][0, -1] = (1 << 15) - 1
    with pytest.raises(ModelError, match=f"{name}: its sums can leave 32 bits"):
        layers(a, tensors)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("weight", np.iinfo(np.int64).min),
        ("bias", np.iinfo(np.int64).min),
        ("weight", np.uint64((1 << 64) - 1)),
        ("bias", np.uint64((1 << 64) - 1)),
    ],
)
def test_an_integer_whose_magnitude_overflows_is_refused(part, value):
    a = pixel_architecture(1, hidden=32, blocks=1, head=8, mixture=2, latents=3)
    tensors = _zero_tensors(a)
    assert layers(a, tensors)
    wrong = tensors[f"inner.0.{part}"].astype(np.asarray(value).dtype)
    wrong.flat[3] = value
    with pytest.raises(ModelError, match=r"inner\.0"):
        layers(a, tensors | {f"inner.0.{part}": wrong})


def test_torch_multiplies_the_same(small_local):
    ours, torchs = small_local.model, small_local.model
    torchs = dataclasses.replace(torchs, backend=backend("torch"))
    pictures = small_local.images[:3]
    for steps in (0, 2):
        for strip in strips.strips(pictures.shape):
            part = frame_with_predictions(ours.architecture, pictures)[strip.pictures]
            found = [pixel_bitsback.posterior(m, part, strip, steps=steps) for m in (ours, torchs)]
            assert np.array_equal(found[0], found[1])


def test_integers_cost_what_floats_cost(small_local):
    """−ELBO of the integer model within 1 % of the float model's."""
    model = small_local.model
    x = small_local.images[:16, :32, :32]
    frames = torch.from_numpy(frame_with_predictions(model.architecture, x)).float()
    torch.manual_seed(0)
    with torch.no_grad():
        mask = torch.ones(len(x), 32, 32)
        floats = np.mean([float(sum(losses(small_local.vae, frames, mask)).sum()) for _ in range(4)]) / np.log(2)
    assert pixel_bitsback.elbo_bits(model, x, steps=0) == pytest.approx(floats, rel=0.01)


def test_gradient_is_that_of_autograd_within_quantisation(small_local):
    model, b = small_local.model, small_local.model.backend
    a = model.architecture
    x = small_local.images[:8, :32, :32]
    frames = frame_with_predictions(a, x)
    bins = bins_of(model, 8)
    order = list(a.order)
    ordered = b.asarray(x[..., order].reshape(8, -1, a.channels), "float64")
    refinement = Refinement(b, _Decoder(model, frames), LogisticMixture(a.mixture), a.latent, model.settings)
    found = refinement.log_likelihood_gradient(
        ordered, np.ones((*ordered.shape[:2], 1)), b.asarray(bins - d.LATENT_BINS // 2, "float64")
    )
    z = torch.as_tensor((bins - d.LATENT_BINS // 2) / 2.0**d.LATENT_BITS, dtype=torch.float32).requires_grad_()
    small_local.vae.log_likelihood(torch.from_numpy(frames).float(), z).sum().backward()
    exact = z.grad.numpy()
    cosine = (found * exact).sum() / np.linalg.norm(found) / np.linalg.norm(exact)
    assert cosine > 0.97


def tampered(model, name, value):
    tensors = dict(model.tensors)
    tensors[name] = value(tensors[name]) if value else None
    if value is None:
        del tensors[name]
    return lambda: PixelModel("x", b"", model.architecture, model.settings, model.backend, tensors)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first.weight", None),
        ("first.weight", lambda t: t[:, :-1]),
        ("first.weight", lambda t: np.full(t.shape, 32767, np.int32) * 5),
        ("inner.0.weight", lambda t: np.full(t.shape, 32767, np.int16)),
        ("out.0.bias", lambda t: np.full(t.shape, 2**31 - 1, np.int64)),
        ("first.shift", lambda t: t * 0),
        ("first.shift", lambda t: t * 0 + 31),
        ("head.0.clamp", lambda t: t - 1),
        ("out.0.clamp", lambda t: t * 4),
        ("outer.0.weight", lambda t: t.astype(np.float32)),
        ("coarse", None),
        ("coarse", lambda t: t + 40),
    ],
)
def test_tensors_beyond_exactness_are_refused(small_local, name, value):
    with pytest.raises(ModelError):
        tampered(small_local.model, name, value)()
