"""Files of several pictures to pictures with their frames, and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from vaezip.errors import ImageError
from vaezip.pictures import io
from vaezip.pictures.formats import format_name
from vaezip.pictures.picture import Picture, check_size, same
from vaezip.pictures.sequences import apng, gif, tiff
from vaezip.pictures.sequences.frame import (
    GIF,
    NAMES,
    PNG,
    TIFF,
    Frame,
    InexactError,
    frame_of,
    with_frame,
    without_frame,
)

Split = Callable[[bytes], Iterator[tuple[bytes, Frame]]]
Join = Callable[[Sequence[Picture], Sequence[Frame]], bytes]

_SPLITS: dict[str, Split] = {"GIF": gif.split, "PNG": apng.split, "TIFF": tiff.split}
_JOINS: dict[str, Join] = {
    ".gif": gif.join,
    ".png": apng.join,
    ".apng": apng.join,
    ".tif": tiff.join,
    ".tiff": tiff.join,
}
_MOST_BYTES = 1 << 37
"""All files of single pictures together that one file is taken apart into: a hostile one would share what is large."""

_FORMATS = {".gif": GIF, ".png": PNG, ".apng": PNG, ".tif": TIFF, ".tiff": TIFF}

_DELAY = "delay"
"""What a reader of single pictures names as dropped, and a frame keeps."""


def is_sequence(data: bytes) -> bool:
    """Tell whether a file of a format that can be taken apart holds several pictures."""
    split = _SPLITS.get(format_name(data) or "")
    if split is None:
        return False
    try:
        return sum(1 for _, _ in zip(split(data), range(2))) > 1
    except ImageError:
        return False


def read_all(data: bytes, max_pixels: int) -> dict[str, Picture]:
    """Read all pictures of a file, by names that tell their order, each with its frame.

    Raises:
        ImageError: one of them cannot be read, or they have more than ``max_pixels`` pixels together.
    """
    found: list[Picture] = []
    pixels = size = 0
    suffix = ".png"
    for file, frame in _SPLITS[format_name(data) or ""](data):
        size += len(file)
        if size > _MOST_BYTES:
            raise ImageError("holds too many pictures for its size; save them singly")
        picture = io.read(file, max_pixels)
        height, width, _ = picture.samples.shape
        pixels += height * width
        check_size(pixels, 1, max_pixels)
        if frame.format == TIFF:
            frame, suffix = frame._replace(width=width, height=height), ".tif"
        dropped = tuple(name for name in picture.dropped if name != _DELAY)
        found.append(with_frame(replace(picture, dropped=dropped), frame))
    digits = max(4, len(str(len(found))))
    return {f"{i + 1:0{digits}}{suffix}": picture for i, picture in enumerate(found)}


def can_write(path: str | os.PathLike[str]) -> bool:
    """Tell whether the suffix of a path is that of a format that holds several pictures."""
    return os.path.splitext(path)[1].lower() in _JOINS


def write_all(pictures: Mapping[str, Picture], suffix: str) -> bytes:
    """Return one file of all pictures, in the order of their names.

    :func:`read_all` gives the same pictures back.

    Raises:
        InexactError: the format cannot hold them so.
    """
    ordered = [pictures[name] for name in sorted(pictures)]
    frames = [frame_of(picture.boxes) for picture in ordered]
    known = [frame for frame in frames if frame is not None]
    if len(known) < len(ordered):
        raise InexactError("not every picture tells its place in the animation")
    format = _FORMATS[suffix.lower()]
    other = next((frame for frame in known if frame.format != format), None)
    if other:
        raise InexactError(f"the pictures come from a {NAMES[other.format]}, and '{suffix}' is another format")
    bare = [without_frame(picture) for picture in ordered]
    data = _JOINS[suffix.lower()](bare, known)
    again = [without_frame(picture) for picture in read_all(data, sum(p.samples.size for p in bare)).values()]
    if len(again) != len(bare) or not all(map(same, bare, again)):
        raise InexactError(f"a file '{suffix}' of them would not give the same pictures and metadata back")
    return data


def describe(boxes_of_all: Sequence[tuple[tuple[str, bytes], ...]]) -> str | None:
    """Word what a set is, by the boxes of all its pictures: an animation with its time, or pages; None if neither."""
    frames = [frame_of(boxes) for boxes in boxes_of_all]
    known = [frame for frame in frames if frame is not None]
    if not known or len(known) < len(frames) or len({frame.format for frame in known}) > 1:
        return None
    if known[0].format == TIFF:
        return f"the {len(known):,} pages of a TIFF"
    seconds = sum(frame.seconds for frame in known)
    return f"an animated {NAMES[known[0].format]} of {len(known):,} frames, {seconds:.2f} s"
