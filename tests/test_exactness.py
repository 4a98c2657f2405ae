"""The rule of exactness (docs/exactness.md): the same input gives the same bytes on every machine.

Each case compresses the same pictures in a process of its own, with other thread counts, CPU
features, BLAS kernels, compiled kernels or another array library, and says which it truly had.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vaezip.entropy import distributions
from vaezip.exact import elementwise, tables
from vaezip.models import file as model_file
from vaezip.models import likelihoods
from vaezip.models.pixel import adaptive, kernel
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.search import FIXED
from vaezip.models.pixel.settings import Adaptation
from vaezip.models.tile import bitsback
from vaezip.models.tile.bitsback import Tiles
from vaezip.models.tile.search import choose
from vaezip.models.tiling import Tiling
from vaezip.system.threads import usable_cores

X86 = platform.machine().lower() in ("x86_64", "amd64")
K = (0, 3)

CHILD = """
import hashlib, json, sys
import numpy as np
from threadpoolctl import threadpool_info
import vaezip
from vaezip.models import file as model_file
from vaezip.models.pixel import adaptive
from vaezip.models.pixel.settings import Adaptation
from vaezip.models.posterior import gaussian_noise
from vaezip.models.tile.model import TileModel

device, pictures, left_out = sys.argv[1], np.load(sys.argv[2]), sys.argv[3:]
out = {"digests": {}, "blas": [], "threads": []}
for name in model_file.shipped():
    if name in left_out:
        continue
    model = model_file.load(model_file.find(name), device)
    a = model.architecture
    key = f"{a.channels} {a.levels} {a.tile}"
    x = pictures[f"{key} tiles"]
    bins = np.arange(0, 4096, 4096 // a.latents, dtype=np.int32)[None, : a.latents]
    if isinstance(model, TileModel):
        parts = [p.tobytes() for k in (0, 3) for p in model.posterior(x, np.ones(x.shape[:3], bool), k)]
        parts.append(model.outputs(bins).tobytes())
    else:
        parts = [model.style_offsets(bins).tobytes()]
    out["digests"][name] = hashlib.sha256(b"".join(parts)).hexdigest()
    if name.endswith("-classic"):
        continue  # but for the encoder, which has just been told, it is the model of the other name
    mode = {(1, 2): "1", (1, 256): "L", (3, 256): "RGB"}[a.channels, a.levels]
    for kind in ("tiles", "odd") if a.tiled else ("tiles",):
        some = {str(i): vaezip.Picture(mode, p) for i, p in enumerate(pictures[f"{key} {kind}"])}
        for steps in (0, 3):
            data = vaezip.compress(some.items(), model=name, steps=steps, device=device)
            out["digests"][f"{name} {kind} {steps}"] = hashlib.sha256(data).hexdigest()
    if not isinstance(model, TileModel):  # whether or not compress found it shorter
        data = adaptive.encode(model, pictures[f"{key} odd"], Adaptation(1, rate=14, second_rate=96), seed=1)
        out["digests"][f"{name} by two networks"] = hashlib.sha256(data).hexdigest()
for pool in threadpool_info():
    if pool["internal_api"] == "openblas":
        out["blas"].append(pool["architecture"])
    out["threads"].append(pool["num_threads"])
import numpy
core = getattr(numpy, "_core", None) or numpy.core
out["numpy"] = sorted(k for k, v in core._multiarray_umath.__cpu_features__.items() if v)
if device == "torch":
    import torch
    out["torch"] = torch.backends.cpu.get_cpu_capability()
import numba
out["numba"] = numba.config.CPU_NAME
print(json.dumps(out))
"""


def numpy_features() -> list[str]:
    """The features that NumPy dispatches on and this machine has."""
    core = getattr(np, "_core", None) or np.core
    inner = core._multiarray_umath
    return [f for f in inner.__cpu_dispatch__ if inner.__cpu_features__[f]]


def environments() -> dict[str, tuple[str, dict[str, str]]]:
    """For each case the device, and what is set around it."""
    features = numpy_features()
    wide = [f for f in features if "AVX512" in f or f == "X86_V4"]
    one, two = (dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), n) for n in "12")
    cases = {
        "plain": ("cpu", one),
        "two threads": ("cpu", two | ({"OPENBLAS_CORETYPE": "Haswell"} if X86 else {})),
        "no features": ("cpu", one | {"NPY_DISABLE_CPU_FEATURES": ",".join(features)}),
        "generic kernels": ("cpu", two | {"NUMBA_CPU_NAME": "generic"}),
        "torch": ("torch", one | {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}),
    }
    if X86:
        cases["no features"][1]["OPENBLAS_CORETYPE"] = "Nehalem"
        cases["generic kernels"][1]["OPENBLAS_CORETYPE"] = "SkylakeX" if wide else "Sandybridge"
        cases["generic kernels"][1]["NPY_DISABLE_CPU_FEATURES"] = ",".join(wide)
        cases["torch, two threads"] = ("torch", two | {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"})
    if find_spec("torch") and import_module("torch").cuda.is_available():
        cases["cuda"] = ("cuda", one)
    return {name: (device, {k: v for k, v in e.items() if v}) for name, (device, e) in cases.items()}


ENVIRONMENTS = environments()

LEFT_OUT = {
    "generic kernels": ["mnist-best", "photo-gray"],
    "torch, two threads": ["mnist-best", "photo-gray", "photo-small"],
}
"""Models whose kernels are those of others, in the cases that take longest."""

FEW, QUICK = ("cifar10", "mnist", "mnist-binary", "photo-small"), ("no features", "torch")
"""One model of each kind of network, and the cases that are run on these alone where there is little time."""


def cases(*left_out: str) -> list[object]:
    """(case, whether on few models): the quick ones, and all on all models."""
    quick = [pytest.param(case, True, id=f"{case}, few models") for case in QUICK]
    slow = [pytest.param(case, False, id=case, marks=pytest.mark.slow) for case in ENVIRONMENTS if case not in left_out]
    return quick + slow


@pytest.fixture(scope="module")
def pictures(discs, dream, tmp_path_factory) -> Path:
    """Pictures by channels, levels and tile, made once: as tiles of the models, and of an odd size."""
    found = {}
    for path in model_file.shipped().values():
        a = model_file.architecture(path)
        key = f"{a.channels} {a.levels} {a.tile}"
        count = 6 if a.dims < 1000 else 2
        drawn = discs(count, *a.tile, a.channels, a.levels, seed=1)
        found[f"{key} tiles"] = np.concatenate([drawn, dream(model_file.load(path), count, 5)])
        found[f"{key} odd"] = discs(1, 35, 33, a.channels, a.levels, seed=2)
    path = tmp_path_factory.mktemp("exactness") / "pictures.npz"
    np.savez(path, **found)
    return path


@pytest.fixture(scope="module")
def results(pictures, tmp_path_factory):
    """results(case, few): what each case printed; each runs once, when it is first asked for."""
    found = {}

    def run(case, few):
        if (case, few) not in found:
            device, changes = ENVIRONMENTS[case]
            environment = {
                k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "OPENBLAS_", "MKL_", "NPY_"))
            }
            if "NUMBA_CPU_NAME" in changes:
                changes = changes | {"NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("numba"))}
            command = [sys.executable, "-c", CHILD, device, str(pictures), *left_out(case, few)]
            done = subprocess.run(command, env=environment | changes, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            found[case, few] = json.loads(done.stdout)
        return found[case, few]

    return run


def left_out(case: str, few: bool) -> list[str]:
    """The models that a case is not run on."""
    return [name for name in model_file.shipped() if name not in FEW] if few else LEFT_OUT.get(case, [])


@pytest.mark.parametrize(("case", "few"), cases("plain"))
def test_the_same_bytes(results, case, few):
    plain, other = results("plain", few)["digests"], results(case, few)["digests"]
    models = set(FEW if few else model_file.shipped())
    assert plain.keys() >= models
    assert len(plain) >= 3 * sum(not name.endswith("-classic") for name in models)
    assert other.keys() == {key for key in plain if key.split()[0] not in left_out(case, few)}
    assert {k for k in other if plain[k] != other[k]} == set()


@pytest.mark.parametrize(("case", "few"), cases())
def test_the_case_was_what_it_says(results, case, few):
    """A variable that has no effect would test nothing."""
    device, asked = ENVIRONMENTS[case]
    had = results(case, few)
    assert had["numba"] == asked.get("NUMBA_CPU_NAME", os.environ.get("NUMBA_CPU_NAME"))
    if "OPENBLAS_CORETYPE" in asked and device == "cpu":
        assert asked["OPENBLAS_CORETYPE"].lower() in {b.lower() for b in had["blas"]}
    disabled = set(asked.get("NPY_DISABLE_CPU_FEATURES", "").split(",")) - {""}
    assert not disabled & set(had["numpy"])
    if "ATEN_CPU_CAPABILITY" in asked:
        assert had["torch"].lower() == asked["ATEN_CPU_CAPABILITY"]
    if usable_cores() > 1:
        assert max(had["threads"]) == int(asked["OMP_NUM_THREADS"])


# What the coding path calls


LIBRARY = [
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "power", "float_power"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arctan2", "arcsinh", "arctanh", "cbrt", "hypot"),
    *("mean", "std", "var", "average", "einsum", "interp", "convolve", "trapezoid"),
]


@pytest.fixture
def without_library_mathematics(monkeypatch):
    """Calls a function twice, the second time with no function of NumPy or Python at hand that rounds as it likes; the
    first time is for what is compiled, because compilers ask NumPy's functions about themselves."""

    def forbidden(name):
        def call(*_, **__):
            raise AssertionError(f"{name} was called on the coding path")

        return call

    def call(function):
        function()
        for name in LIBRARY:
            if hasattr(np, name):
                monkeypatch.setattr(np, name, forbidden(f"numpy.{name}"))
        for name in ("exp", "expm1", "log", "log2", "log10", "log1p", "pow", "tanh", "erf", "erfc", "sin", "cos"):
            monkeypatch.setattr(math, name, forbidden(f"math.{name}"))
        for module in (distributions, likelihoods, tables, elementwise, kernel):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
        function()

    return call


@pytest.mark.parametrize("steps", K)
def test_no_library_mathematics(small, steps, without_library_mathematics):
    """Neither the decoder, nor the encoder: whose choices would differ from machine to machine."""
    model, x = small.model, small.images[:5]
    tiling = Tiling(x.shape, model.architecture.tile)

    def code():
        data = bitsback.encode(model, Tiles(x, tiling.mask), choose, steps=steps, seed=1)
        back, seed = bitsback.decode(model, data, tiling, steps=steps)
        assert np.array_equal(back, x)
        assert seed == 1

    without_library_mathematics(code)


@pytest.mark.parametrize("steps", K)
def test_no_library_mathematics_in_a_pixel_network(small_local, steps, without_library_mathematics):
    """Nor in the regression, the posterior's steps, and what learns."""
    model, x = small_local.model, small_local.images[:2]
    # two networks of several predictors are compiled in 17 s, of the very functions that each is compiled of
    learning = Adaptation(1 + steps, second_rate=0 if model.architecture.predictors > 1 else 160)

    def code():
        data = pixel_bitsback.encode(model, x, steps=steps, seed=1)
        plain = pixel_bitsback.decode(model, data, x.shape, steps=steps)
        learnt = adaptive.decode(model, adaptive.encode(model, x, learning, seed=1), x.shape, steps=learning.steps)
        still = adaptive.decode(model, adaptive.encode(model, x, FIXED, seed=1), x.shape, steps=0)
        for back, seed in (plain, learnt, still):
            assert np.array_equal(back, x)
            assert seed == 1

    without_library_mathematics(code)
