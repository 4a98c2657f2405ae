"""A stage of training a tile model, and the rate by which it is judged."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vaezip.training.loop import Stage, summed
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import elbo


class TileStage(Stage):
    """A stage of a :class:`TileVae`, on arrays of tiles."""

    def figures(self, vae: TileVae, valid: NDArray[np.uint8]) -> dict[str, float]:
        """Measure what the log tells of an epoch; see :class:`Stage`."""
        return {"valid_bpd": evaluate(vae, valid)}


def evaluate(vae: TileVae, images: NDArray[np.uint8], *, batch: int = 500, seed: int = 0) -> float:
    """Estimate −ELBO in bits per dimension, averaged over the images, by one sample each."""
    (total,) = summed(vae, images, lambda x: [-elbo(vae, x.long())], batch=batch, seed=seed)
    return float(total) / len(images) / vae.architecture.dims / math.log(2)
