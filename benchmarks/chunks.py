"""Measure chunks of arrays: stacks of microscopes in Zarr, by ours, by blosc and by JPEG XL.

``python benchmarks/chunks.py --folders DIR`` takes ``DIR/pictures/deep``, and writes ``results/chunks.json`` and
``results/chunks.md`` beside this file. Every array is read back and compared. Speeds are those of a core.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

import vaezip
from vaezip.bench import machine

RESULTS = Path(__file__).parent / "results"
STACKS = {
    "stack_cancer_cell_migration_crop.tif": ((16, 128, 128), ((1, 128, 128), (8, 128, 128))),
    "stack_membrane_2d_timelapse.tif": ((4, 256, 256), ((1, 128, 128), (1, 256, 256), (4, 256, 256))),
    "micro_bpae_actin.png": ((1, 512, 768), ((1, 128, 128), (1, 256, 256))),
}
"""How much of each, so that it falls into whole chunks, and which."""

EFFORTS = (1, 2, 4)


def blosc() -> dict[str, Any]:
    """Return how Zarr is to write an array by blosc, as people set it for such arrays."""
    return {"compressors": zarr.codecs.BloscCodec(cname="zstd", clevel=9, shuffle="bitshuffle")}


def ours(effort: int) -> dict[str, Any]:
    """Return how Zarr is to write an array by ours."""
    codec = {"name": "vaezip.vz", "configuration": {"effort": effort}}
    return {"serializer": codec, "compressors": None}


def by_zarr(array: NDArray[Any], chunk: tuple[int, ...], options: dict[str, Any]) -> dict[str, Any]:
    """Write an array and read it back."""
    store = zarr.storage.MemoryStore()
    made = zarr.create_array(store, shape=array.shape, chunks=chunk, dtype=array.dtype, **options)
    began = time.process_time()
    made[:] = array
    between = time.process_time()
    assert np.array_equal(made[:], array)
    ended = time.process_time()
    metadata = len(json.dumps(made.metadata.to_dict(), default=str))
    return result(array, made.nbytes_stored() - metadata, between - began, ended - between)


def by_jpeg_xl(array: NDArray[Any], chunk: tuple[int, ...], effort: int = 7) -> dict[str, Any]:
    """Code the pictures of each chunk, each alone, for JPEG XL codes no stacks; Zarr's own bytes are left out."""
    parts = [
        np.ascontiguousarray(array[z, y : y + chunk[1], x : x + chunk[2]])
        for z in range(array.shape[0])
        for y in range(0, array.shape[1], chunk[1])
        for x in range(0, array.shape[2], chunk[2])
    ]
    began = time.process_time()
    coded = [imagecodecs.jpegxl_encode(part, lossless=True, effort=effort, numthreads=1) for part in parts]
    between = time.process_time()
    assert all(np.array_equal(imagecodecs.jpegxl_decode(data, numthreads=1), part) for data, part in zip(coded, parts))
    ended = time.process_time()
    return result(array, sum(map(len, coded)), between - began, ended - between)


def result(array: NDArray[Any], size: int, encoding: float, decoding: float) -> dict[str, Any]:
    """Return the figures of one way to code an array."""
    bits, megabytes = 8 * size / array.size, array.nbytes / 1e6
    speeds = {"encode_mb_s": round(megabytes / encoding, 3), "decode_mb_s": round(megabytes / decoding, 3)}
    return {"bytes": size, "bits_per_sample": round(bits, 4), **speeds}


def arrays(folder: Path) -> dict[str, NDArray[Any]]:
    """Return the stacks, of three axes each."""
    found = {}
    for name, ((depth, height, width), _) in STACKS.items():
        read = tifffile.imread if name.endswith(".tif") else vaezip.imread
        array = read(folder / name)
        found[name] = array.reshape(-1, *array.shape[-2:])[:depth, :height, :width]
    return found


def page(found: dict[str, Any]) -> str:
    """Return the table."""
    lines = ["# Chunks of arrays of 16 bits", "", "Made by `benchmarks/chunks.py`; MB/s of one core. Ours decodes each"]
    lines += ["chunk again and compares while it encodes.", ""]
    lines += ["| stack | chunk | codec | bytes | bits a sample | encode, MB/s | decode, MB/s |", "|-|-|-|-|-|-|-|"]
    for row in found["rows"]:
        what = f"| {row['array']} {tuple(row['shape'])} | {tuple(row['chunk'])} | {row['codec']} | {row['bytes']:,} | "
        speeds = f"{row['encode_mb_s']:.3f} | {row['decode_mb_s']:.3f} |"
        lines.append(f"{what}{row['bits_per_sample']:.3f} | {speeds}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folders", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="a part of each stack")
    parser.add_argument("--result", type=Path, help="the JSON to write")
    options = parser.parse_args()
    options.result = options.result or RESULTS / f"chunks{'-quick' if options.quick else ''}.json"
    zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1})
    vaezip.compress(np.add.outer(np.arange(99), np.arange(80)).astype(np.uint16), preset=4)  # to compile
    rows = []
    for name, array in arrays(options.folders / "pictures" / "deep").items():
        some = array[:4, :256, :256] if options.quick else array
        for chunk in STACKS[name][1]:
            known = {"array": name, "shape": list(some.shape), "dtype": some.dtype.name, "chunk": list(chunk)}
            measured = {"blosc zstd 9, bitshuffle": by_zarr(some, chunk, blosc()), "JPEG XL 7": by_jpeg_xl(some, chunk)}
            measured |= {f"vaezip {effort}": by_zarr(some, chunk, ours(effort)) for effort in EFFORTS}
            rows += [{**known, "codec": codec, **figures} for codec, figures in measured.items()]
            print(json.dumps(rows[-len(measured) :]), flush=True)
    found = {**machine.this_run(), "zarr": zarr.__version__, "rows": rows}
    options.result.write_text(json.dumps(found, indent=1) + "\n")
    options.result.with_suffix(".md").write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
