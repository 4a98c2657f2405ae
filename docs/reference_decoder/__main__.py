"""Command line: `python -m reference_decoder FILE.vz --models DIR [--digests] [-o OUT.npz]`."""

import argparse
import hashlib
from pathlib import Path

import numpy as np

from .layout import BOX_TAGS, Picture, decode


def digests(pictures: dict[str, Picture]) -> list[str]:
    """Return what the conformance set says of pictures: lines of SHA-256, mode, size and name, and one for each box."""
    lines = []
    for name, picture in pictures.items():
        little = picture.samples.astype(picture.samples.dtype.newbyteorder("<"))
        size = "x".join(str(extent) for extent in little.shape)
        lines.append(f"{hashlib.sha256(little.tobytes()).hexdigest()} {picture.mode} {size} {name}".rstrip())
        lines += [f"{hashlib.sha256(content).hexdigest()} box {tag}" for tag, content in picture.boxes]
    return lines


def main() -> None:
    """Decode one file, print what it holds, and store it as an .npz where one is asked for."""
    parser = argparse.ArgumentParser(prog="reference_decoder", description=main.__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of .safetensors files")
    parser.add_argument("--digests", action="store_true", help="print what the conformance set says")
    parser.add_argument("-o", "--output", type=Path, help=".npz file to write")
    arguments = parser.parse_args()
    pictures = decode(arguments.file.read_bytes(), arguments.models)
    if arguments.digests:
        print("\n".join(digests(pictures)))
        return
    arrays = {"names": np.array(list(pictures)), "modes": np.array([p.mode for p in pictures.values()])}
    for i, (name, picture) in enumerate(pictures.items()):
        height, width, channels = picture.samples.shape
        print(f"{name or '(no name)'}: {picture.mode}, {width} x {height}, {channels} channels")
        arrays[f"samples {i}"] = picture.samples
        for j, (tag, content) in enumerate(picture.boxes):
            arrays[f"box {i} {j} {BOX_TAGS[tag]}"] = np.frombuffer(content, np.uint8)
    if arguments.output:
        np.savez_compressed(arguments.output, **arrays)


if __name__ == "__main__":
    main()
