"""Make the conformance set: ``python docs/make_conformance.py`` writes what stands in ``docs/conformance``.

``accepted.json`` tells what each golden file holds, ``refused.json`` why no reader may take the files of ``refused``.
Both are made by vaezip; ``tests/test_conformance.py`` asks the reference decoder for the same.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from conformance.run import HERE, contents  # noqa: E402
from reference_decoder.layout import BOX_TAGS  # noqa: E402

import vaezip  # noqa: E402
from tests import hostile_blocks  # noqa: E402
from tests.vz import hostile  # noqa: E402
from vaezip.errors import VaezipError  # noqa: E402
from vaezip.models.kinds import MODE_NAMES  # noqa: E402
from vaezip.pictures.picture import Picture  # noqa: E402
from vaezip.vz.records import REVISION  # noqa: E402

GOLDEN = ROOT / "tests" / "golden"
TAGS = {name: tag for tag, name in BOX_TAGS.items()}

LARGEST = 1 << 13
"""Files that must be refused are of so many bytes or fewer."""

LARGE = ("deep-1M", "text-16G", "icc-4M")
"""Attacks whose files take too long to make, and are like others."""

Files = dict[str, tuple[bytes, str]]


def held(path: Path) -> list[str]:
    """Return the lines of what a file holds, as vaezip reads it."""
    archive, lines = vaezip.Archive(path.read_bytes()), []
    for name in archive.names:
        original = archive.original(name)
        if original is not None:
            kind = next(MODE_NAMES[group.mode] for group in archive.file.groups if name in group.names)
            samples = np.frombuffer(original, np.uint8).reshape(1, -1, 1)
            lines += contents(name, kind, samples, [])
        else:
            picture = archive.read(name)
            assert isinstance(picture, Picture)
            lines += contents(name, picture.mode, picture.samples, [(TAGS[tag], box) for tag, box in picture.boxes])
    return lines


def accepted() -> dict[str, list[str]]:
    """Return what each golden file holds."""
    return {path.name: held(path) for path in sorted(GOLDEN.glob("*.vz"))}


def changed(data: bytes, place: int, byte: int) -> bytes:
    """Change one byte."""
    place %= len(data)
    return data[:place] + bytes([byte]) + data[place + 1 :]


def flipped(data: bytes, place: int) -> bytes:
    """Change the lowest bit of one byte."""
    return changed(data, place, data[place] ^ 1)


def heads() -> Files:
    """Return files whose first bytes are wrong, and cut ones."""
    data = (GOLDEN / "mnist-k0.vz").read_bytes()
    found = {
        "empty": (b"", "no bytes"),
        "other-magic": (changed(data, 1, 0x79), "1.1: its first bytes are others"),
        "lines-translated": (data[:2] + data[3:], "1.1: CR LF became LF"),
        "version-4": (changed(data, 0, 0xF4), "1.1: version 4"),
        "version-6": (changed(data, 0, 0xF6), "1.1: version 6"),
        "another-revision": (changed(data, 4, REVISION + 1), "1.1: a later revision of the draft"),
        "unknown-flag": (changed(data, 5, data[5] | 8), "1.2: bit 3 of the flags of an inline file"),
        "unknown-mode": (changed(data, 5, 0xF0 | data[5]), "1.4: mode 15"),
        "unknown-model": (flipped(data, 6), "6.5: no model has the fingerprint"),
        "unknown-mark": (data[:6] + bytes([0, 0, 0, 200]) + data[10:], "1.3: no chapter names the mark"),
        "one-byte-more": (data + b"\0", "3: a byte behind the stream"),
        "header-alone": (data[:10], "1.2: no payload"),
    }
    for share in (1, 2, 3):
        place = 10 + (len(data) - 10) * share // 4
        found[f"cut-{share}"] = data[:place], "2.1: the payload is cut"
        found[f"flipped-{share}"] = flipped(data, place), "2.1: the checksum of the samples is another"
    return found


def coders() -> Files:
    """Return files of each coder whose payload is damaged in its middle, and at its end."""
    names = (
        *("archive", "bilevel", "deep", "deep-linked", "graphic-noise", "graphic-p", "graphic-rgba", "halved-1"),
        *("jpeg-pixels", "remade-mosaic", "remade-pieces", "remade-repeated", "remade-tones", "remade-values"),
        *("verbatim", "mnist-set-k3", "photo-born", "photo-k3", "photo-p4", "baseline.jpg"),
    )
    found: Files = {}
    for path in (GOLDEN / f"{name}.vz" for name in names):
        if path.exists():
            data = path.read_bytes()
            found[f"{path.stem}-flipped"] = flipped(data, len(data) // 2), "2.1: a bit of a payload is another"
            found[f"{path.stem}-cut"] = data[: len(data) * 3 // 4], "the file is cut"
    return found


def limits() -> Files:
    """Return files that ask for more than chapter 11 allows."""
    made = {name: make for name, (make, _) in hostile.REFUSED.items() if name not in LARGE}
    found = {f"limit-{name}": (make(), "11.1: more than its table allows") for name, make in made.items()}
    return found | {
        "limit-work": (hostile_blocks.timebomb(), "11.3: more operations a pixel than a reader spends"),
        "setting": (hostile_blocks.tiny_noise(1), "6.4: a setting of its model is too small"),
        "endless-block": (hostile_blocks.empty_frame(side=64), "3: the stack is empty before the block ends"),
    }


def refused() -> Files:
    """Return files that vaezip refuses, as it must, with the section and the reason."""
    found = {name: file for name, file in (heads() | coders() | limits()).items() if len(file[0]) <= LARGEST}
    for name, (data, _) in found.items():
        try:
            held_in(data)
        except VaezipError:
            continue
        raise AssertionError(f"{name} is not refused")
    return found


def held_in(data: bytes) -> None:
    """Read all that a file holds."""
    for _, picture in vaezip.Archive(data).pictures():
        if isinstance(picture, VaezipError):
            raise picture


def main() -> None:
    """Write the set."""
    folder = HERE / "refused"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    reasons = {}
    for name, (data, reason) in sorted(refused().items()):
        (folder / f"{name}.vz").write_bytes(data)
        reasons[f"{name}.vz"] = reason
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(GOLDEN.glob("*.vz"))}
    files = {name: {"sha256": digests[name], "holds": lines} for name, lines in accepted().items()}
    for name, content in (("accepted", files), ("refused", reasons)):
        (HERE / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
