"""The table and the plot by kind of picture that the README shows; nothing is measured."""

import pytest

from .conftest import script


@pytest.fixture(scope="module")
def by_kind():
    return script("by_kind")


def test_each_result_gives_kinds_with_their_bytes(by_kind):
    found = by_kind.rows()
    assert {row.result for row in found} == set(by_kind.READERS)
    assert len({row.name for row in found}) == len(found)
    for row in found:
        assert row.files > 0
        assert row.ours > 0
        assert by_kind.WEBP in row.peers or by_kind.JPEG_XL in row.peers


def test_a_peer_that_lacks_a_file_is_left_out(by_kind):
    rows = [{"ours": 3, "webp": 4, "jxl-9": 5}, {"ours": 3, "webp": 8}]
    found = by_kind._summed("pages", "r.json", rows, {by_kind.WEBP: "webp", by_kind.JPEG_XL: "jxl-9"})
    assert (found.ours, found.files, found.peers) == (6, 2, {by_kind.WEBP: 12})
    assert by_kind.table([found]).endswith("| pages | 2 |  | 50 % |  | [r](benchmarks/r.json) |")


def test_the_plot_has_a_bar_for_each_codec(by_kind):
    found = by_kind.rows()
    (axes,) = by_kind.draw(found).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [*by_kind.CODECS, "vaezip"]
    drawn = [row for row in found if by_kind.JPEG_XL in row.peers]
    assert len(axes.patches) == sum(len(row.peers) + 1 for row in drawn)
