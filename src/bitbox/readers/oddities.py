"""What measured movements do not look like: values that are held, empty rows, outliers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.findings import Finding
from bitbox.readers.bookkeeping import digit_of
from bitbox.signals.checks import FloatArray

#: Typical steps of so many last digits hardly leave a value the same.
_FINE = 10.0
#: Share of rows that repeat the row before, of one column and of several, or so many at once, which
#: no movement does.
_HELD, _HELD_OF_SEVERAL, _HELD_AT_ONCE = 0.05, 0.005, 30
#: Fewer columns may well be 0 together, as may fewer rows.
_COLUMNS, _ROWS = 2, 3
#: What programs write where they have nothing.
_NOTHING = (0, -1)
#: Share of a column's other values that are 0 all the same.
_SELDOM = 0.01
#: How far away outliers are, in the range of 98 % of the values.
_FAR = 300.0


def oddities(
    path: Path, names: Sequence[str], values: FloatArray, lines: NDArray[Any]
) -> tuple[Finding, ...]:
    """Return what looks odd in the values of a table.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of str
        Of the columns.
    values : ndarray, shape (rows, columns)
        NaN is missing.
    lines : ndarray of int, shape (rows,)
        Where in the file the rows are.
    """
    number, empty = _empty(values)
    return (
        *_held(path, np.where(empty[:, None], np.nan, values), lines),
        *_about_empty(path, number, empty, lines),
        *_far(path, names, values, lines),
    )


def _held(path: Path, values: FloatArray, lines: NDArray[Any]) -> Iterator[Finding]:
    """Say that rows repeat the row before, digit for digit."""
    fine = [column for column in values.T if _is_fine(column)]
    if not fine:
        return
    same = np.ones(len(values) - 1, dtype=bool)
    telling = np.zeros(len(values) - 1)
    for column in fine:
        same &= column[1:] == column[:-1]
        telling += ~np.isin(column[1:], _resting(column))
    same &= telling > 0
    ends = np.flatnonzero(np.diff(np.r_[0, same.astype(np.int8), 0]))
    starts, runs = ends[::2], ends[1::2] - ends[::2]
    several = (same & (telling > 1)).mean() > _HELD_OF_SEVERAL
    if not (several or same.mean() > _HELD or runs.max(initial=0) >= _HELD_AT_ONCE):
        return
    yield Finding(
        "held-values",
        "warning",
        f"{path.name}: {same.sum()} of {len(values)} rows repeat the row before, digit for digit "
        f"(up to {runs.max()} at once, from line {lines[starts[runs.argmax()] + 1]} on), as where "
        "a program goes on with the last value, or rows were doubled.",
        "Leave cells empty where nothing was measured; what is held comes too late, and doubled "
        "rows move what follows where a file has no times.",
    )


def _resting(column: FloatArray) -> FloatArray:
    """Return values at which a measure may stay: its least, its most, and the commonest."""
    known, counts = np.unique(column[np.isfinite(column)], return_counts=True)
    return np.array([known[0], known[-1], known[counts.argmax()]])


def _is_fine(column: FloatArray) -> bool:
    """Whether a column's values change by many of the last digits that they are written with."""
    known = column[np.isfinite(column)]
    steps = np.abs(np.diff(known))
    steps = steps[steps > 0]
    if len(steps) < _ROWS:
        return False
    return bool(np.median(steps) > _FINE * digit_of(known[:1000]))


def _empty(values: FloatArray) -> tuple[int, NDArray[np.bool_]]:
    """Return a number, and rows in which all values are that and hardly ever elsewhere."""
    for number in _NOTHING:
        empty = (values == number).all(axis=1)
        others = values[~empty]
        if values.shape[1] < _COLUMNS or empty.sum() < _ROWS or not len(others):
            continue
        if np.mean((others == number).mean(axis=0) < _SELDOM) > 0.5:
            return number, empty
    return 0, np.zeros(len(values), dtype=bool)


def _about_empty(
    path: Path, number: int, empty: NDArray[np.bool_], lines: NDArray[Any]
) -> tuple[Finding, ...]:
    if not empty.any():
        return ()
    return (
        Finding(
            "rows-of-zeros",
            "warning",
            f"{path.name}: in {empty.sum()} of {len(empty)} rows all values are {number}, first in "
            f"line {lines[np.flatnonzero(empty)[0]]}, and hardly ever elsewhere.",
            "If nobody was seen there, leave the cells empty.",
        ),
    )


def _far(
    path: Path, names: Sequence[str], values: FloatArray, lines: NDArray[Any]
) -> Iterator[Finding]:
    """Say which column has outliers that outweigh all else."""
    for name, column in zip(names, values.T, strict=True):
        known = column[np.isfinite(column)]
        if len(known) < 100:
            continue
        low, middle, high = np.percentile(known, [1, 50, 99])
        with np.errstate(invalid="ignore"):
            far = np.flatnonzero(np.abs(column - middle) > _FAR * (high - low))
        if not len(far) or high == low:
            continue
        yield Finding(
            "far-values",
            "warning",
            f"{path.name}: column {name!r} is {column[far[0]]:.6g} in line {lines[far[0]]}"
            + (f" (and {len(far) - 1} more)" if len(far) > 1 else "")
            + f", while 98 % of it lie from {low:.6g} to {high:.6g}: it outweighs all other "
            "movements around it.",
            "Leave the cell empty if that was not measured (a spreadsheet may have lost a decimal "
            "mark).",
        )
