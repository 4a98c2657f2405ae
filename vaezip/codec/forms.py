"""The form that a block takes by a candidate: of its colours or of the planes that they were before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaezip.codec import payload
from vaezip.codec.blocks import samples_checksum
from vaezip.codec.jobs import COLOURS, BlockJob, Candidate, mark_of, name_of
from vaezip.codec.select import trial_part
from vaezip.errors import VaezipError
from vaezip.models import kinds
from vaezip.models.cost import DEFAULT as BUDGET
from vaezip.models.library import Reference
from vaezip.origins import halving, inverse
from vaezip.system.prices import CHECK, priced

if TYPE_CHECKING:
    from vaezip.origins.inverse import Found
    from vaezip.vz.records import Block

CLEARLY = 50
"""A trial in which one way takes less by one byte of so many tells which is best; of less, all is coded both ways."""

_MOST_UNEXPLAINED = 2
"""One pixel of so many may be unexplained."""

_NO_LIMIT = 1 << 62


def shortest(job: BlockJob, candidate: Candidate, checksum: int) -> bytes:
    """Return the shortest payload by a candidate that a reader allows, of the colours or of the planes that they were
    before; where it allows none, that of the colours."""
    ways = _ways(job, candidate)
    if ways == [None]:
        return _coded(job, candidate, checksum, None)
    forms = [_coded(job, candidate, checksum, way) for way in ways]
    allowed = [data for data in forms if is_allowed(job, candidate, data)]
    return min(allowed, key=len) if allowed else _coded(job, candidate, checksum, None)


def is_allowed(job: BlockJob, candidate: Candidate, data: bytes) -> bool:
    """Tell whether a payload costs no more than a reader spends by default."""
    model, find, shape = job.model(candidate), job.library.by_fingerprint, job.samples.shape
    cost = payload.cost(data, job.mode, shape, model=model, coder=mark_of(candidate), find=find)
    return BUDGET.allows(cost, payload.pixels(data, job.mode, shape))


def check(job: BlockJob, candidate: Candidate, block: Block) -> None:
    """Decode a block by a candidate again and compare, if the job asks for that.

    Raises:
        VaezipError: it does not decode to itself.
    """
    if not job.verify:
        return
    model, find, shape = job.model(candidate), job.library.by_fingerprint, job.samples.shape
    with priced(CHECK, name_of(candidate)):
        decoded, found = payload.decode(
            block.payload, job.mode, shape, model=model, coder=block.model, find=find, max_pixels=_NO_LIMIT
        )
    if found != samples_checksum(job.samples, job.before) or not np.array_equal(decoded, job.samples):
        raise VaezipError("the coded picture does not decode to itself on this machine; please report this")


def _ways(job: BlockJob, candidate: Candidate) -> list[Found | None]:
    """Return the ways to code by a candidate: as colours, for which None stands, and as planes; of many pixels those
    that are best on some of them."""
    if job.origin and job.halved and candidate == job.halved.model:
        return [halving.planes_of(job.samples[..., :COLOURS], job.origin, job.halved.sampling)]
    ways, some = _ways_as_planes(job, candidate), trial_part(job.samples)
    if not ways:
        return [None]
    if candidate == job.planes:
        return list(ways)
    trial = job.on(some)
    tried = _ways_as_planes(trial, candidate) if some.size < job.samples.size else []
    if not tried:
        return [None, *ways]
    colours, *others = (len(_coded(trial, candidate, 0, way)) for way in (None, *tried))
    planes = min(others)
    best = ways[others.index(planes)]
    if abs(planes - colours) * CLEARLY > colours:
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
    found = inverse.planes_of(job.samples[..., :COLOURS], job.origin.number, job.origin.map)
    pixels = job.samples[..., 0].size
    return found if found and found.origin.unexplained * _MOST_UNEXPLAINED <= pixels else None


def _coded(job: BlockJob, candidate: Candidate, checksum: int, found: Found | None) -> bytes:
    model, alpha = job.model(candidate), None
    if model and job.alpha and kinds.has_alpha(job.mode):
        alpha = job.model(job.alpha)
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
