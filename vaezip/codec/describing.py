"""Describe what a ``.vz`` file holds in what JSON holds; no pixels are decoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from vaezip.codec import coders, jpeg, metadata, payload, remade
from vaezip.codec.blocks import block_shape
from vaezip.errors import FormatError
from vaezip.models.kinds import FILES, JPEG, MODE_NAMES, ROWS
from vaezip.pictures.sequences.frame import NAMES
from vaezip.pictures.shell import shell_of
from vaezip.vz.records import Block, Group, has_model
from vaezip.vz.records import Box as Stored

_EPOCH = datetime(1970, 1, 1)


def blocks(group: Group, models: Mapping[bytes, tuple[str, str | None]]) -> Iterator[dict[str, Any]]:
    """Describe each block, and what its colours were before, if they were anything."""
    for number in range(len(group.blocks)):
        yield {**_describe_block(group, number, models), "origin": _describe_origin(group, number)}


def _describe_block(group: Group, number: int, models: Mapping[bytes, tuple[str, str | None]]) -> dict[str, Any]:
    block = group.blocks[number]
    described = {"fingerprint": block.model.hex(), "bytes": len(block.payload)}
    if not has_model(block.model):
        mode = MODE_NAMES[group.mode]
        method = mode if mode in ROWS else coders.name_of(block.model).lower()
        note = coders.note_on(block.model, block.payload, block_shape(group, number))
        return {"method": method, **described, "steps": 0, "steps_on": None} | ({"note": note} if note else {})
    name, steps_on = models[block.model]
    return {"method": name, **described, "steps": payload.steps_of(block.payload), "steps_on": steps_on}


def _describe_origin(group: Group, number: int) -> dict[str, Any] | None:
    """Describe what the pictures of a block were before, or what they are made of, if that is known."""
    block, shape = group.blocks[number], block_shape(group, number)
    if not has_model(block.model) and block.model != coders.REMADE:
        return None
    with suppress(FormatError):
        if block.model == coders.REMADE:
            return remade.describe_origin(block.payload, MODE_NAMES[group.mode], shape)
        origin = payload.origin_of(block.payload, MODE_NAMES[group.mode], shape)
        return origin.describe(shape[0] * shape[1] * shape[2]) if origin else None
    return None


def pictures(groups: Sequence[Group]) -> Iterator[dict[str, Any]]:
    """Describe each picture of a file."""
    first = 0
    for group in groups:
        yield from (picture(group, i, first_block=first) for i in range(len(group.names)))
        first += len(group.blocks)


def picture(group: Group, index: int, *, first_block: int) -> dict[str, Any]:
    """Describe one picture of a group, also by the blocks that hold it: those that share a block have an equal part.

    Args:
        group: the group.
        index: of the picture in it.
        first_block: the place of the group's first block among all of the file.
    """
    mode = MODE_NAMES[group.mode]
    time = group.times[index] if group.times else None
    known: dict[str, Any] = {"mode": mode.removesuffix("/2"), "width": group.width, "height": group.height}
    if mode in FILES:
        known = _describe_file(mode, group.blocks[index], group.width)
    run, place = divmod(index, group.per_block)
    numbers = range(run * group.bands, min((run + 1) * group.bands, len(group.blocks)))
    sharing = min(group.per_block, len(group.names) - index + place)
    return {
        "name": group.names[index],
        **known,
        "metadata": sorted(set(_kinds_of_metadata(group.boxes[index]))),
        "modified": None if time is None else (_EPOCH + timedelta(seconds=time)).isoformat() + "Z",
        "blocks": [first_block + number for number in numbers],
        "bytes": sum(len(group.blocks[number].payload) for number in numbers) // sharing,
    }


def _kinds_of_metadata(boxes: tuple[Stored, ...]) -> Iterator[str]:
    """Name boxes, the shell of a picture by the format whose header it holds."""
    for name, (_, content) in zip(metadata.names(boxes), boxes):
        shell = shell_of([(name, content)])
        yield f"{NAMES[shell.format].lower()}-header" if shell else name


def _describe_file(mode: str, block: Block, length: int) -> dict[str, Any]:
    """Describe the picture in a file that is kept byte for byte; of a verbatim one, the length alone is known."""
    known: dict[str, Any] = {"mode": mode, "file_bytes": length}
    with suppress(FormatError):
        if mode == JPEG:
            height, width, components = jpeg.describe(block.payload, length)
            known |= {"mode": _JPEG_MODES.get(components, mode), "width": width, "height": height}
    return known


_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
"""The mode of the picture in a JPEG, by its number of components."""
