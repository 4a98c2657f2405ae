"""Ctrl-C and its like: leave at once, and leave nothing half done behind.

Unwinding the stack would wait for the blocks that threads are still coding, which may take long.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

from vaezip import output

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def install() -> None:
    """Handle the signals that end a program, except those that the caller had it ignore (as nohup does)."""
    for name in _SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)


def _leave(number: int, _: FrameType | None) -> None:
    output.abandon()
    with suppress(OSError):
        os.write(2, b"\nvaezip: interrupted\n" if os.isatty(2) else b"vaezip: interrupted\n")
    os._exit(128 + number)
