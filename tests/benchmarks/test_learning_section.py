"""docs/learning.md is what the committed results make of it."""

import json

import pytest

from .conftest import BENCHMARKS, script


@pytest.fixture(scope="module")
def section():
    return script("section", BENCHMARKS / "learning")


@pytest.fixture(scope="module")
def found(section):
    return {name: json.loads((section.ROOT / path).read_text()) for name, path in section.RESULTS.items()}


def test_the_page_is_up_to_date(section, found):
    assert section.PAGE.read_text(encoding="utf-8") == section.page(found)
    assert section.PLOT.exists()


def test_what_the_words_say_follows_from_the_figures(section, found):
    sizes = section.by_kind(found["rates"])
    learnt = {kind: row["6"] / row["2"] for kind, row in sizes.items()}
    calibrated = {kind: row["2"] / row["1"] for kind, row in sizes.items()}
    assert min(learnt, key=learnt.get) == "gamma, sharpened"
    assert min(calibrated, key=calibrated.get) == "resampled"
    assert max(learnt, key=learnt.get) == max(calibrated, key=calibrated.get) == "film grain"
    for bits in section.crops(found["variants"]).values():
        whole = bits[section.NOTHING] - bits[section.BOTH]
        assert whole * 0.6 <= bits[section.NOTHING] - bits[section.CALIBRATED] < whole
        assert bits[section.BOTH] < bits[section.LEARNT] < bits[section.NOTHING]
    best = {}
    for row in found["passes"]["rows"].values():
        best[row["passes"]] = min(row["bpd"], best.get(row["passes"], 9))
    assert best[1] == min(best.values())
