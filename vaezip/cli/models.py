"""``vaezip models``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import vaezip
from vaezip.cli.console import Console, with_console
from vaezip.cli.tables import table

_BILEVEL = "black and white"
_KINDS = {(1, 2): _BILEVEL, (1, 256): "grey", (3, 256): "RGB"}
"""Of channels and levels."""

_RATE = "integer_bpd"
"""Where the information of a model has its bits per dimension on its test set."""


_LEAST = ("latents", "parameters")
"""The columns that a narrow terminal does without."""

_NUMBERS = ("latents", "parameters", "bytes", "bpd")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON, with all that each model says of itself.")
@with_console
def command(as_json: bool, console: Console) -> None:
    """List the models that come with vaezip.

    'compress' tries all that code a picture, unless --model chooses one. 'bpd' is bits per dimension
    (sample) of the pictures that each was tested on, which differ: the card of a model names them. A
    narrow terminal shows fewer columns.
    """
    from vaezip.models import file as model_file

    found = []
    for _, path in sorted(model_file.shipped().items()):
        with console.attempt():
            found.append(_describe(path))
    console.tell(json.dumps(found, indent=2) if as_json else _listed(found, console.width))


def _listed(found: list[dict[str, Any]], width: int | None) -> str:
    """Word the table, without the least of its columns where it would be too wide."""
    rows = _rows(found)
    lines = list(table(rows, right=_NUMBERS))
    if width is not None and max(map(len, lines)) > width:
        kept = [i for i, head in enumerate(rows[0]) if head not in _LEAST]
        lines = list(table([[row[i] for i in kept] for row in rows], right=_NUMBERS, width=width))
    return "\n".join(lines)


def _describe(path: Path) -> dict[str, Any]:
    model = vaezip.load_model(path)
    a = model.architecture
    return {
        "name": model.name,
        "fingerprint": model.fingerprint.hex(),
        "channels": a.channels,
        "levels": a.levels,
        "tile": list(a.tile),
        "tiled": a.tiled,
        "latents": a.latents,
        "parameters": sum(t.size for name, t in model.tensors.items() if name.endswith((".weight", ".bias"))),
        "bytes": path.stat().st_size,
        "information": model.information,
    }


def _rows(found: list[dict[str, Any]]) -> list[list[str]]:
    head = ["name", "fingerprint", "codes", "latents", "parameters", "bytes", "bpd"]
    return [head, *map(_row, found)]


def _row(model: dict[str, Any]) -> list[str]:
    rate = model["information"].get(_RATE)
    return [
        model["name"],
        model["fingerprint"],
        _codes(model),
        f"{model['latents']:,}",
        f"{model['parameters']:,}",
        f"{model['bytes']:,}",
        f"{rate:.4f}" if isinstance(rate, float) else "-",
    ]


def _codes(model: dict[str, Any]) -> str:
    height, width = model["tile"]
    kind = _KINDS.get((model["channels"], model["levels"]), "other pictures")
    if _BILEVEL in model["information"].get("dataset", ""):
        kind = _BILEVEL  # though it has 256 levels
    return f"{kind}, any size" if model["tiled"] else f"{kind}, {width}×{height}"
