"""Models by name, path or fingerprint, each loaded once in a process, and again when its file has changed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from vaezip.errors import FormatError, ModelError
from vaezip.models import file as model_file
from vaezip.models import kinds
from vaezip.models.base import Model
from vaezip.vz.records import Embedded

_loaded: dict[tuple[Path, tuple[int, int], str], Model] = {}
_lock = RLock()


def _renew_lock() -> None:
    """Begin anew in a process that was forked while a thread, which is not there, held the lock."""
    global _lock
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)

_MOST_ENTRIES = 2 * model_file.MAX_ENTRIES
"""Entries of the tensors of all models that are unpacked from a file."""


class Reference(NamedTuple):
    """A model file, and the fingerprint that it had when it was chosen."""

    path: Path
    fingerprint: bytes


class Library:
    """The models that one job may use. It may be pickled: where it is unpickled, models are loaded anew."""

    def __init__(self, models: Sequence[str | os.PathLike[str]] = (), device: str = "cpu") -> None:
        """Begin with the shipped models and further model files, to run on a device."""
        self.device = device
        self.extra = tuple(Path(m) for m in models)
        self._used: dict[bytes, Path] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.extra, self.device)

    def by_name(self, name: str | os.PathLike[str]) -> Model:
        """Return the model of a shipped model's name, or of a path.

        Raises:
            ModelError: there is none, or it cannot be used.
        """
        return self.by_path(model_file.find(os.fspath(name)))

    def by_fingerprint(self, fingerprint: bytes, name: str = "") -> Model:
        """Return the model that a file was made with; ``name`` is what the file calls it.

        Raises:
            ModelError: there is none, or it cannot be used.
        """
        return self.by_path(model_file.by_fingerprint(fingerprint, self.extra, name))

    def by_path(self, path: Path) -> Model:
        """Return the model in a file.

        Raises:
            ModelError: it cannot be used.
        """
        with _lock:
            key = path, model_file.version(path), self.device
            if key not in _loaded:
                _loaded[key] = model_file.load(path, self.device)
            model = _loaded[key]
            self._used[model.fingerprint] = path
            return model

    def by_reference(self, reference: Reference) -> Model:
        """Return the model in a file that was chosen.

        Raises:
            ModelError: it cannot be used, or has changed since.
        """
        model = self.by_path(reference.path)
        if model.fingerprint != reference.fingerprint:
            raise ModelError(f"{reference.path}: the model has changed meanwhile; try again")
        return model

    def fitting(self, mode: str, height: int, width: int) -> list[Reference]:
        """Return the shipped models that can code such pictures, without those that others are always ahead of:
        where a model sees across the edges of tiles, one that does not is for pictures of one tile alone."""
        architectures = {path: model_file.architecture(path) for path in model_file.shipped().values()}
        suited = {p: a for p, a in architectures.items() if a.levels == kinds.levels(mode)}
        across = any(a.sees_across_tiles and kinds.fits(a, mode, a.tile) for a in suited.values())
        fit = {p: a for p, a in suited.items() if kinds.fits(a, mode, (height, width))}
        chosen = [p for p, a in fit.items() if not across or a.sees_across_tiles or (height, width) == a.tile]
        return [Reference(path, model_file.fingerprint(path)) for path in chosen]

    def file(self, fingerprint: bytes) -> bytes:
        """Return the bytes of the file of a model that was used.

        Raises:
            ModelError: it has been changed since.
        """
        path = self._used.get(fingerprint) or model_file.by_fingerprint(fingerprint, self.extra)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: the model cannot be read ({error.strerror})") from error
        if model_file.loads(data, path.stem).fingerprint != fingerprint:
            raise ModelError(f"{path}: the model has changed meanwhile; try again")
        return data

    def name_of(self, fingerprint: bytes, *, even_shipped: bool = False) -> str:
        """Return what a file calls a model; the shipped ones need no name, for every vaezip has them."""
        path = self._used.get(fingerprint) or model_file.by_fingerprint(fingerprint, self.extra)
        return path.stem if even_shipped or path.stem not in model_file.shipped() else ""


class FileLibrary(Library):
    """The models of one ``.vz`` file: those that it holds come before all others."""

    def __init__(self, library: Library, embedded: Mapping[bytes, Embedded], names: Mapping[bytes, str]) -> None:
        """Begin with the models that a file holds, and with what it calls any model."""
        super().__init__(library.extra, library.device)
        self.embedded, self.names = dict(embedded), dict(names)
        self._entries = 0
        self._unpacked: dict[bytes, Model | str] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return FileLibrary, (Library(self.extra, self.device), self.embedded, self.names)

    def by_fingerprint(self, fingerprint: bytes, name: str = "") -> Model:
        """Return the model of a block: the one in the file, or else one that this machine has.

        Raises:
            FormatError: the one in the file is damaged.
            ModelError: there is none.
        """
        called = name or self.names.get(fingerprint, "")
        if fingerprint not in self.embedded:
            return super().by_fingerprint(fingerprint, called)
        with _lock:
            if fingerprint not in self._unpacked:
                try:
                    self._unpacked[fingerprint] = self._unpack(fingerprint, called)
                except FormatError as error:  # which many blocks may meet, and which may take long to find
                    self._unpacked[fingerprint] = str(error)  # the error itself would keep what was unpacked
            found = self._unpacked[fingerprint]
        if isinstance(found, str):
            raise FormatError(found)
        return found

    def _unpack(self, fingerprint: bytes, name: str) -> Model:
        try:
            model = model_file.loads(self.embedded[fingerprint].unpack(), name, self.device)
        except ModelError as error:
            raise FormatError(f"the model in the file cannot be used: {error}") from error
        if model.fingerprint != fingerprint:
            raise FormatError(
                f"the model in the file has fingerprint {model.fingerprint.hex()}, not {fingerprint.hex()}, "
                "by which the file names it; the file is damaged"
            )
        self._entries += model_file.entries(model.tensors)
        if self._entries > _MOST_ENTRIES:
            raise FormatError("the models in the file are too large together")
        return model
