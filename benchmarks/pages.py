"""Render pages of black and white, and degrade them as scanners, faxes and screens do; the same for a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Grey = NDArray[np.float64]
Bits = NDArray[np.uint8]

_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FACES = (
    "DejaVuSans.ttf",
    "DejaVuSerif.ttf",
    "STIXGeneral.ttf",
    "cmr10.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSerif-Bold.ttf",
)
_WORDS = (Path(__file__).parent.parent / "LICENSE").read_text().split()

KINDS = (
    "clean", "clean", "scan", "scan", "scan", "skewed", "skewed", "faint", "thick", "table", "drawing", "stamp",
    "bayer4", "bayer8", "diffused", "screen45", "screen0", "scanned-screen", "mixed-diffused", "mixed-screen",
    "mixed-bayer", "fax", "columns", "noisy",
)  # fmt: skip
"""What each page is."""


def text_page(rng: np.random.Generator, height: int, width: int, *, dots: int, columns: int = 1) -> Image.Image:
    """Set lines of words, in grey, at a resolution in dots per inch."""
    page = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(page)
    face = _FONTS / FACES[rng.integers(len(FACES))]
    size = dots * rng.integers(9, 13) / 72
    margin, gap = int(dots * 0.35), int(dots * 0.2)
    wide = (width - 2 * margin - (columns - 1) * gap) // columns
    for column in range(columns):
        y, left = float(margin), margin + column * (wide + gap)
        while y < height - margin - size:
            heading = rng.random() < 0.04
            font = ImageFont.truetype(str(face), size * (1.5 if heading else 1.0))
            line = ""
            while True:
                word = _WORDS[rng.integers(len(_WORDS))]
                if font.getlength(f"{line} {word}") > wide or (line and rng.random() < 0.02):
                    break
                line = f"{line} {word}".strip()
            draw.text((left, int(y)), line, fill=0, font=font)
            y += size * (2.2 if heading or rng.random() < 0.08 else 1.3)
    return page


def table_page(rng: np.random.Generator, height: int, width: int, *, dots: int) -> Image.Image:
    """Set numbers in ruled cells."""
    page = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(str(_FONTS / FACES[rng.integers(len(FACES))]), dots * 9 / 72)
    margin, rise = int(dots * 0.4), int(dots * 0.24)
    rows, columns = (height - 2 * margin) // rise, 5
    wide = (width - 2 * margin) // columns
    for row in range(rows + 1):
        y = margin + row * rise
        draw.line((margin, y, margin + columns * wide, y), fill=0, width=max(1, dots // 150))
        for column in range(columns if row < rows else 0):
            word = f"{rng.integers(0, 100000) / 100:.2f}" if column else _WORDS[rng.integers(len(_WORDS))][:9]
            draw.text((margin + column * wide + 8, y + rise // 8), word, fill=0, font=font)
    for column in range(columns + 1):
        x = margin + column * wide
        draw.line((x, margin, x, margin + rows * rise), fill=0, width=max(1, dots // 150))
    return page


def drawing_page(rng: np.random.Generator, height: int, width: int) -> Image.Image:
    """Draw lines, circles, curves and hatching."""
    page = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(page)
    for _ in range(40):
        x0, y0, x1, y1 = (rng.random(4) * [width, height, width, height]).astype(int).tolist()
        kind, thick = rng.integers(4), int(rng.integers(1, 5))
        box = (min(x0, x1), min(y0, y1), max(x0, x1) + 1, max(y0, y1) + 1)
        if kind == 0:
            draw.line((x0, y0, x1, y1), fill=0, width=thick)
        elif kind == 1:
            draw.ellipse(box, outline=0, width=thick)
        elif kind == 2:
            draw.rectangle(box, outline=0, width=thick)
        else:
            t = np.linspace(0, 6.28, 200)
            curve = np.stack([box[0] + t / 6.28 * (box[2] - box[0]), (y0 + y1) / 2 + 60 * np.sin(t * (1 + x0 % 5))], 1)
            draw.line([(int(x), int(y)) for x, y in curve], fill=0, width=thick)
    return page


def scanned(
    rng: np.random.Generator, page: Image.Image, *, skew: float, blur: float, noise: float, level: float
) -> Bits:
    """Turn a page by an angle in degrees, blur it, add noise, and cut it at a level."""
    turned = page.rotate(skew, Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(blur))
    grey = np.asarray(turned, np.float64) + rng.normal(0, noise, (page.height, page.width))
    return (grey >= level).astype(np.uint8)


def tones(rng: np.random.Generator, photographs: list[Path], height: int, width: int) -> Grey:
    """Take a photograph, enlarged where it is smaller than the page."""
    with Image.open(photographs[rng.integers(len(photographs))]) as image:
        grey = image.convert("L")
    scale = max(height / grey.height, width / grey.width)
    grey = grey.resize((int(grey.width * scale) + 1, int(grey.height * scale) + 1), Image.Resampling.BICUBIC)
    return np.asarray(grey, np.float64)[:height, :width]


def bayer(size: int) -> Grey:
    """Return the thresholds of ordered dither, 0 … 255, of a side that is a power of two."""
    cells: Any = np.zeros((1, 1))
    while len(cells) < size:
        cells = np.block([[4 * cells, 4 * cells + 2], [4 * cells + 3, 4 * cells + 1]])
    return (cells + 0.5) * 255 / size**2


def ordered(grey: Grey, size: int) -> Bits:
    """Dither by a matrix."""
    height, width = grey.shape
    cells = np.tile(bayer(size), (-(-height // size), -(-width // size)))[:height, :width]
    return (grey >= cells).astype(np.uint8)


def diffused(grey: Grey) -> Bits:
    """Dither by the error diffusion of Floyd and Steinberg."""
    return np.asarray(Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("1"), np.uint8)


def screened(grey: Grey, *, period: float, angle: float) -> Bits:
    """Print in round dots on a turned grid."""
    y, x = np.indices(grey.shape).astype(np.float64)
    turn = np.deg2rad(angle)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    spot = np.cos(2 * np.pi * u / period) + np.cos(2 * np.pi * v / period)
    return (grey >= 127.5 + 62 * spot).astype(np.uint8)


def page(kind: str, seed: int, photographs: list[Path], *, height: int, width: int, dots: int) -> Bits:
    """Render a page: 1 is white."""
    rng = np.random.default_rng([seed, KINDS.index(kind), height])
    skew, noise = float(rng.uniform(-1.2, 1.2)), float(rng.uniform(6, 16))
    columns = 2 if kind == "columns" else 1
    words = text_page(rng, height, width, dots=dots, columns=columns)
    scan = {"skew": 0.0, "blur": dots / 300, "noise": noise, "level": 140.0}
    if kind in ("bayer4", "bayer8"):
        return ordered(tones(rng, photographs, height, width), 4 if kind == "bayer4" else 8)
    if kind == "diffused":
        return diffused(tones(rng, photographs, height, width))
    if kind in ("screen45", "screen0"):
        angle, period = (45.0, 8.0) if kind == "screen0" else (45.0, float(rng.uniform(5, 9)))
        return screened(
            tones(rng, photographs, height, width), period=period, angle=angle if kind == "screen45" else 0.0
        )
    if kind == "scanned-screen":
        dot = screened(tones(rng, photographs, height, width), period=float(rng.uniform(6, 9)), angle=45.0)
        return scanned(rng, Image.fromarray(dot * np.uint8(255)), **scan | {"skew": skew, "blur": 1.0, "level": 128.0})
    if kind.startswith("mixed"):
        bits = scanned(rng, words, **scan)
        top, left, tall, wide = height // 4, width // 6, height // 3, width // 2
        grey = tones(rng, photographs, tall, wide)
        part = diffused(grey) if kind == "mixed-diffused" else ordered(grey, 4)
        if kind == "mixed-screen":
            part = screened(grey, period=6.0, angle=45.0)
        bits[top : top + tall, left : left + wide] = part
        return bits
    if kind == "table":
        return scanned(rng, table_page(rng, height, width, dots=dots), **scan | {"skew": skew / 2})
    if kind in ("drawing", "stamp"):
        drawn = drawing_page(rng, height, width)
        return scanned(rng, drawn, **scan | ({"noise": 0.0, "blur": 0.3} if kind == "drawing" else {"skew": skew}))
    changes: dict[str, dict[str, float]] = {
        "clean": {"noise": 0.0, "blur": 0.0, "level": 128.0},
        "skewed": {"skew": skew},
        "faint": {"level": 95.0, "noise": 20.0},
        "thick": {"level": 190.0},
        "noisy": {"noise": 45.0, "skew": skew},
        "fax": {"blur": 0.8, "noise": 25.0, "skew": skew / 2},
    }
    return scanned(rng, words, **scan | changes.get(kind, {}))


def pages(seed: int, photographs: list[Path]) -> list[tuple[str, Bits]]:
    """Render all pages, of 600×800 up to 1200×1600 pixels, at 200 and 300 dots per inch."""
    made = []
    for number, kind in enumerate(KINDS):
        width, height, dots = ((600, 800, 200), (900, 1200, 200), (1200, 1600, 300))[(number + seed) % 3]
        made.append(
            (f"{number:02}-{kind}", page(kind, seed + number, photographs, height=height, width=width, dots=dots))
        )
    return made
