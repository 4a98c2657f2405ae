"""Compute what it costs to decode a block by a pixel model: see section 11.5 of ``docs/format/limits.md``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vaezip.models.base import Shape
from vaezip.models.cost import Cost, at_once
from vaezip.models.layers import measured
from vaezip.models.pixel.architecture import PixelArchitecture
from vaezip.models.pixel.constants import BATCH_UNIT, RADIUS, REGRESSIONS, SEGMENT, STRIP_TILES, TILE
from vaezip.models.pixel.settings import Adaptation

_LOGISTIC, _VALUE = 128, 512
"""Operations for each logistic of a value, and for a value beside, its calibration included."""

_CLIMB = 840
"""Operations of a wave for each channel: a step of the calibration, every fourth."""

_ADAM, _BACK, _PUBLISH = 32, 6, 8
"""Operations for each weight: of a step; of a step for each of its pixels; and after a row group."""

_ELEMENT = 64
"""Operations for each output of a layer in a step on a posterior."""

_WEIGHT_BYTES, _UNIT_BYTES = 160, 48
"""Bytes of a network that learns, for each weight, and for each unit of a pixel of a step."""


class _Rows(NamedTuple):
    """Row groups that are alike: how many, of how many pictures, and rows of each."""

    times: int
    pictures: int
    rows: int


def _row_groups(shape: Shape, most: int) -> Iterator[_Rows]:
    """List the row groups of a block, of ``most`` rows of a strip at most, those that are alike together."""
    pictures, height, width, _ = shape
    together = min(pictures, max(1, STRIP_TILES // -(-width // TILE)))
    sets = [(pictures // together, together), (1, pictures % together)]
    strips = [(height // TILE, TILE), (1, height % TILE)]
    for set_count, in_set in sets:
        for strip_count, strip_rows in strips:
            for times, rows in ((strip_rows // most, most), (1, strip_rows % most)):
                if set_count * in_set * strip_count * times * rows:
                    yield _Rows(set_count * strip_count * times, in_set, rows)


def adaptive_cost(a: PixelArchitecture, shape: Shape, settings: Adaptation) -> Cost:
    """Compute what it costs to decode pictures that lie as they are coded, by settings."""
    groups, networks = list(_row_groups(shape, settings.row_group)), len(settings.rates)
    memory, work = _frame_bytes(a, shape, errors=True), _coding_work(a, shape, groups, networks)
    if settings.passes:
        work += sum(group.times * networks * _learning_work(a, group, shape[2], settings) for group in groups)
        memory += networks * a.weights * _WEIGHT_BYTES
        memory += max(_example_bytes(a, group, shape[2], settings, networks) for group in groups)
    return Cost(memory, work)


def latent_cost(a: PixelArchitecture, shape: Shape, steps: int) -> Cost:
    """Compute what it costs to decode pictures with latents, by so many steps on each posterior."""
    groups, across = list(_row_groups(shape, TILE)), -(-shape[2] // TILE)
    together = min(shape[0], max(1, STRIP_TILES // across))
    tiles = sum(group.times * group.pictures for group in groups) * across
    fine = tiles - (shape[0] % together or together) * across  # the last strip has no posterior
    encoder, style = measured(a.encoder, (*a.tile, a.channels)), measured(a.style, a.latent)
    pixels = a.tile[0] * a.tile[1]
    a_step = (
        2 * style.products + _ELEMENT * (style.values + a.latents) + pixels * (2 * a.weights + _ELEMENT * _units(a))
    )
    work = _coding_work(a, shape, groups, 1) + tiles * (style.products + _ELEMENT * a.latents)
    work += fine * (encoder.products + steps * a_step)
    each = tile_bytes(a, steps=steps > 0)
    in_strip = together * across
    memory = _frame_bytes(a, shape, errors=False) + each * min(in_strip, at_once(each))
    memory += in_strip * (TILE + RADIUS) * (TILE + 2 * RADIUS) * (4 * a.planes + 8 * a.channels)
    return Cost(memory, work)


def tile_bytes(a: PixelArchitecture, *, steps: bool) -> int:
    """Bound the bytes that the networks take for one of the tiles that they see at once."""
    encoder, style = measured(a.encoder, (*a.tile, a.channels)), measured(a.style, a.latent)
    numbers = 3 * max(encoder.widest, style.widest) + 16 * a.latents
    if steps:
        numbers += 2 * style.values + a.tile[0] * a.tile[1] * (3 * _units(a) + 24 * 3 * a.mixture * a.channels)
    return 8 * numbers


def _units(a: PixelArchitecture) -> int:
    """Count the inputs and the outputs of all layers, for a pixel."""
    return a.features + a.hidden * (1 + 3 * a.blocks) + a.channels * (a.head + 3 * a.mixture + 2 * a.hints)


def _coding_work(a: PixelArchitecture, shape: Shape, groups: list[_Rows], networks: int) -> int:
    """Count the operations of the networks, the mixtures and the predictors; four pixels of a wave are the least."""
    width, values = shape[2], a.channels * shape[0] * shape[1] * shape[2]
    waves = sum(group.times * (width + SEGMENT * group.rows) for group in groups)
    pixels = shape[0] * shape[1] * width + SEGMENT * waves
    work = pixels * networks * a.weights + values * (_VALUE + _LOGISTIC * a.mixture * networks)
    work += waves * _CLIMB * a.channels
    if a.regressed:
        segments = shape[0] * shape[1] * -(-width // SEGMENT) + waves
        work += segments * sum(count**3 // 6 + 6 * count**2 for count in _regressors(a))
    return work


def _learning_work(a: PixelArchitecture, group: _Rows, width: int, settings: Adaptation) -> int:
    """Count the operations of a network that learns from a row group."""
    pixels = group.pictures * group.rows * width
    batches = max(1, pixels // (BATCH_UNIT * settings.batch))
    steps = -(-settings.passes * batches // settings.stride)
    padded = -(-pixels // batches) + SEGMENT
    return a.weights * (steps * (_ADAM + _BACK * padded) + _PUBLISH) + pixels * _ELEMENT * a.channels


def _regressors(a: PixelArchitecture) -> list[int]:
    """Count what each predictor sees of the entries of v of section 9.3."""
    return [(neighbours + 1) * a.channels for neighbours, *_ in REGRESSIONS[: a.predictors]]


def _frame_bytes(a: PixelArchitecture, shape: Shape, *, errors: bool) -> int:
    """Count the bytes of what is kept of all pixels, and of the predictors of the pictures that are coded together."""
    pictures, height, width, channels = shape
    together = min(pictures, max(1, STRIP_TILES // -(-width // TILE)))
    cells, sets = (height + RADIUS) * (width + 2 * RADIUS), 1 + (together < pictures)
    found = 2 * a.planes * pictures * cells + 3 * pictures * height * width * channels
    found += 2 * channels * sets * together * cells * errors
    if a.regressed:
        for count in _regressors(a):
            found += 8 * (count * (count + 10) // 2 + 8) * sets * together * (-(-width // SEGMENT) + TILE)
            found += 4 * sets * together * TILE * (channels * (count + 1) + SEGMENT * (count + 8))
    tiles = together * -(-width // TILE)
    return found + 24 * tiles * (a.style_offsets + a.latents) + (1 << 20)


def _example_bytes(a: PixelArchitecture, group: _Rows, width: int, settings: Adaptation, networks: int) -> int:
    """Count the bytes of what a network learns from in a row group, and of a step."""
    pixels = group.pictures * group.rows * width
    of_step = min(pixels, 2 * BATCH_UNIT * settings.batch)
    each = 2 * a.features + 40 * a.channels + 8
    return pixels * each + (of_step + SEGMENT) * (each + networks * _UNIT_BYTES * _units(a))
