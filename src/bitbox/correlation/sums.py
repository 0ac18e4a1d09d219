"""Sums over windows, and the values of every window, from what the tiles wrote."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.compiled import kernel

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]

#: Windows that are added up at a time: few enough for seven digits of their sums in float32.
GROUP = 8


@kernel
def add_windows(r: SingleArray, lag: SingleArray, sums: FloatArray) -> None:
    """Add the defined correlations of some windows to (5, n1, n2).

    These are count, and sums of r, of its magnitude, of its square, and of lags.
    """
    n, windows = r.shape[2], r.shape[0]
    count, size, lags = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    for begin in range(0, windows, GROUP):
        for i in range(r.shape[1]):
            count[:], size[:], lags[:] = 0.0, 0.0, 0.0
            total, square = sums[1, i], sums[3, i]  # which need all digits
            for w in range(begin, min(begin + GROUP, windows)):
                values, found = r[w, i], lag[w, i]
                for j in range(n):
                    value, known = values[j], values[j] == values[j]
                    value = value if known else np.float32(0.0)
                    count[j] += np.float32(1.0) if known else np.float32(0.0)
                    size[j] += abs(value)
                    lags[j] += found[j] if known else np.float32(0.0)
                    total[j] += value
                    square[j] += np.float64(value) * np.float64(value)
            for j in range(n):
                sums[0, i, j] += count[j]
                sums[2, i, j] += size[j]
                sums[4, i, j] += lags[j]


@kernel
def unpack(
    r: SingleArray, lag: SingleArray, fps: float, out: tuple[SingleArray, FloatArray]
) -> None:
    """Copy correlations, and lags in seconds, without the padding; NaN where undefined."""
    for w in range(out[0].shape[0]):
        for i in range(out[0].shape[1]):
            values, lags, source, frames = out[0][w, i], out[1][w, i], r[w, i], lag[w, i]
            for j in range(values.size):
                values[j] = source[j]
            for j in range(values.size):
                lags[j] = frames[j] / fps if source[j] == source[j] else math.nan
