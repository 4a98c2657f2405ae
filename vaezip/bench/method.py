"""Define methods: anything that turns pictures into files and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from vaezip.errors import VaezipError
from vaezip.pictures.picture import Picture

Named = tuple[str, Picture]


class MismatchError(VaezipError):
    """Report that a method did not give a picture back bit for bit."""


class UnavailableError(VaezipError):
    """Report that a method cannot run here, or cannot hold such pictures; the reason names the remedy, if any."""


class Method(Protocol):
    """Turn pictures into files and back without loss. Only :meth:`encode` and :meth:`decode` are timed.

    Attributes:
        name: for the report.
        suffix: of its files.
        verifies: whether compressing can include decoding and comparing.
    """

    name: str
    suffix: str
    verifies: bool

    def prepare(self, pictures: Sequence[Named]) -> Any:
        """Put a set, or one picture whose name is "", into the form that the codec takes."""

    def encode(self, prepared: Any, verify: bool) -> list[bytes]:
        """Make the files, as small as the method can.

        Args:
            prepared: of :meth:`prepare`.
            verify: whether to decode again and compare, where the method can.
        """

    def decode(self, files: Sequence[bytes], prepared: Any) -> Any:
        """Read what the files hold.

        Args:
            files: of :meth:`encode`.
            prepared: for modes that the files do not tell.
        """

    def restore(self, decoded: Any, pictures: Sequence[Named]) -> list[Picture]:
        """Give the pictures back, in the order that they were given to :meth:`prepare`."""
