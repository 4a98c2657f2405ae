"""Read PBM, PGM and PPM, plain and raw, with the values that they hold: Pillow stretches them and misreads comments.

Greatest values of 256 to 65534 become 16 bits with the values as they are; those below 255 are refused, for no mode
holds what such values stand for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.exact_kinds import GREY, RGB, Kind, Look
from vaezip.pictures.picture import damage
from vaezip.pictures.pnm.header import COMMENT, PnmHeader, pnm_header


def look_at_pnm(data: bytes) -> Look:
    """Tell what a PBM, PGM or PPM holds, by its header."""
    header = pnm_header(data)
    greatest = header.greatest
    if not header.bilevel and greatest < 255:
        raise ImageError(
            f"PGM and PPM whose greatest value is {greatest} are not supported; write it with 255 or 65535 first"
        )
    kind = Kind("PPM", RGB if header.channels == 3 else GREY, greatest.bit_length())
    remarks = (f"greatest value {greatest}",) if greatest not in (1, 255, 65535) else ()
    return Look(kind, header.width, header.height, decode=lambda: _decode(data, header), remarks=remarks)


def _decode(data: bytes, header: PnmHeader) -> NDArray[Any]:
    samples = _plain(data, header) if header.plain else _raw(data, header)
    if samples.max() > header.greatest:
        raise damage(f"a sample is above the greatest value {header.greatest}")
    samples = samples.reshape(header.height, header.width, header.channels)
    return 1 - samples if header.bilevel else samples


def _raw(data: bytes, header: PnmHeader) -> NDArray[Any]:
    if len(data) - header.end < header.raw_bytes:
        raise damage("it ends before its last row")
    if header.bilevel:
        rows = np.frombuffer(data, np.uint8, header.raw_bytes, header.end).reshape(header.height, -1)
        return np.unpackbits(rows, axis=1, count=header.width)
    return np.frombuffer(data, np.uint8 if header.greatest < 256 else ">u2", header.samples, header.end)


def _plain(data: bytes, header: PnmHeader) -> NDArray[Any]:
    text, count = COMMENT.sub(b"", data[header.end :]), header.samples
    if header.bilevel:
        digits = np.frombuffer(b"".join(text.split()), np.uint8)
        if len(digits) < count:
            raise damage("it ends before its last row")
        return digits[:count] - np.uint8(ord("0"))
    words = text.split(maxsplit=count)[:count]
    if len(words) < count:
        raise damage("it ends before its last row")
    if not all(word.isdigit() and len(word) <= 9 for word in words):
        raise damage("one of its samples is no number")
    return np.array([int(word) for word in words], np.int64)
