import pytest

from vaezip.pictures.findings import Findings
from vaezip.pictures.pnm import look_into_pnm, pnm_header

from .helpers import refusal

RAW = [b"P4\n9 2\n" + bytes(4), b"P5\n2 2\n255\n" + bytes(4), b"P5 2 2 256\n" + bytes(8), b"P6\n2 1\n255\n" + bytes(6)]
PLAIN = [b"P1\n3 2\n1 0 1 010\n", b"P2\n2 2\n255\n1 2 3 4\n", b"P3\n1 2\n255\n1 2 3 4 5 6"]


def dropped(data):
    found = Findings()
    look_into_pnm(data, found)
    return found.dropped


@pytest.mark.parametrize("data", RAW)
def test_what_stands_behind_the_rows(data):
    assert dropped(data) == dropped(data + b"\n") == ()
    assert dropped(data + b"P5") == ("2 bytes behind the end",)
    for between in (b"", b"\n"):
        assert refusal(dropped, data + between + data) == "holds several pictures; save them singly"


@pytest.mark.parametrize("data", PLAIN)
def test_what_stands_behind_the_numbers(data):
    assert dropped(data) == ()
    assert dropped(data + b"\n7 \n") == ("3 bytes behind the end",)
    assert refusal(dropped, data + b"\n" + data) == "holds several pictures; save them singly"


def test_comments_are_named():
    for data in (b"P5\n#c\n2 1 255\n12", b"P5 2#c\r1 255\n12", b"P5 2 1 255#c\n12", b"P2 2 1 255\n1 #c 9\n2"):
        assert dropped(data) == ("comment",)


def test_a_header_ends_behind_one_space_or_one_comment():
    assert pnm_header(b"P5\n2 1\n255\n#1") == (5, 2, 1, 255, 11)
    assert pnm_header(b"P5\n2 1\n255#c\n12").end == 13
    assert pnm_header(b"P4 2 1\n1").end == 7
    for data in (b"P5", b"P7\n1 1", b"P5 1", b"P5 1 1", b"P6 " + b"#\n" * 9):
        assert pnm_header(data) is None
        assert dropped(data) == ()
