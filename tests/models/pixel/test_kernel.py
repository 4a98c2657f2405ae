"""The compiled network against matrix products, and its decoder against its encoder."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vaezip.entropy import distributions as d
from vaezip.models.likelihoods import LogisticMixture
from vaezip.models.pixel import strips
from vaezip.models.pixel.constants import CHUNK, LAG, TILE
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.network import inputs


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
    seen = inputs(a, frame_with_predictions(a, pictures))
    order, width = list(a.order), pictures.shape[2]
    out = np.zeros((2, *pictures.shape), np.int64)
    across = -(-width // TILE)
    for strip, i, tile in np.ndindex(len(bins), len(pictures), across):
        at = np.s_[i, strip * TILE : (strip + 1) * TILE, tile * TILE : (tile + 1) * TILE]
        features, prediction, hints = (part[at].reshape(1, -1, part.shape[-1]).astype(np.float32) for part in seen)
        shifts = model.style_offsets(bins[strip])[i * across + tile]
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
    frame, out = frame_with_predictions(model.architecture, pictures), np.zeros((2, *pictures.shape), np.int64)
    for top, own in zip(range(0, height, TILE), bins):
        strip = strips.Strip(slice(0, n), top, min(TILE, height - top))
        found = [
            part[::-1]
            for part in strips.intervals(
                model, frame, strip, predictors=strips.uncalibrated(model, model.style_offsets(own))
            )
        ]
        for k, (i, y, x, c) in enumerate(symbols(strip, pictures.shape)):
            out[:, i, y, x, c] = found[0][k], found[1][k]
        assert found[0].size == k + 1
    return out


def symbols(strip, shape):
    """Picture, row, column and channel of the symbols of a strip, in the order in which they are popped."""
    n, _, width, channels = shape
    for wave in range(width + LAG * (strip.rows - 1)):
        rows = [r for r in range(strip.rows) if 0 <= wave - LAG * r < width]
        pixels = [(i, strip.top + r, wave - LAG * r) for i in range(n) for r in rows]
        for begin in range(0, len(pixels), CHUNK):
            for c in range(channels):
                yield from ((*pixel, c) for pixel in pixels[begin : begin + CHUNK])


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
            shifts = model.style_offsets(bins_of(model, -(-width // TILE), seed + strip.top))
            strips.pop_pixels(model, stack, known, strip=strip, predictors=strips.uncalibrated(model, shifts))
            popped.append((strip, shifts))
        assert stack.to_bytes() != before
        again = frame_with_predictions(model.architecture, strips.unframed(model, frame))
        assert np.array_equal(again, frame)
        for strip, shifts in reversed(popped):
            stack.push(
                *strips.intervals(model, again, strip, predictors=strips.uncalibrated(model, shifts)),
                d.LOGISTIC_PRECISION,
            )
        assert stack.to_bytes() == before
