"""The encoder's job: code a block, a pure function of what can be pickled.

So any executor may do it: threads, processes, or other machines. The bytes are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vaezip.codec import coders, payload, remaking
from vaezip.codec.blocks import Samples, samples_checksum
from vaezip.codec.halved import Halved, find_halved
from vaezip.codec.select import LEAST_DRAWN, MOST_DRAWN, bytes_of_neighbours, is_drawn, is_noise, trial_part, trial_rows
from vaezip.errors import VaezipError
from vaezip.models import kinds
from vaezip.models.bands import bands
from vaezip.models.cost import DEFAULT as BUDGET
from vaezip.models.cost import UNLIMITED, Budget
from vaezip.models.effort import FEW_PIXELS
from vaezip.models.library import Library, Reference
from vaezip.origins import halving, inverse, search
from vaezip.pictures.jpeg.parts import UnfitJpeg
from vaezip.system import meter
from vaezip.system.prices import CHECK, ON_ALL, ON_PARTS, ORIGINS, priced
from vaezip.system.spans import timed
from vaezip.system.threads import spread
from vaezip.vz.records import Block, has_model

if TYPE_CHECKING:
    from vaezip.models.base import Model
    from vaezip.models.effort import Effort
    from vaezip.origins.inverse import Found

_COLOURS, _NO_LIMIT = 3, 1 << 62

_CLEARLY = 50
"""A trial in which one way takes less by one byte of so many tells which is best; of less, all is coded both ways."""

_OF_FEW, _PLAINLY = 4, 100
"""One patch of so many tells which model is best where it takes less by one byte in so many: of 24 photographs none of
which the best of all patches, or of the whole, was another."""

_MANY = 256
"""Of so many pictures or more the first tell, at the least effort, whether one way is best."""

_OF_NEIGHBOURS = 20
"""Of so many black and white pictures a model's form is kept without a look at that by the coder of drawn pictures,
five times as slow, unless it takes more by one byte in so many than the neighbours of pixels make."""

_OF_PATCHES = 10
"""Of chroma at half the resolution, patches take up to one byte in so many more than all, for what lies beyond their
edges is not known."""

_NEARLY, _NEARLY_DEEP = 100, 40
"""A trial of whole rows in which one way takes more by one byte in so many, or less, does not tell which is best; of
samples and ranks that the deep coder codes, which takes little time, by so many."""

_OF_LEARNING = 10
"""What learns all from the picture takes up to one byte in so many more for patches than for all."""

_MOST_UNEXPLAINED = 2
"""One pixel of so many may be unexplained."""

CHOICE = 0.15
"""Of the time that a block takes, about so much goes to the choice of candidates; what is left goes to encoding by each
and to decoding again, in equal parts."""

Candidate = Reference | bytes
"""A model, or the mark of a coder without one."""


def mark_of(candidate: Candidate) -> bytes:
    """Return what a block by a candidate has in the place of a fingerprint."""
    return candidate.fingerprint if isinstance(candidate, Reference) else candidate


def _name(candidate: Candidate) -> str:
    return candidate.path.stem if isinstance(candidate, Reference) else coders.name_of(candidate)


@dataclass(frozen=True)
class BlockJob:
    """All that decides the bytes of a block.

    Attributes:
        mode: of the samples.
        samples: (pictures, height, width, channels).
        candidates: models to try, and the marks of coders without one.
        alpha: model of grey to try for alpha.
        library: opens the model files.
        effort: what is done for fewer bytes.
        verify: whether the block is decoded again and compared.
        open: whether only the whole file tells which models are worth it: then every form is kept.
        before: CRC-32 of the bytes that the block's checksum covers, too.
        origin: a map that its colours may have gone through; see :func:`prepared`.
        halved: how their chroma may have been at half the resolution, and the model that codes it then.
        made_of: the kind of other pictures that its pictures are made of, likewise.
        planes: the model that is tried on the planes that colours were before, and on nothing else, if there is one.
        budget, memory: bytes that jobs may take together, and that a thread takes for this one.
    """

    mode: str
    samples: Samples
    candidates: tuple[Candidate, ...]
    alpha: Reference | None
    library: Library
    effort: Effort
    verify: bool = True
    open: bool = False
    before: int = 0
    origin: search.Candidate | None = None
    halved: Halved | None = None
    made_of: int | None = None
    planes: Reference | None = None
    budget: Budget = UNLIMITED
    memory: int = 0


@timed("origins")
def prepared(job: BlockJob) -> BlockJob:
    """Return a job that knows what its colours were before, if a model may code them and they were anything, and what
    its pictures are made of, if that is anything."""
    if coders.REMADE in job.candidates:
        job = replace(job, made_of=remaking.kind_of(job.samples, job.mode))
    if not payload.takes_origin(job.mode) or not any(isinstance(one, Reference) for one in job.candidates):
        return job
    with priced(ORIGINS, ORIGINS):
        origin = search.find(job.samples[..., :_COLOURS])
        halved = find_halved(job, origin) if origin else None
    return replace(job, origin=origin, halved=halved)


def encode(job: BlockJob) -> list[Block]:
    """Code a block by the best candidate, or by all where the job is open.

    Raises:
        VaezipError: what was coded does not decode to itself.
    """
    with meter.part(job.samples.size):
        with meter.part(CHOICE):
            job = prepared(job)
            candidates = promising(job)
        share = (1 - CHOICE) / (len(candidates) + 1)
        forms: dict[Candidate, Block] = {}
        for candidate in candidates:
            with meter.part(share):
                if not (forms and _is_estimated(job, candidate) and _suits(job, forms)):
                    forms[candidate] = form(job, candidate)
        best = min(forms, key=lambda candidate: len(forms[candidate].payload))
        kept = forms if job.open else {best: forms[best]}
        with meter.part(share):
            for candidate, block in kept.items():
                check(job, candidate, block)
    return list(kept.values())


def keeps_models(job: BlockJob) -> bool:
    """Tell whether pictures are coded by the models of those before them in a set, without another trial: many that are
    black and white, where all is to be coded but once, for the neighbours of pixels tell where a model does badly."""
    return _is_estimated(job, coders.GRAPHIC)


def by_models_of(job: BlockJob, blocks: Iterable[Block]) -> BlockJob:
    """Return a job that tries no models but those of some blocks, if these have any, beside the coders without one."""
    used = {block.model for block in blocks if has_model(block.model)}
    kept = tuple(one for one in job.candidates if mark_of(one) in used or isinstance(one, bytes))
    return replace(job, candidates=kept) if used else job


def encode_run(job: BlockJob, pictures: int) -> list[list[Block]]:
    """Code pictures in blocks of so many; models that take clearly more on some of all are tried for no block.

    Raises:
        VaezipError: what was coded does not decode to itself.
    """
    if len(job.samples) <= pictures:
        return [encode(job)]
    found = promising(prepared(job))
    # what all are made of, some of them may not be made of
    if found != [coders.REMADE] and all(one in job.candidates for one in found):
        job = replace(job, candidates=tuple(one for one in job.candidates if one in found))
    starts = range(0, len(job.samples), pictures)
    return spread(encode, [replace(job, samples=job.samples[i : i + pictures]) for i in starts])


def promising(job: BlockJob) -> list[Candidate]:
    """Return the candidates to code with: those of :func:`_promising`, and what the pictures are made of, if that is
    anything; where one takes clearly less on some of many pixels, that alone."""
    others = tuple(candidate for candidate in job.candidates if candidate != coders.REMADE)
    if coders.DEEP in others and job.samples.size > FEW_PIXELS and not job.open:
        return _promising_deep(job, others)
    if job.made_of is None:
        return _promising(replace(job, candidates=others))
    quick = [one for one in others if one in coders.CODERS and _promises(job, one)]
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
    trial = replace(job, samples=some, alpha=None, effort=replace(job.effort, steps=0), candidates=references)
    plain, made = (_bytes_for(trial, candidate) for candidate in (found[0], coders.REMADE))
    if abs(plain - made) * _CLEARLY <= plain:
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
    drawn = {candidate: _bytes_of_rows(job, candidate) for candidate in quick if _is_drawn(job, candidate)}
    if len(quick) < len(candidates) and any(_suffices(job, length) for length in drawn.values()):
        return quick
    if some.size == job.samples.size:
        return candidates
    whole = [candidate for candidate in quick if coders.is_whole(mark_of(candidate))]
    if any(coders.settles(mark_of(candidate), job.samples, job.mode) for candidate in whole):
        return whole
    trial = replace(job, samples=some, alpha=None, effort=replace(job.effort, steps=0))
    lengths = _lengths(job, trial, tried)
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


def _lengths(job: BlockJob, trial: BlockJob, tried: list[Candidate]) -> dict[Candidate, int]:
    """Return what candidates take for a part; or one alone, that needs no trial, or is a model and takes plainly less
    than other models for a few patches of a large picture, where nothing learns."""
    if len(tried) == 1:
        return {tried[0]: 0}
    if len(job.samples) == 1 and not job.halved and all(isinstance(one, Reference) for one in tried):
        few = replace(trial, samples=trial.samples[::_OF_FEW], effort=replace(trial.effort, rows=0))
        lengths = {one: _bytes_for(few, one) for one in tried}
        best, second = sorted(lengths, key=lambda one: lengths[one])[:2]
        if (lengths[second] - lengths[best]) * _PLAINLY >= lengths[best]:
            return {best: lengths[best]}
    return {one: _bytes_for(trial, one) for one in tried}


def _promising_deep(job: BlockJob, others: tuple[Candidate, ...]) -> list[Candidate]:
    """Return the candidates to code pictures of 16 bits with, or ranks in the place of them: the one that is best on
    some rows, and those that are nearly as good."""
    if job.made_of is not None and remaking.settles(job, drawn=False):
        return [coders.REMADE]
    some, may_gain = bands(job.samples), remaking.may_gain(job)
    tried = [one for one in others if _promises(job, one)]
    made = [coders.REMADE] if job.made_of is not None and not remaking.shows_on_parts(job) else []
    if len(tried) == 1 and not may_gain:
        return [*tried, *made]
    trial = replace(job, samples=some, alpha=None, effort=replace(job.effort, steps=0))
    lengths: dict[Candidate, float] = {one: _bytes_for(trial, one) for one in tried}
    if may_gain:
        ranks, values = remaking.some_ranks(job, bands)
        lengths[coders.REMADE] = _bytes_for(ranks, coders.DEEP) + values * some.size / job.samples.size
    best = min(lengths.values())
    nearly: dict[Candidate, int] = {coders.DEEP: _NEARLY_DEEP, coders.REMADE: _NEARLY_DEEP}
    return [one for one in lengths if (lengths[one] - best) * nearly.get(one, _NEARLY) <= best] + made


def _is_quick(candidate: Candidate) -> bool:
    """Tell whether a candidate is a coder of whose worth a look tells, without a trial."""
    return candidate in coders.CODERS and candidate not in coders.LEARNING


def _is_drawn(job: BlockJob, candidate: Candidate) -> bool:
    """Tell whether a candidate is the coder of drawn pictures, and can be tried on some rows."""
    return candidate == coders.GRAPHIC and job.samples[..., 0].size >= LEAST_DRAWN


def _bytes_for(trial: BlockJob, candidate: Candidate) -> int:
    """Return what a candidate takes for a part of the samples."""
    with priced(ON_PARTS, _name(candidate)) as price:
        price.bytes = len(_payload(trial, candidate, 0))
    return price.bytes


def _bytes_of_rows(job: BlockJob, candidate: Candidate) -> int:
    """Return what a candidate takes, or about that, for some rows, or for the first of many pictures."""
    rows = trial_rows(job.samples)
    if _is_estimated(job, candidate):
        return round(bytes_of_neighbours(rows))
    return _bytes_for(replace(job, samples=rows, alpha=None), candidate)


def _suffices(job: BlockJob, length: int) -> bool:
    """Tell whether a coder without a model takes so little for some rows that no model takes less, of these or of the
    pictures that they are made of."""
    rows, bits = trial_rows(job.samples), 1 if kinds.levels(job.mode) == 2 else 8
    plain = bits == 8 and job.made_of is None
    return MOST_DRAWN * 8 * length < bits * rows.size or (plain and is_drawn(rows, length))


def _goes_once(job: BlockJob) -> bool:
    """Tell whether all is to be coded but once: many pictures, at the least effort."""
    return not job.effort.rows and len(job.samples) >= _MANY and not job.open


def _is_estimated(job: BlockJob, candidate: Candidate) -> bool:
    """Tell whether the neighbours of pixels tell what a candidate takes: the coder of drawn pictures, for many that are
    black and white, where all is to be coded but once."""
    return candidate == coders.GRAPHIC and _goes_once(job) and kinds.levels(job.mode) == 2


def _suits(job: BlockJob, forms: Mapping[Candidate, Block]) -> bool:
    """Tell whether the shortest form takes no more, or little more, than the neighbours of pixels make."""
    length = min(len(block.payload) for block in forms.values())
    return length * _OF_NEIGHBOURS <= bytes_of_neighbours(job.samples) * (_OF_NEIGHBOURS + 1)


def _beaten(job: BlockJob, best: Candidate, drawn: Mapping[Candidate, int]) -> list[Candidate]:
    """Return the coders that a model beats on the first of many pictures, where all is to be coded but once; ``drawn``
    is what each takes for these. Of one that is estimated, each block tells."""
    rivals = [candidate for candidate in drawn if not _is_estimated(job, candidate)]
    if not _goes_once(job) or not rivals:
        return []
    length = _bytes_of_rows(job, best)
    return [candidate for candidate in rivals if drawn[candidate] > length]


def _promises(job: BlockJob, candidate: Candidate) -> bool:
    """Tell whether a candidate is worth a trial; models always are, but for the one of planes."""
    mark = mark_of(candidate)
    if candidate == job.planes:
        return job.origin is not None
    return mark not in coders.CODERS or coders.by_mark(mark).promises(job.samples, job.mode)


def code(job: BlockJob, candidate: Candidate) -> Block:
    """Code a block by one candidate, and check it.

    Raises:
        VaezipError: see :func:`form` and :func:`check`.
        UnfitJpeg: likewise.
    """
    block = form(job, candidate)
    check(job, candidate, block)
    return block


def form(job: BlockJob, candidate: Candidate) -> Block:
    """Return the form that a block takes by one candidate; if it is kept, it is to be checked.

    Raises:
        VaezipError: to decode it would take more than a reader spends.
        UnfitJpeg: a JPEG file cannot be made again from its coefficients, or that would take more.
    """
    with priced(ON_ALL, _name(candidate)) as price:
        data = _payload(job, candidate, samples_checksum(job.samples, job.before))
        price.bytes = len(data)
    if not _is_allowed(job, candidate, data):
        if job.mode == kinds.JPEG:
            raise UnfitJpeg("takes more than a reader spends on it")
        model = _model(job, candidate)
        name = f"model '{model.name}'" if model else _name(candidate)
        raise VaezipError(f"{name} takes more for such pictures than a reader spends on them", "other-model")
    return Block(mark_of(candidate), data)


def check(job: BlockJob, candidate: Candidate, block: Block) -> None:
    """Decode a block by a candidate again and compare, if the job asks for that.

    Raises:
        VaezipError: it does not decode to itself.
    """
    if not job.verify:
        return
    model, find, shape = _model(job, candidate), job.library.by_fingerprint, job.samples.shape
    with priced(CHECK, _name(candidate)):
        decoded, found = payload.decode(
            block.payload, job.mode, shape, model=model, coder=block.model, find=find, max_pixels=_NO_LIMIT
        )
    if found != samples_checksum(job.samples, job.before) or not np.array_equal(decoded, job.samples):
        raise VaezipError("the coded picture does not decode to itself on this machine; please report this")


def _is_allowed(job: BlockJob, candidate: Candidate, data: bytes) -> bool:
    """Tell whether a payload costs no more than a reader spends by default."""
    model, find, shape = _model(job, candidate), job.library.by_fingerprint, job.samples.shape
    cost = payload.cost(data, job.mode, shape, model=model, coder=mark_of(candidate), find=find)
    return BUDGET.allows(cost, payload.pixels(data, job.mode, shape))


def _payload(job: BlockJob, candidate: Candidate, checksum: int) -> bytes:
    """Return the shortest payload by a candidate: of the colours, or of the planes that they were before."""
    if candidate == coders.REMADE:
        return remaking.encode(job, checksum, code=_coded_part)
    ways = _ways(job, candidate)
    if ways == [None]:
        return _coded(job, candidate, checksum, None)
    forms = [_coded(job, candidate, checksum, way) for way in ways]
    allowed = [data for data in forms if _is_allowed(job, candidate, data)]
    return min(allowed, key=len) if allowed else _coded(job, candidate, checksum, None)


def _coded_part(job: BlockJob, checksum: int) -> Block:
    """Code a part of pictures that are made of others, by the best candidate that a reader allows."""
    job = prepared(job)
    forms = [(candidate, _payload(job, candidate, checksum)) for candidate in promising(job)]
    allowed = [Block(mark_of(candidate), data) for candidate, data in forms if _is_allowed(job, candidate, data)]
    if not allowed:
        raise VaezipError("a part of the picture takes more than a reader spends on it", "other-model")
    return min(allowed, key=lambda block: len(block.payload))


def _ways(job: BlockJob, candidate: Candidate) -> list[Found | None]:
    """Return the ways to code by a candidate: as colours, for which None stands, and as planes; of many pixels those
    that are best on some of them."""
    if job.origin and job.halved and candidate == job.halved.model:
        return [halving.planes_of(job.samples[..., :_COLOURS], job.origin, job.halved.sampling)]
    ways, some = _ways_as_planes(job, candidate), trial_part(job.samples)
    if not ways:
        return [None]
    if candidate == job.planes:
        return list(ways)
    trial = replace(job, samples=some, alpha=None, effort=replace(job.effort, steps=0))
    tried = _ways_as_planes(trial, candidate) if some.size < job.samples.size else []
    if not tried:
        return [None, *ways]
    colours, *others = (len(_coded(trial, candidate, 0, way)) for way in (None, *tried))
    planes = min(others)
    best = ways[others.index(planes)]
    if abs(planes - colours) * _CLEARLY > colours:
        return [best if planes < colours else None]
    return [None, best]


def _ways_as_planes(job: BlockJob, candidate: Candidate) -> list[Found]:
    """Return the ways to code by a model as the planes that the colours were before, if they were any: by the model of
    planes as these, and by others as sums, which look like colours; without a model of planes as both."""
    found = _origin(job) if isinstance(candidate, Reference) else None
    if found is None:
        return []
    if candidate == job.planes:
        return [found]
    return [found.as_sums()] if job.planes in job.candidates else [found, found.as_sums()]


def _origin(job: BlockJob) -> Found | None:
    """Return the planes that the colours were before, unless too few of them were."""
    if job.origin is None:
        return None
    found = inverse.planes_of(job.samples[..., :_COLOURS], job.origin.number, job.origin.map)
    pixels = job.samples[..., 0].size
    return found if found and found.origin.unexplained * _MOST_UNEXPLAINED <= pixels else None


def _coded(job: BlockJob, candidate: Candidate, checksum: int, found: Found | None) -> bytes:
    model, alpha = _model(job, candidate), None
    if model and job.alpha and kinds.has_alpha(job.mode):
        alpha = _model(job, job.alpha)
    if model and found:
        planes, effort = (job.samples, job.mode, checksum), job.effort
        return payload.encode_planes(*planes, model=model, effort=effort, alpha_model=alpha, found=found)
    return payload.encode(
        job.samples,
        job.mode,
        checksum,
        model=model,
        coder=mark_of(candidate),
        effort=job.effort,
        alpha_model=alpha,
    )


def _model(job: BlockJob, candidate: Candidate) -> Model | None:
    return job.library.by_reference(candidate) if isinstance(candidate, Reference) else None
