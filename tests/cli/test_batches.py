import json
import os
from pathlib import Path

import pytest

import vaezip
from tests.batch.conftest import QUICK, picture

from .conftest import files

HOW = ("-1", "--model", str(QUICK.model))
READ = ("--model", str(QUICK.model))


@pytest.fixture
def photos():
    """Three pictures, two of them in a folder below the other."""
    for i, name in enumerate(["in/a.png", "in/b/c.png", "in/b/d.png"]):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(vaezip.pictures.write(picture(i), ".png"))
        os.utime(name, (1_000_000_000 + i, 1_000_000_000 + i))


def results(folder):
    """The files below a folder, without what a batch remembers."""
    return [f"{folder}/{name}" for name in files(folder) if ".vaezip" not in name]


def rows(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def total(folder):
    return sum(os.path.getsize(path) for path in results(folder))


# Compress


def test_pictures_are_compressed_into_the_folders_that_they_were_in(run, photos):
    status, out, err = run("compress", "-r", "in", "--output-dir-mirror", "out/deep", *HOW)
    assert results("out") == ["out/deep/a.png.vz", "out/deep/b/c.png.vz", "out/deep/b/d.png.vz"]
    assert (status, out, err) == (0, "", f"vaezip: 3 files done, {total('in'):,} → {total('out'):,} bytes\n")


def test_the_same_command_goes_on(run, photos):
    command = ("compress", "--recursive", "in", "--output-dir-mirror", "out", *HOW, "--report", "r.jsonl")
    Path("in/z.png").write_bytes(b"")
    status, _, err = run(*command)
    assert status == 1
    assert err.startswith("vaezip: in/z.png: the file is empty\nvaezip: 3 files done, 1 failed; the same command takes")
    assert sorted(row["status"] for row in rows("r.jsonl")) == ["done", "done", "done", "failed"]
    Path("in/z.png").write_bytes(Path("in/a.png").read_bytes())
    assert run(*command)[::2] == (0, run_size("in/z.png", "out/z.png.vz", 3))
    assert sorted(row["status"] for row in rows("r.jsonl")) == ["done", "skipped", "skipped", "skipped"]


def run_size(source, target, skipped):
    sizes = f"{os.path.getsize(source):,} → {os.path.getsize(target):,} bytes"
    return f"vaezip: 1 file done, {skipped} done before, {sizes}\n"


def test_what_changed_is_done_again_by_an_update(run, photos):
    run("compress", "in", "--output-dir-mirror", "out", *HOW)
    Path("in/a.png").write_bytes(vaezip.pictures.write(picture(9), ".png"))
    status, _, err = run("compress", "in", "--output-dir-mirror", "out", *HOW)
    assert (status, err.splitlines()[0]) == (
        1,
        "vaezip: in/a.png: 'out/a.png.vz' exists already; use -f to overwrite it",
    )
    assert run("compress", "in", "--output-dir-mirror", "out", *HOW, "--update").status == 0
    assert vaezip.pictures.same(vaezip.open("out/a.png.vz", models=(QUICK.model,)).read(), picture(9))


def test_shards_do_all_together(run, photos, monkeypatch):
    command = ("compress", "in", "--output-dir-mirror", "out", *HOW, "--report", "r.jsonl")
    assert run(*command, "--shard", "1/2", "-q") == (0, "", "")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "2")
    status, _, err = run(*command)
    assert status == 0
    assert err.startswith("vaezip: takes share 2/2 of the files, as a task of the scheduler; --shard 1/1 takes all\n")
    assert len(results("out")) == len(rows("r-1-of-2.jsonl")) + len(rows("r-2-of-2.jsonl")) == 3


def test_urls_will_do(run, photos, tmp_path):
    pytest.importorskip("fsspec")
    there = f"memory://{tmp_path.name}"
    assert run("compress", "in", "--output-dir-mirror", there, *HOW, "-q") == (0, "", "")
    assert run("test", there, *READ, "-q") == (0, "", "")
    assert run("decompress", there, "--output-dir-mirror", "back", *READ, "-q") == (0, "", "")
    assert Path("back/b/c.png").read_bytes() == Path("in/b/c.png").read_bytes()
    status, _, err = run("compress", f"{there}/nothing/", "--output-dir-mirror", there, *HOW)
    assert (status, err.splitlines()[0]) == (1, f"vaezip: {there}/nothing/: there is no such file")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--update",), "name the folder for the results with --output-dir-mirror DIR"),
        (("--report", "r", "-o", "set.vz"), "name the folder for the results with --output-dir-mirror DIR"),
        (("--output-dir-mirror", "a", "-o", "b"), "-o and --output-dir-mirror both say where to write"),
        (("--shard", "0/2", "--output-dir-mirror", "a"), "'0/2' is no shard; give K/N, with K from 1 to N"),
    ],
)
def test_what_makes_no_sense_is_told(run, photos, arguments, words):
    status, _, err = run("compress", "in", *arguments)
    assert status == 2
    assert words in " ".join(err.split())


def test_a_scheduler_that_does_not_answer_is_told(run, photos):
    pytest.importorskip("distributed")
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        status, _, err = run("compress", "in", "--output-dir-mirror", "out", "--scheduler", "tcp://127.0.0.1:1")
    assert status == 1
    assert err.startswith("vaezip: the scheduler 'tcp://127.0.0.1:1' does not answer")


# The way back


@pytest.fixture
def made(run, photos):
    """A folder with the files of the pictures, and one with a set of them."""
    assert run("compress", "in", "--output-dir-mirror", "out", *HOW, "-q").status == 0
    Path("sets").mkdir()
    assert run("compress", "in", "-o", "sets/one.vz", *HOW, "-q").status == 0


def test_a_folder_is_decompressed_into_the_folders_that_it_has(run, made):
    assert run("decompress", "out", "-o", "back", *READ).status == 0
    assert results("back") == ["back/a.png", "back/b/c.png", "back/b/d.png"]
    assert [os.path.getmtime(path) - 1_000_000_000 for path in results("back")] == [0, 1, 2]
    assert [Path(path).read_bytes() for path in results("back")] == [Path(path).read_bytes() for path in results("in")]


def test_a_folder_is_decompressed_beside_its_files(run, made):
    assert run("decompress", "out", *READ).status == 0
    assert Path("out/b/c.png").read_bytes() == Path("in/b/c.png").read_bytes()


def test_sets_in_a_folder_become_folders_with_times(run, made):
    assert run("decompress", "sets", "--output-dir-mirror", "back", *READ).status == 0
    assert results("back") == ["back/one/a.png", "back/one/b/c.png", "back/one/b/d.png"]
    assert [os.path.getmtime(path) - 1_000_000_000 for path in results("back")] == [0, 1, 2]
    status, _, err = run("decompress", "sets", "--output-dir-mirror", "back", *READ)
    assert (status, err) == (0, "vaezip: 0 files done, 1 done before\n")


def test_a_folder_is_tested(run, made):
    names = ["out/a.png.vz", "out/b/c.png.vz", "out/b/d.png.vz"]
    assert run("test", "out", *READ) == (0, "".join(f"{name}: ok (1 picture)\n" for name in names), "")
    Path("out/a.png.vz").write_bytes(b"")
    status, _, err = run("test", "out", *READ, "--report", "r.jsonl")
    assert status == 1
    assert (
        err
        == "vaezip: out/a.png.vz: not a .vz file\nvaezip: 2 files done, 1 failed; the same command takes these again\n"
    )
    assert sorted(row["status"] for row in rows("r.jsonl")) == ["done", "done", "failed"]


def test_a_folder_is_described(run, made):
    status, out, _ = run("info", "out", *READ, "--json")
    assert status == 0
    assert [found["file"] for found in json.loads(out)] == ["out/a.png.vz", "out/b/c.png.vz", "out/b/d.png.vz"]


def test_one_picture_is_taken_out_of_no_folder(run, made):
    assert run("decompress", "sets", "-o", "back", "--only", "a.png").status == 2
