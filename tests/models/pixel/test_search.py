"""Which way a chain goes; that each way comes back is tested with the ways."""

from dataclasses import replace

import numpy as np
import pytest

from vaezip.models.base import seed_with
from vaezip.models.effort import PRESETS, Effort, is_large
from vaezip.models.pixel import adaptive, search
from vaezip.models.pixel import bitsback as pixel_bitsback
from vaezip.models.pixel.least_squares import frame_with_predictions
from vaezip.models.pixel.model import LATENTS
from vaezip.system.threads import Workers


def coded(model, pictures, effort):
    steps, data = search.encode(model, pictures, effort=effort, seed=7)
    back, seed = model.decode(data, pictures.shape, steps)
    assert np.array_equal(back, pictures)
    assert seed == seed_with(7, steps)
    assert (steps > 0) == (of_form(steps, data) in ("posteriors", "learnt"))
    return data


def form(model, pictures, effort):
    """Which way is chosen."""
    return of_form(*search.encode(model, pictures, effort=effort, seed=7))


def of_form(steps, data):
    """What a stream begins with."""
    if data[:1] == LATENTS:
        return "posteriors" if steps else "latents"
    return "fixed" if data[0] >= 64 else "learnt"


def with_latents(model, pictures, steps):
    return LATENTS + pixel_bitsback.encode(model, pictures, steps=steps, seed=seed_with(7, steps))


def fixed(model, pictures, orientation=0):
    settings = replace(search.FIXED, orientation=orientation)
    return adaptive.encode(model, pictures, settings, seed=seed_with(7, 0))


def test_without_steps_it_adapts_and_no_more(small_local):
    x = np.tile(255 - small_local.images[:1], (1, 4, 4, 1))
    coded(small_local.model, x, Effort(0))
    assert form(small_local.model, x, Effort(0)) == "fixed"


def test_what_lies_as_it_is_coded_is_framed_once(local_models, monkeypatch):
    """With and without learning; the streams are those of forms that make frames of their own."""
    model, x = local_models["predictors"].model, np.tile(local_models["predictors"].images[:1], (1, 4, 4, 1))
    made = []
    monkeypatch.setattr(search, "frame_with_predictions", lambda *of: made.append(of) or frame_with_predictions(*of))
    learning = replace(search.chosen_settings(model, PRESETS[4], 1), orientation=0)
    learnt = adaptive.encode(model, x, learning, seed=seed_with(7, learning.steps))
    found = coded(model, x, PRESETS[4])
    assert len(made) == 1
    assert found == min(fixed(model, x), learnt, key=len)


def test_latents_of_small_pictures_are_told_where_that_is_shorter(small_local):
    x = small_local.images[:40]
    shortest = min(len(with_latents(small_local.model, x, 0)), len(fixed(small_local.model, x)))
    data = coded(small_local.model, x, Effort(0))
    assert len(data) <= 1.02 * shortest  # a part of them decides
    assert form(small_local.model, np.tile(x[:1], (1, 4, 4, 1)), Effort(0)) == "fixed"


def test_one_small_picture_takes_the_shortest_form(small_local):
    x = small_local.images[:1, :20, :20]
    forms = [with_latents(small_local.model, x, 0), *(fixed(small_local.model, x, turn) for turn in (0, 4))]
    assert coded(small_local.model, x, Effort(0)) == min(forms, key=len)


def test_steps_on_posteriors_alone(small_local):
    x = np.resize(small_local.images, (20, *small_local.images.shape[1:]))
    assert is_large(x.shape)
    for k in (0, 2):
        assert coded(small_local.model, x, Effort(k, rows=0)) == with_latents(small_local.model, x, k)


def test_of_few_pixels_the_best_number_of_steps_on_posteriors_is_taken(small_local):
    x = small_local.images[:2]
    streams = [with_latents(small_local.model, x, k) for k in range(3)]
    for k in (0, 2):
        assert coded(small_local.model, x, Effort(k, rows=0)) == min(streams[: k + 1], key=len)


def test_learning_never_costs_more_than_it_brings(small_local):
    x = small_local.images[:3]  # which the model knows well, and which are few
    plain = coded(small_local.model, x, Effort(0, turns=1))
    assert len(coded(small_local.model, x, Effort(1))) <= len(plain)
    assert form(small_local.model, x, Effort(1, thin=255)) != "learnt"


def test_it_learns_where_that_pays(small_local):
    x = np.tile(255 - small_local.images[:1], (1, 12, 4, 1))
    data = coded(small_local.model, x, Effort(4))
    assert data[0] == Effort(4).rows
    assert len(data) < len(with_latents(small_local.model, x, 0))


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


def test_the_best_orientation_without_learning_is_that_with_it(local_models, monkeypatch):
    """So one form of what learns is tried on a part, in that orientation, and then coded."""
    noise = np.random.default_rng(1).integers(0, 256, (1, 1, 70, 3)).astype(np.uint8)
    x, made = np.repeat(noise.swapaxes(1, 2), 80, axis=2), []
    encode = adaptive.encode

    def noted(model, pictures, settings, **options):
        made.append((settings.passes, settings.orientation, pictures.size == x.size))
        return encode(model, pictures, settings, **options)

    monkeypatch.setattr(adaptive, "encode", noted)
    data = coded(local_models["colour"].model, x, Effort(1))
    learnt = {(orientation, whole) for passes, orientation, whole in made if passes}
    assert len({orientation for orientation, _ in learnt}) == 1
    assert [whole for passes, _, whole in made if not passes].count(True) <= 1
    assert data[0] < 64 or (0, True) in {(passes, whole) for passes, _, whole in made}
