"""Cut an animated PNG into PNGs of one frame each, and put frames together."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from vaezip.pictures.picture import Picture, damage
from vaezip.pictures.png.chunks import PNG_SIGNATURE, Chunk, Header, check_sound, chunks, encoded, read_header
from vaezip.pictures.png.pixels import write_png
from vaezip.pictures.sequences.frame import CHUNK, HIDDEN, PNG, Frame, InexactError

_CONTROL = struct.Struct(">5I2H2B")
_OWN = (b"acTL", b"fcTL", b"fdAT")
_OF_ALL = frozenset({b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP", b"mDCV", b"cLLI", b"pHYs"})
"""The chunks that say what samples mean, and so belong to every frame; others stay with the first."""


class _Piece(NamedTuple):
    """A frame under way: its control chunk, None of a hidden picture, and its compressed pixels."""

    control: bytes | None
    data: list[bytes]


def split(data: bytes) -> Iterator[tuple[bytes, Frame]]:
    """Yield each frame as a PNG of its own, as large as the part of the whole that it covers.

    Raises:
        ImageError: the animation is damaged.
    """
    header, loops, before, behind, pieces, end = _read(data)
    for number, piece in enumerate(pieces):
        shown = header if piece.control is None else header._replace(**_size(piece.control))
        others = before if not number else [c for c in before if bytes(c[4:8]) in _OF_ALL]
        rest = [b"".join(behind), data[end:]] if not number else [b"", b""]
        pixels = encoded(b"IDAT", b"".join(piece.data))
        yield (
            b"".join([PNG_SIGNATURE, shown.chunk(), *others, pixels, rest[0], encoded(b"IEND", b""), rest[1]]),
            _frame(header, loops, piece.control),
        )


def _read(data: bytes) -> tuple[Header, int, list[bytes], list[bytes], list[_Piece], int]:
    """Sort the chunks: header, loops, those before and behind all pixels, the frames, and where the PNG ends."""
    parts = chunks(data)
    header, loops = read_header(next(parts)), 0
    before: list[bytes] = []
    behind: list[bytes] = []
    pieces: list[_Piece] = []
    end = 0
    for chunk in parts:
        end = chunk.end
        if chunk.name in _OWN or chunk.name == b"IDAT":
            check_sound(chunk)
        if chunk.name == b"acTL":
            loops = _integer(chunk, 4)
        elif chunk.name == b"fcTL":
            if len(chunk.data) != _CONTROL.size:
                raise damage("the chunk fcTL has a wrong length")
            pieces.append(_Piece(bytes(chunk.data), []))
        elif chunk.name == b"IDAT":
            if not pieces:
                pieces.append(_Piece(None, []))
            pieces[0].data.append(bytes(chunk.data))
        elif chunk.name == b"fdAT":
            if not pieces or pieces[-1].control is None:
                raise damage("the chunk fdAT stands before its fcTL")
            pieces[-1].data.append(bytes(chunk.data[4:]))
        elif chunk.name != b"IEND":
            (behind if pieces and pieces[0].data else before).append(encoded(chunk.name, bytes(chunk.data)))
    if not pieces or not all(piece.data for piece in pieces):
        raise damage("a frame of the animation has no pixels")
    return header, loops, before, behind, pieces, end


def _integer(chunk: Chunk, place: int) -> int:
    if len(chunk.data) != 8:
        raise damage("the chunk acTL has a wrong length")
    return int.from_bytes(chunk.data[place : place + 4], "big")


def _size(control: bytes) -> dict[str, int]:
    _, width, height, *_ = _CONTROL.unpack(control)
    if not width or not height or max(width, height) >= 1 << 31:
        raise damage("a frame of the animation has no pixels")
    return {"width": width, "height": height}


def _frame(header: Header, loops: int, control: bytes | None) -> Frame:
    if control is None:
        return Frame(PNG, header.width, header.height, disposal=HIDDEN, loops=loops)
    _, _, _, x, y, above, below, disposal, blending = _CONTROL.unpack(control)
    return Frame(PNG, header.width, header.height, x, y, (above, below), disposal, blending, loops)


def join(pictures: Sequence[Picture], frames: Sequence[Frame]) -> bytes:
    """Return an animated PNG of frames.

    Raises:
        InexactError: they have different modes, colours or bits.
    """
    files = [[chunk for chunk in chunks(write_png(picture)) if chunk.name != CHUNK] for picture in pictures]
    headers = [read_header(file[0]) for file in files]
    first, shown = frames[0], [frame for frame in frames if frame.disposal != HIDDEN]
    if (headers[0].width, headers[0].height) != (first.width, first.height):
        raise InexactError("the first frame does not cover the animation, as that of an animated PNG must")
    for header, file in zip(headers[1:], files[1:]):
        if header[2:] != headers[0][2:] or _meaning(file) != _meaning(files[0]):
            raise InexactError("the frames of an animated PNG have one mode and one palette, and these have others")
    parts, number = [headers[0].chunk(), encoded(b"acTL", struct.pack(">II", len(shown), first.loops))], 0
    place = next(i for i, chunk in enumerate(files[0]) if chunk.name == b"IDAT")
    parts += _copied(files[0][1:place])
    for i, (header, frame, file) in enumerate(zip(headers, frames, files)):
        if frame.disposal != HIDDEN:
            fields = header.width, header.height, frame.x, frame.y, *frame.delay, frame.disposal, frame.blending
            parts.append(encoded(b"fcTL", _CONTROL.pack(number, *fields)))
            number += 1
        for chunk in file:
            if chunk.name == b"IDAT" and not i:
                parts.append(encoded(b"IDAT", bytes(chunk.data)))
            elif chunk.name == b"IDAT":
                parts.append(encoded(b"fdAT", struct.pack(">I", number) + bytes(chunk.data)))
                number += 1
    behind = (chunk for chunk in files[0][place:] if chunk.name not in (b"IDAT", b"IEND"))
    return b"".join([PNG_SIGNATURE, *parts, *_copied(behind), encoded(b"IEND", b"")])


def _meaning(file: Iterable[Chunk]) -> list[tuple[bytes, bytes]]:
    return [(chunk.name, bytes(chunk.data)) for chunk in file if chunk.name in _OF_ALL]


def _copied(found: Iterable[Chunk]) -> list[bytes]:
    return [encoded(chunk.name, bytes(chunk.data)) for chunk in found]
