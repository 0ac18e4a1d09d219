"""Whether it is this movement of the model that is followed, and not any: every lag at once.

People who react to the same things move at the same times. If nobody imitates, the participant's
smile then goes with the model's frown as well as with the model's smile. So what is looked at is
by how much the pair of one name is ahead of the others. In a window of the participant's signals
x and at a place of the model's signals y it is, of signal i,

    d_i = <x_i - mean of the other x, y_i - mean of the other y>

where x_i and y_i are the centred signals in window and place, of length 1 in the liveliest ones and
less in others: a correlation, weighted by how much both move. That is the pair's own correlation,
less those of x_i with the model's other signals and of y_i with the participant's, and plus that of
the others among each other, so that a face that moves more or less as a whole plays no part.

Where both are active windows differ more than where they are not, imitation or none. So the mean
over windows is taken in its own standard errors. It is known at every lag around the circle of
places, and lags far from those that are allowed are the surrogates: circular shifts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics.surrogates import spread
from bitbox.statistics.windows import LIVELY_QUANTILE
from bitbox.system.blas import one_blas_thread

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)

#: Frames a second that this is looked at with, at least: movements of faces have no more.
RATE = 10.0
#: Recordings of fewer frames are taken as they are: there each shift counts.
LEAST_FRAMES = 600
#: Most shifts that are used.
MOST_SHIFTS = 999
# Values of windows by places kept at once: 32 MB.
_TOGETHER = 2**22


class Side(NamedTuple):
    """One person's signals in windows, (places, n, k), and where each is known, (places, n)."""

    windows: FloatArray
    known: BoolArray


@dataclass(frozen=True, eq=False)
class Contrast:
    """By how much pairs of one name are ahead of the others, at every latency around the circle.

    Attributes
    ----------
    mean, t : (places, n + 1) array
        Mean over windows of d, and that in its standard errors, of n signals and of all together;
        row l is a latency of l steps (the participant follows), of l - places if that is nearer.
        NaN where there are too few windows.
    rate : float
        Steps a second.
    window : int
        Steps a window.
    """

    mean: FloatArray
    t: FloatArray
    rate: float
    window: int

    @property
    def places(self) -> int:
        """How many latencies there are around the circle."""
        return len(self.t)

    def steps(self, least: float, most: float) -> IntArray:
        """Return the latencies from least to most in seconds, as steps."""
        first, last = round(least * self.rate), round(most * self.rate)
        return np.arange(first, max(first, last) + 1)

    def largest(self, steps: IntArray, shifts: IntArray | None = None) -> FloatArray:
        """Return the largest t over some successive latencies, (m, n + 1), each moved by a shift.

        NaN where one of them is. No shifts: what is observed.
        """
        moved = np.zeros(1, dtype=np.int64) if shifts is None else shifts
        rows = (np.arange(self.places + len(steps) - 1)) % self.places
        views = sliding_window_view(self.t[rows], len(steps), axis=0)
        best: FloatArray = views[(steps[0] + moved) % self.places].max(axis=2)
        return best

    def shifts(self, steps: IntArray, most: int = MOST_SHIFTS) -> IntArray:
        """Return shifts, in steps, by which nothing that belongs together is compared."""
        gap = len(steps) + self.window
        possible = max(0, self.places - 2 * gap + 1)
        return gap + spread(possible, min(possible, most))


def contrast(
    x: FloatArray, y: FloatArray, plan: WindowPlan, polarity: bool, min_valid: float
) -> Contrast:
    """Return by how much pairs of one name are ahead of the others, at every latency.

    Parameters
    ----------
    x, y : (T, n, d) array
        Signals of participant and model; NaN is missing.
    plan : WindowPlan
        Windows.
    polarity : bool
        Whether opposite movement is as good: then magnitudes of correlations are compared.
    min_valid : float
        Share of a window that has to be known.
    """
    fewer = max(1, int(min(plan.fps / RATE, len(x) / LEAST_FRAMES)))
    rate = plan.fps / fewer
    window = max(3, round(plan.window / fewer))
    step = max(1, round(plan.step / fewer))
    a, b = (_thinned(v, fewer) for v in (x, y))
    places, n = len(a) - window + 1, a.shape[1]
    starts = np.arange(0, places, step)
    mine, theirs = _side(a, window, min_valid, starts), _side(b, window, min_valid)
    if not polarity:
        mine, theirs = _less_the_others(mine), _less_the_others(theirs)
    sums = np.zeros((3, places, n + 1))
    together = max(1, _TOGETHER // (places * (3 * n + 1 if polarity else 2)))
    work = _magnitudes if polarity else _products
    with one_blas_thread():
        for first in range(0, len(starts), together):
            some = slice(first, first + together)
            work(Side(mine.windows[some], mine.known[some]), theirs, starts[some], sums)
    count, total, squares = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / np.where(count > 1, count, np.nan)
        variance = (squares / count - mean * mean) * count / (count - 1)
        t = mean / np.sqrt(np.where(variance > 1e-18, variance, np.nan) / count)
    return Contrast(mean, t, rate, window)


def _thinned(values: FloatArray, fewer: int) -> FloatArray:
    """Return the means of so many successive frames each, as far as they are known."""
    if fewer == 1:
        return values
    n = len(values) // fewer
    blocks = values[: n * fewer].reshape(n, fewer, *values.shape[1:])
    known = np.isfinite(blocks)
    count = known.sum(axis=1)
    means: FloatArray = np.where(known, blocks, 0.0).sum(axis=1) / np.where(
        count > 0, count, np.nan
    )
    return means


def _side(
    values: FloatArray, window: int, min_valid: float, starts: IntArray | None = None
) -> Side:
    """Return windows of one person's signals, of length 1 where they are as lively as ever.

    Signal by signal, and only those that begin at `starts`: all of hours would fill the memory.
    """
    views = sliding_window_view(values, window, axis=0)  # places, n, d, W
    n, dimension = views.shape[1:3]
    chosen = np.arange(len(views)) if starts is None else starts
    windows = np.empty((len(chosen), n, dimension * window))
    known = np.empty((len(chosen), n), dtype=np.bool_)
    for i in range(n):
        scaled, there = _scaled(views[:, i], min_valid)
        windows[:, i] = scaled[chosen].reshape(len(chosen), -1)
        known[:, i] = there[chosen]
    return Side(windows, known)


def _scaled(views: FloatArray, min_valid: float) -> tuple[FloatArray, BoolArray]:
    """Return all windows of a signal, (places, d, W), centred and scaled, and which are known."""
    there = np.isfinite(views).all(axis=1, keepdims=True)
    count = there.sum(axis=2, keepdims=True)
    filled = np.where(there, views, 0.0)
    size = np.abs(filled).max(initial=0.0)
    filled = np.where(there, filled - filled.sum(axis=2, keepdims=True) / np.maximum(count, 1), 0.0)
    norm = np.sqrt((filled**2).sum(axis=(1, 2)))
    enough = count[:, 0, 0] >= min_valid * views.shape[2] - 1e-9
    known = enough & (norm > 1e-9 * size)
    scale = np.quantile(norm[known], LIVELY_QUANTILE) if known.any() else 1.0
    # of length min(1, norm / scale)
    weight = np.where(known, 1.0 / np.maximum(norm, scale), 0.0)
    return filled * weight[:, None, None], known


def _less_the_others(side: Side) -> Side:
    """Take from every signal the mean of the others that are known; where none is, it is not."""
    total = side.windows.sum(axis=1)
    count = side.known.sum(axis=1, keepdims=True) - side.known
    known = side.known & (count > 0)
    for i in range(known.shape[1]):
        own = side.windows[:, i]
        mean = (total - own) / np.maximum(count[:, i], 1)[:, None]
        side.windows[:, i] = np.where(known[:, i, None], own - mean, 0.0)
    return Side(side.windows, known)


def _products(a: Side, b: Side, starts: IntArray, sums: FloatArray) -> None:
    """Add what some windows of the participant give to the sums over latencies.

    Of both sides the others are taken away already.
    """
    n = a.known.shape[1]
    whole = bool(a.known.all() and b.known.all())
    every: FloatArray = np.zeros((len(starts), len(b.known)))
    for i in range(n):
        d = a.windows[:, i] @ b.windows[:, i].T
        every += d
        known = None if whole else np.outer(a.known[:, i], b.known[:, i])
        _add(d, known, starts, sums[:, :, i])
    if whole:
        _add(every / n, None, starts, sums[:, :, n])
        return
    counts = a.known.astype(float) @ b.known.astype(float).T
    _add(every / np.maximum(counts, 1), counts > 0, starts, sums[:, :, n])


def _magnitudes(a: Side, b: Side, starts: IntArray, sums: FloatArray) -> None:
    """Do the same with magnitudes of correlations, pair by pair."""
    n, shape = a.known.shape[1], (len(starts), len(b.known))
    rows, columns, own = (np.zeros((n, *shape)) for _ in range(3))
    for i in range(n):
        for j in range(n):
            r = np.abs(a.windows[:, i] @ b.windows[:, j].T)
            rows[i] += r
            columns[j] += r
            if i == j:
                own[i] = r
    total = rows.sum(axis=0)
    of_x, of_y = (side.known.sum(axis=1).astype(float) for side in (a, b))
    pairs = np.maximum(np.outer(of_x - 1, of_y - 1), 1.0)
    every, counts = np.zeros(shape), np.zeros(shape)
    for i in range(n):
        known = np.outer(a.known[:, i], b.known[:, i]) & np.outer(of_x > 1, of_y > 1)
        d = (
            own[i]
            - (rows[i] - own[i]) / np.maximum(of_y - 1, 1)[None, :]
            - (columns[i] - own[i]) / np.maximum(of_x - 1, 1)[:, None]
            + (total - rows[i] - columns[i] + own[i]) / pairs
        )
        d = np.where(known, d, 0.0)
        every += d
        counts += known
        _add(d, known, starts, sums[:, :, i])
    _add(every / np.maximum(counts, 1), counts > 0, starts, sums[:, :, n])


def _add(d: FloatArray, known: BoolArray | None, starts: IntArray, sums: FloatArray) -> None:
    """Add windows by places, turned to windows by latencies, to number, sum and sum of squares."""
    turned = _by_latency(d, starts)
    if known is None:
        sums[0] += len(d)
        sums[1] += turned.sum(axis=0)
        sums[2] += np.einsum("wl,wl->l", turned, turned)
        return
    there = _by_latency(known, starts)
    sums[0] += there.sum(axis=0)
    turned = np.where(there, turned, 0.0)
    sums[1] += turned.sum(axis=0)
    sums[2] += np.einsum("wl,wl->l", turned, turned)


def _by_latency(d: NDArray[T], starts: IntArray) -> NDArray[T]:
    """Return windows by latencies, of windows by places.

    The window that starts at s meets, with a latency of l, place s - l around the circle.
    """
    places = d.shape[1]
    twice = np.concatenate([d[:, ::-1], d[:, ::-1]], axis=1)  # place p is at places - 1 - p
    return np.stack(
        [row[places - 1 - s : 2 * places - 1 - s] for row, s in zip(twice, starts, strict=True)]
    )
