"""Chapter 9: pixel models, which code pictures pixel by pixel."""

import numpy as np

from . import posterior as q
from .adaptation import decode_adapting
from .context import Pixels
from .distributions import pop_bit, pop_prior, push_posterior
from .model_file import Model
from .pixel_network import PixelNetwork, Trace, load_network, predictors_of
from .primitives import FormatError, require
from .stack import Stack
from .waves import PictureSet, RowDecoder, joined_sets

TILE = 32
LATENTS = 0
LEARNING, CALIBRATED = range(1, 33), range(64, 72)
GREATEST_SIDE = 1 << 18


def decode_pixel_chain(data: bytes, shape: tuple[int, ...], model: Model, steps: int) -> tuple[np.ndarray, int]:
    """Decode the values (n, H, W, c) and the seed of a chain (section 9.1)."""
    require(max(shape[1:3]) <= GREATEST_SIDE, "a side is too long for a pixel model")
    require(len(data) > 0, "the chain is empty")
    way = data[0]
    if way == LATENTS:
        return decode_with_latents(data[1:], shape, model, steps)
    if way in LEARNING or way in CALIBRATED:
        return decode_adapting(data, shape, model, steps)
    raise FormatError("unknown way of coding")


def decode_with_latents(data: bytes, shape: tuple[int, ...], model: Model, steps: int) -> tuple[np.ndarray, int]:
    """Decode a chain in which the style of each tile is stored as z (section 9.5)."""
    stack = Stack(data)
    network = load_network(model)
    decoder = RowDecoder(stack, [network])
    values = []
    sets = joined_sets(shape)
    for members in sets:
        pictures = PictureSet((len(members), *shape[1:]), predictors_of(model))
        for top in range(0, shape[1], TILE):
            last = members == sets[-1] and top + TILE >= shape[1]
            coarse = last or pop_bit(stack) == 1
            decode_strip(decoder, pictures, top, model, coarse, steps)
        values.append(pictures.context.values)
    return np.concatenate(values), stack.seed()


def decode_strip(decoder: RowDecoder, pictures: PictureSet, top: int, model: Model, coarse: bool, steps: int) -> None:
    """Decode z and the values of a strip, and push z back unless it is coarse."""
    context = pictures.context
    rows = min(TILE, context.height - top)
    across = -(-context.width // TILE)
    tiles = context.pictures * across
    bins = pop_prior(decoder.stack, tiles, model.coarse if coarse else None, model.latents)
    style = run_style(model, bins - 2048).reshape(context.pictures, across, -1)
    decoder.decode(pictures, top, rows, style)
    if not coarse:
        mean, log_sigma = strip_posterior(pictures, top, rows, model, decoder.networks[0], steps)
        push_posterior(decoder.stack, bins, mean, log_sigma)


def run_style(model: Model, z: np.ndarray) -> np.ndarray:
    """Run the style network on integer z (tiles, latents)."""
    return model.decoder.forward(z)[0]


def strip_posterior(
    pictures: PictureSet, top: int, rows: int, model: Model, network: PixelNetwork, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the posterior of the tiles of a strip (chapter 8)."""
    context = pictures.context
    beyond = -context.width % TILE
    strip = np.pad(context.values[:, top : top + rows], ((0, 0), (0, TILE - rows), (0, beyond), (0, 0)), mode="edge")
    n, _, width, c = strip.shape
    tiles = strip.reshape(n, TILE, width // TILE, TILE, c).transpose(0, 2, 1, 3, 4).reshape(-1, TILE, TILE, c)
    places = [(i, left) for i in range(n) for left in range(0, width, TILE)]
    gradients = [TileGradient(pictures, i, top, left, network) for i, left in places]

    def gradient(z: np.ndarray) -> np.ndarray:
        """Compute the gradient of the log likelihood for z (section 8.7)."""
        style, kept = model.decoder.forward(z)
        g = np.stack([tile.style_gradient(biases) for tile, biases in zip(gradients, style, strict=True)])
        return model.decoder.backward(kept, g).astype(np.float64) * 256.0

    return q.posterior(model, tiles, steps, gradient)


class TileGradient:
    """Compute the gradient of the log likelihood of one tile for its style biases (sections 8.5 and 8.7)."""

    def __init__(self, pictures: PictureSet, i: int, top: int, left: int, network: PixelNetwork) -> None:
        """Gather what the network sees of the tile; pixels beyond the picture see what its last pixels see."""
        context = pictures.context
        y, x = np.indices((TILE, TILE)).reshape(2, -1) + np.array([[top], [left]])
        self.inside = ((y < context.height) & (x < context.width)).astype(np.float64)
        y, x = np.minimum(y, context.height - 1), np.minimum(x, context.width - 1)
        pixels = Pixels(np.full(len(y), i), y, x)
        self.network = network
        self.features = pictures.features(pixels)
        self.sides = pictures.sides(pixels, context.residuals(pixels))
        self.p = context.median_edge(pixels)[:, context.order]
        self.x = context.at(pixels, 0, 0)[:, context.order].astype(np.float64)

    def style_gradient(self, biases: np.ndarray) -> np.ndarray:
        """Compute the gradient for these style biases."""
        trace = Trace([], [], [], [])
        h = self.network.hidden(self.features, biases, trace)
        gradients = []
        for j in range(self.x.shape[1]):
            logit, mean, scale = np.split(self.network.parameters(j, h, self.sides, trace), 3, axis=-1)
            parts = q.mixture_gradient(self.x[:, j], logit, 16 * self.p[:, j, None] + mean, scale)
            gradients.append((np.concatenate(parts, axis=-1) * self.inside[:, None]).astype(np.float32))
        return self.network.style_gradient(trace, gradients)
