"""Section 11.5: what a chain costs, computed before it is decoded."""

import math

from .adaptation import Settings, read_settings
from .model_file import Model
from .primitives import require

GRANTED, BESIDE = 1 << 23, 8
LAST = 32


def check_work(work: int, size: tuple[int, int, int]) -> None:
    """Refuse a block (n, h, w) that costs more operations than a reader grants by default."""
    require(work <= GRANTED * (math.prod(size) + BESIDE), "the block takes too many operations")


def check_jpeg_work(sizes: list[tuple[int, int]], scans: int, length: int, pixels: int) -> None:
    """Refuse a JPEG file of a length that costs more, by the blocks (down, across) of its components."""
    work = sum(down * across for down, across in sizes) * ((1 << 19) + (scans << 10)) + ((length + 4096) << 8)
    check_work(work, (1, 1, pixels))


def origin_work(unexplained: int, size: tuple[int, int, int]) -> int:
    """Count the operations of an origin of a block (n, h, w)."""
    return math.prod(size) * (64 + (2**14 if unexplained else 0))


def check_pixels_work(blocks: list[int], shape: tuple[int, ...]) -> None:
    """Refuse pictures that were JPEGs, (n, h, w, c), that cost more, by the blocks of all components of each."""
    work = sum((count << 19) + ((64 * count + math.prod(shape[1:])) << 13) for count in blocks)
    check_work(work, (shape[0], shape[1], shape[2]))


def chain_work(data: bytes, shape: tuple[int, ...], model: Model, steps: int) -> int:
    """Count the operations of the chain of a block (n, h, w, c)."""
    require(len(data) > 0, "the chain is empty")
    if model.kind != "local":
        return tile_work(data[0], shape, model, steps)
    if data[0] == 0:
        return latent_work(shape, model, steps)
    settings, _ = read_settings(data, steps)
    if settings.orientation & 4:
        shape = (shape[0], shape[2], shape[1], shape[3])
    return adapting_work(shape, model, settings)


def measure(layers: list[dict], shape: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
    """Follow the shape of the values through layers; return products, values and the last shape (section 11.4)."""
    products = values = 0
    for layer in layers:
        parts = [layer["first"], layer["second"]] if layer["kind"] == "residual" else [layer]
        for part in parts:
            kind = part.get("kind", "conv")
            if kind in ("dense", "conv"):
                products += math.prod(shape[:-1]) * (9 if kind == "conv" else 1) * part["inputs"] * part["outputs"]
                shape = (*shape[:-1], part["outputs"])
            elif kind == "flatten":
                shape = (math.prod(shape),)
            else:
                (h, w, c), f = shape, part["factor"]
                deeper = kind == "space_to_depth"
                shape = (h // f, w // f, c * f * f) if deeper else (h * f, w * f, c // (f * f))
            values += math.prod(shape)
    return products, values, shape


def tile_work(doublings: int, shape: tuple[int, ...], model: Model, steps: int) -> int:
    """Count the operations of a tile model."""
    tiles = shape[0] * -(-shape[1] // model.tile[0]) * -(-shape[2] // model.tile[1])
    fine = max(0, tiles - (1 << doublings)) if tiles > 1 else 0
    decoder, values, output = measure(model.architecture["decoder"], tuple(model.architecture["latent"]))
    encoder, _, _ = measure(model.architecture["encoder"], (*model.tile, model.channels))
    step = 2 * decoder + 64 * (values + math.prod(output))
    of_tile = math.prod(model.tile) * model.channels
    return tiles * (decoder + 64 * (of_tile + model.latents)) + fine * (encoder + steps * step)


def row_groups(shape: tuple[int, ...], most: int) -> list[tuple[int, int]]:
    """List (pictures, rows) of each row group of a block (section 10.1)."""
    n, h, w, _ = shape
    together = min(n, max(1, 64 // -(-w // 32)))
    sets = [min(together, n - first) for first in range(0, n, together)]
    strips = [min(32, h - top) for top in range(0, h, 32)]
    rows = [min(most, strip - top) for strip in strips for top in range(0, strip, most)]
    return [(pictures, count) for pictures in sets for count in rows]


def network_weights(model: Model) -> int:
    """Count the weights of the pixel network."""
    names = ("first.", "inner.", "outer.", "head.", "out.")
    return sum(t.size for name, t in model.tensors.items() if name.startswith(names) and name.endswith(".weight"))


def coding_work(shape: tuple[int, ...], model: Model, groups: list[tuple[int, int]], networks: int) -> int:
    """Count the operations of networks, mixtures and predictors."""
    n, h, w, c = shape
    waves = sum(w + 4 * rows for _, rows in groups)
    work = (n * h * w + 4 * waves) * networks * network_weights(model) + 840 * c * waves
    work += c * n * h * w * (512 + 128 * model.architecture["mixture"] * networks)
    if model.architecture.get("regressed", False):
        for neighbours in (10, 20, 20)[: model.architecture.get("predictors", 1)]:
            v = (neighbours + 1) * c
            work += (n * h * -(-w // 4) + waves) * (v**3 // 6 + 6 * v * v)
    return work


def latent_work(shape: tuple[int, ...], model: Model, steps: int) -> int:
    """Count the operations of a pixel model with latents."""
    a, c = model.architecture, model.channels
    predictors = a.get("predictors", 1) * a.get("regressed", False)
    sides = c * (1 + predictors)
    features = 25 * c + c * (predictors + a.get("regressed", False)) + predictors * (predictors > 1)
    units = features + a["hidden"] * (1 + 3 * a["blocks"]) + c * (a["head"] + 3 * a["mixture"] + 2 * sides)
    style, values, _ = measure(a["style"], (model.latents,))
    encoder, _, _ = measure(a["encoder"], (32, 32, c))
    step = 2 * style + 64 * (values + model.latents) + 1024 * (2 * network_weights(model) + 64 * units)
    groups = row_groups(shape, LAST)
    across = -(-shape[2] // 32)
    tiles, last = sum(pictures for pictures, _ in groups) * across, groups[-1][0] * across
    work = coding_work(shape, model, groups, 1) + tiles * (style + 64 * model.latents)
    return work + (tiles - last) * (encoder + steps * step)


def adapting_work(shape: tuple[int, ...], model: Model, settings: Settings) -> int:
    """Count the operations of a pixel model that adapts."""
    learns = settings.passes > 0
    groups = row_groups(shape, settings.row_group if learns else LAST)
    networks = len(settings.rates) if learns else 1
    work = coding_work(shape, model, groups, networks)
    for pictures, rows in groups if learns else ():
        pixels = pictures * rows * shape[2]
        count = max(1, pixels // (16 * settings.batch))
        number = -(-settings.passes * count // settings.stride)
        of_weight = number * (32 + 6 * (-(-pixels // count) + 4)) + 8
        work += networks * (network_weights(model) * of_weight + 64 * model.channels * pixels)
    return work
