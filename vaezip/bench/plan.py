"""Plan what a benchmark measures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vaezip.models.effort import PRESETS, Effort, of_steps
from vaezip.vz.limits import MAX_STEPS

ORDERS = ("set", "single")
"""``set``: all pictures in one file; ``single``: a file a picture."""

PEERS = ("png", "oxipng", "zopfli", "webp", "jxl", "jpegls", "jpeg")
"""The names of peers; ``jxl`` is measured at efforts 7 and 9, and ``jpeg`` stands for what codes JPEG files."""

DEFAULT_PEERS = ("png", "oxipng", "webp", "jxl", "jpegls")
"""Without zopfli, which takes minutes on a large picture, and what is for JPEG files alone."""

_RANGE = re.compile(r"(?P<first>[0-9]+)(\.\.(?P<last>[0-9]+))?")


@dataclass(frozen=True)
class Choice:
    """Choose what a model does for fewer bytes.

    Attributes:
        effort: all of it.
        preset: ``-1`` … ``-9`` of the command line, which stands for it; None where K was asked for.
    """

    effort: Effort
    preset: int | None = None


def called(steps: int, preset: int | None) -> str:
    """Name K steps, or a preset that takes them, as messages, tables and plots do.

    >>> called(5, None), called(1, 4)
    ('K = 5', '-4')
    """
    return f"K = {steps}" if preset is None else f"-{preset}"


@dataclass(frozen=True)
class Plan:
    """Describe a benchmark.

    Attributes:
        dataset: a name of :data:`vaezip.pictures.datasets.NAMES`, or a folder.
        data: folder with the named data sets; None for the usual places.
        limit: how many pictures; None for all.
        seed: draw them at random with this seed; None takes the first.
        models: names or paths of models, or ``auto``; empty for the data set's own.
        steps: values of K.
        presets: ``-1`` … ``-9`` of the command line.
        solid: code up to 16 million pixels as one block.
        orders: of :data:`ORDERS`.
        peers: of :data:`PEERS`.
        per_image: keep the figures of every picture.
        device: ``cpu`` or ``cuda``.
        threads: how many to use; the bytes are the same.
        repeats: how often the work on a set is timed, at most; long work is timed less often.
        isolated: measure each method in a process of its own; without, no peak memory is known.
    """

    dataset: str
    data: str | None = None
    limit: int | None = None
    seed: int | None = None
    models: tuple[str, ...] = ()
    steps: tuple[int, ...] = (0,)
    presets: tuple[int, ...] = ()
    solid: bool = False
    orders: tuple[str, ...] = ORDERS
    peers: tuple[str, ...] = DEFAULT_PEERS
    per_image: bool = False
    device: str = "cpu"
    threads: int = 1
    repeats: int = 3
    isolated: bool = True

    @property
    def choices(self) -> list[Choice]:
        """List what each model is measured with."""
        return [Choice(of_steps(k)) for k in self.steps] + [Choice(PRESETS[n], n) for n in self.presets]

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> Plan:
        """Invert :func:`dataclasses.asdict`, also when it went through JSON."""
        fixed: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
        return Plan(**fixed)


def parse_steps(text: str) -> tuple[int, ...]:
    """Read values of K, in order and each once, from numbers and ranges that include both ends.

    >>> parse_steps("0..3,7,10")
    (0, 1, 2, 3, 7, 10)

    Raises:
        ValueError: the text is no such list.
    """
    return _numbers(text, 0, MAX_STEPS, f"is no number of steps; write 0,5,10 or 0..10, up to {MAX_STEPS}")


def parse_presets(text: str) -> tuple[int, ...]:
    """Read presets of the command line, in order and each once, from numbers and ranges that include both ends.

    >>> parse_presets("1..3,6")
    (1, 2, 3, 6)

    Raises:
        ValueError: the text is no such list.
    """
    least, most = min(PRESETS), max(PRESETS)
    return _numbers(text, least, most, f"is no preset; write 1,4,6 or 1..6, from {least} to {most}")


def _numbers(text: str, least: int, most: int, complaint: str) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.split(","):
        part = part.strip()
        match = _RANGE.fullmatch(part)
        if not match or not least <= int(match["first"]) <= int(match["last"] or match["first"]) <= most:
            raise ValueError(f"'{part}' {complaint}")
        values.update(range(int(match["first"]), int(match["last"] or match["first"]) + 1))
    return tuple(sorted(values))


def parse_peers(text: str) -> tuple[str, ...]:
    """Read names of peers from a list with commas, ``none`` or ``all``.

    >>> parse_peers("webp,png")
    ('png', 'webp')

    Raises:
        ValueError: an unknown name.
    """
    names = {part.strip().lower() for part in text.split(",")}
    if names == {"none"}:
        return ()
    if names == {"all"}:
        return PEERS
    unknown = names - set(PEERS)
    if unknown:
        raise ValueError(f"'{min(unknown)}' is no peer; there are {', '.join(PEERS)}, or all, or none")
    return tuple(peer for peer in PEERS if peer in names)
