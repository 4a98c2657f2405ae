"""The float networks of a pixel model, for training only."""

from __future__ import annotations

import math

import array_api_compat.torch as xp
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaezip.entropy.distributions import LOGISTIC_PRECISION
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import RADIUS, SPREAD_BITS, UNIT_BITS
from vaezip.models.pixel.context import features
from vaezip.models.pixel.least_squares import nearby_energies
from vaezip.training.likelihoods import LOG_SCALE_RANGE
from vaezip.training.networks.base import Vae
from vaezip.training.networks.layers import LOG_SIGMA_RANGE, Network

UNIT = 16.0
"""Pixel values to one unit of the network's differences, residuals and means."""

LEVEL_UNIT = 64.0
"""Pixel values to one unit of the prediction as a feature."""

SPREAD_UNIT = 8.0
"""Powers of two to one unit of the regression's spread as a feature."""


class PixelVae(Vae):
    """Encoder, style network and pixel network of a :class:`PixelArchitecture`, in float32."""

    architecture: PixelArchitecture

    def __init__(self, architecture: PixelArchitecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.encoder, self.style = Network(a.encoder), Network(a.style)
        self.first = nn.Linear(a.features, a.hidden)
        self.inner = nn.ModuleList(nn.Linear(a.hidden, a.hidden) for _ in range(a.blocks))
        self.outer = nn.ModuleList(nn.Linear(a.hidden, a.hidden) for _ in range(a.blocks))
        self.head = nn.ModuleList(nn.Linear(a.hidden + len(a.visible_hints(i)), a.head) for i in range(a.channels))
        self.out = nn.ModuleList(nn.Linear(a.head + len(a.visible_hints(i)), 3 * a.mixture) for i in range(a.channels))
        self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Start blocks near the identity; posteriors narrow, or z would say nothing and soon be ignored;
        mixtures as a spread of widths around P, to which the last known channel adds most of its residual."""
        a = self.architecture
        for outer in self.outer:
            nn.init.normal_(outer.weight, std=0.3 / math.sqrt(a.hidden))  # type: ignore[arg-type]
        encoder, style = self.encoder.weighted["encoder_out"], self.style.weighted["style_out"]
        style.weight.mul_(0.3)  # type: ignore[operator]
        style.bias.zero_()  # type: ignore[operator]
        encoder.weight[a.latents :].mul_(0.1)  # type: ignore[index]
        encoder.bias[a.latents :] = -2.0  # type: ignore[operator]
        k = a.mixture
        for i, out in enumerate(self.out):
            out.weight.mul_(0.1)  # type: ignore[operator]
            out.bias.zero_()  # type: ignore[operator]
            out.bias[2 * k :] = torch.linspace(0.0, 3.2, k)  # type: ignore[operator]
            if i:
                out.weight[k : 2 * k, a.head + i - 1] = 0.7  # type: ignore[operator]

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute q(z|x) of tiles x (tiles, 32, 32, channels): mean and log standard deviation (tiles, latents)."""
        a = self.architecture
        mean, log_sigma = self.encoder((x.float() - a.offset) * 2.0**-a.exponent).chunk(2, dim=-1)
        return mean, log_sigma.clamp(*LOG_SIGMA_RANGE)

    def log_likelihood(self, frame: Tensor, z: Tensor) -> Tensor:
        """Compute log p(x|z) of each pixel in nats, (tiles, pixels), with the coder's floor under p.

        Args:
            frame: tiles with what surrounds them, (tiles, 32 + RADIUS, 32 + 2 RADIUS, planes).
            z: (tiles, latents).
        """
        a = self.architecture
        f, prediction, hints = self.inputs(frame)
        x = frame[:, RADIUS:, RADIUS:-RADIUS, : a.channels].flatten(1, 2)
        heads = self.heads(self.trunk(f, self.style(z)))
        total = torch.zeros(x.shape[0], a.tile[0] * a.tile[1], device=x.device)
        for i, c in enumerate(a.order):
            at, seen = slice(c, c + 1), hints[..., a.visible_hints(i)]
            known: Tensor = self.head[i].weight[:, a.hidden :]  # type: ignore[index]
            inner = F.relu(heads[i] + F.linear(seen, known))
            parameters = self.out[i](torch.cat([inner, seen], -1))
            total = total + mixture_log_prob(x[..., at], prediction[..., at], parameters)
        return total

    def inputs(self, frame: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute features, P and hints of each pixel: (tiles, pixels, …)."""
        a = self.architecture
        values, pixels = frame[..., : a.channels], (slice(None), slice(RADIUS, None), slice(RADIUS, -RADIUS))
        differences, prediction = (t.flatten(1, 2) for t in features(xp, values))
        residual = (values[pixels].flatten(1, 2) - prediction)[..., list(a.order)]
        f, hints = [differences / UNIT, (prediction - a.offset) / LEVEL_UNIT], [residual / UNIT]
        if a.regressed:
            planes, seen = frame[(*pixels, slice(a.channels, None))].flatten(1, 2), a.seen * a.channels
            predicted, expected, spread = (
                planes[..., :seen],
                planes[..., seen : 2 * seen],
                planes[..., 2 * seen : 2 * seen + a.channels],
            )
            f += [expected * (2.0**-UNIT_BITS / UNIT), spread * (2.0**-SPREAD_BITS / SPREAD_UNIT)]
            hints.append(predicted * (2.0**-UNIT_BITS / UNIT))
            if a.energies:
                f.append(self._nearby_energies(frame).flatten(1, 2) * (2.0**-SPREAD_BITS / SPREAD_UNIT))
        return torch.cat(f, -1), prediction, torch.cat(hints, -1)

    def _nearby_energies(self, frame: Tensor) -> Tensor:
        """Compute how far the predictors were off around each pixel, as the coder does."""
        whole = frame.to(torch.int16).cpu().numpy()
        return torch.from_numpy(nearby_energies(whole, self.architecture)).to(frame)

    def trunk(self, f: Tensor, shifts: Tensor) -> Tensor:
        """Compute the hidden units (tiles, pixels, hidden)."""
        a = self.architecture
        shift = shifts.unsqueeze(1).chunk(1 + a.blocks, -1)
        h = F.relu(self.first(f) + shift[0])
        for i in range(a.blocks):
            h = F.relu(h + self.outer[i](F.relu(self.inner[i](h) + shift[i + 1])))
        return h

    def heads(self, h: Tensor) -> tuple[Tensor, ...]:
        """Compute what the hidden units (tiles, pixels, hidden) give to each head: one product for all is faster."""
        units = torch.cat([head.weight[:, : h.shape[-1]] for head in self.head])  # type: ignore[index]
        biases = torch.cat([head.bias for head in self.head])  # type: ignore[misc]
        return F.linear(h, units, biases).chunk(len(self.head), -1)


def mixture_log_prob(x: Tensor, prediction: Tensor, parameters: Tensor) -> Tensor:
    """Compute ln(Σ_k w_k (σ(u_k) − σ(l_k)) + 2^−LOGISTIC_PRECISION), u, l = (x ± ½ − μ_k)/s_k.

    Args:
        x, prediction: (…, 1).
        parameters: (…, 3 · mixture): logits, (means − prediction)/UNIT, log scales.
    """
    logits, mean, log_scale = parameters.chunk(3, -1)
    inverse = torch.exp(-log_scale.clamp(*LOG_SCALE_RANGE))
    distance = x - prediction - UNIT * mean
    # on the side where σ is small, so that the difference keeps its digits
    sign = torch.where(distance > 0, -1.0, 1.0)
    upper = torch.sigmoid(sign * (distance + 0.5) * inverse)
    lower = torch.sigmoid(sign * (distance - 0.5) * inverse)
    upper = torch.where(x >= 255, (sign > 0).float(), upper)
    lower = torch.where(x <= 0, (sign < 0).float(), lower)
    p = (torch.softmax(logits, -1) * (upper - lower).abs()).sum(-1)
    return torch.log(p + 2.0**-LOGISTIC_PRECISION)
