"""The plugin for Pillow: a ``.vz`` file is an image, and a set one of several frames.

``Image.open`` reads the directory alone; pixels are decoded when they are asked for, by kernels that hold no lock.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from PIL import Image, ImageFile

from vaezip.codec.archive import Archive
from vaezip.codec.compress_options import Options
from vaezip.codec.compressor import Compressor
from vaezip.errors import VaezipError
from vaezip.models.effort import DEFAULT_PRESET
from vaezip.pictures.convert import PILLOW_MODES, of_pillow
from vaezip.pictures.picture import Picture
from vaezip.pictures.pillow_info import info_of
from vaezip.system.threads import usable_cores
from vaezip.vz.archive import is_vz

FORMAT = "VZ"

DECODE_THREADS = 1
"""Threads that decode an image, for Pillow has no way to say so for each; several help with more than a megapixel."""

_SAVED_MODES = (*PILLOW_MODES, "I;16B", "I;16L")
_NO_LIMIT = 1 << 62


class PillowError(VaezipError, OSError):
    """An image cannot be opened, decoded or saved; Pillow's own plugins raise an OSError, too."""


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except PillowError:
        raise
    except VaezipError as error:
        raise PillowError(str(error), error.remedy) from error


class VzImageFile(ImageFile.ImageFile):
    """An image in a ``.vz`` file, or the frames of a set; ``info["name"]`` is what the set calls a frame."""

    format = FORMAT
    format_description = "vaezip, lossless"
    n_frames = 1
    is_animated = False
    _frame = _decoded = -1

    def _open(self) -> None:
        assert self.fp is not None
        data = self.fp.read()
        if not is_vz(data):
            raise SyntaxError("not a .vz file")
        most = Image.MAX_IMAGE_PIXELS
        with _failing():
            self._archive = Archive(data, threads=DECODE_THREADS, max_pixels=_NO_LIMIT if most is None else 2 * most)
            self.n_frames = len(self._archive)
            self.is_animated = self.n_frames > 1
            self._keys = _in_order(self._archive.names)
            self._show(0)

    def _show(self, frame: int) -> None:
        """Become a frame, as far as the directory, or the beginning of a kept file, tells."""
        key = self._keys[frame]
        look, start = self._archive.look(key), self._archive.beginning(key)
        if start is not None:
            with Image.open(io.BytesIO(start)) as image:
                self._mode, self._size, self.info = image.mode, image.size, image.info.copy()
        elif look["mode"] not in PILLOW_MODES:
            raise PillowError(f"Pillow has no mode for {look['mode']} pictures; vaezip.imread gives their samples")
        else:
            self._mode, self._size = look["mode"], (look["width"], look["height"])
            self.info = info_of(self._archive.boxes(key), look["mode"])
        if look["name"]:
            self.info["name"] = look["name"]
        self._frame = frame

    def load(self) -> Any:
        """Decode the frame, if that is not done."""
        if self._decoded != self._frame:
            with _failing():
                key = self._keys[self._frame]
                original = self._archive.original(key)
                image = self._archive.read(key).to_pil() if original is None else _decoded(original)
            self.im, self.palette, self.readonly = image.im, image.palette, image.readonly
            self._mode, self._size = image.mode, image.size
            self.tile, self._decoded = [], self._frame
            if self.fp and self._exclusive_fp:
                self.fp.close()
            self.fp = None
        return super().load()

    def seek(self, frame: int) -> None:
        """Go to a picture of a set."""
        if self._seek_check(frame):
            with _failing():
                self._show(frame)

    def tell(self) -> int:
        """Return the number of the frame."""
        return max(self._frame, 0)

    def verify(self) -> None:
        """Decode all frames, for only what they hold tells whether they are whole."""
        with _failing():
            for _, found in self._archive.contents():
                if isinstance(found, VaezipError):
                    raise found
        super().verify()

    def close(self) -> None:
        """Let the file go, and what was decoded of it."""
        super().close()
        self._archive.close()


def _in_order(names: list[str]) -> list[str]:
    """Return the names of frames: by their numbers where these are their names, for a set keeps sizes together."""
    return sorted(names, key=int) if all(name.isdecimal() and name.isascii() for name in names) else names


def _decoded(original: bytes) -> Image.Image:
    """Return the image in a file that is kept byte for byte, as Pillow decodes it."""
    image = Image.open(io.BytesIO(original))
    image.load()
    return image


def _save(image: Image.Image, file: IO[bytes], _: str | bytes) -> None:
    """Save an image, or its frame of the moment."""
    with _failing():
        options = _options(image.encoderinfo)
        with Compressor(options) as compressor:
            compressor.add("", _picture(image, image.encoderinfo))
            file.write(compressor.close())


def _save_all(image: Image.Image, file: IO[bytes], name: str | bytes) -> None:
    """Save all frames of an image, and of those that are to be appended, as a set."""
    images = [image, *image.encoderinfo.get("append_images", ())]
    counts = [getattr(one, "n_frames", 1) for one in images]
    if sum(counts) == 1:
        _save(image, file, name)
        return
    digits = len(str(sum(counts) - 1))
    with _failing(), Compressor(_options(image.encoderinfo)) as compressor:
        for number, picture in enumerate(_pictures(images, counts, image.encoderinfo)):
            compressor.add(f"{number:0{digits}d}", picture)
        file.write(compressor.close())


def _pictures(images: list[Image.Image], counts: list[int], settings: dict[str, Any]) -> Iterator[Picture]:
    """Give all frames of images, which then are at the frame where they were."""
    for image, count in zip(images, counts):
        before = image.tell()
        try:
            for frame in range(count):
                image.seek(frame)
                yield _picture(image, settings)
        finally:
            image.seek(before)


def _picture(image: Image.Image, settings: dict[str, Any]) -> Picture:
    """Return the frame of an image, with the metadata that it has, or that was given."""
    if image.mode not in _SAVED_MODES:
        raise PillowError(f"cannot write mode {image.mode} as {FORMAT}; convert it to one of {', '.join(PILLOW_MODES)}")
    image.load()
    given = {name: settings[name] for name in ("icc_profile", "exif", "xmp", "dpi", "transparency") if name in settings}
    return of_pillow(image, {**image.info, **given})


def _options(settings: dict[str, Any]) -> Options:
    """Return how to compress, by the names that other plugins of Pillow give such settings."""
    if not settings.get("lossless", True) or settings.get("quality") is not None:
        raise PillowError(f"{FORMAT} is lossless and knows no quality; effort=1…9 says how small the file gets")
    preset = settings.get("effort", settings.get("preset", DEFAULT_PRESET))
    threads = settings.get("num_threads", 1)
    named = {name: settings[name] for name in ("model", "steps", "embed_model", "block", "verify") if name in settings}
    return Options(preset=preset, threads=usable_cores() if threads < 0 else max(1, threads), **named)


def register() -> None:
    """Tell Pillow of the format; to do so twice does no harm."""
    Image.register_open(FORMAT, VzImageFile, is_vz)
    Image.register_save(FORMAT, _save)
    Image.register_save_all(FORMAT, _save_all)
    Image.register_extension(FORMAT, ".vz")
    Image.register_mime(FORMAT, "image/x-vz")
