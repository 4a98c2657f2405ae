import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.exact import backend
from vaezip.models.pixel import adaptation_kernels, strips
from vaezip.models.pixel.adaptation import Examples, Learner, Learners
from vaezip.models.pixel.adaptation_layers import coarser
from vaezip.models.pixel.constants import ACTIVATION_BOUND, SUM_BOUND
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.network import PixelNetwork, input_bound, inputs
from vaezip.models.pixel.settings import Adaptation

ROWS = 4


def learners_of(model, groups=10, **options):
    return Learners(model.architecture, model.layers, settings=Adaptation(1, **options), groups=groups)


def learner_of(model):
    return Learner(model.architecture, model.layers)


def offsets_of(model, tiles, seed=0):
    bins = np.random.default_rng(seed).integers(1500, 2500, (tiles, model.architecture.latents)).astype(np.int32)
    return model.style_offsets(bins)


def whole(learner, frame, rows, offsets):
    order, size = learner.weights.order, learner.architecture.features
    return Examples(*adaptation_kernels.examples_of(frame, 0, rows, order, size), offsets)


def equal(one, other):
    return all(np.array_equal(a, b) for p, q in zip(one.parts, other.parts, strict=True) for a, b in zip(p, q))


def bits(model, networks, frame, offsets, rows=ROWS):
    strip = strips.Strip(slice(0, len(frame)), 0, rows)
    return d.bits(
        strips.intervals(
            model, frame, strip, predictors=strips.uncalibrated(model, offsets)._replace(networks=networks)
        ),
        d.LOGISTIC_PRECISION,
    ).sum()


def test_it_starts_as_the_network_that_codes(small_local):
    """Outputs equal those of the matrix view of the same weights, bit for bit."""
    model, a = small_local.model, small_local.model.architecture
    learner = learner_of(model)
    frame = frame_with_predictions(a, small_local.images[:2, :32, :32])
    offsets = offsets_of(model, 2)
    examples = whole(learner, frame, 32, offsets)
    learner._resize(len(examples.values))
    learner._forward(examples)
    found = [learner._parameters(examples, i)[1][:, : 3 * a.mixture] for i in range(a.channels)]
    coarse = PixelNetwork(backend("cpu"), a, {name: coarser(layer) for name, layer in model.layers.items()})
    features, _, hints = (part.reshape(2, 1024, -1).astype(np.float32) for part in inputs(a, frame))
    trace = coarse.trace(features, hints, offsets.astype(np.float32))
    for one, other in zip(found, trace.outs):
        assert np.array_equal(one, other.reshape(2048, -1))


def test_room_to_grow_costs_next_to_nothing(small_local):
    model = small_local.model
    frame, offsets = frame_with_predictions(model.architecture, small_local.images[:8]), offsets_of(model, 16)
    strip = strips.Strip(slice(0, 8), 0, 32)
    before = d.bits(
        strips.intervals(model, frame, strip, predictors=strips.uncalibrated(model, offsets)), d.LOGISTIC_PRECISION
    ).sum()
    assert bits(model, (learner_of(model).weights,), frame, offsets, 32) == pytest.approx(before, rel=2e-3)


def test_gradients_of_weights_are_those_of_the_cost(small_local):
    """Against differences. Sums are rounded, so small steps measure badly; mixtures are sharp, so large ones do."""
    model = small_local.model
    frame, offsets = frame_with_predictions(model.architecture, small_local.images[:8, :ROWS]), offsets_of(model, 16)
    learner = learner_of(model)
    examples = whole(learner, frame, ROWS, offsets)
    learner._resize(len(examples.values))
    learner._forward(examples)
    gradients = {id(m): g.weight[: m.outputs, : m.units] * g.unit for m, g in learner._backward(examples)}

    def moved(layers, at, step):
        layers.average[at] += step
        layers.publish()

    def difference(layers, at, step):
        costs = []
        for sign in (-1, 1):
            moved(layers, at, sign * step)
            costs.append(bits(model, (learner.weights,), frame, offsets))
            moved(layers, at, -sign * step)
        return (costs[0] - costs[1]) * np.log(2) / (2 * step)

    rng = np.random.default_rng(0)
    for layers in learner.layers:
        found = gradients[id(layers)]
        large = np.argwhere(np.abs(found) > np.quantile(np.abs(found), 0.7))
        errors = []
        for at in map(tuple, rng.permutation(large)[:15]):
            measured = [difference(layers, at, step) for step in (64, 256, 1024, 2048)]
            errors.append(min(abs(m / found[at] - 1) for m in measured))
        assert np.median(errors) < 0.25


def test_it_learns_what_it_saw(small_local):
    model = small_local.model
    frame, offsets = frame_with_predictions(model.architecture, 255 - small_local.images[:8]), offsets_of(model, 16)
    learners = learners_of(model, rate=100)
    costs = [bits(model, learners.networks, frame, offsets)]
    for _ in range(10):
        learners.learn(frame, top=0, rows=ROWS, offsets=offsets)
        costs.append(bits(model, learners.networks, frame, offsets))
    assert costs[-1] < 0.93 * costs[0]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 32, 255]), st.sampled_from(["colour", "regressed", "predictors"]))
def test_sums_stay_within_32_bits_at_any_rate(local_models, seed, rate, name):
    model = local_models[name].model
    noise = np.random.default_rng(seed).integers(0, 256, (1, 64, 20, 3)).astype(np.uint8)
    frame, offsets = frame_with_predictions(model.architecture, noise), offsets_of(model, 1)
    learners = learners_of(model, rate=rate, second_rate=255)
    parts = [layers for learner in learners.learners for layers in learner.layers]
    before = [m.integers.weight.copy() for m in parts]
    for top in range(0, 32, 2):
        learners.learn(frame, top=top, rows=2, offsets=offsets)
    for layers, old in zip(parts, before):
        low = input_bound(model.architecture)
        bound = low if any(layers is learner.first for learner in learners.learners) else ACTIVATION_BOUND
        pairs = (layers.integers, layers.packed), (layers.average_integers, layers.packed_average)
        for (weight, hint_weight, bias), packed in pairs:
            assert_packed(packed, weight, hint_weight, bias)
            worst = np.abs(weight).sum(1) * bound + np.abs(hint_weight).sum(1) * low
            assert (worst + np.abs(bias) <= SUM_BOUND).all()
            assert not np.array_equal(old, weight)


def assert_packed(packed, weight, hint_weight, bias):
    outputs, units = weight.shape
    rows = outputs // len(packed)
    for i, (coded, hints, rounded) in enumerate(packed):
        part = slice(i * rows, (i + 1) * rows)
        flat = coded.transpose(1, 0, 2).reshape(coded.shape[1], -1)
        assert np.array_equal(flat[:rows, :units], weight[part])
        assert not flat[rows:].any()
        assert not flat[:, units:].any()
        assert np.array_equal(hints, hint_weight[part].T)
        assert np.array_equal(rounded, bias[part])


@pytest.mark.parametrize("decay", [0, 128, 255])
def test_what_codes_is_an_average_of_what_learns(small_local, decay):
    model = small_local.model
    frame, offsets = frame_with_predictions(model.architecture, 255 - small_local.images[:2]), offsets_of(model, 4)
    learners = learners_of(model, batch=1, average_decay=decay)
    (learner,) = learners.learners
    masters, step = [learner.out[0].master.copy()], learner.step
    expected = masters[0].copy()

    def watched(*arguments):
        step(*arguments)
        masters.append(learner.out[0].master.copy())

    learner.step = watched
    learners.learn(frame, top=0, rows=ROWS, offsets=offsets)
    for master in masters[1:]:
        expected += (master - expected) * (1 - decay / 256)
    assert len(masters) > 5
    assert np.allclose(learner.out[0].average, expected, rtol=1e-12)
    averaged, latest = learner.out[0].average_integers.weight, learner.out[0].integers.weight
    assert np.array_equal(averaged, np.floor(expected[:, : latest.shape[1]] + 0.5))
    assert np.array_equal(averaged, latest) == (decay == 0)


@pytest.mark.parametrize("name", ["colour", "regressed", "predictors"])
def test_residuals_of_later_channels_stay_unseen(local_models, name):
    """And of the conditional predictions each head sees its own channel alone."""
    model = local_models[name].model
    learners = learners_of(model, rate=200)
    learners.learn(
        frame_with_predictions(model.architecture, local_models[name].images[:4]),
        top=0,
        rows=8,
        offsets=offsets_of(model, 8),
    )
    rows, hints = model.architecture.head, range(model.architecture.hints)
    for i in range(3):
        part = learners.learners[0].head.integers.hint_weight[i * rows : (i + 1) * rows]
        assert [j for j in hints if part[:, j].any()] == model.architecture.visible_hints(i)


def test_the_model_stays_as_it_is(small_local):
    model = small_local.model
    (weights,) = model.networks
    before, frame = weights.copied(), frame_with_predictions(model.architecture, small_local.images[:1])
    learners_of(model).learn(frame, top=0, rows=2, offsets=offsets_of(model, 2))
    assert equal(weights, before)


def test_networks_side_by_side_learn_at_rates_of_their_own(small_local):
    """Each as if it were alone."""
    model = small_local.model
    frame, offsets = frame_with_predictions(model.architecture, small_local.images[:2]), offsets_of(model, 4)
    both, *alone = (
        learners_of(model, **rates) for rates in ({"rate": 9, "second_rate": 90}, {"rate": 9}, {"rate": 90})
    )
    for learners in (both, *alone):
        learners.learn(frame, top=0, rows=ROWS, offsets=offsets)
    for found, one in zip(both.networks, alone, strict=True):
        assert equal(found, one.networks[0])
    assert not np.array_equal(both.networks[0].first.weight, both.networks[1].first.weight)


def test_two_networks_are_one_mixture(small_local):
    """Of two that are the same: that of one, but for the rounding of weights."""
    model = small_local.model
    frame, offsets = frame_with_predictions(model.architecture, small_local.images[:2]), offsets_of(model, 4)
    one, two = (bits(model, networks, frame, offsets) for networks in (model.networks, 2 * model.networks))
    assert two == pytest.approx(one, rel=2e-3)
