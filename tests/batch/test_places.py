import os
import uuid

import pytest

from vaezip.batch import places
from vaezip.errors import FormatError, OutputError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(params=["path", "file", "memory", "renaming"])
def place(request, tmp_path, monkeypatch):
    """A folder of each sort: here by path and by URL, and elsewhere, with files that appear whole and that do not."""
    if request.param == "path":
        return places.open_folder(str(tmp_path))
    if request.param == "file":
        return places.open_folder(tmp_path.as_uri())
    if request.param == "renaming":
        monkeypatch.setattr(places, "_WHOLE", frozenset())
    return places.open_folder(f"memory://{uuid.uuid4()}")


def test_what_was_written_is_there(place):
    place.write("a/b.vz", b"123")
    assert place.size("a/b.vz") == 3
    assert place.read("a/b.vz", 10) == b"123"
    assert places.read(place.join("a/b.vz"), 10) == b"123"
    assert place.is_folder()
    assert list(place.files()) == ["a/b.vz"]


def test_no_more_is_read_than_shows_that_it_is_too_much(place):
    place.write("a", b"12345")
    assert place.read("a", 2) == b"123"


def test_a_file_is_overwritten_only_by_force(place):
    place.write("a", b"1")
    with pytest.raises(OutputError, match="exists already"):
        place.write("a", b"2")
    assert place.read("a", 9) == b"1"
    place.write("a", b"2", force=True)
    assert place.read("a", 9) == b"2"
    assert list(place.files()) == ["a"]


def test_a_file_that_is_missing_has_no_size(place):
    assert place.size("nothing") is None
    with pytest.raises(OSError, match="nothing"):
        place.read("nothing", 1)


def test_nothing_is_written_outside(place):
    with pytest.raises(OutputError, match="would leave the folder"):
        place.write("../a", b"")


def test_what_batches_remember_is_not_among_the_files(place):
    place.write(f"{places.MARKERS}/compress/00/a.json", b"{}")
    place.write("b", b"1")
    assert list(place.files()) == ["b"]


def test_files_are_listed_in_order(place):
    for name in ("c", "a/z", "a/b/c", "b"):
        place.write(name, b"1")
    assert sorted(place.files()) == ["a/b/c", "a/z", "b", "c"]
    assert list(place.files()) == list(place.files())


def test_a_url_of_this_machine_is_a_path(tmp_path):
    assert places.local_path(tmp_path.as_uri()) == str(tmp_path)
    assert not places.is_url(tmp_path.as_uri())
    assert not places.is_url("C:/a")
    assert places.is_url("s3://bucket/a")


def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="is no regular file"):
        places.read(str(tmp_path / "pipe"), 1)


def test_a_protocol_that_nobody_knows_is_named():
    with pytest.raises(FormatError, match="'nonsense://a' cannot be opened: Protocol not known: nonsense"):
        places.open_folder("nonsense://a").is_folder()
