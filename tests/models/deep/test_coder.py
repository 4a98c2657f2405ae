"""Deep pictures come back, by both readers, in few bytes, and damage is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaezip.errors import FormatError
from vaezip.models.bands import bands
from vaezip.models.cost import DEFAULT as BUDGET
from vaezip.models.deep import coder
from vaezip.models.effort import DEFAULT

ROOT = Path(__file__).parents[3]
if str(ROOT / "docs") not in sys.path:
    sys.path.insert(0, str(ROOT / "docs"))

from reference_decoder.deep import decode_deep  # noqa: E402
from reference_decoder.primitives import FormatError as Refused  # noqa: E402

MODES = {1: "I;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}


def noisy(height, width, channels, *, top=4095, noise=20, seed=0, pictures=1):
    """Draw waves with noise, (pictures, height, width, channels)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    wave = (np.sin(x / 9) + np.cos(y / 7) + 2)[None, ..., None] / 4 * np.linspace(0.5, 0.9, channels)
    found = top * wave + rng.normal(0, noise, (pictures, height, width, channels))
    return np.clip(np.rint(found), 0, top).astype(np.uint16)


def coded(samples, form, checksum=1234):
    return coder._encode(samples, coder._Form(*form), checksum)


def assert_comes_back(samples, data, checksum=1234):
    found, seed = coder.decode(data, MODES[samples.shape[3]], samples.shape)
    assert seed == checksum
    assert found.dtype == np.uint16
    assert np.array_equal(found, samples)


@pytest.mark.parametrize("channels", MODES)
@pytest.mark.parametrize("form", [(False, False), (True, False), (False, True), (True, True)])
def test_both_readers_read_every_form(channels, form):
    samples = noisy(5, 9, channels, pictures=2, noise=3)
    samples[:, 2:4, 3:7] = 700
    data = coded(samples, form)
    assert_comes_back(samples, data)
    found, seed = decode_deep(data, samples.shape)
    assert seed == 1234
    assert np.array_equal(found, samples)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 2), st.integers(1, 9), st.integers(1, 35), st.integers(1, 4), st.sampled_from([0, 1, 9, 300, 65535]),
    st.integers(0, 99), st.booleans(), st.booleans(),
)  # fmt: skip
def test_noise_of_any_range_comes_back(pictures, height, width, channels, top, seed, hits, linked):
    shape = pictures, height, width, channels
    samples = np.random.default_rng(seed).integers(0, top + 1, shape, np.uint16)
    assert_comes_back(samples, coded(samples, (hits, linked)))


@pytest.mark.parametrize("value", [0, 1, 65535])
def test_one_value_takes_hardly_a_byte(value):
    samples = np.full((1, 40, 50, 1), value, np.uint16)
    data = coder.encode(samples, "I;16", 1, effort=DEFAULT)
    assert len(data) < 40
    assert_comes_back(samples, data, 1)


def test_noise_takes_what_its_entropy_says():
    """Of normal noise, log2 σ √(2 π e) bits a sample; what the waves leave, and learning, takes less than a tenth."""
    samples = noisy(96, 128, 1, noise=16)
    assert 8 * len(coder.encode(samples, "I;16", 0, effort=DEFAULT)) < 1.07 * samples.size * np.log2(16 * 4.1327)


def test_channels_tell_of_one_another():
    grey = noisy(48, 64, 1)
    three = np.concatenate([grey, grey // 2 + 100, 3000 - grey // 3], axis=3)
    assert len(coded(three, (False, False))) < 1.5 * len(coded(grey, (False, False)))


def test_a_picture_tells_of_the_next():
    first = noisy(40, 48, 1, noise=40)
    samples = np.concatenate([first, first + np.random.default_rng(1).integers(0, 3, first.shape, np.uint16)])
    data = coder.encode(samples, "I;16", 5, effort=DEFAULT)
    assert data[0] & 2
    assert len(data) < 0.75 * len(coded(samples, (False, False)))


def test_repeated_samples_are_hits():
    samples = np.random.default_rng(2).integers(0, 9999, (1, 24, 24, 1), np.uint16).repeat(3, axis=1)
    data = coder.encode(samples, "I;16", 5, effort=DEFAULT)
    assert data[0] & 1
    assert len(data) < 0.6 * len(coded(samples, (False, False)))


@pytest.mark.parametrize(("height", "tried"), [(64, [64]), (1, [8, 8, 64])])
def test_some_rows_tell_the_form_of_large_pictures_if_there_is_a_choice(height, tried, monkeypatch):
    sizes, encode = [], coder._encode
    monkeypatch.setattr(coder, "bands", lambda samples: samples[:, :8])
    monkeypatch.setattr(coder, "_FEW", 1 << 10)
    monkeypatch.setattr(
        coder, "_encode", lambda samples, *rest: sizes.append(len(samples[0])) or encode(samples, *rest)
    )
    samples = noisy(height, 64, 1).repeat(64 // height, axis=1)
    assert_comes_back(samples, coder.encode(samples, "I;16", 1234, effort=DEFAULT))
    assert sizes == tried


def test_the_form_of_large_pictures_is_that_of_the_last_trial_once(monkeypatch):
    forms, encode = [], coder._encode
    monkeypatch.setattr(coder, "_FEW", 1 << 10)
    monkeypatch.setattr(coder, "_KNOWN", {})
    monkeypatch.setattr(
        coder, "_encode", lambda samples, form, checksum: forms.append(form) or encode(samples, form, 0)
    )
    samples = np.random.default_rng(2).integers(0, 9999, (1, 90, 600, 1), np.uint16).repeat(3, axis=1)
    for _ in range(2):
        coder.encode(bands(samples), "I;16", 0, effort=DEFAULT)
        coder.encode(samples, "I;16", 0, effort=DEFAULT)
    tried = [coder._Form(False, False), coder._Form(True, False)]
    assert forms == 2 * [*tried, tried[1]]
    coder.encode(samples, "I;16", 0, effort=DEFAULT)
    assert forms[6:] == [*tried, tried[1]]


def test_damage_is_refused_or_changes_the_checksum():
    samples = noisy(12, 20, 3)
    data = coded(samples, (True, False))
    for place in range(0, len(data), 7):
        damaged = data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]
        try:
            found, checksum = coder.decode(damaged, "RGB;16", samples.shape)
        except FormatError:
            continue
        assert checksum != 1234
        assert found.shape == samples.shape


@pytest.mark.parametrize("data", [b"", b"\0\1", b"\4\1\0" + bytes(8), b"\0\1\0"])
def test_a_damaged_head_is_refused(data):
    with pytest.raises(FormatError):
        coder.decode(data, "I;16", (1, 4, 4, 1))
    with pytest.raises(Refused):
        decode_deep(data, (1, 4, 4, 1))


def test_what_it_costs_is_known_before():
    samples = noisy(30, 40, 3)
    cost = coder.cost(coded(samples, (False, True)), "RGB;16", samples.shape)
    assert BUDGET.allows(cost, 1200)
    assert cost.work >= 1200 * 3 * 1000
    with pytest.raises(FormatError):
        coder.cost(b"\7", "RGB;16", samples.shape)


def test_it_codes_bits_of_colours_and_grey_but_no_others():
    known = ("L", "RGBA", *MODES.values())
    assert [mode for mode in ("1", "P", "L/2", *known, "jpeg") if coder.fits(mode, (9, 9))] == list(known)


def test_ranks_of_8_bits_come_back_by_both_readers():
    samples = noisy(7, 20, 3, top=255, noise=3).astype(np.uint8)
    data = coded(samples, (True, False))
    found, seed = coder.decode(data, "RGB", samples.shape)
    assert seed == 1234
    assert found.dtype == np.uint8
    assert np.array_equal(found, samples)
    assert np.array_equal(decode_deep(data, samples.shape, 8)[0], samples)


def test_samples_of_more_bits_than_the_mode_has_are_refused():
    samples = noisy(7, 20, 1)
    data = coded(samples, (False, False))
    with pytest.raises(FormatError):
        coder.decode(data, "L", samples.shape)
    with pytest.raises(Refused):
        decode_deep(data, samples.shape, 8)


def test_samples_that_a_coarse_wavelet_left_are_hits():
    """Of each four samples, which are a mean and three differences that are hardly ever more than 0, one tells most."""
    rng = np.random.default_rng(3)
    mean = (9000 + 363 * rng.integers(-2, 3, (24, 60))).repeat(2, axis=0).repeat(2, axis=1)
    across, down = (363 * (rng.random((24, 60)) < 0.1) for _ in range(2))
    signs = np.tile([1, -1], 60)
    found = mean + across.repeat(2, axis=0).repeat(2, axis=1) * signs
    found = found + down.repeat(2, axis=0).repeat(2, axis=1) * signs[:48, None]
    samples = found.astype(np.uint16)[None, ..., None]
    assert 8 * len(coded(samples, (True, False))) < 2.2 * samples.size
    assert len(coded(samples, (True, False))) < 0.8 * len(coded(samples, (False, False)))


def scanned(height, width, seed=0):
    """Draw waves as a scanner of few values that is calibrated before each row sees them, as ranks of all values."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    counts = np.rint(20 * (np.sin(x / 9) + np.cos(y / 7) + 2) + rng.normal(0, 0.5, (height, width)))
    found = np.rint(counts * 3 + rng.integers(0, 3, (height, 1)))
    return np.unique(found, return_inverse=True)[1].reshape(1, height, width, 1).astype(np.uint16)


def test_a_row_that_has_values_of_its_own_takes_few_bytes():
    """A row has a third of all values; a coder that does not see which takes 2.6 bits."""
    samples = scanned(40, 600)
    assert 8 * len(coded(samples, (False, False))) < 2.3 * samples.size


def test_hits_are_tried_where_samples_equal_neighbours_more_often_than_noise_does():
    """What is flat all around tells nothing: regressions know it as well."""
    samples = noisy(64, 64, 1, noise=3)
    samples[:, :20] = 9
    assert not coder._are_often_equal(samples)
    assert coder._are_often_equal(noisy(64, 64, 1, top=40, noise=0) * 100)
