import numpy as np
import pytest
import torch

from vaezip.errors import ModelError
from vaezip.models import file as model_file
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.training.families.pixel.quantize import dequantize
from vaezip.training.families.pixel.stage import evaluate
from vaezip.training.families.pixel.tiles import tiles
from vaezip.training.networks.pixel import PixelVae

SIZES = {"hidden": 32, "blocks": 1, "head": 8, "mixture": 3, "latents": 4}


def rate(vae, pictures):
    return evaluate(vae, tiles(pictures, vae.architecture))[0]


def test_a_model_file_gives_its_float_networks_back(small_local):
    vae = PixelVae(small_local.model.architecture)
    dequantize(vae, small_local.model)
    x = small_local.images[:16]
    assert rate(vae, x) == pytest.approx(rate(small_local.vae, x), rel=0.01)


def test_a_regressed_model_can_start_from_one_that_is_not(local_models):
    """At first it makes nothing of its new inputs."""
    small = local_models["colour"]
    plain, regressed = PixelVae(small.model.architecture), PixelVae(pixel_architecture(3, regressed=True, **SIZES))
    for vae in (plain, regressed):
        dequantize(vae, small.model)
    x = small.images[:4]
    assert rate(regressed, x) == pytest.approx(rate(plain, x), rel=1e-4)
    with torch.no_grad():
        assert not regressed.first.weight[:, plain.first.in_features :].any()


def test_models_of_other_sizes_are_refused(local_models, shipped):
    vae = PixelVae(pixel_architecture(3, **SIZES | {"head": 16}))
    with pytest.raises(ModelError, match="networks of other sizes"):
        dequantize(vae, local_models["colour"].model)
    with pytest.raises(ModelError, match="networks of other sizes"):
        dequantize(PixelVae(pixel_architecture(3, **SIZES)), shipped)


def test_every_shipped_local_model_can_be_trained_on(shipped_local, discs):
    a = shipped_local.architecture
    vae = PixelVae(a)
    dequantize(vae, model_file.load(model_file.find(shipped_local.name)))
    x = discs(2, 64, 64, a.channels)
    assert np.isfinite(rate(vae, x))
