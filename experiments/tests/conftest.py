"""Fixtures: those of the package's tests, and the scripts of ``experiments/photo``."""

import importlib
import sys
from pathlib import Path

import pytest

from tests.conftest import discs

__all__ = ["discs"]

PHOTO = Path(__file__).parents[1] / "photo"


@pytest.fixture(scope="session")
def photo_script():
    """photo_script(name): a script as a module of its own; ``experiments/learning`` has scripts of the same names."""

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
