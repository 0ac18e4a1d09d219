"""The kernel of imitation for windows that nothing is odd about, and sums over windows.

r at one lag is a sum of products, sum(z y) / norm(y), where z is the window of x about its mean,
scaled to norm 1. What is odd about a window is found on the way; `careful` does those windows.

Sides are ``((x, y), (first column of x, signals of x, first column of y, signals of y,
coordinates))``, arrays as in `moments`. Lags are their first frames in y's panel and their values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import moments, tiles
from bitbox.correlation.compiled import kernel, part
from bitbox.correlation.geometry import COLUMNS, LEAST, ROWS, Geometry
from bitbox.correlation.moments import Panel

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Array = NDArray[Any]
Sides = tuple[tuple[FloatArray, FloatArray], tuple[int, int, int, int, int]]
Lags = tuple[IntArray, Array]

#: Windows that are added up at a time, while the processor has them at hand; few enough for seven
#: digits of their sums in float32.
GROUP = 8


@part
def first_frames(start: int, lags: Lags, geometry: Geometry) -> tuple[int, int]:
    """Return the first frames of a window's stretches of x and y."""
    if geometry.coordination:
        return start - geometry.max_lag, start - geometry.max_lag
    return start, start + np.int64(lags[1][0]) - lags[0][0]


@part
def fill(
    sides: Sides, start: int, lags: Lags, geometry: Geometry, panels: tuple[Panel, Panel], all_: Any
) -> tuple[int, int]:
    """Fill both persons' panels of a window; return what was found of x, and of y.

    all_ : whether all moments are wanted
    """
    (x, y), (column_x, n1, column_y, n2, d) = sides
    width, need, every, limit = geometry.window, geometry.need, 0, math.inf
    first_x, first_y = first_frames(start, lags, geometry)
    if not geometry.coordination:
        every = (width + panels[1].inverse.shape[0] - 1) // moments.SAMPLES + 1
        limit = geometry.limit
    at_x = first_x, column_x, max(n1, LEAST), width, d, need, 0, all_, math.inf
    at_y = first_y, column_y, max(n2, LEAST), width, d, need, every, all_, limit
    found = moments.fill(geometry.registers, x, panels[0], at_x)
    return found, moments.fill(geometry.registers, y, panels[1], at_y)


@kernel
def imitation(
    sides: Sides,
    starts: IntArray,
    lags: Lags,
    geometry: Geometry,
    panels: tuple[Panel, Panel],
    out: tuple[SingleArray, SingleArray, IntArray],
    sums: FloatArray,
) -> None:
    """Fill ``out = (r, lag, odd)`` for the windows that nothing is odd about, in float32.

    r, lag : (windows, n1, n2); odd : (windows,): what `moments.fill` found, 0 for the windows that
    are done. With sums, windows are added to them as soon as r and lag are full.
    """
    r, lag, odd = out
    d, held = sides[1][4], 0
    terms, polarity = geometry.window * d, np.int64(geometry.polarity)
    for w in range(starts.size):
        found_x, found_y = fill(sides, starts[w], lags, geometry, panels, np.int64(0))
        odd[w] = found_x | found_y
        slot = held if sums.size > 0 else w
        if odd[w] == 0:
            own = r[slot], lag[slot]
            for j in range(0, r.shape[2], COLUMNS):
                for i in range(0, r.shape[1], ROWS):
                    at = i, j, terms, d, polarity
                    tiles.imitation(geometry.registers, panels[0], panels[1], lags, own, at)
            held += 1
        if sums.size > 0 and held > 0 and (held == r.shape[0] or w == starts.size - 1):
            add_windows(r[:held], lag[:held], sums)
            held = 0


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
