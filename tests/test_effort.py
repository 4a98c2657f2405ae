import pytest

from vaezip.effort import DEFAULT, DEFAULT_PRESET, PRESETS, Effort, chosen_effort, of_steps
from vaezip.errors import VaezipError


def test_presets_go_from_the_fastest_to_the_smallest():
    assert list(PRESETS) == list(range(1, 10))
    assert PRESETS[1] == Effort(0, rows=0)
    assert PRESETS[2] == Effort(0)
    for work in (
        [effort.steps for effort in PRESETS.values()],
        [effort.learning / effort.thin for effort in PRESETS.values()],
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
        {"passes": 1},
        {"steps": 2, "passes": 3},
        {"turns": 0},
        {"turns": 9},
    ],
)
def test_out_of_range(options):
    with pytest.raises(VaezipError, match="must lie between"):
        Effort(**options)


def test_many_steps_buy_orientations_in_the_place_of_passes():
    assert [of_steps(k) for k in range(4)] == [Effort(k) for k in range(4)]
    for k in (4, 8, 10, 255):
        effort = of_steps(k)
        assert (effort.steps, effort.learning, effort.turns, effort.whole) == (k, 1, min(k, 8), True)


def test_steps_go_before_the_preset():
    assert chosen_effort(None, DEFAULT_PRESET) == DEFAULT
    assert chosen_effort(0, 9) == Effort(0)
    assert chosen_effort(8, 1) == PRESETS[9]
    for preset in (0, 10):
        with pytest.raises(VaezipError, match="between 1 and 9"):
            chosen_effort(None, preset)
