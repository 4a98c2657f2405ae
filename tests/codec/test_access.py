"""An archive as a sequence and a mapping, by threads and processes, and as arrays."""

import io
import multiprocessing
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import vaezip
from vaezip.codec import archive as archives
from vaezip.codec.decoded import DecodedBlocks
from vaezip.models import library
from vaezip.pictures import Picture, same
from vaezip.system import threads

SIDE = 12


def made(count=7, **options):
    """A set of small pictures, three to a block."""
    ramp = np.arange(SIDE * SIDE, dtype=np.uint8).reshape(SIDE, SIDE)
    pictures = {f"{i}.png": ramp + np.uint8(i) for i in range(count)}
    return pictures, vaezip.compress(pictures, preset=1, **{"block": 3, **options})


@pytest.fixture
def decoded(monkeypatch):
    """The blocks that are decoded meanwhile, by their first pictures."""
    found = []

    def counted(self, executor, group, first):
        found.append(first)
        return original(self, executor, group, first)

    original = archives.Archive._decode_run
    monkeypatch.setattr(archives.Archive, "_decode_run", counted)
    return found


def test_it_is_a_sequence():
    pictures, data = made()
    archive = vaezip.Archive(data)
    arrays = list(pictures.values())
    assert len(archive) == 7
    assert np.array_equal(np.asarray(archive[np.int64(4)])[..., 0], arrays[4])
    assert np.array_equal(np.asarray(archive[-1])[..., 0], arrays[-1])
    assert [np.asarray(p)[0, 0, 0] for p in archive] == [0, 1, 2, 3, 4, 5, 6]
    assert [np.asarray(p)[0, 0, 0] for p in archive[1:6:2]] == [1, 3, 5]
    assert repr(archive) == "<vaezip.Archive of 7 pictures>"


def test_it_is_a_mapping():
    pictures, data = made()
    archive = vaezip.Archive(data)
    assert archive.keys() == archive.names == list(pictures)
    assert "3.png" in archive
    assert "7.png" not in archive
    assert same(archive["3.png"], archive[3])
    assert {name: np.asarray(p)[0, 0, 0] for name, p in archive.items()} == {f"{i}.png": i for i in range(7)}
    assert list(dict(archive)) == list(pictures)


@pytest.mark.parametrize(("key", "kind"), [("7.png", KeyError), (7, IndexError), (-8, IndexError)])
def test_what_is_not_there_is_an_error_of_ours_and_of_pythons(key, kind):
    archive = vaezip.Archive(made()[1])
    with pytest.raises(kind) as caught:
        archive[key]
    assert isinstance(caught.value, vaezip.FormatError)
    assert str(caught.value).startswith("it holds no picture")
    with pytest.raises(TypeError):
        archive[1.5]


def test_a_block_is_decoded_once(decoded):
    archive = vaezip.Archive(made()[1])
    for i in (4, 3, 5, 4, 0):
        archive[i]
    assert decoded == [3, 0]
    assert vaezip.Archive(made()[1], cache=0)[4].samples[0, 0, 0] == 4
    assert decoded == [3, 0, 3]


def test_blocks_are_known(decoded):
    archive = vaezip.Archive(made()[1], cache=1 << 9)
    assert archive.blocks() == [range(3), range(3, 6), range(6, 7)]
    for numbers in archive.blocks():
        for i in numbers:
            archive[i]
    assert decoded == [0, 3, 6]
    several = vaezip.Archive(
        vaezip.compress({"a": np.zeros((3, 3), np.uint8), "b": np.ones((4, 3), np.uint8)}, preset=1)
    )
    assert several.blocks() == [range(1), range(1, 2)]


def test_who_gets_a_picture_may_write_to_it():
    archive = vaezip.Archive(made()[1])
    archive[4].samples[:] = 0
    assert archive[4].samples.max() > 0


def test_the_last_blocks_are_kept_up_to_a_size():
    blocks, calls = DecodedBlocks(20), []

    def decode(key, size=8):
        return blocks.get(key, lambda: calls.append(key) or np.zeros(size, np.uint8))

    for key in "abab" + "c" + "bca":
        decode(key)
    assert "".join(calls) == "abca"
    decode("large", 21)
    decode("large", 21)
    assert calls[-2:] == ["large", "large"]


def test_a_block_that_cannot_be_decoded_is_tried_again():
    blocks = DecodedBlocks(20)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            blocks.get("a", lambda: 1 // 0)


def test_threads_share_an_archive(decoded):
    archive = vaezip.Archive(made()[1])
    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(lambda i: int(archive[i].samples[0, 0, 0]), [*range(7)] * 4))
    assert found == [*range(7)] * 4
    assert sorted(decoded) == [0, 3, 6]


def test_it_can_be_pickled_after_it_was_read():
    archive = vaezip.Archive(made()[1])
    archive.read("4.png")
    again = pickle.loads(pickle.dumps(archive))
    assert same(again[4], archive[4])


def _read(archive, results):
    results.put([int(archive[i].samples[0, 0, 0]) for i in range(len(archive))])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
def test_a_process_may_fork_while_threads_read():
    """Whatever locks they hold."""
    archive = vaezip.Archive(made()[1])
    archive[0]
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    with archive._decoded._changed, library._lock, threads._lock:  # as if threads were in them
        child = context.Process(target=_read, args=(archive, results))
        child.start()
    assert results.get(timeout=60) == [*range(7)]
    child.join()


def test_a_loader_of_pytorch_reads_at_random():
    data = pytest.importorskip("torch.utils.data")
    archive = vaezip.Archive(made()[1])
    loader = data.DataLoader(archive, batch_size=2, sampler=[5, 0, 6, 3], num_workers=2, collate_fn=_first_samples)
    assert list(loader) == [[5, 0], [6, 3]]


def _first_samples(pictures):
    return [int(picture.samples[0, 0, 0]) for picture in pictures]


def test_a_closed_archive_is_closed():
    with vaezip.Archive(made()[1]) as archive:
        assert archive[1].samples[0, 0, 0] == 1
    for read in (lambda: archive[1], lambda: list(archive), lambda: archive.look(1)):
        with pytest.raises(vaezip.VaezipError, match="closed"):
            read()
    assert len(archive) == 7


@pytest.mark.parametrize("key", ["1.png", 1])
def test_everything_about_a_picture_is_found_by_name_and_by_number(key):
    picture = Picture("L", np.full((SIDE, SIDE, 1), 9, np.uint8), (("icc", b"profile"),))
    with vaezip.Compressor(preset=1) as compressor:
        compressor.add("0.png", picture)
        compressor.add("1.png", picture, modified=7)
        archive = vaezip.Archive(compressor.close())
    assert archive.modified(key) == 7
    assert archive.original(key) is None
    assert archive.beginning(key) is None
    assert archive.boxes(key) == picture.boxes
    assert archive.look(key) == archive.info()["pictures"][1]


def test_a_block_holds_as_many_pictures_as_one_says():
    for block, per_block in ((1, 1), (3, 3), (1 << 30, 116508)):
        group = vaezip.Archive(made(block=block)[1]).file.groups[0]
        assert group.per_block == per_block
    for options in ({"block": 0}, {"block": 2, "solid": True}):
        with pytest.raises(vaezip.VaezipError, match="a block holds"):
            vaezip.compress(np.zeros((3, 3), np.uint8), **options)


def test_models_are_chosen_for_all_pictures_that_wait_together():
    """So that small blocks are coded as fast as large ones."""
    pictures, data = made(40, block=2)
    archive = vaezip.Archive(data)
    assert len({block["method"] for block in archive.info()["blocks"]}) == 1
    assert all(np.array_equal(archive[name].samples[..., 0], one) for name, one in pictures.items())
    assert vaezip.compress(pictures, preset=1, block=2, threads=3) == data


ARRAYS = [
    np.eye(5, 7, dtype=np.bool_),
    np.arange(35, dtype=np.uint8).reshape(5, 7),
    np.arange(70, dtype=np.uint8).reshape(5, 7, 2),
    np.arange(105, dtype=np.uint8).reshape(5, 7, 3),
    np.arange(140, dtype=np.uint8).reshape(5, 7, 4),
    np.arange(35, dtype=np.uint16).reshape(5, 7) * 999,
    np.arange(105, dtype=np.uint16).reshape(5, 7, 3) * 600,
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape[2:]}")
def test_arrays_are_written_and_read(array, tmp_path):
    for _ in range(2):  # and over what is there
        vaezip.imwrite(tmp_path / "a.vz", array, preset=1)
    data = (tmp_path / "a.vz").read_bytes()
    for source in (tmp_path / "a.vz", str(tmp_path / "a.vz"), data, io.BytesIO(data)):
        found = vaezip.imread(source)
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)


def test_a_palette_becomes_its_colours(tmp_path):
    samples = np.array([[[0], [1], [2]]], np.uint8)
    for alpha, colours in (((), [[1, 2, 3], [4, 5, 6], [0, 0, 0]]), ((("transparency", b"\7"),), None)):
        picture = Picture("P", samples, (("palette", bytes(range(1, 7))), *alpha))
        vaezip.imwrite(tmp_path / "a.vz", picture, preset=1)
        expected = colours or [[1, 2, 3, 7], [4, 5, 6, 255], [0, 0, 0, 255]]
        assert vaezip.imread(tmp_path / "a.vz").tolist() == [expected]
        assert np.array_equal(vaezip.imread(vaezip.pictures.write(picture, ".png")), [expected])


def test_one_picture_of_a_set(tmp_path):
    pictures, _ = made()
    vaezip.imwrite(tmp_path / "a.vz", pictures, preset=1)
    assert np.array_equal(vaezip.imread(tmp_path / "a.vz", "3.png"), pictures["3.png"])
    assert np.array_equal(vaezip.imread(tmp_path / "a.vz", -1), pictures["6.png"])
    with pytest.raises(vaezip.ImageError, match="7 pictures; give the name"):
        vaezip.imread(tmp_path / "a.vz")


def test_what_cannot_be_read_or_written(tmp_path):
    with pytest.raises(vaezip.OutputError, match=r"'\.png' is the suffix of a picture"):
        vaezip.imwrite(tmp_path / "a.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(vaezip.OutputError):
        vaezip.imwrite(tmp_path / "none" / "a.vz", np.zeros((3, 3), np.uint8))
    with pytest.raises(vaezip.ImageError, match="cannot be read"):
        vaezip.imread(tmp_path / "none.vz")
    with pytest.raises(vaezip.ImageError, match="not for text"):
        vaezip.imread(io.StringIO("text"))


def test_pictures_are_images_of_pillow():
    picture = Picture("L", np.arange(12, dtype=np.uint8).reshape(3, 4, 1), (("icc", b"profile"),))
    image = picture.to_pil()
    assert (image.mode, image.size, image.info) == ("L", (4, 3), {"icc_profile": b"profile"})
    assert same(vaezip.decompress(vaezip.compress(image, preset=1)), picture)
