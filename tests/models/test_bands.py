"""Some rows stand for pictures."""

import numpy as np
import pytest

from vaezip.models.bands import SAMPLES, bands


def rows_of(height, width=64, pictures=1, channels=1):
    """Return pictures each of whose samples tells its picture and row."""
    rows = np.arange(height)[:, None, None] + 10_000 * np.arange(pictures)[:, None, None, None]
    return np.broadcast_to(rows, (pictures, height, width, channels))


def test_rows_of_one_picture_are_from_the_middle_of_each_third():
    found = bands(rows_of(3000))
    assert found.shape[0] == 1
    third = found.shape[1] // 3
    for i, middle in enumerate((500, 1500, 2500)):
        rows = found[0, i * third : (i + 1) * third, 0, 0]
        assert np.array_equal(np.diff(rows), np.ones(third - 1))
        assert abs(rows.mean() - middle) < 1


@pytest.mark.parametrize("height", [1024, 4096, 1 << 15])
def test_about_as_many_samples_are_taken_of_every_picture(height):
    assert 0.95 * SAMPLES <= bands(rows_of(height)).size <= SAMPLES


def test_a_band_has_four_rows_at_least():
    assert bands(rows_of(100, 5000)).shape == (1, 12, 5000, 1)


def test_a_small_picture_stands_for_itself():
    assert bands(rows_of(20)).shape == (1, 20, 64, 1)


def test_of_many_pictures_the_first_are_taken():
    assert bands(rows_of(16, 16, 1000)).shape == (32, 16, 16, 1)
    found = bands(rows_of(3000, pictures=5))
    assert found.shape[0] == 2
    assert (found[:, 0, 0, 0] % 10_000 > 1000).all()
