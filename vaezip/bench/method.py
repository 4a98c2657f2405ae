"""What is measured: anything that turns pictures into files and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from vaezip.errors import VaezipError
from vaezip.pictures.picture import Picture

Named = tuple[str, Picture]


class MismatchError(VaezipError):
    """A method did not give a picture back bit for bit."""


class UnavailableError(VaezipError):
    """A method cannot run here, or cannot hold such pictures; the reason, with the remedy where there is one."""


class Method(Protocol):
    """A lossless codec. Only :meth:`encode` and :meth:`decode` are timed.

    Attributes:
        name: for the report.
        suffix: of its files.
        verifies: whether compressing can include decoding and comparing.
    """

    name: str
    suffix: str
    verifies: bool

    def prepare(self, pictures: Sequence[Named]) -> Any:
        """A set, or one picture whose name is "", in the form that the codec takes."""

    def encode(self, prepared: Any, verify: bool) -> list[bytes]:
        """The files, as small as the method makes them.

        Args:
            prepared: of :meth:`prepare`.
            verify: whether to decode again and compare, where the method can.
        """

    def decode(self, files: Sequence[bytes], prepared: Any) -> Any:
        """What the files hold.

        Args:
            files: of :meth:`encode`.
            prepared: for modes that the files do not tell.
        """

    def restore(self, decoded: Any, pictures: Sequence[Named]) -> list[Picture]:
        """The pictures back, in the order that they were given to :meth:`prepare`."""
