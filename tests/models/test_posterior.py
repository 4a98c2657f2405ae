import hashlib
import struct

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests import hostile_blocks
from vaezip.entropy import distributions as d
from vaezip.exact import backend
from vaezip.exact.elementwise import log
from vaezip.models import file as model_file
from vaezip.models.posterior import Refinement, Settings, amortized, gaussian_noise, latent_grid
from vaezip.models.tile import bitsback
from vaezip.models.tile.bitsback import Tiles

# What a device rounds correctly, whatever its kind, or does not round at all.
EXACT_OPERATIONS = {
    *("add", "sub", "rsub", "mul", "div", "sqrt", "floor", "round", "neg", "abs", "add_", "mul_", "mm", "bmm"),
    *("lt", "le", "gt", "ge", "eq", "ne", "bitwise_and", "logical_and", "where", "clamp", "clamp_min", "clamp_max"),
    *(
        "amax",
        "max",
        "minimum",
        "maximum",
        "searchsorted",
        "index_select",
        "take",
        "slice",
        "select",
        "cat",
        "stack",
        "permute",
        "t",
    ),
    *("view", "_unsafe_view", "reshape", "expand", "transpose", "unsqueeze", "squeeze", "clone", "copy_", "detach"),
    *("_to_copy", "lift_fresh", "lift_fresh_copy", "zeros", "ones_like", "zeros_like", "full_like", "full", "alias"),
    *("as_strided", "empty", "empty_like", "fill_", "zero_", "scalar_tensor", "unbind", "split", "_reshape_alias"),
}


class Watch(TorchDispatchMode):
    """Records operations that could round differently elsewhere."""

    def __init__(self):
        super().__init__()
        self.seen, self.bad = set(), set()

    def __torch_dispatch__(self, operation, types, arguments=(), keywords=None):
        name = operation.overloadpacket.__name__
        self.seen.add(name)
        if name not in EXACT_OPERATIONS:
            self.bad.add(name)
        if name == "div" and not (isinstance(arguments[1], torch.Tensor) and arguments[1].ndim):
            self.bad.add("division by a number, which CUDA turns into a product with its reciprocal")
        return operation(*arguments, **(keywords or {}))


def everything(images):
    return np.ones(images.shape[:3], bool)


def test_only_operations_that_every_device_rounds_alike(small):
    model = model_file.load(small.path, "torch")
    with Watch() as watch:
        model.posterior(small.images[:3], everything(small.images[:3]), 2)
        model.outputs(np.full((2, model.architecture.latents), d.LATENT_BINS // 2, np.int32))
    assert {"mm", "div", "sqrt"} <= watch.seen or {"bmm", "div", "sqrt"} <= watch.seen
    assert not watch.bad


def test_logarithm_uses_no_other_operations_either():
    b = backend("torch")
    with Watch() as watch:
        log(b, b.asarray([0.3, 5.0], "float64"))
    assert not watch.bad


@pytest.mark.parametrize("steps", [1, 3])
def test_backends_agree_bit_for_bit(small, steps):
    images = small.images[:24]
    found = [
        model_file.load(small.path, device).posterior(images, everything(images), steps) for device in ("cpu", "torch")
    ]
    assert (found[0][0] == found[1][0]).all()
    assert (found[0][1] == found[1][1]).all()


@pytest.mark.parametrize("steps", [0, 3])
def test_batches_and_chunks_do_not_matter(small, steps):
    model, images = small.model, small.images[:40]
    whole = np.stack(model.posterior(images, everything(images), steps))
    order = np.random.default_rng(0).permutation(40)
    assert (np.stack(model.posterior(images[order], everything(images), steps)) == whole[:, order]).all()
    for chunk in (1, 7):
        model.at_once = lambda steps=False, count=chunk: count
        assert (np.stack(model.posterior(images, everything(images), steps)) == whole).all()


def test_steps_change_the_posterior_within_its_grid(small):
    model, images = small.model, small.images[:30]
    start, end = (model.posterior(images, everything(images), k) for k in (0, 6))
    assert (start[0] != end[0]).mean() > 0.5
    assert (np.abs(end[0]) <= d.POSTERIOR_MEAN_BOUND).all()
    assert ((end[1] >= d.LOG_SIGMA_LOW) & (end[1] <= d.LOG_SIGMA_HIGH)).all()


def test_steps_raise_the_elbo_of_pictures_unlike_those_of_training(small, discs):
    a = small.architecture
    images = discs(60, *a.tile, a.channels, a.levels, seed=9)[:, ::-1].copy()
    bits = [bitsback.elbo_bits(small.model, Tiles(images, everything(images)), steps=k, draws=10) for k in (0, 4, 12)]
    assert bits[1] < bits[0]
    assert bits[2] < bits[0]


def test_steps_raise_the_elbo_of_shipped_models(shipped, dream):
    tiles = max(8, 60_000 // shipped.architecture.dims)
    images = dream(shipped, tiles)
    bits = [bitsback.elbo_bits(shipped, Tiles(images, everything(images)), steps=k) for k in (0, 3, 10)]
    assert bits[1] < bits[0]
    assert bits[2] < bits[0]


def test_masked_pixels_have_no_say(small):
    """A pixel that is not coded moves the start (the encoder sees it), but not the gradient."""
    model, images = small.model, small.images[:5].copy()
    mask = everything(images)
    mask[:, -2:] = False
    b = model.backend
    start = amortized(b, model.encoder(b.asarray(images.astype(np.int16) - model.architecture.offset, "float32")))

    def refined(x):
        weight = b.asarray(mask[..., None], "float64")
        refinement = Refinement(b, model.decoder, model.likelihood, model.architecture.latent, model.settings)
        return refinement.refine(b.asarray(x, "float64"), weight, start, steps=2)

    other = images.copy()
    other[:, -2:] = model.architecture.levels - 1 - other[:, -2:]
    assert (np.stack(refined(images)) == np.stack(refined(other))).all()


def test_amortized_splits_channels_and_clamps():
    output = np.array([[[1.0, 2.0, 9999.0, -9999.0], [3.0, 4.0, 5.0, 6.0]]])
    mean, log_sigma = amortized(backend(), output)
    assert mean.tolist() == [[1, 2, 3, 4]]
    assert log_sigma.tolist() == [[d.LOG_SIGMA_HIGH, d.LOG_SIGMA_LOW, 5, 6]]


def test_latent_grid():
    z = np.array([-100.0, -8.0, 0.0, 1 / 512, -1 / 512, 7.9999, 100.0])
    assert latent_grid(backend(), z).tolist() == [-2048, -2048, 0, 1, 0, 2047, 2047]


def test_noise_depends_on_step_and_position_alone():
    pinned = hashlib.sha256(b"".join(struct.pack("<9d", *gaussian_noise(step, 9)) for step in (0, 1, 2, 65535)))
    assert pinned.hexdigest()[:16] == "7ff049e9d3070a9e"
    assert (gaussian_noise(4, 1000)[:10] == gaussian_noise(4, 10)).all()


@pytest.mark.parametrize("weights", [9, 127])
@pytest.mark.parametrize("beta2", [0.0, 0.99, 1.0 - 2.0**-53])
def test_whatever_a_model_holds_the_steps_end_within_the_grids(weights, beta2):
    """With settings at their edges: noise as small, and rates as large, as can be, and Adam without a memory."""
    settings = {"noise": 2.0**-10, "mean_rate": 100.0, "sigma_rate": 100.0, "decay": 0.0, "beta2": beta2}
    data = hostile_blocks.model_bytes(hostile_blocks.TILE, settings, weights=weights)
    model = model_file.loads(data, "edges")
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 1)).astype(np.uint8)
    with np.errstate(all="raise", under="ignore"):
        means, log_sigmas = model.posterior(pixels, np.ones((4, 6, 5), bool), 40)
    assert abs(means).max() <= d.POSTERIOR_MEAN_BOUND
    assert d.LOG_SIGMA_LOW <= log_sigmas.min() <= log_sigmas.max() <= d.LOG_SIGMA_HIGH


@pytest.mark.parametrize("noise", [0.0, 1e-320, 2.0**-10 - 2.0**-60, float("nan"), float("inf"), 101.0])
def test_a_setting_out_of_range_is_refused(noise):
    with pytest.raises(ValueError, match=r"noise|from 0 to 100"):
        Settings(noise=noise)
