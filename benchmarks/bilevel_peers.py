"""Code pictures of two levels by Group 4, JBIG and JBIG2; each is decoded again and compared.

JBIG needs ``pnmtojbig`` of jbigkit; JBIG2 needs the program ``jbig2`` of jbig2enc, and ``jbig2dec``. What is not
installed is left out.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bits = NDArray[np.uint8]

NAMES = ("group4", "jbig", "jbig2")
PROGRAMS = {"jbig": ("pnmtojbig", "jbigtopnm"), "jbig2": ("jbig2", "jbig2dec")}


def missing() -> list[str]:
    """Return the names of those that are not installed."""
    return [name for name, programs in PROGRAMS.items() if not all(map(shutil.which, programs))]


def sizes(bits: Bits) -> dict[str, int]:
    """Return the bytes that each takes of those that take the picture; ``jbig2`` refuses some of a few pixels."""
    found = {"group4": _group4(bits)}
    for name, size in (("jbig", _jbig), ("jbig2", _jbig2)):
        if name not in missing():
            with suppress(subprocess.CalledProcessError):
                found[name] = size(bits)
    return found


def _group4(bits: Bits) -> int:
    file = io.BytesIO()
    Image.fromarray(bits.astype(bool)).save(file, "TIFF", compression="group4")
    with Image.open(io.BytesIO(file.getvalue())) as again:
        _compare(again, bits)
    return len(file.getvalue())


def _jbig(bits: Bits) -> int:
    """Return the bytes of JBIG, sequential, with the reach of its adaptive pixel that is best."""
    return min(_jbig_with(bits, reach) for reach in ("0", "8", "127"))


def _jbig_with(bits: Bits, reach: str) -> int:
    coded = _run("pnmtojbig", "-q", "-m", reach, given=_pbm(bits))
    with Image.open(io.BytesIO(_run("jbigtopnm", given=coded))) as again:
        _compare(again, bits)
    return len(coded)


def _jbig2(bits: Bits) -> int:
    """Return the bytes of a generic region of JBIG2, with or without the removal of rows that repeat."""
    return min(_jbig2_with(bits, options) for options in ((), ("-d",)))


def _jbig2_with(bits: Bits, options: tuple[str, ...]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        picture, again = Path(folder, "picture.pbm"), Path(folder, "again.pbm")
        picture.write_bytes(_pbm(bits))
        coded = _run("jbig2", *options, str(picture))
        Path(folder, "coded.jb2").write_bytes(coded)
        _run("jbig2dec", "-t", "pbm", "-o", str(again), f"{folder}/coded.jb2")
        with Image.open(again) as image:
            _compare(image, bits)
    return len(coded)


def _run(*command: str, given: bytes = b"") -> bytes:
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def _pbm(bits: Bits) -> bytes:
    file = io.BytesIO()
    Image.fromarray(bits.astype(bool)).save(file, "PPM")
    return file.getvalue()


def _compare(image: Image.Image, bits: Bits) -> None:
    if not np.array_equal(np.asarray(image.convert("1")), bits.astype(bool)):
        raise SystemExit("a peer did not give back what it was given")
