"""Which candidates are worth coding a block with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vaezip.codec import choice, jobs
from vaezip.codec.coders import GRAPHIC
from vaezip.codec.jobs import BlockJob
from vaezip.models import file as model_file
from vaezip.models.effort import Effort
from vaezip.models.library import Library, Reference


def test_what_promises_nothing_as_a_drawing_is_tried_as_one_only_if_it_may_be_noise():
    """Or where no model is, or only the whole file tells whether one is worth it."""
    path = model_file.find("photo-gray")
    model = Reference(path, model_file.fingerprint(path))
    noise = np.random.default_rng(0).integers(0, 256, (1, 70, 70, 1)).astype(np.uint8)
    y, x = np.mgrid[:70, :70]
    softly = (128 + 60 * np.sin(x / 9) + 40 * np.cos(y / 7))[None, ..., None].astype(np.uint8) + noise // 20
    for samples, changes, found in (
        (noise, {}, [model, GRAPHIC]),
        (softly, {}, [model]),
        (softly, {"candidates": (GRAPHIC,)}, [GRAPHIC]),
        (softly, {"open": True}, [model, GRAPHIC]),
    ):
        job = BlockJob("L", samples, (model, GRAPHIC), None, Library(), Effort())
        assert choice.promising(replace(job, **changes)) == found


def lines(height=300, width=300):
    """Draw what looks like lines of text."""
    found = np.full((1, height, width, 3), 230, np.uint8)
    found[:, 8::12, 10:-10] = (40, 50, 60)
    found[:, :6] = 90
    return found


def colour_job(samples):
    path = model_file.find("photo")
    model = Reference(path, model_file.fingerprint(path))
    return BlockJob("RGB", samples, (model, GRAPHIC), None, Library(), Effort())


def test_a_plain_drawing_is_coded_as_one_without_a_trial_and_without_a_search_for_its_past(monkeypatch):
    monkeypatch.setattr(choice, "_bytes_for", lambda *_: pytest.fail("it is tried"))
    monkeypatch.setattr(jobs.search, "find", lambda *_: pytest.fail("its past is searched"))
    job = jobs.prepared(colour_job(lines()))
    assert job.plain
    assert choice.promising(job) == [GRAPHIC]


def test_only_the_whole_file_tells_what_is_plain_where_models_are_to_be_embedded():
    job = colour_job(lines(80, 80))
    assert jobs.prepared(job).plain
    assert not jobs.prepared(replace(job, open=True)).plain
    assert not jobs.prepared(replace(job, samples=job.samples[:, :40, :40])).plain, "small pictures are soon tried"


def test_greys_are_tried_for_photographs_of_few_greys_repeat_themselves_too():
    greys = replace(colour_job(lines()), mode="L", samples=lines()[..., :1])
    assert not jobs.prepared(greys).plain


def test_a_drawing_with_noise_in_it_is_tried():
    samples = lines()
    samples[:, 100:] = np.random.default_rng(0).integers(0, 256, (1, 200, 300, 3))
    assert not jobs.prepared(colour_job(samples)).plain
