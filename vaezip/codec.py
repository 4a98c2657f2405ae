"""The conductor: pictures to blocks to a file, and back.

Compressing, pictures of one mode and size form a group; a group is cut into blocks of about a
million pixels (several pictures, or a band of one), and each block is coded alone, by a model or
by the classic codec, decoded again, compared, and kept. Decompressing, blocks are independent.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip import checkpoint, container, planes
from vaezip.container import CLASSIC, Block, Group
from vaezip.cores import products_on_one_thread
from vaezip.effort import DEFAULT, DEFAULT_PRESET, Effort, chosen_effort
from vaezip.errors import FormatError, ImageError, ModelError, VaezipError
from vaezip.images import BOXES, DEFAULT_MAX_PIXELS, MODES, Picture
from vaezip.local_model import AnyModel
from vaezip.networks import AnyArchitecture
from vaezip.networks.local.architecture import RADIUS, TILE, LocalArchitecture
from vaezip.planes import BILEVEL_GREY, MOST_SIDE, dtype, fits, is_wide

Samples = NDArray[Any]

MODE_NAMES = (*MODES, BILEVEL_GREY)
"""The number of a mode in a file is its place here."""

AUTO = "auto"

ALPHA_MODEL = "photo-gray"
"""Tried beside WebP for the alpha of pictures whose colours a model codes."""

_BLOCK_PIXELS, _SOLID_PIXELS = 1 << 20, 1 << 24
_WITH_MARGINS, _IN_TILES = 2, 8
"""How many times as many pixels of a block there may be with those around each picture, and in whole tiles."""

_BAND_MULTIPLE = 32
_TRIAL_PICTURES = 32
_TRIAL_PIXELS, _TRIAL_SIDE = 1 << 17, 64


class ModelShelf:
    """Models by name, path or fingerprint, each loaded once, and again when its file has changed."""

    def __init__(self, models: Sequence[str | os.PathLike[str]] = (), device: str = "cpu") -> None:
        """``models``: further model files to look a fingerprint up in."""
        self.device = device
        self.extra = tuple(Path(m) for m in models)
        self._loaded: dict[tuple[Path, tuple[int, int]], AnyModel] = {}
        self._lock = Lock()

    def by_name(self, name: str | os.PathLike[str]) -> AnyModel:
        """A shipped model's name, or a path."""
        return self._load(checkpoint.find(os.fspath(name)))

    def by_fingerprint(self, fingerprint: bytes, name: str = "") -> AnyModel:
        """The model that a file was made with; ``name`` is what the file calls it."""
        return self._load(checkpoint.by_fingerprint(fingerprint, self.extra, name))

    def fitting(self, mode: str, height: int, width: int) -> list[AnyModel]:
        """The shipped models that can code such pictures, without those that others are always ahead of:
        where a model sees across the edges of tiles, one that does not is for pictures of one tile alone."""
        if max(height, width) > MOST_SIDE:
            return []
        architectures = {path: checkpoint.architecture(path) for path in checkpoint.shipped().values()}
        levels = planes.levels(mode)
        found = {p: a for p, a in architectures.items() if a.levels == levels and fits(a, mode, height, width)}
        across = {p for p, a in found.items() if isinstance(a, LocalArchitecture)}
        return [self._load(p) for p, a in found.items() if not across or p in across or (height, width) == a.tile]

    def file(self, fingerprint: bytes) -> bytes:
        """The bytes of the file of a model that was loaded.

        Raises:
            ModelError: it has been changed since.
        """
        path, model = next((p, m) for (p, _), m in self._loaded.items() if m.fingerprint == fingerprint)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: the model cannot be read ({error.strerror})") from error
        if checkpoint.loads(data, model.name).fingerprint != fingerprint:
            raise ModelError(f"{path}: the model has changed meanwhile; try again")
        return data

    @property
    def loaded(self) -> list[AnyModel]:
        """Those that were asked for so far."""
        return list(self._loaded.values())

    def _load(self, path: Path) -> AnyModel:
        with self._lock:
            key = path, checkpoint.version(path)
            if key not in self._loaded:
                self._loaded[key] = checkpoint.load(path, self.device)
            return self._loaded[key]


def falls_back(mode: str) -> bool:
    """Whether pictures of a mode that the model that was asked for cannot code are coded classically, not refused."""
    return not planes.levels(mode) or is_wide(mode)


def coded_mode(picture: Picture, a: AnyArchitecture | None) -> str:
    """The mode that a picture is coded in: a grey one of black and white alone as bits, unless a model
    of architecture ``a`` was asked for that codes grey."""
    height, width = picture.samples.shape[:2]
    grey = a is not None and fits(a, "L", height, width)
    if picture.mode == "L" and not grey and bool(np.isin(picture.samples, (0, 255)).all()):
        return BILEVEL_GREY
    return picture.mode


def misfit(name: str, a: AnyArchitecture, picture: Picture, coded: str) -> str | None:
    """Why the model of this name and architecture, if it is asked for, cannot code a picture.

    None where it can, and where such pictures go the classic way.

    Args:
        coded: of :func:`coded_mode`.
    """
    height, width = picture.samples.shape[:2]
    if fits(a, coded, height, width) or falls_back(coded):
        return None
    kind = {(1, 2): "black-and-white", (1, 256): "grey", (3, 256): "RGB"}[a.channels, a.levels]
    most = f" (to {MOST_SIDE:,} a side)" * isinstance(a, LocalArchitecture)
    size = f"of any size{most}" if a.tiled else f"of {a.tile[1]}×{a.tile[0]}"
    return f"model '{name}' codes {kind} pictures {size}, not {picture.mode} of {width}×{height}; use --model auto"


@dataclass
class _Pending:
    """Pictures of a group that wait for their block to fill; and of each block before, the forms it may take."""

    group: Group
    samples: list[Samples] = field(default_factory=list)
    jobs: list[Future[list[Block]]] = field(default_factory=list)


class Compressor:
    """Takes pictures one by one, codes them in blocks, and gives the file at the end.

    The bytes depend on the pictures, their order, the models and the effort alone: not on ``threads``,
    ``device`` or the machine.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = AUTO,
        effort: Effort = DEFAULT,
        device: str = "cpu",
        threads: int = 1,
        verify: bool = True,
        shelf: ModelShelf | None = None,
        embed_model: bool = False,
        solid: bool = False,
    ) -> None:
        """See :func:`compress`; a ``shelf`` saves loading models again, and then tells the device."""
        self.shelf = shelf or ModelShelf(device=device)
        self.chosen = None if model == AUTO else self.shelf.by_name(model)
        self.effort, self.verify, self.threads, self.embed_model = effort, verify, threads, embed_model
        self.block_pixels = _SOLID_PIXELS if solid else _BLOCK_PIXELS
        self._pending: dict[tuple[str, int, int], _Pending] = {}
        self._names: set[str] = set()
        self._running: list[Future[list[Block]]] = []
        self._room = container.Room()
        self._made = False
        self._resources = ExitStack()
        self._pool = _pool(threads, self._resources)

    def __enter__(self) -> Compressor:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def add(self, name: str, picture: Picture) -> None:
        """Add a picture; ``name`` must be new.

        Raises:
            ImageError: the name is taken, or a model was asked for that does not fit.
            VaezipError: the file is made.
        """
        if self._made:
            raise VaezipError("the file is made, and takes no more pictures; begin another")
        if name in self._names:
            raise ImageError(f"two pictures are called '{name}'; rename one")
        if not _is_unicode(name):
            raise ImageError("its name is not valid Unicode; rename it")
        mode, samples = self._to_coded(picture)
        height, width = samples.shape[:2]
        pending = self._pending.get((mode, height, width))
        if pending is None:
            pending = self._pending[mode, height, width] = _Pending(_new_group(mode, height, width, self.block_pixels))
        if len(pending.samples) == pending.group.per_block:
            self._submit(pending)
        self._room.take(container.PICTURES, 1)
        self._room.take(container.PIECES, len(picture.boxes))
        self._names.add(name)
        pending.group.names.append(name)
        pending.group.boxes.append(tuple((BOXES.index(tag), content) for tag, content in picture.boxes))
        pending.samples.append(samples)
        if len(pending.samples) == pending.group.per_block and self._names != {""}:  # which may become inline
            self._submit(pending)

    def close(self) -> bytes:
        """Code what is left and return the file.

        Raises:
            VaezipError: nothing was added, or a block did not decode to its pictures.
        """
        if not self._pending:
            raise ImageError("there is no picture to compress")
        self._made = True
        if self._is_inline():
            return self._pool.submit(self._close_inline).result()  # there Ctrl-C need not wait for WebP
        for pending in self._pending.values():
            if pending.samples:
                self._submit(pending)
        blocks = [job.result() for pending in self._pending.values() for job in pending.jobs]
        embedded = self._models_for(blocks) if self.embed_model else {}
        for pending in self._pending.values():
            pending.group.blocks = [_shortest(job.result(), embedded) for job in pending.jobs]
        groups = [p.group for p in self._pending.values()]
        names = {m.fingerprint: m.name if m.fingerprint in embedded else _name_to_store(m) for m in self.shelf.loaded}
        return self._checked(container.write_archive(groups, names, embedded), groups)

    def _checked(self, data: bytes, groups: list[Group]) -> bytes:
        """The file, once what a reader makes of all but the pixels is what it was made of."""
        if self.verify:
            found = container.parse(data).groups
            for group in found:
                _check_group(group, group.height * group.width)
            if found != groups:
                raise VaezipError("the file does not read back as what it was made of; please report this")
        return data

    def _models_for(self, blocks: list[list[Block]]) -> dict[bytes, bytes]:
        """The files of the models to embed, by fingerprint: all, or of those to choose from what the file gains by."""
        found = {form.model for forms in blocks for form in forms} - {CLASSIC}
        files = {fingerprint: self.shelf.file(fingerprint) for fingerprint in found}
        if self.chosen:
            return files
        sizes = {fingerprint: len(container.packed_model(data)) for fingerprint, data in files.items()}
        return {fingerprint: files[fingerprint] for fingerprint in _worth_embedding(blocks, sizes)}

    def _to_coded(self, picture: Picture) -> tuple[str, Samples]:
        """The mode and samples to code, if the model that was asked for can."""
        mode = coded_mode(picture, self.chosen.architecture if self.chosen else None)
        reason = misfit(self.chosen.name, self.chosen.architecture, picture, mode) if self.chosen else None
        if reason:
            raise ImageError(reason)
        return mode, picture.samples >> 7 if mode == BILEVEL_GREY else picture.samples

    def _is_inline(self) -> bool:
        if self.embed_model:
            return False
        pending = next(iter(self._pending.values()))
        return self._names == {""} and pending.group.bands == 1 and pending.group.mode < 16

    def _close_inline(self) -> bytes:
        pending = next(iter(self._pending.values()))
        group, samples = pending.group, np.stack(pending.samples)
        models = self._promising(group, samples)
        return min((self._inline(group, samples, model) for model in models), key=len)

    def _inline(self, group: Group, samples: Samples, model: AnyModel | None) -> bytes:
        fingerprint = model.fingerprint if model else CLASSIC
        native = model is not None and (group.height, group.width) == model.architecture.tile
        height, width = (0, 0) if native else (group.height, group.width)
        steps = self.effort.steps if model else 0
        mark = Block(fingerprint, steps, b"")
        written = replace(group, height=height, width=width, per_block=1, band=height, blocks=[mark])
        header = container.inline_header(written, _name_to_store(model) if model else "")
        checksum = _checksum(samples, zlib.crc32(header))
        written.blocks = [self._code(model, MODE_NAMES[group.mode], samples, checksum)]
        return self._checked(header + written.blocks[0].payload, [written])

    def _submit(self, pending: _Pending) -> None:
        samples = np.stack(pending.samples)
        pending.samples.clear()
        for top in range(0, pending.group.height, pending.group.band):
            band = np.ascontiguousarray(samples[:, top : top + pending.group.band])
            self._wait_for_room()
            self._running.append(self._pool.submit(self._forms, pending.group, band))
            pending.jobs.append(self._running[-1])

    def _wait_for_room(self) -> None:
        """Keep no more blocks in memory than the threads can soon take up, and end where one could not be coded."""
        running = [job for job in self._running if not job.done()]
        if len(running) > self.threads:
            wait(running[:1])
        done = [job for job in self._running if job.done()]
        self._running = [job for job in running if job not in done]
        for error in (job.exception() for job in done):
            if isinstance(error, VaezipError):
                raise type(error)(f"pictures before it could not be coded: {error}") from error
            if error:
                raise error

    def _candidates(self, group: Group) -> list[AnyModel | None]:
        """Models to try, and None for the classic codec: beside a model that was asked for, where that leaves a part
        of each sample to it."""
        mode, shape = MODE_NAMES[group.mode], (group.height, group.width)
        if not self.chosen:
            return [*self.shelf.fitting(mode, *shape), None]
        if not fits(self.chosen.architecture, mode, *shape):
            return [None]
        return [self.chosen, None] if is_wide(mode) else [self.chosen]

    def _forms(self, group: Group, samples: Samples) -> list[Block]:
        """The block by the best candidate, or by all, where only the whole file tells which models are worth it."""
        mode, checksum = MODE_NAMES[group.mode], _checksum(samples)
        forms = [self._code(model, mode, samples, checksum) for model in self._promising(group, samples)]
        return forms if self._is_open() else [min(forms, key=_length)]

    def _promising(self, group: Group, samples: Samples) -> list[AnyModel | None]:
        """The candidates to code with: all, or of many pixels the one that is best on some of them, beside the
        classic codec where a model has yet to prove worth embedding."""
        candidates, some = self._candidates(group), _some(samples)
        if len(candidates) == 1 or some.size == samples.size:
            return candidates
        mode = MODE_NAMES[group.mode]
        still = replace(self.effort, steps=0)
        sizes = [len(planes.encode(model, mode, some, still, 0)) for model in candidates]
        best = candidates[int(np.argmin(sizes))]
        return [best, None] if self._is_open() and best else [best]

    def _is_open(self) -> bool:
        """Whether only the whole file tells which models are worth embedding."""
        return self.embed_model and not self.chosen

    def _code(self, model: AnyModel | None, mode: str, samples: Samples, checksum: int) -> Block:
        steps = self.effort.steps if model else 0
        alpha_model = self._alpha_model() if model and planes.has_alpha(mode) else None
        payload = planes.encode(model, mode, samples, self.effort, checksum, self.threads, alpha_model)
        if self.verify:
            decoded, found = planes.decode(model, mode, payload, samples.shape, steps, self.shelf.by_fingerprint)
            if found != checksum or not np.array_equal(decoded, samples):
                raise VaezipError("the coded picture does not decode to itself on this machine; please report this")
        return Block(model.fingerprint if model else CLASSIC, steps, payload)

    def _alpha_model(self) -> AnyModel | None:
        """None where the file shall need nothing that it does not hold."""
        known = ALPHA_MODEL in checkpoint.shipped() and not self.embed_model
        return self.shelf.by_name(ALPHA_MODEL) if known else None


def compress(
    pictures: Picture | Iterable[tuple[str, Picture]],
    model: str | os.PathLike[str] = AUTO,
    steps: int | None = None,
    device: str = "cpu",
    threads: int = 1,
    verify: bool = True,
    embed_model: bool = False,
    preset: int = DEFAULT_PRESET,
    solid: bool = False,
) -> bytes:
    """The ``.vz`` file of one picture, or of a set of named pictures.

    Args:
        pictures: a picture, or pairs of name and picture; same-shaped pictures share a chain.
        model: a shipped model's name, the path of a model file, or ``auto``: whatever is smallest
            among the models that fit and lossless WebP; of many pictures, or a large one, whatever is
            smallest on some of it. Of 16 bits models code the upper ones that are used, and a model
            that was asked for gives way where WebP is smaller. Alpha is coded by ``photo-gray`` or WebP.
        steps: K: gradient steps on each posterior; or, by a model with a pixel network, what
            :func:`vaezip.effort.of_steps` makes of it. Repeated by the decoder.
        device: ``cpu``, or ``cuda`` where PyTorch sees one.
        threads: how many to use; the bytes are the same.
        verify: decode every block again and compare.
        embed_model: put the models that are used into the file, which then needs nothing else to be read;
            alpha goes by WebP.
        preset: where no ``steps`` are given, 1 (fast) … 9 (small).
        solid: blocks of 16 million pixels rather than one: a pixel network learns from all that is before.

    Raises:
        ImageError, ModelError: a picture or model is unfit.
        VaezipError: ``steps`` or ``preset`` is out of range.
    """
    effort = chosen_effort(steps, preset)
    with Compressor(model, effort, device, threads, verify, embed_model=embed_model, solid=solid) as compressor:
        for name, picture in [("", pictures)] if isinstance(pictures, Picture) else pictures:
            compressor.add(name, picture)
        return compressor.close()


class Archive:
    """An open ``.vz`` file; nothing is decoded before it is asked for.

    Attributes:
        names: of the pictures, in the order of the file; [""] for a single picture without a name.
    """

    def __init__(
        self,
        data: bytes,
        models: Sequence[str | os.PathLike[str]] = (),
        device: str = "cpu",
        threads: int = 1,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        shelf: ModelShelf | None = None,
    ) -> None:
        """Read the structure.

        Args:
            data: the file.
            models: model files beside the shipped ones.
            device, threads: as for :func:`compress`.
            max_pixels: refuse larger pictures.
            shelf: saves loading models again, and then tells the models and the device.

        Raises:
            FormatError: the file is damaged or of an unknown version.
        """
        self.file = container.parse(data)
        self.shelf = shelf or ModelShelf(models, device)
        self.threads = threads
        self._embedded: dict[bytes, AnyModel | FormatError] = {}
        self._lock = Lock()
        if self.file.inline:
            self._complete_inline()
        for group in self.file.groups:
            _check_group(group, max_pixels)
        self.names = [name for group in self.file.groups for name in group.names]
        if len(set(self.names)) < len(self.names):
            raise FormatError("the directory lists a name twice")

    def read(self, name: str = "") -> Picture:
        """One picture; only its block is decoded.

        Raises:
            FormatError: there is none of this name, or its block is damaged.
        """
        for group in self.file.groups:
            if name in group.names:
                index = group.names.index(name)
                first = index // group.per_block * group.per_block
                with ExitStack() as resources:
                    samples = _assembled(group, self._decode_run(_pool(self.threads, resources), group, first))
                return _to_picture(group, index, samples[index - first])
        raise FormatError(f"it holds no picture called '{name}'")

    def pictures(self) -> Iterator[tuple[str, Picture | VaezipError]]:
        """Every picture in turn, or the error that its block met."""
        with ExitStack() as resources:
            pool = _pool(self.threads, resources)
            waiting: list[tuple[Group, int, list[Future[Samples]]]] = []
            for group in self.file.groups:
                for first in range(0, len(group.names), group.per_block):
                    waiting.append((group, first, self._decode_run(pool, group, first)))
                    while sum(len(jobs) for _, _, jobs in waiting) > self.threads:
                        yield from _results(*waiting.pop(0))
            for entry in waiting:
                yield from _results(*entry)

    def model(self, fingerprint: bytes) -> AnyModel:
        """The model of a block: the one in the file, or else a shipped one or one of ``models``.

        Raises:
            FormatError: the one in the file is damaged.
            ModelError: there is none.
        """
        name = self.file.model_names.get(fingerprint, "")
        if fingerprint not in self.file.embedded:
            return self.shelf.by_fingerprint(fingerprint, name)
        with self._lock:
            if fingerprint not in self._embedded:
                try:
                    self._embedded[fingerprint] = self._unpack_model(fingerprint, name)
                except FormatError as error:  # which many blocks may meet, and which may take long to find
                    self._embedded[fingerprint] = error
            found = self._embedded[fingerprint]
        if isinstance(found, FormatError):
            raise found
        return found

    def _unpack_model(self, fingerprint: bytes, name: str) -> AnyModel:
        try:
            model = checkpoint.loads(self.file.embedded[fingerprint].unpack(), name, self.shelf.device)
        except ModelError as error:
            raise FormatError(f"the model in the file cannot be used: {error}") from error
        if model.fingerprint != fingerprint:
            raise FormatError(
                f"the model in the file has fingerprint {model.fingerprint.hex()}, not {fingerprint.hex()}, "
                "by which the file names it; the file is damaged"
            )
        return model

    def info(self) -> dict[str, Any]:
        """What the file says of itself, ready for JSON; no pixels are decoded."""
        return {
            "version": container.VERSION,
            "layout": "inline" if self.file.inline else "archive",
            "pictures": [p for group in self.file.groups for p in _describe_pictures(group)],
            "blocks": [self._describe_block(block) for group in self.file.groups for block in group.blocks],
            "models": [
                {"name": self.file.model_names[mark], "fingerprint": mark.hex(), "bytes": len(model.packed)}
                for mark, model in self.file.embedded.items()
            ],
        }

    def _describe_block(self, block: Block) -> dict[str, Any]:
        name = "webp"
        if block.model in self.file.embedded:
            name = self._name(block)
        elif block.model != CLASSIC:
            try:
                name = checkpoint.by_fingerprint(block.model, self.shelf.extra).stem
            except ModelError:
                name = self._name(block) or "unknown"
        return {"method": name, "fingerprint": block.model.hex(), "steps": block.steps, "bytes": len(block.payload)}

    def _name(self, block: Block) -> str:
        """What the file calls a block's model."""
        return self.file.model_names.get(block.model, "")

    def _complete_inline(self) -> None:
        """Fill in the size of a picture that is of its model's own."""
        group = self.file.groups[0]
        if not group.height:
            if group.blocks[0].model == CLASSIC:
                raise FormatError("the header is damaged: the picture has no size")
            model = self.model(group.blocks[0].model)
            group.height, group.width = model.architecture.tile
        group.band = group.height

    def _decode_run(self, pool: ThreadPoolExecutor, group: Group, first: int) -> list[Future[Samples]]:
        """Start on the pictures that share a block, from ``first`` on, or on the bands of one picture."""
        count = min(group.per_block, len(group.names) - first)
        start = first // group.per_block * group.bands
        jobs = []
        for i, block in enumerate(group.blocks[start : start + group.bands]):
            rows = min(group.band, group.height - i * group.band)
            shape = (count, rows, group.width, _channels(group))
            jobs.append(pool.submit(self._decode_block, group, block, shape))
        return jobs

    def _decode_block(self, group: Group, block: Block, shape: tuple[int, ...]) -> Samples:
        mode = MODE_NAMES[group.mode]
        model = None if block.model == CLASSIC else self.model(block.model)
        try:
            samples, checksum = planes.decode(model, mode, block.payload, shape, block.steps, self.model)
        except MemoryError as error:
            raise VaezipError("there is not enough memory to decode it; use fewer threads") from error
        if checksum != _checksum(samples, zlib.crc32(self.file.header) if self.file.inline else 0):
            raise FormatError("the decoded pixels fail their checksum; the file is damaged")
        return samples


def open_file(
    path: str | os.PathLike[str],
    models: Sequence[str | os.PathLike[str]] = (),
    device: str = "cpu",
    threads: int = 1,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Archive:
    """The archive in a file; see :class:`Archive`.

    Raises:
        FormatError: it cannot be read, is damaged, or of an unknown version.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}") from error
    return Archive(data, models, device, threads, max_pixels)


def decompress(
    data: bytes, models: Sequence[str | os.PathLike[str]] = (), max_pixels: int = DEFAULT_MAX_PIXELS
) -> Picture | dict[str, Picture]:
    """The picture of a file, or its pictures by name where it is a set; the arguments are those of :class:`Archive`.

    Raises:
        ImageError: a picture has more pixels than ``max_pixels``.
        FormatError: the file is damaged, or of an unknown version.
        ModelError: the model it was made with is not here.
    """
    archive = Archive(data, models, max_pixels=max_pixels)
    if archive.names == [""]:
        return archive.read()
    found = {}
    for name, picture in archive.pictures():
        if isinstance(picture, VaezipError):
            raise picture
        found[name] = picture
    return found


def _checksum(samples: Samples, before: int = 0) -> int:
    """CRC-32 of samples, lower bytes first on every machine; it goes on from ``before``."""
    return zlib.crc32(samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes(), before)


def _assembled(group: Group, jobs: list[Future[Samples]]) -> Samples:
    """The pictures of a run, (pictures, height, width, channels); a picture's bands are joined as they come."""
    if len(jobs) == 1:
        return jobs[0].result()
    out = np.empty((1, group.height, group.width, _channels(group)), dtype(MODE_NAMES[group.mode]))
    for i, job in enumerate(jobs):
        out[:, i * group.band : (i + 1) * group.band] = job.result()
    return out


def _results(group: Group, first: int, jobs: list[Future[Samples]]) -> Iterator[tuple[str, Picture | VaezipError]]:
    try:
        samples = _assembled(group, jobs)
    except VaezipError as error:
        yield from ((name, error) for name in group.names[first : first + group.per_block])
        return
    for i, picture in enumerate(samples):
        try:
            yield group.names[first + i], _to_picture(group, first + i, picture)
        except ImageError as error:  # metadata that fits no such picture
            yield group.names[first + i], error


def _length(block: Block) -> int:
    return len(block.payload)


def _shortest(forms: list[Block], embedded: Container[bytes]) -> Block:
    """The shortest form of a block that needs no model but those embedded; if there is but one form, that."""
    return min((f for f in forms if len(forms) == 1 or f.model == CLASSIC or f.model in embedded), key=_length)


def _worth_embedding(blocks: list[list[Block]], sizes: Mapping[bytes, int]) -> set[bytes]:
    """The models that make a file of such blocks short, with the models in it.

    As long as the file gets shorter, it gives up that model without which it gets shortest.

    Args:
        blocks: of each, its forms, one of them classic.
        sizes: of the models, in bytes, by fingerprint.
    """

    def length(models: set[bytes]) -> int:
        return sum(sizes[model] for model in models) + sum(_length(_shortest(forms, models)) for forms in blocks)

    models = set(sizes)
    while models:
        fewer = min((models - {model} for model in sorted(models)), key=length)
        if length(fewer) > length(models):
            break
        models = fewer
    return models


def _some(samples: Samples) -> Samples:
    """The first of many pictures; of a large one nine patches, spread over it."""
    n, height, width, _ = samples.shape
    if n > 1 or height * width <= _TRIAL_PIXELS:
        return samples[:_TRIAL_PICTURES]
    side = min(_TRIAL_SIDE, height, width)
    tops, lefts = (np.linspace(0, extent - side, 3).astype(int) for extent in (height, width))
    return np.stack([samples[0, y : y + side, x : x + side] for y in tops for x in lefts])


def _new_group(mode: str, height: int, width: int, pixels: int) -> Group:
    """How pictures of this size are cut into blocks of about so many pixels."""
    group = Group(MODE_NAMES.index(mode), height, width, band=height)
    if height * width <= pixels:
        most = (pixels // (height * width), _WITH_MARGINS * pixels // _area(group), _IN_TILES * pixels // _tiled(group))
        group.per_block = max(1, min(most))
    else:
        group.band = min(height, max(_BAND_MULTIPLE, pixels // width // _BAND_MULTIPLE * _BAND_MULTIPLE))
    return group


def _area(group: Group) -> int:
    """Pixels that a model with a pixel network keeps of a picture, or a band: with those around it."""
    return (group.band + RADIUS) * (group.width + 2 * RADIUS)


def _tiled(group: Group) -> int:
    """Pixels that a model by tiles keeps of a picture, or a band."""
    return (-(-group.band // TILE)) * (-(-group.width // TILE)) * TILE * TILE


def _check_group(group: Group, max_pixels: int) -> None:
    if group.mode >= len(MODE_NAMES):
        raise FormatError(f"picture mode {group.mode} is unknown; a newer vaezip may read it")
    unknown = [tag for boxes in group.boxes for tag, _ in boxes if tag >= len(BOXES)]
    if unknown:
        raise FormatError(f"metadata field {unknown[0]} is unknown; a newer vaezip may read it")
    pixels = max(_SOLID_PIXELS, _BAND_MULTIPLE * group.width)
    pictures = min(group.per_block, len(group.names))
    margins, tiles = (pictures * area(group) for area in (_area, _tiled))
    if pictures * group.band * group.width > pixels or (
        pictures > 1 and (margins > _WITH_MARGINS * pixels or tiles > _IN_TILES * pixels)
    ):
        raise FormatError("the directory describes blocks that are too large")
    if group.height * group.width > max_pixels:
        raise ImageError(
            f"{group.width}×{group.height} pixels are more than the limit of {max_pixels}; raise it with --max-pixels"
        )


def _is_unicode(name: str) -> bool:
    """Whether a name can be written as UTF-8; those of other file names hold surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name_to_store(model: AnyModel) -> str:
    """A model's name for readers that lack it; every vaezip has the shipped ones."""
    return "" if model.name in checkpoint.shipped() else model.name


def _to_picture(group: Group, index: int, samples: Samples) -> Picture:
    """Inverse of :meth:`Compressor._to_coded`, with the picture's metadata."""
    boxes = tuple((BOXES[tag], content) for tag, content in group.boxes[index])
    if MODE_NAMES[group.mode] == BILEVEL_GREY:
        return Picture("L", samples * np.uint8(255), boxes)
    return Picture(MODE_NAMES[group.mode], np.ascontiguousarray(samples), boxes)


def _channels(group: Group) -> int:
    mode = MODE_NAMES[group.mode]
    return 1 if mode == BILEVEL_GREY else MODES[mode].channels


def _describe_pictures(group: Group) -> Iterator[dict[str, Any]]:
    for name, boxes in zip(group.names, group.boxes):
        yield {
            "name": name,
            "mode": MODE_NAMES[group.mode].removesuffix("/2"),
            "width": group.width,
            "height": group.height,
            "metadata": sorted({BOXES[tag] for tag, _ in boxes}),
        }


def _pool(threads: int, resources: ExitStack) -> ThreadPoolExecutor:
    """Threads for blocks."""
    resources.enter_context(products_on_one_thread())
    pool = ThreadPoolExecutor(threads)
    resources.callback(pool.shutdown, wait=True, cancel_futures=True)
    return pool
