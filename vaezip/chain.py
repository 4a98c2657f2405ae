"""One chain of pictures of one size, by whichever model and way: :mod:`vaezip.bitsback`, :mod:`vaezip.raster`
or, where a pixel network learns, :mod:`vaezip.bands`.

With K > 0 a local model's stream begins with the rows of a band: 0 where nothing learns, and the steps are
the posteriors'.
"""

from __future__ import annotations

from vaezip import bands, bitsback, raster
from vaezip.effort import Effort
from vaezip.local_model import AnyModel, LocalModel
from vaezip.model import Pixels
from vaezip.networks.local.learning import Learning
from vaezip.tiling import Tiling

_NOTHING_LEARNS = b"\0"


def learns(model: AnyModel | None, effort: Effort) -> bool:
    """Whether a pixel network will change while it codes."""
    return isinstance(model, LocalModel) and effort.steps > 0 and effort.rows > 0


def _learning(effort: Effort, pictures: int) -> Learning:
    """Steps are shorter the more there are, and where many pictures are learnt from: what suits one must not
    undo what suits all."""
    k = effort.steps
    alone, together = (40, 6) if k < 2 else (24, 6) if k < 4 else (14, 4) if k < 8 else (8, 3)
    return Learning(k, effort.rows, effort.thin, rate=alone if pictures == 1 else together)


def encode(model: AnyModel, pictures: Pixels, effort: Effort, seed: int) -> bytes:
    """Code pictures.

    Args:
        model: fits their channels, levels and size.
        pictures: uint8 (pictures, height, width, channels).
        effort: K, and the rows after which a pixel network learns.
        seed: 32-bit checksum, found again by :func:`decode`.
    """
    if isinstance(model, LocalModel):
        if learns(model, effort):
            return bands.encode(model, pictures, _learning(effort, len(pictures)), seed)
        return _NOTHING_LEARNS * bool(effort.steps) + raster.encode(model, pictures, effort.steps, seed)
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return bitsback.encode(model, tiling.split(pictures), tiling.mask, effort.steps, seed)


def decode(model: AnyModel, data: bytes, shape: tuple[int, int, int, int], steps: int) -> tuple[Pixels, int]:
    """Inverse of :func:`encode`: the pictures, and the seed that they were coded with.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    if isinstance(model, LocalModel):
        if steps and data[:1] != _NOTHING_LEARNS:
            return bands.decode(model, data, shape, steps)
        return raster.decode(model, data[bool(steps) :], shape, steps)
    tiling = Tiling(shape, model.architecture.tile)
    tiles, seed = bitsback.decode(model, data, tiling.mask, steps, tiling.fill)
    return tiling.join(tiles), seed


def elbo_bits(model: AnyModel, pictures: Pixels, effort: Effort) -> float:
    """−ELBO of all pictures in bits, by the very intervals of the coder, one sample of z a tile.

    The bits from which z is drawn are pseudo-random, so this is what a chain would cost without
    headers, checksums and first tiles. Where the pixel network learns, z is chosen as the coder does.
    """
    if isinstance(model, LocalModel):
        if learns(model, effort):
            return bands.bits(model, pictures, _learning(effort, len(pictures)))
        return raster.elbo_bits(model, pictures, effort.steps)
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return bitsback.elbo_bits(model, tiling.split(pictures), tiling.mask, effort.steps)
