"""How fast the products of the pixel network are in each exact form: ``python experiments/photo/products.py``.

A layer of 128 units on 128 inputs, of 12 bits, with weights of 14 bits:

* ``float64``: a matrix product by BLAS, whose sums are integers below 2^53;
* ``float32``: the same in float32 with weights split in two and 64 inputs at a time, so that sums are below 2^24;
* ``int16``: the compiled kernel (:mod:`vaezip.exact.product16`), sums in 32 bits.

All must give the same integers. Rows are the pixels that are known at once: one for a decoder that goes pixel by pixel,
about 32 in its waves, many for an encoder. Writes ``products.json``, then ``README.md``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import readme
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from vaezip.bench import machine
from vaezip.exact import product16
from vaezip.exact.jit import jit

UNITS = 128
INPUT_BITS, WEIGHT_BITS = 12, 14
PART_BITS, PART_INPUTS = 7, 64
"""Of the two parts of a weight for float32, and inputs of one sum: 2^(12 + 6) · 64 = 2^24."""

ROWS = (1, 32, 1024)
RUNS = 9

Product = Callable[[], NDArray[Any]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the results")
    parser.add_argument("--seconds", type=float, default=0.2, help="of each run, of which there are several")
    options = parser.parse_args(arguments)
    with threadpool_limits(1):
        rows = [{"rows": n, "gmac_per_second": speeds(n, options.seconds)} for n in ROWS]
    run = machine.this_run()
    found = {"units": UNITS, "input_bits": INPUT_BITS, "weight_bits": WEIGHT_BITS, "rows": rows, "run": run}
    (options.out / "products.json").write_text(json.dumps(found, indent=1) + "\n")
    readme.write(options.out)
    print(json.dumps(rows, indent=1))


def speeds(rows: int, seconds: float) -> dict[str, float]:
    """10⁹ multiplications a second by form, medians of runs that take turns."""
    forms = products(rows)
    expected = forms["float64"]()
    for name, product in forms.items():
        if not np.array_equal(product(), expected):
            raise SystemExit(f"{name} gives other sums")
    taken: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(RUNS):
        for name, product in forms.items():
            taken[name].append(_time_of(product, seconds / RUNS))
    return {name: round(rows * UNITS**2 / statistics.median(times) / 1e9, 2) for name, times in taken.items()}


def products(rows: int) -> dict[str, Product]:
    """Each form, made ready: inputs and weights stand in its own types."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 1 << INPUT_BITS, (rows, UNITS))
    weight = rng.integers(-(1 << (WEIGHT_BITS - 1)), 1 << (WEIGHT_BITS - 1), (UNITS, UNITS))
    return {"float64": _double(x, weight), "float32": _split(x, weight), "int16": _compiled(x, weight)}


def _double(x: NDArray[Any], weight: NDArray[Any]) -> Product:
    doubles, columns = x.astype(np.float64), np.ascontiguousarray(weight.T, np.float64)
    return lambda: doubles @ columns


def _split(x: NDArray[Any], weight: NDArray[Any]) -> Product:
    high = (weight + (1 << (PART_BITS - 1))) >> PART_BITS
    parts = np.stack([high, weight - (high << PART_BITS)])
    cuts = [slice(i, i + PART_INPUTS) for i in range(0, UNITS, PART_INPUTS)]
    inputs = [np.ascontiguousarray(x[:, cut], np.float32) for cut in cuts]
    # both parts of the weights side by side: one product for each cut
    columns = [np.ascontiguousarray(parts[:, :, cut].reshape(2 * UNITS, -1).T, np.float32) for cut in cuts]

    def product() -> NDArray[Any]:
        sums = [(part @ column).astype(np.int32) for part, column in zip(inputs, columns)]
        total = sum(sums[1:], start=sums[0])
        return (total[:, :UNITS] << PART_BITS) + total[:, UNITS:]

    return product


def _compiled(x: NDArray[Any], weight: NDArray[Any]) -> Product:
    packed = product16.empty(*weight.shape)
    product16.pack(weight, packed)
    room = np.zeros((-(-len(x) // product16.ROWS) * product16.ROWS, UNITS), np.int16)
    room[: len(x)] = x
    out = np.empty((len(room), UNITS), np.int32)

    def product() -> NDArray[Any]:
        _called(len(x), room, packed, out)
        return out[: len(x)]

    return product


@jit
def _called(n, x, w, out):  # type: ignore[no-untyped-def]
    product16.product16(n, x, w, out)


def _time_of(product: Product, seconds: float) -> float:
    """Of one call, from as many as take so long."""
    calls, began = 0, time.perf_counter()
    while (taken := time.perf_counter() - began) < seconds or not calls:
        product()
        calls += 1
    return taken / calls


if __name__ == "__main__":
    main()
