from vaezip.pictures.pnm.header import pnm_header

from ..helpers import refusal


def test_a_header_ends_behind_one_space_or_one_comment():
    assert pnm_header(b"P5\n2 1\n255\n#1") == (5, 2, 1, 255, 11)
    assert pnm_header(b"P5\n2 1\n255#c\n12").end == 13
    assert pnm_header(b"P4 2 1\n1").end == 7
    for data in (b"P5", b"P5 1", b"P5 1 1", b"P6 " + b"#\n" * 9, b"P5 1 1 255x"):
        assert "its header is not whole" in refusal(pnm_header, data)
    assert refusal(pnm_header, b"P7\n1 1") == "PAM pictures are not supported; convert to PNG first"
