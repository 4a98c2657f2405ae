"""Do something to a file of a batch: by a value that can be pickled, in whatever process has the job."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from vaezip.batch import names
from vaezip.batch.outcomes import described
from vaezip.batch.places import Place
from vaezip.batch.sources import Source
from vaezip.codec import sequences
from vaezip.codec.archive import Archive
from vaezip.codec.blocks import plain_bytes
from vaezip.codec.compress_options import Options
from vaezip.codec.compressor import Compressor
from vaezip.codec.read_options import ReadOptions
from vaezip.errors import FormatError, ImageError, IncompleteError, OutputError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.library import Library
from vaezip.pictures import io
from vaezip.pictures.formats import is_jpeg, most_bytes, too_large
from vaezip.pictures.picture import Picture
from vaezip.pictures.png.metadata import LEVEL
from vaezip.pictures.sequences import files as several
from vaezip.system.threads import Inline
from vaezip.vz.archive import is_vz
from vaezip.vz.records import REVISION, VERSION

_MOST_OF_RESULT = 1 << 40
"""A ``.vz`` file is as large as its owner let it become."""


@dataclass(frozen=True)
class Made:
    """Tell what a task made of a file; attributes are those of :class:`vaezip.batch.outcomes.Outcome`."""

    target: str | None = None
    pictures: int = 1
    target_bytes: int | None = None
    target_sha256: str | None = None
    pixels_sha256: str | None = None
    remarks: dict[str, list[str]] | None = None


class Task(Protocol):
    """Do the same to each file."""

    @property
    def kind(self) -> str:
        """Its name, under which a destination remembers what is done."""

    def how(self) -> str:
        """Describe all that decides the result beside the source."""

    def result(self, name: str) -> str:
        """Return a name that two sources have alike whose results may be one file."""

    def most_bytes(self) -> int:
        """Return the bytes that a source may have."""

    def do(self, source: Source, data: bytes, writer: Writer) -> Made:
        """Do it to a file.

        Raises:
            VaezipError: it cannot be done.
        """


@dataclass(frozen=True)
class Writer:
    """Writes results into a place.

    Attributes:
        place: None where nothing is written.
        force: whether what is there may be overwritten.
    """

    place: Place | None
    force: bool

    def write(self, name: str, data: bytes, *, source: str | None = None, modified: int | None = None) -> None:
        """Write a file; where the same bytes are there, as of a run that was killed, they stay.

        Raises:
            OutputError: other bytes are there, or it cannot be written.
        """
        assert self.place is not None
        try:
            self.place.write(name, data, force=self.force, source=source)
        except OutputError as error:
            if error.remedy != "overwrite" or not self._holds(name, data):
                reason = f"'{self.place.join(name)}' {error}"
                raise OutputError(reason, error.remedy) from error.__cause__ or error
        if modified is not None:
            self.place.date(name, modified)

    def _holds(self, name: str, data: bytes) -> bool:
        assert self.place is not None
        try:
            return self.place.size(name) == len(data) and self.place.read(name, len(data)) == data
        except (OSError, VaezipError):
            return False


@dataclass(frozen=True)
class Compressing:
    """Make the ``.vz`` file of a picture."""

    options: Options
    kind: str = "compress"

    def how(self) -> str:
        """See :class:`Task`; of a model its fingerprint is told, as another may take its name."""
        chosen = self.options
        effort = asdict(chosen.chosen_effort())
        model = str(chosen.model) if chosen.model == "auto" else _fingerprint(str(chosen.model))
        flags = (chosen.embed_model, chosen.solid, chosen.pixels, chosen.strict)
        return described({"format": [VERSION, REVISION], "effort": effort, "model": model, "flags": flags})

    def result(self, name: str) -> str:
        """See :class:`Task`."""
        return names.alike(name)

    def most_bytes(self) -> int:
        """See :class:`Task`."""
        return most_bytes(self.options.max_pixels)

    def do(self, source: Source, data: bytes, writer: Writer) -> Made:
        """See :class:`Task`."""
        if len(data) > self.most_bytes():
            raise too_large(self.options.max_pixels)
        if is_vz(data):
            raise ImageError("is a .vz file already")
        as_file = is_jpeg(data) and not self.options.pixels
        found = {} if as_file else several.read_all(data, self.options.max_pixels)
        picture = found.pop("", None)
        with Compressor(replace(self.options, threads=1, executor=Inline())) as compressor:
            for frame, one in found.items():
                compressor.add(frame, one)
            if not found:
                compressor.add("", picture, original=data)
            made = compressor.close()
        name = source.name + names.SUFFIX
        writer.write(name, made, source=source.path)
        dropped = [kind for one in (picture, *found.values()) if one for kind in one.dropped]
        remarks = {"dropped": list(dict.fromkeys(dropped))} if dropped else {}
        if compressor.kept:
            remarks["kept"] = list(compressor.kept.values())
        pixels = digest_of(picture) if picture else None
        return Made(name, max(1, len(found)), len(made), hashlib.sha256(made).hexdigest(), pixels, remarks)


@dataclass(frozen=True)
class Decompressing:
    """Write the pictures of a ``.vz`` file: of a set into a folder."""

    options: ReadOptions
    png_level: int = LEVEL
    kind: str = "decompress"

    def how(self) -> str:
        """See :class:`Task`; how hard zlib tried on a PNG changes no pixel."""
        return described({"salvage": self.options.salvage})

    def result(self, name: str) -> str:
        """See :class:`Task`."""
        return names.alike(names.lossless(names.without_suffix(name) or name))

    def most_bytes(self) -> int:
        """See :class:`Task`."""
        return _MOST_OF_RESULT

    def do(self, source: Source, data: bytes, writer: Writer) -> Made:
        """See :class:`Task`."""
        archive = _opened(data, self.options)
        stem = names.without_suffix(source.name)
        stem = source.name if stem is None else stem
        if archive.names == [""]:
            return self._alone(source, stem, archive, writer)
        if several.can_write(stem) and sequences.described(archive):
            with suppress(ImageError):  # where the format cannot hold them, each goes to a file of its own
                return self._sequence(source, stem, archive, writer)
        return self._set(stem, archive, writer)

    def _alone(self, source: Source, stem: str, archive: Archive, writer: Writer) -> Made:
        format, original = archive.formats().get("") or sequences.came_from(archive), archive.original()
        picture = archive.read() if original is None else None
        name = names.of_format(stem, format) if format else names.lossless(stem)
        name, made, dropped = self._as_file(name, original if picture is None else picture)
        writer.write(name, made, source=source.path)
        pixels = digest_of(picture) if picture else None
        return Made(name, 1, len(made), hashlib.sha256(made).hexdigest(), pixels, _remarks(dropped))

    def _sequence(self, source: Source, name: str, archive: Archive, writer: Writer) -> Made:
        made = sequences.rejoined(archive, os.path.splitext(name)[1])
        writer.write(name, made, source=source.path)
        return Made(name, len(archive.names), len(made), hashlib.sha256(made).hexdigest())

    def _set(self, folder: str, archive: Archive, writer: Writer) -> Made:
        files = names.file_names(archive.names, archive.formats())
        size, dropped, errors = 0, list[str](), dict[str, VaezipError]()
        for name, found in archive.contents():
            picture = found.picture if isinstance(found, IncompleteError) else found
            if isinstance(found, VaezipError):
                errors[name] = found
            if isinstance(picture, VaezipError):
                continue
            file, made, lost = self._as_file(files[name], picture, taken=files.values())
            writer.write(f"{folder}/{file}", made, modified=archive.modified(name))
            size += len(made)
            dropped += lost
        _raise_first(errors, len(archive.names))
        return Made(folder, len(archive.names), size, remarks=_remarks(dropped))

    def _as_file(self, name: str, picture: Picture | bytes | None, taken: Any = ()) -> tuple[str, bytes, list[str]]:
        """Return the name and the bytes of the file of a picture, in PNG where its format cannot hold it, and the kinds
        of metadata that it lacks."""
        if isinstance(picture, bytes) or picture is None:
            return name, picture or b"", []
        for file in (name, name + ".png"):
            suffix = "." + file.rpartition(".")[2]
            with suppress(ImageError):
                made = io.write(picture, suffix, level=self.png_level)
                if file != name and file in taken:
                    break
                return file, made, list(io.dropped_boxes(picture, suffix))
        raise ImageError(f"'{name}' cannot hold the picture exactly, and '{name}.png' is another")


@dataclass(frozen=True)
class Testing:
    """Decode a ``.vz`` file, and write nothing."""

    options: ReadOptions
    kind: str = "test"

    def how(self) -> str:
        """See :class:`Task`."""
        return described({})

    def result(self, name: str) -> str:
        """See :class:`Task`."""
        return name

    def most_bytes(self) -> int:
        """See :class:`Task`."""
        return _MOST_OF_RESULT

    def do(self, source: Source, data: bytes, writer: Writer) -> Made:
        """See :class:`Task`."""
        archive = _opened(data, self.options)
        found = None
        errors = dict[str, VaezipError]()
        for name, found in archive.contents():
            if isinstance(found, VaezipError):
                errors[name] = found
        _raise_first(errors, len(archive.names))
        pixels = digest_of(found) if archive.names == [""] and isinstance(found, Picture) else None
        return Made(None, len(archive.names), pixels_sha256=pixels)


def digest_of(picture: Picture) -> str:
    """Return the SHA-256 of mode, size and samples of a picture."""
    height, width, _ = picture.samples.shape
    found = hashlib.sha256(f"{picture.mode} {width}x{height}\n".encode())
    found.update(plain_bytes(picture.samples))
    return found.hexdigest()


def _opened(data: bytes, options: ReadOptions) -> Archive:
    if not is_vz(data):
        raise FormatError("not a .vz file")
    return Archive(data, options, executor=Inline(), threads=1)


def _remarks(dropped: list[str]) -> dict[str, list[str]]:
    return {"lacking": list(dict.fromkeys(dropped))} if dropped else {}


def _raise_first(errors: dict[str, VaezipError], count: int) -> None:
    """Raise the error of a set of which some pictures are damaged."""
    if not errors:
        return
    name, error = next(iter(errors.items()))
    if not name:
        raise error
    raise error.behind(f"{name}, the first of {len(errors):,} of {count:,} pictures that are damaged")


def _fingerprint(model: str) -> str:
    return model_file.fingerprint(model_file.find(model)).hex()


def loaded(options: Options) -> None:
    """Load a model that was chosen, lest each file report it missing.

    Raises:
        ModelError: it cannot be used.
    """
    if options.model != "auto":
        Library(device=options.device).by_name(options.model)
