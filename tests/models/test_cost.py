"""What a block costs is computed, and bounds what it takes."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from tests.conftest import MODELS, draw_discs
from vaezip.codec import payload
from vaezip.models import file as model_file
from vaezip.models.cost import DEFAULT, Cost, affordable
from vaezip.models.effort import PRESETS, Effort
from vaezip.models.layers import Conv, Dense, DepthToSpace, Flatten, Residual, SpaceToDepth, measured
from vaezip.models.pixel import adaptive, bitsback
from vaezip.models.pixel.cost import adaptive_cost, latent_cost
from vaezip.models.pixel.search import chosen_settings
from vaezip.models.pixel.settings import Adaptation
from vaezip.models.registry import search_of
from vaezip.models.tile import bitsback as tile_bitsback
from vaezip.models.tile import cost as tile_cost
from vaezip.models.tile import search as tile_search


def by_tiles(steps):
    def make(model, pictures):
        tiles = tile_search._tiles(model, pictures)
        return bytes([steps]) + tile_bitsback.encode(model, tiles, tile_search.choose, steps=steps, seed=0)

    return make


def adapting(*arguments, **settings):
    chosen = Adaptation(*arguments, **settings)
    return lambda model, pictures: bytes([chosen.steps]) + adaptive.encode(model, pictures, chosen, seed=0)


def with_latents(steps):
    return lambda model, pictures: bytes([steps, 0]) + bitsback.encode(model, pictures, steps=steps, seed=0)


BLOCKS = [
    *(("colour", "RGB", (6, 30, 20, 3), by_tiles(steps)) for steps in (0, 2)),
    *(("logistic", "L", (30, 28, 28, 1), by_tiles(steps)) for steps in (0, 2)),
    ("bernoulli", "1", (30, 28, 28, 1), by_tiles(2)),
    ("local-grey", "L", (1, 70, 90, 1), adapting(0, 32)),
    ("local-colour", "RGB", (9, 20, 17, 3), adapting(1, 2, 1, rate=9, second_rate=9, orientation=4)),
    ("local-regressed", "RGB", (1, 40, 70, 3), adapting(0, 32)),
    ("local-regressed", "RGB", (1, 40, 70, 3), adapting(1, 4, 1, rate=9)),
    *(("local-regressed", "RGB", (1, 40, 70, 3), with_latents(steps)) for steps in (0, 1)),
]


@pytest.mark.parametrize(("name", "mode", "shape", "make"), BLOCKS)
def test_no_more_memory_is_taken_than_computed(name, mode, shape, make):
    model = model_file.load(MODELS / f"{name}.safetensors")
    data = make(model, draw_discs(*shape, levels=model.architecture.levels))
    found = payload.cost(data, mode, shape, model=model, find=None)
    payload.decode(data, mode, shape, model=model, find=None)  # which makes what is made once
    tracemalloc.start()
    try:
        payload.decode(data, mode, shape, model=model, find=None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= found.memory < 40 * peak


SHAPES = [(1, 1, 1), (1, 3, 5000), (1, 5000, 1), (1, 1024, 1024), (1, 4096, 4096), (1, 64, 1 << 18), (4000, 8, 9)]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_presets_make_by_pixel_models_is_within_the_limits(shipped_local, shape):
    """Of the orientations none is tried in which a long picture is narrow."""
    n, h, w = (shape[0], min(shape[1:]), max(shape[1:]))
    a = shipped_local.architecture
    whole = (n, h, w, a.channels)
    for effort in PRESETS.values():
        settings = chosen_settings(shipped_local, effort, n)
        assert DEFAULT.allows(adaptive_cost(a, whole, settings), n * h * w), effort
    assert DEFAULT.allows(latent_cost(a, (n, *shape[1:], a.channels), 0), n * h * w)


def test_what_is_made_by_tile_models_is_within_the_limits(shipped):
    a = shipped.architecture
    for n in (1, 100, 1 << 13):
        shape = (n, *a.tile, a.channels)
        for steps in (0, 10, 100):
            assert DEFAULT.allows(tile_cost.cost(a, shape, coarse=1, steps=steps), n * a.tile[0] * a.tile[1])


def test_the_encoder_takes_no_more_steps_than_a_reader_spends(local_models, monkeypatch):
    """With a budget so small that three steps are too many, two are taken, and where learning is, none."""
    model, pictures = local_models["grey"].model, draw_discs(1, 40, 40, seed=3)
    shape, pixels = pictures.shape, 1600
    within = latent_cost(model.architecture, shape, 2).work // (pixels + 8) + 1
    monkeypatch.setattr("vaezip.models.cost.DEFAULT", replace(DEFAULT, work=within))
    monkeypatch.setattr("vaezip.models.pixel.search.DEFAULT", replace(DEFAULT, work=within))
    found = search_of(model).encode(model, pictures, effort=Effort(3, rows=0), seed=0)
    assert found.steps <= 2
    assert affordable(3, shape, lambda k: latent_cost(model.architecture, shape, k)) == 2
    least = adaptive_cost(model.architecture, shape, Adaptation(0, 32)).work // (pixels + 8) + 1
    monkeypatch.setattr("vaezip.models.pixel.search.DEFAULT", replace(DEFAULT, work=least))
    assert search_of(model).encode(model, pictures, effort=Effort(2), seed=0).steps == 0


def test_costs_add_up():
    assert Cost(1, 2).beside(Cost(3, 4)) == Cost(4, 6)


def test_a_network_is_measured():
    layers = (
        *(SpaceToDepth(2), Conv("a", 12, 5), Residual(Conv("b", 5, 7), Conv("c", 7, 5)), Flatten()),
        Dense("d", 80, 8),
    )
    found = measured(layers, (8, 8, 3))
    assert found.products == 16 * 9 * (12 * 5 + 5 * 7 + 7 * 5) + 80 * 8
    assert found.values == 192 + 16 * (5 + 7 + 5) + 80 + 8
    assert found.widest == 16 * 9 * 12
    assert found.output == (8,)


@pytest.mark.parametrize(
    "layers",
    [
        (Dense("a", 4, 2),),
        (Conv("a", 4, 2),),
        (Flatten(), Conv("a", 192, 2)),
        (SpaceToDepth(3),),
        (DepthToSpace(2),),
        (Flatten(), SpaceToDepth(2)),
        (Residual(Conv("a", 3, 5), Conv("b", 5, 4)),),
        (SpaceToDepth(0),),
        (Dense("a", 3, True),),
        (Dense("a", 3, 2.0),),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers):
    from vaezip.errors import ModelError

    with pytest.raises(ModelError, match=r"do not fit together|out of range"):
        measured(layers, (8, 8, 3))
