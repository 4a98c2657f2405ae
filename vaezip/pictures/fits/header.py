"""Read the headers of a FITS file, so far as they tell where its pictures stand."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from vaezip.errors import ImageError
from vaezip.pictures.picture import damage

_BLOCK, _CARD = 2880, 80
_MOST_HEADER = 1 << 24
_MOST_AXES = 999
_SIZES = (8, 16, 32, 64, -32, -64)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class Unit(NamedTuple):
    """Hold a unit of a FITS file: a header, and the data that it describes.

    Attributes:
        cards: the values of the header as text, by their keywords; of several, the first.
        start: where the data begin.
        length: of the data in bytes.
    """

    cards: dict[str, str]
    start: int
    length: int

    @property
    def axes(self) -> tuple[int, ...]:
        """Return how many samples there are along each axis, the first of which runs along a row."""
        return _axes(self.cards)

    def integer(self, keyword: str, default: int) -> int:
        """Return a value that is an integer."""
        return _integer(self.cards, keyword, default)

    def number(self, keyword: str, default: float) -> float:
        """Return a value that is a number, or a default where it is none."""
        try:
            return float(self.cards.get(keyword, str(default)).replace("D", "E"))
        except ValueError:
            return float(default)


def units(data: bytes) -> Iterator[Unit]:
    """Yield each unit of a FITS file; what follows the last one is none.

    Raises:
        ImageError: the file is damaged.
    """
    place = 0
    while data[place : place + 8] == (b"XTENSION" if place else b"SIMPLE  "):
        cards, start = _header(data, place)
        length = _length(cards)
        if start + length > len(data):
            raise damage("the file ends before its samples")
        yield Unit(cards, start, length)
        place = start + -(-length // _BLOCK) * _BLOCK


def _header(data: bytes, place: int) -> tuple[dict[str, str], int]:
    """Return the values of a header, and where it ends."""
    cards: dict[str, str] = {}
    for at in range(place, min(len(data), place + _MOST_HEADER), _CARD):
        card = data[at : at + _CARD].decode("latin-1")
        if card[:8] == "END     ":
            return cards, place + -(-(at + _CARD - place) // _BLOCK) * _BLOCK
        if card[8:10] == "= ":
            cards.setdefault(card[:8].rstrip(), _value(card[10:]))
    raise damage("a header has no end") if len(data) - place < _MOST_HEADER else ImageError("has too long a header")


def _value(text: str) -> str:
    """Return the value of a card without quotes, spaces and the comment."""
    text = text.strip()
    return text[1:].partition("'")[0].rstrip() if text.startswith("'") else text.partition("/")[0].rstrip()


def _integer(cards: dict[str, str], keyword: str, default: int | None = None) -> int:
    text = cards.get(keyword)
    if text is None and default is not None:
        return default
    if text is None or not _INTEGER.fullmatch(text):
        raise damage(f"{keyword} is no whole number")
    return int(text)


def _axes(cards: dict[str, str]) -> tuple[int, ...]:
    count = _integer(cards, "NAXIS")
    if not 0 <= count <= _MOST_AXES:
        raise damage("NAXIS is out of range")
    axes = tuple(_integer(cards, f"NAXIS{i + 1}") for i in range(count))
    if any(axis < 0 for axis in axes):
        raise damage("an axis is negative")
    return axes


def _length(cards: dict[str, str]) -> int:
    """Return the bytes of the data that a header describes."""
    bits, axes = _integer(cards, "BITPIX"), _axes(cards)
    if bits not in _SIZES:
        raise damage(f"BITPIX cannot be {bits}")
    beside, groups = _integer(cards, "PCOUNT", 0), _integer(cards, "GCOUNT", 1)
    if beside < 0 or groups < 0:
        raise damage("PCOUNT or GCOUNT is negative")
    if axes[:1] == (0,) and cards.get("GROUPS") == "T":
        axes = axes[1:]
    samples = math.prod(axes) if axes else 0
    return abs(bits) // 8 * groups * (beside + samples)
