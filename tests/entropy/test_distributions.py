import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack
from vaezip.errors import FormatError

LOG_SCALES = np.arange(d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH + 1, dtype=np.int32)
LOG_SIGMAS = np.arange(d.LOG_SIGMA_LOW, d.LOG_SIGMA_HIGH + 1, dtype=np.int32)

means = st.integers(-d.MEAN_BOUND, d.MEAN_BOUND) | st.sampled_from([-d.MEAN_BOUND, d.MEAN_BOUND])
log_scales = st.integers(d.LOG_SCALE_LOW, d.LOG_SCALE_HIGH)
logits = st.integers(-d.LOGIT_BOUND, d.LOGIT_BOUND)
coefficients = st.integers(-d.COEFFICIENT_BOUND, d.COEFFICIENT_BOUND)
weight_logits = st.integers(-d.MEAN_BOUND, d.MEAN_BOUND) | st.integers(-100, 100)
posterior_means = st.integers(-d.POSTERIOR_MEAN_BOUND, d.POSTERIOR_MEAN_BOUND)
log_sigmas = st.integers(d.LOG_SIGMA_LOW, d.LOG_SIGMA_HIGH)
pixels = st.integers(0, 255)
N = 12


def of(values, shape=N, dtype=np.int32):
    return arrays(dtype, shape, elements=values)


def assert_partition(starts, freqs, precision, least=1):
    """Rows of intervals, in the order of the symbols: without gaps, none below ``least``, from 0 to 2^precision."""
    assert (freqs >= least).all()
    assert (freqs < 1 << precision).all()
    assert (starts[:, 0] == 0).all()
    assert (starts[:, 1:] == starts[:, :-1] + freqs[:, :-1]).all()
    assert (starts[:, -1] + freqs[:, -1] == 1 << precision).all()


def all_intervals(make, parameters, symbols):
    """(rows, symbols) starts and freqs of every symbol under every row of parameters."""
    rows = len(parameters[0])
    repeated = [np.repeat(p, symbols, axis=0) for p in parameters]
    each = np.tile(np.arange(symbols, dtype=np.int32), rows)
    starts, freqs = make(*repeated).intervals(each)
    return starts.reshape(rows, symbols), freqs.reshape(rows, symbols)


def assert_inverses(distribution, symbols, random_stack, seed, shape=None):
    """pop undoes push on an empty stack and on a full one, and push undoes pop."""
    for stack in (Stack(seed), random_stack(4, seed)):
        before = stack.to_bytes()
        distribution.push(stack, symbols)
        popped = distribution.pop(stack)
        assert np.array_equal(popped, symbols)
        assert popped.shape == (shape or symbols.shape)
        assert stack.to_bytes() == before
    stack = random_stack(3 * symbols.size + 2, seed)
    before = stack.to_bytes()
    distribution.push(stack, distribution.pop(stack))
    assert stack.to_bytes() == before


def divergence(exact, freqs, precision):
    """Bits lost an average symbol by coding ``exact`` probabilities with the integers."""
    coded = freqs / float(1 << precision)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(exact > 0, exact * np.log2(exact / coded), 0).sum(axis=-1)


def logistic_probabilities(means, log_scales):
    edges = np.arange(1, 256) - 0.5
    u = (edges - means[:, None] / 2**d.MEAN_BITS) * np.exp(-log_scales / 2**d.LOG_SCALE_BITS)[:, None]
    return np.diff(1 / (1 + np.exp(-np.clip(u, -500, 500))), prepend=0, append=1)


def gaussian_probabilities(means, log_sigmas, bins):
    edges = (np.arange(1, bins) - bins // 2 - 0.5) / 2**d.LATENT_BITS * (d.LATENT_BINS // bins)
    u = (edges - means[:, None] / 2**d.POSTERIOR_MEAN_BITS) * np.exp(-log_sigmas / 2**d.LOG_SIGMA_BITS)[:, None]
    return np.diff(0.5 + 0.5 * np.vectorize(math.erf)(u / math.sqrt(2)), prepend=0, append=1)


# Uniform


@given(st.integers(1, 31), st.data(), st.integers(0, 99))
def test_uniform(random_stack, bits, data, seed):
    symbols = data.draw(of(st.integers(0, (1 << bits) - 1)))
    assert_inverses(d.Uniform(bits, N), symbols, random_stack, seed)


def test_uniform_costs_its_bits():
    starts, freqs = d.Uniform(9, 512).intervals(np.arange(512))
    assert_partition(starts[None], freqs[None], 9)


# Bernoulli


def test_bernoulli_partition_and_probabilities_of_every_logit():
    every = np.arange(-d.LOGIT_BOUND, d.LOGIT_BOUND + 1, dtype=np.int32)
    starts, freqs = all_intervals(d.Bernoulli, [every], 2)
    assert_partition(starts, freqs, d.BERNOULLI_PRECISION)
    exact = 1 / (1 + np.exp(-every / 2**d.LOGIT_BITS))
    np.testing.assert_allclose(freqs[:, 1] / 2**d.BERNOULLI_PRECISION, exact, rtol=0, atol=2.0**-19)
    assert (np.diff(freqs[:, 1]) >= 0).all()


@given(of(logits), of(st.integers(0, 1), dtype=np.uint8), st.integers(0, 99))
def test_bernoulli_inverses(random_stack, logits, symbols, seed):
    assert_inverses(d.Bernoulli(logits), symbols, random_stack, seed)


# Logistic


@given(of(means, 4))
@settings(max_examples=20)
def test_logistic_partition_at_every_scale(means):
    rows = np.tile(means, len(LOG_SCALES)), np.repeat(LOG_SCALES, len(means))
    assert_partition(*all_intervals(d.Logistic, rows, 256), d.LOGISTIC_PRECISION)


@given(of(means), of(log_scales), of(pixels, dtype=np.uint8), st.integers(0, 99))
def test_logistic_inverses(random_stack, means, log_scales, symbols, seed):
    assert_inverses(d.Logistic(means, log_scales), symbols, random_stack, seed)


@pytest.mark.parametrize("mean", [-d.MEAN_BOUND, -500, 0, 7, 2000, 2041, 4080, d.MEAN_BOUND])
def test_logistic_probabilities(mean):
    means = np.full(len(LOG_SCALES), mean, np.int32)
    _, freqs = all_intervals(d.Logistic, [means, LOG_SCALES], 256)
    exact = logistic_probabilities(means, LOG_SCALES)
    np.testing.assert_allclose(freqs / 2**d.LOGISTIC_PRECISION, exact, rtol=0, atol=4e-4)
    assert divergence(exact, freqs, d.LOGISTIC_PRECISION).max() < 4e-4


# Mixture of logistics


@given(of(means, (4, 3)), of(log_scales, (4, 3)), of(weight_logits, (4, 3)))
def test_mixture_partition(means, log_scales, weight_logits):
    starts, freqs = all_intervals(d.LogisticMixture, [means, log_scales, weight_logits], 256)
    assert_partition(starts, freqs, d.LOGISTIC_PRECISION)


@given(
    of(means, (N, 5)),
    of(log_scales, (N, 5)),
    of(weight_logits, (N, 5)),
    of(pixels, dtype=np.uint8),
    st.integers(0, 99),
)
def test_mixture_inverses(random_stack, means, log_scales, weight_logits, symbols, seed):
    assert_inverses(d.LogisticMixture(means, log_scales, weight_logits), symbols, random_stack, seed)


def test_mixture_probabilities():
    rng = np.random.default_rng(0)
    means = rng.integers(0, 4080, (50, 3), dtype=np.int32)
    log_scales = rng.integers(0, 120, (50, 3), dtype=np.int32)
    weight_logits = rng.integers(-60, 60, (50, 3), dtype=np.int32)
    _, freqs = all_intervals(d.LogisticMixture, [means, log_scales, weight_logits], 256)
    powers = np.exp(weight_logits / 2**d.WEIGHT_LOGIT_BITS)
    weights = powers / powers.sum(axis=1, keepdims=True)
    exact = sum(weights[:, k, None] * logistic_probabilities(means[:, k], log_scales[:, k]) for k in range(3))
    assert divergence(exact, freqs, d.LOGISTIC_PRECISION).max() < 1e-3


@given(of(weight_logits, (6, 7)))
def test_integer_softmax(logits):
    weights = d.integer_softmax(logits)
    assert (weights.sum(axis=1) == 1 << d.WEIGHT_BITS).all()
    assert (weights >= 0).all()
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / 2**d.WEIGHT_LOGIT_BITS)
    exact = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(weights / 2**d.WEIGHT_BITS, exact, rtol=0, atol=8 * 2.0**-d.WEIGHT_BITS)


def numpy_softmax(logits):
    """The same by arrays."""
    below, whole = logits.max(axis=1, keepdims=True).astype(np.int64) - logits, 1 << d.WEIGHT_BITS
    powers = d.weight_powers()[np.minimum(below, len(d.weight_powers()) - 1)]
    weights = (powers * whole) // powers.sum(axis=1, keepdims=True)
    weights[np.arange(len(weights)), logits.argmax(axis=1)] += whole - weights.sum(axis=1)
    return weights


@given(of(weight_logits, (6, 7)))
def test_the_compiled_softmax_is_that_of_arrays(logits):
    """Equal logits leave the remainder to the first."""
    assert (d.integer_softmax(logits) == numpy_softmax(logits)).all()


# Colour


@given(
    of(means, (N, 3)),
    of(log_scales, (N, 3)),
    of(coefficients, (N, 3)),
    of(pixels, (N, 3), np.uint8),
    st.integers(0, 99),
)
def test_colour_inverses(random_stack, means, log_scales, coefficients, symbols, seed):
    assert_inverses(d.ColourLogistic(means, log_scales, coefficients), symbols, random_stack, seed)


@given(of(means, (1, 3)), of(log_scales, (1, 3)), of(coefficients, (1, 3)), pixels, pixels)
def test_colour_partition_of_each_channel(means, log_scales, coefficients, red, green):
    every = np.arange(256, dtype=np.uint8)
    fixed = [np.full(256, v, np.uint8) for v in (red, green)]
    for channel, symbols in enumerate(
        (
            np.stack([every, fixed[1], every], 1),
            np.stack([fixed[0], every, every], 1),
            np.stack([fixed[0], fixed[1], every], 1),
        )
    ):
        repeated = (np.repeat(p, 256, axis=0) for p in (means, log_scales, coefficients))
        starts, freqs = d.ColourLogistic(*repeated).intervals(symbols)
        place = 2 - channel  # blue, green, red
        assert_partition(starts[None, :, place], freqs[None, :, place], d.LOGISTIC_PRECISION)


def test_colour_means_follow_the_earlier_channels():
    means = np.array([[100, 200, 300]], np.int32)
    coefficients = np.array([[4, -2, 1]], np.int32) << (d.COEFFICIENT_BITS - 2)  # 1, −½ and ¼
    shifted = d.shifted_means(np.array([[138, 108, 7]], np.uint8), means, coefficients)
    unit = 1 << d.MEAN_BITS
    assert shifted.tolist() == [[100, 200 + 10 * unit, 300 - 5 * unit - 5 * unit]]


# Gaussian


@pytest.mark.parametrize("mean", [-d.POSTERIOR_MEAN_BOUND, -4096 * 3 - 1, 0, 5, 4096, d.POSTERIOR_MEAN_BOUND])
def test_gaussian_partition_at_every_sigma(mean):
    rows = np.full(len(LOG_SIGMAS), mean, np.int32), LOG_SIGMAS
    assert_partition(*all_intervals(d.Gaussian, rows, d.LATENT_BINS), d.GAUSSIAN_PRECISION, least=0)


@given(of(posterior_means, 3), of(log_sigmas, 3))
def test_gaussian_partition(means, log_sigmas):
    assert_partition(*all_intervals(d.Gaussian, [means, log_sigmas], d.LATENT_BINS), d.GAUSSIAN_PRECISION, least=0)


@given(of(posterior_means), of(log_sigmas), st.integers(0, 99), st.integers(0, 99))
def test_gaussian_inverses(random_stack, means, log_sigmas, drawing, seed):
    q = d.Gaussian(means, log_sigmas)
    assert_inverses(q, q.pop(random_stack(N + 2, drawing)), random_stack, seed)


def test_gaussian_probabilities():
    rng = np.random.default_rng(0)
    log_sigmas = LOG_SIGMAS[::16]
    means = rng.integers(-3 << d.POSTERIOR_MEAN_BITS, 3 << d.POSTERIOR_MEAN_BITS, len(log_sigmas), dtype=np.int32)
    _, freqs = all_intervals(d.Gaussian, [means, log_sigmas], d.LATENT_BINS)
    exact = gaussian_probabilities(means, log_sigmas, d.LATENT_BINS)
    np.testing.assert_allclose(freqs / 2**d.GAUSSIAN_PRECISION, exact, rtol=0, atol=4e-4)
    assert np.where(freqs == 0, exact, 0).sum(axis=1).max() < 1e-7
    lost = divergence(np.where(freqs == 0, 0, exact), freqs, d.GAUSSIAN_PRECISION)
    assert lost[log_sigmas <= 0].max() < 5e-4
    assert lost.max() < 5e-3  # the widest have bins of a few units of the argument


@given(of(posterior_means, 3), of(log_sigmas, 3))
def test_no_bin_far_from_the_mean_is_ever_drawn(means, log_sigmas):
    """A z from there would cost a thousand bits."""
    _, freqs = all_intervals(d.Gaussian, [means, log_sigmas], d.LATENT_BINS)
    sigmas = np.exp(log_sigmas / 2**d.LOG_SIGMA_BITS)[:, None]
    centres = (np.arange(d.LATENT_BINS) - d.LATENT_BINS // 2) / 2**d.LATENT_BITS
    away = abs(centres - means[:, None] / 2**d.POSTERIOR_MEAN_BITS)
    assert (away <= 8.01 * sigmas + 1 / 2**d.LATENT_BITS)[freqs > 0].all()


def test_a_bin_that_is_never_drawn_is_not_pushed():
    q = d.Gaussian(np.zeros(2, np.int32), LOG_SIGMAS[[0, 0]])
    stack = Stack(7)
    with pytest.raises(FormatError, match="damaged"):
        q.push(stack, np.array([d.LATENT_BINS // 2, 5], np.int32))
    assert stack.finish() == 7


# The prior


@pytest.mark.parametrize("coarse", range(d.LATENT_BINS.bit_length() - 1))
def test_coarse_bins_are_unions_of_fine_ones(coarse):
    fine_starts, fine_freqs = d.StandardNormal(np.zeros(d.LATENT_BINS, np.int64)).intervals(np.arange(d.LATENT_BINS))
    bins = d.LATENT_BINS >> coarse
    starts, freqs = d.StandardNormal(np.full(bins, coarse)).intervals(np.arange(bins))
    assert_partition(starts[None], freqs[None], d.GAUSSIAN_PRECISION)
    assert (starts == fine_starts[:: 1 << coarse]).all()
    assert (freqs == fine_freqs.reshape(bins, -1).sum(axis=1)).all()


def test_prior_probabilities():
    freqs = d.StandardNormal(np.zeros(d.LATENT_BINS, np.int64)).intervals(np.arange(d.LATENT_BINS))[1]
    exact = gaussian_probabilities(np.zeros(1), np.zeros(1), d.LATENT_BINS)
    assert divergence(exact, freqs[None], d.GAUSSIAN_PRECISION).max() < 1e-4


@given(of(st.integers(0, d.LATENT_BINS.bit_length() - 2), dtype=np.int64), st.data(), st.integers(0, 99))
def test_prior_inverses(random_stack, coarse, data, seed):
    fine = data.draw(of(st.integers(0, d.LATENT_BINS - 1)))
    assert_inverses(d.StandardNormal(coarse), (fine >> coarse).astype(np.int32), random_stack, seed)


def test_bits_are_the_cost_on_the_stack():
    rng = np.random.default_rng(1)
    distribution = d.Logistic(rng.integers(0, 4080, 3000, dtype=np.int32), rng.integers(0, 100, 3000, dtype=np.int32))
    symbols = rng.integers(0, 256, 3000).astype(np.uint8)
    stack = Stack()
    before = stack.bits
    distribution.push(stack, symbols)
    expected = d.bits(distribution.intervals(symbols), distribution.precision).sum()
    assert stack.bits - before == pytest.approx(expected, rel=1e-5)
