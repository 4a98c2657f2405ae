"""vaezip: lossless image compression by a variational auto-encoder and bits-back coding.

    >>> import numpy as np, vaezip
    >>> picture = vaezip.Picture("L", np.zeros((28, 28, 1), np.uint8))
    >>> data = vaezip.compress(picture)
    >>> vaezip.pictures.same(vaezip.decompress(data), picture)
    True

Nothing heavy is imported before it is used: the command line answers ``--help`` at once.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes time
if TYPE_CHECKING:
    from typing import Any

    from vaezip import batch, pictures
    from vaezip.codec.archive import Archive, decompress
    from vaezip.codec.archive import open_file as open
    from vaezip.codec.arrays import imread, imwrite
    from vaezip.codec.compress_options import Options
    from vaezip.codec.compressor import Compressor, compress
    from vaezip.codec.read_options import ReadOptions
    from vaezip.codec.warming import warm
    from vaezip.errors import DataError, FormatError, ImageError, ModelError, OutputError, VaezipError
    from vaezip.models.file import load as load_model
    from vaezip.pictures.picture import Picture

__version__ = "0.1.0"

__all__ = [
    "Archive",
    "Compressor",
    "DataError",
    "FormatError",
    "ImageError",
    "ModelError",
    "Options",
    "OutputError",
    "Picture",
    "ReadOptions",
    "VaezipError",
    "batch",
    "compress",
    "decompress",
    "imread",
    "imwrite",
    "load_model",
    "open",
    "pictures",
    "warm",
]

_HOMES = {
    "Archive": "codec.archive",
    "Compressor": "codec.compressor",
    "Options": "codec.compress_options",
    "ReadOptions": "codec.read_options",
    "compress": "codec.compressor",
    "decompress": "codec.archive",
    "imread": "codec.arrays",
    "imwrite": "codec.arrays",
    "open": "codec.archive",
    "load_model": "models.file",
    "warm": "codec.warming",
    "Picture": "pictures.picture",
}
_REAL_NAMES = {"open": "open_file", "load_model": "load"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vaezip' has no attribute '{name}'")
    if name in ("batch", "pictures"):
        return import_module(f"vaezip.{name}")
    home = import_module(f"vaezip.{_HOMES.get(name, 'errors')}")
    return getattr(home, _REAL_NAMES.get(name, name))


def __dir__() -> list[str]:
    return sorted({"__doc__", "__version__", *__all__})
