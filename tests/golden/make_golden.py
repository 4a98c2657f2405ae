"""Write golden files: ``python tests/golden/make_golden.py``. From release 0.2 on, every release decodes them.

For each shipped model and each K in 0 and 3 a ``.vz`` of one picture and one of a set, and beside
them some by presets, some without a model and an archive of mixed pictures. NAME.npz holds the pictures
that NAME.vz holds. Files that exist are never written again.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

import vaezip
from vaezip.codec import blocks
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.models.sampling import sample
from vaezip.origins.bayer import COPIED, Layout
from vaezip.origins.colour import named
from vaezip.origins.jpeg import picture as jpeg_picture
from vaezip.origins.jpeg.description import Description, standard_steps
from vaezip.origins.upsampling import LIBJPEG, TRIANGLE, Sampling

HERE = Path(__file__).parent
STEPS = {0: Effort(), 3: Effort(3, networks=2, turns=3, whole=3)}
"""K, and what it may stand for: not what ``--steps`` makes of it in some release, or a file could not be made again."""

PRESETS = {1: Effort(rows=0), 3: Effort(1, 4, 8, turns=1), 6: Effort(1), 9: Effort(8, networks=2, turns=8, whole=3)}
"""Likewise of some that differ in everything: whether they adapt, height of the bands, thinning, networks,
orientations."""

DEFAULT = Effort(1, 4, 4, turns=1)
"""Likewise of the rest."""

SAMPLES = 1 << 24
"""Likewise of how many share a block."""

SET = 5
ODD = (37, 41)

Pictures = dict[str, vaezip.Picture]


def odd(mode: str, height: int, width: int, seed: int) -> vaezip.Picture:
    """A ramp with noise, made of integers."""
    form = vaezip.pictures.MODES[mode]
    top = {"1": 2, "P": 16}.get(mode, 1 << form.bits)
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).integers(0, max(2, top // 40), (height, width, form.channels))
    samples = ((x + 2 * y)[..., None] * (top // 2) // (2 * height + width) + noise) % top
    boxes = (("palette", bytes(range(48))),) if mode == "P" else ()
    return vaezip.Picture(mode, np.ascontiguousarray(samples.astype(form.dtype)), boxes)


def by_count(height: int, width: int, seed: int) -> vaezip.Picture:
    """Indices that follow one another, of a palette that stands by how many pixels have each colour."""
    steps = np.random.default_rng(seed).integers(-3, 4, height * width)
    used, greys = np.unique(np.abs(np.cumsum(steps)) % 60, return_inverse=True)
    order = np.lexsort((-used, -np.bincount(greys)))  # of equal counts, the brightest first
    samples = np.argsort(order)[greys].astype(np.uint8).reshape(height, width, 1)
    palette = np.repeat(used[order].astype(np.uint8), 3).tobytes()
    return vaezip.Picture("P", samples, (("palette", palette),))


def sensed(mode: str, height: int, width: int, seed: int) -> vaezip.Picture:
    """Waves of light on a sensor of 12 bits, with the noise of photons; rows of its corner stand twice."""
    y, x = np.mgrid[:height, :width]
    light = np.stack(
        [2000 + 900 * np.sin(x / (6 + c)) + 700 * np.cos(y / 5) for c in range(vaezip.pictures.MODES[mode].channels)],
        -1,
    )
    grain = np.random.default_rng(seed).integers(-30, 31, light.shape) + np.random.default_rng(seed).integers(-9, 9)
    samples = np.rint(light + grain).astype(np.uint16)
    samples[1 : height // 2 : 2, : width // 2] = samples[: height // 2 - height // 2 % 2 : 2, : width // 2]
    return vaezip.Picture(mode, samples)


def feathered(height: int, width: int, seed: int) -> vaezip.Picture:
    """The same in RGB, more and more transparent towards the corners, with some grain."""
    y, x = np.mgrid[:height, :width]
    distance = (2 * x - width) ** 2 + (2 * y - height) ** 2
    grain = np.random.default_rng(seed).integers(0, 12, (height, width))
    alpha = np.clip(300 - distance // 8 - grain, 0, 255).astype(np.uint8)[..., None]
    return vaezip.Picture("RGBA", np.concatenate([odd("RGB", height, width, seed).samples, alpha], axis=2))


def cut_out(height: int, width: int, seed: int) -> vaezip.Picture:
    """The same in RGB, transparent outside of a rectangle."""
    samples = odd("RGBA", height, width, seed).samples
    samples[..., 3] = 0
    samples[height // 4 : -height // 4, width // 4 : -width // 4, 3] = 255
    return vaezip.Picture("RGBA", samples)


def drawing(mode: str, height: int, width: int, seed: int) -> vaezip.Picture:
    """Draw rectangles, a soft edge and a few dots in few colours."""
    rng = np.random.default_rng(seed)
    form = vaezip.pictures.MODES[mode]
    colours = rng.integers(0, {"1": 2, "P": 16}.get(mode, 256), (6, form.channels)).astype(np.uint8)
    samples = np.tile(colours[0], (height, width, 1))
    for i in range(8):
        y, x = rng.integers(0, height - 8), rng.integers(0, width - 8)
        samples[y : y + 10, x : x + 14] = colours[i % 6]
    samples[rng.integers(0, height, 20), rng.integers(0, width, 20)] = colours[5]
    if form.channels > 2:  # more colours than a palette holds
        place, fall = np.arange(form.channels), rng.integers(0, 256, (16, 18, 1))
        samples[4:20, 6:24] = fall // (1 + place) + 60 * rng.integers(0, 3, (16, 18, 1)) * (place == 1)
    boxes = (("palette", bytes(range(48))),) if mode == "P" else ()
    return vaezip.Picture(mode, samples, boxes)


def halftone(height: int, width: int) -> vaezip.Picture:
    """Draw a ramp in black and white, by a screen of 4 by 4 pixels."""
    y, x = np.mgrid[:height, :width]
    screen = (4 * (x % 4) + 5 * (y % 4) * (1 + x % 2)) % 16
    return vaezip.Picture("1", (screen * width < 16 * (x + y % 7))[..., None].astype(np.uint8))


def noise(mode: str, height: int, width: int, seed: int) -> vaezip.Picture:
    """Draw samples of which nothing is known."""
    channels = vaezip.pictures.MODES[mode].channels
    samples = np.random.default_rng(seed).integers(0, 256, (height, width, channels)).astype(np.uint8)
    return vaezip.Picture(mode, samples)


def pieced(height: int, width: int, seed: int) -> vaezip.Picture:
    """Draw a picture with a rectangle in it of which nothing is known."""
    found = drawing("L", height, width, seed)
    found.samples[9:75, 11:77] = noise("L", 66, 66, seed).samples // 3
    return found


def born(height: int, width: int, seed: int) -> vaezip.Picture:
    """The same as colours of a JPEG, with a corner of which nothing is known."""
    planes = odd("RGB", height, width, seed).samples // 4 + np.array([100, 90, 105], np.uint8)
    planes[..., 1] += odd("L", height, width, seed).samples[..., 0] // 4
    samples = named()[0].map.samples(planes[None])[0]
    samples[:3, :4] = np.random.default_rng(seed).integers(0, 256, (3, 4, 3))
    return vaezip.Picture("RGB", samples)


def halved(height: int, width: int, number: int, sampling: Sampling) -> vaezip.Picture:
    """The same as colours of a map whose chroma was at half the resolution, with a corner of which nothing is known."""
    luma = 60 + odd("L", height, width, seed=number).samples[None, ..., 0] // 2
    chroma = np.random.default_rng(number).integers(110, 140, (2, 1, *sampling.small((height, width))))
    sheets = sampling.joined(luma, chroma.astype(np.uint8))
    samples = named()[number].map.samples(sampling.planes(sheets, (height, width)))[0]
    samples[:3, :4] = 77
    return vaezip.Picture("RGB", samples)


def seen(height: int, width: int, seed: int) -> vaezip.Picture:
    """Draw what a sensor behind a mosaic sees, with a mark that is drawn on it afterwards."""
    layout = Layout(0, 1, 1, COPIED)
    samples = odd("RGB", height, width, seed).samples // 2
    mosaic = np.take_along_axis(samples, layout.channels(height, width)[..., None], axis=-1)[None, ..., 0]
    colours = layout.colours(mosaic.astype(np.int64))[0].astype(np.uint8)
    colours[9, 9] = 3
    return vaezip.Picture("RGB", colours)


def spread(mode: str, height: int, width: int, seed: int) -> vaezip.Picture:
    """The same as ``odd`` with more contrast, or 8 bits of it in 16."""
    samples = odd(mode.removesuffix(";16"), height, width, seed).samples
    return vaezip.Picture(mode, samples.astype(np.uint16) * 257 if mode.endswith("16") else samples + samples // 2)


def decoded(mode: str, height: int, width: int, seed: int) -> vaezip.Picture:
    """Decode a JPEG, 4:2:0 where it has colours, with a mark drawn on it afterwards, and its first rows cut off."""
    picture, out = odd(mode, height + 5, width, seed), io.BytesIO()
    pixels = picture.samples + (60 * np.sin(np.arange(width) / 5)).astype(np.int64)[:, None]
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8).squeeze(), mode)
    image.save(out, "JPEG", quality=85)
    samples = np.array(Image.open(out)).reshape(height + 5, width, -1)[5:]
    samples[9:12, 20:24] = 7
    return vaezip.Picture(mode, np.ascontiguousarray(samples))


def rounded_once(blocks: tuple[int, int], seed: int) -> vaezip.Picture:
    """Draw coefficients in grey, and decode them as in floating point."""
    random = np.random.default_rng(seed)
    coefficients = (random.integers(-6, 7, (*blocks, 64)) // (1 + np.arange(64) // 3)).astype(np.int16)
    size = 8 * blocks[0], 8 * blocks[1]
    description = Description(size, (0, 0), (1, 1), False, (standard_steps(75, False),), rounds_once=True)
    return vaezip.Picture("L", jpeg_picture.picture(description, jpeg_picture.planes(description, [coefficients])))


def described(height: int, width: int, seed: int) -> vaezip.Picture:
    """Draw a picture by a palette that has metadata of every kind."""
    picture = odd("P", height, width, seed)
    contents = {
        "transparency": [b"\0\x80"],
        "icc": [b"profile" * 20],
        "exif": [b"II*\0\x08\0\0\0\0\0\0\0\0\0"],
        "xmp": [b"<x:xmpmeta/>"],
        "text": [b"Title\0\0\0golden", "Author\0de\0Autor\0Jürgen".encode()],
        "resolution": [b"\0\0\x0b\x13\0\0\x0b\x13\1"],
        "gamma": [b"\0\0\xb1\x8f"],
        "cicp": [b"\x0c\x0d\0\1"],
        "mastering-display": [bytes(range(24))],
        "light-levels": [bytes(range(8))],
        "srgb": [b"\0"],
        "chromaticities": [bytes(range(32))],
        "significant-bits": [b"\5\6\5"],
        "png-chunk": [b"\0bKGD\1", b"\0vpAgdata", b"\1vpAg"],
        "bit-depth": [b"\x08"],
    }
    boxes = tuple((name, content) for name, several in contents.items() for content in several)
    return vaezip.Picture("P", picture.samples, picture.boxes + boxes)


def cases() -> dict[str, tuple[Pictures, dict[str, object]]]:
    """For each file its pictures (a single one is called "") and the options of ``compress``."""
    found: dict[str, tuple[Pictures, dict[str, object]]] = {}
    for name in model_file.shipped():
        model = vaezip.load_model(model_file.find(name))
        drawn = sample(model, SET, seed=0)
        for steps, effort in STEPS.items():
            options = {"model": name, "effort": effort}
            found[f"{name}-k{steps}"] = {"": drawn[0]}, options
            found[f"{name}-set-k{steps}"] = {f"{i}.png": p for i, p in enumerate(drawn)}, options
            if model.architecture.tiled:
                mode = "RGBA" if model.architecture.channels == 3 else "LA"
                found[f"{name}-odd-k{steps}"] = {"": odd(mode, *ODD, seed=1)}, options
    for preset, effort in PRESETS.items():
        found[f"photo-p{preset}"] = {"": odd("RGB", *ODD, seed=3)}, {"model": "photo", "effort": effort}
    found["photo-gray-p6"] = {"": odd("L", 130, 131, seed=11)}, {"model": "photo-gray", "effort": PRESETS[6]}
    several = {f"{i}.png": odd("RGB", 33, 40, seed=i) for i in range(3)}
    found["photo-solid"] = several, {"model": "photo", "effort": PRESETS[6], "solid": True}
    found["photo-alpha"] = {"": feathered(61, 83, seed=5)}, {"model": "photo"}
    found["photo-cut-out"] = {"": cut_out(61, 83, seed=5)}, {"model": "photo"}
    found["photo-born"] = {"": born(*ODD, seed=12)}, {"model": "photo"}
    for number, sampling in ((1, Sampling(True, (0, 1), TRIANGLE)), (7, Sampling(False, (0, 0), LIBJPEG))):
        found[f"halved-{number}"] = {"": halved(*ODD, number, sampling)}, {}
    found["metadata"] = {"": described(7, 9, seed=10)}, {}
    found["photo-latents-k3"] = {"": odd("RGB", 130, 131, seed=7)}, {"model": "photo", "effort": Effort(3, rows=0)}
    bilevel = vaezip.Picture("L", (odd("L", 28, 28, seed=8).samples > 60).astype(np.uint8) * 255)
    found["bilevel"] = {"": bilevel}, {"model": "mnist-binary"}
    small = {"a.png": vaezip.Picture("1", bilevel.samples // 255)}
    found["embedded"] = small, {"model": HERE.parent / "models" / "bernoulli.safetensors", "embed_model": True}
    path, learning = HERE.parent / "models" / "local-predictors.safetensors", Effort(2, 8)
    found["predictors"] = {"": feathered(70, 61, seed=10)}, {"model": path, "embed_model": True, "effort": learning}
    found["verbatim"] = {"": noise("L", 40, 30, seed=9)}, {"originals": True}
    found["verbatim-set"] = {f"{i}.pgm": noise("L", 40 + i, 30, seed=i) for i in range(2)}, {"originals": True}
    large = {f"{i}.pgm": noise("L", 300 + i, 120, seed=i) for i in range(2)}  # which have indices between them
    found["indices"] = large, {"originals": True, "modified": {"0.pgm": 1_600_000_000, "1.pgm": -1}}
    for mode in ("1", "P", "RGB", "RGBA"):
        found[f"graphic-{mode.lower()}"] = {"": drawing(mode, 40, 50, seed=12)}, {}
    found["graphic-noise"] = {"": noise("RGB", 40, 30, seed=10)}, {}
    found["graphic-set"] = {f"{i}.png": drawing("P", 24, 24, seed=i) for i in range(3)}, {}
    found["graphic-counted"] = {"": by_count(20, 30, seed=21)}, {}
    found["graphic-brief"] = {"": halftone(128, 256)}, {}
    found["jpeg-pixels-gray"] = {"": decoded("L", 40, 52, seed=12)}, {}
    found["jpeg-pixels"] = {"": decoded("RGB", 48, 61, seed=13)}, {}
    found["jpeg-pixels-once"] = {"": rounded_once((6, 7), seed=14)}, {}
    found["remade-values"] = {"": spread("LA", 40, 43, seed=3)}, {}
    found["remade-values-16"] = {"": spread("RGB;16", 40, 30, seed=4)}, {}
    doubled = drawing("RGBA", 20, 24, seed=5).samples.repeat(2, axis=0).repeat(3, axis=1)[1:, 2:]
    found["remade-repeated"] = {"": vaezip.Picture("RGBA", doubled)}, {}
    found["remade-mosaic"] = {"": seen(41, 42, seed=6)}, {}
    sepia = (odd("L", 44, 45, seed=7).samples * np.array([1.0, 0.84, 0.66])).astype(np.uint8)
    found["remade-tones"] = {"": vaezip.Picture("RGB", sepia)}, {}
    found["remade-pieces"] = {"": pieced(80, 90, seed=17)}, {}
    found["deep"] = {"": sensed("RGB;16", 20, 36, seed=15)}, {}
    found["deep-linked"] = {f"{i}.png": sensed("I;16", 40, 50, seed=i) for i in range(2)}, {}
    found["deep-alpha"] = {"": sensed("LA;16", 30, 31, seed=16)}, {}
    modes = enumerate(vaezip.pictures.MODES)
    found["archive"] = {f"{i:02d} {mode.replace(';', '-')}.png": odd(mode, 9, 7, seed=i) for i, mode in modes}, {}
    return found


def compress(pictures: Pictures, options: dict[str, object]) -> bytes:
    """The file of one case."""
    options = {"effort": DEFAULT, **options}
    originals, modified = options.pop("originals", False), options.pop("modified", {})
    with patch.object(blocks, "SET_SAMPLES", SAMPLES), vaezip.Compressor(**options) as compressor:
        for name, picture in pictures.items():
            file = original(picture) if originals else None
            compressor.add(name, picture, original=file, modified=modified.get(name))
        return compressor.close()


def original(picture: vaezip.Picture) -> bytes:
    """Make a file of 13 bytes and the samples, which no codec makes shorter where they are noise."""
    return vaezip.pictures.write(picture, ".pgm")


def to_arrays(pictures: Pictures) -> dict[str, np.ndarray]:
    """Samples, modes and boxes by number, names in their order."""
    arrays: dict[str, np.ndarray] = {
        "names": np.array(list(pictures)),
        "modes": np.array([p.mode for p in pictures.values()]),
    }
    for i, picture in enumerate(pictures.values()):
        arrays[f"samples {i}"] = picture.samples
        for j, (tag, content) in enumerate(picture.boxes):
            arrays[f"box {i} {j} {tag}"] = np.frombuffer(content, np.uint8)
    return arrays


def from_arrays(arrays: dict[str, np.ndarray]) -> Pictures:
    """Inverse of :func:`to_arrays`."""
    found: Pictures = {}
    for i, (name, mode) in enumerate(zip(arrays["names"], arrays["modes"])):
        keys = [k for k in arrays if k.startswith(f"box {i} ")]
        boxes = tuple((k.split(" ", 3)[3], arrays[k].tobytes()) for k in keys)
        found[str(name)] = vaezip.Picture(str(mode), np.ascontiguousarray(arrays[f"samples {i}"]), boxes)
    return found


def main(folder: Path = HERE) -> None:
    """Write what is missing, with a name that tells the model's fingerprint."""
    for name, (pictures, options) in cases().items():
        vz, npz = folder / f"{name}.vz", folder / f"{name}.npz"
        if vz.exists() or npz.exists():
            print(f"{vz.name}: exists, left alone", file=sys.stderr)
            continue
        vz.write_bytes(compress(pictures, options))
        np.savez_compressed(npz, **to_arrays(pictures))
    for jpeg in sorted(folder.glob("*.jpg")):  # which come back byte for byte
        vz = Path(f"{jpeg}.vz")
        if not vz.exists():
            vz.write_bytes(vaezip.compress(jpeg))


if __name__ == "__main__":
    main()
