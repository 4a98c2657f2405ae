"""Find out from the properties of an AVIF what its samples are: Pillow cuts 10 and 12 bits to 8 without a word."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.pictures.exact_kinds import GREY, GREY_ALPHA, RGB, RGBA, Kind, Look, depth_remarks, library, unsupported
from vaezip.pictures.iso_boxes import IsoBox, find_box, iso_boxes
from vaezip.pictures.picture import damage

_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")


def look_at_avif(data: bytes) -> Look:
    """Tell what an AVIF holds, by the properties of its pictures."""
    properties = find_box(data, (b"meta", b"iprp", b"ipco"))
    if properties is None:
        raise damage("it has no properties")
    boxes = list(iso_boxes(data, properties.start, properties.end))
    depths = {_depth(data[box.start + 2]) for box in boxes if box.type == b"av1C"}
    sizes = [_size(data, box) for box in boxes if box.type == b"ispe"]
    if not depths or not sizes:
        raise damage("it has no pictures")
    if len(depths) > 1:
        raise unsupported("AVIF with channels of different depths", "PNG")
    if any(box.type == b"clap" for box in boxes):
        raise unsupported("cropped AVIF", "PNG")  # its samples are those of the whole
    references = find_box(data, (b"meta", b"iref"))
    if references and any(box.type == b"prem" for box in iso_boxes(data, references.start + 4, references.end)):
        raise unsupported("AVIF with premultiplied alpha", "alpha that is not premultiplied")
    bits = depths.pop()
    alpha = any(box.type == b"auxC" and data[box.start + 4 : box.end].startswith(_ALPHA) for box in boxes)
    grey = all(data[box.start + 2] & 0x10 for box in boxes if box.type == b"av1C")
    colour = (GREY_ALPHA if alpha else GREY) if grey else (RGBA if alpha else RGB)
    kind = Kind("AVIF", colour, bits)
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    if bits == 8:
        return Look(kind, width, height)
    return Look(kind, width, height, decode=lambda: _decode(data, kind), remarks=depth_remarks(bits))


def _depth(flags: int) -> int:
    """Return the bits that the third byte of av1C tells: its bits 6 and 5 are high_bitdepth and twelve_bit."""
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def _size(data: bytes, box: IsoBox) -> tuple[int, int]:
    place = data[box.start + 4 : box.start + 12]
    return int.from_bytes(place[:4], "big"), int.from_bytes(place[4:], "big")


def _decode(data: bytes, kind: Kind) -> NDArray[Any]:
    array: NDArray[Any] = np.asarray(library("imagecodecs", kind).avif_decode(data))
    if array.dtype != np.uint16 or array.max() >= 1 << kind.bits:
        raise damage(f"its samples are {array.dtype}")
    if array.ndim == 3 and kind.colour in (GREY, GREY_ALPHA):  # decoders repeat grey three times
        array = array[..., [0]] if kind.colour == GREY else array[..., [0, -1]]
    return array
