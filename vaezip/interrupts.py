"""Ctrl-C and its like: leave at once, and leave nothing half done behind.

Unwinding the stack would wait for the blocks that threads are still coding, which may take long.
The program ends by the signal itself, so that a shell's loop ends with it. This module imports
nothing that takes time: the handlers are there before everything else.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

TYPE_CHECKING = False  # as in typing, which takes time
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

_undoing: list[Callable[[], None]] = []


def install() -> None:
    """Handle the signals that end a program, except those that the caller had it ignore (as nohup does)."""
    for name in _SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)


def before_leaving(undo: Callable[[], None]) -> None:
    """Have a function called that takes away what is half done; it may interrupt any other."""
    _undoing.append(undo)


def _leave(number: int, _: FrameType | None) -> None:
    for undo in _undoing:
        undo()
    if sys.stderr is not None:  # else another file may have its number
        with suppress(OSError):
            os.write(2, b"\nvaezip: interrupted\n" if os.isatty(2) else b"vaezip: interrupted\n")
    if os.name == "posix":
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(128 + number)
