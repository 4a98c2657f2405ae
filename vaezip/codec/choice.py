"""The encoder's choice: the candidates that are worth coding a block with, told by trials on some of its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from vaezip.codec import coders, forms, remaking
from vaezip.codec.blocks import Samples
from vaezip.codec.forms import CLEARLY
from vaezip.codec.jobs import BlockJob, Candidate, mark_of, name_of, prepared
from vaezip.codec.select import LEAST_DRAWN, MOST_DRAWN, bytes_of_neighbours, is_drawn, is_noise, trial_part, trial_rows
from vaezip.errors import VaezipError
from vaezip.models import kinds
from vaezip.models.bands import bands
from vaezip.models.effort import FEW_PIXELS
from vaezip.models.library import Reference
from vaezip.system.prices import ON_PARTS, priced
from vaezip.vz.records import Block, has_model

_MANY = 256
"""Of so many pictures or more the first tell, at the least effort, whether one way is best."""

_OF_NEIGHBOURS = 20
"""Of so many black and white pictures a model's form is kept without a look at that by the coder of drawn pictures,
five times as slow, unless it takes more by one byte in so many than the neighbours of pixels make."""

_OF_FEW, _PLAINLY = 4, 100
"""One patch of so many tells which model is best, where that takes less by one byte in so many. All patches, and the
whole, then told the same of each of 24 photographs."""

_OF_PATCHES = 10
"""Of chroma at half the resolution, patches take up to one byte in so many more than all, for what lies beyond their
edges is not known."""

_NEARLY, _NEARLY_DEEP = 100, 40
"""A trial of whole rows in which one way takes more by one byte in so many, or less, does not tell which is best; of
what the deep coder codes, which takes little time, by so many."""

_OF_RANKS = 100
"""Ranks in the place of samples of 16 bits save one byte in so many of a trial, or more; what they save of less they
may cost in the whole, which has more values than ranks of some rows tell."""

_LEVELS = 256
"""Of a sample of 8 bits."""

_OF_LEARNING = 10
"""What learns all from the picture takes up to one byte in so many more for patches than for all."""


def promising(job: BlockJob) -> list[Candidate]:
    """Return the candidates to code with: those of :func:`_promising`, and what the pictures are made of, if that is
    anything; where one takes clearly less on some of many pixels, that alone."""
    others = tuple(candidate for candidate in job.candidates if candidate != coders.REMADE)
    if coders.DEEP in others and job.samples.size > FEW_PIXELS and not job.open:
        return _promising_deep(job, others)
    if job.made_of is None:
        return _promising(replace(job, candidates=others))
    quick = [one for one in others if one in coders.CODERS and _promises(job, one)]
    if remaking.is_cut(job):
        return _promising_cut(job, others, quick)
    if not job.open and remaking.settles(job, drawn=bool(quick)):
        return [coders.REMADE, *quick]
    found, some = _promising(replace(job, candidates=others)), trial_part(job.samples)
    if not remaking.shows_on_parts(job):
        return [*found, coders.REMADE]
    if all(_is_quick(one) and one in quick for one in found):  # which do so well that values say nothing more
        return found
    if job.open or some.size == job.samples.size:
        return [*found, coders.REMADE]
    models = tuple(one for one in others if isinstance(one, Reference))
    references = tuple(one for one in models if one in found) or models
    trial = replace(job.on(some), candidates=references)
    plain, made = (_bytes_for(trial, candidate) for candidate in (found[0], coders.REMADE))
    if abs(plain - made) * CLEARLY <= plain:
        return [*found, coders.REMADE]
    return found if plain < made else [coders.REMADE, *(one for one in found if one in coders.CODERS)]


def _promising(job: BlockJob) -> list[Candidate]:
    """Return the candidates to code with: all, or of many pixels the model that is best on some of them, beside the
    coders that promise much. What codes any picture is among them where no model is, or all may be noise, or where a
    model has yet to prove worth embedding. No model is where a coder without one does very well, or settles it."""
    halved = (job.halved.model,) if job.halved else ()
    candidates = [candidate for candidate in (*halved, *job.candidates) if _promises(job, candidate)]
    quick = [candidate for candidate in candidates if not has_model(mark_of(candidate))]
    tried = [candidate for candidate in candidates if not _is_quick(candidate)]
    some, last = trial_part(job.samples), coders.of_any(job.mode)
    left = last in job.candidates and last not in candidates
    if left and (job.open or len(quick) == len(candidates) or is_noise(some)):
        candidates, tried = [*candidates, last], [*tried, last]
    if len(candidates) == 1 or not tried:
        return candidates
    has_models = len(quick) < len(candidates)
    if has_models and job.plain:
        return quick
    drawn = {candidate: _bytes_of_rows(job, candidate) for candidate in quick if _is_drawn(job, candidate)}
    if has_models and any(_suffices(job, length) for length in drawn.values()):
        return quick
    if some.size == job.samples.size:
        return candidates
    whole = [candidate for candidate in quick if coders.is_whole(mark_of(candidate))]
    if any(coders.settles(mark_of(candidate), job.samples, job.mode) for candidate in whole):
        return whole
    lengths = _lengths(job, some, tried)
    best = min(lengths, key=lambda candidate: lengths[candidate])
    found = {best: None, **dict.fromkeys(candidate for candidate in quick if candidate not in coders.LEARNING)}
    for candidate in lengths:
        if candidate in coders.CODERS and lengths[candidate] * _OF_LEARNING < lengths[best] * (_OF_LEARNING + 1):
            found[candidate] = None
    if job.halved and lengths[job.halved.model] * _OF_PATCHES < lengths[best] * (_OF_PATCHES + 1):
        found[job.halved.model] = None
    if job.open:
        found[last] = None
        return list(found)
    beaten = _beaten(job, best, drawn)
    return [candidate for candidate in found if candidate not in beaten]


def _lengths(job: BlockJob, some: Samples, tried: list[Candidate]) -> dict[Candidate, int]:
    """Return what candidates take for a part; or one alone, that needs no trial, or is a model and takes plainly less
    than other models for a few patches of a large picture, where nothing learns."""
    if len(tried) == 1:
        return {tried[0]: 0}
    trial = job.on(some)
    if len(job.samples) == 1 and not job.halved and all(isinstance(one, Reference) for one in tried):
        few = replace(trial, samples=some[::_OF_FEW], effort=replace(trial.effort, rows=0))
        lengths = {one: _bytes_for(few, one) for one in tried}
        best, second = sorted(lengths, key=lambda one: lengths[one])[:2]
        if (lengths[second] - lengths[best]) * _PLAINLY >= lengths[best]:
            return {best: lengths[best]}
    return {one: _bytes_for(trial, one) for one in tried}


def _promising_cut(job: BlockJob, others: tuple[Candidate, ...], quick: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates to code a drawn picture that has photographs in it with: its parts, beside the coders that
    promise to do well without a model; if drawings are not most of it, also what codes the whole. What promises on the
    drawing, too, though it depends on places, is by far the best for the whole: that was a JPEG."""
    left = replace(job, samples=remaking.without_pieces(job))
    if any(_promises(left, one) for one in quick if coders.is_whole(mark_of(one))):
        return _promising(replace(job, candidates=others))
    if coders.GRAPHIC in quick and not job.open:
        return [coders.REMADE, *quick]
    return [*_promising(replace(job, candidates=others)), coders.REMADE]


def _promising_deep(job: BlockJob, others: tuple[Candidate, ...]) -> list[Candidate]:
    """Return the candidates to code pictures of 16 bits with, or ranks in the place of them: the one that is best on
    some rows, and models and the deep coder where these are nearly as good. Of samples and ranks the trial decides."""
    if job.made_of is not None and remaking.settles(job, drawn=False):
        return [coders.REMADE]
    some, may_gain = bands(job.samples), remaking.may_gain(job)
    tried = [one for one in others if _may_code(job, one) and _promises(job, one)]
    made = [coders.REMADE] if job.made_of is not None and not remaking.shows_on_parts(job) else []
    if len(tried) == 1 and not may_gain:
        return [*tried, *made]
    trial = job.on(some)
    lengths: dict[Candidate, float] = {one: _bytes_for(trial, one) for one in tried}
    if may_gain:
        ranks, values = remaking.some_ranks(job, bands)
        length = _bytes_for(ranks, coders.DEEP) + values * some.size / job.samples.size
        if (lengths[coders.DEEP] - length) * _OF_RANKS >= lengths[coders.DEEP]:
            del lengths[coders.DEEP]
            lengths[coders.REMADE] = length
    best = min(lengths.values())
    nearly: dict[Candidate, int] = {coders.DEEP: _NEARLY_DEEP}
    return [one for one in lengths if (lengths[one] - best) * nearly.get(one, _NEARLY) <= best] + made


def _may_code(job: BlockJob, candidate: Candidate) -> bool:
    """Tell whether a candidate may code a job. Ranks are 0, 1, … without a gap; fewer than 256 of them were no JPEG,
    and to look for one takes longer than to code them."""
    if candidate != coders.JPEG_PIXELS:
        return True
    used = np.flatnonzero(np.bincount(job.samples.ravel()))
    return len(used) == _LEVELS or int(used[-1]) >= len(used)


def shortest(job: BlockJob, candidate: Candidate, checksum: int) -> bytes:
    """Return the shortest payload by a candidate, also if that codes what the pictures are made of."""
    if candidate == coders.REMADE:
        return remaking.encode(job, checksum, code=_coded_part)
    return forms.shortest(job, candidate, checksum)


def _coded_part(job: BlockJob, checksum: int) -> Block:
    """Code a part of pictures that are made of others, by the best candidate that a reader allows."""
    job = prepared(job)
    found = [(candidate, shortest(job, candidate, checksum)) for candidate in promising(job)]
    allowed = [Block(mark_of(candidate), data) for candidate, data in found if forms.is_allowed(job, candidate, data)]
    if not allowed:
        raise VaezipError("a part of the picture takes more than a reader spends on it", "other-model")
    return min(allowed, key=lambda block: len(block.payload))


def _promises(job: BlockJob, candidate: Candidate) -> bool:
    """Tell whether a candidate is worth a trial; models always are, but for the one of planes."""
    mark = mark_of(candidate)
    if candidate == job.planes:
        return job.origin is not None
    if candidate == coders.GRAPHIC and job.plain:
        return True
    return mark not in coders.CODERS or coders.by_mark(mark).promises(job.samples, job.mode)


def _is_quick(candidate: Candidate) -> bool:
    """Tell whether a candidate is a coder of whose worth a look tells, without a trial."""
    return candidate in coders.CODERS and candidate not in coders.LEARNING


def _is_drawn(job: BlockJob, candidate: Candidate) -> bool:
    """Tell whether a candidate is the coder of drawn pictures, and can be tried on some rows."""
    return candidate == coders.GRAPHIC and job.samples[..., 0].size >= LEAST_DRAWN


def _bytes_for(trial: BlockJob, candidate: Candidate) -> int:
    """Return what a candidate takes for a part of the samples."""
    with priced(ON_PARTS, name_of(candidate)) as price:
        price.bytes = len(shortest(trial, candidate, 0))
    return price.bytes


def _bytes_of_rows(job: BlockJob, candidate: Candidate) -> int:
    """Return what a candidate takes, or about that, for some rows, or for the first of many pictures."""
    rows = trial_rows(job.samples)
    if is_estimated(job, candidate):
        return round(bytes_of_neighbours(rows))
    return _bytes_for(replace(job, samples=rows, alpha=None), candidate)


def _suffices(job: BlockJob, length: int) -> bool:
    """Tell whether a coder without a model takes so little for some rows that no model takes less, of these or of the
    pictures that they are made of."""
    rows, bits = trial_rows(job.samples), 1 if kinds.levels(job.mode) == 2 else 8
    plain = bits == 8 and job.made_of is None
    return MOST_DRAWN * 8 * length < bits * rows.size or (plain and is_drawn(rows, length))


def _beaten(job: BlockJob, best: Candidate, drawn: Mapping[Candidate, int]) -> list[Candidate]:
    """Return the coders that a model beats on the first of many pictures, where all is to be coded but once; ``drawn``
    is what each takes for these. Of one that is estimated, each block tells."""
    rivals = [candidate for candidate in drawn if not is_estimated(job, candidate)]
    if not _goes_once(job) or not rivals:
        return []
    length = _bytes_of_rows(job, best)
    return [candidate for candidate in rivals if drawn[candidate] > length]


def _goes_once(job: BlockJob) -> bool:
    """Tell whether all is to be coded but once: many pictures, at the least effort."""
    return not job.effort.rows and len(job.samples) >= _MANY and not job.open


def is_estimated(job: BlockJob, candidate: Candidate) -> bool:
    """Tell whether the neighbours of pixels tell what a candidate takes: the coder of drawn pictures, for many that are
    black and white, where all is to be coded but once."""
    return candidate == coders.GRAPHIC and _goes_once(job) and kinds.levels(job.mode) == 2


def suffice(job: BlockJob, forms: Mapping[Candidate, Block]) -> bool:
    """Tell whether the shortest form takes no more, or little more, than the neighbours of pixels make."""
    length = min(len(block.payload) for block in forms.values())
    return length * _OF_NEIGHBOURS <= bytes_of_neighbours(job.samples) * (_OF_NEIGHBOURS + 1)
