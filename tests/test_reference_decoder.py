"""The reference decoder in `docs` decodes the golden files, and shares no code with the package."""

import ast
import json
import re
import sys
import zlib
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import vaezip
from tests import hostile_blocks
from tests.vz import hostile
from vaezip.codec import blocks, coders
from vaezip.errors import VaezipError
from vaezip.models.effort import Effort
from vaezip.models.kinds import MODE_NAMES
from vaezip.pictures.picture import BOXES, box_fits
from vaezip.vz import index

from .pictures.jpeg.jpegs import jpeg

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GOLDEN = Path(__file__).parent / "golden"
if str(DOCS) not in sys.path:
    sys.path.insert(0, str(DOCS))

from reference_decoder import FormatError, Model, decode, load_models  # noqa: E402
from reference_decoder.__main__ import digests  # noqa: E402
from reference_decoder.check import difference  # noqa: E402
from reference_decoder.cost import chain_work  # noqa: E402
from reference_decoder.layout import BOX_TAGS, is_well_formed  # noqa: E402
from reference_decoder.modes import MODES  # noqa: E402

SLOW = {  # a second or more: quick files, or tests that make small ones, show the same of each family and mode
    "cifar10-classic-odd-k3",
    "cifar10-odd-k3",
    "deep",
    "deep-linked",
    "graphic-brief",
    "graphic-rgb",
    "mnist-best-odd-k3",
    "mnist-binary-best-odd-k3",
    "photo-alpha",
    "photo-born",
    "photo-gray-odd-k3",
    "photo-gray-p6",
    "photo-latents-k3",
    "predictors",
    "photo-odd-k0",
    "photo-odd-k3",
    "photo-p3",
    "photo-p6",
    "photo-p9",
    "photo-planes-odd-k0",
    "photo-planes-odd-k3",
    "photo-planes-set-k0",
    "photo-planes-set-k3",
    "photo-set-k0",
    "photo-set-k3",
    "photo-small-odd-k0",
    "photo-small-odd-k3",
    "photo-small-set-k0",
    "photo-small-set-k3",
    "photo-solid",
    "remade-repeated",
    "remade-values",
}
ACCEPTED = json.loads((DOCS / "conformance" / "accepted.json").read_text(encoding="utf-8"))
NAMES = sorted(path.stem for path in GOLDEN.glob("*.vz") if path.with_suffix(".npz").exists())


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
    """Names, modes, samples and boxes are those of the .npz file; of verbatim files, of the picture in them. They are
    those of the conformance set, too."""
    pictures = decode((GOLDEN / f"{name}.vz").read_bytes(), models())
    assert digests(pictures) == ACCEPTED[f"{name}.vz"]["holds"]
    with np.load(GOLDEN / f"{name}.npz") as expected:
        assert difference(pictures, dict(expected)) == ""


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.jpg")), ids=lambda path: path.name)
def test_golden_jpeg_is_decoded(path: Path) -> None:
    """The samples of a JPEG block are the bytes of the file."""
    pictures = decode(Path(f"{path}.vz").read_bytes(), {})
    assert digests(pictures) == ACCEPTED[f"{path.name}.vz"]["holds"]
    picture = pictures[""]
    assert picture.samples.tobytes() == path.read_bytes()


def test_golden_files_are_there() -> None:
    """The names of slow files are those of golden files."""
    assert set(NAMES) >= SLOW


def test_times_of_a_set_are_read() -> None:
    """Section 1.3.2: differences, a picture without a time, and one before 1970."""
    told = {"a": 1_700_000_000, "b": 1_699_999_990, "c": None, "d": -86_400}
    with vaezip.Compressor() as compressor:
        for i, (name, time) in enumerate(told.items()):
            samples = np.full((2, 3 + i // 2, 1), i, np.uint8)
            compressor.add(name, vaezip.Picture("L", samples), modified=time)
        pictures = decode(compressor.close(), models())
    assert {name: picture.time for name, picture in pictures.items()} == told


def test_copies_are_what_they_equal() -> None:
    """Section 1.4: a picture of mode 13 has the samples of another, with boxes and a time of its own."""
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 256, (9, 8, 1)).astype(np.uint8)
    boxes = {"a": (), "b": (("text", b"Title\0\0\0x"),), "c": ()}
    with vaezip.Compressor(preset=1) as compressor:
        for i, (name, own) in enumerate(boxes.items()):
            compressor.add(name, vaezip.Picture("L", samples, own), modified=i)
        data = compressor.close()
    pictures = decode(data, models())
    assert [pictures[name].time for name in boxes] == [0, 1, 2]
    assert [pictures[name].boxes for name in boxes] == [[], [(5, b"Title\0\0\0x")], []]
    for picture in pictures.values():
        np.testing.assert_array_equal(picture.samples, samples)


def test_counted_palettes_and_their_indices_come_in_order() -> None:
    colours = np.arange(120, dtype=np.uint8)[::-1].repeat(3).tobytes()
    samples = np.repeat(np.arange(40, dtype=np.uint8), 12).reshape(12, 40, 1)
    given = vaezip.Picture("P", samples, (("palette", colours),))
    data = vaezip.compress(given)
    assert vaezip.Archive(data).file.groups[0].boxes[0][0][0] == 253
    found = decode(data, {})[""]
    assert np.array_equal(found.samples, samples)
    assert found.boxes == [(0, colours)]


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
        (4, 10, "revision 10 of the draft of format 5 is not read"),
        (5, 0x18, "unknown flags"),
        (5, 0xD0, "unknown mode"),
    ],
)
def test_first_bytes_are_refused(position: int, byte: int, message: str) -> None:
    """Other versions, revisions, flags and modes are refused by name."""
    data = bytearray(first_example())
    data[position] = byte
    with pytest.raises(FormatError, match=re.escape(message)):
        decode(bytes(data), {})


SIZES = sorted({*range(10), 23, 24, 25, 31, 32, 33, 256, 257, 768, 771})
CONTENTS = [
    *(bytes(size) for size in SIZES),
    *(bytes([depth]) for depth in range(1, 17)),
    *(keyword + bytes(3) + b"\xff" for keyword in (b"a", b"\xe4", b"\xc3\xa4", b"\xe2\x82\xac")),
    *(b"a" + bytes(count) + b"v" for count in (2, 3, 4)),
    *(
        bytes([side]) + name
        for side in range(3)
        for name in (b"vpAg", b"bKGD", b"tIMEx", b"caBX", b"IDAT", b"pHYs", b"v1Ag")
    ),
]


@pytest.mark.parametrize("mode", range(10))
def test_boxes_have_the_same_rules_in_both_readers(mode: int) -> None:
    """What one reader takes as the content of a box the other takes, too."""
    for tag, content in product(BOX_TAGS, CONTENTS):
        if BOX_TAGS[tag] != "palette" and not (BOX_TAGS[tag] == "transparency" and MODES[mode].alpha):
            taken = box_fits(BOXES[tag], content, MODE_NAMES[mode])
            assert is_well_formed(mode, tag, content) == taken, (BOX_TAGS[tag], content)
    assert tuple(BOX_TAGS.values()) == BOXES


def test_boxes_that_break_the_rules_are_refused() -> None:
    """The file of section 1.6 is given boxes."""
    data = first_example()
    for boxes, message in [
        (b"\x0b\1\0\x0e\5\0vpAg\x0e\6\1vpAgx", ""),
        (b"\x0b\1\0\x0b\1\0", "a box is repeated"),
        (b"\x0e\5\0vpAg\x0b\1\0", "the tags of boxes do not rise"),
        (b"\x0e\5\0IDAT", "a box has a wrong length or form"),
        (b"\x10\0", "unknown tag of a box"),
        (b"\xff\2\xc3x", "the name of a model is not UTF-8"),
        (b"\xff\1x\x0b\1\0", "unknown tag of a box"),
    ]:
        header = data[:5] + b"\x14" + data[6:12] + bytes([len(boxes) + 1, 0]) + boxes
        samples = np.array([[[[7], [9]]]], np.uint8)
        checksum = zlib.crc32(samples.tobytes(), zlib.crc32(header))
        forged = header + coders.by_mark(coders.GRAPHIC).encode(samples, "L", checksum, effort=Effort())
        if message:
            with pytest.raises(FormatError, match=message):
                decode(forged, {})
            with pytest.raises(VaezipError):
                vaezip.decompress(forged)
        else:
            assert decode(forged, {})[""].boxes == [(11, b"\0"), (14, b"\0vpAg"), (14, b"\1vpAgx")]
            assert [name for name, _ in vaezip.decompress(forged).boxes] == ["srgb", "png-chunk", "png-chunk"]


@pytest.mark.parametrize("options", [{}, {"progressive": True, "subsampling": 2}, {"restart_marker_blocks": 1}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_files_are_decoded(mode: str, options: dict) -> None:
    """A block of mode 12 gives back the file."""
    file = jpeg(mode, (25, 17), **options)
    with vaezip.Compressor() as compressor:
        compressor.add("", None, original=file)
        data = compressor.close()
    assert MODES[data[5] >> 4].name == "jpeg"
    assert decode(data, {})[""].samples.tobytes() == file
    damaged = data[:60] + bytes([data[60] ^ 1]) + data[61:]
    with pytest.raises(FormatError):
        decode(damaged, {})


def test_jpeg_files_whose_restart_markers_are_filled_up_are_decoded() -> None:
    """Of two of them, one has bytes before its second marker, and the other has no end."""
    file = jpeg("RGB", (90, 50), restart_marker_blocks=2)
    for changed in (file.replace(b"\xff\xd1", b"\xff\xff\xd1"), file[:-2]):
        with vaezip.Compressor() as compressor:
            compressor.add("", None, original=changed)
            data = compressor.close()
        assert MODES[data[5] >> 4].name == "jpeg"
        assert decode(data, {})[""].samples.tobytes() == changed


@pytest.mark.parametrize("attack", hostile.REFUSED)
def test_hostile_file_is_refused(attack: str) -> None:
    """What the package refuses by section 11.1, this decoder refuses."""
    with pytest.raises(FormatError):
        decode(hostile.REFUSED[attack][0](), {})


@pytest.mark.parametrize("attack", ["deep", "wide-names", "texts"])
def test_what_limits_allow_is_decoded(attack: str) -> None:
    """The worst that section 11.1 allows is no error."""
    assert decode(hostile.GREATEST[attack](), {})


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


def test_it_refuses_what_takes_too_many_operations():
    with pytest.raises(FormatError, match="too many operations"):
        decode(hostile_blocks.timebomb(), models())


COSTLY = ("cifar10-set-k3", "mnist-k3", "photo-p1", "photo-p9", "photo-gray-set-k3", "photo-latents-k3", "photo-solid")


@pytest.mark.parametrize("name", COSTLY)
def test_it_counts_the_operations_that_the_package_counts(name):
    archive = vaezip.Archive((GOLDEN / f"{name}.vz").read_bytes())
    for group in archive.file.groups:
        for block in group.blocks:
            model = archive.model(block.model)
            shape = (min(group.per_block, len(group.names)), group.band, group.width, model.architecture.channels)
            steps, chain = block.payload[0], block.payload[1:]
            counted = chain_work(chain, shape, models()[block.model], steps)
            assert counted == model.cost(chain, shape, steps).work
