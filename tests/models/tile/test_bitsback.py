import contextlib

import numpy as np
import pytest

from vaezip.errors import FormatError
from vaezip.models.tile import bitsback
from vaezip.models.tile.bitsback import Tiles
from vaezip.models.tile.search import choose
from vaezip.models.tiling import Tiling


def everything(x):
    return np.ones(x.shape[:3], np.bool_)


def whole(model, x):
    """The tiling of pictures that are a tile each."""
    return Tiling(x.shape, model.architecture.tile)


def encode(model, x, steps, seed, mask=None):
    return bitsback.encode(model, Tiles(x, everything(x) if mask is None else mask), choose, steps=steps, seed=seed)


def elbo_bits(model, x, steps, mask=None, **options):
    return bitsback.elbo_bits(model, Tiles(x, everything(x) if mask is None else mask), steps=steps, **options)


def assert_round_trip(model, x, steps, seed=12345):
    data = encode(model, x, steps, seed)
    back, found = bitsback.decode(model, data, whole(model, x), steps=steps)
    assert np.array_equal(back, x)
    assert back.dtype == np.uint8
    assert found == seed
    return data


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("tiles", [1, 2, 3, 4, 5, 8, 17, 40])
def test_round_trip(small, tiles, steps):
    assert_round_trip(small.model, small.images[:tiles], steps)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_round_trip_by_shipped_models(shipped, dream, steps):
    assert_round_trip(shipped, dream(shipped, 4), steps)


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (9, 8), (8, 17), (23, 30)])
@pytest.mark.parametrize("count", [1, 3])
def test_partial_tiles(small_models, discs, count, size, steps):
    model = small_models["colour"].model
    pictures = discs(count, 30, 30, 3)[:, : size[0], : size[1]]
    tiling = Tiling(pictures.shape, model.architecture.tile)
    data = encode(model, tiling.split(pictures), steps, 7, tiling.mask)
    tiles, seed = bitsback.decode(model, data, tiling, steps=steps)
    assert np.array_equal(tiling.join(tiles), pictures)
    assert seed == 7


@pytest.mark.parametrize("name", ["bernoulli", "logistic"])
@pytest.mark.parametrize("tiles", [2, 3, 33])
@pytest.mark.parametrize("steps", [0, 1])
def test_blank_pictures_lend_too_few_bits(small_models, name, tiles, steps):
    """Each says so little that bits-back has nothing to pop: more tiles are coded with a chosen z."""
    model = small_models[name].model
    assert_round_trip(model, np.zeros((tiles, 28, 28, 1), np.uint8), steps)


def test_blank_pictures_ask_for_more_coarse_tiles(shipped):
    if shipped.architecture.likelihood != "bernoulli":
        pytest.skip("a blank picture says enough in this model")
    data = assert_round_trip(shipped, np.zeros((40, 28, 28, 1), np.uint8), 0)
    assert 1 <= data[0] <= 6


def test_pictures_of_noise(small):
    a = small.architecture
    rng = np.random.default_rng(3)
    assert_round_trip(small.model, rng.integers(0, a.levels, (5, *a.tile, a.channels)).astype(np.uint8), 2)


@pytest.mark.parametrize("seed", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_the_seed_comes_back(small, seed):
    assert_round_trip(small.model, small.images[:3], 0, seed)


def test_steps_must_be_those_of_the_encoder(small):
    x = small.images[:12]
    data = encode(small.model, x, 3, 99)
    assert_found(small.model, data, x, 99, steps=2)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: b"",
        lambda d: d[:1],
        lambda d: d[:5],
        lambda d: d[:-1],
        lambda d: d[: len(d) // 2],
        lambda d: d + b"\0",
        lambda d: d + b"\1",
        lambda d: d + b"\1\2\3\4",
        lambda d: b"\x20" + d[1:],
        lambda d: b"\xff" + d[1:],
        lambda d: bytes([d[0] + 1]) + d[1:],
        lambda d: d[:1] + bytes(len(d) - 1),
        lambda d: d[:1] + b"\xff" * (len(d) - 1),
    ],
)
@pytest.mark.parametrize("tiles", [1, 9])
def test_damage_is_found(small, change, tiles):
    x = small.images[:tiles]
    data = encode(small.model, x, 1, 0xABCDEF01)
    assert_found(small.model, change(data), x, 0xABCDEF01)


def assert_found(model, data, x, seed, steps=1):
    """Decoding fails, or gives what the caller's checksum tells from the truth."""
    try:
        back, found = bitsback.decode(model, data, whole(model, x), steps=steps)
    except FormatError:
        return
    assert found != seed or not np.array_equal(back, x)


def test_every_flipped_bit_is_found(small_models):
    small = small_models["bernoulli"]
    x = small.images[:2]
    data = encode(small.model, x, 1, 0xABCDEF01)
    for place in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        assert_found(small.model, bytes(damaged), x, 0xABCDEF01)


def test_random_bytes_are_refused_or_decode_to_something(small):
    rng = np.random.default_rng(0)
    x = small.images[:3]
    for length in range(0, 300, 7):
        with contextlib.suppress(FormatError):
            bitsback.decode(small.model, rng.bytes(length), whole(small.model, x), steps=1)


def test_a_chain_costs_its_elbo(small, dream, monkeypatch):
    """On the average over orders of the images and noise, for z is drawn; and nearly, for the bits that it is drawn
    from are random only as far as q(z|x) is p(z|x)."""
    model, generator = small.model, np.random.default_rng
    x = dream(model, 200)
    data, elbo = [], []
    for i in range(9):
        some = np.roll(x, 20 * i, axis=0)
        data.append(8 * len(encode(model, some, 0, 5 + i)))
        monkeypatch.setattr(np.random, "default_rng", lambda seed, i=i: generator([seed, i]))
        elbo.append(elbo_bits(model, some, 0))
    first = elbo_bits(model, x[:1], 0)
    assert abs(np.mean(data) - np.mean(elbo)) < 0.02 * np.mean(elbo) + first


def test_a_chain_by_shipped_models_costs_its_elbo(shipped, dream):
    x = dream(shipped, max(12, 300_000 // shipped.architecture.dims))
    data = encode(shipped, x, 0, 5)
    elbo = elbo_bits(shipped, x, 0)
    assert 8 * len(data) < 1.02 * elbo + 8 * 12
    assert 8 * len(data) > 0.98 * elbo


def test_draws_of_z_share_a_posterior(small, monkeypatch):
    x, asked, original = small.images[:8], [], bitsback._posterior
    once = elbo_bits(small.model, x, 2)
    monkeypatch.setattr(bitsback, "_posterior", lambda *arguments: asked.append(0) or original(*arguments))
    mean = elbo_bits(small.model, x, 2, draws=16)
    assert len(asked) == 1
    assert mean != once
    assert mean == pytest.approx(once, rel=0.1)


def test_elbo_of_masked_tiles_is_that_of_their_pixels(small):
    x, model = small.images[:8], small.model
    mask = everything(x)
    all_of_them = elbo_bits(model, x, 0, mask)
    mask[:, ::2] = False
    half = elbo_bits(model, x, 0, mask)
    assert 0.2 * all_of_them < half < 0.8 * all_of_them


def test_what_is_coded_does_not_depend_on_chunks(small):
    x = small.images[:30]
    data = encode(small.model, x, 2, 1)
    model = small.model
    model.at_once = lambda steps=False: 3
    assert encode(model, x, 2, 1) == data


@pytest.mark.parametrize(("tiles", "coarse"), [(1, 1), (2, 1), (12, 1), (12, 4), (5000, 1), (5, 5)])
def test_batches_cover_the_tiles_once(tiles, coarse):
    found = list(bitsback.batches(tiles, coarse))
    covered = [i for batch in found for i in range(batch.start, batch.stop)]
    assert covered == list(range(coarse, tiles))
    sizes = [batch.stop - batch.start for batch in found]
    assert all(size <= bitsback.BATCH_CAP for size in sizes)
    assert sizes[:-1] == [min(1 << i, bitsback.BATCH_CAP) for i in range(len(sizes) - 1)]


def test_the_schedule_is_part_of_the_format():
    sizes = [b.stop - b.start for b in bitsback.batches(3000, 2)]
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512, 512, 439]
