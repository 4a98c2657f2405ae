import numpy as np
import pytest

from vaezip.pictures.io import read

from .helpers import refusal


def values(array):
    return array.samples.reshape(-1).tolist()


def test_grey_of_16_bits_in_pgm():
    samples = np.array([[0, 1, 65535], [256, 4660, 9]], np.uint16)
    assert np.array_equal(read(b"P5\n3 2\n65535\n" + samples.astype(">u2").tobytes()).samples[..., 0], samples)
    plain = b"P2\n3 2\n65535\n" + " ".join(map(str, samples.reshape(-1))).encode()
    assert (read(plain).mode, read(plain).samples[1, 1, 0]) == ("I;16", 4660)


@pytest.mark.parametrize("header", ["P2\n1 1\n{}\n", "P5\n1 1\n{}\n", "P3\n1 1\n{}\n", "P6\n1 1\n{}\n"])
@pytest.mark.parametrize("greatest", [1, 100, 254])
def test_pgm_and_ppm_whose_samples_would_be_stretched_are_refused(header, greatest):
    reason = f"PGM and PPM whose greatest value is {greatest} are not supported; write it with 255 or 65535 first"
    assert refusal(read, header.format(greatest).encode() + b"1 1 1\n") == reason


@pytest.mark.parametrize("greatest", [256, 1023, 4095, 65534])
def test_samples_of_9_to_15_bits_keep_their_values_and_the_greatest_is_told(greatest):
    for data in (
        f"P5\n2 1\n{greatest}\n".encode() + b"\0\7" + greatest.to_bytes(2, "big"),
        f"P2\n2 1\n{greatest}\n7 {greatest}\n".encode(),
    ):
        got = read(data)
        assert (got.mode, values(got)) == ("I;16", [7, greatest])
        assert got.dropped == (f"greatest value {greatest}",)


def test_deep_colours_are_read_as_they_are():
    got = read(b"P6\n1 1\n65535\n\x12\x34\x56\x78\x9a\xbc")
    assert (got.mode, values(got), got.dropped) == ("RGB;16", [0x1234, 0x5678, 0x9ABC], ())
    assert values(read(b"P3\n1 1\n1023\n1 2 1023\n")) == [1, 2, 1023]


def test_bits_are_black_where_they_are_one():
    assert values(read(b"P1\n3 2\n10 1\n0 1 0\n")) == [0, 1, 0, 1, 0, 1]
    assert values(read(b"P1 3 2 101010")) == [0, 1, 0, 1, 0, 1]
    assert values(read(b"P4\n9 1\n\xaa\x80")) == [0, 1, 0, 1, 0, 1, 0, 1, 0]


def test_comments_may_stand_anywhere_before_the_samples():
    got = read(b"P2\n2# two\n 1 #\xff\n255# greatest\n7 # seven\n8\n")
    assert (values(got), got.dropped) == ([7, 8], ("comment",))
    assert values(read(b"P5#x\n1 1#y\n255#z\n\x23")) == [0x23]
    assert values(read(b"P6\n1 1\n255\n\r#\n")) == [13, 35, 10]  # one white space, and then the samples


def test_another_picture_behind_the_first_is_refused_and_other_bytes_are_told():
    one = b"P5\n1 1\n255\n\x07"
    assert refusal(read, one + one) == "holds several pictures; save them singly"
    assert refusal(read, one + b"\n" + b"P6 1 1 255 abc") == "holds several pictures; save them singly"
    assert read(one + b"\n").dropped == ()
    assert read(one + b"more").dropped == ("4 bytes behind the end",)


@pytest.mark.parametrize(
    "data",
    [
        b"P5\n",
        b"P5\n1 1\n255",
        b"P5\n1 1\n255\n",
        b"P5\n0 1\n255\n\1",
        b"P5\n1 1\n65536\n\1\1",
        b"P5\n1 1\n256\n\xff\xff",
        b"P5\n1 1\n255x\1",
        b"P2\n2 1\n255\n1",
        b"P2\n2 1\n255\n1 x",
        b"P2\n2 1\n255\n1 256",
        b"P1\n2 1\n1",
        b"P1\n2 1\n1 2",
        b"P4\n9 1\n\xff",
    ],
)
def test_what_is_cut_or_out_of_range_is_damage(data):
    assert "truncated or damaged" in refusal(read, data)


def test_pam_and_pfm_are_named():
    message = "{} pictures are not supported; convert to PNG first"
    assert refusal(read, b"P7\nWIDTH 1\n") == message.format("PAM")
    assert refusal(read, b"Pf\n1 1\n-1.0\n\0\0\0\0") == message.format("floating-point PFM")
