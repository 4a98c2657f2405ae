from dataclasses import asdict

import pytest

from vaezip.bench.plan import DEFAULT_PEERS, PEERS, Plan, parse_peers, parse_steps


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("0", (0,)),
        ("0..3", (0, 1, 2, 3)),
        ("4..4", (4,)),
        ("0,5,10", (0, 5, 10)),
        ("10,0..2, 1", (0, 1, 2, 10)),
        ("255", (255,)),
    ],
)
def test_steps(text, steps):
    assert parse_steps(text) == steps


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "3..1", "0..", "..3", "0..1..2", "0,,1", "256", "0..300", "²"])
def test_bad_steps(text):
    with pytest.raises(ValueError, match=r"is no number of steps; write 0,5,10 or 0\.\.10"):
        parse_steps(text)


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

    plan = Plan("mnist", steps=(0, 3), models=("auto",), limit=5)
    assert Plan.from_dict(json.loads(json.dumps(asdict(plan)))) == plan
