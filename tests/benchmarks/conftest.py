"""Fixtures: the scripts of ``benchmarks/photo``, and the module that several scripts share."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PHOTO = BENCHMARKS / "photo"


def script(name, folder=BENCHMARKS):
    """Import a script, which others that import it then find, too."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def profiling():
    return script("profiling")


@pytest.fixture(scope="session")
def photo_script():
    """photo_script(name): a script as a module of its own; other folders have scripts of the same names."""

    def load(name):
        own = {path.stem for path in PHOTO.glob("*.py")}
        others = {stem: sys.modules.pop(stem) for stem in own & sys.modules.keys()}
        sys.path.insert(0, str(PHOTO))
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(PHOTO))
            for stem in own & sys.modules.keys():
                del sys.modules[stem]
            sys.modules.update(others)

    return load
