"""Compute what it costs to decode a block by a tile model: see section 11.5 of ``docs/format/limits.md``."""

from __future__ import annotations

import math
from typing import NamedTuple

from vaezip.models.base import Shape
from vaezip.models.cost import Cost, at_once
from vaezip.models.layers import Size, measured
from vaezip.models.tile.architecture import TileArchitecture

_ELEMENT = 64
"""Operations for an output of a layer, or a parameter of a likelihood, in a step; and for a sample that is decoded."""

_NUMBER = 8
"""Bytes of a number of a network at most."""

_ARRAYS = 24
"""Arrays of samples that the gradient of a likelihood holds at once."""

_PER_SAMPLE, _PER_LATENT = 4, 40
"""Bytes for each sample of whole tiles, and for each latent."""

_BESIDE = 1 << 20
"""Bytes for all else."""


class Sizes(NamedTuple):
    """The sizes of both networks of a model."""

    encoder: Size
    decoder: Size


def sizes(a: TileArchitecture) -> Sizes:
    """Measure the networks.

    Raises:
        ModelError: layers do not fit together, or are too large to be run.
    """
    return Sizes(measured(a.encoder, (*a.tile, a.channels)), measured(a.decoder, a.latent))


def tile_bytes(a: TileArchitecture, found: Sizes, *, steps: bool) -> int:
    """Bound the bytes that the networks take for one of the tiles that they see at once."""
    encoder, decoder = found
    parameters = math.prod(decoder.output)
    numbers = 3 * max(encoder.widest, decoder.widest) + 4 * a.dims + 4 * parameters
    if steps:
        numbers += 2 * decoder.values + _ARRAYS * a.dims + 2 * parameters
    return _NUMBER * numbers


def cost(a: TileArchitecture, shape: Shape, *, coarse: int, steps: int) -> Cost:
    """Compute what a chain costs.

    Args:
        a: the architecture.
        shape: (pictures, height, width, channels).
        coarse: tiles on the coarse grid.
        steps: K of Algorithm 2.
    """
    found = sizes(a)
    tiles = shape[0] * -(-shape[1] // a.tile[0]) * -(-shape[2] // a.tile[1])
    fine = max(0, tiles - coarse)
    a_step = 2 * found.decoder.products + _ELEMENT * (found.decoder.values + math.prod(found.decoder.output))
    a_tile = found.decoder.products + _ELEMENT * (a.dims + a.latents)
    work = tiles * a_tile + fine * (found.encoder.products + steps * a_step)
    each = tile_bytes(a, found, steps=steps > 0 and fine > 0)
    memory = _PER_SAMPLE * tiles * a.dims + _PER_LATENT * tiles * a.latents + each * min(tiles, at_once(each)) + _BESIDE
    return Cost(memory, work)
