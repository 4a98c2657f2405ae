"""DICOM files of every form are read exactly, and come back byte for byte, or with equal samples and elements."""

import io
import struct

import numpy as np
import pydicom
import pytest

from tests.pictures.dicom import dicoms
from tests.pictures.helpers import refusal
from vaezip.pictures import read, read_all, same, stored, write, write_all
from vaezip.pictures.dicom import header, kind
from vaezip.pictures.shell import shell_of


def ramp(dtype="uint16", channels=1, height=5, width=7, step=37):
    found = np.arange(height * width * channels, dtype=np.int64).reshape(height, width, channels) * step
    return (found % (1 << 8 * np.dtype(dtype).itemsize)).astype(dtype)


PLAIN = {
    "grey of 8 bits": (dicoms.dicom(ramp("uint8")), "L"),
    "grey of 16 bits": (dicoms.dicom(ramp()), "I;16"),
    "12 bits in 16": (dicoms.dicom(ramp() % 4096, BitsStored=12, HighBit=11), "I;16"),
    "big-endian": (dicoms.dicom(ramp(), syntax=dicoms.BIG_ENDIAN), "I;16"),
    "implicit": (dicoms.dicom(ramp(), syntax=dicoms.IMPLICIT), "I;16"),
    "black on white": (dicoms.dicom(ramp("uint8"), PhotometricInterpretation="MONOCHROME1"), "L"),
    "RGB": (dicoms.dicom(ramp("uint8", 3)), "RGB"),
    "RGB of 16 bits": (dicoms.dicom(ramp("uint16", 3)), "RGB;16"),
    "RGB in planes": (dicoms.dicom(ramp("uint8", 3), PlanarConfiguration=1), "RGB"),
    "palette": (dicoms.dicom(ramp("uint8") % 4, **dicoms.PALETTE), "P"),
    "rescaled": (dicoms.dicom(ramp(), RescaleSlope="0.5", RescaleIntercept="-1024"), "I;16"),
    "32 bits": (dicoms.dicom(ramp("uint32") + 70000), "I;16"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_samples_are_read_as_they_are_stored_and_the_file_comes_back(name):
    data, mode = PLAIN[name]
    picture = read(data)
    assert (picture.mode, picture.dropped) == (mode, ())
    shift = shell_of(picture.boxes).shift
    stored = pydicom.dcmread(io.BytesIO(data)).pixel_array.astype(np.int64)
    assert np.array_equal(picture.samples.astype(np.int64) - shift, stored.reshape(picture.samples.shape))
    assert write(picture, ".dcm") == data
    assert same(read(write(picture, ".png")), picture)


@pytest.mark.parametrize(
    ("samples", "elements", "shift"),
    [
        (ramp("int16"), {}, 0),
        (ramp("int16") - 1000, {"BitsStored": 12, "HighBit": 11}, 2048),
        (ramp("int16") - 30000, {}, 32768),
        (ramp("int8", step=7), {}, 128),
        (ramp("int32") - (1 << 30), {}, 1 << 30),
    ],
)
def test_samples_with_a_sign_are_shifted_where_one_is_negative(samples, elements, shift):
    data = dicoms.dicom(samples, **elements)
    picture = read(data)
    assert shell_of(picture.boxes).shift == shift
    assert np.array_equal(picture.samples.astype(np.int64), samples.astype(np.int64) + shift)
    assert write(picture, ".dcm") == data


def test_bits_and_overlays_above_those_of_the_samples_are_kept():
    samples = ramp() % 4096
    samples[2, 3] |= 0x9000
    data = dicoms.dicom(samples, BitsStored=12, HighBit=11)
    assert np.array_equal(read(data).samples, samples)
    assert write(read(data), ".dcm") == data


def test_samples_of_one_bit_are_black_and_white():
    bits = ramp("uint8", step=1) % 2
    dataset = pydicom.dcmread(io.BytesIO(dicoms.dicom(bits)))
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.PixelData = np.packbits(bits, bitorder="little").tobytes() + b"\0"
    data = dicoms.written(dataset)
    assert read(data).mode == "1"
    assert np.array_equal(read(data).samples, bits)
    assert write(read(data), ".dcm") == data


def test_private_elements_sequences_and_what_stands_behind_the_pixels_come_back():
    dataset = pydicom.dcmread(io.BytesIO(dicoms.dicom(ramp())))
    dataset.add_new(0x00091001, "UN", b"private")
    dataset.add_new(0x00081140, "SQ", [pydicom.Dataset()])
    dataset.DataSetTrailingPadding = bytes(100)
    data = dicoms.written(dataset)
    assert write(read(data), ".dcm") == data


def test_a_palette_of_16_bits_shows_its_upper_bits():
    colours = {f"{name}PaletteColorLookupTableDescriptor": [4, 0, 16] for name in ("Red", "Green", "Blue")}
    colours |= {f"{name}PaletteColorLookupTableData": bytes(range(8)) for name in ("Red", "Green", "Blue")}
    data = dicoms.dicom(ramp("uint8") % 4, PhotometricInterpretation="PALETTE COLOR", **colours)
    assert read(data).box("palette") == bytes([1, 1, 1, 3, 3, 3, 5, 5, 5, 7, 7, 7])
    assert write(read(data), ".dcm") == data


def test_frames_are_pages_and_make_the_same_file():
    data = dicoms.dicom(ramp(), ramp() + 9, ramp() + 700)
    assert refusal(read, data) == "holds several pictures; save them singly"
    found = read_all(data)
    assert list(found) == ["0001.png", "0002.png", "0003.png"]
    assert np.array_equal(found["0003.png"].samples, ramp() + 700)
    assert write_all(found, ".dcm") == data
    assert refusal(write, found["0002.png"], ".dcm") == "is not all of the DICOM file that it was in; choose .png"
    del found["0002.png"]
    assert "is not all of the DICOM file" in refusal(write_all, found, ".dcm")


PACKED = {
    "RLE, 16 bits": (dicoms.RLE, ramp()),
    "RLE, RGB": (dicoms.RLE, ramp("uint8", 3)),
    "RLE, signed": (dicoms.RLE, ramp("int16") - 500),
    "JPEG Lossless": (dicoms.JPEG, ramp("uint8", height=16, width=16)),
    "JPEG-LS": (dicoms.JPEG_LS, ramp()),
    "JPEG 2000": (dicoms.JPEG_2000, ramp(height=16, width=16)),
    "JPEG 2000, RGB": (dicoms.JPEG_2000, ramp("uint8", 3, height=16, width=16)),
}


@pytest.mark.parametrize("name", PACKED)
def test_what_is_compressed_without_loss_comes_back_plain_with_equal_samples_and_elements(name):
    syntax, samples = PACKED[name]
    data = dicoms.packed(syntax, samples)
    picture = read(data)
    assert np.array_equal(picture.samples.astype(np.int64) - shell_of(picture.boxes).shift, samples)
    assert picture.dropped[0].startswith("form of the samples in the file (")
    before, after = pydicom.dcmread(io.BytesIO(data)), pydicom.dcmread(io.BytesIO(write(picture, ".dcm")))
    assert after.file_meta.TransferSyntaxUID == dicoms.EXPLICIT
    assert np.array_equal(after.pixel_array, np.squeeze(samples))
    assert [element for element in after if element.keyword != "PixelData"] == [
        element for element in before if element.keyword != "PixelData"
    ]
    assert same(read(write(picture, ".dcm")), type(picture)(picture.mode, picture.samples, picture.boxes))


def test_a_sign_that_a_compressed_form_cuts_comes_back():
    samples = ramp("int16") - 900
    cut = dicoms.packed(dicoms.JPEG_LS, (samples & 4095).astype(np.uint16), BitsStored=12, PixelRepresentation=1)
    assert np.array_equal(read(cut).samples.astype(int) - 2048, samples)


def test_colours_of_the_reversible_transform_become_rgb():
    data = dicoms.packed(dicoms.JPEG_2000, ramp("uint8", 3, height=16, width=16), PhotometricInterpretation="YBR_RCT")
    picture = read(data)
    assert picture.mode == "RGB"
    after = pydicom.dcmread(io.BytesIO(write(picture, ".dcm")))
    assert (after.PhotometricInterpretation, after.PlanarConfiguration) == ("RGB", 0)


def test_several_compressed_frames_are_pages():
    data = dicoms.packed(dicoms.RLE, ramp(), ramp() + 5)
    found = read_all(data)
    assert np.array_equal(found["0002.png"].samples, ramp() + 5)
    again = read_all(write_all(found, ".dcm"))
    assert all(np.array_equal(found[name].samples, again[name].samples) for name in found)


def test_a_file_that_is_deflated_as_a_whole_comes_back_inflated():
    data = dicoms.dicom(ramp("uint8"), syntax=dicoms.DEFLATED)
    picture = read(data)
    after = pydicom.dcmread(io.BytesIO(write(picture, ".dcm")))
    assert picture.dropped == ("form of the file (deflated)",)
    assert after.file_meta.TransferSyntaxUID == dicoms.EXPLICIT
    assert np.array_equal(after.pixel_array, np.squeeze(picture.samples))


def test_a_file_that_begins_as_a_tiff_of_the_same_samples_is_dicom():
    assert read(b"II*\0" + dicoms.dicom(ramp())[4:]).mode == "I;16"


# What is refused


def element(dataset, keyword, value):
    """Another value of an element."""
    found = pydicom.dcmread(io.BytesIO(dataset))
    setattr(found, keyword, value)
    return dicoms.written(found)


GREY, COLOUR = dicoms.dicom(ramp()), dicoms.dicom(ramp("uint8", 3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (element(GREY, "BitsAllocated", 24), "24-bit grey DICOM pictures are not supported"),
        (element(COLOUR, "PhotometricInterpretation", "YBR_FULL"), "8-bit YBR_FULL DICOM pictures are not supported"),
        (element(GREY, "Rows", 65535), "its pixel data are shorter than its frames"),
        (element(GREY, "Rows", 0), "it has no width or no height"),
        (element(GREY, "NumberOfFrames", 70000), "holds 70,000 frames, and vaezip reads 1 to 65,536 of a file"),
        (element(COLOUR, "SamplesPerPixel", 1), "it has 1 channels and is RGB"),
        (GREY[:-10], "the file ends before its samples"),
        (GREY[:300], "holds no picture"),
        (dicoms.dicom(ramp("uint32") * 100000), "no whole numbers within a range of 65,536"),
        (dicoms.packed(dicoms.JPEG_LS, ramp())[:-4], "its pixel data have no end"),
        (element(dicoms.packed(dicoms.JPEG_LS, ramp()), "Rows", 6), "a frame has another size"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_by_its_reason(data, message):
    assert message in refusal(read, data)


def test_lossy_forms_are_refused_by_their_name():
    data = dicoms.packed(dicoms.JPEG_LS, ramp()).replace(b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.4.50")
    assert refusal(read, data).startswith("is a DICOM file in JPEG Baseline (Process 1), which may have lost")


def test_more_pixels_than_the_limit_are_refused_before_a_frame_is_decoded():
    data = element(dicoms.packed(dicoms.RLE, ramp()), "Rows", 65535)
    assert "more than the limit of 1000" in refusal(read, data, 1000)
    assert "more than the limit of 100" in refusal(read_all, dicoms.dicom(ramp(), ramp(), ramp()), 100)


def test_a_long_header_and_a_bomb_are_refused_early(monkeypatch):
    monkeypatch.setattr(header, "MOST_HEADER", 1 << 12)
    monkeypatch.setattr(kind, "MOST", 1 << 12)
    meta = GREY[: GREY.index(b"\x08\x00\x16\x00")]
    empty = struct.pack("<HH2sH", 0x0009, 0x0001, b"LO", 0)
    assert refusal(read, meta + empty * (1 << 12)) == "has no pixel data in its first 8 MiB"
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    assert "truncated or damaged" in refusal(read, meta + (sequence + item) * 200)
    bomb = dicoms.dicom(ramp("uint8"), syntax=dicoms.DEFLATED, DataSetTrailingPadding=bytes(1 << 20))
    assert refusal(read, bomb) == "holds more than 4,096 bytes behind its picture"


def test_without_pydicom_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(Exception, match=r"pictures like this one \(DICOM\) need the library pydicom") as caught:
        read(GREY)
    assert caught.value.remedy == "dicom"


def test_what_is_too_much_for_a_box_is_named(monkeypatch):
    monkeypatch.setattr(stored, "MOST", 1 << 12)
    data = dicoms.dicom(ramp(), DataSetTrailingPadding=bytes(8000))
    picture = read(data)
    assert picture.boxes == ()
    assert picture.dropped[0].startswith("header and 8,")
    assert "was no DICOM file, or its header is not kept" in refusal(write, picture, ".dcm")
