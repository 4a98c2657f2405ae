"""Every error that vaezip raises on purpose.

The text of an error is one sentence that names the reason. Where there is a remedy that a caller can take, the error
carries its key; the command line words it with its own options (``vaezip/cli/remedies.py``), and puts
``vaezip: FILE: `` before the sentence.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes time
if TYPE_CHECKING:
    from typing import Any


class VaezipError(Exception):
    """The root of all errors below.

    Attributes:
        remedy: the key of what the caller can do, or None.
    """

    def __init__(self, reason: str, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.remedy)

    def behind(self, circumstance: str) -> VaezipError:
        """Return the same error with a circumstance before its reason."""
        return type(self)(f"{circumstance}: {self}", self.remedy)


class ImageError(VaezipError):
    """A picture cannot be read, written or represented."""


class SeveralError(ImageError):
    """A file holds several pictures of equal rank where one is asked for."""


class FormatError(VaezipError):
    """A ``.vz`` file is damaged, truncated, or of an unknown version or field."""


class MissingError(FormatError, KeyError, IndexError):
    """A ``.vz`` file holds no such picture."""

    def __str__(self) -> str:  # that of a KeyError is in quotes
        return str(self.args[0])


class IncompleteError(FormatError):
    """A part of a picture is lost.

    Attributes:
        picture: what is left of it: a :class:`vaezip.Picture`.
    """

    def __init__(self, reason: str, picture: Any, remedy: str | None = None) -> None:
        super().__init__(reason, remedy)
        self.picture = picture

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.picture, self.remedy)


class ModelError(VaezipError):
    """A model is missing, unknown, damaged, or not executable exactly."""


class OutputError(VaezipError):
    """An output exists already, is the input, or cannot be written."""


class DataError(VaezipError):
    """A data set is missing, empty, or unfit for what was asked."""
