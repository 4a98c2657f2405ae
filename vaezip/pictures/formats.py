"""The formats that pictures are written in: what each of them holds exactly, and what it loses."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from vaezip.errors import ImageError
from vaezip.pictures.picture import BOXES, MODES, Picture

ORIENTATION = 0x0112


# description, maker, model, orientation, software, date, artist, computer, copyright
PLAIN_TAGS = frozenset({0x010E, 0x010F, 0x0110, ORIENTATION, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298})


# Writing


class Format(NamedTuple):
    """A format to write: its name for Pillow, the modes it gives back exactly, and the boxes it keeps."""

    format: str
    modes: tuple[str, ...]
    boxes: tuple[str, ...]


_TIFF = Format("TIFF", ("1", "L", "LA", "RGB", "RGBA", "P", "I;16"), ("palette", "icc", "exif", "xmp", "resolution"))

FORMATS = {
    ".png": Format("PNG", tuple(MODES), BOXES),
    ".webp": Format("WEBP", ("RGB", "RGBA"), ("icc", "exif", "xmp")),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": Format("BMP", ("1", "L", "RGB"), ("resolution",)),
    ".ppm": Format("PPM", ("RGB",), ()),
    ".pgm": Format("PPM", ("L", "I;16"), ()),
    ".pbm": Format("PPM", ("1",), ()),
}

_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".j2k", ".jpx", ".heic", ".heif", ".avif")


def check_suffix(suffix: str) -> None:
    """Raises :class:`ImageError` unless pictures can be written losslessly under that suffix."""
    name = suffix.lower()
    if name in _LOSSY:
        raise ImageError(f"'{name}' is lossy; choose .png")
    if name not in FORMATS:
        raise ImageError(f"'{name}' is not a picture format vaezip writes; choose .png")


def check_held(picture: Picture, suffix: str) -> None:
    """Refuse a picture that the format of a suffix cannot hold exactly."""
    container = FORMATS[suffix]
    if picture.mode not in container.modes:
        raise ImageError(f"'{suffix}' cannot hold {picture.mode} pictures exactly; choose .png")
    if "transparency" not in container.boxes and picture.box("transparency") is not None:
        raise ImageError(f"'{suffix}' cannot hold a transparent colour; choose .png")
    if suffix == ".webp" and picture.mode == "RGBA" and picture.samples[..., 3].min() == 255:
        raise ImageError("'.webp' cannot hold an alpha channel that is opaque everywhere; choose .png")


def lost(picture: Picture, suffix: str) -> tuple[str, ...]:
    """The kinds of boxes that :func:`write` does not keep, or only a part of each, in a file of that suffix."""
    container = FORMATS[suffix.lower()]
    names = [name for name, data in picture.boxes if name not in container.boxes or _is_cut(name, data, container)]
    return tuple(dict.fromkeys(names))


def _is_cut(name: str, data: bytes, container: Format) -> bool:
    """Whether a format that has such a box keeps only a part of this one."""
    if name == "resolution":
        return container.format != "PNG" and data[8] != 1
    if name == "exif" and container is _TIFF:
        exif = Image.Exif()
        exif.load(data)
        return not set(exif) <= PLAIN_TAGS
    return False
