"""The fast kernels of coordination, where both windows move.

As in `kernels`: float32 first, float64 for the tiles where that is not enough, tiles with gaps in
float64, and the exact kernel for the rest: movements that are tiny on a large offset or beside a
large one, and vector signals with gaps.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, gaps, slide_gap_tiles, slide_tiles, windows
from bitbox.correlation.compiled import kernel
from bitbox.correlation.kernels import DONE, FAR, GAPS
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Flags = NDArray[np.bool_]
States = NDArray[np.uint8]
Array = NDArray[Any]
Places = NDArray[np.uint64]
Base = tuple[FloatArray, FloatArray, windows.Reference, FloatArray]
Results = tuple[SingleArray, SingleArray, States, Flags, Flags]

#: A signal that moves so much more in one of its windows than in another is done exactly.
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
    """Fill ``out = (r, lag, states, hard_x, hard_y)`` for some windows.

    r, lag : (windows, n1, n2); states : (windows, n1 / ROWS, n2 / COLUMNS): tiles left alone
    because of missing frames; hard_x, hard_y : (windows, signals): signals to be done exactly.

    Signals that move unevenly are put into the same tiles, so that few tiles need float64.
    """
    states, hard_x, hard_y = out[2], out[3], out[4]
    shifts = np.arange(2 * geometry.max_lag + 1) - geometry.max_lag
    frames, position = windows.frames_used(starts, shifts)
    tables_x = windows.window_statistics(x, frames, geometry)
    tables_y = windows.window_statistics(y, frames, geometry)
    base_x, base_y = new_base(x, shifts, geometry), new_base(y, shifts, geometry)
    single = new_panels(x, y, shifts, geometry, out[0])
    double = new_panels(x, y, shifts, geometry, x)
    partial_x = np.empty(x.shape[2], dtype=np.bool_)
    partial_y = np.empty(y.shape[2], dtype=np.bool_)
    places_x = np.empty(x.shape[2], dtype=np.uint64)
    places_y = np.empty(y.shape[2], dtype=np.uint64)
    rows = np.empty(shifts.size, dtype=np.int64)
    for w in range(starts.size):
        for a in range(shifts.size):
            rows[a] = position[starts[w] + shifts[a] - frames[0]]
        begin = starts[w] - geometry.max_lag
        assess(x, begin, tables_x, rows, geometry, base_x, (hard_x[w], partial_x))
        assess(y, begin, tables_y, rows, geometry, base_y, (hard_y[w], partial_y))
        some_gaps = gaps.any_of(partial_x) or gaps.any_of(partial_y)
        sort_places(base_x[0], not some_gaps, places_x)
        sort_places(base_y[0], not some_gaps, places_y)
        classify(base_x, places_x, base_y, places_y, geometry.limit, states[w])
        if some_gaps and x.shape[1] == 1:  # vectors with gaps are hard
            mark_gaps(partial_x, partial_y, states[w])
        tasks = order, places_x, places_y, states[w], out[0][w], out[1][w]
        arrange(x, begin, places_x, base_x)
        arrange(y, begin, places_y, base_y)
        fill_panel(base_x, geometry.window, x.shape[1], single[0])
        fill_panel(base_y, geometry.window, y.shape[1], single[1])
        choose_tiles(single, geometry, np.uint8(DONE), tasks)
        if gaps.holds(states[w], FAR):
            fill_panel(base_x, geometry.window, x.shape[1], double[0])
            fill_panel(base_y, geometry.window, y.shape[1], double[1])
            choose_tiles(double, geometry, np.uint8(FAR), tasks)


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
        if not gaps.holds(states[w], GAPS):
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
def choose_tiles(panels: Any, geometry: exact.Geometry, state: Any, tasks: Any) -> None:
    """Choose among all shifts in the tiles of a window that are in a given state."""
    x, y, lags, chosen = panels
    order, places_x, places_y, states, r, lag = tasks
    lags[:] = order
    d, shifts = x[2].shape[0] // x[1].shape[0], x[1].shape[0]
    polarity = np.int64(geometry.polarity)
    for j in range(states.shape[1]):
        for i in range(states.shape[0]):
            if states[i, j] != state:
                continue
            at = i * ROWS, j * COLUMNS, geometry.window, d, shifts, polarity
            slide_tiles.coordination(geometry.registers, x, y, (order, lags), chosen, at)
            columns = places_y[j * COLUMNS : (j + 1) * COLUMNS]
            for row in range(i * ROWS, (i + 1) * ROWS):
                some_r = chosen[0][row, j * COLUMNS : (j + 1) * COLUMNS]
                some_lag = chosen[1][row, j * COLUMNS : (j + 1) * COLUMNS]
                out_r, out_lag = r[places_x[row]], lag[places_x[row]]
                for k in range(COLUMNS):
                    out_r[columns[k]], out_lag[columns[k]] = some_r[k], some_lag[k]


@kernel
def new_base(
    data: FloatArray, shifts: IntArray, geometry: exact.Geometry
) -> tuple[FloatArray, FloatArray, windows.Reference, FloatArray]:
    """Return room for ratio and energy (see `assess`), the reference, and values."""
    d, n = data.shape[1], data.shape[2]
    values = windows.aligned((geometry.window + shifts.size - 1) * d, n, data)
    return np.empty(n), np.empty(n), windows.new_reference(data, shifts), values


@kernel
def new_panels(
    x: FloatArray, y: FloatArray, shifts: IntArray, geometry: exact.Geometry, kind: Array
) -> Any:
    """Return room for what the tiles need of x, of y, the lags, and their results."""
    n1, n2 = x.shape[2], y.shape[2]
    lags = np.empty(2 * shifts.size - 1, dtype=kind.dtype)
    chosen = windows.aligned(n1, n2, kind), windows.aligned(n1, n2, kind)
    return new_panel(x, shifts, geometry, kind), new_panel(y, shifts, geometry, kind), lags, chosen


@kernel
def new_panel(
    data: FloatArray, shifts: IntArray, geometry: exact.Geometry, kind: Array
) -> tuple[Array, Array, Array, Array]:
    """Return room for values, inverse norms, and what enters and leaves."""
    d, n = data.shape[1], data.shape[2]
    return (
        windows.aligned((geometry.window + shifts.size - 1) * d, n, kind),
        windows.aligned(shifts.size, n, kind),
        windows.aligned(shifts.size * d, n, kind),
        windows.aligned(shifts.size * d, n, kind),
    )


@kernel
def assess(
    data: FloatArray,
    begin: int,
    tables: windows.Tables,
    rows: IntArray,
    geometry: exact.Geometry,
    base: Base,
    flags: tuple[Flags, Flags],
) -> None:
    """Find how unevenly each signal moves, and which ones are hard, or miss frames.

    The ratio is that of the largest norm of a window to the smallest; the energy the largest norm
    about the mean of the first window, from which sums start, over the largest about its own.
    """
    mean, norm, count, delicate, _, odd = tables
    ratio, energy, reference, _ = base
    hard, partial = flags
    d, n, first = data.shape[1], data.shape[2], rows[0]
    windows.common_reference(tables, rows, reference)
    centre, factor, left = reference[0], reference[1], reference[6]
    for c in range(d):
        for j in range(n):
            known = count[first, j] > 0.0
            centre[c, j] = mean[first, c, j] if known else centre[c, j]
    fill_rest(data, begin, geometry.window, centre, left)
    ratio[:], energy[:], hard[:], partial[:] = 0.0, 1.0, False, False
    away, undefined = reference[5], np.empty(n)
    undefined[:] = 0.0
    for row in rows:
        norms, middle, counts = norm[row], mean[row], count[row]
        for j in range(n):
            undefined[j] += 0.0 if norms[j] == norms[j] else 1.0
            size = 1.0 / (norms[j] * factor[j])
            ratio[j] = size if size > ratio[j] else ratio[j]
        away[:] = 0.0
        for c in range(d):
            for j in range(n):
                away[j] += (middle[c, j] - centre[c, j]) ** 2
        for j in range(n):
            size = (away[j] * counts[j] + norms[j] * norms[j]) * factor[j] * factor[j]
            energy[j] = size if size > energy[j] else energy[j]
        if odd[row]:
            for j in range(n):
                hard[j] |= delicate[row, j]
                partial[j] |= norms[j] == norms[j] and counts[j] < geometry.window
    for j in range(n):
        energy[j] = math.sqrt(energy[j])
        if undefined[j] > 0.0:  # sums slide over what these windows hold
            frames = geometry.window + rows.size - 1
            signal = data[begin : begin + frames, :, j]
            ratio[j] *= max(1.0, norm_about(signal, centre[:, j]) * factor[j])
        size = ratio[j] * energy[j]
        hard[j] |= size > TOO_FAR or (partial[j] and (d > 1 or size > TOO_FAR_WITH_GAPS))


@kernel
def fill_rest(
    data: FloatArray, begin: int, width: int, centre: FloatArray, rest: FloatArray
) -> None:
    """Fill ``rest`` with the mean difference of a window from a centre; 0 where there is none.

    A mean that slid past large values may be off by a large part of small ones, and the sums of
    products that start in this window are right only if its values sum to 0.
    """
    known = np.empty(rest.shape[1])
    for c in range(rest.shape[0]):
        total, middle = rest[c], centre[c]
        total[:], known[:] = 0.0, 0.0
        for k in range(begin, begin + width):
            row = data[k, c]
            for j in range(known.size):  # without a branch, so that it is done in vectors
                away = row[j] - middle[j]
                total[j] += away if away == away else 0.0
                known[j] += 1.0 if away == away else 0.0
        for j in range(known.size):
            rest[c, j] = rest[c, j] / known[j] if known[j] > 0.0 else 0.0


@kernel
def norm_about(signal: FloatArray, centre: FloatArray) -> float:
    """Return the root of the sum of squared differences from a centre; missing ones are 0."""
    total = 0.0
    for k in range(signal.shape[0]):
        for c in range(centre.size):
            away = signal[k, c] - centre[c]
            total += away * away if away == away else 0.0
    return math.sqrt(total)


@kernel
def sort_places(ratio: FloatArray, sort: bool, places: Places) -> None:
    """Fill ``places`` with the signals in the order of their ratios, or in their own."""
    for k in range(places.size):
        at = k
        while sort and at > 0 and ratio[places[at - 1]] > ratio[k]:
            places[at] = places[at - 1]
            at -= 1
        places[at] = k


@kernel
def classify(
    base_x: Base, places_x: Places, base_y: Base, places_y: Places, limit: float, states: States
) -> None:
    """Decide which tiles need float64 (docs/engine.md has the derivation)."""
    for i in range(states.shape[0]):
        ratio_x, energy_x = most_of(base_x, places_x[i * ROWS : (i + 1) * ROWS])
        for j in range(states.shape[1]):
            ratio_y, energy_y = most_of(base_y, places_y[j * COLUMNS : (j + 1) * COLUMNS])
            size = ratio_x * ratio_y * max(1.0, energy_x / 2, energy_y / 2)
            states[i, j] = FAR if size > limit else DONE


@kernel
def most_of(base: Base, places: Places) -> tuple[float, float]:
    """Return the largest ratio and energy of some signals."""
    ratio, energy = 0.0, 0.0
    for j in places:
        ratio, energy = max(ratio, base[0][j]), max(energy, base[1][j])
    return ratio, energy


@kernel
def mark_gaps(partial_x: Flags, partial_y: Flags, states: States) -> None:
    """Mark the tiles of which a signal misses frames; signals are in their own order then."""
    for i in range(states.shape[0]):
        mine = gaps.any_of(partial_x[i * ROWS : (i + 1) * ROWS])
        for j in range(states.shape[1]):
            if mine or gaps.any_of(partial_y[j * COLUMNS : (j + 1) * COLUMNS]):
                states[i, j] = GAPS


@kernel
def arrange(data: FloatArray, begin: int, places: Places, base: Base) -> None:
    """Fill one person's values and inverse norms, and put them in the order of `places`."""
    _, _, reference, large = base
    windows.fill(large, data, begin, (reference[0], reference[6]), reference[1])
    ordered = np.empty(places.size)
    for table in (large, reference[2]):
        for k in range(table.shape[0]):
            row = table[k]
            for j in range(places.size):
                ordered[j] = row[places[j]]
            for j in range(places.size):
                row[j] = ordered[j]


@kernel
def fill_panel(base: Base, width: int, d: int, panel: tuple[Array, Array, Array, Array]) -> None:
    """Fill what the tiles need of one person, after `arrange`."""
    windows.copy(base[3], panel[0])
    windows.copy(base[2][2], panel[1])
    fill_changes(base[3], (width, d), (panel[2], panel[3]))


@kernel
def fill_changes(values: FloatArray, shape: tuple[int, int], out: tuple[Array, Array]) -> None:
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
            sums[j] += new[j] - old[j]
        for j in range(n):
            enter[j] = (new[j] - shared[j]) * share
            leave[j] = (old[j] - shared[j]) * share
    entering[entering.shape[0] - d :] = 0.0  # after the last shift nothing is asked any more
    leaving[leaving.shape[0] - d :] = 0.0
