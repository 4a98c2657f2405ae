import array_api_compat.torch as torch_namespace
import numpy as np
import torch

from vaezip.models.pixel.constants import RADIUS
from vaezip.models.pixel.context import OFFSETS, empty_frame, features, framed


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_frames_show_only_what_is_known():
    """A pixel's features do not change when it, or any pixel after it, does."""
    pictures = noise((1, 6, 7, 3))
    for y in range(6):
        for x in range(7):
            other = pictures.copy()
            other[0, y, x:] = 255 - other[0, y, x:]
            other[0, y + 1 :] = 255 - other[0, y + 1 :]
            before, after = (features(np, framed(p)) for p in (pictures, other))
            assert all(np.array_equal(p[0, y, x], q[0, y, x]) for p, q in zip(before, after))


def test_features_are_the_neighbours():
    frame = framed(noise((1, 9, 9, 1)))
    differences, prediction = features(np, frame)
    for i, (dy, dx) in enumerate(OFFSETS):
        expected = frame[0, RADIUS + 5 + dy, RADIUS + 4 + dx, 0] - prediction[0, 5, 4, 0]
        assert differences[0, 5, 4, i] == expected
    west, north, corner = (int(frame[0, RADIUS + 5 + y, RADIUS + 4 + x, 0]) for y, x in ((0, -1), (-1, 0), (-1, -1)))
    assert prediction[0, 5, 4, 0] == sorted((west, north, west + north - corner))[1]


def test_torch_sees_the_same_features():
    frame = framed(noise((2, 5, 6, 3)))
    for ours, theirs in zip(features(np, frame), features(torch_namespace, torch.from_numpy(frame))):
        assert np.array_equal(ours, theirs.numpy())


def test_an_empty_frame_has_what_lies_around_the_first_pixel():
    frame, whole = empty_frame((1, 4, 5, 3), 12), framed(noise((1, 4, 5, 3)))
    assert frame.shape == (1, 4 + RADIUS, 5 + 2 * RADIUS, 12)
    assert np.array_equal(frame[:, :RADIUS, :, :3], whole[:, :RADIUS])
    assert np.array_equal(frame[:, RADIUS, :RADIUS, :3], whole[:, RADIUS, :RADIUS])
