"""The Protocols of a model, which every family of models fulfils and all other rooms rely on.

A family is one folder of ``models/`` and one line of :data:`vaezip.models.registry.FAMILIES`. Its *model* module
decodes; its *search* module encodes, and holds whatever the encoder may choose freely. Nothing outside of its folder
asks which family a model belongs to.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vaezip.exact.backend import Backend
from vaezip.models.cost import Cost
from vaezip.models.posterior import Settings

if TYPE_CHECKING:
    from vaezip.entropy.stack import Stack
    from vaezip.models.effort import Effort

Pixels = NDArray[np.uint8]
"""Pictures or tiles, (count, height, width, channels)."""

Mask = NDArray[np.bool_]
"""The mask of the pixels that are coded, (tiles, height, width)."""

Shape = tuple[int, int, int, int]
"""The shape of :data:`Pixels`."""

Tensors = Mapping[str, NDArray[Any]]
"""The arrays of a model file by name."""


class Architecture(Protocol):
    """The architecture of a model: what it codes and how large its networks are, without its weights."""

    @property
    def kind(self) -> str:
        """Name the family, as :data:`vaezip.models.registry.FAMILIES` does."""

    @property
    def channels(self) -> int:
        """Count the planes of a picture that the model codes."""

    @property
    def levels(self) -> int:
        """Count the values of a sample, 2 or 256."""

    @property
    def tile(self) -> tuple[int, int]:
        """Give height and width of what the model draws, and of what one latent vector describes."""

    @property
    def tiled(self) -> bool:
        """Tell whether the model codes pictures of any size."""

    @property
    def most_side(self) -> int | None:
        """Give the longest side of a picture that the model codes, if there is such a limit."""

    @property
    def sees_across_tiles(self) -> bool:
        """Tell whether the model predicts a pixel from pixels of other tiles: such models come first."""

    @property
    def steps_on(self) -> str:
        """Say what gradient steps are taken on."""

    @property
    def latents(self) -> int:
        """Count the latent variables of a tile."""

    @property
    def dims(self) -> int:
        """Count the samples of a tile."""

    def to_json(self) -> str:
        """Write the architecture as canonical JSON."""

    def check_work(self) -> None:
        """Refuse networks that would take gigabytes or minutes for a tile.

        Raises:
            ModelError: they would.
        """


class Coded(NamedTuple):
    """The coded pictures, and the number of gradient steps that the decoder repeats for them."""

    steps: int
    data: bytes


def seed_with(seed: int, steps: int) -> int:
    """Return the seed of a stack for a number of steps, so that no bit of that number is unprotected."""
    return seed ^ zlib.crc32(bytes([steps]))


class Model(Protocol):
    """A model as a decoder sees it: p(z), p(x|z) and q(z|x) of one checkpoint on one device."""

    @property
    def name(self) -> str:
        """Name the model for people; files refer to the fingerprint."""

    @property
    def fingerprint(self) -> bytes:
        """Give the first bytes of the SHA-256 of the canonical weights."""

    @property
    def architecture(self) -> Architecture:
        """Give what is known of the model without its weights."""

    @property
    def tensors(self) -> Tensors:
        """Give the integer arrays of the model file."""

    @property
    def information(self) -> dict[str, Any]:
        """Give what else the model file says: objective, training, rates."""

    def decode(self, data: bytes, shape: Shape, steps: int) -> tuple[Pixels, int]:
        """Decode pictures, and the 32-bit seed of their stack.

        Args:
            data: of :class:`Coded`.
            shape: of the pictures.
            steps: of :class:`Coded`.

        Raises:
            FormatError: the data is not what the family's search made.
        """

    def cost(self, data: bytes, shape: Shape, steps: int) -> Cost:
        """Compute what :meth:`decode` costs, from the first bytes of the data, before it begins.

        Raises:
            FormatError: these bytes are not what the family's search makes.
        """

    def least_bytes(self, samples: int) -> float:
        """Bound from below the bytes that so many samples take, before memory is given to them."""

    def draw(self, stack: Stack) -> Pixels:
        """Draw one tile, (1, height, width, channels), by the random bits of a stack: z ~ p(z), then x ~ p(x|z)."""

    @property
    def draw_bits(self) -> int:
        """Bound the bits that :meth:`draw` takes off the stack."""


class Search(Protocol):
    """The encoder's module of a family, which a decoder never imports."""

    def encode(self, model: Any, pictures: Pixels, *, effort: Effort, seed: int) -> Coded:
        """Code pictures of one size, within an effort, so that :meth:`Model.decode` gives them back.

        The seed of the stack is that of :func:`seed_with`.
        """

    def bound_bits(self, model: Any, pictures: Pixels, *, effort: Effort, draws: int) -> float | None:
        """Give −ELBO of pictures in bits, the mean over some draws of z; None where an effort does not code by it."""


@dataclass(frozen=True)
class Parts:
    """The parts of a model file beside the architecture, for the family to build a model of.

    Attributes:
        name: of the model, for people.
        fingerprint: the first bytes of the SHA-256 of the canonical weights.
        settings: how K steps are taken.
        backend: where the networks run.
        tensors: integer arrays by name.
        information: anything else.
    """

    name: str
    fingerprint: bytes
    settings: Settings
    backend: Backend
    tensors: Tensors
    information: dict[str, Any] = field(default_factory=dict)
