"""Fuzz all targets, or some, for core seconds: ``python tests/fuzz/run.py --seconds 600 --jobs 2 --report fuzz.json``.

It needs the extra ``fuzz``. The report counts executions, refusals by their reason, and crashes by their place in the
code; each crash has a file in the folder that shows it. The exit status is 1 if there is any.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.fuzz import corpus  # noqa: E402

MEMORY, TIMEOUT = 3072, 60
"""MiB and seconds at which a process is ended: what a target may take is less, and is noted by itself."""

LEAST = 3
"""Seconds that are worth another process."""

PATIENCE = 8
"""How many times its core seconds a target may take on a machine that is busy with other work."""


def fuzz(name: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Fuzz a target, by one process after another where they end before their time."""
    home = folder / name
    seeds, new = home / "seeds", home / "corpus"
    new.mkdir(parents=True, exist_ok=True)
    corpus.write(home, name)
    (home / name).replace(seeds) if not seeds.exists() else None
    spent, endings = 0.0, []
    end = time.monotonic() + PATIENCE * seconds
    while (left := int(min(seconds - spent, end - time.monotonic()))) >= LEAST:
        limits = [f"-max_total_time={left}", f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}"]
        command = [sys.executable, "-m", "tests.fuzz.fuzz", name, str(home), *limits]
        command += [f"-artifact_prefix={home}/ended-", str(new), str(seeds)]
        with (home / "log").open("a") as log:
            code, core = waited(subprocess.Popen(command, cwd=ROOT, env=surroundings(), stdout=log, stderr=log))
        spent += core
        if code:
            endings.append({"status": code, "said": (home / "log").read_text(errors="replace")[-2000:]})
    return {"core seconds": round(spent), **collected(home, endings)}


def waited(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Wait for a process; return its exit status and the seconds of a core that it took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def surroundings() -> dict[str, str]:
    """Return the environment of a process: one thread, and this very tree.

    Of glibc's allocator, which keeps more and more of what was freed, large pieces are asked of the system and given
    back, so that the memory of a process is what it holds.
    """
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, **threads, "MALLOC_MMAP_THRESHOLD_": str(1 << 17), "PYTHONPATH": str(ROOT)}


def collected(home: Path, endings: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up what the processes of a target noted."""
    runs, outcomes, found = 0, Counter[str](), {}
    for path in sorted(home.glob("notes-*.json")):
        notes = json.loads(path.read_text())
        runs += notes["runs"]
        outcomes.update(notes["outcomes"])
        for key, crash in notes["found"].items():
            times = crash["times"] + found.get(key, {"times": 0})["times"]
            found[key] = {**crash, "times": times}
    read = outcomes.pop("", 0)
    files = sorted(str(p) for p in home.glob("ended-*"))
    return {
        "executions": runs,
        "read": read,
        "refused": dict(outcomes.most_common()),
        "crashes": found,
        "processes that ended": endings,
        "files that ended them": files,
    }


def main() -> None:
    """Fuzz, write the report, and fail if there is a crash."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", help="targets (default: all)")
    parser.add_argument("--seconds", type=float, default=20, help="of a core, for each target")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    parser.add_argument("--report", type=Path, help="write a JSON")
    parser.add_argument("--folder", type=Path, help="keep files here; what is there goes on (default: a new one)")
    chosen = parser.parse_args()
    names = chosen.targets or list(corpus.MAKERS)
    folder = (chosen.folder or Path(tempfile.mkdtemp(prefix="vaezip-fuzz-"))).resolve()
    with ThreadPoolExecutor(chosen.jobs) as jobs:
        results = dict(zip(names, jobs.map(lambda name: fuzz(name, chosen.seconds, folder), names)))
    machine = {name: version(name) for name in ("atheris", "pillow", "numpy", "numba")}
    machine |= {"python": platform.python_version(), "processor": platform.machine()}
    report = {"seconds for each": chosen.seconds, "machine": machine, "targets": results}
    if chosen.report:
        chosen.report.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    crashes = 0
    for name, result in results.items():
        count = len(result["crashes"]) + len(result["files that ended them"])
        crashes += count
        print(f"{name}: {result['executions']} executions, {result['read']} read, {count} crashes")
        for key, crash in result["crashes"].items():
            print(f"  {key} ({crash['times']} times): {crash['file']}")
        for file in result["files that ended them"]:
            print(f"  ended the process: {file}")
        crashes += bool(result["processes that ended"])
    sys.exit(crashes > 0)


if __name__ == "__main__":
    main()
