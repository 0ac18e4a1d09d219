"""Windowed, lagged correlation of all pairs of two sets of signals, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.jobs import (
    Task,
    float32_limit,
    frames_needed,
    in_order,
    slide_limit,
    thread_count,
    tie_order,
)
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.surface import LagSurface, lag_surface
from bitbox.progress import Progress

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
Windows = tuple[SingleArray, SingleArray] | None

#: Signals of each person that are correlated at a time: what threads work on, sums included, then
#: fits into the processor's cache.
_SIGNALS = 176

__all__ = [
    "LagSurface",
    "LaggedCorrelation",
    "Task",
    "correlate",
    "float32_limit",
    "frames_needed",
    "in_order",
    "lag_surface",
    "slide_limit",
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
    values, lags : (windows, n1, n2) array, optional
        Correlation and lag (seconds) of every window, if they were asked for.
    mean_abs : (n1, n2) array
        Over the defined windows, of the magnitude of the correlation at the chosen lag.
    """

    mean: FloatArray
    std: FloatArray
    lag: FloatArray
    n_valid: NDArray[np.int64]
    plan: WindowPlan
    values: FloatArray | None = None
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
    out: str | Path | None = None,
    names: tuple[Sequence[str], Sequence[str]] | None = None,
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
    out : path, optional
        Where to write the values of every window, as they are computed: a NetCDF file with
        variables ``r`` and ``lag`` (seconds), (window, x, y), float32, that xarray opens. It gets
        this name only when it is complete.
    names : (names of x, names of y), optional
        Labels for that file.
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
    OutputError
        `out` cannot be written.
    """
    task = Task.prepare(x, y, plan, polarity=polarity, min_valid=min_valid)
    shape = plan.n_windows, task.n1, task.n2
    values, lags = (np.empty(shape), np.empty(shape)) if keep_windows else (None, None)
    sums = np.empty((5, task.n1, task.n2))
    blocks = [(a, b) for a in _blocks(task.n1) for b in _blocks(task.n2)]
    with ExitStack() as stack:
        file = None
        if out is not None:
            from bitbox.correlation.output import WindowFile

            file = stack.enter_context(WindowFile(out, plan, (task.n1, task.n2), names))
        for number, (rows, columns) in enumerate(blocks):
            block = replace(task, x=task.x[:, rows], y=task.y[:, columns])
            views = None
            if values is not None and lags is not None:
                views = values[:, rows, columns], lags[:, rows, columns]
            write = None if file is None else partial(file.write, rows, columns)
            told = _counting(progress, number, len(blocks))
            sums[:, rows, columns] = _correlate_block(block, views, write, told, threads)
    count, total, magnitudes, squares, lag = sums
    with np.errstate(invalid="ignore"):
        mean = total / count
        std = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
        lag = lag / count / plan.fps
        mean_abs = magnitudes / count
    n_valid = count.astype(np.int64)
    return LaggedCorrelation(mean, std, lag, n_valid, plan, values, lags, mean_abs)


def _correlate_block(
    task: Task,
    views: tuple[FloatArray, FloatArray] | None,
    write: Callable[[int, SingleArray, SingleArray], None] | None,
    progress: Progress | None,
    threads: int | None,
) -> FloatArray:
    """Return (5, n1, n2): count, and sums over windows of r, its magnitude, its square, and lags.

    Every window also goes into the views, (values, lags in seconds), and is written.
    """
    inner = slice(None), slice(task.n1), slice(task.n2)
    sums = np.zeros((5, *task.padded))

    def use(first: int, r: SingleArray, lag: SingleArray) -> tuple[int, FloatArray, Windows]:
        from bitbox.correlation import kernels

        part = np.zeros(sums.shape)
        kernels.accumulate(r, lag, task.geometry.registers, part)
        if views is not None:
            some = slice(first, first + len(r))
            kernels.unpack(r, lag, task.plan.fps, (views[0][some], views[1][some]))
        return first, part, None if write is None else (r[inner].copy(), lag[inner].copy())

    for first, part, some in task.run(use, threads, progress):
        sums += part
        if write is not None and some is not None:
            write(first, *some)
    return sums[inner]


def _blocks(n: int) -> list[slice]:
    """Return slices of at most `_SIGNALS` signals, as even as can be."""
    count = -(-n // _SIGNALS)
    edges = [n * k // count for k in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _counting(progress: Progress | None, number: int, blocks: int) -> Progress | None:
    """Return a callback that counts the windows of one block among those of all."""
    if progress is None:
        return None

    def told(what: str, done: int, total: int | None) -> None:
        each = total or 0
        progress(what, number * each + done, blocks * each)

    return told
