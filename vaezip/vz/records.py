"""The records of a ``.vz`` file: blocks, groups of pictures, embedded models."""

from __future__ import annotations

from dataclasses import dataclass, field

from vaezip.errors import FormatError
from vaezip.vz import limits
from vaezip.vz.wire import inflated

VERSION = 5

REVISION = 9
"""Of a draft: until release 0.2 freezes the format, each change raises it, and a reader takes no other."""

NO_MODEL = bytes(4)
"""Stands in the place of a model's fingerprint for a block that holds bytes, and no pixels."""

_RESERVED = bytes(3)
"""How the marks of coders without a model file begin; no model may have such a fingerprint."""


def has_model(mark: bytes) -> bool:
    """Tell whether what stands in the place of a fingerprint is one, and not the mark of a coder without a model."""
    return not mark.startswith(_RESERVED)


Box = tuple[int, bytes]
"""The number of a tag, and content."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some pictures of a group that were coded together, or one file as it was.

    Attributes:
        model: fingerprint of the model, or the mark of a coder without one, such as :data:`NO_MODEL`.
        payload: the coded pixels.
    """

    model: bytes
    payload: bytes


LOST = Block(NO_MODEL, b"")
"""Stands in the place of a block that could not be recovered; it does not decode."""


@dataclass(slots=True)
class Group:
    """Pictures of one mode and size, which share blocks.

    A block holds ``per_block`` whole pictures, or, where ``band`` < ``height``, ``band`` rows
    of one picture.

    Attributes:
        mode: number of the mode.
        height, width: in pixels; 0 in an inline file whose picture is of its model's own size.
        names: one a picture, in the order of coding; [""] in an inline file.
        boxes: per picture, (number of the tag, content).
        blocks: in the order of coding.
        times: per picture, the seconds since 1970 at which it was modified, or None; [] where the file tells none.
    """

    mode: int
    height: int
    width: int
    per_block: int = 1
    band: int = 0
    names: list[str] = field(default_factory=list)
    boxes: list[tuple[Box, ...]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    times: list[int | None] = field(default_factory=list)

    @property
    def bands(self) -> int:
        """Blocks a picture, 1 where a block holds whole pictures."""
        return -(-self.height // self.band) if self.height else 1

    @property
    def block_count(self) -> int:
        """How many blocks its pictures fill."""
        return -(-len(self.names) // self.per_block) * self.bands


@dataclass(frozen=True)
class Embedded:
    """A model that an archive holds.

    Attributes:
        packed: its file, as :func:`packed_model` gives it.
        intact: whether that has its checksum; where not, blocks without this model still decode.
    """

    packed: bytes
    intact: bool

    def unpack(self) -> bytes:
        """The model file.

        Raises:
            FormatError: it is damaged or too large.
        """
        if not self.intact:
            raise FormatError("the model in the file is damaged")
        return inflated(self.packed, "the model in the file", limits.MAX_MODEL)


@dataclass(frozen=True)
class File:
    """A parsed file.

    Attributes:
        inline: whether it is of the inline layout.
        header: the bytes before the payload of an inline file; its checksum covers them.
        groups: what it holds.
        model_names: by fingerprint, as far as the file tells.
        embedded: models that it holds, by fingerprint.
        damaged_indices: where indices stand that are damaged; the directory, which is whole, needs none of them.
    """

    inline: bool
    header: bytes
    groups: list[Group]
    model_names: dict[bytes, str]
    embedded: dict[bytes, Embedded] = field(default_factory=dict)
    damaged_indices: list[int] = field(default_factory=list)
