"""Decode frames that a DICOM file compresses without loss, and put a file together in which they stand plainly."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.dicom.header import PHOTOMETRIC, PLANAR, Header, plain_meta
from vaezip.pictures.exact_kinds import GREY, RGB, library
from vaezip.pictures.jpeg2000.kind import look_at_jpeg2000
from vaezip.pictures.picture import damage
from vaezip.pictures.places import Place

Size = tuple[int, int, int]


class Syntax(NamedTuple):
    """Say how frames are compressed.

    Attributes:
        name: of the transfer syntax.
        decoder: of imagecodecs.
        size: returns width, height and channels of a frame; None where the decoder is told how much there is.
        as_rgb: the photometric interpretation of which the decoder makes RGB.
    """

    name: str
    decoder: str
    size: Callable[[bytes], Size] | None
    as_rgb: str = ""


def _size_of_jpeg(frame: bytes) -> Size:
    """Return the size that the header of a lossless JPEG or JPEG-LS tells."""
    place = 2
    while place + 10 <= len(frame) and frame[place] == 0xFF:
        marker, length, _, height, width, channels = struct.unpack_from(">xBHBHHB", frame, place)
        if marker in (0xC3, 0xF7):
            return width, height, channels
        place += 2 + length
    raise damage("a frame of it is no lossless JPEG")


def _size_of_jpeg2000(frame: bytes) -> Size:
    look = look_at_jpeg2000(frame)
    return look.width, look.height, {GREY: 1, RGB: 3}.get(look.kind.colour, 0)


_UID = "1.2.840.10008.1.2."
SYNTAXES = {
    f"{_UID}5": Syntax("RLE Lossless", "dicomrle_decode", None),
    f"{_UID}4.57": Syntax("JPEG Lossless", "jpegsof3_decode", _size_of_jpeg),
    f"{_UID}4.70": Syntax("JPEG Lossless", "jpegsof3_decode", _size_of_jpeg),
    f"{_UID}4.80": Syntax("JPEG-LS Lossless", "jpegls_decode", _size_of_jpeg),
    f"{_UID}4.90": Syntax("JPEG 2000 Lossless", "jpeg2k_decode", _size_of_jpeg2000, "YBR_RCT"),
}
"""The transfer syntaxes that compress without loss, and that imagecodecs decodes exactly."""

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_MOST_FRAGMENTS = 1 << 20


def unpacked(header: Header, place: Place, frames: int) -> tuple[bytes, list[int]]:
    """Return the file with samples that stand plainly, and where those of each frame begin."""
    codestreams, behind = _codestreams(header, frames)
    samples = [_decoded(frame, header, place) for frame in codestreams]
    length = place.size * frames
    if length + 1 >= 1 << 32:
        raise ImageError("has more samples than a DICOM file that is not compressed can hold")
    kind = b"OB" if place.type[1:] == "u1" else b"OW"
    head = plain_meta(header) + _plain_head(header)
    head += struct.pack("<HH2sxxI", 0x7FE0, 0x0010, kind, length + length % 2)
    starts = [len(head) + i * place.size for i in range(frames)]
    return b"".join([head, *samples, b"\0" * (length % 2), behind]), starts


def _plain_head(header: Header) -> bytes:
    """Return the data set before the pixel data, with the colours and the order of channels that decoders give."""
    data = bytearray(header.data[: header.end])
    if header.text("PhotometricInterpretation") == SYNTAXES[header.syntax].as_rgb:
        start, length = header.places[PHOTOMETRIC]
        data[start : start + length] = b"RGB".ljust(length)
    if PLANAR in header.places:
        start, length = header.places[PLANAR]
        data[start : start + length] = bytes(length)
    return bytes(data[header.body :])


def _codestreams(header: Header, frames: int) -> tuple[list[bytes], bytes]:
    """Return the compressed frames, and what stands behind them."""
    from pydicom.encaps import generate_frames

    place, data = header.pixels, header.data
    for _ in range(_MOST_FRAGMENTS):
        tag, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8 + length
        if tag == _END or tag != _ITEM or place > len(data):
            break
    if tag != _END or length or place > len(data):
        raise damage("its pixel data have no end")
    found = list(generate_frames(io.BytesIO(data[header.pixels : place]), number_of_frames=frames))
    if len(found) != frames:
        raise damage(f"it has {len(found)} frames and tells of {frames}")
    return found, data[place:]


def _decoded(frame: bytes, header: Header, place: Place) -> bytes:
    """Return the samples of a frame as they stand plainly."""
    syntax = SYNTAXES[header.syntax]
    decode = getattr(library("imagecodecs", place.kind, "dicom"), syntax.decoder)
    channels = 3 if place.kind.colour == RGB else 1
    if syntax.size is None:
        return _decoded_runs(frame, decode, place, channels)
    if syntax.size(frame) != (place.width, place.height, channels):
        raise damage("a frame has another size than the header tells")
    found = np.asarray(decode(frame))
    if found.size != place.width * place.height * channels or found.shape[:2] != (place.height, place.width):
        raise damage("a frame has another number of samples than the header tells")
    return _as_stored(found, header, place).tobytes()


def _decoded_runs(frame: bytes, decode: Callable[..., Any], place: Place, channels: int) -> bytes:
    """Return the samples of a frame of runs; the decoder gives whole channels where pixels have several."""
    found = np.frombuffer(decode(frame, place.type, out=bytearray(place.size)), place.type)
    if found.nbytes != place.size:
        raise damage("a frame has another number of samples than the header tells")
    return np.moveaxis(found.reshape(channels, -1), 0, -1).tobytes()


def _as_stored(found: NDArray[Any], header: Header, place: Place) -> NDArray[Any]:
    """Return decoded samples in the type in which they stand plainly, negative ones with the sign that they lost."""
    bits = header.integer("BitsStored", place.kind.bits)
    if place.kind.sample == "signed" and found.dtype.kind == "u":
        sign = 1 << bits - 1
        if found.max() >= 2 * sign:
            raise damage(f"a sample has more than {bits} bits")
        found = (found.astype(np.int64) ^ sign) - sign
    stored = found.astype(place.type)
    if not np.array_equal(stored, found):
        raise damage("a sample has more bits than the header tells")
    return stored
