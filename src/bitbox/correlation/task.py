"""What is to be correlated: two checked arrays, the plan, and what follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.geometry import (
    COLUMNS,
    LEAST,
    ROWS,
    Geometry,
    float32_limit,
    register_file,
    uneven_limit,
)
from bitbox.correlation.plan import WindowPlan, frames_needed, tie_order
from bitbox.errors import InputError, SchemaError

FloatArray = NDArray[np.float64]

#: Products that a job of some windows should take: about two milliseconds' work, so that threads
#: share evenly and an interruption is noticed at once.
_JOB = 1.2e8


@dataclass(frozen=True, eq=False)
class Task:
    """Two sets of signals and what to do with them.

    x and y are as they were given; what the kernels need is laid out piece by piece, so that memory
    does not grow with the recording. `rows` and `columns` are the signals of x and of y that are
    correlated.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    plan: WindowPlan
    geometry: Geometry
    order: NDArray[np.int64]
    rows: slice
    columns: slice

    @classmethod
    def prepare(
        cls, x: FloatArray, y: FloatArray, plan: WindowPlan, *, polarity: bool, min_valid: float
    ) -> Task:
        """Check the arguments."""
        first, second = _checked(x, "x", plan), _checked(y, "y", plan)
        if first.shape[2] != second.shape[2]:
            raise SchemaError(
                "Signals with different numbers of coordinates cannot be correlated.",
                expected=f"{first.shape[2]} coordinates in y, as in x",
                got=str(second.shape[2]),
            )
        terms = plan.window * first.shape[2]
        geometry = Geometry(
            plan.window,
            plan.max_lag,
            frames_needed(plan, min_valid),
            plan.mode == "coordination",
            bool(polarity),
            register_file(),
            float32_limit(terms) if plan.mode == "imitation" else uneven_limit(plan, terms),
            0 if plan.mode == "coordination" else int(plan.lags[0]),
            2 * plan.max_lag + 1 if plan.mode == "coordination" else plan.lags.size,
        )
        signals = slice(0, first.shape[1]), slice(0, second.shape[1])
        return cls(first, second, plan, geometry, tie_order(plan), *signals)

    @property
    def n1(self) -> int:
        """The number of x's signals."""
        return int(self.rows.stop - self.rows.start)

    @property
    def n2(self) -> int:
        """The number of y's signals."""
        return int(self.columns.stop - self.columns.start)

    @property
    def windows_per_job(self) -> int:
        """How many windows make a job; the same for any number of threads."""
        pairs = self.n1 * self.n2
        cost = pairs * self.order.size * self.plan.window * self.x.shape[2]
        most = max(1, int(8e6 / pairs))
        # Blocks of many signals are enough to share, and their sums take long to add up.
        work = 3 * _JOB if pairs < self.x.shape[1] * self.y.shape[1] else _JOB
        size = min(max(1 if self.geometry.coordination else 4, work / cost), most, 4096)
        return -(-self.plan.n_windows // math.ceil(self.plan.n_windows / size))

    @property
    def padded(self) -> tuple[int, int]:
        """The numbers of signals in whole tiles."""
        return whole(self.n1, ROWS), whole(self.n2, COLUMNS)


def whole(count: int, multiple: int) -> int:
    """Return a count rounded up to a multiple."""
    return -(-count // multiple) * multiple


def _checked(data: FloatArray, name: str, plan: WindowPlan) -> NDArray[Any]:
    """Return (frames, signals, coordinates), or raise."""
    array = np.asarray(data)
    if array.dtype.kind not in "fiu":
        array = array.astype(np.float64)
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
    return array


def rows(
    array: NDArray[Any], signals: slice, frames: tuple[int, int], *, scaled: bool = False
) -> tuple[FloatArray, int]:
    """Return some frames as (frames, coordinates, signals), and the column of the first signal.

    Nothing is copied where the numbers already lie like that, other signals between them or not.
    Scaled signals have a largest magnitude near 1. They are always read-only, since kernels are
    compiled for each of the two.
    """
    begin, end = frames
    d, n = array.shape[2], signals.stop - signals.start
    as_it_is = d == 1 and array.dtype == np.float64 and array.flags.c_contiguous
    if as_it_is and n >= LEAST and not scaled:
        return read_only(array[begin:end, :, 0][:, None]), signals.start
    piece = array[begin:end, signals]
    out = np.empty((end - begin, d, max(n, LEAST)))
    out[:, :, :n] = piece.transpose(0, 2, 1)
    if scaled:
        out[:, :, :n] = _scaled(out[:, :, :n])
    out[:, :, n:] = out[:, :, n - 1 : n]
    if d > 1:
        missing = np.isnan(out).any(axis=1)
        out.transpose(0, 2, 1)[missing] = np.nan
    return read_only(out), 0


def read_only(array: FloatArray) -> FloatArray:
    """Return a view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def _scaled(data: FloatArray) -> FloatArray:
    """Return (frames, coordinates, signals) with largest magnitudes from 1/2 to 1, all digits kept.

    A power of two changes no digit. It is applied in two steps because that of the smallest numbers
    is itself too large.
    """
    largest = np.nan_to_num(np.abs(data)).max(axis=(0, 1))
    exponent = -np.frexp(largest)[1]
    half = exponent // 2
    out: FloatArray = data * np.ldexp(1.0, half) * np.ldexp(1.0, exponent - half)
    return out


def refuse_infinite(task: Task) -> None:
    """Raise if any value is infinite, and say which."""
    for name, array in (("x", task.x[:, task.rows]), ("y", task.y[:, task.columns])):
        infinite = np.isinf(array)
        if infinite.any():
            frame, signal, _ = (int(v) for v in np.argwhere(infinite)[0])
            raise InputError(
                f"The array {name} holds an infinite value.",
                expected="finite numbers, or NaN where missing",
                got=f"infinity in frame {frame} of signal {signal}",
            )
