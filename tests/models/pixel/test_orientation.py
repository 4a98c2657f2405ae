import numpy as np
import pytest

from vaezip.models.pixel import orientation


@pytest.mark.parametrize("turn", range(orientation.COUNT))
def test_orientations(turn):
    x = np.arange(2 * 3 * 4).reshape(2, 3, 4, 1).astype(np.uint8)
    found = orientation.turned(x, turn)
    assert found.shape == ((2, 4, 3, 1) if turn & orientation.TRANSPOSED else x.shape)
    assert np.array_equal(orientation.turned_back(found, turn), x)
    others = [orientation.turned(x, other) for other in range(8) if other != turn]
    assert not any(np.array_equal(found, other) for other in others)


def test_turns_are_eight_and_keep_the_values():
    square = np.arange(38 * 38 * 3, dtype=np.float32).reshape(38, 38, 3)
    found = {orientation.turned(square, i).tobytes() for i in range(8)}
    assert len(found) == 8
    assert all(np.array_equal(np.sort(orientation.turned(square, i), axis=None), square.ravel()) for i in range(8))
