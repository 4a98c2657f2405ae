"""How to compress; what both directions have in common."""

import pytest

import vaezip
from vaezip.errors import VaezipError
from vaezip.models.effort import PRESETS


def test_options_have_the_limit_of_the_reader():
    assert vaezip.Options().max_pixels == vaezip.ReadOptions().max_pixels


def test_an_effort_goes_before_steps_and_these_before_a_preset():
    both = vaezip.Options(preset=1, steps=7)
    assert both.chosen_effort() == vaezip.Options(steps=7).chosen_effort() != PRESETS[1]
    assert vaezip.Options(preset=1, effort=PRESETS[9]).chosen_effort() == PRESETS[9]


@pytest.mark.parametrize("wrong", [{"preset": 0}, {"preset": 10}, {"steps": -1}])
def test_efforts_out_of_range_are_refused(wrong):
    with pytest.raises(VaezipError):
        vaezip.Options(**wrong).chosen_effort()
