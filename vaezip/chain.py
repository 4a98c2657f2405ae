"""One chain of pictures of one size, by whichever model and way: :mod:`vaezip.bitsback`, :mod:`vaezip.raster`
or, where a pixel network learns, :mod:`vaezip.bands`.

With K > 0 a local model's stream begins with the rows of a band; or with 0 where nothing learns, and the
steps are the posteriors'; or with 255 where no step is taken at all, because learning would not pay.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from vaezip import bands, bitsback, orientation, raster
from vaezip.effort import Effort
from vaezip.local_model import AnyModel, LocalModel
from vaezip.model import Pixels
from vaezip.networks.local.architecture import TILE
from vaezip.networks.local.learning import Learning
from vaezip.tiling import Tiling

_NOTHING_LEARNS, _NO_STEPS = b"\0", b"\xff"

_TURNS = (0, 4, 1, 2, 3, 5, 6, 7)
"""Orientations in the order in which they are tried: rows for columns first, which differs most."""

_SMALL = 64
"""Pixels to a side of a picture that is tried as a whole."""


def learns(model: AnyModel | None, effort: Effort) -> bool:
    """Whether a pixel network will change while it codes."""
    return isinstance(model, LocalModel) and effort.steps > 0 and effort.learning > 0 and effort.rows > 0


def _learning(model: LocalModel, effort: Effort, pictures: int) -> Learning:
    """Steps are shorter the more there are; where many pictures are learnt from, for what suits one must not
    undo what suits all; and where regression has learnt of a picture what is learnt soonest."""
    k = effort.learning
    alone, together = (40, 6) if k < 2 else (24, 6) if k < 4 else (14, 4) if k < 8 else (8, 3)
    alone >>= model.architecture.regressed
    return Learning(k, effort.rows, effort.thin, rate=alone if pictures == 1 else together)


def _learnt(model: LocalModel, pictures: Pixels, effort: Effort, seed: int, threads: int) -> bytes:
    """The stream of pictures that are learnt from, in the orientation that suits them, or a part of them, best;
    or without learning, where that is smaller."""
    learning = _learning(model, effort, len(pictures))
    tried = [replace(learning, turn=turn) for turn in _turns(*pictures.shape[1:3])[: effort.turns]]
    some = pictures if effort.whole or len(tried) == 1 else _some(pictures)
    with ThreadPoolExecutor(threads) as pool:
        plain = pool.submit(raster.encode, model, pictures, 0, seed)
        made = list(pool.map(lambda one: bands.encode(model, some, one, seed, threads), tried))
        learnt = min(made, key=len)
        if some.size < pictures.size:
            learnt = bands.encode(model, pictures, tried[made.index(learnt)], seed, threads)
    return min(learnt, _NO_STEPS + plain.result(), key=len)


def _turns(height: int, width: int) -> list[int]:
    """Orientations to try, in order; none in which a long picture would be narrow: each band takes a step."""
    least = min(TILE, max(height, width))
    return [turn for turn in _TURNS if (height if turn & orientation.TRANSPOSED else width) >= least]


def _some(pictures: Pixels) -> Pixels:
    """About a seventh: every seventh of many pictures, or the middle of one."""
    if len(pictures) > 1:
        return pictures[::7]
    _, height, width, _ = pictures.shape
    top, left = (extent * 5 // 16 if extent > _SMALL else 0 for extent in (height, width))
    return pictures[:, top : height - top, left : width - left]


def encode(model: AnyModel, pictures: Pixels, effort: Effort, seed: int, threads: int = 1) -> bytes:
    """Code pictures.

    Args:
        model: fits their channels, levels and size.
        pictures: uint8 (pictures, height, width, channels).
        effort: K, and the rows after which a pixel network learns.
        seed: 32-bit checksum, found again by :func:`decode`.
        threads: for what a local model leaves to do side by side; the bytes are the same.
    """
    if isinstance(model, LocalModel):
        if learns(model, effort):
            return _learnt(model, pictures, effort, seed, threads)
        return _NOTHING_LEARNS * bool(effort.steps) + raster.encode(model, pictures, effort.steps, seed, threads)
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return bitsback.encode(model, tiling.split(pictures), tiling.mask, effort.steps, seed)


def decode(model: AnyModel, data: bytes, shape: tuple[int, int, int, int], steps: int) -> tuple[Pixels, int]:
    """Inverse of :func:`encode`: the pictures, and the seed that they were coded with.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    if isinstance(model, LocalModel):
        if not steps:
            return raster.decode(model, data, shape, 0)
        if data[:1] in (_NOTHING_LEARNS, _NO_STEPS):
            return raster.decode(model, data[1:], shape, steps * (data[:1] == _NOTHING_LEARNS))
        return bands.decode(model, data, shape)
    tiling = Tiling(shape, model.architecture.tile)
    tiles, seed = bitsback.decode(model, data, tiling.mask, steps, tiling.fill)
    return tiling.join(tiles), seed


def elbo_bits(model: AnyModel, pictures: Pixels, effort: Effort, draws: int = 1) -> float:
    """−ELBO of all pictures in bits, by the very intervals of the coder.

    The bits from which z is drawn are pseudo-random, so this is what a chain would cost without
    headers, checksums and first tiles.

    Args:
        draws: of z, over which the mean is taken; what learns has no z.
    """
    if isinstance(model, LocalModel):
        if learns(model, effort):
            return bands.bits(model, pictures, _learning(model, effort, len(pictures)))
        return raster.elbo_bits(model, pictures, effort.steps, draws)
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return bitsback.elbo_bits(model, tiling.split(pictures), tiling.mask, effort.steps, draws)
