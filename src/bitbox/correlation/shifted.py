"""The statistics of all pairs when the reference is shifted, in a circle of places.

After a circular shift by s, the windows of x from place s on meet places of y that lie s earlier,
and those before it meet places at the end of y. So a shift is two stretches of ordinary windows,
in which y only starts at another frame than x: views, nothing is copied. Places lie on a circle,
frames do not: a window that would begin before the first place of y meets one of its last, so none
reaches across the ends. Which shifts make a valid null hypothesis is for `bitbox.statistics` to
say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.correlation.engine import sums_of
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.task import Task, refuse_infinite
from bitbox.errors import ParameterError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class WindowStatistics:
    """Means over the defined windows, (n1, n2); NaN where there is none.

    Attributes
    ----------
    n_valid : array of int
        Number of defined windows.
    r, abs_r : array
        Mean of the chosen r, and of its magnitude.
    """

    n_valid: IntArray
    r: FloatArray
    abs_r: FloatArray


@dataclass(frozen=True, eq=False)
class _Stretch(Task):
    """Some windows of a task, in jobs no larger than the whole task's, as they share its room."""

    most: int = 1

    @property
    def windows_per_job(self) -> int:
        return self.most


def each_shift(
    x: FloatArray,
    y: FloatArray,
    plan: WindowPlan,
    shifts: ArrayLike,
    *,
    polarity: bool = True,
    min_valid: float = 0.8,
    threads: int | None = None,
) -> Iterator[WindowStatistics]:
    """Yield the statistics over windows, one shift of the reference after another.

    Parameters
    ----------
    x, y : (T, n1, d) and (T, n2, d) arrays
        As for `bitbox.correlation.engine.correlate`.
    plan : WindowPlan
        Windows and lags.
    shifts : (m,) array of int
        Circular shifts of all signals of `y` together, in frames: the window of `x` at place p,
        its first frame less the largest lag, meets place p - shift of `y`, modulo
        ``plan.n_places``. A shift of 0 gives the observed statistics.
    polarity, min_valid, threads
        As for `bitbox.correlation.engine.correlate`.

    Yields
    ------
    WindowStatistics

    Raises
    ------
    ParameterError, SchemaError, InputError
        An argument makes no sense, the arrays do not fit, or they hold infinite values.
    """
    task = Task.prepare(x, y, plan, polarity=polarity, min_valid=min_valid)
    moves = np.asarray(shifts)
    if moves.dtype.kind not in "iu" or moves.ndim != 1:
        raise ParameterError(
            "The shifts cannot be used.",
            expected="whole numbers of frames, (shifts,)",
            got=f"an array of {moves.dtype}, {moves.shape}",
        )
    refuse_infinite(task)  # here, where the frame can still be named
    done, totals = 0, np.zeros((5, *task.padded))
    for count, _, part in sums_of(_shifted(task, moves % plan.n_places), threads):
        totals += part
        if count == (done + 1) * plan.n_windows:
            done += 1
            counts, r, abs_r, _, _ = totals[:, : task.n1, : task.n2]
            with np.errstate(invalid="ignore"):
                yield WindowStatistics(counts.astype(np.int64), r / counts, abs_r / counts)
            totals = np.zeros((5, *task.padded))


def _shifted(task: Task, shifts: IntArray) -> Iterator[Task]:
    """Yield the stretches of every shift, whose windows add up to all of them."""
    plan = task.plan
    whole = _Stretch(**vars(task), most=task.windows_per_job)

    def stretch(first: int, stop: int, shift: int) -> _Stretch:
        begin = first * plan.step
        frames = (stop - first - 1) * plan.step + plan.n_frames_needed
        x, y = task.x[begin : begin + frames], task.y[begin - shift : begin - shift + frames]
        return replace(whole, x=x, y=y, plan=replace(plan, n_frames=frames))

    for shift in shifts.tolist():
        first = min(-(-shift // plan.step), plan.n_windows)
        if first < plan.n_windows:
            yield stretch(first, plan.n_windows, shift)
        if first > 0:
            yield stretch(0, first, shift - plan.n_places)
