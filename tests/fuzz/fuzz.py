"""Fuzz one target by atheris: ``python -m tests.fuzz.fuzz TARGET FOLDER [ARGUMENTS OF LIBFUZZER]``.

A file that breaks a promise is kept in FOLDER, told once for each place in the code, and fuzzing goes on; what ends the
process (a signal, a timeout, memory) libFuzzer keeps. FOLDER/notes-PID.json counts runs, refusals and what was found.
:mod:`tests.fuzz.run` calls this for all targets.
"""

from __future__ import annotations

import atexit
import json
import os
import random
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from zlib import crc32

import atheris

ROOT = Path(__file__).parents[2]


def compiled() -> list[str]:
    """List the modules whose functions numba compiles: it takes no instrumented bytecode."""
    files = [f for f in (ROOT / "vaezip").rglob("*.py") if "exact.jit import" in f.read_text()]
    return [".".join(f.relative_to(ROOT).with_suffix("").parts) for f in files]


with atheris.instrument_imports(include=["vaezip", "PIL"], exclude=compiled()):
    from tests.fuzz import corpus
    from tests.fuzz.targets import TARGETS, run

if TYPE_CHECKING:
    from tests.fuzz.targets import Target

SAVE_EVERY = 0.5
"""Seconds after which notes are written anew."""


class Notes:
    """What came of the files so far."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target, self.folder = target, folder
        self.runs, self.outcomes = 0, Counter[str]()
        self.found: dict[str, dict[str, object]] = {}
        self.saved = 0.0

    def found_in(self, data: bytes, key: str, what: str) -> None:
        """Note something that must not be, and keep the first file that shows it."""
        if key not in self.found:
            path = self.folder / f"found-{self.target.name}-{crc32(data):08x}"
            path.write_bytes(data)
            self.found[key] = {"file": str(path), "what": what, "times": 0}
            print(f"FOUND {key}: {what}", file=sys.stderr)
        self.found[key]["times"] += 1  # type: ignore[operator]

    def save(self, *, every: float = 0.0) -> None:
        """Write the notes, if that is some seconds ago."""
        if time.monotonic() - self.saved < every:
            return
        path = self.folder / f"notes-{os.getpid()}.json"
        path.write_text(json.dumps({"runs": self.runs, "outcomes": self.outcomes, "found": self.found}))
        self.saved = time.monotonic()


class Watched:
    """Turns an error inside into a note; whatever is no error, such as an interrupt, goes through."""

    def __init__(self, notes: Notes, data: bytes) -> None:
        self.notes, self.data = notes, data

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        self.notes.found_in(self.data, place_of(error), "".join(traceback.format_exception(error)))
        return True


def place_of(error: BaseException) -> str:
    """Name an error, those behind it, and the innermost lines of vaezip that it was raised from."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/vaezip/" in f.filename]
    lines = " < ".join(f"{Path(f.filename).name}:{f.name}" for f in frames[-2:][::-1])
    behind = f" behind {place_of(error.__cause__)}" if error.__cause__ else ""
    text = str(error).split(":")[0] if type(error).__name__ == "Broken" else ""
    return f"{type(error).__name__} {text} at {lines}{behind}"[:400]


def memory() -> int:
    """Return the greatest memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def trial(notes: Notes, data: bytes, *, warm: bool = True) -> None:
    """Try one file; the first ones compile and import what others then find."""
    target, before, began = notes.target, memory(), time.process_time()
    with Watched(notes, data):
        notes.outcomes[run(target, data)] += 1
    notes.runs += 1
    took, grown = time.process_time() - began, memory() - before
    if warm and took > target.seconds:
        notes.found_in(data, "takes long", f"{took:.1f} s of processor time")
    if warm and grown > target.memory:
        notes.found_in(data, "takes much memory", f"{grown} MiB more than ever before")
    notes.save(every=SAVE_EVERY)


def main(name: str, folder: Path, arguments: list[str]) -> None:
    """Fuzz until libFuzzer has had enough."""
    target, notes = TARGETS[name], Notes(TARGETS[name], folder)
    atexit.register(notes.save)
    for data in corpus.MAKERS[name]().values():
        trial(notes, data, warm=False)

    def change(data: bytes, most: int) -> bytes:
        return atheris.Mutate(data[:most], max(most, 1))

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        return target.mutate(bytes(data), most, random.Random(seed), change)[:most]

    atheris.Setup(
        [sys.argv[0], f"-max_len={target.most}", *arguments], lambda data: trial(notes, data), custom_mutator=mutate
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
