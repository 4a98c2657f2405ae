"""A batch by processes, here and of a Dask cluster, some of which are killed."""

import json
import os
import signal
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

import vaezip
from tests.batch.conftest import QUICK, tree
from vaezip import batch
from vaezip.batch import running, sources
from vaezip.batch.jobs import Job
from vaezip.batch.tasks import Made
from vaezip.cli import main


@dataclass(frozen=True)
class Poisoned:
    """A task whose process one of the files kills."""

    kind: str = "poisoned"

    def how(self):
        return ""

    def most_bytes(self):
        return 1 << 20

    def do(self, source, data, writer):
        if source.name == "0002.png":
            os.kill(os.getpid(), signal.SIGKILL)
        return Made()


def dask_config():
    """The settings of Dask, which its cluster adds its own to when it is imported."""
    import dask

    return dask.config


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two processes, which gives no job to a second worker when the first has died of it."""
    distributed = pytest.importorskip("distributed")

    with (
        dask_config().set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as found,
    ):
        yield found


@pytest.mark.parametrize("count", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_a_dask_cluster_whose_worker_is_killed_loses_nothing(cluster, photos, tmp_path, count):
    source, made = photos(count), tmp_path / "made"
    told, victim = [], next(iter(cluster.workers.values())).pid

    def kill_one(outcome):
        told.append(outcome)
        if len(told) == count // 3:
            os.kill(victim, signal.SIGKILL)

    with batch.dask(cluster.scheduler_address) as executor:
        plan = {"executor": executor, "report": tmp_path / "report.jsonl"}
        summary = batch.compress(source.as_uri(), made.as_uri(), QUICK, tell=kill_one, **plan)
        assert (summary.done, summary.failed) == (count, 0)
        rows = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
        assert {row["name"] for row in rows} == set(tree(source))
        assert len(rows) == count
        assert any(not row["worker"].endswith(f":{victim}") for row in rows)
        assert victim not in {nanny.pid for nanny in cluster.workers.values()}
        again = batch.compress(source.as_uri(), made.as_uri(), QUICK, **plan)
        assert (again.done, again.skipped) == (0, count)
        back = batch.decompress(made.as_uri(), (tmp_path / "back").as_uri(), models=(QUICK.model,), executor=executor)
        assert back.done == count
    assert tree(tmp_path / "back") == tree(source)


def test_the_command_line_has_a_cluster_work(cluster, photos, tmp_path):
    command = ["compress", str(photos(3)), "--output-dir-mirror", str(tmp_path / "made"), "-1", "-q"]
    more = [
        "--model",
        str(QUICK.model),
        "--scheduler",
        cluster.scheduler_address,
        "--report",
        str(tmp_path / "r.jsonl"),
    ]
    assert CliRunner().invoke(main, [*command, *more]).exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    assert not any(row["worker"].endswith(f":{os.getpid()}") for row in rows)


def test_a_file_that_kills_its_worker_fails_alone(cluster, photos):
    found = [Job(source, Poisoned(), "", None) for source in sources.find(photos(12), sources.is_picture)]
    with batch.dask(cluster.scheduler_address) as executor:
        outcomes = list(running.outcomes(found, executor, retries=1, may_be_done=False))
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    assert len(outcomes) == 12
    assert [outcome.name for outcome in failed] == ["0002.png"]
    assert failed[0].error.startswith("the worker that had it was lost (KilledWorker: ")


def test_loky_may_do_the_work(photos, tmp_path):
    loky = pytest.importorskip("loky")
    source = photos(4)
    with loky.get_reusable_executor(max_workers=1) as executor:
        summary = batch.compress(source, tmp_path / "made", QUICK, executor=executor)
    assert summary.done == 4
    assert len(tree(tmp_path / "made")) == 4


def test_a_scheduler_that_is_not_there_is_told():
    pytest.importorskip("distributed")
    with (
        dask_config().set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(vaezip.VaezipError, match=r"the scheduler 'tcp://127\.0\.0\.1:1' does not answer"),
        batch.dask("tcp://127.0.0.1:1"),
    ):
        pass
