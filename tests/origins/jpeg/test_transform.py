"""The transform that rounds once is the exact one, rounded."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vaezip.origins.jpeg.description import standard_steps
from vaezip.origins.jpeg.transform import inverse

U, X = np.mgrid[:8, :8]
BASIS = np.cos((2 * X + 1) * U * np.pi / 16) * np.where(U, 0.5, np.sqrt(1 / 8))


@given(st.integers(0, 1 << 32), st.sampled_from([30, 75, 95]))
def test_samples_are_nearest_to_the_exact_ones(seed, quality):
    random = np.random.default_rng(seed)
    coefficients, steps = np.rint(random.laplace(0, 3, 64)).astype(np.int64), standard_steps(quality, False)
    values = np.zeros(64, np.int64)
    inverse(coefficients, steps, values, True)
    exact = BASIS.T @ (coefficients * steps).reshape(8, 8) @ BASIS + 128
    of_constants = 4e-6 * np.abs(coefficients * steps).sum()
    assert np.abs(values - exact.ravel()).max() <= 0.5 + of_constants


def test_flat_blocks_between_two_values_become_the_upper_one():
    values = np.zeros(64, np.int64)
    for level in range(-60, 60, 8):
        inverse(np.array([level + 4] + [0] * 63), np.ones(64, np.int64), values, True)
        assert (values == 128 + level // 8 + 1).all()


def test_no_coefficient_leaves_the_integers():
    values = np.zeros(64, np.int64)
    for sign in (1, -1):
        inverse(np.full(64, sign * 32767), np.full(64, 65535), values, True)
        exact = BASIS.T @ np.full((8, 8), sign * 32767.0) @ BASIS + 128
        assert np.abs(values - exact.ravel()).max() < 1
