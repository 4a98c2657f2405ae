"""Choose how a pixel model codes pictures: with latents or adapting, in which orientation, by how many networks.

The stream begins with 0 where z is coded, with the steps of the file on its posteriors; with 255 where it is coded
without them, because what was asked for would not pay; or else with the settings of
:mod:`vaezip.models.pixel.adaptive`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from vaezip.models.effort import Effort
from vaezip.models.pixel import adaptive, orientation
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.constants import TILE
from vaezip.models.pixel.model import AnyModel, PixelModel
from vaezip.models.pixel.settings import Adaptation
from vaezip.models.tile import bitsback
from vaezip.models.tile.model import Pixels
from vaezip.models.tiling import Tiling

_POSTERIORS, _NO_STEPS = b"\0", b"\xff"

_TURNS = (0, 4, 1, 2, 3, 5, 6, 7)
"""Orientations in the order in which they are tried: rows for columns first, which differs most."""

_SMALL = 64
"""Pixels to a side of a picture that is tried as a whole."""

STILL = Adaptation(0, TILE)
"""The network stays as it is."""

_ALONE, _TOGETHER, _SLOW, _FAST = 56, 6, 28, 192
"""Rates for one picture and for many, and of two networks side by side."""


def adapts(model: AnyModel | None, effort: Effort) -> bool:
    """Whether what codes a pixel depends on how those before were predicted."""
    return isinstance(model, PixelModel) and effort.rows > 0


def chosen_learning(model: PixelModel, effort: Effort, pictures: int) -> Adaptation:
    """How a pixel network learns, if it does.

    Steps are shorter where many pictures are learnt from, for what suits one must not undo what suits all; and where
    regression has learnt of a picture what is learnt soonest.
    """
    if not effort.steps:
        return STILL
    learning = Adaptation(1, effort.rows, effort.thin, rate=_TOGETHER)
    if pictures > 1:
        return learning
    regressed = model.architecture.regressed
    if effort.networks > 1:
        return replace(learning, rate=_SLOW >> regressed, second_rate=_FAST >> regressed)
    return replace(learning, rate=_ALONE >> regressed)


class Form(NamedTuple):
    """A way to code pictures, and one that is tried in its place, which may be the same."""

    codes: Callable[[Pixels], bytes]
    tried: Callable[[Pixels], bytes]


def _adapted(model: PixelModel, pictures: Pixels, effort: Effort, seed: int, threads: int) -> bytes:
    """The shorter stream, with learning, where that is asked for, or without it."""
    turns = _turns(*pictures.shape[1:3])[: effort.turns]

    def forms(effort: Effort) -> list[Form]:
        learning = chosen_learning(model, effort, len(pictures))
        return [_in_bands(model, replace(learning, orientation=turn), seed, threads) for turn in turns]

    still = forms(replace(effort, steps=0))[: 1 if effort.steps else None]
    if pictures[0, ..., 0].size <= _SMALL * _SMALL:  # of which z tells much
        latents = partial(_with_latents, model, seed, threads)
        still.append(Form(latents, latents))
    kinds = [still, forms(effort)] if effort.steps else [still]
    with ThreadPoolExecutor(threads) as pool:
        return min(pool.map(lambda kind: _shortest(kind, pictures, effort, threads), kinds), key=len)


def _in_bands(model: PixelModel, learning: Adaptation, seed: int, threads: int) -> Form:
    """By bands, where one network is tried: it tells, in half of the time, in which orientation two take least."""
    codes = partial(adaptive.encode, model, learning=learning, seed=seed, threads=threads)
    if not learning.second_rate:
        return Form(codes, codes)
    alone = replace(learning, rate=_ALONE >> model.architecture.regressed, second_rate=0)
    return Form(codes, partial(codes, learning=alone))


def _with_latents(model: PixelModel, seed: int, threads: int, pictures: Pixels) -> bytes:
    return _NO_STEPS + pixel_bitsback.encode(model, pictures, 0, seed, threads)


def _shortest(forms: list[Form], pictures: Pixels, effort: Effort, threads: int) -> bytes:
    """The stream in the form of which the one tried in its place is shortest, among those shortest for a part."""
    part = _some(pictures)
    with ThreadPoolExecutor(threads) as pool:
        if len(forms) > effort.whole and part.size < pictures.size:
            forms = [form for form, _ in _ranked(forms, part, pool)[: effort.whole]]
        if len(forms) == 1:
            return forms[0].codes(pictures)
        best, made = _ranked(forms, pictures, pool)[0]
    return made if best.tried is best.codes else min(made, best.codes(pictures), key=len)


def _ranked(forms: list[Form], pictures: Pixels, pool: ThreadPoolExecutor) -> list[tuple[Form, bytes]]:
    """The forms with the streams by what is tried in their place, the shortest first."""
    made = pool.map(lambda form: form.tried(pictures), forms)
    return sorted(zip(forms, made), key=lambda found: len(found[1]))


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
        effort: K, and the rows after which a pixel network learns; with none of these, K steps on the posteriors.
        seed: 32-bit checksum, found again by :func:`decode`.
        threads: for what a local model leaves to do side by side; the bytes are the same.
    """
    if isinstance(model, PixelModel):
        if effort.rows:
            return _adapted(model, pictures, effort, seed, threads)
        return _POSTERIORS + pixel_bitsback.encode(model, pictures, effort.steps, seed, threads)
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return bitsback.encode(model, tiling.split(pictures), tiling.mask, effort.steps, seed)


def decode(model: AnyModel, data: bytes, shape: tuple[int, int, int, int], steps: int) -> tuple[Pixels, int]:
    """Inverse of :func:`encode`: the pictures, and the seed that they were coded with.

    Raises:
        FormatError: the data is not what :func:`encode` made.
    """
    if isinstance(model, PixelModel):
        if data[:1] in (_POSTERIORS, _NO_STEPS):
            return pixel_bitsback.decode(model, data[1:], shape, steps * (data[:1] == _POSTERIORS))
        return adaptive.decode(model, data, shape, steps)
    tiling = Tiling(shape, model.architecture.tile)
    tiles, seed = bitsback.decode(model, data, tiling.mask, steps, tiling.fill)
    return tiling.join(tiles), seed


def elbo_bits(model: AnyModel, pictures: Pixels, effort: Effort, draws: int = 1) -> float:
    """−ELBO of all pictures in bits, by the very intervals of the coder.

    The bits from which z is drawn are pseudo-random, so this is what a chain would cost without
    headers, checksums and first tiles, and without adapting.

    Args:
        draws: of z, over which the mean is taken.
    """
    if isinstance(model, PixelModel):
        return pixel_bitsback.elbo_bits(model, pictures, 0 if effort.rows else effort.steps, draws)
    tiling = Tiling(pictures.shape, model.architecture.tile)
    return bitsback.elbo_bits(model, tiling.split(pictures), tiling.mask, effort.steps, draws)
