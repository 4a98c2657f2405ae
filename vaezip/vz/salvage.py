"""Recover the blocks of an archive whose directory is lost, by the indices between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace

from vaezip.errors import FormatError
from vaezip.vz import limits
from vaezip.vz.archive import is_vz, parse, read_directory
from vaezip.vz.index import MAGIC, MODELS, TIMES, Measure, Payloads, packed_index, packed_length
from vaezip.vz.limits import PIECES, Budget
from vaezip.vz.records import LOST, REVISION, VERSION, Embedded, File, Group
from vaezip.vz.wire import Reader, inflated

_CHECKED, _TAKEN = 8, 2
"""So many times its own bytes a file may make its reader check as indices, and take as their blocks."""


@dataclass(frozen=True)
class Recovered:
    """Hold what was found of a file.

    Attributes:
        file: its blocks; in the place of those that are lost stands LOST, and pictures without a name are called by
            their number.
        lost: the ranges of bytes, first and end, that nothing whole describes; a directory may be in the last.
        missing: numbers of pictures before the last one that was found, of which nothing is left.
    """

    file: File
    lost: list[tuple[int, int]] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Run:
    """The blocks before an index: their bytes with the index, the number of their first picture, and what they are."""

    start: int
    end: int
    first: int
    groups: list[Group]
    model_names: dict[bytes, str]
    embedded: dict[bytes, Embedded]

    @property
    def next(self) -> int:
        """Return the number of the picture that the following run begins with."""
        return self.first + sum(len(group.names) for group in self.groups) - (self.groups[-1].blocks[-1] is LOST)


def recover(data: bytes) -> Recovered:
    """Return what a file holds: all that its directory lists, or where that is lost, what indices describe.

    Raises:
        FormatError: there is neither, or the file is of another version or revision.
    """
    try:
        return Recovered(parse(data))
    except FormatError as error:
        if is_vz(data) and (data[0] & 0x0F, data[4:5]) != (VERSION, bytes([REVISION])):
            raise
        runs = _without_overlaps(_Search(data).runs())
        if not runs:
            raise error.behind("nothing of it can be recovered") from error
    groups, missing = _joined(runs)
    names = {mark: name for run in runs for mark, name in run.model_names.items()}
    models = {mark: model for run in runs for mark, model in run.embedded.items()}
    file = File(False, b"", groups, names, models)
    return Recovered(file, list(_between(runs, len(data))), missing)


class _Search:
    """Look for indices, within what a file may make its reader do: of all that looks like an index, so many bytes are
    checked, unpacked, and taken as blocks."""

    def __init__(self, data: bytes) -> None:
        self.data, self.budget = data, Budget(len(data))
        self.left = {"checked": _CHECKED * len(data), "unpacked": limits.MAX_DIRECTORY, "taken": _TAKEN * len(data)}

    def runs(self) -> Iterator[_Run]:
        """Find whatever looks like an index and is one.

        Raises:
            FormatError: much more looks like indices than in any file of ours.
        """
        position = self.data.find(MAGIC)
        while position >= 0:
            run = None
            with suppress(FormatError):
                run = self._run(position)
            if min(self.left.values()) < 0:
                raise FormatError("more of it looks like indices than a file of ours could hold")
            if run:
                yield run
            position = self.data.find(MAGIC, run.end if run else position + 1)

    def _run(self, position: int) -> _Run:
        """Read the index at a position, and the blocks before it."""
        self._take("checked", packed_length(Reader(self.data, position)))
        packed, end = packed_index(self.data, position)
        most = self.left["unpacked"]
        self.left["unpacked"] = -1  # where it cannot be unpacked, for good: it is of no file of ours
        content = inflated(packed, "an index", most)
        self.left["unpacked"] = most - len(content) - 1
        reader = Reader(content)
        flags = reader.byte()
        if flags & ~(MODELS | TIMES):
            raise FormatError("unknown field in an index; a newer vaezip may read it")
        first, above, below = reader.varint(), reader.varint(), reader.varint()
        if max(above, below) > limits.MAX_LOST:
            raise FormatError("the index describes an impossible picture")
        self.budget.take(PIECES, above + below)
        begin, measure = reader.position, Measure(self.data, 0, position)
        read_directory(reader, measure, flags, budget=deepcopy(self.budget), lacking=(above, below))
        self._take("taken", measure.position)
        start, again = position - measure.position, Reader(content, begin)
        payloads = Payloads(self.data, start, position)
        groups, names, models = read_directory(again, payloads, flags, budget=self.budget, lacking=(above, below))
        groups[0].blocks[:0] = [LOST] * above
        groups[-1].blocks += [LOST] * below
        return _Run(start, end, first, groups, names, models)

    def _take(self, what: str, count: int) -> None:
        self.left[what] -= count
        if self.left[what] < 0:
            raise FormatError("the index is one too many")


def _without_overlaps(runs: Iterator[_Run]) -> list[_Run]:
    """Leave out the runs that lie within the blocks of others, and so are none of the file's own; but not those before
    a run that seems to begin too early, because bytes of it are lost."""
    kept: list[_Run] = []
    for run in runs:
        while kept and kept[-1].start >= run.start and kept[-1].next != run.first:
            kept.pop()
        kept.append(run)
    return kept


def _joined(runs: list[_Run]) -> tuple[list[Group], list[int]]:
    """Return the groups of all runs, each picture once and under a name of its own, and the numbers of those missing.

    A picture that runs share, because it takes several blocks, is put together.
    """
    shared: dict[tuple[int, ...], Group] = {}
    groups: list[Group] = []
    numbers: set[int] = set()
    for run in runs:
        number = run.first
        for group in run.groups:
            for part in _single(group) if group.bands > 1 else [group]:
                key = number, part.mode, part.height, part.width, part.band
                numbers.update(range(number, number + len(part.names)))
                number += len(part.names)
                if part.bands > 1 and key in shared:
                    _complete(shared[key], part)
                    continue
                shared[key] = part
                groups.append(part)
    _rename_twins(groups)
    missing = [number for number in range(max(numbers) + 1) if number not in numbers] if _is_dense(numbers) else []
    return groups, missing


def _is_dense(numbers: set[int]) -> bool:
    return max(numbers) < 2 * len(numbers) + (1 << 16)


def _single(group: Group) -> Iterator[Group]:
    """Yield the pictures of a group of bands, each as a group."""
    bands = group.bands
    for i, (name, boxes) in enumerate(zip(group.names, group.boxes)):
        blocks = group.blocks[i * bands : (i + 1) * bands]
        yield replace(group, names=[name], boxes=[boxes], times=group.times[i : i + 1], blocks=blocks)


def _complete(group: Group, other: Group) -> None:
    """Add to a picture what another run has of it."""
    group.blocks = [mine if mine is not LOST else theirs for mine, theirs in zip(group.blocks, other.blocks)]
    if not group.names[0] or not group.names[0].isdecimal():
        return
    group.names, group.boxes, group.times = other.names, other.boxes, other.times


def _rename_twins(groups: list[Group]) -> None:
    """Give pictures of one name different ones."""
    taken: set[str] = set()
    twins: dict[str, int] = {}
    for group in groups:
        for i, name in enumerate(group.names):
            new = name
            while new in taken:
                twins[name] = twins.get(name, 1) + 1
                new = f"{twins[name]}-{name}"
            taken.add(new)
            group.names[i] = new


def _between(runs: list[_Run], size: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of bytes that are in no run."""
    position = 6
    for run in runs:
        if run.start > position:
            yield position, run.start
        position = max(position, run.end)
    if size > position:
        yield position, size
