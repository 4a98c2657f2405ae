"""Colours that came before are expected again, and counts are bounded."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.entropy.histories import Given, new_histories, tables
from vaezip.models.effort import Effort
from vaezip.models.graphic import coder, colours
from vaezip.models.graphic.contexts import STATE_SIZE, N, W

MOST = (1 << 16) - 1


@pytest.fixture
def counts():
    return colours.new_colours(4)


def at(counts, c=1, known=77, w=0, n=0):
    """Return what is known of a pixel whose rows are found."""
    s = np.zeros(STATE_SIZE, np.int64)
    s[W], s[N] = w, n
    colours.find_rows(s, counts, c, known)
    return s


@cache
def learned():
    return new_histories(8, 2, most_bits=8, choices=4, kinds=1, corrections=1, given=Given(colours.SOURCES, 1))


def counted(s, counts, c, source, first=0, end=256):
    return colours._counted(s, counts, c, source, first, end)


@pytest.mark.parametrize("c", [0, 1, 2, 3])
def test_samples_are_counted_in_every_source(counts, c):
    s = at(counts, c)
    for sample, times in ((0, 3), (255, 2), (128, 1)):
        for _ in range(times):
            colours.count(s, counts, c, sample)
    for source in range(colours.SOURCES):
        assert counted(s, counts, c, source) == 6
        assert counted(s, counts, c, source, 0, 1) == 3
        assert counted(s, counts, c, source, 1, 255) == 1
        assert counted(s, counts, c, source, 129, 256) == 2
        assert counted(s, counts, c, source, 7, 7) == 0


def test_sources_go_by_the_channels_before_and_by_neighbours_roughly(counts):
    counts = colours.new_colours(18)
    near = at(counts, w=0x101010, n=0x202020)
    colours.count(near, counts, 1, 5)
    same = at(counts, w=0x171717, n=0x272727)
    assert [counted(same, counts, 1, source) for source in range(3)] == [1, 1, 1]
    other = at(counts, w=0x181818, n=0x202020)
    assert [counted(other, counts, 1, source) for source in range(3)] == [1, 0, 1]
    other = at(counts, w=0x101010, n=0x282020)
    assert [counted(other, counts, 1, source) for source in range(3)] == [1, 1, 0]
    assert [counted(at(counts, known=78), counts, 1, source) for source in range(3)] == [0, 0, 0]


def test_a_new_sample_takes_the_place_of_the_rarest(counts):
    s = at(counts)
    for sample in range(colours.ENTRIES):
        for _ in range(3 if sample != 5 else 2):
            colours.count(s, counts, 1, sample)
    colours.count(s, counts, 1, 200)
    assert counted(s, counts, 1, 0, 5, 6) == 0
    assert counted(s, counts, 1, 0, 200, 201) == 1
    assert counted(s, counts, 1, 0) == 3 * (colours.ENTRIES - 1) + 1


@pytest.mark.parametrize("c", [0, 2])
def test_counts_are_bounded(counts, c):
    s = at(counts, c)
    for _ in range(MOST + 9):
        colours.count(s, counts, c, 9)
    assert [counted(s, counts, c, source) for source in range(3)] == [MOST] * 3
    assert counted(s, counts, c, 0, 9, 10) == MOST


@given(st.lists(st.integers(0, 255), max_size=40), st.integers(0, 256), st.integers(0, 256), st.booleans())
def test_what_is_left_is_parted_in_two(samples, first, end, is_one):
    first, end = sorted((first, end))
    counts = colours.new_colours(4)
    s = at(counts, 0)
    for sample in samples:
        colours.count(s, counts, 0, sample)
    colours.begin(s, counts, 0)
    stretch, m = tables()[0], learned()
    colours.part(m, s, counts, 0, first, end, is_one)
    inside = sum(first <= sample < end for sample in samples)
    ones = inside if is_one else len(samples) - inside
    assert m.given[0] == stretch[((32 * ones + 1) << 12) // (32 * len(samples) + 2)]
    side = 0 if ones == 0 else 1 if ones == len(samples) else 2
    assert colours.state_of(s) == 3 * min(len(samples).bit_length(), 6) + side < colours.STATES
    kept = s.copy()
    colours.keep(kept, 1)
    colours.keep(s, 0)
    assert [int(kept[colours._LEFT]), int(s[colours._LEFT])] == [ones, len(samples) - ones]


def test_colours_that_came_before_take_what_tells_them_apart():
    """600 colours, and nothing that tells which is next: 9.2 bits each where 24 would tell any."""
    rng = np.random.default_rng(3)
    palette = rng.integers(0, 256, (600, 3))
    samples = palette[rng.integers(0, 600, (1, 100, 200))].astype(np.uint8)
    data = coder.encode(samples, "RGB", 0, effort=Effort())
    assert np.array_equal(coder.decode(data, "RGB", samples.shape)[0], samples)
    assert 8 * len(data) < 11 * 20000 + 24 * 600
