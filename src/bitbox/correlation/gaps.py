"""Windows with missing frames: which frames each signal misses, and the tiles that need to know."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, gap_tiles, tiles
from bitbox.correlation.compiled import kernel
from bitbox.correlation.tiles import COLUMNS, ROWS
from bitbox.correlation.windows import Tables, lowest_and_reach

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]


@kernel
def partial_windows(
    count: FloatArray, norm: FloatArray, rows: IntArray, width: int
) -> NDArray[np.bool_]:
    """Return which signals miss some frames in a defined window of `rows`."""
    out = np.zeros(count.shape[1], dtype=np.bool_)
    for row in rows:
        for j in range(out.size):
            out[j] |= norm[row, j] == norm[row, j] and count[row, j] < width
    return out


@kernel
def frames_missed(
    data: FloatArray, start: int, width: int, wanted: NDArray[np.bool_]
) -> tuple[IntArray, IntArray]:
    """Return (first, frames): signal i misses the frames[first[i]:first[i + 1]] of a window."""
    n = data.shape[2]
    first = np.zeros(n + 1, dtype=np.int64)
    frames = np.empty(n * width, dtype=np.int64)
    size = 0
    for i in range(n):
        if wanted[i]:
            for k in range(width):
                if data[start + k, 0, i] != data[start + k, 0, i]:
                    frames[size] = k
                    size += 1
        first[i + 1] = size
    return first, frames


@kernel
def absences(absent: Array, data: FloatArray, start: int) -> None:
    """Fill ``absent`` (frames, signals) with 1 where a frame is missing, 0 elsewhere."""
    for k in range(absent.shape[0]):
        row = data[start + k, 0]
        for j in range(row.size):
            absent[k, j] = 0.0 if row[j] == row[j] else 1.0


@kernel
def window_sums(
    tables: Tables,
    rows: IntArray,
    centre: FloatArray,
    out: tuple[Array, Array, Array],
) -> None:
    """Fill ``out = (sums, sums of squares, counts)`` of y's windows, in units of their norms."""
    mean, norm, count, _, rest, _ = tables
    sums, squares, counts = out
    d = mean.shape[1]
    for q in range(rows.size):
        row = rows[q]
        for j in range(centre.shape[1]):
            counts[q, j] = count[row, j]
            squares[q, j] = 1.0
        for c in range(d):
            for j in range(centre.shape[1]):
                away = ((mean[row, c, j] - centre[c, j]) + rest[row, c, j]) / norm[row, j]
                sums[q * d + c, j] = count[row, j] * away
                squares[q, j] += count[row, j] * away * away


@kernel
def list_frames(
    absent: Array, column: int, wanted: NDArray[np.bool_], begin: IntArray, width: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return (list, lowest, highest): the frames that a wanted signal of a tile misses.

    list[lowest[q]:highest[q]] are those within `width` frames from begin[q].
    """
    listed = np.empty(absent.shape[0], dtype=np.int64)
    size = 0
    for k in range(absent.shape[0]):
        missed = 0.0
        for j in range(column, column + COLUMNS):
            if wanted[j]:
                missed += absent[k, j]
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
def squared(values: Array) -> Array:
    """Return the squares."""
    out = np.empty_like(values)
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[k, j] = values[k, j] * values[k, j]
    return out


@kernel
def workspace(
    x: FloatArray, y: FloatArray, order: IntArray, frames: int
) -> tuple[Array, Array, Array, Array, Array, Array, Array]:
    """Return room for the arrays of `choose_tiles`; `frames` is that of y's."""
    d, n1, n2 = x.shape[1], x.shape[2], y.shape[2]
    lags = order.size
    return (
        np.empty(((frames - lowest_and_reach(order)[1]) * d, n1), dtype=np.float32),
        np.empty((frames * d, n2), dtype=np.float32),
        np.empty((lags, n2), dtype=np.float32),
        np.empty((frames, n2), dtype=np.float32),
        np.empty((lags * d, n2), dtype=np.float32),
        np.empty((lags, n2), dtype=np.float32),
        np.empty((lags, n2), dtype=np.float32),
    )


@kernel
def any_of(flags: NDArray[np.bool_]) -> bool:
    """Return whether any flag is set."""
    for flag in flags:  # noqa: SIM110 - compiled code
        if flag:
            return True
    return False


@kernel
def choose_tiles(
    arrays: tuple[Array, Array, Array, Array, Array, Array, Array],
    gaps: tuple[IntArray, IntArray, NDArray[np.bool_], NDArray[np.bool_]],
    lags: tuple[IntArray, Array],
    chosen: NDArray[np.bool_],
    geometry: exact.Geometry,
    out: tuple[Array, Array],
) -> None:
    """Choose among the lags in the chosen tiles of y, whichever kind of tile each needs.

    arrays = (x, y, inverse, absent, sums, sums of squares, counts); gaps = (first, frames) of x,
    and which signals of x and of y miss frames; lags = (first frame of y's windows, values).
    """
    x, y, inverse, absent, sums, squares, counts = arrays
    first, frames, gaps_x, gaps_y = gaps
    begin = lags[0]
    d = x.shape[0] // geometry.window
    x2, y2 = squared(x), squared(y)
    polarity = np.int64(geometry.polarity)
    for j in range(0, y.shape[1], COLUMNS):
        if not chosen[j // COLUMNS]:
            continue
        listed, lowest, highest = list_frames(absent, j, gaps_y, begin, geometry.window)
        some_y = any_of(gaps_y[j : j + COLUMNS])
        for i in range(0, x.shape[1], ROWS):
            if some_y or any_of(gaps_x[i : i + ROWS]):
                gap_tiles.imitation(
                    geometry.registers,
                    (x, x2),
                    (y, y2, absent),
                    (inverse, sums, squares, counts),
                    (first, frames, listed, lowest, highest),
                    lags,
                    out,
                    (i, j, geometry.window, d, geometry.need, polarity),
                )
            else:
                at = i, j, x.shape[0], d, polarity
                tiles.imitation(geometry.registers, x, y, inverse, lags, out, at)
