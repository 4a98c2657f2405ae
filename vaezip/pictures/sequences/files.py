"""Files of several pictures to pictures with their frames, and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO

from vaezip.errors import ImageError, SeveralError
from vaezip.pictures import io
from vaezip.pictures.formats import BY_SUFFIX, format_name
from vaezip.pictures.picture import DEFAULT_MAX_PIXELS, Picture, check_size, same
from vaezip.pictures.pillow import decoding
from vaezip.pictures.sequences import apng, gif, tiff
from vaezip.pictures.sequences.frame import (
    DICOM,
    FITS,
    NAMES,
    NUMBERS,
    TIFF,
    Frame,
    InexactError,
    frame_of,
    with_frame,
    without_frame,
)
from vaezip.pictures.shell import file_of
from vaezip.pictures.stored import is_stored, pages

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

_FORMATS = {suffix: NUMBERS[format.name] for suffix, format in BY_SUFFIX.items() if suffix in _JOINS or format.own}

_DELAY = "delay"
"""What a reader of single pictures names as dropped, and a frame keeps."""


def read_all(
    source: str | os.PathLike[str] | bytes | IO[bytes], max_pixels: int = DEFAULT_MAX_PIXELS
) -> dict[str, Picture]:
    """Read every picture in a file: the frames of an animation, the pages of a TIFF, DICOM or FITS, or the one picture.

    Several have names that tell their order, ``"0001.png"`` and so on, and each keeps in a chunk ``vzFr`` where it lies
    and how long it is shown, from which :func:`write_all` makes the animation again. A picture alone is called ``""``.

    Raises:
        ImageError: one of them cannot be read, or they have more than ``max_pixels`` pixels together.
    """
    data = io.file_bytes(source, max_pixels)
    split = _SPLITS.get(format_name(data) or "")
    if split is None and not is_stored(data):
        return {"": io.read(data, max_pixels)}
    try:
        return {"": io.read(data, max_pixels)}
    except SeveralError:
        with decoding():
            parts = _read(split(data), max_pixels) if split else pages(data, max_pixels)
            found = _numbered([with_frame(picture, frame) for picture, frame in parts])
        if len(found) < 2:
            raise
        return found


def _read(parts: Iterable[tuple[bytes, Frame]], max_pixels: int) -> Iterator[tuple[Picture, Frame]]:
    """Read files of single pictures."""
    pixels = size = 0
    for file, frame in parts:
        size += len(file)
        if size > _MOST_BYTES:
            raise ImageError("holds too many pictures for its size; save them singly")
        picture = io.read(file, max_pixels)
        height, width, _ = picture.samples.shape
        pixels += height * width
        check_size(pixels, 1, max_pixels)
        dropped = tuple(name for name in picture.dropped if name != _DELAY)
        is_page = frame.format == TIFF
        yield replace(picture, dropped=dropped), frame._replace(width=width, height=height) if is_page else frame


def _numbered(found: Sequence[Picture]) -> dict[str, Picture]:
    """Name pictures by their order."""
    frame, digits = frame_of(found[0].boxes) if found else None, max(4, len(str(len(found))))
    suffix = ".tif" if frame and frame.format == TIFF else ".png"
    return {f"{i + 1:0{digits}}{suffix}": picture for i, picture in enumerate(found)}


def can_write(path: str | os.PathLike[str]) -> bool:
    """Tell whether the suffix of a path is that of a format that holds several pictures."""
    return os.path.splitext(path)[1].lower() in _FORMATS


def write_all(pictures: Mapping[str, Picture], suffix: str) -> bytes:
    """Return one file of pictures that :func:`read_all` gave, in the order of their names.

    The suffix, such as ``".gif"``, ``".png"``, ``".tif"`` or ``".dcm"``, is that of the format that they came from.
    What is written is read again and compared, but for DICOM and FITS, of which the bytes are put together.

    Raises:
        ImageError: the format cannot hold them exactly, or is another.
    """
    ordered = [pictures[name] for name in sorted(pictures)]
    frames = [frame_of(picture.boxes) for picture in ordered]
    known = [frame for frame in frames if frame is not None]
    if len(known) < len(ordered):
        raise InexactError("not every picture tells its place in the animation")
    format = _FORMATS.get(suffix.lower())
    if format is None or not known:
        raise InexactError(f"'{suffix}' is no format of several pictures that vaezip writes")
    other = next((frame for frame in known if frame.format != format), None)
    if other:
        raise InexactError(f"the pictures come from a {NAMES[other.format]}, and '{suffix}' is another format")
    bare = [without_frame(picture) for picture in ordered]
    if suffix.lower() not in _JOINS:
        return file_of(bare, format)
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
    if known[0].format in (TIFF, DICOM, FITS):
        return f"the {len(known):,} pages of a {NAMES[known[0].format]}"
    seconds = sum(frame.seconds for frame in known)
    return f"an animated {NAMES[known[0].format]} of {len(known):,} frames, {seconds:.2f} s"
