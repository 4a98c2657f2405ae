"""What a training experiment found, as JSON beside a plot."""

from __future__ import annotations

import argparse
import json
from typing import Any

import common
from matplotlib.figure import Figure

Record = dict[str, Any]


def record(
    title: str,
    settings: list[dict[str, Any]],
    measured: dict[str, Any],
    rows: list[dict[str, Any]],
    claims: list[dict[str, Any]],
    differences: list[str],
) -> Record:
    """The fields that every experiment has.

    Args:
        title: for people.
        settings: what was trained.
        measured: what the plot shows.
        rows: paper / ours, from :func:`claims.row`.
        claims: from :func:`claims.claim`.
        differences: why ours are not the paper's.
    """
    return {
        "title": title,
        "settings": settings,
        "rows": rows,
        "claims": claims,
        "differences": differences,
        "measured": measured,
    }


def write(options: argparse.Namespace, name: str, found: Record, figure: Figure) -> None:
    """``results/NAME.json`` and ``.png``, or ``NAME-quick``."""
    common.RESULTS.mkdir(exist_ok=True)
    less = {what: value for what in ("epochs", "sigma") if (value := getattr(options, what, None))}
    fields = {"figure": name, "quick": options.quick, **less, **found}
    common.path(options, name, ".json").write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n")
    figure.savefig(common.path(options, name, ".png"), dpi=120)


def kept(options: argparse.Namespace, name: str) -> dict[str, Any]:
    """What an earlier call measured, if only some parts are to be measured now."""
    path = common.path(options, name, ".json")
    return json.loads(path.read_text())["measured"] if options.only and path.exists() else {}
