"""Find how the chroma of a block may have been at half the resolution, and what codes it then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vaezip.codec import coders, payload
from vaezip.models.library import Reference
from vaezip.origins import halving, search
from vaezip.origins.upsampling import Sampling

if TYPE_CHECKING:
    from vaezip.codec.jobs import BlockJob

_COLOURS = 3


class Halved(NamedTuple):
    """A way in which chroma may have been enlarged, and the model of grey that codes it before it was."""

    model: Reference
    sampling: Sampling


def find_halved(job: BlockJob, origin: search.Candidate) -> Halved | None:
    """Return how chroma may have been at half the resolution, unless a model was chosen, which then codes."""
    if job.alpha is None or coders.GRAPHIC not in job.candidates:
        return None
    sampling = halving.find(job.samples[..., :_COLOURS], origin)
    if sampling is None:
        return None
    sheets = (len(job.samples), *sampling.sheet(job.samples.shape[1:3]), 1)
    model = job.library.by_reference(job.alpha)
    return Halved(job.alpha, sampling) if payload.fits_coded(model, job.mode, sheets) else None
