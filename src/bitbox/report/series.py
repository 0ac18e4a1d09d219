"""What the page draws of the signals: matched pairs, their courses, their windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.report.content import MatrixResult, ReportContent
from bitbox.signals import Signals

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

#: Most windows of a signal that are drawn: the page of a recording of hours stays small.
MOST_WINDOWS = 1800


@dataclass(frozen=True, eq=False)
class Course:
    """One signal of both people on one clock, and by window where that is known.

    ``distance`` says that the signal has several coordinates, of which the distance from its
    own average place is drawn. Of more windows than `MOST_WINDOWS` only one of ``every`` is kept.
    """

    name: str
    time: FloatArray
    participant: FloatArray
    model: FloatArray
    unit: str
    distance: bool
    window_times: FloatArray | None = None
    r: FloatArray | None = None
    latency: FloatArray | None = None
    every: int = 1


def matched(matrix: MatrixResult) -> list[tuple[str, int, int]]:
    """Return name, row and column of the signals that both people have."""
    columns = {str(name): j for j, name in enumerate(matrix.y_names)}
    return [
        (str(name), i, columns[str(name)])
        for i, name in enumerate(matrix.x_names)
        if str(name) in columns
    ]


def window_latencies(matrix: MatrixResult | None, names: list[str]) -> FloatArray | None:
    """Return the latency of each named matched signal by window, shape (windows, k)."""
    lags = getattr(matrix, "lags", None)
    if matrix is None or lags is None:
        return None
    at = {name: (i, j) for name, i, j in matched(matrix)}
    if any(name not in at for name in names):
        return None
    array = np.asarray(lags, dtype=float)
    found: FloatArray = np.stack([-array[:, at[name][0], at[name][1]] for name in names], axis=1)
    return found


def courses(content: ReportContent, names: list[str]) -> list[Course]:
    """Return the course of each named signal that both people have, in the order given."""
    if content.aligned is None:
        return []
    found = []
    by_window = _by_window(content.matrix) if content.windows is None else _rows(content.windows)
    for name in names:
        x, y = (_series(signals, name) for signals in content.aligned)
        if x is None or y is None:
            continue
        found.append(
            Course(
                name,
                content.aligned[0].time,
                x[0],
                y[0],
                content.aligned[0].units,
                x[1],
                **by_window.get(name, {}),
            )
        )
    return found


def _series(signals: Signals, name: str) -> tuple[FloatArray, bool] | None:
    """Find a signal by its name: a column, or a vector such as a landmark."""
    if name in signals.names:
        return signals.values[:, signals.names.index(name)], False
    if signals.dimension == 1 and signals.kind != "pose":
        return None
    for angular in (True, False):
        labels, array = signals.components("vector", angular=angular)
        if name in labels:
            return _distance(array[:, labels.index(name)]), True
        if signals.kind != "pose":
            break
    return None


def _distance(points: FloatArray) -> FloatArray:
    """Return how far a point (T, d) is from its own average place; NaN where it is missing."""
    complete = np.isfinite(points).all(axis=1)
    result = np.full(len(points), np.nan)
    if complete.any():
        offset = points[complete] - points[complete].mean(axis=0)
        result[complete] = np.sqrt(np.sum(offset**2, axis=1))
    return result


def _rows(windows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the windows of each signal, of a table with one row a window."""
    found = {}
    for name, part in windows.groupby("signal", sort=False):
        columns = {
            field: part[column].to_numpy(dtype=float) if column in part else None
            for field, column in (("window_times", "time"), ("r", "r"), ("latency", "latency"))
        }
        found[str(name)] = _fewer(columns)
    return found


def _fewer(windows: dict[str, FloatArray | None]) -> dict[str, Any]:
    """Keep windows at equal distances, at most `MOST_WINDOWS`."""
    times = windows["window_times"]
    every = 1 if times is None else -(-len(times) // MOST_WINDOWS) or 1
    kept = {name: None if v is None else v[::every] for name, v in windows.items()}
    return {**kept, "every": every}


def _by_window(matrix: MatrixResult | None) -> dict[str, dict[str, Any]]:
    values = getattr(matrix, "values", None)
    if matrix is None or values is None:
        return {}
    r = np.asarray(values, dtype=float)
    lags = getattr(matrix, "lags", None)
    latency = None if lags is None else -np.asarray(lags, dtype=float)
    times = np.asarray(matrix.times, dtype=float)
    return {
        name: _fewer(
            {
                "window_times": times,
                "r": r[:, i, j],
                "latency": None if latency is None else latency[:, i, j],
            }
        )
        for name, i, j in matched(matrix)
    }
