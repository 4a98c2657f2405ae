"""FITS files, made by a few lines."""

import numpy as np

BITPIX = {"u1": 8, "i2": 16, "i4": 32, "i8": 64, "f4": -32, "f8": -64}


def padded(data, filler=b"\0"):
    return data + filler * (-len(data) % 2880)


def header(*cards, extension=None, bitpix=8, shape=()):
    """A header, and no data."""
    first = [("XTENSION", f"'{extension:8}'")] if extension else [("SIMPLE", "T")]
    axes = [(f"NAXIS{i + 1}", axis) for i, axis in enumerate(reversed(shape))]
    groups = [("PCOUNT", 0), ("GCOUNT", 1)] if extension else []
    every = [*first, ("BITPIX", bitpix), ("NAXIS", len(shape)), *axes, *groups, *cards]
    lines = [f"{name:8}= {value!s:>20}" for name, value in every]
    return padded("".join(f"{line:80}" for line in [*lines, "END"]).encode(), b" ")


def fits(array, extension=None, **cards):
    """A FITS file, or an extension of one, of an array in the byte order of FITS."""
    array = np.asarray(array)
    array = array.astype(array.dtype.newbyteorder(">"))
    head = header(*cards.items(), extension=extension, bitpix=BITPIX[array.dtype.str[1:]], shape=array.shape)
    return head + padded(array.tobytes())
