import importlib.util
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError, VaezipError
from vaezip.exact import backend
from vaezip.exact.affine import EXACT_FLOAT32, EXACT_FLOAT64
from vaezip.models import file as model_file
from vaezip.models.layers import weighted_layers
from vaezip.models.likelihoods import OUTPUT_BOUND
from vaezip.models.network import IntegerNetwork
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.training.families.tile.quantize import dequantize, quantize
from vaezip.training.families.tile.stage import evaluate
from vaezip.training.networks.tile import TileVae
from vaezip.training.publish import bound_bits
from vaezip.training.quantize import Grid, Precision, _row, coarse_grid

ARCHITECTURES = {
    "bernoulli": mlp("bernoulli", 3, 16),
    "logistic": mlp("logistic", 3, 16),
    "colour": resnet(2, hidden=8, blocks=2, size=8),
}


def untrained(name, scale=1.0):
    torch.manual_seed(0)
    vae = TileVae(ARCHITECTURES[name])
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(scale)
    return vae


@pytest.mark.parametrize("scale", [1e-3, 1.0, 4.0])
@pytest.mark.parametrize("bits", [8, pytest.param(10, marks=pytest.mark.slow), 12])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_bounds_hold_by_construction(name, bits, scale, discs):
    """Whatever the weights: the integer network accepts them, and every number is in its range."""
    a = ARCHITECTURES[name]
    tensors = quantize(untrained(name, scale), discs(32, *a.tile, a.channels, a.levels), Precision(bits))
    pixel_bound = max(a.offset, a.levels - 1 - a.offset)
    encoder = IntegerNetwork(backend(), a.encoder, tensors=tensors, input_bound=pixel_bound)
    IntegerNetwork(backend(), a.decoder, tensors=tensors, input_bound=d.LATENT_BINS // 2)
    for layer in weighted_layers(a.encoder) + weighted_layers(a.decoder):
        assert np.abs(tensors[f"{layer.name}.weight"].astype(np.int64)).max() < 1 << 15
        assert tensors[f"{layer.name}.shift"].min() >= 1
        last = layer.name.endswith(".out")
        bound = (d.POSTERIOR_MEAN_BOUND if layer.name.startswith("encoder") else OUTPUT_BOUND) if last else None
        low, high = tensors[f"{layer.name}.clamp"]
        if layer.relu:
            assert low == 0
        if last:
            assert (low, high) == (-bound, bound)
        elif not layer.name.endswith("second"):
            assert high == (1 << bits) - 1
    assert encoder.steps
    assert tensors["coarse"].shape == (a.latents,)
    assert tensors["coarse"].dtype == np.uint8


def test_a_row_is_as_fine_as_its_bound_allows():
    rng = np.random.default_rng(0)
    before = Grid(7, 1023)
    for exact in (EXACT_FLOAT32, EXACT_FLOAT64):
        weight = rng.standard_normal(100) * 0.1
        integers, bias, shift = _row(weight, 0.3, before, 5, exact)
        total = before.bound * int(np.abs(integers).sum()) + abs(bias) + (1 << (shift - 1))
        assert total <= exact
        limited = np.abs(integers).max() >= 1 << 14 or 2 * total > 0.98 * exact
        assert limited
        unit = 2.0 ** -(shift - before.exponent + 5)
        np.testing.assert_allclose(integers * unit, weight, atol=unit / 2 * 1.001)
        assert bias * unit * 2.0**-before.exponent == pytest.approx(0.3, abs=unit * 2.0**-before.exponent)


def test_a_row_that_asks_for_more_than_float32_gets_float64():
    before = Grid(7, 1023)
    integers, bias, _ = _row(np.full(10, 0.5), 0.0, before, 21, EXACT_FLOAT32)
    assert before.bound * int(np.abs(integers).sum()) + abs(bias) > EXACT_FLOAT32


def test_coarse_grid_is_root_twelve_sigmas():
    log_sigma = np.log(np.array([[2.0**-3 / math.sqrt(12), 0.5 / math.sqrt(12), 1e-9, 1e9]] * 2, np.float32))
    assert coarse_grid(log_sigma).tolist() == [d.LATENT_BITS - 3, d.LATENT_BITS - 1, 0, d.LATENT_BINS.bit_length() - 2]


def test_little_is_lost(small):
    """Bits of the ELBO, integers against floats whose weights are on no grid. (For shipped models the loss is on
    their cards.)"""
    images, vae = small.images, small.vae
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(0.997)
    floating = np.mean([evaluate(vae, images, seed=s) for s in range(3)]) * images.size
    model = replace(small.model, tensors=quantize(vae, images, Precision(wide=("decoder.out",))))
    integer = bound_bits(model, images)
    assert integer == pytest.approx(floating, rel=0.03)


def test_quantising_is_reproducible(small):
    vae = small.vae
    tensors = [quantize(vae, small.images, Precision()) for _ in range(2)]
    for name in tensors[0]:
        assert np.array_equal(tensors[0][name], tensors[1][name])


def test_weights_that_fit_no_grid_are_refused_with_a_sentence(discs):
    with pytest.raises(VaezipError):
        quantize(untrained("bernoulli", 1e4), discs(32, 28, 28, 1, 2), Precision())


def test_a_model_file_gives_its_float_networks_back(small):
    """They cost what its integers cost."""
    images, vae = small.images, small.vae  # which is made from the model
    floating = np.mean([evaluate(vae, images, seed=s) for s in range(3)]) * images.size
    assert floating == pytest.approx(bound_bits(small.model, images), rel=0.03)


def test_models_of_other_sizes_are_refused(small_models):
    with pytest.raises(ModelError, match="networks of other sizes"):
        dequantize(TileVae(mlp("bernoulli", 3, 16)), small_models["bernoulli"].model)


def test_the_script_of_the_small_models_makes_them_and_leaves_those_that_exist(small_models, tmp_path):
    script = small_models["colour"].path.with_name("make_models.py")
    spec = importlib.util.spec_from_file_location(script.stem, script)
    make_models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_models)
    (tmp_path / "logistic.safetensors").write_bytes(b"precious")
    make_models.main(tmp_path, steps=1)
    assert (tmp_path / "logistic.safetensors").read_bytes() == b"precious"
    kept = {path.name: path for path in script.parent.glob("*.safetensors")}
    assert kept.keys() == {path.name for path in tmp_path.iterdir()}
    for name in kept.keys() - {"logistic.safetensors"}:
        assert model_file.load(tmp_path / name).architecture == model_file.load(kept[name]).architecture
