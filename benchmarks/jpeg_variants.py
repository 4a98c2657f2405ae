"""Count the JPEG files that are made again byte for byte, over all options of the programs that write them.

``python benchmarks/jpeg_variants.py`` writes a small picture by Pillow, and by cjpeg, jpegtran and ImageMagick where
these are installed, in all combinations of the options below, takes each file apart and makes it again. Of every 50th
the coefficients are coded and decoded as well. Writes ``results/jpeg-variants.json`` beside this file: for each program
how many, and the options of each that would be kept as it is, by the reason.
"""

from __future__ import annotations

import io
import itertools
import json
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vaezip.bench import machine
from vaezip.codec import jpeg
from vaezip.pictures.jpeg.parts import UnfitJpeg

RESULT = Path(__file__).parent / "results" / "jpeg-variants.json"
CODED = 50
SIZES = ((1, 1), (33, 18), (97, 66))
QUALITIES = (1, 40, 75, 92, 100)

Variants = Iterator[tuple[str, bytes]]


def picture(size: tuple[int, int]) -> Image.Image:
    """Draw waves with grain, of (width, height)."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    waves = np.stack([128 + 100 * np.sin(x / 5 + c + y / 9) for c in range(3)], axis=2)
    return Image.fromarray((waves + np.random.default_rng(1).normal(0, 12, waves.shape)).clip(0, 255).astype(np.uint8))


def by_pillow() -> Variants:
    """Write by Pillow."""
    restarts: tuple[dict[str, int], ...] = ({}, {"restart_marker_blocks": 1}, {"restart_marker_blocks": 3})
    restarts += ({"restart_marker_rows": 1},)
    flags = itertools.product((False, True), (False, True), restarts)
    choices = itertools.product(("L", "RGB", "CMYK", "1", "YCbCr"), SIZES, QUALITIES, (0, 1, 2), list(flags))
    for mode, size, quality, subsampling, (optimize, progressive, restart) in choices:
        options = {"quality": quality, "subsampling": subsampling, "optimize": optimize, "progressive": progressive}
        options |= restart
        yield f"{mode} {size} {options}", saved(picture(size).convert(mode), **options)
    metadata: dict[str, Any] = {"icc_profile": bytes(70000), "exif": b"Exif\0\0II*\0\x08\0\0\0\0\0", "comment": b"c"}
    metadata |= {"dpi": (300, 300)}
    tables = [list(range(1, 65)), [255] * 64]
    for options in (metadata, {"keep_rgb": True}, {"smooth": 50}, {"qtables": tables}, {"streamtype": 0}):
        for progressive in (False, True):
            yield f"{[*options]} {progressive}", saved(picture(SIZES[2]), progressive=progressive, **options)


def saved(image: Image.Image, **options: Any) -> bytes:
    """Write an image by Pillow."""
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def run(command: str, data: bytes) -> bytes | None:
    """Give a program its input, and return its output; None where it takes no such options."""
    found = subprocess.run(command.split(), input=data, capture_output=True)
    return found.stdout if found.returncode == 0 and found.stdout[:2] == b"\xff\xd8" else None


def by_cjpeg(folder: Path) -> Variants:
    """Write by cjpeg of libjpeg-turbo."""
    script = folder / "scans"
    script.write_text("0; 2; 1;\n")
    samplings = ("1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2", "1x1,2x2", "2x2,2x1,1x2", "3x1,1x1,1x1")
    modes = ("", "-progressive", "-optimize", f"-scans {script}", "-arithmetic", "-progressive -arithmetic")
    others = ("", "-restart 1B", "-restart 1", "-grayscale", "-rgb", "-dct fast", "-smooth 30", "-baseline")
    for size, quality in ((SIZES[2], 15), (SIZES[2], 90), (SIZES[1], 75)):
        source = ppm(size)
        for sampling, mode, other in itertools.product(samplings, modes, others):
            command = f"cjpeg -quality {quality} -sample {sampling} {mode} {other}"
            if data := run(command, source):
                yield f"{size} {command.replace(str(folder) + '/', '')}", data


def ppm(size: tuple[int, int]) -> bytes:
    """Write the picture as PPM."""
    file = io.BytesIO()
    picture(size).save(file, "PPM")
    return file.getvalue()


def by_jpegtran() -> Variants:
    """Change by jpegtran what Pillow wrote."""
    changes = ("", "-rotate 90", "-rotate 180", "-flip horizontal", "-flip vertical", "-transpose", "-transverse")
    changes += ("-crop 40x30+16+16", "-grayscale", "-rotate 270 -trim")
    modes = ("", "-progressive", "-optimize", "-restart 1B", "-progressive -restart 1", "-arithmetic")
    for subsampling, quality, progressive in itertools.product((0, 1, 2), (30, 95), (False, True)):
        source = saved(picture(SIZES[2]), subsampling=subsampling, quality=quality, progressive=progressive)
        for change, mode in itertools.product(changes, modes):
            command = f"jpegtran -copy all {change} {mode}"
            if data := run(command, source):
                yield f"{subsampling} {quality} {progressive} {command}", data


def by_imagemagick() -> Variants:
    """Write by ImageMagick."""
    source = ppm(SIZES[2])
    samplings = ("4:4:4", "4:2:2", "4:2:0", "4:1:1", "4:4:0")
    modes = ("", "-interlace JPEG", "-define jpeg:optimize-coding=false", "-define jpeg:arithmetic-coding=true")
    others = ("", "-colorspace Gray", "-colorspace CMYK", "-colorspace RGB", "-define jpeg:dct-method=float")
    for sampling, mode, other, quality in itertools.product(samplings, modes, others, (20, 85)):
        command = f"convert ppm:- -sampling-factor {sampling} {mode} {other} -quality {quality} jpg:-"
        if data := run(command, source):
            yield command, data


def counted(variants: Variants) -> dict[str, Any]:
    """Take all files apart and make them again."""
    row: dict[str, Any] = {"sets": 0, "made again": 0, "coded and decoded": 0, "kept as they are": {}}
    for name, data in variants:
        row["sets"] += 1
        try:
            jpeg.take_apart(data)
        except UnfitJpeg as reason:
            row["kept as they are"].setdefault(str(reason), []).append(name)
            continue
        row["made again"] += 1
        if row["made again"] % CODED == 0:
            payload = jpeg.encode(data, zlib.crc32(data))
            assert jpeg.decode(payload, len(data), 1 << 20) == (data, zlib.crc32(data)), name
            row["coded and decoded"] += 1
    return row


def main() -> None:
    """Count, and write the result."""
    rows = {"Pillow": counted(by_pillow())}
    with tempfile.TemporaryDirectory() as folder:
        programs = {"cjpeg": lambda: by_cjpeg(Path(folder)), "jpegtran": by_jpegtran, "convert": by_imagemagick}
        for program, variants in programs.items():
            rows[program] = counted(variants()) if shutil.which(program) else {"skipped": "it is not installed"}
    for program, row in rows.items():
        kept = {reason: len(names) for reason, names in row.get("kept as they are", {}).items()}
        print(program, {**row, "kept as they are": kept})
    result = {**machine.this_run(), "programs": rows}
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
