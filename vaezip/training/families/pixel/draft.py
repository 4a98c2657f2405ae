"""From trained pixel networks to the draft of a model: its integers, its figures, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vaezip.models.base import Model
from vaezip.training import publish
from vaezip.training.families.pixel.quantize import quantize
from vaezip.training.families.pixel.stage import evaluate, frames_of, rate_without_latents
from vaezip.training.families.pixel.tiles import Pictures, Tiles, tiles
from vaezip.training.networks.pixel import PixelVae
from vaezip.training.publish import Draft, bound_bits, loss_percent

CALIBRATION = 128
"""Tiles that quantisation is calibrated on."""


def draft(
    vae: PixelVae,
    calibration: Tiles,
    held_out: Sequence[Pictures],
    *,
    information: dict[str, Any],
    details: dict[str, Any],
) -> Draft:
    """Quantise the networks.

    Args:
        vae: in float, on the CPU.
        calibration: some of the tiles that it was trained on.
        held_out: arrays of pictures (pictures, height, width, channels) to measure the rates on.
        information: what the model file tells of its training.
        details: what the figures tell beside it.
    """
    tensors = quantize(vae, frames_of(calibration))
    return Draft(vae.architecture, tensors, information, details, lambda model: measure(vae, model, held_out), card)


def measure(vae: PixelVae, model: Model, held_out: Sequence[Pictures]) -> dict[str, Any]:
    """Measure −ELBO in bits per dimension of pictures, in float and by the integers that code."""
    found = np.concatenate([tiles(pictures, vae.architecture) for pictures in held_out])
    floating, kl = evaluate(vae, found)
    integer = sum(bound_bits(model, pictures) for pictures in held_out) / sum(pictures.size for pictures in held_out)
    return {
        "held_out": sum(map(len, held_out)),
        "float_bpd": round(floating, 5),
        "kl_bpd": round(kl, 5),
        "without_latents_bpd": round(rate_without_latents(vae, found), 5),
        "integer_bpd": round(integer, 5),
        "quantization_loss_percent": loss_percent(integer, floating),
    }


def card(record: Mapping[str, Any]) -> str:
    """Write the model's card in Markdown."""
    rows = {
        "Trained on": f"{record['dataset']}: {record['steps']:,} steps of {record['batch']} tiles of 32×32",
        "Objective": "ELBO, all networks together",
        "Parameters": f"{record['parameters']:,}",
        f"−ELBO on {record['held_out']:,} pictures held out, float": f"{record['float_bpd']} bits per dimension",
        "of which KL": f"{record['kl_bpd']}",
    }
    if "without_latents_bpd" in record:  # which models of before it was measured lack
        rows["the same with z = 0"] = f"{record['without_latents_bpd']}"
    rows["−ELBO on the same, integers"] = f"{record['integer_bpd']} bits per dimension"
    rows["Lost by quantisation"] = f"{record['quantization_loss_percent']} %"
    return publish.card(record, rows)
