"""Give the scripts of this folder what they share: pictures made unlike and options of ``benchmarks/learning``, and
results that are kept row by row."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from vaezip.bench import machine

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "learning"))
import rates
import script
from script import Found

__all__ = ["fill", "rates", "script"]


def fill(path: Path, known: Found, again: bool, rows: Iterable[tuple[str, Callable[[], Found]]]) -> None:
    """Measure the rows that are not there yet, and keep each as it comes.

    Args:
        path: the results.
        known: what they must agree on with those that are there.
        again: measure anew what is there already.
        rows: name and measurement of each.
    """
    found: Found = {**known, "runs": [], "rows": {}}
    if path.exists() and not again:
        found = json.loads(path.read_text())
        if any(found.get(key) != value for key, value in known.items()):
            sys.exit(f"{path} holds figures of another model or other pictures; give --again, or another --out")
    run = machine.this_run()
    for name, measured in rows:
        if name in found["rows"]:
            continue
        found["rows"][name] = measured() | {"run": script.number(found, run)}
        path.write_text(json.dumps(found, indent=1) + "\n")
        print(name, found["rows"][name], flush=True)
