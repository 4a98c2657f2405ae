"""The encoder: it codes the block of a job, a pure function of what can be pickled.

So any executor may do it: threads, processes, or other machines. The bytes are the same everywhere.
"""

from __future__ import annotations

from dataclasses import replace

from vaezip.codec import choice, coders
from vaezip.codec.blocks import samples_checksum
from vaezip.codec.forms import check, is_allowed
from vaezip.codec.jobs import BlockJob, Candidate, mark_of, name_of, prepared
from vaezip.errors import VaezipError
from vaezip.models import kinds
from vaezip.pictures.jpeg.parts import UnfitJpeg
from vaezip.system import meter
from vaezip.system.prices import ON_ALL, priced
from vaezip.system.threads import spread
from vaezip.vz.records import Block

CHOICE = 0.15
"""Of the time that a block takes, about so much goes to the choice of candidates; what is left goes to encoding by each
and to decoding again, in equal parts."""


def encode(job: BlockJob) -> list[Block]:
    """Code a block by the best candidate, or by all where the job is open.

    Raises:
        VaezipError: what was coded does not decode to itself.
    """
    with meter.part(job.samples.size):
        with meter.part(CHOICE):
            job = prepared(job)
            candidates = choice.promising(job)
        share = (1 - CHOICE) / (len(candidates) + 1)
        forms: dict[Candidate, Block] = {}
        for candidate in candidates:
            with meter.part(share):
                if not (forms and choice.is_estimated(job, candidate) and choice.suffice(job, forms)):
                    forms[candidate] = form(job, candidate)
        best = min(forms, key=lambda candidate: len(forms[candidate].payload))
        kept = forms if job.open else {best: forms[best]}
        with meter.part(share):
            for candidate, block in kept.items():
                check(job, candidate, block)
    return list(kept.values())


def encode_run(job: BlockJob, pictures: int) -> list[list[Block]]:
    """Code pictures in blocks of so many; models that take clearly more on some of all are tried for no block.

    Raises:
        VaezipError: what was coded does not decode to itself.
    """
    if len(job.samples) <= pictures:
        return [encode(job)]
    found = choice.promising(prepared(job))
    # what all are made of, some of them may not be made of
    if found != [coders.REMADE] and all(one in job.candidates for one in found):
        kept = [*found, coders.REMADE] if pictures == 1 else found  # for each may have photographs in it
        job = replace(job, candidates=tuple(one for one in job.candidates if one in kept))
    starts = range(0, len(job.samples), pictures)
    return spread(encode, [replace(job, samples=job.samples[i : i + pictures]) for i in starts])


def keeps_models(job: BlockJob) -> bool:
    """Tell whether pictures are coded by the models of those before them in a set, without another trial: many that are
    black and white, where all is to be coded but once, for the neighbours of pixels tell where a model does badly."""
    return choice.is_estimated(job, coders.GRAPHIC)


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
    with priced(ON_ALL, name_of(candidate)) as price:
        data = choice.shortest(job, candidate, samples_checksum(job.samples, job.before))
        price.bytes = len(data)
    if not is_allowed(job, candidate, data):
        if job.mode == kinds.JPEG:
            raise UnfitJpeg("takes more than a reader spends on it")
        model = job.model(candidate)
        name = f"model '{model.name}'" if model else name_of(candidate)
        raise VaezipError(f"{name} takes more for such pictures than a reader spends on them", "other-model")
    return Block(mark_of(candidate), data)
