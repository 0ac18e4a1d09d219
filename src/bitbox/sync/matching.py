"""The same moments in two courses of onsets: their offset, and how one clock gains on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.sync.onsets import Onsets

FloatArray = NDArray[np.float64]

#: Rows that are taken together where the offset is looked for at first.
_COARSE = 10
#: Rows of 4 ms that are taken together where it is asked what both heard.
_STEP = 5
#: Seconds that both have to share.
LEAST_SHARED = 5.0
#: Places that are looked at closely.
_CANDIDATES = 4
#: Seconds around a place within which another one is the same.
_SAME = 0.3
#: Largest difference of two clocks that is looked for, in parts per million.
MOST_DRIFT = 300.0
#: What clocks usually differ by; where a recording says nothing of it this is assumed.
_USUAL_DRIFT = 50.0
#: Seconds to either side that stretches are compared at, besides what drift may do.
_AROUND = 0.12
#: Seconds from the line beyond which the best place of a stretch is none.
_NEAR = 0.02


@dataclass(frozen=True)
class Match:
    """Where two recordings hold the same moments.

    Attributes
    ----------
    lag : float
        Seconds on the other's clock less those on the one's, at `middle`.
    drift : float
        Seconds by which the other's clock gains a second of the one's.
    middle : float
        Seconds on the one's clock: the middle of what both share.
    shared : (float, float)
        From when to when both run, on the one's clock.
    lag_error, drift_error : float
        Standard errors.
    score : float
        How far the agreement is above what chance gives, in its standard deviations.
    rival : float
        The score of the next best place.
    events : float
        About how many moments the agreement rests on.
    curve_lags, curve : ndarray
        How well both agree at every lag, on the scale of `score`.
    common : float
        How far what is heard in the one is heard in the other: the correlation of by how much all
        bands together grow louder, in steps of 20 ms. NaN where there is no sound.
    """

    lag: float
    drift: float
    middle: float
    shared: tuple[float, float]
    lag_error: float
    drift_error: float
    score: float
    rival: float
    events: float
    curve_lags: FloatArray
    curve: FloatArray
    common: float = float("nan")


def match(one: Onsets, other: Onsets) -> Match | None:
    """Return where two recordings agree best; None where they can share nothing.

    Parameters
    ----------
    one, other : Onsets
        At the same rate.
    """
    if min(one.seconds, other.seconds) < LEAST_SHARED:
        return None
    x, y = _standard(one.values), _standard(other.values)
    lags, curve = _coarse(x, y, one.rate)
    places = _peaks(lags, curve)
    fine = [_closely(x, y, one.rate, place) for place in places]
    known = sorted((f for f in fine if f is not None), key=lambda f: f.score, reverse=True)
    if not known:
        return None
    best = known[0]
    rivals = [f.score for f in known[1:] if abs(f.lag - best.lag) > _SAME]
    ahead = other.start - one.start
    return Match(
        best.lag + ahead,
        best.drift,
        best.middle + one.start,
        (best.first + one.start, best.last + one.start),
        best.lag_error,
        best.drift_error,
        best.score,
        max(rivals, default=0.0),
        best.events,
        lags + ahead,
        curve,
        best.common,
    )


def _standard(values: NDArray[np.float32]) -> NDArray[Any]:
    """Return onsets around their running mean, in their standard deviations, the loudest cut."""
    from scipy.ndimage import uniform_filter1d

    array = np.empty(values.shape, np.float32)
    for band in range(values.shape[1]):  # not at once: hours of it are large
        own = values[:, band].astype(np.float32)
        own -= uniform_filter1d(own, 250, mode="nearest")
        array[:, band] = np.clip(own / (float(own.std()) or 1.0), -8.0, 8.0)
    return array


def _coarse(x: FloatArray, y: FloatArray, rate: float) -> tuple[FloatArray, FloatArray]:
    """Return all lags at which enough is shared, and how well both agree there."""
    from scipy.fft import irfft, next_fast_len, rfft

    small = [_summed(side, _COARSE) for side in (x, y)]
    n, m = map(len, small)
    size = next_fast_len(n + m)
    spectra = [rfft(side, n=size, axis=0) for side in small]
    product = (np.conj(spectra[0]) * spectra[1]).sum(axis=1)
    product /= np.sqrt(np.abs(product)) + 1e-9  # half whitened, so that a beat says less
    raw = irfft(product, n=size)
    steps = np.arange(-(n - 1), m)
    found = raw[steps]
    shared = np.minimum(n, m - steps) - np.maximum(0, -steps)
    enough = shared * _COARSE / rate >= LEAST_SHARED
    steps, found, shared = steps[enough], found[enough], shared[enough]
    found = found - np.median(found)
    spread = 1.4826 * np.median(np.abs(found))
    weight = np.sqrt(np.minimum(shared / max(1, min(n, m) // 2), 1.0))
    return steps * _COARSE / rate, found / max(spread, 1e-12) * weight


def _summed(values: FloatArray, rows: int) -> FloatArray:
    count = len(values) // rows
    small = values[: count * rows].reshape(count, rows, -1).sum(axis=1)
    return np.asarray(small - small.mean(axis=0))


def _peaks(lags: FloatArray, curve: FloatArray) -> list[float]:
    """Return the lags of the highest peaks, the highest first."""
    left = curve.copy()
    found = []
    for _ in range(_CANDIDATES):
        best = int(np.argmax(left))
        if not np.isfinite(left[best]):
            break
        found.append(float(lags[best]))
        left[np.abs(lags - lags[best]) < _SAME] = -np.inf
    return found


@dataclass(frozen=True)
class _Fine:
    """What a close look at one place found; seconds on the rows' own clocks."""

    lag: float
    drift: float
    middle: float
    first: float
    last: float
    lag_error: float
    drift_error: float
    score: float
    events: float
    common: float


def _closely(x: FloatArray, y: FloatArray, rate: float, place: float) -> _Fine | None:
    """Compare stretch by stretch around a place, and fit a line through the best lags."""
    shift = round(place * rate)
    first, last = max(0, -shift), min(len(x), len(y) - shift)
    length = int(np.clip((last - first) / 24, 4 * rate, 20 * rate))
    count = (last - first) // length
    if count < 1:
        return None
    middle = (first + last) / 2
    reach = int(np.ceil((_AROUND + MOST_DRIFT * 1e-6 * (last - first) / rate / 2) * rate))
    starts = first + np.arange(count) * length + ((last - first) - count * length) // 2
    local = np.array([_at_lags(x, y, s, length, shift, reach) for s in starts])
    centres = starts + length / 2 - middle
    best, drift, score = _line(local, centres, reach)
    fitted = _refined(local, centres, reach, best, drift, rate)
    if fitted is None:
        return None
    lag, slope, lag_error, slope_error = fitted
    return _Fine(
        (shift + lag) / rate,
        slope,
        middle / rate,
        first / rate,
        last / rate,
        lag_error / rate,
        slope_error,
        score,
        *_moments(x, y, first, last, shift + lag, slope, middle),
    )


def _at_lags(
    x: FloatArray, y: FloatArray, start: int, length: int, shift: int, reach: int
) -> FloatArray:
    """Return how well one stretch of x agrees with y at every lag around a shift."""
    from scipy.signal import correlate

    low, high = start + shift - reach, start + shift + length + reach
    piece = np.zeros((high - low, x.shape[1]), x.dtype)
    inside = slice(max(low, 0), min(high, len(y)))
    piece[inside.start - low : inside.stop - low] = y[inside]
    own = x[start : start + length]
    return np.asarray(
        sum(
            correlate(piece[:, band], own[:, band], mode="valid", method="fft")
            for band in range(x.shape[1])
        ),
        dtype=np.float64,
    )


def _line(local: FloatArray, centres: FloatArray, reach: int) -> tuple[float, float, float]:
    """Return the lag (rows) and drift along which all stretches agree best, and how well."""
    half = max(float(np.abs(centres).max()), 1.0)
    most = MOST_DRIFT * 1e-6
    count = int(np.ceil(most * half)) if len(local) > 1 else 0
    drifts = np.arange(-count, count + 1) / half
    lags = np.arange(local.shape[1])
    inner = slice(int(np.ceil(most * half)), local.shape[1] - int(np.ceil(most * half)))
    top = (-np.inf, 0.0, 0.0)
    level = local - np.median(local, axis=1, keepdims=True)
    for drift in drifts:
        moved = np.round(drift * centres).astype(int)
        total = sum(
            row[np.clip(lags[inner] + m, 0, len(lags) - 1)]
            for row, m in zip(level, moved, strict=True)
        )
        at = int(np.argmax(total))
        top = max(top, (float(total[at]), float(lags[inner][at] - reach), float(drift)))
    spread = np.sqrt(np.sum((1.4826 * np.median(np.abs(level), axis=1)) ** 2))
    return top[1], top[2], top[0] / max(float(spread), 1e-12)


def _refined(
    local: FloatArray,
    centres: FloatArray,
    reach: int,
    lag: float,
    drift: float,
    rate: float,
) -> tuple[float, float, float, float] | None:
    """Return lag, drift and their standard errors, from the best place of every stretch."""
    near = int(np.ceil(_NEAR * rate))
    at, weight, where = [], [], []
    for row, centre in zip(local, centres, strict=True):
        expected = reach + lag + drift * centre
        low = max(round(expected) - near, 1)
        high = min(round(expected) + near + 1, len(row) - 1)
        if high - low < 3:
            continue
        best = low + int(np.argmax(row[low:high]))
        spread = 1.4826 * np.median(np.abs(row - np.median(row)))
        height = (row[best] - np.median(row)) / max(float(spread), 1e-12)
        if best in (low, high - 1) or height < 3:
            continue
        before, here, after = row[best - 1 : best + 2]
        bend = before - 2 * here + after
        shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
        at.append(best + shift - reach)
        weight.append(min(float(height), 20.0) ** 2)
        where.append(float(centre))
    if not at:
        return None
    return _fit(np.array(where), np.array(at), np.array(weight), rate)


def _fit(
    centres: FloatArray, at: FloatArray, weight: FloatArray, rate: float
) -> tuple[float, float, float, float]:
    """Fit a line by weighted least squares, what lies far off counting less.

    That clocks usually differ by less than some tens of parts per million is counted as one more
    observation, so that short recordings do not claim a drift that they cannot show.
    """
    design = np.column_stack([np.ones_like(centres), centres])
    robust = np.ones_like(at)
    size = max(0.002 * rate, 1e-9)
    solution = np.zeros(2)
    normal = np.eye(2)
    for _ in range(8):
        each = weight / weight.mean() * robust / size**2
        normal = design.T @ (design * each[:, None])
        normal[1, 1] += (_USUAL_DRIFT * 1e-6) ** -2
        solution = np.linalg.solve(normal, design.T @ (each * at))
        away = at - design @ solution
        size = max(1.4826 * float(np.median(np.abs(away))), 0.001 * rate)
        robust = 1 / np.maximum(1.0, np.abs(away) / (2 * size))
    error = np.sqrt(np.diag(np.linalg.inv(normal)))
    return float(solution[0]), float(solution[1]), float(error[0]), float(error[1])


def _moments(
    x: FloatArray, y: FloatArray, first: int, last: int, lag: float, drift: float, middle: float
) -> tuple[float, float]:
    """Return about how many moments the agreement rests on, and how far all moments are common."""
    rows = np.arange(first, last)
    there = np.round(rows + lag + drift * (rows - middle)).astype(int)
    good = (there >= 0) & (there < len(y))
    rows, there = rows[good], there[good]
    agreed = np.zeros(len(rows), x.dtype)
    louder = np.zeros((2, len(rows) // _STEP))
    for band in range(x.shape[1]):
        both = x[rows, band], y[there, band]
        agreed += both[0] * both[1]
        for mine, side in zip(louder, both, strict=True):
            steps = side[: len(mine) * _STEP].reshape(-1, _STEP)
            mine += np.maximum(steps.sum(axis=1), 0.0)
    count = len(agreed) // 25
    bins = np.maximum(agreed[: count * 25].reshape(count, 25).sum(axis=1), 0.0)
    louder -= louder.mean(axis=1, keepdims=True)
    size = np.sqrt(np.prod((louder**2).sum(axis=1)))
    common = float(louder[0] @ louder[1] / size) if size > 0 else 0.0
    return float(bins.sum() ** 2 / max(float(np.sum(bins**2)), 1e-12)), common
