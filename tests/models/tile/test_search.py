import numpy as np
import pytest

from vaezip.models.effort import PRESETS
from vaezip.models.tile import search


@pytest.mark.parametrize(("count", "steps"), [(search.MANY_TILES - 1, search.COARSE_STEPS), (search.MANY_TILES, 0)])
def test_of_many_tiles_the_first_take_no_steps_and_less_than_a_promille_more(small, monkeypatch, count, steps):
    pictures = np.tile(small.images, (1 + count // len(small.images), 1, 1, 1))[:count]
    taken, posterior = [], type(small.model).posterior
    monkeypatch.setattr(
        type(small.model), "posterior", lambda self, x, m, steps: taken.append(steps) or posterior(self, x, m, steps)
    )
    coded = search.encode(small.model, pictures, effort=PRESETS[1], seed=1)
    assert taken[0] == steps
    assert np.array_equal(small.model.decode(coded.data, pictures.shape, steps=coded.steps)[0], pictures)
    monkeypatch.setattr(search, "MANY_TILES", 1 << 30)
    most = len(search.encode(small.model, pictures, effort=PRESETS[1], seed=1).data)
    assert len(coded.data) <= most * 1.001 + 8
