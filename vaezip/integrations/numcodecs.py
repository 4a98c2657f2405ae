"""The codec of numcodecs, and so of Zarr 2: ``numcodecs.get_codec({"id": "vaezip"})``, or ``VaezipCodec()``."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_bytes, ndarray_copy
from numpy.typing import NDArray

from vaezip.codec.select import AUTO
from vaezip.errors import ImageError
from vaezip.integrations.chunks import DEFAULT_EFFORT, ChunkCoder


class VaezipCodec(Codec):
    """Compress chunks of bool, uint8 and uint16 without loss: the last two axes are a picture.

    Attributes:
        codec_id: its name in the metadata of an array.
        coder: what it does.
    """

    codec_id = "vaezip"

    def __init__(
        self,
        *,
        effort: int = DEFAULT_EFFORT,
        model: str | os.PathLike[str] = AUTO,
        fingerprint: str | None = None,
        channel_axis: int | None = None,
    ) -> None:
        """Begin a codec.

        Args:
            effort: 1 (fast) … 9 (small).
            model: a shipped model's name, the path of a model file, or whatever is smallest.
            fingerprint: of the model; it is looked up, and then stored with the array.
            channel_axis: which axis holds the colours of a pixel, -1 or one before height and width; None for none.

        Raises:
            ModelError: there is no such model, and no fingerprint was given.
        """
        self.coder = ChunkCoder(effort, os.fspath(model), fingerprint, channel_axis).settled()

    def get_config(self) -> dict[str, Any]:
        """Return what the metadata of an array keep of it."""
        return {"id": self.codec_id, **self.coder.configuration()}

    def encode(self, buf: Any) -> bytes:
        """Return the ``.vz`` file of a chunk; of one in Fortran's order, whose memory holds its transpose, of that.

        Raises:
            ImageError: its type or its shape is none of pictures.
            ModelError: the model is missing.
        """
        chunk = np.asarray(buf)
        if not chunk.dtype.isnative:
            raise ImageError(f"chunks of {chunk.dtype.str} cannot be coded on this machine; use {chunk.dtype.name}")
        if chunk.flags.f_contiguous and not chunk.flags.c_contiguous:
            if self.coder.channel_axis is not None:
                raise ImageError("chunks in Fortran's order cannot have an axis of channels")
            chunk = chunk.T
        return self.coder.encode(chunk)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Return a chunk, in the order of its memory; leading axes of length 1 may lack.

        Raises:
            FormatError: it is damaged.
            ModelError: the model that it was made with is not here.
        """
        found: NDArray[Any] = self.coder.decode(ensure_bytes(buf))
        return found if out is None else ndarray_copy(found, out)
