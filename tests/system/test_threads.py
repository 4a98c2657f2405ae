"""Workers: N threads are N busy threads, however deep the work is nested."""

import gc
import threading
import time
import weakref
from concurrent.futures import wait

import pytest

from vaezip.system import threads
from vaezip.system.threads import Workers, parts, spread, together


class Busy:
    """Counts the threads that are inside at once."""

    def __init__(self):
        self.lock, self.now, self.most = threading.Lock(), set(), 0

    def __enter__(self):
        with self.lock:
            self.now.add(threading.get_ident())
            self.most = max(self.most, len(self.now))

    def __exit__(self, *_):
        with self.lock:
            self.now.discard(threading.get_ident())


def test_results_come_in_order():
    with Workers(3) as workers:
        assert workers.submit(spread, lambda x: x * x, range(50)).result() == [x * x for x in range(50)]
    assert spread(lambda x: -x, range(4)) == [0, -1, -2, -3]


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_nested_work_keeps_no_more_threads_busy_than_there_are(count):
    busy = Busy()

    def leaf(_):
        with busy:
            time.sleep(0.001)

    def branch(depth):
        spread(branch if depth > 1 else leaf, [depth - 1] * 3)

    with Workers(count) as workers:
        wait([workers.submit(branch, 3) for _ in range(4)])
    assert busy.most <= count
    assert threading.active_count() < 50


def test_idle_workers_take_parts_of_the_work_of_another():
    met = threading.Barrier(2, timeout=20)
    with Workers(2) as workers:
        assert workers.submit(spread, lambda _: met.wait() >= 0, range(2)).result() == [True, True]


def test_what_no_worker_helped_with_is_let_go_at_once():
    met = threading.Barrier(2, timeout=20)

    def work():
        held = Busy()
        known = weakref.ref(held)
        met.wait()  # so that the other worker is busy, too
        spread(lambda _, held=held: None, range(2))
        del held
        gc.collect()
        found = known() is None
        met.wait()
        return found

    with Workers(2) as workers:
        assert [job.result() for job in [workers.submit(work) for _ in range(2)]] == [True, True]


def test_work_that_goes_alone_has_no_help():
    def work():
        with threads.alone():
            return parts(), set(spread(lambda _: threading.get_ident(), range(8))) == {threading.get_ident()}

    with Workers(2) as workers:
        assert workers.submit(work).result() == (1, True)
        assert workers.submit(parts).result() == 2


def test_the_first_error_in_order_is_raised():
    def fail(x):
        raise ValueError(x)

    with Workers(2) as workers:
        with pytest.raises(ValueError, match="0"):
            workers.submit(spread, fail, range(3)).result()
        assert workers.submit(together, lambda: 1, lambda: 2).result() == [1, 2]


def test_how_many_parts_there_are():
    with Workers(3) as workers:
        assert workers.submit(parts).result() == 3
    assert parts() == 1


def test_nothing_is_taken_after_the_end_and_what_waits_is_cancelled():
    begun, go_on = threading.Event(), threading.Event()
    workers = Workers(1)
    first = workers.submit(lambda: (begun.set(), go_on.wait(20)))
    second = workers.submit(lambda: 2)
    begun.wait(20)
    workers.shutdown(wait=False, cancel_futures=True)
    go_on.set()
    workers.shutdown()
    assert first.done()
    assert second.cancelled()
    with pytest.raises(RuntimeError):
        workers.submit(print)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu.max": "250000 100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
    ],
)
def test_a_container_grants_some_of_the_cores(monkeypatch, tmp_path, files, cores):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    monkeypatch.setattr(threads, "_CGROUP", str(tmp_path))
    assert threads._within_quota(8) == cores
