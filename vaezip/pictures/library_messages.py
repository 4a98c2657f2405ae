"""Overhear what the libraries that decode pictures say, so that it decides and does not reach standard error.

Pillow warns by the module ``warnings``, tifffile by ``logging``, pydicom by both, and libtiff calls a function of its
own, which prints.
Each of these is one for the whole process; so they are set while any thread is decoding here, hand on whatever another
thread of the process causes, and are set back afterwards. What is heard belongs to the thread that was decoding.
"""

from __future__ import annotations

import ctypes
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import _imaging


class Heard:
    """Hold what the libraries said while one picture was decoded.

    Attributes:
        errors: of the decoder of the samples: the picture is damaged.
        warnings: about metadata, which may be malformed though the samples are whole.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []


_HERE = threading.local()


def _heard() -> Heard | None:
    """Return what this thread has heard so far, None where it is not decoding."""
    return getattr(_HERE, "heard", None)


class _LogHandler(logging.Handler):
    """Take what a library logs; a handler also keeps ``logging`` from printing what nobody handles."""

    def emit(self, record: logging.LogRecord) -> None:
        if (heard := _heard()) is not None and record.levelno >= logging.WARNING:
            heard.warnings.append(record.getMessage())


_LOGGERS = [logging.getLogger(name) for name in ("PIL", "tifffile", "pydicom")]
_LOG_HANDLER = _LogHandler()

_LIBTIFF_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


class _Libtiff:
    """Set the error handler of the libtiff that Pillow is linked with.

    It is found through Pillow's own module. Where Pillow holds libtiff without its names, as on Windows, nothing is
    heard, and damage that libtiff goes on after stays unseen.
    """

    def __init__(self) -> None:
        self._handler = _LIBTIFF_HANDLER(self._hear)
        self._before: int | None = None
        self._set: Callable[[Any], int | None] | None = None
        try:
            function = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        except (OSError, AttributeError, TypeError):
            return
        function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
        self._set = function

    def enter(self) -> None:
        if self._set is not None:
            self._before = self._set(ctypes.cast(self._handler, ctypes.c_void_p))

    def exit(self) -> None:
        if self._set is not None:
            self._set(self._before)

    def _hear(self, module: bytes | None, message: bytes | None, arguments: int | None) -> None:
        if (heard := _heard()) is not None:
            text = (message or b"").decode("utf-8", "replace")
            heard.errors.append(re.sub(r"%[-+ #0-9.]*[hlzjt]*[a-zA-Z]", "…", text))  # its arguments are C's
        elif self._before:
            _LIBTIFF_HANDLER(self._before)(module, message, arguments)


class _Ears:
    """Set every channel while at least one thread is decoding."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._libtiff = _Libtiff()
        self._warnings = warnings.catch_warnings()
        self._show: Callable[..., None] = warnings.showwarning

    def enter(self) -> None:
        with self._lock:
            if self._users == 0:
                self._warnings = warnings.catch_warnings()
                self._warnings.__enter__()
                self._show, warnings.showwarning = warnings.showwarning, self._hear_warning
                for module in ("PIL", "tifffile"):
                    warnings.filterwarnings("always", module=module)
                for logger in _LOGGERS:
                    logger.addHandler(_LOG_HANDLER)
                self._libtiff.enter()
            self._users += 1

    def exit(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._libtiff.exit()
                for logger in _LOGGERS:
                    logger.removeHandler(_LOG_HANDLER)
                self._warnings.__exit__(None, None, None)

    def _hear_warning(self, message: Warning | str, *arguments: Any, **options: Any) -> None:
        if (heard := _heard()) is not None:
            heard.warnings.append(str(message))
        else:
            self._show(message, *arguments, **options)


_EARS = _Ears()


@contextmanager
def overheard() -> Iterator[Heard]:
    """Collect what libraries say while this thread decodes a picture."""
    before, heard = _heard(), Heard()
    _EARS.enter()
    _HERE.heard = heard
    try:
        yield heard
    finally:
        _HERE.heard = before
        _EARS.exit()
