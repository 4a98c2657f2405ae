"""vaezip: lossless image compression by a variational auto-encoder and bits-back coding.

    >>> import numpy as np, vaezip
    >>> picture = vaezip.Picture("L", np.zeros((28, 28, 1), np.uint8))
    >>> data = vaezip.compress(picture)
    >>> vaezip.images.same(vaezip.decompress(data), picture)
    True

Nothing heavy is imported before it is used: the command line answers ``--help`` at once.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes time
if TYPE_CHECKING:
    from typing import Any

    from vaezip import images
    from vaezip.checkpoint import load as load_model
    from vaezip.codec import Archive, Compressor, compress, decompress
    from vaezip.codec import open_file as open
    from vaezip.errors import DataError, FormatError, ImageError, ModelError, OutputError, VaezipError
    from vaezip.images import Picture

__version__ = "0.1.0"

__all__ = [
    "Archive",
    "Compressor",
    "DataError",
    "FormatError",
    "ImageError",
    "ModelError",
    "OutputError",
    "Picture",
    "VaezipError",
    "compress",
    "decompress",
    "images",
    "load_model",
    "open",
]

_HOMES = {
    "Archive": "codec",
    "Compressor": "codec",
    "compress": "codec",
    "decompress": "codec",
    "open": "codec",
    "load_model": "checkpoint",
    "Picture": "images",
}
_REAL_NAMES = {"open": "open_file", "load_model": "load"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vaezip' has no attribute '{name}'")
    if name == "images":
        return import_module("vaezip.images")
    home = import_module(f"vaezip.{_HOMES.get(name, 'errors')}")
    return getattr(home, _REAL_NAMES.get(name, name))
