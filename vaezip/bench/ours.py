"""Measure vaezip itself as a method, and its model's ELBO."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.bench.method import Named
from vaezip.bench.plan import called
from vaezip.codec.archive import Archive
from vaezip.codec.compress_options import Options
from vaezip.codec.compressor import Compressor
from vaezip.codec.select import AUTO
from vaezip.errors import VaezipError
from vaezip.models import file as model_file
from vaezip.models.base import Model
from vaezip.models.effort import Effort
from vaezip.models.library import Library
from vaezip.models.registry import search_of
from vaezip.pictures.picture import Picture
from vaezip.vz import records

_ELBO_VALUES = 8192 * 28 * 28
"""The ELBO of fewer values, such as a thousand digits, is the mean over several draws of z: one would tell of its
noise more than of the file's overhead."""

_MAX_DRAWS = 8

Decoded = tuple[str, Picture | VaezipError]


class Ours:
    """Run the codec with one model and one effort, the model loaded once, as the command line does it.

    Where no model is named, JPEG files are coded as files.
    """

    suffix = ".vz"
    verifies = True

    def __init__(self, options: Options, *, preset: int | None = None) -> None:
        """Load the model.

        Args:
            options: how to compress, with an effort.
            preset: what the effort is called by, if it is one of the command line's.

        Raises:
            ModelError: there is no such model.
        """
        path = None if options.model == AUTO else model_file.find(os.fspath(options.model))
        self.effort, self.preset = options.chosen_effort(), preset
        self.label = path.stem if path else AUTO
        self.name = f"{self.label} with {called(self.effort.steps, preset)}"
        self.options = replace(options, model=path or AUTO, effort=self.effort)
        self.library = Library((path,) if path else (), options.device)
        self.chosen = self.library.by_name(path) if path else None
        self._used: set[bytes] = set()
        self._bounds: dict[bytes, float | None] = {}

    def prepare(self, pictures: Sequence[Named]) -> Sequence[Named]:
        """Return the pictures as they are."""
        return pictures

    def encode(self, prepared: Sequence[Named], verify: bool) -> list[bytes]:
        """Make one file of all pictures."""
        options = replace(self.options, verify=verify)
        with Compressor(options, library=self.library) as compressor:
            for name, picture in prepared:
                compressor.add(name, picture, original=None if self.chosen else picture.original)
            return [compressor.close()]

    def decode(self, files: Sequence[bytes], prepared: object = None) -> tuple[Archive, list[Decoded]]:
        """Open the file, and read its pictures by name."""
        archive = Archive(files[0], threads=self.options.threads, library=self.library)
        return archive, list(archive.pictures())

    def restore(self, decoded: tuple[Archive, list[Decoded]], pictures: Sequence[Named]) -> list[Picture]:
        """Put the pictures into the order of coding: in a file, those of one size stand together."""
        archive, found = decoded[0], dict(decoded[1])
        self._used.update(block.model for group in archive.file.groups for block in group.blocks)
        return [_checked(found[name]) for name, _ in pictures]

    def take_model(self) -> Model | None:
        """Return the model that coded every block restored since the last call, if it was one."""
        used, self._used = self._used, set()
        if self.chosen and used <= {self.chosen.fingerprint}:
            return self.chosen
        if len(used) != 1 or not all(map(records.has_model, used)):
            return None
        return self.library.by_fingerprint(next(iter(used)))

    def elbo_bpd(self, model: Model | None, pictures: Iterable[Named]) -> float | None:
        """Measure −ELBO in bits a value; return None without a model, where that adapts, or where it does not code all
        planes of all pictures."""
        if model and model.fingerprint not in self._bounds:
            self._bounds[model.fingerprint] = _elbo_bpd(model, pictures, self.effort)
        return self._bounds[model.fingerprint] if model else None


def _elbo_bpd(model: Model, pictures: Iterable[Named], effort: Effort) -> float | None:
    groups: dict[tuple[int, ...], list[NDArray[np.uint8]]] = defaultdict(list)
    for _, picture in pictures:
        planes = coded_planes(model, picture)
        if planes is None:
            return None
        groups[planes.shape].append(planes)
    values = sum(planes.size for group in groups.values() for planes in group)
    draws = min(max(_ELBO_VALUES // values, 1), _MAX_DRAWS)
    total = 0.0
    for group in groups.values():
        bits = search_of(model).bound_bits(model, np.stack(group), effort=effort, draws=draws)
        if bits is None:  # the model adapts, and what a picture costs is not the ELBO
            return None
        total += bits
    return total / values


def coded_planes(model: Model, picture: Picture) -> NDArray[np.uint8] | None:
    """Return the samples as the model codes them; None where it does not code all of them."""
    a, samples = model.architecture, picture.samples
    if samples.shape[2] != a.channels:
        return None
    if a.levels == 2 and (picture.mode == "1" or (picture.mode == "L" and bool(np.isin(samples, (0, 255)).all()))):
        return (samples > 0).astype(np.uint8)
    if a.levels == 256 and picture.mode == "1":
        return samples.astype(np.uint8) * np.uint8(255)
    return samples.astype(np.uint8) if a.levels == 256 and picture.mode in ("L", "RGB") else None


def information(model: Model | None) -> dict[str, Any]:
    """Collect what the report says of a model."""
    if model is None:
        return {"fingerprint": None, "objective": None}
    return {"fingerprint": model.fingerprint.hex(), "objective": model.information.get("objective")}


def _checked(picture: Picture | VaezipError) -> Picture:
    if isinstance(picture, VaezipError):
        raise picture
    return picture if picture.original is None else Picture(picture.mode, picture.samples)


def default_models(dataset: str) -> tuple[str, ...]:
    """Name the shipped model of the data set's name, or ``auto``."""
    return (dataset,) if dataset in model_file.shipped() and not Path(dataset).is_dir() else (AUTO,)
