"""The coders of pictures that need no model file: the marks that stand in the place of a model's fingerprint."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from vaezip.errors import FormatError
from vaezip.models.cost import Cost
from vaezip.models.kinds import is_wide

if TYPE_CHECKING:
    from vaezip.models.effort import Effort

Samples = NDArray[Any]


class Coder(Protocol):
    """The module of a coder."""

    NAME: str
    """Name the coder for people."""

    def fits(self, mode: str, shape: tuple[int, ...]) -> bool:
        """Tell whether it codes pictures of a mode and a shape, (height, width)."""

    def promises(self, samples: Samples, mode: str) -> bool:
        """Tell by a look at some samples whether it is worth a try, in a small part of the time that coding takes."""

    def encode(self, samples: Samples, mode: str, checksum: int, *, effort: Effort) -> bytes:
        """Code pictures, (pictures, height, width, channels)."""

    def decode(self, data: bytes, mode: str, shape: tuple[int, ...]) -> tuple[Samples, int]:
        """Invert :meth:`encode`: samples and checksum.

        Raises:
            FormatError: the data is not what it made of such pictures.
        """

    def cost(self, data: bytes, mode: str, shape: tuple[int, ...]) -> Cost:
        """Compute what :meth:`decode` costs, before it begins.

        Raises:
            FormatError: the data cannot be what it made of such pictures.
        """


GRAPHIC, JPEG_PIXELS, REMADE, DEEP = (bytes([0, 0, 0, number]) for number in (1, 2, 3, 4))

CODERS: dict[bytes, str] = {
    JPEG_PIXELS: "vaezip.codec.jpeg_pixels",
    GRAPHIC: "vaezip.models.graphic.coder",
    DEEP: "vaezip.models.deep.coder",
    REMADE: "vaezip.codec.remade",
}
"""The modules by mark, in the order in which they are tried."""

LEARNING = frozenset({DEEP})
"""Coders that take as long as models, and are chosen as these are: by a trial on a part of the pictures. A look tells
whether the others are worth coding with."""


def by_mark(mark: bytes) -> Coder:
    """Return the coder of a mark.

    Raises:
        FormatError: there is none.
    """
    if mark not in CODERS:
        raise FormatError(f"the coder {mark.hex()} is unknown; a newer vaezip may know it")
    module: Coder = import_module(CODERS[mark])
    return module


def of_block(mark: bytes, mode: str, shape: tuple[int, ...]) -> Coder:
    """Return the coder of a block by its mark.

    Raises:
        FormatError: there is none, or it does not code such pictures, (pictures, height, width, channels).
    """
    found = by_mark(mark)
    if not found.fits(mode, shape[1:3]):
        raise FormatError(f"the file is damaged: the coder '{found.NAME}' does not code such pictures")
    return found


def fitting(mode: str, shape: tuple[int, ...], *, ranks: bool = False) -> list[bytes]:
    """Return the marks of the coders to try for pictures of a mode and a shape, (height, width); ``ranks`` tells that
    they are of 8 bits in the place of 16, or few."""
    marks = [mark for mark in CODERS if by_mark(mark).fits(mode, shape)]
    return [mark for mark in marks if mark not in LEARNING or is_wide(mode) or ranks]


def of_any(mode: str) -> bytes:
    """Return the mark of the coder that codes whatever pictures of a mode there are."""
    return DEEP if is_wide(mode) else GRAPHIC


def is_whole(mark: bytes) -> bool:
    """Tell whether a coder depends on where in the picture its samples are, so that patches do not show what it takes;
    it then has a function ``settles``."""
    return mark in CODERS and hasattr(by_mark(mark), "settles")


def settles(mark: bytes, samples: Samples, mode: str) -> bool:
    """Tell whether a coder of whole pictures, which promises for some samples, will be by far the best."""
    coder: Any = by_mark(mark)
    return bool(coder.settles(samples, mode))


def note_on(mark: bytes, payload: bytes, shape: tuple[int, ...]) -> str:
    """Say what a coder, if it has a function ``describe``, tells of the pictures of a payload; "" of a damaged one."""
    coder: Any = by_mark(mark) if mark in CODERS else None
    try:
        return str(coder.describe(payload, shape)) if hasattr(coder, "describe") else ""
    except FormatError:
        return ""


def packed_palette(content: bytes) -> bytes:
    """Code the colours of a palette, 3 bytes each."""
    coder: Any = by_mark(GRAPHIC)
    return bytes(coder.packed_palette(content))


def unpacked_palette(data: bytes) -> bytes:
    """Invert :func:`packed_palette`.

    Raises:
        FormatError: the data are no such palette.
    """
    coder: Any = by_mark(GRAPHIC)
    return bytes(coder.unpacked_palette(data))


def name_of(mark: bytes) -> str:
    """Name what codes without a model, for people."""
    return by_mark(mark).NAME if mark in CODERS else "unknown"
