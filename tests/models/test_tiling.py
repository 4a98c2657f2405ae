import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaezip.models.tiling import Tiling, inside

shapes = st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 20), st.integers(1, 3))
tile_sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))


def pictures(shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@given(shapes, tile_sizes)
def test_join_undoes_split(shape, tile):
    x, tiling = pictures(shape), Tiling(shape, tile)
    tiles = tiling.split(x)
    assert tiles.shape == (shape[0] * tiling.rows * tiling.columns, *tile, shape[3])
    assert tiling.mask.shape == tiles.shape[:3]
    assert tiling.mask.sum() == shape[0] * shape[1] * shape[2]
    assert np.array_equal(tiling.join(tiles), x)


@given(shapes, tile_sizes)
def test_real_pixels_are_those_of_the_pictures(shape, tile):
    ones, tiling = np.ones(shape, np.uint8), Tiling(shape, tile)
    assert (tiling.join(tiling.mask[..., None] * tiling.split(ones)) == 1).all()


@given(shapes, tile_sizes, st.data())
def test_fill_restores_what_the_mask_hides(shape, tile, data):
    """On any run of tiles, as the decoder meets them."""
    tiling = Tiling(shape, tile)
    truth = tiling.split(pictures(shape))
    tiles = np.where(tiling.mask[..., None], truth, 99).astype(np.uint8)
    start = data.draw(st.integers(0, len(tiles) - 1))
    stop = data.draw(st.integers(start + 1, len(tiles)))
    tiling.fill(tiles[start:stop], slice(start, stop))
    assert np.array_equal(tiles[start:stop], truth[start:stop])


def test_the_empty_part_repeats_the_edge():
    x = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    (left, right) = Tiling(x.shape, (3, 2)).split(x)[..., 0]
    assert left.tolist() == [[0, 1], [3, 4], [3, 4]]
    assert right.tolist() == [[2, 2], [5, 5], [5, 5]]


@pytest.mark.parametrize(
    ("shape", "grid"), [((1, 32, 32, 3), (1, 1)), ((1, 33, 32, 3), (2, 1)), ((1, 1, 65, 3), (1, 3))]
)
def test_the_grid(shape, grid):
    tiling = Tiling(shape, (32, 32))
    assert (tiling.rows, tiling.columns) == grid


@pytest.mark.parametrize("shape", [(3, 4, 6, 2), (3, 5, 7, 2)])
def test_the_values_inside_a_mask_are_the_same_whether_or_not_that_is_all_of_them(shape):
    tiling = Tiling(shape, (4, 3))
    tiles = tiling.split(pictures(shape))
    assert np.array_equal(inside(tiles, tiling.mask), tiles[tiling.mask])
