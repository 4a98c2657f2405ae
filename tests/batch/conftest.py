"""What the tests of batches share: folders of small pictures, and how to code them quickly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip import Options, Picture

QUICK = Options(model=Path(__file__).parents[1] / "models" / "local-grey.safetensors", preset=1)
"""Codes a picture of 8×8 in some milliseconds."""


def picture(seed: int) -> Picture:
    """A small picture of grey."""
    rng = np.random.default_rng(seed)
    return Picture("L", rng.integers(0, 256, (8, 8, 1)).astype(np.uint8))


@pytest.fixture
def photos(tmp_path) -> Callable[[int], Path]:
    """photos(count): a folder of pictures, the odd ones in a folder below it."""

    def make(count: int) -> Path:
        folder = tmp_path / "photos"
        for i in range(count):
            path = folder / ("odd" if i % 2 else "") / f"{i:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(vaezip.pictures.write(picture(i), ".png"))
        return folder

    return make


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, without what a batch remembers."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix(): (folder / path).read_bytes() for path in found if path.parts[0] != ".vaezip"}
