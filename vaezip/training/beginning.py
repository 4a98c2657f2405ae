"""Begin from a shipped model: which of them code some pictures, which does it best, and what its weights begin.

A model of some hundred pictures that is trained from nothing makes larger files than the shipped ones, which have seen
far more; so training goes on from the best of these, and is compared with it in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import vaezip
from vaezip.errors import DataError, ModelError
from vaezip.models import file as model_file
from vaezip.models import kinds
from vaezip.models.base import Model
from vaezip.models.effort import DEFAULT_PRESET
from vaezip.models.library import Library
from vaezip.training import families
from vaezip.training.families.base import Options

if TYPE_CHECKING:
    from vaezip.pictures.picture import Picture
    from vaezip.training.data import Survey

Named = tuple[str, "Picture"]


def fitting(found: Survey) -> list[Path]:
    """Return the shipped models that code all pictures of a survey."""
    library, paths = Library(), sorted(model_file.shipped().values())
    for height, width in found.sizes:
        fit = {reference.path for reference in library.fitting(_mode(found), height, width)}
        paths = [path for path in paths if path in fit]
    return paths


def _mode(found: Survey) -> str:
    """Return the mode of the pictures of a survey, without alpha."""
    return next(mode for mode, planes in kinds.PLANES.items() if planes == found.planes)


def ranked(paths: Sequence[Path], pictures: Sequence[Named], threads: int) -> list[tuple[Path, int]]:
    """Return models with the bytes that some pictures take by them at the fastest preset, the best first."""
    sizes = [(path, size_by(path, pictures, threads, preset=1)) for path in paths]
    return sorted(sizes, key=lambda found: found[1])


def size_by(path: Path, pictures: Sequence[Named], threads: int, *, preset: int = DEFAULT_PRESET) -> int:
    """Return the bytes of the file of some pictures by a model."""
    return len(vaezip.compress(pictures, model=path, threads=threads, verify=False, preset=preset))


def can_begin(path: Path, options: Options, found: Survey) -> bool:
    """Tell whether training may begin with a model: its family suits the pictures, and its networks are those that the
    options ask for, where they ask for any."""
    architecture = model_file.architecture(path)
    family, mode = families.of(architecture), _mode(found)
    if architecture.levels != kinds.levels(mode) or not all(kinds.fits(architecture, mode, s) for s in found.sizes):
        return False
    if options.arch is None and options.latents is None and options.hidden is None:
        return families.suited(found) in family.arches
    arch = options.arch or families.suited(found)
    try:
        asked = families.named(arch).architecture(arch, options, found)
    except DataError:
        return False
    return architecture.to_json() == asked.to_json()


def model_to_begin_with(path: Path, options: Options, found: Survey) -> Model:
    """Load the model that a user names to begin with.

    Raises:
        ModelError: training cannot begin with it.
    """
    model = model_file.load(path)
    if not can_begin(path, options, found):
        raise ModelError(
            f"model '{model.name}' cannot be begun with: it has networks of other sizes, or is for other pictures",
            "begin-with-nothing",
        )
    return model
