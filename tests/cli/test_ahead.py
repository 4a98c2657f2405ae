from threading import current_thread

import pytest

from vaezip.cli.ahead import ahead
from vaezip.system.threads import Workers


@pytest.fixture
def workers():
    with Workers(2) as workers:
        yield workers


def test_results_come_in_order_and_errors_stay_with_their_items(workers):
    found = list(ahead(lambda i: 12 // i, [3, 0, 2], workers, size=lambda _: 1))
    assert [item for item, _ in found] == [3, 0, 2]
    assert (found[0][1].result(), found[2][1].result()) == (4, 6)
    assert isinstance(found[1][1].exception(), ZeroDivisionError)


@pytest.mark.parametrize(("size", "most"), [(1 << 10, 16), (1 << 14, 4), (1 << 30, 1)])
def test_little_items_are_called_for_together(workers, monkeypatch, size, most):
    tasks = []
    submit = workers.submit
    monkeypatch.setattr(workers, "submit", lambda call, some: tasks.append(len(some)) or submit(call, some))
    assert [job.result() for _, job in ahead(str, range(40), workers, size=lambda _: size)] == list(map(str, range(40)))
    assert max(tasks) == most
    assert sum(tasks) == 40


def test_items_are_taken_only_a_little_ahead(workers):
    taken = []
    made = ahead(
        lambda _: current_thread().name, (taken.append(i) or i for i in range(1000)), workers, size=lambda _: 1
    )
    assert next(made)[1].result().startswith("vaezip")
    assert len(taken) < 120
    made.close()


def test_without_workers_each_is_made_when_it_is_due():
    made = []
    found = ahead(lambda item: made.append(item) or -item, range(3), None, size=lambda _: 1)
    for item, job in found:
        assert made == list(range(item + 1))
        assert job.result() == -item
