"""The page of promises names tests that are there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "promises.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!promise)(?!-)(.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("promise", "tests"), ROWS, ids=[promise for promise, _ in ROWS])
def test_every_promise_has_tests(promise, tests):
    named = [name for name in re.findall(r"`([^`]+)`", tests) if "/" in name or ".py" in name]
    assert named
    for name in named:
        path, _, function = name.partition("::")
        if not path.startswith(".ci"):
            assert (TESTS / path).exists(), path
        if function:
            assert f"\ndef {function}(" in (TESTS / path).read_text(encoding="utf-8"), name


def test_there_are_promises():
    assert len(ROWS) > 30
