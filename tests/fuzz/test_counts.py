"""The counts of long runs that the repository keeps."""

import json
from pathlib import Path

from tests.fuzz import corpus, counts

KEPT = sorted(Path(__file__).parent.glob("report*.json"))


def report(**targets):
    return {"machine": {"python": "3"}, "targets": targets}


def result(executions, read, refused, crashes=(), ended=()):
    return {
        "core seconds": 1800,
        "executions": executions,
        "read": read,
        "refused": refused,
        "crashes": {key: {"times": 1, "file": "f"} for key in crashes},
        "processes that ended": list(ended),
    }


def test_reports_of_a_target_are_added():
    one = report(png=result(10, 4, {"cut": 5, "empty": 1}), gif=result(3, 3, {}))
    two = report(png=result(7, 1, {"cut": 6}, crashes=["here"], ended=[{"status": 77}]))
    found = counts.added([one, two], "abc")
    assert (found["commit"], found["core hours"], found["executions"]) == ("abc", 1.5, 20)
    png = dict(zip(counts.COUNTS, (3600, 17, 5, 12, 2, 1, 1), strict=True))
    assert found["targets"]["png"] == png
    assert found["targets"]["gif"]["refused"] == 0
    again = counts.added([found, two], "abc")
    assert again["targets"]["png"] == dict(zip(counts.COUNTS, (5400, 24, 6, 18, 2, 2, 2), strict=True))


def test_the_counts_that_are_kept_are_of_all_targets_for_three_hours_without_a_crash():
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in KEPT]
    targets = [(name, target) for report in kept for name, target in report["targets"].items()]
    assert {name for name, _ in targets} == set(corpus.MAKERS)
    assert sum(report["core hours"] for report in kept) >= 3
    for name, target in targets:
        assert target["crashes"] == target["processes that ended"] == 0, name
