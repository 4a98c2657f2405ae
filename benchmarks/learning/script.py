"""What the command lines of this folder share: options, and measuring before showing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from vaezip.bench import machine

Found = dict[str, Any]


def parser(description: str | None, results: str) -> argparse.ArgumentParser:
    """Options of a script that measures a model and keeps ``results``, a file name."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--model", default="photo", help="name of a shipped model, or path")
    made.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the results")
    made.add_argument("--again", action="store_true", help="measure anew what is there already")
    made.add_argument("--readme", action="store_true", help=f"write plot and README anew from {results} alone")
    return made


def parsed(made: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, ``--photos`` among them where something is to be measured."""
    options = made.parse_args(arguments)
    if not options.readme and not options.photos:
        made.error("--photos is missing")
    return options


def carried_out(
    options: argparse.Namespace,
    results: str,
    measure: Callable[[argparse.Namespace, Path], None],
    publish: Callable[[Path], None],
) -> None:
    """Measure, on one thread, unless only the README is to be made; then publish."""
    path = options.out / results
    if not options.readme:
        options.out.mkdir(parents=True, exist_ok=True)
        with threadpool_limits(1):
            measure(options, path)
    publish(path)


def number(found: Found, run: Found) -> int:
    """Of a run among those of the results, to which it is added."""
    if run not in found["runs"]:
        found["runs"].append(run)
    return int(found["runs"].index(run))


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
        found["rows"][name] = measured() | {"run": number(found, run)}
        path.write_text(json.dumps(found, indent=1) + "\n")
        print(name, found["rows"][name], flush=True)
