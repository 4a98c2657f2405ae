"""What command lines here and in ``experiments/learning`` share: options, and measuring before showing."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

Found = dict[str, Any]


def parser(description: str | None, *, results: str, folder: Path) -> argparse.ArgumentParser:
    """Make the options of a script that measures a model and keeps ``results``, a file name, in a folder."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--model", default="photo", help="name of a shipped model, or path")
    made.add_argument("--out", type=Path, default=folder, help="folder for the results")
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
