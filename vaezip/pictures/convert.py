"""Take as a picture whatever people have one in: files, arrays, images of Pillow; and give it back as those."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaezip.errors import ImageError
from vaezip.pictures import io
from vaezip.pictures.picture import MODES, Picture, as_samples
from vaezip.pictures.pillow import decoding, to_pillow
from vaezip.pictures.pillow_info import boxes_of, info_of

PictureLike: TypeAlias = Union[
    Picture, str, "os.PathLike[str]", bytes, bytearray, memoryview, "IO[bytes]", NDArray[Any], Image.Image
]
"""What :func:`as_picture` takes."""

TAKEN = (
    "a Picture, the path or the bytes of a picture file, an array of bool, uint8 or uint16 with the shape "
    "(height, width) or (height, width, channels), or a PIL image"
)

_CHANNEL_MODES: dict[np.dtype[Any], tuple[str, ...]] = {
    np.dtype(np.bool_): ("1",),
    np.dtype(np.uint8): ("L", "LA", "RGB", "RGBA"),
    np.dtype(np.uint16): ("I;16", "LA;16", "RGB;16", "RGBA;16"),
}
"""The modes of arrays by their type and, less one, their channels."""


PILLOW_MODES = ("1", "L", "LA", "RGB", "RGBA", "P", "I;16")
"""The modes of pictures that Pillow has, too."""


def as_picture(source: PictureLike) -> tuple[Picture, bytes | None]:
    """Return the picture in whatever may hold one, and the bytes of its file where it comes in one.

    Raises:
        ImageError: it is none of :data:`PictureLike`, or cannot be represented exactly.
    """
    match source:
        case Picture():
            return source, source.original
        case np.ndarray():
            return _of_array(source), None
        case Image.Image():
            if getattr(source, "n_frames", 1) > 1:
                raise ImageError("the PIL image holds several pictures; give a copy of one frame")
            return of_pillow(source), None
    data = file_of(source)
    if data is None:
        raise ImageError(f"a picture must be {TAKEN}; this is of the type {type(source).__name__}")
    return io.read(data), data


def file_of(source: PictureLike | None) -> bytes | None:
    """Return the bytes of the file that a picture comes in, or came in; None where there is none.

    Raises:
        ImageError: it cannot be read.
    """
    if isinstance(source, Picture):
        return source.original
    return io.file_bytes(source) if _is_file(source) else None  # type: ignore[arg-type]


def named(pictures: PictureLike | Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the pairs of name and picture of a set, or the name "" with a picture alone.

    Raises:
        ImageError: it is neither.
    """
    if isinstance(pictures, (Picture, np.ndarray, Image.Image)) or _is_file(pictures):
        yield "", pictures
        return
    pairs: Any = pictures.items() if isinstance(pictures, Mapping) else pictures
    try:
        pairs = iter(pairs)
    except TypeError:
        what = type(pictures).__name__
        raise ImageError(f"give {TAKEN}; or pairs of name and such a picture; this is of the type {what}") from None
    for pair in pairs:
        if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ImageError("a set must be pairs (name, picture), or a dictionary of pictures by name")
        yield pair


def _is_file(source: object) -> bool:
    return isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(source, "read")


def _of_array(array: NDArray[Any]) -> Picture:
    channels = 1 if array.ndim == 2 else array.shape[-1]
    modes = _CHANNEL_MODES.get(array.dtype.newbyteorder("="), ())
    if not array.size or array.ndim not in (2, 3) or not 0 < channels <= len(modes):
        raise ImageError(f"a picture must be {TAKEN}; this is an array of {array.dtype} with the shape {array.shape}")
    return Picture(modes[channels - 1], as_samples(array, modes[channels - 1]))


def of_pillow(image: Image.Image, info: dict[Any, Any] | None = None) -> Picture:
    """Represent an image of Pillow, or its frame of the moment, with what of its metadata a box can hold.

    Args:
        image: is decoded where it is not yet.
        info: metadata in the place of ``image.info``.

    Raises:
        ImageError: no picture has its mode, or it cannot be decoded.
    """
    with decoding():
        mode = "I;16" if image.mode in ("I;16L", "I;16B") else image.mode
        if mode not in PILLOW_MODES:
            modes = ", ".join(PILLOW_MODES)
            raise ImageError(f"PIL images of mode {image.mode} are not supported; convert it to one of {modes}")
        samples = as_samples(np.array(image), mode)
        return Picture(mode, samples, boxes_of(image, mode, image.info if info is None else info))


def to_pil(picture: Picture) -> Image.Image:
    """Invert :func:`of_pillow`.

    Raises:
        ImageError: Pillow has no such mode.
    """
    if picture.mode not in PILLOW_MODES:
        raise ImageError(f"Pillow has no mode for {picture.mode} pictures; np.asarray gives their samples")
    image = to_pillow(picture)
    image.info.update(info_of(picture.boxes, picture.mode))
    return image


def to_array(picture: Picture) -> NDArray[Any]:
    """Return what a picture shows, in the shape that :func:`as_picture` takes.

    That is (height, width) of one channel, and else (height, width, channels); bool of black and white. Indices become
    the colours of their palette, with alpha where some are transparent; one transparent colour of other modes is left
    out.
    """
    samples = picture.samples
    if picture.mode == "1":
        return samples[..., 0].astype(np.bool_)
    if picture.mode == "P":
        return _colours(picture)[samples[..., 0]]
    return samples[..., 0] if MODES[picture.mode].channels == 1 else samples


def _colours(picture: Picture) -> NDArray[np.uint8]:
    """Return the palette, as (256, 3), or (256, 4) with alpha; an index beyond it means black."""
    palette, alpha = picture.box("palette") or b"", picture.box("transparency")
    colours = np.zeros((256, 3 if alpha is None else 4), np.uint8)
    colours[: len(palette) // 3, :3] = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    if alpha is not None:
        colours[:, 3] = 255
        colours[: len(alpha), 3] = np.frombuffer(alpha, np.uint8)
    return colours
