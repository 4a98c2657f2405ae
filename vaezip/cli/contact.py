"""Contact sheets: thumbnails with their names, as one picture or as characters of a terminal."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vaezip.cli.console import printable
from vaezip.cli.tables import shortened

THUMBNAIL, ALONE = 240, 1200
"""Pixels of the longer side of a thumbnail, and of a picture alone, on a sheet that is a picture."""

_GAP, _CAPTION, _FONT = 12, 18, 13
_MOST_COLUMNS = 8

_CELL = 24, 10
"""Characters of a thumbnail on a terminal, across and down; each holds two pixels, one above the other."""

_SHADES = " .:-=+*#%@"
_RESET = "\x1b[0m"


class Entry(NamedTuple):
    """A thumbnail, and the words below it; the second of them may be empty."""

    image: Image.Image
    name: str
    size: str


def sheet(entries: Sequence[Entry]) -> Image.Image:
    """Join thumbnails to one picture, row by row, with their names."""
    columns = min(_MOST_COLUMNS, math.ceil(math.sqrt(len(entries) * 1.4)))
    side = max(THUMBNAIL, *(extent for entry in entries for extent in entry.image.size))
    rows = -(-len(entries) // columns)
    cell = side + _GAP, max(entry.image.height for entry in entries) + 2 * _CAPTION + _GAP
    out = Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), "white")
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(_FONT)
    for i, entry in enumerate(entries):
        left, top = _GAP + i % columns * cell[0], _GAP + i // columns * cell[1]
        bottom = top + cell[1] - 2 * _CAPTION - _GAP
        out.paste(entry.image, (left + (side - entry.image.width) // 2, bottom - entry.image.height))
        for line, (text, colour) in enumerate(((entry.name, "black"), (entry.size.replace("×", "x"), "#666666"))):
            text = _fitting(text, side, font)
            start = left + (side - int(font.getlength(text))) // 2
            draw.text((start, bottom + 4 + line * _CAPTION), text, colour, font)
    return out


def icon(entries: Sequence[Entry], size: int) -> Image.Image:
    """Join thumbnails to one picture without names, as file managers show, of at most so many pixels a side."""
    columns = math.ceil(math.sqrt(len(entries)))
    side = max(1, size // columns)
    for entry in entries:
        entry.image.thumbnail((side, side))
    if len(entries) == 1:
        return entries[0].image
    out = Image.new("RGB", (columns * side, -(-len(entries) // columns) * side), "white")
    for i, (image, *_) in enumerate(entries):
        margin = (side - image.width) // 2, (side - image.height) // 2
        out.paste(image, (i % columns * side + margin[0], i // columns * side + margin[1]))
    return out


def _fitting(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Shorten a name, in its middle, to so many pixels."""
    text = printable(text)
    kept, shown = len(text), text
    while kept > 1 and font.getlength(shown) > width:
        kept -= 1
        shown = shortened(text, kept)
    return shown


class Screen(NamedTuple):
    """Say what a terminal can show: characters in a line, and colours: 2^24, 256, or none, which 0 says."""

    columns: int
    colours: int


def screen(terminal: bool, columns: int) -> Screen:
    """Tell what a terminal can show, by its environment; where there is none, characters alone."""
    if not terminal or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return Screen(columns, 0)
    return Screen(columns, 1 << 24 if os.environ.get("COLORTERM") in ("truecolor", "24bit") else 256)


def lines(entries: Sequence[Entry], on: Screen) -> Iterator[str]:
    """Yield the lines of a contact sheet of characters: one picture as wide as the screen, or several in rows."""
    width, height = (on.columns, on.columns // 3) if len(entries) == 1 else (min(_CELL[0], on.columns), _CELL[1])
    across = max(1, (on.columns + 1) // (width + 1))
    for first in range(0, len(entries), across):
        row = entries[first : first + across]
        drawn = [_drawn(entry.image, width, height, on.colours) for entry in row]
        deepest = max(map(len, drawn))
        for cells in zip(*([" " * width] * (deepest - len(cell)) + cell for cell in drawn)):
            yield " ".join(cells).rstrip(" ")
        for words in ([entry.name for entry in row], [entry.size for entry in row]):
            if any(words):
                yield " ".join(shortened(printable(text), width).center(width) for text in words).rstrip()
        yield ""


def _drawn(image: Image.Image, width: int, height: int, colours: int) -> list[str]:
    """Draw an image in lines of characters, in the middle of so many columns."""
    scale = min(width / image.width, 2 * height / image.height, max(1.0, 8 / max(image.size)))
    columns = max(1, round(image.width * scale))
    rows = max(1, round(image.height * scale / 2))
    pixels = np.asarray(image.resize((columns, 2 * rows), Image.Resampling.BOX))
    left = " " * ((width - columns) // 2)
    right = " " * (width - columns - len(left))
    if not colours:
        grey = pixels.reshape(rows, 2, columns, 3).mean(axis=(1, 3))
        return [left + "".join(_SHADES[int(v) * len(_SHADES) // 256] for v in row) + right for row in grey]
    return [
        left + "".join(_cell(a, b, colours) for a, b in zip(pixels[2 * y], pixels[2 * y + 1])) + _RESET + right
        for y in range(rows)
    ]


def _cell(above: np.ndarray, below: np.ndarray, colours: int) -> str:
    """Return a character that is two pixels, by the colours of its upper half and of its ground."""
    return f"\x1b[38;{_colour(above, colours)};48;{_colour(below, colours)}m▀"


def _colour(pixel: np.ndarray, colours: int) -> str:
    if colours > 256:
        return "2;" + ";".join(map(str, pixel.tolist()))
    red, green, blue = (int(v) * 6 // 256 for v in pixel)
    return f"5;{16 + 36 * red + 6 * green + blue}"
