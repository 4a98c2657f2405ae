"""JPEG files are kept byte for byte: payload, head, dictionary, and the files that hold them."""

import hashlib
import io
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

import vaezip
from vaezip.codec import forms, jpeg, jpeg_dictionary
from vaezip.errors import FormatError, ImageError, VaezipError
from vaezip.models import kinds
from vaezip.models.cost import DEFAULT as BUDGET
from vaezip.models.cost import PROGRAM, Budget
from vaezip.pictures.jpeg.parts import UnfitJpeg
from vaezip.vz.wire import Reader, varint

from ..pictures.jpeg.jpegs import jpeg as file_of

GREY, COLOUR, CMYK = file_of("L"), file_of(), file_of("CMYK")
PROGRESSIVE = file_of(progressive=True)
RESTARTED = file_of("RGB", (90, 50), restart_marker_blocks=2)
ARITHMETIC = GREY.replace(b"\xff\xc0", b"\xff\xc9")
CUT = COLOUR[:-40]
FILLED = RESTARTED.replace(b"\xff\xd1", b"\xff\xff\xd1")
WITHOUT_END = COLOUR[:-2]
PHOTO_AND_FILM = COLOUR + GREY + b"ftypmp42" * 9


def kept(original, **options):
    with vaezip.Compressor(**options) as some:
        some.add("", None, original=original)
        return some.close(), some


def packed(files, **options):
    with vaezip.Compressor(**options) as some:
        for name, original in files.items():
            some.add(name, None, original=original)
        return some.close(), some


# The dictionary and the head


def test_the_dictionary_is_the_one_of_the_format():
    digest = hashlib.sha256(jpeg_dictionary.dictionary()).hexdigest()
    assert digest == "a5c43cb7d13a658239c7cb6135807ce525b358ad9fe49336c8566928708d9dfe"


def test_the_dictionary_holds_what_a_writer_of_jpeg_files_writes():
    found = jpeg_dictionary.dictionary()
    for quality in (50, 75, 92, 100):
        file = io.BytesIO()
        Image.new("RGB", (9, 9)).save(file, "JPEG", quality=quality)
        pieces = jpeg.take_apart(file.getvalue()).pieces
        for segment in pieces[0][2:].split(b"\xff")[1:]:
            if segment[0] in (0xC4, 0xDB, 0xDA):
                assert b"\xff" + segment in found


@pytest.mark.parametrize("quality", [50, 80, 95])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_is_beside_the_coefficients_takes_few_bytes(quality, mode):
    data = file_of(mode, quality=quality)
    assert Reader(jpeg.encode(data, 0)).varint() < 40


def test_a_head_that_is_damaged_is_refused():
    good = jpeg.encode(COLOUR, 1)
    length = Reader(good).varint()
    for payload in (b"", b"\x05", good[:length], varint(3) + b"abc" + good, varint(length + 1) + good[1:]):
        with pytest.raises(FormatError):
            jpeg.decode(payload, len(COLOUR), 1 << 20)


def head(data):
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=jpeg_dictionary.dictionary())
    coded = deflater.compress(data) + deflater.flush()
    return varint(len(coded)) + coded + bytes(9)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\0", b"\1\2\xff\xd9", b"\2\1\1ab", b"\2\1\1ab\5", b"\2\1\1ab\0x", b"\2\7\7ab"),
        *(varint(300) + bytes(600), varint(1 << 60), b"\2" + varint(1 << 40)),
    ],
)
def test_a_head_that_lists_what_is_not_there_is_refused(data):
    with pytest.raises(FormatError):
        jpeg.decode(head(data), 1000, 1 << 20)
    with suppress(FormatError):
        jpeg.describe(head(data), 1000)


def test_a_head_that_expands_beyond_its_file_is_refused():
    with pytest.raises(FormatError):
        jpeg.decode(head(b"\2" + varint(1 << 20) + b"\0" + bytes(1 << 20)), 1000, 1 << 20)


# Payloads


@pytest.mark.parametrize("data", [GREY, COLOUR, CMYK, PROGRESSIVE, RESTARTED, FILLED, WITHOUT_END, PHOTO_AND_FILM])
def test_a_payload_gives_back_file_and_checksum(data):
    payload = jpeg.encode(data, 0x89ABCDEF)
    assert jpeg.decode(payload, len(data), 1 << 20) == (data, 0x89ABCDEF)
    assert len(payload) < len(data)


@pytest.mark.parametrize(
    ("data", "why"), [(ARITHMETIC, "is arithmetic-coded"), (CUT, "is damaged"), (b"\xff\xd8\xff", "has no picture")]
)
def test_what_cannot_be_taken_apart_is_refused(data, why):
    with pytest.raises(UnfitJpeg, match=why):
        jpeg.encode(data, 0)


def test_a_picture_of_more_pixels_is_refused_before_it_is_decoded():
    payload = jpeg.encode(COLOUR, 0)
    with pytest.raises(ImageError, match="594 pixels are more than the limit of 593"):
        jpeg.decode(payload, len(COLOUR), 593)


# What a block costs


@pytest.mark.parametrize("data", [GREY, CMYK, PROGRESSIVE, file_of("RGB", (300, 200), subsampling=0)])
def test_no_more_memory_is_taken_than_computed(data):
    made = jpeg.encode(data, 0)
    jpeg.decode(made, len(data), 1 << 20)  # which makes what is made once
    tracemalloc.start()
    try:
        jpeg.decode(made, len(data), 1 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= jpeg.cost(made, len(data)).memory < 3 * peak


@pytest.mark.parametrize(("data", "blocks", "scans"), [(GREY, 15, 1), (RESTARTED, 2 * 72, 1), (PROGRESSIVE, 36, 10)])
def test_the_work_is_that_of_the_format(data, blocks, scans):
    file = jpeg.take_apart(data)
    assert len(file.pads) == scans
    assert len(file.coefficients) == blocks
    work = blocks * (2**19 + 2**10 * scans) + 2**8 * (len(data) + 4096)
    assert jpeg.cost(jpeg.encode(data, 0), len(data)).work == work


def test_the_budget_goes_by_the_pixels_of_the_frame():
    made, _ = kept(COLOUR)
    block = vaezip.Archive(made).file.groups[0].blocks[0]
    each = jpeg.cost(block.payload, len(COLOUR)).work // (33 * 18 + 8)
    assert vaezip.Archive(made, max_work=each + 1).original() == COLOUR
    with pytest.raises(ImageError, match="operations a pixel, more than the limit"):
        vaezip.Archive(made, max_work=each).original()
    with pytest.raises(ImageError, match="MiB of memory, more than the limit"):
        vaezip.Archive(made, memory=PROGRAM + (1 << 25)).original()


@pytest.mark.parametrize(
    ("data", "shape"),
    [(file_of("RGB", (1, 1), subsampling=2), (1, 1)), (file_of("L", (1, 1)), (1, 1)), (PHOTO_AND_FILM, (18, 33))],
)
def test_every_ordinary_file_is_within_the_budget(data, shape):
    assert BUDGET.allows(jpeg.cost(jpeg.encode(data, 0), len(data)), shape[0] * shape[1])


def test_what_costs_more_than_a_reader_spends_is_kept_as_it_is(monkeypatch):
    monkeypatch.setattr(forms, "BUDGET", Budget(1 << 20))
    made, some = kept(COLOUR)
    assert vaezip.Archive(made).info()["blocks"][0]["method"] == "verbatim"
    assert some.kept == {"": "takes more than a reader spends on it"}


def test_a_picture_far_behind_the_beginning_is_kept_as_it_is(monkeypatch):
    payload = jpeg.encode(COLOUR, 0)
    monkeypatch.setattr(jpeg, "_MOST_FIRST", 100)
    made, some = kept(COLOUR)
    assert vaezip.Archive(made).original() == COLOUR
    assert some.kept == {"": "has too much before its picture"}
    for look in (jpeg.cost, jpeg.describe, jpeg.pixels):
        with pytest.raises(FormatError):
            look(payload, len(COLOUR))


def test_damage_is_found_wherever_it_is():
    data, _ = kept(COLOUR)
    for place in range(12, len(data)):
        damaged = data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]
        with suppress(VaezipError):
            assert vaezip.Archive(damaged).original() == COLOUR
            pytest.fail(f"byte {place} may be anything")


# Files


@pytest.mark.parametrize("data", [GREY, COLOUR, PROGRESSIVE, RESTARTED])
def test_a_jpeg_comes_back_as_the_file_and_as_its_pixels(data):
    made, some = kept(data)
    archive = vaezip.Archive(made)
    assert archive.original() == data
    assert vaezip.pictures.same(archive.read(), vaezip.pictures.read(data))
    assert archive.read().original == data
    assert archive.formats() == {"": "JPEG"}
    assert some.kept == {}
    assert archive.info()["layout"] == "inline"
    assert [block["method"] for block in archive.info()["blocks"]] == ["jpeg"]
    assert list(archive.contents()) == [("", data)]


def test_a_jpeg_whose_pixels_are_refused_is_a_file_as_any():
    archive = vaezip.Archive(kept(CMYK)[0])
    assert archive.original() == CMYK
    with pytest.raises(ImageError, match="8-bit CMYK JPEG pictures are not supported"):
        archive.read()
    assert isinstance(dict(archive.pictures())[""], ImageError)
    assert archive.info()["pictures"] == [
        {
            **{"name": "", "mode": "CMYK", "file_bytes": len(CMYK), "width": 33, "height": 18},
            **{"metadata": [], "modified": None, "blocks": [0]},
            "bytes": len(archive.file.groups[0].blocks[0].payload),
        }
    ]


@pytest.mark.parametrize(("data", "why"), [(ARITHMETIC, "is arithmetic-coded"), (CUT, "is damaged")])
def test_what_cannot_be_taken_apart_is_kept_as_it_is(data, why):
    made, some = kept(data)
    archive = vaezip.Archive(made)
    assert archive.original() == data
    assert archive.info()["blocks"][0]["method"] == "verbatim"
    assert len(made) <= len(data) + 20
    assert some.kept == {"": why}


def test_a_tiny_file_is_kept_as_it_is_without_a_word():
    with vaezip.Compressor() as some:
        some.add("", None, original=b"\xff\xd8\xff\xd9")
        assert len(some.close()) <= 24


def test_a_set_holds_files_beside_pictures():
    files = {"a.jpg": COLOUR, "b/c.jpg": CMYK, "cut.jpg": CUT, "d.jpg": PROGRESSIVE, "e.jpg": PHOTO_AND_FILM}
    picture = vaezip.Picture("L", np.zeros((28, 28, 1), np.uint8))
    with vaezip.Compressor(threads=2) as some:
        some.add("first.png", picture, original=b"x" * 5000)
        for name, data in files.items():
            some.add(name, None, original=data)
        made = some.close()
    archive = vaezip.Archive(made)
    assert archive.names == ["first.png", *files]
    assert {name: archive.original(name) for name in files} == files
    assert archive.original("first.png") is None
    assert some.kept == {"cut.jpg": "is damaged"}
    assert set(archive.formats()) == set(files)
    contents = dict(archive.contents())
    assert vaezip.pictures.same(contents.pop("first.png"), picture)
    assert contents == files
    assert packed(files)[0] == packed(files, threads=2)[0]


def test_a_set_tells_when_files_were_changed():
    with vaezip.Compressor() as some:
        some.add("a.jpg", None, original=COLOUR, modified=1_700_000_000)
        some.add("b.jpg", None, original=GREY)
        archive = vaezip.Archive(some.close())
    assert [archive.modified(name) for name in archive.names] == [1_700_000_000, None]
    assert [one["modified"] for one in archive.info()["pictures"]] == ["2023-11-14T22:13:20Z", None]
    with vaezip.Compressor() as some:
        some.add("", None, original=COLOUR, modified=1_700_000_000)
        assert vaezip.Archive(some.close()).modified() is None


def test_a_file_of_whatever_form_is_kept(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(CMYK)
    for form in (CMYK, path, str(path), io.BytesIO(CMYK)):
        assert vaezip.Archive(vaezip.compress(form)).original() == CMYK
    opened = vaezip.decompress(vaezip.compress(GREY))
    assert vaezip.Archive(vaezip.compress({"b": opened})).original("b") == GREY
    assert vaezip.pictures.same(vaezip.decompress(vaezip.compress(path_of(GREY, tmp_path), pixels=True)), opened)


def path_of(data, folder):
    path = folder / "b.jpg"
    path.write_bytes(data)
    return path


def test_a_name_may_be_added_once():
    with vaezip.Compressor() as some:
        some.add("a", None, original=GREY)
        with pytest.raises(ImageError, match="two pictures are called 'a'"):
            some.add("a", None, original=COLOUR)
        with pytest.raises(ImageError, match="has no pixels to code"):
            some.add("b", None)


def test_pixels_are_coded_where_they_are_asked_for():
    picture = vaezip.pictures.read(GREY)
    with vaezip.Compressor(pixels=True) as some:
        some.add("", picture, original=GREY)
        archive = vaezip.Archive(some.close())
    assert archive.original() is None
    assert vaezip.pictures.same(archive.read(), picture)


def test_larger_files_are_refused():
    with pytest.raises(ImageError, match="594 pixels are more than the limit of 500"):
        kept(COLOUR, max_pixels=500)
    archive = vaezip.Archive(kept(COLOUR)[0], max_pixels=500)
    with pytest.raises(ImageError, match="594 pixels are more than the limit of 500"):
        archive.original()


def test_a_file_that_does_not_decode_to_itself_is_not_made(monkeypatch):
    monkeypatch.setattr(jpeg, "decode", lambda payload, length, max_pixels: (bytes(length), 0))
    with pytest.raises(VaezipError, match="please report this"):
        kept(COLOUR)


def test_a_group_of_files_is_one_row():
    made, _ = kept(GREY)
    place = made.index(b"\0\0\0\0") + 4
    assert made[5] >> 4 == kinds.MODE_NAMES.index("jpeg") == 12
    assert made[place] == 1
    with pytest.raises(FormatError):
        vaezip.Archive(made[:place] + b"\2" + made[place + 1 :]).original()
