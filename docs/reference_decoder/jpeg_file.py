"""Chapter 12: a JPEG file, put together from pieces, padding and coefficients."""

import zlib
from dataclasses import dataclass, field

import numpy as np

from .coefficients import Plane, decode_planes
from .cost import check_jpeg_work
from .jpeg_dictionary import ZIGZAG, dictionary, standard
from .primitives import Reader, inflate, require
from .stack import Stack

MOST_SCANS = 256
MOST_FIRST = 2**26 - 2**12
MOST_RUN, MOST_WAITING = 0x7FFF, 937
DAMAGED = "the parts of a JPEG do not belong together"


@dataclass
class Component:
    """Hold a component of the frame (section 12.4): its numbers, and coefficients (blocks down, across, 64)."""

    identifier: int
    factors: tuple[int, int]
    table: int
    shown: tuple[int, int]
    blocks: np.ndarray
    steps: list[int] = field(default_factory=lambda: [1] * 64)  # row by row, at the component's last scan


@dataclass
class Scan:
    """Hold what section 12.4 reads of a scan: components with their tables of DC and AC, the band, the bits."""

    components: list[tuple[Component, int, int]]
    first: int
    last: int
    high: int
    low: int


@dataclass
class JpegFile:
    """Read pieces one by one, and keep what stays from one to the next."""

    pieces: list[bytes]
    pads: list[bytes]
    fills: list[list[int]] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    progressive: bool = False
    mcus: tuple[int, int] = (0, 0)
    restart: int = 0
    pixels: int = 0
    codes: dict[tuple[int, int], dict[int, str]] = field(default_factory=lambda: standard_codes())
    steps: dict[int, list[int]] = field(default_factory=dict)

    def read_piece(self, piece: bytes) -> Scan:
        """Read the segments of a piece, the last of which begins a scan (section 12.4)."""
        place = 0
        while True:
            place = piece.find(b"\xff", place)
            require(0 <= place < len(piece) - 1, DAMAGED)
            marker = piece[place + 1]
            place += 1 if marker == 0xFF else 2
            if marker in (0x00, 0x01, 0xD8, 0xFF, *range(0xD0, 0xD8)):
                continue
            end = place + int.from_bytes(piece[place : place + 2], "big")
            require(place + 2 <= end <= len(piece), DAMAGED)
            content = Reader(piece[place + 2 : end])
            place = end
            if marker == 0xC4:
                self.read_huffman(content)
            elif marker == 0xDB:
                self.read_steps(content)
            elif marker in (0xC0, 0xC1, 0xC2):
                self.read_frame(content, marker == 0xC2)
            elif marker == 0xDD:
                self.restart = big(content, 2)
                content.end()
            elif marker == 0xDA:
                require(end == len(piece), DAMAGED)
                return self.read_scan(content)
            else:
                require(marker not in (0xCC, 0xD9, 0xDC) and not 0xC3 <= marker <= 0xCF, DAMAGED)

    def read_huffman(self, content: Reader) -> None:
        """Read Huffman tables (section 12.4)."""
        while content.left():
            kind, number = divmod(content.number(1), 16)
            require(kind <= 1 and number <= 3, DAMAGED)
            counts = content.take(16)
            require(sum(counts) <= 256, DAMAGED)
            self.codes[kind, number] = codes_of(counts, content.take(sum(counts)))

    def read_steps(self, content: Reader) -> None:
        """Read quantisation tables (section 12.4)."""
        while content.left():
            wide, number = divmod(content.number(1), 16)
            require(wide <= 1 and number <= 3, DAMAGED)
            self.steps[number] = [0] * 64
            for place in ZIGZAG:
                self.steps[number][place] = big(content, 1 + wide)

    def read_frame(self, content: Reader, progressive: bool) -> None:
        """Read the header of the frame, and make its components with coefficients of 0 (section 12.4)."""
        require(not self.components, DAMAGED)
        bits, height, width, count = (big(content, n) for n in (1, 2, 2, 1))
        require(bits == 8 and height > 0 and width > 0 and 1 <= count <= 4, DAMAGED)
        listed = [(content.number(1), divmod(content.number(1), 16), content.number(1)) for _ in range(count)]
        content.end()
        require(len({identifier for identifier, _, _ in listed}) == count, DAMAGED)
        require(all(1 <= factor <= 4 for _, factors, _ in listed for factor in factors), DAMAGED)
        across, down = (max(factors[i] for _, factors, _ in listed) for i in (0, 1))
        self.progressive, self.pixels = progressive, height * width
        self.mcus = -(-width // (8 * across)), -(-height // (8 * down))
        for identifier, (h, v), table in listed:
            shown = -(-width * h // (8 * across)), -(-height * v // (8 * down))
            blocks = np.zeros((self.mcus[1] * v, self.mcus[0] * h, 64), np.int64)
            self.components.append(Component(identifier, (h, v), table, shown, blocks))

    def read_scan(self, content: Reader) -> Scan:
        """Read the header of a scan (section 12.4)."""
        count = content.number(1)
        require(1 <= count <= 4 and self.components, DAMAGED)
        components = []
        for _ in range(count):
            identifier, tables = content.number(1), content.number(1)
            found = [c for c in self.components if c.identifier == identifier]
            require(found and found[0].table in self.steps and tables >> 4 <= 3 and tables & 15 <= 3, DAMAGED)
            found[0].steps = self.steps[found[0].table]
            components.append((found[0], tables >> 4, tables & 15))
        first, last = content.number(1), content.number(1)
        high, low = divmod(content.number(1), 16)
        content.end()
        if not self.progressive:
            return Scan(components, 0, 63, 0, 0)
        require(first <= last < 64 and high < 14 and low < 14 and high in (0, low + 1), DAMAGED)
        require((first == 0) == (last == 0) and (first == 0 or count == 1), DAMAGED)
        return Scan(components, first, last, high, low)


class ScanWriter:
    """Write the data of a scan (section 12.5)."""

    def __init__(self, file: JpegFile, scan: Scan, pads: bytes, fills: list[int]) -> None:
        """Take the state of the file after the header of the scan, and what pads and fills the scan's segments."""
        self.file, self.scan, self.pads, self.fills = file, scan, Reader(pads), fills
        self.out = bytearray()
        self.bits: list[str] = []
        self.begin()

    def begin(self) -> None:
        """Begin a segment: predictions are 0, and no run is open."""
        self.predictions = [0] * 4
        self.run = 0
        self.waiting = ""

    def write(self) -> bytes:
        """Write all blocks of the scan in their order."""
        components = self.scan.components
        alone = len(components) == 1
        across, down = components[0][0].shown if alone else self.file.mcus
        for mcu in range(across * down):
            if self.file.restart and mcu and mcu % self.file.restart == 0:
                self.end_segment()
                i = mcu // self.file.restart - 1
                self.out += b"\xff" * (self.fills[i] if i < len(self.fills) else 0)
                self.out += bytes([0xFF, 0xD0 + i % 8])
                self.begin()
            y, x = divmod(mcu, across)
            for i, (component, dc, ac) in enumerate(components):
                h, v = (1, 1) if alone else component.factors
                for row in range(y * v, y * v + v):
                    for column in range(x * h, x * h + h):
                        block = component.blocks[row, column].tolist()
                        self.block([block[place] for place in ZIGZAG], i, dc, ac)
        self.end_segment()
        return bytes(self.out)

    def block(self, block: list[int], i: int, dc: int, ac: int) -> None:
        """Write one block, whose coefficients are in zigzag order."""
        scan = self.scan
        self.ac = ac
        if not self.file.progressive:
            self.dc_first(block[0], i, dc)
            self.ac_sequential(block)
        elif scan.first == 0 and scan.high:
            self.bits.append(str(block[0] >> scan.low & 1))
        elif scan.first == 0:
            self.dc_first(block[0] >> scan.low, i, dc)
        elif scan.high:
            self.ac_refined(block)
        else:
            self.ac_first(block)

    def code(self, symbol: int, kind: int, number: int) -> None:
        """Write the code of a symbol."""
        table = self.file.codes.get((kind, number), {})
        require(symbol in table, DAMAGED)
        self.bits.append(table[symbol])

    def dc_first(self, value: int, i: int, dc: int) -> None:
        """Write the difference to the prediction."""
        difference, self.predictions[i] = value - self.predictions[i], value
        self.code(abs(difference).bit_length(), 0, dc)
        self.bits.append(number_bits(difference))

    def value(self, value: int, run: int) -> None:
        """Write the zeros before a coefficient, and the coefficient."""
        size = min(abs(value).bit_length(), 15)
        self.code(run << 4 | size, 1, self.ac)
        self.bits.append(number_bits(value))

    def ac_sequential(self, block: list[int]) -> None:
        """Write coefficients 1 to 63."""
        run = 0
        for value in block[1:]:
            if value == 0:
                run += 1
                continue
            for _ in range(run // 16):
                self.code(0xF0, 1, self.ac)
            self.value(value, run % 16)
            run = 0
        if run:
            self.code(0x00, 1, self.ac)

    def ac_first(self, block: list[int]) -> None:
        """Write the upper bits of a band of coefficients."""
        run = 0
        for value in block[self.scan.first : self.scan.last + 1]:
            value = abs(value) >> self.scan.low if value >= 0 else -(abs(value) >> self.scan.low)
            if value == 0:
                run += 1
                continue
            self.end_run()
            for _ in range(run // 16):
                self.code(0xF0, 1, self.ac)
            self.value(value, run % 16)
            run = 0
        if run:
            self.add_to_run("")

    def ac_refined(self, block: list[int]) -> None:
        """Write the next bit of a band of coefficients."""
        band = block[self.scan.first : self.scan.last + 1]
        sizes = [abs(value) >> self.scan.low for value in band]
        newest = max((k for k, size in enumerate(sizes) if size == 1), default=-1)
        run, corrections = 0, ""
        for k, size in enumerate(sizes):
            if size == 0:
                run += 1
                continue
            while run > 15 and k <= newest:
                self.end_run()
                self.code(0xF0, 1, self.ac)
                self.bits.append(corrections)
                run, corrections = run - 16, ""
            if size > 1:
                corrections += str(size & 1)
                continue
            self.end_run()
            self.code(run << 4 | 1, 1, self.ac)
            self.bits.append(("1" if band[k] > 0 else "0") + corrections)
            run, corrections = 0, ""
        if run or corrections:
            self.add_to_run(corrections)

    def add_to_run(self, corrections: str) -> None:
        """Add a block to the run of blocks without further coefficients."""
        self.run += 1
        self.waiting += corrections
        if self.run == MOST_RUN or len(self.waiting) > MOST_WAITING:
            self.end_run()

    def end_run(self) -> None:
        """Write the run, and the correction bits of its blocks."""
        if self.run:
            size = self.run.bit_length() - 1
            self.code(size << 4, 1, self.ac)
            self.bits.append(f"{self.run:b}"[1:])
        self.bits.append(self.waiting)
        self.run, self.waiting = 0, ""

    def end_segment(self) -> None:
        """Pad the bits of a segment to bytes, and write these."""
        self.end_run()
        bits = "".join(self.bits)
        count = -len(bits) % 8
        pad = self.pads.number(1) if self.pads.left() else 1
        if pad > 1:
            require(pad.bit_length() == count + 1, DAMAGED)
            bits += f"{pad:b}"[1:]
        else:
            bits += str(pad) * count
        data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        self.out += data.replace(b"\xff", b"\xff\0")
        self.bits = []


def codes_of(counts: bytes, symbols: bytes) -> dict[int, str]:
    """Give a code to each symbol (T.81, annex C)."""
    code, place, table = 0, 0, {}
    for length, count in enumerate(counts, 1):
        for symbol in symbols[place : place + count]:
            table[symbol] = f"{code:0{length}b}"
            code += 1
        place += count
        require(code <= 1 << length, DAMAGED)
        code *= 2
    return table


def standard_codes() -> dict[tuple[int, int], dict[int, str]]:
    """Give the codes that a file has which defines none."""
    return {(kind, number): codes_of(*standard(kind, number)) for kind in (0, 1) for number in (0, 1)}


def big(content: Reader, count: int) -> int:
    """Read a big-endian number."""
    return int.from_bytes(content.take(count), "big")


def number_bits(value: int) -> str:
    """Return the bits of a number of as many bits as its magnitude has; those of a negative one are inverted."""
    size = abs(value).bit_length()
    return f"{value if value > 0 else value + (1 << size) - 1:0{size}b}" if size else ""


def read_head(reader: Reader, length: int) -> JpegFile:
    """Read the pieces and the padding of a file of a length (sections 12.1 and 12.3)."""
    data = inflate(reader.take(reader.varint()), 2 * length + 16 * MOST_SCANS, raw=True, dictionary=dictionary())
    head = Reader(data)
    count = head.varint()
    require(2 <= count <= MOST_SCANS + 1, DAMAGED)
    lengths = [head.varint() for _ in range(count)]
    require(lengths[0] <= MOST_FIRST, DAMAGED)
    pieces = [head.take(length) for length in lengths]
    pads = [head.take(head.varint()) for _ in pieces[1:]]
    fills = [[head.varint() for _ in range(head.varint())] for _ in pads] if head.left() else []
    require(all(sum(row) <= length for row in fills), DAMAGED)
    head.end()
    return JpegFile(pieces, pads, fills)


def with_frame(file: JpegFile) -> JpegFile:
    """Read all pieces, so that the components are known, with coefficients of 0."""
    for piece in file.pieces[:-1]:
        file.read_piece(piece)
    return file


def build(file: JpegFile) -> bytes:
    """Put the file together from pieces, padding, and the coefficients of the components."""
    again = JpegFile(file.pieces, file.pads)
    out = bytearray()
    for piece, pads, fills in zip(file.pieces[:-1], file.pads, file.fills or [[]] * len(file.pads), strict=True):
        scan = again.read_piece(piece)
        for component, known in zip(again.components, file.components, strict=True):
            component.blocks = known.blocks
        out += piece + ScanWriter(again, scan, pads, fills).write()
    return bytes(out + file.pieces[-1])


def decode_file(payload: bytes, length: int) -> tuple[bytes, int]:
    """Decode the file of a JPEG block, and its checksum (section 12.1)."""
    reader = Reader(payload)
    file = with_frame(read_head(reader, length))
    sizes = [component.blocks.shape[:2] for component in file.components]
    check_jpeg_work(sizes, len(file.pads), length, file.pixels)
    before = zlib.crc32(payload[: reader.position])
    stack = Stack(reader.rest())
    planes = [Plane(*component.blocks.shape[:2], component.factors) for component in file.components]
    decode_planes(stack, planes, [np.array(component.steps) for component in file.components])
    for component, plane in zip(file.components, planes, strict=True):
        component.blocks = plane.blocks
    data = build(file)
    require(len(data) == length, "a JPEG has another length than its file")
    return data, stack.seed() ^ before
