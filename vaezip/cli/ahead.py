"""Let threads work a little ahead of who needs the results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import TypeVar

from vaezip.system.threads import Inline, Workers

Item = TypeVar("Item")
Result = TypeVar("Result")

_TASKS_A_THREAD = 2
_BYTES = 1 << 25

_LITTLE, _ITEMS_A_TASK = 1 << 16, 16
"""Items of so few bytes together, and at most so many, are one task, for to hand over one takes as long as a small file
does."""


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], workers: Workers | None, *, size: Callable[[Item], int]
) -> Iterator[tuple[Item, Future[Result]]]:
    """Yield each item with what ``function`` makes of it, in order.

    So few are under way at once that memory does not grow with the number of items: two tasks a
    thread, and, but for one, 32 MiB.

    Args:
        function: called by workers; what it raises, the future raises.
        items: taken one by one.
        workers: call it; None where there is no memory for more than one result, which is then made when it is due.
        size: of an item, in bytes.
    """
    here = Inline()
    if workers is None:
        yield from ((item, here.submit(function, item)) for item in items)
        return

    def call(some: list[Item]) -> list[Future[Result]]:
        return [here.submit(function, item) for item in some]

    waiting: deque[tuple[list[Item], int, Future[list[Future[Result]]]]] = deque()
    held = 0
    try:
        for some, weight in _tasks(items, size):
            waiting.append((some, weight, workers.submit(call, some)))
            held += weight
            while len(waiting) > _TASKS_A_THREAD * workers.count or (held > _BYTES and len(waiting) > 1):
                first, weight, job = waiting.popleft()
                held -= weight
                yield from zip(first, job.result())
        for some, _, job in waiting:
            yield from zip(some, job.result())
    finally:
        wait([job for _, _, job in waiting if not job.cancel()])  # they may be writing where the caller tidies up


def _tasks(items: Iterable[Item], size: Callable[[Item], int]) -> Iterator[tuple[list[Item], int]]:
    """Yield the items of each task, and their bytes."""
    some: list[Item] = []
    weight = 0
    for item in items:
        more = size(item)
        if some and (weight + more > _LITTLE or len(some) == _ITEMS_A_TASK):
            yield some, weight
            some, weight = [], 0
        some.append(item)
        weight += more
    if some:
        yield some, weight
