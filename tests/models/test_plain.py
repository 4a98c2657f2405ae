"""Dataclasses of plain data, from JSON that may come from anybody."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from vaezip.models.layers import Dense
from vaezip.models.plain import made
from vaezip.models.tile.architecture import TileArchitecture


@dataclass(frozen=True)
class Thing:
    """A bit of everything."""

    count: int
    name: str
    good: bool
    pair: tuple[int, int]
    many: tuple[int, ...]
    other: list[str]


GOOD = {"count": 3, "name": "a", "good": True, "pair": [1, 2], "many": [1, 2, 3], "other": ["x"]}


def test_it_makes_what_was_told():
    assert made(Thing, GOOD) == Thing(3, "a", True, (1, 2), (1, 2, 3), ["x"])


@pytest.mark.parametrize(
    "changes",
    [
        {"count": "3"},
        {"count": 3.0},
        {"count": True},
        {"count": None},
        {"count": 1 << 40},
        {"name": 3},
        {"good": 1},
        {"pair": [1]},
        {"pair": "12"},
        {"many": [1, "2"]},
        {"many": 7},
        {"unknown": 1},
    ],
)
def test_it_refuses_other_types(changes):
    with pytest.raises((TypeError, ValueError)):
        made(Thing, GOOD | changes)


@pytest.mark.parametrize("plain", [None, "text", [1], 3])
def test_it_refuses_what_has_no_fields(plain):
    with pytest.raises(TypeError):
        made(Dense, plain)


def test_a_text_where_a_number_is_due_is_no_size_to_multiply():
    """A text times a number is a longer text: this one would have been of gigabytes."""
    plain = {"tile": [28, 28], "latent": [1 << 20, 1 << 20, "x"], "encoder": (), "decoder": ()}
    with pytest.raises((TypeError, ValueError), match="latent"):
        made(TileArchitecture, plain)
