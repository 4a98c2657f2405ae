import pytest

from vaezip.batch.shards import Shard, from_environment
from vaezip.errors import VaezipError

NAMES = [f"{i:03}.png" for i in range(200)]


def test_each_file_is_in_one_shard():
    shards = [Shard(k, 7) for k in range(1, 8)]
    assert all(sum(shard.holds(name) for shard in shards) == 1 for name in NAMES)
    assert all(sum(shard.holds(name) for name in NAMES) > 10 for shard in shards)


def test_a_file_stays_in_its_shard_whatever_comes_beside_it():
    assert [name for name in NAMES[:6] if Shard(2, 3).holds(name)] == ["000.png", "002.png", "004.png", "005.png"]


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/3", "a/b"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(VaezipError, match="is no shard; give K/N, with K from 1 to N"):
        Shard.parse(text)


def test_a_shard_is_written_as_it_is_read():
    assert str(Shard.parse("3/8")) == "3/8"


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        ({}, None),
        ({"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "0"}, "1/4"),
        ({"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1"}, "4/4"),
        (
            {
                "SLURM_ARRAY_TASK_ID": "14",
                "SLURM_ARRAY_TASK_COUNT": "3",
                "SLURM_ARRAY_TASK_MIN": "10",
                "SLURM_ARRAY_TASK_STEP": "2",
            },
            "3/3",
        ),
        ({"SGE_TASK_ID": "5", "SGE_TASK_FIRST": "1", "SGE_TASK_LAST": "9", "SGE_TASK_STEPSIZE": "2"}, "3/5"),
        ({"SGE_TASK_ID": "undefined", "SGE_TASK_FIRST": "undefined", "SGE_TASK_LAST": "undefined"}, None),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}, "2/2"),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, None),
        ({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}, None),
    ],
)
def test_a_scheduler_tells_a_task_its_shard(environment, shard):
    found = from_environment(environment)
    assert (found and str(found)) == shard


def test_processes_of_the_tasks_of_an_array_share_what_the_task_has():
    environment = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_STEP_NUM_TASKS": "2"}
    found = {
        str(from_environment(environment | {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_PROCID": str(process)}))
        for task in range(3)
        for process in range(2)
    }
    assert found == {f"{k}/6" for k in range(1, 7)}
