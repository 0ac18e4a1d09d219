"""The fast kernels of coordination, where both windows move.

As in `kernels`: float32 first, float64 for the tiles that it reports, tiles with gaps in float64,
and the exact kernel for the rest: movements that are tiny on a large offset or beside a large one,
and vector signals with gaps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, slide_gap_tiles, slide_tiles, windows
from bitbox.correlation.compiled import kernel
from bitbox.correlation.kernels import DONE, FAR, GAPS
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Flags = NDArray[np.bool_]
States = NDArray[np.uint8]
Results = tuple[SingleArray, SingleArray, States, Flags, Flags]

#: A signal whose norm over all its windows is so much larger than over one is done exactly.
TOO_FAR = 1e4

#: The same with gaps, where variances are differences of sums.
TOO_FAR_WITH_GAPS = 1e3


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
    partial_x = np.empty(x.shape[2], dtype=np.bool_)
    partial_y = np.empty(y.shape[2], dtype=np.bool_)
    rows = np.empty(shifts.size, dtype=np.int64)
    for w in range(starts.size):
        for a in range(shifts.size):
            rows[a] = position[starts[w] + shifts[a] - frames[0]]
        begin = starts[w] - geometry.max_lag
        out_x, out_y = (side_x, hard_x[w], partial_x), (side_y, hard_y[w], partial_y)
        far_x = fill_side(x, begin, tables_x, rows, geometry, out_x)
        far_y = fill_side(y, begin, tables_y, rows, geometry, out_y)
        for i in range(states.shape[1]):
            for j in range(states.shape[2]):
                some_gaps = any_of(partial_x, i * ROWS, ROWS)
                some_gaps |= any_of(partial_y, j * COLUMNS, COLUMNS)
                if some_gaps and x.shape[1] == 1:  # vectors with gaps are hard, see fill_side
                    states[w, i, j] = GAPS
                    continue
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
    ignored_x = np.empty(x.shape[2], np.bool_), np.empty(x.shape[2], np.bool_)
    ignored_y = np.empty(y.shape[2], np.bool_), np.empty(y.shape[2], np.bool_)
    chosen = np.empty((x.shape[2], y.shape[2])), np.empty((x.shape[2], y.shape[2]))
    for w in range(starts.size):
        if not windows.holds(states[w].reshape(states[w].size), FAR):
            continue
        begin = starts[w] - geometry.max_lag
        tables_x = windows.window_statistics(x, starts[w] + shifts, geometry)
        tables_y = windows.window_statistics(y, starts[w] + shifts, geometry)
        fill_side(x, begin, tables_x, rows, geometry, (side_x, *ignored_x))
        fill_side(y, begin, tables_y, rows, geometry, (side_y, *ignored_y))
        side_x[2][:] *= geometry.window
        tasks = states[w], np.uint8(FAR), chosen[0], chosen[1]
        choose_tiles(side_x, side_y, (order, lags), geometry, x.shape[1], tasks)
        for i in range(x.shape[2]):
            for j in range(y.shape[2]):
                if states[w, i // ROWS, j // COLUMNS] == FAR:
                    r[w, i, j], lag[w, i, j] = chosen[0][i, j], chosen[1][i, j]


@kernel
def coordination_gaps(
    x: FloatArray,
    y: FloatArray,
    starts: IntArray,
    order: IntArray,
    geometry: exact.Geometry,
    out: Results,
) -> None:
    """Do the tiles whose state is GAPS; r is `gap_tiles.REDO` where that is not good enough."""
    r, lag, states, _, _ = out
    shifts = np.arange(2 * geometry.max_lag + 1) - geometry.max_lag
    rows = np.arange(shifts.size)
    side_x, side_y = new_gap_side(x, shifts, geometry), new_gap_side(y, shifts, geometry)
    lags = order.astype(np.float64)
    chosen = np.empty((x.shape[2], y.shape[2])), np.empty((x.shape[2], y.shape[2]))
    for w in range(starts.size):
        if not windows.holds(states[w].reshape(states[w].size), GAPS):
            continue
        for data, side in ((x, side_x), (y, side_y)):
            tables = windows.window_statistics(data, starts[w] + shifts, geometry)
            fill_gap_side(data, starts[w] - geometry.max_lag, tables, rows, side)
        for i in range(states.shape[1]):
            for j in range(states.shape[2]):
                if states[w, i, j] == GAPS:
                    polarity, corner = np.int64(geometry.polarity), (i * ROWS, j * COLUMNS)
                    at = (*corner, geometry.window, shifts.size, geometry.need, polarity)
                    slide_gap_tiles.coordination(
                        geometry.registers, side_x, side_y, (order, lags), chosen, at
                    )
        for i in range(x.shape[2]):
            for j in range(y.shape[2]):
                if states[w, i // ROWS, j // COLUMNS] == GAPS:
                    r[w, i, j], lag[w, i, j] = chosen[0][i, j], chosen[1][i, j]


@kernel
def new_gap_side(
    data: FloatArray, shifts: IntArray, geometry: exact.Geometry
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return room for one person's values, squares, presence, and inverse norms."""
    shape = geometry.window + shifts.size, data.shape[2]  # one more than there are frames
    inverse = np.empty((shifts.size, data.shape[2]))
    return np.zeros(shape), np.zeros(shape), np.zeros(shape), inverse


@kernel
def fill_gap_side(
    data: FloatArray,
    begin: int,
    tables: windows.Tables,
    rows: IntArray,
    side: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> None:
    """Fill what `new_gap_side` made room for."""
    values, squares, present, inverse = side
    reference = windows.new_reference(data, rows)
    windows.common_reference(tables, rows, reference)
    centre = reference[0], reference[6]
    windows.fill(values[: values.shape[0] - 1], data, begin, centre, reference[1])
    windows.copy(reference[2], inverse)
    for k in range(values.shape[0] - 1):
        row = data[begin + k, 0]
        for j in range(row.size):
            present[k, j] = 1.0 if row[j] == row[j] else 0.0
            squares[k, j] = values[k, j] * values[k, j]


@kernel
def any_of(flags: Flags, first: int, count: int) -> bool:
    """Return whether any of some flags is set."""
    for k in range(first, first + count):  # noqa: SIM110 - compiled code
        if flags[k]:
            return True
    return False


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
    """Fill ``out = (side, hard, partial)``; return, by signal, the largest norm over the smallest.

    The largest is that of a window about the common centre, the smallest that of a window about
    its own mean; 0 where nothing is defined.
    """
    (values, inverse, means), hard, partial = out
    mean, norm, count, delicate, rest, _ = tables
    d, n = data.shape[1], data.shape[2]
    reference = windows.new_reference(data, rows)
    windows.common_reference(tables, rows, reference)
    centre, factor = reference[0], reference[1]
    windows.fill(values[: values.shape[0] - d], data, begin, (centre, reference[6]), factor)
    windows.copy(reference[2], inverse)
    energy, away = np.zeros(n), np.empty(n)
    most = np.zeros(n)
    hard[:], partial[:] = False, False
    for a in range(rows.size):
        row = rows[a]
        for j in range(n):
            good = norm[row, j] == norm[row, j]
            most[j] = max(most[j], inverse[a, j] if good else 0.0)
            hard[j] |= delicate[row, j]
            partial[j] |= good and count[row, j] < geometry.window
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
        hard[j] |= energy[j] > TOO_FAR or (partial[j] and (d > 1 or energy[j] > TOO_FAR_WITH_GAPS))
    return energy


@kernel
def worst_of(values: FloatArray, first: int, count: int) -> float:
    """Return the largest of some values; NaN counts as 0."""
    worst = 0.0
    for k in range(first, first + count):
        worst = max(worst, values[k] if values[k] == values[k] else 0.0)
    return worst
