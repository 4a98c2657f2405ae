"""Make the files that fuzzing begins with, small ones of every kind: ``python -m tests.fuzz.corpus FOLDER``."""

from __future__ import annotations

import io
import json
import random
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features
from safetensors.numpy import save as save_tensors

import vaezip
from tests.origins.jpeg.pictures import was_jpeg
from tests.origins.pictures import frame
from tests.pictures.dicom import dicoms
from tests.pictures.fits import fits_files
from vaezip import pictures
from vaezip.codec import coders, payload
from vaezip.codec.blocks import samples_checksum
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.models.kinds import MODE_NAMES, ROWS, VERBATIM
from vaezip.models.layers import Conv, Dense, DepthToSpace, Flatten, SpaceToDepth, weighted_layers
from vaezip.models.posterior import Settings
from vaezip.models.tile.architecture import TileArchitecture
from vaezip.origins.bayer import COPIED, Layout
from vaezip.origins.colour import named
from vaezip.origins.upsampling import TRIANGLE, Sampling
from vaezip.pictures import Picture
from vaezip.vz import archive as vz
from vaezip.vz.records import NO_MODEL, Block, Group

Files = dict[str, bytes]

SMALL_MODELS = Path(__file__).parent.parent / "models"
TEXT = b"Comment\0\0\0fuzzed"


def samples(mode: str, height: int = 7, width: int = 9, seed: int = 0) -> np.ndarray:
    """Draw a ramp with noise."""
    form = pictures.MODES[mode]
    top = {"1": 2, "P": 4}.get(mode, 1 << form.bits)
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).integers(0, max(2, top // 40), (height, width, form.channels))
    return ((((x + 2 * y)[..., None] * top // 40) + noise) % top).astype(form.dtype)


def picture(mode: str, *boxes: tuple[str, bytes], height: int = 7, width: int = 9) -> Picture:
    """Draw a picture; one of mode P gets a palette."""
    boxes = (("palette", bytes(range(12))), *boxes) if mode == "P" else boxes
    return Picture(mode, samples(mode, height, width), boxes)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """Write an image by Pillow."""
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def image(mode: str, height: int = 16, width: int = 17) -> Image.Image:
    """Draw an image of Pillow, also of modes that vaezip has not."""
    if mode in ("1", "P"):
        drawn = Image.fromarray(samples("L", height, width)[..., 0]).convert(mode)
    elif mode in pictures.MODES:
        drawn = Image.fromarray(np.squeeze(samples(mode, height, width)))
    else:
        drawn = Image.fromarray(samples("RGB", height, width)).convert(mode)
    return drawn


def exif() -> bytes:
    """Make EXIF data with a description and an orientation."""
    data = Image.Exif()
    data[0x010E], data[0x0112] = "fuzzed", 6
    return data.tobytes()


# Pictures


def png() -> Files:
    """Every mode, and every kind of metadata."""
    boxes = (
        ("icc", bytes(200)),
        ("exif", exif()),
        ("xmp", b"<x/>"),
        ("text", TEXT),
        ("text", b"K\0en\0k\0\xe2\x82\xac"),
    )
    boxes += (("resolution", struct.pack(">IIB", 300, 300, 1)), ("gamma", struct.pack(">I", 45455)))
    found = {f"mode-{mode.replace(';', '-')}": pictures.write(picture(mode), ".png") for mode in pictures.MODES}
    found["boxes"] = pictures.write(picture("RGB", *boxes), ".png")
    found["long-text"] = pictures.write(picture("L", ("text", b"K\0\0\0" + b"long " * 300)), ".png")
    found["transparent"] = pictures.write(picture("P", ("transparency", b"\0\x80")), ".png")
    for depth, colour, interlace in ((2, 0, 0), (4, 0, 1), (8, 2, 1), (1, 3, 1), (16, 6, 1)):
        found[f"raw-{depth}-{colour}-{interlace}"] = raw_png(depth, colour, interlace)
    return found


def raw_png(depth: int, colour: int, interlace: int, side: int = 5) -> bytes:
    """Write a PNG of noise by hand, of a kind that nothing here writes."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows, draw = b"", random.Random(1)
    for x, y, across, down in passes if interlace else ((0, 0, 1, 1),):
        columns, count = -(-(side - x) // across), -(-(side - y) // down)
        if columns > 0:
            rows += b"".join(bytes([i % 5]) + draw.randbytes(-(-columns * bits // 8)) for i in range(count))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, interlace))]
    chunks += [(b"PLTE", bytes(range(6)))] * (colour == 3)
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    out = b"\x89PNG\r\n\x1a\n"
    for name, content in chunks:
        out += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return out


def pnm() -> Files:
    """Plain and raw ones of every kind and depth."""
    found = {"p1": b"P1\n# a comment\n3 2\n1 0 1\n0 1 0\n", "p2": b"P2 3 2 255\n1 2 3 4 5 6\n"}
    found |= {"p3": b"P3\n2 1\n255\n1 2 3 4 5 6\n", "p4": b"P4\n9 2\n\xaa\x80\x55\x00", "p5": b"P5 3 2 255 abcdef"}
    found |= {
        "p5-16": b"P5\n2 2\n65535\nabcdefgh",
        "p5-12": b"P5\n2 2\n4095\n\0a\0b\0c\0d",
        "p6": b"P6 1 2 255\nabcdef",
    }
    found |= {"p6-16": b"P6 1 1 65535\nabcdef", "p5-100": b"P5 2 1 100\nab", "pf": b"Pf 1 1 -1.0\nabcd"}
    found["p7"] = b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\nabcdef"
    return found


def jpeg() -> Files:
    """Baseline and progressive, of several colours and samplings, with metadata."""
    found = {mode: saved(image(mode), "JPEG") for mode in ("L", "RGB", "CMYK")}
    found["progressive"] = saved(image("RGB"), "JPEG", progressive=True, quality=50)
    found["full-chroma"] = saved(image("RGB"), "JPEG", subsampling=0, restart_marker_blocks=1)
    found["metadata"] = saved(image("L"), "JPEG", exif=exif(), icc_profile=bytes(150), dpi=(72, 72), comment=b"c")
    found["two"] = saved(image("L"), "MPO", save_all=True, append_images=[image("L")])
    return found


def jpeg_file() -> Files:
    """What :func:`jpeg` makes, and more samplings, scans and tables, with what may stand behind the picture."""
    found, kinds = jpeg(), {}
    kinds["half"] = {"subsampling": 1, "optimize": True}
    kinds["scans"] = {"progressive": True, "subsampling": 2, "quality": 95, "restart_marker_rows": 1}
    kinds["rows"] = {"restart_marker_rows": 1, "quality": 20}
    found |= {name: saved(image("RGB", 24, 40), "JPEG", **options) for name, options in kinds.items()}
    found["grey-scans"] = saved(image("L", 24, 40), "JPEG", progressive=True)
    found["trailing"] = found["L"] + b"film" + bytes(20)
    found["filled"] = found["RGB"].replace(b"\xff\xda", b"\xff\xff\xff\xda")
    return found


def tiff() -> Files:
    """Every compression, and modes that are taken and refused."""
    kinds = (
        "tiff_lzw",
        "tiff_adobe_deflate",
        "packbits",
        "tiff_ccitt",
        "group3",
        "group4",
        "jpeg",
        "lzma",
        "zstd",
    )
    found = {
        mode.replace(";", "-"): saved(image(mode), "TIFF") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    }
    found |= {mode: saved(image(mode), "TIFF") for mode in ("CMYK", "I", "F", "YCbCr")}
    for kind in kinds:
        mode = "1" if "ccitt" in kind or "group" in kind else "RGB"
        try:
            found[kind] = saved(image(mode), "TIFF", compression=kind)
        except (OSError, KeyError, ValueError):  # a libtiff without it
            continue
    found["metadata"] = saved(image("L"), "TIFF", exif=exif(), icc_profile=bytes(150), dpi=(72, 72), description="d")
    found["two"] = saved(image("L"), "TIFF", save_all=True, append_images=[image("L")])
    found["predictor"] = saved(image("RGB"), "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    return found


def gif() -> Files:
    """Still and animated, interlaced, with a transparent colour."""
    found = {"L": saved(image("L"), "GIF"), "P": saved(image("P"), "GIF", interlace=0)}
    found["transparent"] = saved(image("P"), "GIF", transparency=3, comment=b"c")
    found["animated"] = saved(image("L"), "GIF", save_all=True, append_images=[image("1")])
    return found


def sequence() -> Files:
    """Frames and pages, of all formats that are taken apart."""
    others = [image("RGB").point(lambda value: 255 - value)]
    found = {"gif": saved(image("P"), "GIF", save_all=True, append_images=others, duration=70, loop=2)}
    found["png"] = saved(image("RGB"), "PNG", save_all=True, append_images=others, duration=70)
    found["hidden"] = saved(image("RGB"), "PNG", save_all=True, append_images=others * 2, default_image=True)
    found["tiff"] = saved(image("RGB"), "TIFF", save_all=True, append_images=[image("L"), image("1")])
    found["still"] = saved(image("L"), "GIF")
    found |= {name: dicom()[name] for name in ("frames", "rle")} | {"cube": fits()["cube"]}
    return found


def bmp() -> Files:
    """What Pillow writes, and headers by hand with bit fields and run lengths."""
    found = {mode: saved(image(mode), "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")}
    head = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 16, 3, 4, 0, 0, 0, 0) + struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    found["fields-565"] = b"BM" + struct.pack("<IHHI", 70, 0, 0, 66) + head + b"abcd"
    head = struct.pack("<IiiHHIIiiII", 40, 4, 2, 1, 8, 1, 10, 0, 0, 2, 0) + bytes(8)
    found["runs"] = b"BM" + struct.pack("<IHHI", 72, 0, 0, 62) + head + b"\4\1\0\0\0\4\0\1\1\0" + b"\0\1"
    return found


def webp() -> Files:
    """With and without loss, alpha, metadata and frames."""
    found = {"lossless": saved(image("RGB"), "WEBP", lossless=True), "lossy": saved(image("RGB"), "WEBP")}
    found["alpha"] = saved(image("RGBA"), "WEBP", lossless=True, exact=True)
    found["lossy-alpha"] = saved(image("RGBA"), "WEBP", quality=50)
    found["metadata"] = saved(image("RGB"), "WEBP", lossless=True, exif=exif(), icc_profile=bytes(150), xmp=b"<x/>")
    found["animated"] = saved(image("RGB"), "WEBP", save_all=True, append_images=[image("L").convert("RGB")])
    return found


def jpeg2000() -> Files:
    """Files and bare streams, of several depths."""
    if not features.check("jpg_2000"):
        return {}
    found = {mode.replace(";", "-"): saved(image(mode), "JPEG2000") for mode in ("L", "LA", "RGB", "RGBA", "I;16")}
    found["stream"] = saved(image("RGB"), "JPEG2000", no_jp2=True)
    found["lossy"] = saved(image("L"), "JPEG2000", irreversible=True, quality_layers=[20])
    found["tiles"] = saved(image("L"), "JPEG2000", tile_size=(8, 8), num_resolutions=2)
    return found


def avif() -> Files:
    """With and without alpha, and several frames."""
    if not features.check("avif"):
        return {}
    found = {mode: saved(image(mode), "AVIF", speed=10) for mode in ("L", "RGB", "RGBA")}
    found["metadata"] = saved(image("RGB"), "AVIF", speed=10, exif=exif(), icc_profile=bytes(150), xmp=b"<x/>")
    found["animated"] = saved(image("L"), "AVIF", speed=10, save_all=True, append_images=[image("L")])
    return found


def dicom() -> Files:
    """Frames in every form in which they are read."""
    found = {"grey": dicoms.dicom(samples("I;16")), "rgb": dicoms.dicom(samples("RGB"))}
    found["signed"] = dicoms.dicom(samples("I;16").astype(np.int16) - 9)
    found["big-endian"] = dicoms.dicom(samples("I;16"), syntax=dicoms.BIG_ENDIAN)
    found["implicit"] = dicoms.dicom(samples("L"), syntax=dicoms.IMPLICIT)
    found["deflated"] = dicoms.dicom(samples("L"), syntax=dicoms.DEFLATED)
    found["planar"] = dicoms.dicom(samples("RGB"), PlanarConfiguration=1)
    found["palette"] = dicoms.dicom(samples("P"), **dicoms.PALETTE)
    found["frames"] = dicoms.dicom(samples("L"), samples("L", seed=1))
    found["rle"] = dicoms.packed(dicoms.RLE, samples("I;16"), samples("I;16", seed=1))
    for name, syntax in (("jpeg-ls", dicoms.JPEG_LS), ("jpeg2000", dicoms.JPEG_2000), ("jpeg", dicoms.JPEG)):
        found[name] = dicoms.packed(syntax, samples("L", 16, 16))
    return found


def fits() -> Files:
    """Images of every type, cubes, extensions and tables."""
    grey = samples("I;16").squeeze()
    found = {f"type-{name.strip('><|')}": fits_files.fits(grey.astype(name)) for name in ("|u1", ">i4", ">f8")}
    found["unsigned"] = fits_files.fits((grey - 32768).astype(">i2"), BZERO=32768)
    found["signed"] = fits_files.fits(grey.astype(">i2") - 40)
    found["cube"] = fits_files.fits(np.stack([grey, grey // 2]).astype(">i2"))
    found["extension"] = fits_files.header() + fits_files.fits(grey.astype(">i2"), extension="IMAGE")
    found["table"] = found["signed"] + fits_files.fits(np.zeros((3, 8), "|u1"), extension="BINTABLE")
    return found


# Models


def tiny(kind: str) -> TileArchitecture:
    """Describe a tile model of a few hundred weights."""
    levels, parameters, exponent = {"bernoulli": (2, 1, 0), "logistic": (256, 2, 8)}[kind]
    shape = {"tile": (4, 4), "channels": 1, "levels": levels, "tiled": True, "likelihood": kind, "offset": 0}
    if kind == "bernoulli":
        encoder = Flatten(), Dense("e.0", 16, 5), Dense("e.1", 5, 4, relu=False)
        decoder = Dense("d.0", 2, 5), Dense("d.1", 5, 16 * parameters, relu=False)
        return TileArchitecture(**shape, exponent=exponent, latent=(2,), encoder=encoder, decoder=decoder)
    encoder = SpaceToDepth(2), Conv("e.0", 4, 2, relu=False)
    decoder = Conv("d.0", 1, 4 * parameters, relu=False), DepthToSpace(2)
    return TileArchitecture(**shape, exponent=exponent, latent=(2, 2, 1), encoder=encoder, decoder=decoder)


def tiny_model(kind: str) -> bytes:
    """Make a model file of weights that are drawn."""
    architecture, draw = tiny(kind), np.random.default_rng(3)
    tensors: dict[str, np.ndarray] = {"coarse": np.full(architecture.latents, 2, np.uint8)}
    for layer in weighted_layers((*architecture.encoder, *architecture.decoder)):
        shape = (layer.outputs, *((3, 3) if isinstance(layer, Conv) else ()), layer.inputs)
        tensors[f"{layer.name}.weight"] = draw.integers(-20, 21, shape).astype(np.int16)
        tensors[f"{layer.name}.bias"] = draw.integers(-20, 21, layer.outputs).astype(np.int32)
        tensors[f"{layer.name}.shift"] = np.full(layer.outputs, 3, np.uint8)
        tensors[f"{layer.name}.clamp"] = np.array([0 if layer.relu else -500, 500], np.int32)
    metadata = {"architecture": architecture.to_json(), "settings": json.dumps(asdict(Settings())), "information": "{}"}
    data = save_tensors(tensors, metadata)  # which orders its header by chance
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:end]), sort_keys=True).encode()
    return struct.pack("<Q", len(header)) + header + data[end:]


def model() -> Files:
    """Tiny ones by tiles, and a small one by pixels."""
    found = {kind: tiny_model(kind) for kind in ("bernoulli", "logistic")}
    found["pixels"] = (SMALL_MODELS / "local-grey.safetensors").read_bytes()
    return found


# Files of vaezip


def coded(picture: Picture, model: str, effort: Effort) -> bytes:
    """Compress a picture by a shipped model."""
    return vaezip.compress(picture, model=model, effort=effort)


def group_of(one: Picture, names: list[str], original: bytes = b"") -> Group:
    """Describe some names of one picture, or of one file kept as it is."""
    if original:
        return Group(MODE_NAMES.index(VERBATIM), 1, len(original), 1, 1, names, [()] * len(names))
    height, width, _ = one.samples.shape
    boxes = tuple((pictures.BOXES.index(name), content) for name, content in one.boxes)
    return Group(MODE_NAMES.index(one.mode), height, width, 1, height, names, [boxes] * len(names))


def payload_of(group: Group, one: Picture, original: bytes = b"", *, before: int = 0, model: Any = None) -> bytes:
    """Code a picture or a file for a block, by a coder without a model if none is there."""
    drawn = np.frombuffer(original, np.uint8).reshape(1, 1, -1, 1) if original else one.samples[None]
    checksum = samples_checksum(drawn, before)
    mode = MODE_NAMES[group.mode]
    return payload.encode(drawn, mode, checksum, model=model, coder=mark_of(group), effort=Effort(2, rows=0))


def mark_of(group: Group) -> bytes:
    """Return what stands in the place of the fingerprint of a model, where there is none."""
    mode = MODE_NAMES[group.mode]
    return NO_MODEL if mode in ROWS else coders.of_any(mode)


def inline(one: Picture, original: bytes = b"") -> bytes:
    """Write an inline file without a model, or of a file kept as it is."""
    group = group_of(one, [""], original)
    group.blocks = [Block(mark_of(group), b"")]
    header = vz.inline_header(group)
    return header + payload_of(group, one, original, before=zlib.crc32(header))


def archive(*named: tuple[list[str], Picture], original: bytes = b"") -> bytes:
    """Write an archive likewise: for each group the names, and the picture that all of them are."""
    groups = []
    for names, one in named:
        group = group_of(one, names, original)
        group.blocks = [Block(mark_of(group), payload_of(group, one, original)) for _ in names]
        groups.append(group)
    return vz.write_archive(groups)


def decompress() -> Files:
    """Files of both layouts, of every mode, and by every family of models."""
    boxes = ("icc", bytes(100)), ("text", TEXT), ("text", TEXT)
    found = {f"mode-{mode.replace(';', '-')}": inline(picture(mode)) for mode in pictures.MODES}
    found["boxes"] = inline(picture("RGB", *boxes))
    several = ["a/00.png", "a/01.png", "a/02.png"], picture("L", *boxes[1:])
    found["set"] = archive(several, (["x"], picture("RGB", *boxes)))
    found["verbatim"] = inline(picture("L"), original=pictures.write(picture("L"), ".pgm"))
    found["verbatim-set"] = archive((["0.pgm", "1.pgm"], picture("L")), original=pictures.write(picture("L"), ".pgm"))
    for steps in (0, 2):
        found[f"tile-{steps}"] = coded(picture("L", height=28, width=28), "mnist", Effort(steps, rows=0))
    return found | held() | by_pixels() | kept_jpegs() | once_jpegs() | remade()


def kept_jpegs() -> Files:
    """JPEG files that are kept, of one scan and of several."""
    originals = {"jpeg": saved(image("RGB"), "JPEG"), "jpeg-scans": saved(image("L"), "JPEG", progressive=True)}
    return {name: vaezip.compress(original) for name, original in originals.items()}


def held() -> Files:
    """Archives that hold a tiny model."""
    found = {}
    for kind, mode in (("bernoulli", "1"), ("logistic", "L")):
        data, one = tiny_model(kind), picture(mode, height=8, width=8)
        loaded = model_file.loads(data, kind)
        group = group_of(one, [f"{kind}.png"])
        group.blocks = [Block(loaded.fingerprint, payload_of(group, one, model=loaded))]
        found[f"held-{kind}"] = vz.write_archive([group], {loaded.fingerprint: kind}, {loaded.fingerprint: data})
    return found


def by_pixels() -> Files:
    """Files by a pixel model, adapting and with latents, of grey and with alpha."""
    kinds = {"pixels": ("L", Effort(1, 4, 4, turns=1)), "pixels-alpha": ("LA", Effort(rows=0))}
    found = {k: coded(picture(m, height=20, width=20), "photo-gray", effort) for k, (m, effort) in kinds.items()}
    halved = {"halved": vaezip.compress(halved_chroma(), preset=1)}
    return found | halved | {"origin": coded(born(), "photo", Effort(rows=32))}


def born() -> Picture:
    """Draw colours that were planes of a JPEG, but for a corner."""
    planes = picture("RGB", height=20, width=20).samples // 4 + np.uint8(96)
    samples = named()[0].map.samples(planes[None])[0]
    samples[:2, :3] = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 13
    return Picture("RGB", samples)


def halved_chroma() -> Picture:
    """Draw colours of a WebP, whose chroma was at half the resolution, but for a corner."""
    sampling, size = Sampling(True, (0, 0), TRIANGLE), (20, 20)
    chroma = np.random.default_rng(0).integers(110, 140, (2, 1, *sampling.small(size))).astype(np.uint8)
    sheets = sampling.joined(picture("L", height=20, width=20).samples[None, ..., 0] // 2 + 60, chroma)
    samples = named()[1].map.samples(sampling.planes(sheets, size))[0]
    samples[:2, :3] = 77
    return Picture("RGB", samples)


def once_jpegs() -> Files:
    """Files of pictures that were JPEGs, one of which was changed afterwards."""
    found = {}
    for channels, mode in ((1, "L"), (3, "RGB")):
        pixels, _ = was_jpeg(64, 64, channels, quality=70)
        pixels[8:10, 9:11] = 3
        found[f"jpeg-pixels-{mode}"] = vaezip.compress(pictures.Picture(mode, pixels), preset=1)
    return found


def remade() -> Files:
    """Files of pictures that are made of others, one of which was changed afterwards."""
    grey = picture("L", height=40, width=40).samples
    mosaic = frame(Layout(1, 0, 1, COPIED), 32, 32)[0]
    mosaic[9, 9] ^= 1
    samples = {"values": ("L", grey // 2 + grey // 4), "wide": ("I;16", grey.astype(np.uint16) * 257)}
    small = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    samples |= {"mosaic": ("RGB", mosaic), "repeated": ("RGB", small.repeat(2, axis=0).repeat(3, axis=1))}
    samples["deep"] = "I;16", (grey.astype(np.uint16) * 13) + grey[::-1]
    samples["tones"] = "RGB", (grey * np.array([1.0, 0.84, 0.66])).astype(np.uint8)
    cut = np.zeros((72, 80, 3), np.uint8)
    cut[3:70, 5:71] = np.random.default_rng(1).integers(0, 256, (67, 66, 3))
    samples["pieces"] = "RGB", cut
    return {f"remade-{name}": vaezip.compress(Picture(*one), preset=1) for name, one in samples.items()}


def structure() -> Files:
    """Whatever :func:`decompress` has, and directories of blocks that are none."""
    found = decompress()
    group = Group(1, 40, 9, 1, 32, ["a7.png", "a8.png", "b"], [(), ((3, b"x"), (5, TEXT)), ()])
    group.blocks = [Block(coders.GRAPHIC, b"nothing"), Block(b"1234", b"is here")] * 3
    other = Group(5, 3, 4, 4, 3, [f"{i}" for i in range(9)], [((0, bytes(12)),)] * 9)
    other.blocks = [Block(NO_MODEL, b"at all")] * 3
    found["no-payloads"] = vz.write_archive([group, other], {b"1234": "unknown"})
    return found


MAKERS: dict[str, Callable[[], Files]] = {
    "vz": structure,
    "decompress": decompress,
    "model": model,
    "jpeg-file": jpeg_file,
    "sequence": sequence,
    **{f.__name__: f for f in (png, pnm, jpeg, tiff, gif, bmp, webp, jpeg2000, avif, dicom, fits)},
}
"""For each target what makes its files."""


def write(folder: Path, *names: str) -> None:
    """Write the files of some targets, each into a folder of its name."""
    for name in names or MAKERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for title, data in MAKERS[name]().items():
            (folder / name / title).write_bytes(data)


if __name__ == "__main__":
    write(Path(sys.argv[1]), *sys.argv[2:])
