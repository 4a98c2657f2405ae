import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.exact import backend
from vaezip.models import likelihoods
from vaezip.models.pixel.mixture import mixture_gradient, mixture_tables
from vaezip.training.networks.pixel import mixture_log_prob


@given(st.integers(0, 10_000))
def test_gradient_of_a_mixture(seed):
    """The same as that of the likelihood, but for the rounding of the mixture's weights."""
    rng, mix = np.random.default_rng(seed), 3
    parameters = np.concatenate(
        [rng.integers(-60, 60, (9, mix)), rng.integers(-4000, 4000, (9, mix)), rng.integers(-500, 2000, (9, mix))], 1
    ).astype(np.float64)
    prediction = rng.integers(0, 256, 9)
    values = np.r_[0, 255, rng.integers(0, 256, 7)]
    found, scratch = np.empty_like(parameters), [np.zeros(mix, np.int64) for _ in range(3)]
    mixture_gradient(parameters, values, prediction, (*scratch, np.zeros(mix)), mixture_tables(), found)
    absolute = parameters.copy()
    absolute[:, mix : 2 * mix] += (prediction << d.MEAN_BITS)[:, None]
    expected = likelihoods.LogisticMixture(mix).gradient(backend("cpu"), absolute, values.astype(np.float64))
    assert np.allclose(found, expected, rtol=0.02, atol=2e-5)


def test_mixtures_are_distributions():
    """The probabilities of all values sum to one, and a little for the floor under each."""
    every = torch.arange(256.0).reshape(1, 256, 1)
    parameters = torch.randn(1, 1, 9, generator=torch.Generator().manual_seed(0)).expand(1, 256, 9)
    total = mixture_log_prob(every, torch.full((1, 256, 1), 100.0), parameters).double().exp().sum()
    assert float(total) == pytest.approx(1 + 256 * 2.0**-d.LOGISTIC_PRECISION, abs=1e-4)


def test_float_and_integer_mixtures_agree():
    k = 3
    rng = np.random.default_rng(1)
    logits, means, scales = (
        rng.integers(-60, 60, (1, k)),
        rng.integers(1000, 2500, (1, k)),
        rng.integers(0, 100, (1, k)),
    )
    coder = d.LogisticMixture(*(np.repeat(p, 256, 0).astype(np.int32) for p in (means, scales, logits)))
    bits = d.bits(coder.intervals(np.arange(256)), coder.precision)
    at = np.r_[logits[0] / 2**d.WEIGHT_LOGIT_BITS, means[0] / 2**d.MEAN_BITS / 16, scales[0] / 2**d.LOG_SCALE_BITS]
    parameters = torch.tensor(at, dtype=torch.float32).expand(1, 256, 3 * k)
    nats = -mixture_log_prob(torch.arange(256.0).reshape(1, 256, 1), torch.zeros(1, 256, 1), parameters)
    assert np.allclose(bits, nats.numpy()[0] / np.log(2), atol=0.02)
