"""Chapter 7: tile models, which code pictures tile by tile."""

import numpy as np

from . import posterior as q
from .distributions import (
    COEFFICIENT_LIMIT,
    LOGIT_LIMIT,
    clamp_scale,
    logistic_starts,
    pop_bernoulli,
    pop_prior,
    push_posterior,
)
from .model_file import PARAMETERS, Model
from .primitives import require
from .stack import Stack

GRADIENTS = {"bernoulli": q.bernoulli_gradient, "logistic": q.gray_gradient, "colour-logistic": q.colour_gradient}


class Tiles:
    """Cut pictures into tiles, and know which pixels of a tile are in the picture (section 7.1)."""

    def __init__(self, shape: tuple[int, ...], tile: tuple[int, int]) -> None:
        """Take the shape (n, H, W, c) of the pictures and the size of a tile."""
        self.shape, self.tile = shape, tile
        n, height, width, _ = shape
        corners = [(y, x) for y in range(0, height, tile[0]) for x in range(0, width, tile[1])]
        self.places = [(i, y, x) for i in range(n) for y, x in corners]
        self.values = np.zeros(shape, np.int64)

    def inside(self, t: int) -> tuple[int, int]:
        """Tell how many rows and columns of tile t are in the picture."""
        _, y, x = self.places[t]
        return min(self.tile[0], self.shape[1] - y), min(self.tile[1], self.shape[2] - x)

    def part(self, t: int) -> np.ndarray:
        """Return the pixels of tile t that are in the picture, to be read or set."""
        i, y, x = self.places[t]
        return self.values[i, y : y + self.tile[0], x : x + self.tile[1]]

    def extended(self, t: int) -> np.ndarray:
        """Return tile t, extended beyond the picture by the last column, then by the last row."""
        rows, columns = self.inside(t)
        return np.pad(self.part(t), ((0, self.tile[0] - rows), (0, self.tile[1] - columns), (0, 0)), mode="edge")

    def mask(self, t: int) -> np.ndarray:
        """Return 1.0 for pixels of tile t in the picture and 0.0 for others."""
        mask = np.zeros(self.tile)
        rows, columns = self.inside(t)
        mask[:rows, :columns] = 1.0
        return mask


def decode_tile_chain(data: bytes, shape: tuple[int, ...], model: Model, steps: int) -> tuple[np.ndarray, int]:
    """Decode the values (n, H, W, c) and the seed of a chain (section 7.3)."""
    tiles = Tiles(shape, model.tile)
    total = len(tiles.places)
    coarse = 1
    if total > 1:
        require(len(data) > 0 and data[0] <= 32, "the number of coarse tiles is out of range")
        coarse = min(1 << data[0], total)
        data = data[1:]
    batches, first, size = [], coarse, 1
    while first < total:
        last = min(first + size, total)
        batches.append(range(first, last))
        first, size = last, min(2 * size, 512)
    stack = Stack(data)
    for batch in reversed(batches):
        bins = pop_prior(stack, len(batch), None, model.latents)
        pop_values(stack, tiles, batch, model, bins)
        mean, log_sigma = tile_posterior(tiles, batch, model, steps)
        push_posterior(stack, bins, mean, log_sigma)
    bins = pop_prior(stack, coarse, model.coarse, model.latents)
    pop_values(stack, tiles, range(coarse), model, bins)
    return tiles.values, stack.seed()


def run_decoder(model: Model, z: np.ndarray) -> tuple[np.ndarray, list, tuple]:
    """Run the decoder on integer z (tiles, latents); outputs are (tiles, th, tw, c, parameters) (section 7.2).

    Also return what going back needs: what the network kept, and the shape of its output.
    """
    output, kept = model.decoder.forward(z.reshape(-1, *model.architecture["latent"]))
    parameters = PARAMETERS[model.architecture["likelihood"]]
    return output.reshape(len(z), *model.tile, model.channels, parameters), kept, output.shape


def pop_values(stack: Stack, tiles: Tiles, batch: range, model: Model, bins: np.ndarray) -> None:
    """Pop the values of a batch (section 7.4)."""
    outputs, _, _ = run_decoder(model, bins - 2048)
    likelihood = model.architecture["likelihood"]
    for t, output in zip(reversed(batch), outputs[::-1], strict=True):
        part = tiles.part(t)
        rows, columns = tiles.inside(t)
        pixels = output[:rows, :columns].reshape(rows * columns, *output.shape[2:])
        flat = np.zeros((rows * columns, model.channels), np.int64)
        for i in range(rows * columns - 1, -1, -1):
            flat[i] = pop_pixel(stack, likelihood, pixels[i])
        part[:] = flat.reshape(part.shape)


def pop_pixel(stack: Stack, likelihood: str, output: np.ndarray) -> list[int]:
    """Pop the values of a pixel, given its parameters (channels, parameters)."""
    if likelihood == "bernoulli":
        return [pop_bernoulli(stack, max(-LOGIT_LIMIT, min(int(output[0, 0]), LOGIT_LIMIT)))]
    scales = clamp_scale(output[:, 1])
    if likelihood == "logistic":
        return [stack.pop_table(logistic_starts(output[0, 0], scales[0]), 22)]
    a, b, c = np.clip(output[:, 2], -COEFFICIENT_LIMIT, COEFFICIENT_LIMIT)
    red = stack.pop_table(logistic_starts(output[0, 0], scales[0]), 22)
    green = stack.pop_table(logistic_starts(output[1, 0] + ((a * (red - 128)) >> 6), scales[1]), 22)
    mean = output[2, 0] + ((b * (red - 128) + c * (green - 128)) >> 6)
    return [red, green, stack.pop_table(logistic_starts(mean, scales[2]), 22)]


def tile_posterior(tiles: Tiles, batch: range, model: Model, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute the posterior of the tiles of a batch (chapter 8)."""
    values = np.stack([tiles.extended(t) for t in batch])
    masks = np.stack([tiles.mask(t) for t in batch])
    likelihood = model.architecture["likelihood"]
    x = values.astype(np.float64)

    def gradient(z: np.ndarray) -> np.ndarray:
        """Compute the gradient of the log likelihood for z (section 8.5)."""
        output, kept, shape = run_decoder(model, z)
        g = GRADIENTS[likelihood](x, output) * masks[..., None, None]
        back = model.decoder.backward(kept, g.astype(np.float32).reshape(shape))
        return back.reshape(len(z), -1).astype(np.float64) * 256.0

    return q.posterior(model, values, steps, gradient)
