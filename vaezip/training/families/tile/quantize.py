"""From the trained float networks of a tile model to integers, and back."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.models.base import Model
from vaezip.models.layers import Conv, Dense, weighted_layers
from vaezip.models.likelihoods import OUTPUT_BOUND
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.training.networks.tile import TileVae
from vaezip.training.quantize import (
    LATENT_GRID,
    Grid,
    Precision,
    Rows,
    Tensors,
    coarse_grid,
    dequantize_network,
    drawn,
    network_tensors,
    plain_rows,
    posterior_rows,
)


@torch.no_grad()
def quantize(vae: TileVae, calibration: NDArray[np.uint8], precision: Precision) -> Tensors:
    """Make the integer tensors of a model file.

    Args:
        vae: trained.
        calibration: some hundred training images, uint8 (images, height, width, channels).
        precision: the bits to spend.
    """
    a = vae.architecture
    x = torch.from_numpy(calibration)
    mean, log_sigma = vae.posterior(x)
    tensors = network_tensors(
        vae.encoder,
        (x.float() - a.offset) * 2.0**-a.exponent,
        grid=Grid(a.exponent, max(a.offset, a.levels - 1 - a.offset)),
        precision=precision,
        rows=posterior_rows(a.latent[-1]),
        last_bound=d.POSTERIOR_MEAN_BOUND,
    )
    tensors |= network_tensors(
        vae.decoder,
        drawn(mean, log_sigma),
        grid=LATENT_GRID,
        precision=precision,
        rows=likelihood_rows(a),
        last_bound=OUTPUT_BOUND,
    )
    tensors["coarse"] = coarse_grid(log_sigma.flatten(1).numpy())
    return tensors


def dequantize(vae: TileVae, model: Model) -> None:
    """Give float networks the weights of a model file; what its units are clamped to is lost.

    Raises:
        ModelError: the sizes differ.
    """
    a = vae.architecture
    if model.architecture != a:
        raise ModelError(f"model '{model.name}' has networks of other sizes")
    dequantize_network(vae.encoder, model.tensors, before=a.exponent, rows=posterior_rows(a.latent[-1]))
    dequantize_network(vae.decoder, model.tensors, before=d.LATENT_BITS, rows=likelihood_rows(a))


def likelihood_rows(a: TileArchitecture) -> Rows:
    """Make the rows of a decoder's outputs, the parameters of the likelihood."""
    last = weighted_layers(a.decoder)[-1]
    assert isinstance(last, (Dense, Conv))
    if a.likelihood == "bernoulli":
        return plain_rows(np.full(last.outputs, d.LOGIT_BITS))
    exponents = [a.exponent + d.MEAN_BITS, d.LOG_SCALE_BITS, d.COEFFICIENT_BITS]
    offsets = [a.offset * 2.0**-a.exponent, a.exponent * math.log(2), 0.0]
    parameters = {"logistic": 2, "colour-logistic": 3}[a.likelihood]
    repeats = last.outputs // parameters
    return Rows(np.tile(exponents[:parameters], repeats), np.tile(offsets[:parameters], repeats))
