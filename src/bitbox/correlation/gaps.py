"""Windows with missing frames: which frames each signal misses, and the tiles that need to know."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, gap_tiles
from bitbox.correlation.compiled import kernel
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]
States = NDArray[np.uint8]
Room = tuple[tuple[Array, ...], tuple[Array, ...]]

#: Of one person: absent frames, those that signal i misses, (frames, sizes), and which signal is in
#: which place.
Side = tuple[Array, IntArray, IntArray, IntArray]

#: What `gap_tiles` calls lost and which: rows, by frame and then sums over several.
Lost = tuple[Array, Array, Array, Array, Array]
Which = tuple[IntArray, IntArray, IntArray, Array]

#: x, y, rows, which of them, and how many coordinates (see `gap_tiles`).
Work = tuple[Side, Side, Lost, Which, tuple[int, ...]]


def workspace(room: Room, width: int, d: int) -> Work:
    """Return room to work in."""
    x, y, inverse = room[0][0], room[1][0], room[1][1]
    n1, n2, lags = x.shape[1], y.shape[1], inverse.shape[0]
    stretch = width + lags - 1
    rows_x, rows_y = width + 1 + lags * n2, stretch + 1 + lags * n1
    shapes = (rows_x, d * n1), (rows_x, n1), (rows_y, d * n2), (rows_y, n2), (rows_y, n2)
    lost = [np.empty(shape, dtype=np.float32) for shape in shapes]
    which = (
        np.empty((lags, n2), dtype=np.int64),
        np.empty((lags, n2 // COLUMNS), dtype=np.int64),
        np.empty((lags, n1), dtype=np.int64),
        np.empty(n1, dtype=np.float32),
    )
    absent_x, absent_y = np.zeros((width, n1), dtype=np.float32), lost[4][:stretch]
    absent_y[:] = 0.0
    rows = lost[0], lost[1], lost[2], lost[3], lost[4]
    kind = gap_tiles.SINGLE if d == 1 else gap_tiles.SEVERAL
    return _side(absent_x), _side(absent_y), rows, which, kind


def _side(absent: Array) -> Side:
    """Return room for one person; what is absent of the padding stays 0."""
    frames, n = absent.shape
    return absent, np.empty((n, frames + 1), np.int64), np.zeros(n, dtype=np.int64), np.arange(n)


@kernel
def gather(partial: FloatArray, n: int, multiple: int, may_move: bool, order: IntArray) -> bool:
    """Find places for n signals such that the partial ones come first, if that frees a tile.

    Tiles hold `multiple` signals. Signals change places in twos. Returns whether any moves.
    """
    count = 0
    for j in range(order.size):
        order[j] = j
    for j in range(n):
        count += 1 if partial[j] > 0.0 else 0
    if not may_move or count == 0 or count + multiple > n:
        return False
    free, moved = 0, False
    for j in range(count, n):
        if partial[j] > 0.0:
            while partial[free] > 0.0:
                free += 1
            order[j], order[free] = free, j
            free, moved = free + 1, True
    return moved


@kernel
def swap_columns(array: Array, order: IntArray) -> None:
    """Let the columns of a matrix change places; doing it again undoes it."""
    for j in range(order.size):
        other = order[j]
        if other > j:
            for k in range(array.shape[0]):
                array[k, j], array[k, other] = array[k, other], array[k, j]


@kernel
def sort_partial(room: Room, work: Work, signals: tuple[int, int], may_move: bool) -> bool:
    """Put signals that miss frames into common tiles; return whether any moved.

    What is in the panels and tables of `room` changes places with them.
    """
    (panel_x, _, flags_x, _), (panel_y, inverse, sums, squares, counts, flags_y, _) = room
    order_x, order_y = work[0][3], work[1][3]
    moved_x = gather(flags_x[0], signals[0], ROWS, may_move, order_x)
    moved_y = gather(flags_y[0], signals[1], COLUMNS, may_move, order_y)
    if moved_x:
        swap_columns(panel_x, order_x)
        swap_columns(flags_x, order_x)
    if moved_y:
        swap_columns(flags_y, order_y)
        for table in (panel_y, inverse, sums, squares, counts):
            swap_columns(table, order_y)
    return moved_x or moved_y


@kernel
def put_back(work: Work, r: Array, lag: Array) -> None:
    """Undo in the results what `sort_partial` did."""
    for array in (r, lag):
        swap_columns(array.T, work[0][3])
        swap_columns(array, work[1][3])


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
    swap_columns(absent, order)
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
def find_lost(room: Room, work: Work, lags: IntArray, need: int) -> None:
    """Fill what x and y lose by what the other one misses (see `gap_tiles.imitation`).

    Where a signal misses one frame, that is the frame's row; where none, a row of 0. Sums over
    several frames are behind these. Windows of fewer frames than needed are undefined anyway.
    """
    x, y = room[0][0], room[1][0]
    (_, missed_x, sizes_x, _), (_, missed_y, sizes_y, _), lost, which, _ = work
    values_x, squares_x, values_y, squares_y, absent_y = lost
    of_x, some, of_y, number = which
    width, stretch = work[0][0].shape[0], work[1][0].shape[0]
    begin_rows(x, width, values_x, squares_x)
    begin_rows(y, stretch, values_y, squares_y)
    absent_y[stretch] = 0.0
    used, some[:] = width + 1, 0
    for j in range(sizes_y.size):
        of_x[:, j] = width
        size, begin = sizes_y[j], j * missed_y.shape[1]
        if size == 1:
            tile = j // COLUMNS
            for q in range(lags.size):
                k = missed_y[j, 0] - lags[q]
                inside = (k >= 0) & (k < width)
                of_x[q, j] = k if inside else width
                some[q, tile] |= 1 if inside else 0
        for q in range(lags.size if size > 1 else 0):
            first, stop = 0, 0
            for m in range(size):  # without a branch, which could not be foreseen
                k = missed_y[j, m] - lags[q]
                first += 1 if k < 0 else 0
                stop += 1 if k < width else 0
            if stop - first > width - need:
                continue
            some[q, j // COLUMNS] |= stop - first
            if stop - first == 1:
                of_x[q, j] = missed_y[j, first] - lags[q]
            elif stop > first:
                at = begin + first, begin + stop, -lags[q], used
                gap_tiles.add_rows(values_x, missed_y, at)
                gap_tiles.add_rows(squares_x, missed_y, at)
                of_x[q, j], used = used, used + 1
    used = stretch + 1
    for i in range(sizes_x.size):
        size, begin = sizes_x[i], i * missed_x.shape[1]
        number[i] = size
        for q in range(lags.size):
            of_y[q, i] = missed_x[i, 0] + lags[q] if size == 1 else stretch
            if size > 1:
                at = begin, begin + size, lags[q], used
                gap_tiles.add_rows(values_y, missed_x, at)
                gap_tiles.add_rows(squares_y, missed_x, at)
                gap_tiles.add_rows(absent_y, missed_x, at)
                of_y[q, i], used = used, used + 1


@kernel
def begin_rows(panel: Array, frames: int, values: Array, squares: Array) -> None:
    """Copy a panel's frames and their squares, summed over coordinates, and a row of 0."""
    n = panel.shape[1]
    d = panel.shape[0] // frames
    values[frames], squares[: frames + 1] = 0.0, 0.0
    for k in range(frames):
        for c in range(d):
            row, out, square = panel[k * d + c], values[k, c * n : (c + 1) * n], squares[k]
            for i in range(n):
                out[i] = row[i]
                square[i] += row[i] * row[i]


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
    find_lost(room, work, lags[0], geometry.need)
    for j in range(states.shape[1]):
        for i in range(states.shape[0]):
            if states[i, j] == state:
                corner, d = (i * ROWS, j * COLUMNS), x.shape[0] // geometry.window
                at = (*corner, geometry.window, d, geometry.need, np.int64(geometry.polarity))
                gap_tiles.imitation(
                    (geometry.registers, work[4]),
                    x,
                    (y, inverse, sums, squares, counts),
                    work[2],
                    work[3],
                    lags,
                    (r, lag),
                    at,
                )
