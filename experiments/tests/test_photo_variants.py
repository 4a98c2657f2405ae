"""Variants of the photograph model: their shapes, what a pixel may know, and that the base is the package's model."""

import numpy as np
import pytest
import torch

from vaezip.models.pixel.architecture import pixel_architecture
from vaezip.models.pixel.constants import RADIUS, TILE
from vaezip.training.networks.pixel import PixelVae, mixture_log_prob

KINDS = ("none", "style", "film", "map", "both")


@pytest.fixture(scope="module")
def variants(photo_script):
    return photo_script("variants")


@pytest.fixture(scope="module")
def windows(variants):
    """Two windows of noise around a ramp."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(60, 180, variants.WINDOW[1])[None, None, :, None]
    noise = rng.integers(-20, 20, (2, *variants.WINDOW, 3))
    return torch.from_numpy(np.round(ramp + noise).astype(np.float32))


def built(variants, **changes):
    torch.manual_seed(0)
    return variants.Design(hidden=32, mixture=2, **changes).build()


def latents_of(variant, windows):
    mean, log_sigma = variant.posterior(torch.zeros(len(windows), TILE, TILE, 3))
    assert mean.shape == log_sigma.shape
    return torch.randn(mean.shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(variants, windows, kind, channels):
    variant = built(variants, latents=kind, channels=channels)
    some = windows[..., :channels]
    mean, log_sigma = variant.posterior(variants.inside(some))
    places = 8 * 8 * variants.MAP_CHANNELS
    latents = {"none": 0, "style": 16, "film": 16, "map": places, "both": 16 + places}[kind]
    assert mean.shape == log_sigma.shape == (2, latents)
    nats, kl = variant.losses(some)
    assert nats.shape == kl.shape == (2,)
    assert (nats > 0).all()
    assert bool((kl > 0).all()) == (kind != "none")
    assert variant.log_likelihood(some, mean).shape == (2, TILE * TILE)


@pytest.mark.parametrize("radius", [1, 2, 3, 4, 5])
def test_the_context_is_that_of_its_radius(variants, windows, radius):
    """Each neighbour's difference to P, and nothing of the pixel itself or after it."""
    row, column = 6, 9
    differences, prediction = variants.context(windows, radius, torch.tensor([row * TILE + column]))
    neighbours = radius * (2 * radius + 1) + radius
    assert differences.shape == (2, 1, 3 * neighbours)
    y, x = variants.MARGIN + row, variants.MARGIN + column
    expected = [windows[:, y + dy, x + dx] for dy, dx in variants.offsets(radius)]
    assert torch.equal(differences[:, 0] + prediction.repeat(1, 1, neighbours)[:, 0], torch.cat(expected, -1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("radius", [1, 3, 5])
def test_a_pixel_knows_only_its_context(variants, windows, kind, radius):
    """Another value at one place moves the likelihood there, and of pixels that have it in their context, alone."""
    variant = built(variants, radius=radius, latents=kind)
    z = latents_of(variant, windows)
    row, column = 13, 17
    other = windows.clone()
    other[:, variants.MARGIN + row, variants.MARGIN + column] += 40
    with torch.no_grad():
        before, after = (variant.log_likelihood(part, z) for part in (windows, other))
    moved = {(int(at) // TILE - row, int(at) % TILE - column) for at in (before != after).any(0).nonzero()}
    allowed = {(0, 0)} | {(-y, -x) for y, x in variants.offsets(radius)}
    assert (0, 0) in moved
    assert len(moved) > len(allowed) // 2
    assert moved <= allowed


@pytest.mark.parametrize("radius", [1, 3, 5])
def test_later_surroundings_do_not_count(variants, windows, radius):
    """What lies outside of the reach of the context."""
    variant = built(variants, radius=radius)
    z, spare = latents_of(variant, windows), variants.MARGIN - radius
    other = windows.clone()
    other[:, :spare] = 0
    other[:, :, :spare] = 0
    other[:, :, other.shape[2] - spare :] = 0
    other[:, -1, -variants.MARGIN :] = 0
    with torch.no_grad():
        assert torch.equal(variant.log_likelihood(windows, z), variant.log_likelihood(other, z))


def test_later_channels_do_not_move_earlier_ones(variants, windows):
    """Each head sees the residuals of the channels before its own alone."""
    variant = built(variants)
    z = latents_of(variant, windows)
    h, _ = variant.units(windows, z, torch.arange(3))
    first, second = torch.randn(2, 3, 3), torch.randn(2, 3, 3)
    for i in range(3):
        known = list(variant.architecture.order[:i])
        mixed = second.clone()
        mixed[..., known] = first[..., known]
        assert torch.equal(variant.parameters_of(i, h, first), variant.parameters_of(i, h, mixed))


def test_the_base_is_the_model_of_the_package(variants, windows):
    torch.manual_seed(0)
    package = PixelVae(pixel_architecture(hidden=32, blocks=1, mixture=2))
    variant = built(variants)
    variant.load_state_dict(package.state_dict())
    spare = variants.MARGIN - RADIUS
    frame = windows[:, spare:, spare:-spare]
    z = latents_of(variant, windows)
    with torch.no_grad():
        ours, theirs = variant.log_likelihood(windows, z), package.log_likelihood(frame, z)
    assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("kind", ["style", "film", "map"])
def test_latents_say_something(variants, windows, kind):
    variant = built(variants, latents=kind)
    z = latents_of(variant, windows)
    with torch.no_grad():
        assert not torch.allclose(variant.log_likelihood(windows, z), variant.log_likelihood(windows, -z))


def test_a_place_of_the_map_speaks_to_the_pixels_near_it(variants, windows):
    """One position reaches those that two 3×3 convolutions take it to."""
    variant = built(variants, latents="map")
    z = torch.zeros(2, 8 * 8 * variants.MAP_CHANNELS)
    other = z.reshape(2, 8, 8, -1).clone()
    other[:, 3, 3] = 5.0
    with torch.no_grad():
        moved = variant.log_likelihood(windows, z) != variant.log_likelihood(windows, other.flatten(1))
    rows, columns = (part.tolist() for part in np.unravel_index(moved.any(0).nonzero()[:, 0].numpy(), (TILE, TILE)))
    assert (min(rows), max(rows)) == (min(columns), max(columns)) == (4, 23)


def test_film_without_scale_is_a_shift(variants):
    film = built(variants, latents="film")
    units, style = torch.randn(1, 4, 32), torch.randn(1, 1, 64)
    style[..., 32:] = 0
    assert torch.equal(film.moved(units, style), units + style[..., :32])


@pytest.mark.parametrize("radius", [1, 3, 5])
def test_waves_are_in_coding_order(variants, radius):
    """Every pixel once, each after its context."""
    number = np.full((TILE, TILE), -1)
    for i, at in enumerate(variants.waves(radius)):
        assert (number.flat[at.numpy()] == -1).all()
        number.flat[at.numpy()] = i
    assert (number >= 0).all()
    for y, x in variants.offsets(radius):
        inner = number[radius:, radius:-radius]
        shifted = number[radius + y : TILE + y, radius + x : TILE - radius + x]
        assert (shifted < inner).all()


def test_samples_are_pixels_and_keep_the_surroundings(variants, windows):
    variant = built(variants)
    torch.manual_seed(0)
    drawn = variant.sample(windows, latents_of(variant, windows))
    inside = variants.inside(drawn)
    assert torch.equal(inside, inside.round().clamp(0, 255))
    assert not torch.equal(inside, variants.inside(windows))
    drawn[:, variants.MARGIN :, variants.MARGIN : -variants.MARGIN] = variants.inside(windows)
    assert torch.equal(drawn, windows)


def test_samples_have_the_model_s_own_likelihood(variants, windows):
    """A model whose mixtures are narrow draws what it finds likely: E −log p is its entropy, in nats ln s + 2."""
    variant = built(variants)
    with torch.no_grad():
        for out in variant.out:
            out.weight.zero_()
            out.bias.zero_()
            out.bias[4:] = 2.0
    z = latents_of(variant, windows)
    torch.manual_seed(0)
    nats = -variant.log_likelihood(variant.sample(windows, z), z).detach().mean() / 3
    assert float(nats) == pytest.approx(2.0 + 2.0, abs=0.1)


def test_draws_follow_the_mixture(variants):
    parameters = torch.tensor([0.3, -0.4, 1.0, -3.0, 1.5, 2.0]).expand(40_000, 1, 6)
    torch.manual_seed(0)
    drawn = variants.mixture_sample(torch.full((40_000, 1, 1), 30.0), parameters)
    every = torch.arange(256.0).reshape(1, 256, 1)
    log_p = mixture_log_prob(every, torch.full((1, 256, 1), 30.0), parameters[:1])[0].exp().numpy()
    shares = np.bincount(drawn.flatten().int().numpy(), minlength=256) / 40_000
    assert shares[0] > 0.1
    assert np.abs(shares - log_p).max() < 0.01


def test_multiplications_are_counted(variants):
    """By hand, of the base in grey."""
    variant = built(variants, channels=1)
    pixel = 25 * 32 + 2 * 32 * 32 + 32 * 48 + 48 * 6
    style = 16 * 64 + 64 * 64
    encoder = 64 * 9 * (16 * 64 + 64 * 64) + 16 * 9 * 256 * 64 + 16 * 64 * 32
    assert variants.macs(variant) == -(-(1024 * pixel + style + encoder) // 1024)
