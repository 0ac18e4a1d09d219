"""The fast kernels of coordination, where both windows move.

As in `kernels`: float32 first, float64 for the tiles that it reports, and the exact kernel for
signals with gaps or with movements that are tiny on a large offset.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, slide_tiles, windows
from bitbox.correlation.compiled import kernel
from bitbox.correlation.kernels import DONE, FAR
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Flags = NDArray[np.bool_]
States = NDArray[np.uint8]
Results = tuple[SingleArray, SingleArray, States, Flags, Flags]

#: A signal whose norm over all its windows is so much larger than over one is done exactly.
TOO_FAR = 1e4


@kernel
def coordination(
    x: FloatArray,
    y: FloatArray,
    starts: IntArray,
    order: IntArray,
    geometry: exact.Geometry,
    out: Results,
) -> None:
    """Fill ``out = (r, lag, states, hard_x, hard_y)`` for some windows, in float32.

    r, lag : (windows, n1, n2); states : (windows, n1 / ROWS, n2 / COLUMNS): tiles left alone
    because they need float64; hard_x, hard_y : (windows, signals): signals to be done exactly.
    """
    r, lag, states, hard_x, hard_y = out
    shifts = np.arange(2 * geometry.max_lag + 1) - geometry.max_lag
    frames, position = windows.frames_used(starts, shifts)
    tables_x = windows.window_statistics(x, frames, geometry)
    tables_y = windows.window_statistics(y, frames, geometry)
    side_x, side_y = new_side(x, shifts, geometry, r), new_side(y, shifts, geometry, r)
    lags = order.astype(np.float32)
    rows = np.empty(shifts.size, dtype=np.int64)
    for w in range(starts.size):
        for a in range(shifts.size):
            rows[a] = position[starts[w] + shifts[a] - frames[0]]
        begin = starts[w] - geometry.max_lag
        far_x = fill_side(x, begin, tables_x, rows, geometry, (side_x, hard_x[w]))
        far_y = fill_side(y, begin, tables_y, rows, geometry, (side_y, hard_y[w]))
        for i in range(states.shape[1]):
            for j in range(states.shape[2]):
                worst = worst_of(far_x, i * ROWS, ROWS) * worst_of(far_y, j * COLUMNS, COLUMNS)
                states[w, i, j] = FAR if worst > geometry.limit else DONE
        for a in range(side_x[2].shape[0]):
            for i in range(x.shape[2]):
                side_x[2][a, i] *= geometry.window
        tasks = states[w], np.uint8(DONE), r[w], lag[w]
        choose_tiles(side_x, side_y, (order, lags), geometry, x.shape[1], tasks)


@kernel
def coordination_far(
    x: FloatArray,
    y: FloatArray,
    starts: IntArray,
    order: IntArray,
    geometry: exact.Geometry,
    out: Results,
) -> None:
    """Do in float64 the tiles whose state is FAR."""
    r, lag, states, _, _ = out
    shifts = np.arange(2 * geometry.max_lag + 1) - geometry.max_lag
    rows = np.arange(shifts.size)
    side_x, side_y = new_side(x, shifts, geometry, x), new_side(y, shifts, geometry, x)
    lags = order.astype(np.float64)
    ignored_x = np.empty(x.shape[2], dtype=np.bool_)
    ignored_y = np.empty(y.shape[2], dtype=np.bool_)
    chosen = np.empty((x.shape[2], y.shape[2])), np.empty((x.shape[2], y.shape[2]))
    for w in range(starts.size):
        if not windows.holds(states[w].reshape(states[w].size), FAR):
            continue
        begin = starts[w] - geometry.max_lag
        tables_x = windows.window_statistics(x, starts[w] + shifts, geometry)
        tables_y = windows.window_statistics(y, starts[w] + shifts, geometry)
        fill_side(x, begin, tables_x, rows, geometry, (side_x, ignored_x))
        fill_side(y, begin, tables_y, rows, geometry, (side_y, ignored_y))
        side_x[2][:] *= geometry.window
        tasks = states[w], np.uint8(FAR), chosen[0], chosen[1]
        choose_tiles(side_x, side_y, (order, lags), geometry, x.shape[1], tasks)
        for i in range(x.shape[2]):
            for j in range(y.shape[2]):
                if states[w, i // ROWS, j // COLUMNS] == FAR:
                    r[w, i, j], lag[w, i, j] = chosen[0][i, j], chosen[1][i, j]


@kernel
def choose_tiles(
    side_x: Any, side_y: Any, lags: Any, geometry: exact.Geometry, d: int, tasks: Any
) -> None:
    """Choose among all shifts in the tiles that are in a given state."""
    states, state, r, lag = tasks
    shifts = 2 * geometry.max_lag + 1
    for j in range(states.shape[1]):
        for i in range(states.shape[0]):
            if states[i, j] == state:
                corner = i * ROWS, j * COLUMNS, geometry.window, d, shifts
                at = (*corner, np.int64(geometry.polarity))
                slide_tiles.coordination(geometry.registers, side_x, side_y, lags, (r, lag), at)


@kernel
def new_side(
    data: FloatArray, shifts: IntArray, geometry: exact.Geometry, kind: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return room for what the tiles need of one person: values, inverse norms, means."""
    d, n = data.shape[1], data.shape[2]
    frames = geometry.window + shifts.size  # one more than there are, read but never used
    return (
        np.zeros((frames * d, n), dtype=kind.dtype),
        np.empty((shifts.size, n), dtype=kind.dtype),
        np.empty((shifts.size * d, n), dtype=kind.dtype),
    )


@kernel
def fill_side(
    data: FloatArray,
    begin: int,
    tables: windows.Tables,
    rows: IntArray,
    geometry: exact.Geometry,
    out: Any,
) -> FloatArray:
    """Fill ``out = (side, hard)``, and return (signals) the largest norm over the smallest.

    The largest is that of a window about the common centre, the smallest that of a window about
    its own mean; 0 where nothing is defined.
    """
    (values, inverse, means), hard = out
    mean, norm, count, delicate, rest = tables
    d, n = data.shape[1], data.shape[2]
    reference = windows.new_reference(data, rows)
    windows.common_reference(tables, rows, reference)
    centre, factor = reference[0], reference[1]
    windows.fill(values[: values.shape[0] - d], data, begin, (centre, reference[6]), factor)
    windows.copy(reference[2], inverse)
    energy, away = np.zeros(n), np.empty(n)
    most = np.zeros(n)
    hard[:] = False
    for a in range(rows.size):
        row = rows[a]
        for j in range(n):
            good = norm[row, j] == norm[row, j]
            most[j] = max(most[j], inverse[a, j] if good else 0.0)
            hard[j] |= delicate[row, j] or (good and count[row, j] < geometry.window)
        away[:] = 1.0
        for c in range(d):
            for j in range(n):
                mean_off = ((mean[row, c, j] - centre[c, j]) + rest[row, c, j]) / norm[row, j]
                means[a * d + c, j] = mean_off
                away[j] += count[row, j] * mean_off * mean_off
        for j in range(n):
            size = away[j] / (inverse[a, j] * inverse[a, j])
            energy[j] = max(energy[j], size if size == size else 0.0)
    for j in range(n):
        energy[j] = np.sqrt(energy[j]) * most[j]
        hard[j] |= energy[j] > TOO_FAR
    return energy


@kernel
def worst_of(values: FloatArray, first: int, count: int) -> float:
    """Return the largest of some values; NaN counts as 0."""
    worst = 0.0
    for k in range(first, first + count):
        worst = max(worst, values[k] if values[k] == values[k] else 0.0)
    return worst
