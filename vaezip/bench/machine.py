"""Describe the machine that a benchmark ran on."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

import vaezip
from vaezip.system.threads import usable_cores

_PACKAGES = ("numpy", "numba", "pillow", "array-api-compat")


def describe(device: str) -> dict[str, Any]:
    """Describe the processor, cores that may be used, memory in 10⁹ bytes, system; and the GPU where one is used."""
    return {
        "cpu": _cpu(),
        "cores": usable_cores(),
        "memory_gb": _memory_gb(),
        "system": platform.platform(),
        "gpu": _gpu() if device == "cuda" else None,
        "blas_threads": max((pool["num_threads"] for pool in threadpool_info()), default=None),
    }


def versions(device: str) -> dict[str, str]:
    """Return the versions of Python, vaezip, and what computes."""
    found = {"python": platform.python_version(), "vaezip": vaezip.__version__}
    for package in (*_PACKAGES, *(["torch"] if device == "cuda" else [])):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            found["blas"] = f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', '?')})"
    return found


def commit() -> str | None:
    """Find the commit of the checkout that the running source lies in."""
    source = Path(vaezip.__file__).resolve().parent
    if not (source.parent / ".git").exists():
        return None
    head = _git(source, "rev-parse", "HEAD")
    dirty = _git(source, "status", "--porcelain", "--untracked-files=no")
    return head + ("-dirty" if dirty else "") if head else None


def this_run() -> dict[str, Any]:
    """Describe a run on the CPU: the machine, versions and commit that its figures hold for."""
    return {"machine": describe("cpu"), "versions": versions("cpu"), "commit": commit()}


def _git(folder: Path, *arguments: str) -> str:
    with suppress(OSError):
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    with suppress(AttributeError, ValueError, OSError):
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    return None


def _gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None
