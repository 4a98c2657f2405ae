"""Every error that vaezip raises on purpose.

Each message is one sentence that names the reason and, where there is one, the
remedy; the command line puts ``vaezip: FILE: `` before it.
"""


class VaezipError(Exception):
    """The root of all errors below."""


class ImageError(VaezipError):
    """A picture cannot be read, written or represented."""


class FormatError(VaezipError):
    """A ``.vz`` file is damaged, truncated, or of an unknown version or field."""


class ModelError(VaezipError):
    """A model is missing, unknown, damaged, or not executable exactly."""


class OutputError(VaezipError):
    """An output exists already, is the input, or cannot be written."""


class DataError(VaezipError):
    """A data set is missing, empty, or unfit for what was asked."""
