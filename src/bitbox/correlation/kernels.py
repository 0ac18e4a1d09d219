"""The fast kernels of imitation: windows in, chosen correlations and lags out.

`imitation` takes every window through float32 register tiles, and reports what these cannot do
to 2e-6: tiles for `imitation_far` (float64), tiles for `imitation_gaps` (missing frames), and
signals for `exactly`. docs/engine.md derives the limits. Each is compiled when first
needed. Arrays are laid out as in `windows`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, gap_tiles, gaps, sum_tiles, tiles, windows
from bitbox.correlation.compiled import kernel
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Array = NDArray[Any]
Flags = NDArray[np.bool_]
States = NDArray[np.uint8]
Prepared = tuple[Any, ...]
Results = tuple[SingleArray, SingleArray, States, Flags, Flags]

#: States of a tile of y's signals in a window.
DONE, FAR, GAPS = 0, 1, 2

#: Squared offset (see `windows.common_reference`) above which float64 tiles are not enough.
TOO_FAR = 1e10

#: Squared offset above which sums with gaps are not accurate in float32: variances are differences
#: of sums there.
GAP_LIMIT = 3.0

#: Correlations are brought this close to 1 at most before they are Fisher-transformed.
FISHER_LIMIT = 1.0 - 1e-6

#: Between 1 and the mark of a pair that must be redone.
BEYOND = (1.0 + gap_tiles.REDO) / 2


def prepare(
    x: FloatArray, y: FloatArray, starts: IntArray, order: IntArray, geometry: exact.Geometry
) -> Prepared:
    """Return what `imitation` needs besides its arguments.

    That is: the tables of x and of y, which of y's windows belong to each window and lag, y's
    reference and x's factors, and for the tiles x, y, inverse norms, and lags. Room that compiled
    code asks for itself, and kernels within kernels, would take much longer to compile.
    """
    d, lowest = x.shape[1], int(order.min())
    width, reach = geometry.window, int(order.max()) - lowest
    begins = starts[:, None] + order
    frames = np.unique(begins)
    return (
        windows.tables(x, starts, geometry),
        windows.tables(y, frames, geometry),
        np.searchsorted(frames, begins),
        windows.reference_room(y, len(order)),
        np.empty(x.shape[2]),
        windows.room(width * d, x.shape[2], np.float32),
        windows.room((width + reach) * d, y.shape[2], np.float32),
        windows.room(len(order), y.shape[2], np.float32),
        (order - lowest, order.astype(np.float32)),
    )


@kernel
def imitation(
    x: FloatArray,
    y: FloatArray,
    starts: IntArray,
    prepared: Prepared,
    geometry: exact.Geometry,
    out: Results,
) -> None:
    """Fill ``out = (r, lag, states, hard_x, hard_y)`` for some windows, in float32.

    r, lag : (windows, n1, n2); states : (windows, n2 / COLUMNS): tiles that are left alone
    because something else must do them; hard_x, hard_y : (windows, signals): signals of which
    every pair must be done exactly.
    """
    r, lag, states, hard_x, hard_y = out
    tables_x, tables_y, rows, reference, factor, small_x, small_y, inverse, lags = prepared
    for w in range(starts.size):
        windows.common_reference(tables_y, rows[w], reference)
        flags = hard_x[w], hard_y[w]
        classify(tables_x, w, (tables_y, rows[w], reference), geometry, states[w], flags)
        windows.invert(tables_x[1][w], factor)
        windows.fill(small_x, x, starts[w], (tables_x[0][w], tables_x[4][w]), factor)
        lowest = starts[w] + int(lags[1][0]) - lags[0][0]  # the first lag is lags[1][0]
        windows.fill(small_y, y, lowest, (reference[0], reference[6]), reference[1])
        windows.copy(reference[2], inverse)
        tasks = states[w], np.uint8(DONE), r[w], lag[w]
        choose_tiles(small_x, (small_y, inverse), lags, geometry, tasks)


@kernel
def classify(
    tables_x: windows.Tables,
    w: int,
    references: tuple[windows.Tables, IntArray, windows.Reference],
    geometry: exact.Geometry,
    states: States,
    hard: tuple[Flags, Flags],
) -> None:
    """Decide what each tile of y's signals needs, and which signals need the exact kernel."""
    tables_y, rows, reference = references
    offset, width = reference[3], geometry.window
    hard_x, hard_y = hard
    gaps_x = False
    for i in range(hard_x.size):
        norm = tables_x[1][w, i]
        gaps_x |= norm == norm and tables_x[2][w, i] < width
        hard_x[i] = tables_x[3][w, i]
    for k in range(states.size):
        states[k] = GAPS if gaps_x else DONE
    for j in range(hard_y.size):
        hard_y[j] = offset[j] > TOO_FAR
    _, norms, counts, delicate, _, odd = tables_y
    for row in rows:
        if odd[row]:
            for j in range(hard_y.size):
                if norms[row, j] == norms[row, j] and counts[row, j] < width:
                    states[j // COLUMNS] = GAPS
                hard_y[j] |= delicate[row, j]
    for j in range(hard_y.size):
        if states[j // COLUMNS] == GAPS:
            hard_y[j] |= offset[j] > min(GAP_LIMIT, geometry.limit)
        elif offset[j] > geometry.limit:
            states[j // COLUMNS] = FAR


@kernel
def choose_tiles(
    x: Array,
    reference: tuple[Array, Array],
    lags: tuple[IntArray, Array],
    geometry: exact.Geometry,
    tasks: tuple[States, Any, Array, Array],
) -> None:
    """Choose among the lags in the tiles of y that are in a given state."""
    y, inverse = reference
    states, state, r, lag = tasks
    hop = x.shape[0] // geometry.window
    for j in range(0, y.shape[1], COLUMNS):
        if states[j // COLUMNS] == state:
            for i in range(0, x.shape[1], ROWS):
                at = i, j, x.shape[0], hop, np.int64(geometry.polarity)
                tiles.imitation(geometry.registers, x, y, inverse, lags, (r, lag), at)


@kernel
def imitation_far(
    x: FloatArray,
    y: FloatArray,
    starts: IntArray,
    order: IntArray,
    geometry: exact.Geometry,
    out: Results,
) -> None:
    """Do in float64 the tiles whose state is FAR."""
    r, lag, states, _, _ = out
    d, n2, width = y.shape[1], y.shape[2], geometry.window
    lowest, reach = windows.lowest_and_reach(order)
    reference, rows = windows.new_reference(y, order), np.arange(order.size)
    large_x = windows.aligned(width * d, x.shape[2], x)
    large_y = windows.aligned((width + reach) * d, n2, x)
    lags = np.empty(order.size, dtype=np.int64), np.empty(order.size)
    chosen = np.empty((x.shape[2], n2)), np.empty((x.shape[2], n2))
    for q in range(order.size):
        lags[0][q], lags[1][q] = order[q] - lowest, order[q]
    for w in range(starts.size):
        if not windows.holds(states[w], FAR):
            continue
        tables_x = windows.window_statistics(x, starts[w : w + 1], geometry)
        tables_y = windows.window_statistics(y, starts[w] + order, geometry)
        windows.common_reference(tables_y, rows, reference)
        centre_x = tables_x[0][0], tables_x[4][0]
        windows.fill(large_x, x, starts[w], centre_x, windows.inverses(tables_x[1][0]))
        windows.fill(large_y, y, starts[w] + lowest, (reference[0], reference[6]), reference[1])
        tasks = states[w], np.uint8(FAR), chosen[0], chosen[1]
        choose_tiles(large_x, (large_y, reference[2]), lags, geometry, tasks)
        for i in range(x.shape[2]):
            for j in range(n2):
                if states[w, j // COLUMNS] == FAR:
                    r[w, i, j], lag[w, i, j] = chosen[0][i, j], chosen[1][i, j]


@kernel
def imitation_gaps(
    x: FloatArray,
    y: FloatArray,
    starts: IntArray,
    order: IntArray,
    geometry: exact.Geometry,
    out: Results,
) -> None:
    """Do the tiles whose state is GAPS; r is `gap_tiles.REDO` where that is not good enough."""
    r, lag, states, _, _ = out
    width = geometry.window
    lowest, reach = windows.lowest_and_reach(order)
    reference, rows = windows.new_reference(y, order), np.arange(order.size)
    work = gaps.workspace(x, y, order, reach + width)
    lags = np.empty(order.size, dtype=np.int64), np.empty(order.size, dtype=np.float32)
    for q in range(order.size):
        lags[0][q], lags[1][q] = order[q] - lowest, order[q]
    for w in range(starts.size):
        if not windows.holds(states[w], GAPS):
            continue
        start, own = starts[w], rows[:1]
        tables_x = windows.window_statistics(x, starts[w : w + 1], geometry)
        tables_y = windows.window_statistics(y, start + order, geometry)
        windows.common_reference(tables_y, rows, reference)
        gaps_x = gaps.partial_windows(tables_x[2], tables_x[1], own, width)
        gaps_y = gaps.partial_windows(tables_y[2], tables_y[1], rows, width)
        first, frames = gaps.frames_missed(x, start, width, gaps_x)
        small_x, small_y, inverse, absent, sums, squares, counts = work
        centre_x = tables_x[0][0], tables_x[4][0]
        windows.fill(small_x, x, start, centre_x, windows.inverses(tables_x[1][0]))
        windows.fill(small_y, y, start + lowest, (reference[0], reference[6]), reference[1])
        windows.copy(reference[2], inverse)
        gaps.absences(absent, y, start + lowest)
        gaps.window_sums(tables_y, rows, reference[0], (sums, squares, counts))
        lists = first, frames, gaps_x, gaps_y
        gaps.choose_tiles(work, lists, lags, states[w] == GAPS, geometry, (r[w], lag[w]))


@kernel
def exactly(
    x: FloatArray,
    y: FloatArray,
    starts: IntArray,
    order: IntArray,
    geometry: exact.Geometry,
    out: Results,
) -> None:
    """Do every pair that is marked, or one of whose signals is hard, by the definition."""
    r, lag, _, hard_x, hard_y = out
    for w in range(starts.size):
        for i in range(x.shape[2]):
            for j in range(y.shape[2]):
                if hard_x[w, i] or hard_y[w, j] or r[w, i, j] > BEYOND:
                    a, b = x[:, :, i], y[:, :, j]
                    value, at = exact.choose(a, b, starts[w], order, geometry)
                    r[w, i, j], lag[w, i, j] = value, at


@kernel
def accumulate(
    r: SingleArray, lag: SingleArray, registers: tuple[int, ...], sums: FloatArray
) -> None:
    """Add the defined correlations of some windows to (5, n1, n2).

    These are count, and sums of r, of its magnitude, of its square, and of lags.
    """
    sum_tiles.add_windows(registers, r, lag, sums)


@kernel
def unpack(
    r: SingleArray, lag: SingleArray, fps: float, out: tuple[FloatArray, FloatArray]
) -> None:
    """Copy correlations, and lags in seconds, without the padding; NaN where undefined."""
    values, lags = out
    for w in range(values.shape[0]):
        for i in range(values.shape[1]):
            for j in range(values.shape[2]):
                value = r[w, i, j]
                values[w, i, j] = value
                lags[w, i, j] = lag[w, i, j] / fps if value == value else math.nan


@kernel
def multiply(r: SingleArray, registers: tuple[int, ...], products: FloatArray) -> None:
    """Multiply (3, n1, n2) by 1 + r, 1 - r and 1 + |r| of some windows."""
    sum_tiles.multiply_windows(registers, r, products, FISHER_LIMIT)


def fisher_sums(r: SingleArray, registers: tuple[int, ...]) -> FloatArray:
    """Return the sums over windows, (2, n1, n2), of atanh r and of atanh |r|.

    A sum of logarithms is the logarithm of the product, and few logarithms are quickly taken. The
    product of 40 numbers that are no closer to 0 than 1e-6 is far from what float64 cannot hold.
    """
    sums = np.zeros((2, *r.shape[1:]))
    for first in range(0, len(r), 40):
        products = np.ones((3, *r.shape[1:]))
        multiply(r[first : first + 40], registers, products)
        more, less, most = np.log(products)
        sums += (more - less) / 2, most - (more + less) / 2
    return sums


@kernel
def fisher_z(r: Any) -> float:
    """Return atanh of r, which is first limited to +-`FISHER_LIMIT`."""
    return math.atanh(max(-FISHER_LIMIT, min(FISHER_LIMIT, r)))
