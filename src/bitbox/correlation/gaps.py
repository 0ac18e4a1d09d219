"""Windows with missing frames: which frames each signal misses, and the tiles that need to know."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, gap_tiles
from bitbox.correlation.compiled import kernel
from bitbox.correlation.gap_tiles import SLOTS
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]
States = NDArray[np.uint8]
Room = tuple[tuple[Array, ...], tuple[Array, ...]]

#: What tiles take out: sums, squares, which row of them, and whether any (see `find_lost`).
Lost = tuple[Array, Array, IntArray, IntArray]

#: Of one person: absent frames, those that signal i misses, (frames, sizes), and which signal is in
#: which place.
Side = tuple[Array, IntArray, IntArray, IntArray]

#: x, y, y's values squared, the tables of `gap_tiles.row_tables`, and what is lost.
Work = tuple[Side, Side, Array, tuple[Array, Array, Array], Lost]


def workspace(room: Room, width: int, d: int) -> Work:
    """Return room to work in."""
    x, y, inverse = room[0][0], room[1][0], room[1][1]
    n1, n2, lags = x.shape[1], y.shape[1], inverse.shape[0]
    rows = width + 1 + lags * n2
    tables = (
        np.empty((lags * SLOTS, COLUMNS), dtype=np.float32),
        np.empty((lags * d * SLOTS, COLUMNS), dtype=np.float32),
        np.empty((lags * SLOTS, COLUMNS), dtype=np.float32),
    )
    lost = (
        np.empty((rows * d, n1), dtype=np.float32),
        np.empty((rows, n1), dtype=np.float32),
        np.empty((lags, n2), dtype=np.int64),
        np.empty((lags, n2 // COLUMNS), dtype=np.int64),
    )
    squared = np.empty((width + lags - 1, n2), dtype=np.float32)
    return _side(width, n1), _side(width + lags - 1, n2), squared, tables, lost


def _side(frames: int, n: int) -> Side:
    """Return room for one person; what is absent of the padding stays 0."""
    absent, missed = np.zeros((frames, n), dtype=np.float32), np.empty((n, frames + 1), np.int64)
    return absent, missed, np.zeros(n, dtype=np.int64), np.arange(n)


@kernel
def gather(partial: FloatArray, n: int, multiple: int, order: IntArray) -> bool:
    """Find places for n signals such that the partial ones are in the first tile of `multiple`.

    Signals change places in twos. Only where they are no more than a tile, in several tiles; else
    all stay where they are. Returns whether any moves.
    """
    count = 0
    for j in range(order.size):
        order[j] = j
    for j in range(n):
        count += 1 if partial[j] > 0.0 else 0
    if count > multiple or n <= multiple:
        return False
    free, moved = 0, False
    for j in range(multiple, n):
        if partial[j] > 0.0:
            while partial[free] > 0.0:
                free += 1
            order[j], order[free] = free, j
            free, moved = free + 1, True
    return moved


@kernel
def swap_columns(array: Array, order: IntArray, multiple: int) -> None:
    """Let the columns of a matrix change places; doing it again undoes it."""
    for j in range(min(multiple, order.size)):
        other = order[j]
        if other > j:
            for k in range(array.shape[0]):
                array[k, j], array[k, other] = array[k, other], array[k, j]


@kernel
def swap_rows(array: Array, order: IntArray, multiple: int) -> None:
    """Let the rows of a matrix change places; doing it again undoes it."""
    for i in range(min(multiple, order.size)):
        other = order[i]
        if other > i:
            for k in range(array.shape[1]):
                array[i, k], array[other, k] = array[other, k], array[i, k]


@kernel
def sort_partial(room: Room, work: Work, signals: tuple[int, int]) -> bool:
    """Put signals that miss frames into common tiles where that is few; return whether they moved.

    What is in the panels and tables of `room` changes places with them.
    """
    (panel_x, _, flags_x, _), (panel_y, inverse, sums, squares, counts, flags_y, _) = room
    order_x, order_y = work[0][3], work[1][3]
    moved_x = gather(flags_x[0], signals[0], ROWS, order_x)
    moved_y = gather(flags_y[0], signals[1], COLUMNS, order_y)
    if moved_x:
        swap_columns(panel_x, order_x, ROWS)
        swap_columns(flags_x, order_x, ROWS)
    if moved_y:
        swap_columns(flags_y, order_y, COLUMNS)
        for table in (panel_y, inverse, sums, squares, counts):
            swap_columns(table, order_y, COLUMNS)
    return moved_x or moved_y


@kernel
def stay(work: Work) -> None:
    """Leave every signal in its place."""
    for side in work[:2]:
        for j in range(side[3].size):
            side[3][j] = j


@kernel
def put_back(work: Work, r: Array, lag: Array) -> None:
    """Undo in the results what `sort_partial` did."""
    for array in (r, lag):
        swap_rows(array, work[0][3], ROWS)
        swap_columns(array, work[1][3], COLUMNS)


@kernel
def find_absent(
    rows: FloatArray, at: tuple[int, int, int, int], partial: FloatArray, side: Side
) -> None:
    """Fill what a person misses: 1 where a frame is missing, and the frames of partial signals.

    at = (first frame, first column, signals, d).
    """
    start, column, n, d = at
    absent, missed, sizes, order = side
    for k in range(absent.shape[0]):
        row, out = rows[(start + k) * d], absent[k]
        for j in range(n):
            value = row[column + j]
            out[j] = 0.0 if value == value else 1.0
    swap_columns(absent, order, max(ROWS, COLUMNS))
    sizes[:] = 0
    for j in range(n):
        if partial[j] > 0.0:
            for k in range(absent.shape[0]):  # without a branch, which could not be foreseen
                missed[j, sizes[j]] = k
                sizes[j] += np.int64(absent[k, j])


@kernel
def holds(states: States, wanted: int) -> bool:
    """Return whether a tile is in a state."""
    for state in states.flat:  # noqa: SIM110 - compiled code
        if state == wanted:
            return True
    return False


@kernel
def any_of(flags: NDArray[np.bool_]) -> bool:
    """Return whether any flag is set."""
    for flag in flags:  # noqa: SIM110 - compiled code
        if flag:
            return True
    return False


@kernel
def square(values: Array, out: Array) -> None:
    """Fill with squares, summed over coordinates."""
    d = values.shape[0] // out.shape[0]
    out[:] = 0.0
    for k in range(values.shape[0]):
        row, total = values[k], out[k // d]
        for j in range(row.size):
            total[j] += row[j] * row[j]


@kernel
def find_lost(x: Array, side: Side, lags: IntArray, lost: Lost) -> None:
    """Fill what x's values, and their squares, add up to over the frames that y misses.

    x (frames * d, n1) is a panel; lags are the first frames of y's windows, for each of which a
    signal of y misses some frames. Where it misses one or none, the sum is that frame's row or a
    row of 0; these rows come first, sums over several frames behind.
    """
    sums, squares, which, some = lost
    _, missed, sizes, _ = side
    d = sums.shape[0] // squares.shape[0]
    width = x.shape[0] // d
    sums[: width * d] = x
    sums[width * d : (width + 1) * d] = 0.0
    square(x, squares[:width])
    squares[width] = 0.0
    used = width + 1
    some[:] = 0
    for j in range(which.shape[1]):
        which[:, j] = width
        for q in range(lags.size if sizes[j] > 0 else 0):
            count, last = 0, width
            for m in range(sizes[j]):
                k = missed[j, m] - lags[q]
                inside = (k >= 0) & (k < width)
                count += 1 if inside else 0
                last = k if inside else last
            if count > 1:
                add_up(lost, missed[j], (lags[q], sizes[j], width, used))
                last, used = used, used + 1
            which[q, j] = last
            some[q, j // COLUMNS] |= count


@kernel
def add_up(lost: Lost, missed: IntArray, at: tuple[int, int, int, int]) -> None:
    """Fill a row with the sum of the frames in a window: at = (first, number, width, row)."""
    sums, squares, _, _ = lost
    first, number, width, to = at
    d = sums.shape[0] // squares.shape[0]
    squares[to] = 0.0
    sums[to * d : (to + 1) * d] = 0.0
    for m in range(number):
        k = missed[m] - first
        if 0 <= k < width:
            add_to(squares[k], squares[to])
            for c in range(d):
                add_to(sums[k * d + c], sums[to * d + c])


@kernel
def add_to(values: Array, total: Array) -> None:
    """Add up."""
    for i in range(values.size):
        total[i] += values[i]


@kernel
def choose_tiles(
    room: Room,
    work: Work,
    lags: tuple[IntArray, Array],
    geometry: exact.Geometry,
    tasks: tuple[States, Any, Array, Array],
) -> None:
    """Choose among the lags in the tiles that are in a given state."""
    states, state, r, lag = tasks
    x, (y, inverse, sums, squares, counts, _, _) = room[0][0], room[1]
    (_, missed, sizes, _), side_y, y2, tables, lost = work
    d = x.shape[0] // geometry.window
    square(y, y2)
    find_lost(x, side_y, lags[0], lost)
    slots = np.zeros(ROWS, dtype=np.int64)
    sides, own, gaps = (y, y2, side_y[0]), (inverse, sums, squares, counts), (missed, lags[0])
    registers, need, polarity = geometry.registers, geometry.need, np.int64(geometry.polarity)
    for j in range(states.shape[1]):
        column = j * COLUMNS
        at = 0, 0, 0, column, d, need
        gap_tiles.row_tables(registers, sides, own, gaps, tables, at)
        for i in range(states.shape[0]):
            if states[i, j] != state:
                continue
            for k in range(ROWS):
                signal = i * ROWS + k
                slots[k] = k + 1 if sizes[signal] > 0 else 0
                if sizes[signal] > 0:
                    first = signal * missed.shape[1]
                    at = first, first + sizes[signal], slots[k], column, d, need
                    gap_tiles.row_tables(registers, sides, own, gaps, tables, at)
            at_tile = i * ROWS, column, geometry.window, d, polarity
            gap_tiles.imitation(
                registers, x, (y, inverse), tables, lost, slots, lags, (r, lag), at_tile
            )
