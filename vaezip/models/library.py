"""Models by name, path or fingerprint, each loaded once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from vaezip.errors import ModelError
from vaezip.models import file as model_file
from vaezip.models import kinds
from vaezip.models.kinds import MOST_SIDE, fits
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.model import AnyModel


class Library:
    """Models by name, path or fingerprint, each loaded once, and again when its file has changed."""

    def __init__(self, models: Sequence[str | os.PathLike[str]] = (), device: str = "cpu") -> None:
        """``models``: further model files to look a fingerprint up in."""
        self.device = device
        self.extra = tuple(Path(m) for m in models)
        self._loaded: dict[tuple[Path, tuple[int, int]], AnyModel] = {}
        self._lock = Lock()

    def by_name(self, name: str | os.PathLike[str]) -> AnyModel:
        """A shipped model's name, or a path."""
        return self._load(model_file.find(os.fspath(name)))

    def by_fingerprint(self, fingerprint: bytes, name: str = "") -> AnyModel:
        """The model that a file was made with; ``name`` is what the file calls it."""
        return self._load(model_file.by_fingerprint(fingerprint, self.extra, name))

    def fitting(self, mode: str, height: int, width: int) -> list[AnyModel]:
        """The shipped models that can code such pictures, without those that others are always ahead of:
        where a model sees across the edges of tiles, one that does not is for pictures of one tile alone."""
        if max(height, width) > MOST_SIDE:
            return []
        architectures = {path: model_file.architecture(path) for path in model_file.shipped().values()}
        levels = kinds.levels(mode)
        found = {p: a for p, a in architectures.items() if a.levels == levels and fits(a, mode, height, width)}
        across = {p for p, a in found.items() if isinstance(a, PixelArchitecture)}
        return [self._load(p) for p, a in found.items() if not across or p in across or (height, width) == a.tile]

    def file(self, fingerprint: bytes) -> bytes:
        """The bytes of the file of a model that was loaded.

        Raises:
            ModelError: it has been changed since.
        """
        path, model = next((p, m) for (p, _), m in self._loaded.items() if m.fingerprint == fingerprint)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: the model cannot be read ({error.strerror})") from error
        if model_file.loads(data, model.name).fingerprint != fingerprint:
            raise ModelError(f"{path}: the model has changed meanwhile; try again")
        return data

    @property
    def loaded(self) -> list[AnyModel]:
        """Those that were asked for so far."""
        return list(self._loaded.values())

    def _load(self, path: Path) -> AnyModel:
        with self._lock:
            key = path, model_file.version(path)
            if key not in self._loaded:
                self._loaded[key] = model_file.load(path, self.device)
            return self._loaded[key]
