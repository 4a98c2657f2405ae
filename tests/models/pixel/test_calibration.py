"""Calibrated mixtures, against the formulas in floats, and what they bring."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.exact.jit import jit
from vaezip.models.pixel import calibration, strips
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.pixel.constants import ADJACENT, AROUND, ERROR_BITS, NEAR, RADIUS, SPREADS, USUAL_ERROR
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.mixture import mixture_tables

TABLES = mixture_tables()
ORDER = np.array([1, 0, 2])
PLACE = 0, RADIUS + 4, RADIUS + 5
PLACES = np.array([PLACE])


@jit
def calibrate(j, state, frame, inputs, tables):
    calibration.calibrate(1, j, state, frame, ORDER, PLACES, tables, inputs)


@jit
def observe(j, state, inputs, tables):
    calibration.note_errors(1, j, state, PLACES, inputs)
    calibration.observe(1, j, state, tables, inputs)


def a_frame(rng, predictors=1):
    """A picture of 12×12 in colour, with least-squares predictions."""
    planes = pixel_architecture(3, predictors=predictors).planes
    frame = rng.integers(-40, 40, (1, 12 + RADIUS, 12 + 2 * RADIUS, planes)).astype(np.int16)
    frame[..., :3] = rng.integers(0, 256, frame[..., :3].shape)
    if predictors > 1:
        frame[..., -predictors:] = rng.integers(0, 2000, frame[..., -predictors:].shape)
    return frame


def a_mixture(rng, mix=4):
    weights = rng.multinomial((1 << d.WEIGHT_BITS) - mix, np.full(mix, 1 / mix)) + 1
    means = rng.integers(0, 256 << d.MEAN_BITS, mix)
    return weights.astype(np.int64), means, rng.integers(-60, 120, mix)


def a_state(rng, frame, predictors=1):
    state = calibration.begin_pictures(calibration.start(3, predictors), frame)
    state.move[:] = rng.normal(0, 0.05, state.move.shape)
    state.stretch[:] = rng.normal(0, 0.05, state.stretch.shape)
    state.errors[:] = rng.integers(-1024, 1025, state.errors.shape)
    return state


def calibrated(j, state, frame, mixture):
    """Return what calibration noted, and the mixture moved and stretched."""
    inputs = calibration.scratch_for(state, len(mixture[0]))
    for known, part in zip(inputs.mixtures, mixture):
        known[:, 0] = part
    calibrate(j, state, frame, inputs, TABLES)
    return inputs, [part[:, 0].copy() for part in inputs.mixtures]


def moments(weights, means, log_scales):
    """Mean and spread of a mixture, in pixel values."""
    share = weights / (1 << d.WEIGHT_BITS)
    scales = np.exp(log_scales / (1 << d.LOG_SCALE_BITS))
    return float(share @ means) / (1 << d.MEAN_BITS), float(share @ scales) * np.pi / np.sqrt(3)


def inputs(state, frame, j, mean, spread, predictors):
    """f and g, after the words of the module."""
    i, y, x = PLACE
    errors = state.errors[i].astype(float) / (1 << ERROR_BITS)
    near = [errors[y + down, x + right] for down, right in NEAR]
    others = [near[q][(j + other) % 3] for q in range(ADJACENT) for other in (1, 2)]
    before = [errors[y, x, c] if c < j else 0.0 for c in (0, 1)]

    def median_edge(c):
        west, north, corner = (int(frame[i, y + a, x + b, c]) for a, b in ((0, -1), (-1, 0), (-1, -1)))
        return sorted((west, north, west + north - corner))[1]

    predicted = median_edge(ORDER[j])
    regressed = predicted + frame[i, y, x, 3 + j] / 8
    residual = int(frame[i, y, x, ORDER[j - 1]]) - median_edge(ORDER[j - 1]) if j else 0
    off = np.clip([(regressed - mean) / spread, (predicted - mean) / spread, residual / spread], -2, 2)
    usual = [abs(near[q][j]) - USUAL_ERROR for q in range(AROUND)]
    usual += [abs(e) - USUAL_ERROR if c < j else 0.0 for c, e in enumerate(before)]
    wider = np.clip((frame[i, y, x, 3 + 6 * predictors + j] / 32 - np.log2(spread**2)) / 2, -2, 2)
    f = np.array(
        [*(e[j] for e in near), *others, *before, *off, 1.0, *of_predictors(frame, j, mean, spread, predicted)]
    )
    return f, np.array([*usual, wider, 1.0])


def of_predictors(frame, j, mean, spread, predicted):
    """The last of f, where there are three predictors."""
    i, y, x = PLACE
    if frame.shape[3] == 12:
        return []
    each, energies = frame[i, y, x, 3 + j : 12 : 3].astype(float) / 8, frame[i, ..., -3:].astype(float)
    further = np.clip(2 * (each[1:] - each[0]) / spread, -2, 2)
    nearby = 2 * energies[y, x - 1] + 2 * energies[y - 1, x] + energies[y - 1, x - 1] + energies[y - 1, x + 1]
    share = spread**2 / (spread**2 + nearby / 24 + 0.3)
    return [*further, *np.clip((predicted + each - mean) / spread, -2, 2) * share]


def classes(mean, spread):
    level = int(np.clip(mean, 0, 255)) // 32
    return [int(np.clip(np.floor(np.log2(spread)) + 1, 0, 5)), SPREADS + level]


@given(st.integers(0, 10_000), st.integers(0, 2), st.sampled_from([1, 3]))
def test_mixtures_are_moved_and_stretched_as_the_formula_says(seed, j, predictors):
    rng = np.random.default_rng(seed)
    frame = a_frame(rng, predictors)
    state, before = a_state(rng, frame, predictors), a_mixture(rng)
    mean, spread = moments(*before)
    f, g = inputs(state, frame, j, mean, spread, predictors)
    kinds = classes(mean, spread)
    moved = np.clip(state.move[kinds, j].sum(0) @ f, -2, 2) * spread
    stretched = np.clip(state.stretch[kinds, j].sum(0) @ g, -1, 1)
    after = calibrated(j, state, frame, before)[1]
    assert np.array_equal(after[0], before[0])
    # log2 is piecewise linear there, by up to 0.09
    assert np.abs(after[1] - before[1] - moved * (1 << d.MEAN_BITS)).max() <= 1
    slack = 0.09 * np.abs(state.stretch[kinds, j, -2].sum()) * (1 << d.LOG_SCALE_BITS) + 1
    expected = np.clip(before[2] + stretched * (1 << d.LOG_SCALE_BITS), d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH)
    assert np.abs(after[2] - expected).max() <= slack


@given(st.integers(0, 10_000), st.integers(0, 2))
def test_gradients_are_those_of_the_log_probability(seed, j):
    """Of ln p for moves and stretches of the whole mixture, by differences."""
    rng = np.random.default_rng(seed)
    frame = a_frame(rng)
    state, mixture = a_state(rng, frame), a_mixture(rng)
    mean, spread = moments(*mixture)
    value = int(np.clip(round(rng.normal(mean, spread)), 1, 254))
    scratch, mixture = calibrated(j, state, frame, mixture)
    scratch.values[0] = value
    observe(j, state, scratch, TABLES)

    def log_p(move, stretch):
        weights, means, log_scales = mixture
        scales = np.exp(log_scales / (1 << d.LOG_SCALE_BITS) + stretch)
        edges = value + np.array([[-0.5], [0.5]]) - means / (1 << d.MEAN_BITS) - move * spread
        low, high = 0.5 + 0.5 * np.tanh(edges / scales / 2)
        return np.log(weights / (1 << d.WEIGHT_BITS) @ (high - low + 1e-12))

    assume(log_p(0, 0) > -12)  # or floats cancel here, and the floor there
    step = 1e-4
    for_move = np.clip((log_p(step, 0) - log_p(-step, 0)) / (2 * step), -4, 4)
    for_stretch = np.clip((log_p(0, step) - log_p(0, -step)) / (2 * step), -4, 4)
    for kind in classes(mean, spread):
        assert state.move_gradient[kind, j, -1] == pytest.approx(for_move, rel=0.05, abs=0.1)
        assert state.stretch_gradient[kind, j, -1] == pytest.approx(for_stretch, rel=0.05, abs=0.1)
    error = state.errors[(*PLACE, j)] / (1 << ERROR_BITS)
    assert error == pytest.approx(np.clip((value - mean) / spread, -4, 4), abs=0.01)


def test_a_step_goes_up_the_gradient_and_forgets():
    state = calibration.start(1)
    state.move_gradient[2, 0, 3], state.move_size[2, 0, 3] = 30.0, 600.0
    calibration.step(state)
    assert not state.move.any()  # no pixel was seen
    state.pixels[0] = 1000
    calibration.step(state)
    assert state.move[2, 0, 3] > 0
    assert np.count_nonzero(state.move) == 1
    assert 300 < state.move_size[2, 0, 3] < 600
    assert not state.move_gradient.any()
    assert state.pixels[0] == 0
    for _ in range(100):
        state.pixels[0] = 1 << 20
        calibration.step(state)
    assert np.allclose(state.move_size, 300)  # however long nothing comes


def test_other_pictures_begin_without_errors_and_with_what_was_learnt():
    rng = np.random.default_rng(0)
    state = a_state(rng, a_frame(rng))
    after = calibration.begin_pictures(state, np.zeros((5, 40, 50, 3), np.int16))
    assert after.errors.shape == (5, 40, 50, 3)
    assert not after.errors.any()
    assert after.move is state.move


def test_what_the_model_gets_wrong_is_calibrated(small_local):
    """Pictures that are the model's, but brighter and with less contrast."""
    model, a = small_local.model, small_local.model.architecture
    x = np.clip(np.tile(small_local.images[:4, :32, :32], (1, 4, 4, 1)) // 2 + 90, 0, 255).astype(np.uint8)
    frame = frame_with_predictions(a, x)
    offsets = np.zeros((len(x) * 4, a.style_offsets), np.int32)
    costs = []
    for state in (calibration.identity(a.channels), calibration.begin_pictures(calibration.start(a.channels), frame)):
        found = [
            strips.intervals(model, frame, strip, predictors=strips.Predictors(model.networks, offsets, state))
            for strip in strips.strips(x.shape)
        ]
        costs.append(sum(d.bits(part, d.LOGISTIC_PRECISION).sum() for part in found))
    assert costs[1] < 0.99 * costs[0]
