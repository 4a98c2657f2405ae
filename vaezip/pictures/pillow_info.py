"""Turn what Pillow calls ``info`` into the metadata of a picture, and back."""

from __future__ import annotations

import math
import struct
from contextlib import suppress
from fractions import Fraction
from typing import Any

from PIL import Image

from vaezip.pictures.picture import EXIF_PREFIX, Box, bare_exif, sort_boxes
from vaezip.pictures.resolution import METRE, by_no_unit, per_metre

_INCH = 0.0254
"""The metres of an inch."""


def boxes_of(image: Image.Image, mode: str, info: dict[Any, Any]) -> tuple[Box, ...]:
    """Return what of an image's metadata a picture of a mode can hold: its palette, and those of an info."""
    found = {
        "palette": bytes(image.getpalette("RGB") or []) if mode == "P" else None,
        "transparency": _transparency(info.get("transparency"), mode) or _alpha_of_palette(image, mode),
        "icc": info.get("icc_profile"),
        "exif": _exif(info.get("exif")),
        "xmp": info.get("xmp"),
        "resolution": _resolution(info),
    }
    return sort_boxes(
        [(name, data.encode() if isinstance(data, str) else bytes(data)) for name, data in found.items() if data]
    )


def info_of(boxes: tuple[Box, ...], mode: str) -> dict[Any, Any]:
    """Return the metadata of a picture of a mode by the names, and in the forms, that Pillow gives those of a PNG."""
    info: dict[Any, Any] = {}
    for name, data in boxes:
        match name:
            case "transparency":
                info["transparency"] = _as_transparency(data, mode)
            case "icc":
                info["icc_profile"] = data
            case "exif":
                info["exif"] = EXIF_PREFIX + data
            case "xmp":
                info["xmp"] = data
            case "resolution":
                info.update(_as_resolution(data))
    return info


def _exif(value: Any) -> bytes | None:
    data = value.tobytes() if isinstance(value, Image.Exif) else value
    return bare_exif(data) if data else None


def _transparency(value: object, mode: str) -> bytes | None:
    """Return what Pillow calls the transparency as PNG has it."""
    match value:
        case bytes() if mode == "P":
            return value
        case int() if mode == "P":
            return b"\xff" * value + b"\0"
        case int() if mode in ("1", "L", "I;16"):
            return value.to_bytes(2, "big")
        case (int(), int(), int()) if mode == "RGB":
            return b"".join(int(part).to_bytes(2, "big") for part in value)
    return None


def _alpha_of_palette(image: Image.Image, mode: str) -> bytes | None:
    """Return the alpha of the colours of a palette that has some, as of an image that Pillow made from RGBA."""
    if mode != "P" or image.im.getpalettemode() != "RGBA":
        return None
    return bytes(image.getpalette("RGBA") or [])[3::4].rstrip(b"\xff")


def _as_transparency(data: bytes, mode: str) -> Any:
    """Invert :func:`_transparency`."""
    if mode == "P":
        return len(data) - 1 if data == b"\xff" * (len(data) - 1) + b"\0" else data
    parts = struct.unpack(f">{len(data) // 2}H", data)
    return parts if mode == "RGB" else parts[0]


def _resolution(info: dict[Any, Any]) -> bytes | None:
    """Return the box of a resolution, or of the shape of a pixel; None where there is none that a box can hold."""
    with suppress(ArithmeticError, TypeError, ValueError):  # whatever somebody has put there
        if "dpi" in info:
            across, down = (Fraction(math.floor(float(value) / _INCH + 0.5)) for value in info["dpi"])
            return per_metre(across, down)
        if "aspect" in info:
            return by_no_unit(*(Fraction(value) for value in info["aspect"]))
    return None


def _as_resolution(data: bytes) -> dict[str, Any]:
    across, down, unit = struct.unpack(">IIB", data)
    return {"dpi": (across * _INCH, down * _INCH)} if unit == METRE else {"aspect": (across, down)}
