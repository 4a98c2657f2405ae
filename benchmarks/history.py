"""What made vaezip faster, before and after: ``python benchmarks/history.py --data DIR``.

Each change of :data:`CHANGES` is a commit; it and the one before it are checked out side by side, each with
the models that it shipped, and take turns on the same images in one run, so that a noisy machine is noisy for
both. Times are medians of processor time, of the codec alone in one thread, without verification; every file is decoded
and compared. ``--only`` measures the changes of one commit, and leaves the others as they stand; where
``NUMBA_CPU_NAME`` is set, such as to haswell, kernels are for another processor, and what is found stands beside the
rest. Writes ``results/history.json`` and ``.md`` beside this file; it needs the history of the repository.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from speed import photograph

import vaezip
from vaezip.bench import machine, worker
from vaezip.bench.plan import Plan
from vaezip.bench.plots import duration
from vaezip.pictures.picture import Picture

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
REPEATS = 5
SIDES = ("before", "after")


@dataclass(frozen=True)
class Work:
    """Images of one kind, by one model, with K steps or by a preset."""

    model: str
    images: int
    steps: int = 0
    preset: int | None = None

    @property
    def title(self) -> str:
        """For people."""
        if self.preset is not None:
            return f"`{self.model}`, `-{self.preset}`, a photograph"
        what = f"{self.images:,} images" if self.images > 1 else "a picture of 0.1 megapixels"
        return f"`{self.model}`, K = {self.steps}, {what}"


DIGITS = Work("mnist-binary", 1000, 0), Work("mnist-binary", 1000, 7), Work("mnist", 1000, 0), Work("mnist", 1000, 7)
COLOUR = Work("cifar10", 20, 0), Work("cifar10", 20, 7)
MANY = Work("cifar10", 300, 0), Work("cifar10", 100, 7)
PICTURE, LEARNT = Work("photo", 1, 0), Work("photo", 1, 1)
PRESETS = tuple(Work("photo", 1, preset=preset) for preset in (1, 2, 4, 6))


@dataclass(frozen=True)
class Change:
    """A commit, what it did, and the works that it was to make faster; ``before`` is its parent if not given."""

    commit: str
    what: str
    works: tuple[Work, ...]
    before: str = ""


CHANGES = (
    Change("949e526", "the pixel network by 16-bit products in vectors", (PICTURE,)),
    Change("0e7ff84", "learning in 16-bit products, too", (LEARNT,)),
    Change("f737d3e", "the loops between the products as vectors", (PICTURE,)),
    Change(
        "986992b", "full chunks across waves, so that bands of two rows do not cost two pixels at a time", (LEARNT,)
    ),
    Change("a8c6cad", "as many sums at once as registers hold", (PICTURE,)),
    Change("4d2175e", "the networks of one latent layer by 16-bit products", MANY, "ea3a58b"),
    Change("HEAD", "learning and calibration in vectors, fewer and larger kernels", PRESETS, "aae365d"),
    Change("HEAD", "the models of one latent layer, from the first release to now", (*DIGITS, *COLOUR), "9f46e6c"),
)

CHILD = """
import json, sys, time
import numpy as np
import vaezip
from vaezip import Picture
for line in sys.stdin:
    work = json.loads(line)
    pixels = np.load(work["pixels"])
    pictures = [(str(i), Picture(work["mode"], p)) for i, p in enumerate(pixels)]
    effort = {name: work[name] for name in ("steps", "preset") if name in work}
    start = time.process_time()
    coded = vaezip.compress(pictures, model=work["model"], verify=False, **effort)
    half = time.process_time()
    found = [picture.samples for picture in vaezip.decompress(coded).values()]
    end = time.process_time()
    same = all(np.array_equal(a, b) for a, b in zip(found, pixels, strict=True))
    print(json.dumps([half - start, end - half, len(coded), same]), flush=True)
"""
"""Runs at any commit: reads works, a line of JSON each, and answers each with a line."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", default="", help="what the change did, or a part of that")
    parser.add_argument("--photo", default="", help="the photograph that presets code")
    options = parser.parse_args(arguments)
    changes = [change for change in CHANGES if options.only in change.what]
    found: dict[str, Any] = {"repeats": options.repeats, "changes": [measured(change, options) for change in changes]}
    if options.only:
        found = _merged(json.loads((RESULTS / "history.json").read_text()), found)
    else:
        found = machine.this_run() | found
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "history.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (RESULTS / "history.md").write_text(table(found))
    print(table(found))


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Put some changes, and the machine that they were measured on, in the place of those that were there."""
    circumstances = machine.this_run()
    changes = {change["what"]: change for change in old["changes"]}
    changes |= {
        change["what"]: change | {"run": circumstances | {"repeats": new["repeats"]}} for change in new["changes"]
    }
    return old | {"changes": list(changes.values())}


def measured(change: Change, options: argparse.Namespace) -> dict[str, Any]:
    """Both sides of a change, in turns."""
    commits = dict(zip(SIDES, (change.before or f"{change.commit}~1", change.commit)))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        children = {side: stack.enter_context(child(commit, folder / side)) for side, commit in commits.items()}
        rows = [_row(work, children, folder, options) for work in change.works]
    hashes = {side: _git("rev-parse", "--short", commit) for side, commit in commits.items()}
    processor = os.environ.get("NUMBA_CPU_NAME")
    what = f"{change.what}, compiled for {processor}" if processor else change.what
    return {"what": what, "commits": hashes, "works": rows}


def _row(
    work: Work, children: dict[str, subprocess.Popen[str]], folder: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Medians of one work, after one warm-up."""
    pixels = folder / "pixels.npy"
    pictures = _pictures(work, options)
    np.save(pixels, np.stack([picture.samples for picture in pictures]))
    effort = {"steps": work.steps} if work.preset is None else {"preset": work.preset}
    job = {"model": work.model, **effort, "mode": pictures[0].mode, "pixels": str(pixels)}
    times: dict[str, list[list[float]]] = {side: [] for side in SIDES}
    sizes = {}
    for _ in range(1 + options.repeats):
        for side, process in children.items():
            *seconds, size, same = _asked(process, job)
            if not same:
                sys.exit(f"{work.title} {side} the change: a picture came back otherwise")
            times[side].append(seconds)
            sizes[side] = int(size)
    each: dict[str, Any] = {"title": work.title, "bytes": sizes}
    for name, at in (("compress_s", 0), ("decompress_s", 1)):
        each[name] = {side: statistics.median(run[at] for run in runs[1:]) for side, runs in times.items()}
        print(work.title, name, each[name], flush=True)
    return each


def _pictures(work: Work, options: argparse.Namespace) -> list[Picture]:
    """What is coded."""
    if work.preset is not None and options.photo:
        return [vaezip.pictures.read(options.photo)]
    if work.model == PICTURE.model:
        return [photograph(0.1)]
    return [picture for _, picture in worker.select(Plan(work.model, options.data, work.images, seed=0))]


def _asked(process: subprocess.Popen[str], job: dict[str, Any]) -> Any:
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        sys.exit(f"{job['model']}: the process of a commit ended; its message is above")
    return json.loads(answer)


@contextmanager
def child(commit: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has this commit's source, in one thread."""
    _git("worktree", "add", "--detach", str(folder), commit)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    own = {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "kernels")}
    try:
        with subprocess.Popen(
            [sys.executable, "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=os.environ | threads | own,
        ) as process:
            yield process
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def table(found: dict[str, Any]) -> str:
    """In Markdown."""
    lines = ["| change | work | compress | decompress | bytes |", "| - | - | - | - | - |"]
    for change in found["changes"]:
        for i, work in enumerate(change["works"]):
            name = f"{change['what']} ({change['commits']['after']})" if i == 0 else ""
            times = (_pair(work[key]) for key in ("compress_s", "decompress_s"))
            lines.append(f"| {name} | {work['title']} | {' | '.join(times)} | {_sizes(work['bytes'])} |")
    return "\n".join(lines) + "\n"


def _pair(seconds: dict[str, float]) -> str:
    before, after = (seconds[side] for side in SIDES)
    return f"{duration(before)} → {duration(after)} (× {after / before:.2f})"


def _sizes(sizes: dict[str, int]) -> str:
    before, after = (sizes[side] for side in SIDES)
    return f"{after:,}" if before == after else f"{before:,} → {after:,}"


if __name__ == "__main__":
    main()
