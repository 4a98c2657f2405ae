"""Find the comments of PBM, PGM and PPM files, and what stands behind their last sample."""

from __future__ import annotations

import numpy as np

from vaezip.pictures.behind import look_behind
from vaezip.pictures.findings import Findings
from vaezip.pictures.pnm.header import COMMENT, PnmHeader, pnm_header


def look_into_pnm(data: bytes, found: Findings) -> None:
    """Name the comments of a PNM file, and look behind its last row.

    Raises:
        ImageError: the file holds several pictures, or its header is damaged.
    """
    header = pnm_header(data)
    if b"#" in data[: header.end]:
        found.drop("comment")
    end = _end_of_plain(data, header, found) if header.plain else header.end + header.raw_bytes
    if end is not None and not data[end:].isspace():
        look_behind(data, end, found)


def _end_of_plain(data: bytes, header: PnmHeader, found: Findings) -> int | None:
    """Return where the first thing behind the last sample begins, None where all is samples.

    Comments become spaces, then the beginnings of numbers are counted: a few passes over the bytes.
    """
    body = COMMENT.sub(lambda comment: b" " * len(comment.group()), data[header.end :])
    if b"#" in data[header.end :]:
        found.drop("comment")
    characters = np.frombuffer(body, np.uint8)
    inside = (characters != 32) & ((characters < 9) | (characters > 13))
    starts = inside.copy()
    if not header.bilevel:  # samples of PBM need no space between them
        starts[1:] &= ~inside[:-1]
    places = np.flatnonzero(starts)
    return header.end + int(places[header.samples]) if len(places) > header.samples else None
