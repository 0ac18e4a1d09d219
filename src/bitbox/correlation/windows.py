"""Means and norms of windows, and copies of the data that the register tiles can take.

Arrays are laid out (frames, coordinates, signals), float64, NaN where missing; signals are padded
with NaN to whole tiles.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, tiles
from bitbox.correlation.compiled import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Mean, norm, count, delicate and rest (see `window_statistics`).
Tables = tuple[FloatArray, FloatArray, FloatArray, BoolArray, FloatArray]

#: Centre, factor, inverse, offset (see `common_reference`), room to work, and the centre's rest, 0.
Reference = tuple[
    FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray
]

#: A window whose deviation is below this share of its mean is left to the exact kernel: rounding
#: of the mean would show in the seventh digit of r.
DELICATE = 2.0**-32


@kernel
def largest(data: FloatArray) -> FloatArray:
    """Return the largest magnitude of each signal of (frames, signals, coordinates)."""
    out = np.zeros(data.shape[1])
    for t in range(data.shape[0]):
        for i in range(data.shape[1]):
            for c in range(data.shape[2]):
                size = abs(data[t, i, c])
                out[i] = size if size > out[i] else out[i]
    return out


@kernel
def lay_out(data: FloatArray, first: FloatArray, second: FloatArray, out: FloatArray) -> None:
    """Transpose to (frames, coordinates, signals), scaled; a frame is missing in whole."""
    n, d = data.shape[1], data.shape[2]
    for t in range(data.shape[0]):
        for i in range(n):
            scale, lost = first[i], False
            for c in range(d):
                value = data[t, i, c]
                lost |= value != value
                out[t, c, i] = value * scale * second[i]
            if lost:
                for c in range(d):
                    out[t, c, i] = math.nan
        for c in range(d):
            for i in range(n, out.shape[2]):
                out[t, c, i] = math.nan


@kernel
def window_statistics(data: FloatArray, frames: IntArray, geometry: exact.Geometry) -> Tables:
    """Return mean, norm, number of valid frames, whether delicate, and rest, of windows.

    Returns
    -------
    mean : (len(frames), coordinates, signals)
    norm : (len(frames), signals)
        Of the differences from the mean; NaN where undefined: still, or too few valid frames.
    count : (len(frames), signals)
    delicate : (len(frames), signals)
        Defined, but too small a movement on too large an offset for the fast kernels.
    rest : (len(frames), coordinates, signals)
        What rounding took from the mean.
    """
    width, d, n = geometry.window, data.shape[1], data.shape[2]
    mean, rest = np.empty((frames.size, d, n)), np.empty((frames.size, d, n))
    norm, count = np.empty((frames.size, n)), np.empty((frames.size, n))
    delicate = np.zeros((frames.size, n), dtype=np.bool_)
    rows = data.reshape(data.shape[0] * d, n)
    for f in range(frames.size):
        out = mean[f], rest[f], norm[f], count[f]
        tiles.moments(geometry.registers, rows, out, (frames[f] * d, d, width))
        finish_norms(data, frames[f], geometry, mean[f], (norm[f], count[f], delicate[f]))
    return mean, norm, count, delicate, rest


@kernel
def finish_norms(
    data: FloatArray,
    start: int,
    geometry: exact.Geometry,
    mean: FloatArray,
    out: tuple[FloatArray, FloatArray, BoolArray],
) -> None:
    """Turn sums of squares into norms, or NaN, and flag the delicate."""
    norm, count, delicate = out
    suspects = 0
    for j in range(norm.size):
        squares = norm[j]
        offset = 0.0
        for c in range(mean.shape[0]):
            offset += mean[c, j] * mean[c, j]
        suspect = squares <= DELICATE**2 * count[j] * offset
        delicate[j] = suspect
        suspects += 1 if suspect else 0
        norm[j] = math.sqrt(squares) if count[j] >= geometry.need else math.nan
    if suspects == 0:
        return
    for j in range(norm.size):
        if delicate[j] and norm[j] == norm[j]:
            signal = data[:, :, j]
            if exact.spread(signal, start, signal, start, geometry.window)[2] == 0.0:
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
    mean, norm, count, _, _ = tables
    centre, factor, inverse, offset, largest, known, _ = reference
    d, n = mean.shape[1], mean.shape[2]
    largest[:], known[:], centre[:] = 0.0, 0.0, 0.0
    for row in rows:
        for j in range(n):
            good = norm[row, j] == norm[row, j]
            known[j] += 1.0 if good else 0.0
            largest[j] = max(largest[j], norm[row, j] if good else 0.0)
        for c in range(d):
            for j in range(n):
                good = norm[row, j] == norm[row, j]
                centre[c, j] += mean[row, c, j] if good else 0.0
    for j in range(n):
        factor[j] = 1.0 / largest[j] if largest[j] > 0.0 else 1.0
        offset[j] = 0.0
        for c in range(d):
            centre[c, j] = centre[c, j] / known[j] if known[j] > 0.0 else 0.0
    for q in range(rows.size):
        row = rows[q]
        for j in range(n):
            inverse[q, j] = largest[j] / norm[row, j]
            away = 0.0
            for c in range(d):
                away += (mean[row, c, j] - centre[c, j]) ** 2
            away *= count[row, j] / (norm[row, j] * norm[row, j])
            offset[j] = max(offset[j], away if away == away else 0.0)


@kernel
def new_reference(data: FloatArray, order: IntArray) -> Reference:
    """Return room for what `common_reference` fills."""
    d, n = data.shape[1], data.shape[2]
    inverse = np.empty((order.size, n))
    scratch = np.empty(n), np.empty(n)
    return np.empty((d, n)), np.empty(n), inverse, np.empty(n), *scratch, np.zeros((d, n))


@kernel
def inverses(norm: FloatArray) -> FloatArray:
    """Return the inverses of norms."""
    out = np.empty(norm.size)
    for j in range(norm.size):
        out[j] = 1.0 / norm[j]
    return out


@kernel
def copy(source: FloatArray, out: NDArray[Any]) -> None:
    """Copy a matrix to one of another type."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            out[i, j] = source[i, j]


@kernel
def holds(values: NDArray[np.uint8], wanted: int) -> bool:
    """Return whether a value occurs."""
    for value in values:  # noqa: SIM110 - compiled code
        if value == wanted:
            return True
    return False


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
