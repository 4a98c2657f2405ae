"""The encoder's job: all that decides the bytes of a block, and what is known of its pictures before they are coded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from vaezip.codec import coders, payload, remaking
from vaezip.codec.blocks import Samples
from vaezip.codec.select import LEAST_DRAWN, trial_part, trial_rows
from vaezip.models.cost import UNLIMITED, Budget
from vaezip.models.library import Library, Reference
from vaezip.origins import halving, search
from vaezip.system.prices import ORIGINS, priced
from vaezip.system.spans import timed

if TYPE_CHECKING:
    from vaezip.models.base import Model
    from vaezip.models.effort import Effort
    from vaezip.origins.pieces import Rectangle
    from vaezip.origins.upsampling import Sampling
    from vaezip.vz.records import Block

COLOURS = 3
"""Channels before alpha."""

Candidate = Reference | bytes
"""A model, or the mark of a coder without one."""


def mark_of(candidate: Candidate) -> bytes:
    """Return what a block by a candidate has in the place of a fingerprint."""
    return candidate.fingerprint if isinstance(candidate, Reference) else candidate


def name_of(candidate: Candidate) -> str:
    """Return the name of a candidate."""
    return candidate.path.stem if isinstance(candidate, Reference) else coders.name_of(candidate)


class Halved(NamedTuple):
    """A way in which chroma may have been enlarged, and the model of grey that codes it before it was."""

    model: Reference
    sampling: Sampling


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
        plain: whether its pictures repeat themselves so much that no model is tried; see :func:`prepared`.
        origin: a map that its colours may have gone through, likewise.
        halved: how their chroma may have been at half the resolution, and the model that codes it then.
        made_of: the kind of other pictures that its pictures are made of, likewise.
        rectangles: in which other pictures stand, if it is made of these.
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
    plain: bool = False
    origin: search.Candidate | None = None
    halved: Halved | None = None
    made_of: int | None = None
    rectangles: tuple[Rectangle, ...] = ()
    planes: Reference | None = None
    budget: Budget = UNLIMITED
    memory: int = 0

    def model(self, candidate: Candidate) -> Model | None:
        """Open a candidate, if it is a model."""
        return self.library.by_reference(candidate) if isinstance(candidate, Reference) else None

    def on(self, samples: Samples) -> BlockJob:
        """Return the job of a trial: some of the samples, without alpha's model and without steps."""
        return replace(self, samples=samples, alpha=None, effort=replace(self.effort, steps=0))

    def by_models_of(self, blocks: Iterable[Block]) -> BlockJob:
        """Return a job that tries no models but those of some blocks, if these have any that code such pictures
        whatever they were before, beside the coders without one."""
        used = {block.model for block in blocks}
        models = [one for one in self.candidates if isinstance(one, Reference) and one.fingerprint in used]
        if all(one == self.planes for one in models):
            return self
        return replace(self, candidates=(*models, *(one for one in self.candidates if isinstance(one, bytes))))


@timed("origins")
def prepared(job: BlockJob) -> BlockJob:
    """Return a job that knows what its colours were before, if a model may code them and they were anything, and what
    its pictures are made of, if that is anything."""
    is_drawn = coders.GRAPHIC in job.candidates and coders.by_mark(coders.GRAPHIC).promises(job.samples, job.mode)
    job = replace(job, plain=is_drawn and _is_plain(job))
    if coders.REMADE in job.candidates:
        job = remaking.with_kind(job)
    has_models = not job.plain and any(isinstance(one, Reference) for one in job.candidates)
    if not payload.takes_origin(job.mode) or not has_models or (is_drawn and remaking.is_cut(job) and not job.open):
        return job
    with priced(ORIGINS, ORIGINS):
        origin = search.find(job.samples[..., :COLOURS])
        halved = _halved(job, origin) if origin and not _is_settled(job) else None
    return replace(job, origin=origin, halved=halved)


def _is_plain(job: BlockJob) -> bool:
    """Tell by some rows whether drawn pictures in colours repeat themselves so much that no model comes near;
    photographs of few greys repeat themselves as much."""
    if job.open or job.samples.shape[3] < COLOURS or job.samples[..., 0].size < LEAST_DRAWN:
        return False
    return coders.is_plain(trial_rows(job.samples))


def _is_settled(job: BlockJob) -> bool:
    """Tell whether a coder of whole pictures will be by far the best for one of which parts could be tried."""
    if job.open or trial_part(job.samples).size == job.samples.size:
        return False
    whole = [mark for mark in map(mark_of, job.candidates) if coders.is_whole(mark)]
    looked_at = job.samples, job.mode
    return any(coders.by_mark(mark).promises(*looked_at) and coders.settles(mark, *looked_at) for mark in whole)


def _halved(job: BlockJob, origin: search.Candidate) -> Halved | None:
    """Return how chroma may have been at half the resolution, unless a model was chosen, which then codes."""
    if job.alpha is None or coders.GRAPHIC not in job.candidates:
        return None
    sampling = halving.find(job.samples[..., :COLOURS], origin)
    if sampling is None:
        return None
    sheets = (len(job.samples), *sampling.sheet(job.samples.shape[1:3]), 1)
    model = job.library.by_reference(job.alpha)
    return Halved(job.alpha, sampling) if payload.fits_coded(model, job.mode, sheets) else None
