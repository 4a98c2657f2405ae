"""The pixel network's forms against each other: float, matrix products, compiled."""

import dataclasses

import array_api_compat.torch as torch_namespace
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.errors import ModelError
from vaezip.exact import backend
from vaezip.models.likelihoods import LogisticMixture
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel import kernel, strips
from vaezip.models.pixel.architecture import RADIUS, TILE, pixel_architecture
from vaezip.models.pixel.context import OFFSETS, empty_frame, features, framed
from vaezip.models.pixel.least_squares import shown
from vaezip.models.pixel.model import PixelModel
from vaezip.models.pixel.network import ACTIVATION_BOUND, inputs, layers
from vaezip.models.pixel.networks import _Decoder
from vaezip.models.posterior import Refinement
from vaezip.models.registry import architecture_from_json
from vaezip.training.families.pixel.stage import losses
from vaezip.training.networks.pixel import mixture_log_prob


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def bins_of(model, tiles, seed=0):
    drawn = np.random.default_rng(seed).normal(0, 1 << d.LATENT_BITS, (tiles, model.architecture.latents))
    return np.clip(drawn + d.LATENT_BINS // 2, 0, d.LATENT_BINS - 1).astype(np.int32)


def by_matrices(model, pictures, bins):
    """Intervals of every value, (2, pictures, height, width, channels in the order of coding).

    ``bins`` are those of the tiles strip by strip, (strips, pictures · tiles across, latents).
    """
    a = model.architecture
    seen = inputs(a, shown(a, pictures))
    order, width = list(a.order), pictures.shape[2]
    out = np.zeros((2, *pictures.shape), np.int64)
    across = -(-width // TILE)
    for strip, i, tile in np.ndindex(len(bins), len(pictures), across):
        at = np.s_[i, strip * TILE : (strip + 1) * TILE, tile * TILE : (tile + 1) * TILE]
        features, prediction, hints = (part[at].reshape(1, -1, part.shape[-1]).astype(np.float32) for part in seen)
        shifts = model.shifts(bins[strip])[i * across + tile]
        trace = model.pixels.trace(features, hints, shifts[None].astype(np.float32))
        p = model.pixels.parameters(trace, prediction)
        coder = LogisticMixture(a.mixture).coder(p.reshape(-1, 3 * a.mixture).astype(np.int32))
        x = pictures[at][..., order]
        for k, part in enumerate(coder.intervals(x.ravel())):
            out[k][at] = part.reshape(x.shape)
    return out


def by_kernel(model, pictures, bins):
    """The same, from the compiled network, put back from the order of symbols."""
    n, height = pictures.shape[:2]
    frame, out = shown(model.architecture, pictures), np.zeros((2, *pictures.shape), np.int64)
    for top, own in zip(range(0, height, TILE), bins):
        strip = strips.Strip(slice(0, n), top, min(TILE, height - top))
        found = [
            part[::-1]
            for part in strips.intervals(model, frame, strip, predictors=strips.uncalibrated(model, model.shifts(own)))
        ]
        for k, (i, y, x, c) in enumerate(symbols(strip, pictures.shape)):
            out[:, i, y, x, c] = found[0][k], found[1][k]
        assert found[0].size == k + 1
    return out


def symbols(strip, shape):
    """Picture, row, column and channel of the symbols of a strip, in the order in which they are popped."""
    n, _, width, channels = shape
    for wave in range(width + kernel.LAG * (strip.rows - 1)):
        rows = [r for r in range(strip.rows) if 0 <= wave - kernel.LAG * r < width]
        pixels = [(i, strip.top + r, wave - kernel.LAG * r) for i in range(n) for r in rows]
        for begin in range(0, len(pixels), kernel.CHUNK):
            for c in range(channels):
                yield from ((*pixel, c) for pixel in pixels[begin : begin + kernel.CHUNK])


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 3), st.integers(0, 9))
@example(1, 1, 1, 0)
@example(1, 40, 2, 0)
@example(40, 1, 2, 0)
@example(40, 40, 3, 0)
@example(TILE, 33, 1, 0)
@example(TILE + 1, TILE, 1, 0)
def test_the_compiled_network_is_the_matrix_products(local_models, height, width, count, seed):
    for small in local_models.values():
        pictures = noise((count, height, width, small.model.architecture.channels), seed)
        assert_equal_forms(small.model, pictures, seed)


def test_the_compiled_network_of_shipped_models(shipped_local):
    a = shipped_local.architecture
    y, x = np.mgrid[:36, :50]
    ramp = np.repeat(((3 * x + 5 * y) % 256)[None, ..., None], a.channels, axis=3)
    assert_equal_forms(shipped_local, (ramp // 2 + noise((1, 36, 50, a.channels)) // 8).astype(np.uint8))


def assert_equal_forms(model, pictures, seed=0):
    down, across = (-(-extent // TILE) for extent in pictures.shape[1:3])
    bins = bins_of(model, down * len(pictures) * across, seed).reshape(down, -1, model.architecture.latents)
    assert np.array_equal(by_kernel(model, pictures, bins), by_matrices(model, pictures, bins))


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
@example(40, 40, 0)
def test_the_decoder_takes_the_intervals_that_the_encoder_puts(local_models, random_stack, height, width, seed):
    """Pixels popped from random bits, pushed back, leave those bits."""
    for small in local_models.values():
        model, shape = small.model, (1, height, width, small.model.architecture.channels)
        stack, frame = random_stack(8 * int(np.prod(shape)) + 1000, seed), strips.unknown(small.model, shape)
        before, popped = stack.to_bytes(), []
        for strip, known in strips.walk(model, frame):
            shifts = model.shifts(bins_of(model, -(-width // TILE), seed + strip.top))
            strips.pop_pixels(model, stack, known, strip=strip, predictors=strips.uncalibrated(model, shifts))
            popped.append((strip, shifts))
        assert stack.to_bytes() != before
        again = shown(model.architecture, strips.unframed(model, frame))
        assert np.array_equal(again, frame)
        for strip, shifts in reversed(popped):
            stack.push(
                *strips.intervals(model, again, strip, predictors=strips.uncalibrated(model, shifts)),
                d.LOGISTIC_PRECISION,
            )
        assert stack.to_bytes() == before


@pytest.mark.parametrize("name", ["outer.0", "outer.1"])
def test_sums_of_a_block_are_bounded_by_what_its_units_can_be(name):
    """The last input of a block is a unit like any other, and no hint."""
    a = pixel_architecture(3, hidden=32, blocks=2, head=8, mixture=2, latents=3, regressed=True)
    tensors = {}
    for layer, shape in a.layer_shapes.items():
        tensors[f"{layer}.weight"] = np.zeros(shape, np.int16)
        tensors[f"{layer}.bias"] = np.zeros(shape[0], np.int32)
        tensors[f"{layer}.shift"] = np.ones(shape[0], np.uint8)
        tensors[f"{layer}.clamp"] = np.array((0, ACTIVATION_BOUND), np.int32)
    tensors[f"{name}.weight"][0] = 1 << 14
    assert layers(a, tensors)
    tensors[f"{name}.weight"][0, -1] = (1 << 15) - 1
    with pytest.raises(ModelError, match=f"{name}: its sums can leave 32 bits"):
        layers(a, tensors)


def test_torch_multiplies_the_same(small_local):
    ours, torchs = small_local.model, small_local.model
    torchs = dataclasses.replace(torchs, backend=backend("torch"))
    pictures = small_local.images[:3]
    for steps in (0, 2):
        for strip in strips.strips(pictures.shape):
            part = shown(ours.architecture, pictures)[strip.pictures]
            found = [pixel_bitsback.posterior(m, part, strip, steps) for m in (ours, torchs)]
            assert np.array_equal(found[0], found[1])


def test_frames_show_only_what_is_known():
    """A pixel's features do not change when it, or any pixel after it, does."""
    pictures = noise((1, 6, 7, 3))
    for y in range(6):
        for x in range(7):
            other = pictures.copy()
            other[0, y, x:] = 255 - other[0, y, x:]
            other[0, y + 1 :] = 255 - other[0, y + 1 :]
            before, after = (features(np, framed(p)) for p in (pictures, other))
            assert all(np.array_equal(p[0, y, x], q[0, y, x]) for p, q in zip(before, after))


def test_features_are_the_neighbours():
    frame = framed(noise((1, 9, 9, 1)))
    differences, prediction = features(np, frame)
    for i, (dy, dx) in enumerate(OFFSETS):
        expected = frame[0, RADIUS + 5 + dy, RADIUS + 4 + dx, 0] - prediction[0, 5, 4, 0]
        assert differences[0, 5, 4, i] == expected
    west, north, corner = (int(frame[0, RADIUS + 5 + y, RADIUS + 4 + x, 0]) for y, x in ((0, -1), (-1, 0), (-1, -1)))
    assert prediction[0, 5, 4, 0] == sorted((west, north, west + north - corner))[1]


def test_torch_sees_the_same_features():
    frame = framed(noise((2, 5, 6, 3)))
    for ours, theirs in zip(features(np, frame), features(torch_namespace, torch.from_numpy(frame))):
        assert np.array_equal(ours, theirs.numpy())


def test_an_empty_frame_is_that_of_no_known_pixel():
    frame = empty_frame((1, 4, 5, 3))
    assert frame.shape == (1, 4 + RADIUS, 5 + 2 * RADIUS, 3)
    assert (frame == 128).all()


def test_integers_cost_what_floats_cost(small_local):
    """−ELBO of the integer model within 1 % of the float model's."""
    model = small_local.model
    x = small_local.images[:16, :32, :32]
    frames = torch.from_numpy(shown(model.architecture, x)).float()
    torch.manual_seed(0)
    with torch.no_grad():
        mask = torch.ones(len(x), 32, 32)
        floats = np.mean([float(sum(losses(small_local.vae, frames, mask)).sum()) for _ in range(4)]) / np.log(2)
    assert pixel_bitsback.elbo_bits(model, x, steps=0) == pytest.approx(floats, rel=0.01)


def test_gradient_is_that_of_autograd_within_quantisation(small_local):
    model, b = small_local.model, small_local.model.backend
    a = model.architecture
    x = small_local.images[:8, :32, :32]
    frames = shown(a, x)
    bins = bins_of(model, 8)
    order = list(a.order)
    ordered = b.asarray(x[..., order].reshape(8, -1, a.channels), "float64")
    refinement = Refinement(b, _Decoder(model, frames), LogisticMixture(a.mixture), a.latent, model.settings)
    found = refinement.log_likelihood_gradient(
        ordered, np.ones((*ordered.shape[:2], 1)), b.asarray(bins - d.LATENT_BINS // 2, "float64")
    )
    z = torch.as_tensor((bins - d.LATENT_BINS // 2) / 2.0**d.LATENT_BITS, dtype=torch.float32).requires_grad_()
    small_local.vae.log_likelihood(torch.from_numpy(frames).float(), z).sum().backward()
    exact = z.grad.numpy()
    cosine = (found * exact).sum() / np.linalg.norm(found) / np.linalg.norm(exact)
    assert cosine > 0.99


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


def test_architecture_survives_json():
    a = pixel_architecture(1, hidden=64, latents=7)
    assert architecture_from_json(a.to_json()) == a


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": 33},
        {"hidden": 0},
        {"channels": 2},
        {"head": -1},
        {"mixture": 10**6},
        {"latent": [3, 3]},
        {"tile": [16, 16]},
        {"levels": 2},
        {"blocks": 99},
        {"surprise": 1},
        {"encoder": [{"kind": "magic"}]},
    ],
)
def test_architectures_out_of_range_are_refused(change):
    import json

    with pytest.raises(ModelError):
        architecture_from_json(json.dumps(json.loads(pixel_architecture().to_json()) | change))


def tampered(model, name, value):
    tensors = dict(model.tensors)
    tensors[name] = value(tensors[name]) if value else None
    if value is None:
        del tensors[name]
    return lambda: PixelModel("x", b"", model.architecture, model.settings, model.backend, tensors)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first.weight", None),
        ("first.weight", lambda t: t[:, :-1]),
        ("first.weight", lambda t: np.full(t.shape, 32767, np.int32) * 5),
        ("inner.0.weight", lambda t: np.full(t.shape, 32767, np.int16)),
        ("out.0.bias", lambda t: np.full(t.shape, 2**31 - 1, np.int64)),
        ("first.shift", lambda t: t * 0),
        ("first.shift", lambda t: t * 0 + 31),
        ("head.0.clamp", lambda t: t - 1),
        ("out.0.clamp", lambda t: t * 4),
        ("outer.0.weight", lambda t: t.astype(np.float32)),
        ("coarse", None),
        ("coarse", lambda t: t + 40),
    ],
)
def test_tensors_beyond_exactness_are_refused(small_local, name, value):
    with pytest.raises(ModelError):
        tampered(small_local.model, name, value)()
