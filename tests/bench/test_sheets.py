import numpy as np
import pytest

from vaezip.bench import sheets
from vaezip.pictures.picture import Picture


def picture(height=5, width=7, seed=0, mode="L"):
    channels = {"L": 1, "RGB": 3}[mode]
    return Picture(mode, np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8))


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_cut_undoes_join(count):
    pictures = [picture(seed=i) for i in range(count)]
    (layout,) = sheets.layouts(pictures)
    back = sheets.cut(sheets.join(pictures, layout), layout, pictures[0])
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(pictures, back, strict=True))


@pytest.mark.parametrize(
    ("count", "height", "width"),
    [(1000, 28, 28), (10000, 32, 32), (7, 10, 90), (7, 90, 10), (3, 8000, 8000), (1, 1, 1)],
)
def test_sheets_are_nearly_square_and_not_too_large(count, height, width):
    columns = sheets.columns(count, height, width)
    rows = -(-count // columns)
    assert columns * rows >= count > columns * (rows - 1)
    tall, wide = rows * height, columns * width
    assert max(tall, wide) <= sheets.MAX_SIDE or count < 4
    assert abs(tall - wide) <= max(height, width) + min(tall, wide)


def test_other_modes_and_sizes_stand_on_other_sheets():
    pictures = [picture(), picture(6, 6), picture(mode="RGB"), picture(seed=1)]
    assert [layout.places for layout in sheets.layouts(pictures)] == [(0, 3), (1,), (2,)]


def test_large_sets_fill_several_sheets(monkeypatch):
    monkeypatch.setattr(sheets, "MAX_PIXELS", 5 * 7 * 4)
    assert [layout.places for layout in sheets.layouts([picture()] * 6)] == [(0, 1, 2, 3), (4, 5)]
