"""Let threads work a little ahead of who needs the results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import TypeVar

from vaezip.system.threads import Workers

Item = TypeVar("Item")
Result = TypeVar("Result")

_ITEMS_A_THREAD = 2
_BYTES = 1 << 25


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], workers: Workers, *, size: Callable[[Item], int]
) -> Iterator[tuple[Item, Future[Result]]]:
    """Yield each item with what ``function`` makes of it, in order.

    So few are under way at once that memory does not grow with the number of items: two a
    thread, and, but for one, 32 MiB.

    Args:
        function: called by workers; what it raises, the future raises.
        items: taken one by one.
        workers: call it.
        size: of an item, in bytes.
    """
    waiting: deque[tuple[Item, int, Future[Result]]] = deque()
    held = 0
    try:
        for item in items:
            waiting.append((item, size(item), workers.submit(function, item)))
            held += waiting[-1][1]
            while len(waiting) > _ITEMS_A_THREAD * workers.count or (held > _BYTES and len(waiting) > 1):
                first, weight, job = waiting.popleft()
                held -= weight
                yield first, job
        for first, _, job in waiting:
            yield first, job
    finally:
        wait([job for _, _, job in waiting if not job.cancel()])  # they may be writing where the caller tidies up
