"""The prices of what is tried: processor seconds, in whatever threads, and the bytes that came of it.

Whoever wants to know listens; where nobody does, nothing is measured. Threads of
:class:`vaezip.system.threads.Workers` work for whoever gave them the task; other processes say nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

ORIGINS, ON_PARTS, ON_ALL, CHECK = "origins", "parts", "all", "check"
"""The stages whose prices are told: to look for origins, to try candidates on parts and on all, and to decode again."""


@dataclass
class Price:
    """The price of some work.

    Attributes:
        stage: what it was done for.
        name: what did it.
        bytes: that came of it, where any did.
        seconds: of processors.
    """

    stage: str
    name: str
    bytes: int = 0
    seconds: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the time of this thread inside."""
        start = time.thread_time()
        try:
            yield
        finally:
            with self._lock:
                self.seconds += time.thread_time() - start


_listener: ContextVar[Callable[[Price], None] | None] = ContextVar("listener", default=None)
_price: ContextVar[Price | None] = ContextVar("price", default=None)


@contextmanager
def listening(listener: Callable[[Price], None]) -> Iterator[None]:
    """Have a function called, by whatever thread works, with each price."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def priced(stage: str, name: str) -> Iterator[Price]:
    """Price the work inside, which says how many bytes came of it; work inside that has a price itself is a part of it,
    and not told."""
    listener, price = _listener.get(), Price(stage, name)
    if listener is None:
        yield price
        return
    tokens = _listener.set(None), _price.set(price)
    try:
        with price.counting():
            yield price
    finally:
        _listener.reset(tokens[0])
        _price.reset(tokens[1])
    listener(price)


def helping(function: Callable[[Item], Result], item: Item) -> Result:
    """Call a function in the place of the thread whose work has a price, if it has one."""
    price = _price.get()
    if price is None:
        return function(item)
    with price.counting():
        return function(item)
