"""The meter adds up to the whole, whatever the parts say."""

import threading

import pytest

from vaezip.system import meter
from vaezip.system.threads import Workers, spread


@pytest.fixture
def told():
    """The amounts that were reported, of all threads."""
    return []


def test_what_nobody_listens_to_costs_nothing():
    with meter.part(5):
        meter.advance(0.5)


def test_parts_add_up(told):
    with meter.listening(told.append):
        with meter.part(100):
            with meter.part(0.25):
                meter.advance(0.5)
                meter.advance(0.9)  # more than is left
            meter.advance(0.1)
        with meter.part(7):
            pass
    assert told == pytest.approx([12.5, 12.5, 0, 10, 65, 7])


def test_the_work_as_such_has_no_end_to_advance_to(told):
    with meter.listening(told.append):
        meter.advance(0.5)
    assert told == []


def test_workers_work_for_whoever_gave_them_the_task(told):
    lock = threading.Lock()

    def report(amount):
        with lock:
            told.append(amount)

    def piece(_):
        with meter.part(0.25):
            meter.advance(0.5)

    def task():
        with meter.part(8):
            spread(piece, range(4))

    with Workers(2) as workers:
        with meter.listening(report):
            jobs = [workers.submit(task) for _ in range(3)]
        for job in jobs:
            job.result()
        workers.submit(task).result()  # of which nobody wants to hear
    assert sum(told) == pytest.approx(24)


def test_a_part_that_fails_is_over_too(told):
    with pytest.raises(ValueError, match="x"), meter.listening(told.append), meter.part(3):
        raise ValueError("x")
    assert told == [3]
