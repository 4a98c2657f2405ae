"""Read the headers of PBM, PGM and PPM files, their comments, and where the rows end."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from vaezip.pictures.behind import look_behind
from vaezip.pictures.findings import Findings

_SPACE = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])"
_NUMBER = rb"(\d{1,10})"
_SIZE = re.compile(rb"P([1-6])" + _SPACE + rb"+" + _NUMBER + _SPACE + rb"+" + _NUMBER)
_GREATEST = re.compile(_SPACE + rb"+" + _NUMBER)
_COMMENT = re.compile(rb"#[^\r\n]*")
_CHANNELS = {1: 1, 2: 1, 3: 3, 4: 1, 5: 1, 6: 3}


class PnmHeader(NamedTuple):
    """The header of a PNM file: the digit of its kind, its sizes, and where it ends."""

    kind: int
    width: int
    height: int
    greatest: int
    end: int

    @property
    def plain(self) -> bool:
        """Tell whether the samples are written as decimal numbers."""
        return self.kind < 4


def pnm_header(data: bytes) -> PnmHeader | None:
    """Read the header of a PNM file; None where it has none.  A comment ends before the samples begin."""
    size = _SIZE.match(data)
    if size is None:
        return None
    kind, width, height = (int(number) for number in size.groups())
    end, greatest = size.end(), 1
    if kind not in (1, 4):
        number = _GREATEST.match(data, end)
        if number is None:
            return None
        end, greatest = number.end(), int(number.group(1))
    comment = _COMMENT.match(data, end)  # it may touch the last number; the end of its line is the one space
    end = comment.end() if comment else end
    return PnmHeader(kind, width, height, greatest, end + 1)


def look_into_pnm(data: bytes, found: Findings) -> None:
    """Name the comments of a PNM file, and look behind its last row.

    Raises:
        ImageError: the file holds several pictures.
    """
    header = pnm_header(data)
    if header is None:
        return
    if b"#" in data[: header.end]:
        found.drop("comment")
    end = _end_of_plain(data, header, found) if header.plain else _end_of_rows(header)
    if end is not None and not data[end:].isspace():
        look_behind(data, end, found)


def _end_of_rows(header: PnmHeader) -> int:
    if header.kind == 4:
        return header.end + header.height * -(-header.width // 8)
    sample = 1 if header.greatest < 256 else 2
    return header.end + header.height * header.width * _CHANNELS[header.kind] * sample


def _end_of_plain(data: bytes, header: PnmHeader, found: Findings) -> int | None:
    """Return where the first thing behind the last sample begins, None where all is samples.

    Comments become spaces, then the beginnings of numbers are counted: a few passes over the bytes.
    """
    body = _COMMENT.sub(lambda comment: b" " * len(comment.group()), data[header.end :])
    if b"#" in data[header.end :]:
        found.drop("comment")
    characters = np.frombuffer(body, np.uint8)
    inside = (characters != 32) & ((characters < 9) | (characters > 13))
    starts = inside.copy()
    if header.kind != 1:  # samples of PBM need no space between them
        starts[1:] &= ~inside[:-1]
    places = np.flatnonzero(starts)
    count = header.width * header.height * _CHANNELS[header.kind]
    return header.end + int(places[count]) if len(places) > count else None
