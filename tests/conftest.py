"""Fixtures: pictures that integers draw, and small models that were trained on them."""

from __future__ import annotations

import os

# before NumPy is imported: tests run side by side, and threads of each would be in the way of the others
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from vaezip.entropy import distributions as d
from vaezip.entropy.stack import Stack
from vaezip.models import file as model_file
from vaezip.models.base import Model
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.model import PixelModel
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.model import TileModel
from vaezip.vz.records import REVISION

Pixels = NDArray[np.uint8]

FIRST = (
    *("test_compressor.py", "test_bitsback.py", "test_io.py", "test_archive.py", "test_distributions.py"),
    *("test_jit.py", "test_exactness.py"),
)
"""Of two processes one has the longest file, in which it compiles the pixel network; the other is kept from
compiling the same by files that need none of it, before exactness, the second longest, does."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Change the order of files."""
    items.sort(key=lambda item: FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST))


# the first call of a compiled kernel takes seconds, so no deadline
settings.register_profile("vaezip", deadline=None, print_blob=True)
settings.load_profile("vaezip")


def _shipped(kind: type) -> list[str]:
    local = {n: isinstance(model_file.architecture(p), PixelArchitecture) for n, p in model_file.shipped().items()}
    return sorted(name for name, is_local in local.items() if is_local == (kind is PixelModel))


def draw_discs(count: int, height: int, width: int, channels: int = 1, levels: int = 256, seed: int = 0) -> Pixels:
    """See :func:`discs`."""
    rng = np.random.default_rng(seed)
    side = min(height, width)
    y, x = np.mgrid[:height, :width]
    centre_y, centre_x = (rng.integers(e // 3, e - e // 3, (count, 1, 1)) for e in (height, width))
    radius = rng.integers(max(1, side // 6), max(2, side // 3), (count, 1, 1))
    inside = ((y - centre_y) ** 2 + (x - centre_x) ** 2 < radius**2)[..., None]
    if levels == 2:
        return np.repeat(inside, channels, axis=3).astype(np.uint8)
    tone = rng.integers(80, 200, (count, 1, 1, channels))
    ramp = ((x + y) * 40 // (height + width))[None, :, :, None]
    return (np.where(inside, tone, 20) + ramp + rng.integers(0, 6, (count, height, width, channels))).astype(np.uint8)


@pytest.fixture(scope="session")
def discs() -> Callable[..., Pixels]:
    """discs(count, height, width, channels=1, levels=256, seed=0): bright discs on a dark ramp, with noise."""
    return draw_discs


MODELS = Path(__file__).parent / "models"
"""The small models, of integers: training is done in float, and no two kinds of machine would make the same ones.
``models/make_models.py`` trained them, on pictures that integers draw."""


@dataclass(frozen=True)
class Small:
    """A model of a few thousand weights.

    Attributes:
        images: what it was trained on, uint8.
    """

    name: str
    path: Path
    images: Pixels

    @property
    def model(self) -> TileModel:
        return model_file.load(self.path)

    @property
    def architecture(self) -> TileArchitecture:
        return self.model.architecture

    @property
    def vae(self) -> Any:
        """Its float form, with the very weights of its integers: what differs is the rounding of activations."""
        from vaezip.training.families.tile.quantize import dequantize
        from vaezip.training.networks.tile import TileVae

        vae = TileVae(self.architecture)
        dequantize(vae, self.model)
        return vae


@pytest.fixture(scope="session")
def small_models() -> dict[str, Small]:
    """One small model a likelihood: a bernoulli and a logistic MLP on 28×28, and a ResNet on tiles of 8×8."""
    made = {}
    for name in ("bernoulli", "logistic", "colour"):
        path = MODELS / f"{name}.safetensors"
        a = model_file.architecture(path)
        made[name] = Small(name, path, draw_discs(256, *a.tile, a.channels, a.levels))
    return made


@pytest.fixture(scope="session", params=["bernoulli", "logistic", "colour"])
def small(request: pytest.FixtureRequest, small_models: dict[str, Small]) -> Small:
    """Each of the small models in turn."""
    return small_models[request.param]


@dataclass(frozen=True)
class SmallLocal:
    """A local-autoregressive model of a few thousand weights.

    Attributes:
        images: what it was trained on, uint8 (pictures, 40, 40, channels).
    """

    path: Path
    images: Pixels

    @property
    def model(self) -> PixelModel:
        return model_file.load(self.path)

    @property
    def vae(self) -> Any:
        """Its float form, with the very weights of its integers: what differs is the rounding of units."""
        from vaezip.training.families.pixel.quantize import dequantize
        from vaezip.training.networks.pixel import PixelVae

        vae = PixelVae(self.model.architecture)
        dequantize(vae, self.model)
        return vae


@pytest.fixture(scope="session")
def local_models() -> dict[str, SmallLocal]:
    """Small local-autoregressive models by name: for grey, for colour, and for colour with one or several predictors by
    least squares."""
    channels = {"grey": 1, "colour": 3, "regressed": 3, "predictors": 3}
    return {n: SmallLocal(MODELS / f"local-{n}.safetensors", draw_discs(64, 40, 40, c)) for n, c in channels.items()}


@pytest.fixture(scope="session", params=["grey", "colour", "regressed", "predictors"])
def small_local(request: pytest.FixtureRequest, local_models: dict[str, SmallLocal]) -> SmallLocal:
    """Each of them in turn."""
    return local_models[request.param]


@pytest.fixture(scope="session", params=_shipped(TileModel) or ["none"])
def shipped(request: pytest.FixtureRequest) -> TileModel:
    """Each of the models that come with vaezip and whose pixels are independent given z, in turn."""
    return model_file.load(model_file.find(request.param))


@pytest.fixture(scope="session", params=_shipped(PixelModel) or ["none"])
def shipped_local(request: pytest.FixtureRequest) -> PixelModel:
    """Each of the local-autoregressive models that come with vaezip in turn."""
    if request.param == "none":
        pytest.skip("none is shipped")
    return model_file.load(model_file.find(request.param))


def _random_stack(words: int, seed: int = 0) -> Stack:
    return Stack.random(words, np.random.default_rng(seed))


@pytest.fixture(scope="session")
def random_stack() -> Callable[..., Stack]:
    """random_stack(words, seed=0): a stack full of noise."""
    return _random_stack


def _dream(model: Model, count: int, seed: int = 0) -> Pixels:
    a = model.architecture
    stack = _random_stack(count * (a.latents + a.dims) + 64, seed)
    if isinstance(model, PixelModel):
        return pixel_bitsback.draw(model, stack, (count, *a.tile, a.channels))
    bins = d.StandardNormal(np.zeros(count * a.latents, np.int64)).pop(stack)
    mask = np.ones((count, *a.tile), np.bool_)
    pixels = model.coder(bins.reshape(count, -1), mask).pop(stack)
    return pixels.reshape(count, *a.tile, a.channels).astype(np.uint8)


@pytest.fixture(scope="session")
def dream() -> Callable[..., Pixels]:
    """dream(model, count, seed=0): tiles drawn from the model, by integers alone."""
    return _dream


@pytest.fixture
def limited_memory() -> Callable[[int], object]:
    """limited_memory(bytes): a context in which no more than so much memory can be had in addition."""

    @contextmanager
    def limited(extra: int) -> Iterator[None]:
        try:
            import resource

            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        except (ImportError, OSError):
            yield
            return
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + extra, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)

    return limited


@pytest.fixture(scope="session")
def archive_of() -> Callable[[bytes, bytes], bytes]:
    """archive_of(directory, payloads=b""): an archive with that directory, its checksum right."""

    def make(directory: bytes, payloads: bytes = b"") -> bytes:
        stored = b"\0" + directory
        trailer = zlib.crc32(stored).to_bytes(4, "little") + len(stored).to_bytes(4, "little")
        return b"\xf5z\r\n" + bytes([REVISION]) + b"\x01" + payloads + stored + trailer

    return make
