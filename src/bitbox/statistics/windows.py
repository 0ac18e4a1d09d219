"""The best correlation of every window of one recording with every place of another.

A window that is paired with the model's movement at the same time, at another time (circular
shifts) or with another window (segments) always takes the largest correlation over the same
lags. So all of them are entries of one table, windows of x by places of y. It is filled window by
window and never kept. What is observed and what happens by chance are read from the same table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bitbox.correlation.engine import frames_needed, tie_order
from bitbox.correlation.geometry import Geometry, register_file
from bitbox.correlation.plan import WindowPlan

if TYPE_CHECKING:
    from bitbox.statistics.kernels import Other, Side

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
A = TypeVar("A", bound=np.generic)

#: A window is still where its movement is below this share of the liveliest windows' movement.
STILL_SHARE = 0.1
#: Which windows are the liveliest: this quantile of movement over the recording.
LIVELY_QUANTILE = 0.95


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
    def geometry(self) -> Geometry:
        """What the kernels have to know."""
        plan = self.plan
        registers = register_file()
        return Geometry(
            plan.window, plan.max_lag, self.need, False, self.polarity, registers, math.inf
        )

    @property
    def own_places(self) -> IntArray:
        """The place of y that is simultaneous with each window of x."""
        return self.plan.starts + self.first_lag


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


class Windows:
    """All windows of one signal: those of a plan, where it is x, and every place, where it is y.

    Parameters
    ----------
    signal : (T, d) array
        NaN is missing; a frame with one missing coordinate is missing.
    rule : Rule
        Geometry and what makes a window count.

    Attributes
    ----------
    movement : (T - W + 1,) array
        Standard deviation of the valid frames of the window that starts at each frame, over all
        coordinates; NaN where too few are valid, or it is constant.
    """

    def __init__(self, signal: FloatArray, rule: Rule) -> None:
        from bitbox.statistics import kernels
        from bitbox.statistics.filters import PAD

        self._rule = rule
        known = ~np.isnan(signal).any(axis=1)
        self._signal = np.where(known[:, None], signal, np.nan).astype(float, order="C")
        self._signal.flags.writeable = False  # as the engine's: kernels are compiled for each
        self._known = known
        d, places = signal.shape[1], len(signal) - rule.plan.window + 1
        found = np.empty((d + 2, places + PAD))
        laid_out = _padded(self._signal.T, np.nan)
        kernels.describe(register_file(), laid_out, found, rule.need, rule.plan.window)
        self._count, self._norm, self._mean = (
            found[0, :places], found[1, :places], found[2:, :places],
        )  # fmt: skip
        with np.errstate(divide="ignore"):
            self.movement: FloatArray = self._norm / np.sqrt(self._count)

    @cached_property
    def as_x(self) -> Side:
        """The windows of the plan, as the kernels take them."""
        plan = self._rule.plan
        starts = np.ascontiguousarray(plan.starts, dtype=np.int64)
        frames = sliding_window_view(self._signal, plan.window, axis=0)[starts]
        unit = np.ascontiguousarray(frames)  # (n, d, W)
        there = sliding_window_view(self._known, plan.window)[starts]
        usable = np.isfinite(self._norm[starts])
        unit -= self._mean[:, starts].T[:, :, None]
        unit /= np.where(usable, self._norm[starts], 1.0)[:, None, None]
        absent = np.broadcast_to(~there[:, None], unit.shape)
        unit[absent] = 0.0
        # rounding of the mean leaves a rest, which would meet y's distance from its middle
        unit -= unit.sum(axis=2, keepdims=True) / np.maximum(self._count[starts], 1)[:, None, None]
        unit[absent] = 0.0
        return (
            unit,
            there.astype(float),
            usable,
            starts,
            self._signal[:, :, None],
        )

    @cached_property
    def as_y(self) -> Other:
        """All places, as the kernels take them."""
        from bitbox.statistics import kernels

        usable = np.isfinite(self._norm)
        middle = self._mean[:, usable].mean(axis=1) if usable.any() else np.zeros(len(self._mean))
        values = np.where(self._known, self._signal.T - middle[:, None], 0.0)
        away = np.sum((self._mean - middle[:, None]) ** 2, axis=0) * self._count
        with np.errstate(invalid="ignore"):
            limits = kernels.FAR, kernels.FAR_WITH_GAPS
            far = np.array([_before(away > limit * self._norm**2) for limit in limits])
        sums = (self._mean - middle[:, None]) * self._count
        totals = np.vstack([sums, self._norm**2 + away, self._count])
        return (
            _padded(values), _padded(self._known.astype(float)), _padded(np.sum(values**2, axis=0)),
            _padded(1.0 / self._norm, np.nan), _padded(totals), np.flatnonzero(~self._known),
            _before(_padded(~self._known)), far,
            self._signal[:, :, None],
        )  # fmt: skip

    @cached_property
    def x_still(self) -> BoolArray:
        """Which windows of the plan hardly move, (windows,)."""
        return still(self.movement[self._rule.plan.starts])

    @cached_property
    def y_still(self) -> BoolArray:
        """At which places no lag holds any movement, (places,)."""
        lags = sliding_window_view(still(self.movement), self._rule.span + 1)
        return cast(BoolArray, lags.all(axis=1))


def _padded(values: NDArray[A], value: float = 0.0) -> NDArray[A]:
    """Return values, (..., n), with as many more as kernels read beyond the end."""
    from bitbox.statistics.filters import PAD

    out = np.full((*values.shape[:-1], values.shape[-1] + PAD), value, dtype=values.dtype)
    out[..., : values.shape[-1]] = values
    return out


def _before(flags: BoolArray) -> IntArray:
    """Return how many flags are set before each entry, and before the end."""
    return np.concatenate([[0], np.cumsum(flags)]).astype(np.int64)


class Pair:
    """A signal of x and a signal of y, ready to be compared anywhere.

    Parameters
    ----------
    x, y : (T, d) array, or Windows
        One signal of each person on one clock; NaN is missing.
    rule : Rule
        Geometry and choice of lag.
    """

    def __init__(self, x: FloatArray | Windows, y: FloatArray | Windows, rule: Rule) -> None:
        self.rule = rule
        self._x = x if isinstance(x, Windows) else Windows(x, rule)
        self._y = y if isinstance(y, Windows) else Windows(y, rule)
        #: Where neither moves a window doesn't count: windows of x, and places of y.
        self.x_still, self.y_still = self._x.x_still, self._y.y_still

    def observed(self) -> tuple[FloatArray, FloatArray]:
        """Return the chosen correlation and its lag in frames, (windows,) each; NaN: undefined.

        Under polarity the correlation keeps its sign.
        """
        return self.compared(np.empty((0, self.rule.plan.n_windows), dtype=np.int32))[0]

    def compared(
        self, places: NDArray[np.integer[Any]]
    ) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, IntArray]]:
        """Return what is `observed`, and what `mean_over` returns: both come from one table.

        Parameters
        ----------
        places : (m, windows) array of int
            As for `mean_over`.
        """
        from bitbox.statistics import kernels

        rule = self.rule
        own = rule.own_places, tie_order(rule.plan) - rule.first_lag
        by_window = np.ascontiguousarray(places.T, dtype=np.int32)  # of hours they are many
        total, count, r, at = kernels.compare(
            rule.geometry, self._x.as_x, self._y.as_y, by_window, own,
            (self.x_still, self.y_still),
        )  # fmt: skip
        lag = np.where(np.isnan(r), np.nan, at + float(rule.first_lag))
        return (r, lag), (total / np.where(count > 0, count, np.nan), count)


def mean_over(pair: Pair, places: NDArray[np.integer[Any]]) -> tuple[FloatArray, IntArray]:
    """Return the mean over counted windows of the best correlation, for many ways to pair.

    Parameters
    ----------
    pair : Pair
        The two signals.
    places : (m, windows) array of int
        For each way and each window of x: the place of y it is compared with.

    Returns
    -------
    mean : (m,) array
        NaN where no window counts.
    count : (m,) array of int
        Windows counted: defined, and something moves in them.
    """
    return pair.compared(places)[1]
