"""The kernel of coordination, where both windows move, for tiles without missing frames.

It finds what is odd about windows on the way; `careful` does tiles with missing frames.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import sliding
from bitbox.correlation.careful import PLAIN, Results, classify, holds, prepare
from bitbox.correlation.compiled import kernel, part
from bitbox.correlation.geometry import COLUMNS, ROWS, Geometry
from bitbox.correlation.imitation import IntArray, Lags, Sides
from bitbox.correlation.moments import Panel, aligned

Array = NDArray[Any]
Changes = tuple[Array, Array]


def new_changes(panel: Panel, d: int) -> Changes:
    """Return room for what enters and leaves at every shift."""
    shifts, n = panel.inverse.shape
    dtype = panel.values.dtype.type
    return aligned(shifts * d, n, dtype), aligned(shifts * d, n, dtype)


@kernel
def coordination(
    sides: Sides,
    starts: IntArray,
    lags: Lags,
    geometry: Geometry,
    room: tuple[tuple[Panel, Panel], tuple[Changes, Changes]],
    out: Results,
    state: int,
) -> int:
    """Do the tiles of some windows that are in a state; return what was found.

    In float32 (PLAIN) the states are found first.
    """
    (x, y), (changes_x, changes_y) = room
    r, lag, states, redo, hard_x, hard_y = out
    d, shifts, found = sides[1][4], 2 * geometry.max_lag + 1, 0
    polarity = np.int64(geometry.polarity)
    for w in range(starts.size):
        if state != PLAIN and not holds(states[w], state):
            continue
        found |= prepare(sides, starts[w], lags, geometry, (x, y), (hard_x[w], hard_y[w]))
        if state == PLAIN:
            redo[w] = 0
            classify(geometry, (x, y), states[w])
        fill_changes(x.values, (geometry.window, d), changes_x)
        fill_changes(y.values, (geometry.window, d), changes_y)
        of_x = x.values, x.inverse, changes_x[0], changes_x[1]
        of_y = y.values, y.inverse, changes_y[0], changes_y[1]
        for j in range(states.shape[2]):
            for i in range(states.shape[1]):
                if states[w, i, j] == state:
                    at = i * ROWS, j * COLUMNS, geometry.window, d, shifts, polarity
                    own = r[w], lag[w]
                    sliding.coordination(geometry.registers, of_x, of_y, lags, own, at)
    return found


@part
def fill_changes(values: Array, shape: tuple[int, int], out: Changes) -> None:
    """Fill what enters and leaves at every shift but the last, less the mean of what stays.

    Both sides get the root of (W - 1) / W.
    """
    width, d = shape
    entering, leaving = out
    share = math.sqrt((width - 1) / width)
    n = values.shape[1]
    total, shared = np.zeros((d, n)), np.empty(n)
    for k in range(width * d):
        row, sums = values[k], total[k % d]
        for j in range(n):
            sums[j] += row[j]
    for k in range(values.shape[0] - width * d):
        new, old, sums = values[k + width * d], values[k], total[k % d]
        enter, leave = entering[k], leaving[k]
        for j in range(n):
            shared[j] = (sums[j] - old[j]) / (width - 1)
            sums[j] += np.float64(new[j]) - old[j]
        for j in range(n):
            enter[j] = (new[j] - shared[j]) * share
            leave[j] = (old[j] - shared[j]) * share
