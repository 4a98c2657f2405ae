import numpy as np
import pytest
import torch

from vaezip.entropy import distributions as d
from vaezip.exact import backend
from vaezip.models import likelihoods
from vaezip.training.likelihoods import logistic_log_prob

RNG = np.random.default_rng(0)
SHAPE = (4, 6, 5)  # images, height, width

# The gradient takes σ at the nearest multiple of 1/64.
SIGMOID_ERROR = 0.25 / 128


def outputs_of(name, channels):
    mean = RNG.integers(-200, 4300, (*SHAPE, channels))
    log_scale = RNG.integers(d.LOG_SCALE_LOW + 1, d.LOG_SCALE_HIGH, (*SHAPE, channels))
    coefficient = RNG.integers(-200, 200, (*SHAPE, channels))
    logit = RNG.integers(-4000, 4000, (*SHAPE, channels))
    parts = {"bernoulli": [logit], "logistic": [mean, log_scale], "colour-logistic": [mean, log_scale, coefficient]}
    return np.stack(parts[name], axis=-1)


def pixels_of(name, channels):
    x = RNG.integers(0, 2 if name == "bernoulli" else 256, (*SHAPE, channels))
    if name != "bernoulli":
        x[0, 0], x[0, 1] = 0, 255  # the outermost values have one term only
    return x


def log_prob(name, outputs, x):
    """In float64, from the integers' own units."""
    x = torch.as_tensor(x, dtype=torch.float64)
    first = outputs[..., 0]
    if name == "bernoulli":
        return -torch.nn.functional.binary_cross_entropy_with_logits(first * 2.0**-d.LOGIT_BITS, x, reduction="none")
    mean = first * 2.0**-d.MEAN_BITS
    if name == "colour-logistic":
        a, b, c = (outputs[..., 2] * 2.0**-d.COEFFICIENT_BITS).unbind(-1)
        red, green = x[..., 0] - 128, x[..., 1] - 128
        mean = mean + torch.stack([torch.zeros_like(red), a * red, b * red + c * green], dim=-1)
    return logistic_log_prob(x, mean, outputs[..., 1] * 2.0**-d.LOG_SCALE_BITS)


CASES = [("bernoulli", 1), ("logistic", 1), ("colour-logistic", 3)]


@pytest.mark.parametrize(("name", "channels"), CASES)
def test_gradient_is_that_of_autograd(name, channels):
    outputs, x = outputs_of(name, channels), pixels_of(name, channels)
    found = likelihoods.likelihood(name).gradient(backend(), outputs.astype(np.float64), x.astype(np.float64))
    leaf = torch.as_tensor(outputs, dtype=torch.float64).requires_grad_()
    log_prob(name, leaf, x).sum().backward()
    exact = leaf.grad.numpy()
    if name == "bernoulli":
        np.testing.assert_allclose(found, exact, rtol=0, atol=SIGMOID_ERROR * 2.0**-d.LOGIT_BITS)
        return
    per_scale = np.exp(-outputs[..., 1] / 2**d.LOG_SCALE_BITS)
    mean_error = 2 * SIGMOID_ERROR * per_scale * 2.0**-d.MEAN_BITS
    assert (np.abs(found - exact)[..., 0] <= mean_error).all()
    assert (np.abs(found - exact)[..., 1] <= 4 * SIGMOID_ERROR * 2.0**-d.LOG_SCALE_BITS).all()
    if channels == 3:
        reach = 128 * 2.0 ** (d.MEAN_BITS - d.COEFFICIENT_BITS)
        allowed = np.stack([mean_error[..., 1], mean_error[..., 2], mean_error[..., 2]], axis=-1) * reach
        assert (np.abs(found - exact)[..., 2] <= allowed).all()


@pytest.mark.parametrize(("name", "channels"), CASES)
def test_coder_codes_what_the_float_likelihood_means(name, channels):
    outputs, x = outputs_of(name, channels), pixels_of(name, channels)
    log_scale = outputs[..., 1:2]  # so narrow a scale that only the freq ≥ 1 counts is no matter of accuracy
    np.clip(log_scale, 48, None, out=log_scale)
    rows = outputs.reshape(-1, channels, outputs.shape[-1]).astype(np.int32)
    coder = likelihoods.likelihood(name).coder(rows)
    values = x.reshape(-1, channels).astype(np.uint8)
    found = d.bits(coder.intervals(values if channels > 1 else values.ravel()), coder.precision)
    exact = -log_prob(name, torch.as_tensor(outputs, dtype=torch.float64), x).numpy().reshape(-1, channels) / np.log(2)
    exact = exact[:, ::-1].ravel()  # colours are pushed blue, green, red
    likely = exact < 12
    assert likely.mean() > 0.3
    np.testing.assert_allclose(found.ravel()[likely], exact[likely], atol=0.12)
    assert (found.ravel()[~likely] > 10).all()


@pytest.mark.parametrize(("name", "channels"), CASES)
def test_parameters_beyond_their_grid_are_clamped(name, channels):
    wild = np.full((3, channels, likelihoods.likelihood(name).parameters), likelihoods.OUTPUT_BOUND, np.int32)
    for outputs in (wild, -wild):
        coder = likelihoods.likelihood(name).coder(outputs)
        symbols = np.zeros((3, channels) if channels > 1 else 3, np.uint8)
        _, freqs = coder.intervals(symbols)
        assert ((freqs >= 1) & (freqs < 1 << coder.precision)).all()


@pytest.mark.parametrize(("name", "channels"), CASES[1:])
def test_nothing_flows_to_a_clamped_parameter(name, channels):
    outputs = outputs_of(name, channels).astype(np.float64)
    outputs[..., 1] = d.LOG_SCALE_HIGH + 5
    if channels == 3:
        outputs[..., 2] = -d.COEFFICIENT_BOUND
    x = pixels_of(name, channels).astype(np.float64)
    gradient = likelihoods.likelihood(name).gradient(backend(), outputs, x)
    assert (gradient[..., 1:] == 0).all()
    assert (gradient[..., 0] != 0).any()


@pytest.mark.parametrize(("name", "channels"), CASES)
def test_backends_agree_bit_for_bit(name, channels):
    outputs, x = outputs_of(name, channels), pixels_of(name, channels)
    found = []
    for device in ("cpu", "torch"):
        b = backend(device)
        gradient = likelihoods.likelihood(name).gradient(b, b.asarray(outputs, "float64"), b.asarray(x, "float64"))
        found.append(b.to_numpy(gradient, np.float64))
    assert (found[0] == found[1]).all()
