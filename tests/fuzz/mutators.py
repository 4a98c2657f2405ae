"""Mutate files so that what is mutated is read: inner bytes are unpacked, changed and packed again, checksums repaired.

A mutator changes bytes by a function that it is handed: libFuzzer's in a fuzzer, :func:`plain` in a test.
"""

from __future__ import annotations

import functools
import json
import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.fuzz import corpus
from vaezip.codec.jpeg_dictionary import dictionary
from vaezip.errors import VaezipError
from vaezip.models import file as model_file
from vaezip.models.kinds import JPEG, MODE_NAMES, VERBATIM
from vaezip.vz import archive as vz
from vaezip.vz.records import NO_MODEL, Block, File, Group
from vaezip.vz.wire import Reader, varint

Change = Callable[[bytes, int], bytes]
"""Change some bytes, of which there may then be so many."""

Mutator = Callable[[bytes, int, random.Random, Change], bytes]
"""Mutate a file: its bytes, how many there may be, what to draw from, and how to change bytes."""

MOST_INNER = 1 << 16
"""Bytes that unpacked data may have."""


def plain(draw: random.Random) -> Change:
    """Make a function that changes bytes without libFuzzer."""

    def change(data: bytes, most: int) -> bytes:
        out = bytearray(data)
        for _ in range(draw.randint(1, 4)):
            place, kind = draw.randint(0, len(out)), draw.randrange(4)
            if kind == 0 and out:
                out[place % len(out)] ^= 1 << draw.randrange(8)
            elif kind == 1 and out:
                out[place % len(out)] = draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))
            elif kind == 2:
                out[place:place] = draw.randbytes(draw.randint(1, 4))
            else:
                del out[place : place + draw.randint(1, 4)]
        return bytes(out[:most])

    return change


def of_bytes(data: bytes, most: int, draw: random.Random, change: Change) -> bytes:
    """Change bytes, knowing nothing of them."""
    return change(data, most)


def of_riff(data: bytes, most: int, draw: random.Random, change: Change) -> bytes:
    """Change a WebP, and repair its length."""
    out = change(data, most)
    return out[:4] + struct.pack("<I", len(out) - 8) + out[8:] if out[:4] == b"RIFF" and len(out) >= 12 else out


# Packed bytes


def inflated(data: bytes, bits: int = 15) -> bytes | None:
    """Inflate as far as it goes, or not at all."""
    try:
        return zlib.decompressobj(bits).decompress(data, MOST_INNER)
    except zlib.error:
        return None


def repacked(data: bytes, draw: random.Random, change: Change) -> bytes:
    """Change what :func:`vaezip.vz.wire.shorter` packed."""
    inner = data[1:] if data[:1] == b"\0" else inflated(data[1:])
    if inner is None:
        return data
    inner = change(inner, MOST_INNER)
    return b"\0" + inner if draw.random() < 0.5 else b"\1" + zlib.compress(inner)


# PNG

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COMPRESSED = {b"IDAT": 0, b"iCCP": 1, b"zTXt": 1}
"""Chunks that end in a zlib stream, and how many texts with a zero, and a method, stand before it."""


def of_png(data: bytes, most: int, draw: random.Random, change: Change) -> bytes:
    """Change a chunk of a PNG, or their order, and repair all checksums."""
    if draw.random() < 0.1 or not data.startswith(_SIGNATURE):
        return change(data, most)
    chunks = list(_chunks(data))
    if not chunks:
        return change(data, most)
    place, kind = draw.randrange(len(chunks)), draw.randrange(10)
    name, content = chunks[place]
    if kind == 0:
        del chunks[place]
    elif kind == 1:
        chunks.insert(draw.randrange(len(chunks) + 1), (name, content))
    elif kind == 2:
        other = draw.randrange(len(chunks))
        chunks[place], chunks[other] = chunks[other], chunks[place]
    elif kind == 3:
        chunks[place] = change(name, 4).ljust(4, b"a"), content
    else:
        chunks[place] = name, _content(name, content, draw, change)
    out = [_SIGNATURE]
    for name, content in chunks:
        out += [struct.pack(">I", len(content)), name, content, struct.pack(">I", zlib.crc32(name + content))]
    return b"".join(out)[:most]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, data[place + 8 : place + 8 + length]
        place += 12 + length


def _content(name: bytes, content: bytes, draw: random.Random, change: Change) -> bytes:
    """Change the content of a chunk, where it is compressed now and then what was compressed."""
    if name not in _COMPRESSED or draw.random() < 0.3:
        return change(content, MOST_INNER)
    head = b""
    for _ in range(_COMPRESSED[name]):
        keyword, _, content = content.partition(b"\0")
        head += keyword + b"\0" + content[:1]
        content = content[1:]
    inner = inflated(content)
    return head + (change(content, MOST_INNER) if inner is None else zlib.compress(change(inner, MOST_INNER)))


# JPEG

_JPEG_ALONE = {0x01, *range(0xD0, 0xDA)}
"""Markers behind which no length stands."""

_NUMBERS = (0, 1, 2, 3, 4, 0x10, 0x11, 0x12, 0x21, 0x22, 0x41, 63, 64, 0x7F, 0x80, 0xFF)


def of_jpeg(data: bytes, most: int, draw: random.Random, change: Change) -> bytes:
    """Change a segment of a JPEG, the data behind it, or their order; lengths are repaired but now and then.

    Every other time it is a whole one: those that a fuzzer likes have little left of a picture.
    """
    data = draw.choice(_whole_jpegs()) if draw.random() < 0.5 else data
    parts = _jpeg_parts(data)
    if draw.random() < 0.1 or len(parts) < 3:
        return change(data, most)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        _change_part(parts, draw.randrange(len(parts) - 1) + 1 if len(parts) > 1 else 0, draw, change)
    return b"".join(_jpeg_part(*part, draw) for part in parts)[:most]


@functools.cache
def _whole_jpegs() -> tuple[bytes, ...]:
    return tuple(corpus.jpeg_file().values())


def _jpeg_parts(data: bytes) -> list[tuple[bytes, bytes | None, bytes]]:
    """Split a JPEG: a marker with what fills up before it, its content, and all bytes up to the next marker."""
    found: list[tuple[bytes, bytes | None, bytes]] = []
    places = [match.span() for match in re.finditer(rb"\xff+[^\x00\xff]", data)]
    end = 0
    for i, (start, stop) in enumerate(places):
        if start < end:  # it stands in a content
            continue
        content: bytes | None = None
        end = stop
        if data[stop - 1] not in _JPEG_ALONE:
            end = min(stop + max(2, int.from_bytes(data[stop : stop + 2], "big")), len(data))
            content = data[stop + 2 : end]
        after = next((s for s, _ in places[i + 1 :] if s >= end), len(data))
        found.append((data[start:stop], content, data[end:after]))
    return found


def _jpeg_part(marker: bytes, content: bytes | None, behind: bytes, draw: random.Random) -> bytes:
    if content is None:
        return marker + behind
    length = len(content) + 2 if draw.random() < 0.98 else draw.randrange(1 << draw.randrange(17))
    return marker + min(length, 65535).to_bytes(2, "big") + content + behind


def _change_part(
    parts: list[tuple[bytes, bytes | None, bytes]], place: int, draw: random.Random, change: Change
) -> None:
    """Change a part of a JPEG, in its place."""
    marker, content, behind = parts[place]
    other = draw.randrange(len(parts))
    match draw.randrange(14):
        case 0 if len(parts) > 1:
            del parts[place]
        case 1:
            parts.insert(other, parts[place])
        case 2:
            parts[place], parts[other] = parts[other], parts[place]
        case 3:
            marker = marker[:-1] + bytes([draw.choice((0xDD, 0xC4, 0xDC, 0xD9, 0xD0, draw.randrange(0xC0, 0x100)))])
            parts[place] = marker, content, behind
        case 4:
            parts[place] = b"\xff" * draw.randrange(4) + marker, content, behind
        case 5:
            parts.insert(place, (b"\xff\xdd", draw.choice((b"\0\0", b"\0\1", b"\0\2", b"\1\0")), b""))
        case 6:
            parts.insert(place, (b"\xff" + bytes([draw.randrange(0xD0, 0xD8)]), None, behind[draw.randrange(9) :]))
        case 7:
            parts[place] = marker, content, behind[: draw.randrange(len(behind) + 1)]
        case 8 | 9 if content:
            at, number = draw.randrange(min(len(content), draw.choice((8, 20, 1 << 16)))), draw.choice(_NUMBERS)
            value = draw.choice((number, content[at] + 1, content[at] - 1, content[at] ^ 1 << draw.randrange(8)))
            parts[place] = marker, content[:at] + bytes([value & 255]) + content[at + 1 :], behind
        case 10 if content is not None:
            parts[place] = marker, change(content, MOST_INNER), behind
        case _:
            parts[place] = marker, content, change(behind, MOST_INNER)


# Model files


def of_model(data: bytes, most: int, draw: random.Random, change: Change) -> bytes:
    """Change the numbers, the texts or the tensors of a model file, and repair the length of its header."""
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
        metadata, kind = dict(header["__metadata__"]), draw.randrange(10)
    except (ValueError, KeyError, TypeError):
        return change(data, most)
    tensors = data[8 + length :]
    if kind == 0 or not metadata:
        return change(data, most)
    if kind == 1:
        return _with_header(change(data[8 : 8 + length], MOST_INNER), tensors)[:most]
    if kind <= 4:
        tensors = change(tensors, len(tensors)).ljust(len(tensors), b"\0")
    elif kind == 5:
        header = json.loads(_other_number(json.dumps(header), draw, change))
    else:
        key = draw.choice(sorted(metadata))
        header["__metadata__"][key] = _other_number(str(metadata[key]), draw, change)
    return _with_header(json.dumps(header).encode(), tensors)[:most]


def _with_header(text: bytes, tensors: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text + tensors


def _other_number(text: str, draw: random.Random, change: Change) -> str:
    """Change one value in a JSON, whatever kind it is of."""
    try:
        value = json.loads(text)
    except ValueError:
        return change(text.encode(), MOST_INNER).decode(errors="replace")
    places = list(_places(value))
    if not places:
        return text
    holder, key = draw.choice(places)
    old = holder[key]
    numbers = (0, 1, 2, 3, 4, 8, 32, 255, 1 << 20, 1 << 40, -1, 0.5, 1e-320, 1e300, float("nan"), float("inf"))
    others = (None, "", [], {}, True, [1], "x" * 300)
    holder[key] = draw.choice((*numbers, *others)) if draw.random() < 0.8 else [old, old]
    return json.dumps(value)


def _places(value: object) -> Iterator[tuple[object, object]]:
    """Yield (dictionary or list, key) of all values within."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def with_fingerprint(data: bytes) -> bytes | None:
    """Return the fingerprint of a model file, None where it has none."""
    try:
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        return model_file._fingerprint(metadata, model_file.load_tensors(data))
    except (*model_file._MALFORMED, UnicodeError):
        return None


# .vz

_START = 6
"""Bytes before the payloads of an archive."""


def of_vz(data: bytes, most: int, draw: random.Random, change: Change) -> bytes:
    """Change directory, boxes, a payload or a model of a ``.vz``, and repair checksums and lengths."""
    changed = draw.choice((_directory, _payload, _bytes_of_payloads, _model, _bytes))(data, draw, change)
    return changed if len(changed) <= most else change(data, most)


def _bytes(data: bytes, draw: random.Random, change: Change) -> bytes:
    return change(data, len(data) + 16)


def _is_archive(data: bytes) -> bool:
    return len(data) > _START and bool(data[_START - 1] & 1)


def _parts(data: bytes) -> tuple[bytes, bytes] | None:
    """Split an archive into what stands before the packed directory, and that."""
    if not _is_archive(data) or len(data) < _START + 9:
        return None
    length = int.from_bytes(data[-4:], "little")
    return (data[: -8 - length], data[-8 - length : -8]) if length <= len(data) - _START - 8 else None


def _joined(before: bytes, directory: bytes) -> bytes:
    return before + directory + struct.pack("<II", zlib.crc32(directory), len(directory))


def _directory(data: bytes, draw: random.Random, change: Change) -> bytes:
    """Change the unpacked directory, or the unpacked boxes of an inline file."""
    parts = _parts(data)
    if parts is not None:
        return _joined(parts[0], repacked(parts[1], draw, change))
    try:
        file = vz.parse(data)
    except VaezipError:
        return _bytes(data, draw, change)
    group = file.groups[0]
    tags = [(draw.choice((tag, draw.randrange(9))), change(content, MOST_INNER)) for tag, content in group.boxes[0]]
    tags += [(draw.randrange(9), change(b"\0" * draw.randrange(10), MOST_INNER))] * draw.randrange(2)
    group.boxes = [tuple(tags)]
    return vz.inline_header(group) + group.blocks[0].payload


def _payload(data: bytes, draw: random.Random, change: Change) -> bytes:
    """Change one payload, whatever its length is then, and its checksum."""
    try:
        file = vz.parse(data)
    except VaezipError:
        return _bytes(data, draw, change)
    group = draw.choice(file.groups)
    i = draw.randrange(len(group.blocks))
    block = group.blocks[i]
    if group.mode == MODE_NAMES.index(JPEG):
        payload = _jpeg_head(block.payload, draw, change)
    elif block.model == NO_MODEL:
        payload = block.payload[:4] + change(block.payload[4:], len(block.payload) + 64)
    elif draw.random() < 0.5:  # words below the stack, so that its decoder comes to its end
        payload = block.payload[:9] + draw.randbytes(4 * draw.randint(1, 300)) + block.payload[9:]
    else:
        payload = change(block.payload, len(block.payload) + 64)
    if draw.random() < 0.2:
        group.height, group.width = draw.randint(1, 40), draw.randint(1, 40)
        group.band = group.height
    group.blocks[i] = Block(block.model, payload.ljust(5, b"\0"))
    return repaired(file) or _bytes(data, draw, change)


def _jpeg_head(payload: bytes, draw: random.Random, change: Change) -> bytes:
    """Change what stands beside the coefficients of a JPEG file, or these."""
    try:
        reader = Reader(payload)
        packed = reader.take(reader.varint())
        head = zlib.decompressobj(-15, zdict=dictionary()).decompress(packed, MOST_INNER)
    except (VaezipError, zlib.error):
        return change(payload, len(payload) + 64)
    coefficients = payload[reader.position :]
    if draw.random() < 0.3:
        return payload[: reader.position] + change(coefficients, len(coefficients) + 64)
    deflater = zlib.compressobj(wbits=-15, zdict=dictionary())
    packed = deflater.compress(change(head, MOST_INNER)) + deflater.flush()
    return varint(len(packed)) + packed + coefficients


def _bytes_of_payloads(data: bytes, draw: random.Random, change: Change) -> bytes:
    """Change the bytes between header and directory, and leave their number as it is."""
    parts = _parts(data)
    if parts is None:
        return data[:_START] + change(data[_START:], len(data))
    inner = parts[0][_START:]
    return _joined(parts[0][:_START] + change(inner, len(inner)).ljust(len(inner), b"\0"), parts[1])


def _model(data: bytes, draw: random.Random, change: Change) -> bytes:
    """Change a model that an archive holds, and the fingerprint by which it names it."""
    try:
        file = vz.parse(data)
        models = {mark: model.unpack() for mark, model in file.embedded.items()}
    except VaezipError:
        return _bytes(data, draw, change)
    if not models:
        return _payload(data, draw, change)
    old = draw.choice(sorted(models))
    changed = of_model(models.pop(old), MOST_INNER, draw, change)
    new = with_fingerprint(changed) or old
    for group in file.groups:
        group.blocks = [replace(b, model=new) if b.model == old else b for b in group.blocks]
    try:
        return vz.write_archive(file.groups, file.model_names, models | {new: changed})
    except (VaezipError, ValueError):  # a model that no block names
        return _bytes(data, draw, change)


def repaired(file: File) -> bytes | None:
    """Write a file with the checksum of every file that is kept as it is; None where that cannot be."""
    try:
        for group in file.groups:
            for i, block in enumerate(group.blocks):
                if block.model == NO_MODEL:
                    group.blocks[i] = Block(NO_MODEL, _checked(group, block.payload, file.header))
        if file.inline:
            return file.header + file.groups[0].blocks[0].payload
        return vz.write_archive(
            file.groups, file.model_names, {mark: model.unpack() for mark, model in file.embedded.items()}
        )
    except (VaezipError, ValueError):
        return None


def _checked(group: Group, payload: bytes, header: bytes) -> bytes:
    """Give the payload of a file that is kept as it is the checksum of its bytes."""
    if group.mode != MODE_NAMES.index(VERBATIM):
        return payload
    coded = payload[4:]
    group.width = len(coded) if not header else group.width
    return struct.pack("<I", zlib.crc32(coded, zlib.crc32(header))) + coded
