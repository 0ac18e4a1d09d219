"""Times that increase from row to row, and what to do where they don't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bitbox.errors import InputError
from bitbox.signals.checks import FloatArray

#: Share of rows without a time of their own from which on times are rounded too much.
_COARSE = 0.3
#: Share of rows up to which time runs backwards by some event, and not since rows are not sorted.
_SELDOM = 0.01
#: Seconds after which clocks begin again (a day, half of one) or are set back (an hour).
_TURNS = (86_400.0, 43_200.0, 3_600.0)
_AT_ONCE = 60.0  # seconds that may pass while they do


def check_times(path: Path, time: FloatArray, lines: Any = None) -> FloatArray:
    """Return the times if every row has one and they increase.

    Parameters
    ----------
    path : Path
        The file.
    time : ndarray, shape (rows,)
        Seconds.
    lines : ndarray of int, shape (rows,), optional
        Where in the file the rows are; None: from line 2.

    Raises
    ------
    InputError
        A time is missing, or time stands still or runs backwards.
    """
    lines = np.arange(2, len(time) + 2) if lines is None else lines
    missing = np.flatnonzero(~np.isfinite(time))
    if len(missing):
        raise InputError(
            f"{path.name}: there is no time in line {lines[missing[0]]}.",
            expected="a time in seconds in every row",
        )
    back = np.flatnonzero(np.diff(time) <= 0)
    if len(back):
        i = back[0]
        how = "stands still" if time[i + 1] == time[i] else "runs backwards"
        raise InputError(
            f"{path.name}: time {how} in line {lines[i + 1]}.",
            expected=f"a time later than {time[i]:.15g} s",
            got=f"{time[i + 1]:.15g} s",
            todo=_about_order(time, int(lines[i + 1])),
        )
    return time


def _about_order(time: FloatArray, line: int) -> str:
    """Say what to do about times that do not increase; `line` is the first where they don't."""
    steps = np.diff(time)
    back = np.flatnonzero(steps < 0)
    if not len(back) and (steps == 0).mean() > _COARSE:
        return (
            "The times have too few digits: export them with more, or leave the column out and "
            "give the frame rate as `fps`."
        )
    if not 0 < len(back) <= max(1, _SELDOM * len(steps)):
        return "Sort the rows by time, keep one row a frame, and one person a file."
    jump = -steps[back[0]]
    if len(back) == 1 and any(abs(jump - turn) < _AT_ONCE for turn in _TURNS):
        return (
            "If the clock passed midnight or noon there, or was set, add what it lost to all "
            f"times from line {line} on."
        )
    return (
        "Two recordings may be joined there, or the clock was set back: save each part in a file "
        "of its own. Don't sort the rows, which would mix them."
    )
