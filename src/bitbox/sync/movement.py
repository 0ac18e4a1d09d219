"""The offset at which two people's movements match best: a last resort, and no test of anything."""

from __future__ import annotations

import numpy as np

from bitbox.errors import SchemaError
from bitbox.signals import Signals
from bitbox.signals.alignment import resample
from bitbox.sync.matching import Match

#: Seconds either way in which the offset is looked for.
WITHIN = 30.0
_SAME = 1.0


def match_movements(one: Signals, other: Signals) -> Match | None:
    """Return where the movements of two people are most alike; None where nothing moves in both.

    Velocities of signals of the same name are correlated over all that both share, at every offset
    of up to 30 s; the mean over signals is judged by its spread over all offsets.

    Raises
    ------
    SchemaError
        If there is no name in common.
    """
    names = [name for name in one.names if name in other.names]
    if not names:
        raise SchemaError("The two recordings have no signal in common.")
    rate = float(min(one.rate, other.rate))
    x, y = (_velocities(signals.select(names), rate) for signals in (one, other))
    moving = (x.std(axis=0) > 0) & (y.std(axis=0) > 0)
    if not moving.any():
        return None
    x, y = x[:, moving], y[:, moving]
    ahead = float(other.time[0] - one.time[0])
    steps = np.arange(-round(WITHIN * rate), round(WITHIN * rate) + 1)
    steps = steps - round(ahead * rate)
    curve = np.array([_alike(x, y, step, rate) for step in steps])
    known = np.isfinite(curve)
    if known.sum() < 10:
        return None
    lags = steps / rate + ahead
    level = curve - np.median(curve[known])
    spread = 1.4826 * float(np.median(np.abs(level[known])))
    level = level / max(spread, 1e-12)
    at = int(np.nanargmax(level))
    away = known & (np.abs(lags - lags[at]) > _SAME)
    high = np.flatnonzero(known & (level > level[at] - 2.0) & (np.abs(lags - lags[at]) < _SAME))
    width = (high[-1] - high[0] + 1) / rate / 4
    lag = float(lags[at])
    first = max(float(one.time[0]), float(other.time[0]) - lag)
    last = min(float(one.time[-1]), float(other.time[-1]) - lag)
    return Match(
        lag, 0.0, (first + last) / 2, (first, last), width, 0.0, float(level[at]),
        float(level[away].max()) if away.any() else 0.0, float("nan"), lags, level,
    )  # fmt: skip


def _velocities(signals: Signals, rate: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return velocities on a regular clock, around 0; 0 where they are missing."""
    grid = np.arange(signals.time[0], signals.time[-1], 1 / rate)
    values = np.diff(resample(signals, grid, 0.2).values, axis=0)
    known = np.isfinite(values)
    values = np.where(known, values, 0.0)
    values -= values.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.asarray(np.where(known, values, 0.0))


def _alike(x: np.ndarray, y: np.ndarray, step: int, rate: float) -> float:  # type: ignore[type-arg]
    """Return the mean correlation where y is read `step` rows later; less where little is left."""
    first, last = max(0, -step), min(len(x), len(y) - step)
    if last - first < 5 * rate:
        return float("nan")
    a, b = x[first:last], y[first + step : last + step]
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    r = np.where(size > 0, (a * b).sum(axis=0) / np.where(size > 0, size, 1.0), 0.0)
    return float(r.mean() * np.sqrt((last - first) / len(x)))
