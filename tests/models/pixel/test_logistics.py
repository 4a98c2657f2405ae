"""Several pixels side by side have, bit by bit, what they have one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.exact.jit import jit
from vaezip.models.pixel import logistics
from vaezip.models.pixel.constants import DENSITY_FLOOR
from vaezip.models.pixel.gradient import logistic
from vaezip.models.pixel.mixture import mixture_tables, write_mixture

TABLES = mixture_tables()
COUNT = 2 * logistics.PIXELS


@jit
def write_mixtures(n, out, prediction, c, powers, mixtures):
    logistics.write_mixtures(n, out, prediction, c, powers, mixtures)


@jit
def write_one(out, prediction, powers, w, m, s):
    write_mixture(out, prediction, out.size // 3, powers, w, m, s)


@jit
def add_slopes(k, p, values, mixtures, tables, sums):
    logistics.add_slopes(k, p, values, mixtures, tables, sums)


@jit
def slopes(value, mean, log_scale, tables):
    return logistic(value, mean, log_scale, tables)


@jit
def add_inputs(p, slope, inputs, first, second, j, gradient, size):
    logistics.add_inputs(p, slope, inputs, first, second, j, gradient, size)


def empty(logistic_count):
    return tuple(np.zeros((logistic_count, COUNT), np.int64) for _ in range(3))


@given(st.integers(0, 10_000), st.integers(1, 9), st.sampled_from([1, 4, 3000]))
def test_mixtures_are_those_of_single_pixels(seed, mix, reach):
    """Where logits are equal, the first of the largest gets what is left over; scales are clamped to their grid."""
    rng = np.random.default_rng(seed)
    out = rng.integers(-reach, reach, (1, COUNT, 3 * mix)).astype(np.int32)
    prediction, found = rng.integers(0, 256, (COUNT, 3)), empty(mix)
    write_mixtures(COUNT - 3, out, prediction, 1, TABLES.powers, found)
    for p in range(COUNT):
        expected = np.zeros((3, mix), np.int64)
        write_one(out[0, p], prediction[p, 1], TABLES.powers, *expected)
        assert np.array_equal([part[:, p] for part in found], expected)


@given(st.integers(0, 10_000))
def test_two_networks_share_a_mixture_equally(seed):
    rng = np.random.default_rng(seed)
    out, found, alone = rng.integers(-99, 99, (2, COUNT, 9)).astype(np.int32), empty(6), empty(3)
    prediction = rng.integers(0, 256, (COUNT, 1))
    write_mixtures(COUNT, out, prediction, 0, TABLES.powers, found)
    for v, rows in enumerate((slice(3), slice(3, 6))):
        write_mixtures(COUNT, out[v : v + 1], prediction, 0, TABLES.powers, alone)
        logits, whole = out[v, :, :3].T.astype(np.int64), 1 << (d.WEIGHT_BITS - 1)
        powers = TABLES.powers[logits.max(axis=0) - logits]
        weights = powers * whole // powers.sum(axis=0)
        weights[logits.argmax(axis=0), np.arange(COUNT)] += whole - weights.sum(axis=0)
        assert np.array_equal(found[0][rows], weights)
        assert np.array_equal(found[1][rows], alone[1])
        assert np.array_equal(found[2][rows], alone[2])


@given(st.integers(0, 10_000))
def test_slopes_are_those_of_single_pixels(seed):
    """At the ends of the values, too, and beyond those of the tables."""
    rng = np.random.default_rng(seed)
    values = rng.choice([0, 255, 100, 101, 128], COUNT)
    means = rng.choice([0, 1600, 1608, 4080, -300, 9000], (2, COUNT))
    scales = rng.choice([d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH, 0, 40], (2, COUNT))
    mixtures, sums = (rng.integers(1, 1 << d.WEIGHT_BITS, (2, COUNT)), means, scales), np.ones((3, COUNT))
    tables = TABLES.sigmoid, TABLES.reciprocal, TABLES.interior, TABLES.inner
    add_slopes(1, logistics.PIXELS, values, mixtures, tables, tuple(sums))
    assert (sums[:, : logistics.PIXELS] == 1.0).all()
    for p in range(logistics.PIXELS, COUNT):
        inside, by_mean, by_scale = slopes(float(values[p]), means[1, p], scales[1, p], TABLES)
        part = float(mixtures[0][1, p]) * (inside + DENSITY_FLOOR)
        assert sums[:, p].tolist() == [1.0 + part, 1.0 + part * by_mean, 1.0 + part * by_scale]


@pytest.mark.parametrize("count", [1, 4, 6, 11])
def test_inputs_go_to_both_classes(count):
    rng = np.random.default_rng(count)
    inputs, gradient, size = rng.normal(size=(3, count)), np.ones((5, 2, count)), np.ones((5, 2, count))
    add_inputs(2, 0.3, inputs, 1, 4, 1, gradient, size)
    for c in range(5):
        for j in range(2):
            touched = c in (1, 4) and j == 1
            assert np.array_equal(gradient[c, j], 1.0 + touched * (0.3 * inputs[2]))
            assert np.array_equal(size[c, j], 1.0 + touched * (inputs[2] * inputs[2]))
