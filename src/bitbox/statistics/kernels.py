"""Kernels: one window of x against many places of y, in float64.

A window of x less its mean, `u`, has sum 0. So its covariance with the window of y that starts at
frame p is the sum over k of ``u[k] * y[p + k]``: y's window needs no centring of its own, and all
places together are a filter of W taps that runs along y. Divided by the two windows' norms that is
r. Where frames are missing, the sums of the frames that both have are filters as well, and what is
compared is r times its magnitude, which is in the same order and needs no root.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.compiled import FINGERPRINT
from bitbox.correlation.definition import pearson
from bitbox.correlation.geometry import Geometry
from bitbox.statistics import filters
from bitbox.statistics.filters import PAD
from bitbox.system.kernel_cache import compiled, fingerprint

_FINGERPRINT = FINGERPRINT + fingerprint(Path(__file__).parent)
F = TypeVar("F", bound=Callable[..., Any])
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

#: Squared distance of a window of y from y's middle, relative to its squared movement, above which
#: it is centred by itself: without gaps, and with gaps, where sums of squares are subtracted.
FAR, FAR_WITH_GAPS = 1e12, 1e6
# Places that take as long as starting on one.
_OVERHEAD = 16
# Windows that are compared with their places after one shift, then after the next: they, and the
# part of y that they meet, stay in the nearest cache.
_TOGETHER = 32

#: x: windows (n, d, W), movement of norm 1 around the mean, 0 where missing; present (n, W), ones
#: and zeros; whether it is usable; its start; the signal (T, d, 1).
Side = tuple[FloatArray, FloatArray, BoolArray, IntArray, FloatArray]
#: y: values (d, T), around the middle, 0 where missing; present (T,); sum over coordinates of the
#: values' squares (T,); 1 / norm of the window that starts at each place, NaN where unusable; over
#: each window the sums of the d values, the sum of their squares, and the count (d + 2, places);
#: the frames that are missing, and how many of them come before each one (T + 1,); how many places
#: before each one are far without, and with gaps (2, places + 1); the signal (T, d, 1). All but the
#: last two are `filters.PAD` longer.
Other = tuple[
    FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, IntArray, IntArray, IntArray,
    FloatArray,
]  # fmt: skip


def _kernel(function: F) -> F:
    """Compile a kernel when it is first called, and keep it on disk where that can be done."""
    function.__qualname__ = f"{function.__qualname__}_{_FINGERPRINT}"
    return compiled(function, nogil=True, error_model="numpy", no_cfunc_wrapper=True)


def _part(function: F) -> F:
    """Write a function into the kernels that call it, before these are compiled.

    So it is compiled once, with what calls it.
    """
    return compiled(function, nogil=True, error_model="numpy", inline="always")


@_kernel
def describe(
    registers: tuple[int, ...], signal: FloatArray, out: FloatArray, need: int, window: int
) -> None:
    """Fill count, norm and means of all windows of a signal, see `filters.describe`."""
    d = out.shape[0] - 2
    filters.describe(registers, signal, out, (d, out.shape[1] - PAD, window, need))


@_part
def missing_of(present: FloatArray, lost: IntArray) -> int:
    """List the frames that a window misses; return how many."""
    count = 0
    for k in range(present.size):
        lost[count] = k
        count += present[k] == 0.0
    return count


@_part
def sums_of(unit: FloatArray, whole: FloatArray, backwards: FloatArray) -> None:
    """Sum a window's coordinates, and its squares; and write both backwards."""
    d, window = unit.shape
    whole[d] = 0.0
    backwards[d] = 0.0
    for c in range(d):
        whole[c] = 0.0
        for k in range(window):
            value, place = unit[c, k], PAD + window - 1 - k
            whole[c] += value
            whole[d] += value * value
            backwards[c, place] = value
            backwards[d, place] += value * value


@_part
def choose(r: FloatArray, first: int, order: IntArray, signless: bool) -> int:
    """Return the lag of the strongest r, the first in `order` of equals; -1: none is known."""
    best, at = -math.inf, -1
    for lag in order:
        value = r[first + lag]
        strength = abs(value) if signless else value
        if strength > best:
            best, at = strength, lag
    return at


@_part
def signed_root(value: float) -> float:
    """Return r of r times its magnitude."""
    return math.copysign(math.sqrt(abs(value)), value)


@_kernel
def exactly(
    x: FloatArray,
    start: int,
    y: FloatArray,
    first: int,
    far: IntArray,
    geometry: Geometry,
    squared: bool,
    out: FloatArray,
) -> None:
    """Do by the definition the places that are far, or of which too little is left (infinite)."""
    for p in range(far.size - 1):
        if out[p] == out[p] and (far[p + 1] > far[p] or out[p] == math.inf):
            r = pearson(
                x[:, :, 0], start, y[:, :, 0], first + p, geometry
            )  # as the engine calls it
            out[p] = r * abs(r) if squared else r


@_kernel
def compare(
    geometry: Geometry,
    x: Side,
    y: Other,
    places: NDArray[np.int32],
    own: tuple[IntArray, IntArray],
    still: tuple[BoolArray, BoolArray],
) -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Compare the windows of x with their own places of y, and with others in many ways.

    places (windows, m); own = (the place where each window's first lag lies in y, (windows,), the
    lags, from 0, in the order in which a tie prefers them); still = (windows of x, places of y).
    Where few places are asked for only these are computed: of an hour, a thousand shifts are a
    tenth of all places.

    Returns sum and number, (m,), of the best correlations of counted windows; and r, with its
    sign, and where it lies in the range of lags, of every window at its own place; NaN: undefined.
    """
    unit, present, usable, starts, x_signal = x
    values, here, squares, norms, totals, gone, before, far, y_signal = y
    own_places, order = own
    windows, m = places.shape
    d, width, span = unit.shape[1], unit.shape[2], order.size
    signless = np.int64(geometry.polarity)
    total, count = np.zeros(m), np.zeros(m, dtype=np.int64)
    chosen, at = np.empty(windows), np.zeros(windows, dtype=np.int64)
    few = m * (span + _OVERHEAD) < still[1].size
    n = span if few else still[1].size + span - 1
    r = np.empty(n + PAD)
    block = _TOGETHER if few else 1
    whole, backwards = np.empty((block, d + 1)), np.zeros((block, d + 1, width + 2 * PAD))
    lost, n_lost = np.empty((block, width + 1), dtype=np.int64), np.zeros(block, dtype=np.int64)
    of_y = values, here, squares, norms, totals, gone, before
    for number in range((windows + block - 1) // block * (m + 1 if few else 1)):
        begin, k = (number // (m + 1) * block, number % (m + 1)) if few else (number, 0)
        last = k == m or not few
        for i in range(begin, min(begin + block, windows)):
            own_lost, own_whole, own_backwards = (
                lost[i - begin],
                whole[i - begin],
                backwards[i - begin],
            )
            if k == 0:
                chosen[i] = math.nan
                n_lost[i - begin] = missing_of(present[i], own_lost)
                sums_of(unit[i], own_whole, own_backwards)
            if not usable[i]:
                continue
            gaps_of_x, first = n_lost[i - begin], 0
            if few:
                first = own_places[i] if last else places[i, k]
            gaps = gaps_of_x > 0 or before[first + n + width - 1] > before[first]
            scaled = np.int64(0 if gaps else 1)
            filters.products(geometry.registers, unit[i], values, norms, r, (first, n, d, scaled))
            odd, row = 0, np.int64(gaps)
            if gaps:
                sizes = first, n, d, width, geometry.need, gaps_of_x
                of_x = own_whole, own_lost
                odd = filters.less_missing(geometry.registers, of_x, of_y, own_backwards, r, sizes)
            if odd > 0 or far[row, first + n] > far[row, first]:
                some = far[row, first : first + n + 1]
                exactly(x_signal, starts[i], y_signal, first, some, geometry, gaps, r)
            for q in range(k if few else 0, min(k + 1, m) if few else m):
                place = places[i, q]
                best = filters.largest(geometry.registers, r, (place - first, span, signless))
                counts = best > -math.inf and not (still[0][i] and still[1][place])
                best = signed_root(best) if gaps else best
                total[q] += best if counts else 0.0
                count[q] += counts
            if last:
                at[i] = choose(r, own_places[i] - first, order, geometry.polarity)
                if at[i] >= 0:
                    value = r[own_places[i] - first + at[i]]
                    chosen[i] = signed_root(value) if gaps else value
    return total, count, chosen, at
