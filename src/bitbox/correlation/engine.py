"""Windowed, lagged correlation of all pairs of two sets of signals, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.jobs import (
    Task,
    each_window,
    float32_limit,
    frames_needed,
    in_order,
    slide_limit,
    sums,
    thread_count,
    tie_order,
)
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.surface import LagSurface, lag_surface
from bitbox.progress import Progress

FloatArray = NDArray[np.float64]
SingleArray = NDArray[np.float32]
Made = tuple[Task, int, FloatArray, tuple[SingleArray, SingleArray] | None]

#: Signals of each person that are correlated at a time: what threads work on, sums included, then
#: fits into the processor's cache.
_SIGNALS = 128

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
    blocks = [replace(task, rows=a, columns=b) for a in _blocks(task.n1) for b in _blocks(task.n2)]
    told = _counting(progress, len(blocks) * plan.n_windows)
    if keep_windows or out is not None:
        return _every_window(task, blocks, keep_windows, (out, names), told, threads)
    totals = _nothing((5, task.n1, task.n2))
    for done, number, part in sums(blocks, threads):
        block = blocks[number]
        totals[:, block.rows, block.columns] += part[:, : block.n1, : block.n2]
        told(done)
    return _summary(totals, plan, None, None)


def _every_window(
    task: Task,
    blocks: list[Task],
    keep_windows: bool,
    file: tuple[str | Path | None, tuple[Sequence[str], Sequence[str]] | None],
    told: Callable[[int], None],
    threads: int | None,
) -> LaggedCorrelation:
    """Do as `correlate`, and keep the values of every window, or write them."""
    from bitbox.correlation import kernels
    from bitbox.correlation.output import WindowFile

    plan, registers = task.plan, task.geometry.registers
    shape = plan.n_windows, task.n1, task.n2
    values = np.empty(shape, dtype=np.float32) if keep_windows else None
    lags = np.empty(shape) if keep_windows else None
    totals = _nothing((5, *shape[1:]))
    path, names = file

    def use(number: int, first: int, r: SingleArray, lag: SingleArray) -> Made:
        block = blocks[number]
        part = np.zeros((5, *block.padded))
        kernels.accumulate(r, lag, registers, part)
        if values is not None and lags is not None:
            place = slice(first, first + len(r)), block.rows, block.columns
            kernels.unpack(r, lag, plan.fps, (values[place], lags[place]))
        inner = slice(None), slice(block.n1), slice(block.n2)
        kept = None if path is None else (r[inner].copy(), lag[inner].copy())
        return block, first, part[inner], kept

    with ExitStack() as stack:
        writer = None
        if path is not None:
            writer = stack.enter_context(WindowFile(path, plan, shape[1:], names))
        for done, made in each_window(blocks, use, threads):
            block, first, part, kept = made
            totals[:, block.rows, block.columns] += part
            if writer is not None and kept is not None:
                writer.write(block.rows, block.columns, first, *kept)
            told(done)
    return _summary(totals, plan, values, lags)


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
