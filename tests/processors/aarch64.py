"""Show that an aarch64 processor computes what this one does, by emulation: ``python tests/processors/aarch64.py``.

Debian's packages bring the emulator (QEMU, for programs of users) and a Python for aarch64, the package index its
wheels. All are unpacked into a folder that is kept; nothing is installed, and no root is needed. Needed are ``apt-get``
and ``dpkg``, so a Debian or Ubuntu on another processor than aarch64, and Python 3.11 or newer.

:mod:`digests` then runs here and there, there once for a processor without any extension and once for one with all of
them, and whatever differs is an error. Compiling under emulation takes about ten minutes a time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import tomllib

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RESULTS = HERE / "aarch64.json"

MIRROR, SUITE, PYTHON = "http://deb.debian.org/debian", "bookworm", "3.11"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = [
    *(f"python{PYTHON}-minimal", f"libpython{PYTHON}-minimal", f"libpython{PYTHON}-stdlib"),
    *("libc6", "libgcc-s1", "libstdc++6", "libgomp1", "libexpat1", "libffi8", "libssl3"),
    *("zlib1g", "libbz2-1.0", "liblzma5", "libuuid1", "libsqlite3-0"),
]
PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(36, 16, -1)]

TARGETS = {"generic": {}, "neoverse-v1": {"NUMBA_CPU_NAME": "neoverse-v1", "NUMBA_CPU_FEATURES": ""}}
"""What the kernels are compiled for: LLVM sees no extension through the emulator, and is told of a processor that has
vectors of any length (SVE). The emulator has all of them."""

SAME = ("learned in decoding", "made again", "learned in encoding")


def apt(folder: Path, architecture: str, *arguments: str) -> None:
    """Run apt-get on lists and settings of its own, in a folder, for an architecture."""
    home = folder / f"apt-{architecture}"
    for part in ("lists/partial", "cache/archives/partial"):
        (home / part).mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    (home / "sources.list").write_text(f"deb [signed-by={KEYRING}] {MIRROR} {SUITE} main\n")
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Dir::State": home,
        "Dir::State::status": home / "status",
        "Dir::State::lists": home / "lists",
        "Dir::Cache": home / "cache",
        "Dir::Etc::sourcelist": home / "sources.list",
        "Dir::Etc::sourceparts": "-",
    }
    options = [text for key, value in settings.items() for text in ("-o", f"{key}={value}")]
    subprocess.run(["apt-get", "-qq", *options, *arguments], cwd=home, check=True)


def unpacked(folder: Path, architecture: str, packages: list[str]) -> None:
    """Unpack Debian packages into a folder named like the architecture."""
    apt(folder, architecture, "update")
    apt(folder, architecture, "download", *packages)
    for package in sorted((folder / f"apt-{architecture}").glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, folder / architecture], check=True)


def wheels(folder: Path) -> None:
    """Unpack the wheels for aarch64 of what vaezip needs."""
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    platforms = [text for platform in PLATFORMS for text in ("--platform", platform)]
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *platforms]
    download = [sys.executable, "-m", "pip", "download", "--quiet", "-d", folder / "wheels", *options, *needs]
    subprocess.run(download, check=True)
    for wheel in (folder / "wheels").glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder / "site")


def prepared(folder: Path) -> list[str]:
    """Bring whatever the folder lacks, and return the command that is an emulated Python."""
    machine, emulator = folder / "arm64", folder / "amd64/usr/bin/qemu-aarch64-static"
    if not (done := folder / "done").exists():
        own = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
        (folder / own.stdout.strip()).mkdir(parents=True, exist_ok=True)
        unpacked(folder, own.stdout.strip(), ["qemu-user-static"])
        unpacked(folder, "arm64", PACKAGES)
        wheels(folder)
        done.touch()
    emulator = next(folder.glob("*/usr/bin/qemu-aarch64-static"))
    paths = {"PYTHONHOME": machine / "usr", "PYTHONPATH": f"{folder / 'site'}:{ROOT}"}
    settings = [text for key, value in paths.items() for text in ("-E", f"{key}={value}")]
    return [*map(str, (emulator, "-cpu", "max", "-L", machine)), *settings, str(machine / f"usr/bin/python{PYTHON}")]


def digests(python: list[str], names: list[str], settings: dict[str, str]) -> dict[str, dict]:
    """Run :mod:`digests` by some Python, with nothing compiled before: what was cannot be inspected."""
    with tempfile.TemporaryDirectory() as cache:
        surroundings = {**os.environ, "NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1", **settings}
        surroundings.setdefault("PYTHONPATH", str(ROOT))
        command = [*python, str(HERE / "digests.py"), *names]
        done = subprocess.run(command, env=surroundings, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def differences(here: dict[str, dict], there: dict[str, dict]) -> list[str]:
    """List what an emulated processor did otherwise."""
    found = [f"{k} has fused operations" for k in there["kernels"]["with fused operations"]]
    for name, file in there["files"].items():
        found += [f"{name}: not so: {key}" for key in ("decodes", "streams are the same") if not file[key]]
        found += [f"{name}: differs: {key}" for key in SAME if file[key] != here["files"][name][key]]
    return found


def main() -> None:
    """Compare, write the results, and fail where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="golden files (default: all that digests.py knows)")
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vaezip-aarch64"
    parser.add_argument("--folder", type=Path, default=default, help="for what is downloaded")
    parser.add_argument("--targets", nargs="*", default=list(TARGETS), choices=TARGETS, help="what to compile for")
    parser.add_argument("--results", type=Path, help=f"write them here (those committed: {RESULTS.name})")
    chosen = parser.parse_args()
    python = prepared(chosen.folder.resolve())
    found = {"here": digests([sys.executable], chosen.names, {})}
    found |= {target: digests(python, chosen.names, TARGETS[target]) for target in chosen.targets}
    wrong = {target: differences(found["here"], found[target]) for target in chosen.targets}
    found["differences"] = wrong
    if chosen.results:
        chosen.results.write_text(json.dumps(found, indent=1) + "\n")
    for target, texts in wrong.items():
        print(f"aarch64, {target}: {len(found[target]['files'])} files, {len(texts)} differences", *texts, sep="\n  ")
    sys.exit(any(wrong.values()))


if __name__ == "__main__":
    main()
