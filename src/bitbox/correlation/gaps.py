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

#: Squares of x's and of y's panel, absent frames of y, and the tables of `gap_tiles.row_tables`.
Work = tuple[Array, Array, Array, tuple[Array, Array, Array]]


@kernel
def workspace(room: Room, width: int, d: int) -> Work:
    """Return room to work in; what is absent of the padding stays 0."""
    x, y, inverse = room[0][0], room[1][0], room[1][1]
    n2, lags = y.shape[1], inverse.shape[0]
    tables = (
        np.empty((lags * SLOTS, n2), dtype=np.float32),
        np.empty((lags * d * SLOTS, n2), dtype=np.float32),
        np.empty((lags * SLOTS, n2), dtype=np.float32),
    )
    absent = np.zeros((width + lags - 1, n2), dtype=np.float32)
    return np.empty_like(x), np.empty_like(y), absent, tables


@kernel
def frames_missed(
    rows: FloatArray,
    at: tuple[int, int, int, int],
    geometry: exact.Geometry,
    side: tuple[Array, ...],
) -> tuple[IntArray, IntArray]:
    """Return (first, frames): signal i misses the frames[first[i]:first[i + 1]] of a window.

    at = (first frame, first column, signals, d). Signals without gaps, or with too many, have none.
    """
    start, column, n, d = at
    partial = side[2][0]
    first = np.zeros(partial.size + 1, dtype=np.int64)
    frames = np.empty(n * geometry.window, dtype=np.int64)
    size = 0
    for i in range(partial.size):
        if i < n and partial[i] > 0.0:
            for k in range(geometry.window):
                value = rows[(start + k) * d, column + i]
                if value != value:
                    frames[size] = k
                    size += 1
        first[i + 1] = size
    return first, frames


@kernel
def absences(rows: FloatArray, at: tuple[int, int, int, int], work: Work) -> None:
    """Fill with 1 where a frame of y is missing, 0 elsewhere; `at` as in `frames_missed`."""
    start, column, n, d = at
    absent = work[2]
    for k in range(absent.shape[0]):
        row, out = rows[(start + k) * d], absent[k]
        for j in range(n):
            value = row[column + j]
            out[j] = 0.0 if value == value else 1.0


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
    """Fill with squares."""
    for k in range(values.shape[0]):
        row, target = values[k], out[k]
        for j in range(row.size):
            target[j] = row[j] * row[j]


@kernel
def list_frames(
    absent: Array, column: int, partial: FloatArray, begin: IntArray, width: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return (list, lowest, highest): the frames that a partial signal of a tile misses.

    list[lowest[q]:highest[q]] are those within `width` frames from begin[q].
    """
    listed = np.empty(absent.shape[0], dtype=np.int64)
    size = 0
    for k in range(absent.shape[0]):
        missed = 0.0
        for j in range(column, column + COLUMNS):
            missed += absent[k, j] * partial[j]
        if missed > 0.0:
            listed[size] = k
            size += 1
    lowest = np.zeros(begin.size, dtype=np.int64)
    highest = np.zeros(begin.size, dtype=np.int64)
    for q in range(begin.size):
        for m in range(size):
            lowest[q] += 1 if listed[m] < begin[q] else 0
            highest[q] += 1 if listed[m] < begin[q] + width else 0
    return listed, lowest, highest


@kernel
def choose_tiles(
    room: Room,
    work: Work,
    missed: tuple[IntArray, IntArray],
    lags: tuple[IntArray, Array],
    geometry: exact.Geometry,
    tasks: tuple[States, Any, Array, Array],
) -> None:
    """Choose among the lags in the tiles that are in a given state."""
    states, state, r, lag = tasks
    x, (y, inverse, sums, squares, counts, flags, _) = room[0][0], room[1]
    x2, y2, absent, tables = work
    first, frames = missed
    d = x.shape[0] // geometry.window
    square(x, x2)
    square(y, y2)
    lists = [
        list_frames(absent, j * COLUMNS, flags[0], lags[0], geometry.window)
        for j in range(states.shape[1])
    ]
    slots = np.zeros(ROWS, dtype=np.int64)
    sides, own = (y, y2, absent), (inverse, sums, squares, counts)
    gap_tiles.row_tables(
        geometry.registers, sides, own, (frames, lags[0]), tables, (0, 0, 0, d, geometry.need)
    )
    for i in range(states.shape[0]):
        if not holds(states[i], state):
            continue
        for k in range(ROWS):
            low, high = first[i * ROWS + k], first[i * ROWS + k + 1]
            slots[k] = k + 1 if high > low else 0
            if high > low:
                at = low, high, slots[k], d, geometry.need
                gap_tiles.row_tables(geometry.registers, sides, own, (frames, lags[0]), tables, at)
        for j in range(states.shape[1]):
            if states[i, j] == state:
                listed, lowest, highest = lists[j]
                gap_tiles.imitation(
                    geometry.registers,
                    (x, x2),
                    (y, absent, inverse),
                    tables,
                    (slots, listed, lowest, highest),
                    lags,
                    (r, lag),
                    (i * ROWS, j * COLUMNS, geometry.window, d, np.int64(geometry.polarity)),
                )
