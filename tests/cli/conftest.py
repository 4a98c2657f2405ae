"""What the tests of the command line share; each runs in an empty folder of its own."""

from __future__ import annotations

import functools
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

import vaezip
from vaezip.cli import main, remedies
from vaezip.models import file as model_file
from vaezip.models import kinds, library
from vaezip.models.sampling import sample
from vaezip.pictures.picture import MODES, Picture


class Outcome(NamedTuple):
    """Exit status, standard output and standard error."""

    status: int
    out: str | bytes
    err: str


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


KERNELS = "vaezip.exact.kernel_cache"
"""The logger that tells of compiling, which happens in whatever test comes first on a machine."""


@pytest.fixture(autouse=True)
def nothing_compiled(monkeypatch):
    """No test is told of compiling, whether or not it takes place."""
    monkeypatch.setattr(logging.getLogger(KERNELS), "disabled", True)


@pytest.fixture
def few_models(monkeypatch):
    """``auto`` tries two models alone, which takes a third of the time; what it chooses is tested elsewhere."""

    def fitting(_, mode, height, width):
        paths = [model_file.find(name) for name in ("mnist", "photo")]
        known = [(path, model_file.architecture(path)) for path in paths]
        fit = [p for p, a in known if a.levels == kinds.levels(mode) and kinds.fits(a, mode, (height, width))]
        return [library.Reference(path, model_file.fingerprint(path)) for path in fit]

    monkeypatch.setattr(library.Library, "fitting", fitting)


@pytest.fixture
def run() -> Callable[..., Outcome]:
    """run(*arguments, stdin=None): a command line in this process; bytes in and out where stdin is given."""

    def call(*arguments: str, stdin: bytes | None = None) -> Outcome:
        result = CliRunner().invoke(main, arguments, input=stdin, prog_name="vaezip", catch_exceptions=False)
        return Outcome(result.exit_code, result.stdout_bytes if stdin is not None else result.stdout, result.stderr)

    return call


@pytest.fixture
def start() -> Callable[..., subprocess.Popen]:
    """start(*arguments, before="", **options): the program in a process; ``before`` is run in it first."""

    def call(*arguments: str, before: str = "", **options: Any) -> subprocess.Popen:
        # whoever runs the tests in the background may have had these ignored
        heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        heard += "if hasattr(signal, 'SIGHUP'): signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        heard += f"import logging; logging.getLogger('{KERNELS}').disabled = True\n"
        script = f"{heard}{before}\nimport sys; sys.argv[0] = 'vaezip'\nfrom vaezip.__main__ import main\nmain()"
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen([sys.executable, "-c", script, *arguments], **(pipes | options))

    return call


@functools.lru_cache
def _drawn(model: str, count: int) -> list[Picture]:
    return sample(vaezip.load_model(model_file.find(model)), count, 1)


def digit(index: int = 0) -> Picture:
    """A grey picture that the model 'mnist' codes, whatever it has learnt."""
    samples = _drawn("mnist", index + 1)[index].samples.copy()
    samples[0, 0] = 7  # black and white alone would be coded as bits
    return Picture("L", samples)


def noise(mode: str, height: int = 5, width: int = 6, seed: int = 0) -> Picture:
    """A picture that no model codes."""
    rng = np.random.default_rng(seed)
    shape = (height, width, MODES[mode].channels)
    samples = rng.integers(0, 1 << MODES[mode].bits, shape).astype(MODES[mode].dtype)
    return Picture(mode, samples, (("palette", rng.bytes(768)),) if mode == "P" else ())


@pytest.fixture
def save() -> Callable[..., Picture]:
    """save(path, picture=digit()): write a picture file; its suffix tells the format."""

    def call(path: str, picture: Picture | None = None) -> Picture:
        picture = picture or digit()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(vaezip.pictures.write(picture, Path(path).suffix))
        return picture

    return call


@pytest.fixture
def other_model(folder) -> Path:
    """A model file like 'mnist' but for its coarse grids, and so of another fingerprint."""
    model = vaezip.load_model(model_file.find("mnist"))
    path = folder / "models" / "other.safetensors"
    path.parent.mkdir()
    tensors = {**model.tensors, "coarse": model.tensors["coarse"] ^ 1}
    model_file.save(path, model.architecture, settings=model.settings, tensors=tensors, information={})
    return path


def files(folder: str | Path = ".") -> list[str]:
    """All files below a folder, hidden ones too, and folders that are empty, which end in a slash."""
    below = [p for p in Path(folder).rglob("*") if p.is_file() or not any(p.iterdir())]
    return sorted(p.relative_to(folder).as_posix() + "/" * p.is_dir() for p in below)


def wrong(said: str, command: str = "") -> str:
    """What standard error holds where the command line is wrong: a reason, and a remedy or where help is."""
    help = f"; see '{' '.join(filter(None, ['vaezip', command]))} --help'"
    return f"vaezip: {said}{'' if ';' in said else help}\n"


def reason(function: Callable[..., object], *arguments: Any) -> str:
    """What the command line must say where the library refuses: its reason and, in options, the remedy."""
    with pytest.raises(vaezip.VaezipError) as caught:
        function(*arguments)
    return remedies.worded(caught.value)
