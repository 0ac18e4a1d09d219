"""The first kernel of imitation where windows overlap: two windows at a time.

Two windows of W frames, S apart, have W - S frames in common, whose products need to be summed only
once: W + S multiply-adds at a lag instead of 2 W. `overlap_panels` says how windows are put
together from parts, `overlap_tiles` does it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import ahead, exact, overlap_panels, overlap_tiles, sum_tiles
from bitbox.correlation.compiled import kernel
from bitbox.correlation.layout import LEAST, aligned
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Side = tuple[SingleArray, SingleArray, SingleArray, FloatArray]


def new_room(window: int, step: int, d: int, padded: tuple[int, int], lags: int) -> Any:
    """Return room for what `overlap_panels.fill` fills, of both persons; all 0."""

    def side(n: int, lags: int) -> Side:
        panel = aligned((window + step + 3 * (lags - 1)) * d, n, np.float32)
        inverse, between = (aligned(2 * lags * k, n, np.float32) for k in (1, d))
        return panel, inverse, between, aligned((6 + 3 * d) * lags, LEAST, np.float64)

    return side(padded[0], 1), side(padded[1], lags)


@kernel
def imitation(
    sides: Any,
    starts: IntArray,
    lags: tuple[IntArray, SingleArray],
    geometry: exact.Geometry,
    room: Any,
    out: tuple[SingleArray, SingleArray, IntArray],
    sums: FloatArray,
) -> None:
    """Do as `kernels.imitation`, for two windows or more, all as far apart.

    If there is anything odd about one of two windows, both are left. Of an odd number the last one
    is done together with the one before, which was done already.
    """
    (x, y), (column_x, n1, column_y, n2, d) = sides
    r, lag, odd = out
    (panel_x, inverse_x, between_x, _), (panel_y, inverse_y, between_y, _) = room
    registers, polarity, count = geometry.registers, np.int64(geometry.polarity), starts.size
    ends, n_lags = starts[1] - starts[0], lags[0].size
    middle = geometry.window - ends
    lowest, slots = np.int64(lags[1][0]) - lags[0][0], r.shape[0]
    for new in range(0, count, 2):
        w = min(new, count - 2)
        start = starts[w]
        at_x = start * d, column_x, max(n1, LEAST), d, 1, ends, middle, geometry.limit
        row_y = (start + lowest) * d
        at_y = row_y, column_y, max(n2, LEAST), d, n_lags, ends, middle, geometry.limit
        found = overlap_panels.fill(registers, x, room[0], at_x)
        found |= overlap_panels.fill(registers, y, room[1], at_y)
        first, second = w % slots, (w + 1) % slots
        odd[new : w + 2] = found
        if found == 0:
            own = r[first], lag[first], r[second], lag[second]
            of_x, of_y = (panel_x, inverse_x, between_x), (panel_y, inverse_y, between_y)
            end = start + geometry.window + ends
            coming = end, end + lowest + n_lags - 1, 2 * ends
            for j in range(0, r.shape[2], COLUMNS):
                ahead.fetch_some(sides, coming, j // COLUMNS, r.shape[2] // COLUMNS)
                for i in range(0, r.shape[1], ROWS):
                    at = i, j, ends, middle, d, polarity
                    overlap_tiles.imitation(registers, of_x, of_y, lags, own, at)
            if w < new and odd[w] != 0:  # with the window before it, so that it is done elsewhere
                r[first] = math.nan
        elif sums.size > 0:
            for k in range(new, w + 2):
                r[k % slots] = math.nan
        if sums.size > 0 and (second == slots - 1 or w + 2 == count):
            sum_tiles.add_windows(registers, r[: second + 1], lag[: second + 1], sums)
