"""What docs/bench.md says of the scripts."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
SCRIPTS = sorted(set(re.findall(r"^\| `python (benchmarks/\S+\.py)", PAGE, re.MULTILINE)))
(EXCEPTIONS,) = re.findall(r"All have a `--quick` form that takes minutes, but (.*?)\. The", " ".join(PAGE.split()))


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_without_a_quick_form_are_named(script):
    source = (ROOT / script).read_text(encoding="utf-8")
    quick = "--quick" in source or "common.arguments(" in source
    assert quick != (f"`{Path(script).name}`" in EXCEPTIONS)


def test_there_are_scripts():
    assert len(SCRIPTS) > 10
