"""Kernels: one window of x against every place of y, in float64.

A window of x less its mean, `u`, has sum 0. So its covariance with the window of y that starts at
frame p is the sum over k of ``u[k] * y[p + k]``: y's window needs no centring of its own, and all
places together are a filter of W taps that runs along y. Divided by the two windows' norms that is
r. Where frames are missing, the sums of the frames that both have are filters as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.definition import ENOUGH_DOUBLE, STILL
from bitbox.system.kernel_cache import compiled

F = TypeVar("F", bound=Callable[..., Any])
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

#: Squared distance of a window of y from y's middle, relative to its squared movement, above which
#: it is centred by itself: without gaps, and with gaps, where sums of squares are subtracted.
FAR, FAR_WITH_GAPS = 1e12, 1e6
# Places that take as long as starting on one.
_OVERHEAD = 16
# Places worked on at once: what is needed stays in the nearest cache.
_BLOCK = 512

#: x: windows (n, d, W), movement of norm 1 around the mean, 0 where missing; present (n, W), ones
#: and zeros; whether a window has no gap; whether it is usable; its start; the signal (d, T).
Side = tuple[FloatArray, FloatArray, BoolArray, BoolArray, IntArray, FloatArray]
#: y: values (d, T), around the middle, 0 where missing; present (T,); 1 / norm of the window that
#: starts at each place, NaN where unusable; how many places before each one have gaps, and are far
#: (len: places + 1); whether a place is far without and with gaps; the signal (d, T); over each
#: window the sums of the d values, the sum of their squares, and the count (d + 2, places).
Other = tuple[
    FloatArray, FloatArray, FloatArray, IntArray, IntArray, BoolArray, BoolArray, FloatArray,
    FloatArray,
]  # fmt: skip


def _compiled(function: F) -> F:
    """Compile a kernel when it is first called, and keep it on disk where that can be done."""
    return compiled(function, nogil=True, error_model="numpy", fastmath={"contract"})


def _part(function: F) -> F:
    """Write a function into the kernels that call it, before these are compiled.

    So it is compiled once, with what calls it. Compiled by itself it would be, too, and several
    copies would lie in one process, each rounded a little differently: which of them is called
    would depend on whether kernels were compiled just now or found on disk.
    """
    return compiled(
        function, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always"
    )


def _part_in_vectors(function: F) -> F:
    """Compile sums that may be taken in another order, and that meet no NaN; into what calls it."""
    fast = {"contract", "reassoc", "nnan", "nsz"}
    return compiled(function, nogil=True, error_model="numpy", fastmath=fast, forceinline=True)


@_compiled
def describe(
    signal: FloatArray, starts: IntArray, window: int, need: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return count, mean (n, d) and norm of the windows of a signal (d, T).

    The norm is NaN where fewer than `need` frames are there, or the window is constant.
    """
    d, n = signal.shape[0], starts.size
    count, mean = np.zeros(n, dtype=np.int64), np.zeros((n, d))
    norm = np.full(n, math.nan)
    for i in range(n):
        start = starts[i]
        known = 0
        for t in range(start, start + window):
            known += not math.isnan(signal[0, t])
        count[i] = known
        if known < need:
            continue
        widest, magnitude, square = 0.0, 0.0, 0.0
        for c in range(d):
            part = signal[c, start : start + window]
            mean[i, c], squares, low, high = _spread(part, known)
            square += squares
            widest = max(widest, high - low)
            magnitude = max(magnitude, abs(low), abs(high))
        if widest > STILL * magnitude and square > 0.0:
            norm[i] = math.sqrt(square)
    return count, mean, norm


@_part
def _spread(values: FloatArray, known: int) -> tuple[float, float, float, float]:
    """Return mean, summed squared deviations, and range of the values that are not missing."""
    if known == values.size:
        return _spread_complete(values)
    low, high = math.inf, -math.inf
    for value in values:
        if value < low:
            low = value
        if value > high:
            high = value
    # from a value inside the window, so that an offset costs no digits
    total, squares = 0.0, 0.0
    for value in values:
        if not math.isnan(value):
            total += value - low
    middle = total / known
    for value in values:
        if not math.isnan(value):
            squares += (value - low - middle) ** 2
    return low + middle, squares, low, high


@_part_in_vectors
def _spread_complete(values: FloatArray) -> tuple[float, float, float, float]:
    """As `_spread`, where no value is missing."""
    low, high = math.inf, -math.inf
    for value in values:
        low, high = min(low, value), max(high, value)
    total, squares = 0.0, 0.0
    for value in values:
        total += value - low
    middle = total / values.size
    for value in values:
        squares += (value - low - middle) ** 2
    return low + middle, squares, low, high


@_part
def taps(unit: FloatArray, y: FloatArray, out: FloatArray) -> None:
    """Add to out[p] the sum over k of ``unit[k] * y[p + k]``."""
    n, width, k = out.size, unit.size, 0
    while k + 8 <= width:
        a, b, c, d = unit[k], unit[k + 1], unit[k + 2], unit[k + 3]
        e, f, g, h = unit[k + 4], unit[k + 5], unit[k + 6], unit[k + 7]
        z = y[k : k + n + 7]
        for p in range(n):
            near = a * z[p] + b * z[p + 1] + c * z[p + 2] + d * z[p + 3]
            far = e * z[p + 4] + f * z[p + 5] + g * z[p + 6] + h * z[p + 7]
            out[p] += near + far
        k += 8
    while k < width:
        a, z = unit[k], y[k : k + n]
        for p in range(n):
            out[p] += a * z[p]
        k += 1


@_part
def exactly(a: FloatArray, start: int, b: FloatArray, place: int, window: int, need: int) -> float:
    """Return r of a window of `a` and one of `b`, (d, T), over the frames that both have."""
    shared = 0
    for k in range(window):
        shared += not (math.isnan(a[0, start + k]) or math.isnan(b[0, place + k]))
    if shared < need:
        return math.nan
    covariance, a_square, b_square = 0.0, 0.0, 0.0
    a_range, b_range, a_size, b_size = 0.0, 0.0, 0.0, 0.0
    for c in range(a.shape[0]):
        a_low, a_high, b_low, b_high = math.inf, -math.inf, math.inf, -math.inf
        for k in range(window):
            p, q = a[c, start + k], b[c, place + k]
            if not (math.isnan(p) or math.isnan(q)):
                a_low, a_high = min(a_low, p), max(a_high, p)
                b_low, b_high = min(b_low, q), max(b_high, q)
        a_sum, b_sum = 0.0, 0.0
        for k in range(window):
            p, q = a[c, start + k], b[c, place + k]
            if not (math.isnan(p) or math.isnan(q)):
                a_sum += p - a_low
                b_sum += q - b_low
        a_mean, b_mean = a_sum / shared, b_sum / shared
        for k in range(window):
            p, q = a[c, start + k], b[c, place + k]
            if not (math.isnan(p) or math.isnan(q)):
                u, v = p - a_low - a_mean, q - b_low - b_mean
                covariance += u * v
                a_square += u * u
                b_square += v * v
        a_range, b_range = max(a_range, a_high - a_low), max(b_range, b_high - b_low)
        a_size = max(a_size, abs(a_low), abs(a_high))
        b_size = max(b_size, abs(b_low), abs(b_high))
    if a_range <= STILL * a_size or b_range <= STILL * b_size:
        return math.nan
    return covariance / (math.sqrt(a_square) * math.sqrt(b_square))


@_part
def correlate_window(
    x: Side, i: int, y: Other, first: int, need: int, room: FloatArray, out: FloatArray
) -> None:
    """Fill `out` with r of window i of x and the windows of y that start at `first` and after.

    NaN where undefined. `room` is (8, len(out)) of scratch.
    """
    unit, _, complete, _, starts, x_signal = x
    values, _, inverse, gaps_before, far_before, far, far_with_gaps, y_signal, _ = y
    n, window = out.size, unit.shape[2]
    norms = inverse[first : first + n]
    out[:] = 0.0
    for c in range(unit.shape[1]):
        taps(unit[i, c], values[c, first : first + n + window - 1], out)
    gaps = not complete[i] or gaps_before[first + n] > gaps_before[first]
    if gaps:
        _with_gaps(x, i, y, first, need, room, out)
    else:
        for p in range(n):
            out[p] *= norms[p]
    if gaps or far_before[first + n] > far_before[first]:
        for p in range(n):
            apart = far_with_gaps[first + p] if gaps else far[first + p]
            if norms[p] == norms[p] and (apart or out[p] == math.inf):
                out[p] = exactly(x_signal, starts[i], y_signal, first + p, window, need)
    for p in range(n):
        out[p] = 1.0 if out[p] > 1.0 else (-1.0 if out[p] < -1.0 else out[p])


@_part
def _less_missing_of_x(
    present: FloatArray, v: FloatArray, total: FloatArray, squares: FloatArray
) -> None:
    """Take from the sums of y's windows, at every place, the frames that x's window misses."""
    for k in range(present.size):
        if present[k] == 0.0:
            for p in range(total.size):
                total[p] -= v[p + k]
                squares[p] -= v[p + k] * v[p + k]


@_part
def _less_missing_of_y(
    here: FloatArray, u: FloatArray, total: FloatArray, squares: FloatArray
) -> None:
    """Take from the sums of x's window, at every place, the frames that y misses there."""
    n, window = total.size, u.size
    for t in range(here.size):
        if here[t] == 0.0:
            for p in range(max(0, t - window + 1), min(n, t + 1)):
                total[p] -= u[t - p]
                squares[p] -= u[t - p] * u[t - p]


@_part
def _with_gaps(
    x: Side, i: int, y: Other, first: int, need: int, room: FloatArray, out: FloatArray
) -> None:
    """Turn the summed products of shared frames in `out` into r; inf: to be done exactly.

    Every other sum is the one over the whole window, less the few frames that the other misses.
    """
    unit, present = x[0][i], x[1][i]
    values, y_present, inverse, totals = y[0], y[1], y[2], y[8]
    n, d, window = out.size, unit.shape[0], unit.shape[1]
    here = y_present[first : first + n + window - 1]
    shared, x_square, y_square = room[0, :n], room[1, :n], room[2, :n]
    x_sum, y_sum = room[3, :n], room[4, :n]
    x_sums, y_sums, products = room[5, :n], room[6, :n], room[7, :n]
    shared[:] = totals[d + 1, first : first + n]
    y_square[:] = totals[d, first : first + n]
    x_square[:] = 0.0
    for k in range(window):
        if present[k] == 0.0:
            for p in range(n):
                shared[p] -= here[p + k]
    x_sums[:] = 0.0
    y_sums[:] = 0.0
    products[:] = 0.0
    for c in range(d):
        u, v = unit[c], values[c, first : first + n + window - 1]
        x_sum[:] = u.sum()
        x_square += (u * u).sum()
        y_sum[:] = totals[c, first : first + n]
        _less_missing_of_x(present, v, y_sum, y_square)
        _less_missing_of_y(here, u, x_sum, x_square)
        for p in range(n):
            x_sums[p] += x_sum[p] * x_sum[p]
            y_sums[p] += y_sum[p] * y_sum[p]
            products[p] += x_sum[p] * y_sum[p]
    for p in range(n):
        norm, count = inverse[first + p], shared[p]
        of_x, of_y = x_square[p] * count - x_sums[p], y_square[p] * count - y_sums[p]
        r = (out[p] * count - products[p]) / math.sqrt(of_x * of_y)
        least = ENOUGH_DOUBLE * count
        r = math.inf if of_x < least or of_y * norm * norm < least else r
        out[p] = math.nan if norm != norm or count < need - 0.5 else r


@_part
def slide_largest(values: FloatArray, width: int, out: FloatArray) -> None:
    """Fill `out` with the largest of every `width` neighbours; destroys `values`."""
    size, n = 1, values.size
    while 2 * size <= width:
        n -= size
        for p in range(n):
            values[p] = max(values[p], values[p + size])
        size *= 2
    rest = width - size
    for p in range(out.size):
        out[p] = max(values[p], values[p + rest])


@_part
def choose(r: FloatArray, order: IntArray, polarity: bool) -> int:
    """Return where the strongest r is; ties go to the one that is first in `order`; -1: nowhere."""
    score, at = -math.inf, -1
    for lag in order:
        strength = abs(r[lag]) if polarity else r[lag]
        if strength > score:
            score, at = strength, lag
    return at


@_compiled
def compare(
    x: Side,
    y: Other,
    places: IntArray,
    own: tuple[IntArray, IntArray],
    still: tuple[BoolArray, BoolArray],
    rule: tuple[int, int, bool],
) -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Compare the windows of x with their own places of y, and with others in many ways.

    places (windows, m); own = (the place where each window's first lag lies in y, (windows,), the
    lags, from 0, in the order in which a tie prefers them); still = (windows of x, places of y);
    rule = (need, frames between the first and the last lag, polarity). Where few places are asked
    for only these are computed: of an hour, a thousand shifts are a tenth of all places.

    Returns sum and number, (m,), of the best correlations of counted windows; and r, with its
    sign, and where it lies in the range of lags, of every window at its own place; NaN: undefined.
    """
    need, span, polarity = rule
    windows, m = places.shape
    total, count = np.zeros(m), np.zeros(m, dtype=np.int64)
    chosen, at = np.full(windows, math.nan), np.zeros(windows, dtype=np.int64)
    few = m * (span + 1 + _OVERHEAD) < still[1].size
    step = 1 if few else _BLOCK
    parts = m + 1 if few else (still[1].size + step - 1) // step
    best = np.empty(m + 1 if few else still[1].size)
    r, room = np.empty(step + span), np.empty((8, step + span))
    for i in range(windows):
        for k in range(parts if x[3][i] else 0):
            first = (places[i, k] if k < m else own[0][i]) if few else k * step
            n = min(step, still[1].size - first)
            part = r[: n + span]
            correlate_window(x, i, y, first, need, room, part)
            here = own[0][i] - first
            if 0 <= here < n:
                lag = choose(part[here : here + span + 1], own[1], polarity)
                if lag >= 0:
                    chosen[i], at[i] = part[here + lag], lag
            for p in range(n + span):
                strength = abs(part[p]) if polarity else part[p]
                part[p] = strength if strength == strength else -math.inf
            slide_largest(part, span + 1, best[k * step : k * step + n])
        for k in range(m if x[3][i] else 0):
            value, place = best[k] if few else best[places[i, k]], places[i, k]
            if value > -math.inf and not (still[0][i] and still[1][place]):
                total[k] += value
                count[k] += 1
    return total, count, chosen, at
