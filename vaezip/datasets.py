"""Data sets in their published layouts, as integer pixel arrays."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaezip.errors import DataError

NAMES = ("mnist", "mnist-binary", "cifar10")


def load(name: str, split: str, data: str | os.PathLike[str] | None = None) -> NDArray[np.uint8]:
    """The images of a data set.

    Args:
        name: one of :data:`NAMES`.
        split: ``train`` or ``test``.
        data: folder that holds ``mnist/`` and ``cifar-10-batches-bin/``;
            ``$VAEZIP_DATA`` if not given.

    Returns:
        uint8 array (images, height, width, channels), in the published order.

    Raises:
        DataError: unknown name, or the files are not there.
    """
    root = Path(data or os.environ.get("VAEZIP_DATA", "data"))
    if name in ("mnist", "mnist-binary"):
        images = _read_idx(root / "mnist", {"train": "train", "test": "t10k"}[split])
        return (images >= 128).astype(np.uint8) if name == "mnist-binary" else images
    if name == "cifar10":
        files = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
        return np.concatenate([_read_cifar(root / "cifar-10-batches-bin" / f) for f in files])
    raise DataError(f"no data set is called '{name}'; there are {', '.join(NAMES)}")


def _read_idx(folder: Path, stem: str) -> NDArray[np.uint8]:
    path = folder / f"{stem}-images-idx3-ubyte.gz"
    try:
        raw = gzip.decompress(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read; put the MNIST files into {folder}") from error
    count, height, width = np.frombuffer(raw, ">u4", 3, 4)
    return np.frombuffer(raw, np.uint8, offset=16).reshape(count, height, width, 1)


def _read_cifar(path: Path) -> NDArray[np.uint8]:
    try:
        raw = np.fromfile(path, np.uint8).reshape(-1, 3073)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read; put the binary version of CIFAR-10 there") from error
    return np.ascontiguousarray(raw[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
