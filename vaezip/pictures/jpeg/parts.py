"""Take a JPEG file apart into coefficients and whatever is beside them, and make the same bytes of them again.

A JPEG is a row of segments with the Huffman-coded data of its scans between them (ITU-T T.81, section B). The segments
are kept as they are; the data of a scan follow from the coefficients and the tables in the segments before it, but for
the bits that pad it to whole bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.jpeg import reader, scans, writer
from vaezip.pictures.jpeg.scans import BLOCK, NATURAL_ORDER, OK, ONES, ZEROS, ScanPlan, Tables

_EOI, _SOS = 0xD9, 0xDA
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_OTHER_FRAMES = {
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "hierarchical",
    0xC9: "arithmetic-coded",
    0xCA: "arithmetic-coded",
    0xCB: "arithmetic-coded",
    0xCD: "arithmetic-coded",
    0xCE: "arithmetic-coded",
    0xCF: "arithmetic-coded",
}
_RESTARTS, _WITHOUT_LENGTH = range(0xD0, 0xD8), (0x01, *range(0xD0, 0xD9))

MOST_SCANS = 256
MOST_FACTOR = 4
MOST_SIDE = 65535


class UnfitJpeg(Exception):  # noqa: N818 (no fault of the file: it is kept as it is)
    """A JPEG cannot be taken apart; the message says why."""


@dataclass(frozen=True)
class Component:
    """A component of a JPEG's frame.

    Attributes:
        identifier: its number in the file.
        factors: sampling factors, across and down.
        table: the number of its quantisation table.
        size: blocks down and across, as they are stored: whole MCUs.
        shown: blocks down and across that hold pixels.
        start: the place of its first block among all.
    """

    identifier: int
    factors: tuple[int, int]
    table: int
    size: tuple[int, int]
    shown: tuple[int, int]
    start: int


@dataclass
class JpegFile:
    """A JPEG that was taken apart.

    Attributes:
        pieces: the bytes before, between and behind the data of scans.
        pads: what pads the segments of each scan to bytes: 1 for ones or nothing, 0 for zeros, else the bits behind
            a 1; segments beyond the end of the list are padded with ones.
        fills: how many bytes of 255 stand before the restart markers of each scan; before those beyond the end of the
            list, none.
        size: height, width in pixels.
        components: of the frame.
        quantisation: (components, 64) the steps of each, row by row, as they are at the last scan.
        coefficients: int16 (blocks, 64), row by row; each component's blocks row by row, one component after another.
    """

    pieces: list[bytes]
    pads: list[NDArray[np.uint8]]
    fills: list[NDArray[np.int64]] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    components: list[Component] = field(default_factory=list)
    quantisation: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, BLOCK), np.int64))
    coefficients: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, BLOCK), np.int16))

    def planes(self) -> list[NDArray[np.int16]]:
        """Return the coefficients of each component, (blocks down, blocks across, 64); views."""
        return [
            self.coefficients[c.start : c.start + c.size[0] * c.size[1]].reshape(*c.size, BLOCK)
            for c in self.components
        ]


def parse(data: bytes, max_pixels: int) -> JpegFile:
    """Take a JPEG apart.

    Args:
        data: the file.
        max_pixels: larger pictures are not taken apart.

    Raises:
        UnfitJpeg: it is damaged, or no JPEG of the kinds whose bytes can be made again; nothing is wrong with a file
            that is kept as it is.
    """
    walk = _Walk(max_pixels)
    array = np.frombuffer(data, np.uint8)
    place = 0
    while (end := walk.read_piece(data, place)) is not None:
        if not walk.file.pads:
            walk.file.coefficients = _no_coefficients(walk.file)
        status, behind, pads, fills = reader.decode_scan(
            array, end, plan=walk.plan, tables=walk.tables, coefficients=walk.file.coefficients
        )
        if status != OK:
            raise UnfitJpeg("is damaged")
        walk.file.pieces.append(data[place:end])
        walk.file.pads.append(_listed(pads))
        walk.file.fills.append(np.trim_zeros(fills, "b"))
        place = behind
    walk.file.pieces.append(data[place:])
    return walk.file


def skeleton(
    pieces: list[bytes], pads: list[NDArray[np.uint8]], max_pixels: int, *, fills: list[NDArray[np.int64]] | None = None
) -> JpegFile:
    """Return the file of such pieces, its coefficients all zero; without ``fills`` nothing fills up.

    Raises:
        UnfitJpeg: there is none.
    """
    walk = _Walk(max_pixels)
    for piece in pieces[:-1]:
        if walk.read_piece(piece, 0) != len(piece):
            raise UnfitJpeg("is damaged")
    if walk.frame is None:
        raise UnfitJpeg("is damaged")
    walk.file.pieces, walk.file.pads = pieces, pads
    walk.file.fills = fills or [np.zeros(0, np.int64)] * len(pads)
    walk.file.coefficients = _no_coefficients(walk.file)
    return walk.file


def frame_of(piece: bytes) -> JpegFile:
    """Return the file whose first piece this is, as far as that tells: its size and components.

    Raises:
        UnfitJpeg: there is none.
    """
    walk = _Walk(MOST_SIDE**2)
    if walk.read_piece(piece, 0) != len(piece):
        raise UnfitJpeg("is damaged")
    return walk.file


def coefficient_bytes(file: JpegFile) -> int:
    """Count the memory that the coefficients of a file take, from its components alone."""
    return 2 * BLOCK * sum(c.size[0] * c.size[1] for c in file.components)


def _no_coefficients(file: JpegFile) -> NDArray[np.int16]:
    return np.zeros((coefficient_bytes(file) // (2 * BLOCK), BLOCK), np.int16)


def shape_of(data: bytes) -> tuple[int, int, int] | None:
    """Return the height, width and number of components that the first frame of a JPEG has; None where it has none."""
    for marker, start, end in _segments(data, 0):
        content = data[start:end]
        if marker in (*_SEQUENTIAL, _PROGRESSIVE, *_OTHER_FRAMES) and len(content) >= 6:
            return int.from_bytes(content[1:3], "big"), int.from_bytes(content[3:5], "big"), content[5]
        if marker == _SOS:
            break
    return None


def build(file: JpegFile, length: int) -> bytes:
    """Make the bytes of a JPEG.

    Args:
        file: what :func:`parse` took apart, or such a skeleton with coefficients.
        length: in bytes; it is not exceeded.

    Raises:
        UnfitJpeg: the parts do not belong together.
    """
    out = np.zeros(length + 8, np.uint8)
    walk = _Walk(max(1, file.size[0] * file.size[1]))
    place = 0
    for piece, padding in zip(file.pieces, [*zip(file.pads, file.fills, strict=True), None], strict=True):
        if place + len(piece) > length:
            raise UnfitJpeg("is damaged")
        out[place : place + len(piece)] = np.frombuffer(piece, np.uint8)
        place += len(piece)
        if padding is not None:
            if walk.read_piece(piece, 0) != len(piece):
                raise UnfitJpeg("is damaged")
            status, place = writer.encode_scan(
                out, place, plan=walk.plan, tables=walk.tables, coefficients=file.coefficients, padding=padding
            )
            if status != OK:
                raise UnfitJpeg("is damaged")
    if place != length:
        raise UnfitJpeg("is damaged")
    return out[:length].tobytes()


def _listed(pads: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the padding of each segment, its bits behind a 1, as a file lists it: up to the last that is not ones."""
    is_ones = (pads & (pads + 1)) == 0
    listed = np.where(is_ones, ONES, np.where(pads & (pads - 1), pads, ZEROS)).astype(np.uint8)
    others = np.flatnonzero(~is_ones)
    return listed[: others[-1] + 1] if others.size else listed[:0]


class _Walk:
    """The state of a reader of segments, which is the same while a file is taken apart and made again."""

    def __init__(self, max_pixels: int) -> None:
        self.file = JpegFile([], [])
        self.tables: Tables = scans.standard_tables()
        self.frame: int | None = None
        self.plan: ScanPlan
        self._max_pixels = max_pixels
        self._steps: dict[int, NDArray[np.int64]] = {}
        self._restart = self._scans = 0

    def read_piece(self, data: bytes, place: int) -> int | None:
        """Read segments up to the data of a scan, and return where these begin, or None at the end of the picture."""
        for marker, start, end in _segments(data, place):
            content = data[start:end]
            if marker == _EOI:
                if self.frame is None or not self._scans:
                    raise UnfitJpeg("has no picture")
                return None
            if marker in _OTHER_FRAMES:
                raise UnfitJpeg(f"is {_OTHER_FRAMES[marker]}")
            match marker:
                case 0xC0 | 0xC1 | 0xC2:
                    self._read_frame(marker, content)
                case 0xC4:
                    self._read_huffman(content)
                case 0xDB:
                    self._read_quantisation(content)
                case 0xDD:
                    self._restart = int.from_bytes(_exactly(content, 2), "big")
                case 0xC8 | 0xCC | 0xDC:
                    raise UnfitJpeg("is of a rare kind")
                case 0xDA:
                    self._read_scan(content)
                    return end
        if not self._scans:
            raise UnfitJpeg("has no picture")
        return None  # it ends without a marker

    def _read_huffman(self, content: bytes) -> None:
        while content:
            kind, number, counts = content[0] >> 4, content[0] & 15, content[1:17]
            count = sum(counts)
            if kind > 1 or number > 3 or len(counts) < 16 or count > 256 or len(content) < 17 + count:
                raise UnfitJpeg("is damaged")
            symbols = content[17 : 17 + count]
            if not scans.define_table(self.tables, 4 * kind + number, counts=counts, symbols=symbols):
                raise UnfitJpeg("is damaged")
            content = content[17 + count :]

    def _read_quantisation(self, content: bytes) -> None:
        while content:
            wide, number = content[0] >> 4, content[0] & 15
            length = BLOCK * (1 + wide)
            if wide > 1 or number > 3 or len(content) < 1 + length:
                raise UnfitJpeg("is damaged")
            steps = np.zeros(BLOCK, np.int64)
            steps[NATURAL_ORDER] = np.frombuffer(content[1 : 1 + length], ">u2" if wide else np.uint8)
            self._steps[number] = steps
            content = content[1 + length :]

    def _read_frame(self, marker: int, content: bytes) -> None:
        if self.frame is not None or len(content) < 6:
            raise UnfitJpeg("is damaged")
        if content[0] != 8:
            raise UnfitJpeg(f"has {content[0]} bits a sample")
        height, width = int.from_bytes(content[1:3], "big"), int.from_bytes(content[3:5], "big")
        parts = _exactly(content[6:], 3 * content[5])
        listed = [(parts[i], (parts[i + 1] >> 4, parts[i + 1] & 15), parts[i + 2]) for i in range(0, len(parts), 3)]
        factors = [factor for _, pair, _ in listed for factor in pair]
        if not height or not width or not 1 <= len(listed) <= 4 or len({i for i, _, _ in listed}) < len(listed):
            raise UnfitJpeg("is of a rare kind")
        if not all(1 <= factor <= MOST_FACTOR for factor in factors):
            raise UnfitJpeg("is damaged")
        if height * width > self._max_pixels:
            raise ImageError(f"{height * width} pixels are more than the limit of {self._max_pixels}", "more-pixels")
        self.frame, self.file.size = marker, (height, width)
        most = max(f[0] for _, f, _ in listed), max(f[1] for _, f, _ in listed)
        self._mcus = -(-width // (8 * most[0])), -(-height // (8 * most[1]))
        start = 0
        for identifier, (across, down), table in listed:
            size = self._mcus[1] * down, self._mcus[0] * across
            shown = -(-height * down // (8 * most[1])), -(-width * across // (8 * most[0]))
            self.file.components.append(Component(identifier, (across, down), table, size, shown, start))
            start += size[0] * size[1]
        self.file.quantisation = np.ones((len(listed), BLOCK), np.int64)

    def _read_scan(self, content: bytes) -> None:
        self._scans += 1
        if self.frame is None or self._scans > MOST_SCANS or not content:
            raise UnfitJpeg("is damaged")
        parts = _exactly(content, 4 + 2 * content[0])[1:-3]
        first, last, high, low = (*content[-3:-1], content[-1] >> 4, content[-1] & 15)
        progressive = self.frame == _PROGRESSIVE
        if not progressive:
            first, last, high, low = 0, BLOCK - 1, 0, 0
        if not (0 <= first <= last < BLOCK and high < 14 and low < 14 and (not high or high == low + 1)):
            raise UnfitJpeg("is damaged")
        rows = [self._component(parts[i], parts[i + 1]) for i in range(0, len(parts), 2)]
        if not 1 <= len(rows) <= 4 or (progressive and (first == 0) != (last == 0)) or (first and len(rows) > 1):
            raise UnfitJpeg("is damaged")
        self.plan = ScanPlan(np.array(rows, np.int64), self._mcus, (first, last, high, low), self._restart, progressive)

    def _component(self, identifier: int, tables: int) -> tuple[int, ...]:
        for i, component in enumerate(self.file.components):
            if component.identifier == identifier:
                if component.table not in self._steps or tables >> 4 > 3 or tables & 15 > 3:
                    raise UnfitJpeg("is damaged")
                self.file.quantisation[i] = self._steps[component.table]
                across, down = component.factors
                shown = component.shown[1], component.shown[0]
                return (component.start, component.size[1], *shown, across, down, tables >> 4, tables & 15)
        raise UnfitJpeg("is damaged")


def _segments(data: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end of its content) of each segment from a place on; bytes between segments are passed."""
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 1 >= len(data):
            return
        marker = data[place + 1]
        place += 1 if marker == 0xFF else 2
        if marker in (0x00, 0xFF) or marker in _RESTARTS:
            continue
        if marker in _WITHOUT_LENGTH or marker == _EOI:
            yield marker, place, place
            continue
        end = place + int.from_bytes(data[place : place + 2], "big")
        if end < place + 2 or end > len(data):
            return
        yield marker, place + 2, end
        place = end


def _exactly(content: bytes, length: int) -> bytes:
    if len(content) != length:
        raise UnfitJpeg("is damaged")
    return content
