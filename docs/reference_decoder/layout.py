"""Chapter 1: the bytes of a file, and `decode`, which reads them all."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .graphics import decode_palette
from .limits import LONGEST_MODEL_NAME, LONGEST_NAME, MOST_MODELS, Budget, check_name
from .model_file import Model, find_model, load_models
from .modes import BLACK_AND_WHITE, COPY, MODES, PALETTE, ROWS
from .payload import NO_MODEL, decode_block
from .primitives import FormatError, Reader, require, unpack

VERSION, REVISION = 5, 9
SIGNATURE = b"z\r\n"
FIRST_BYTES = 6
GREATEST_SIDE = 1 << 30
BOX_TAGS = {
    0: "palette",
    1: "transparency",
    2: "icc",
    3: "exif",
    4: "xmp",
    5: "text",
    6: "resolution",
    7: "gamma",
    8: "cicp",
    9: "mastering-display",
    10: "light-levels",
    11: "srgb",
    12: "chromaticities",
    13: "significant-bits",
    14: "png-chunk",
    15: "bit-depth",
}
BOX_SIZES = {
    "resolution": 9,
    "gamma": 4,
    "cicp": 4,
    "mastering-display": 24,
    "light-levels": 8,
    "srgb": 1,
    "chromaticities": 32,
}
GREATEST_BOX = 1 << 26
OWN_CHUNKS = {b"bKGD", b"hIST", b"pCAL", b"sCAL", b"sPLT", b"sTER", b"tIME"}
CHUNKS_OF_OTHER_BOXES = {b"pHYs", b"eXIf", b"tEXt", b"zTXt", b"iTXt"}
MODEL_NAME = 255
CODED_PALETTE, COUNTED_PALETTE = 254, 253
INDEX_MARK = b"\xf5i\n"
FIRST_TIME, LAST_TIME = -62_135_596_800, 253_402_300_799  # the years 1 to 9999


@dataclass
class Picture:
    """Hold a decoded picture: mode, samples (height, width, channels), boxes (tag, content), and its time."""

    mode: str
    samples: np.ndarray
    boxes: list[tuple[int, bytes]]
    time: int | None = None


@dataclass
class Group:
    """Hold what the file says of pictures of one mode and size, and the payloads of their blocks."""

    mode: int
    height: int
    width: int
    per_block: int
    band: int
    names: list[str]
    blocks: list[tuple[bytes, bytes]] = field(default_factory=list)  # fingerprint, payload
    boxes: list[list[tuple[int, bytes]]] = field(default_factory=list)
    crc: int = 0  # of the header, in an inline file
    times: list[int | None] = field(default_factory=list)  # seconds since 1970; empty where the file tells none

    def shapes(self) -> list[tuple[int, int]]:
        """List the number of pictures and of rows of each block."""
        count = len(self.names)
        rows = [min(self.band, self.height - y) for y in range(0, self.height, self.band)]
        pictures = [min(self.per_block, count - i) for i in range(0, count, self.per_block)]
        return [(n, h) for n in pictures for h in rows]


def decode(data: bytes, models: Path | dict[bytes, Model]) -> dict[str, Picture]:
    """Decode all pictures of a file; models are a folder of model files, or models by their fingerprints."""
    known = dict(models) if isinstance(models, dict) else load_models(models)
    if read_flags(data) & 1:
        groups, embedded = read_archive(data)
        known.update(embedded)
    else:
        groups = [read_inline(data, known)]
    result: dict[str, Picture] = {}
    for group in groups:
        result.update(decode_group(group, known))
    return {name: copied(picture, result) for name, picture in result.items()}


def copied(picture: Picture, decoded: dict[str, Picture]) -> Picture:
    """Return what a copy equals, with its own boxes and time; other pictures as they are (section 1.4)."""
    if picture.mode != MODES[COPY].name:
        return picture
    try:
        original = decoded.get(picture.samples.tobytes().decode())
    except UnicodeDecodeError as error:
        raise FormatError("a copy names no picture") from error
    require(original is not None and original.mode != picture.mode, "the original of a copy is not there")
    number = next(i for i, mode in enumerate(MODES) if mode.name == original.mode)
    samples = with_palette(original.samples, picture.boxes)
    check_boxes(number, picture.boxes)
    return Picture(original.mode, samples, picture.boxes, picture.time)


def with_palette(samples: np.ndarray, boxes: list[tuple[int, bytes]]) -> np.ndarray:
    """Decode the palette among the boxes (section 1.5), and return the samples as indices of it."""
    tag = boxes[0][0] if boxes else 0
    if tag not in (CODED_PALETTE, COUNTED_PALETTE):
        return samples
    palette = decode_palette(boxes[0][1])
    if tag == COUNTED_PALETTE:
        samples, palette = counted(samples, palette)
    boxes[0] = 0, palette
    return samples


def counted(indices: np.ndarray, palette: bytes) -> tuple[np.ndarray, bytes]:
    """Put the colours of a counted palette in their order (section 15.10), and rename the indices."""
    colours = [palette[i : i + 3] for i in range(0, len(palette), 3)]
    require(indices.dtype == np.uint8 and int(indices.max()) < len(colours), "a counted palette lacks a colour")
    pixels = [int(np.count_nonzero(indices == i)) for i in range(len(colours))]
    order = sorted(range(len(colours)), key=lambda i: (pixels[i], colours[i][::-1], -i), reverse=True)
    places = np.array([order.index(i) for i in range(len(colours))], np.uint8)
    return places[indices], b"".join(colours[i] for i in order)


def read_flags(data: bytes) -> int:
    """Check the first bytes (section 1.1), and return the flags."""
    require(data[1:4] == SIGNATURE and data[0] >> 4 == 15, "this is not a .vz file")
    version = data[0] & 15
    require(version >= VERSION, f"format version {version} of .vz is not read any more")
    require(version == VERSION, f"format version {version} of .vz is not known")
    require(len(data) >= FIRST_BYTES, "the file ends within its first bytes")
    require(data[4] == REVISION, f"revision {data[4]} of the draft of format {VERSION} is not read")
    return data[5]


def decode_group(group: Group, models: dict[bytes, Model]) -> dict[str, Picture]:
    """Decode the pictures of a group."""
    mode = MODES[group.mode]
    parts = []
    for (fingerprint, payload), (n, h) in zip(group.blocks, group.shapes(), strict=True):
        require(group.mode not in ROWS or fingerprint == NO_MODEL, "no model file codes files")
        parts.append(decode_block(payload, group.mode, (n, h, group.width), fingerprint, models, group.crc))
    samples = np.concatenate([part.reshape(-1, group.width, mode.channels) for part in parts])
    samples = samples.reshape(len(group.names), group.height, group.width, mode.channels)
    if group.mode == BLACK_AND_WHITE:
        samples = samples * np.uint8(255)
    for i, boxes in enumerate(group.boxes):
        if group.mode != COPY:  # whose boxes are those of another mode
            samples[i] = with_palette(samples[i], boxes)
            check_boxes(group.mode, boxes)
    times = group.times or [None] * len(group.names)
    return {
        name: Picture(mode.name, picture, boxes, time)
        for name, picture, boxes, time in zip(group.names, samples, group.boxes, times, strict=True)
    }


def check_model_name(name: bytes) -> None:
    """Refuse the name of a model, which nothing else is done with."""
    require(len(name) <= LONGEST_MODEL_NAME, "the name of a model is too long")
    try:
        name.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the name of a model is not UTF-8") from error


def read_inline(data: bytes, models: dict[bytes, Model]) -> Group:
    """Read an inline file: one picture, one block (section 1.2)."""
    reader = Reader(data, FIRST_BYTES)
    flags = data[FIRST_BYTES - 1]
    require(flags & 8 == 0, "unknown flags")
    mode = flags >> 4
    require(mode < len(MODES) and mode != COPY, "unknown mode")
    fingerprint = reader.take(4)
    if flags & 2:
        require(fingerprint != NO_MODEL, "a block without a model has no tile size")
        height, width = find_model(models, fingerprint).tile
    else:
        height, width = reader.varint(), reader.varint()
    boxes = []
    budget = Budget(len(data))
    if flags & 4:
        inner = Reader(unpack(reader.take(reader.varint())))
        while inner.left():
            tag = inner.number(1)
            boxes.append((tag, inner.take(inner.varint())))
            budget.take("pieces of metadata", 1)
        if boxes and boxes[-1][0] == MODEL_NAME:
            check_model_name(boxes.pop()[1])
    budget.take_boxes(boxes)
    crc = zlib.crc32(data[: reader.position])
    group = Group(mode, height, width, 1, height, [""], [(fingerprint, reader.rest())], [boxes], crc)
    check_size(group)
    return group


def read_archive(data: bytes) -> tuple[list[Group], dict[bytes, Model]]:
    """Read an archive (section 1.3): its groups with their payloads, and the models embedded in it."""
    flags = data[FIRST_BYTES - 1]
    require(flags & 0xF0 == 0, "unknown flags")
    require(len(data) >= FIRST_BYTES + 8, "the archive is too short")
    end = len(data) - 8
    checksum, length = (int.from_bytes(data[i : i + 4], "little") for i in (end, end + 4))
    require(FIRST_BYTES + length <= end, "the directory is longer than the file")
    packed = data[end - length : end]
    require(zlib.crc32(packed) == checksum, "the directory is damaged")
    reader = Reader(unpack(packed))
    budget = Budget(len(data))
    payloads = Payloads(data[: end - length], FIRST_BYTES)
    if flags & 8:
        payloads.indices = [[reader.varint(), reader.varint()] for _ in range(reader.entries())]
        require(all(blocks > 0 for blocks, _ in payloads.indices), "an index has no block")
    fingerprints = []
    for _ in range(reader.entries(MOST_MODELS)):
        fingerprints.append(reader.take(4))
        reader.text(LONGEST_MODEL_NAME)
    contents = [reader.take(reader.varint()) for _ in range(reader.entries(budget.left["pieces of metadata"]))]
    groups = [read_group(reader, fingerprints, contents, payloads, budget) for _ in range(reader.entries())]
    require(len(groups) > 0, "an archive has at least one group")
    names = [name for group in groups for name in group.names]
    require(len(names) == len(set(names)), "two pictures have one name")
    embedded = {}
    for _ in range(reader.entries() if flags & 2 else 0):
        fingerprint = pick(fingerprints, reader.varint())
        model = payloads.take(reader.varint())
        require(zlib.crc32(model) == reader.number(4), "an embedded model is damaged")
        require(fingerprint != NO_MODEL and fingerprint not in embedded, "a model is embedded twice")
        embedded[fingerprint] = Model(unpack(model))
        require(embedded[fingerprint].fingerprint == fingerprint, "an embedded model has another fingerprint")
    if flags & 4:
        read_times(reader, groups)
    reader.end()
    payloads.step_over_index()
    require(not payloads.indices, "an index counts more blocks than there are")
    payloads.end()
    return groups, embedded


def read_times(reader: Reader, groups: list[Group]) -> None:
    """Read when each picture was changed (section 1.3.2)."""
    before = 0
    for group in groups:
        for _ in group.names:
            number = reader.varint()
            if number == 0:
                group.times.append(None)
                continue
            d = number - 1
            before += d // 2 if d % 2 == 0 else -(d + 1) // 2
            require(FIRST_TIME <= before <= LAST_TIME, "a time is out of range")
            group.times.append(before)


class Payloads(Reader):
    """Read the payloads and step over the indices between them (section 1.3.3)."""

    def __init__(self, data: bytes, position: int) -> None:
        """Begin at a position of the data; of each index, list the blocks before it that are left, and its bytes."""
        super().__init__(data, position)
        self.indices: list[list[int]] = []

    def block(self, size: int) -> bytes:
        """Read the payload of the next block."""
        self.step_over_index()
        if self.indices:
            self.indices[0][0] -= 1
        return self.take(size)

    def step_over_index(self) -> None:
        """Go to the end of the index that stands here, if one does."""
        if self.indices and self.indices[0][0] == 0:
            index = self.take(self.indices.pop(0)[1])
            require(index[:3] == INDEX_MARK, "there is no index where the directory says so")


def read_group(
    reader: Reader, fingerprints: list[bytes], contents: list[bytes], payloads: Payloads, budget: Budget
) -> Group:
    """Read a group of the directory, and take the payloads of its blocks."""
    mode, height, width, per_block, band, count = (reader.varint() for _ in range(6))
    require(mode < len(MODES), "unknown mode")
    require(count >= 1, "a group has at least one picture")
    budget.take("pictures", count)
    names: list[str] = []
    while len(names) < count:
        names += read_names(reader, count - len(names), budget)
    group = Group(mode, height, width, per_block, band, names, boxes=[[] for _ in names])
    check_size(group)
    sizes = []
    for _ in group.shapes():
        fingerprint = pick(fingerprints, reader.varint())
        sizes.append((fingerprint, reader.varint()))
    for fingerprint, size in sizes:
        group.blocks.append((fingerprint, payloads.block(size)))
        require(size >= 5, "a payload has at least five bytes")
    listed = reader.entries()
    budget.take("pieces of metadata", listed)
    for _ in range(listed):
        picture, tag, content = reader.varint(), reader.varint(), reader.varint()
        pick(group.boxes, picture).append((tag, pick(contents, content)))
    for boxes in group.boxes:
        budget.take_boxes(boxes)
    return group


def read_names(reader: Reader, most: int, budget: Budget) -> list[str]:
    """Read a run of names (section 1.3.1)."""
    count = reader.varint()
    before, after = reader.text(LONGEST_NAME), reader.text(LONGEST_NAME)
    width, first = reader.number(1), reader.varint()
    require(1 <= count <= most, "a group has more names than pictures")
    require(width == 255 or width <= 15, "unknown width of numbers")
    require(width < 255 or count == 1, "a single name is a run of one")
    budget.take("bytes of names", count * (len(before.encode()) + len(after.encode()) + 20))
    if width == 255:
        check_name(before)
        return [before]
    check_name(f"{before}{first + count - 1:0{width}d}{after}")
    return [f"{before}{first + i:0{width}d}{after}" for i in range(count)]


def pick(items: list, index: int):
    """Take an item of a list, and refuse an index beyond its end."""
    require(index < len(items), "an index is beyond the end of its list")
    return items[index]


def check_size(group: Group) -> None:
    """Refuse sizes that section 11.2 refuses."""
    require(1 <= group.height <= GREATEST_SIDE and 1 <= group.width <= GREATEST_SIDE, "a side is out of range")
    require(1 <= group.band <= group.height and group.per_block >= 1, "a band or block is out of range")
    require(group.band == group.height or group.per_block == 1, "a block of bands holds one picture")
    if group.mode in ROWS:
        require(group.height == 1 and group.per_block == 1, "the block of a file is one row of one file")
    n, h, w = min(group.per_block, len(group.names)), group.band, group.width
    most = max(1 << 24, 32 * w)
    too_large = n * h * w > most
    if n > 1:
        too_large |= n * (h + 3) * (w + 6) > 2 * most
        too_large |= n * -(-h // 32) * -(-w // 32) * 1024 > 8 * most
    require(not too_large, "a block is too large")


def check_boxes(mode: int, boxes: list[tuple[int, bytes]]) -> None:
    """Refuse boxes that break section 1.5."""
    tags = [tag for tag, _ in boxes]
    if not set(tags) <= set(BOX_TAGS):
        raise FormatError("unknown tag of a box")
    require(tags == sorted(tags), "the tags of boxes do not rise")
    single = [tag for tag in tags if BOX_TAGS[tag] not in ("text", "png-chunk")]
    require(len(single) == len(set(single)), "a box is repeated")
    require((0 in tags) == (mode == PALETTE), "a palette belongs to mode 5")
    require(not (MODES[mode].alpha and 1 in tags), "a picture with alpha has no transparent colour")
    require(all(is_well_formed(mode, *box) for box in boxes), "a box has a wrong length or form")


def is_well_formed(mode: int, tag: int, content: bytes) -> bool:
    """Tell whether the content of a box has a length and a form that section 1.5 allows."""
    match BOX_TAGS[tag]:
        case "palette":
            return len(content) % 3 == 0 and 3 <= len(content) <= 768
        case "transparency":
            return 1 <= len(content) <= 256 if mode == PALETTE else len(content) == 2 * MODES[mode].channels
        case "significant-bits":
            return len(content) == (3 if mode == PALETTE else MODES[mode].channels)
        case "bit-depth":
            return content in {"L": (b"\2", b"\4"), "P": (b"\2", b"\4", b"\x08")}.get(MODES[mode].name, ())
        case "text":
            return is_text(content) and len(content) <= GREATEST_BOX
        case "png-chunk":
            return content[:1] in (b"\0", b"\1") and may_be_copied(content[1:5]) and len(content) <= GREATEST_BOX
    return len(content) == BOX_SIZES.get(BOX_TAGS[tag], len(content)) and len(content) <= GREATEST_BOX


def is_text(content: bytes) -> bool:
    """Tell whether a text has four parts, the first in UTF-8 and of letters up to U+00FF."""
    try:
        keyword = content.split(b"\0")[0].decode()
    except UnicodeDecodeError:
        return False
    return content.count(b"\0") >= 3 and all(ord(letter) < 256 for letter in keyword)


def may_be_copied(name: bytes) -> bool:
    """Tell whether a chunk of PNG of this name may be in a box of its own."""
    if len(name) != 4 or not (name.isascii() and name.isalpha()) or name in CHUNKS_OF_OTHER_BOXES:
        return False
    return name in OWN_CHUNKS or (name[:1].islower() and name[3:].islower())
