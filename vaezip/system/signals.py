"""Ctrl-C and its like: leave at once, and leave nothing half done behind.

Unwinding the stack would wait for the blocks that threads are still coding, which may take long.
The program ends by the signal itself, so that a shell's loop ends with it. This module imports
nothing that takes time: the handlers are there before everything else.

Python runs a handler in the main thread, once that comes to its next instruction. A signal that
comes just before the main thread begins to wait, or that the system gives to another thread, does
not end the wait; so a thread of its own sends it to the main thread again until the program has left.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress

TYPE_CHECKING = False  # as in typing, which takes time
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_PATIENCE = 0.1
"""Seconds that the main thread has to hear a signal before it is sent again."""

_undoing: list[Callable[[], None]] = []
_advice: list[str] = []


def install() -> None:
    """Handle the signals that end a program, except those that the caller had it ignore (as nohup does)."""
    handled = []
    for name in _SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
            handled.append(number)
    if os.name == "posix":
        heard, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))  # a child's signals are its own
        threading.Thread(target=_repeat, args=(heard, handled, threading.get_ident()), daemon=True).start()


def before_leaving(undo: Callable[[], None]) -> None:
    """Have a function called that takes away what is half done; it may interrupt any other."""
    _undoing.append(undo)


def explain(text: str) -> None:
    """Have what is told of an interrupt end with a text: how to go on."""
    _advice[:] = [text]


@contextmanager
def explaining(text: str) -> Iterator[None]:
    """Have what is told of an interrupt meanwhile end with a text."""
    explain(text)
    yield
    _advice.clear()


def interrupted() -> str:
    """Word what is told of an interrupt."""
    return "; ".join(["vaezip: interrupted", *_advice])


def _repeat(heard: int, handled: list[int], main: int) -> None:
    """Wait for a handled signal, whatever thread it came to, and send it to the main thread until that has left."""
    number = 0
    while number not in handled:
        (number,) = os.read(heard, 1)
    while True:
        time.sleep(_PATIENCE)
        signal.pthread_kill(main, number)


def _leave(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    for undo in _undoing:
        undo()
    if sys.stderr is not None:  # else another file may have its number
        with suppress(OSError):
            os.write(2, ("\n" * os.isatty(2) + interrupted() + "\n").encode(errors="backslashreplace"))
    if os.name == "posix":
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(128 + number)
