"""Which way a chain goes; that each way comes back is tested with the ways."""

from dataclasses import replace

import numpy as np
import pytest

from vaezip.models.effort import Effort
from vaezip.models.pixel import adaptive, search
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.system.threads import Workers


def coded(model, pictures, effort):
    steps, data = search.encode(model, pictures, effort=effort, seed=7)
    back, seed = model.decode(data, pictures.shape, steps)
    assert np.array_equal(back, pictures)
    assert seed == 7
    return data


def of_form(data):
    """What a stream begins with."""
    return {0: "posteriors", 255: "latents"}.get(data[0], "still" if data[0] >= 64 else "learnt")


def test_without_steps_it_adapts_and_no_more(small_local):
    x = np.tile(255 - small_local.images[:1], (1, 4, 4, 1))
    assert of_form(coded(small_local.model, x, Effort(0))) == "still"


def test_latents_of_small_pictures_are_told_where_that_is_shorter(small_local):
    x = small_local.images[:40]
    latents = pixel_bitsback.encode(small_local.model, x, steps=0, seed=7)
    still = adaptive.encode(small_local.model, x, search.FIXED, seed=7)
    data = coded(small_local.model, x, Effort(0))
    assert len(data) <= 1.02 * min(len(latents) + 1, len(still))  # a part of them decides
    large = coded(small_local.model, np.tile(x[:1], (1, 3, 3, 1)), Effort(0))
    assert of_form(large) == "still"


def test_one_small_picture_takes_the_shortest_form(small_local):
    x = small_local.images[:1, :20, :20]
    forms = [adaptive.encode(small_local.model, x, replace(search.FIXED, orientation=turn), seed=7) for turn in (0, 4)]
    forms.append(b"\xff" + pixel_bitsback.encode(small_local.model, x, steps=0, seed=7))
    assert coded(small_local.model, x, Effort(0)) == min(forms, key=len)


def test_steps_on_posteriors_alone(small_local):
    x = small_local.images[:2]
    for k in (0, 2):
        assert coded(small_local.model, x, Effort(k, rows=0)) == b"\0" + pixel_bitsback.encode(
            small_local.model, x, steps=k, seed=7
        )


def test_learning_never_costs_more_than_it_brings(small_local):
    x = small_local.images[:3]  # which the model knows well, and which are few
    plain = coded(small_local.model, x, Effort(0, turns=1))
    assert len(coded(small_local.model, x, Effort(1))) <= len(plain)
    assert of_form(coded(small_local.model, x, Effort(1, thin=255))) != "learnt"


def test_it_learns_where_that_pays(small_local):
    x = np.tile(255 - small_local.images[:1], (1, 12, 4, 1))
    data = coded(small_local.model, x, Effort(4))
    assert data[0] == Effort(4).rows
    assert len(data) < len(pixel_bitsback.encode(small_local.model, x, steps=0, seed=7))


def test_threads_do_not_change_the_bytes(small_local):
    x = np.tile(255 - small_local.images[:1], (1, 3, 2, 1))
    effort = Effort(1, turns=3)
    with Workers(2) as workers:
        found = workers.submit(search.encode, small_local.model, x, effort=effort, seed=7).result()
    assert found == search.encode(small_local.model, x, effort=effort, seed=7)


@pytest.mark.parametrize("turns", [2, 8])
def test_pictures_are_turned_where_that_pays(local_models, turns):
    """Where rows repeat, or columns, one way of lying is better than the other, unless regression sees either."""
    for small in (local_models["grey"], local_models["colour"]):
        noise = np.random.default_rng(1).integers(0, 256, (1, 1, 70, small.images.shape[3])).astype(np.uint8)
        across, down = np.repeat(noise, 80, axis=1), np.repeat(noise.swapaxes(1, 2), 80, axis=2)
        turned, lying = (
            [len(coded(small.model, x, Effort(1, turns=count))) for x in (across, down)] for count in (turns, 1)
        )
        assert max(turned) < max(lying)


def test_trying_the_whole_is_never_worse_than_trying_a_part(local_models):
    x = np.tile(local_models["colour"].images[:1], (1, 3, 2, 1))
    part, whole = (coded(local_models["colour"].model, x, Effort(1, turns=8, whole=count)) for count in (1, 3))
    assert len(whole) <= len(part)


@pytest.mark.parametrize(
    ("height", "width", "turns"), [(1, 900, {0, 1, 2, 3}), (900, 31, {4, 5, 6, 7}), (20, 20, set(range(8)))]
)
def test_a_long_picture_is_never_coded_as_a_narrow_one(height, width, turns):
    assert set(search._orientations(height, width)) == turns
