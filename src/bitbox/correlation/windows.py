"""Means and norms of windows, and copies of the data that the register tiles can take.

Arrays are laid out (frames, coordinates, signals), float64, NaN where missing; signals are padded
with NaN to whole tiles.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, sum_tiles
from bitbox.correlation.compiled import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Mean, norm, count, delicate, rest and odd (see `window_statistics`).
Tables = tuple[FloatArray, FloatArray, FloatArray, BoolArray, FloatArray, BoolArray]

#: Mean, rest, squares and count of one window (see `tiles.moments`).
Row = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

#: What slides: a centre, the sums about it of differences and of squares, the number of valid
#: frames, and the largest sum of squares so far.
Sums = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]

#: Centre, factor, inverse, offset (see `common_reference`), room to work, and the centre's rest, 0.
Reference = tuple[
    FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray
]

#: A window whose deviation is below this share of its mean is left to the exact kernel: rounding
#: of the mean would show in the seventh digit of r.
DELICATE = 2.0**-32

#: Windows that follow one another frame by frame are slid along, this many at most from a start.
RESTART = 32

#: A window that slid down to this share of the largest sum of squares on the way is done anew:
#: sums that slide keep rounding errors relative to the largest.
ANEW = 1e-6


@kernel
def largest(data: FloatArray) -> FloatArray:
    """Return the largest magnitude of each signal of (frames, signals, coordinates)."""
    frames, n, d = data.shape
    rows = data.reshape(frames, n * d)
    each = np.zeros(n * d)
    for t in range(frames):
        for k in range(n * d):
            size = abs(rows[t, k])
            each[k] = size if size > each[k] else each[k]
    out = np.zeros(n)
    for k in range(n * d):
        out[k // d] = max(out[k // d], each[k])
    return out


def lay_out(data: FloatArray, first: FloatArray, second: FloatArray, out: FloatArray) -> None:
    """Transpose to (frames, coordinates, signals), scaled; a frame is missing in whole."""
    frames, n, d = data.shape
    if d == 1:
        scale(data.reshape(frames, n), first, second, out.reshape(frames, out.shape[2]))
        return
    inner = out[:, :, :n]
    np.multiply(data.transpose(0, 2, 1), first, out=inner)
    inner *= second
    inner += (inner * 0.0).sum(axis=1, keepdims=True)  # 0, or NaN where one is missing
    out[:, :, n:] = np.nan


@kernel
def scale(data: FloatArray, first: FloatArray, second: FloatArray, out: FloatArray) -> None:
    """Multiply every row, and fill up with NaN."""
    for t in range(data.shape[0]):
        source, target = data[t], out[t]
        for i in range(source.size):
            target[i] = source[i] * first[i] * second[i]
        for i in range(source.size, target.size):
            target[i] = math.nan


@kernel
def window_statistics(data: FloatArray, frames: IntArray, geometry: exact.Geometry) -> Tables:
    """Return what `fill_tables` fills; for compiled code."""
    d, n = data.shape[1], data.shape[2]
    mean, rest = np.empty((frames.size, d, n)), np.empty((frames.size, d, n))
    norm, count = np.empty((frames.size, n)), np.empty((frames.size, n))
    delicate = np.empty((frames.size, n), dtype=np.bool_)
    odd = np.empty(frames.size, dtype=np.bool_)
    sums = np.empty((d, n)), np.empty((d, n)), np.empty(n), np.empty(n), np.empty(n)
    fill_tables(data, frames, geometry, sums, (mean, norm, count, delicate, rest, odd))
    return mean, norm, count, delicate, rest, odd


@kernel
def fill_tables(
    data: FloatArray, frames: IntArray, geometry: exact.Geometry, sums: Sums, tables: Tables
) -> None:
    """Fill mean, norm, number of valid frames, and what is delicate, rest and odd, of windows.

    Parameters
    ----------
    tables : tuple of arrays, as follows
    mean : (len(frames), coordinates, signals)
    norm : (len(frames), signals)
        Of the differences from the mean; NaN where undefined: still, or too few valid frames.
    count : (len(frames), signals)
    delicate : (len(frames), signals)
        Defined, but too small a movement on too large an offset for the fast kernels.
    rest : (len(frames), coordinates, signals)
        What rounding took from the mean.
    odd : (len(frames),)
        Whether any signal of that window misses frames or is delicate.
    """
    width, d, n = geometry.window, data.shape[1], data.shape[2]
    mean, norm, count, _, rest, _ = tables
    rows = data.reshape(data.shape[0] * d, n)
    begun = 0
    for f in range(frames.size):
        out = mean[f], rest[f], norm[f], count[f]
        first = frames[f] * d
        slid = f > 0 and frames[f] == frames[f - 1] + 1 and f - begun < RESTART
        if slid:
            at = first, d, width, geometry.need
            slid = not sum_tiles.slide(geometry.registers, rows, sums, out, at)
        else:
            begun = f
        if not slid:
            sum_tiles.moments(geometry.registers, rows, out, (first, d, width))
        if begun == f and f + 1 < frames.size and frames[f + 1] == frames[f] + 1:
            start_sums(out, sums)
    finish_norms(data, frames, geometry, sums[2], tables)


@kernel
def start_sums(window: Row, sums: Sums) -> None:
    """Keep the centre of a window, and its sums about it, to slide them along."""
    mean, rest, squares, count = window
    centre, total, energy, valid, most = sums
    for j in range(squares.size):
        energy[j] = most[j] = squares[j]
        valid[j] = count[j]
    for c in range(mean.shape[0]):
        for j in range(squares.size):
            centre[c, j] = mean[c, j] if count[j] > 0.0 else 0.0
            total[c, j] = rest[c, j] * count[j] if count[j] > 0.0 else 0.0


@kernel
def finish_norms(
    data: FloatArray,
    frames: IntArray,
    geometry: exact.Geometry,
    offset: FloatArray,
    tables: Tables,
) -> None:
    """Turn sums of squares into norms, or NaN; flag the delicate, and the odd windows."""
    mean, norm, count, delicate, _, odd = tables
    width, need, n = geometry.window, geometry.need, norm.shape[1]
    for f in range(frames.size):
        norms, counts = norm[f], count[f]
        for j in range(n):
            offset[j] = 0.0
        for c in range(mean.shape[1]):
            for j in range(n):
                offset[j] += mean[f, c, j] * mean[f, c, j]
        suspects, partial = 0, 0
        for j in range(n):
            # False where a mean is NaN, that is, where there is no valid frame.
            suspects += 1 if norms[j] <= DELICATE**2 * counts[j] * offset[j] else 0
        for j in range(n):
            partial += 1 if need <= counts[j] < width else 0
        odd[f] = suspects + partial > 0
        for j in range(n):
            delicate[f, j] = suspects > 0 and norms[j] <= DELICATE**2 * counts[j] * offset[j]
        for j in range(n):
            norms[j] = math.sqrt(norms[j]) if counts[j] >= need else math.nan
        if suspects > 0:
            forget_still(data, frames[f], width, norms, delicate[f])


@kernel
def forget_still(
    data: FloatArray, start: int, width: int, norm: FloatArray, delicate: BoolArray
) -> None:
    """Make the norms of still windows NaN; these and undefined ones are not delicate."""
    for j in range(norm.size):
        if delicate[j] and norm[j] == norm[j]:
            signal = data[:, :, j]
            if exact.spread(signal, start, signal, start, width)[2] == 0.0:
                norm[j], delicate[j] = math.nan, False
        else:
            delicate[j] = False


@kernel
def fill(
    out: NDArray[Any],
    data: FloatArray,
    start: int,
    centre: tuple[FloatArray, FloatArray],
    factor: FloatArray,
) -> None:
    """Fill ``out[k * coordinates + c]`` with (data - centre) * factor; 0 where missing.

    The centre comes as a number and the rest that rounding took from it. A factor of NaN makes
    the whole signal NaN.
    """
    d, n = data.shape[1], data.shape[2]
    for k in range(out.shape[0] // d):
        for c in range(d):
            target, source = out[k * d + c], data[start + k, c]
            middle, rest = centre[0][c], centre[1][c]
            for j in range(n):
                value = (source[j] - middle[j]) - rest[j]
                target[j] = (value if value == value else 0.0) * factor[j]


@kernel
def common_reference(tables: Tables, rows: IntArray, reference: Reference) -> None:
    """Choose one centre and one scale for all of a signal's windows in `rows`.

    Fills ``centre`` (coordinates, signals), ``factor`` (signals) = 1 / largest norm, ``inverse``
    (rows, signals) = 1 / norm in that scale, and ``offset`` (signals): the largest distance of a
    window's mean from the centre, squared, over the window's norm squared.
    """
    mean, norm, _, _, _, _ = tables
    centre, factor, _, offset, largest, known, _ = reference
    d, n = mean.shape[1], mean.shape[2]
    for j in range(n):
        largest[j] = known[j] = offset[j] = 0.0
        for c in range(d):
            centre[c, j] = 0.0
    for row in rows:
        norms, middle = norm[row], mean[row]
        for j in range(n):
            known[j] += 1.0 if norms[j] == norms[j] else 0.0
            largest[j] = norms[j] if norms[j] > largest[j] else largest[j]
        for c in range(d):
            for j in range(n):
                centre[c, j] += middle[c, j] if norms[j] == norms[j] else 0.0
    for j in range(n):
        largest[j] = largest[j] if largest[j] > 0.0 else 1.0
        factor[j] = 1.0 / largest[j]
        known[j] = 1.0 / known[j] if known[j] > 0.0 else 0.0
    for c in range(d):
        for j in range(n):
            centre[c, j] *= known[j]
    distances(tables, rows, reference)


@kernel
def distances(tables: Tables, rows: IntArray, reference: Reference) -> None:
    """Fill ``inverse`` and ``offset`` of `common_reference`."""
    mean, norm, count, _, _, _ = tables
    centre, factor, inverse, offset, largest, away, _ = reference
    d, n = mean.shape[1], mean.shape[2]
    for q in range(rows.size):
        norms, middle, counts, out = norm[rows[q]], mean[rows[q]], count[rows[q]], inverse[q]
        for j in range(n):
            away[j] = 0.0
        for c in range(d):
            for j in range(n):
                difference = middle[c, j] - centre[c, j]
                away[j] += difference * difference
        for j in range(n):
            out[j] = largest[j] / norms[j]
        for j in range(n):
            size = away[j] * counts[j] * (out[j] * factor[j]) ** 2
            offset[j] = size if size > offset[j] else offset[j]


@kernel
def new_reference(data: FloatArray, order: IntArray) -> Reference:
    """Return room for what `common_reference` fills."""
    d, n = data.shape[1], data.shape[2]
    inverse = np.empty((order.size, n))
    scratch = np.empty(n), np.empty(n)
    return np.empty((d, n)), np.empty(n), inverse, np.empty(n), *scratch, np.zeros((d, n))


@kernel
def aligned(rows: int, n: int, like: NDArray[Any]) -> NDArray[Any]:
    """Return room for a matrix that begins where a vector register's worth of memory does."""
    raw = np.empty(rows * n + 16, dtype=like.dtype)
    first = (-raw.ctypes.data % 64) // raw.itemsize
    return raw[first : first + rows * n].reshape(rows, n)


@kernel
def invert(values: FloatArray, out: FloatArray) -> None:
    """Fill ``out`` with inverses."""
    for j in range(out.size):
        out[j] = 1.0 / values[j]


@kernel
def inverses(values: FloatArray) -> FloatArray:
    """Return inverses."""
    out = np.empty(values.size)
    invert(values, out)
    return out


@kernel
def copy(source: FloatArray, out: NDArray[Any]) -> None:
    """Copy a matrix to one of another type."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            out[i, j] = source[i, j]


@kernel
def lowest_and_reach(order: IntArray) -> tuple[int, int]:
    """Return the lowest lag, and how far the highest is from it."""
    low, high = order[0], order[0]
    for lag in order:
        low, high = min(low, lag), max(high, lag)
    return low, high - low


@kernel
def frames_used(starts: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """Return the distinct frames start + lag, and the position of each in that list."""
    lowest, reach = lowest_and_reach(order)
    low = starts[0] + lowest
    position = np.zeros(starts[-1] - starts[0] + reach + 1, dtype=np.int64)
    for start in starts:
        for lag in order:
            position[start + lag - low] = 1
    frames = np.empty(position.size, dtype=np.int64)
    size = 0
    for t in range(position.size):
        if position[t] > 0:
            frames[size], position[t] = t + low, size
            size += 1
    return frames[:size], position
