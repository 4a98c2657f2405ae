import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.exact import backend
from vaezip.exact.jit import jit
from vaezip.models.pixel import adaptation_kernels as kernels
from vaezip.models.pixel import strips
from vaezip.models.pixel.adaptation import Learner, Learners
from vaezip.models.pixel.adaptation_layers import coarser
from vaezip.models.pixel.constants import BETAS, GRADIENT_BITS, SUM_BOUND
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.network import PixelNetwork, inputs
from vaezip.models.pixel.settings import Adaptation
from vaezip.models.pixel.weights import evened

ROWS = 4


def learners_of(model, groups=10, **options):
    return Learners(model.architecture, model.layers, settings=Adaptation(1, **options), groups=groups)


def learner_of(model):
    return Learner(model.architecture, model.layers)


def offsets_of(model, tiles, seed=0):
    bins = np.random.default_rng(seed).integers(1500, 2500, (tiles, model.architecture.latents)).astype(np.int32)
    return model.style_offsets(bins)


@jit
def run_forwards(frame, group, order, n, network, offsets, memory):
    kernels.collect(frame, group, order, 0, 1, n, memory)
    kernels.forwards(n, network, offsets, memory)
    for i in range(network.out.bias.shape[0]):
        kernels.parameters(n, i, network, memory)


def learn_all(learner, frame, rows, offsets, rate=0.0):
    """Take one step on all pixels."""
    pixels = len(frame) * rows * (frame.shape[2] - 6)
    learner.learn(frame, (0, rows), offsets, batches=np.array([(0, 1, pixels)]), rate=rate, share=0.0)


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
    learner.make_room(2048)
    run_forwards(frame, (0, 32), learner.weights.order, 2048, learner.network, offsets, learner.memory)
    found = [output[:2048, : 3 * a.mixture] for output in learner.network.out.output]
    coarse = PixelNetwork(backend("cpu"), a, {name: coarser(layer) for name, layer in model.layers.items()})
    features, _, hints = (part.reshape(2, 1024, -1).astype(np.float32) for part in inputs(a, frame))
    trace = coarse.trace(features, hints, offsets.astype(np.float32))
    for one, other in zip(found, trace.outs):
        assert np.array_equal(one, other.reshape(2048, -1))


@pytest.mark.parametrize("pixels", range(1, 20))
def test_all_arrays_have_room_for_the_same_pixels(small_local, pixels):
    """Room is made only where there is less, so what one array holds beyond what was asked for, all must hold."""
    learner = learner_of(small_local.model)
    learner.make_room(pixels)
    memory = learner.memory
    held = len(memory.tile)
    assert held >= pixels
    assert min(2 * len(memory.inputs), 2 * len(memory.pairs), len(memory.sums), len(memory.rounded)) >= held


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
    learn_all(learner, frame, ROWS, offsets)

    def moved(layers, at, step):
        layers.average[at] += step
        learner.publish()

    def difference(layers, at, step):
        costs = []
        for sign in (-1, 1):
            moved(layers, at, sign * step)
            costs.append(bits(model, (learner.weights,), frame, offsets))
            moved(layers, at, -sign * step)
        return (costs[0] - costs[1]) * np.log(2) / (2 * step)

    rng = np.random.default_rng(0)
    for layers in learner.network:
        found = layers.mean / (1 - BETAS[0])  # the gradient, after the first step
        found[..., -1 - layers.sizes[0, 1] :] = 0.0
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
    before = [[part.forward.copy() for part in learner.network] for learner in learners.learners]
    for top in range(0, 32, 2):
        learners.learn(frame, top=top, rows=2, offsets=offsets)
    for learner, old in zip(learners.learners, before):
        for layers, coding, weights in zip(learner.network, learner.weights.parts, old):
            assert not np.array_equal(weights, layers.forward)
            assert_packed(layers)
            assert_bounded(layers, layers.forward, layers.bias)
            assert_bounded(layers, coding.weight, coding.bias)


def unpacked(packed, bias, layers):
    """Return the weights of units (layers, outputs, units), and those of hints."""
    units, hints = layers.sizes[0]
    whole = packed.transpose(0, 2, 1, 3).reshape(len(packed), packed.shape[2], -1)[:, : bias.shape[1]]
    return whole[..., :units].astype(np.int64), whole[..., evened(units) : evened(units) + hints].astype(np.int64)


def assert_packed(layers):
    """Both matrices hold the same weights, and nothing beside them."""
    units, hints = unpacked(layers.forward, layers.bias, layers)
    _, pairs, columns, _ = layers.backward.shape
    back = layers.backward.transpose(0, 1, 3, 2).reshape(-1, 2 * pairs, columns)
    assert np.array_equal(back[:, : units.shape[1], : units.shape[2]], units)
    for packed, parts in ((layers.forward, (units, hints)), (layers.backward, (units,))):
        assert np.count_nonzero(packed) == sum(np.count_nonzero(part) for part in parts)
    for matrix, ends in zip(layers.backward, layers.ends):
        assert_runs(np.abs(matrix.astype(np.int64)).sum(2), ends)


def assert_runs(sizes, ends):
    """Runs go to the last pair, and none of a unit's weights could be summed beyond 32 bits in one, nor with one pair
    more."""
    ends = ends[: ends.argmax() + 1].tolist()
    assert ends[-1] == len(sizes)
    for begin, end in zip([0, *ends], ends):
        assert sizes[begin:end].sum(0).max() <= SUM_BOUND >> GRADIENT_BITS
        assert end == len(sizes) or sizes[begin : end + 1].sum(0).max() > SUM_BOUND >> GRADIENT_BITS


def assert_bounded(layers, packed, bias):
    """Its sums are within 32 bits."""
    sums = (np.abs(part).sum(2) * bound for part, bound in zip(unpacked(packed, bias, layers), layers.bounds[0]))
    assert (sum(sums) + np.abs(bias) <= SUM_BOUND).all()


@pytest.mark.parametrize("decay", [0, 128, 255])
def test_what_codes_is_an_average_of_what_learns(small_local, decay):
    model = small_local.model
    frame, offsets = frame_with_predictions(model.architecture, 255 - small_local.images[:2]), offsets_of(model, 4)
    learner, expected = learner_of(model), None
    for i in range(6):
        master = learner.network.out.master
        expected = master.copy() if expected is None else expected + (master - expected) * (1 - decay / 256)
        options = {"batches": np.array([(i, 6, 20)]), "rate": 0.01, "share": 1 - decay / 256}
        learner.learn(frame, (0, ROWS), offsets, **options)
    out, hints = learner.network.out, learner.architecture.hints
    expected += (out.master - expected) * (1 - decay / 256)
    assert np.allclose(out.average, expected, rtol=1e-12)
    found = learner.weights.out.weight, out.forward
    (averaged, _), (latest, _) = (unpacked(packed, out.bias, out) for packed in found)
    assert np.array_equal(averaged, np.floor(expected[..., : -1 - hints] + 0.5))
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
        head = learners.learners[0].network.head
        part = unpacked(head.forward, head.bias, head)[1][0, i * rows : (i + 1) * rows]
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
