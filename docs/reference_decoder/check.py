"""Decode golden files and compare them with what they must hold: `python check.py [NAME ...]`."""

import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from reference_decoder.layout import BOX_TAGS, Picture, decode  # noqa: E402
from reference_decoder.model_file import load_models  # noqa: E402


def difference(pictures: dict[str, Picture], expected: dict[str, np.ndarray]) -> str:
    """Tell how the pictures differ from an .npz file, with an empty text where they do not."""
    if list(pictures) != [str(name) for name in expected["names"]]:
        return "names differ"
    if [p.mode for p in pictures.values()] != [str(mode) for mode in expected["modes"]]:
        return "modes differ"
    boxes = {}
    for i, picture in enumerate(pictures.values()):
        samples = expected[f"samples {i}"]
        if samples.dtype != picture.samples.dtype or not np.array_equal(samples, picture.samples):
            return f"samples of picture {i} differ"
        boxes |= {f"box {i} {j} {BOX_TAGS[tag]}": content for j, (tag, content) in enumerate(picture.boxes)}
    if boxes != {key: bytes(expected[key]) for key in expected if key.startswith("box ")}:
        return "boxes differ"
    return ""


def main() -> int:
    """Check the files that are named, or all, and print the seconds that each takes."""
    models = load_models(ROOT / "models")
    files = sorted((ROOT / "golden").glob("*.vz"))
    wrong = 0
    for file in files:
        if sys.argv[1:] and file.stem not in sys.argv[1:]:
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
