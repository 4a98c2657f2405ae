"""Fixtures: pictures that integers draw, and small models trained on them in a moment."""

from __future__ import annotations

import os

# before NumPy is imported: tests run side by side, and threads of each would be in the way of the others
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

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

Pixels = NDArray[np.uint8]

LONGEST = ("test_compressor.py", "test_bitsback.py", "test_exactness.py")
"""These go first, lest one of them be left for a single process at the end. Exactness waits until others have
compiled the kernels that it needs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Change the order of files."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


# the first call of a compiled kernel takes seconds, so no deadline
settings.register_profile("vaezip", deadline=None, print_blob=True)
settings.load_profile("vaezip")


def _shipped(kind: type) -> list[str]:
    pixel_architecture = {
        n: isinstance(model_file.architecture(p), PixelArchitecture) for n, p in model_file.shipped().items()
    }
    return sorted(name for name, is_local in pixel_architecture.items() if is_local == (kind is PixelModel))


def _discs(count: int, height: int, width: int, channels: int = 1, levels: int = 256, seed: int = 0) -> Pixels:
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
    return _discs


@dataclass(frozen=True)
class Small:
    """A model of a few thousand weights.

    Attributes:
        vae: its float form.
        images: what it was trained on, uint8.
    """

    name: str
    path: Path
    vae: object
    images: Pixels

    @property
    def model(self) -> TileModel:
        return model_file.load(self.path)

    @property
    def architecture(self) -> TileArchitecture:
        return self.model.architecture


def _train(architecture: TileArchitecture, images: Pixels) -> object:
    """Some steps of Adam, without the floor under p: these models start so far from their images
    that under it no gradient would lead there in so few steps."""
    import torch

    from vaezip.training.networks.tile import TileVae
    from vaezip.training.objectives import classic

    torch.manual_seed(0)
    vae = TileVae(architecture)
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-2)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=300)
    with mock.patch("vaezip.training.likelihoods.floored", lambda log_prob: log_prob):
        for step in range(300):
            loss = classic(vae, torch.from_numpy(images[step % 8 :: 8]).long())
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(vae.parameters(), 2000.0)
            optimiser.step()
            falling.step()
    return vae


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Small]:
    """One small model a likelihood: a bernoulli and a logistic MLP on 28×28, and a ResNet on tiles of 8×8."""
    from vaezip.models.posterior import Settings
    from vaezip.models.tile.mlp import mlp
    from vaezip.models.tile.resnet import resnet
    from vaezip.training.families.tile.quantize import quantize
    from vaezip.training.quantize import Precision

    folder = tmp_path_factory.mktemp("models")
    made = {}
    for name, architecture in {
        "bernoulli": mlp("bernoulli", latents=4, hidden=64),
        "logistic": mlp("logistic", latents=4, hidden=64),
        "colour": resnet(latent_channels=2, hidden=12, blocks=1, size=8),
    }.items():
        a = architecture
        images = _discs(256, *a.tile, a.channels, a.levels)
        vae = _train(a, images)
        path = folder / f"{name}.safetensors"
        model_file.save(
            path, a, Settings(), quantize(vae, images, Precision(wide=("decoder.out",))), {"made": "for tests"}
        )
        made[name] = Small(name, path, vae, images)
    return made


@pytest.fixture(scope="session", params=["bernoulli", "logistic", "colour"])
def small(request: pytest.FixtureRequest, small_models: dict[str, Small]) -> Small:
    """Each of the small models in turn."""
    return small_models[request.param]


@dataclass(frozen=True)
class SmallLocal:
    """A local-autoregressive model of a few thousand weights.

    Attributes:
        vae: its float form.
        images: what it was trained on, uint8 (pictures, 40, 40, channels).
    """

    path: Path
    vae: object
    images: Pixels

    @property
    def model(self) -> PixelModel:
        return model_file.load(self.path)


@pytest.fixture(scope="session")
def local_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SmallLocal]:
    """Small local-autoregressive models by name: for grey, for colour, and for colour with regression."""
    import torch

    from vaezip.models.pixel.architecture import RADIUS, pixel_architecture
    from vaezip.models.pixel.least_squares import shown
    from vaezip.models.posterior import Settings
    from vaezip.training.families.pixel.quantize import quantize
    from vaezip.training.families.pixel.stage import losses
    from vaezip.training.networks.pixel import PixelVae

    folder = tmp_path_factory.mktemp("local")
    made = {}
    for name, channels in {"grey": 1, "colour": 3, "regressed": 3}.items():
        torch.manual_seed(0)
        a = pixel_architecture(
            channels, hidden=32, blocks=1, head=8, mixture=3, latents=4, regressed=name == "regressed"
        )
        vae, images = PixelVae(a), _discs(64, 40, 40, channels)
        frames = torch.from_numpy(shown(a, images)).float()[:, : 32 + RADIUS, : 32 + 2 * RADIUS]
        optimiser = torch.optim.Adam(vae.parameters(), lr=1e-3)
        for step in range(100):
            part = frames[step % 4 :: 4]
            nats, kl = losses(vae, part, torch.ones(part.shape[0], 32, 32))
            loss = (nats + kl).mean() / 1000
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        path = folder / f"{name}.safetensors"
        model_file.save(path, vae.architecture, Settings(), quantize(vae, frames), {"made": "for tests"})
        made[name] = SmallLocal(path, vae, images)
    return made


@pytest.fixture(scope="session", params=["grey", "colour", "regressed"])
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
        return b"\xf4z\r\n\x01" + payloads + stored + trailer

    return make
