"""Chapter 10: pixel models that are calibrated and learn while they code."""

import zlib
from dataclasses import dataclass

import numpy as np

from .calibration import Calibration
from .learning import Learner
from .model_file import Model
from .pixel_network import load_network, predictors_of
from .primitives import require
from .stack import Stack
from .waves import PictureSet, RowDecoder, all_pixels, joined_sets

STRIP = 32
CALIBRATED = 64


@dataclass(frozen=True)
class Settings:
    """Hold the settings of the learning (section 10.2); row_group = 0 stands for no learning."""

    row_group: int = 0
    passes: int = 0
    stride: int = 0
    batch: int = 0
    rate: int = 0
    final_rate: int = 0
    average_decay: int = 0
    orientation: int = 0
    second_rate: int = 0

    @property
    def rates(self) -> list[int]:
        """List the rate of each network that learns."""
        rates = [self.rate, self.second_rate] if self.second_rate else [self.rate]
        return rates if self.row_group else []

    def check(self, steps: int) -> None:
        """Refuse settings that section 10.2 does not allow, in a block whose payload begins with `steps`."""
        require(steps == self.passes * len(self.rates), "the steps are not those of the settings")
        if self.row_group:
            require(self.row_group <= STRIP and self.orientation < 8, "bad settings of the learning")
            require(min(self.passes, self.stride, self.batch) >= 1, "bad settings of the learning")
            require(self.passes <= self.batch * self.stride, "bad settings of the learning")


def read_settings(data: bytes, steps: int) -> tuple[Settings, int]:
    """Read the settings at the beginning of a chain, and tell how many bytes they take."""
    if data[0] >= CALIBRATED:
        settings, length = Settings(orientation=data[0] - CALIBRATED), 1
    else:
        require(len(data) >= 9, "the settings of the learning are not complete")
        settings, length = Settings(*data[:9]), 9
    settings.check(steps)
    return settings, length


def decode_adapting(data: bytes, shape: tuple[int, ...], model: Model, steps: int) -> tuple[np.ndarray, int]:
    """Decode the values (n, H, W, c) and the seed of an adapting chain (section 10.1)."""
    settings, length = read_settings(data, steps)
    stack = Stack(data[length:])
    n, height, width, c = shape
    turned = (n, width, height, c) if settings.orientation & 4 else shape
    values = decode_turned(stack, turned, model, settings)
    return turn_back(values, settings.orientation), stack.seed() ^ zlib.crc32(data[:length])


def decode_turned(stack: Stack, shape: tuple[int, ...], model: Model, settings: Settings) -> np.ndarray:
    """Decode pictures in their orientation, row group by row group."""
    network = load_network(model)
    calibration = Calibration(model.channels, predictors_of(model))
    style = model.decoder.forward(np.zeros((1, model.latents), np.int64))[0]
    across = -(-shape[2] // STRIP)
    sets = joined_sets(shape)
    groups = row_groups(shape[1], settings.row_group or STRIP)
    count = len(sets) * len(groups)
    learners = [Learner(model, network, settings, rate, count) for rate in settings.rates]
    decoder = RowDecoder(stack, [network], calibration)
    values = []
    for members in sets:
        pictures = PictureSet((len(members), *shape[1:]), predictors_of(model))
        calibration.begin_set(pictures.context)
        for top, rows in groups:
            if learners:
                decoder.networks = [learner.network() for learner in learners]
            decoder.decode(pictures, top, rows, np.broadcast_to(style[0], (len(members), across, style.shape[1])))
            for learner in learners:
                learner.learn(pictures, all_pixels(pictures.context, top, rows), style)
        values.append(pictures.context.values)
    return np.concatenate(values)


def row_groups(height: int, rows: int) -> list[tuple[int, int]]:
    """Cut each strip into row groups: list their first rows and numbers of rows."""
    result = []
    for strip in range(0, height, STRIP):
        end = min(strip + STRIP, height)
        result += [(top, min(rows, end - top)) for top in range(strip, end, rows)]
    return result


def turn_back(values: np.ndarray, orientation: int) -> np.ndarray:
    """Undo the orientation of pictures (section 10.3)."""
    if orientation & 4:
        values = values.transpose(0, 2, 1, 3)
    if orientation & 2:
        values = values[:, ::-1]
    if orientation & 1:
        values = values[:, :, ::-1]
    return values
