from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.models.pixel.settings import Adaptation


def test_settings_are_what_they_were():
    for adaptation in (
        Adaptation(1),
        Adaptation(9, 1, 1, 9, 255, 255, 7, second_rate=3),
        *(replace(Adaptation(0, 32), orientation=way) for way in range(8)),
    ):
        data = adaptation.to_bytes()
        assert Adaptation.from_bytes(data + b"rest") == (adaptation, len(data))


def test_the_rate_falls_over_the_row_groups():
    adaptation = Adaptation(1, rate=64, final_rate=128, second_rate=32)
    rates, second = zip(*(adaptation.rates_at(group, 10) for group in range(10)))
    assert rates[0] == 64 / 16384
    assert list(rates) == sorted(rates, reverse=True)
    assert second == tuple(rate / 2 for rate in rates)
    assert rates[-1] > 32 / 16384


@given(st.integers(1, 20), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4000), st.integers(0, 50))
def test_batches_cover_the_row_group_evenly(passes, stride, batch, pixels, group):
    passes = min(passes, stride * batch)
    found = Adaptation(passes, stride=stride, batch=batch).batches(pixels, group)
    seen = np.zeros(pixels, int)
    for part in found:
        seen[part] += 1
    assert len(found) >= 1
    assert all(np.arange(pixels)[part].size >= min(pixels, 16 * batch) for part in found)
    if stride == 1:
        assert (seen == passes).all()


def test_adaptationout_of_range():
    for options in ({"row_group": 0}, {"row_group": 33}, {"batch": 0}, {"stride": 0}, {"orientation": 8}):
        with pytest.raises(ValueError, match="row group"):
            Adaptation(1, **options)


def test_a_pass_has_at_most_as_many_steps_as_sixteens_of_pixels():
    with pytest.raises(ValueError, match="at most"):
        Adaptation(7, stride=2, batch=3)
