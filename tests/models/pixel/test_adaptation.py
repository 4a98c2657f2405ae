import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.exact import backend
from vaezip.models import likelihoods
from vaezip.models.pixel import adaptation, kernel, strips
from vaezip.models.pixel.adaptation import Learner, Learners, Learning
from vaezip.models.pixel.least_squares import shown
from vaezip.models.pixel.network import ACTIVATION_BOUND, SUM_BOUND, PixelNetwork, input_bound, inputs

ROWS = 4


def learners_of(model, bands=10, **options):
    return Learners(model.architecture, model.layers, Learning(1, **options), bands)


def learner_of(model):
    return Learner(model.architecture, model.layers)


def shifts_of(model, tiles, seed=0):
    bins = np.random.default_rng(seed).integers(1500, 2500, (tiles, model.architecture.latents)).astype(np.int32)
    return model.shifts(bins)


def whole(learner, frame, rows, shifts):
    return adaptation._Band(
        *adaptation._inputs(frame, 0, rows, learner.weights.order, learner.architecture.features), shifts
    )


def bits(model, networks, frame, shifts, rows=ROWS):
    strip = strips.Strip(slice(0, len(frame)), 0, rows)
    return d.bits(
        strips.intervals(
            model, frame, strip, predictors=strips.uncalibrated(model, shifts)._replace(networks=networks)
        ),
        d.LOGISTIC_PRECISION,
    ).sum()


def test_it_starts_as_the_network_that_codes(small_local):
    """Outputs equal those of the matrix view of the same weights, bit for bit."""
    model, a = small_local.model, small_local.model.architecture
    learner = learner_of(model)
    frame = shown(a, small_local.images[:2, :32, :32])
    shifts = shifts_of(model, 2)
    band = whole(learner, frame, 32, shifts)
    learner._resize(len(band.values))
    learner._forward(band)
    found = [learner._parameters(band, i)[1][:, : 3 * a.mixture] for i in range(a.channels)]
    roomy = PixelNetwork(backend("cpu"), a, {name: adaptation._roomy(layer) for name, layer in model.layers.items()})
    features, _, hints = (part.reshape(2, 1024, -1).astype(np.float32) for part in inputs(a, frame))
    trace = roomy.trace(features, hints, shifts.astype(np.float32))
    for one, other in zip(found, trace.outs):
        assert np.array_equal(one, other.reshape(2048, -1))


def test_room_to_grow_costs_next_to_nothing(small_local):
    model = small_local.model
    frame, shifts = shown(model.architecture, small_local.images[:8]), shifts_of(model, 16)
    strip = strips.Strip(slice(0, 8), 0, 32)
    before = d.bits(
        strips.intervals(model, frame, strip, predictors=strips.uncalibrated(model, shifts)), d.LOGISTIC_PRECISION
    ).sum()
    assert bits(model, (learner_of(model).weights,), frame, shifts, 32) == pytest.approx(before, rel=2e-3)


@given(st.integers(0, 10_000))
def test_gradient_of_a_mixture(seed):
    """The same as that of the likelihood, but for the rounding of the mixture's weights."""
    rng, mix = np.random.default_rng(seed), 3
    parameters = np.concatenate(
        [rng.integers(-60, 60, (9, mix)), rng.integers(-4000, 4000, (9, mix)), rng.integers(-500, 2000, (9, mix))], 1
    ).astype(np.float64)
    prediction = rng.integers(0, 256, 9)
    values = np.r_[0, 255, rng.integers(0, 256, 7)]
    found = adaptation.mixture_gradient(parameters, values, prediction, mix, kernel.mixture_tables())
    absolute = parameters.copy()
    absolute[:, mix : 2 * mix] += (prediction << d.MEAN_BITS)[:, None]
    expected = likelihoods.LogisticMixture(mix).gradient(backend("cpu"), absolute, values.astype(np.float64))
    assert np.allclose(found, expected, rtol=0.02, atol=2e-5)


def test_gradients_of_weights_are_those_of_the_cost(small_local):
    """Against differences. Sums are rounded, so small steps measure badly; mixtures are sharp, so large ones do."""
    model = small_local.model
    frame, shifts = shown(model.architecture, small_local.images[:8, :ROWS]), shifts_of(model, 16)
    learner = learner_of(model)
    band = whole(learner, frame, ROWS, shifts)
    learner._resize(len(band.values))
    learner._forward(band)
    gradients = {id(m): g.weight[: m.weight.shape[0], : m.weight.shape[1]] * g.unit for m, g in learner._backward(band)}

    def moved(matrix, at, step):
        matrix.average[at] += step
        matrix.settle()

    def difference(matrix, at, step):
        costs = []
        for sign in (-1, 1):
            moved(matrix, at, sign * step)
            costs.append(bits(model, (learner.weights,), frame, shifts))
            moved(matrix, at, -sign * step)
        return (costs[0] - costs[1]) * np.log(2) / (2 * step)

    rng = np.random.default_rng(0)
    for matrix in learner.matrices:
        found = gradients[id(matrix)]
        large = np.argwhere(np.abs(found) > np.quantile(np.abs(found), 0.7))
        errors = []
        for at in map(tuple, rng.permutation(large)[:15]):
            measured = [difference(matrix, at, step) for step in (64, 256, 1024, 2048)]
            errors.append(min(abs(m / found[at] - 1) for m in measured))
        assert np.median(errors) < 0.25


def test_it_learns_what_it_saw(small_local):
    model = small_local.model
    frame, shifts = shown(model.architecture, 255 - small_local.images[:8]), shifts_of(model, 16)
    learners = learners_of(model, rate=100)
    costs = [bits(model, learners.networks, frame, shifts)]
    for _ in range(10):
        learners.after(frame, 0, ROWS, shifts)
        costs.append(bits(model, learners.networks, frame, shifts))
    assert costs[-1] < 0.93 * costs[0]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 32, 255]), st.sampled_from(["colour", "regressed"]))
def test_sums_stay_within_32_bits_at_any_rate(local_models, seed, rate, name):
    model = local_models[name].model
    noise = np.random.default_rng(seed).integers(0, 256, (1, 64, 20, 3)).astype(np.uint8)
    frame, shifts = shown(model.architecture, noise), shifts_of(model, 1)
    learners = learners_of(model, rate=rate, second=255)
    matrices = [matrix for learner in learners.learners for matrix in learner.matrices]
    before = [m.weight.copy() for m in matrices]
    for top in range(0, 32, 2):
        learners.after(frame, top, 2, shifts)
    for matrix, old in zip(matrices, before):
        low = input_bound(model.architecture)
        bound = low if any(matrix is learner.first for learner in learners.learners) else ACTIVATION_BOUND
        learnt = matrix.weight, matrix.known, matrix.bias
        for (weight, known, bias), layers in ((learnt, matrix.learnt), (matrix.averaged, matrix.coding)):
            assert_handed_over(layers, weight, known, bias)
            worst = np.abs(weight).sum(1) * bound + np.abs(known).sum(1) * low
            assert (worst + np.abs(bias) <= SUM_BOUND).all()
            assert not np.array_equal(old, weight)


def assert_handed_over(layers, weight, known, bias):
    outputs, units = weight.shape
    rows = outputs // len(layers)
    for i, (coded, hints, rounded) in enumerate(layers):
        part = slice(i * rows, (i + 1) * rows)
        flat = coded.transpose(1, 0, 2).reshape(coded.shape[1], -1)
        assert np.array_equal(flat[:rows, :units], weight[part])
        assert not flat[rows:].any()
        assert not flat[:, units:].any()
        assert np.array_equal(hints, known[part].T)
        assert np.array_equal(rounded, bias[part])


@pytest.mark.parametrize("kept", [0, 128, 255])
def test_what_codes_is_an_average_of_what_learns(small_local, kept):
    model = small_local.model
    frame, shifts = shown(model.architecture, 255 - small_local.images[:2]), shifts_of(model, 4)
    learners = learners_of(model, batch=1, kept=kept)
    (learner,) = learners.learners
    masters, step = [learner.out[0].master.copy()], learner.step
    expected = masters[0].copy()

    def watched(*arguments):
        step(*arguments)
        masters.append(learner.out[0].master.copy())

    learner.step = watched
    learners.after(frame, 0, ROWS, shifts)
    for master in masters[1:]:
        expected += (master - expected) * (1 - kept / 256)
    assert len(masters) > 5
    assert np.allclose(learner.out[0].average, expected, rtol=1e-12)
    assert np.array_equal(learner.out[0].averaged[0], np.floor(expected[:, : learner.out[0].weight.shape[1]] + 0.5))
    assert np.array_equal(learner.out[0].averaged[0], learner.out[0].weight) == (kept == 0)


@pytest.mark.parametrize("name", ["colour", "regressed"])
def test_residuals_of_later_channels_stay_unseen(local_models, name):
    """And of what regression predicts each head sees its own channel alone."""
    model = local_models[name].model
    learners = learners_of(model, rate=200)
    learners.after(shown(model.architecture, local_models[name].images[:4]), 0, 8, shifts_of(model, 8))
    rows, hints = model.architecture.head, range(model.architecture.hints)
    for i in range(3):
        part, seen = learners.learners[0].head.known[i * rows : (i + 1) * rows], model.architecture.seen(i)
        assert [j for j in hints if part[:, j].any()] == seen


def test_the_model_stays_as_it_is(small_local):
    model = small_local.model
    (weights,) = model.networks
    before = [part.copy() for part in weights]
    learners_of(model).after(shown(model.architecture, small_local.images[:1]), 0, 2, shifts_of(model, 2))
    assert all(np.array_equal(one, other) for one, other in zip(weights, before))


def test_networks_side_by_side_learn_at_rates_of_their_own(small_local):
    """Each as if it were alone."""
    model = small_local.model
    frame, shifts = shown(model.architecture, small_local.images[:2]), shifts_of(model, 4)
    both, *alone = (learners_of(model, **rates) for rates in ({"rate": 9, "second": 90}, {"rate": 9}, {"rate": 90}))
    for learners in (both, *alone):
        learners.after(frame, 0, ROWS, shifts)
    for found, one in zip(both.networks, alone, strict=True):
        assert all(map(np.array_equal, found, one.networks[0]))
    assert not np.array_equal(both.networks[0].first_w, both.networks[1].first_w)


def test_two_networks_are_one_mixture(small_local):
    """Of two that are the same: that of one, but for the rounding of weights."""
    model = small_local.model
    frame, shifts = shown(model.architecture, small_local.images[:2]), shifts_of(model, 4)
    one, two = (bits(model, networks, frame, shifts) for networks in (model.networks, 2 * model.networks))
    assert two == pytest.approx(one, rel=1e-3)


def test_the_rate_falls_over_the_bands():
    settings_ = Learning(1, rate=64, last=128, second=32)
    rates, second = zip(*(settings_.rates_at(band, 10) for band in range(10)))
    assert rates[0] == 64 / 16384
    assert list(rates) == sorted(rates, reverse=True)
    assert second == tuple(rate / 2 for rate in rates)
    assert rates[-1] > 32 / 16384


@given(st.integers(1, 20), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4000), st.integers(0, 50))
def test_batches_cover_the_band_evenly(steps, thin, batch, pixels, band):
    steps = min(steps, thin * batch)
    found = Learning(steps, thin=thin, batch=batch).batches(pixels, band)
    seen = np.zeros(pixels, int)
    for part in found:
        seen[part] += 1
    assert len(found) >= 1
    assert all(np.arange(pixels)[part].size >= min(pixels, 16 * batch) for part in found)
    if thin == 1:
        assert (seen == steps).all()


def test_settings_out_of_range():
    for options in ({"rows": 0}, {"rows": 33}, {"batch": 0}, {"thin": 0}):
        with pytest.raises(ValueError, match="rows"):
            Learning(1, **options)
