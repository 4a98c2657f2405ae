"""Load data sets in their published layouts, or folders of pictures, from this machine or by a download.

A named data set is looked for in the caller's folder, in ``$VAEZIP_DATA`` and in the user's cache, each
with the subfolder that the published archive unpacks to. Files that are nowhere are downloaded to the
cache, which needs the extra ``bench``, and checked against the SHA-256 of the published file.

pooch downloads and checks, and no more, for two promises that ``pooch.create(env="VAEZIP_DATA")`` and
``pooch.Untar`` would break. Files that a user keeps, perhaps unpacked, packed anew or on a disk that
cannot be written, are read as they are: a ``Pooch`` takes the packed, published file alone and puts it
over any other. And a file is there whole or not at all: an ``Untar`` that was cut leaves a short one,
which the next takes for unpacked.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vaezip
from vaezip.errors import DataError, ImageError
from vaezip.pictures.formats import is_jpeg, is_picture_in_folder
from vaezip.pictures.picture import Picture

INSTALL = "install it with: pip install '.[bench]' in a checkout of vaezip"

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class _Remote:
    """A file to download: its address, and the SHA-256 of its bytes."""

    url: str
    sha256: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class _Source:
    """The places of the images of a data set, on this machine and on the network.

    Attributes:
        folder: the subfolder of the published layout.
        train, test: file names, in order.
        read: a file's bytes to uint8 (images, height, width, channels).
        homes: a file for each name, or one archive of them all.
        contents: SHA-256 of uncompressed files, by name.
    """

    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    read: Callable[[bytes], NDArray[np.uint8]]
    homes: tuple[_Remote, ...]
    contents: dict[str, str]

    def files(self, split: str) -> tuple[str, ...]:
        return {"train": self.train, "test": self.test}[split]


def _read_idx(raw: bytes) -> NDArray[np.uint8]:
    """Read the IDX format of MNIST: big-endian magic 2051, count, height, width; then the pixels."""
    magic, count, height, width = (int(n) for n in np.frombuffer(raw, ">u4", 4))
    if magic != 2051:
        raise ValueError("not an IDX file of images")
    return np.frombuffer(raw, np.uint8, offset=16).reshape(count, height, width, 1)


def _read_cifar(raw: bytes, labels: int) -> NDArray[np.uint8]:
    """Read the binary format of CIFAR: an image is a record of some labels, then 32×32 red, green and blue planes."""
    records = np.frombuffer(raw, np.uint8).reshape(-1, labels + 3072)
    return np.ascontiguousarray(records[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


_MNIST = _Source(
    "mnist",
    ("train-images-idx3-ubyte.gz",),
    ("t10k-images-idx3-ubyte.gz",),
    _read_idx,
    (
        _Remote(
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        _Remote(
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
    ),
    {
        "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
)

_CIFAR10 = _Source(
    "cifar-10-batches-bin",
    tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    ("test_batch.bin",),
    lambda raw: _read_cifar(raw, 1),
    (
        _Remote(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    {},
)

_CIFAR100 = _Source(
    "cifar-100-binary",
    ("train.bin",),
    ("test.bin",),
    lambda raw: _read_cifar(raw, 2),
    (
        _Remote(
            "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
    {},
)

_SOURCES = {"mnist": _MNIST, "mnist-binary": _MNIST, "cifar10": _CIFAR10, "cifar100": _CIFAR100}

NAMES = tuple(_SOURCES)
"""The data sets that have a name."""

_BINARY = "mnist-binary"
_THRESHOLD = 128
"""A binary pixel is 1 where the grey one is at least this (0.5 of 255, rounded up), as in the paper."""


def load(name: str, split: str, data: PathLike | None = None) -> NDArray[np.uint8]:
    """Load the images of a data set.

    Args:
        name: one of :data:`NAMES`.
        split: ``train`` or ``test``.
        data: folder that holds ``mnist/``, ``cifar-10-batches-bin/`` or ``cifar-100-binary/``;
            where they are not there, ``$VAEZIP_DATA`` and the user's cache are looked in.

    Returns:
        uint8 array (images, height, width, channels), in the order of the files.

    Raises:
        DataError: unknown name; or the files are not there and cannot be downloaded, or are damaged.
    """
    if name not in _SOURCES:
        raise DataError(f"no data set is called '{name}'; there are {', '.join(NAMES)}")
    source = _SOURCES[name]
    folder = _locate(name, source, split, data)
    images = np.concatenate([_read(source, folder / file) for file in source.files(split)])
    return (images >= _THRESHOLD).astype(np.uint8) if name == _BINARY else images


def content(file: str, data: PathLike | None = None) -> bytes:
    """Return the uncompressed bytes of any file of the published layouts, such as the labels beside images.

    Args:
        file: such as ``mnist/train-labels-idx1-ubyte.gz``.
        data: where to look first, as for :func:`load`; nothing is downloaded.

    Raises:
        DataError: it is not there, or cannot be read.
    """
    roots = _roots(data)
    for root in roots:
        if _packed_or_plain(root / file).is_file():
            return _content(root / file)
    home = roots[0] if roots else Path("DIR")
    raise DataError(f"the file '{file}' is not here; put it at {home / file}", _remedy(roots))


@dataclass(frozen=True)
class Collection:
    """Named pictures, each read when it is asked for.

    Attributes:
        name: of the data set or folder.
        indices: which of its pictures, in order.
        labels: the names of all its pictures.
        fetch: reads the picture of an index.
        numbered: whether the pictures have numbers only, as in the published files.
        verified: whether the pixels are those of the published files; None where nothing is known.
    """

    name: str
    indices: tuple[int, ...]
    labels: tuple[str, ...]
    fetch: Callable[[int], Picture]
    numbered: bool = False
    verified: bool | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: int) -> tuple[str, Picture]:
        """Return the name of picture number ``i``, and the picture."""
        index = self.indices[i]
        return self.labels[index], self.fetch(index)

    def __iter__(self) -> Iterator[tuple[str, Picture]]:
        return (self[i] for i in range(len(self)))

    def select(self, limit: int | None = None, seed: int | None = None) -> Collection:
        """Take the first ``limit`` pictures, or, with a ``seed``, as many at random without repeats."""
        count = min(limit or len(self), len(self))
        places = range(count) if seed is None else random.Random(seed).sample(range(len(self)), count)
        return replace(self, indices=tuple(self.indices[i] for i in places))


def collection(source: PathLike, split: str = "test", data: PathLike | None = None) -> Collection:
    """Return the pictures of a named data set, or of a folder and the folders in it.

    Args:
        source: one of :data:`NAMES`, or a folder; write a folder of such a name as ``./mnist``.
        split, data: as for :func:`load`; for a named data set only.

    Raises:
        DataError: there is no such data set or folder, or it holds no picture.
    """
    name = os.fspath(source)
    if name in _SOURCES:
        return _of_arrays(name, split, data)
    return _of_folder(_folder(name))


def files(source: PathLike, split: str = "test", data: PathLike | None = None) -> list[Path]:
    """Return the files that :func:`collection` reads, as far as they are here; none is read or downloaded.

    Raises:
        DataError: there is no such data set or folder, or it holds no picture.
    """
    name = os.fspath(source)
    if name in _SOURCES:
        folder = _present_in(_SOURCES[name], split, data)
        return [_packed_or_plain(folder / file) for file in _SOURCES[name].files(split)] if folder else []
    return _pictures_in(_folder(name))


def _of_arrays(name: str, split: str, data: PathLike | None) -> Collection:
    pixels = load(name, split, data)
    mode = {"mnist": "L", _BINARY: "1"}.get(name, "RGB")
    labels = tuple(f"{i:05d}" for i in range(len(pixels)))
    return Collection(
        name,
        tuple(range(len(pixels))),
        labels,
        lambda i: Picture(mode, np.ascontiguousarray(pixels[i])),
        True,
        _is_published(name, split, data),
    )


def _folder(name: str) -> Path:
    if Path(name).is_dir():
        return Path(name)
    raise DataError(f"no data set or folder is called '{name}'; data sets are {', '.join(NAMES)}")


def _pictures_in(folder: Path) -> list[Path]:
    paths = sorted(p for p in folder.rglob("*") if is_picture_in_folder(p.name) and p.is_file())
    if not paths:
        raise DataError(f"{folder} holds no picture that vaezip can read")
    return paths


def _of_folder(folder: Path) -> Collection:
    paths = _pictures_in(folder)
    labels = tuple(p.relative_to(folder).as_posix() for p in paths)
    return Collection(folder.name or os.fspath(folder), tuple(range(len(paths))), labels, lambda i: _picture(paths[i]))


def _picture(path: Path) -> Picture:
    try:
        picture, data = vaezip.pictures.read(path), path.read_bytes()
        return replace(picture, original=data) if is_jpeg(data) else picture
    except ImageError as error:
        raise DataError(f"{path}: {error}") from error


# Finding the files


def _roots(data: PathLike | None) -> list[Path]:
    """Return the folders to look in, best first."""
    return [Path(root) for root in (data, os.environ.get("VAEZIP_DATA"), _cache()) if root]


def _cache() -> Path | None:
    """Return the user's cache folder, or None without platformdirs."""
    try:
        platformdirs: Any = import_module("platformdirs")
    except ModuleNotFoundError:
        return None
    return Path(platformdirs.user_cache_dir("vaezip", appauthor=False))


def _locate(name: str, source: _Source, split: str, data: PathLike | None) -> Path:
    """Find the folder with the files of a split, or download them."""
    folder = _present_in(source, split, data)
    if folder:
        return folder
    roots = _roots(data)
    try:
        return _download(source, split)
    except DataError as error:
        home = roots[0] if roots else Path("DIR")
        where = f"put {_range_of(source.files(split))} into {home / source.folder}"
        raise DataError(f"the files of '{name}' are not here ({error}); {where}", _remedy(roots)) from error


def _remedy(roots: list[Path]) -> str | None:
    """Return the key of the remedy where there is no folder to look in."""
    return None if roots else "data-folder"


def _present_in(source: _Source, split: str, data: PathLike | None) -> Path | None:
    """Return the first folder that holds all files of a split."""
    for root in _roots(data):
        folder = root / source.folder
        if all(_packed_or_plain(folder / file).is_file() for file in source.files(split)):
            return folder
    return None


def _packed_or_plain(path: Path) -> Path:
    """Return the path if there is such a file, else the one without ``.gz``."""
    return path if path.is_file() else _plain(path)


def _plain(path: Path) -> Path:
    """Return the path without ``.gz``, under which many keep MNIST."""
    return path.with_suffix("") if path.suffix == ".gz" else path


def _range_of(files: tuple[str, ...]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} … {files[-1]}"


def _content(path: Path) -> bytes:
    """Return the uncompressed bytes of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        if path.suffix == ".gz" and path.is_file():
            return gzip.decompress(path.read_bytes())
        return _plain(path).read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}); remove it to have it downloaded again") from error


def _read(source: _Source, path: Path) -> NDArray[np.uint8]:
    try:
        return source.read(_content(path))
    except ValueError as error:
        raise DataError(f"{path} is damaged or not in the published layout; remove it and get it anew") from error


def _is_published(name: str, split: str, data: PathLike | None) -> bool | None:
    source = _SOURCES[name]
    if not source.contents:
        return None
    folder = _locate(name, source, split, data)
    return all(
        hashlib.sha256(_content(folder / file)).hexdigest() == source.contents[file] for file in source.files(split)
    )


# Downloading


def _download(source: _Source, split: str) -> Path:
    """Download the files of a split into the cache, and check them.

    Raises:
        DataError: the reason why that cannot be done.
    """
    cache = _cache()
    if cache is None:
        raise DataError(f"downloading needs platformdirs and pooch; {INSTALL}")
    folder = cache / source.folder
    for home in source.homes:
        if home.name.endswith(".tar.gz"):
            _unpack(_retrieve(home, cache), folder, source.train + source.test)
        elif home.name in source.files(split):
            _retrieve(home, folder)
    return folder


def _retrieve(home: _Remote, folder: Path) -> Path:
    """Download a file by pooch, which checks its SHA-256."""
    try:
        pooch: Any = import_module("pooch")
    except ModuleNotFoundError:
        raise DataError(f"downloading needs pooch; {INSTALL}") from None
    pooch.get_logger().setLevel("WARNING")
    try:
        downloader = pooch.HTTPDownloader(timeout=30)
        return Path(pooch.retrieve(home.url, "sha256:" + home.sha256, home.name, folder, downloader=downloader))
    except (OSError, ValueError) as error:
        reason = "its checksum is wrong" if "hash" in str(error) else type(error).__name__
        raise DataError(f"{home.url} could not be downloaded: {reason}") from error


def _unpack(archive: Path, folder: Path, files: tuple[str, ...]) -> None:
    """Move some members of an archive into a folder, each whole or not at all, and remove the archive."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as temporary, tarfile.open(archive) as tar:
        for file in files:
            member = tar.extractfile(f"{folder.name}/{file}")
            if member is None:
                raise DataError(f"{archive} does not hold {file}")
            (Path(temporary) / file).write_bytes(member.read())
        folder.mkdir(exist_ok=True)
        for file in files:
            os.replace(Path(temporary) / file, folder / file)
    archive.unlink()
