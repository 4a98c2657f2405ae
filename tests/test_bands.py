import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip import bands
from vaezip.errors import FormatError
from vaezip.networks.local.learning import Learning

ONCE = Learning(1)


def assert_round_trip(model, pictures, learning=ONCE, seed=12345):
    data = bands.encode(model, pictures, learning, seed)
    back, found = bands.decode(model, data, pictures.shape)
    assert np.array_equal(back, pictures)
    assert back.dtype == np.uint8
    assert found == seed
    return data


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 3), st.integers(1, 7), st.integers(1, 3), st.integers(0, 7)
)
def test_round_trip_of_all_sizes(local_models, height, width, count, rows, thin, turn):
    for small in local_models.values():
        tall = np.concatenate([small.images[:6:2, :, ::-1], small.images[1:6:2]], axis=1)
        wide = np.concatenate([tall, tall[:, ::-1]], axis=2)
        assert_round_trip(small.model, wide[:count, :height, :width], Learning(1, rows, thin, 2, turn=turn))


@pytest.mark.parametrize("count", [1, 17])
def test_round_trip_of_sets(small_local, count):
    assert_round_trip(small_local.model, small_local.images[:count], Learning(2))


def test_round_trip_by_shipped_models(shipped_local, discs):
    assert_round_trip(shipped_local, discs(2, 45, 70, shipped_local.architecture.channels))


@pytest.mark.parametrize("learning", [Learning(9, 1, 1, 1, 255, 255, 7), Learning(1, 32, 255, 255, 0, 0, 0)])
def test_settings_at_their_ends(small_local, learning):
    assert_round_trip(small_local.model, small_local.images[:1], learning)


def test_pictures_of_noise_and_blank_ones(small_local):
    shape = (3, 40, 33, small_local.model.architecture.channels)
    noise = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    assert_round_trip(small_local.model, noise, Learning(3, rate=255))
    assert_round_trip(small_local.model, np.full(shape, 128, np.uint8), Learning(3, rate=255))


def test_learning_pays_on_what_the_model_has_not_seen(small_local):
    pictures = np.tile(255 - small_local.images[:8], (1, 4, 1, 1))
    plain = len(bands.encode(small_local.model, pictures, Learning(1, rate=0), 1))
    costs = [len(assert_round_trip(small_local.model, pictures, Learning(k))) for k in (1, 4)]
    assert costs[1] < costs[0] < 0.99 * plain


def test_bits_are_those_of_the_stream(small_local):
    x, learning = small_local.images, Learning(1)
    data = bands.encode(small_local.model, x, learning, 1)
    assert 8 * len(data) == pytest.approx(bands.bits(small_local.model, x, learning), rel=1e-3, abs=100)


@pytest.mark.parametrize("length", [0, 6, 7, 60])
def test_truncated(small_local, length):
    x = small_local.images[:1]
    data = bands.encode(small_local.model, x, Learning(1), 1)
    with pytest.raises(FormatError, match="damaged"):
        bands.decode(small_local.model, data[:length], x.shape)


def test_impossible_settings(small_local):
    x = small_local.images[:1]
    data = bands.encode(small_local.model, x, Learning(1), 1)
    with pytest.raises(FormatError, match="damaged"):
        bands.decode(small_local.model, b"\0" + data[1:], x.shape)
    with pytest.raises(FormatError, match="damaged"):
        bands.decode(small_local.model, data[:6] + b"\x08" + data[7:], x.shape)


@given(st.integers(5, 200), st.integers(1, 255))
@settings(max_examples=20, deadline=None)
def test_damage_is_found_or_changes_the_seed(local_models, where, change):
    small = local_models["grey"]
    x = small.images[:1]
    data = bytearray(bands.encode(small.model, x, Learning(1), 1))
    data[where % len(data)] ^= change
    try:
        back, seed = bands.decode(small.model, bytes(data), x.shape)
    except FormatError:
        return
    assert seed != 1 or np.array_equal(back, x)
