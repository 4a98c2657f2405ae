"""The families of models as training sees them: a line each, and the only place that finds one by a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaezip.models.base import Architecture
from vaezip.training.families.base import Family
from vaezip.training.families.pixel.family import PixelFamily
from vaezip.training.families.tile.family import TileFamily

if TYPE_CHECKING:
    from vaezip.training.data import Survey

FAMILIES: tuple[Family, ...] = (PixelFamily(), TileFamily())
"""In the order in which they are asked for a network that suits some pictures."""


def of(architecture: Architecture) -> Family:
    """Find the family of an architecture."""
    return next(family for family in FAMILIES if family.kind == architecture.kind)


def named(arch: str) -> Family:
    """Find the family that has a network of a name."""
    return next(family for family in FAMILIES if arch in family.arches)


def suited(survey: Survey) -> str:
    """Name the network for pictures of a survey where the user names none."""
    return next(filter(None, (family.suited(survey) for family in FAMILIES)))
