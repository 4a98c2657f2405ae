import random
import struct

import numpy as np
import pytest

from vaezip.pictures.io import dropped_boxes, read, write
from vaezip.pictures.tiff.tags import open_tiff
from vaezip.pictures.tiff.writing import without_metadata

from ..helpers import directory, grey_tiff, long, picture, short

NUMBERS = (0, 0x10F, 0x112, 0x11A, 0x11B, 0x128, 0x8769, 0x8825, 0xA005, 0x927C, 0x9003, 0x100, 0x111, 0xFFFF)
TYPES = (*range(14), 16, 17, 18, 99)


def hostile_exif(chance):
    """EXIF data, or those of a BigTIFF, with two directories whose entries are as an enemy may choose them."""
    order, big = chance.choice("<>"), chance.random() < 0.3
    letter, width = ("Q", 8) if big else ("I", 4)
    places = (0, 8, 16, 90, 200, 1 << 31, (1 << 8 * width) - 1)
    data = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HHHQ", 43, 8, 0, 16)
    data = data if big else data[:2] + struct.pack(order + "HI", 42, 8)
    for _ in range(2):
        count = chance.randrange(9)
        data += struct.pack(order + ("Q" if big else "H"), count)
        for _ in range(count):
            length = chance.choice((0, 1, 1, 1, 2, 30, (1 << 8 * width) - 1))
            head = struct.pack(f"{order}HH{letter}", chance.choice(NUMBERS), chance.choice(TYPES), length)
            data += head + struct.pack(order + letter, chance.choice(places))
        data += struct.pack(order + letter, chance.choice(places))
    return data[: chance.randrange(len(data))] if chance.random() < 0.1 else data


@pytest.mark.parametrize("suffix", [".tif", ".webp", ".png"])
def test_hostile_exif_data_are_written_or_dropped_by_name(suffix):
    chance = random.Random(0)
    for _ in range(300):
        before = picture("RGB", 2, 3, [("exif", hostile_exif(chance))])
        assert set(dropped_boxes(before, suffix)) <= {"exif"}
        after = read(write(before, suffix))
        assert np.array_equal(after.samples, before.samples)


def test_tags_that_only_a_bigtiff_holds_are_named():
    exif = b"II*\0\x08\0\0\0" + directory("<", [(0x10F, 16, 1, bytes(8))], 8)
    assert dropped_boxes(picture("RGB", boxes=[("exif", exif)]), ".tif") == ("exif",)
    wide = b"II*\0\x08\0\0\0" + directory("<", [(n, 16, 1, struct.pack("<Q", 1 << 40)) for n in (282, 283)], 8)
    got = read(write(picture("RGB", boxes=[("exif", wide)]), ".tif"))
    assert (got.box("exif"), got.box("resolution")) == (None, None)


def test_a_unit_that_no_box_should_have_is_dropped_by_name():
    box = ("resolution", struct.pack(">IIB", 1, 1, 7))
    assert dropped_boxes(picture("RGB", boxes=[box]), ".tif") == ("resolution",)


def test_every_decoder_sees_the_first_of_two_tags_of_one_number():
    data = grey_tiff(tags=[long("<", 254, 0), short("<", 259, 7)])
    tiff = open_tiff(without_metadata(data))
    first = tiff.directory(tiff.first)
    assert [number for number in first.tags if number == 259] == [259]
    assert (first.end - first.start) // 12 == len(first.tags)
    assert read(data).samples.tobytes() == bytes(range(8))
