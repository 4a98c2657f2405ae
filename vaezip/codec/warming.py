"""Compile all kernels ahead of time, by coding small pictures of every kind that has kernels of its own.

A kernel is compiled when it is first called, and kept for the user (:mod:`vaezip.exact.kernel_cache`); so whoever makes
an image of a container, or a folder for a cluster, does here what the first commands would do. Several processes share
the pictures, and each kernel is compiled by one of them.
"""

from __future__ import annotations

import gc
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaezip.codec.archive import decompress
from vaezip.codec.compressor import compress
from vaezip.exact.jit import Kernel
from vaezip.models import file as model_file
from vaezip.models.sampling import sample
from vaezip.origins.bayer import COPIED, Layout
from vaezip.origins.colour import ColourMap, named
from vaezip.origins.upsampling import TRIANGLE, Sampling
from vaezip.pictures.picture import Picture
from vaezip.system.threads import usable_cores

_SIDE = 44


def warm(processes: int | None = None) -> None:
    """Compile everything that compressing and decompressing on this machine may need.

    Args:
        processes: that share the work; as many as there are cores, unless told.
    """
    kinds = iter(list(_KINDS))
    helpers = [Thread(target=_feed, args=(kinds,)) for _ in range((processes or usable_cores()) - 1)]
    for helper in helpers:
        helper.start()
    for kind in kinds:
        _KINDS[kind]()
    for helper in helpers:
        helper.join()


def missing() -> list[str]:
    """Name the functions of the package that this process has compiled neither for Python nor as parts of others."""
    kernels = (k for k in gc.get_objects() if isinstance(k, Kernel) and k.py_func.__module__.startswith("vaezip."))
    unused = (k for k in kernels if not k.signatures and not (k.part and k.part.overloads))
    return sorted(f"{k.py_func.__module__}.{k.py_func.__name__}" for k in unused)


def _feed(kinds: Iterator[str]) -> None:
    """Let another process do some of the kinds, while it can."""
    command = [sys.executable, "-c", "from vaezip.codec.warming import _serve; _serve()"]
    with (
        suppress(OSError),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as helper,
    ):
        assert helper.stdin is not None
        assert helper.stdout is not None
        for kind in kinds:
            helper.stdin.write(f"{kind}\n")
            helper.stdin.flush()
            if not helper.stdout.readline():
                _KINDS[kind]()  # it ended, and what it could not do is to be heard of


def _serve() -> None:
    """Do the kinds that standard input names."""
    for line in sys.stdin:
        _KINDS[line.strip()]()
        print("done", flush=True)


def _coded(picture: Any, **options: Any) -> None:
    """Code a picture, or the bytes of a file, and decode it twice: as the encoder does, and as everybody."""
    decompress(compress(picture, **options))


def _ramp(channels: int, side: int = _SIDE, top: int = 256) -> NDArray[np.uint8]:
    """Draw a ramp with noise, which is like a photograph."""
    y, x = np.mgrid[:side, :side]
    noise = np.random.default_rng(channels).integers(0, max(2, top // 40), (side, side, channels))
    return (((x + 2 * y)[..., None] * (top // 2) // (3 * side) + noise) % top).astype(np.uint8)


def _drawing(channels: int) -> NDArray[np.uint8]:
    """Draw rectangles in few colours, and some soft ones in many."""
    out = np.zeros((_SIDE, _SIDE, channels), np.uint8)
    for i in range(8):
        out[4 * i : 4 * i + 9, 3 * i : 3 * i + 12] = 25 * i
    out[:16, 20:36] = _ramp(1, 16) // (1 + np.arange(channels, dtype=np.uint8))
    return out


def _file(samples: NDArray[Any], kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(samples.squeeze()).save(out, kind, **options)
    return out.getvalue()


def _waves(channels: int) -> NDArray[np.uint8]:
    """Draw what a JPEG keeps most of."""
    y, x = np.mgrid[:64, :64]
    waves = [128 + 60 * np.sin((x + 3 * i) / (7 + i)) + 40 * np.cos(y / (5 + i)) for i in range(channels)]
    return np.clip(np.stack(waves, -1), 0, 255).astype(np.uint8)


def _was_jpeg(channels: int) -> None:
    """Code what a JPEG was decoded to, with a mark drawn on it afterwards, whole and without its first rows."""
    samples = np.array(Image.open(io.BytesIO(_file(_waves(channels), "JPEG")))).reshape(64, 64, -1)
    samples[9:12, 20:24] = 7
    for top in (0, 5):
        _coded(np.ascontiguousarray(samples[top:]), preset=1)


def _jpeg_files() -> None:
    for channels in (1, 3):
        _coded(_file(_waves(channels), "JPEG"), preset=1)
        _coded(_file(_waves(channels), "JPEG", progressive=True), preset=1)


def _fax() -> None:
    pixels = _drawing(1)[..., 0] > 60
    for kind in ("group3", "group4"):
        with suppress(OSError):  # Pillow may lack the library that writes it
            _coded(_file(pixels, "TIFF", compression=kind), preset=1)


def _origins() -> None:
    planes = _ramp(3) // 4 + np.array([100, 90, 105], np.uint8)
    born = named()[0].map.samples(planes[None])[0]
    born[:3, :4] = 77
    _coded(born, preset=1)
    for brightest in (200, 255):  # where colours are clipped, there is more to search
        sampling = Sampling(True, (0, 0), TRIANGLE)
        luma = brightest - 130 + _ramp(1)[None, ..., 0]
        chroma = np.random.default_rng(0).integers(110, 150, (2, 1, *sampling.small((_SIDE, _SIDE)))).astype(np.uint8)
        halved = named()[0].map.samples(sampling.planes(sampling.joined(luma, chroma), (_SIDE, _SIDE)))[0]
        halved[:3, :4] = 77
        _coded(halved, preset=1)
    rows = np.rint(np.array([[1.44, 1, 0], [-0.73, 1, -0.36], [0, 1, 1.8]]) * (1 << 20)).astype(int)
    unknown = ColourMap(tuple((*row, -118 * sum(row) + (100 << 20)) for row in rows.tolist()))
    many = np.random.default_rng(1).integers(90, 150, (1, 96, 96, 3)).astype(np.uint8)
    _coded(unknown.samples(many)[0], preset=1)


def _remade() -> None:
    layout = Layout(0, 1, 1, COPIED)
    mosaic = np.take_along_axis(_ramp(3) // 2, layout.channels(_SIDE, _SIDE)[..., None], axis=-1)[None, ..., 0]
    seen = layout.colours(mosaic.astype(np.int64))[0].astype(np.uint8)
    seen[9, 9] = 3
    _coded(seen, preset=1)
    spread = _ramp(1)
    _coded(spread + spread // 2, preset=1)
    _coded(_drawing(3).repeat(2, axis=0).repeat(3, axis=1), preset=1)


def _drawn() -> None:
    for picture in (_drawing(3), _drawing(1), _drawing(1) > 60):
        _coded(picture, preset=1)


def _photograph(channels: int, preset: int) -> None:
    _coded(_ramp(channels), preset=preset, model="photo" if channels == 3 else "photo-gray")


def _models() -> None:
    for name, path in sorted(model_file.shipped().items()):
        a = model_file.architecture(path)
        sample(model_file.load(path), 1, seed=0)
        samples = _ramp(a.channels, a.tile[0], a.levels)
        _coded(samples > 0 if a.levels == 2 else samples, model=name, steps=1)


def _wide() -> None:
    """Code samples of 16 bits, and alpha beside colours by a model."""
    _coded(_ramp(3).astype(np.uint16) ** 2, preset=1)
    _coded(_ramp(3).astype(np.uint16) ** 2 + _ramp(1, top=40), preset=1)
    _coded(Picture("RGBA", np.concatenate([_ramp(3), _ramp(1)], axis=2)), preset=1)


_KINDS: dict[str, Callable[[], None]] = {
    "a photograph": lambda: _photograph(3, 4),
    "drawings": _drawn,
    "a picture that was a JPEG": lambda: _was_jpeg(3),
    "JPEG files": _jpeg_files,
    "a photograph, by two networks": lambda: _photograph(3, 9),
    "a photograph in grey": lambda: _photograph(1, 4),
    "pictures of maps of colours": _origins,
    "pictures made of others": _remade,
    "pictures of each model": _models,
    "a grey picture that was a JPEG": lambda: _was_jpeg(1),
    "pictures of 16 bits": _wide,
    "facsimiles": _fax,
}
"""Kinds of pictures, those that take longest to compile first."""
