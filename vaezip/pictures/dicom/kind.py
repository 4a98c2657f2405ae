"""Find the frames of a DICOM file, and tell what their samples are.

Samples are kept as they are stored: neither is MONOCHROME1 turned round, nor are Rescale Slope and a window applied.
"""

from __future__ import annotations

from vaezip.errors import ImageError
from vaezip.pictures.dicom.header import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    PIXELS,
    UNDEFINED,
    Header,
    inflated,
    plain_meta,
    read_header,
)
from vaezip.pictures.dicom.palette import palette
from vaezip.pictures.dicom.unpacking import SYNTAXES, unpacked
from vaezip.pictures.exact_kinds import GREY, PALETTE, RGB, Kind, Look, unsupported, way
from vaezip.pictures.picture import damage
from vaezip.pictures.places import Contents, Place
from vaezip.pictures.shell import BITS, MOST

_COLOURS = {"MONOCHROME1": GREY, "MONOCHROME2": GREY, "PALETTE COLOR": PALETTE, "RGB": RGB}
_PLAIN = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN)
_CHANNELS = {GREY: 1, PALETTE: 1, RGB: 3}
_MOST_FRAMES = 1 << 16


def look_at_dicom(data: bytes) -> Contents:
    """Tell what a DICOM file holds, by its header."""
    header = read_header(data)
    if header.syntax not in _PLAIN and header.syntax not in SYNTAXES:
        reason = "which may have lost something; keep the file itself"
        raise ImageError(f"is a DICOM file in {_name(header.syntax)}, {reason}")
    frames = header.integer("NumberOfFrames", 1)
    if not 1 <= frames <= _MOST_FRAMES:
        raise ImageError(f"holds {frames:,} frames, and vaezip reads 1 to {_MOST_FRAMES:,} of a file")
    place = _place(header)
    places = [place] * frames
    if header.syntax in SYNTAXES:
        if header.length != UNDEFINED:
            raise damage("its pixel data are not compressed as it says")
        needs = ("imagecodecs",)
        remarks = (f"form of the samples in the file ({SYNTAXES[header.syntax].name})",)
        return Contents(places, lambda: unpacked(header, place, frames), remarks, needs, "dicom")
    if place.type == BITS and frames > 1 and place.width * place.height % 8:
        raise unsupported("DICOM of frames of bits that begin within a byte", "single frames")
    if place.size * frames > header.length or header.length == UNDEFINED:
        raise damage("its pixel data are shorter than its frames")
    if header.syntax == DEFLATED:
        return Contents(places, lambda: _inflated(data, header, place, frames), ("form of the file (deflated)",))
    return Contents(places, lambda: (data, [header.pixels + i * place.size for i in range(frames)]))


def _place(header: Header) -> Place:
    """Return how the samples of a frame stand, once they do so plainly."""
    width, height = header.integer("Columns"), header.integer("Rows")
    bits = header.integer("BitsAllocated")
    kept = header.integer("BitsStored", bits)
    if width < 1 or height < 1:
        raise damage("it has no width or no height")
    if not 1 <= kept <= bits:
        raise damage("it stores more bits than it has, or none")
    kind = _kind(header, bits)
    way(Look(kind, width, height))
    if bits == 1:
        return Place(kind, width, height, BITS)
    order = "|" if bits == 8 else ">" if header.syntax == BIG_ENDIAN else "<"
    signed = kind.sample == "signed"
    type = f"{order}{'i' if signed else 'u'}{bits // 8}"
    if header.syntax == BIG_ENDIAN and bits == 8 and header.representation == "OW":
        raise unsupported("byte-swapped 8-bit DICOM", "Explicit VR Little Endian")
    planar = kind.colour == RGB and header.integer("PlanarConfiguration", 0) == 1 and header.syntax not in SYNTAXES
    shifts = (0, 1 << kept - 1, 1 << bits - 1) if signed else (0,)
    colours = palette(header) if kind.colour == PALETTE else b""
    return Place(kind, width, height, type, planar, shifts, colours)


def _kind(header: Header, bits: int) -> Kind:
    photometric, channels = header.text("PhotometricInterpretation"), header.integer("SamplesPerPixel", 1)
    if header.syntax in SYNTAXES and photometric == SYNTAXES[header.syntax].as_rgb:
        photometric = "RGB"
    colour = _COLOURS.get(photometric, photometric or "unnamed colour")
    if _CHANNELS.get(colour, channels) != channels:
        raise damage(f"it has {channels} channels and is {photometric}")
    sample = "signed" if header.integer("PixelRepresentation", 0) == 1 and bits > 1 else "unsigned"
    return Kind("DICOM", colour, bits, sample if header.tag == PIXELS else "floating-point")


def _name(syntax: str) -> str:
    """Return what pydicom calls a transfer syntax."""
    from pydicom.uid import UID

    return UID(syntax).name


def _inflated(data: bytes, header: Header, place: Place, frames: int) -> tuple[bytes, list[int]]:
    """Return a file that is deflated as a whole as one that is not, and where its frames begin."""
    most = header.pixels - header.body + place.size * frames + MOST
    body = inflated(data, header.body, most + 1)
    if len(body) > most:
        raise ImageError(f"holds more than {MOST:,} bytes behind its picture")
    meta = plain_meta(header)
    start = len(meta) + header.pixels - header.body
    return meta + body, [start + i * place.size for i in range(frames)]
