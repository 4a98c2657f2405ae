"""The values that occur come back from what tells them, and their ranks give the samples again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.origins import ranking, values
from vaezip.vz.wire import Reader, varint

WIDE = {"I;16": 1, "LA;16": 2, "RGB;16": 3, "RGBA;16": 4}
MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4} | WIDE


def smooth(channels, *, levels=256, seed=0):
    """Draw waves with noise that use most of the levels."""
    y, x = np.mgrid[:40, :48]
    noise = np.random.default_rng(seed).integers(-4, 5, (1, 40, 48, channels))
    found = 128 + 80 * np.sin(x / 7)[..., None] + 40 * np.cos(y / 9)[..., None] + noise
    return np.clip(found * levels // 256, 0, levels - 1).astype(np.int64)


def assert_comes_back(samples, mode):
    found = ranking.find(samples, mode)
    data = found.origin.to_bytes()
    reader = Reader(data + b"rest")
    again = values.read(reader, mode)
    assert reader.take(reader.left) == b"rest"
    assert again.to_bytes() == data
    ((_, shape),) = again.parts(samples.shape)
    assert shape == samples.shape
    assert np.array_equal(again.samples(found.parts, samples.shape), samples)
    return found


@given(st.integers(0, 2**32), st.sampled_from(sorted(MODES)), st.integers(1, 400), st.integers(1, 255))
def test_any_samples_come_back(seed, mode, count, most):
    draw = np.random.default_rng(seed)
    dtype = np.uint16 if mode in WIDE else np.uint8
    pool = draw.integers(0, 65536 if mode in WIDE else 256, most)
    samples = draw.choice(pool, (1, count, 2, MODES[mode])).astype(dtype)
    assert_comes_back(samples, mode)


@given(st.integers(2, 15), st.integers(0, 2**32))
def test_repeated_bits_are_a_line(bits, seed):
    """As they are where a converter fills up 16 bits with fewer."""
    ranks = np.random.default_rng(seed).integers(0, 1 << bits, (1, 20, 20, 1))
    ranks[0, 0, 0] = (1 << bits) - 1
    filled, shift = np.zeros(ranks.shape, np.int64), 16 - bits
    while shift > -16:
        filled |= ranks << shift if shift >= 0 else ranks >> -shift
        shift -= bits
    found = assert_comes_back(filled.astype(np.uint16), "I;16")
    if bits <= 8:
        assert len(found.origin.to_bytes()) < 12
        assert np.array_equal(found.parts[0], ranks)


@pytest.mark.parametrize("step", [2, 17, 199, 257])
def test_multiples_are_ranks_that_look_as_the_picture_did(step):
    samples = (smooth(3) * step).astype(np.uint16)
    found = assert_comes_back(samples, "RGB;16")
    assert found.origin.parts(samples.shape) == [("RGB", samples.shape)]
    assert np.array_equal(found.parts[0] * np.uint16(step), samples)


@pytest.mark.parametrize("times", [4, 5, 7])
def test_a_stretch_is_a_line(times):
    samples = (np.arange(64).repeat(32).reshape(1, 32, 64, 1) * times // 3 + 7).astype(np.uint8)
    found = assert_comes_back(samples, "L")
    assert len(found.origin.to_bytes()) < 16
    assert found.parts[0].max() == 63


def test_colours_share_their_values_where_these_are_alike():
    samples = (smooth(4) // 4 * 4).astype(np.uint8)
    samples[..., 3] = samples[..., 3] // 64 * 80
    found = assert_comes_back(samples, "RGBA")
    assert found.origin.sets[0] is found.origin.sets[2]
    samples[..., 1] = 3
    samples[..., 2] += 1
    assert_comes_back(samples, "RGBA")


def test_alpha_is_no_colour():
    samples = np.concatenate([smooth(3), 255 * (smooth(1) // 128)], axis=-1).astype(np.uint8)
    assert not ranking.promises(samples, "RGBA")


def test_holes_promise_and_a_photograph_does_not():
    samples = smooth(3).astype(np.uint8)
    assert not ranking.promises(samples, "RGB")
    assert ranking.promises(samples // 2 * 2, "RGB")
    assert ranking.settles(samples // 2 * 2, "RGB")
    assert not ranking.promises(samples[:, :8, :8] // 2 * 2, "RGB")
    assert not ranking.promises(samples // 64 * 80, "RGB")
    assert not ranking.promises(samples[..., :1], "P")


def test_samples_of_16_bits_promise_where_there_are_few_or_their_list_is_long():
    twelve = np.random.default_rng(0).integers(0, 4096, (1, 90, 90, 1))
    assert ranking.promises((smooth(1) * 100).astype(np.uint16), "I;16")
    assert ranking.promises((twelve * 16).astype(np.uint16), "I;16")
    assert ranking.promises((twelve * 14 + twelve[:, ::-1] % 13).astype(np.uint16), "I;16")
    assert not ranking.promises(twelve.astype(np.uint16), "I;16")


def test_it_says_how_many_values_occur():
    found = ranking.find((smooth(1) // 4 * 4).astype(np.uint8), "L").origin.describe((1, 40, 48, 1))
    assert found == {"name": "values with holes (63 of 249)", "pixels": 1920, "explained": 1920}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\2",  # alike
        b"\0\3",  # form
        b"\0\0\xff\x7f\1\1",  # count
        b"\0\0\1\0\0",  # values that do not rise
        b"\0\0\1\x80\x80\x80\x80\x80\x80\1\0",  # slope
        b"\0\0\1" + varint(1 << 24) + varint(255 << 24),  # the last value
        b"\0\1\x80\2\0",  # first
        b"\0\1\xff\1\1\x80",  # bits
        b"\0\2\0\3abc",
        b"\0\2\0\1\3",  # no end
    ],
)
def test_damage_is_refused(data):
    with pytest.raises(FormatError):
        values.read(Reader(data), "L")


def test_other_modes_and_ranks_are_refused():
    with pytest.raises(FormatError):
        values.read(Reader(b"\0\1\0\0"), "P")
    found = values.read(Reader(b"\0\1\5\0"), "L")
    assert found.sets[0].tolist() == [5]
    with pytest.raises(FormatError):
        found.samples([np.ones((1, 1, 1, 1), np.uint8)], (1, 1, 1, 1))


def test_a_lattice_of_16_bits_settles_that_ranks_are_coded():
    noise = np.random.default_rng(1).normal(9000, 700, (1, 90, 100, 1))
    assert ranking.settles((7 * np.rint(noise / 7)).astype(np.uint16), "I;16")
    assert not ranking.settles(np.rint(noise).astype(np.uint16), "I;16")


def test_ranks_of_8_bits_in_16_settle_it_too():
    samples = np.random.default_rng(1).integers(0, 256, (1, 90, 100, 1)).astype(np.uint16)
    assert ranking.settles(samples, "I;16")


def test_holes_gain_what_the_samples_beside_them_are_worth():
    """Each hole of a lattice gains a bit a sample; some holes among rare values gain nothing."""
    rng = np.random.default_rng(1)
    noise = np.rint(rng.normal(9000, 300, (1, 90, 100, 1))).astype(np.uint16)
    assert ranking.may_gain(noise // 2 * 2, "I;16")
    noise[0, :3] = rng.choice(np.arange(20000, 20900, 3), (3, 100, 1))
    assert not ranking.may_gain(noise, "I;16")
