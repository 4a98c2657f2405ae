import dataclasses

import numpy as np
import pytest

from vaezip.errors import ModelError
from vaezip.exact import backend
from vaezip.models import file as model_file
from vaezip.models.layers import Dense, Flatten
from vaezip.models.posterior import Settings
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.model import TileModel


def remade(model, architecture=None, drop=(), **tensors):
    kept = {k: v for k, v in (dict(model.tensors) | tensors).items() if k not in drop}
    return TileModel("x", b"", architecture or model.architecture, model.settings, model.backend, kept)


def test_shapes(small):
    model, a = small.model, small.architecture
    x = small.images[:3]
    means, log_sigmas = model.posterior(x, np.ones(x.shape[:3], bool), 0)
    assert means.shape == log_sigmas.shape == (3, a.latents)
    assert means.dtype == log_sigmas.dtype == np.int32
    outputs = model.outputs(np.zeros((3, a.latents), np.int32))
    assert outputs.shape == (3, *a.tile, a.channels, model.likelihood.parameters)
    assert outputs.dtype == np.int32


def test_coder_has_the_masked_pixels_alone(small):
    model, a = small.model, small.architecture
    bins = np.full((2, a.latents), 2048, np.int32)
    mask = np.zeros((2, *a.tile), bool)
    mask[0, :2, :3] = mask[1, 5, 5] = True
    shape = (7, a.channels) if a.channels > 1 else (7,)
    some = model.coder(bins, mask).intervals(np.zeros(shape, np.uint8))
    every = model.coder(bins, np.ones_like(mask)).intervals(
        np.zeros((mask.size, *shape[1:]) if a.channels > 1 else mask.size, np.uint8)
    )
    assert (some[1] == every[1][mask.ravel()]).all()


def test_a_tensor_that_is_missing_is_named(small):
    for name in ("coarse", "decoder.out.shift" if "decoder.out.shift" in small.model.tensors else "decoder.0.shift"):
        with pytest.raises(ModelError, match=name):
            remade(small.model, drop=(name,))


@pytest.mark.parametrize(
    "coarse",
    [
        np.zeros(3, np.uint8),
        np.zeros((1, 4), np.uint8),
        np.full(4, 12, np.uint8),  # one bin alone: no interval has the frequency 2^precision
        np.full(4, 200, np.uint8),
        np.full(4, -1, np.int8),
        np.zeros(4, np.float32),
    ],
)
def test_a_coarse_grid_that_cannot_be_is_refused(small_models, coarse):
    with pytest.raises(ModelError, match="coarse"):
        remade(small_models["bernoulli"].model, coarse=coarse)


@pytest.mark.parametrize("layer", ["encoder.out", "decoder.out"])
def test_outputs_beyond_the_grids_of_the_coder_are_refused(small_models, layer):
    """They would overflow the 32 bits of a parameter, which every machine does in its own way."""
    model = small_models["logistic"].model
    clamp = np.array([-(1 << 40), 1 << 40], np.int64)
    with pytest.raises(ModelError):
        remade(model, **{f"{layer}.clamp": clamp})


@pytest.mark.parametrize(
    "change",
    [
        {"likelihood": "cauchy"},
        {"levels": 7},
        {"channels": 3},
        {"tile": (28, 27)},
        {"tile": (28,)},
        {"latent": (5,)},
        {"latent": (2, 2, 2)},
    ],
)
def test_an_architecture_at_odds_with_itself_is_refused(small_models, change):
    model = small_models["bernoulli"].model
    with pytest.raises(ModelError):
        remade(model, architecture=dataclasses.replace(model.architecture, **change))


def smallest(tile=(4, 4), latent=(2,), offset=0, exponent=0):
    """A model of two layers for black and white."""
    values, latents = tile[0] * tile[1], latent[0]
    encoder = (Flatten(), Dense("e", values, 2 * latents, False))
    decoder = (Dense("d", latents, values, False),)
    tensors = {"coarse": np.zeros(latents, np.uint8)}
    for layer in (encoder[1], *decoder):
        tensors[f"{layer.name}.weight"] = np.zeros((layer.outputs, layer.inputs), np.int8)
        tensors[f"{layer.name}.bias"] = np.zeros(layer.outputs, np.int8)
        tensors[f"{layer.name}.shift"] = np.ones(layer.outputs, np.uint8)
        tensors[f"{layer.name}.clamp"] = np.array([-5, 5])
    architecture = TileArchitecture(tile, 1, 2, False, "bernoulli", latent, offset, exponent, encoder, decoder)
    return TileModel("x", b"", architecture, Settings(), backend(), tensors)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("tile", [(1, 1), (4096, 1), (1, 4096)], [(4097, 1), (1, 4097)]),
        ("latent", [(1,), (4096,)], [(4097,)]),
        ("offset", [0, 1], [-1, 2]),
        ("exponent", [0, 8], [-1, 9]),
    ],
)
def test_sizes_up_to_the_ends_that_the_format_states(name, good, bad):
    for value in good:
        assert getattr(smallest(**{name: value}).architecture, name) == value
    for value in bad:
        with pytest.raises(ModelError, match="out of range"):
            smallest(**{name: value})


def test_layers_that_do_not_follow_each_other_are_refused(small_models):
    model = small_models["bernoulli"].model
    layers = model.architecture.decoder
    architecture = dataclasses.replace(model.architecture, decoder=(layers[0], layers[2], layers[1]))
    with pytest.raises(ModelError):
        remade(model, architecture=architecture)


def test_every_shipped_model_is_exact_in_float32_but_where_its_recipe_says_so(shipped):
    """float64 products are half as fast; few layers need them."""
    from vaezip.models.network import ResidualBlock
    from vaezip.training.recipes import RECIPES

    wide = RECIPES[shipped.name.removesuffix("-classic")].precision.wide

    for network in (shipped.encoder, shipped.decoder):
        for step in network.steps:
            for layer in (step.first, step.second) if isinstance(step, ResidualBlock) else (step,):
                layer = getattr(layer, "affine", layer)
                expected = "float64" if getattr(layer, "name", "") in wide else "float32"
                assert getattr(layer, "dtype", expected) == expected


def test_shipped_models_have_cards():
    for name, path in model_file.shipped().items():
        card = path.with_suffix(".md").read_text()
        assert name in card
        assert model_file.fingerprint(path).hex() in card
