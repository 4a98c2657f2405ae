"""JPEG files for tests: what Pillow writes, and whatever else T.81 allows, put together by the reference decoder's
writer, which shares no code with the package."""

import io
import sys
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

DOCS = Path(__file__).parents[3] / "docs"
if str(DOCS) not in sys.path:
    sys.path.insert(0, str(DOCS))

from reference_decoder import jpeg_file as reference  # noqa: E402

from vaezip.pictures.jpeg import parts  # noqa: E402

EOI = b"\xff\xd9"
CHANNELS = {"L": 1, "RGB": 3, "CMYK": 4}
MOST = 1 << 28


@cache
def jpeg(mode="RGB", size=(33, 18), **options):
    """A JPEG by Pillow, of (width, height), of waves with some noise."""
    width, height = size
    rng = np.random.default_rng(width)
    y, x = np.mgrid[:height, :width]
    planes = [
        128 + 60 * np.sin(x / 5 + c) + 40 * np.cos(y / 4 + c) + rng.normal(0, 9, x.shape) for c in range(CHANNELS[mode])
    ]
    samples = np.stack(planes, axis=2).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(samples.squeeze(2) if mode == "L" else samples, mode).save(file, "JPEG", **options)
    return file.getvalue()


def segment(marker, content):
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def frame(file, marker, factors=None):
    """The header of the frame of a file that was taken apart, with another marker or other factors."""
    content = bytes([8]) + b"".join(side.to_bytes(2, "big") for side in file.size) + bytes([len(file.components)])
    for component, (across, down) in zip(file.components, factors or [c.factors for c in file.components]):
        content += bytes([component.identifier, across << 4 | down, component.table])
    return segment(marker, content)


def steps(file, wide=False):
    """Segments of quantisation tables, of 8 or 16 bits."""
    tables = {c.table: q for c, q in zip(file.components, file.quantisation)}
    order = parts.NATURAL_ORDER
    return b"".join(
        segment(0xDB, bytes([wide << 4 | number]) + table[order].astype(">u2" if wide else np.uint8).tobytes())
        for number, table in tables.items()
    )


def huffman(*numbers):
    """One segment of tables that have every symbol: DC (0, n) and AC (1, n)."""
    return segment(0xC4, b"".join(_table(kind, number) for kind, number in numbers))


def _table(kind, number):
    if kind == 0:
        return bytes([number, 0, 0, 0, 0, 16, *[0] * 11]) + bytes(range(16))
    # 255 codes of 9 bits and one of 10: a count is a byte
    return bytes([0x10 | number, *[0] * 8, 255, 1, *[0] * 6]) + bytes(range(256))


ALL_TABLES = huffman((0, 0), (1, 0), (0, 1), (1, 1))


def scan(components, band=(0, 63), bits=(0, 0), tables=0):
    """The header of a scan of components by their identifiers."""
    content = bytes([len(components)]) + b"".join(bytes([c, tables]) for c in components)
    return segment(0xDA, content + bytes([*band, bits[0] << 4 | bits[1]]))


def written(source, pieces, pads=None):
    """A file of such pieces with the coefficients of another."""
    file = parts.parse(source, MOST)
    made = reference.with_frame(reference.JpegFile(list(pieces), pads or [b""] * (len(pieces) - 1)))
    for component, plane in zip(made.components, file.planes()):
        component.blocks = plane[: component.blocks.shape[0], : component.blocks.shape[1]].astype(np.int64)
    return reference.build(made)


def built_by_reference(file):
    """The file that the reference decoder makes of one that the package took apart."""
    pads = [row.astype(np.uint8).tobytes() for row in file.pads]
    made = reference.with_frame(reference.JpegFile(file.pieces, pads, [row.tolist() for row in file.fills]))
    for component, plane in zip(made.components, file.planes()):
        component.blocks = plane.astype(np.int64)
    return reference.build(made)
