import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from vaezip.errors import ImageError
from vaezip.pictures.io import read

from ..helpers import picture, pillow_rgb, refusal, saved, tiff

NO_SIGN = "convert to unsigned samples of 8 or 16 bits first"


def rows(samples, *, kind=(1, 1), order="<", **tags):
    """An uncompressed TIFF of samples (height, width, channels); ``kind`` is photometric and planar configuration."""
    height, width, channels = samples.shape
    photometric, planar = kind
    planes = [samples[..., [i]] for i in range(channels)] if planar == 2 else [samples]
    parts = [plane.astype(plane.dtype.newbyteorder(order)).tobytes() for plane in planes]
    bits = 8 * samples.itemsize
    values = {256: [width], 257: [height], 258: [bits] * channels, 259: [1], 262: [photometric], 277: [channels]}
    values |= {278: [height], 284: [planar], 339: [{"u": 1, "i": 2, "f": 3, "c": 6}[samples.dtype.kind]] * channels}
    places, at = [], 8
    for part in parts:
        places.append(at)
        at += len(part)
    values |= {273: places, 279: [len(part) for part in parts]}
    values |= {int(name[1:]): value for name, value in tags.items()}
    entries, behind, at = b"", b"", at + 2 + 12 * len(values) + 4
    for tag in sorted(values):
        data = struct.pack(f"{order}{len(values[tag])}I", *values[tag])
        if len(data) > 4:
            behind, data = behind + data, struct.pack(order + "I", at + len(behind))
        entries += struct.pack(order + "HHI", tag, 4, len(values[tag])) + data
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8 + sum(map(len, parts)))
    return head + b"".join(parts) + struct.pack(order + "H", len(values)) + entries + bytes(4) + behind


def noise(dtype, channels, height=5, width=7):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True)


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_of_16_bits_in_tiff(order):
    got = read(tiff(order, 16, 1, 1, struct.pack(order + "2H", 0x1234, 0xFFFE)))
    assert (got.mode, got.samples.tolist(), got.samples.dtype) == ("I;16", [[[0x1234], [0xFFFE]]], np.uint16)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB;16"), (4, "RGBA;16")])
def test_colours_of_16_bits_are_read_as_they_are(order, planar, channels, mode):
    pytest.importorskip("tifffile")
    samples = noise(np.uint16, channels)
    more = {"_338": [2]} if channels == 4 else {}
    got = read(rows(samples, kind=(2, planar), order=order, **more))
    assert got.mode == mode
    assert np.array_equal(got.samples, samples)


def test_grey_and_alpha_of_16_bits_are_read_as_they_are():
    pytest.importorskip("tifffile")
    samples = noise(np.uint16, 2)
    got = read(rows(samples, _338=[2]))
    assert (got.mode, np.array_equal(got.samples, samples)) == ("LA;16", True)


@pytest.mark.parametrize("order", ["<", ">"])
def test_white_is_zero_becomes_black_is_zero(order):
    assert read(tiff(order, 8, 1, 0, b"\0\xf0")).samples.tolist() == [[[255], [15]]]
    pytest.importorskip("tifffile")
    got = read(tiff(order, 16, 1, 0, struct.pack(order + "2H", 0, 0xFFF0)))
    assert (got.mode, got.samples.tolist()) == ("I;16", [[[65535], [15]]])


@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_where_white_is_zero_alpha_is_as_it_is(dtype, planar):
    pytest.importorskip("tifffile")
    samples, greatest = noise(dtype, 2), np.iinfo(dtype).max
    got = read(rows(samples, kind=(0, planar), _338=[2]))
    assert np.array_equal(got.samples, np.stack([greatest - samples[..., 0], samples[..., 1]], axis=-1))


@pytest.mark.parametrize("bits", [9, 10, 11, 12, 13, 14, 15])
def test_samples_of_9_to_15_bits_keep_their_values_and_the_depth_is_told(bits):
    if bits != 12:
        pytest.importorskip("tifffile")
    values = [0, 1, (1 << bits) - 1, 300, 511, 2, 77, 256]
    packed = int("".join(f"{value:0{bits}b}" for value in values), 2).to_bytes(bits, "big")
    got = read(tiff("<", bits, 1, 1, packed))
    assert (got.mode, got.samples.reshape(-1).tolist()) == ("I;16", values)
    assert f"depth of {bits} bits" in got.dropped


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        (np.int8, "signed 8-bit grey"),
        (np.int16, "signed 16-bit grey"),
        (np.int32, "signed 32-bit grey"),
        (np.uint32, "32-bit grey"),
        (np.float32, "floating-point 32-bit grey"),
        (np.float64, "floating-point 64-bit grey"),
        (np.complex64, "complex 64-bit grey"),
    ],
)
def test_samples_with_a_sign_or_a_point_are_refused_by_their_kind(dtype, kind):
    data = rows(np.ones((2, 3, 1), dtype))
    assert refusal(read, data) == f"{kind} TIFF pictures are not supported; {NO_SIGN}"


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB"])
def test_colours_without_an_exact_counterpart_are_refused(mode):
    name = {"LAB": "Lab"}.get(mode, mode)
    message = f"8-bit {name} TIFF pictures are not supported; convert to RGB first"
    assert refusal(read, saved(pillow_rgb().convert(mode), "TIFF")) == message


def test_channels_that_have_no_mode_are_refused():
    assert read(tiff(">", 8, 3, 2, b"abc")).samples.tolist() == [[[97, 98, 99]]]
    premultiplied, extra = tiff(">", 8, 4, 2, b"abcd", (338, 1)), tiff(">", 8, 4, 2, b"abcd", (338, 0))
    message = "8-bit {} TIFF pictures are not supported; convert to {} first"
    alpha = message.format("RGB and premultiplied alpha", "alpha that is not premultiplied")
    assert refusal(read, premultiplied) == alpha
    assert refusal(read, extra) == message.format("multi-channel", "RGB")
    assert "multi-channel" in refusal(read, rows(noise(np.uint8, 3), _338=[0, 0]))


def test_depths_that_differ_are_refused():
    data = rows(noise(np.uint8, 3), kind=(2, 1), _258=[5, 6, 5])
    assert (
        refusal(read, data) == "TIFF with channels of different depths pictures are not supported; convert to PNG first"
    )


def test_a_palette_of_16_bits_becomes_colours_of_16_bits():
    image = Image.frombytes("P", (2, 1), b"\0\1")
    image.putpalette(b"\1\2\3\4\5\6")
    data = saved(image, "TIFF")
    colours = struct.pack("<2H", 1 << 8, 4 << 8)
    assert data.count(colours) == 1
    same = read(data.replace(colours, struct.pack("<2H", 0x0101, 4 << 8)))
    assert (same.mode, same.box("palette")[0]) == ("P", 1)
    deep = read(data.replace(colours, struct.pack("<2H", 0x0102, 4 << 8)))
    assert deep.mode == "RGB;16"
    assert deep.samples.tolist() == [[[0x0102, 0x0200, 0x0300], [0x0400, 0x0500, 0x0600]]]


def test_without_tifffile_the_refusal_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(Exception, match="16-bit RGB TIFF") as caught:
        read(rows(noise(np.uint16, 3), kind=(2, 1)))
    assert str(caught.value) == "pictures like this one (16-bit RGB TIFF) need the library tifffile"
    assert caught.value.remedy == "formats"
    assert read(rows(noise(np.uint8, 3), kind=(2, 1))).mode == "RGB"


@pytest.mark.parametrize("compression", ["lerc", "jpeg2000", "webp", "lzma", "zstd", "deflate", "lzw"])
def test_compressions_that_keep_every_sample(compression):
    tifffile = pytest.importorskip("tifffile")
    samples = np.ascontiguousarray(picture("RGB", 32, 32).samples)
    file = io.BytesIO()
    options = {"webp": {"level": -1}, "jpeg2000": {"level": 0}}.get(compression, {})
    tifffile.imwrite(file, samples, photometric="rgb", compression=compression, compressionargs=options)
    try:
        got = read(file.getvalue())
    except ImageError as error:
        if str(error) == "is compressed in a way that this Pillow does not read":
            pytest.skip("the libtiff of an older Pillow lacks some")
        raise
    assert (got.mode, np.array_equal(got.samples, samples)) == ("RGB", True)


@pytest.mark.parametrize("bigtiff", [False, True])
def test_metadata_of_a_tiff_that_pillow_cannot_open_is_found(bigtiff):
    tifffile = pytest.importorskip("tifffile")
    samples, file = noise(np.uint16, 3), io.BytesIO()
    options = {"planarconfig": "separate", "predictor": True, "compression": "deflate"}
    with tifffile.TiffWriter(file, bigtiff=bigtiff) as writer:
        writer.write(
            np.moveaxis(samples, -1, 0),
            photometric="rgb",
            resolution=(300, 300),
            resolutionunit=2,
            description="a view",
            metadata=None,
            **options,
        )
    got = read(file.getvalue())
    assert np.array_equal(got.samples, samples)
    assert got.box("resolution") == struct.pack(">IIB", 11811, 11811, 1)
    assert b"a view" in got.box("exif")


def test_an_unknown_compression_is_named():
    message = refusal(read, rows(noise(np.uint8, 1), _259=[65000]))
    assert message.startswith("8-bit grey TIFF in compression 65000 pictures are not supported; convert to TIFF in")


def test_a_directory_that_cannot_be_is_damage():
    whole = rows(noise(np.uint8, 1))
    for data in (whole[:9], whole[:-20], b"II*\0\xff\xff\xff\0", rows(noise(np.uint8, 1), _256=[0])):
        assert "truncated or damaged" in refusal(read, data)
    assert refusal(read, b"II*\0\0\0\0\0") == "holds no picture"


def test_a_wrong_checksum_of_deflated_samples_is_damage():
    data = bytearray(saved(pillow_rgb(16, 16), "TIFF", compression="tiff_adobe_deflate"))
    tags = Image.open(io.BytesIO(data)).tag_v2
    data[tags[273][0] + tags[279][0] - 1] ^= 1
    assert "incorrect data check" in refusal(read, bytes(data))


def test_what_libtiff_complains_about_is_refused_and_not_printed(capfd):
    data = bytearray(saved(pillow_rgb(16, 16), "TIFF", compression="tiff_lzw"))
    place = Image.open(io.BytesIO(data)).tag_v2[273][0]
    data[place + 40 : place + 60] = b"\xff" * 20
    assert "truncated or damaged" in refusal(read, bytes(data))
    assert capfd.readouterr().err == ""


def test_what_readers_understand_in_different_ways_is_refused():
    predicted = rows(noise(np.uint8, 1), _317=[2])
    assert "TIFF with a predictor in a compression that has none" in refusal(read, predicted)
    assert "begins with a thumbnail" in refusal(read, rows(noise(np.uint8, 1), _254=[1]))


def test_planes_of_grey_and_alpha_are_read_as_they_are():
    pytest.importorskip("tifffile")
    samples = noise(np.uint8, 2)
    got = read(rows(samples, kind=(1, 2), _338=[2]))
    assert (got.mode, np.array_equal(got.samples, samples)) == ("LA", True)


def test_deflated_samples_whose_lowest_bit_comes_first_are_read():
    samples = noise(np.uint8, 1)
    packed = zlib.compress(samples.tobytes())
    data = rows(samples, _259=[8], _266=[2], _273=[8], _279=[len(packed)])
    reversed_bits = bytes(int(f"{value:08b}"[::-1], 2) for value in packed)
    assert len(packed) > samples.size
    moved = data + reversed_bits
    moved = moved.replace(struct.pack("<HHII", 273, 4, 1, 8), struct.pack("<HHII", 273, 4, 1, len(data)))
    moved = moved.replace(struct.pack("<HHII", 279, 4, 1, samples.size), struct.pack("<HHII", 279, 4, 1, len(packed)))
    assert np.array_equal(read(moved).samples, samples)


def test_a_jpeg_in_a_tiff_is_checked_as_one_alone():
    data = saved(pillow_rgb(40, 40), "TIFF", compression="jpeg")
    tags = Image.open(io.BytesIO(data)).tag_v2
    assert read(data).mode == "RGB"
    place, length = tags[273][0], tags[279][0]
    end = place + length
    assert "a scan" in refusal(read, data[: end - 60] + b"\x11" * 58 + data[end - 2 :])


def test_tables_of_a_jpeg_in_a_tiff_that_are_no_bytes_are_damage():
    samples = picture("RGB").samples
    data = rows(samples, kind=(2, 1), _259=[7], _347=[255, 216, 256, 217])
    assert "the tables of its JPEGs are not bytes" in refusal(read, data)


def test_tiles_that_are_larger_than_the_picture_are_damage():
    data = rows(noise(np.uint8, 1), _322=[1 << 15], _323=[1 << 15], _324=[8], _325=[35])
    assert "its tiles are larger than the picture" in refusal(read, data)


def deflated(places, counts, height, behind):
    """A TIFF of 7 pixels a row and one row a strip, with the bytes of the strips behind it."""
    start = 8
    for _ in range(2):  # the second time with the right places
        strips = {"_273": [start + place for place in places], "_279": counts}
        data = rows(np.zeros((1, 7, 1), np.uint8), _257=[height], _259=[8], _278=[1], **strips)
        start = len(data)
    return data + behind


def test_equal_strips_may_share_their_bytes():
    packed = zlib.compress(bytes(range(7)))
    got = read(deflated([0] * 5, [len(packed)] * 5, 5, packed))
    assert got.samples[..., 0].tolist() == [list(range(7))] * 5


def test_strips_that_share_too_many_bytes_are_damage():
    packed = zlib.compress(bytes(7))
    data = deflated([0] * 99, [len(packed) + 4000] * 99, 99, packed + bytes(4000))
    assert "its strips or tiles overlap" in refusal(read, data)


def test_no_more_strips_are_looked_at_than_the_picture_has():
    packed = zlib.compress(bytes(7))
    assert read(deflated([0, 0, 3], [len(packed)] * 3, 2, packed)).samples.shape == (2, 7, 1)


def test_strips_that_are_missing_are_damage():
    samples = noise(np.uint8, 1, 4, 7)
    assert np.array_equal(read(rows(samples, _278=[2], _273=[8, 22], _279=[14, 14])).samples, samples)
    assert "some of its strips or tiles are missing" in refusal(read, rows(samples, _278=[2], _273=[8], _279=[14]))
