import subprocess
import sys

import pytest

from vaezip.bench import machine, memory


def test_machine_and_versions():
    assert set(machine.describe("cpu")) == {"cpu", "cores", "memory_gb", "system", "gpu", "blas_threads"}
    assert machine.describe("cpu")["cores"] >= 1
    assert {"python", "vaezip", "numpy", "numba", "pillow"} <= set(machine.versions("cpu"))


def test_a_run_is_told_whole():
    assert machine.this_run() == {
        "machine": machine.describe("cpu"),
        "versions": machine.versions("cpu"),
        "commit": machine.commit(),
    }


def test_commit_of_a_checkout(tmp_path, monkeypatch):
    (tmp_path / "vaezip").mkdir()
    source = tmp_path / "vaezip" / "__init__.py"
    source.write_text("")
    monkeypatch.setattr(machine.vaezip, "__file__", str(source))
    assert machine.commit() is None
    try:
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
    except OSError:
        pytest.skip("git is not installed")
    assert machine.commit() is None
    git = ["git", "-C", tmp_path, "-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "m"], check=True)
    assert len(machine.commit()) == 40
    source.write_text("changed = True")
    assert machine.commit().endswith("-dirty")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak cannot be set back")
def test_peak_of_memory():
    memory.reset_peak()
    before = memory.peak_mb()
    block = bytearray(b"x") * 100_000_000
    del block
    assert memory.peak_mb() > before + 90
    memory.reset_peak()
    assert memory.peak_mb() < before + 50


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone inherits the peak")
def test_a_child_does_not_have_its_parents_peak():
    block = bytearray(b"x") * 300_000_000
    script = "from vaezip.bench.memory import peak_mb; print(peak_mb())"
    peak = float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
    del block
    assert peak < 250
