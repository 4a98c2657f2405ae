"""Blocks in flight: no more at once than memory holds, and one that does not fit is refused."""

import threading

import numpy as np
import pytest

import vaezip
from vaezip.codec import blocks, encoding, flight
from vaezip.errors import ImageError
from vaezip.models.cost import PROGRAM
from vaezip.pictures import Picture
from vaezip.system.threads import parts

SHAPE = (1, 32, 40, 3)
"""Of each of four bands."""


@pytest.fixture
def picture():
    rng = np.random.default_rng(0)
    return Picture("RGB", rng.integers(0, 256, (128, 40, 3), np.uint8))


@pytest.fixture
def at_once(monkeypatch):
    """Return the most bands that were coded at once, in a list, and how many threads each could have had."""
    lock, now, most, threads = threading.Lock(), [0], [0], set()
    encode_run = encoding.encode_run

    def counted(job, pictures):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            threads.add(parts())
        try:
            return encode_run(job, pictures)
        finally:
            with lock:
                now[0] -= 1

    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 32 * 40)
    monkeypatch.setattr(encoding, "encode_run", counted)
    return most, threads


def memory_for(picture, count):
    """Return the memory of a process in which so many bands are coded at once."""
    return PROGRAM + 2 * picture.samples.nbytes + count * flight.memory_of("RGB", SHAPE)


@pytest.mark.parametrize("count", [1, 2])
def test_no_more_bands_are_coded_at_once_than_memory_holds(picture, at_once, count):
    most, threads = at_once
    options = {"preset": 1, "model": "photo-small"}
    plain = vaezip.compress({"a": picture}, **options)
    most[0] = 0
    threads.clear()
    assert vaezip.compress({"a": picture}, threads=3, memory=memory_for(picture, count), **options) == plain
    assert 1 <= most[0] <= count
    assert threads == {1}


def test_where_there_is_memory_all_threads_work(picture, at_once):
    vaezip.compress({"a": picture}, threads=3, memory=memory_for(picture, 3), preset=1, model="photo-small")
    assert at_once[1] == {3}


def test_what_does_not_fit_is_refused_when_it_is_added(picture, at_once):
    with vaezip.Compressor(memory=memory_for(picture, 1) - 1, preset=1) as compressor:
        with pytest.raises(ImageError, match=r"^it takes 273 MiB of memory, more than the limit of 272$") as caught:
            compressor.add("large", picture)
        assert caught.value.remedy == "more-memory"
        small = Picture("L", picture.samples[:8, :8, :1].copy())
        compressor.add("large", small)
        archive = vaezip.Archive(compressor.close())
    assert archive.names == ["large"]
    assert vaezip.pictures.same(archive.read("large"), small)


def test_a_block_of_16_bits_takes_more_to_begin():
    wide = Picture("I;16", np.zeros((8, 8, 1), np.uint16))
    with pytest.raises(ImageError, match="it takes 321 MiB of memory, more than the limit of 288"):
        vaezip.compress(wide, memory=PROGRAM + (1 << 25))


def test_blocks_are_decoded_one_after_another_where_memory_holds_one(picture, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_PIXELS", 32 * 40)
    data = vaezip.compress(picture, preset=1, model="photo-small")
    for memory in (PROGRAM + (1 << 25), None):
        assert vaezip.pictures.same(vaezip.decompress(data, threads=3, memory=memory), picture)
    with pytest.raises(ImageError, match="MiB of memory, more than the limit of 256"):
        vaezip.decompress(data, memory=PROGRAM + 1000)
