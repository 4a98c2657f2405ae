import numpy as np
import pytest

from vaezip.models.pixel import orientation


@pytest.mark.parametrize("way", range(orientation.COUNT))
def test_orientations(way):
    x = np.arange(2 * 3 * 4).reshape(2, 3, 4, 1).astype(np.uint8)
    found = orientation.oriented(x, way)
    assert found.shape == ((2, 4, 3, 1) if way & orientation.TRANSPOSED else x.shape)
    assert np.array_equal(orientation.unoriented(found, way), x)
    others = [orientation.oriented(x, other) for other in range(8) if other != way]
    assert not any(np.array_equal(found, other) for other in others)


def test_orientations_are_eight_and_keep_the_values():
    square = np.arange(38 * 38 * 3, dtype=np.float32).reshape(38, 38, 3)
    found = {orientation.oriented(square, i).tobytes() for i in range(8)}
    assert len(found) == 8
    assert all(np.array_equal(np.sort(orientation.oriented(square, i), axis=None), square.ravel()) for i in range(8))
