"""Where arrays live: NumPy, or PyTorch on a device, behind one namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaezip.errors import ModelError

Array = Any
"""An array of the backend's namespace (the array API has no common type)."""


@dataclass(frozen=True)
class Backend:
    """An array namespace and a device.

    Attributes:
        xp: namespace of the Python array API: NumPy itself, or one of ``array_api_compat``.
        device: the device that the namespace understands.
    """

    xp: Any
    device: Any

    @property
    def compiled(self) -> bool:
        """Tell whether arrays are those of NumPy, which compiled functions take."""
        return bool(self.xp.__name__.endswith("numpy"))

    def asarray(self, values: ArrayLike, dtype: str) -> Array:
        """Copy values into a new array on the device; ``dtype`` is the name of a dtype of the namespace."""
        array = np.array(values).astype(dtype)
        return self.xp.asarray(array, device=self.device)

    def to_numpy(self, array: Array, dtype: type[np.generic] = np.int32) -> NDArray[Any]:
        """Copy the array to the host; exact where the values fit ``dtype``."""
        if self.xp.__name__.endswith("torch"):
            array = array.detach().cpu().numpy()
        return np.ascontiguousarray(array, dtype=dtype)

    def cast(self, array: Array, dtype: str) -> Array:
        """Convert ``array`` to ``dtype``, without a copy where it has that type already."""
        return self.xp.astype(array, getattr(self.xp, dtype), copy=False)


def backend(device: str = "cpu") -> Backend:
    """Open the backend of a device.

    Args:
        device: ``cpu`` (NumPy), ``torch`` (PyTorch on the CPU), ``cuda`` or ``cuda:N``.

    Raises:
        ModelError: PyTorch is not installed, or it sees no such device.
    """
    if device == "cpu":
        return Backend(_numpy(), "cpu")
    try:
        import torch
    except ImportError as error:
        raise ModelError(f"device {device} needs PyTorch", "torch") from error
    import array_api_compat.torch as torch_namespace

    if device.startswith("cuda"):
        if not torch.cuda.is_available():
            raise ModelError(f"device {device}: PyTorch sees no CUDA device", "cpu")
        # TF32 would round the operands of a product to 10 bits.
        torch.backends.cuda.matmul.allow_tf32 = False
        return _tested(Backend(torch_namespace, torch.device(device)))
    if device != "torch":
        raise ModelError(f"no device is called '{device}'; there are cpu and cuda")
    return _tested(Backend(torch_namespace, torch.device("cpu")))


def _numpy() -> Any:
    """Return NumPy, which keeps to the array API from 2.1 on, or else what makes up for that and is slower."""
    if hasattr(np, "__array_namespace_info__"):
        return np
    import array_api_compat.numpy as numpy_namespace

    return numpy_namespace


def _tested(b: Backend) -> Backend:
    """Refuse a backend that rounds: PyTorch can be told, by variables and switches of its own, to
    multiply in fewer bits than float32 has."""
    steps = np.arange(256, dtype=np.int64)
    left = (steps[:, None] * 37 + steps) % 4096
    right = (steps[:, None] + steps * 11) % 16
    for dtype in ("float32", "float64"):
        product = b.asarray(left, dtype) @ b.asarray(right, dtype)
        if not np.array_equal(b.to_numpy(product, np.int64), left @ right):
            raise ModelError("PyTorch multiplies matrices in reduced precision here; set it to the highest", "cpu")
    return b
