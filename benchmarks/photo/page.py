"""Write parts of a page in Markdown, for the READMEs here and in ``experiments/photo``."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Found = dict[str, Any]


def paragraph(text: str) -> str:
    """Fill a paragraph into lines of one length."""
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a table."""
    return "".join("| " + " | ".join(line) + " |\n" for line in [head, ["-"] * len(head), *rows])


def measured_on(runs: Iterable[Found]) -> str:
    """Name the machines, versions and commits of some runs."""
    text = ""
    for run in runs:
        cores = f"{run['machine']['cores']} cores, {run['machine']['memory_gb']} GB"
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        text += f"Measured on {run['machine']['cpu']}, {cores}; {versions}; commit {run['commit'] or 'unknown'}.\n"
    return text


def read(folder: Path, name: str) -> Found | None:
    """Read the results of that name; return None where there are none."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None
