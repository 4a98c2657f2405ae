from dataclasses import asdict

import pytest

from vaezip.bench.plan import DEFAULT_PEERS, PEERS, Plan, parse_peers, parse_presets, parse_steps
from vaezip.models.effort import PRESETS, Effort, of_steps


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("0", (0,)),
        ("0..3", (0, 1, 2, 3)),
        ("4..4", (4,)),
        ("0,5,10", (0, 5, 10)),
        ("10,0..2, 1", (0, 1, 2, 10)),
        ("127", (127,)),
    ],
)
def test_steps(text, steps):
    assert parse_steps(text) == steps


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "3..1", "0..", "..3", "0..1..2", "0,,1", "128", "0..300", "²"])
def test_bad_steps(text):
    with pytest.raises(ValueError, match=r"is no number of steps; write 0,5,10 or 0\.\.10"):
        parse_steps(text)


@pytest.mark.parametrize(
    ("text", "presets"), [("4", (4,)), ("1..6", (1, 2, 3, 4, 5, 6)), ("6,1,4", (1, 4, 6)), ("1..9", tuple(PRESETS))]
)
def test_presets(text, presets):
    assert parse_presets(text) == presets


@pytest.mark.parametrize("text", ["0", "10", "-4", "1..10", "0..3", "3..1", "", "x"])
def test_bad_presets(text):
    with pytest.raises(ValueError, match=r"is no preset; write 1,4,6 or 1\.\.6, from 1 to 9"):
        parse_presets(text)


def test_what_is_chosen_is_an_effort_each():
    chosen = Plan("mnist", steps=(0, 3), presets=(4, 6)).choices
    assert [(c.effort, c.preset) for c in chosen] == [
        (Effort(0), None),
        (of_steps(3), None),
        (PRESETS[4], 4),
        (PRESETS[6], 6),
    ]


@pytest.mark.parametrize(
    ("text", "peers"),
    [("none", ()), ("all", PEERS), ("webp", ("webp",)), ("jxl, PNG", ("png", "jxl")), ("png,png", ("png",))],
)
def test_peers(text, peers):
    assert parse_peers(text) == peers


@pytest.mark.parametrize("text", ["gif", "", "png,none", "png,,webp"])
def test_bad_peers(text):
    with pytest.raises(ValueError, match="is no peer; there are png, oxipng"):
        parse_peers(text)


def test_defaults_are_peers():
    assert set(DEFAULT_PEERS) <= set(PEERS)


def test_plan_survives_json():
    import json

    plan = Plan("mnist", steps=(0, 3), presets=(4,), solid=True, models=("auto",), limit=5)
    assert Plan.from_dict(json.loads(json.dumps(asdict(plan)))) == plan
