"""Progress within pictures, and an honest guess at the time that is left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from vaezip.cli.console import Console
from vaezip.system import meter

_LEAST_SECONDS, _LEAST_SHARE = 3.0, 0.03
"""Before so much has passed and is done, nothing is said of the time that is left."""


class Progress:
    """How much of some files is done, as the meter of the coder tells it.

    What is coded counts by its values, among those of the pictures that were read, and these by their bytes, among
    those of all files: so pictures that nobody has looked into yet count, too.
    """

    def __init__(self, console: Console, total: int) -> None:
        """``total`` counts the bytes of all files."""
        self.console, self.total = console, max(1, total)
        self._label = ""
        self._bytes = self._values = 0
        self._coded = 0.0
        self._began = time.monotonic()
        self._passed: deque[tuple[float, float]] = deque([(self._began, 0.0)])
        self._lock = Lock()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Listen to the meter, where somebody sees it."""
        if not self.console.shows_progress:
            yield
            return
        with meter.listening(self._advance):
            yield

    def begin(self, label: str, size: int, values: int) -> None:
        """Take up a picture that was read: its bytes, and what it weighs to the meter."""
        if not self.console.shows_progress:
            return
        with self._lock:
            self._label, self._bytes, self._values = label, self._bytes + size, self._values + values
        self._show()

    def share(self) -> float:
        """Return how much is done, at most 1."""
        with self._lock:
            coded = self._coded / self._values if self._values else 1.0
            return min(1.0, coded) * min(1.0, self._bytes / self.total)

    def _advance(self, amount: float) -> None:
        with self._lock:
            self._coded += amount
        self._show()

    def _show(self) -> None:
        share, seconds = self.share(), self._left()
        left = f", about {duration(seconds)} left" if seconds is not None and seconds >= 1 else ""
        self.console.progress(f"{int(100 * share)} %{left}: {self._label}")

    def _left(self) -> float | None:
        """Guess at the time that is left, at the pace of the second half of the time that has passed."""
        share, now = self.share(), time.monotonic()
        with self._lock:
            if now - self._passed[-1][0] >= _LEAST_SECONDS / 10:
                self._passed.append((now, share))
            while len(self._passed) > 2 and self._passed[1][0] <= (self._began + now) / 2:
                self._passed.popleft()
            then, before = self._passed[0]
        if now - self._began < _LEAST_SECONDS or share < _LEAST_SHARE or share <= before:
            return None
        return (now - then) * (1 - share) / (share - before)


def duration(seconds: float) -> str:
    """Word a duration in the unit that suits it.

    >>> duration(40), duration(600), duration(36000)
    ('40 s', '10 min', '10.0 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
