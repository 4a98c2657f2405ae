"""Find the metadata of an AVIF file, in its items and their properties."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vaezip.errors import SeveralError
from vaezip.pictures.avif.coded_size import coded_size
from vaezip.pictures.avif.kind import ALPHA
from vaezip.pictures.behind import look_behind
from vaezip.pictures.findings import Findings, label
from vaezip.pictures.iso_boxes import IsoBox, whole_boxes
from vaezip.pictures.picture import SEVERAL, bare_exif, damage

_LAYOUT = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip"})
_PICTURES = frozenset({b"av01", b"grid", b"iovl", b"tmap", b"iden", b"hvc1", b"jpeg", b"unci"})
_LAYOUT_PROPERTIES = frozenset({b"ispe", b"pixi", b"av1C", b"a1op", b"a1lx", b"lsel", b"auxC", b"irot", b"imir"})
_PROPERTY_NAMES = {b"clap": "clean aperture", b"clli": "light level", b"mdcv": "mastering display"}


def look_into_avif(data: bytes, found: Findings) -> None:
    """Find the EXIF data of an AVIF file as they are, name what is not kept, and look behind its end.

    The profile and the XMP are those that the decoder gives.

    Raises:
        ImageError: the file holds several pictures.
    """
    boxes = list(whole_boxes(data, 0, len(data)))
    if [box.type for box in boxes].count(b"ftyp") > 1:
        raise SeveralError(SEVERAL)
    first = next((box for box in boxes if box.type == b"meta"), None)
    if first is not None:
        _look_into_meta(data, {box.type: box for box in whole_boxes(data, first.start + 4, first.end)}, found)
    for box in boxes:
        if box.type not in _LAYOUT:
            found.drop(f"{label(box.type) or 'unnamed'} box")
    look_behind(data, boxes[-1].end if boxes else None, found)


def _look_into_meta(data: bytes, boxes: dict[bytes, IsoBox], found: Findings) -> None:
    """Look at the items of a file, and at the properties of them all."""
    items = _items(data, boxes[b"iinf"]) if b"iinf" in boxes else {}
    primary, references = _primary(data, boxes.get(b"pitm")), list(_references(data, boxes.get(b"iref")))
    _look_at_pictures(items, primary, references, found)
    alpha = next((source for kind, source, targets in references if kind == b"auxl" and primary in targets), None)
    for item in (primary, alpha):
        if item is not None and items.get(item, (b"",))[0] == b"av01":
            _check_size(data, boxes, item)
    with_exif = [item for item, (kind, _) in items.items() if kind == b"Exif"]
    for item in with_exif[:1]:
        exif = _content(data, boxes, item)
        start = int.from_bytes(exif[:4], "big") + 4
        found.keep("exif", bare_exif(exif[start:]))
    if len(with_exif) > 1:
        found.drop("second EXIF")
    for kind, content in items.values():
        if kind == b"mime" and content != b"application/rdf+xml":
            found.drop(label(content) or "mime item")
        elif kind not in _PICTURES and kind not in (b"Exif", b"mime"):
            found.drop(f"{label(kind) or 'unnamed'} item")
    for outer in whole_boxes(data, boxes[b"iprp"].start, boxes[b"iprp"].end) if b"iprp" in boxes else ():
        for box in whole_boxes(data, outer.start, outer.end) if outer.type == b"ipco" else ():
            _look_at_property(box.type, data[box.start : box.end], found)


def _check_size(data: bytes, boxes: dict[bytes, IsoBox], item: int) -> None:
    """Refuse a picture whose coded size is none that the file tells: the decoder would stretch it."""
    size = coded_size(_content(data, boxes, item))
    told = {
        struct.unpack(">II", data[box.start + 4 : box.start + 12])
        for outer in (whole_boxes(data, boxes[b"iprp"].start, boxes[b"iprp"].end) if b"iprp" in boxes else ())
        for box in (whole_boxes(data, outer.start, outer.end) if outer.type == b"ipco" else ())
        if box.type == b"ispe" and box.end - box.start >= 12
    }
    if size is not None and told and size != max(told, key=lambda one: one[0] * one[1]):
        raise damage("its picture has not the size that the file tells")


def _look_at_property(kind: bytes, content: bytes, found: Findings) -> None:
    if kind == b"colr":
        # Unspecified, or the primaries and the transfer of sRGB, say nothing; the matrix and the range are undone in
        # decoding, after which they are 0 (RGB) and 1 (full). Numbers of two bytes have no place.
        space, numbers = content[:4], content[4:8]
        if space == b"nclx" and numbers not in (b"\0\1\0\x0d", b"\0\2\0\2"):
            if len(numbers) == 4 and numbers[::2] == b"\0\0":
                found.keep("cicp", numbers[1::2] + b"\0\1")
            else:
                found.drop("CICP (nclx)")
    elif kind == b"pasp":
        across, down = struct.unpack(">II", content) if len(content) == 8 else (1, 1)
        if across != down and across and down:
            found.keep("resolution", struct.pack(">IIB", down, across, 0))
    elif kind == b"auxC":
        if not content[4:].startswith(ALPHA):
            found.drop("gain map" if b"gainmap" in content else "auxiliary picture")
    elif kind not in _LAYOUT_PROPERTIES:
        found.drop(_PROPERTY_NAMES.get(kind) or f"{label(kind) or 'unnamed'} property")


def _look_at_pictures(
    items: dict[int, tuple[bytes, bytes]],
    primary: int | None,
    references: list[tuple[bytes, int, list[int]]],
    found: Findings,
) -> None:
    """Refuse pictures that serve no other one; name thumbnails and gain maps."""
    serving = {primary}
    if primary is None:
        return
    for kind, source, targets in references:
        if kind == b"dimg":
            serving.update(targets)  # of which the source is put together
        elif kind in (b"thmb", b"auxl"):
            serving.add(source)
            if kind == b"thmb":
                found.drop("thumbnail")
    for item, (kind, _) in items.items():
        if kind == b"tmap":
            found.drop("gain map")
        elif kind in _PICTURES and item not in serving:
            raise SeveralError(SEVERAL)


def _version(data: bytes, box: IsoBox) -> int:
    return int.from_bytes(data[box.start : box.start + 1], "big")


def _primary(data: bytes, box: IsoBox | None) -> int | None:
    """Return the number of the picture that a reader shows."""
    if box is None:
        return None
    return int.from_bytes(data[box.start + 4 : box.start + (8 if _version(data, box) else 6)], "big")


def _items(data: bytes, box: IsoBox) -> dict[int, tuple[bytes, bytes]]:
    """Return the kind of each item by its number, and the type of the content of those of the kind ``mime``."""
    start = box.start + (8 if _version(data, box) else 6)
    items = {}
    for entry in whole_boxes(data, start, box.end):
        content = data[entry.start : entry.end]
        if entry.type != b"infe" or content[:1] not in (b"\2", b"\3"):
            continue
        wide = 2 * (content[0] - 2)
        number, kind = int.from_bytes(content[4 : 6 + wide], "big"), content[8 + wide : 12 + wide]
        texts = content[12 + wide :].split(b"\0", 2)  # the name, then the type of the content
        items[number] = (kind, texts[1] if len(texts) > 1 else b"")
    return items


def _references(data: bytes, box: IsoBox | None) -> Iterator[tuple[bytes, int, list[int]]]:
    """Yield the kind of each reference, from which item it goes, and to which ones."""
    if box is None:
        return
    size = 4 if _version(data, box) else 2
    for entry in whole_boxes(data, box.start + 4, box.end):
        content = data[entry.start : entry.end]
        numbers = [int.from_bytes(content[at : at + size], "big") for at in range(size + 2, len(content), size)]
        yield entry.type, int.from_bytes(content[:size], "big"), numbers


def _content(data: bytes, boxes: dict[bytes, IsoBox], wanted: int) -> bytes:
    """Return the content of an item by the table of places, empty where that is damaged."""
    if b"iloc" not in boxes:
        return b""
    table = _Fields(data[boxes[b"iloc"].start : boxes[b"iloc"].end])
    version = table.take(4) >> 24
    sizes = table.take(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(table.take(4 if version == 2 else 2)):
        if table.is_empty:
            break
        item = table.take(4 if version == 2 else 2)
        method = table.take(2) & 15 if version else 0
        table.take(2)
        base = table.take(base_size)
        parts, count = [], table.take(2)
        step = offset_size + length_size
        for _ in range(min(count, table.left // step) if step else 0):
            table.take(index_size if version else 0)
            offset, length = base + table.take(offset_size), table.take(length_size)
            parts.append((offset, length))
        if item == wanted:
            return _joined(data, boxes, method, parts)
    return b""


def _joined(data: bytes, boxes: dict[bytes, IsoBox], method: int, parts: list[tuple[int, int]]) -> bytes:
    start, end = (boxes[b"idat"].start, boxes[b"idat"].end) if method == 1 and b"idat" in boxes else (0, len(data))
    if method > 1 or sum(length for _, length in parts) > end - start:
        return b""  # only overlapping parts take more bytes than the file
    return b"".join(data[start + offset : min(end, start + offset + length)] for offset, length in parts)


class _Fields:
    """Take numbers from the front of some bytes; behind their end, each is zero."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, size: int) -> int:
        """Return the next number of so many bytes."""
        self._place += size
        return int.from_bytes(self._data[self._place - size : self._place], "big")

    @property
    def left(self) -> int:
        """Return how many bytes are left."""
        return max(0, len(self._data) - self._place)

    @property
    def is_empty(self) -> bool:
        """Tell whether no byte is left."""
        return self.left == 0
