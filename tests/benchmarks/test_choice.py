"""The seconds of the choice are those of looks and trials, each counted once, and are added up by kind of picture."""

import numpy as np
import pytest

import vaezip
from vaezip.codec import choice as choosing

from .conftest import script


@pytest.fixture(scope="module")
def choice():
    return script("choice")


def test_looks_within_looks_count_once(choice, monkeypatch):
    times = iter([10.0, 11.0, 17.0])
    monkeypatch.setattr(choice.graphics.time, "process_time", lambda: next(times))
    watch = choice.graphics.Watch()
    inner = watch._timed("choice", lambda: "found")
    assert watch._timed("choice", lambda: inner())() == "found"
    assert (watch.choice, watch.check) == (7.0, 0.0)


def test_functions_are_watched_for_a_while(choice):
    samples, original = np.zeros((40, 50, 3), np.uint8), choosing.promising
    watch = choice.graphics.Watch()
    with watch.watching():
        vaezip.compress(samples, threads=1)
        assert choosing.promising is not original
    assert watch.choice > 0
    assert watch.check > 0
    assert choosing.promising is original


def test_shares_are_those_of_all_together_and_of_the_median(choice):
    rows = [
        {"pixels": pixels, "methods": methods, "choice_s": seconds, "check_s": 1.0, "all_s": 5.0}
        for pixels, methods, seconds in (
            (200_000, ["graphic"], 0.1),
            (200_000, ["graphic"], 0.1),
            (300_000, ["graphic"], 0.4),
            (90, ["graphic"], 1.0),
            (200_000, ["photo"], 2.0),
        )
    ]
    found = choice.shares(rows)
    assert found["drawings"] == {
        "pictures": 3,
        "share": 0.04,
        "median_share": 0.02,
        "most": 0.08,
        "share_without_check": 0.05,
    }
    assert {kind: row["pictures"] for kind, row in found.items()} == {"drawings": 3, "small drawings": 1, "others": 1}
