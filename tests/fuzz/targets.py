"""The targets: what reads bytes of unknown origin, which errors it may raise, and what must hold of what it read.

A target *opens* bytes, and may raise the errors of its list; then it *checks* what was opened, and may raise none. An
error of the list must not hide one of ours: where it was raised because of another error, from a line of vaezip itself,
that must be of the list of causes.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

import vaezip
from tests.fuzz import mutators
from vaezip import pictures
from vaezip.codec.archive import Archive
from vaezip.errors import FormatError, ImageError, ModelError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.base import Model
from vaezip.models.effort import Effort
from vaezip.models.registry import architecture_from_json, search_of
from vaezip.pictures.formats import FORMATS
from vaezip.pictures.jpeg.parts import UnfitJpeg
from vaezip.pictures.picture import Picture
from vaezip.pictures.sequences.frame import frame_of
from vaezip.vz import archive as vz
from vaezip.vz.records import File

PACKAGE = str(Path(vaezip.__file__).parent)

MOST_PIXELS = 1 << 16
"""Pixels of a picture, here as for every reader of these targets."""

MOST_TOGETHER, MOST_PICTURES = 1 << 18, 64
"""Pixels of all pictures of a file that is decoded, and their number; of more nothing is, to be done in time."""

MOST_VALUES, MOST_LATENTS, MOST_WEIGHTS = 1 << 12, 1 << 8, 1 << 17
"""Of a model that is run, to be done in time: samples and latents of a tile, and weights."""


class Broken(Exception):  # noqa: N818 (it is none of vaezip's errors)
    """What must hold of what was read does not."""


def must(holds: bool, what: str) -> None:
    """Report what does not hold."""
    if not holds:
        raise Broken(what)


@dataclass(frozen=True)
class Target:
    """Something that reads bytes.

    Attributes:
        name: of the target, and of its folder of files.
        read: opens bytes.
        check: looks at what was opened, and returns an error that a part of it gave.
        errors: that ``read`` may raise.
        causes: that may stand behind them.
        mutate: makes other bytes of some.
        most: bytes of a file.
        memory: MiB that one file may take beside what the process has.
        seconds: of processor time that one file may take.
    """

    name: str
    read: Callable[[bytes], Any]
    check: Callable[[Any], VaezipError | None]
    errors: tuple[type[VaezipError], ...]
    causes: tuple[type[Exception], ...] = ()
    mutate: mutators.Mutator = mutators.of_bytes
    most: int = 4096
    memory: int = 128
    seconds: float = 5.0


def run(target: Target, data: bytes) -> str:
    """Try one file, and say by which error it, or a part of it, was refused; "" where it was read.

    Raises:
        Exception: whatever the target may not raise.
    """
    try:
        opened = target.read(data)
    except target.errors as error:
        return refusal(error, target)
    refused = target.check(opened)
    return refusal(refused, target) if refused else ""


def refusal(error: VaezipError, target: Target) -> str:
    """Say why a file was refused, if it was by an error that may do so."""
    must(isinstance(error, target.errors), f"{type(error).__name__} is no error of this target: {error}")
    _check_causes(error, target)
    return f"{type(error).__name__}: {general(str(error))}"


def general(text: str) -> str:
    """Make one text of all that differ in numbers and quotations alone."""
    text = re.sub(r"'[^']*'|\"[^\"]*\"", "…", text)
    return re.sub(r"\b[\w.,+-]*[0-9][\w.,+-]*", "N", text)[:120]


def _check_causes(error: BaseException, target: Target) -> None:
    """Look through an error for others that vaezip's own lines ran into."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None:
        if not isinstance(cause, (VaezipError, *target.causes)) and _is_ours(cause.__traceback__):
            raise Broken(f"{type(error).__name__} hides {type(cause).__name__}: {cause}") from cause
        cause = cause.__cause__ or cause.__context__


def _is_ours(trace: TracebackType | None) -> bool:
    """Tell whether the innermost line is one of vaezip."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_filename.startswith(PACKAGE)


# Pictures


def _read_picture(data: bytes) -> Picture:
    return pictures.read(data, MOST_PIXELS)


def _check_picture(picture: Picture) -> None:
    """A PNG holds it."""
    picture = replace(picture, original=None)
    _check_written(picture, pictures.write(picture, ".png"))


def _check_written(picture: Picture, png: bytes) -> None:
    """A PNG gives all of it back; another format that can hold the samples gives them back."""
    height, width, _ = picture.samples.shape
    must(height * width <= MOST_PIXELS, "the picture has too many pixels")
    must(pictures.same(_read_picture(png), picture), "a PNG does not give the picture back")
    for suffix in _some_suffix(picture):
        try:
            data = pictures.write(picture, suffix)
        except ImageError:
            continue
        must(np.array_equal(_read_picture(data).samples, picture.samples), f"{suffix} does not give the samples back")


def _some_suffix(picture: Picture) -> Iterator[str]:
    """Yield one of the suffixes of formats that hold such pictures: another for other samples."""
    known = [f.suffixes[0] for f in FORMATS if f.written and f.name != "PNG" and f.holds(picture.mode)]
    if known:
        yield known[zlib.crc32(picture.samples.tobytes()) % len(known)]


def _read_sequence(data: bytes) -> dict[str, Picture]:
    return pictures.read_all(data, MOST_PIXELS)


def _check_sequence(found: dict[str, Picture]) -> VaezipError | None:
    """Put together again, the pictures are the same; a single one is checked by the target of its format."""
    if "" in found:
        return None
    frame = frame_of(next(iter(found.values())).boxes)
    must(frame is not None, "a frame does not say what it is of")
    try:
        data = pictures.write_all(found, {1: ".gif", 2: ".png", 3: ".tif", 4: ".dcm", 5: ".fits"}[frame.format])
    except ImageError as error:
        return error
    must(len(_read_sequence(data)) == len(found), "together there are others")
    return None


# Files of vaezip


def _read_structure(data: bytes) -> tuple[File, Archive]:
    return vz.parse(data), Archive(data, max_pixels=MOST_PIXELS)


def _check_structure(opened: tuple[File, Archive]) -> None:
    """Names are all different, JSON holds what is told of the file, and written again it is read alike."""
    file, archive = opened
    must(len(set(archive.names)) == len(archive.names) > 0, "there are no names, or one is there twice")
    told = json.loads(json.dumps(archive.info()))
    must(len(told["pictures"]) == len(archive.names), "what is told is not what is there")
    if file.inline:
        group, (name, *_) = file.groups[0], (*file.model_names.values(), "")
        again = vz.parse(vz.inline_header(group, name) + group.blocks[0].payload)
    else:
        again = vz.parse(vz.write_archive(file.groups, file.model_names, _intact(file)))
    must(again.groups == file.groups, "written again, the file is read otherwise")


def _intact(file: File) -> dict[bytes, bytes]:
    """Unpack the models that can be unpacked."""
    found = {}
    for mark, model in file.embedded.items():
        try:
            found[mark] = model.unpack()
        except FormatError:
            continue
    return found


def _read_archive(data: bytes) -> Archive:
    return Archive(data, max_pixels=MOST_PIXELS)


def _check_decoding(archive: Archive) -> VaezipError | None:
    """What decodes can be written and is read alike; a picture read alone is that of the set."""
    groups, refused = archive.file.groups, None
    if sum(len(g.names) * g.height * g.width for g in groups) > MOST_TOGETHER or len(archive.names) > MOST_PICTURES:
        return None
    for name, picture in archive.pictures():
        if isinstance(picture, VaezipError):
            refused = picture
            continue
        must(pictures.same(archive.read(name), picture), "read alone, a picture is another")
        picture = replace(picture, original=None)
        try:
            png = pictures.write(picture, ".png")
        except ImageError as error:  # a text whose keyword no PNG can have
            refused = error
            continue
        _check_written(picture, png)
    return refused


# JPEG files


def _keep_jpeg(data: bytes) -> tuple[bytes, bytes]:
    with vaezip.Compressor(max_pixels=MOST_PIXELS, verify=False) as one:
        one.add("", None, original=data)
        return data, one.close()


def _check_kept(kept: tuple[bytes, bytes]) -> None:
    """The same bytes come back, the file is hardly larger, and what is told of it can be told."""
    data, coded = kept
    archive = Archive(coded, max_pixels=MOST_PIXELS)
    must(archive.original() == data, "the file comes back as another")
    must(len(coded) <= len(data) + 32, "the file has grown")
    json.dumps(archive.info())


# Models


def _read_model(data: bytes) -> Model:
    return model_file.loads(data, "fuzzed")


def _check_model(model: Model) -> None:
    """Its architecture is written and read alike; it refuses noise by reason; and what it codes it decodes."""
    a = model.architecture
    must(architecture_from_json(a.to_json()) == a, "the architecture is read otherwise")
    weights = sum(tensor.size for tensor in model.tensors.values())
    if a.dims > MOST_VALUES or a.latents > MOST_LATENTS or weights > MOST_WEIGHTS:
        return
    draw = np.random.default_rng(zlib.crc32(model.fingerprint))
    shape = (1, *a.tile, a.channels)
    for steps in (0, 2):
        try:
            model.decode(draw.bytes(4 * int(draw.integers(2, 2000)) + 5), shape, steps)
        except FormatError:
            continue
    planes = draw.integers(0, a.levels, shape).astype(np.uint8)
    coded = search_of(model).encode(model, planes, effort=Effort(2, rows=0), seed=7)
    found, _ = model.decode(coded.data, shape, coded.steps)
    must(np.array_equal(found, planes), "what a model codes it decodes otherwise")


PICTURES = ("png", "pnm", "jpeg", "tiff", "gif", "bmp", "webp", "jpeg2000", "avif", "dicom", "fits")
"""The readers of picture files."""

_CAUSES = (OSError, zlib.error, struct.error, UnicodeError, MemoryError)
"""What the lines that call Pillow and zlib may meet."""


def _of_pictures(name: str) -> Target:
    mutate = {"png": mutators.of_png, "webp": mutators.of_riff}.get(name, mutators.of_bytes)
    most = 1 << 14 if name == "fits" else 4096  # a FITS has blocks of 2880 bytes
    return Target(name, _read_picture, _check_picture, (ImageError,), _CAUSES, mutate, most)


_ERRORS = (FormatError, ImageError, ModelError)
_FOR_VZ = (
    zlib.error,
    struct.error,
    UnicodeError,
    UnfitJpeg,
    *model_file._MALFORMED,
)  # a file may hold a model

TARGETS = {
    t.name: t
    for t in (
        Target("vz", _read_structure, _check_structure, _ERRORS, _FOR_VZ, mutators.of_vz),
        Target("decompress", _read_archive, _check_decoding, _ERRORS, _FOR_VZ, mutators.of_vz, seconds=20),
        Target("model", _read_model, _check_model, (ModelError,), model_file._MALFORMED, mutators.of_model, 1 << 16),
        Target("jpeg-file", _keep_jpeg, _check_kept, (ImageError,), (), mutators.of_jpeg, seconds=10),
        Target("sequence", _read_sequence, _check_sequence, (ImageError,), _CAUSES, seconds=10),
        *map(_of_pictures, PICTURES),
    )
}
