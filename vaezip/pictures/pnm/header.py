"""Read the headers of PBM, PGM and PPM files, in which comments may stand anywhere."""

from __future__ import annotations

import re
from typing import NamedTuple

from vaezip.pictures.exact_kinds import unsupported
from vaezip.pictures.picture import damage

_TOKEN = re.compile(rb"(?:[ \t\n\v\f\r]|#[^\n\r]*(?:[\n\r]|$))*([0-9]+)")
_OTHERS = {b"P7": "PAM", b"Pf": "floating-point PFM", b"PF": "floating-point PFM"}
_SPACE = b" \t\n\v\f\r"
_BILEVEL = (1, 4)

COMMENT = re.compile(rb"#[^\n\r]*")
"""A comment without the end of its line."""


class PnmHeader(NamedTuple):
    """Hold the header of a PNM file: the digit behind its P, its sizes, its greatest value, and where it ends."""

    digit: int
    width: int
    height: int
    greatest: int
    end: int

    @property
    def bilevel(self) -> bool:
        """Tell whether the samples are black and white."""
        return self.digit in _BILEVEL

    @property
    def plain(self) -> bool:
        """Tell whether the samples are written as decimal numbers."""
        return self.digit < 4

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return 3 if self.digit in (3, 6) else 1

    @property
    def samples(self) -> int:
        """Return the number of samples of the picture."""
        return self.height * self.width * self.channels

    @property
    def raw_bytes(self) -> int:
        """Return the bytes of all rows that are not plain."""
        if self.bilevel:
            return self.height * -(-self.width // 8)
        return self.samples * (1 if self.greatest < 256 else 2)


def pnm_header(data: bytes) -> PnmHeader:
    """Read the header of a PNM file. One white space ends it, which may be that behind a comment.

    Raises:
        ImageError: it is not whole, has numbers that cannot be, or is that of a PAM or PFM.
    """
    if data[:2] in _OTHERS:
        raise unsupported(_OTHERS[data[:2]], "PNG")
    digit, numbers, end = data[1] - ord("0"), [], 2
    for _ in range(2 if digit in _BILEVEL else 3):
        if not (found := _TOKEN.match(data, end)):
            raise damage("its header is not whole")
        numbers.append(int(found[1][:20]))
        end = found.end()
    width, height, greatest = (*numbers, 1)[:3]
    if width < 1 or height < 1 or not 1 <= greatest <= 65535:
        raise damage("its header has a size or a greatest value that cannot be")
    if comment := COMMENT.match(data, end):  # it may touch the last number
        end = comment.end()
    if end < len(data) and data[end] not in _SPACE:
        raise damage("its header is not whole")
    return PnmHeader(digit, width, height, greatest, end + 1)
