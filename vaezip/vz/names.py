"""Code names of pictures as runs that differ in their last number alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vaezip.errors import FormatError
from vaezip.vz.limits import MAX_NAME, NAMES, Budget, check_name, refuse_name
from vaezip.vz.wire import Reader, text, varint


@dataclass
class _Run:
    """A run of names that differ in their last number alone, which counts up: 00000.png … 09999.png.

    ``width`` is the number of digits, 0 for numbers without leading zeros; a name without a
    number is a run of one with width 255.
    """

    before: str
    after: str
    width: int
    first: int
    count: int = 1

    @property
    def most_bytes(self) -> int:
        """Bound the bytes of all names together."""
        return self.count * (_size(self.before) + _size(self.after) + _MAX_DIGITS)

    def check(self) -> None:
        """Refuse a run whose names are too long or too deep; the last is the longest.

        Raises:
            FormatError: they are.
        """
        if self.width == _NO_NUMBER:
            refuse_name(_size(self.before), self.before.count("/") + 1)
            return
        digits = max(self.width, len(str(self.first + self.count - 1)))
        refuse_name(_size(self.before) + digits + _size(self.after), self.before.count("/") + self.after.count("/") + 1)

    def goes_on(self, other: _Run) -> bool:
        """Tell whether ``other`` is the next name of this run."""
        same = (self.before, self.after, self.width) == (other.before, other.after, other.width)
        return same and self.width != _NO_NUMBER and other.first == self.first + self.count

    def names(self) -> list[str]:
        """List the names, in order."""
        if self.width == _NO_NUMBER:
            return [self.before]
        numbers = range(self.first, self.first + self.count)
        return [f"{self.before}{number:0{self.width}d}{self.after}" for number in numbers]


_MAX_WIDTH, _MAX_DIGITS = 15, 20
"""Digits that a run asks for, and digits that its greatest number has."""

_NUMBERED = re.compile(r"(.*?)([0-9]{1,15})([^0-9]*)", re.DOTALL)
_NO_NUMBER = 255


def _size(text: str) -> int:
    """Count the bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def _run_of(name: str) -> _Run:
    match = _NUMBERED.fullmatch(name)
    if not match:
        return _Run(name, "", _NO_NUMBER, 0)
    before, digits, after = match.groups()
    return _Run(before, after, len(digits) if digits[0] == "0" else 0, int(digits))


def _runs(names: list[str]) -> list[_Run]:
    runs: list[_Run] = []
    for run in map(_run_of, names):
        if runs and runs[-1].goes_on(run):
            runs[-1].count += 1
        else:
            runs.append(run)
    return runs


def write_names(names: list[str]) -> bytes:
    """Write names as runs.

    Raises:
        FormatError: one is longer or deeper than a reader takes.
    """
    for name in names:
        check_name(name)
    return b"".join(
        varint(run.count) + text(run.before) + text(run.after) + bytes([run.width]) + varint(run.first)
        for run in _runs(names)
    )


def take_names(names: list[str], budget: Budget) -> None:
    """Take from the budget what names will take when they are read.

    Raises:
        FormatError: they are more than a reader takes.
    """
    budget.take(NAMES, sum(run.most_bytes for run in _runs(names)))


def read_names(reader: Reader, count: int, budget: Budget) -> list[str]:
    """Read as many names as a group counts; none is made before the budget has room for the whole of its run.

    Raises:
        FormatError: they are impossible, or more than a file can hold.
    """
    names: list[str] = []
    while len(names) < count:
        length = reader.varint()
        before, after = reader.text(MAX_NAME), reader.text(MAX_NAME)
        run = _Run(before, after, reader.byte(), reader.varint(), length)
        limit = 1 if run.width == _NO_NUMBER else count - len(names)
        if not 0 < length <= limit or _MAX_WIDTH < run.width < _NO_NUMBER:
            raise FormatError("the directory lists impossible names")
        run.check()
        budget.take(NAMES, run.most_bytes)
        names += run.names()
    return names


def is_unicode(name: str) -> bool:
    """Tell whether a name can be written as UTF-8; those of other file names hold surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
