"""The panels of a single window, and what is doubtful about it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact
from bitbox.correlation.compiled import part
from bitbox.correlation.layout import LEAST

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Movements between which everything that is calculated stays within the range of numbers.
SMALL, LARGE = 1e-11, 1e11


@part
def places(
    sides: Any, at: tuple[int, int], geometry: exact.Geometry, lags: int, limit: float
) -> tuple[Any, Any]:
    """Return where `panels` finds x and y of a window, with all tables wanted.

    at = (first frame of x, of y).
    """
    _, (column_x, n1, column_y, n2, d) = sides
    width, need = geometry.window, geometry.need
    at_x = at[0] * d, column_x, max(n1, LEAST), width, d, need
    at_y = at[1] * d, column_y, max(n2, LEAST), width, d, need, lags, limit, 1
    return at_x, at_y


@part
def settle_doubts(
    sides: Any, at: tuple[int, int], width: int, room: Any, hard: tuple[Flags, Flags]
) -> bool:
    """Make doubtful windows NaN, and note the signals that are hard, those that are not still.

    Returns whether numbers of any are out of range. at = (first frame of x, of y).
    """
    (x, y), (column_x, n1, column_y, n2, d) = sides
    a, b = x.reshape(x.shape[0] // d, d, x.shape[1]), y.reshape(y.shape[0] // d, d, y.shape[1])
    (panel, _, flags_x, _, _), (_, inverse, _, squares, _, flags_y, _, norms, _) = room
    strange = False
    for i in range(n1):
        if flags_x[1, i] > 0.0:
            still, odd = settle(a[:, :, column_x + i], at[0], width)
            strange |= odd
            hard[0][i] |= not still
            panel[:, i] = math.nan
    for j in range(n2):
        for f in range(inverse.shape[0] if flags_y[1, j] > 0.0 else 0):
            if inverse[f, j] < 0.0:
                still, odd = settle(b[:, :, column_y + j], at[1] + f, width)
                strange |= odd
                hard[1][j] |= not still
                for table in (inverse, squares, norms):
                    table[f, j] = math.nan
    return strange


@part
def settle(signal: FloatArray, start: int, width: int) -> tuple[bool, bool]:
    """Return whether a doubtful window is still, and whether its numbers are out of range."""
    for k in range(start, start + width):
        for c in range(signal.shape[1]):
            if abs(signal[k, c]) == math.inf:
                return False, True
    moved = exact.spread(signal, start, signal, start, width)[2]
    return moved == 0.0, moved != 0.0 and not SMALL < moved < LARGE
