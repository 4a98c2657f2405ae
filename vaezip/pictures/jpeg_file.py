"""Walk the markers of a JPEG: what its samples are, and what shows that its scans are damaged.

A JPEG has no checksum, and libjpeg goes on after damage with a warning that Pillow does not pass on. What can be seen
without a sample is seen here: a process that Pillow does not know, a scan that ends without a marker, restart markers
that are missing, too many, or out of order, Huffman codes that cannot be, and an end that is missing.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import ImageError
from vaezip.pictures.exact_kinds import GREY, RGB, Kind, Look, unsupported
from vaezip.pictures.jpeg_scan import Scan, check_interval, huffman_table
from vaezip.pictures.picture import damage

_SOI, _EOI, _SOS, _DRI, _DHT = 0xD8, 0xD9, 0xDA, 0xDD, 0xC4
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_DECODED = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
"""Baseline, extended and progressive, by Huffman codes or arithmetic coding."""

_HUFFMAN = {0xC0, 0xC1, 0xC2}
_PROGRESSIVE = 0xC2

_MOST_SCANS = 500  # each may cost as much as the whole picture, in a dozen bytes

_COLOURS = {1: GREY, 3: RGB, 4: "CMYK"}
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)


class _Frame(NamedTuple):
    """Hold what a frame header says; the components by their numbers, each with its sampling factors."""

    process: int
    bits: int
    width: int
    height: int
    components: dict[int, tuple[int, int]]


class _Walk:
    """Walk through the markers of one JPEG."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.frame: _Frame | None = None
        self.interval = 0
        self.scanned: set[int] = set()
        self.tables: dict[int, NDArray[np.uint16]] = {}  # four of DC, four of AC
        self.scans: list[tuple[Scan, list[slice], dict[int, NDArray[np.uint16]]]] = []
        self.steps: list[int] = []

    def go(self) -> None:
        """Walk from SOI to EOI.

        Raises:
            ImageError: there is damage.
        """
        at = 2
        while True:
            found = _MARKER.match(self.data, at)
            if len(self.scans) > _MOST_SCANS:
                raise ImageError(f"has more than {_MOST_SCANS} scans, which no camera or program writes")
            if not found:
                raise damage("it ends without a marker" if at >= len(self.data) else "a marker is missing")
            marker, at = found[1][0], found.end()
            if marker == _EOI:
                break
            at = self._segment(marker, at)
        if self.frame is None or self.scanned != set(self.frame.components):
            raise damage("some of its scans are missing")

    def _segment(self, marker: int, at: int) -> int:
        """Take a segment, and the scan behind it, and return where the next marker stands."""
        if marker in (0x01, _SOI) or 0xD0 <= marker <= 0xD7:
            raise damage(f"the marker {marker:02X} stands where it cannot")
        length = int.from_bytes(self.data[at : at + 2], "big")
        body = self.data[at + 2 : at + length]
        if length < 2 or len(body) < length - 2:
            raise damage("it ends early")
        if marker in _FRAMES:
            if self.frame:
                raise damage("it has two frame headers")
            self.frame = _frame(marker, body)
        elif marker == _DRI and len(body) >= 2:
            self.interval = int.from_bytes(body[:2], "big")
        elif marker == _DHT:
            self._take_tables(body)
        elif marker == _SOS:
            return self._scan(body, at + length)
        return at + length

    def _take_tables(self, body: bytes) -> None:
        at = 0
        while at + 17 <= len(body):
            lengths = body[at + 1 : at + 17]
            self.tables[(body[at] & 3) + (body[at] >> 4 & 1) * 4] = huffman_table(
                lengths, body[at + 17 : at + 17 + sum(lengths)]
            )
            at += 17 + sum(lengths)

    def _scan(self, body: bytes, at: int) -> int:
        """Check a scan, and return where the marker behind it stands."""
        if self.frame is None or not body or len(body) < 4 + 2 * body[0]:
            raise damage("a scan has no frame header")
        components = [body[1 + 2 * index] for index in range(body[0])]
        if not components or not set(components) <= set(self.frame.components):
            raise damage("a scan is of no component")
        self.scanned |= set(components)
        intervals = self._intervals(at)
        units = _units(self.frame, components)
        expected = -(-units[1] // self.interval) if self.interval else 1
        if len(intervals) == expected + 1 and intervals[-1].start == intervals[-1].stop:
            end = intervals.pop().stop  # some programs write a restart marker behind the last interval, too
        else:
            end = intervals[-1].stop
        if len(intervals) != expected:
            raise damage(f"a scan has {len(intervals) - 1} restart markers in the place of {expected - 1}")
        if self.frame.process in _HUFFMAN and self.frame.bits == 8:
            self.scans.append((_scan(self.frame, body, units), intervals, dict(self.tables)))
            self.steps.append(self.interval or units[1])
        return end

    def _intervals(self, at: int) -> list[slice]:
        """Return where the codes between the restart markers of a scan stand."""
        intervals: list[slice] = []
        for found in _MARKER.finditer(self.data, at):
            intervals.append(slice(at, found.start()))
            if not 0xD0 <= found[1][0] <= 0xD7:
                return intervals
            if found[1][0] != 0xD0 + (len(intervals) - 1) % 8:
                raise damage("a restart marker is out of order")
            at = found.end()
        raise damage("it ends within a scan")

    def check_codes(self) -> None:
        """Refuse the picture where the Huffman codes of a scan show damage."""
        assert self.frame is not None
        is_progressive = self.frame.process == _PROGRESSIVE
        blocks = sum(across * down for across, down in _grid(self.frame).values()) if is_progressive else 1
        nonzero = np.zeros((blocks, 64), np.uint8)
        for (scan, intervals, known), step in zip(self.scans, self.steps):
            needed = {*scan.layout[:, 2].tolist()} if scan.band[0] == 0 else set()
            needed |= {4 + table for table in scan.layout[:, 3].tolist()} if scan.band[1] else set()
            if not needed <= set(known):
                return  # libjpeg takes the standard tables
            tables = np.zeros((8, 1 << 16), np.uint16)
            for index in needed:
                tables[index] = known[index]
            for index, place in enumerate(intervals):
                units = index * step, min((index + 1) * step, scan.units[1])
                check_interval(self.data[place], units, scan, tables=tables, nonzero=nonzero)


def _scan(frame: _Frame, body: bytes, units: tuple[int, int]) -> Scan:
    """Return what the scan header and the frame header say about a scan."""
    count, progressive = body[0], frame.process == _PROGRESSIVE
    grid, first, firsts = _grid(frame), 0, {}
    for number, (across, down) in grid.items():
        firsts[number], first = first, first + across * down
    rows = []
    for index in range(count):
        number, table = body[1 + 2 * index], body[2 + 2 * index]
        across, down = frame.components[number] if count > 1 else (1, 1)
        place = firsts[number] if progressive else 0
        rows.append((across, down, table >> 4 & 3, table & 3, grid[number][0] if progressive else 0, place))
    start, end, bits = body[1 + 2 * count : 4 + 2 * count]
    if not progressive:
        start, end, bits = 0, 63, 0
    if start > end or end > 63 or (start == 0) != (end == 0 or not progressive) or (start and count > 1):
        raise damage("a scan has a band that cannot be")
    return Scan(np.array(rows, np.int64), units, (start, end, bits >> 4, bits & 15), progressive)


def _grid(frame: _Frame) -> dict[int, tuple[int, int]]:
    """Return the blocks of each component across and down, whole units of a scan of all components."""
    most = _most(frame)
    across, down = -(-frame.width // (8 * most[0])), -(-frame.height // (8 * most[1]))
    return {number: (across * x, down * y) for number, (x, y) in frame.components.items()}


def _frame(marker: int, body: bytes) -> _Frame:
    try:
        bits, height, width, count = struct.unpack_from(">BHHB", body)
        rows = [struct.unpack_from(">BB", body, 6 + 3 * index) for index in range(count)]
    except struct.error as error:
        raise damage("its frame header is not whole") from error
    components = {number: (factors >> 4, factors & 15) for number, factors in rows}
    if not width or not height or len(components) != count or not all(x and y for x, y in components.values()):
        raise damage("its frame header cannot be")
    return _Frame(marker, bits, width, height, components)


def _most(frame: _Frame) -> tuple[int, int]:
    """Return the greatest sampling factors."""
    return max(x for x, _ in frame.components.values()), max(y for _, y in frame.components.values())


def _units(frame: _Frame, components: list[int]) -> tuple[int, int]:
    """Return the minimum coded units of a scan, in a row and in all."""
    most = _most(frame)
    if len(components) > 1:
        across, down = -(-frame.width // (8 * most[0])), -(-frame.height // (8 * most[1]))
    else:
        factors = frame.components[components[0]]
        across = -(-frame.width * factors[0] // (8 * most[0]))
        down = -(-frame.height * factors[1] // (8 * most[1]))
    return across, across * down


def check_jpeg(data: bytes, max_pixels: int) -> None:
    """Refuse a JPEG that is a part of another file, where its markers or codes show damage."""
    walk = _Walk(data)
    walk.go()
    if walk.frame is None or walk.frame.width * walk.frame.height > max_pixels:
        raise damage("a strip or tile of it is too large")
    walk.check_codes()


def look_at_jpeg(data: bytes) -> Look:
    """Tell what a JPEG holds, by its frame header, and refuse one whose markers show damage."""
    walk = _Walk(data)
    walk.go()
    frame = walk.frame
    assert frame is not None
    if frame.process not in _DECODED:
        raise unsupported("lossless or hierarchical JPEG", "PNG")
    kind = Kind("JPEG", _COLOURS.get(len(frame.components), "multi-channel"), frame.bits)
    return Look(kind, frame.width, frame.height, check=walk.check_codes)
