import json
import os
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

import vaezip
from tests.batch.conftest import QUICK, picture, tree
from vaezip import batch
from vaezip.batch import jobs
from vaezip.batch.outcomes import Outcome
from vaezip.batch.shards import Shard
from vaezip.batch.tasks import digest_of
from vaezip.errors import FormatError, ModelError, OutputError


def counts(summary):
    return summary.done, summary.skipped, summary.failed


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


# There and back


def test_folders_are_mirrored_there_and_back(photos, tmp_path):
    source = photos(6)
    os.utime(source / "odd" / "0001.png", (1_000_000_000, 1_000_000_000))
    assert counts(batch.compress(source, tmp_path / "made" / "deep", QUICK)) == (6, 0, 0)
    assert set(tree(tmp_path / "made" / "deep")) == {f"{name}.vz" for name in tree(source)}
    assert counts(batch.test(tmp_path / "made", models=(QUICK.model,))) == (6, 0, 0)
    assert counts(batch.decompress(tmp_path / "made" / "deep", tmp_path / "back", models=(QUICK.model,))) == (6, 0, 0)
    assert tree(tmp_path / "back") == tree(source)
    assert (tmp_path / "back" / "odd" / "0001.png").stat().st_mtime == 1_000_000_000


def test_any_executor_and_any_place_will_do(photos, tmp_path):
    pytest.importorskip("fsspec")
    source, there = photos(5), f"memory://{uuid.uuid4()}"
    with ThreadPoolExecutor(2) as executor:
        assert counts(batch.compress(source, f"{there}/made", QUICK, executor=executor)) == (5, 0, 0)
        summary = batch.decompress(f"{there}/made", f"{there}/back", models=(QUICK.model,), executor=executor)
        assert counts(summary) == (5, 0, 0)
        assert counts(batch.decompress(f"{there}/made", tmp_path / "back", models=(QUICK.model,))) == (5, 0, 0)
        assert counts(batch.compress(f"{there}/back", f"{there}/made", QUICK, executor=executor)) == (0, 5, 0)
    assert tree(tmp_path / "back") == tree(source)


def test_a_set_goes_back_into_a_folder_with_its_times(photos, tmp_path):
    with vaezip.Compressor(QUICK) as compressor:
        for i, name in enumerate(["a.png", "b/c.png"]):
            compressor.add(name, picture(i), modified=1_000_000_000 + i)
        (tmp_path / "sets").mkdir()
        (tmp_path / "sets" / "one.vz").write_bytes(compressor.close())
    assert counts(batch.decompress(tmp_path / "sets", tmp_path / "back", models=(QUICK.model,))) == (1, 0, 0)
    assert set(tree(tmp_path / "back")) == {"one/a.png", "one/b/c.png"}
    assert (tmp_path / "back" / "one" / "b" / "c.png").stat().st_mtime == 1_000_000_001
    assert counts(batch.decompress(tmp_path / "sets", tmp_path / "back", models=(QUICK.model,))) == (0, 1, 0)


def test_one_file_will_do(photos, tmp_path):
    source = photos(2)
    assert counts(batch.compress(source / "0000.png", tmp_path / "made", QUICK)) == (1, 0, 0)
    assert set(tree(tmp_path / "made")) == {"0000.png.vz"}


# Going on


def test_the_same_call_again_codes_nothing(photos, tmp_path, monkeypatch):
    source = photos(3)
    batch.compress(source, tmp_path / "made", QUICK)
    monkeypatch.setattr(jobs, "work", None)
    assert counts(batch.compress(source, tmp_path / "made", QUICK)) == (0, 3, 0)


def test_a_result_that_is_missing_is_made_again(photos, tmp_path):
    source = photos(3)
    batch.compress(source, tmp_path / "made", QUICK)
    (tmp_path / "made" / "0002.png.vz").unlink()
    assert counts(batch.compress(source, tmp_path / "made", QUICK)) == (1, 2, 0)


def test_a_result_whose_marker_is_missing_is_found_to_be_right(photos, tmp_path):
    """A run may be killed between the two."""
    source = photos(3)
    batch.compress(source, tmp_path / "made", QUICK)
    next((tmp_path / "made" / ".vaezip").rglob("*.json")).unlink()
    assert counts(batch.compress(source, tmp_path / "made", QUICK)) == (1, 2, 0)


def test_what_has_another_source_now_is_done_again_by_an_update_alone(photos, tmp_path):
    source = photos(3)
    batch.compress(source, tmp_path / "made", QUICK)
    before = (source / "0000.png").stat()
    (source / "0000.png").write_bytes(vaezip.pictures.write(picture(99), ".png"))
    os.utime(source / "0000.png", ns=(before.st_atime_ns, before.st_mtime_ns))  # times tell nothing
    os.utime(source / "0002.png", (1, 1))
    refused = batch.compress(source, tmp_path / "made", QUICK)
    assert counts(refused) == (0, 2, 1)
    assert refused.failures[0].error == f"'{tmp_path / 'made' / '0000.png.vz'}' exists already"
    assert counts(batch.compress(source, tmp_path / "made", QUICK, update=True)) == (1, 2, 0)
    found = vaezip.open(tmp_path / "made" / "0000.png.vz", models=(QUICK.model,)).read()
    assert vaezip.pictures.same(found, picture(99))


def test_what_was_made_in_another_way_is_done_again_by_an_update(photos, tmp_path):
    source = photos(1)
    batch.compress(source, tmp_path / "made", QUICK)
    assert counts(batch.compress(source, tmp_path / "made", QUICK, preset=3, update=True)) == (1, 0, 0)
    assert counts(batch.compress(source, tmp_path / "made", QUICK, preset=3)) == (0, 1, 0)


def test_force_does_all_again(photos, tmp_path):
    source = photos(2)
    batch.compress(source, tmp_path / "made", QUICK)
    assert counts(batch.compress(source, tmp_path / "made", QUICK, force=True)) == (2, 0, 0)


def test_shards_do_all_together(photos, tmp_path):
    source = photos(9)
    found = [counts(batch.compress(source, tmp_path / "made", QUICK, shard=Shard(k, 3))) for k in (1, 2, 3)]
    assert sum(done for done, _, _ in found) == 9
    assert len(tree(tmp_path / "made")) == 9


def test_without_marks_nothing_is_left_beside_the_results(photos, tmp_path):
    batch.compress(photos(1), tmp_path / "made", QUICK, mark=False)
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["0000.png.vz"]


# What fails


def test_a_picture_that_fails_fails_alone_and_is_taken_again(photos, tmp_path):
    source = photos(3)
    whole = (source / "0002.png").read_bytes()
    (source / "0002.png").write_bytes(whole[:-30])
    summary = batch.compress(source, tmp_path / "made", QUICK)
    assert counts(summary) == (2, 0, 1)
    assert summary.failures[0].name == "0002.png"
    assert summary.failures[0].attempts == 1
    (source / "0002.png").write_bytes(whole)
    assert counts(batch.compress(source, tmp_path / "made", QUICK)) == (1, 2, 0)


def test_a_damaged_file_is_told(photos, tmp_path):
    batch.compress(photos(2), tmp_path / "made", QUICK)
    path = tmp_path / "made" / "0000.png.vz"
    path.write_bytes(path.read_bytes()[:-1])
    summary = batch.test(tmp_path / "made", models=(QUICK.model,))
    assert counts(summary) == (1, 0, 1)
    assert summary.failures[0].source == str(path)


def test_a_machine_that_fails_gets_another_attempt(photos, tmp_path, monkeypatch):
    source, calls, read = photos(1), [], jobs.places.read

    def failing(path, most):
        calls.append(path)
        if len(calls) < 3:
            raise OSError(5, "Input/output error")
        return read(path, most)

    monkeypatch.setattr(jobs.places, "read", failing)
    assert counts(batch.compress(source, tmp_path / "made", QUICK, retries=1)) == (0, 0, 1)
    assert counts(batch.compress(source, tmp_path / "made", QUICK, retries=1)) == (1, 0, 0)
    assert len(calls) == 3


def test_nothing_to_do_is_an_error(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="there is no file to take"):
        batch.compress(tmp_path / "empty", tmp_path / "made")


def test_two_files_that_would_become_one_are_refused(photos, tmp_path):
    source = photos(2)
    (source / "odd" / "0000.png").write_bytes(b"")
    with pytest.raises(FormatError, match=r"two files are called '0000\.png'"):
        batch.compress([source / "0000.png", source / "odd" / "0000.png"], tmp_path / "made", QUICK)


def test_a_model_that_is_missing_is_told_once(photos, tmp_path):
    with pytest.raises(ModelError):
        batch.compress(photos(1), tmp_path / "made", model="nonsense")
    assert not (tmp_path / "made").exists()


def test_an_unknown_field_is_refused(photos, tmp_path):
    with pytest.raises(TypeError, match="nonsense"):
        batch.compress(photos(1), tmp_path / "made", nonsense=1)


def test_an_executor_that_takes_nothing_is_told(photos, tmp_path):
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(vaezip.VaezipError, match="the executor takes no more jobs"):
        batch.compress(photos(1), tmp_path / "made", QUICK, executor=executor)


# The report


def test_the_report_tells_of_every_picture(photos, tmp_path):
    source = photos(3)
    (source / "0000.png").write_bytes(b"")
    report = tmp_path / "report.jsonl"
    batch.compress(source, tmp_path / "made", QUICK, report=report)
    found = {row["name"]: row for row in rows(report)}
    assert set(found) == {"0000.png", "odd/0001.png", "0002.png"}
    assert (found["0000.png"]["status"], found["0000.png"]["error"]) == ("failed", "the file is empty")
    done = found["odd/0001.png"]
    assert done["pixels_sha256"] == digest_of(picture(1))
    assert done["target"] == str(tmp_path / "made" / "odd" / "0001.png.vz")
    assert done["target_bytes"] == len((tmp_path / "made" / "odd" / "0001.png.vz").read_bytes())
    assert done["source_bytes"] == len((source / "odd" / "0001.png").read_bytes())
    assert done["seconds"] > 0
    batch.compress(source, tmp_path / "made", QUICK, report=report)
    again = {row["name"]: row for row in rows(report)}
    assert again["odd/0001.png"] == done | {"status": "skipped"}


def test_the_report_of_a_shard_has_a_name_of_its_own(photos, tmp_path):
    batch.compress(photos(1), tmp_path / "made", QUICK, report=tmp_path / "r.jsonl", shard=Shard(2, 3))
    assert [path.name for path in tmp_path.glob("*.jsonl")] == ["r-2-of-3.jsonl"]


def test_a_report_overwrites_nothing_but_a_report(photos, tmp_path):
    source = photos(1)
    with pytest.raises(OutputError, match="exists and is no report of a batch"):
        batch.compress(source, tmp_path / "made", QUICK, report=source / "0000.png")
    assert counts(batch.compress(source, tmp_path / "made", QUICK)) == (1, 0, 0)


def test_an_outcome_is_read_as_it_was_written():
    outcome = Outcome("a", "b", "failed", error="ö\n", remarks={"dropped": ["exif"]})
    assert Outcome.from_json(outcome.to_json()) == outcome
    assert "\n" not in outcome.to_json()
    with pytest.raises(ValueError, match="no outcome"):
        Outcome.from_json("[1]")


def test_whoever_asks_is_told_of_each(photos, tmp_path):
    told = []
    batch.compress(photos(3), tmp_path / "made", QUICK, tell=told.append)
    assert {outcome.name for outcome in told} == {"0000.png", "0002.png", "odd/0001.png"}


@pytest.mark.parametrize("over", ["force", "update"])
def test_results_of_two_files_that_would_become_one_are_not_written_over_each_other(photos, tmp_path, over):
    batch.compress(photos(1), tmp_path / "made", QUICK)
    one = next((tmp_path / "made").rglob("*.png.vz"))
    one.with_name(one.name.removesuffix(".png.vz") + ".vz").write_bytes(one.read_bytes())
    with pytest.raises(FormatError, match=r"and would become one; take them one by one$"):
        batch.decompress(tmp_path / "made", tmp_path / "back", models=(QUICK.model,), **{over: True})
