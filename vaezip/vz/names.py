"""Code names of pictures as runs that differ in their last number alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vaezip.errors import FormatError
from vaezip.vz.limits import CHARACTERS, Budget
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
    def most_characters(self) -> int:
        """Bound the characters of all names together."""
        return self.count * (len(self.before) + len(self.after) + _MAX_DIGITS)

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


_MAX_DIGITS = 15
_NUMBERED = re.compile(r"(.*?)([0-9]{1,15})([^0-9]*)", re.DOTALL)
_NO_NUMBER = 255


def _run_of(name: str) -> _Run:
    match = _NUMBERED.fullmatch(name)
    if not match:
        return _Run(name, "", _NO_NUMBER, 0)
    before, digits, after = match.groups()
    return _Run(before, after, len(digits) if digits[0] == "0" else 0, int(digits))


def write_names(names: list[str], budget: Budget) -> bytes:
    """Write names as runs."""
    runs: list[_Run] = []
    for run in map(_run_of, names):
        if runs and runs[-1].goes_on(run):
            runs[-1].count += 1
        else:
            runs.append(run)
    budget.take(CHARACTERS, sum(run.most_characters for run in runs))
    return b"".join(
        varint(run.count) + text(run.before) + text(run.after) + bytes([run.width]) + varint(run.first) for run in runs
    )


def read_names(reader: Reader, count: int, budget: Budget) -> list[str]:
    """Read as many names as a group counts."""
    names: list[str] = []
    while len(names) < count:
        length = reader.varint()
        run = _Run(reader.text(), reader.text(), reader.byte(), reader.varint(), length)
        limit = 1 if run.width == _NO_NUMBER else count - len(names)
        if not 0 < length <= limit or _MAX_DIGITS < run.width < _NO_NUMBER:
            raise FormatError("the directory lists impossible names")
        budget.take(CHARACTERS, run.most_characters)
        names += run.names()
    return names
