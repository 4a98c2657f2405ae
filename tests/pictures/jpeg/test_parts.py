"""JPEG files are taken apart, and made again byte for byte; what cannot be is refused."""

import contextlib
import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vaezip.errors import ImageError
from vaezip.pictures.jpeg import parts, scans
from vaezip.pictures.jpeg.parts import UnfitJpeg, build, parse, skeleton

from . import jpegs
from .jpegs import ALL_TABLES, EOI, MOST, huffman, jpeg, scan, segment, written

SIZES = [(1, 1), (7, 9), (17, 3), (33, 18)]
GREY, COLOUR, FINE = jpeg("L"), jpeg(), jpeg(subsampling=0, quality=97)


def made_again(data):
    file = parse(data, MOST)
    return build(file, len(data))


def is_made_again(data):
    """Tell whether a file, whatever it is, is made again; it may be refused, and nothing else may happen."""
    try:
        file = parse(data, MOST)
        return build(file, len(data)) == data
    except (UnfitJpeg, ImageError):
        return False


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def head(source, marker=0xC0, wide=False):
    file = parse(source, MOST)
    return b"\xff\xd8" + jpegs.steps(file, wide) + jpegs.frame(file, marker)


def reason(data):
    with pytest.raises(UnfitJpeg) as caught:
        parse(data, MOST)
    return str(caught.value)


# What Pillow writes


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("progressive", [False, True])
def test_files_of_every_mode_and_size(mode, size, progressive):
    for subsampling, optimize in itertools.product((0, 1, 2), (False, True)):
        data = jpeg(mode, size, progressive=progressive, optimize=optimize, subsampling=subsampling)
        assert made_again(data) == data


@pytest.mark.parametrize("quality", [1, 5, 25, 50, 75, 90, 95, 99, 100])
@pytest.mark.parametrize("progressive", [False, True])
def test_files_of_every_quality(quality, progressive):
    data = jpeg(quality=quality, progressive=progressive)
    assert made_again(data) == data


@pytest.mark.parametrize("interval", [{"restart_marker_blocks": n} for n in (1, 2, 5)] + [{"restart_marker_rows": 1}])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_files_with_restart_markers(interval, mode, progressive):
    data = jpeg(mode, (90, 50), progressive=progressive, subsampling=2, **interval)
    assert made_again(data) == data


def test_segments_of_all_kinds_are_kept():
    data = jpeg(comment=b"a comment", exif=b"Exif\0\0MM", icc_profile=bytes(70_000), dpi=(72, 72))
    file = parse(data, MOST)
    assert build(file, len(data)) == data
    assert b"a comment" in file.pieces[0]


def test_the_coefficients_are_those_of_the_picture():
    """A flat picture has DC alone: 8 times the samples less 128, by the step."""
    file = io.BytesIO()
    Image.new("L", (20, 9), 200).save(file, "JPEG", quality=50)
    found = parse(file.getvalue(), MOST)
    assert found.size == (9, 20)
    assert [(c.size, c.shown) for c in found.components] == [((2, 3), (2, 3))]
    assert found.quantisation[0, :3].tolist() == [16, 11, 10]
    assert np.array_equal(found.planes()[0][..., 0], np.full((2, 3), (200 - 128) * 8 / 16))
    assert not found.coefficients[:, 1:].any()


def test_another_writer_makes_the_same_file():
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 2}, {"progressive": True, "quality": 100}):
        for mode in ("L", "RGB", "CMYK"):
            data = jpeg(mode, subsampling=2, **options)
            assert jpegs.built_by_reference(parse(data, MOST)) == data


# What is put together by hand


@pytest.mark.parametrize("pads", [b"\0", b"\0\0\1\0", bytes([1] * 5 + [0]), b""], ids=["first", "some", "last", "none"])
def test_padding_of_any_bits(pads):
    source = jpeg("L", (64, 64))
    dri = segment(0xDD, b"\0\5")
    data = written(source, [head(source) + ALL_TABLES + dri + scan([1]), EOI], [pads])
    assert made_again(data) == data
    assert np.array_equal(pixels(data), pixels(source))


def test_padding_of_mixed_bits():
    data = bytearray(written(GREY, [head(GREY) + ALL_TABLES + scan([1]), EOI]))
    last = data[-3]
    for byte in range(256):
        data[-3] = byte
        if byte != 0xFF:
            assert is_made_again(bytes(data)) or byte not in (last, last ^ 1)


def test_what_stands_between_segments_and_behind_the_picture_is_kept():
    first, tables = head(COLOUR), ALL_TABLES + scan([1, 2, 3])
    for filled in (b"\xff\xff\xff" + tables, b"\0\1\2" + tables, segment(0xEF, bytes(5)) + b"\xff" + tables):
        data = written(COLOUR, [first + filled, b"\xff\xff" + EOI + b"behind" + GREY])
        assert made_again(data) == data


@pytest.mark.parametrize("end", [b"\0\0\0" + EOI, b"\xff\0" + EOI, b"\xff\xd0" + EOI, EOI + EOI, b"\xff\xff" + EOI])
def test_what_stands_behind_the_data_of_a_scan_is_kept(end):
    data = written(COLOUR, [head(COLOUR) + ALL_TABLES + scan([1, 2, 3]), end])
    assert made_again(data) == data


@pytest.mark.parametrize("end", [b"", b"\xff", b"\xff\xff", b"behind", b"\xff\xfe\0\7cut"])
@pytest.mark.parametrize("source", [COLOUR, jpeg(progressive=True)], ids=["sequential", "progressive"])
def test_a_file_without_an_end_is_made_again(source, end):
    data = source.removesuffix(EOI) + end
    assert made_again(data) == data


@pytest.mark.parametrize("progressive", [False, True])
def test_bytes_that_fill_up_before_restart_markers_are_kept(progressive):
    source = jpeg("RGB", (90, 50), restart_marker_blocks=2, progressive=progressive)
    data = source.replace(b"\xff\xd1", b"\xff\xff\xd1", 1).replace(b"\xff\xd3", b"\xff" * 300 + b"\xd3", 2)
    assert made_again(data) == data
    file = parse(data, MOST)
    assert sorted(fills.sum() for fills in file.fills)[-1] >= 300
    assert np.array_equal(file.coefficients, parse(source, MOST).coefficients)
    assert jpegs.built_by_reference(file) == data


def test_a_file_without_huffman_tables_has_the_standard_ones():
    """As the frames of a film by Motion JPEG."""
    data = jpeg(quality=80)
    for start in sorted((place for place in range(len(data)) if data.startswith(b"\xff\xc4", place)), reverse=True):
        data = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
    assert b"\xff\xc4" not in data
    assert made_again(data) == data
    assert np.array_equal(parse(data, MOST).coefficients, parse(jpeg(quality=80), MOST).coefficients)
    assert jpegs.built_by_reference(parse(data, MOST)) == data


def test_quantisation_tables_of_16_bits():
    data = written(COLOUR, [head(COLOUR, 0xC1, wide=True) + ALL_TABLES + scan([1, 2, 3]), EOI])
    assert made_again(data) == data
    assert np.array_equal(parse(data, MOST).quantisation, parse(COLOUR, MOST).quantisation)


def test_tables_in_segments_of_their_own_and_redefined_between_scans():
    pieces = [
        head(COLOUR) + huffman((0, 0)) + huffman((1, 0)) + scan([1]),
        huffman((1, 3), (0, 2)) + segment(0xDD, b"\0\2") + scan([2], tables=0x23),
        segment(0xFE, b"between") + ALL_TABLES + scan([3]),
        EOI,
    ]
    data = written(COLOUR, pieces)
    assert made_again(data) == data
    assert np.array_equal(pixels(data), pixels(COLOUR))


@pytest.mark.parametrize("scans", [[[1], [2], [3]], [[3], [1, 2]], [[2, 3], [1]]])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("restart", [0, 1, 3])
def test_scans_of_some_components(scans, subsampling, restart):
    source = jpeg("RGB", (41, 27), subsampling=subsampling)
    first = head(source) + ALL_TABLES + segment(0xDD, bytes([0, restart]))
    data = written(source, [first + scan(scans[0]), *map(scan, scans[1:]), EOI])
    assert made_again(data) == data
    assert np.array_equal(pixels(data), pixels(source))


def test_four_components():
    source = jpeg("CMYK")
    data = written(source, [head(source) + ALL_TABLES + scan(b"CMYK"), EOI])
    assert made_again(data) == data


APPROXIMATED = [
    (scan([1], (0, 0), (0, 2))),
    (scan([1], (1, 5), (0, 3))),
    (scan([1], (6, 63), (0, 3))),
    (scan([1], (0, 0), (2, 1))),
    (scan([1], (1, 63), (3, 2))),
    (scan([1], (1, 63), (2, 1))),
    (scan([1], (0, 0), (1, 0))),
    (scan([1], (1, 63), (1, 0))),
]


@pytest.mark.parametrize("size", [(8, 8), (130, 77)])
@pytest.mark.parametrize("restart", [0, 7])
def test_successive_approximation_with_many_correction_bits(size, restart):
    source = jpeg("L", size, quality=100)
    first = head(source, 0xC2) + ALL_TABLES + segment(0xDD, bytes([0, restart]))
    data = written(source, [first + APPROXIMATED[0], *APPROXIMATED[1:], EOI])
    assert made_again(data) == data
    assert np.array_equal(pixels(data), pixels(source))


def test_runs_of_more_blocks_than_one_code_holds():
    file = io.BytesIO()
    Image.new("L", (8 * 200, 8 * 170), 99).save(file, "JPEG")
    source = file.getvalue()
    data = written(source, [head(source, 0xC2) + ALL_TABLES + scan([1], (0, 0)), scan([1], (1, 63)), EOI])
    assert made_again(data) == data


# What is refused


@pytest.mark.parametrize(
    ("marker", "why"),
    [(0xC3, "lossless"), (0xC5, "hierarchical"), (0xC9, "arithmetic-coded"), (0xCA, "arithmetic-coded")],
)
def test_other_kinds_are_refused_by_name(marker, why):
    assert reason(GREY.replace(b"\xff\xc0", bytes([0xFF, marker]))) == f"is {why}"


def test_twelve_bits_are_refused():
    place = GREY.index(b"\xff\xc0") + 4
    assert reason(GREY[:place] + b"\x0c" + GREY[place + 1 :]) == "has 12 bits a sample"


@pytest.mark.parametrize("missing", [3, 40, 600])
@pytest.mark.parametrize("source", [COLOUR, jpeg(progressive=True)], ids=["sequential", "progressive"])
def test_truncated_files_are_refused(source, missing):
    reason(source[:-missing])


def test_codes_that_no_writer_of_ours_makes_are_not_made_again():
    """Zeros up to the end of a block as codes of 16 zeros, in the place of an end: a decoder reads both."""
    data = head(jpeg("L", (8, 8))) + ALL_TABLES + scan([1])
    first = "00000" + f"{0xE1:09b}" + "1"  # DC of 0, and coefficient 15 of 1
    for rest, same in ((f"{0:09b}", True), (3 * f"{0xF0:09b}", False)):
        text = first + rest
        text += "1" * (-len(text) % 8)
        coded = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
        assert is_made_again(data + coded + EOI) == same
        assert parse(data + coded + EOI, MOST).coefficients.sum() == 1


def test_larger_pictures_are_refused_before_they_are_decoded():
    with pytest.raises(ImageError, match="594 pixels are more than the limit of 593"):
        parse(COLOUR, 593)
    with pytest.raises(ImageError, match="more than the limit"):
        skeleton(parse(COLOUR, MOST).pieces, [], 593)


def test_parts_that_do_not_belong_together_are_refused():
    file = parse(COLOUR, MOST)
    for wrong in (len(COLOUR) - 1, len(COLOUR) + 1, 10):
        with pytest.raises(UnfitJpeg):
            build(file, wrong)
    file.coefficients[0, 0] = 30_000  # of which its tables have no code
    with pytest.raises(UnfitJpeg):
        build(file, len(COLOUR))


def test_a_skeleton_has_the_frame_and_no_coefficients():
    file = parse(COLOUR, MOST)
    bare = skeleton(file.pieces, file.pads, MOST)
    assert (bare.size, bare.components) == (file.size, file.components)
    assert np.array_equal(bare.quantisation, file.quantisation)
    assert not bare.coefficients.any()
    bare.coefficients[:] = file.coefficients
    assert build(bare, len(COLOUR)) == COLOUR
    for pieces in ([b"", EOI], [file.pieces[0][:-3], EOI], [EOI, EOI], [file.pieces[0] + b"x", EOI]):
        with pytest.raises(UnfitJpeg):
            skeleton(pieces, [], MOST)


def test_the_shape_of_a_file_is_found_without_its_data():
    assert parts.shape_of(COLOUR) == (18, 33, 3)
    assert parts.shape_of(GREY[:200]) == (18, 33, 1)
    assert parts.shape_of(b"\xff\xd8\xff\xd9") is None
    assert parts.shape_of(b"") is None


def test_the_memory_of_coefficients_is_known_before_it_is_taken():
    file = parse(jpeg("RGB", (33, 18), subsampling=2), MOST)
    assert parts.coefficient_bytes(file) == file.coefficients.nbytes == 3 * 2 * 6 * 128


def test_tables_with_more_codes_than_bits_are_none():
    tables = scans.standard_tables()
    assert not scans.define_table(tables, 0, counts=bytes([3, *[0] * 15]), symbols=b"abc")


SOURCES = [
    jpeg("L", (17, 9)),
    jpeg("RGB", (24, 17), progressive=True),
    jpeg("RGB", (33, 18), subsampling=2, restart_marker_blocks=1),
    jpeg("CMYK", (9, 9)),
    written(
        jpeg("L", (16, 9)), [head(jpeg("L", (16, 9)), 0xC2) + ALL_TABLES + APPROXIMATED[0], *APPROXIMATED[1:], EOI]
    ),
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(SOURCES), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=4))
def test_whatever_happened_to_a_file_it_is_made_again_or_refused(source, changes):
    data = bytearray(source)
    for place, byte in changes:
        data[place % len(data)] = byte
    is_made_again(bytes(data))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(SOURCES), st.data())
def test_whatever_the_coefficients_are_a_file_comes_of_them_or_none(source, data):
    file = parse(source, 1 << 16)
    places = data.draw(st.lists(st.tuples(st.integers(0, file.coefficients.size - 1), st.integers(-32768, 32767))))
    for place, value in places:
        file.coefficients.flat[place] = value
    with contextlib.suppress(UnfitJpeg):
        assert len(build(file, len(source))) == len(source)
