"""What a training experiment found, as JSON beside a plot."""

from __future__ import annotations

import argparse
import functools
import json
import sys
from typing import Any

import common
import torch
from matplotlib.figure import Figure

from vaezip.bench import machine

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
    """``NAME.json`` and ``.png``, or ``NAME-quick``, in the folder of the results."""
    less = {"epochs": options.epochs} if getattr(options, "epochs", None) else {}
    fields = {"figure": name, "quick": options.quick, **less, "made_on": made_on(options.device), **found}
    common.path(options, name, ".json").write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n")
    figure.savefig(common.path(options, name, ".png"), dpi=120)
    if fields["made_on"]["commit"] is None:
        print("of the vaezip that is installed, and not of this checkout: no commit is known", file=sys.stderr)
    print(f"wrote {common.path(options, name, '.json')} and .png", file=sys.stderr)


@functools.cache  # before a first result is a file that differs from the commit
def made_on(device: str) -> dict[str, Any]:
    """What the figures of this process hold for."""
    here = machine.describe(device)
    return {"commit": machine.commit(), "torch": torch.__version__, "processor": here["gpu"] or here["cpu"]}


def kept(options: argparse.Namespace, name: str) -> dict[str, Any]:
    """What an earlier call measured, if only some parts are to be measured now."""
    path = common.path(options, name, ".json")
    return json.loads(path.read_text())["measured"] if options.only and path.exists() else {}
