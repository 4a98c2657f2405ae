import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.errors import FormatError
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel import strips
from vaezip.models.pixel.constants import TILE
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.posterior import amortized
from vaezip.system.threads import Workers


def assert_round_trip(model, pictures, steps=0, seed=12345):
    data = pixel_bitsback.encode(model, pictures, steps=steps, seed=seed)
    back, found = pixel_bitsback.decode(model, data, pictures.shape, steps=steps)
    assert np.array_equal(back, pictures)
    assert back.dtype == np.uint8
    assert found == seed
    return data


@settings(max_examples=12)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 3), st.integers(0, 1))
def test_round_trip_of_all_sizes(small_local, height, width, count, steps):
    tall = np.concatenate([small_local.images[:6:2, :, ::-1], small_local.images[1:6:2]], axis=1)
    assert_round_trip(small_local.model, tall[:count, :height, :width], steps)


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("count", [1, 17])
def test_round_trip_of_sets(small_local, count, steps):
    assert_round_trip(small_local.model, small_local.images[:count, :35, :20], steps)


@pytest.mark.parametrize("steps", [0, 2])
def test_round_trip_by_shipped_models(shipped_local, discs, steps):
    assert_round_trip(shipped_local, discs(2, 45, 70, shipped_local.architecture.channels), steps)


@settings(max_examples=10)
@given(st.integers(1, 45), st.integers(1, 70), st.integers(1, 3), st.integers(2, 5))
def test_threads_do_not_change_the_bytes(small_local, height, width, count, threads):
    wide = np.concatenate([small_local.images, small_local.images[:, ::-1]], axis=2)
    tall = np.concatenate([wide, wide[:, :, ::-1]], axis=1)
    x, steps = np.ascontiguousarray(tall[:count, :height, :width]), threads % 2
    with Workers(threads) as workers:
        found = workers.submit(pixel_bitsback.encode, small_local.model, x, steps=steps, seed=7).result()
    assert found == pixel_bitsback.encode(small_local.model, x, steps=steps, seed=7)


def test_blank_pictures_lend_too_few_bits(small_local):
    """Strips that say so little that bits-back has nothing to pop are coded with a chosen z."""
    channels = small_local.model.architecture.channels
    blank = np.full((1, 200, 64, channels), 128, np.uint8)
    assert_round_trip(small_local.model, blank)


def test_pictures_of_noise(small_local):
    shape = (3, 40, 33, small_local.model.architecture.channels)
    assert_round_trip(small_local.model, np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8), 1)


@pytest.mark.parametrize("seed", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_the_seed_comes_back(small_local, seed):
    assert_round_trip(small_local.model, small_local.images[:2], 0, seed)


def test_a_chain_costs_its_elbo(small_local):
    x = small_local.images[:24]
    data = assert_round_trip(small_local.model, x)
    for draws in (1, 3):
        bits = pixel_bitsback.elbo_bits(small_local.model, x, steps=0, draws=draws)
        assert abs(8 * len(data) - bits) < 0.005 * bits + 100 * 8


def test_steps_lead_back_from_a_bad_start(small_local, monkeypatch):
    """An encoder whose posteriors lie far off: each step takes them nearer."""

    def astray(b, output):
        mean, log_sigma = amortized(b, output)
        return mean + 3.0 * 2**d.POSTERIOR_MEAN_BITS, log_sigma * 0.0 - 2.0 * 2**d.LOG_SIGMA_BITS

    monkeypatch.setattr("vaezip.models.pixel.networks.amortized", astray)
    x = small_local.images[:4]
    costs = [pixel_bitsback.elbo_bits(small_local.model, x, steps=steps) for steps in (0, 2, 6)]
    assert costs[0] > costs[1] > costs[2]


def test_a_posterior_does_not_depend_on_its_neighbours(small_local):
    """Strips of several pictures give each picture's tiles what they have alone."""
    model, x = small_local.model, small_local.images[:3]
    frame = frame_with_predictions(model.architecture, x)
    strip = next(strips.strips(x.shape))
    together = pixel_bitsback.posterior(model, frame, strip, steps=3)
    for i in range(3):
        alone = pixel_bitsback.posterior(model, frame[i : i + 1], strip, steps=3)
        across = len(alone[0])
        assert all(np.array_equal(t[i * across : (i + 1) * across], a) for t, a in zip(together, alone))


def test_strips_cover_every_row_once():
    for shape in [(1, 1, 1, 3), (5, 70, 100, 1), (130, 33, 32, 3), (2, 64, 5000, 3)]:
        seen = np.zeros(shape[:2], int)
        for strip in strips.strips(shape):
            seen[strip.pictures, strip.top : strip.top + strip.rows] += 1
            assert strip.rows <= TILE
        assert (seen == 1).all()


def test_damage_is_noticed_or_changes_nothing_silently(small_local):
    """Wherever a bit is flipped: an error, or other pixels, or another seed; a crash never."""
    x = small_local.images[:2]
    data = pixel_bitsback.encode(small_local.model, x, steps=0, seed=7)
    rng = np.random.default_rng(0)
    for _ in range(40):
        bad = bytearray(data)
        bad[rng.integers(len(bad))] ^= 1 << rng.integers(8)
        try:
            back, seed = pixel_bitsback.decode(small_local.model, bytes(bad), x.shape, steps=0)
        except FormatError:
            continue
        assert seed != 7 or not np.array_equal(back, x)


@pytest.mark.parametrize("length", [0, 1, 4, 5, 40])
def test_truncated_data_is_refused(small_local, length):
    x = small_local.images[:2]
    data = pixel_bitsback.encode(small_local.model, x, steps=0, seed=7)
    with pytest.raises(FormatError):
        pixel_bitsback.decode(small_local.model, data[:length], x.shape, steps=0)


def test_drawn_pictures_follow_from_the_bits(small_local, random_stack):
    model = small_local.model
    shape = (2, 40, 64, model.architecture.channels)
    first, again, other = (pixel_bitsback.draw(model, random_stack(100_000, seed), shape) for seed in (0, 0, 1))
    assert first.shape == shape
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert_round_trip(model, first)


def test_drawing_takes_what_the_picture_costs(small_local, random_stack):
    """−log2 p(x, z), by the very intervals: those of z first, then those of the pixels."""
    model = small_local.model
    shape = (1, 32, 32, model.architecture.channels)
    stack, copy = random_stack(100_000), random_stack(100_000)
    before = stack.bits
    frame = frame_with_predictions(model.architecture, pixel_bitsback.draw(model, stack, shape))
    prior = pixel_bitsback._prior(model, 1, False)
    bins = prior.pop(copy)
    costs = d.bits(prior.intervals(bins), prior.precision).sum()
    intervals = strips.intervals(
        model,
        frame,
        next(strips.strips(shape)),
        predictors=strips.uncalibrated(model, model.style_offsets(bins.reshape(1, -1))),
    )
    costs += d.bits(intervals, d.LOGISTIC_PRECISION).sum()
    assert before - stack.bits == pytest.approx(costs, abs=1)
