"""Read PBM, PGM and PPM, plain and raw, with the values that they hold: Pillow stretches them and misreads comments.

Greatest values of 256 to 65534 become 16 bits with the values as they are; those below 255 are refused, for no mode
holds what such values stand for.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.exact_kinds import GREY, RGB, Kind, Look, unsupported
from vaezip.pictures.picture import damage

_TOKEN = re.compile(rb"(?:[ \t\n\v\f\r]|#[^\n\r]*(?:[\n\r]|$))*([0-9]+)")
_COMMENT = re.compile(rb"#[^\n\r]*")
_OTHERS = {b"P7": "PAM", b"Pf": "floating-point PFM", b"PF": "floating-point PFM"}
_SPACE = b" \t\n\v\f\r"


def look_at_pnm(data: bytes) -> Look:
    """Tell what a PBM, PGM or PPM holds, by its header."""
    if data[:2] in _OTHERS:
        raise unsupported(_OTHERS[data[:2]], "PNG")
    bilevel, plain = data[:2] in (b"P1", b"P4"), data[:2] in (b"P1", b"P2", b"P3")
    numbers, at = [], 2
    for _ in range(2 if bilevel else 3):
        if not (found := _TOKEN.match(data, at)):
            raise damage("its header is not whole")
        numbers.append(int(found[1][:20]))
        at = found.end()
    width, height, greatest = (*numbers, 1)[:3]
    if width < 1 or height < 1 or not 1 <= greatest <= 65535:
        raise damage("its header has a size or a greatest value that cannot be")
    if not bilevel and greatest < 255:
        raise ImageError(
            f"PGM and PPM whose greatest value is {greatest} are not supported; write it with 255 or 65535 first"
        )
    at = _raster(data, at)
    colour, channels = (RGB, 3) if data[:2] in (b"P3", b"P6") else (GREY, 1)
    kind = Kind("PPM", colour, greatest.bit_length())
    remarks = (f"greatest value {greatest}",) if greatest not in (1, 255, 65535) else ()
    shape = (height, width, channels)

    def decode() -> NDArray[Any]:
        return _plain(data, at, shape, greatest) if plain else _raw(data, at, shape, greatest)

    return Look(kind, width, height, decode=decode, remarks=remarks)


def _raster(data: bytes, at: int) -> int:
    """Return where the samples begin: behind one white space, which may be the end of a comment."""
    if comment := _COMMENT.match(data, at):
        at = comment.end()
    if at < len(data) and data[at] not in _SPACE:
        raise damage("its header is not whole")
    return at + 1


def _raw(data: bytes, at: int, shape: tuple[int, int, int], greatest: int) -> NDArray[Any]:
    height, width, channels = shape
    if greatest == 1:
        rows = _bytes(data, at, height * ((width + 7) // 8), np.dtype(np.uint8)).reshape(height, -1)
        return 1 - np.unpackbits(rows, axis=1, count=width)[..., None]
    samples = _bytes(data, at, height * width * channels, np.dtype(np.uint8 if greatest < 256 else ">u2"))
    return _checked(samples, greatest).reshape(shape)


def _bytes(data: bytes, at: int, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    if len(data) - at < count * dtype.itemsize:
        raise damage("it ends before its last row")
    return np.frombuffer(data, dtype, count, at)


def _plain(data: bytes, at: int, shape: tuple[int, int, int], greatest: int) -> NDArray[Any]:
    height, width, channels = shape
    count = height * width * channels
    text = _COMMENT.sub(b"", data[at:])
    if greatest == 1:
        digits = np.frombuffer(b"".join(text.split()), np.uint8)
        if len(digits) < count:
            raise damage("it ends before its last row")
        return 1 - _checked(digits[:count] - ord("0"), 1).reshape(shape)
    words = text.split(maxsplit=count)[:count]
    if len(words) < count:
        raise damage("it ends before its last row")
    if not all(word.isdigit() and len(word) <= 9 for word in words):
        raise damage("one of its samples is no number")
    return _checked(np.array([int(word) for word in words], np.int64), greatest).reshape(shape)


def _checked(samples: NDArray[Any], greatest: int) -> NDArray[Any]:
    if samples.max() > greatest:
        raise damage(f"a sample is above the greatest value {greatest}")
    return samples
