"""Prices: processor seconds of work, in whatever threads it is done."""

import threading
import time

from vaezip.system import prices
from vaezip.system.prices import priced
from vaezip.system.threads import Workers, spread


def test_work_has_a_price_where_somebody_listens():
    found = []
    with priced("all", "nobody"):
        pass
    with prices.listening(found.append), priced("all", "photo") as price:
        price.bytes = 12
    assert [(one.stage, one.name, one.bytes) for one in found] == [("all", "photo", 12)]
    assert found[0].seconds >= 0


def test_work_within_work_has_no_price_of_its_own():
    found = []
    with prices.listening(found.append), priced("all", "made of others"), priced("parts", "photo"):
        pass
    assert [one.name for one in found] == ["made of others"]


def test_the_time_of_threads_that_help_is_counted(monkeypatch):
    found, met = [], threading.Barrier(2, timeout=20)
    monkeypatch.setattr(time, "thread_time", iter(range(100)).__next__)

    def work():
        with priced("all", "photo"):
            spread(lambda _: met.wait() >= 0, range(2))

    with Workers(2) as workers, prices.listening(found.append):
        workers.submit(work).result()
    assert found[0].seconds == 1 + 3  # of the helper, and of the thread whose work it is, around it


def test_a_failure_has_no_price():
    found = []
    try:
        with prices.listening(found.append), priced("all", "photo"):
            raise ValueError
    except ValueError:
        pass
    assert found == []
