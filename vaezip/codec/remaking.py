"""The encoder of pictures that are made of others: what they are made of, and the blocks of these parts."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from vaezip.codec import coders, remade
from vaezip.models.effort import of_steps, scale
from vaezip.models.kinds import PLANES, is_wide
from vaezip.models.library import Reference
from vaezip.origins import curve, cutting, mosaic, ranking, shrinking
from vaezip.vz.records import Block

if TYPE_CHECKING:
    from vaezip.codec.jobs import BlockJob, Candidate
    from vaezip.models.effort import Effort

Samples = NDArray[Any]
Code = Callable[["BlockJob", int], Block]

SEARCHES: dict[int, Any] = {1: shrinking, 3: curve, 2: mosaic, 4: cutting, 0: ranking}
"""The search of each kind of :data:`vaezip.codec.remade.KINDS`; the first that promises is taken."""

_HALF = 2

_GREY, _FEW_RANKS = "L", 64
"""So many ranks, or fewer, of a grey picture may take some percent less as samples than as colours."""

_SMALL = 1 << 12
"""Of fewer pixels nothing is settled before it is coded."""


def with_kind(job: BlockJob) -> BlockJob:
    """Return a job that knows the kind of origin that its pictures have, if they have any, and the rectangles in which
    others stand: to find these takes as long as to see that there are some."""
    for kind, search in SEARCHES.items():
        if search is cutting:
            rectangles = cutting.rectangles_of(job.samples, job.mode)
            if rectangles:
                return replace(job, made_of=kind, rectangles=rectangles)
        elif search.promises(job.samples, job.mode):
            return replace(job, made_of=kind)
    return replace(job, made_of=None)


def settles(job: BlockJob, *, drawn: bool) -> bool:
    """Tell whether the pictures of a job take by far the least as what they are made of, also if they seem to be
    ``drawn``, which is a matter of values, too."""
    search = SEARCHES[job.made_of] if job.made_of is not None else None
    if search is None or job.samples[..., 0].size < _SMALL or (drawn and search is ranking):
        return False
    return bool(search.settles(job.samples, job.mode))


def is_cut(job: BlockJob) -> bool:
    """Tell whether parts of the picture of a job are to be coded as pictures of their own."""
    return job.made_of is not None and SEARCHES[job.made_of] is cutting


def without_pieces(job: BlockJob) -> Samples:
    """Return the picture of a job without the parts that are to be coded as pictures of their own."""
    return cutting.find(job.samples, job.mode, job.rectangles).parts[0]


def shows_on_parts(job: BlockJob) -> bool:
    """Tell whether patches of the pictures of a job are made of the same as the whole."""
    return job.made_of is not None and SEARCHES[job.made_of] is ranking


def may_gain(job: BlockJob) -> bool:
    """Tell whether ranks of the pictures of a job, of 16 bits, may take less than they do."""
    return shows_on_parts(job) and ranking.may_gain(job.samples, job.mode)


def some_ranks(job: BlockJob, some: Callable[[Samples], Samples]) -> tuple[BlockJob, int]:
    """Return the job of some of the ranks of pictures, and how many bytes tell the values of all.

    What occurs in some of the pictures is less than what occurs in all; so its ranks would promise too much.
    """
    found = ranking.find(job.samples, job.mode)
    ((mode, _),) = found.origin.parts(job.samples.shape)
    return _part(job, mode, some(found.parts[0]), job.effort), len(found.origin.to_bytes())


def encode(job: BlockJob, checksum: int, *, code: Code) -> bytes:
    """Code pictures as what they are made of; ``code`` codes the job of a part with a checksum."""
    assert job.made_of is not None, "the job was not prepared"
    known = (job.rectangles,) if is_cut(job) else ()
    found = SEARCHES[job.made_of].find(job.samples, job.mode, *known)
    modes = [mode for mode, _ in found.origin.parts(job.samples.shape)]
    leaves_time = _HALF * max(samples[..., 0].size for samples in found.parts) <= job.samples[..., 0].size
    effort = _closer(job.effort) if leaves_time else job.effort
    parts = [_part(job, mode, samples, effort) for mode, samples in zip(modes, found.parts)]
    blocks: list[Block] = []
    for part in parts[:-1]:
        blocks.append(code(_by_models_of(part, parts, blocks), 0))
    head = remade.head(job.made_of, found.origin, blocks)
    last = code(_by_models_of(parts[-1], parts, blocks), checksum ^ zlib.crc32(head))
    return head + last.model + last.payload


def _by_models_of(part: BlockJob, parts: list[BlockJob], blocks: list[Block]) -> BlockJob:
    """Return the job of a part, which tries no models but those of the parts before it in its mode, if these have any;
    the first is the largest."""
    return part.by_models_of(block for other, block in zip(parts, blocks) if other.mode == part.mode)


def _part(job: BlockJob, mode: str, samples: Samples, effort: Effort) -> BlockJob:
    """Return the job of a part: by the models of the job, or by those for another mode, size, or kind of picture."""
    candidates: tuple[Candidate, ...] = tuple(one for one in job.candidates if isinstance(one, Reference))
    height, width = samples.shape[1:3]
    others = PLANES.get(mode) is not PLANES.get(job.mode) or (height, width) != job.samples.shape[1:3]
    if is_wide(job.mode) or is_cut(job) or (candidates and others):
        candidates = tuple(job.library.fitting(mode, height, width))
    if job.open:  # which holds no models that stand in no block
        candidates = ()
    fitting = coders.fitting(mode, (height, width), ranks=is_wide(job.mode) or _are_few(samples, mode))
    quick = [mark for mark in fitting if mark != coders.REMADE]
    return type(job)(
        mode=mode,
        samples=samples,
        candidates=(*candidates, *quick),
        alpha=job.alpha,
        library=job.library,
        effort=effort,
        planes=job.planes,
    )


def _are_few(samples: Samples, mode: str) -> bool:
    """Tell whether pictures have one channel of few values, as scans of prints and dithered pictures have."""
    return mode == _GREY and int(samples.max()) < _FEW_RANKS


def _closer(effort: Effort) -> Effort:
    """Return the next effort but one of those that learn by one network, for which parts of half as many pixels, or
    fewer, leave time."""
    known = scale()
    if not effort.steps or effort not in known:
        return effort
    most = known.index(of_steps(1))
    return known[max(known.index(effort), min(known.index(effort) + 2, most))]
