"""What the measurements of photographs that went through something share: the arguments, the pictures, the coding."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import vaezip

Colours = NDArray[np.uint8]
Photograph = tuple[str, Colours]
"""Its name, and its pixels."""


def parser(about: str | None) -> argparse.ArgumentParser:
    """Return a parser of the arguments that all take."""
    found = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    found.add_argument("--every", type=int, default=1, help="take one photograph of so many")
    found.add_argument("--crop", type=int, default=1 << 30, help="take the middle, of so many rows and columns at most")
    return found


def of(arguments: argparse.Namespace, *, every: int = 1) -> list[Photograph]:
    """Return one photograph of so many in ``photos/valid``."""
    files = sorted((arguments.data / "photos" / "valid").iterdir())[::every]
    return [(path.name, cropped(path, arguments.crop)) for path in files]


def cropped(path: Path, side: int) -> Colours:
    """Return the middle of a photograph, of so many rows and columns at most."""
    colours = np.asarray(Image.open(path).convert("RGB"))
    top, left = (max(0, (extent - side) // 2) for extent in colours.shape[:2])
    return np.ascontiguousarray(colours[top : top + side, left : left + side])


def by_ours(samples: NDArray[Any], mode: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Code a picture, in colours where no mode is named, decode it, and compare; return what it takes in bytes and
    seconds, and its first block."""
    began = time.process_time()
    data = vaezip.compress(vaezip.Picture(mode or ("RGB;16" if samples.dtype == np.uint16 else "RGB"), samples))
    between = time.process_time()
    decoded = vaezip.decompress(data)
    ended = time.process_time()
    assert isinstance(decoded, vaezip.Picture)
    assert np.array_equal(decoded.samples, samples)
    block = vaezip.Archive(data).info()["blocks"][0]
    seconds = {"encode_s": round(between - began, 2), "decode_s": round(ended - between, 2)}
    return {"samples": samples.size, "ours": len(data), **seconds}, block


def by_jpegxl(samples: NDArray[Any]) -> int:
    """Return how many bytes JPEG XL takes, effort 9."""
    return len(imagecodecs.jpegxl_encode(samples, effort=9, lossless=True))
