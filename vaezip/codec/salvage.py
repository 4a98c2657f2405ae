"""Make the most of a picture of which something is lost: some of its bands, or its palette."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from vaezip.codec import metadata
from vaezip.codec.blocks import Samples
from vaezip.errors import FormatError, IncompleteError, VaezipError
from vaezip.models.kinds import BILEVEL_GREY, MODE_NAMES, VERBATIM, channels, dtype
from vaezip.pictures.picture import Picture
from vaezip.vz.records import Group


def part(group: Group, index: int, bands: Sequence[Future[Samples]]) -> IncompleteError | None:
    """Return the bands of a picture that are left, with zeros in the place of the others; None where none is."""
    mode = MODE_NAMES[group.mode]
    if len(bands) < 2 or mode == VERBATIM:
        return None
    samples = np.zeros((group.height, group.width, channels(mode)), dtype(mode))
    lost = []
    for i, band in enumerate(bands):
        first, end = i * group.band, min((i + 1) * group.band, group.height)
        try:
            samples[first:end] = band.result()[0]
        except VaezipError:
            lost.append((first, end))
    if len(lost) == len(bands):
        return None
    ranges = ", ".join(f"{first} to {end - 1}" for first, end in _merged(lost))
    return _incomplete(group, index, samples, f"its rows {ranges} are lost, and zero")


def without_boxes(group: Group, index: int, samples: Samples) -> IncompleteError:
    """Return a picture whose boxes are lost or do not fit, as the samples alone."""
    return _incomplete(group, index, samples, "its metadata is lost", ())


def _incomplete(
    group: Group, index: int, samples: Samples, reason: str, kept: tuple[tuple[int, bytes], ...] | None = None
) -> IncompleteError:
    mode = MODE_NAMES[group.mode]
    try:
        boxes = metadata.named(group.boxes[index] if kept is None else kept)
    except FormatError:
        boxes, reason = (), reason + "; its metadata is lost"
    if mode == BILEVEL_GREY:
        mode, samples = "L", samples * np.uint8(255)
    if mode == "P" and not any(name == "palette" for name, _ in boxes):
        mode, boxes = "L", ()
        reason += "; without a palette its indices are written as grey"
    return IncompleteError(reason, Picture(mode, np.ascontiguousarray(samples), boxes))


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged = ranges[:1]
    for first, end in ranges[1:]:
        if first == merged[-1][1]:
            merged[-1] = merged[-1][0], end
        else:
            merged.append((first, end))
    return merged
