import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vaezip.pictures.io import read, write
from vaezip.pictures.picture import BOXES, MODES, Picture, same

from ..helpers import chunk, chunks, picture, png, refusal

PIXELS = "the picture is truncated or damaged (the pixels in the chunk IDAT {})"


@st.composite
def pictures(draw):
    mode = draw(st.sampled_from(list(MODES)))
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    size = height * width * MODES[mode].channels
    top = (1 << MODES[mode].bits) - 1
    values = draw(st.lists(st.integers(0, top), min_size=size, max_size=size))
    samples = np.array(values, MODES[mode].dtype).reshape(height, width, -1)
    sizes = {"resolution": 9, "gamma": 4, "cicp": 4, "mastering-display": 24, "light-levels": 8, "srgb": 1}
    sizes |= {"chromaticities": 32, "significant-bits": 3 if mode == "P" else MODES[mode].channels}
    boxes = []
    if mode == "P":
        boxes.append(
            ("palette", draw(st.integers(1, 256).flatmap(lambda n: st.binary(min_size=3 * n, max_size=3 * n))))
        )
        boxes += [("transparency", data) for data in draw(st.lists(st.binary(min_size=1, max_size=256), max_size=1))]
    elif "A" not in mode and draw(st.booleans()):
        boxes.append(
            ("transparency", draw(st.binary(min_size=2 * len(samples[0, 0]), max_size=2 * len(samples[0, 0]))))
        )
    for name in BOXES[2:-1]:
        if name == "text":
            boxes += [("text", data) for data in draw(st.lists(texts(), max_size=3))]
        elif name == "png-chunk":
            boxes += draw(st.lists(st.builds(other_chunk, st.booleans(), st.binary(max_size=20)), max_size=3))
        elif draw(st.booleans()):
            length = sizes.get(name)
            data = draw(st.binary(min_size=length or 0, max_size=length or 40))
            boxes.append((name, data.replace(b"Exif\0\0", b"")))
    boxes.sort(key=lambda box: (BOXES.index(box[0]), box[1][:1] if box[0] == "png-chunk" else b""))
    return Picture(mode, samples, tuple(boxes))


def other_chunk(behind, data):
    return "png-chunk", bytes([behind]) + b"vpAg" + data


def texts():
    field = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
    keyword = st.text(st.characters(min_codepoint=1, max_codepoint=255), min_size=1, max_size=79)
    value = st.one_of(field, field.map(lambda text: text * 400))
    return st.tuples(keyword, field, field, value).map(lambda fields: "\0".join(fields).encode())


@settings(max_examples=150, deadline=None)
@given(pictures())
def test_any_picture_goes_through_png_unchanged(before):
    assert same(read(write(before, ".png")), before)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (8, 2), (16, 2), (8, 3), (16, 3), (8, 4), (16, 4)]),
    st.integers(1, 17),
    st.integers(1, 17),
    st.booleans(),
    st.integers(0, 99),
)
def test_every_png_type_is_read_exactly(kind, height, width, interlace, seed):
    depth, channels = kind
    stored = np.random.default_rng(seed).integers(0, 1 << depth, (height, width, channels)).astype(np.uint16)
    got = read(png(stored, depth, interlace=int(interlace)))
    scale = {2: 85, 4: 17}.get(depth, 1)
    assert np.array_equal(got.samples, stored * scale)
    names = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    wide = {1: "I;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}
    assert got.mode == ("1" if depth == 1 else wide[channels] if depth == 16 else names[channels])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
def test_small_pictures_without_filters_are_read_without_pillow_and_to_the_same_samples(mode, monkeypatch):
    shape = (9, 13, MODES[mode].channels)
    samples = np.random.default_rng(0).integers(0, 2 if mode == "1" else 256, shape).astype(np.uint8)
    before = Picture(mode, samples, (("palette", bytes(768)),) if mode == "P" else ())
    data = write(before, ".png")
    with monkeypatch.context() as without:
        without.delattr(Image, "frombytes")
        found = read(data)
    monkeypatch.setattr("vaezip.pictures.png.pixels._SMALL", 0)
    assert same(found, before)
    assert same(found, read(data))
    found.samples[0] = 0  # as those that Pillow decodes, these are nobody else's


def test_a_large_16_bit_picture_is_written_in_bands():
    before = picture("RGB;16", 500, 600)
    assert same(read(write(before, ".png")), before)


def test_16_bit_pictures_agree_with_what_pillow_reads_of_them():
    before = picture("RGBA;16", 6, 7)
    image = Image.open(io.BytesIO(write(before, ".png")))
    assert np.array_equal(np.array(image), before.samples >> 8)


def test_written_pngs_are_complete_and_compressed():
    flat = Picture("RGB", np.full((200, 200, 3), 7, np.uint8))
    data = write(flat, ".png")
    assert len(data) < 2000
    Image.open(io.BytesIO(data)).verify()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("interlace", [0, 1])
def test_palettes_of_every_depth(depth, interlace):
    stored = (np.arange(7 * 9) % (1 << depth)).astype(np.uint8).reshape(7, 9, 1)
    palette, alphas = bytes(range(3 << depth)) if depth < 8 else bytes(768), b"\0\x80\xff"[: 1 << depth]
    data = png(stored, depth, 3, interlace, chunk(b"PLTE", palette) + chunk(b"tRNS", alphas))
    got = read(data)
    assert (got.mode, got.box("palette"), got.box("transparency")) == ("P", palette, alphas)
    assert np.array_equal(got.samples, stored)
    again = write(got, ".png")
    assert again[24] == depth
    assert same(read(again), got)


def test_an_index_outside_of_the_palette_is_kept():
    before = Picture("P", np.array([[[0], [200]]], np.uint8), (("palette", b"\1\2\3\4\5\6"),))
    assert same(read(write(before, ".png")), before)


def test_the_limit_comes_before_decoding():
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 6, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"\x78") + chunk(b"IEND", b"")
    assert refusal(read, data) == "1152921504606846976 pixels are more than the limit of 268435456"
    assert refusal(read, data, 1 << 62) == PIXELS.format("are too few")


@pytest.mark.parametrize("interlace", [0, 1])
def test_pixel_data_that_end_early_are_refused(interlace):
    samples = picture("RGB", 9, 10).samples
    whole = zlib.decompress(png(samples, 8, interlace=interlace)[41:-16])
    for length in range(0, len(whole), 7):
        short = png(samples, 8, interlace=interlace, pixels=zlib.compress(whole[:length]))
        assert refusal(read, short) == PIXELS.format("are too few")
    unfinished = png(samples, 8, interlace=interlace, pixels=zlib.compress(whole)[:40])
    refusal(read, unfinished)


def test_pixels_whose_checksum_is_wrong_are_refused_and_one_that_is_missing_is_not_missed():
    samples = picture("RGB").samples
    stream = png(samples, 8)[41:-16]
    wrong = png(samples, 8, pixels=stream[:-1] + bytes([stream[-1] ^ 1]))
    assert refusal(read, wrong) == PIXELS.format("have a wrong checksum")
    assert np.array_equal(read(png(samples, 8, pixels=stream[:-4])).samples, samples)
    garbage = png(samples, 8, pixels=b"\0\0\0\1")
    assert refusal(read, garbage) == PIXELS.format("cannot be decompressed")


@pytest.mark.parametrize("extra", ["in the stream", "behind the stream", "in another chunk"])
def test_data_behind_the_pixels_are_named_as_dropped(extra):
    samples = picture("RGB").samples
    stream = png(samples, 8)[41:-16]
    if extra == "in the stream":
        stream = zlib.compress(zlib.decompress(stream) + b"more")
    after = chunk(b"IDAT", b"more") if extra == "in another chunk" else b""
    got = read(png(samples, 8, pixels=stream + b"more" * (extra == "behind the stream"), after=after))
    assert got.dropped == ("data behind the pixels",)
    assert np.array_equal(got.samples, samples)


def test_pixels_in_many_chunks_some_of_them_empty():
    samples = picture("RGB").samples
    stream = png(samples, 8)[41:-16]
    pieces = [stream[i : i + 1] for i in range(len(stream))] + [b"", b""]
    got = read(png(samples, 8, pixels=b"", after=b"".join(chunk(b"IDAT", piece) for piece in pieces)))
    assert np.array_equal(got.samples, samples)
    assert got.dropped == ()


def test_an_unknown_filter_is_refused():
    assert "damaged" in refusal(read, png(picture("L", 1, 1).samples, 8, pixels=zlib.compress(b"\x09\1")))


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("interlace", [0, 1])
def test_grey_of_2_and_4_bits_is_written_as_it_came(depth, interlace):
    stored = np.random.default_rng(0).integers(0, 1 << depth, (7, 9, 1)).astype(np.uint16)
    before = chunk(b"tRNS", b"\0\1") + chunk(b"bKGD", b"\0\2") + chunk(b"sBIT", b"\1")
    got = read(png(stored, depth, interlace=interlace, before=before))
    again = write(got, ".png")
    assert again[24:26] == bytes([depth, 0])
    assert sorted(chunks(again)) == [(b"bKGD", b"\0\2"), (b"sBIT", b"\1"), (b"tRNS", b"\0\1")]
    assert same(read(again), got)


@pytest.mark.parametrize(
    "boxes", [[("bit-depth", b"\2")], [("transparency", b"\0\x11"), ("bit-depth", b"\2")], [("bit-depth", b"\4")]]
)
def test_grey_that_does_not_fit_into_the_bits_of_its_box_is_written_in_8(boxes):
    samples = np.array([[[0], [17 if boxes[0][0] == "bit-depth" and boxes[0][1] == b"\2" else 255]]], np.uint8)
    samples[0, 0] = 1 if boxes[0][1] == b"\4" else 0
    got = read(write(Picture("L", samples, tuple(boxes)), ".png"))
    assert np.array_equal(got.samples, samples)
    assert got.box("bit-depth") is None


@pytest.mark.parametrize(("depth", "colours", "kept"), [(8, 16, 8), (4, 4, 4), (8, 17, None), (1, 2, None), (2, 2, 2)])
def test_palettes_are_written_in_the_bits_they_came_in(depth, colours, kept):
    stored = np.zeros((3, 5, 1), np.uint8)
    got = read(png(stored, depth, 3, 0, chunk(b"PLTE", bytes(3 * colours))))
    assert got.box("bit-depth") == (None if kept is None else bytes([kept]))
    again = write(got, ".png")
    assert again[24] == depth
    assert same(read(again), got)


def test_a_palette_needs_the_bits_that_its_indices_need_whatever_its_box_says():
    before = Picture("P", np.array([[[0], [200]]], np.uint8), (("palette", bytes(6)), ("bit-depth", b"\2")))
    assert np.array_equal(read(write(before, ".png")).samples, before.samples)
