"""Plain data of a model file: dataclasses of whole numbers, truth values and texts, read from JSON of anybody."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

_MOST = 1 << 24
"""The largest whole number that a model is described by: a product of a few of them is still small."""

Made = TypeVar("Made")


def made(kind: type[Made], plain: Mapping[str, Any]) -> Made:
    """Make a dataclass of what JSON holds, where lists stand for tuples.

    Fields that are neither numbers, truth values, texts nor tuples of numbers are taken as they are.

    Raises:
        TypeError: a field is missing, unknown or of another type.
        ValueError: a number is out of range.
    """
    if not isinstance(plain, Mapping):
        raise TypeError("no fields")
    hints = _hints(cast(Any, kind))
    return kind(**{name: _checked(name, hints.get(name), value) for name, value in plain.items()})


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _checked(name: str, hint: Any, value: Any) -> Any:
    """Return the value of a field, once it is known to be of the type that is hinted at."""
    if get_origin(hint) is tuple and get_args(hint)[0] is int:
        count = None if Ellipsis in get_args(hint) else len(get_args(hint))
        if not isinstance(value, list | tuple) or count not in (None, len(value)):
            raise TypeError(f"{name} is no list of as many numbers")
        return tuple(_checked(name, int, one) for one in value)
    if hint in (int, bool, str) and type(value) is not hint:  # True is no whole number here
        raise TypeError(f"{name} is no {_WORDS[hint]}")
    if hint is int and not -_MOST <= value <= _MOST:
        raise ValueError(f"{name} is out of range")
    return value


_WORDS = {int: "whole number", bool: "truth value", str: "text"}
