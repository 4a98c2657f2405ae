"""Files that attack a reader, made by a few lines each: the kinds of which some broke a promise once."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from vaezip.models import file as model_file
from vaezip.models.layers import Conv, Dense, Flatten, Layer, weighted_layers
from vaezip.models.posterior import Settings
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.vz import archive as vz
from vaezip.vz.records import NO_MODEL, Block, Group

TILE = TileArchitecture(
    tile=(6, 5),
    channels=1,
    levels=256,
    tiled=True,
    likelihood="logistic",
    latent=(3,),
    offset=128,
    exponent=6,
    encoder=(Flatten(), Dense("e0", 30, 8), Dense("e1", 8, 6, relu=False)),
    decoder=(Dense("d0", 3, 8), Dense("d1", 8, 60, relu=False)),
)
"""A model of tiles of 6×5 pixels."""


def model_bytes(
    a: TileArchitecture, settings: dict[str, float] | None = None, *, weights: int = 9, coarse: int = 7
) -> bytes:
    """Write the file of a model of random weights, whose settings need not be allowed."""
    rng, tensors = np.random.default_rng(0), {"coarse": np.full(a.latents, coarse, np.int8)}
    for layer in weighted_layers((*a.encoder, *a.decoder)):
        kernel = (3, 3) if isinstance(layer, Conv) else ()
        tensors[f"{layer.name}.weight"] = _drawn(rng, weights, (layer.outputs, *kernel, layer.inputs))
        tensors[f"{layer.name}.bias"] = _drawn(rng, 11 * weights, (layer.outputs,))
        tensors[f"{layer.name}.shift"] = np.full(layer.outputs, 3, np.int8)
        tensors[f"{layer.name}.clamp"] = np.array([0 if layer.relu else -999, 999], np.int32)
    metadata = {
        "architecture": a.to_json(),
        "settings": json.dumps(asdict(Settings()) | (settings or {}), sort_keys=True),
        "information": "{}",
    }
    return in_order(save_tensors(tensors, metadata))


def in_order(model: bytes) -> bytes:
    """Return the file of a model with the keys of its header in order, for the library shuffles those of texts."""
    end = 8 + int.from_bytes(model[:8], "little")
    header = json.dumps(json.loads(model[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + model[end:]


def with_metadata(model: bytes, **metadata: str) -> bytes:
    """Write the file of a model anew, with other metadata."""
    old = json.loads(model[8 : 8 + int.from_bytes(model[:8], "little")])["__metadata__"]
    return in_order(save_tensors(load_tensors(model), old | metadata))


def _drawn(rng: np.random.Generator, most: int, shape: tuple[int, ...]) -> Any:
    return rng.integers(-most, most + 1, shape).astype(np.int8)


def fingerprint(model: bytes) -> bytes:
    """Return the fingerprint of a model, whether or not it is allowed."""
    metadata = json.loads(model[8 : 8 + int.from_bytes(model[:8], "little")])["__metadata__"]
    return model_file._fingerprint(metadata, load_tensors(model))


def noise(count: int, seed: int = 0) -> bytes:
    """Return bytes that a stack takes for symbols."""
    return np.random.default_rng(seed).integers(1, 256, count, dtype=np.uint8).tobytes()


def archive(size: tuple[int, int], payloads: list[bytes], model: bytes = NO_MODEL, **group: Any) -> bytes:
    """Write an archive of one group, with a model in it or by the fingerprint of another; ``group`` are its fields."""
    embedded = {} if len(model) == len(NO_MODEL) else {fingerprint(model): model}
    mark = next(iter(embedded), model)
    blocks = [Block(mark, payload) for payload in payloads]
    fields = {"mode": 1, "per_block": 1, "band": size[0], "names": ["p.png"]} | group
    made = Group(height=size[0], width=size[1], boxes=[()] * len(fields["names"]), blocks=blocks, **fields)
    return vz.write_archive([made], dict.fromkeys(embedded, "m"), embedded)


def tiny_noise(steps: int) -> bytes:
    """A setting so small that its reciprocal is infinite: NaN came past all checks, and a table was read outside."""
    model = model_bytes(TILE, {"noise": 1e-320})
    return archive((48, 45), [bytes([steps, 0]) + noise(3000)], model)


def timebomb(height: int = 64) -> bytes:
    """A picture one pixel wide, in which the network takes 127 steps after each pixel, six days for 2^18 rows."""
    settings = bytes([1, 127, 1, 255, 1, 51, 230, 0, 0])
    photo = model_file.fingerprint(model_file.find("photo"))
    group = Group(3, height, 1, band=height, names=[""], boxes=[()], blocks=[Block(photo, b"")])
    return vz.inline_header(group) + b"\x7f" + settings + noise(400)


def coarse_bomb(side: int = 4096) -> bytes:
    """A picture all of whose tiles are on the coarse grid, for a bit each: all of them were decoded at once."""
    a = replace(TILE, tile=(32, 32), channels=3, likelihood="colour-logistic", latent=(1,))
    encoder, decoder = (Flatten(), Dense("e0", 3072, 2, relu=False)), (Dense("d0", 1, 9216, relu=False),)
    model = model_bytes(replace(a, encoder=encoder, decoder=decoder), weights=0, coarse=11)
    return archive((side, side), [bytes([0, 32]) + noise(side * side // 4096)], model, mode=3)


def empty_frame(blocks: int = 1, side: int = 4096) -> bytes:
    """Blocks of sixteen million pixels that end after a hundred bytes."""
    photo = model_file.fingerprint(model_file.find("photo"))
    payload = b"\0" + b"\x40" + noise(200)
    names = [f"{i}.png" for i in range(blocks)]
    return archive((side, side), [payload] * blocks, photo, mode=3, names=names)


def large_tiles(side: int = 4096) -> bytes:
    """A model of a tile of 4096×4096 pixels: the file of a model, of two kilobytes."""
    encoder: tuple[Layer, ...] = (Conv("c0", 1, 64), Flatten())
    a = replace(TILE, tile=(side, side), likelihood="bernoulli", levels=2, offset=0, latent=(2,), encoder=encoder)
    return model_bytes(replace(a, decoder=(Dense("d0", 1, 16, relu=False),)))


def large_weights(units: int = 4097) -> bytes:
    """Write the file of a model of 2^24 weights of zero and more, which takes 16 kilobytes packed."""
    layers = (Dense("d0", 3, units), Dense("d1", units, units), Dense("d2", units, 60, relu=False))
    return model_bytes(replace(TILE, decoder=layers), weights=0)


def long_texts(key: str, times: int = 1 << 22) -> bytes:
    """Write the file of a model with a text of JSON that takes 35 times as much once it is parsed."""
    return with_metadata(model_bytes(TILE), **{key: "[" + '{"":0},' * times + "0]"})
