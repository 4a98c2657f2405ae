"""From integers to a shipped model: the file, its figures as ``.json``, and its card as ``.md`` beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.models import file as model_file
from vaezip.models.base import Architecture, Model
from vaezip.models.effort import Effort
from vaezip.models.posterior import Settings
from vaezip.models.registry import search_of
from vaezip.system.files import store


@dataclass(frozen=True)
class Draft:
    """A model that is on integers but not yet written.

    Attributes:
        architecture: sizes of its networks.
        tensors: integers, as :func:`vaezip.models.file.save` takes them.
        information: for the model file and the figures.
        details: for the figures alone.
        measure: gives figures of the model, for both, too.
        card: writes Markdown from what the ``.json`` holds.
    """

    architecture: Architecture
    tensors: Mapping[str, NDArray[Any]]
    information: dict[str, Any]
    details: dict[str, Any]
    measure: Callable[[Model], dict[str, Any]]
    card: Callable[[Mapping[str, Any]], str]


def publish(stem: Path, draft: Draft) -> dict[str, Any]:
    """Write a model, measure it, and write its figures and its card.

    Args:
        stem: path without suffix.
        draft: the model.

    Returns:
        What the ``.json`` holds.
    """
    path, settings = beside(stem, model_file.SUFFIX), Settings()
    model_file.save(path, draft.architecture, settings=settings, tensors=draft.tensors, information=draft.information)
    model = model_file.load(path)
    information = draft.information | draft.measure(model)
    model_file.save(path, draft.architecture, settings=settings, tensors=draft.tensors, information=information)
    parameters = sum(t.size for name, t in draft.tensors.items() if name.endswith((".weight", ".bias")))
    record = {"name": stem.name, "fingerprint": model.fingerprint.hex(), "parameters": parameters}
    record |= draft.details | information
    store(beside(stem, ".json"), (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    store(beside(stem, ".md"), draft.card(record).encode())
    return record


def beside(stem: Path, suffix: str) -> Path:
    """Add a suffix to a stem, whatever dots are in its name."""
    return stem.with_name(stem.name + suffix)


def bound_bits(model: Model, pictures: NDArray[np.uint8], steps: int = 0) -> float:
    """Measure −ELBO of pictures (pictures, height, width, channels) in bits, by the integers that code."""
    bits = search_of(model).bound_bits(model, pictures, effort=Effort(steps, rows=0), draws=1)
    assert bits is not None  # for nothing adapts
    return bits


def loss_percent(integer: float, floating: float) -> float:
    """Compute what quantisation loses of a rate."""
    return round(100 * (integer / floating - 1), 3)


def made_by(name: str) -> list[str]:
    """List the command lines that make a model by its recipe."""
    return [f"python -m vaezip.training {step} {name}" for step in ("train", "publish")]


def noted(note: str) -> dict[str, str]:
    """Put the note among the figures, if there is one."""
    return {"note": note} if note else {}


def card(record: Mapping[str, Any], rows: Mapping[str, str]) -> str:
    """Write a card in Markdown: a table between the name of the model and how it was made.

    Args:
        record: what the ``.json`` holds.
        rows: what each row is of, and what it says.
    """
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    note = f"{record['note']}\n" if "note" in record else ""
    return f"""# {record["name"]}

| | |
|-|-|
| Fingerprint | `{record["fingerprint"]}` |
{table}

Made by `{"` and `".join(record["made_by"])}`; the figures are those of `{record["name"]}.json`.
{note}"""
