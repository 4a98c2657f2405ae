"""One chain of pictures of one size, by whichever model: :mod:`vaezip.bitsback` or :mod:`vaezip.raster`."""

from __future__ import annotations

from vaezip import bitsback, raster
from vaezip.local_model import AnyModel, LocalModel
from vaezip.model import Pixels
from vaezip.tiling import Tiling


def encode(model: AnyModel, pictures: Pixels, steps: int, seed: int) -> bytes:
    """Code pictures.

    Args:
        model: fits their channels, levels and size.
        pictures: uint8 (pictures, height, width, channels).
        steps: K of Algorithm 2; 0 is Algorithm 1.
        seed: 32-bit checksum, found again by :func:`decode`.
    """
    if isinstance(model, LocalModel):
        return raster.encode(model, pictures, steps, seed)
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return bitsback.encode(model, tiling.split(pictures), tiling.mask, steps, seed)


def decode(model: AnyModel, data: bytes, shape: tuple[int, int, int, int], steps: int) -> tuple[Pixels, int]:
    """Inverse of :func:`encode`: the pictures, and the seed that they were coded with.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    if isinstance(model, LocalModel):
        return raster.decode(model, data, shape, steps)
    tiling = Tiling(shape, model.architecture.tile)
    tiles, seed = bitsback.decode(model, data, tiling.mask, steps, tiling.fill)
    return tiling.join(tiles), seed


def elbo_bits(model: AnyModel, pictures: Pixels, steps: int) -> float:
    """−ELBO of all pictures in bits, by the very intervals of the coder, one sample of z a tile.

    The bits from which z is drawn are pseudo-random, so this is what a chain would cost without
    headers, checksums and first tiles.
    """
    if isinstance(model, LocalModel):
        return raster.elbo_bits(model, pictures, steps)
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return bitsback.elbo_bits(model, tiling.split(pictures), tiling.mask, steps)
