"""What models bring where they code a part of the samples only: ``python benchmarks/photo/planes.py --photos FOLDER``.

* 16 bits: pictures that are made of photographs in ways that resemble real ones, in colour and grey. As former releases
  coded them, by WebP of the high and of the low bytes; with the high bytes by a model; and split as it is now
  (:mod:`vaezip.codec.bit_depth`), by WebP and by a model.
* alpha: masks that are drawn or made of the photographs, by WebP, as it is now, and by ``photo-gray``. Beside them
  stands what the colours of the picture take.

Everything is decoded and compared, and the first that differs ends the script. Bytes are those of the streams, without
headers. Writes ``planes.json``, then ``README.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import readme
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from threadpoolctl import threadpool_limits

import vaezip
from vaezip.bench import machine, peers
from vaezip.codec import payload, webp
from vaezip.models import file as model_file
from vaezip.models.base import Model
from vaezip.models.effort import DEFAULT_PRESET, PRESETS
from vaezip.models.registry import search_of

Pixels = NDArray[Any]
"""(height, width, channels)."""

Bytes = dict[str, int]
"""By form."""

SEED = 0
"""Of the photographs drawn, and of what a model begins with."""

EFFORTS = {f"-{preset}": PRESETS[preset] for preset in (1, DEFAULT_PRESET)}
MODELS = {"RGB": "photo", "L": "photo-gray"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, metavar="FOLDER", help="folder with RGB photographs")
    parser.add_argument("--limit", type=int, default=6, metavar="N", help="how many of them  [default: 6]")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the results")
    options = parser.parse_args(arguments)
    with threadpool_limits(1):
        found = measured(photographs(options.photos, options.limit))
    (options.out / "planes.json").write_text(json.dumps(found, indent=1) + "\n")
    readme.write(options.out)


def photographs(folder: Path, limit: int) -> list[Pixels]:
    """Some of a folder, drawn at random."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    chosen = np.random.default_rng(SEED).permutation(len(paths))[:limit]
    return [vaezip.pictures.read(paths[i].read_bytes()).samples[..., :3] for i in chosen]


def measured(photos: list[Pixels]) -> dict[str, Any]:
    """All figures: sums over the photographs."""
    models = {mode: model_file.load(model_file.find(name)) for mode, name in MODELS.items()}
    run = machine.this_run()
    deep = []
    for mode, model in models.items():
        for kind, made in DEEP.items():
            pictures = [made(pixels) for pixels in (photos if mode == "RGB" else map(_grey, photos))]
            deep.append(_row(kind, pictures, lambda samples, m=model: deep_forms(m, samples)) | {"mode": mode})
    colour = sum(by_model(models["RGB"], f"-{DEFAULT_PRESET}", pixels[None]) for pixels in photos)
    alpha = [
        _row(kind, [made(pixels) for pixels in photos], lambda mask: alpha_forms(models["L"], mask))
        for kind, made in MASKS.items()
    ]
    return {"photographs": len(photos), "deep": deep, "alpha": alpha, "colour": colour, "run": run}


def _row(kind: str, pictures: Iterable[Pixels], forms: Callable[[Pixels], Bytes]) -> dict[str, Any]:
    found = [(picture.size, forms(picture[None])) for picture in pictures]
    sums = {form: sum(sizes[form] for _, sizes in found) for form in found[0][1]}
    print(kind, sums, flush=True)
    return {"kind": kind, "values": sum(size for size, _ in found), "bytes": sums}


# Forms


def deep_forms(model: Model, samples: Pixels) -> Bytes:
    """Bytes of pictures of 16 bits, (pictures, height, width, channels)."""
    high, low = (part.astype(np.uint8) for part in (samples >> 8, samples & 255))
    sizes = {"bytes, webp": by_webp(high) + by_webp(low)}
    sizes |= {f"bytes, {name}": by_model(model, name, high) + by_webp(low) for name in EFFORTS}
    high, rest = webp.split(samples)
    _compare(webp.read_depth_header(rest, samples.shape)[0].join(high), samples)
    sizes |= {"split, webp": by_webp(samples)}
    sizes |= {f"split, {name}": by_model(model, name, high) + len(rest) for name in EFFORTS}
    return sizes | {"jxl": by_jpeg_xl(samples)}


def alpha_forms(model: Model, mask: Pixels) -> Bytes:
    """Bytes of alpha planes, and of what a file by the default preset has of them, with its 4 bytes of length."""
    stored = len(payload._encode_alpha(mask, model, PRESETS[DEFAULT_PRESET]))
    return {"webp": by_webp(mask)} | {name: by_model(model, name, mask) for name in EFFORTS} | {"stored": stored}


def by_webp(samples: Pixels) -> int:
    """As the classic codec codes them."""
    coded = webp.encode(samples)
    _compare(webp.decode(coded, samples.shape, samples.dtype.type), samples)  # type: ignore[arg-type]
    return len(coded)


def by_model(model: Model, effort: str, samples: Pixels) -> int:
    """8 bits."""
    coded = search_of(model).encode(model, samples, effort=EFFORTS[effort], seed=SEED)
    _compare(model.decode(coded.data, samples.shape, coded.steps)[0], samples)  # type: ignore[arg-type]
    return len(coded.data)


def by_jpeg_xl(samples: Pixels) -> int:
    """Effort 9."""
    codec, mode = peers.CODECS["jxl-9"], {1: "I;16", 3: "RGB;16"}[samples.shape[3]]
    coded = codec.encode(vaezip.pictures.Picture(mode, np.ascontiguousarray(samples[0])), 1)
    _compare(codec.decode(coded, mode).samples[None], samples)
    return len(coded)


def _compare(decoded: Pixels, samples: Pixels) -> None:
    if not np.array_equal(decoded, samples):
        raise SystemExit("what was coded does not decode to itself")


# 16 bits


def _to_bits(light: Pixels, bits: int) -> Pixels:
    """Of 0 … 255, not rounded."""
    top = (1 << bits) - 1
    return np.clip(np.rint(light * (top / 255)), 0, top).astype(np.uint16)


def _means(pixels: Pixels, side: int) -> Pixels:
    height, width = (extent // side * side for extent in pixels.shape[:2])
    return pixels[:height, :width].reshape(height // side, side, width // side, side, -1).mean(axis=(1, 3))


def _resized(pixels: Pixels, factor: float) -> Pixels:
    height, width = (max(1, round(extent * factor)) for extent in pixels.shape[:2])
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(pixels, 2, 0)]
    found = [np.asarray(plane.resize((width, height), Image.Resampling.BICUBIC)) for plane in planes]
    return np.clip(np.stack(found, axis=2), 0, 255)


def _linear(light: Pixels) -> Pixels:
    """From sRGB, of 0 … 255 both."""
    part = light / 255
    return 255 * np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def _enlarged(pixels: Pixels) -> Pixels:
    """The middle ninth, three times as large."""
    height, width = (max(1, extent // 3) for extent in pixels.shape[:2])
    return _resized(pixels[height : 2 * height, width : 2 * width], 3)


DEEP: dict[str, Callable[[Pixels], Pixels]] = {
    "8 bits, times 257": lambda pixels: _to_bits(pixels, 16),
    "8 bits in linear light": lambda pixels: _to_bits(_linear(pixels), 16),
    "means of 2×2": lambda pixels: _to_bits(_means(pixels, 2), 16),
    "means of 4×4": lambda pixels: _to_bits(_means(pixels, 4), 16),
    "60 % in size": lambda pixels: _to_bits(_resized(pixels, 0.6), 16),
    "60 % in size, linear light": lambda pixels: _to_bits(_linear(_resized(pixels, 0.6)), 16),
    "60 % in size, upper 12 bits": lambda pixels: _to_bits(_resized(pixels, 0.6), 12) << 4,
    "60 % in size, lower 12 bits": lambda pixels: _to_bits(_resized(pixels, 0.6), 12),
    "300 % in size": lambda pixels: _to_bits(_enlarged(pixels), 16),
}
"""Pictures of 16 bits, of 8-bit pixels."""


# Alpha


def _grey(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]


def _distance(pixels: Pixels, finer: int = 1) -> Pixels:
    """From the middle of an ellipse, 1 on its edge; in a grid that is so many times finer."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[: height * finer, : width * finer]
    return np.hypot((x + 0.5) / (width * finer) - 0.5, (y + 0.5) / (height * finer) - 0.5) / 0.35


def _mask(share: Pixels) -> Pixels:
    return np.clip(np.rint(share * 255), 0, 255).astype(np.uint8)[..., None]


def _smooth_edge(pixels: Pixels) -> Pixels:
    return _means((_distance(pixels, 4) < 1)[..., None], 4)[..., 0]


def _blurred(share: Pixels, radius: float) -> Pixels:
    blurred = Image.fromarray(_mask(share)[..., 0]).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(blurred) / 255


def _matte(pixels: Pixels) -> Pixels:
    """What is lighter than half of the picture, with soft edges."""
    grey = _grey(pixels)[..., 0]
    return _blurred(grey > np.median(grey), 1)


def _shadow(pixels: Pixels) -> Pixels:
    shape = _smooth_edge(pixels)
    return np.maximum(shape, _blurred(np.roll(shape, (8, 8), (0, 1)) / 2, 8))


def _hair(pixels: Pixels) -> Pixels:
    """A shape that is solid within and a matte at its edge."""
    distance = _distance(pixels)
    return np.where(distance < 0.9, 1, np.where(distance < 1.15, _matte(pixels), 0))


MASKS: dict[str, Callable[[Pixels], Pixels]] = {
    "opaque": lambda pixels: _mask(np.ones(pixels.shape[:2])),
    "ramp": lambda pixels: _mask(np.broadcast_to(np.linspace(0, 1, pixels.shape[1]), pixels.shape[:2])),
    "shape, hard edge": lambda pixels: _mask(_distance(pixels) < 1),
    "shape, smooth edge": lambda pixels: _mask(_smooth_edge(pixels)),
    "shape with a soft shadow": lambda pixels: _mask(_shadow(pixels)),
    "shape, feathered": lambda pixels: _mask(np.clip(2 - _distance(pixels) * 1.5, 0, 1)),
    "shape with hair at its edge": lambda pixels: _mask(_hair(pixels)),
    "matte of the whole picture": lambda pixels: _mask(_matte(pixels)),
}
"""Alpha planes of pictures of these pixels."""


if __name__ == "__main__":
    main()
