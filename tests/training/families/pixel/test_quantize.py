from dataclasses import replace

import numpy as np
import pytest
import torch

from vaezip.errors import ModelError
from vaezip.models import file as model_file
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.training.families.pixel.quantize import dequantize, quantize
from vaezip.training.families.pixel.stage import evaluate
from vaezip.training.families.pixel.tiles import tiles
from vaezip.training.networks.pixel import PixelVae
from vaezip.training.publish import bound_bits


def rate(vae, pictures):
    return evaluate(vae, tiles(pictures, vae.architecture))[0]


def test_a_model_file_gives_its_float_networks_back(small_local):
    """They cost what its integers cost."""
    x = small_local.images[:16, :32, :32]
    vae, model = small_local.vae, small_local.model  # the first is made from the second
    assert rate(vae, x) * x.size == pytest.approx(bound_bits(model, x), rel=0.01)


def test_little_is_lost(small_local):
    """Of weights that are on no grid."""
    vae, x = small_local.vae, small_local.images[:16, :32, :32]
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.mul_(0.997)
    frames = torch.from_numpy(frame_with_predictions(vae.architecture, x)).float()
    model = replace(small_local.model, tensors=quantize(vae, frames))
    assert bound_bits(model, x) == pytest.approx(rate(vae, x) * x.size, rel=0.01)


def test_a_regressed_model_can_start_from_one_that_is_not(local_models):
    """At first it makes nothing of its new inputs."""
    small = local_models["colour"]
    a = small.model.architecture
    plain, regressed = PixelVae(a), PixelVae(replace(a, regressed=True))
    for vae in (plain, regressed):
        dequantize(vae, small.model)
    x = small.images[:4]
    assert rate(regressed, x) == pytest.approx(rate(plain, x), rel=1e-4)
    with torch.no_grad():
        assert not regressed.first.weight[:, plain.first.in_features :].any()


def test_a_model_can_start_from_one_of_fewer_predictors(local_models):
    """At first it makes nothing of its new inputs, which stand between and behind the old ones."""
    small = local_models["regressed"]
    a = small.model.architecture
    one, several = PixelVae(a), PixelVae(replace(a, predictors=3))
    for vae in (one, several):
        dequantize(vae, small.model)
    x = small.images[:4]
    assert rate(several, x) == pytest.approx(rate(one, x), rel=1e-4)
    with pytest.raises(ModelError, match="networks of other sizes"):
        dequantize(one, local_models["predictors"].model)


def test_models_of_other_sizes_are_refused(local_models, shipped):
    model = local_models["colour"].model
    with pytest.raises(ModelError, match="networks of other sizes"):
        dequantize(PixelVae(replace(model.architecture, head=16)), model)
    with pytest.raises(ModelError, match="networks of other sizes"):
        dequantize(PixelVae(model.architecture), shipped)


def test_every_shipped_local_model_can_be_trained_on(shipped_local, discs):
    a = shipped_local.architecture
    vae = PixelVae(a)
    dequantize(vae, model_file.load(model_file.find(shipped_local.name)))
    x = discs(2, 64, 64, a.channels)
    assert np.isfinite(rate(vae, x))
