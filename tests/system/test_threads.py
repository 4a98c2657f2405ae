import os

import pytest

from vaezip.system import threads


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """machine(files): eight cores, in a container whose cgroup holds these files."""

    def make(files):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
        monkeypatch.setattr(threads, "_CGROUP", str(tmp_path))
        (tmp_path / "cpu").mkdir()
        for name, text in files.items():
            (tmp_path / name).write_text(text)

    return make


def version_1(quota, period="100000"):
    return {"cpu/cpu.cfs_quota_us": f"{quota}\n", "cpu/cpu.cfs_period_us": f"{period}\n"}


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "1600000 100000\n"}, 8),
        ({"cpu.max": ""}, 8),
        ({"cpu.max": "100000 0\n"}, 8),
        (version_1(-1), 8),
        (version_1(300000), 3),
        (version_1(25000, 50000), 1),
        ({"cpu/cpu.cfs_quota_us": "300000\n"}, 8),
        ({"cpu.max": "max 100000\n", **version_1(300000)}, 3),
    ],
)
def test_usable_cores_are_within_the_quota_of_a_container(machine, files, cores):
    machine(files)
    assert threads.usable_cores() == cores


def test_a_process_that_may_use_one_core_uses_one(machine, monkeypatch):
    machine({"cpu.max": "400000 100000"})
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert threads.usable_cores() == 1
