"""The photograph model in float, with one of its parts changed or left out.

A variant sees tiles in surroundings of :data:`MARGIN` pixels, wide enough for the largest context, so that all
variants can learn from the same tiles. With the context and the latents of the package, a variant is the
package's :class:`~vaezip.training.networks.pixel.PixelVae`, weight by weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import array_api_compat.torch as xp
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaezip.models.layers import Conv, Dense, SpaceToDepth
from vaezip.models.pixel.architecture import PixelArchitecture, pixel_architecture
from vaezip.models.pixel.constants import RADIUS, TILE
from vaezip.models.pixel.context import median_edge
from vaezip.training.likelihoods import LOG_SCALE_RANGE
from vaezip.training.networks.pixel import LEVEL_UNIT, UNIT, PixelVae, mixture_log_prob

MARGIN = 5
"""Pixels above and on either side of a tile."""

WINDOW = (TILE + MARGIN, TILE + 2 * MARGIN)
"""Height and width of a tile with its surroundings."""

MAP_CHANNELS = 4
_CELL = 4
"""Pixels to a side of what one position of the map describes."""

_WIDTH = 64


@dataclass(frozen=True)
class Design:
    """What a variant is.

    Attributes:
        radius: of the context: columns on either side, and rows above; at most :data:`MARGIN`.
        hidden: units of the pixel network.
        mixture: logistics a channel.
        latents: ``style`` shifts the hidden units of a whole tile, ``film`` scales them too, ``map``
            shifts those of every 4×4 pixels, ``both`` are style and map; or ``none``.
        channels: of the pictures.
    """

    radius: int = RADIUS
    hidden: int = 64
    mixture: int = 5
    latents: str = "style"
    channels: int = 3

    def build(self) -> Variant:
        """With random weights."""
        plain = pixel_architecture(self.channels, hidden=self.hidden, blocks=1, mixture=self.mixture)
        kinds = {"style": (Variant, plain), "film": (Film, _film(plain)), "map": (Map, _map(plain))}
        kind, architecture = (kinds | {"both": (Both, plain), "none": (Blind, plain)})[self.latents]
        return kind(architecture, self.radius)


class Variant(PixelVae):
    """A style vector for each tile shifts the hidden units, as in the package; the context is of any radius."""

    def __init__(self, architecture: PixelArchitecture, radius: int) -> None:
        super().__init__(architecture)
        self.radius = radius
        if radius != RADIUS:
            inputs = (len(offsets(radius)) + 1) * architecture.channels
            self.first = nn.Linear(inputs, architecture.hidden)

    def losses(self, window: Tensor) -> tuple[Tensor, Tensor]:
        """−log p(x|z), z ~ q(z|x), and KL(q(z|x) ‖ p(z)) of each tile in nats.

        Args:
            window: tiles with their surroundings, float32 (tiles, *WINDOW, channels).
        """
        mean, log_sigma = self.posterior(inside(window))
        z = mean + torch.exp(log_sigma) * torch.randn_like(mean)
        kl = 0.5 * (mean**2 + torch.exp(2 * log_sigma) - 1) - log_sigma
        return -self.log_likelihood(window, z).sum(1), kl.sum(1)

    def log_likelihood(self, window: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) of each pixel in nats, (tiles, pixels), the coder's floor under p included."""
        at = torch.arange(TILE * TILE)
        h, prediction = self.units(window, z, at)
        x = inside(window).flatten(1, 2)
        residual = (x - prediction) / UNIT
        total = torch.zeros(x.shape[:2])
        for i, c in enumerate(self.architecture.order):
            one = slice(c, c + 1)
            total = total + mixture_log_prob(x[..., one], prediction[..., one], self.parameters_of(i, h, residual))
        return total

    @torch.no_grad()
    def sample(self, window: Tensor, z: Tensor) -> Tensor:
        """x̃ ~ p(x|z, surroundings): the windows, their tiles drawn anew.

        A pixel waits for those of its context: all that stand on a line x + (radius + 1) y are drawn at once.
        """
        drawn = window.clone()
        for at in waves(self.radius):
            h, prediction = self.units(drawn, z, at)
            x, residual = torch.zeros_like(prediction), torch.zeros_like(prediction)
            for i, c in enumerate(self.architecture.order):
                one = slice(c, c + 1)
                x[..., one] = mixture_sample(prediction[..., one], self.parameters_of(i, h, residual))
                residual = (x - prediction) / UNIT
            drawn[:, MARGIN + at // TILE, MARGIN + at % TILE] = x
        return drawn

    def units(self, window: Tensor, z: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
        """The hidden units and the prediction P of some pixels, (tiles, pixels, hidden) and (tiles, pixels, channels).

        Args:
            window: (tiles, *WINDOW, channels).
            z: (tiles, latents).
            at: which pixels: row · TILE + column, (pixels,).
        """
        differences, prediction = context(window, self.radius, at)
        return self.trunk(differences, prediction, self.style_at(z, at)), prediction

    def trunk(self, differences: Tensor, prediction: Tensor, shifts: Tensor) -> Tensor:
        """The hidden units (tiles, pixels, hidden); ``shifts`` are those of :meth:`style_at`."""
        a = self.architecture
        style = shifts.chunk(1 + a.blocks, -1)
        f = torch.cat([differences / UNIT, (prediction - a.offset) / LEVEL_UNIT], -1)
        h = F.relu(self.moved(self.first(f), style[0]))
        for inner, outer, shift in zip(self.inner, self.outer, style[1:]):
            h = F.relu(h + outer(F.relu(self.moved(inner(h), shift))))
        return h

    def style_at(self, z: Tensor, at: Tensor) -> Tensor:
        """What z says of some pixels, (tiles, pixels, shifts), or (tiles, 1, shifts) where it says the same of all."""
        found: Tensor = self.style(z)
        return found.unsqueeze(1)

    def moved(self, units: Tensor, style: Tensor) -> Tensor:
        """Hidden units under the influence of z."""
        return units + style

    def parameters_of(self, i: int, h: Tensor, residual: Tensor) -> Tensor:
        """Of the mixture of the ``i``-th channel in coding order, (tiles, pixels, 3 · mixture).

        Args:
            i: 0 for the first.
            h: (tiles, pixels, hidden).
            residual: (x − P)/UNIT, (tiles, pixels, channels); only channels coded before count.
        """
        known = residual[..., list(self.architecture.order[:i])]
        inner = F.relu(self.head[i](torch.cat([h, known], -1)))
        found: Tensor = self.out[i](torch.cat([inner, known], -1))
        return found


class Film(Variant):
    """z scales the hidden units of a tile too (Perez et al. 2018)."""

    def moved(self, units: Tensor, style: Tensor) -> Tensor:
        """(1 + scale) · units + shift."""
        shift, scale = style.chunk(2, -1)
        return (1 + scale) * units + shift


class Map(Variant):
    """z is a map of 8×8 positions; each shifts the hidden units of 4×4 pixels."""

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q(z|x), the positions one after another: mean and log standard deviation (tiles, latents)."""
        mean, log_sigma = super().posterior(x)
        return mean.flatten(1), log_sigma.flatten(1)

    def style_at(self, z: Tensor, at: Tensor) -> Tensor:
        """See :class:`Variant`."""
        side = TILE // _CELL
        shifts: Tensor = self.style(z.reshape(-1, side, side, MAP_CHANNELS))
        return shifts[:, at // TILE // _CELL, at % TILE // _CELL]


class Both(Variant):
    """z is a style vector and, after it, a map; their shifts are added."""

    def __init__(self, architecture: PixelArchitecture, radius: int) -> None:
        super().__init__(architecture, radius)
        self.map = Map(_map(architecture), radius)
        for part in ("first", "inner", "outer", "head", "out"):
            delattr(self.map, part)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q(z|x), that of the style first: mean and log standard deviation (tiles, latents)."""
        mean, log_sigma = (torch.cat(parts, -1) for parts in zip(super().posterior(x), self.map.posterior(x)))
        return mean, log_sigma

    def style_at(self, z: Tensor, at: Tensor) -> Tensor:
        """See :class:`Variant`."""
        style, places = z.split([self.architecture.latents, z.shape[1] - self.architecture.latents], 1)
        return super().style_at(style, at) + self.map.style_at(places, at)


class Blind(Variant):
    """No z: p(x) = Π p(x_i | context)."""

    def __init__(self, architecture: PixelArchitecture, radius: int) -> None:
        super().__init__(architecture, radius)
        del self.encoder, self.style

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Of no variables."""
        return torch.zeros(len(x), 0), torch.zeros(len(x), 0)

    def style_at(self, z: Tensor, at: Tensor) -> Tensor:
        """No shift."""
        return torch.zeros(len(z), 1, self.architecture.style_offsets)


def inside(window: Tensor) -> Tensor:
    """The tiles (tiles, TILE, TILE, channels) of windows."""
    return window[:, MARGIN:, MARGIN:-MARGIN].contiguous()


def context(window: Tensor, radius: int, at: Tensor) -> tuple[Tensor, Tensor]:
    """Differences neighbour − P, and P, of some pixels of windows (tiles, *WINDOW, channels).

    Returns:
        (tiles, pixels, neighbours · channels) and (tiles, pixels, channels).
    """
    width, pixels = window.shape[2], window.flatten(1, 2)
    here = (MARGIN + at // TILE) * width + MARGIN + at % TILE
    near = pixels[:, here[:, None] + torch.tensor([y * width + x for y, x in offsets(radius)])]
    west, north, corner = (pixels[:, here - step] for step in (1, width, width + 1))
    prediction = median_edge(xp, west=west, north=north, north_west=corner)
    return (near - prediction.unsqueeze(2)).flatten(2), prediction


def offsets(radius: int) -> list[tuple[int, int]]:
    """(rows down, columns right) of a context's pixels, in raster order.

    >>> offsets(1)
    [(-1, -1), (-1, 0), (-1, 1), (0, -1)]
    """
    return [(y, x) for y in range(-radius, 1) for x in range(-radius, radius + 1) if y < 0 or x < 0]


def waves(radius: int) -> Iterator[Tensor]:
    """The pixels of a tile, row · TILE + column, in parts none of which is in the context of another of its part."""
    at = torch.arange(TILE * TILE)
    number = at % TILE + (radius + 1) * (at // TILE)
    return (at[number == n] for n in range(int(number.max()) + 1))


def mixture_sample(prediction: Tensor, parameters: Tensor) -> Tensor:
    """Integers in 0 … 255 from the mixture of :func:`~vaezip.training.networks.pixel.mixture_log_prob`, (…, 1)."""
    logits, mean, log_scale = parameters.chunk(3, -1)
    which = torch.multinomial(torch.softmax(logits, -1).flatten(0, -2), 1).view(*logits.shape[:-1], 1)
    mean, scale = (part.gather(-1, which) for part in (mean, torch.exp(log_scale.clamp(*LOG_SCALE_RANGE))))
    u = torch.rand_like(mean).clamp(1e-6, 1 - 1e-6)
    return (prediction + UNIT * mean + scale * torch.logit(u)).round().clamp(0, 255)


def macs(variant: Variant) -> int:
    """Multiplications a pixel of all networks, the encoder and the style network shared by the pixels of a tile."""
    total = 0

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        weight = module.weight
        assert isinstance(weight, Tensor)
        total += output.numel() // weight.shape[0] * weight.numel()

    layers = [m for m in variant.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        variant.losses(torch.zeros(1, *WINDOW, variant.architecture.channels))
    for hook in hooks:
        hook.remove()
    return math.ceil(total / TILE**2)


def _film(a: PixelArchitecture) -> PixelArchitecture:
    return replace(
        a, style=(Dense("style.0", a.latents, _WIDTH), Dense("style.out", _WIDTH, 2 * a.style_offsets, relu=False))
    )


def _map(a: PixelArchitecture) -> PixelArchitecture:
    """``latent`` is that of a position."""
    return replace(
        a,
        latent=(MAP_CHANNELS,),
        encoder=(
            SpaceToDepth(_CELL),
            Conv("encoder.0", _CELL**2 * a.channels, _WIDTH),
            Conv("encoder.1", _WIDTH, _WIDTH),
            Conv("encoder.out", _WIDTH, 2 * MAP_CHANNELS, relu=False),
        ),
        style=(
            Conv("style.0", MAP_CHANNELS, _WIDTH),
            Conv("style.out", _WIDTH, a.style_offsets, relu=False),
        ),
    )
