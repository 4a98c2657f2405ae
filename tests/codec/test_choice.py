"""Which candidates are worth coding a block with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaezip.codec import choice
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
