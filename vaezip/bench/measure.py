"""Measure rate and time of one method: real files, each read back, decoded and compared.

What a clock covers:

* ``compress``: from pixels in memory to the bytes of the file, the codec's own verification
  included where it has one, for that is what its user waits for;
* ``encode``: the same without verification;
* ``decompress``: from the bytes of the file to pixels in memory.

Reading pictures and writing files are outside, and so are a warm-up, which loads the model, fills
tables and compiles, and our own comparison of the pictures.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vaezip.bench import memory
from vaezip.bench.method import Method, MismatchError, Named
from vaezip.pictures.datasets import Collection
from vaezip.pictures.picture import Picture

_BUDGET = 10.0
"""Seconds after which the work on a set is not repeated any more."""

_WARM_UP_PICTURES = 16
_WARM_UP_SIDE = 64
_FEW = 10
_ENCODED_AGAIN = 32

Result = TypeVar("Result")


@dataclass(frozen=True)
class ImageFigures:
    """Hold the figures of one picture in a file of its own; times are in seconds."""

    name: str
    bytes: int
    bpd: float
    compress_s: float
    decompress_s: float


@dataclass(frozen=True)
class Figures:
    """Hold what was measured of a method in one order.

    Attributes:
        bytes: of all files.
        files: how many.
        bpd: bits a value: 8 · bytes / (pixels · channels).
        compress_s, encode_s, decompress_s: seconds an image; see the module.
        compress_mb_s, decompress_mb_s: 10⁶ bytes of pixels in memory a second.
        repeats: what the medians are taken over: passes over the set, or single images.
        peak_mb: the process's peak memory in 10⁶ bytes, None where unknown.
        lossless: True; a mismatch ends the run.
        images: figures of every picture in a file of its own.
    """

    order: str
    bytes: int
    files: int
    bpd: float
    compress_s: float
    encode_s: float
    decompress_s: float
    compress_mb_s: float
    decompress_mb_s: float
    repeats: int
    peak_mb: float | None = None
    lossless: bool = True
    images: list[ImageFigures] = field(default_factory=list)


def measure(method: Method, pictures: Collection, *, order: str, repeats: int, folder: Path) -> Figures:
    """Measure a method.

    Args:
        method: what to measure.
        pictures: at least one.
        order: ``set`` or ``single``.
        repeats: of the work on a set, at most.
        folder: where files are written to.

    Raises:
        MismatchError: a picture did not come back.
    """
    return (measure_set if order == "set" else measure_single)(method, pictures, repeats=repeats, folder=folder)


def measure_set(method: Method, pictures: Collection, *, repeats: int, folder: Path) -> Figures:
    """Measure all pictures together."""
    held = _held(pictures)
    count, (values, raw) = len(held), _sizes(held)
    memory.reset_peak()
    _warm_up(method, [(name, _small(picture)) for name, picture in held[:_WARM_UP_PICTURES]])
    prepared = method.prepare(held)
    del held  # a codec that takes pictures in another form need not have them in memory twice
    compress, encode, decompress = _Clock(), _Clock(), _Clock()
    files = compress.time_often(lambda: method.encode(prepared, True), repeats)
    if method.verifies:
        _check_same_files(method, encode.time_often(lambda: method.encode(prepared, False), repeats), files)
    read = _through_disk(files, folder, method.suffix)
    decoded = decompress.time_often(lambda: method.decode(read, prepared), repeats)
    peak = memory.peak_mb()
    held = _held(pictures)
    for (_, picture), i, back in zip(held, pictures.indices, method.restore(decoded, held), strict=True):
        _check_same(method, "set", pictures.labels[i], picture, back)
    total = sum(map(len, files))
    return Figures(
        "set",
        total,
        len(files),
        8 * total / values,
        compress.median / count,
        (encode if method.verifies else compress).median / count,
        decompress.median / count,
        raw / 1e6 / compress.median,
        raw / 1e6 / decompress.median,
        len(compress.seconds),
        peak,
    )


def measure_single(method: Method, pictures: Collection, *, repeats: int, folder: Path) -> Figures:
    """Measure every picture in a file of its own, read when its turn comes; each is coded once, where there are not
    few."""
    memory.reset_peak()
    first = pictures[0][1]
    _warm_up(method, [("", _small(first))])
    found: list[ImageFigures] = []
    raws: list[int] = []
    values = 0
    encode: _Clock = _Clock()
    for _ in range(repeats if len(pictures) <= _FEW else 1):
        for name, picture in pictures:
            found.append(_measure_one(method, name, picture, folder, encode))
            raws.append(picture.samples.nbytes)
            values += picture.samples.size
    total = sum(f.bytes for f in found)
    compress_s = statistics.median(f.compress_s for f in found)
    return Figures(
        "single",
        total * len(pictures) // len(found),
        len(pictures),
        8 * total / values,
        compress_s,
        encode.median if method.verifies else compress_s,
        statistics.median(f.decompress_s for f in found),
        statistics.median(raw / 1e6 / f.compress_s for raw, f in zip(raws, found)),
        statistics.median(raw / 1e6 / f.decompress_s for raw, f in zip(raws, found)),
        len(found),
        memory.peak_mb(),
        images=found[: len(pictures)],
    )


def _measure_one(method: Method, name: str, picture: Picture, folder: Path, encode: _Clock) -> ImageFigures:
    compress, decompress = _Clock(), _Clock()
    alone = [("", picture)]
    prepared = method.prepare(alone)
    files = compress.time(lambda: method.encode(prepared, True))
    if method.verifies and len(encode.seconds) < _ENCODED_AGAIN:
        _check_same_files(method, encode.time(lambda: method.encode(prepared, False)), files)
    read = _through_disk(files, folder, method.suffix)
    decoded = decompress.time(lambda: method.decode(read, prepared))
    (back,) = method.restore(decoded, alone)
    _check_same(method, "single", name, picture, back)
    size = sum(map(len, files))
    return ImageFigures(name, size, 8 * size / picture.samples.size, compress.median, decompress.median)


def _held(pictures: Collection) -> list[Named]:
    """Read all pictures of a set into memory.

    Numbered pictures are called by their place, so that names cost next to nothing.
    """
    return [(f"{i:05d}" if pictures.numbered else name, picture) for i, (name, picture) in enumerate(pictures)]


class _Clock:
    """Count the wall-clock seconds of some work, done one or more times."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    @property
    def median(self) -> float:
        """Return the median of all that was timed."""
        return statistics.median(self.seconds)

    def time(self, work: Callable[[], Result]) -> Result:
        """Do the work once; the collector of garbage, which might run at any time, waits."""
        collected = gc.isenabled()
        gc.disable()
        try:
            start = time.perf_counter()
            result = work()
            self.seconds.append(time.perf_counter() - start)
        finally:
            if collected:
                gc.enable()
        return result

    def time_often(self, work: Callable[[], Result], repeats: int) -> Result:
        """Do the work until it was done so often, or took long."""
        result = self.time(work)
        while len(self.seconds) < repeats and sum(self.seconds) < _BUDGET:
            result = self.time(work)
        return result


def _warm_up(method: Method, pictures: Sequence[Named]) -> None:
    prepared = method.prepare(pictures)
    method.decode(method.encode(prepared, True), prepared)


def _small(picture: Picture) -> Picture:
    """Cut the corner of a picture, which warms up as well as the whole, sooner; unless it is black and white alone."""
    corner: NDArray[Any] = np.ascontiguousarray(picture.samples[:_WARM_UP_SIDE, :_WARM_UP_SIDE])
    if np.isin(corner, (0, 255)).all():
        return picture
    return Picture(picture.mode, corner, picture.boxes, original=picture.original)


def _through_disk(files: Sequence[bytes], folder: Path, suffix: str) -> list[bytes]:
    """Write the files, and read them back."""
    paths = [folder / f"{i:06d}{suffix}" for i in range(len(files))]
    for path, data in zip(paths, files):
        path.write_bytes(data)
    return [path.read_bytes() for path in paths]


def _sizes(pictures: Sequence[Named]) -> tuple[int, int]:
    """Count the values and bytes of all samples."""
    samples = [picture.samples for _, picture in pictures]
    return sum(s.size for s in samples), sum(s.nbytes for s in samples)


def _check_same(method: Method, order: str, name: str, picture: Picture, decoded: Picture) -> None:
    same = picture.mode == decoded.mode and picture.boxes == decoded.boxes
    if not same or not np.array_equal(picture.samples, decoded.samples):
        raise MismatchError(f"image '{name}' did not come back bit for bit from {method.name} ({order})")


def _check_same_files(method: Method, one: Sequence[bytes], other: Sequence[bytes]) -> None:
    if list(one) != list(other):
        raise MismatchError(f"{method.name} made different files of the same pictures")
