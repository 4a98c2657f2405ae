"""Model files: safetensors of integers, fingerprints, and the list of shipped models.

A model file holds the integer tensors of encoder and decoder, ``coarse`` (the coarse grid of
each latent), and in its metadata the architecture, the settings of the K steps and free
information (training, rates). The fingerprint covers all that moves a coded bit, so the free
information may be changed without making a new model.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from vaezip.errors import ModelError
from vaezip.exact import backend
from vaezip.inference import Settings
from vaezip.model import Model
from vaezip.networks.architecture import Architecture

FINGERPRINT_BYTES = 4
SUFFIX = ".safetensors"


def save(
    path: str | os.PathLike[str],
    architecture: Architecture,
    settings: Settings,
    tensors: Mapping[str, NDArray[Any]],
    information: dict[str, Any],
) -> None:
    """Write a model file.

    Args:
        path: ends in ``.safetensors``.
        tensors: integers, as :class:`vaezip.networks.integer.IntegerNetwork` takes them, and ``coarse``.
        information: anything that JSON holds; shown by ``vaezip models``.
    """
    metadata = {
        "architecture": architecture.to_json(),
        "settings": json.dumps(asdict(settings), sort_keys=True),
        "information": json.dumps(information, sort_keys=True),
    }
    save_file({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}, path, metadata)
    os.chmod(path, 0o644)  # safetensors makes it unreadable to others


def load(path: str | os.PathLike[str], device: str = "cpu") -> Model:
    """Read a model file and check that it can be run exactly.

    Raises:
        ModelError: not a model file, incomplete, or beyond exact arithmetic.
    """
    path = Path(path)
    metadata, tensors = _read(path)
    try:
        settings = Settings(**json.loads(metadata["settings"]))
        information = json.loads(metadata["information"])
        layers = Architecture.from_json(metadata["architecture"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: not a vaezip model ({error})") from error
    return Model(path.stem, _fingerprint(metadata, tensors), layers, settings, backend(device), tensors, information)


def architecture(path: Path) -> Architecture:
    """The architecture of a model file, without its weights."""
    return _architecture(path, _version(path))


def fingerprint(path: Path) -> bytes:
    """The first bytes of the SHA-256 of architecture, settings and tensors, by name, type and value."""
    return _fingerprint_of_file(path, _version(path))


def _version(path: Path) -> tuple[int, int]:
    """What changes when a file is written anew, so that the caches below forget it."""
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read ({error.strerror})") from error
    return status.st_mtime_ns, status.st_size


@lru_cache
def _architecture(path: Path, version: tuple[int, int]) -> Architecture:
    try:
        with safe_open(path, framework="numpy") as file:
            return Architecture.from_json((file.metadata() or {})["architecture"])
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelError(f"{path}: not a vaezip model ({error})") from error


@lru_cache
def _fingerprint_of_file(path: Path, version: tuple[int, int]) -> bytes:
    return _fingerprint(*_read(path))


def _fingerprint(metadata: Mapping[str, str], tensors: Mapping[str, NDArray[Any]]) -> bytes:
    digest = hashlib.sha256()
    for text in (metadata.get("architecture", ""), metadata.get("settings", "")):
        digest.update(text.encode() + b"\0")
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tensor.shape}\0".encode())
        digest.update(tensor.astype(tensor.dtype.newbyteorder("<")).tobytes())
    return digest.digest()[:FINGERPRINT_BYTES]


def shipped() -> dict[str, Path]:
    """Name and path of every model that comes with vaezip, in alphabetical order."""
    here = Path(__file__).parent
    folder = next((f for f in (here / "models", here.parent / "models") if f.is_dir()), None)
    return {p.stem: p for p in sorted(folder.glob("*" + SUFFIX))} if folder else {}


def find(name: str) -> Path:
    """The path of a model given by name or path.

    Raises:
        ModelError: there is none.
    """
    known = shipped()
    if name in known:
        return known[name]
    if Path(name).is_file():
        return Path(name)
    raise ModelError(f"no model is called '{name}'; shipped are {', '.join(known)}, or give the path of a model file")


def by_fingerprint(wanted: bytes, extra: tuple[Path, ...] = (), name: str = "") -> Path:
    """The path of the model with a fingerprint, among ``extra`` and the shipped ones.

    ``name`` is what the file calls it, for the message.

    Raises:
        ModelError: none of them has it.
    """
    for path in (*extra, *shipped().values()):
        if fingerprint(path) == wanted:
            return path
    called = f"model '{name}'" if name else "a model"
    raise ModelError(
        f"made with {called} of fingerprint {wanted.hex()}, which is not here; give the model file by --model PATH"
    )


def _read(path: Path) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    try:
        with safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: the model cannot be read ({error})") from error
