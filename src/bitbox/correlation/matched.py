"""Kernels for matched pairs, under any displacement of the reference's windows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation import exact, matched_tiles, windows
from bitbox.correlation.compiled import kernel
from bitbox.correlation.kernels import fisher_z

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Values, present, inverse norms, hard, and partial, by frame (see `reference_tables`).
Reference = tuple[FloatArray, FloatArray, FloatArray, Flags, Flags]

#: Squared offset of a window from the signal's centre above which it is done exactly: without
#: gaps, and with gaps, where variances are differences of sums.
TOO_FAR, TOO_FAR_WITH_GAPS = 1e10, 1e6


@kernel
def reference_tables(y: FloatArray, geometry: exact.Geometry) -> Reference:
    """Return what is needed of y at every frame, whatever the surrogate.

    Values (frames * d, n) less the signal's mean and 0 where missing; present (frames, n);
    inverse norms (frames, n) of the windows that start there; whether such a window must be done
    exactly; whether it has gaps.
    """
    frames, d, n = y.shape
    mean, norm, count, delicate, _, _ = windows.window_statistics(
        y, np.arange(frames - geometry.window + 1), geometry
    )
    centre, known = np.zeros((d, n)), np.zeros(n)
    values, present = np.empty((frames * d, n)), np.empty((frames, n))
    for f in range(norm.shape[0]):
        for j in range(n):
            if norm[f, j] == norm[f, j]:
                known[j] += 1.0
                for c in range(d):
                    centre[c, j] += mean[f, c, j]
    for c in range(d):
        for j in range(n):
            centre[c, j] = centre[c, j] / known[j] if known[j] > 0.0 else 0.0
    windows.fill(values, y, 0, (centre, np.zeros((d, n))), np.ones(n))
    for t in range(frames):
        for j in range(n):
            present[t, j] = 1.0 if y[t, 0, j] == y[t, 0, j] else 0.0
    inverse = 1.0 / norm
    partial = np.zeros(norm.shape, dtype=np.bool_)
    for f in range(norm.shape[0]):
        for j in range(n):
            partial[f, j] = norm[f, j] == norm[f, j] and count[f, j] < geometry.window
            offset = 0.0
            for c in range(d):
                offset += (mean[f, c, j] - centre[c, j]) ** 2
            offset *= count[f, j] * inverse[f, j] * inverse[f, j]
            delicate[f, j] |= offset > (TOO_FAR_WITH_GAPS if partial[f, j] else TOO_FAR)
    return values, present, inverse, delicate, partial


@kernel
def matched(
    data: tuple[FloatArray, FloatArray],
    reference: Reference,
    starts: tuple[int, IntArray],
    order: IntArray,
    geometry: exact.Geometry,
    out: tuple[FloatArray, FloatArray],
) -> None:
    """Fill ``out = (r, lag)``, (surrogates, n), of one window of x.

    data = (x, y), starts = (of x, of y in every surrogate).
    """
    x, y = data
    start, begins = starts
    values, present, inverse, hard_y, partial_y = reference
    d, n, width = x.shape[1], x.shape[2], geometry.window
    own = np.array([start])
    mean, norm, count, hard_x, rest, _ = windows.window_statistics(x, own, geometry)
    small = np.empty((width * d, n))
    windows.fill(small, x, start, (mean[0], rest[0]), windows.inverses(norm[0]))
    here = np.empty((width, n))
    for k in range(width):
        for j in range(n):
            here[k, j] = 1.0 if x[start + k, 0, j] == x[start + k, 0, j] else 0.0
    gaps_x = False
    for j in range(n):
        gaps_x |= norm[0, j] == norm[0, j] and count[0, j] < width
    sides = (small, here), (values, present)
    names = inverse, order.astype(np.float64)
    for p in range(begins.size):
        gaps = gaps_x
        for lag in order:
            for j in range(n):
                gaps |= partial_y[begins[p] + lag, j]
        at = begins[p], width, d, geometry.need, np.int64(geometry.polarity), np.int64(gaps)
        r, lags = out[0][p], out[1][p]
        matched_tiles.matched(geometry.registers, sides[0], sides[1], names, order, (r, lags), at)
        for j in range(n):
            hard = hard_x[0, j] or r[j] > 2.0
            for lag in order:
                hard |= hard_y[begins[p] + lag, j]
            if hard:
                a, b = x[start : start + width, :, j], y[:, :, j]
                r[j], lags[j] = choose_apart(a, b, begins[p], order, geometry)


@kernel
def choose_apart(
    a: FloatArray, b: FloatArray, begin: int, order: IntArray, geometry: exact.Geometry
) -> tuple[float, float]:
    """Choose by the definition, where x's window is `a` and y's starts at frame `begin` of b."""
    best, best_r, best_lag = -2.0, math.nan, 0
    for lag in order:
        r = exact.pearson(a, 0, b, begin + lag, geometry)
        score = abs(r) if geometry.polarity else r
        if score > best:
            best, best_r, best_lag = score, r, lag
    return best_r, float(best_lag)


@kernel
def add_statistics(r: FloatArray, totals: FloatArray) -> None:
    """Add (surrogates, n) correlations to (5, surrogates, n): count, r, |r|, atanh r, atanh |r|."""
    for p in range(r.shape[0]):
        for j in range(totals.shape[2]):
            value = r[p, j]
            if value == value:
                z = fisher_z(value)
                totals[0, p, j] += 1.0
                totals[1, p, j] += value
                totals[2, p, j] += abs(value)
                totals[3, p, j] += z
                totals[4, p, j] += abs(z)


@kernel
def matched_windows(
    data: tuple[FloatArray, FloatArray],
    reference: Reference,
    starts: tuple[IntArray, IntArray],
    order: IntArray,
    geometry: exact.Geometry,
    totals: FloatArray,
) -> None:
    """Add the statistics of some windows, starts = (windows,), (windows, surrogates), to totals."""
    out = np.empty(totals.shape[1:]), np.empty(totals.shape[1:])
    for w in range(starts[0].size):
        matched(data, reference, (starts[0][w], starts[1][w]), order, geometry, out)
        add_statistics(out[0], totals)
