"""Each page of a TIFF is copied with what its directory refers to, and nothing else."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from vaezip.errors import ImageError
from vaezip.pictures.sequences import files
from vaezip.pictures.tiff import pages
from vaezip.pictures.tiff.tags import open_tiff

LIMIT = 1 << 24
LONG = 4
SIDE = 6
SMALLER = struct.pack("<HHHIIHHII", 2, 254, LONG, 1, 1, 256, LONG, 1, 3) + bytes(4)
"""The directory of a smaller version of a picture."""


def samples(seed=0, shape=(SIDE, SIDE)):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def stack(count, *, order="<", big=False, more=(), shared=b"", pixels=SIDE * SIDE, compression=1):
    """A TIFF of grey pages: each has a strip, and its directory behind it; ``more`` are entries of every directory."""
    letter, head = ("Q", 16) if big else ("I", 8)
    data = bytearray({"<": b"II", ">": b"MM"}[order])
    data += struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, 0) if big else (42, 0))) + shared
    pointer = head - struct.calcsize(letter)
    for i in range(count):
        strip = len(data)
        data += samples(i).tobytes() if pixels == SIDE * SIDE else b""
        data += bytes(len(data) % 2)
        struct.pack_into(order + letter, data, pointer, len(data))
        place = strip if pixels == SIDE * SIDE else head
        entries = [(256, LONG, 1, SIDE), (257, LONG, 1, pixels // SIDE), (258, LONG, 1, 8), (259, LONG, 1, compression)]
        entries += [(262, LONG, 1, 1), (273, LONG, 1, place), (277, LONG, 1, 1), (279, LONG, 1, pixels), *more]
        data += struct.pack(order + ("Q" if big else "H"), len(entries))
        for number, kind, length, value in entries:
            data += struct.pack(order + "HH" + 2 * letter, number, kind, length, value)
        pointer = len(data)
        data += bytes(struct.calcsize(letter))
    return bytes(data)


def saved(images, format="TIFF", **options):
    file = io.BytesIO()
    images[0].save(file, format, save_all=True, append_images=images[1:], **options)
    return file.getvalue()


def described():
    """Tags of EXIF, of the place, and a profile."""
    exif = Image.Exif()
    exif[270] = "a long description, which is no longer in its entry"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.5)
    return {"exif": exif, "icc_profile": bytes(range(256)) * 4, "dpi": (300, 300)}


def with_thumbnails():
    """Pages, between which stand smaller ones."""
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as writer:
        for i in range(4):
            Image.fromarray(samples(i, (16, 16) if i % 2 == 0 else (4, 4))).save(writer, "TIFF", tiffinfo={254: i % 2})
            writer.newFrame()
    return file.getvalue()


def images(mode="RGB", side=24):
    return [Image.fromarray(samples(i, (side, side, 3))).convert(mode) for i in range(3)]


def by_tifffile(shape=(40, 40, 3), **options):
    tifffile = pytest.importorskip("tifffile")
    file = io.BytesIO()
    with tifffile.TiffWriter(file, **{k: options.pop(k) for k in ("bigtiff", "byteorder") if k in options}) as writer:
        for i in range(3):
            writer.write(samples(i, shape), photometric="rgb", contiguous=False, **options)
    return file.getvalue()


CASES = {
    "plain": lambda: stack(3),
    "big-endian": lambda: stack(3, order=">"),
    "big": lambda: stack(3, big=True),
    "deflate": lambda: saved(images(), compression="tiff_deflate"),
    "lzw": lambda: saved(images("P"), compression="tiff_lzw"),
    "jpeg": lambda: saved(images(), compression="jpeg"),
    "fax": lambda: saved(images("1"), compression="group4"),
    "described": lambda: saved(images("L"), **described()),
    "big and described": lambda: saved(images("L"), big_tiff=True, **described()),
    "thumbnails": with_thumbnails,
    "tiles": lambda: by_tifffile(tile=(16, 16), compression="zlib"),
    "strips": lambda: by_tifffile(rowsperstrip=7, byteorder=">"),
    "planes": lambda: by_tifffile((3, 40, 40), tile=(16, 16), bigtiff=True, planarconfig="separate"),
    "smaller versions below": lambda: stack(3, shared=SMALLER, more=[(330, LONG, 1, 8)]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_small_copy_reads_as_a_whole_one(name, monkeypatch):
    """The same samples, boxes, and names of what is dropped."""
    data = CASES[name]()
    small = list(pages.page_files(data))
    assert len(small) > 1
    assert all(open_tiff(page).size < len(data) for page in small)
    found = files.read_all(data, LIMIT)
    monkeypatch.setattr(pages, "_small_copy", lambda *_: None)
    assert [len(page) for page in pages.page_files(data)] == [len(data)] * len(small)
    whole = files.read_all(data, LIMIT)
    assert found.keys() == whole.keys()
    for picture, other in zip(found.values(), whole.values()):
        assert np.array_equal(picture.samples, other.samples)
        assert (picture.mode, picture.boxes, picture.dropped) == (other.mode, other.boxes, other.dropped)


@pytest.mark.parametrize("big", [False, True])
def test_many_pages_are_copied_once(big):
    """Where all were copied for each, 2,000 pages would take 2,000 times the file."""
    data = stack(2000, big=big)
    found = list(pages.page_files(data))
    assert len(found) == 2000
    assert sum(map(len, found)) <= 1.1 * len(data)
    again = [open_tiff(page) for page in found]
    assert [tiff.directory(tiff.first).tags[257].integer("<") for tiff in again] == [SIDE] * 2000


def test_a_stack_is_read():
    found = files.read_all(stack(50), LIMIT)
    assert [np.array_equal(p.samples[..., 0], samples(i)) for i, p in enumerate(found.values())] == [True] * 50


def test_what_pages_share_is_in_each():
    profile = bytes(range(256)) * 2
    found = files.read_all(stack(3, shared=profile, more=[(34675, 7, len(profile), 8)]), LIMIT)
    assert [picture.box("icc") for picture in found.values()] == [profile] * 3


def test_thumbnails_are_told_of_with_the_page_before():
    for data, count in ((with_thumbnails(), 2), (CASES["smaller versions below"](), 3)):
        found = files.read_all(data, LIMIT)
        assert [picture.dropped for picture in found.values()] == [("reduced pictures",)] * count


SHARED = {
    "strips": {"pixels": 9000},
    "values": {"more": [(34675, 7, 9000, 8)]},
    "whole files": {"compression": 6},
}


@pytest.mark.parametrize("name", SHARED)
def test_pages_that_share_too_much_are_refused(name, monkeypatch):
    data = stack(200, shared=bytes(9000), **SHARED[name])
    assert len(list(pages.page_files(data))) == 200
    monkeypatch.setattr(pages, "_MORE_BYTES", 0)
    taken = []
    with pytest.raises(ImageError, match="its pages overlap"):
        taken.extend(len(page) for page in pages.page_files(data))
    assert sum(taken) <= 16 * len(data)


@pytest.mark.parametrize("pointer", [0x8769, 0x8825, 0x014A])
def test_a_directory_in_every_page_is_refused_where_it_is_long(pointer, monkeypatch):
    directory = struct.pack("<H", 900) + b"".join(struct.pack("<HHII", 40000 + i, LONG, 1, 0) for i in range(900))
    data = stack(40, shared=directory + bytes(4), more=[(pointer, LONG, 1, 8)])
    assert len(list(pages.page_files(data))) == 40
    monkeypatch.setattr(pages, "_MORE_ENTRIES", 0)
    with pytest.raises(ImageError, match="its pages overlap"):
        list(pages.page_files(data))


@pytest.mark.parametrize("name", ["plain", "big", "fax", "described", "thumbnails", "tiles"])
def test_damage_shows_as_in_a_whole_copy(name, monkeypatch):
    """Bytes of directories and headers are changed, and the file is cut: both readers of it see the same, or refuse."""
    data, rng = CASES[name](), np.random.default_rng(0)
    for _ in range(25):
        damaged = bytearray(data[: rng.choice([len(data), rng.integers(9, len(data))])])
        for place in rng.integers(0, len(damaged), 2):
            damaged[place] = rng.choice([0, 1, 2, 255, damaged[place] ^ 1])
        with monkeypatch.context() as patched:
            small = outcome(bytes(damaged))
            patched.setattr(pages, "_small_copy", lambda *_: None)
            assert small == outcome(bytes(damaged))


def outcome(data):
    """What pages are read, or that they are refused."""
    try:
        found = files.read_all(data, LIMIT)
    except ImageError:
        return "refused"
    return [(picture.mode, picture.samples.tobytes(), picture.boxes) for picture in found.values()]
