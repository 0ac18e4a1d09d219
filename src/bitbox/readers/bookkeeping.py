"""What a table holds besides movements: clocks, counters, marks of lost frames, codes for missing.

Each of them, taken for a signal or for a value, gives a number that looks like any other: what
counts up in both recordings is found imitated, and one 999 among movements outweighs all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import InputError
from bitbox.findings import Finding
from bitbox.readers.table import FloatArray, Table

#: Columns that say by 0 and 1 in which rows something was measured; in upper or lower case.
FLAGS = ("success", "valid", "is_valid", "tracked", "detected", "face_detected")
#: Numbers that programs write where they have none.
_CODES = tuple(sign * number for number in (99, 999, 9999, 99999) for sign in (-1, 1))
#: The same for places in a picture.
_NOWHERE = (0, -1)
_PLACES = ("landmark", "landmark-can", "rectangle")
#: How far from all other numbers a code is, in their range: where it comes once, or again.
_APART, _APART_AGAIN = 5.0, 1.0
#: Fewer rows are too few to tell a counter from a movement.
_ENOUGH = 10
#: Rows after which what never once turned back is a clock.
_NEVER_BACK = 30
#: How far from a straight line a counter may be, as a share of its step: times are rounded.
_STRAIGHT = 0.05


def counters(table: Table, names: Sequence[str], clocks: Sequence[FloatArray]) -> set[str]:
    """Return which columns only count: rows, seconds, or parts of a session.

    Parameters
    ----------
    table : Table
    names : sequence of str
        The columns in question.
    clocks : sequence of ndarray, shape (rows,)
        What they may count.
    """
    head = table.head(_ENOUGH)
    first = [clock[:_ENOUGH] for clock in clocks]
    return {
        name
        for name in names
        if _counts(head, name, first, 0) and _counts(table, name, clocks, _ENOUGH)
    }


def _counts(table: Table, name: str, clocks: Sequence[FloatArray], enough: int) -> bool:
    try:
        values = table.numbers(name)
    except InputError:
        return False  # whoever needs the column says what is wrong with it
    return (
        any(_is_straight(values, clock, enough) for clock in clocks)
        or _never_turns(values, enough)
        or _numbers_parts(values, enough)
    )


def _is_straight(values: FloatArray, clock: FloatArray, enough: int) -> bool:
    """Whether values grow in proportion to a clock, as exactly as they are written."""
    known = np.isfinite(values) & np.isfinite(clock)
    values, clock = values[known], clock[known]
    if len(values) < max(3, enough):
        return not enough
    if clock[-1] == clock[0] or values[-1] == values[0]:
        return False
    slope = (values[-1] - values[0]) / (clock[-1] - clock[0])
    step = abs(slope * np.median(np.diff(clock)))
    away = np.abs(values - values[0] - slope * (clock - clock[0]))
    most = _STRAIGHT * step
    if abs(values[-1] - values[0]) > _ENOUGH * digit_of(values):
        most = max(most, digit_of(values))  # both ends of the line are rounded, too
    return bool(away.max() <= most)


def digit_of(values: FloatArray) -> float:
    """Return the value of the last digit that numbers are written with."""
    for digit in (10.0**-n for n in range(7)):
        if np.allclose(values / digit, np.round(values / digit), rtol=1e-12, atol=1e-4):
            return float(digit)
    return 0.0


def _never_turns(values: FloatArray, enough: int) -> bool:
    """Whether values grow, or fall, from each row to the next, as an unsteady clock does."""
    values = values[np.isfinite(values)]
    if enough and len(values) < _NEVER_BACK:
        return False
    steps = np.diff(values)
    return bool((steps > 0).all() or (steps < 0).all())


def _numbers_parts(values: FloatArray, enough: int) -> bool:
    """Whether values are whole and go up by one now and then, as numbers of trials do."""
    steps = np.diff(values)
    if len(values) < enough or not np.isfinite(values).all() or (values % 1 != 0).any():
        return False
    # up once may be somebody who smiles from then on
    return bool(((steps == 0) | (steps == 1)).all() and (not enough or steps.sum() >= 2))


def flag_of(table: Table) -> tuple[str, NDArray[np.bool_]] | None:
    """Return the column that says where something was measured, and where that is not so."""
    for name in FLAGS:
        own = table.find(name)
        if own is None:
            continue
        try:
            values = table.numbers(own)
        except InputError:
            return None
        if np.isin(values, (0, 1)).all() and (values == 1).any():
            return own, values == 0
    return None


def about_lost(path: Path, name: str, lost: NDArray[np.bool_]) -> tuple[Finding, ...]:
    """Say that rows in which a column holds 0 are missing."""
    if not lost.any():
        return ()
    return (
        Finding(
            "lost-rows",
            "info",
            f"{path.name}: the column {name!r} is 0 in {lost.sum()} of {len(lost)} rows; what else"
            " stands there is missing.",
            "Nothing, if 0 means that nobody was seen. Otherwise rename or remove the column.",
        ),
    )


def refuse_codes(
    path: Path, names: Sequence[str], values: FloatArray, lines: NDArray[Any], kind: str
) -> None:
    """Refuse numbers that stand for a missing value.

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
    kind : str
        Of signals; places in a picture are also 0 or -1 where there is none.

    Raises
    ------
    InputError
        A column holds -999, say, far from all its other numbers.
    """
    for code in _CODES + (_NOWHERE if kind in _PLACES else ()):
        held = values == code
        for column in np.flatnonzero(held.any(axis=0)):
            here = held[:, column]
            others = values[~here & np.isfinite(values[:, column]), column]
            if not _is_apart(code, int(here.sum()), others):
                continue
            raise InputError(
                f"{path.name}: column {names[column]!r} is {code} in line "
                f"{lines[np.flatnonzero(here)[0]]}"
                + (f" and {here.sum() - 1} more" if here.sum() > 1 else "")
                + ", far from all its other numbers.",
                expected=f"numbers like the others, {others.min():.6g} to {others.max():.6g}, or "
                "an empty cell where the value is missing",
                got=str(code),
                todo=f"Where {code} stands for a missing value, leave the cell empty.",
            )


def _is_apart(code: float, times: int, others: FloatArray) -> bool:
    if len(others) < 3 or others.min() == others.max() or len(np.unique(others[:1000])) < 3:
        return False
    away = max(others.min() - code, code - others.max())
    share = _APART if times < 2 or code in _NOWHERE else _APART_AGAIN
    return bool(away > share * (others.max() - others.min()))
