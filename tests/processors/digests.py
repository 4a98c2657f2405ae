"""Decode some golden files and make them again on this processor, and print what came of it as JSON.

``python tests/processors/digests.py`` runs anywhere; :mod:`aarch64` runs it on a processor that is emulated. Besides
the bytes it tells the state that learning reached, down to the last bit of Adam's moments, and which compiled kernels
hold fused multiply-adds: rounding once where others round twice, they are what differs first between processors.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import json
import platform
import re
import sys
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import PIL
from llvmlite import binding
from numba.core.dispatcher import Dispatcher

import vaezip
from vaezip.models.pixel import adaptive
from vaezip.vz import archive as vz

GOLDEN = Path(__file__).parent.parent / "golden"

_spec = importlib.util.spec_from_file_location("make_golden", GOLDEN / "make_golden.py")
make_golden = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_golden)

CASES = {
    "mnist-k3": {"model": "mnist", "effort": make_golden.STEPS[3]},
    "cifar10-k3": {"model": "cifar10", "effort": make_golden.STEPS[3]},
    "photo-p3": {"model": "photo", "effort": make_golden.PRESETS[3]},
    "photo-p9": {"model": "photo", "effort": make_golden.PRESETS[9]},
    "photo-gray-odd-k3": {"model": "photo-gray", "effort": make_golden.STEPS[3]},
    "photo-alpha": {"model": "photo"},
    "deep": {},
    "graphic-noise": {},
}
"""Golden files and the options that make them: tiles with steps of inference, pixels with learning by one network and
by two, grey with alpha, alpha by a model of its own, 16 bits, and a drawing of many colours."""

FUSED = re.compile(r"^\s*(v?fn?m(?:add|sub|ad|sb)\w*|fnm(?:la|ls)\w*|fml[as]\w*)\s", re.MULTILINE)
PRODUCT = re.compile(r"^\s*(v?fmul|v?muls[sd]|v?mulp[sd])\s", re.MULTILINE)


class Recorded(adaptive.Learners):
    """Learners that are remembered."""

    made: list[Recorded] = []  # noqa: RUF012

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.made.append(self)


def digest(*parts: bytes) -> str:
    """Hash some bytes."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()[:16]


STATE = ("master", "average", "mean", "square", "pace")
"""All that a layer learns, in float64."""


def reached() -> str:
    """Hash all that the learners know, and forget them."""
    layers = [layer for made in Recorded.made for learner in made.learners for layer in learner.network]
    Recorded.made.clear()
    return digest(*(getattr(layer, name).tobytes() for layer in layers for name in STATE)) if layers else ""


def streams(data: bytes) -> bytes:
    """Join all payloads."""
    return b"".join(b.payload for g in vz.parse(data).groups for b in g.blocks)


def tried(name: str) -> dict[str, object]:
    """Decode and make one golden file."""
    path, began = GOLDEN / f"{name}.vz", time.monotonic()
    data = path.read_bytes()
    with np.load(path.with_suffix(".npz")) as arrays:
        expected = make_golden.from_arrays(dict(arrays))
    found = vaezip.decompress(data)
    found = {"": found} if isinstance(found, vaezip.Picture) else found
    learned = reached()
    again = make_golden.compress(expected, CASES[name] | {"verify": False})
    return {
        "file": digest(data),
        "decodes": all(vaezip.pictures.same(found[key], picture) for key, picture in expected.items()),
        "learned in decoding": learned,
        "made again": digest(again),
        "streams are the same": streams(again) == streams(data),
        "learned in encoding": reached(),
        "seconds": round(time.monotonic() - began, 1),
    }


def kernels() -> dict[str, object]:
    """Count multiplications of floats, and fused ones, in all kernels that were compiled in this process."""
    compiled, products, fused = 0, 0, []
    for kernel in gc.get_objects():
        if isinstance(kernel, Dispatcher) and kernel.py_func.__module__.startswith("vaezip"):
            for text in kernel.inspect_asm().values():
                compiled += 1
                products += len(PRODUCT.findall(text))
                if FUSED.search(text):
                    fused.append(f"{kernel.py_func.__module__}.{kernel.py_func.__name__}")
    return {"compiled": compiled, "float products": products, "with fused operations": sorted(fused)}


def machine() -> dict[str, object]:
    """Tell what computes here."""
    core = getattr(np, "_core", None) or np.core
    return {
        "processor": platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "llvm": ".".join(map(str, binding.llvm_version_info)),
        "pillow": PIL.__version__,
        "compiled for": numba.config.CPU_NAME or binding.get_host_cpu_name(),
        "numpy features": sorted(k for k, v in core._multiarray_umath.__cpu_features__.items() if v),
    }


def main(names: list[str]) -> None:
    """Print a JSON of the named cases, or of all."""
    adaptive.Learners = Recorded
    files = {}
    for name in names or CASES:
        files[name] = tried(name)
        print(f"{platform.machine()}: {name}: {files[name]}", file=sys.stderr)
    print(json.dumps({"machine": machine(), "files": files, "kernels": kernels()}))


if __name__ == "__main__":
    main(sys.argv[1:])
