"""Read and write model files: safetensors of integers, fingerprints, and the list of shipped models.

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
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from vaezip.errors import ModelError
from vaezip.exact import backend
from vaezip.models.base import Architecture, Model, Parts
from vaezip.models.posterior import Settings
from vaezip.models.registry import architecture_from_json, build
from vaezip.system.files import store
from vaezip.system.spans import timed
from vaezip.vz.records import has_model

FINGERPRINT_BYTES = 4
MAX_ENTRIES = 1 << 24
"""Entries of all tensors of a model that a file holds: packed they may take next to nothing, and here 45 bytes each."""

MAX_HEADER = 1 << 20
"""Bytes of JSON of a model file: those of the shipped ones take some thousand; parsed they take 35 times as many."""

SUFFIX = ".safetensors"


def save(
    path: str | os.PathLike[str],
    architecture: Architecture,
    *,
    settings: Settings,
    tensors: Mapping[str, NDArray[Any]],
    information: dict[str, Any],
) -> None:
    """Write a model file.

    Args:
        path: ends in ``.safetensors``.
        tensors: integers, as :class:`vaezip.models.network.IntegerNetwork` takes them, and ``coarse``.
        information: anything that JSON holds; shown by ``vaezip models``.

    Raises:
        OutputError: it cannot be written.
    """
    metadata = {
        "architecture": architecture.to_json(),
        "settings": json.dumps(asdict(settings), sort_keys=True),
        "information": json.dumps(information, sort_keys=True),
    }
    store(Path(path), save_tensors({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}, metadata))


@timed("loading models")
def load(path: str | os.PathLike[str], device: str = "cpu") -> Model:
    """Read a model file and check that it can be run exactly.

    Raises:
        ModelError: not a model file, incomplete, beyond exact arithmetic, or of larger networks than any that one
            would train.
    """
    path = Path(path)
    metadata, tensors = _read(path)
    try:
        return _model(path.stem, metadata, tensors, device)
    except _MALFORMED as error:
        raise _no_model(path, error) from error


def loads(data: bytes, name: str, device: str = "cpu") -> Model:
    """Read the model in the bytes of a model file, which may come from anybody.

    Args:
        data: the bytes.
        name: of the model.
        device: as for :func:`load`.

    Raises:
        ModelError: as :func:`load`; or its tensors are larger than what a file may hold.
    """
    try:
        length = _header_length(data[:8])
        tensors = load_tensors(data)
        if entries(tensors) > MAX_ENTRIES:
            raise ModelError(f"model '{name}': its tensors are too large for a model in a file")
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
        return _model(name, metadata, tensors, device)
    except _MALFORMED as error:
        raise ModelError(f"model '{name}': not a vaezip model ({_said(error)})") from error


def _header_length(first: bytes) -> int:
    """Return the bytes of JSON of a model file that begins so.

    Raises:
        ValueError: they are too many.
    """
    if (length := int.from_bytes(first, "little")) > MAX_HEADER:
        raise ValueError(f"its description takes more than {MAX_HEADER:,} bytes")
    return length


def _model(name: str, metadata: Mapping[str, str], tensors: Mapping[str, NDArray[Any]], device: str) -> Model:
    settings = Settings(**json.loads(metadata["settings"]))
    information = json.loads(metadata["information"])
    architecture = architecture_from_json(metadata["architecture"])
    try:
        architecture.check_work()
    except ModelError as error:
        raise error.behind(f"model '{name}'") from error
    fingerprint = _fingerprint(metadata, tensors)
    if not has_model(fingerprint):
        raise ModelError(
            f"model '{name}': its fingerprint is {fingerprint.hex()}, which stands for a coder without a model"
        )
    return build(architecture, Parts(name, fingerprint, settings, backend(device), tensors, information))


_MALFORMED = (SafetensorError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""The errors that bytes of no model can make the code above run into."""


def _no_model(path: Path, error: Exception) -> ModelError:
    remedy = "give a file that vaezip train wrote, or a name that vaezip models lists"
    return ModelError(f"{path}: not a vaezip model ({_said(error)}); {remedy}")


def _said(error: Exception) -> str:
    """Word an error; of a field that is missing Python tells the name alone."""
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def entries(tensors: Mapping[str, NDArray[Any]]) -> int:
    """Count the entries of all tensors."""
    return sum(tensor.size for tensor in tensors.values())


def architecture(path: Path) -> Architecture:
    """Read the architecture of a model file, without its weights."""
    return _architecture(path, version(path))


@timed("loading models")
def fingerprint(path: Path) -> bytes:
    """Return the first bytes of the SHA-256 of architecture, settings and tensors, by name, type and value."""
    return _fingerprint_of_file(path, version(path))


def version(path: Path) -> tuple[int, int]:
    """Return a value that changes when a file is written anew, so that the caches below forget it."""
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read ({error.strerror})") from error
    return status.st_mtime_ns, status.st_size


@lru_cache
def _architecture(path: Path, version: tuple[int, int]) -> Architecture:
    try:
        with _opened(path) as file:
            return architecture_from_json((file.metadata() or {})["architecture"])
    except (OSError, *_MALFORMED) as error:
        raise _no_model(path, error) from error


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
    """List name and path of every model that comes with vaezip, in alphabetical order."""
    package = Path(__file__).parents[1]
    folder = next((f for f in (package / "shipped", package.parent / "models") if f.is_dir()), None)
    return {p.stem: p for p in sorted(folder.glob("*" + SUFFIX))} if folder else {}


def find(name: str) -> Path:
    """Find the path of a model by its name or path.

    Raises:
        ModelError: there is none.
    """
    known = shipped()
    if name in known:
        return known[name]
    if Path(name).is_file():
        return Path(name)
    if name.endswith(SUFFIX) or os.path.dirname(name):
        raise ModelError(f"there is no model file '{name}'")
    near = get_close_matches(name, known, 1)
    meant = f"; '{near[0]}' may be meant" if near else f"; shipped are {', '.join(known)}"
    raise ModelError(f"no model is called '{name}'{meant}, or give the path of a model file")


def by_fingerprint(wanted: bytes, extra: tuple[Path, ...] = (), name: str = "") -> Path:
    """Find the path of the model with a fingerprint, among ``extra`` and the shipped ones.

    ``name`` is what the file calls it, for the message.

    Raises:
        ModelError: none of them has it.
    """
    for path in (*extra, *shipped().values()):
        if fingerprint(path) == wanted:
            return path
    called = f"model '{name}'" if name else "a model"
    raise ModelError(f"made with {called} of fingerprint {wanted.hex()}, which is not here", "model-file")


def _opened(path: Path) -> safe_open:
    """Open a model file, if its description is not too long."""
    with path.open("rb") as file:
        _header_length(file.read(8))
    return safe_open(path, framework="numpy")


def _read(path: Path) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    try:
        with _opened(path) as file:
            metadata = dict(file.metadata() or {})
            if "architecture" not in metadata:  # seen before the tensors, whose types NumPy may lack
                raise KeyError("architecture")
            return metadata, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except _MALFORMED as error:
        raise _no_model(path, error) from error
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read ({error})") from error
