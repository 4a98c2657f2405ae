"""Arithmetic whose results do not depend on the machine: the rule of exactness in code.

:mod:`affine` holds integer matrix products and their transposes, :mod:`elementwise`
correctly rounded element-wise mathematics, :mod:`tables` the integer tables that stand
for transcendental functions. They run alike on NumPy and on PyTorch (CPU and CUDA) by the
Python array API. :mod:`narrow` is compiled, for NumPy, with the results of :mod:`affine`;
:mod:`product16`, :mod:`shifts`, :mod:`triangles` and :mod:`cholesky` are for compiled kernels. See
``docs/exactness.md`` for the argument.
"""

from vaezip.exact.affine import Affine, Convolution
from vaezip.exact.backend import Backend, backend
from vaezip.exact.layer import Layer

__all__ = ["Affine", "Backend", "Convolution", "Layer", "backend"]
