"""Code pictures of 16 bits a sample, or their ranks, by what they teach: ``docs/format/deep.md``."""

from __future__ import annotations

import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.entropy import decisions, stack
from vaezip.entropy.histories import PRECISION
from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError
from vaezip.models.bands import bands
from vaezip.models.cost import Cost
from vaezip.models.deep import model
from vaezip.models.deep.model import Coding
from vaezip.models.kinds import dtype, is_wide, levels

if TYPE_CHECKING:
    from vaezip.models.effort import Effort

NAME = "deep"

Samples = NDArray[Any]

_HITS, _LINKED = 1, 2
"""Bits of the form, the first byte of a payload."""

_HEAD = 3
"""Bytes before the stack: the form, and the greatest sample."""

_LEVELS = 256
"""Of modes that have neither bits nor indices of colours."""

_FEW = 1 << 17
"""So many samples, or fewer, are coded in every form: some rows tell little of what all rows teach."""

_NEAR, _EQUAL = 10, 9
"""Hits are tried where samples that equal a neighbour are so many to so many that are next to one: any smooth
distribution makes about half as many."""


class _Form(NamedTuple):
    hits: bool
    linked: bool


_Key = tuple[tuple[int, ...], bytes]

_KNOWN: dict[_Key, _Form] = {}
"""The forms that few samples were shortest in, until more are coded that they stand for: a trial of them chooses a
coder, too."""

_MOST_KNOWN = 64

_OF_TRIALS = 0
"""The checksum that trials code."""


def fits(mode: str, shape: tuple[int, ...]) -> bool:
    """Tell whether pictures of a mode are coded: of 16 bits a sample, and of ranks of 8 bits in the place of them."""
    return is_wide(mode) or levels(mode) == _LEVELS


def promises(samples: Samples, mode: str) -> bool:
    """Tell whether pictures are worth a try: all are."""
    return True


def encode(samples: Samples, mode: str, checksum: int, *, effort: Effort) -> bytes:
    """Code pictures in the form that is shortest, of many samples on some of them."""
    some = bands(samples)
    if samples.size > max(_FEW, some.size):
        return _encode(samples, _form_of(some), checksum)
    coded = {form: _encode(samples, form, checksum) for form in _forms(some)}
    best = min(coded, key=lambda form: len(coded[form]))
    if checksum == _OF_TRIALS:  # of any other, two forms could be as long that are not here
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[_key(samples)] = best
    return coded[best]


def _forms(some: Samples) -> list[_Form]:
    """Return the forms that are worth a trial."""
    kinds = (False, True) if _are_often_equal(some) else (False,)
    return [_Form(hits, linked) for linked in (False, True)[: len(some)] for hits in kinds]


def _form_of(some: Samples) -> _Form:
    """Return the form that is shortest for some samples, by a trial, unless that was the last that they were in."""
    if (known := _KNOWN.pop(_key(some), None)) is not None:
        return known
    forms = _forms(some)
    return min(forms, key=lambda form: len(_encode(some, form, _OF_TRIALS))) if len(forms) > 1 else forms[0]


def _key(samples: Samples) -> _Key:
    return samples.shape, sha256(samples.tobytes()).digest()


def _are_often_equal(samples: Samples) -> bool:
    """Tell whether samples, where those around are not all the same, equal a neighbour about as often as they are next
    to one."""
    frame = samples.astype(np.int32)
    above = frame[:, :-1]
    around = np.stack([frame[:, 1:, :-2], above[:, :, 1:-1], above[:, :, :-2], above[:, :, 2:]])
    off = np.abs(around - frame[:, 1:, 1:-1])
    varied = np.ptp(around, axis=0) > 0
    equal, near = (int((varied & (off == step).any(axis=0)).sum()) for step in (0, 1))
    return equal * _NEAR >= near * _EQUAL


def _encode(samples: Samples, form: _Form, checksum: int) -> bytes:
    top = int(samples.max())
    head = bytes([_HITS * form.hits | _LINKED * form.linked]) + top.to_bytes(2, "little")
    coding = Coding(samples.shape, top=top, hits=form.hits, linked=form.linked)
    made, coded = coding.encode(samples), Stack(checksum ^ zlib.crc32(head))
    for part in reversed(made):
        decisions.push(coded, part, PRECISION)
    return head + coded.to_bytes()


def decode(data: bytes, mode: str, shape: tuple[int, ...]) -> tuple[Samples, int]:
    """Invert :func:`encode`: samples and checksum.

    Raises:
        FormatError: the data is not what it made of such pictures.
    """
    form, top = _read_head(data, mode)
    n, height, width, channels = shape
    with stack.decoding(data[_HEAD:]) as coded:
        coding = Coding((n, height, width, channels), top=top, hits=form.hits, linked=form.linked)
        samples = coding.decode(coded)
        checksum = coded.finish() ^ zlib.crc32(data[:_HEAD])
    return samples.astype(dtype(mode), copy=False), checksum


def cost(data: bytes, mode: str, shape: tuple[int, ...]) -> Cost:
    """Compute what :func:`decode` costs, before it begins.

    Raises:
        FormatError: the data cannot be what :func:`encode` made of such pictures.
    """
    n, height, width, channels = shape
    form, top = _read_head(data, mode)
    return model.cost((n, height, width, channels), top, linked=form.linked)


def _read_head(data: bytes, mode: str) -> tuple[_Form, int]:
    """Read the form and the greatest sample."""
    top = int.from_bytes(data[1:_HEAD], "little")
    if len(data) < _HEAD or data[0] > (_HITS | _LINKED) or top >= 1 << 8 * dtype(mode)().itemsize:
        raise FormatError("the coded data is damaged or truncated")
    return _Form(bool(data[0] & _HITS), bool(data[0] & _LINKED)), top
