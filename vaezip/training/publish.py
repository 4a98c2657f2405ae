"""From trained states to shipped models: ``python -m vaezip.training.publish NAME --data DIR --runs DIR``.

Writes ``models/NAME.safetensors`` (the half-asleep encoder) and ``models/NAME-classic.safetensors``
(the encoder before that stage) on one decoder, with the measured figures as ``.json`` and a card
as ``.md`` beside each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vaezip.models import file as model_file
from vaezip.models.base import Architecture, Model
from vaezip.models.effort import Effort
from vaezip.models.posterior import Settings
from vaezip.models.registry import search_of
from vaezip.pictures import datasets
from vaezip.system.files import store
from vaezip.training import objectives
from vaezip.training.loop import evaluate
from vaezip.training.networks.tile import TileVae
from vaezip.training.quantize import quantize
from vaezip.training.recipes import RECIPES, Recipe, split

_CALIBRATION = 1000
_TEST, _HELD_OUT = "test_images", "held_out_tiles"
"""In the figures: how many images they are of, by what these are."""


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=sorted(RECIPES))
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder with the states")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder to write to")
    parser.add_argument("--limit", type=int, default=None, help="test images to measure the rates on (default: all)")
    parser.add_argument("--note", default="", help="a sentence for the card: where the run departed from the recipe")
    arguments = parser.parse_args()
    for name in arguments.names:
        recipe = RECIPES[name]
        train, _ = split(recipe, datasets.load(recipe.dataset, "train", arguments.data))
        test = datasets.load(recipe.dataset, "test", arguments.data)
        test = test[np.random.default_rng(0).permutation(len(test))][: arguments.limit]
        for stage, suffix in zip(recipe.stages[-2:], ("-classic", "")):
            path = arguments.runs / f"{name}.{stage.name}.pt"
            state = torch.load(path, map_location="cpu", weights_only=True)
            if state["epoch"] < stage.epochs:
                again = f"python -m vaezip.training.recipes {name}"
                raise SystemExit(f"{path}: at epoch {state['epoch']} of {stage.epochs}; go on with: {again}")
            vae = TileVae(recipe.architecture)
            vae.load_state_dict(state["vae"])
            made_by = [f"python -m vaezip.training.{step} {name}" for step in ("recipes", "publish")]
            stem, note = arguments.models / (name + suffix), arguments.note
            publish(stem, recipe, stage.name, state["epoch"], vae, train, test, made_by=made_by, note=note)


def publish(
    stem: Path,
    recipe: Recipe,
    objective: str,
    epochs: int,
    vae: TileVae,
    train: NDArray[np.uint8],
    test: NDArray[np.uint8],
    *,
    made_by: Sequence[str],
    note: str = "",
    refined: int = 1000,
    published: bool = True,
) -> dict[str, Any]:
    """Quantise, measure and write one model.

    Args:
        stem: path without suffix.
        recipe: what it was trained by.
        objective: of the encoder.
        epochs: how many of the last stage were done.
        vae: in float.
        train: calibration images come from here.
        test: the rates are measured on these.
        made_by: command lines, for the card.
        note: another sentence for it.
        refined: how many of them to measure with K = 10 steps, too.
        published: whether they are published test images, or tiles of pictures by which the epochs were chosen.

    Returns:
        What the ``.json`` holds.
    """
    details = {
        "latents": recipe.architecture.latents,
        "stages": [
            {"name": s.name, "epochs": s.epochs, "learning_rate": s.learning_rate, "batch": s.batch}
            | objectives.numbers(s.objective)
            for s in recipe.stages
        ],
        "made_by": list(made_by),
        **noted(note),
    }
    return write(
        stem,
        recipe.architecture,
        quantize(vae, train[:_CALIBRATION], recipe.precision),
        {"objective": objective, "dataset": recipe.dataset, "epochs": epochs},
        lambda model: {_TEST if published else _HELD_OUT: len(test)} | measure(vae, model, test, refined),
        details,
        card,
    )


def write(
    stem: Path,
    architecture: Architecture,
    tensors: Mapping[str, NDArray[Any]],
    information: dict[str, Any],
    measured: Callable[[Model], dict[str, Any]],
    details: dict[str, Any],
    card_of: Callable[[dict[str, Any]], str],
) -> dict[str, Any]:
    """Write a model, measure it, and write its figures and its card.

    Args:
        stem: path without suffix.
        tensors: integers, as :func:`vaezip.models.file.save` takes them.
        information: for the model file and the figures.
        measured: figures of the model, for both, too.
        details: for the figures alone.
        card_of: Markdown from what the ``.json`` holds.

    Returns:
        What the ``.json`` holds.
    """
    path = beside(stem, model_file.SUFFIX)
    model_file.save(path, architecture, Settings(), tensors, information)
    model = model_file.load(path)
    information = information | measured(model)
    model_file.save(path, architecture, Settings(), tensors, information)
    parameters = sum(t.size for name, t in tensors.items() if name.endswith((".weight", ".bias")))
    record = {"name": stem.name, "fingerprint": model.fingerprint.hex(), "parameters": parameters}
    record |= details | information
    store(beside(stem, ".json"), (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    store(beside(stem, ".md"), card_of(record).encode())
    return record


def beside(stem: Path, suffix: str) -> Path:
    """The stem with a suffix, whatever dots are in its name."""
    return stem.with_name(stem.name + suffix)


def measure(vae: TileVae, model: Model, test: NDArray[np.uint8], refined: int) -> dict[str, Any]:
    """−ELBO in bits per dimension of images, in float and by the integers that code."""
    few = test[:refined]
    integer = _integer_bpd(model, test, 0)
    floating = float(np.mean([evaluate(vae, test, seed=seed) for seed in range(4)]))
    return {
        "float_bpd": round(floating, 5),
        "integer_bpd": round(integer, 5),
        "quantization_loss_percent": round(100 * (integer / floating - 1), 3),
        "refined_images": len(few),
        "integer_bpd_k0": round(_integer_bpd(model, few, 0), 5),
        "integer_bpd_k10": round(_integer_bpd(model, few, 10), 5),
    }


def _integer_bpd(model: Model, images: NDArray[np.uint8], steps: int) -> float:
    return (search_of(model).bound_bits(model, images, Effort(steps), 1) or 0.0) / images.size


def card(record: dict[str, Any]) -> str:
    """The model's card in Markdown."""
    stages = "; then ".join(
        f"{_named(s)}, {s['epochs']} epochs, Adam from {s['learning_rate']} along a cosine, batches of {s['batch']}"
        for s in record["stages"]
    )
    name, words = (_TEST, "test images") if _TEST in record else (_HELD_OUT, "tiles of pictures held out")
    objective = next(_named(s) for s in reversed(record["stages"]) if s["name"] == record["objective"])
    return f"""# {record["name"]}

| | |
|-|-|
| Fingerprint | `{record["fingerprint"]}` |
| Trained on | {record["dataset"]}, training part |
| Encoder's objective | {objective}, {record["epochs"]} epochs |
| Recipe | {stages} |
| Latents | {record["latents"]} |
| Parameters | {record["parameters"]:,} |
| −ELBO on {record[name]:,} {words}, float | {record["float_bpd"]} bits per dimension |
| −ELBO on the same, integers | {record["integer_bpd"]} bits per dimension |
| Lost by quantisation | {record["quantization_loss_percent"]} % |
| −ELBO on {record["refined_images"]:,} of them, integers, K = 0 and K = 10 | {record["integer_bpd_k0"]} and {
        record["integer_bpd_k10"]
    } |

Made by `{"` and `".join(record["made_by"])}`; the figures are those of `{record["name"]}.json`.
{note_of(record)}"""


def noted(note: str) -> dict[str, str]:
    """The note among the figures, if there is one."""
    return {"note": note} if note else {}


def note_of(record: dict[str, Any]) -> str:
    """The note as the last line of the card."""
    return f"{record['note']}\n" if "note" in record else ""


def _named(stage: dict[str, Any]) -> str:
    """The objective of a stage with its numbers, such as "half-asleep (α = 0.5)"."""
    told = [f"{letter} = {stage[name]:g}" for name, letter in (("alpha", "α"), ("sigma", "σ")) if name in stage]
    name: str = stage["name"].partition(":")[0]  # as it was asked for, it may hold them too
    return name + (f" ({', '.join(told)})" if told else "")


if __name__ == "__main__":
    main()
