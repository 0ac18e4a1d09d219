"""Matched pairs, and the same statistics under surrogates, without computing what is not asked.

A surrogate here is a displacement of the reference: each window of x meets another place of y.
Either all windows move by the same number of frames, in a circle of places, or they are permuted.
Which displacements make a valid null hypothesis is for `bitbox.statistics` to say.

Places lie on a circle, frames do not: a window that would begin before the first place of y meets
one of its last, so none reaches across the ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.correlation.displaced import permuted, shifted
from bitbox.correlation.jobs import Task, each_window, in_order, sums
from bitbox.correlation.plan import WindowPlan
from bitbox.errors import ParameterError, SchemaError
from bitbox.progress import Progress

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Windows that a job computes under all surrogates.
_JOB_WINDOWS = 16


@dataclass(frozen=True, eq=False)
class MatchedCorrelation:
    """The correlation of signal i of x with signal i of y, window by window.

    Attributes
    ----------
    values : (windows, n) array
        Correlation at the chosen lag, NaN where undefined.
    lags : (windows, n) array
        Chosen lag in seconds, negative where the first follows; NaN where undefined.
    plan : WindowPlan
    """

    values: FloatArray
    lags: FloatArray
    plan: WindowPlan


@dataclass(frozen=True, eq=False)
class WindowStatistics:
    """Means over the defined windows, NaN where there is none.

    All arrays have the same shape: surrogates first if there are several, then pairs: (n,) for
    matched pairs, (n1, n2) for all.

    Attributes
    ----------
    n_valid : array of int
        Number of defined windows.
    r, abs_r : array
        Mean of the chosen r, and of its magnitude.
    fisher, abs_fisher : array
        Mean of atanh r and of atanh abs(r), with abs(r) limited to 1 - 1e-6.
    """

    n_valid: IntArray
    r: FloatArray
    abs_r: FloatArray
    fisher: FloatArray
    abs_fisher: FloatArray

    @classmethod
    def from_totals(cls, totals: FloatArray) -> WindowStatistics:
        """Return means from (5, ...): count, and sums of r, its magnitude, and their atanh."""
        with np.errstate(invalid="ignore"):
            means = totals[1:] / totals[0]
        return cls(totals[0].astype(np.int64), *means)


def correlate_matched(
    x: FloatArray,
    y: FloatArray,
    plan: WindowPlan,
    *,
    polarity: bool = True,
    min_valid: float = 0.8,
) -> MatchedCorrelation:
    """Correlate signal i of `x` with signal i of `y`, window by window, at the best lag.

    The arguments are those of `bitbox.correlation.engine.correlate`, with as many signals in `x`
    as in `y`. The values are those of the diagonal of its result, at a small part of the cost.
    """
    if plan.mode == "coordination":
        return _matched_coordination(x, y, plan, polarity, min_valid)
    from bitbox.correlation import matched

    task, data, tables = _matched_task(x, y, plan, polarity, min_valid)
    n, windows = task.n1, plan.n_windows
    values, lags = np.empty((windows, n)), np.empty((windows, n))
    out = np.empty((1, data[0].shape[2])), np.empty((1, data[0].shape[2]))
    for w, start in enumerate(plan.starts):
        where = int(start), np.array([start])
        matched.matched(data, tables, where, task.order, task.geometry, out)
        values[w], lags[w] = out[0][0, :n], out[1][0, :n]
    lags[np.isnan(values)] = np.nan
    return MatchedCorrelation(values, lags / plan.fps, plan)


def surrogate_statistics(
    x: FloatArray,
    y: FloatArray,
    plan: WindowPlan,
    *,
    shifts: ArrayLike | None = None,
    permutations: ArrayLike | None = None,
    pairs: Literal["matched", "all"] = "matched",
    polarity: bool = True,
    min_valid: float = 0.8,
    progress: Progress | None = None,
    threads: int | None = None,
) -> WindowStatistics:
    """Return the statistics over windows under surrogates of the reference.

    Parameters
    ----------
    x, y : (T, n1, d) and (T, n2, d) arrays
        As for `bitbox.correlation.engine.correlate`; n1 = n2 for matched pairs.
    plan : WindowPlan
        Windows and lags.
    shifts : (m,) array of int, optional
        Circular shifts of all signals of `y` together, in frames: the window of `x` at place p,
        its first frame less the largest lag, meets place p - shift of `y`, modulo
        ``plan.n_places``. A shift of 0 gives the observed statistics.
    permutations : (m, windows) array of int, optional
        Instead: window w of `x` meets window ``permutations[k, w]`` of `y`, with its lags. The
        identity gives the observed statistics. Indices may repeat.
    pairs : {'matched', 'all'}
        Signal i with signal i, or every signal with every other. For 'all' with many surrogates
        use `each_surrogate`, which holds one at a time.
    polarity, min_valid, progress, threads
        As for `bitbox.correlation.engine.correlate`.

    Returns
    -------
    WindowStatistics
        Arrays (m, n) or (m, n1, n2).

    Raises
    ------
    ParameterError, SchemaError, InputError
        An argument makes no sense, the arrays do not fit, or they hold infinite values.
    """
    if pairs not in {"matched", "all"}:
        raise ParameterError(
            "The pairs to be correlated are not known.",
            expected="'matched' or 'all'",
            got=repr(pairs),
        )
    if pairs == "matched" and plan.mode == "imitation":
        moves = _moves(plan, shifts, permutations)
        task, data, reference = _matched_task(x, y, plan, polarity, min_valid)
        totals = _matched_totals(task, data, reference, moves, (progress, threads))
        return WindowStatistics.from_totals(totals[:, :, : task.n1])
    each = each_surrogate(
        x, y, plan, shifts=shifts, permutations=permutations, polarity=polarity,
        min_valid=min_valid, progress=progress, threads=threads,
    )  # fmt: skip
    names = "n_valid", "r", "abs_r", "fisher", "abs_fisher"
    columns: list[list[NDArray[Any]]] = [[] for _ in names]
    for one in each:
        for column, name in zip(columns, names, strict=True):
            values = getattr(one, name)
            column.append(np.diagonal(values).copy() if pairs == "matched" else values)
    return WindowStatistics(*(np.array(column) for column in columns))


def each_surrogate(
    x: FloatArray,
    y: FloatArray,
    plan: WindowPlan,
    *,
    shifts: ArrayLike | None = None,
    permutations: ArrayLike | None = None,
    fisher: bool = True,
    polarity: bool = True,
    min_valid: float = 0.8,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Iterator[WindowStatistics]:
    """Yield the statistics of all pairs, (n1, n2), one surrogate after another.

    The arguments are those of `surrogate_statistics`; without `fisher` the two transformed
    statistics are NaN, and the rest takes a little less time.
    """
    task = Task.prepare(x, y, plan, polarity=polarity, min_valid=min_valid)
    moves = _moves(plan, shifts, permutations)
    tasks = permuted(task, moves) if shifts is None else shifted(task, moves)
    done, totals = 0, np.zeros((5, *task.padded))
    for count, part in _totals(task, tasks, fisher, threads):
        totals += part
        if count == (done + 1) * plan.n_windows:
            done += 1
            yield WindowStatistics.from_totals(totals[:, : task.n1, : task.n2])
            totals = np.zeros((5, *task.padded))
            if progress is not None:
                progress("Correlating surrogates", done, len(moves))


def _totals(
    task: Task, parts: Iterable[Task], fisher: bool, threads: int | None
) -> Iterator[tuple[int, FloatArray]]:
    """Yield (windows done, what is to be added to `WindowStatistics.from_totals`), in order."""
    from bitbox.correlation import kernels

    registers = task.geometry.registers
    if not fisher:
        for count, _, total in sums(parts, threads):
            total[3:] = np.nan
            yield count, total
        return

    def use(_: int, __: int, r: NDArray[np.float32], lag: NDArray[np.float32]) -> FloatArray:
        total = np.zeros((5, *task.padded))
        kernels.accumulate(r, lag, registers, total)
        total[3:] = kernels.fisher_sums(r, registers)
        return total

    yield from each_window(parts, use, threads)


def _moves(plan: WindowPlan, shifts: ArrayLike | None, permutations: ArrayLike | None) -> IntArray:
    """Return the shifts, (m,), from 0 to less than the number of places, or the permutations.

    Permutations are (m, windows). Exactly one of the two must be given.
    """
    if (shifts is None) == (permutations is None):
        raise ParameterError(
            "Surrogates are either shifted or permuted.",
            expected="one of 'shifts' and 'permutations'",
            got="neither" if shifts is None else "both",
        )
    given = np.asarray(shifts if permutations is None else permutations)
    if given.dtype.kind not in "iu" or given.ndim != (1 if permutations is None else 2):
        raise ParameterError(
            "The surrogates cannot be used.",
            expected="whole numbers, (surrogates,) shifts or (surrogates, windows) permutations",
            got=f"an array of {given.dtype}, {given.shape}",
        )
    if permutations is not None and (
        given.shape[1] != plan.n_windows
        or (given.size > 0 and (given.min() < 0 or given.max() >= plan.n_windows))
    ):
        raise ParameterError(
            "The permutations do not fit the window plan.",
            expected=f"{plan.n_windows} indices below {plan.n_windows} in each",
            got=f"{given.shape[1]} indices",
        )
    moves: IntArray = given.astype(np.int64)
    return moves % plan.n_places if permutations is None else moves


def _matched_task(
    x: FloatArray, y: FloatArray, plan: WindowPlan, polarity: bool, min_valid: float
) -> tuple[Task, tuple[FloatArray, FloatArray], Any]:
    """Return the prepared task, (x, y) laid out for the kernels, and y's tables."""
    from bitbox.correlation import matched

    task = Task.prepare(x, y, plan, polarity=polarity, min_valid=min_valid)
    if task.n1 != task.n2:
        raise SchemaError(
            "Only equal numbers of signals can be matched.",
            expected=f"{task.n1} signals in y, as in x",
            got=str(task.n2),
        )
    x, y = task.laid_out(0, plan.n_frames)
    data = x, np.ascontiguousarray(y[:, :, : x.shape[2]])
    return task, data, matched.reference_tables(data[1], task.geometry)


def _matched_totals(
    task: Task,
    data: tuple[FloatArray, FloatArray],
    tables: Any,
    moves: IntArray,
    options: tuple[Progress | None, int | None],
) -> FloatArray:
    """Return (5, surrogates, n): sums over windows."""
    from bitbox.correlation import matched

    plan, (progress, threads) = task.plan, options
    starts = plan.starts
    if moves.ndim == 1:
        own = starts - plan.max_lag
        begins = (own[:, None] - moves[None, :]) % plan.n_places + plan.max_lag
    else:
        begins = starts[moves.T]
    begins = np.ascontiguousarray(begins)
    shape = 5, moves.shape[0], data[0].shape[2]
    firsts = range(0, plan.n_windows, _JOB_WINDOWS)

    def job(first: int) -> FloatArray:
        some = slice(first, first + _JOB_WINDOWS)
        totals = np.zeros(shape)
        where = starts[some], begins[some]
        matched.matched_windows(data, tables, where, task.order, task.geometry, totals)
        return totals

    totals = np.zeros(shape)
    for first, part in zip(firsts, in_order(job, firsts, threads), strict=True):
        totals += part
        if progress is not None:
            done = min(first + _JOB_WINDOWS, plan.n_windows)
            progress("Correlating surrogates", done, plan.n_windows)
    return totals


def _matched_coordination(
    x: FloatArray, y: FloatArray, plan: WindowPlan, polarity: bool, min_valid: float
) -> MatchedCorrelation:
    """Correlate matched pairs where both windows move, one pair after another."""
    task = Task.prepare(x, y, plan, polarity=polarity, min_valid=min_valid)
    if task.n1 != task.n2:
        raise SchemaError(
            "Only equal numbers of signals can be matched.",
            expected=f"{task.n1} signals in y, as in x",
            got=str(task.n2),
        )
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    values, lags = (np.empty((plan.n_windows, task.n1)) for _ in range(2))
    for k in range(task.n1):
        one = Task.prepare(
            x[:, k : k + 1], y[:, k : k + 1], plan, polarity=polarity, min_valid=min_valid
        )
        for stop, (r, lag) in each_window([one], _first_pair, None):
            values[stop - r.size : stop, k], lags[stop - r.size : stop, k] = r, lag
    lags[np.isnan(values)] = np.nan
    return MatchedCorrelation(values, lags / plan.fps, plan)


def _first_pair(
    _: int, __: int, r: NDArray[np.float32], lag: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what some windows hold of the first pair."""
    return r[:, 0, 0].copy(), lag[:, 0, 0].copy()
