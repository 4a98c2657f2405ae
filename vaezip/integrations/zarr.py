"""The codec of Zarr 3: ``zarr.create_array(…, serializer=VaezipCodec())``."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from zarr.abc.codec import ArrayBytesCodec

from vaezip.codec.select import AUTO
from vaezip.errors import FormatError
from vaezip.integrations.chunks import DEFAULT_EFFORT, ChunkCoder

NAME = "vaezip.vz"
"""What the metadata of an array call it."""


@dataclass(frozen=True)
class VaezipCodec(ArrayBytesCodec):
    """Turn chunks of bool, uint8 and uint16 into bytes without loss: the last two axes are a picture.

    Attributes:
        coder: what it does.
    """

    is_fixed_size = False
    coder: ChunkCoder

    def __init__(
        self,
        *,
        effort: int = DEFAULT_EFFORT,
        model: str | os.PathLike[str] = AUTO,
        fingerprint: str | None = None,
        channel_axis: int | None = None,
    ) -> None:
        """Begin a codec; see :class:`vaezip.integrations.numcodecs.VaezipCodec`.

        Raises:
            ModelError: there is no such model, and no fingerprint was given.
        """
        coder = ChunkCoder(effort, os.fspath(model), fingerprint, channel_axis).settled()
        object.__setattr__(self, "coder", coder)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> VaezipCodec:
        """Return the codec that the metadata of an array describe."""
        return cls(**data.get("configuration", {}))

    def to_dict(self) -> dict[str, Any]:
        """Return what the metadata of an array keep of it."""
        return {"name": NAME, "configuration": self.coder.configuration()}

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        """Refuse an array whose chunks are no pictures.

        Raises:
            ImageError: the type or the number of axes is none of pictures.
        """
        self.coder.check(dtype.to_native_dtype(), len(shape))

    async def _encode_single(self, chunk_array: Any, chunk_spec: Any) -> Any:
        data = await asyncio.to_thread(self.coder.encode, chunk_array.as_numpy_array())
        return chunk_spec.prototype.buffer.from_bytes(data)

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        found = await asyncio.to_thread(self.coder.decode, chunk_bytes.to_bytes())
        dtype = chunk_spec.dtype.to_native_dtype()
        if found.size != np.prod(chunk_spec.shape) or found.dtype != dtype.newbyteorder("="):
            raise FormatError(f"a chunk of {found.dtype} and {found.shape} stands where {chunk_spec.shape} is expected")
        return chunk_spec.prototype.nd_buffer.from_numpy_array(
            found.reshape(chunk_spec.shape).astype(dtype, copy=False)
        )

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        """Refuse to tell how many bytes a chunk takes, which only its pixels tell.

        Raises:
            NotImplementedError: always, as Zarr asks for.
        """
        raise NotImplementedError
