import math

import numpy as np
import pytest
import torch

from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.training import likelihoods
from vaezip.training.networks.tile import TileVae
from vaezip.training.objectives import (
    OBJECTIVES,
    classic,
    denoising,
    dream,
    elbo,
    half_asleep,
    iwae,
    named,
    numbers,
    optimal,
    share,
    sleep,
)

ARCHITECTURES = [mlp("bernoulli", 3, 8), mlp("logistic", 3, 8), resnet(2, hidden=6, blocks=1, size=8)]


def vae_of(architecture):
    torch.manual_seed(0)
    return TileVae(architecture)


def pixels_of(architecture, count=6):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(
        0, architecture.levels, (count, *architecture.tile, architecture.channels), generator=generator
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("objective", [*(o.loss for o in OBJECTIVES.values()), optimal])
def test_losses_and_their_gradients_are_finite(architecture, objective):
    vae = vae_of(architecture)
    loss = objective(vae, pixels_of(architecture))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in vae.parameters() if p.grad is not None)
    assert all(p.grad is not None for p in vae.encoder.parameters())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_elbo_of_each_image(architecture):
    x = pixels_of(architecture)
    values = elbo(vae_of(architecture), x)
    assert values.shape == (len(x),)
    assert torch.isfinite(values).all()
    assert (values < 0).all()


def test_elbo_is_a_lower_bound_of_the_likelihood():
    """A decoder that ignores z has log p(x) in closed form: the ELBO is that less the KL."""
    vae = vae_of(ARCHITECTURES[0])
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.zero_()
        mean, log_sigma = vae.posterior(pixels_of(ARCHITECTURES[0]))
        kl = (0.5 * (mean**2 + (2 * log_sigma).exp() - 1) - log_sigma).sum(1)
        values = elbo(vae, pixels_of(ARCHITECTURES[0]))
    torch.testing.assert_close(values, -784 * math.log(2) - kl, rtol=1e-5, atol=1e-3)


def test_half_of_the_batch_is_dreamt():
    vae = vae_of(ARCHITECTURES[0])
    seen = []

    def watch(x):
        seen.append(x)
        return TileVae.posterior(vae, x)

    vae.posterior = watch
    x = pixels_of(ARCHITECTURES[0], 10)
    half_asleep(vae, x)
    assert len(seen[0]) == 10
    assert torch.equal(seen[0][5:], x[5:])
    assert not torch.equal(seen[0][:5], x[:5])


def test_half_asleep_without_samples_is_classic():
    vae, x = vae_of(ARCHITECTURES[0]), pixels_of(ARCHITECTURES[0])
    losses = []
    for objective in (classic, lambda vae, x: half_asleep(vae, x, alpha=0.0)):
        torch.manual_seed(0)
        losses.append(float(objective(vae, x).detach()))
    assert losses[0] == losses[1]


@pytest.mark.parametrize(("alpha", "count"), [(0.0, 0), (0.001, 1), (0.1, 3), (0.5, 16), (1.0, 32)])
def test_a_share_is_of_whole_images_and_never_none_of_them(alpha, count):
    assert share(alpha, torch.zeros(32, 1)) == count


@pytest.mark.parametrize("source", ["prior", "posterior"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_samples_are_pixels(architecture, source):
    x = pixels_of(architecture)
    z, found = dream(vae_of(architecture), x, source)
    assert z.shape == (len(x), *architecture.latent)
    assert found.shape == x.shape
    assert found.dtype == torch.int64
    assert found.min() >= 0
    assert found.max() < architecture.levels


def test_likelihoods_are_distributions():
    """The probabilities of all values of a pixel sum to one."""
    a = mlp("logistic", 1, 1)
    every = torch.arange(256).reshape(256, 1, 1, 1)
    parameters = torch.tensor([0.3, -3.0]).expand(256, 1, 1, 1, 2)
    total = likelihoods.Logistic(a).log_prob(every, parameters).double().exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-4)
    two = likelihoods.Bernoulli().log_prob(torch.tensor([0, 1]).reshape(2, 1, 1, 1), torch.full((2, 1, 1, 1, 1), 0.7))
    assert float(two.exp().sum()) == pytest.approx(1, abs=1e-6)


def test_samples_follow_their_distribution():
    torch.manual_seed(0)
    a = resnet(2, hidden=6, blocks=1, size=8)
    mean, log_scale, coefficient = 0.1, -3.0, 0.5
    parameters = torch.tensor([mean, log_scale, coefficient]).expand(4000, 1, 1, 3, 3)
    x = likelihoods.ColourLogistic(a).sample(parameters).double()[:, 0, 0]
    assert float(x[:, 0].mean()) == pytest.approx(128 + 128 * mean, abs=1)
    assert float(x[:, 0].std()) == pytest.approx(128 * math.exp(log_scale) * math.pi / math.sqrt(3), rel=0.1)
    assert np.corrcoef(x[:, 0], x[:, 1])[0, 1] > 0.3


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_encoder_only_objectives_ask_nothing_of_the_decoder(name):
    """One that is not encoder-only must move the decoder, or training with it would be for nothing."""
    objective, vae = OBJECTIVES[name], vae_of(ARCHITECTURES[0])
    if objective.encoder_only:
        vae.decoder.requires_grad_(False)
    objective.loss(vae, pixels_of(ARCHITECTURES[0])).backward()
    assert all((p.grad is None) == objective.encoder_only for p in vae.decoder.parameters())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in vae.encoder.parameters())


def test_wake_sleep_is_two_steps_that_share_no_parameter():
    """The encoder's gradient is that of sleep; the data moves the decoder alone."""
    x, both, alone = pixels_of(ARCHITECTURES[0]), vae_of(ARCHITECTURES[0]), vae_of(ARCHITECTURES[0])
    torch.manual_seed(3)
    with torch.no_grad():
        torch.randn(len(x), *both.architecture.latent)  # the wake phase draws its z first
    sleep(alone, x).backward()
    torch.manual_seed(3)
    OBJECTIVES["wake-sleep"].loss(both, x).backward()
    for p, q in zip(both.encoder.parameters(), alone.encoder.parameters()):
        torch.testing.assert_close(p.grad, q.grad)


def test_sleep_finds_the_posterior_of_a_known_model():
    """A decoder that ignores z has the prior as posterior, and −log q there is the prior's entropy."""
    vae = vae_of(ARCHITECTURES[0])
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.zero_()
    x = pixels_of(ARCHITECTURES[0], 4000)
    entropy = 3 * 0.5 * (1 + math.log(2 * math.pi))
    assert sleep(vae, x).item() == pytest.approx(entropy, rel=0.05)


def test_denoising_shows_the_encoder_noise_on_its_share_of_the_batch():
    vae, seen = vae_of(ARCHITECTURES[1]), []

    def watch(x):
        seen.append(x)
        return TileVae.posterior(vae, x)

    vae.posterior = watch
    x = pixels_of(ARCHITECTURES[1], 20)
    denoising(vae, x, alpha=0.25, sigma=0.1)
    change = seen[0] - x
    assert not change[5:].any()
    assert float(change[:5].std()) == pytest.approx(25.5, rel=0.05)


def test_iwae_tightens_with_samples():
    vae, x = vae_of(ARCHITECTURES[0]), pixels_of(ARCHITECTURES[0], 200)
    with torch.no_grad():
        one, many = (float(iwae(vae, x, samples).mean()) for samples in (1, 30))
        assert one == pytest.approx(float(elbo(vae, x).mean()), abs=0.5)
        assert many > one


def test_numbers_after_a_name():
    assert numbers(named("half-asleep").loss) == {"alpha": 0.5}
    assert numbers(named("half-asleep:0.25").loss) == {"alpha": 0.25}
    assert numbers(named("denoising:0.25").loss) == {"alpha": 0.25, "sigma": 0.2}
    assert numbers(named("denoising:1:0.4").loss) == {"alpha": 1.0, "sigma": 0.4}
    assert numbers(named("elbo").loss) == numbers(named("reverse-sleep").loss) == {}
    assert named("half-asleep:0.25").encoder_only
