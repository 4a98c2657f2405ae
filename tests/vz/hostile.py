"""Files of a few bytes that ask a reader for much: for the tests of ``vz`` and of the command line.

Each is named after what it does. All are of the present format, with right checksums, and of pictures of one pixel
whose blocks decode, so that nothing but a limit refuses them.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache

import numpy as np

from vaezip.codec import encoding
from vaezip.codec.coders import GRAPHIC
from vaezip.codec.jobs import BlockJob
from vaezip.models.effort import chosen_effort
from vaezip.models.library import Library
from vaezip.vz.records import REVISION
from vaezip.vz.wire import text, varint

GREY, TEXT, ICC = 1, 5, 2
SINGLE = 255
"""The width of a run of names that is one name."""


def v(*values: int) -> bytes:
    """Write varints."""
    return b"".join(map(varint, values))


@cache
def payload(pictures: int = 1) -> bytes:
    """Code so many grey pictures of one pixel without a model."""
    samples = np.zeros((pictures, 1, 1, 1), np.uint8)
    return encoding.code(BlockJob("L", samples, (GRAPHIC,), None, Library(), chosen_effort(None, 1)), GRAPHIC).payload


def archive(directory: bytes, payloads: bytes) -> bytes:
    """Write an archive with this directory, packed as small as it goes."""
    packed = b"\1" + zlib.compress(directory, 9)
    start = b"\xf5z\r\n" + bytes([REVISION, 1])
    return start + payloads + packed + struct.pack("<II", zlib.crc32(packed), len(packed))


def name_run(name: str) -> bytes:
    """Write a single name."""
    return v(1) + text(name) + text("") + bytes([SINGLE]) + v(0)


def group(names: bytes, count: int, boxes: bytes = v(0), *, blocks: int = 1) -> bytes:
    """Write a group of grey pictures of one pixel, in blocks of equal numbers."""
    per_block = -(-count // blocks)
    return v(GREY, 1, 1, per_block, 1, count) + names + v(0, len(payload(per_block))) * blocks + boxes


def directory(groups: list[bytes], contents: list[bytes] | None = None) -> bytes:
    """Write a directory."""
    listed = b"".join(v(len(content)) + content for content in contents or [])
    return v(1) + GRAPHIC + v(0) + v(len(contents or [])) + listed + v(len(groups)) + b"".join(groups)


def of_one(name: str, contents: list[bytes] | None = None, boxes: bytes = v(0)) -> bytes:
    """Write an archive of one picture."""
    return archive(directory([group(name_run(name), 1, boxes)], contents), payload())


def deep(depth: int) -> bytes:
    """A picture in so many folders."""
    return of_one("a/" * depth + "b.png")


def wide_names(length: int, count: int = 1) -> bytes:
    """Names of so many characters, one of which makes Python keep four bytes for each."""
    run = v(count) + text("\U0001f600" + "a" * length) + text(".png") + b"\0" + v(0)
    return archive(directory([group(run, count)]), payload(count))


def many_names(count: int, blocks: int) -> bytes:
    """A run of so many names."""
    run = v(count) + text("") + text(".png") + b"\0" + v(0)
    return archive(directory([group(run, count, blocks=blocks)]), payload(count // blocks) * blocks)


def repeated_box(count: int, tag: int = ICC, content: bytes = b"") -> bytes:
    """A picture with a box that is listed so many times."""
    return of_one("a.png", [content], v(count) + v(0, tag, 0) * count)


def repeated_text(count: int, length: int = 1) -> bytes:
    """A picture with a text that is listed so many times."""
    return repeated_box(count, TEXT, b"k\0\0\0" + b"a" * length)


def shared_box(pictures: int, length: int) -> bytes:
    """Pictures that share a large box."""
    run = v(pictures) + text("") + text(".png") + b"\0" + v(0)
    boxes = v(pictures) + b"".join(v(i, ICC, 0) for i in range(pictures))
    return archive(directory([group(run, pictures, boxes)], [bytes(length)]), payload(pictures))


def many_contents(count: int) -> bytes:
    """Contents of boxes that no picture has."""
    return of_one("a.png", [b""] * count)


def many_groups(count: int) -> bytes:
    """Groups of one picture each, which need blocks."""
    groups = [group(name_run(f"{i}.png"), 1) for i in range(count)]
    return archive(directory(groups), payload() * count)


def many_boxed_pictures(pictures: int, pieces: int) -> bytes:
    """Pictures that have so many empty texts each."""
    run = v(pictures) + text("") + text(".png") + b"\0" + v(0)
    boxes = b"".join(v(i, TEXT, 0) * pieces for i in range(pictures))
    return archive(directory([group(run, pictures, v(pictures * pieces) + boxes)], [b"k\0\0\0"]), payload(pictures))


def through_link(link: str = "ln") -> bytes:
    """A picture in a folder that is a link elsewhere, and one that is not."""
    groups = [group(name_run(f"{link}/evil.png"), 1), group(name_run("ok.png"), 1)]
    return archive(directory(groups), payload() * 2)


def inline_boxes(count: int) -> bytes:
    """A picture alone with so many empty texts."""
    packed = b"\1" + zlib.compress((bytes([TEXT]) + text("k\0\0\0")) * count, 9)
    return b"\xf5z\r\n" + bytes([REVISION, GREY << 4 | 4]) + GRAPHIC + v(1, 1, len(packed)) + packed + payload()


def long_model_name(length: int) -> bytes:
    """A model whose name has so many bytes."""
    listed = v(1) + GRAPHIC + text("m" * length) + v(0) + v(1) + group(name_run("a.png"), 1)
    return archive(listed, payload())


REFUSED = {
    "deep-1500": (lambda: deep(1500), "a name in more than 254 folders"),
    "deep-50k": (lambda: deep(50_000), "a name in it has more than 4,095 bytes"),
    "deep-1M": (lambda: deep(1_000_000), "a name in it has more than 4,095 bytes"),
    "wide-names": (lambda: wide_names(16_000_000), "a name in it has more than 4,095 bytes"),
    "wide-names-16k": (lambda: wide_names(4_000, 16_000), "bytes of names are more than a file of"),
    "names-512k": (lambda: many_names(1 << 19, 64), "pictures are more than a file of"),
    "icc-20k": (lambda: repeated_box(20_000), None),
    "icc-100k": (lambda: repeated_box(100_000), None),
    "icc-4M": (lambda: repeated_box(4_000_000), "pieces of metadata are more than a file of"),
    "text-300k": (lambda: repeated_text(300_000), "pieces of metadata are more than a file of"),
    "text-1G": (lambda: repeated_text(1_000, 1 << 20), "metadata of a picture take more than 64 MiB"),
    "text-16G": (lambda: repeated_text(16_000, 1 << 20), "metadata of a picture take more than 64 MiB"),
    "shared-box": (lambda: shared_box(1_000, 1 << 20), "bytes of metadata are more than a file of"),
    "contents-512k": (lambda: many_contents(1 << 19), "the directory is truncated or damaged"),
    "boxes-of-all": (lambda: many_boxed_pictures(5_000, 100), "pieces of metadata are more than a file of"),
    "inline-300k": (lambda: inline_boxes(300_000), "pieces of metadata are more than a file of"),
    "model-name": (lambda: long_model_name(1 << 25), "a name in it has more than 255 bytes"),
}
"""Files by name, and why they are refused: by the structure, or, for None, when the picture is made."""

GREATEST = {
    "deep": lambda: deep(254),
    "names": lambda: many_names(1 << 16, 8),
    "wide-names": lambda: wide_names(4_000, 4_000),
    "texts": lambda: repeated_text(65_000, 1_000),
    "contents": lambda: many_contents(1 << 18),
    "boxed": lambda: many_boxed_pictures(2_600, 100),
    "shared-box": lambda: shared_box(250, 1 << 20),
    "groups": lambda: many_groups(2_000),
}
"""Files that are as bad as the limits allow."""
