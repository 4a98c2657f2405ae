"""What section 11.3 refuses of a payload, the package and the reference decoder refuse."""

import sys
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.codec import coders
from vaezip.codec import payload as payloads
from vaezip.errors import FormatError, VaezipError
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.vz import archive
from vaezip.vz.records import NO_MODEL, Block, Group

ROOT = Path(__file__).parents[2]
if str(ROOT / "docs") not in sys.path:
    sys.path.insert(0, str(ROOT / "docs"))

import reference_decoder  # noqa: E402

SMALL = ROOT / "tests" / "models"


@cache
def reference_models():
    return reference_decoder.load_models(SMALL)


def decoded(data):
    """What both readers make of a file of one picture."""
    ours = vaezip.Archive(data, models=sorted(SMALL.glob("*.safetensors"))).read()
    theirs = reference_decoder.decode(data, reference_models())[""]
    return ours, theirs


def assert_refused(data):
    with pytest.raises(VaezipError):
        vaezip.Archive(data, models=sorted(SMALL.glob("*.safetensors"))).read()
    with pytest.raises(reference_decoder.FormatError):
        reference_decoder.decode(data, reference_models())


def drawn(mode, samples):
    """A file of one drawn picture, whatever its samples are."""
    height, width = samples.shape[:2]
    header = archive.inline_header(Group(mode, height, width, boxes=[()], blocks=[Block(coders.GRAPHIC, b"")]))
    checksum = zlib.crc32(samples.tobytes(), zlib.crc32(header))
    return header + coders.by_mark(coders.GRAPHIC).encode(samples[None], "L", checksum, effort=Effort())


@pytest.mark.parametrize("mode", [0, 10])
def test_black_and_white_has_no_third_sample(mode):
    samples = np.array([[[0], [1], [1]]], np.uint8)
    for picture in decoded(drawn(mode, samples)):
        assert np.array_equal(picture.samples, samples * (255 if mode else 1))
    samples[0, 2] = 2
    assert_refused(drawn(mode, samples))


@pytest.mark.parametrize("mode", [mode for mode in range(11) if mode != 5])
def test_pictures_are_coded_by_something(mode):
    """Only bytes stand in a block as they are."""
    header = archive.inline_header(Group(mode, 1, 2, boxes=[()], blocks=[Block(NO_MODEL, b"")]))
    assert_refused(header + bytes([0, 1, 0, 0, 0, 1]))


def verbatim(file, width, model=NO_MODEL):
    header = archive.inline_header(Group(11, 1, width, boxes=[()], blocks=[Block(model, b"")]))
    return header + zlib.crc32(file, zlib.crc32(header)).to_bytes(4, "little") + file


def test_a_file_that_is_kept_has_the_bytes_that_its_width_says():
    file = b"P5 2 1 255\n\x07\x09"
    ours, theirs = decoded(verbatim(file, len(file)))
    assert ours.samples.tolist() == [[[7], [9]]]
    assert theirs.samples.tobytes() == file
    assert_refused(verbatim(file[:-1], len(file)))
    assert_refused(verbatim(file + b"x", len(file)))
    assert_refused(verbatim(file, len(file), model_file.fingerprint(SMALL / "logistic.safetensors")))


@pytest.fixture(scope="module")
def tiles():
    """A file of four tiles by a tile model, and where its payload begins."""
    samples = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    data = vaezip.compress(vaezip.Picture("RGB", samples), model=SMALL / "colour.safetensors", steps=0)
    (block,) = vaezip.Archive(data, models=[SMALL / "colour.safetensors"]).file.groups[0].blocks
    assert np.array_equal(decoded(data)[1].samples, samples)
    return data, len(data) - len(block.payload)


def test_there_are_no_more_than_2_to_the_32_coarse_tiles(tiles):
    data, start = tiles
    assert data[start + 1] <= 32
    assert_refused(data[: start + 1] + bytes([33]) + data[start + 2 :])


@pytest.fixture(scope="module")
def pixels():
    """A file by a pixel model that adapts without learning, and where its payload begins."""
    samples = np.random.default_rng(0).integers(0, 256, (9, 9, 1)).astype(np.uint8)
    options = {"model": SMALL / "local-grey.safetensors", "preset": 2}
    data = vaezip.compress(vaezip.Picture("L", samples), **options)
    (block,) = vaezip.Archive(data, models=[options["model"]]).file.groups[0].blocks
    return data, len(data) - len(block.payload)


@pytest.mark.parametrize("first", [33, 63, 72, 255])
def test_the_way_of_coding_is_one_that_there_is(pixels, first):
    data, start = pixels
    assert_refused(data[: start + 1] + bytes([first]) + data[start + 2 :])


def test_steps_are_those_of_the_settings(pixels):
    data, start = pixels
    settings = bytes([64]), bytes([2, 1, 1, 8, 40, 51, 230, 0, 0]), bytes([2, 1, 1, 8, 40, 51, 230, 0, 26])
    for right, some in enumerate(settings):
        for steps in {0, 1, 2, 3} - {right}:
            assert_refused(data[:start] + bytes([steps]) + some + data[start + 2 :])


@pytest.mark.parametrize("mark", [NO_MODEL, *coders.CODERS])
def test_where_a_model_of_alpha_is_told_it_is_one(mark):
    model = vaezip.load_model(model_file.find("photo-gray"))
    samples = np.zeros((1, 16, 16, 2), np.uint8)
    data = payloads.encode(samples, "LA", 0, model=model, effort=Effort(rows=0))
    wrong = data[:1] + (4 | 1 << 31).to_bytes(4, "little") + mark + data[5:]
    with pytest.raises(FormatError, match="the coded data is damaged"):
        payloads.decode(wrong, "LA", samples.shape, model=model, find=None)
    with pytest.raises(FormatError, match="the coded data is damaged"):
        payloads.cost(wrong, "LA", samples.shape, model=model, find=None)
