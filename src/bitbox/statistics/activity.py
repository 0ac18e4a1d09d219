"""Whether two people are lively and quiet in the same parts of their recordings.

Then shifts in time bring lively parts to quiet ones, and what is observed can be ahead of them
though nobody follows anybody.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics.surrogates import LOCAL

FloatArray = NDArray[np.float64]

#: So large a share of each person's activity changes slowly: movements that come at random leave
#: a tenth, half a recording of rest eight tenths (found with the designs of `validation.tasks`).
SLOW = 0.25
#: What changes slowly goes together at least so closely.
TOGETHER = 0.7


def activity(signals: FloatArray, block: int) -> FloatArray:
    """Return how much somebody moves in each of some successive stretches.

    Parameters
    ----------
    signals : (T, n, d) array
        NaN is missing.
    block : int
        Frames a stretch.

    Returns
    -------
    (T // block,) array
        Standard deviation in the stretch as a share of that in the whole recording, mean over
        signals; NaN where nothing is known.
    """
    n = len(signals) // block
    total, count = np.zeros(n), np.zeros(n)
    for i in range(signals.shape[1]):  # one after another: hours of all would fill the memory
        signal = signals[:, i]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = _deviation(signal[: n * block].reshape(n, block, -1)) / _deviation(signal[None])
        known = np.isfinite(share)
        total[known] += share[known]
        count += known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _deviation(values: FloatArray) -> FloatArray:
    """Return the standard deviation of each stretch, (n,), of (n, T, d) as far as is known."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1)
    squares = np.where(known, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    deviation: FloatArray = np.sqrt((squares / np.where(count > 1, count, np.nan)).sum(axis=1))
    return deviation


def active_together(x: FloatArray, y: FloatArray, plan: WindowPlan) -> float:
    """Return how closely the activity of two people changes together over some 20 s.

    Parameters
    ----------
    x, y : (T, n, d) array
        Signals of participant and model; NaN is missing.
    plan : WindowPlan
        Windows: activity is looked at in stretches of a window's length.

    Returns
    -------
    float
        Pearson's r of both courses, smoothed over 20 s; NaN where no more than a quarter of
        either's activity changes that slowly, or too little is known.
    """
    over = max(1, round(LOCAL * plan.fps / plan.window))
    if over < 2:
        return float("nan")
    courses = np.array([activity(signals, plan.window) for signals in (x, y)])
    courses = courses[:, np.isfinite(courses).all(axis=0)]
    if courses.shape[1] < 2 * over:
        return float("nan")
    ones = np.ones(over)
    weight = np.convolve(np.ones(courses.shape[1]), ones, "same")
    slow = np.array([np.convolve(course, ones, "same") / weight for course in courses])
    total, part = courses.var(axis=1), slow.var(axis=1)
    if not (part > SLOW * total).all():
        return float("nan")
    return float(np.corrcoef(slow)[0, 1])
