"""The correlation by its definition, one pair at a time, in float64.

Slow and safe: every window is centred by itself, from a reference inside the window, so that an
offset of any size costs no accuracy. The fast kernels hand over what they cannot do well.

Arrays are laid out (frames, coordinates, signals); a missing frame is NaN in all coordinates.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.compiled import kernel
from bitbox.correlation.geometry import Geometry

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: A signal is still where its range is within this much of its magnitude: 64 units of float64
#: rounding, so that a constant that went through some arithmetic counts as one.
STILL = 64 * 2.0**-52

#: A window whose deviation is below this share of its mean is doubtful: rounding of the mean would
#: show in the seventh digit of r.
DELICATE = 2.0**-32

#: A window that slid down to this share of the largest sum of squares on the way is doubtful: sums
#: that slide keep rounding errors relative to the largest.
ANEW = 1e-7

#: Energies between which sums of squares stay well within the range of float64.
TINY, HUGE = 1e-200, 1e200

#: What missing frames must leave of the product of both windows' squared norms, as a share, for
#: what is left to be known by subtraction: in single precision, and in double.
ENOUGH, ENOUGH_DOUBLE = 0.25, 1e-3


@kernel
def spread(
    a: FloatArray, start: int, b: FloatArray, other: int, width: int
) -> tuple[int, int, float]:
    """Return the range of `a` over the frames valid in both windows; 0 where it is still.

    Returns
    -------
    first : int
        First frame of the window that is valid in both, -1 for none.
    count : int
        Frames valid in both.
    range_ : float
        Largest range of a coordinate, 0 if within rounding of the largest magnitude.
    """
    first, count, magnitude, range_ = -1, 0, 0.0, 0.0
    for c in range(a.shape[1]):
        low, high, count = math.inf, -math.inf, 0
        for k in range(width):
            value = a[start + k, c]
            if not (math.isnan(value) or math.isnan(b[other + k, 0])):
                if first < 0:
                    first = k
                count += 1
                low = min(low, value)
                high = max(high, value)
        if count > 0:
            magnitude = max(magnitude, abs(low), abs(high))
            range_ = max(range_, high - low)
    if range_ <= STILL * magnitude:
        range_ = 0.0
    return first, count, range_


@kernel
def pearson(a: FloatArray, sa: int, b: FloatArray, sb: int, geometry: Geometry) -> float:
    """Return the correlation of two windows, (frames, coordinates) each; NaN if undefined."""
    width = geometry.window
    first, count, range_a = spread(a, sa, b, sb, width)
    if count < geometry.need or range_a == 0.0:
        return math.nan
    _, _, range_b = spread(b, sb, a, sa, width)
    if range_b == 0.0:
        return math.nan
    total_ab, total_aa, total_bb = 0.0, 0.0, 0.0
    for c in range(a.shape[1]):
        # Differences from a value inside the window are exact where it matters: where they are
        # much smaller than the values.
        ref_a, ref_b = a[sa + first, c], b[sb + first, c]
        mean_a, mean_b = 0.0, 0.0
        for k in range(width):
            p, q = (a[sa + k, c] - ref_a) / range_a, (b[sb + k, c] - ref_b) / range_b
            if not (math.isnan(p) or math.isnan(q)):
                mean_a += p
                mean_b += q
        mean_a /= count
        mean_b /= count
        for k in range(width):
            p = (a[sa + k, c] - ref_a) / range_a - mean_a
            q = (b[sb + k, c] - ref_b) / range_b - mean_b
            if not (math.isnan(p) or math.isnan(q)):
                total_ab += p * q
                total_aa += p * p
                total_bb += q * q
    return min(1.0, max(-1.0, total_ab / math.sqrt(total_aa * total_bb)))


@kernel
def choose(
    a: FloatArray, b: FloatArray, start: int, order: IntArray, geometry: Geometry
) -> tuple[float, int]:
    """Return the chosen correlation and its lag (frames) of one pair in one window.

    `order` holds the lags in the order in which a tie prefers them; NaN and 0 if undefined.
    """
    best, best_r, best_lag = -2.0, math.nan, 0
    reach = geometry.max_lag
    for lag in order:
        low, high = 0, 0
        if geometry.coordination:
            low, high = max(-reach, -reach - lag), min(reach, reach - lag)
        for shift in range(low, high + 1):
            r = pearson(a, start + shift, b, start + shift + lag, geometry)
            score = abs(r) if geometry.polarity else r
            if score > best or (score == best and lag == best_lag and r > best_r):
                best, best_r, best_lag = score, r, lag
    return best_r, best_lag


@kernel
def every_lag(
    data: tuple[FloatArray, FloatArray],
    start: int,
    lags: IntArray,
    pairs: IntArray,
    geometry: Geometry,
    out: FloatArray,
) -> None:
    """Fill ``out`` (lags, pairs) with the correlations of one window at every lag."""
    x, y = data
    for p in range(pairs.shape[0]):
        a, b = x[:, :, pairs[p, 0]], y[:, :, pairs[p, 1]]
        for q in range(lags.size):
            out[q, p] = choose(a, b, start, lags[q : q + 1], geometry)[0]
