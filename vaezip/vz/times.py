"""Write and read the times at which the pictures of a set were modified."""

from __future__ import annotations

from collections.abc import Sequence

from vaezip.errors import FormatError
from vaezip.vz import limits
from vaezip.vz.records import Group
from vaezip.vz.wire import Reader, varint


def write_times(groups: Sequence[Group]) -> bytes:
    """Write a number for each picture, or nothing where no group has times: 0 for none, or else one more than the
    difference to the time before, with its sign as the lowest bit."""
    if not any(group.times for group in groups):
        return b""
    out, before = bytearray(), 0
    for time in (time for group in groups for time in group.times or [None] * len(group.names)):
        if time is None:
            out += varint(0)
            continue
        difference, before = time - before, time
        out += varint((difference << 1 ^ difference >> 63) + 1)
    return bytes(out)


def read_times(reader: Reader, groups: Sequence[Group]) -> None:
    """Read what :func:`write_times` wrote into the groups.

    Raises:
        FormatError: a time is beyond the years 1 to 9999.
    """
    before = 0
    for group in groups:
        for _ in group.names:
            number = reader.varint() - 1
            if number < 0:
                group.times.append(None)
                continue
            before += number >> 1 ^ -(number & 1)
            if not is_time(before):
                raise FormatError("the directory tells an impossible time")
            group.times.append(before)


def is_time(seconds: int) -> bool:
    """Tell whether a file can tell a time, in seconds since 1970: one of the years 1 to 9999."""
    return limits.FIRST_TIME <= seconds <= limits.LAST_TIME


def forget_times_of_none(groups: Sequence[Group]) -> None:
    """Tell no times where there are none, or for a picture alone, whose file has a time of its own."""
    if all(time is None or not name for group in groups for name, time in zip(group.names, group.times)):
        for group in groups:
            group.times = []
