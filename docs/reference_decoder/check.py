"""Decode golden files and compare them with what they must hold: `python check.py [NAME ...]`."""

import argparse
import re
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from reference_decoder.layout import BOX_TAGS, Picture, decode  # noqa: E402
from reference_decoder.model_file import load_models  # noqa: E402
from reference_decoder.primitives import require  # noqa: E402


def difference(pictures: dict[str, Picture], expected: dict[str, np.ndarray]) -> str:
    """Tell how the pictures differ from an .npz file, with an empty text where they do not."""
    if list(pictures) != [str(name) for name in expected["names"]]:
        return "names differ"
    if [opened(p).mode for p in pictures.values()] != [str(mode) for mode in expected["modes"]]:
        return "modes differ"
    boxes = {}
    for i, picture in enumerate(map(opened, pictures.values())):
        samples = expected[f"samples {i}"]
        if samples.dtype != picture.samples.dtype or not np.array_equal(samples, picture.samples):
            return f"samples of picture {i} differ"
        boxes |= {f"box {i} {j} {BOX_TAGS[tag]}": content for j, (tag, content) in enumerate(picture.boxes)}
    if boxes != {key: bytes(expected[key]) for key in expected if key.startswith("box ")}:
        return "boxes differ"
    return ""


def opened(picture: Picture) -> Picture:
    """Open a verbatim file: the golden ones are grey PGM files of 8 bits, and the .npz files hold their samples."""
    if picture.mode != "verbatim":
        return picture
    data = picture.samples.tobytes()
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
    require(header is not None, "a verbatim file is no PGM file of 8 bits")
    width, height = (int(number) for number in header.groups())
    samples = np.frombuffer(data, np.uint8, offset=header.end())
    return Picture("L", samples.reshape(height, width, 1), picture.boxes)


def main() -> int:
    """Check the files that are named, or all, and print the seconds that each takes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--golden", type=Path, default=ROOT / "tests" / "golden", help="folder of .vz and .npz files")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of .safetensors files")
    arguments = parser.parse_args()
    models = load_models(arguments.models)
    wrong = 0
    for file in sorted(arguments.golden.glob("*.vz")):
        if not file.with_suffix(".npz").exists() or (arguments.names and file.stem not in arguments.names):
            continue
        begin = time.perf_counter()
        try:
            with np.load(file.with_suffix(".npz")) as expected:
                result = difference(decode(file.read_bytes(), models), dict(expected))
        except ValueError as error:
            result = f"{type(error).__name__}: {error}"
        wrong += bool(result)
        print(f"{time.perf_counter() - begin:7.2f} s  {file.stem}: {result or 'equal'}", flush=True)
    print(f"{wrong} files are wrong" if wrong else "all files are equal")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
