"""Measure other lossless codecs, each at its best setting, on the same pixels.

Every codec gets a picture in the form that suits it best: black and white as one bit, a palette
where its format has one, colour for JPEG-LS with green subtracted (the transform that its
extension calls HP1). What comes back is compared with what went in. Codecs of JPEG files take the files that the
pictures came in.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

import vaezip
from vaezip.bench import sheets
from vaezip.bench.method import Named, UnavailableError
from vaezip.pictures.datasets import INSTALL
from vaezip.pictures.formats import is_jpeg
from vaezip.pictures.picture import MODES, Picture

Samples = NDArray[Any]


@dataclass(frozen=True)
class Codec:
    """Code single pictures by a library.

    Attributes:
        label: for the report.
        suffix: of its files.
        encode: picture and threads to a file.
        decode: a file and the mode of its picture to a picture that looks the same.
        version: of the library.
        check: raises :class:`UnavailableError` where the library is not installed.
        refuses: why it cannot hold a picture, or None.
        of_files: whether it codes the files that pictures came in, each alone.
    """

    label: str
    suffix: str
    encode: Callable[[Picture, int], bytes]
    decode: Callable[[bytes, str], Picture]
    version: Callable[[], str]
    check: Callable[[], object]
    refuses: Callable[[Picture], str | None] = lambda picture: None
    of_files: bool = False


class Peer:
    """Make a codec a method: it codes a set as contact sheets."""

    verifies = False

    def __init__(self, name: str, threads: int = 1) -> None:
        """Choose the codec called ``name`` in :data:`CODECS`.

        Raises:
            UnavailableError: it is not installed.
        """
        self.codec = CODECS[name]
        self.codec.check()
        self.name, self.suffix, self.threads = self.codec.label, self.codec.suffix, threads

    def prepare(self, pictures: Sequence[Named]) -> list[Picture]:
        """Join the pictures to contact sheets, black and white ones as bits."""
        held = [picture for _, picture in pictures]
        if self.codec.of_files:
            return held
        return [as_bits(sheets.join(held, layout)) for layout in sheets.layouts(held)]

    def encode(self, prepared: Sequence[Picture], verify: bool) -> list[bytes]:
        """Make a file of each sheet."""
        return [self.codec.encode(sheet, self.threads) for sheet in prepared]

    def decode(self, files: Sequence[bytes], prepared: Sequence[Picture]) -> list[Picture]:
        """Decode the sheets."""
        return [self.codec.decode(data, sheet.mode) for data, sheet in zip(files, prepared)]

    def restore(self, decoded: Sequence[Picture], pictures: Sequence[Named]) -> list[Picture]:
        """Cut the pictures out of the sheets, in the modes that they had."""
        if self.codec.of_files:
            return list(decoded)
        held = [picture for _, picture in pictures]
        found: dict[int, Picture] = {}
        for layout, sheet in zip(sheets.layouts(held), decoded):
            like = sheets.join(held, layout)
            found.update(zip(layout.places, sheets.cut(as_given(sheet, like), layout, held[layout.places[0]])))
        return [found[place] for place in range(len(held))]


def variants(peer: str) -> tuple[str, ...]:
    """List the codecs that a name among the peers stands for."""
    return {"jxl": ("jxl-7", "jxl-9"), "jpeg": ("jpeg", "jpegtran", "jpeg-jxl")}.get(peer, (peer,))


def as_bits(picture: Picture) -> Picture:
    """Turn a grey picture of black and white alone into bits."""
    if picture.mode == "L" and np.isin(picture.samples, (0, 255)).all():
        return Picture("1", picture.samples.astype(np.uint8) >> np.uint8(7))
    return picture


def as_given(decoded: Picture, like: Picture) -> Picture:
    """Put a decoded picture into the mode of the one that was coded, where it can be expressed in it.

    Codecs give palettes back as colours, and black and white as grey; what differs in the
    slightest to the eye still differs.
    """
    if decoded.mode == like.mode and decoded.boxes == like.boxes:
        return decoded
    if like.mode == "P":
        return Picture("P", _indices(true_colour(decoded).samples, like), like.boxes)
    wanted = MODES[like.mode]
    found = _with_depth(_with_channels(true_colour(decoded).samples, wanted.channels), wanted.bits)
    if found.shape[2] != wanted.channels or found.dtype != wanted.dtype or (wanted.bits == 1 and found.max() > 1):
        return decoded
    return Picture(like.mode, found)


def _with_depth(samples: Samples, bits: int) -> Samples:
    """Put 8-bit samples into another depth, where they can be expressed in it."""
    if bits == 16 and samples.dtype == np.uint8:
        return samples * np.uint16(257)
    if bits == 1 and np.isin(samples, (0, 255)).all():
        return samples >> 7
    return samples


def true_colour(picture: Picture) -> Picture:
    """Resolve the palette of a picture: it becomes grey, RGB or RGBA."""
    if picture.mode == "1":
        return Picture("L", picture.samples * np.uint8(255))
    if picture.mode != "P":
        return picture
    colours = _palette(picture)[picture.samples[..., 0]]
    opaque = picture.box("transparency") is None
    return Picture("RGB" if opaque else "RGBA", np.ascontiguousarray(colours[..., : 3 if opaque else 4]))


def _palette(picture: Picture) -> NDArray[np.uint8]:
    """Return the RGBA of all 256 colours; those that the palette lacks are black."""
    table = np.zeros((256, 4), np.uint8)
    table[:, 3] = 255
    colours = np.frombuffer(picture.box("palette") or b"", np.uint8).reshape(-1, 3)
    table[: len(colours), :3] = colours
    alpha = np.frombuffer(picture.box("transparency") or b"", np.uint8)
    table[: len(alpha), 3] = alpha
    return table


def _indices(colours: Samples, like: Picture) -> NDArray[np.uint8]:
    """Find the indices coded, where each has its colour; elsewhere another index, so that the comparison fails."""
    right = (_with_channels(colours, 4) == _palette(like)[like.samples[..., 0]]).all(axis=2, keepdims=True)
    return np.where(right, like.samples, ~like.samples).astype(np.uint8)


def _with_channels(samples: Samples, wanted: int) -> Samples:
    """Turn grey to RGB and back where it is grey, and add or take away alpha where it is opaque."""
    full = np.iinfo(samples.dtype).max
    grey, alpha = samples.shape[2] < 3, samples.shape[2] in (2, 4)
    colour = samples[..., : samples.shape[2] - alpha]
    opacity = samples[..., -1:] if alpha else np.full_like(samples[..., :1], full)
    if wanted < 3 and not grey and (colour == colour[..., :1]).all():
        colour = colour[..., :1]
    elif wanted >= 3 and grey:
        colour = np.repeat(colour, 3, axis=2)
    if wanted in (2, 4) or (opacity != full).any():
        colour = np.concatenate([colour, opacity], axis=2)
    return np.ascontiguousarray(colour)


# PNG


def _encode_png(picture: Picture, _: int = 1) -> bytes:
    if picture.mode in ("LA;16", "RGB;16", "RGBA;16"):
        return vaezip.pictures.write(picture, ".png")  # Pillow cannot
    return _pillow(_image(picture), "PNG", optimize=True)


def _image(picture: Picture) -> Image.Image:
    samples = picture.samples[..., 0] if picture.samples.shape[2] == 1 else picture.samples
    if picture.mode == "1":
        return Image.fromarray(samples.astype(np.bool_))
    image = Image.fromarray(samples)
    if picture.mode == "P":
        image = image.copy()
        image.putpalette(picture.box("palette") or b"")
        transparency = picture.box("transparency")
        if transparency is not None:
            image.info["transparency"] = transparency
    return image


def _pillow(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _decode_by_pillow(data: bytes, _: str) -> Picture:
    return vaezip.pictures.read(data)


# PNG by others


def _encode_oxipng(picture: Picture, threads: int) -> bytes:
    data = _encode_png(picture)
    module = _module("oxipng")
    if module:
        return bytes(module.optimize_from_memory(data, level=6))
    return _by_program(data, "oxipng", "-q", "-o", "6", "--threads", str(threads), "--out", "{out}", "{in}")


def _encode_zopfli(picture: Picture, _: int) -> bytes:
    data = _encode_png(picture)
    module = _module("zopfli.png")
    return bytes(module.optimize(data)) if module else _by_program(data, "zopflipng", "-y", "{in}", "{out}")


def _by_program(data: bytes, *command: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        names = {"in": f"{folder}/in.png", "out": f"{folder}/out.png"}
        Path(names["in"]).write_bytes(data)
        done = subprocess.run([part.format(**names) for part in command], check=False, capture_output=True)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise UnavailableError(f"the program {command[0]} failed: {said or f'exit status {done.returncode}'}")
        return Path(names["out"]).read_bytes()


# WebP


def _refuses_webp(picture: Picture) -> str | None:
    if MODES[picture.mode].bits == 16:
        return "WebP holds no 16-bit pictures"
    if max(picture.samples.shape[:2]) > sheets.MAX_SIDE:
        return f"WebP holds no pictures of more than {sheets.MAX_SIDE:,} pixels a side"
    return None


def _encode_webp(picture: Picture, _: int) -> bytes:
    samples = _with_channels(true_colour(picture).samples, 4 if "A" in true_colour(picture).mode else 3)
    return _pillow(Image.fromarray(samples), "WEBP", lossless=True, quality=100, method=6, exact=True)


# JPEG XL and JPEG-LS, by imagecodecs


def _encode_jxl(picture: Picture, threads: int, effort: int) -> bytes:
    bits = 1 if picture.mode == "1" else None
    samples = _squeezed(picture if bits else true_colour(picture))
    codecs = import_module("imagecodecs")
    return bytes(codecs.jpegxl_encode(samples, lossless=True, effort=effort, bitspersample=bits, numthreads=threads))


def _decode_jxl(data: bytes, mode: str) -> Picture:
    return _from_array(import_module("imagecodecs").jpegxl_decode(data), mode)


def _refuses_jpegls(picture: Picture) -> str | None:
    return "JPEG-LS holds no grey pictures with alpha" if MODES[picture.mode].channels == 2 else None


def _encode_jpegls(picture: Picture, _: int) -> bytes:
    picture = picture if picture.mode == "1" else true_colour(picture)
    subtracted = Picture(picture.mode, _move_green(picture.samples, np.subtract))
    return bytes(import_module("imagecodecs").jpegls_encode(_squeezed(subtracted)))


def _decode_jpegls(data: bytes, mode: str) -> Picture:
    decoded = _from_array(import_module("imagecodecs").jpegls_decode(data), mode)
    return Picture(decoded.mode, _move_green(decoded.samples, np.add))


def _move_green(samples: Samples, how: Callable[[Samples, Samples], Samples]) -> Samples:
    """Subtract green from red and blue, or add it to them, modulo the number of levels."""
    if samples.shape[2] < 3:
        return samples
    moved = samples.copy()
    moved[..., 0:3:2] = how(samples[..., 0:3:2], samples[..., 1:2])
    return moved


def _squeezed(picture: Picture) -> Samples:
    return picture.samples[..., 0] if picture.samples.shape[2] == 1 else picture.samples


def _from_array(samples: Samples, mode: str) -> Picture:
    """Read an array (height, width) or (height, width, channels), of mode 1 where that is asked for, or by channels."""
    samples = np.ascontiguousarray(samples.reshape(*samples.shape[:2], -1))
    plain = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
    deep = {1: "I;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}[samples.shape[2]]
    if mode == "1" and samples.shape[2] == 1 and samples.max() <= 1:
        return Picture("1", samples)
    return Picture(deep if samples.dtype == np.uint16 else plain, samples)


# JPEG files


def _refuses_pixels(picture: Picture) -> str | None:
    return "is no JPEG file" if picture.original is None or not is_jpeg(picture.original) else None


def _original(picture: Picture, _: int = 1) -> bytes:
    return picture.original or b""


def _encode_jpegtran(picture: Picture, _: int) -> bytes:
    return _by_program(_original(picture), "jpegtran", "-copy", "all", "-progressive", "-outfile", "{out}", "{in}")


def _transcode(picture: Picture, threads: int) -> bytes:
    return bytes(import_module("imagecodecs").jpegxl_encode_jpeg(_original(picture), numthreads=threads))


def _decode_transcoded(data: bytes, mode: str) -> Picture:
    return _decode_file(bytes(import_module("imagecodecs").jpegxl_decode_jpeg(data)), mode)


def _decode_file(data: bytes, _: str) -> Picture:
    picture = vaezip.pictures.read(data)
    return Picture(picture.mode, picture.samples)


# What is installed


def _module(name: str) -> Any:
    """Import a module; return None where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None


def _need_png_program(module: str, package: str, program: str) -> None:
    if _module(module) is None and shutil.which(program) is None:
        raise UnavailableError(f"neither the package {package} nor the program {program} is installed")


def _need_jpegtran() -> None:
    if shutil.which("jpegtran") is None:
        raise UnavailableError("the program jpegtran is not installed")


def _need_imagecodecs(codec: str) -> None:
    codecs = _module("imagecodecs")
    if codecs is None:
        raise UnavailableError(f"imagecodecs is not installed; {INSTALL}")
    if not getattr(codecs, codec).available:
        raise UnavailableError(f"this build of imagecodecs has no {codec}")


def _need_webp() -> None:
    if not features.check("webp"):
        raise UnavailableError("this build of Pillow has no WebP")


def _version_of_program(package: str, program: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        first = done.stdout.split("\n")[0]
        return first.strip() or program


def _version_in_imagecodecs(library: str) -> str:
    codecs = import_module("imagecodecs")
    versions = dict(part.strip().split("-", 1) for part in codecs.version(str).split(",") if "-" in part)
    return f"{library} {versions.get(library, '?')}, imagecodecs {codecs.__version__}"


def _pillow_version() -> str:
    return f"Pillow {version('pillow')}"


def _jxl(effort: int) -> Codec:
    return Codec(
        f"JPEG XL effort {effort}",
        ".jxl",
        lambda picture, threads: _encode_jxl(picture, threads, effort),
        _decode_jxl,
        lambda: _version_in_imagecodecs("libjxl"),
        lambda: _need_imagecodecs("JPEGXL"),
    )


CODECS = {
    "png": Codec("PNG", ".png", _encode_png, _decode_by_pillow, _pillow_version, lambda: None),
    "oxipng": Codec(
        "PNG by oxipng",
        ".png",
        _encode_oxipng,
        _decode_by_pillow,
        lambda: _version_of_program("pyoxipng", "oxipng"),
        lambda: _need_png_program("oxipng", "pyoxipng", "oxipng"),
    ),
    "zopfli": Codec(
        "PNG by zopfli",
        ".png",
        _encode_zopfli,
        _decode_by_pillow,
        lambda: _version_of_program("zopfli", "zopflipng"),
        lambda: _need_png_program("zopfli.png", "zopfli", "zopflipng"),
    ),
    "webp": Codec(
        "WebP lossless",
        ".webp",
        _encode_webp,
        _decode_by_pillow,
        lambda: f"libwebp {features.version('webp')}, {_pillow_version()}",
        _need_webp,
        _refuses_webp,
    ),
    "jxl-7": _jxl(7),
    "jxl-9": _jxl(9),
    "jxl-10": _jxl(10),
    "jpegls": Codec(
        "JPEG-LS",
        ".jls",
        _encode_jpegls,
        _decode_jpegls,
        lambda: _version_in_imagecodecs("charls"),
        lambda: _need_imagecodecs("JPEGLS"),
        _refuses_jpegls,
    ),
    "jpeg": Codec(
        "JPEG, the file", ".jpg", _original, _decode_file, _pillow_version, lambda: None, _refuses_pixels, True
    ),
    "jpegtran": Codec(
        "JPEG by jpegtran",
        ".jpg",
        _encode_jpegtran,
        _decode_file,
        lambda: "jpegtran",
        _need_jpegtran,
        _refuses_pixels,
        True,
    ),
    "jpeg-jxl": Codec(
        "JPEG XL of JPEG files",
        ".jxl",
        _transcode,
        _decode_transcoded,
        lambda: _version_in_imagecodecs("libjxl"),
        lambda: _need_imagecodecs("JPEGXL"),
        _refuses_pixels,
        True,
    ),
}
"""The codecs by the names that :func:`variants` gives."""
