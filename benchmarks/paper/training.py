"""The trainings that the experiments share: each is kept on disk, and goes on where it stopped.

A :class:`Setting` says what is trained; a :class:`Trial` is one seed of it: a VAE that is trained by
the classic objective and kept at some epochs, and encoders that are trained on from there while the
decoder stays as it is. Experiments that ask for the same training share it.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import common
import numpy as np
import torch
from numpy.typing import NDArray
from record import made_on
from torch import Tensor

from vaezip.models.tile.architecture import TileArchitecture
from vaezip.models.tile.mlp import mlp
from vaezip.models.tile.resnet import resnet
from vaezip.pictures import datasets
from vaezip.training import objectives
from vaezip.training.families.tile.stage import TileStage, evaluate
from vaezip.training.loop import Samples, Stage, fit, read_log, save_state
from vaezip.training.networks.tile import TileVae

ROOT = Path(__file__).parent.parent.parent
SEEDS = (1, 2, 3)
RATE, ENCODER_RATE = 1e-3, 5e-4
CALL = ("epochs", "sigma", "alpha", "device")
"""Options that make a figure another one."""

EVALUATIONS = 4
"""How many samples of z an image the reported −ELBO averages over."""

Objective = Callable[[TileVae, Tensor], Tensor]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Setting:
    """What is trained, and how long.

    Attributes:
        dataset: name of the data set.
        latents: of the VAE; a multiple of 64 for colour images.
        hidden: units or channels of the hidden layers.
        train, test: images of each part, drawn at random once for all seeds.
        snapshots: epochs of the classic training at which the VAE is kept; the last is its end.
        encoder_epochs: passes over the training images when an encoder is trained on.
        optimal_epochs: passes over the test images for optimal inference.
        batch: images a step.
        blocks: residual blocks, for colour images.
    """

    dataset: str
    latents: int
    hidden: int
    train: int
    test: int
    snapshots: tuple[int, ...]
    encoder_epochs: int
    optimal_epochs: int
    batch: int = 100
    blocks: int = 3

    @property
    def epochs(self) -> int:
        """Of the classic training."""
        return self.snapshots[-1]

    @property
    def colour(self) -> bool:
        """Whether the images are CIFAR's."""
        return self.dataset.startswith("cifar")

    @property
    def source(self) -> str:
        """Where z of the model's samples come from: see :func:`objectives.half_asleep`."""
        return "posterior" if self.colour else "prior"

    @property
    def architecture(self) -> TileArchitecture:
        """The paper's network for such images, in this size."""
        if self.colour:
            return resnet(latent_channels=self.latents // 64, hidden=self.hidden, blocks=self.blocks)
        return mlp("bernoulli" if self.dataset == "mnist-binary" else "logistic", self.latents, self.hidden)

    @property
    def title(self) -> str:
        """For people."""
        names = {"mnist-binary": "binary MNIST", "mnist": "grey MNIST", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}
        return f"{names[self.dataset]}, {self.latents} latents"


def full(dataset: str, latents: int) -> Setting:
    """The paper's sizes."""
    if dataset.startswith("cifar"):
        return Setting(dataset, latents, 96, 50_000, 10_000, tuple(range(50, 501, 50)), 50, 50, batch=64)
    return Setting(dataset, latents, 500, 60_000, 10_000, (10, 50, *range(100, 1001, 100)), 100, 100)


def quick(dataset: str, latents: int) -> Setting:
    """Few images, so that the encoder overfits them within minutes."""
    if dataset.startswith("cifar"):
        return Setting(dataset, latents, 32, 1_000, 500, (10, 20, 30), 15, 30, batch=50, blocks=1)
    if dataset == "mnist":
        return Setting(dataset, latents, 500, 1_000, 1_000, (30, 70, 120), 30, 30)
    return Setting(dataset, latents, 500, 5_000, 2_000, (5, 10, 20, 40, 60, 80), 20, 40)


class Trial:
    """One seed of a setting.

    Attributes:
        train, test: the images, uint8 (images, height, width, channels).
    """

    def __init__(self, setting: Setting, seed: int, options: argparse.Namespace) -> None:
        self.setting, self.seed, self.device = setting, seed, options.device
        self.train, self.test = (chosen(setting, split, options.data) for split in ("train", "test"))
        name = f"{setting.dataset}-{setting.latents}-{setting.hidden}-{setting.train}"
        self.folder: Path = options.runs / name / f"seed{seed}"
        self._claim_folder()

    def vae(self, epoch: int | None = None) -> TileVae:
        """The VAE after this many epochs of classic training, all of them if not given."""
        vae = self._fresh()
        warmup = 100 if self.setting.colour else 0
        for end in self.setting.snapshots:
            kept = self.folder / f"classic-at-{end}.pt"
            if not kept.exists():
                print(f"  seed {self.seed}: classic, to epoch {end}", flush=True)
                # A rate that stays the same is what lets one training be continued to the next end.
                stage = TileStage(
                    "classic", objectives.classic, end, RATE, 1.0, batch=self.setting.batch, warmup=warmup
                )
                self._refuse_beyond(end, stage.steps(self.train))
                fit(vae, Samples(self.train, self.test), stage, state=self.folder / "classic.pt", seed=self.seed)
                save_state(vae.state_dict(), kept)
            if end == (epoch or self.setting.epochs):
                vae.load_state_dict(torch.load(kept, map_location="cpu", weights_only=True))
                return vae
        raise ValueError(f"no VAE is kept at epoch {epoch}")

    def encoder(self, name: str, objective: Objective, epoch: int | None = None) -> TileVae:
        """The VAE of :meth:`vae`, its encoder trained on by an objective, from training images."""
        stage = self._stage(name, objective, epoch, self.setting.encoder_epochs, ENCODER_RATE)
        return self._go_on(stage, self.train, epoch)

    def optimal(self, epoch: int | None = None) -> TileVae:
        """The same, trained on the test images: a bound, for evaluation only."""
        stage = self._stage("optimal", objectives.optimal, epoch, self.setting.optimal_epochs, RATE)
        return self._go_on(stage, self.test, epoch)

    def half_asleep(self, alpha: float = 0.5, epoch: int | None = None) -> TileVae:
        """The same, trained by reverse half-asleep; α = 0 is the classic objective continued, α = 1 reverse sleep."""
        objective = functools.partial(objectives.half_asleep, alpha=alpha, source=self.setting.source)
        return self.encoder(half_asleep_name(alpha), objective, epoch)

    def curve(self, name: str, epoch: int | None = None) -> dict[int, float]:
        """Test BPD after each epoch of an encoder's training, or of ``classic``."""
        stem = name if name == "classic" else self._name(name, epoch)
        return curve(self.folder / f"{stem}.pt")

    def bpd(self, vae: TileVae, images: Pixels | None = None) -> float:
        """−ELBO in bits per dimension, of the test images if no others are given."""
        return bpd(vae, self.test if images is None else images)

    def _fresh(self) -> TileVae:
        torch.manual_seed(self.seed)
        return TileVae(self.setting.architecture).to(self.device)

    def _name(self, name: str, epoch: int | None) -> str:
        return f"{name}-after-{epoch or self.setting.epochs}"

    def _stage(self, name: str, objective: Objective, epoch: int | None, epochs: int, rate: float) -> Stage:
        return TileStage(self._name(name, epoch), objective, epochs, rate, encoder_only=True, batch=self.setting.batch)

    def _go_on(self, stage: Stage, images: Pixels, epoch: int | None) -> TileVae:
        vae = self.vae(epoch)
        print(f"  seed {self.seed}: {stage.name}", flush=True)
        fit(vae, Samples(images, self.test), stage, state=self.folder / f"{stage.name}.pt", seed=self.seed)
        return vae

    def _refuse_beyond(self, epoch: int, steps: int) -> None:
        """Refuse a classic training that went past this epoch, whose weights would be kept as this epoch's."""
        state = self.folder / "classic.pt"
        if not state.exists():
            return
        saved = torch.load(state, map_location="cpu", weights_only=True)
        reached = saved["epoch"] if "epoch" in saved else saved["step"] // steps  # earlier versions wrote no epoch
        if reached > epoch:
            raise SystemExit(
                f"{state}: the training is at epoch {reached} already, but the VAE of epoch {epoch} is not beside it; "
                f"put classic-at-{epoch}.pt back, or remove {self.folder} to train this seed anew"
            )

    def _claim_folder(self) -> None:
        """Refuse states of another setting, which a training would take for its own; it may be a shorter one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "setting.json"
        theirs = Setting(**json.loads(path.read_text())) if path.exists() else self.setting
        theirs = replace(theirs, snapshots=tuple(theirs.snapshots))
        shorter, longer = sorted((self.setting, theirs), key=lambda setting: setting.epochs)
        if until(longer, shorter.epochs) != shorter:
            raise SystemExit(f"{self.folder}: holds states of another setting; remove it, or give another --runs")
        path.write_text(json.dumps(asdict(longer)) + "\n")


def half_asleep_name(alpha: float) -> str:
    """What the states of :meth:`Trial.half_asleep` are called."""
    return f"alpha-{alpha}"


def chosen(setting: Setting, split: str, data: str | None) -> Pixels:
    """The images of a part that the setting takes."""
    images = datasets.load(setting.dataset, split, data)
    return images[choice(len(images), setting.train if split == "train" else setting.test)]


def choice(total: int, count: int) -> NDArray[np.int64]:
    """Which ``count`` of ``total`` images: at random, because CIFAR's files may be sorted by class."""
    return np.random.default_rng(7).permutation(total)[:count]


def bpd(vae: TileVae, images: Pixels) -> float:
    """−ELBO in bits per dimension, over :data:`EVALUATIONS` samples of z an image."""
    return float(np.mean([evaluate(vae, images, seed=seed) for seed in range(EVALUATIONS)]))


def nats(bits_per_dimension: float, vae: TileVae) -> float:
    """Of an image."""
    return bits_per_dimension * vae.architecture.dims * math.log(2)


def curve(state: Path) -> dict[int, float]:
    """Test BPD by epoch, from the log of a stage."""
    return {line["epoch"]: line["valid_bpd"] for line in read_log(state.with_suffix(".jsonl"))}


def gap_opens(test: dict[int, float]) -> int | None:
    """The epoch at which the test BPD is lowest, from where on more training makes it worse; None where that is
    among the last tenth, after which it may fall further."""
    lowest = min(test, key=lambda epoch: test[epoch])
    return lowest if lowest < 0.9 * max(test) else None


def arguments(
    description: str | None,
    only: tuple[str, ...] = (),
    partial: bool = True,
    sigmas: tuple[float, ...] = (),
    alphas: bool = False,
) -> argparse.Namespace:
    """The command line of a training experiment.

    Args:
        description: the script's docstring.
        only: names of its parts, if it may be run in parts.
        partial: whether it may stop after fewer epochs.
        sigmas: of the noise, if it may be run for some of them.
        alphas: whether other shares of the model's samples than ½ may be asked for.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=None, help="folder with the data sets")
    parser.add_argument("--quick", action="store_true", help="few images and epochs: minutes on a CPU core, not hours")
    common.add_results(parser)
    if partial:
        parser.add_argument("--epochs", type=int, help="stop the VAE's training there; a later call may go further")
    if only:
        parser.add_argument("--only", choices=only, action="append", help="measure these anew, keep the rest")
    if sigmas:
        parser.add_argument(
            "--sigma", type=float, choices=sigmas, action="append", help="these alone; a data set loses the others"
        )
    if alphas:
        parser.add_argument("--alpha", type=float, action="append", help="share of samples to try besides ½")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "paper", help="folder for states; resumed from")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    return options


def sizes(options: argparse.Namespace) -> Callable[[str, int], Setting]:
    """The setting of a data set and so many latents, in the form that the command line asks for."""

    def sized(dataset: str, latents: int) -> Setting:
        setting = (quick if options.quick else full)(dataset, latents)
        return until(setting, options.epochs) if options.epochs else setting

    return sized


def until(setting: Setting, epochs: int) -> Setting:
    """The same, without the epochs after these."""
    kept = tuple(epoch for epoch in setting.snapshots if epoch <= epochs)
    if not kept:
        raise SystemExit(f"--epochs {epochs}: the first at which the VAE is kept is {setting.snapshots[0]}")
    return replace(setting, snapshots=kept)


def differences(setting: Setting, encoder: bool = True, optimal: bool = False) -> list[str]:
    """Why our figures of this setting are not the paper's.

    Args:
        setting: what was trained.
        encoder: whether the figure has encoders that were trained on.
        optimal: whether it has optimal inference.
    """
    whole = full(setting.dataset, setting.latents)
    found = []
    if setting.train < whole.train:
        found.append(
            f"{setting.title}: {setting.train:,} training images and {setting.test:,} test images, not "
            f"{whole.train:,} and {whole.test:,}: with few images the encoder overfits within minutes, which takes "
            f"the paper hundreds of epochs on all of them; rates are therefore to be compared with each other, not "
            f"with the paper's"
        )
    if setting.epochs < whole.epochs:
        found.append(
            f"{setting.title}: {setting.epochs} epochs of {setting.train // setting.batch} steps for the VAE, not "
            f"{whole.epochs:,} of {whole.train // whole.batch}"
        )
    if setting.hidden < whole.hidden:
        found.append(f"{setting.title}: hidden layers of {setting.hidden}, not {whole.hidden}")
    rates = [f"Adam at {RATE:g} for the VAE"]
    if encoder:
        rates.append(f"{_falling(ENCODER_RATE, setting.encoder_epochs)} for an encoder that is trained on")
    if optimal:
        rates.append(f"{_falling(RATE, setting.optimal_epochs)} of the test images for optimal inference")
    batch = "no batch normalisation, which the authors' published code has"
    return [*found, f"{setting.title}: {batch}; {', and '.join(rates)}"]


def _falling(rate: float, epochs: int) -> str:
    return f"falling from {rate:g} to 0 along a cosine in {epochs} epochs"


def not_measured(parts: Iterable[tuple[str, int]]) -> list[str]:
    """What a figure lacks: the data sets, with their latents, that no result has."""
    titles = "; ".join(full(*part).title for part in parts)
    return [f"not measured: {titles}"] if titles else []


def described(setting: Setting) -> dict[str, Any]:
    """A setting as JSON."""
    return {"title": setting.title, **asdict(setting)}


def part(setting: Setting, options: argparse.Namespace, **found: Any) -> dict[str, Any]:
    """What a data set gives to a figure that has several, with the options by which it is made again."""
    call = {name: value for name in CALL if (value := getattr(options, name, None)) and value != "cpu"}
    made = {"call": call, "made_on": made_on(options.device)}
    return {"title": setting.title, "setting": described(setting), **made, **found}


def of_part(part: dict[str, Any]) -> Setting | None:
    """The setting that a part of a result was measured with; None where its file is older and does not tell."""
    if "setting" not in part:
        return None
    fields = {name: value for name, value in part["setting"].items() if name != "title"}
    return Setting(**{**fields, "snapshots": tuple(fields["snapshots"])})
