import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.exact.cholesky import LANES, factorise, regress, workspace
from vaezip.models.pixel import least_squares
from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.pixel.constants import (
    ENERGY_BOUND,
    PREDICTION_BOUND,
    RADIUS,
    REGRESSIONS,
    REGRESSORS,
    SEGMENT,
    UNIT_BITS,
)
from vaezip.models.pixel.least_squares import frame_with_predictions

GREY, COLOUR = pixel_architecture(1, predictors=1), pixel_architecture(3, predictors=1)
GREYS, COLOURS = (pixel_architecture(c, predictors=3) for c in (1, 3))


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def planes(a, pictures, r=0):
    """Predicted and expected of the r-th predictor, and spread, (3, pictures, height, width, channels in the order of
    coding)."""
    found = frame_with_predictions(a, pictures)[:, RADIUS:, RADIUS:-RADIUS, a.channels :]
    found = found[..., : found.shape[-1] - a.energies]
    found = np.moveaxis(found.reshape(*found.shape[:-1], 1 + 2 * a.predictors, a.channels), -2, 0)
    return found[[r, a.predictors + r, 2 * a.predictors]]


def median(west, north, corner):
    return sorted((west, north, west + north - corner))[1]


def vectors(a, picture, neighbours=10):
    """v of every pixel of a picture, by the definition."""
    frame = frame_with_predictions(a, picture[None])[0, ..., : a.channels].astype(int)
    height, width, channels = picture.shape
    out = np.zeros((height, width, (neighbours + 1) * channels), int)
    for r in range(height):
        for x in range(width):
            y, z = r + RADIUS, x + RADIUS
            for j, c in enumerate(a.order):
                p = median(frame[y, z - 1, c], frame[y - 1, z, c], frame[y - 1, z - 1, c])
                seen = [*((y + dy, z + dx) for dy, dx in REGRESSORS[:neighbours]), (y, z)]
                out[r, x, j::channels] = [frame[at][c] - p for at in seen]
    return out


def weights(a, picture):
    """What each pixel of a picture weighs in the sums of further predictors, by the definition."""
    found = frame_with_predictions(a, picture[None])[0, ..., -a.energies].astype(float)
    here, above = found[RADIUS:, RADIUS:-RADIUS], found[RADIUS - 1 : -1]
    total = 2 * here + found[RADIUS:, RADIUS - 1 : -RADIUS - 1]
    return 24 / (24 + total + sum(above[:, RADIUS + dx : above.shape[1] - RADIUS + dx] for dx in (-1, 0, 1)))


def plainly(a, picture, r=0):
    """What is predicted of each pixel when the channels before are known, and what when not, in pixel values, by
    the definition: every sum over all pixels, every system by NumPy."""
    neighbours, fades_beside, fades_above, every = REGRESSIONS[r]
    v, weight_of = vectors(a, picture, neighbours), weights(a, picture) if r else np.ones(picture.shape[:2])
    (height, width, size), c = v.shape, a.channels
    segments = -(-width // SEGMENT)
    sums = np.zeros((height, segments, size + 1, size + 1))
    for r in range(height):
        for k in range(segments):
            part = np.pad(v[r, k * SEGMENT : (k + 1) * SEGMENT], ((0, 0), (0, 1)), constant_values=1).astype(float)
            sums[r, k] = part.T * weight_of[r, k * SEGMENT : (k + 1) * SEGMENT] @ part
    beside, above, solved = np.zeros_like(sums), np.zeros_like(sums), {}
    predicted, expected = np.zeros((2, height, width, c))
    for r in range(height):
        for k in range(segments):
            total = (fades_beside * beside[r, k - 1] if k else 0.0) + (fades_above * above[r - 1, k] if r else 0.0)
            total = np.zeros_like(sums[0, 0]) + total
            weight, matrix, nearest = 1.0 + total[-1, -1], total[:-1, :-1], size - c
            ridge = 4.0 + 1e-3 * np.trace(matrix[:nearest, :nearest]) / nearest
            matrix = (matrix + ridge * np.eye(size)) / weight
            for j in range(c):
                n = nearest + j
                if k == 0 or (r + k) % every == 0:
                    solved[j] = np.linalg.solve(matrix[:n, :n], matrix[:n, n])
                w = solved[j]
                at = slice(k * SEGMENT, (k + 1) * SEGMENT)
                predicted[r, at, j] = v[r, at, :n] @ w
                expected[r, at, j] = v[r, at, :nearest] @ w[:nearest] + expected[r, at, :j] @ w[nearest:]
            beside[r, k] = sums[r, k] + (fades_beside * beside[r, k - 1] if k else 0.0)
            after = above[r - 1, min(k + 1, segments - 1)] if r else 0.0
            above[r, k] = beside[r, k] + fades_above * after
    return predicted, expected


@pytest.mark.parametrize("r", range(3))
@pytest.mark.parametrize("a", [GREYS, COLOURS], ids=["grey", "colour"])
def test_it_is_least_squares(a, r, discs):
    picture = discs(1, 37, 22, a.channels)[0]
    found, most = planes(a, picture[None], r)[:2, 0] / 2.0**UNIT_BITS, PREDICTION_BOUND / 2.0**UNIT_BITS
    # coefficients of differences of up to 255 are rounded to 2^−12, predictions to 2^−3
    errors = np.abs(found - np.clip(plainly(a, picture, r), -most, most))
    assert errors.max() < 0.5
    assert errors.mean() < 2.0**-UNIT_BITS / 3


@pytest.mark.parametrize(("one", "several"), [(GREY, GREYS), (COLOUR, COLOURS)], ids=["grey", "colour"])
def test_the_first_predictor_does_not_depend_on_further_ones(one, several):
    pictures = noise((2, 40, 21, one.channels))
    assert np.array_equal(planes(one, pictures), planes(several, pictures))


@pytest.mark.parametrize("a", [GREYS, COLOURS], ids=["grey", "colour"])
def test_an_energy_is_the_mean_square_of_errors(a, discs):
    picture = discs(1, 37, 22, a.channels)[0]
    found = frame_with_predictions(a, picture[None])[0]
    for r in range(3):
        errors = vectors(a, picture)[..., -a.channels :] - planes(a, picture[None], r)[0, 0] / 8.0
        expected = np.minimum(np.floor((errors**2).sum(axis=-1) * 4 / a.channels), ENERGY_BOUND)
        assert np.array_equal(found[RADIUS:, RADIUS:-RADIUS, r - 3], expected)
    margins = found[..., -3:].copy()
    margins[RADIUS:, RADIUS:-RADIUS] = 0
    assert not margins.any()


def test_energies_nearby_are_of_what_is_known(discs):
    frame = frame_with_predictions(COLOURS, discs(1, 20, 21, 3))
    found = least_squares.nearby_energies(frame, COLOURS)[0]
    y, x, of = 7, 9, frame[0, ..., -3:].astype(int)
    y_, x_ = y + RADIUS, x + RADIUS
    total = 2 * of[y_, x_ - 1] + 2 * of[y_ - 1, x_] + of[y_ - 1, x_ - 1] + of[y_ - 1, x_ + 1]
    levels = 32 * np.log2(1 + total)
    assert found[y, x, 0] == pytest.approx(levels[0], abs=4)
    assert found[y, x, 1:] == pytest.approx(levels[1:] - levels[0], abs=6)


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_nothing_of_a_pixel_is_told_before_its_turn(height, width, seed):
    """Its values, and those of pixels after it, change nothing of what is expected; nor do later channels of what
    is predicted."""
    picture = noise((height, width, 3), seed)
    rng = np.random.default_rng(seed)
    y, x, j = rng.integers(height), rng.integers(width), rng.integers(3)
    other = picture.copy()
    other[y, x, [COLOUR.order[i] for i in range(j, 3)]] ^= 0x55
    other[y, x + 1 :] ^= 0x55
    other[y + 1 :] ^= 0x55
    for r in range(3):
        before, after = planes(COLOURS, picture[None], r)[:, 0], planes(COLOURS, other[None], r)[:, 0]
        assert np.array_equal(before[:, :y], after[:, :y])
        assert np.array_equal(before[:, y, :x], after[:, y, :x])
        assert np.array_equal(before[1:, y, x], after[1:, y, x])
        assert np.array_equal(before[0, y, x, : j + 1], after[0, y, x, : j + 1])


def test_a_picture_does_not_depend_on_those_beside_it():
    pictures = noise((3, 33, 21, 3))
    together = frame_with_predictions(COLOURS, pictures)
    assert all(np.array_equal(together[i], frame_with_predictions(COLOURS, pictures[i : i + 1])[0]) for i in range(3))


@pytest.mark.parametrize("picture", [np.zeros((40, 50, 3), np.uint8), np.full((3, 3, 3), 255, np.uint8)])
def test_blank_pictures_are_expected_as_they_are(picture):
    for r in range(3):
        predicted, expected, spread = planes(COLOURS, picture[None], r)
        far = np.s_[:, 1:, 1:]
        assert not predicted[far].any()
        assert not expected[far].any()
        assert (np.abs(spread) <= PREDICTION_BOUND).all()


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_all_stays_within_its_bound(seed):
    """Also where pictures are as wild as can be."""
    wild = np.random.default_rng(seed).choice([0, 255], (1, 20, 20, 3)).astype(np.uint8)
    assert (np.abs(frame_with_predictions(COLOURS, wild)[..., 3:-3].astype(int)) <= PREDICTION_BOUND).all()
    energies = frame_with_predictions(COLOURS, wild)[..., -3:]
    assert (energies >= 0).all()


def test_it_adapts(discs):
    """A linear texture is predicted almost without error after some rows, a pattern the median cannot see."""
    y, x = np.mgrid[:64, :64]
    wave = np.rint(128 + 60 * np.sin(0.9 * x + 0.4 * y))
    picture = np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)
    frame = frame_with_predictions(COLOUR, picture[None])
    expected = planes(COLOUR, picture[None])[1, 0, 16:, 16:, 0] / 2.0**UNIT_BITS
    residual = vectors(COLOUR, picture)[16:, 16:, 10 * 3]
    assert frame.shape == (1, 64 + RADIUS, 64 + 2 * RADIUS, COLOUR.planes)
    assert np.abs(residual - expected).mean() < 0.2 * np.abs(residual).mean()


def test_models_without_it_have_plain_frames():
    pictures = noise((2, 5, 6, 3))
    assert frame_with_predictions(pixel_architecture(), pictures).shape == (2, 5 + RADIUS, 6 + 2 * RADIUS, 3)
    (state,) = least_squares.start(2, 6, pixel_architecture())
    assert state.above.size == 0


@settings(max_examples=30)
@given(st.integers(4, 40), st.integers(0, 1000))
def test_factors_and_coefficients(size, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(LANES, size + 9, size))
    matrices = np.einsum("lij,lik->ljk", x, x)
    a = workspace(size)
    a[:size, :size] = np.moveaxis(matrices, 0, -1)
    factorise(a, size)
    for t in range(LANES):
        upper = np.linalg.cholesky(matrices[t]).T
        found = np.triu(a[:size, :size, t])
        found[np.diag_indices(size)] = 1 / np.diag(found)
        assert np.allclose(found, upper, atol=1e-9)
    regress(a, size, 3)
    for t in range(LANES):
        for j in range(3):
            n = size - 3 + j
            assert np.allclose(a[size + j, :n, t], np.linalg.solve(matrices[t][:n, :n], matrices[t][:n, n]), atol=1e-6)


def test_a_lane_does_not_depend_on_the_others():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 33))
    one, other = workspace(33), workspace(33)
    one[:33, :33] = (x.T @ x)[..., None]
    other[:33, :33] = np.eye(33)[..., None]
    other[:33, :33, 2] = x.T @ x
    for a in (one, other):
        factorise(a, 33)
        regress(a, 33, 3)
    assert np.array_equal(one[..., 2], other[..., 2])
