import numpy as np
import pytest
import torch

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact import Affine, backend
from vaezip.models.layers import Dense
from vaezip.models.network import IntegerNetwork, _Rearrange
from vaezip.models.posterior import Refinement
from vaezip.training.likelihoods import likelihood_of
from vaezip.training.networks.layers import depth_to_space, space_to_depth

COUNT = 64


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def float_parameters(small, z):
    """What the float decoder means, in the units of the integer one."""
    a = small.architecture
    with torch.no_grad():
        raw = small.vae.parameters_of_x(torch.as_tensor(z, dtype=torch.float32)).double().numpy()
    if a.likelihood == "bernoulli":
        return raw * 2.0**d.LOGIT_BITS
    raw[..., 0] = (a.offset + raw[..., 0] * 2.0**a.exponent) * 2.0**d.MEAN_BITS
    raw[..., 1] = (raw[..., 1] + a.exponent * np.log(2)) * 2.0**d.LOG_SCALE_BITS
    if raw.shape[-1] == 3:
        raw[..., 2] *= 2.0**d.COEFFICIENT_BITS
    return raw


def latents(small, images=None):
    """z on the grid, from the posterior: bins, and the same as floats."""
    a, images = small.architecture, small.images[:COUNT] if images is None else images
    count = len(images)
    with torch.no_grad():
        mean, _ = small.vae.posterior(torch.from_numpy(images))
    z = np.round(mean.numpy() * 2**d.LATENT_BITS)
    return (z.reshape(count, -1) + d.LATENT_BINS // 2).astype(np.int32), z.reshape(count, *a.latent) / 2**d.LATENT_BITS


def test_encoder_is_the_float_one_within_quantisation(small):
    model = small.model
    images = small.images[:COUNT]
    means, log_sigmas = model.posterior(images, np.ones(images.shape[:3], bool), 0)
    with torch.no_grad():
        mean, log_sigma = (t.flatten(1).numpy() for t in small.vae.posterior(torch.from_numpy(images)))
    assert rms(means / 2**d.POSTERIOR_MEAN_BITS - mean) < 0.02 * rms(mean)
    assert rms(log_sigmas / 2**d.LOG_SIGMA_BITS - log_sigma) < 0.03


def test_decoder_is_the_float_one_within_quantisation(small):
    model = small.model
    bins, z = latents(small)
    integer, exact = model.outputs(bins).astype(np.float64), float_parameters(small, z)
    for parameter in range(exact.shape[-1]):
        error = rms(integer[..., parameter] - exact[..., parameter])
        assert error < 0.6 + 0.01 * rms(exact[..., parameter]), parameter


def cosine(a, b):
    return (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())


def test_gradient_is_that_of_autograd_within_quantisation(small, dream, monkeypatch):
    """d log p(x|z)/dz: the integers against the float network, without the floor that training puts under p."""
    monkeypatch.setattr("vaezip.training.likelihoods.floored", lambda log_prob: log_prob)
    model, a = small.model, small.architecture
    x = dream(model, COUNT)
    bins, z = latents(small, x)
    b = model.backend
    refinement = Refinement(b, model.decoder, model.likelihood, a.latent, model.settings)
    found = refinement.log_likelihood_gradient(
        b.asarray(x, "float64"),
        np.ones((*x.shape[:3], 1)),
        b.asarray(bins - d.LATENT_BINS // 2, "float64"),
    )
    leaf = torch.as_tensor(z, dtype=torch.float32).requires_grad_()
    log_p = likelihood_of(a).log_prob(torch.from_numpy(x).long(), small.vae.parameters_of_x(leaf))
    log_p.sum().backward()
    exact = leaf.grad.flatten(1).numpy()
    assert cosine(found, exact) > 0.99
    assert rms(found - exact) < 0.25 * rms(exact)


def affines(network):
    """The matrix products of a network."""
    parts = [part for step in network.steps for part in (vars(step).values() if hasattr(step, "first") else [step])]
    return [affine for part in parts if isinstance(affine := getattr(part, "affine", part), Affine)]


def test_gradient_of_shipped_models_loses_little_on_its_grid(shipped, dream, monkeypatch):
    """Against the same integer network in float64 without a grid."""
    model, a = shipped, shipped.architecture
    x = dream(model, 16)
    z = (model.posterior(x, np.ones(x.shape[:3], bool), 0)[0] >> (d.POSTERIOR_MEAN_BITS - d.LATENT_BITS)) * 1.0
    outputs = model.decoder.trace(z.reshape(16, *a.latent))
    parameters = np.asarray(outputs[-1], np.float64).reshape(*x.shape, -1)
    gradient = model.likelihood.gradient(model.backend, parameters, x.astype(np.float64)).reshape(outputs[-1].shape)
    found = model.decoder.vjp(outputs, gradient.astype(np.float32))
    monkeypatch.setattr(Affine, "to_grid", lambda self, g: (g, np.ones((len(g),) + (1,) * (g.ndim - 1))))
    for affine in affines(model.decoder):
        monkeypatch.setattr(affine, "narrow_transposed", None)
    exact = model.decoder.vjp(outputs, gradient)
    assert len(affines(model.decoder)) >= 3
    assert cosine(found, exact) > 0.998


@pytest.mark.parametrize("steps", [0, 2])
def test_an_image_is_the_same_alone_and_beside_others(small, steps):
    model = small.model
    images = small.images[:20]
    mask = np.ones(images.shape[:3], bool)
    means, log_sigmas = model.posterior(images, mask, steps)
    for i in (0, 7, 19):
        alone = model.posterior(images[i : i + 1], mask[i : i + 1], steps)
        assert (alone[0][0] == means[i]).all()
        assert (alone[1][0] == log_sigmas[i]).all()
    bins, _ = latents(small, small.images[:20])
    outputs = model.outputs(bins)
    assert (model.outputs(bins[::-1].copy()) == outputs[::-1]).all()
    assert (model.outputs(bins[3:4]) == outputs[3:4]).all()


def test_space_to_depth_and_back_in_both_forms():
    x = np.arange(2 * 8 * 4 * 3, dtype=np.float32).reshape(2, 8, 4, 3)
    deep = _Rearrange(backend(), 2, True)
    assert (deep(x) == space_to_depth(torch.from_numpy(x), 2).numpy()).all()
    assert deep(x)[0, 0, 0].tolist() == [*x[0, 0, :2].ravel(), *x[0, 1, :2].ravel()]
    back = _Rearrange(backend(), 2, False)
    assert (back(deep(x)) == x).all()
    assert (back(deep(x)) == depth_to_space(torch.from_numpy(deep(x)), 2).numpy()).all()
    assert (deep.vjp(None, deep(x)) == x).all()


def layer_tensors(**changed):
    tensors = {
        "one.weight": np.ones((2, 3), np.int8),
        "one.bias": np.zeros(2, np.int16),
        "one.shift": np.ones(2, np.uint8),
        "one.clamp": np.array([0, 5], np.int32),
    }
    return {k: v for k, v in (tensors | changed).items() if v is not None}


def network(tensors, relu=True):
    return IntegerNetwork(backend(), (Dense("one", 3, 2, relu),), tensors=tensors, input_bound=10)


def test_a_network_of_one_layer():
    out = network(layer_tensors())(np.array([[1, 2, 3], [9, 9, 9], [-4, 0, 0]], np.float32))
    assert out.tolist() == [[3, 3], [5, 5], [0, 0]]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"one.weight": None}, "lacks the tensor one.weight"),
        ({"one.clamp": None}, "lacks the tensor one.clamp"),
        ({"one.weight": np.ones((3, 2), np.int8)}, "one.weight"),
        ({"one.weight": np.ones((2, 3), np.float32)}, "float32"),
        ({"one.bias": np.zeros(3, np.int8)}, "one.bias"),
        ({"one.shift": np.zeros(2, np.uint8)}, "shift"),
        ({"one.clamp": np.array([-1, 5])}, "ReLU"),
        ({"one.weight": np.full((2, 3), 1 << 40)}, "one"),
        ({"one.clamp": np.array([0, 5, 6])}, "one.clamp"),
    ],
)
def test_a_bad_tensor_is_refused_by_name(changed, reason):
    with pytest.raises(ModelError, match=reason):
        network(layer_tensors(**changed))
