"""The families of models: a line each, and the only place that turns a family's name into its code."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any, NamedTuple

from vaezip.errors import ModelError
from vaezip.models.base import Architecture, Model, Parts, Search


class Family(NamedTuple):
    """The modules of a family; each is imported when it is needed.

    Attributes:
        model: has ``architecture_from_json`` and ``build``.
        search: is a :class:`vaezip.models.base.Search`.
    """

    model: str
    search: str


DEFAULT = "tile"
"""The family of an architecture whose JSON names none."""

FAMILIES = {
    "tile": Family("vaezip.models.tile.model", "vaezip.models.tile.search"),
    "local": Family("vaezip.models.pixel.model", "vaezip.models.pixel.search"),
}


def architecture_from_json(text: str) -> Architecture:
    """Read an architecture of any family.

    Raises:
        ModelError: the text is not understood, or the family is unknown.
    """
    try:
        kind = json.loads(text).get("kind", DEFAULT)
    except (ValueError, AttributeError) as error:
        raise ModelError(f"the model's architecture is not understood ({error})") from error
    found: Architecture = _model_module(kind).architecture_from_json(text)
    return found


def build(architecture: Architecture, parts: Parts) -> Model:
    """Make a model ready to code.

    Raises:
        ModelError: its tensors do not fit its architecture, or leave exact arithmetic.
    """
    model: Model = _model_module(architecture.kind).build(architecture, parts)
    return model


def search_of(model: Model) -> Search:
    """Import the encoder of a model's family."""
    module: Search = import_module(FAMILIES[model.architecture.kind].search)
    return module


def _model_module(kind: str) -> Any:
    if kind not in FAMILIES:
        raise ModelError(f"models of kind '{kind}' are unknown; a newer vaezip may know them")
    return import_module(FAMILIES[kind].model)
