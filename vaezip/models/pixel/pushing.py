"""Compute the intervals of known pixels by the mixtures of the pixel network, compiled: what an encoder pushes.

The order is that of :func:`vaezip.models.pixel.kernel.pop_strip`, and so are the mixtures once they are calibrated.
"""

from __future__ import annotations

import numpy as np

from vaezip.entropy import kernels
from vaezip.exact.jit import borrowing, jit
from vaezip.models.pixel import calibration
from vaezip.models.pixel.constants import CHUNK, LAG, RADIUS
from vaezip.models.pixel.kernel import wave_rows, waves_of_segments


@jit
def intervals(frame, top, rows, order, found, tables, calibrator, inputs, starts, freqs):
    """Compute the intervals of the values of a strip by mixtures of the networks, which are calibrated on the way.

    Args: as of :func:`vaezip.models.pixel.kernel.pop_strip`, and
        order: the channels in the order of coding.
        found: of :func:`vaezip.models.pixel.kernel.mixtures`.
        starts, freqs: int64, one for each value, filled.
    """
    out = np.zeros((CHUNK, 3), np.int64), np.zeros((CHUNK, 2), np.int64), starts, freqs
    if calibrator.move.shape[0] > 0:
        _write_pixels(frame, top, rows, order, found, tables, calibrator, inputs, out, True)
    _write_pixels(frame, top, rows, order, found, tables, calibrator, inputs, out, False)


@borrowing
def _write_pixels(frame, top, rows, order, found, tables, calibrator, inputs, out, errors):
    """Go through the pixels in the order of coding, CHUNK by CHUNK, and write their errors, or else their intervals.

    Errors depend on no calibration. Once all are known, the pixels of all waves between two steps of the calibration
    are independent of one another, and are computed together.
    """
    pictures, width = frame.shape[0], frame.shape[2] - 2 * RADIUS
    (at, symbols, _, _), filled, done = out, 0, 0
    for wave in range(waves_of_segments(rows, width)):
        if wave % LAG == 0:
            _write_chunk(filled, frame, order, found, tables, calibrator, inputs, out, errors)
            filled = 0
            if calibrator.move.shape[0] > 0 and not errors:
                calibration.step(calibrator)
        low, count = wave_rows(wave, rows, width)
        for begin in range(0, pictures * count, CHUNK):
            n = min(CHUNK, pictures * count - begin)
            if filled + n > CHUNK:
                _write_chunk(filled, frame, order, found, tables, calibrator, inputs, out, errors)
                filled = 0
            for p in range(begin, begin + n):
                row = low + p % count
                at[filled, 0], at[filled, 1] = p // count, top + RADIUS + row
                at[filled, 2] = RADIUS + wave - LAG * row
                symbols[filled, 0], symbols[filled, 1] = done + p - begin, n
                filled += 1
            done += n * order.size
    _write_chunk(filled, frame, order, found, tables, calibrator, inputs, out, errors)


@borrowing
def _write_chunk(n, frame, order, found, tables, calibrator, inputs, out, errors):
    """Write the errors of n pixels, or else their intervals."""
    (at, symbols, starts, freqs), (w, m, s) = out, inputs.mixtures
    for j in range(order.size):
        for p in range(n):
            inputs.values[p] = frame[at[p, 0], at[p, 1], at[p, 2], order[j]]
            mixture = found[symbols[p, 0] + j * symbols[p, 1]]
            for k in range(w.shape[0]):
                w[k, p], m[k, p], s[k, p] = mixture[0, k], mixture[1, k], mixture[2, k]
        if errors:
            calibration.write_moments(n, tables, inputs)
            calibration.note_errors(n, j, calibrator, at, inputs)
            continue
        if calibrator.move.shape[0] > 0:
            calibration.calibrate(n, j, calibrator, frame, order, at, tables, inputs)
            calibration.observe(n, j, calibrator, tables, inputs)
        for p in range(n):
            symbol, value, of = symbols[p, 0] + j * symbols[p, 1], inputs.values[p], (m[:, p], s[:, p], w[:, p])
            starts[symbol] = kernels.cdf_mixture(value, *of, tables.cdf, tables.scales)
            freqs[symbol] = kernels.cdf_mixture(value + 1, *of, tables.cdf, tables.scales) - starts[symbol]
