"""Windowed, lagged correlation of all pairs of two sets of signals, in bounded memory."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import MIN_WINDOW, WindowPlan
from bitbox.errors import InputError, ParameterError, SchemaError
from bitbox.progress import Progress

FloatArray = NDArray[np.float64]


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
    """

    mean: FloatArray
    std: FloatArray
    lag: FloatArray
    n_valid: NDArray[np.int64]
    plan: WindowPlan
    values: FloatArray | None = None
    lags: FloatArray | None = None


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
    from bitbox.correlation import exact

    first, second = _prepare(x, "x", plan), _prepare(y, "y", plan)
    if first.shape[1] != second.shape[1]:
        raise SchemaError(
            "Signals with different numbers of coordinates cannot be correlated.",
            expected=f"{first.shape[1]} coordinates in y, as in x",
            got=str(second.shape[1]),
        )
    geometry = exact.Geometry(
        plan.window,
        plan.max_lag,
        frames_needed(plan, min_valid),
        plan.mode == "coordination",
        polarity,
    )
    shape = plan.n_windows, first.shape[2], second.shape[2]
    values, lags = np.empty(shape), np.empty(shape)
    order = tie_order(plan)

    def one(w: int) -> None:
        out = values[w], lags[w]
        exact.choose_all(first, second, int(plan.starts[w]), order, geometry, out)

    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(one, range(plan.n_windows)), start=1):
            if progress is not None:
                progress("Correlating", done, plan.n_windows)
    lags[np.isnan(values)] = np.nan
    lags /= plan.fps
    mean, std, n_valid = _statistics(values)
    kept = (values, lags) if keep_windows else (None, None)
    return LaggedCorrelation(mean, std, _statistics(lags)[0], n_valid, plan, *kept)


def frames_needed(plan: WindowPlan, min_valid: float) -> int:
    """Return how many frames of a window must be valid, at least three."""
    if not 0 <= min_valid <= 1:
        raise ParameterError(
            "The share of valid frames makes no sense.",
            expected="a number from 0 to 1",
            got=repr(min_valid),
        )
    return max(MIN_WINDOW, math.ceil(min_valid * plan.window - 1e-9))


def tie_order(plan: WindowPlan) -> NDArray[np.int64]:
    """Return the lags in the order in which a tie prefers them: nearest zero, then negative."""
    return np.array(sorted(plan.lags.tolist(), key=lambda lag: (abs(lag), lag)), dtype=np.int64)


def _prepare(data: FloatArray, name: str, plan: WindowPlan) -> FloatArray:
    """Return a copy laid out (frames, coordinates, signals), scaled to magnitudes of about 1."""
    array = np.asarray(data, dtype=np.float64)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or 0 in array.shape[1:]:
        raise SchemaError(
            f"The array {name} has a shape that cannot be correlated.",
            expected="(frames, signals, coordinates)",
            got=str(np.shape(data)),
        )
    if array.shape[0] != plan.n_frames:
        raise SchemaError(
            f"The array {name} does not fit the window plan.",
            expected=f"{plan.n_frames} frames",
            got=str(array.shape[0]),
        )
    if np.isinf(array).any():
        frame, signal, _ = (int(v) for v in np.argwhere(np.isinf(array))[0])
        raise InputError(
            f"The array {name} holds an infinite value.",
            expected="finite numbers, or NaN where missing",
            got=f"infinity in frame {frame} of signal {signal}",
        )
    out = np.ascontiguousarray(array.transpose(0, 2, 1))
    missing = np.isnan(out)
    # A power of two changes no digit; it keeps squares from overflowing or vanishing.
    largest = np.max(np.abs(out), axis=(0, 1), where=~missing, initial=0.0)
    out = np.ldexp(out, -np.frexp(largest)[1])
    lost = missing.any(axis=1, keepdims=True)
    if lost.any():
        out[np.broadcast_to(lost, out.shape)] = np.nan
    return out


def _statistics(values: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Return mean, standard deviation and number of the defined values along the first axis."""
    good = ~np.isnan(values)
    count = good.sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = np.where(good, values, 0.0).sum(axis=0) / count
        squares = np.where(good, (values - mean) ** 2, 0.0).sum(axis=0)
        return mean, np.sqrt(squares / count), count
