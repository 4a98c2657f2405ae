"""Chunks of arrays to ``.vz`` files and back: the last two axes are a picture, those before them count pictures.

The names of the pictures are their places along the leading axes, ``"3,0"``, so that they tell the shape.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaezip.codec.archive import Archive
from vaezip.codec.compress_options import Options
from vaezip.codec.compressor import compress
from vaezip.codec.select import AUTO
from vaezip.errors import FormatError, ImageError, ModelError
from vaezip.models import file as model_file
from vaezip.pictures.convert import to_array

DEFAULT_EFFORT = 2
"""A chunk is too small to learn from."""

_TYPES = ("bool", "uint8", "uint16")
_PLANE = 2
"""The axes of a picture."""

_PLACE = re.compile(r"(?:[0-9]{1,9}(?:,[0-9]{1,9})*)?")
_NO_CHUNK = "is not the file of a chunk"


@dataclass(frozen=True)
class ChunkCoder:
    """Code chunks, all in the same way.

    Attributes:
        effort: as the preset of :class:`vaezip.Options`.
        model: likewise; a shipped model, a path, or ``auto``.
        fingerprint: of the model, in hexadecimal; None of ``auto``, or where it is to be looked up.
        channel_axis: which axis holds the channels of a pixel: -1, or one before those of the picture; None where each
            channel is a picture, or there is but one.
    """

    effort: int = DEFAULT_EFFORT
    model: str = AUTO
    fingerprint: str | None = None
    channel_axis: int | None = None

    def settled(self) -> ChunkCoder:
        """Return the same with the fingerprint of its model.

        Raises:
            ModelError: there is no such model, and the fingerprint is not known.
        """
        if self.fingerprint is not None or self.model == AUTO:
            return self
        return replace(self, fingerprint=_fingerprint(self.model))

    def configuration(self) -> dict[str, Any]:
        """Return what JSON keeps of it."""
        return asdict(self)

    def check(self, dtype: np.dtype[Any], axes: int) -> None:
        """Refuse chunks of a type, or a number of axes, that are no pictures.

        Raises:
            ImageError: these are none.
        """
        if dtype.name not in _TYPES:
            raise ImageError(f"chunks of {dtype} are no pictures, which are of {', '.join(_TYPES)}")
        if axes < _PLANE + (self.channel_axis is not None):
            raise ImageError(f"chunks of {axes} axes are no pictures")
        if self.channel_axis is not None:
            self._axis(axes)

    def encode(self, chunk: NDArray[Any]) -> bytes:
        """Return the ``.vz`` file of a chunk.

        Raises:
            ImageError: its type or its shape is none of pictures.
            ModelError: the model is missing, or another one than when the array was made.
        """
        pictures = self._pictures(chunk)
        places = list(product(*map(range, pictures.shape[:-3])))
        self._check_model()
        options = Options(model=self.model, preset=self.effort)
        if len(places) == 1:
            return compress(pictures[places[0]], options)
        return compress({",".join(map(str, place)): pictures[place] for place in places}, options)

    def _pictures(self, chunk: NDArray[Any]) -> NDArray[Any]:
        """Return a chunk with the channels as its last axis, of which there is one where it has none."""
        self.check(chunk.dtype, chunk.ndim)
        if self.channel_axis is None:
            return chunk[..., None]
        return np.moveaxis(chunk, self._axis(chunk.ndim), -1)

    def _axis(self, ndim: int) -> int:
        """Return the axis of the channels, from the end, for a chunk of so many axes."""
        assert self.channel_axis is not None
        axis = self.channel_axis if self.channel_axis < 0 else self.channel_axis - ndim
        if -ndim <= axis < -_PLANE or self.channel_axis == -1:
            return axis
        raise ImageError("the axis of the channels is -1, or it is before those of height and width")

    def _check_model(self) -> None:
        if self.fingerprint is None or self.model == AUTO:
            return
        found = _fingerprint(self.model)
        if found != self.fingerprint:
            raise ModelError(f"model '{self.model}' has fingerprint {found}, but the array needs {self.fingerprint}")

    def decode(self, data: bytes) -> NDArray[Any]:
        """Return a chunk, without leading axes of length 1 where it holds one picture.

        Raises:
            FormatError: the file is damaged, or is not of a chunk.
            ModelError: the model that it was made with is not here; the message names it.
        """
        path = Path(self.model)
        models = (path,) if path.is_file() else ()
        with Archive(data, models=models) as archive:
            found = [(_place(name), to_array(picture)) for name, picture in archive.items()]
        shape = tuple(max(numbers) + 1 for numbers in zip(*(place for place, _ in found)))
        alike = len({(len(place), one.shape, one.dtype) for place, one in found}) == 1
        if not alike or math.prod(shape) != len(found) or len(dict(found)) < len(found):
            raise FormatError(_NO_CHUNK)
        chunk = np.empty((*shape, *found[0][1].shape), found[0][1].dtype)
        for place, picture in found:  # in an order of their own, for some may be black and white alone
            chunk[place] = picture
        return chunk if self.channel_axis is None else self._with_channels(chunk, len(shape))

    def _with_channels(self, chunk: NDArray[Any], leading: int) -> NDArray[Any]:
        """Move the channels of a chunk, of so many leading axes, to their axis."""
        if chunk.ndim == leading + _PLANE:
            chunk = chunk[..., None]
        first = not leading and self.channel_axis != -1  # all others before the picture have length 1
        axis = 0 if first else self._axis(chunk.ndim)
        return np.ascontiguousarray(np.moveaxis(chunk, -1, axis))


def _place(name: str) -> tuple[int, ...]:
    """Return where a picture stands along the leading axes, by its name."""
    if not _PLACE.fullmatch(name):
        raise FormatError(_NO_CHUNK)
    return tuple(map(int, name.split(","))) if name else ()


def _fingerprint(model: str) -> str:
    return model_file.fingerprint(model_file.find(model)).hex()
