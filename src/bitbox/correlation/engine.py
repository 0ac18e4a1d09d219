"""Windowed, lagged correlation of all pairs of two sets of signals, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.jobs import in_order, thread_count
from bitbox.correlation.plan import WindowPlan, frames_needed, tie_order
from bitbox.correlation.task import Task
from bitbox.progress import Progress

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]

#: Signals of each person that are correlated at a time: what threads work on, sums included, then
#: fits into the processor's cache.
_SIGNALS = 128

__all__ = [
    "LaggedCorrelation",
    "correlate",
    "frames_needed",
    "in_order",
    "sums_of",
    "thread_count",
    "tie_order",
]


@dataclass(frozen=True, eq=False)
class LaggedCorrelation:
    """The correlation of every pair, over windows; NaN where it is undefined.

    Attributes
    ----------
    mean, std : (n1, n2) array
        Over the defined windows, of the correlation at the chosen lag; ddof 0.
    lag : (n1, n2) array
        Mean chosen lag over the defined windows, in seconds; negative where the first follows.
    n_valid : (n1, n2) array of int
        Number of defined windows.
    plan : WindowPlan
        Where the windows lie.
    values : (windows, n1, n2) array of float32, optional
        Correlation of every window, if it was asked for.
    lags : (windows, n1, n2) array, optional
        Its lag, in seconds.
    mean_abs : (n1, n2) array
        Over the defined windows, of the magnitude of the correlation at the chosen lag.
    """

    mean: FloatArray
    std: FloatArray
    lag: FloatArray
    n_valid: NDArray[np.int64]
    plan: WindowPlan
    values: SingleArray | None = None
    lags: FloatArray | None = None
    mean_abs: FloatArray | None = None


def correlate(
    x: FloatArray,
    y: FloatArray,
    plan: WindowPlan,
    *,
    polarity: bool = True,
    min_valid: float = 0.8,
    keep_windows: bool = False,
    progress: Progress | None = None,
    threads: int | None = None,
) -> LaggedCorrelation:
    """Correlate every signal of `x` with every signal of `y`, window by window, at the best lag.

    Parameters
    ----------
    x, y : (T, n1, d) and (T, n2, d) arrays
        Signals of the participant and of the reference; (T, n) means one coordinate. NaN is
        missing; a frame with one missing coordinate is missing.
    plan : WindowPlan
        Windows and lags.
    polarity : bool
        Whether the chosen lag has the largest absolute correlation (the sign is kept) or the
        largest correlation.
    min_valid : float
        Share of a window's frames that must be valid in both signals.
    keep_windows : bool
        Whether to keep the values of every window, not only their statistics.
    progress : callable, optional
        Called with the number of windows done.
    threads : int, optional
        Number of threads; all cores if None. The result does not depend on it.

    Returns
    -------
    LaggedCorrelation

    Raises
    ------
    ParameterError, SchemaError, InputError
        An argument makes no sense, the arrays do not fit, or they hold infinite values.
    """
    task = Task.prepare(x, y, plan, polarity=polarity, min_valid=min_valid)
    blocks = [replace(task, rows=a, columns=b) for a in _blocks(task.n1) for b in _blocks(task.n2)]
    told = _counting(progress, len(blocks) * plan.n_windows)
    totals = _nothing((5, task.n1, task.n2))
    shape = plan.n_windows, task.n1, task.n2
    values = np.empty(shape, dtype=np.float32) if keep_windows else None
    lags = np.empty(shape) if keep_windows else None
    for done, number, part in _sums(blocks, threads, (values, lags)):
        block = blocks[number]
        totals[:, block.rows, block.columns] += part[:, : block.n1, : block.n2]
        told(done)
    return _summary(totals, plan, values, lags)


def sums_of(tasks: Iterable[Task], threads: int | None) -> Iterator[tuple[int, int, FloatArray]]:
    """Yield (windows done, number of the task, sums over some of its windows), in order.

    The sums are (5, n1 or more, n2 or more): count, and of r, its magnitude, its square, and lags.
    They are overwritten after the next ones were asked for. The tasks have windows, lags and
    signals of the same sizes.
    """
    yield from _sums(tasks, threads, (None, None))


def _sums(
    tasks: Iterable[Task], threads: int | None, kept: tuple[SingleArray | None, FloatArray | None]
) -> Iterator[tuple[int, int, FloatArray]]:
    """Do as `sums_of`, and keep the values and lags (seconds) of every window if there is room."""
    from bitbox.correlation.sums import add_windows, unpack
    from bitbox.correlation.workspace import Workspace

    values, lags = kept
    spare: list[FloatArray] = []
    rooms = threading.local()

    def work(which: tuple[int, Task, int]) -> tuple[int, int, FloatArray]:
        number, task, first = which
        key = task.n1, task.n2, task.windows_per_job
        if getattr(rooms, "key", None) != key:
            rooms.key, rooms.room = key, Workspace(task)
        part = _one_of(spare, (5, *task.padded))
        if values is None or lags is None:
            return rooms.room.add(task, first, part), number, part
        r, lag = rooms.room.windows(task, first)
        part.fill(0.0)
        add_windows(r, lag, part)
        place = slice(first, first + len(r)), task.rows, task.columns
        unpack(r, lag, task.plan.fps, (values[place], lags[place]))
        return len(r), number, part

    jobs = (
        (number, task, first)
        for number, task in enumerate(tasks)
        for first in range(0, task.plan.n_windows, task.windows_per_job)
    )
    done = 0
    for count, number, part in in_order(work, jobs, threads):
        done += count
        yield done, number, part
        spare.append(part)


def _one_of(spare: list[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """Return an array of a shape, a spare one if there is one; threads may ask at once."""
    try:
        part = spare.pop()
    except IndexError:
        return np.empty(shape)
    return part if part.shape == shape else np.empty(shape)


def _counting(progress: Progress | None, total: int) -> Callable[[int], None]:
    """Return what tells how many windows, of all blocks together, are done."""

    def told(done: int) -> None:
        if progress is not None:
            progress("Correlating", done, total)

    return told


def _nothing(shape: tuple[int, ...]) -> FloatArray:
    """Return zeros, in large pages of memory, which `numpy.zeros` does not ask for."""
    out = np.empty(shape)
    out.fill(0.0)
    return out


def _summary(
    totals: FloatArray, plan: WindowPlan, values: SingleArray | None, lags: FloatArray | None
) -> LaggedCorrelation:
    """Turn sums over windows into means, in place: of many signals, each matrix is large."""
    n_valid = totals[0].astype(np.int64)
    for rows in _blocks(totals.shape[1]):
        count, mean, magnitudes, squares, lag = totals[:, rows]
        with np.errstate(invalid="ignore"):
            for total in (mean, magnitudes, squares):
                total /= count
            lag /= count * plan.fps
            squares -= mean**2
            np.sqrt(np.maximum(squares, 0.0, out=squares), out=squares)
    _, mean, mean_abs, std, lag = totals
    return LaggedCorrelation(mean, std, lag, n_valid, plan, values, lags, mean_abs)


def _blocks(n: int) -> list[slice]:
    """Return slices of at most `_SIGNALS` signals, as even as can be."""
    count = -(-n // _SIGNALS)
    edges = [n * k // count for k in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]
