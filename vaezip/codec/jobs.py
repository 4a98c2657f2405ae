"""The encoder's job: code a block, a pure function of what can be pickled.

So any executor may do it: threads, processes, or other machines. The bytes are the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vaezip.codec import coders, payload
from vaezip.codec.blocks import Samples, samples_checksum
from vaezip.codec.select import trial_part
from vaezip.errors import VaezipError
from vaezip.models import kinds
from vaezip.models.cost import DEFAULT as BUDGET
from vaezip.models.library import Library, Reference
from vaezip.pictures.jpeg.parts import UnfitJpeg
from vaezip.vz.records import NO_MODEL, Block, has_model

if TYPE_CHECKING:
    from vaezip.models.base import Model
    from vaezip.models.effort import Effort

_NO_LIMIT = 1 << 62

Candidate = Reference | bytes
"""A model, or the mark of a coder without one."""


def mark_of(candidate: Candidate) -> bytes:
    """Return what a block by a candidate has in the place of a fingerprint."""
    return candidate.fingerprint if isinstance(candidate, Reference) else candidate


@dataclass(frozen=True)
class BlockJob:
    """All that decides the bytes of a block.

    Attributes:
        mode: of the samples.
        samples: (pictures, height, width, channels).
        candidates: models to try, and the marks of coders without one.
        alpha: model to try for alpha.
        library: opens the model files.
        effort: what is done for fewer bytes.
        verify: whether the block is decoded again and compared.
        open: whether only the whole file tells which models are worth it: then every form is kept.
        before: CRC-32 of the bytes that the block's checksum covers, too.
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


def encode(job: BlockJob) -> list[Block]:
    """Code a block by the best candidate, or by all where the job is open.

    Raises:
        VaezipError: what was coded does not decode to itself.
    """
    forms = [code(job, candidate) for candidate in promising(job)]
    return forms if job.open else [min(forms, key=lambda block: len(block.payload))]


def promising(job: BlockJob) -> list[Candidate]:
    """Return the candidates to code with: all, or of many pixels the one that is best on some of them, beside the
    fallback codec where a model has yet to prove worth embedding, and beside coders of whole pictures, if none of them
    settles it."""
    some = trial_part(job.samples)
    candidates = [candidate for candidate in job.candidates if _promises(job, candidate)]
    if len(candidates) == 1 or some.size == job.samples.size:
        return candidates
    whole = [candidate for candidate in candidates if coders.is_whole(mark_of(candidate))]
    if any(coders.settles(mark_of(candidate), job.samples, job.mode) for candidate in whole):
        return whole
    tried = [candidate for candidate in candidates if candidate not in whole]
    trial = replace(job, samples=some, alpha=None, effort=replace(job.effort, steps=0))
    sizes = [len(_payload(trial, candidate, 0)) for candidate in tried]
    best = tried[int(np.argmin(sizes))]
    return [*whole, best, NO_MODEL] if job.open and has_model(mark_of(best)) else [*whole, best]


def _promises(job: BlockJob, candidate: Candidate) -> bool:
    """Tell whether a candidate is worth a trial; models always are."""
    mark = mark_of(candidate)
    return mark not in coders.CODERS or coders.by_mark(mark).promises(job.samples, job.mode)


def code(job: BlockJob, candidate: Candidate) -> Block:
    """Code a block by one candidate.

    Raises:
        VaezipError: it does not decode to itself, or that would take more than a reader spends.
        UnfitJpeg: a JPEG file cannot be made again from its coefficients, or that would take more.
    """
    checksum = samples_checksum(job.samples, job.before)
    data, mark = _payload(job, candidate, checksum), mark_of(candidate)
    model, find, shape = _model(job, candidate), job.library.by_fingerprint, job.samples.shape
    cost = payload.cost(data, job.mode, shape, model=model, coder=mark, find=find)
    if not BUDGET.allows(cost, payload.pixels(data, job.mode, shape)):
        if job.mode == kinds.JPEG:
            raise UnfitJpeg("takes more than a reader spends on it")
        name = f"model '{model.name}'" if model else coders.name_of(mark)
        raise VaezipError(f"{name} takes more for such pictures than a reader spends on them", "other-model")
    if job.verify:
        decoded, found = payload.decode(data, job.mode, shape, model=model, coder=mark, find=find, max_pixels=_NO_LIMIT)
        if found != checksum or not np.array_equal(decoded, job.samples):
            raise VaezipError("the coded picture does not decode to itself on this machine; please report this")
    return Block(mark, data)


def _payload(job: BlockJob, candidate: Candidate, checksum: int) -> bytes:
    model, alpha = _model(job, candidate), None
    if model and job.alpha and kinds.has_alpha(job.mode):
        alpha = _model(job, job.alpha)
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
