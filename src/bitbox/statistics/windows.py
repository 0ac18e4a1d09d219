"""The best correlation of every window of one recording with every place of another.

A window that is paired with the model's movement at the same time, at another time (circular
shifts) or with another window (segments) always takes the largest correlation over the same
lags. So all of them are entries of one table, windows of x by places of y, which matrix products
fill quickly. What is observed and what happens by chance are read from the same arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bitbox.correlation.engine import frames_needed, tie_order
from bitbox.correlation.plan import WindowPlan

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

#: Rounding: a window whose range is within this share of its magnitude doesn't move at all.
_EXACTLY_STILL = 64 * 2.0**-52
#: A window is still where its movement is below this share of the liveliest windows' movement.
STILL_SHARE = 0.1
#: Which windows are the liveliest: this quantile of movement over the recording.
LIVELY_QUANTILE = 0.95
# Rows and columns of the table worked on at once: a few megabytes that stay in the cache.
_ROWS, _COLUMNS = 16, 8192


@dataclass(frozen=True)
class Windows:
    """All windows of one signal, centred: what a table is made of.

    Attributes
    ----------
    unit : (n, W * d) array
        Frames less their mean, divided by their norm; 0 where missing or undefined.
    norm : (n,) array
        The norm: the root of the summed squared deviations of a window.
    valid : (n, W) array of bool
        Frames that are there.
    complete, usable : (n,) array of bool
        No frame missing; enough frames there and not constant.
    movement : (n,) array
        Standard deviation over a window's valid frames; NaN where not usable.
    """

    unit: FloatArray
    norm: FloatArray
    valid: BoolArray
    complete: BoolArray
    usable: BoolArray
    movement: FloatArray


@dataclass(frozen=True)
class Rule:
    """What makes a correlation count: geometry, choice of lag and missing frames."""

    plan: WindowPlan
    polarity: bool
    need: int

    @classmethod
    def make(cls, plan: WindowPlan, polarity: bool, min_valid: float) -> Rule:
        """Return the rule of a plan; `min_valid` is a share of a window's frames."""
        return cls(plan, polarity, frames_needed(plan, min_valid))

    @property
    def first_lag(self) -> int:
        """The most negative lag, in frames."""
        return int(self.plan.lags[0])

    @property
    def span(self) -> int:
        """Frames between the first and the last lag."""
        return int(self.plan.lags[-1] - self.plan.lags[0])

    @property
    def n_places(self) -> int:
        """How many starts of a window of y leave room for every lag."""
        return self.plan.n_frames - self.plan.window - self.span + 1

    @property
    def own_places(self) -> IntArray:
        """The place of y that is simultaneous with each window of x."""
        return self.plan.starts + self.first_lag


def cut(signal: FloatArray, starts: IntArray, rule: Rule) -> Windows:
    """Cut the windows of one signal (T, d) that start at the given frames."""
    frames = sliding_window_view(signal, rule.plan.window, axis=0)[starts]  # (n, d, W)
    valid = ~np.isnan(frames).any(axis=1)
    count = valid.sum(axis=1)
    kept = valid[:, None, :]
    high = np.max(frames, axis=2, where=kept, initial=-np.inf)
    low = np.min(frames, axis=2, where=kept, initial=np.inf)
    with np.errstate(invalid="ignore"):
        magnitude = np.maximum(np.abs(high), np.abs(low)).max(axis=1)
        moves = (high - low).max(axis=1) > _EXACTLY_STILL * magnitude
    usable = (count >= rule.need) & moves
    # from a value inside the window, so that an offset costs no digits
    reference = np.where(np.isfinite(low), low, 0.0)[:, :, None]
    deviation = np.where(kept, frames - reference, 0.0)
    deviation -= deviation.sum(axis=2, keepdims=True) / np.maximum(count, 1)[:, None, None]
    deviation = np.where(kept, deviation, 0.0).reshape(len(starts), -1)
    norm = np.sqrt(np.einsum("nk,nk->n", deviation, deviation))
    unit = deviation / np.where(usable, norm, np.inf)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        movement = np.where(usable, norm / np.sqrt(count), np.nan)
    return Windows(unit, norm, valid, valid.all(axis=1), usable, movement)


def still(movement: FloatArray) -> BoolArray:
    """Return which windows hardly move, compared with the signal's own liveliest windows.

    Parameters
    ----------
    movement : (n,) array
        Standard deviation of each window; NaN where it is undefined.

    Returns
    -------
    (n,) array of bool
        Where the movement is below a tenth of its 95th percentile. An undefined window isn't
        still: it is missing.

    Notes
    -----
    The measure is relative, so it has no unit, and it looks at movement inside windows, so a
    slow drift over the whole recording doesn't hide it.
    """
    if np.isnan(movement).all():
        return np.zeros(len(movement), dtype=np.bool_)
    lively = np.nanquantile(movement, LIVELY_QUANTILE)
    with np.errstate(invalid="ignore"):
        return cast(BoolArray, movement < STILL_SHARE * lively)


class Pair:
    """A signal of x and a signal of y, ready to be compared anywhere.

    Parameters
    ----------
    x, y : (T, d) array
        One signal of each person on one clock; NaN is missing.
    rule : Rule
        Geometry and choice of lag.
    """

    def __init__(self, x: FloatArray, y: FloatArray, rule: Rule) -> None:
        self.rule = rule
        self._x = cut(x, rule.plan.starts, rule)
        self._y_signal = y
        places = np.arange(rule.plan.n_frames - rule.plan.window + 1)
        movement = np.concatenate(
            [
                cut(y, part, rule).movement
                for part in np.array_split(places, -(-len(places) // 4096))
            ]
        )
        self.x_still = still(self._x.movement)
        y_still = still(movement)
        #: Places of y where no lag holds any movement.
        self.y_still = sliding_window_view(y_still, rule.span + 1).all(axis=1)

    def observed(self) -> tuple[FloatArray, FloatArray]:
        """Return the chosen correlation and its lag in frames, (windows,) each; NaN: undefined.

        Under polarity the correlation keeps its sign.
        """
        plan, order = self.rule.plan, tie_order(self.rule.plan)
        best = np.full(plan.n_windows, np.nan)
        lag = np.full(plan.n_windows, np.nan)
        for first in range(0, plan.n_windows, 256):
            rows = slice(first, first + 256)
            score = np.full(len(plan.starts[rows]), -np.inf)
            for candidate in order:
                r = self._simultaneous(rows, int(candidate))
                strength = np.abs(r) if self.rule.polarity else r
                better = strength > score  # False where undefined; a tie keeps the earlier
                score[better] = strength[better]
                best[rows][better] = r[better]
                lag[rows][better] = candidate
        return best, lag

    def _simultaneous(self, rows: slice, lag: int) -> FloatArray:
        """Correlation of some windows of x with the windows of y at one lag."""
        starts = self.rule.plan.starts[rows]
        y = cut(self._y_signal, starts + lag, self.rule)
        x = _rows(self._x, rows)
        r = np.where(x.usable & y.usable, np.einsum("nk,nk->n", x.unit, y.unit), np.nan)
        gaps = np.flatnonzero(x.usable & y.usable & ~(x.complete & y.complete))
        for n in gaps:
            r[n] = _pairwise(_rows(x, slice(n, n + 1)), _rows(y, slice(n, n + 1)), self.rule)[0, 0]
        return np.clip(r, -1.0, 1.0)

    def table(self, columns: slice) -> Iterator[tuple[slice, FloatArray]]:
        """Yield rows of the table of the best correlation (its strength under polarity).

        Parameters
        ----------
        columns : slice
            Places of y.

        Yields
        ------
        rows : slice
            Windows of x.
        best : (rows, columns) array
            NaN where undefined.
        """
        rule = self.rule
        starts = np.arange(columns.start, columns.stop + rule.span)
        y = cut(self._y_signal, starts, rule)
        by_place = np.ascontiguousarray(y.unit.T)
        gaps = np.flatnonzero(y.usable & ~y.complete)
        y_gaps = _rows(y, gaps)
        undefined = np.flatnonzero(~y.usable)
        for first in range(0, rule.plan.n_windows, _ROWS):
            rows = slice(first, min(first + _ROWS, rule.plan.n_windows))
            x = _rows(self._x, rows)
            r = x.unit @ by_place
            if len(gaps):
                r[:, gaps] = _pairwise(x, y_gaps, rule)
            x_gaps = np.flatnonzero(x.usable & ~x.complete)
            if len(x_gaps):
                r[x_gaps] = _pairwise(_rows(x, x_gaps), y, rule)
            if rule.polarity:
                np.abs(r, out=r)
            np.minimum(r, 1.0, out=r)
            r[:, undefined] = -np.inf
            r[~x.usable] = -np.inf
            if np.isnan(r).any():
                r[np.isnan(r)] = -np.inf
            best = sliding_max(r, rule.span + 1)
            best[np.isneginf(best)] = np.nan
            yield rows, best


def mean_over(pair: Pair, places: IntArray) -> tuple[FloatArray, IntArray]:
    """Return the mean over counted windows of the best correlation, for many ways to pair.

    Parameters
    ----------
    pair : Pair
        The two signals.
    places : (m, windows) array of int
        For each way and each window of x: the place of y it is compared with; -1: left out.

    Returns
    -------
    mean : (m,) array
        NaN where no window counts.
    count : (m,) array of int
        Windows counted: defined, and something moves in them.
    """
    total = np.zeros(len(places))
    count = np.zeros(len(places), dtype=np.int64)
    by_window = np.ascontiguousarray(places.T)
    for first in range(0, pair.rule.n_places, _COLUMNS):
        columns = slice(first, min(first + _COLUMNS, pair.rule.n_places))
        for rows, best in pair.table(columns):
            for w, row in enumerate(best, start=rows.start):
                here = by_window[w] - first
                wanted = np.flatnonzero((here >= 0) & (here < len(row)))
                value = row[here[wanted]]
                counts = ~np.isnan(value)
                if pair.x_still[w]:
                    counts &= ~pair.y_still[here[wanted] + first]
                total[wanted[counts]] += value[counts]
                count[wanted[counts]] += 1
    with np.errstate(invalid="ignore"):
        return total / np.where(count > 0, count, np.nan), count


def sliding_max(values: FloatArray, width: int) -> FloatArray:
    """Return the maximum of every `width` neighbours along the last axis, by doubling."""
    wanted = values.shape[-1] - width + 1
    size = 1
    while 2 * size <= width:
        values = np.maximum(values[..., :-size], values[..., size:])
        size *= 2
    rest = width - size
    widest: FloatArray = np.maximum(values[..., :wanted], values[..., rest : rest + wanted])
    return widest


def _rows(windows: Windows, rows: slice | IntArray) -> Windows:
    return Windows(
        windows.unit[rows],
        windows.norm[rows],
        windows.valid[rows],
        windows.complete[rows],
        windows.usable[rows],
        windows.movement[rows],
    )


def _pairwise(x: Windows, y: Windows, rule: Rule) -> FloatArray:
    """Correlate windows with gaps over the frames that both have, (rows of x, rows of y)."""
    n_x, n_y, width = len(x.unit), len(y.unit), rule.plan.window
    a, b = x.unit.reshape(n_x, -1, width), y.unit.reshape(n_y, -1, width)
    in_x, in_y = x.valid.astype(np.float64), y.valid.astype(np.float64)
    shared = in_x @ in_y.T
    shape = n_x, n_y
    covariance, x_square, y_square = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        for c in range(a.shape[1]):
            x_sum, y_sum = a[:, c] @ in_y.T, in_x @ b[:, c].T
            covariance += a[:, c] @ b[:, c].T - x_sum * y_sum / shared
            x_square += a[:, c] ** 2 @ in_y.T - x_sum**2 / shared
            y_square += in_x @ (b[:, c] ** 2).T - y_sum**2 / shared
        r = covariance / np.sqrt(x_square * y_square)
    # unit windows have squares of 1 in sum: what is left at rounding level is a constant
    nothing = (x_square <= 1e-20) | (y_square <= 1e-20)
    r[(shared < rule.need) | nothing | ~x.usable[:, None] | ~y.usable[None, :]] = np.nan
    return cast(FloatArray, np.clip(r, -1.0, 1.0))
