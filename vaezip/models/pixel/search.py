"""Choose how a pixel model codes pictures: with latents or adapting, in which orientation, by how many networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import NamedTuple

from vaezip.models.base import Coded, Pixels, Shape, seed_with
from vaezip.models.cost import DEFAULT, affordable
from vaezip.models.effort import NONE, Effort
from vaezip.models.pixel import adaptive, bitsback
from vaezip.models.pixel.constants import TILE
from vaezip.models.pixel.cost import adaptive_cost, latent_cost
from vaezip.models.pixel.least_squares import Frame, frame_with_predictions
from vaezip.models.pixel.model import LATENTS, PixelModel
from vaezip.models.pixel.orientation import TRANSPOSED, oriented_shape
from vaezip.models.pixel.settings import Adaptation
from vaezip.system import meter
from vaezip.system.threads import spread

_ORIENTATIONS = (0, 4, 1, 2, 3, 5, 6, 7)
"""Orientations in the order in which they are tried: rows for columns first, which differs most."""

_SMALL, _MIDDLE = 64, 96
"""Pixels to a side of a picture that is tried as a whole; and to a side of the middle of a large one, at least. Of 24
photographs of 384 pixels to a side, 96 told no less of the orientation than 144."""

FIXED = Adaptation(0, TILE)
"""Settings that leave the network as it is."""

_ALONE, _TOGETHER, _SLOW, _FAST = 56, 6, 28, 192
"""Rates for one picture and for many, and of two networks side by side."""


def chosen_settings(model: PixelModel, effort: Effort, pictures: int) -> Adaptation:
    """Choose how a pixel network adapts.

    Steps are shorter where it learns from many pictures, for what suits one must not undo what suits all; and where the
    least-squares predictor has learnt of a picture what is learnt soonest.
    """
    if not effort.steps:
        return FIXED
    settings = Adaptation(1, effort.rows, effort.thin, rate=_TOGETHER)
    if pictures > 1:
        return settings
    regressed = model.architecture.regressed
    if effort.networks > 1:
        return replace(settings, rate=_SLOW >> regressed, second_rate=_FAST >> regressed)
    return replace(settings, rate=_ALONE >> regressed)


class Form(NamedTuple):
    """A way to code pictures, one that is tried in its place, which may be the same, and the orientation of both."""

    codes: Callable[[Pixels], Coded]
    tried: Callable[[Pixels], Coded]
    orientation: int = 0


def _length(coded: Coded) -> int:
    return len(coded.data)


def _adapted(model: PixelModel, pictures: Pixels, effort: Effort, seed: int) -> Coded:
    """Return the shorter stream, with learning, where that is asked for, or without it."""
    orientations, upright = _orientations(*pictures.shape[1:3]), _Upright(model, pictures)

    def forms(effort: Effort, orientations: list[int]) -> list[Form]:
        settings = chosen_settings(model, effort, len(pictures))
        turned = [replace(settings, orientation=orientation) for orientation in orientations]
        return [_adapting(upright, s, seed) for s in turned if not s.passes or _affordable(model, s, pictures.shape)]

    def learning(orientations: list[int]) -> list[Form]:
        return forms(effort, orientations) or forms(replace(effort, networks=1), orientations)

    without = NONE if effort.steps else effort  # the greatest effort without steps, so that learning never costs bytes
    fixed, turns = forms(without, orientations[: without.turns]), orientations[: effort.turns]
    if pictures[0, ..., 0].size <= _SMALL * _SMALL:  # of which z tells much
        latents = partial(_with_latents, model, seed, 0)
        fixed.append(Form(latents, latents))
    if not effort.steps or not learning(turns):
        return _shortest(fixed, pictures, without.whole)
    part = _some(pictures)
    if part.size == pictures.size:
        return min((_shortest(kind, pictures, effort.whole) for kind in (fixed, learning(turns))), key=_length)
    with meter.part(_TRIAL_SHARE):
        still = _ranked(fixed, part)
        if effort.turns <= without.turns:  # what is best without learning is so with it
            best = [form.orientation for form, _ in still if form.orientation in turns]
            turns = next([turn] for turn in best if learning([turn]))
        learnt = _ranked(learning(turns), part)
    both = [[form for form, _ in learnt[: effort.whole]], [still[0][0]]]
    if _length(learnt[0][1]) * _LATER <= _length(still[0][1]) * (_LATER + 1):
        both.pop()

    def made(forms: list[Form]) -> Coded:
        with meter.part((1 - _TRIAL_SHARE) / len(both)):
            return _shortest(forms, pictures, len(forms))

    return min(spread(made, both), key=_length)


_TRIAL_SHARE = 0.2
"""Of the time, about so much goes to trials."""

_LATER = 400
"""Learning that takes one byte in so many more of a part, or less, is of use for the whole: what was learnt stays."""


def _affordable(model: PixelModel, settings: Adaptation, shape: Shape) -> bool:
    """Tell whether pictures coded by settings cost no more than a reader spends."""
    found = adaptive_cost(model.architecture, oriented_shape(shape, settings.orientation), settings)
    return DEFAULT.allows(found, shape[0] * shape[1] * shape[2])


class _Upright:
    """The frame of pictures as they lie, with predictions, which all forms share that code them so."""

    def __init__(self, model: PixelModel, pictures: Pixels) -> None:
        self.model, self._pictures = model, pictures
        self._frame: Frame | None = None
        self._lock = Lock()

    def frame(self, pictures: Pixels, settings: Adaptation) -> Frame | None:
        """Return it, made once, if it is that of these pictures in the orientation of the settings."""
        if pictures is not self._pictures or settings.orientation:
            return None
        with self._lock:
            if self._frame is None:
                self._frame = frame_with_predictions(self.model.architecture, pictures)
            return self._frame


def _adapting(upright: _Upright, settings: Adaptation, seed: int) -> Form:
    """Code by row groups, where one network is tried: it tells, in half of the time, in which orientation two take
    least."""
    codes = partial(_by_settings, upright, settings, seed)
    if not settings.second_rate:
        return Form(codes, codes, settings.orientation)
    alone = replace(settings, rate=_ALONE >> upright.model.architecture.regressed, second_rate=0)
    return Form(codes, partial(_by_settings, upright, alone, seed), settings.orientation)


def _by_settings(upright: _Upright, settings: Adaptation, seed: int, pictures: Pixels) -> Coded:
    frame, seed = upright.frame(pictures, settings), seed_with(seed, settings.steps)
    data = adaptive.encode(upright.model, pictures, settings, seed=seed, frame=frame)
    return Coded(settings.steps, data)


def _with_latents(model: PixelModel, seed: int, steps: int, pictures: Pixels) -> Coded:
    return Coded(steps, LATENTS + bitsback.encode(model, pictures, steps=steps, seed=seed_with(seed, steps)))


def _shortest(forms: list[Form], pictures: Pixels, whole: int) -> Coded:
    """Return the stream in the form of which the one tried in its place is shortest, among so many that are shortest
    for a part."""
    part = _some(pictures)
    if len(forms) > whole and part.size < pictures.size:
        trial = len(forms) * part.size
        with meter.part(trial / (trial + whole * pictures.size)):
            forms = [form for form, _ in _ranked(forms, part)[:whole]]
    if len(forms) == 1:
        return forms[0].codes(pictures)
    best, made = _ranked(forms, pictures)[0]
    return made if best.tried is best.codes else min(made, best.codes(pictures), key=_length)


def _ranked(forms: list[Form], pictures: Pixels) -> list[tuple[Form, Coded]]:
    """Return the forms with the streams by what is tried in their place, the shortest first."""

    def tried(form: Form) -> Coded:
        with meter.part(1 / len(forms)):
            return form.tried(pictures)

    made = spread(tried, forms)
    return sorted(zip(forms, made), key=lambda found: _length(found[1]))


def _orientations(height: int, width: int) -> list[int]:
    """List the orientations to try, in order; none in which a long picture would be narrow, for each row group takes a
    step."""
    least = min(TILE, max(height, width))
    return [orientation for orientation in _ORIENTATIONS if (height if orientation & TRANSPOSED else width) >= least]


def _some(pictures: Pixels) -> Pixels:
    """Return every seventh of many pictures, or the middle of one: a sixteenth of a large one, and a seventh of others,
    but for small sides."""
    if len(pictures) > 1:
        return pictures[::7]
    _, height, width, _ = pictures.shape
    top, left = (_margin(extent) for extent in (height, width))
    return pictures[:, top : height - top, left : width - left]


def _margin(extent: int) -> int:
    """Return how far the middle begins from the edge."""
    if extent <= _SMALL:
        return 0
    return max(extent * 5 // 16, min(extent * 3 // 8, (extent - _MIDDLE) // 2))


def encode(model: PixelModel, pictures: Pixels, *, effort: Effort, seed: int) -> Coded:
    """Code pictures of one size; see :class:`vaezip.models.base.Search`.

    Args:
        model: fits their channels, levels and size.
        pictures: uint8 (pictures, height, width, channels).
        effort: K, and the rows after which the pixel network learns; with none of these, K steps on the posteriors.
            Of few pixels, all lesser efforts are tried, too.
        seed: 32-bit checksum; that of the stack is :func:`vaezip.models.base.seed_with` of it.
    """
    efforts = effort.included(pictures.shape)

    def made(one: Effort) -> Coded:
        with meter.part(1 / len(efforts)):
            return _by_effort(model, pictures, one, seed)

    return min(spread(made, efforts), key=_length)


def _by_effort(model: PixelModel, pictures: Pixels, effort: Effort, seed: int) -> Coded:
    if effort.rows:
        return _adapted(model, pictures, effort, seed)
    shape = pictures.shape
    most = affordable(effort.steps, shape, partial(latent_cost, model.architecture, shape))
    steps = replace(effort, steps=most).numbers_of_steps(shape)
    return min(spread(lambda k: _with_latents(model, seed, k, pictures), steps), key=_length)


def bound_bits(model: PixelModel, pictures: Pixels, *, effort: Effort, draws: int = 1) -> float | None:
    """Return −ELBO of all pictures in bits, by the very intervals of the coder; None where the model adapts, for what
    a picture costs is then not the ELBO."""
    return None if effort.rows else bitsback.elbo_bits(model, pictures, steps=effort.steps, draws=draws)
