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

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bitbox.correlation.jobs import in_order
from bitbox.correlation.plan import WindowPlan
from bitbox.statistics.surrogates import spread
from bitbox.statistics.windows import LIVELY_QUANTILE
from bitbox.system.blas import one_blas_thread

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Frames a second that this is looked at with, at least: movements of faces have no more.
RATE = 10.0
#: Recordings of fewer frames are taken as they are: there each shift counts.
LEAST_FRAMES = 600
#: Most shifts that are used.
MOST_SHIFTS = 999
# Windows and places that are multiplied at once: 1 MB, which stays in a core's cache.
_WINDOWS, _PLACES = 64, 2048


@dataclass(frozen=True)
class Circle:
    """Windows of the participant, places of the model, and the latencies between them.

    Attributes
    ----------
    fewer : int
        Frames that are taken together as one step.
    rate : float
        Steps a second.
    window, step : int
        Steps a window, and from one to the next.
    places : int
        How many places there are, and so how many latencies around the circle.
    """

    fewer: int
    rate: float
    window: int
    step: int
    places: int

    @classmethod
    def of(cls, plan: WindowPlan) -> Circle:
        """Return the circle of a plan's windows."""
        fewer = max(1, int(min(plan.fps / RATE, plan.n_frames / LEAST_FRAMES)))
        window = max(3, round(plan.window / fewer))
        step = max(1, round(plan.step / fewer))
        return cls(fewer, plan.fps / fewer, window, step, plan.n_frames // fewer - window + 1)

    @property
    def starts(self) -> IntArray:
        """Where the participant's windows begin."""
        return np.arange(0, self.places, self.step)

    def steps(self, least: float, most: float) -> IntArray:
        """Return the latencies from least to most in seconds, as steps."""
        first, last = round(least * self.rate), round(most * self.rate)
        return np.arange(first, max(first, last) + 1)

    def allowed(self, plan: WindowPlan) -> IntArray:
        """Return the latencies that a plan allows, as steps."""
        largest = plan.max_lag / plan.fps
        return self.steps(0.0 if plan.causal else -largest, largest)

    def shifts(self, steps: IntArray, most: int = MOST_SHIFTS) -> IntArray:
        """Return shifts, in steps, by which nothing that belongs together is compared."""
        gap = len(steps) + self.window
        possible = max(0, self.places - 2 * gap + 1)
        return gap + spread(possible, min(possible, most))

    def moved(self, steps: IntArray) -> IntArray:
        """Return all latencies that some lie at, as they are and moved by each of the shifts."""
        shifts = np.append(0, self.shifts(steps))
        every: IntArray = np.unique((steps + shifts[:, None]) % self.places)
        return every


class Side(NamedTuple):
    """One person's signals in windows, (places, n, k), and where each is known, (places, n)."""

    windows: FloatArray
    known: BoolArray


@dataclass(frozen=True, eq=False)
class Contrast:
    """By how much pairs of one name are ahead of the others, by latency around the circle.

    Attributes
    ----------
    mean, t : (places, n + 1) array
        Mean over windows of d, and that in its standard errors, of n signals and of all together;
        row l is a latency of l steps (the participant follows), of l - places if that is nearer.
        NaN where there are too few windows, and at latencies nobody asked for.
    circle : Circle
    """

    mean: FloatArray
    t: FloatArray
    circle: Circle

    def largest(self, steps: IntArray, shifts: IntArray | None = None) -> FloatArray:
        """Return the largest t over some successive latencies, (m, n + 1), each moved by a shift.

        NaN where one of them is. No shifts: what is observed.
        """
        places = self.circle.places
        moved = np.zeros(1, dtype=np.int64) if shifts is None else shifts
        rows = (np.arange(places + len(steps) - 1)) % places
        views = sliding_window_view(self.t[rows], len(steps), axis=0)
        best: FloatArray = views[(steps[0] + moved) % places].max(axis=2)
        return best


def contrast(
    x: FloatArray,
    y: FloatArray,
    plan: WindowPlan,
    polarity: bool,
    min_valid: float,
    latencies: IntArray | None = None,
    threads: int | None = None,
) -> Contrast:
    """Return by how much pairs of one name are ahead of the others, by latency.

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
    latencies : array of int, optional
        Which are asked for, in steps of the circle; None: all. In hours there are a hundred
        thousand, of which few are used.
    threads : int, optional
        Threads to use; None: one a core. Nothing depends on it.
    """
    circle = Circle.of(plan)
    wanted = np.arange(circle.places)
    if latencies is not None:
        wanted = np.unique(latencies % circle.places)
    a, b = (thinned(v, circle.fewer) for v in (x, y))
    mine = _less_the_others(Windowed(a, circle.window, min_valid).side(circle.starts), polarity)
    theirs = Windowed(b, circle.window, min_valid)

    def of_places(first: int) -> FloatArray:
        places = np.arange(first, min(first + _PLACES, circle.places))
        side = _less_the_others(theirs.side(places), polarity)
        sums = np.zeros((x.shape[1] + 1, 3, len(wanted)))
        work = _magnitudes if polarity else _products
        for some in _groups(len(circle.starts)):
            part = Side(mine.windows[some], mine.known[some])
            work(part, side, _Meeting(circle, circle.starts[some], places, wanted), sums)
        return sums

    sums = np.zeros((x.shape[1] + 1, 3, len(wanted)))
    with one_blas_thread():
        # a result is large, and jobs take equally long: none has to wait
        for part in in_order(of_places, range(0, circle.places, _PLACES), threads, ahead=1):
            sums += part
    mean, t = (np.full((circle.places, x.shape[1] + 1), np.nan) for _ in range(2))
    mean[wanted], t[wanted] = _in_standard_errors(sums)
    return Contrast(mean, t, circle)


def _groups(n: int) -> Iterator[slice]:
    for first in range(0, n, _WINDOWS):
        yield slice(first, first + _WINDOWS)


def _in_standard_errors(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return means and t, (latencies, n + 1), of numbers, sums and sums of squares."""
    count, total, squares = (sums[:, k].T for k in range(3))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / np.where(count > 1, count, np.nan)
        variance = (squares / count - mean * mean) * count / (count - 1)
        return mean, mean / np.sqrt(np.where(variance > 1e-18, variance, np.nan) / count)


def thinned(values: FloatArray, fewer: int) -> FloatArray:
    """Return the means of so many successive frames each, as far as they are known."""
    if fewer == 1:
        return values
    n = len(values) // fewer
    blocks = values[: n * fewer].reshape(n, fewer, *values.shape[1:])
    known = np.isfinite(blocks)
    count = known.sum(axis=1)
    means: FloatArray = blocks.sum(axis=1, where=known) / np.where(count > 0, count, np.nan)
    return means


class Windowed:
    """Windows of one person's signals, (T, n, d): of length 1 where they are as lively as ever.

    They are made when asked for: all windows of hours would fill the memory.

    Attributes
    ----------
    scale : (n,) array
        The length of each signal's lively windows.
    """

    def __init__(self, values: FloatArray, window: int, min_valid: float) -> None:
        self._views = sliding_window_view(values, window, axis=0)  # places, n, d, W
        self._need = min_valid * window - 1e-9
        least = np.min(values, axis=(0, 2), where=np.isfinite(values), initial=0.0)
        most = np.max(values, axis=(0, 2), where=np.isfinite(values), initial=0.0)
        self._least_norm = 1e-9 * np.maximum(-least, most)
        self.scale = np.array([self._lively(i) for i in range(values.shape[1])])

    def side(self, places: IntArray) -> Side:
        """Return those that begin at some places, centred and scaled."""
        n, dimension, window = self._views.shape[1:]
        windows = np.empty((len(places), n, dimension * window))
        known = np.empty((len(places), n), dtype=np.bool_)
        for i in range(n):
            centred, norm, known[:, i] = self._centred(i, places)
            # of length min(1, norm / scale)
            weight = np.where(known[:, i], 1.0 / np.maximum(norm, self.scale[i]), 0.0)
            windows[:, i] = (centred * weight[:, None, None]).reshape(len(places), -1)
        return Side(windows, known)

    def _lively(self, i: int) -> float:
        """Return the length of a signal's lively windows."""
        norms = []
        for first in range(0, len(self._views), _PLACES):
            places = np.arange(first, min(first + _PLACES, len(self._views)))
            _, norm, known = self._centred(i, places)
            norms.append(norm[known])
        every = np.concatenate(norms)
        return float(np.quantile(every, LIVELY_QUANTILE)) if len(every) else 1.0

    def _centred(self, i: int, places: IntArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Return centred windows of a signal, (places, d, W), their lengths, and which are known.

        What is missing is 0 in them.
        """
        views = self._views[places, i]
        there = np.isfinite(views).all(axis=1, keepdims=True)
        count = there.sum(axis=2, keepdims=True)
        filled = np.where(there, views, 0.0)
        mean = filled.sum(axis=2, keepdims=True) / np.maximum(count, 1)
        filled = np.where(there, filled - mean, 0.0)
        norm = np.sqrt((filled**2).sum(axis=(1, 2)))
        known = (count[:, 0, 0] >= self._need) & (norm > self._least_norm[i])
        return filled, norm, known


def _less_the_others(side: Side, polarity: bool) -> Side:
    """Take from every signal the mean of the others that are known; where none is, it is not.

    With magnitudes that is done afterwards, pair by pair.
    """
    if polarity:
        return side
    total = side.windows.sum(axis=1)
    count = side.known.sum(axis=1, keepdims=True) - side.known
    known = side.known & (count > 0)
    for i in range(known.shape[1]):
        own = side.windows[:, i]
        mean = (total - own) / np.maximum(count[:, i], 1)[:, None]
        side.windows[:, i] = np.where(known[:, i, None], own - mean, 0.0)
    return Side(side.windows, known)


class _Meeting:
    """Some windows of the participant and successive places of the model, at wanted latencies.

    The window that starts at s meets, with a latency of l, place s - l around the circle.

    Attributes
    ----------
    latencies : (m,) array
        Which of the wanted latencies are met at all.
    """

    def __init__(
        self, circle: Circle, starts: IntArray, places: IntArray, wanted: IntArray
    ) -> None:
        met = starts[-1] - starts[0] + len(places)
        away = (starts[-1] - places[0] - wanted) % circle.places
        self.latencies = np.flatnonzero(away < met)
        columns = (starts[:, None] - wanted[self.latencies]) % circle.places - places[0]
        outside = (columns < 0) | (columns >= len(places))
        # one column more, of zeros, is what windows meet outside these places
        columns[outside] = len(places)
        self._where = columns + np.arange(len(starts))[:, None] * (len(places) + 1)
        self._table = np.zeros((len(starts), len(places) + 1))

    def products(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """Return products of vectors a, (windows, k), and b, (places, k): (windows, latencies)."""
        np.matmul(a, b.T, out=self._table[:, :-1])
        found: FloatArray = self._table.ravel().take(self._where)
        return found

    def add(self, d: FloatArray, count: FloatArray, sums: FloatArray) -> None:
        """Add d to number, sum and sum of squares of one signal, (3, wanted latencies)."""
        sums[0, self.latencies] += count
        sums[1, self.latencies] += d.sum(axis=0)
        sums[2, self.latencies] += np.einsum("wl,wl->l", d, d)


def _both_known(meeting: _Meeting, a: Side, b: Side, i: int) -> FloatArray:
    """Return 1 where a signal is known in both, (windows, latencies), else 0."""
    return meeting.products(*(side.known[:, [i]].astype(float) for side in (a, b)))


def _products(a: Side, b: Side, meeting: _Meeting, sums: FloatArray) -> None:
    """Add what some windows and places give to the sums over latencies.

    Of both sides the others are taken away already.
    """
    counts = meeting.products(a.known.astype(float), b.known.astype(float))
    every = np.zeros_like(counts)
    whole = a.known.all() and b.known.all()
    count = (counts > 0).sum(axis=0).astype(float)
    for i in range(a.known.shape[1]):
        d = meeting.products(a.windows[:, i], b.windows[:, i])
        every += d
        if not whole:
            count = _both_known(meeting, a, b, i).sum(axis=0)
        meeting.add(d, count, sums[i])
    meeting.add(every / np.maximum(counts, 1), (counts > 0).sum(axis=0), sums[-1])


def _magnitudes(a: Side, b: Side, meeting: _Meeting, sums: FloatArray) -> None:
    """Do the same with magnitudes of correlations, pair by pair."""
    n = a.known.shape[1]
    of_x, of_y = (side.known.sum(axis=1, keepdims=True).astype(float) for side in (a, b))
    one = [np.ones_like(of) for of in (of_x, of_y)]
    others_x, others_y = meeting.products(of_x - 1, one[1]), meeting.products(one[0], of_y - 1)
    comparable = (others_x > 0) & (others_y > 0)
    others_x, others_y = np.maximum(others_x, 1), np.maximum(others_y, 1)
    rows, columns, own = (np.zeros((n, *others_x.shape)) for _ in range(3))
    for i in range(n):
        for j in range(n):
            r = np.abs(meeting.products(a.windows[:, i], b.windows[:, j]))
            rows[i] += r
            columns[j] += r
            if i == j:
                own[i] = r
    total = rows.sum(axis=0)
    every, counts = np.zeros_like(total), np.zeros_like(total)
    for i in range(n):
        known = comparable & (_both_known(meeting, a, b, i) > 0)
        d = (
            own[i]
            - (rows[i] - own[i]) / others_y
            - (columns[i] - own[i]) / others_x
            + (total - rows[i] - columns[i] + own[i]) / (others_x * others_y)
        )
        d = np.where(known, d, 0.0)
        every += d
        counts += known
        meeting.add(d, known.sum(axis=0), sums[i])
    meeting.add(every / np.maximum(counts, 1), (counts > 0).sum(axis=0), sums[-1])
