"""Measure where the time of the codec goes, for ``speed.py`` and ``paper/figure8.py``: timers around its parts, each
counting its own time alone.

It rebinds internals of the codec by name, and so changes with them.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import vaezip
from vaezip.codec import webp
from vaezip.entropy import distributions
from vaezip.entropy.stack import Stack
from vaezip.models import file as model_file
from vaezip.models.pixel import adaptive, strips
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.adaptation import Learners
from vaezip.models.pixel.networks import PixelNetworks
from vaezip.models.posterior import Refinement
from vaezip.models.tile.networks import TileNetworks
from vaezip.models.tiling import Tiling
from vaezip.vz import archive as vz

PARTS = (
    "encoder network",
    "decoder network",
    "K steps",
    "pixel network",
    "learning",
    "distributions",
    "stack",
    "distributions and stack",
    "pictures and tiles",
    "container",
    "WebP",
    "PNG",
    "disk",
    "loading models",
    "the rest",
)
"""Popping a symbol is one kernel of distribution and stack; pushing, each has its own. The pixel network's kernel
makes the intervals too, and takes them off the stack; the regression is counted with it."""

_DISTRIBUTIONS = (
    distributions.Uniform,
    distributions.Bernoulli,
    distributions.Logistic,
    distributions.LogisticMixture,
    distributions.ColourLogistic,
    distributions.Gaussian,
    distributions.StandardNormal,
)

_TIMED: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("encoder network", TileNetworks, ("posterior",)),
    ("encoder network", PixelNetworks, ("posterior",)),
    ("decoder network", PixelNetworks, ("style_offsets",)),
    ("decoder network", TileNetworks, ("outputs",)),
    ("K steps", Refinement, ("refine",)),
    ("pixel network", pixel_bitsback, ("intervals", "pop_pixels", "frame_with_predictions")),
    ("pixel network", strips, ("intervals", "pop_pixels")),
    ("pixel network", adaptive, ("frame_with_predictions",)),
    ("learning", Learners, ("__init__", "learn")),
    *(("distributions", kind, ("__init__", "intervals")) for kind in _DISTRIBUTIONS),
    *(("distributions and stack", kind, ("pop",)) for kind in _DISTRIBUTIONS),
    ("distributions", TileNetworks, ("coder",)),
    ("pictures and tiles", vaezip.pictures.Picture, ("__post_init__",)),
    ("pictures and tiles", Tiling, ("split", "join", "fill")),
    ("stack", Stack, ("push", "to_bytes", "from_bytes")),
    ("container", vz, ("inline_header", "write_archive", "parse")),
    ("WebP", webp, ("encode", "decode", "split", "read_depth_header")),
    ("PNG", vaezip.pictures.io, ("read", "write")),
    ("disk", Path, ("read_bytes", "write_bytes")),
    ("loading models", model_file, ("load", "fingerprint")),
)


class Profile:
    """Seconds by part, over all threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._local = threading.local()
        self._lock = threading.Lock()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time inside for a part, less that of parts inside it."""
        inner: list[float] = self._local.__dict__.setdefault("inner", [])
        inner.append(0.0)
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            with self._lock:
                self.seconds[name] += spent - inner.pop()
            if inner:
                inner[-1] += spent

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with its calls counted."""

        @functools.wraps(function)
        def run(*arguments: Any, **options: Any) -> Any:
            with self.part(name):
                return function(*arguments, **options)

        return run


def profile(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of each part of some work done with one thread, in the order of :data:`PARTS`.

    The work runs in this thread and in the codec's pool; what the timers do not cover is the rest.
    """
    found = Profile()
    with ExitStack() as patches:
        for name, owner, attributes in _TIMED:
            for attribute in attributes:
                patches.enter_context(_patched(owner, attribute, functools.partial(found.timed, name)))
        start = time.perf_counter()
        work()
        total = time.perf_counter() - start
    rest = total - sum(found.seconds.values())
    return {name: max(found.seconds.get(name, 0.0), 0.0) for name in PARTS[:-1]} | {PARTS[-1]: max(rest, 0.0)}


@contextmanager
def _patched(owner: Any, attribute: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    original = vars(owner)[attribute]
    kind = type(original) if isinstance(original, (staticmethod, classmethod)) else None
    setattr(owner, attribute, kind(wrap(original.__func__)) if kind else wrap(original))
    try:
        yield
    finally:
        setattr(owner, attribute, original)
