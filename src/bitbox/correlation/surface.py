"""The correlation at every lag, of chosen pairs, and the peak nearest zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.jobs import in_order
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.task import Task, rows
from bitbox.errors import ParameterError
from bitbox.progress import Progress

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LagSurface:
    """The correlation of chosen pairs in every window at every lag.

    Attributes
    ----------
    r : (windows, lags, pairs) array
        NaN where undefined.
    pairs : (pairs, 2) array of int
        Signal of x and signal of y.
    plan : WindowPlan
        Its `lag_seconds` and `centres` are the axes.
    """

    r: FloatArray
    pairs: NDArray[np.int64]
    plan: WindowPlan

    def peaks(self, neighbours: int = 1) -> tuple[FloatArray, FloatArray]:
        """Return the peak nearest lag zero of every window, (windows, pairs): r and lag (s).

        Parameters
        ----------
        neighbours : int
            Lags on either side that a peak must exceed.

        Returns
        -------
        r, lag : (windows, pairs) arrays
            NaN where no lag is a peak. A lag too near the edge of the range to have all its
            neighbours is none. Of two peaks equally near zero the negative lag is taken.

        Notes
        -----
        Boker, Xu, Rotondo and King (2002), Windowed cross-correlation and peak picking,
        Psychological Methods 7, 338-355: the peak is sought outwards from lag zero, and a window
        without one is missing, where a maximum over all lags would return an edge. They smooth
        the correlations first; this does not, and `neighbours` is their local search region.
        """
        if neighbours < 1:
            raise ParameterError(
                "A peak needs neighbours.", expected="1 or more", got=repr(neighbours)
            )
        windows, lags, pairs = self.r.shape
        found = np.zeros(self.r.shape, dtype=np.bool_)
        inner = slice(neighbours, lags - neighbours)
        if lags > 2 * neighbours:
            found[:, inner] = True
            for k in range(1, neighbours + 1):
                before = self.r[:, neighbours - k : lags - neighbours - k]
                after = self.r[:, neighbours + k : lags - neighbours + k]
                found[:, inner] &= (self.r[:, inner] > before) & (self.r[:, inner] > after)
        order = sorted(range(lags), key=lambda q: (abs(self.plan.lags[q]), self.plan.lags[q]))
        r, lag = np.full((windows, pairs), np.nan), np.full((windows, pairs), np.nan)
        for q in reversed(order):
            r = np.where(found[:, q], self.r[:, q], r)
            lag = np.where(found[:, q], self.plan.lag_seconds[q], lag)
        return r, lag


def lag_surface(
    x: FloatArray,
    y: FloatArray,
    pairs: Sequence[tuple[int, int]] | NDArray[np.int64],
    plan: WindowPlan,
    *,
    polarity: bool = True,
    min_valid: float = 0.8,
    progress: Progress | None = None,
    threads: int | None = None,
) -> LagSurface:
    """Return the correlation at every lag of chosen pairs.

    Parameters
    ----------
    x, y : (T, n1, d) and (T, n2, d) arrays
        As for `bitbox.correlation.engine.correlate`.
    pairs : sequence of (i, j)
        Signals of `x` and of `y`.
    plan : WindowPlan
        Windows and lags. In coordination the value of a lag is the one that would be chosen among
        all shifts of both windows with that lag between them.
    polarity : bool
        Coordination only: whether that is the largest absolute correlation, or the largest.
    min_valid, progress, threads
        As for `bitbox.correlation.engine.correlate`.

    Returns
    -------
    LagSurface
    """
    from bitbox.correlation.definition import every_lag

    task = Task.prepare(x, y, plan, polarity=polarity, min_valid=min_valid)
    chosen = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if chosen.size and (chosen.min() < 0 or (chosen.max(axis=0) >= (task.n1, task.n2)).any()):
        raise ParameterError(
            "A pair names a signal that there is not.",
            expected=f"indices below {task.n1} and {task.n2}",
            got=f"up to {chosen[:, 0].max()} and {chosen[:, 1].max()}",
        )
    first, second = (
        rows(data, signals, (0, plan.n_frames), scaled=True)[0]
        for data, signals in ((task.x, task.rows), (task.y, task.columns))
    )
    r = np.empty((plan.n_windows, plan.lags.size, len(chosen)))
    starts = plan.starts

    def job(w: int) -> None:
        every_lag((first, second), int(starts[w]), plan.lags, chosen, task.geometry, r[w])

    windows = range(plan.n_windows)
    for w, _ in zip(windows, in_order(job, windows, threads), strict=True):
        if progress is not None:
            progress("Correlating at every lag", w + 1, plan.n_windows)
    return LagSurface(r, chosen, plan)
