from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.models.pixel import adaptive
from vaezip.models.pixel.search import FIXED
from vaezip.models.pixel.settings import Adaptation
from vaezip.system.threads import Workers

ONCE = Adaptation(1)
TWO = Adaptation(1, second_rate=160)
"""By two networks. For several predictors these are compiled in 17 s, so that is left to one slow test."""


def assert_round_trip(model, pictures, adaptation=ONCE, seed=12345):
    data = adaptive.encode(model, pictures, adaptation, seed=seed)
    back, found = adaptive.decode(model, data, pictures.shape, steps=adaptation.steps)
    assert np.array_equal(back, pictures)
    assert back.dtype == np.uint8
    assert found == seed
    return data


def quickly(adaptation, model):
    """The same by one network, where two have several predictors."""
    return replace(adaptation, second_rate=0) if model.architecture.predictors > 1 else adaptation


@pytest.mark.slow
@pytest.mark.parametrize("adaptation", [TWO, replace(TWO, orientation=5)])
def test_round_trip_by_two_networks_of_several_predictors(local_models, adaptation):
    small = local_models["predictors"]
    for count, height, width in ((1, 40, 40), (33, 9, 20), (2, 33, 7)):
        assert_round_trip(small.model, small.images[:count, :height, :width], adaptation)


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 40), st.integers(1, 3), st.integers(1, 7), st.integers(1, 3), st.integers(0, 7)
)
def test_round_trip_of_all_sizes(small_local, height, width, count, rows, stride, way):
    pictures = np.concatenate([small_local.images[:6:2, :, ::-1], small_local.images[1:6:2]], axis=1)
    pictures, by_two = (
        pictures[:count, :height, :width],
        Adaptation(1, rows, stride, 2, orientation=way, second_rate=99),
    )
    assert_round_trip(small_local.model, pictures, quickly(by_two, small_local.model))
    assert_round_trip(small_local.model, pictures, replace(FIXED, orientation=way))


@pytest.mark.parametrize("count", [1, pytest.param(17, marks=pytest.mark.slow), 33])
@pytest.mark.parametrize("adaptation", [Adaptation(2), TWO, FIXED])
def test_round_trip_of_sets(small_local, count, adaptation):
    pictures = np.resize(small_local.images, (count, *small_local.images.shape[1:]))[:, :, :12]
    assert_round_trip(small_local.model, pictures, quickly(adaptation, small_local.model))


def test_threads_do_not_change_the_bytes(small_local):
    for adaptation in (ONCE, TWO, FIXED):
        x = np.tile(small_local.images[:2], (1, 2, 2, 1))
        one = adaptive.encode(small_local.model, x, adaptation, seed=1)
        with Workers(2) as workers:
            two = workers.submit(adaptive.encode, small_local.model, x, adaptation, seed=1).result()
        assert one == two


def test_round_trip_by_shipped_models(shipped_local, discs):
    for adaptation in (ONCE, TWO, FIXED):
        assert_round_trip(shipped_local, discs(2, 40, 35, shipped_local.architecture.channels), adaptation)


@pytest.mark.parametrize("adaptation", [Adaptation(9, 1, 1, 9, 255, 255, 7), Adaptation(1, 32, 255, 255, 0, 0, 0)])
def test_settings_at_their_ends(small_local, adaptation):
    assert_round_trip(small_local.model, small_local.images[:1], adaptation)


def test_pictures_of_noise_and_blank_ones(small_local):
    shape = (3, 40, 33, small_local.model.architecture.channels)
    noise = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    assert_round_trip(small_local.model, noise, Adaptation(3, rate=255))
    assert_round_trip(small_local.model, np.full(shape, 128, np.uint8), Adaptation(3, rate=255))
    for blank in (0, 128, 255):
        assert_round_trip(small_local.model, np.full((1, 90, 70, shape[3]), blank, np.uint8), FIXED)
    assert_round_trip(small_local.model, noise, FIXED)


def test_learning_pays_on_what_the_model_has_not_seen(small_local):
    pictures = np.tile(255 - small_local.images[:4], (1, 4, 1, 1))
    plain = len(adaptive.encode(small_local.model, pictures, Adaptation(1, rate=0), seed=1))
    costs = [len(assert_round_trip(small_local.model, pictures, Adaptation(k))) for k in (1, 4)]
    assert costs[1] < costs[0] < 0.99 * plain


def test_bits_are_those_of_the_stream(small_local):
    x, adaptation = small_local.images, Adaptation(1)
    data = adaptive.encode(small_local.model, x, adaptation, seed=1)
    assert 8 * len(data) == pytest.approx(adaptive.bits(small_local.model, x, adaptation), rel=1e-3, abs=100)


@pytest.mark.parametrize("length", [0, 7, 8, 60])
def test_truncated(small_local, length):
    x = small_local.images[:1]
    data = adaptive.encode(small_local.model, x, Adaptation(1), seed=1)
    with pytest.raises(FormatError, match="damaged"):
        adaptive.decode(small_local.model, data[:length], x.shape, steps=1)


def test_impossible_settings(small_local):
    x = small_local.images[:1]
    data = adaptive.encode(small_local.model, x, Adaptation(1), seed=1)
    with pytest.raises(FormatError, match="damaged"):
        adaptive.decode(small_local.model, b"\0" + data[1:], x.shape, steps=1)
    with pytest.raises(FormatError, match="damaged"):
        adaptive.decode(small_local.model, bytes([64 + 8]) + data[1:], x.shape, steps=1)
    with pytest.raises(FormatError, match="damaged"):
        adaptive.decode(small_local.model, data[:1] + b"\0" + data[2:], x.shape, steps=1)
    with pytest.raises(FormatError, match="damaged"):
        adaptive.decode(small_local.model, data[:7] + b"\x08" + data[8:], x.shape, steps=1)


@pytest.mark.parametrize("adaptation", [FIXED, Adaptation(2), TWO])
def test_the_steps_of_a_file_are_those_of_its_settings(small_local, adaptation):
    """One flipped bit would make it take a hundred times as long."""
    x, adaptation = small_local.images[:1], quickly(adaptation, small_local.model)
    data = adaptive.encode(small_local.model, x, adaptation, seed=1)
    assert np.array_equal(adaptive.decode(small_local.model, data, x.shape, steps=adaptation.steps)[0], x)
    for steps in {0, 1, 2, 3} - {adaptation.steps}:
        with pytest.raises(FormatError, match="damaged"):
            adaptive.decode(small_local.model, data, x.shape, steps=steps)


def test_a_small_file_cannot_ask_for_days_of_learning(small_local):
    x = small_local.images[:1]
    data = bytearray(adaptive.encode(small_local.model, x, Adaptation(2, batch=2), seed=1))
    data[3] = 1
    with pytest.raises(FormatError, match="damaged"):
        adaptive.decode(small_local.model, bytes(data), x.shape, steps=2)


@given(
    st.integers(0, 200),
    st.integers(1, 255),
    st.sampled_from([ONCE, FIXED, replace(TWO, orientation=5)]),
)
@settings(max_examples=20, deadline=None)
def test_damage_is_found_or_changes_the_seed(local_models, where, change, adaptation):
    small = local_models["grey"]
    x = small.images[:1]
    data = bytearray(adaptive.encode(small.model, x, adaptation, seed=1))
    data[where % len(data)] ^= change
    try:
        back, seed = adaptive.decode(small.model, bytes(data), x.shape, steps=adaptation.steps)
    except FormatError:
        return
    assert seed != 1 or np.array_equal(back, x)
