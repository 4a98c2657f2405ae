"""The reference decoder in `docs` decodes the golden files, and shares no code with the package."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.codec import blocks
from vaezip.vz import index

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GOLDEN = Path(__file__).parent / "golden"
if str(DOCS) not in sys.path:
    sys.path.insert(0, str(DOCS))

from reference_decoder import FormatError, Model, decode, load_models  # noqa: E402
from reference_decoder.check import difference  # noqa: E402

SLOW = {  # 1.5 seconds or more, or nearly so
    "cifar10-classic-odd-k3",
    "cifar10-odd-k3",
    "mnist-best-odd-k3",
    "mnist-binary-best-odd-k3",
    "photo-alpha",
    "photo-gray-odd-k3",
    "photo-latents-k3",
    "photo-odd-k0",
    "photo-odd-k3",
    "photo-p3",
    "photo-p6",
    "photo-p9",
    "photo-set-k0",
    "photo-set-k3",
    "photo-small-odd-k0",
    "photo-small-odd-k3",
    "photo-small-set-k0",
    "photo-small-set-k3",
    "photo-solid",
}
NAMES = sorted(path.stem for path in GOLDEN.glob("*.vz"))


@cache
def models() -> dict[bytes, Model]:
    """Read all model files, of the first folder `models` that has any."""
    for pattern in ("models", "*/models", "src/*/models"):
        for folder in sorted(ROOT.glob(pattern)):
            if found := load_models(folder):
                return found
    pytest.fail("there is no folder of models")


def first_example() -> bytes:
    """Read the file of section 1.6 from the document: the hexadecimal digits before two spaces or the end of a line."""
    text = (DOCS / "format" / "layout.md").read_text(encoding="utf-8")
    block = text.split("## 1.6 Example")[1].split("```")[1]
    return bytes.fromhex("".join(re.split(r"\s{2,}", line)[0] for line in block.strip().splitlines()))


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in NAMES])
def test_golden_file_is_decoded(name: str) -> None:
    """Names, modes, samples and boxes are those of the .npz file; of verbatim files, of the picture in them."""
    pictures = decode((GOLDEN / f"{name}.vz").read_bytes(), models())
    with np.load(GOLDEN / f"{name}.npz") as expected:
        assert difference(pictures, dict(expected)) == ""


def test_golden_files_are_there() -> None:
    """The names of slow files are those of golden files."""
    assert set(NAMES) >= SLOW


def test_example_of_the_document_is_decoded() -> None:
    """Section 1.6 has a file with the samples 7 and 9."""
    assert decode(first_example(), {})[""].samples.tolist() == [[[7], [9]]]


def test_times_of_a_set_are_read() -> None:
    """Section 1.3.2: differences, a picture without a time, and one before 1970."""
    told = {"a": 1_700_000_000, "b": 1_699_999_990, "c": None, "d": -86_400}
    with vaezip.Compressor() as compressor:
        for i, (name, time) in enumerate(told.items()):
            samples = np.full((2, 3 + i // 2, 1), i, np.uint8)
            compressor.add(name, vaezip.Picture("L", samples), modified=time)
        pictures = decode(compressor.close(), models())
    assert {name: picture.time for name, picture in pictures.items()} == told


def test_indices_between_blocks_are_stepped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Section 1.3.3: one after each block, and one behind the embedded model."""
    for name, value in (("_RUN", 1), ("_LEAST", 1), ("_SHARE", 0)):
        monkeypatch.setattr(index, name, value)
    model = Path(__file__).parent / "models" / "bernoulli.safetensors"
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 28 * 28)
    samples = {f"{i}": np.eye(28, 28, i, dtype=np.uint8)[..., None] for i in range(3)}
    pictures = {name: vaezip.Picture("1", array) for name, array in samples.items()}
    data = vaezip.compress(pictures, model=model, embed_model=True)
    assert data.count(index.MAGIC) == 3
    found = decode(data, models())
    assert list(found) == list(samples)
    assert all(np.array_equal(found[name].samples, samples[name]) for name in samples)


@pytest.mark.parametrize(
    ("position", "byte", "message"),
    [
        (0, 0xF4, "format version 4 of .vz is not read any more"),
        (0, 0xF6, "format version 6 of .vz is not known"),
        (4, 0, "revision 0 of the draft of format 5 is not read"),
        (4, 2, "revision 2 of the draft of format 5 is not read"),
        (5, 0x18, "unknown flags"),
        (5, 0xC0, "unknown mode"),
    ],
)
def test_first_bytes_are_refused(position: int, byte: int, message: str) -> None:
    """Other versions, revisions, flags and modes are refused by name."""
    data = bytearray(first_example())
    data[position] = byte
    with pytest.raises(FormatError, match=re.escape(message)):
        decode(bytes(data), {})


@pytest.mark.parametrize("path", sorted((DOCS / "reference_decoder").glob("**/*.py")), ids=lambda path: path.name)
def test_reference_decoder_is_independent(path: Path) -> None:
    """No module of the reference decoder imports the package or numba."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported.add((node.module or "").split(".")[0])
    assert not imported & {"vaezip", "numba"}
