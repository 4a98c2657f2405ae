"""The processor cores that this process may use, and the threads that use them.

One executor serves a process: :class:`Workers`, N threads for all heavy work, so that N threads asked for are N busy
threads however deep the work is nested. A worker whose work falls into parts calls :func:`spread`: idle workers take
parts of it, and it does the others itself; so nothing waits for a thread that is not there.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from pathlib import Path
from threading import Condition, Lock, Thread, get_ident, local
from typing import Any, Generic, TypeVar

from vaezip.errors import VaezipError
from vaezip.system.prices import helping

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = Lock()
_users = 0
_limits: Any = None


_CGROUP = "/sys/fs/cgroup"
"""The folder in which Linux shows a container its limits."""


def usable_cores() -> int:
    """Return the number of cores for this process, of which the system or a container may grant only some."""
    if hasattr(os, "sched_getaffinity"):
        return _within_quota(len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def count_of(threads: int) -> int:
    """Return the threads that a setting asks for: 0 stands for as many as there are cores for this process.

    Raises:
        VaezipError: it is no such number.
    """
    if threads < 0:
        raise VaezipError("the number of threads must be 0 or more")
    return threads or usable_cores()


def _within_quota(cores: int) -> int:
    """Return the number of cores whose time the cgroup may use, rounded up, where that is smaller."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):  # of versions 2 and 1
        try:
            quota, period = (int(n) for n in " ".join(Path(_CGROUP, name).read_text() for name in names).split())
        except (OSError, ValueError):  # no such file, or no quota: "max"
            continue
        if quota > 0 and period > 0:
            return min(cores, -(-quota // period))
    return cores


def _renew_lock() -> None:
    """Begin anew in a process that was forked while a thread, which is not there, held the lock."""
    global _lock
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


@contextmanager
def products_on_one_thread() -> Iterator[None]:
    """Matrix products take no threads of their own, of which whoever codes has as many as were asked for.

    That is a setting of the whole process: the last to leave puts it back.
    """
    global _users, _limits
    from threadpoolctl import threadpool_limits  # late, for it takes time that a help text has not

    with _lock:
        _limits = _limits if _users else threadpool_limits(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _limits.restore_original_limits()


_this_thread = local()
"""``workers``: whose worker this thread is, if it is one."""

_alone: ContextVar[bool] = ContextVar("alone", default=False)


class Workers(Executor):
    """N threads that take tasks in the order of submission; parts of a task go first."""

    def __init__(self, count: int) -> None:
        """Start ``count`` threads, or as :func:`count_of` says.

        Raises:
            VaezipError: that is no number of threads.
        """
        self.count = count_of(count)
        self._tasks: deque[Callable[[], None]] = deque()
        self._changed = Condition()
        self._closed = False
        self._products = products_on_one_thread()
        self._products.__enter__()
        self._threads = [Thread(target=self._work, name=f"vaezip-{i}", daemon=True) for i in range(self.count)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Have a worker call ``fn``, in the context of this thread.

        Raises:
            RuntimeError: the workers are shut down.
        """
        future: Future[Result] = Future()
        context = copy_context()

        def task() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = context.run(fn, *args, **kwargs)
            except BaseException as error:  # noqa: BLE001 (whoever asks for the result gets to see it)
                future.set_exception(error)
            else:
                future.set_result(result)

        task.future = future  # type: ignore[attr-defined]
        with self._changed:
            if self._closed:
                raise RuntimeError("the workers are shut down")
            self._tasks.append(task)
            self._changed.notify()
        return future

    def help(self, work: Callable[[], None], times: int) -> None:
        """Have up to ``times`` idle workers call ``work`` before they begin another task."""
        with self._changed:
            self._tasks.extendleft([work] * times)
            self._changed.notify(times)

    def forget(self, work: Callable[[], None]) -> None:
        """Let go of what no worker was idle to help with, and of the memory that it holds."""
        with self._changed, suppress(ValueError):
            while True:
                self._tasks.remove(work)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads once their tasks are done, or those under way are."""
        with self._changed:
            first, self._closed = not self._closed, True
            if cancel_futures:
                for task in self._tasks:
                    if hasattr(task, "future"):
                        task.future.cancel()
            self._changed.notify_all()
        if wait:
            for thread in self._threads:
                thread.join()
        if first:
            self._products.__exit__(None, None, None)

    def __exit__(self, *_: object) -> None:
        self.shutdown(cancel_futures=True)

    def _work(self) -> None:
        _this_thread.workers = self
        while True:
            with self._changed:
                while not self._tasks and not self._closed:
                    self._changed.wait()
                if not self._tasks:
                    return
                task = self._tasks.popleft()
            task()


class Inline(Executor):
    """Call at once, in the same thread, whatever is submitted: for a task that is itself one of an executor's."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Call ``fn``, and return a future that knows the result already."""
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (whoever asks for the result gets to see it)
            future.set_exception(error)
        return future


def spread(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function for each item, by the workers of this thread, and return the results in order.

    In a thread that is no worker, that thread makes all calls.

    Raises:
        Exception: what a call raised, the first of them in order.
    """
    workers, listed = _helpers(), list(items)
    if workers is None or workers.count < 2 or len(listed) < 2:
        return [function(item) for item in listed]
    batch = _Batch(function, listed)
    workers.help(batch.work, min(workers.count, len(listed)) - 1)
    batch.work()
    workers.forget(batch.work)
    return batch.results()


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Make several calls by the workers of this thread, and return their results in order; see :func:`spread`."""
    return spread(lambda call: call(), calls)


def parts() -> int:
    """Return into how many parts to cut work for :func:`spread` in this thread."""
    workers = _helpers()
    return workers.count if workers else 1


@contextmanager
def alone() -> Iterator[None]:
    """Have no other worker take parts of the work inside, for which there is no memory."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def _helpers() -> Workers | None:
    """Return the workers that may take parts of the work of this thread."""
    return None if _alone.get() else getattr(_this_thread, "workers", None)


class _Batch(Generic[Item, Result]):
    """Calls that several workers share: each takes the next that nobody has begun."""

    def __init__(self, function: Callable[[Item], Result], items: list[Item]) -> None:
        self._function, self._items = function, items
        self._context, self._thread = copy_context(), get_ident()
        self._futures: list[Future[Result]] = [Future() for _ in items]
        self._next = iter(range(len(items)))
        self._lock = Lock()

    def work(self) -> None:
        """Make calls until all are begun."""
        function = self._function if get_ident() == self._thread else partial(helping, self._function)
        while True:
            with self._lock:
                i = next(self._next, None)
            if i is None:
                return
            try:
                self._futures[i].set_result(self._context.copy().run(function, self._items[i]))
            except BaseException as error:  # noqa: BLE001 (likewise)
                self._futures[i].set_exception(error)

    def results(self) -> list[Result]:
        """Wait for the calls that others have begun."""
        return [future.result() for future in self._futures]
