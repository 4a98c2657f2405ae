"""From trained tile networks to the draft of a model: its integers, its figures, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaezip.models.base import Model
from vaezip.training import objectives, publish
from vaezip.training.families.tile.quantize import quantize
from vaezip.training.families.tile.stage import evaluate
from vaezip.training.loop import Stage
from vaezip.training.networks.tile import TileVae
from vaezip.training.publish import Draft, bound_bits, loss_percent
from vaezip.training.quantize import Precision

_CALIBRATION = 1000
_DRAWS = 4
"""Samples of z for each image, over which the float rate is a mean."""

_TEST, _HELD_OUT = "test_images", "held_out_tiles"
"""The field that counts the images that the figures are of, by what these are."""


class Test(NamedTuple):
    """Images to measure a model on.

    Attributes:
        images: uint8 (images, height, width, channels).
        refined: how many of them to measure with K = 10 steps, too.
        published: whether they are published test images, or tiles of pictures by which the epochs were chosen.
    """

    images: NDArray[np.uint8]
    refined: int
    published: bool


def information(stage: Stage, dataset: str, epochs: int) -> dict[str, Any]:
    """Say what the model file tells of its training, of which ``stage`` was the last."""
    return {"objective": stage.name, "dataset": dataset, "epochs": epochs}


def details(vae: TileVae, stages: Sequence[Stage], made_by: Sequence[str], *, note: str) -> dict[str, Any]:
    """Say what the figures tell beside it."""
    plain = [
        {"name": s.name, "epochs": s.epochs, "learning_rate": s.learning_rate, "batch": s.batch}
        | objectives.numbers(s.objective)
        for s in stages
    ]
    return {"latents": vae.architecture.latents, "stages": plain, "made_by": list(made_by)} | publish.noted(note)


def draft(
    vae: TileVae,
    train: NDArray[np.uint8],
    test: Test,
    *,
    precision: Precision,
    information: dict[str, Any],
    details: dict[str, Any],
) -> Draft:
    """Quantise the networks.

    Args:
        vae: in float, on the CPU.
        train: calibration images come from here.
        test: the rates are measured on these.
        precision: the bits to spend.
        information: of :func:`information`.
        details: of :func:`details`.
    """
    tensors = quantize(vae, train[:_CALIBRATION], precision)
    return Draft(vae.architecture, tensors, information, details, lambda model: measure(vae, model, test), card)


def measure(vae: TileVae, model: Model, test: Test) -> dict[str, Any]:
    """Measure −ELBO in bits per dimension of images, in float and by the integers that code."""
    images, few = test.images, test.images[: test.refined]
    integer = _integer_bpd(model, images, 0)
    floating = float(np.mean([evaluate(vae, images, seed=seed) for seed in range(_DRAWS)]))
    return {
        _TEST if test.published else _HELD_OUT: len(images),
        "float_bpd": round(floating, 5),
        "integer_bpd": round(integer, 5),
        "quantization_loss_percent": loss_percent(integer, floating),
        "refined_images": len(few),
        "integer_bpd_k0": round(_integer_bpd(model, few, 0), 5),
        "integer_bpd_k10": round(_integer_bpd(model, few, 10), 5),
    }


def _integer_bpd(model: Model, images: NDArray[np.uint8], steps: int) -> float:
    return bound_bits(model, images, steps) / images.size


def card(record: Mapping[str, Any]) -> str:
    """Write the model's card in Markdown."""
    stages = "; then ".join(
        f"{_named(s)}, {s['epochs']} epochs, Adam from {s['learning_rate']} along a cosine, batches of {s['batch']}"
        for s in record["stages"]
    )
    name, words = (_TEST, "test images") if _TEST in record else (_HELD_OUT, "tiles of pictures held out")
    objective = next(_named(s) for s in reversed(record["stages"]) if s["name"] == record["objective"])
    rows = {
        "Trained on": f"{record['dataset']}, training part",
        "Encoder's objective": f"{objective}, {record['epochs']} epochs",
        "Recipe": stages,
        "Latents": f"{record['latents']}",
        "Parameters": f"{record['parameters']:,}",
        f"−ELBO on {record[name]:,} {words}, float": f"{record['float_bpd']} bits per dimension",
        "−ELBO on the same, integers": f"{record['integer_bpd']} bits per dimension",
        "Lost by quantisation": f"{record['quantization_loss_percent']} %",
        f"−ELBO on {record['refined_images']:,} of them, integers, K = 0 and K = 10": (
            f"{record['integer_bpd_k0']} and {record['integer_bpd_k10']}"
        ),
    }
    return publish.card(record, rows)


def _named(stage: dict[str, Any]) -> str:
    """Name the objective of a stage with its numbers, such as "half-asleep (α = 0.5)"."""
    numbers = [f"{letter} = {stage[name]:g}" for name, letter in (("alpha", "α"), ("sigma", "σ")) if name in stage]
    name: str = stage["name"].partition(":")[0]  # as it was asked for, it may hold them too
    return name + (f" ({', '.join(numbers)})" if numbers else "")
