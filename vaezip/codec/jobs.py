"""The encoder's job: code a block, a pure function of what can be pickled.

So any executor may do it: threads, processes, or other machines. The bytes are the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vaezip.codec import payload
from vaezip.codec.blocks import Samples, samples_checksum
from vaezip.codec.select import trial_part
from vaezip.errors import VaezipError
from vaezip.models import kinds
from vaezip.models.cost import DEFAULT as BUDGET
from vaezip.models.library import Library, Reference
from vaezip.origins import inverse, search
from vaezip.origins.search import Candidate
from vaezip.pictures.jpeg.parts import UnfitJpeg
from vaezip.vz.records import NO_MODEL, Block

if TYPE_CHECKING:
    from vaezip.models.base import Model
    from vaezip.models.effort import Effort
    from vaezip.origins.inverse import Found

_COLOURS = 3

_NO_LIMIT = 1 << 62

_CLEARLY = 50
"""A trial that differs by one part of so many tells whether an origin is worth it; of less, all is coded both ways."""

_MOST_UNEXPLAINED = 3
"""One pixel of so many may be unexplained."""


@dataclass(frozen=True)
class BlockJob:
    """All that decides the bytes of a block.

    Attributes:
        mode: of the samples.
        samples: (pictures, height, width, channels).
        candidates: models to try, and None for the fallback codec.
        alpha: model to try for alpha.
        library: opens the model files.
        effort: what is done for fewer bytes.
        verify: whether the block is decoded again and compared.
        open: whether only the whole file tells which models are worth it: then every form is kept.
        before: CRC-32 of the bytes that the block's checksum covers, too.
        origin: a map that its colours may have gone through; see :func:`prepared`.
    """

    mode: str
    samples: Samples
    candidates: tuple[Reference | None, ...]
    alpha: Reference | None
    library: Library
    effort: Effort
    verify: bool = True
    open: bool = False
    before: int = 0
    origin: Candidate | None = None


def prepared(job: BlockJob) -> BlockJob:
    """Return a job that knows what its colours were before, if a model may code them and they were anything."""
    if not payload.takes_origin(job.mode) or not any(job.candidates):
        return job
    return replace(job, origin=search.find(job.samples[..., :_COLOURS]))


def encode(job: BlockJob) -> list[Block]:
    """Code a block by the best candidate, or by all where the job is open.

    Raises:
        VaezipError: what was coded does not decode to itself.
    """
    job = prepared(job)
    forms = [code(job, reference) for reference in promising(job)]
    return forms if job.open else [min(forms, key=lambda block: len(block.payload))]


def promising(job: BlockJob) -> list[Reference | None]:
    """Return the candidates to code with: all, or of many pixels the one that is best on some of them, beside the
    fallback codec where a model has yet to prove worth embedding."""
    some = trial_part(job.samples)
    if len(job.candidates) == 1 or some.size == job.samples.size:
        return list(job.candidates)
    trial = replace(job, samples=some, alpha=None, effort=replace(job.effort, steps=0))
    sizes = [len(_payload(trial, reference, 0)) for reference in job.candidates]
    best = job.candidates[int(np.argmin(sizes))]
    return [best, None] if job.open and best else [best]


def code(job: BlockJob, reference: Reference | None) -> Block:
    """Code a block by one candidate.

    Raises:
        VaezipError: it does not decode to itself, or that would take more than a reader spends.
        UnfitJpeg: a JPEG file cannot be made again from its coefficients, or that would take more.
    """
    checksum = samples_checksum(job.samples, job.before)
    data = _payload(job, reference, checksum)
    model, find, shape = _model(job, reference), job.library.by_fingerprint, job.samples.shape
    if not _is_allowed(job, reference, data):
        if job.mode == kinds.JPEG:
            raise UnfitJpeg("takes more than a reader spends on it")
        name = f"model '{model.name}'" if model else "WebP"
        raise VaezipError(f"{name} takes more for such pictures than a reader spends on them", "other-model")
    if job.verify:
        decoded, found = payload.decode(data, job.mode, shape, model=model, find=find, max_pixels=_NO_LIMIT)
        if found != checksum or not np.array_equal(decoded, job.samples):
            raise VaezipError("the coded picture does not decode to itself on this machine; please report this")
    return Block(model.fingerprint if model else NO_MODEL, data)


def _is_allowed(job: BlockJob, reference: Reference | None, data: bytes) -> bool:
    """Tell whether a payload costs no more than a reader spends by default."""
    model, find, shape = _model(job, reference), job.library.by_fingerprint, job.samples.shape
    cost = payload.cost(data, job.mode, shape, model=model, find=find)
    return BUDGET.allows(cost, payload.pixels(data, job.mode, shape))


def _payload(job: BlockJob, reference: Reference | None, checksum: int) -> bytes:
    """Return the shortest payload by a candidate: of the colours, or of what they were before."""
    ways = _ways(job, reference)
    if ways == [None]:
        return _coded(job, reference, checksum, None)
    forms = [_coded(job, reference, checksum, way) for way in ways]
    allowed = [data for data in forms if _is_allowed(job, reference, data)]
    return min(allowed, key=len) if allowed else _coded(job, reference, checksum, None)


def _ways(job: BlockJob, reference: Reference | None) -> list[Found | None]:
    """Return the ways to code by a candidate: as colours, for which None stands, and as planes; the one that is clearly
    better on some of the pixels, if these are not all."""
    found = _origin(job) if reference is not None else None
    if found is None:
        return [None]
    some = trial_part(job.samples)
    trial = replace(job, samples=some, alpha=None, effort=replace(job.effort, steps=0))
    tried = _origin(trial) or found
    colours, planes, sums = (len(_coded(trial, reference, 0, way)) for way in (None, tried, tried.as_sums()))
    found, planes = (found, planes) if planes < sums else (found.as_sums(), sums)
    if some.size < job.samples.size and abs(planes - colours) * _CLEARLY > colours:
        return [found] if planes < colours else [None]
    return [None, found]


def _origin(job: BlockJob) -> Found | None:
    """Return the planes that the colours were before, unless too few of them were."""
    if job.origin is None:
        return None
    found = inverse.planes_of(job.samples[..., :_COLOURS], job.origin.number, job.origin.map)
    pixels = job.samples[..., 0].size
    return found if found and found.origin.unexplained * _MOST_UNEXPLAINED <= pixels else None


def _coded(job: BlockJob, reference: Reference | None, checksum: int, found: Found | None) -> bytes:
    with_alpha = reference is not None and job.alpha is not None and kinds.has_alpha(job.mode)
    alpha_model = _model(job, job.alpha) if with_alpha else None
    return payload.encode(
        job.samples,
        job.mode,
        checksum,
        model=_model(job, reference),
        effort=job.effort,
        alpha_model=alpha_model,
        found=found,
    )


def _model(job: BlockJob, reference: Reference | None) -> Model | None:
    return None if reference is None else job.library.by_reference(reference)
