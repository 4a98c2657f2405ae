"""Run a decoder over the conformance set: ``python docs/conformance/run.py COMMAND ...``; ``README.md`` tells more."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parents[1] / "tests" / "golden"


def contents(name: str, mode: str, samples: NDArray[Any], boxes: list[tuple[int, bytes]]) -> list[str]:
    """Return the lines of one picture, or of one file that is kept.

    Args:
        name: of it.
        mode: its name; "jpeg" or "verbatim" for a file.
        samples: (height, width, channels), uint8 or uint16; of a file, its bytes in one row.
        boxes: tag and content of each.
    """
    height, width, channels = samples.shape
    little = samples.astype(samples.dtype.newbyteorder("<"))
    lines = [f"{hashlib.sha256(little.tobytes()).hexdigest()} {mode} {height}x{width}x{channels} {name}".rstrip()]
    return lines + [f"{hashlib.sha256(content).hexdigest()} box {tag}" for tag, content in boxes]


def output(command: list[str], file: Path) -> list[str] | None:
    """Return the lines that a decoder prints of a file; None where it ends with another status than 0."""
    ended = subprocess.run([*command, str(file)], capture_output=True, text=True, encoding="utf-8", check=False)
    return ended.stdout.splitlines() if ended.returncode == 0 else None


def main() -> int:
    """Run the command on each file, name those that it gets wrong, and return 1 if there are any."""
    command, wrong = sys.argv[1:], 0
    accepted = json.loads((HERE / "accepted.json").read_text("utf-8"))
    refused = json.loads((HERE / "refused.json").read_text("utf-8"))
    for name, expected in accepted.items():
        if output(command, GOLDEN / name) != expected["holds"]:
            wrong += 1
            print(f"{name}: holds something else")
    for name, reason in refused.items():
        if output(command, HERE / "refused" / name) is not None:
            wrong += 1
            print(f"{name}: must be refused ({reason})")
    print(f"{len(accepted) + len(refused)} files, {wrong} of them wrong")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
