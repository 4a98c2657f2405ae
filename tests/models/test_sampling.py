import hashlib

import numpy as np
import pytest

import vaezip
from vaezip.models import file as model_file
from vaezip.models.sampling import _random_stack, sample


def test_pictures_are_of_the_models_kind(shipped):
    a = shipped.architecture
    for picture in sample(shipped, 2, seed=0):
        assert picture.mode == {(1, 2): "1", (1, 256): "L", (3, 256): "RGB"}[a.channels, a.levels]
        assert picture.samples.shape == (*a.tile, a.channels)


def test_picture_depends_on_seed_and_index_alone(shipped):
    few, many = sample(shipped, 2, seed=3), sample(shipped, 4, seed=3)
    assert all(vaezip.pictures.same(a, b) for a, b in zip(few, many))


def test_pictures_and_seeds_differ(shipped):
    drawn = [p.samples.tobytes() for seed in (0, 1) for p in sample(shipped, 3, seed)]
    assert len(set(drawn)) == 6


def test_random_bits_are_the_same_on_every_machine_and_with_every_numpy():
    stack = _random_stack(1000, seed=7, index=2)
    assert hashlib.sha256(stack.to_bytes()).hexdigest()[:16] == "cf34b73212bec6f1"


def test_large_seeds(shipped):
    assert len(sample(shipped, 1, seed=1 << 80)) == 1


@pytest.mark.parametrize("name", [n for n in ("mnist", "mnist-binary") if n in model_file.shipped()])
def test_digits_are_mostly_dark_with_something_bright(name):
    drawn = np.stack([p.samples for p in sample(model_file.load(model_file.find(name)), 30, seed=0)])
    bright = drawn > (0 if name == "mnist-binary" else 127)
    assert 0.02 < bright.mean() < 0.4
