import pytest

from vaezip.errors import VaezipError
from vaezip.models.effort import DEFAULT, DEFAULT_PRESET, PRESETS, Effort, chosen_effort, of_steps


def test_presets_go_from_the_fastest_to_the_smallest():
    assert list(PRESETS) == list(range(1, 10))
    assert PRESETS[1] == Effort(0, rows=0)
    assert PRESETS[2] == Effort(0)
    for work in (
        [effort.steps for effort in PRESETS.values()],
        [(effort.steps > 0) / effort.thin for effort in PRESETS.values()],
        [effort.networks for effort in PRESETS.values()],
        [effort.turns for effort in list(PRESETS.values())[2:]],  # the first ones have nothing to learn
    ):
        assert work == sorted(work)
    assert DEFAULT_PRESET in PRESETS


@pytest.mark.parametrize(
    "options",
    [
        {"steps": -1},
        {"steps": 256},
        {"rows": -1},
        {"rows": 33},
        {"thin": 0},
        {"networks": 0},
        {"networks": 3},
        {"turns": 0},
        {"turns": 9},
        {"whole": 0},
        {"whole": 4},
    ],
)
def test_out_of_range(options):
    with pytest.raises(VaezipError, match="must lie between"):
        Effort(**options)


def test_steps_buy_a_second_network_then_orientations():
    assert [of_steps(k) for k in range(3)] == [Effort(0), Effort(1), Effort(2, networks=2, turns=8)]
    for k in (3, 8, 10, 127):
        effort = of_steps(k)
        assert (effort.steps, effort.networks, effort.turns, effort.whole) == (k, 2, 8, min(k // 2, 3))


def test_steps_go_before_the_preset():
    assert chosen_effort(None, DEFAULT_PRESET) == DEFAULT
    assert chosen_effort(0, 9) == Effort(0)
    assert chosen_effort(8, 1) == PRESETS[9]
    for preset in (0, 10):
        with pytest.raises(VaezipError, match="between 1 and 9"):
            chosen_effort(None, preset)
