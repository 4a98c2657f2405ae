"""Data sets in their published layouts, written small; no test asks the network."""

import gzip
import hashlib
import io
import os
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaezip
from vaezip.errors import DataError
from vaezip.pictures import datasets
from vaezip.pictures.picture import Picture

pooch = pytest.importorskip("pooch")


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No data in the environment, an empty cache, and no network."""

    def refuse(*_, **__):
        raise ConnectionError("there is no network in tests")

    monkeypatch.delenv("VAEZIP_DATA", raising=False)
    monkeypatch.setattr(datasets, "_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(pooch, "retrieve", refuse)


def grey(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28, 1), np.uint8)


def colour(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), np.uint8)


def idx(pixels):
    return struct.pack(">4I", 2051, *pixels.shape[:3]) + pixels.tobytes()


def write_mnist(root, test, train=None, packed=True):
    folder = root / "mnist"
    folder.mkdir(parents=True, exist_ok=True)
    for stem, pixels in (("t10k", test), ("train", train)):
        if pixels is not None:
            data, name = idx(pixels), f"{stem}-images-idx3-ubyte"
            (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)


def records(pixels, labels):
    planes = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1)
    return np.hstack([np.full((len(pixels), labels), 7, np.uint8), planes]).tobytes()


def write_cifar10(root, test, train=None):
    folder = root / "cifar-10-batches-bin"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test_batch.bin").write_bytes(records(test, 1))
    if train is not None:
        for i, batch in enumerate(np.array_split(train, 5)):
            (folder / f"data_batch_{i + 1}.bin").write_bytes(records(batch, 1))


@pytest.mark.parametrize("packed", [True, False])
def test_mnist(tmp_path, packed):
    write_mnist(tmp_path, grey(3), grey(5, 1), packed)
    assert np.array_equal(datasets.load("mnist", "test", tmp_path), grey(3))
    assert np.array_equal(datasets.load("mnist", "train", tmp_path), grey(5, 1))


def test_binary_mnist_has_its_threshold_at_half(tmp_path):
    pixels = np.zeros((1, 28, 28, 1), np.uint8)
    pixels[0, 0, :4, 0] = (0, 127, 128, 255)
    write_mnist(tmp_path, pixels)
    assert datasets.load("mnist-binary", "test", tmp_path)[0, 0, :4, 0].tolist() == [0, 0, 1, 1]


def test_cifar10(tmp_path):
    write_cifar10(tmp_path, colour(3), colour(10, 1))
    assert np.array_equal(datasets.load("cifar10", "test", tmp_path), colour(3))
    assert np.array_equal(datasets.load("cifar10", "train", tmp_path), colour(10, 1))


def test_cifar100_has_two_labels(tmp_path):
    (tmp_path / "cifar-100-binary").mkdir()
    (tmp_path / "cifar-100-binary" / "test.bin").write_bytes(records(colour(4), 2))
    assert np.array_equal(datasets.load("cifar100", "test", tmp_path), colour(4))


def test_another_published_file_is_looked_for_alike(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"'mnist/labels\.gz' is not here; put it at "):
        datasets.content("mnist/labels.gz")
    monkeypatch.setenv("VAEZIP_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "labels").write_bytes(b"plain")
    assert datasets.content("mnist/labels.gz", tmp_path / "elsewhere") == b"plain"
    (tmp_path / "mnist" / "labels.gz").write_bytes(gzip.compress(b"packed"))
    assert datasets.content("mnist/labels.gz") == b"packed"


def test_the_folder_given_goes_before_the_environment_and_that_before_the_cache(tmp_path, monkeypatch):
    write_mnist(tmp_path / "cache", grey(1, 1))
    assert np.array_equal(datasets.load("mnist", "test"), grey(1, 1))
    write_mnist(tmp_path / "env", grey(1, 2))
    monkeypatch.setenv("VAEZIP_DATA", str(tmp_path / "env"))
    assert np.array_equal(datasets.load("mnist", "test"), grey(1, 2))
    write_mnist(tmp_path / "given", grey(1, 3))
    assert np.array_equal(datasets.load("mnist", "test", tmp_path / "given"), grey(1, 3))
    assert np.array_equal(datasets.load("mnist", "test", tmp_path / "empty"), grey(1, 2))


def test_files_that_a_user_keeps_are_read_as_they_are_and_not_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEZIP_DATA", str(tmp_path / "env"))
    write_mnist(tmp_path / "env", grey(1, 1))  # not the published bytes
    write_cifar10(tmp_path / "env", colour(1))  # unpacked, and no archive
    before = {path: path.read_bytes() for path in (tmp_path / "env").rglob("*") if path.is_file()}
    assert np.array_equal(datasets.load("mnist", "test"), grey(1, 1))
    assert np.array_equal(datasets.load("cifar10", "test"), colour(1))
    assert {path: path.read_bytes() for path in (tmp_path / "env").rglob("*") if path.is_file()} == before
    assert not (tmp_path / "cache").exists()


def test_unknown_name():
    with pytest.raises(
        DataError, match=r"^no data set is called 'nope'; there are mnist, mnist-binary, cifar10, cifar100$"
    ):
        datasets.load("nope", "test")


def test_absent_and_no_network_says_what_to_put_where(tmp_path):
    with pytest.raises(DataError) as caught:
        datasets.load("cifar100", "test", tmp_path / "data")
    assert str(caught.value) == (
        "the files of 'cifar100' are not here (https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz could not be "
        f"downloaded: ConnectionError); put test.bin into {tmp_path / 'data' / 'cifar-100-binary'}"
    )


@pytest.mark.parametrize("missing", ["platformdirs", "pooch"])
def test_absent_and_no_extra_says_how_to_install_it(monkeypatch, missing):
    monkeypatch.undo()
    monkeypatch.delenv("VAEZIP_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/nonexistent")
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(DataError, match=r"pip install '\.\[bench\]' in a checkout of vaezip"):
        datasets.load("cifar100", "test")


@pytest.mark.parametrize(  # without the time, which would name the tests otherwise in each of the processes
    ("name", "content"),
    [
        ("t10k-images-idx3-ubyte.gz", b"not gzip"),
        ("t10k-images-idx3-ubyte.gz", gzip.compress(idx(grey(2)), mtime=0)[:-20]),
        ("t10k-images-idx3-ubyte.gz", gzip.compress(idx(grey(2))[:-1], mtime=0)),
        ("t10k-images-idx3-ubyte.gz", gzip.compress(b"\0\0\x08\x01" + bytes(12), mtime=0)),
        ("t10k-images-idx3-ubyte", b""),
    ],
)
def test_damaged_mnist(tmp_path, name, content):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / name).write_bytes(content)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte.gz (cannot be read|is damaged).*; remove it"):
        datasets.load("mnist", "test", tmp_path)


def test_damaged_cifar(tmp_path):
    write_cifar10(tmp_path, colour(2))
    file = tmp_path / "cifar-10-batches-bin" / "test_batch.bin"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match="is damaged"):
        datasets.load("cifar10", "test", tmp_path)


# Downloads


@pytest.fixture
def served(tmp_path, monkeypatch):
    """served(name, data): what a download of that file gets; real checks, no network."""
    monkeypatch.undo()
    monkeypatch.delenv("VAEZIP_DATA", raising=False)
    monkeypatch.setattr(datasets, "_cache", lambda: tmp_path / "cache")
    files, asked = {}, []

    class Downloader:
        def __init__(self, **_):
            pass

        def __call__(self, url, output, _):
            asked.append(url)
            Path(output).write_bytes(files[url.rpartition("/")[2]])

    monkeypatch.setattr(pooch, "HTTPDownloader", Downloader)

    def serve(name, data):
        files[name] = data
        return asked

    return serve


def expect(monkeypatch, name, *files):
    """Let the checksums of a data set's homes be those of these files."""
    sums = {file: hashlib.sha256(data).hexdigest() for file, data in files}
    source = datasets._SOURCES[name]
    homes = tuple(replace(home, sha256=sums.get(home.name, home.sha256)) for home in source.homes)
    monkeypatch.setitem(datasets._SOURCES, name, replace(source, homes=homes))


def tar(folder, files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def test_mnist_is_downloaded_once(tmp_path, served, monkeypatch):
    data = gzip.compress(idx(grey(3)))
    asked = served("t10k-images-idx3-ubyte.gz", data)
    expect(monkeypatch, "mnist", ("t10k-images-idx3-ubyte.gz", data))
    for _ in range(2):
        assert np.array_equal(datasets.load("mnist", "test", tmp_path / "empty"), grey(3))
    assert asked == ["https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz"]


def test_cifar_is_downloaded_and_unpacked(tmp_path, served, monkeypatch):
    files = {"test.bin": records(colour(2), 2), "train.bin": records(colour(3, 1), 2), "../evil": b"no"}
    data = tar("cifar-100-binary", files)
    asked = served("cifar-100-binary.tar.gz", data)
    expect(monkeypatch, "cifar100", ("cifar-100-binary.tar.gz", data))
    assert np.array_equal(datasets.load("cifar100", "test"), colour(2))
    assert np.array_equal(datasets.load("cifar100", "train"), colour(3, 1))
    assert len(asked) == 1
    kept = sorted(p.relative_to(tmp_path / "cache").as_posix() for p in (tmp_path / "cache").rglob("*") if p.is_file())
    assert kept == ["cifar-100-binary/test.bin", "cifar-100-binary/train.bin"]


@pytest.mark.parametrize("cut_at", [1, 2])
def test_an_unpacking_that_was_cut_is_done_again(tmp_path, served, monkeypatch, cut_at):
    data = tar("cifar-100-binary", {"test.bin": records(colour(2), 2), "train.bin": records(colour(3, 1), 2)})
    served("cifar-100-binary.tar.gz", data)
    expect(monkeypatch, "cifar100", ("cifar-100-binary.tar.gz", data))
    moved, replace_file = [], os.replace

    def cut(source, target):
        moved.append(target)
        if len(moved) == cut_at:
            raise KeyboardInterrupt
        replace_file(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            datasets.load("cifar100", "test")
    assert np.array_equal(datasets.load("cifar100", "test"), colour(2))
    assert np.array_equal(datasets.load("cifar100", "train"), colour(3, 1))


def test_a_wrong_checksum_is_refused(tmp_path, served):
    served("t10k-images-idx3-ubyte.gz", gzip.compress(idx(grey(3))))
    with pytest.raises(DataError, match="its checksum is wrong"):
        datasets.load("mnist", "test")
    assert not list((tmp_path / "cache").rglob("t10k*"))


def test_published_checksums_are_well_formed():
    for source in datasets._SOURCES.values():
        sums = [home.sha256 for home in source.homes] + list(source.contents.values())
        assert all(len(s) == 64 and set(s) <= set("0123456789abcdef") for s in sums)


# Collections


def test_collection_of_a_data_set(tmp_path):
    write_mnist(tmp_path, grey(3))
    found = datasets.collection("mnist-binary", data=tmp_path)
    assert (found.name, len(found), found.numbered, found.verified) == ("mnist-binary", 3, True, False)
    name, picture = found[2]
    assert (name, picture.mode) == ("00002", "1")
    assert np.array_equal(picture.samples, grey(3)[2] >= 128)


def test_verified_tells_the_published_files(tmp_path, monkeypatch):
    write_mnist(tmp_path, grey(3))
    contents = {"t10k-images-idx3-ubyte.gz": hashlib.sha256(idx(grey(3))).hexdigest()}
    monkeypatch.setitem(datasets._SOURCES, "mnist", replace(datasets._SOURCES["mnist"], contents=contents))
    assert datasets.collection("mnist", data=tmp_path).verified is True


def test_select():
    found = datasets.Collection("x", tuple(range(10)), tuple("abcdefghij"), lambda i: i)
    assert list(found.select(3)) == [("a", 0), ("b", 1), ("c", 2)]
    assert len(found.select()) == len(found.select(100)) == 10
    drawn = found.select(4, seed=1)
    assert drawn.indices == found.select(4, seed=1).indices != found.select(4, seed=2).indices
    assert len(set(drawn.indices)) == 4
    assert set(drawn.select(2).indices) <= set(drawn.indices)


def test_collection_of_a_folder(tmp_path):
    picture = Picture("L", grey(1)[0])
    for name in ("b.png", "a/c.PNG", "a.png", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(vaezip.pictures.write(picture, ".png"))
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / "z.png").write_text("damaged")
    found = datasets.collection(tmp_path)
    assert list(found.labels) == ["a/c.PNG", "a.png", "b.png", "z.png"]
    assert vaezip.pictures.same(found[0][1], picture)
    with pytest.raises(DataError, match=r"z\.png: not a picture"):
        found[3]


def test_a_folder_may_be_called_like_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "a.png").write_bytes(vaezip.pictures.write(Picture("L", grey(1)[0]), ".png"))
    assert datasets.collection("./mnist").labels == ("a.png",)


def test_folder_without_pictures(tmp_path):
    with pytest.raises(DataError, match="holds no picture"):
        datasets.collection(tmp_path)


@pytest.mark.parametrize("packed", [True, False])
def test_files_of_a_data_set_are_those_that_are_read(tmp_path, packed):
    write_mnist(tmp_path, grey(3), packed=packed)
    assert datasets.files("mnist", data=tmp_path) == [tmp_path / "mnist" / ("t10k-images-idx3-ubyte" + ".gz" * packed)]
    assert datasets.files("mnist", "train", tmp_path) == datasets.files("cifar10", data=tmp_path) == []


def test_files_of_a_folder_are_its_pictures(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("b.png", "in/a.PNG", "notes.txt"):
        (tmp_path / name).touch()
    assert datasets.files(tmp_path) == [tmp_path / "b.png", tmp_path / "in" / "a.PNG"]
    with pytest.raises(DataError, match="no data set or folder is called 'nowhere'"):
        datasets.files("nowhere")


def test_neither_data_set_nor_folder():
    with pytest.raises(DataError, match="no data set or folder is called 'nowhere'"):
        datasets.collection("nowhere")
