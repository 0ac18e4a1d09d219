"""Tables of no tool that is known: a time, and columns that are signals."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from bitbox.errors import InputError, NoClockError
from bitbox.findings import Finding
from bitbox.readers.clock import Stamps, Stated
from bitbox.readers.columns import Flavour, Layout
from bitbox.readers.table import FloatArray, Table
from bitbox.signals.checks import some

#: Columns that may hold the time, and what they count; in upper or lower case.
TIMES = {
    "time": "s",
    "timestamp": "s",
    "time_s": "s",
    "timestamp_s": "s",
    "time_ms": "ms",
    "timestamp_ms": "ms",
    "time_us": "us",
    "timestamp_us": "us",
}
#: Columns that may hold frame numbers.
FRAMES = ("frame", "frame_number", "frame_idx", "frame_index")
_CONFIDENCE = "confidence"
_RESERVED = {*TIMES, *FRAMES, _CONFIDENCE}
_POSE = ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")
#: Fewer rows are too few to tell a counter from a movement.
_ENOUGH = 10
#: How far from a straight line a counter may be, as a share of its step: times are rounded.
_STRAIGHT = 0.05


def need_clock(table: Table, stated: Stated) -> None:
    """Refuse a table without times where no frame rate is stated.

    Raises
    ------
    InputError
        If so.
    """
    if stated.fps is None and _stamps(table) is None:
        raise NoClockError(
            f"{table.path.name} has no times.",
            expected="a column called 'time', in seconds, or the frame rate as `fps`",
            todo="Add the column, or give `fps`.",
        )


def _layouts(names: Sequence[str]) -> list[Layout]:
    """Guess the kind from the columns' names; they may all be called an expression."""
    signals = [name for name in names if name.casefold() not in _RESERVED]
    if not signals:
        return []
    columns = [(name, name) for name in signals]
    anything = Layout("expression", "csv", "unknown", columns)
    body = Layout("body", "csv", "unknown", columns)
    if set(signals) == set(_POSE):
        return [Layout("pose", "csv", "unknown", columns), anything, body]
    if set(signals) == set("xywh"):
        return [Layout("rectangle", "rectangle", "px", columns), anything, body]
    for kind, axes in (("landmark", "xy"), ("landmark-can", "xyz")):
        if _are_points(signals, axes):
            points = Layout(kind, "csv", "unknown", columns, dimension=len(axes))
            return [points, anything, body]
    return [anything, body]


def _are_points(names: list[str], axes: str) -> bool:
    matches = [re.fullmatch(rf"([{axes}])_?(\d+)", name) for name in names]
    if not all(matches):
        return False
    numbers = {int(match[2]) for match in matches if match}
    return len(names) == len(axes) * len(numbers)


def _stamps(table: Table) -> Stamps | None:
    for name, unit in TIMES.items():
        own = table.find(name)
        if own is not None:
            return Stamps(own, table.numbers(own), unit)
    return None


def _frames(table: Table) -> FloatArray | None:
    for name in FRAMES:
        own = table.find(name)
        if own is not None:
            return table.numbers(own)
    return None


def _confidence(table: Table) -> FloatArray | None:
    own = table.find(_CONFIDENCE)
    if own is None:
        return None
    return np.nan_to_num(table.numbers(own))  # unknown; the values stay as they are


def _counters(table: Table) -> tuple[set[str], tuple[Finding, ...]]:
    """Return the columns that only count rows or seconds, and the finding that says so."""
    stamps, rows = _stamps(table), np.arange(len(table)) * 1.0
    clocks = [rows] if stamps is None else [rows, stamps.values]
    head = table.head(_ENOUGH)
    counters = [
        name
        for name in table.names
        if name.casefold() not in _RESERVED
        and _counts(head, name, [clock[:_ENOUGH] for clock in clocks], 0)
        and _counts(table, name, clocks, _ENOUGH)
    ]
    if not counters:
        return set(), ()
    several = len(counters) > 1
    return set(counters), (
        Finding(
            "counter-left-out",
            "warning",
            f"{table.path.name}: the column{'s' * several} {some(counters)} "
            f"{'grow' if several else 'grows'} by the same amount from row to row, as counters "
            f"do and movements don't, and {'were' if several else 'was'} left out.",
            "Nothing, if these are not movements.",
        ),
    )


def _counts(table: Table, name: str, clocks: Sequence[FloatArray], enough: int) -> bool:
    try:
        values = table.numbers(name)
    except InputError:
        return False  # whoever needs the column says what is wrong with it
    return any(_is_straight(values, clock, enough) for clock in clocks)


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
    if abs(values[-1] - values[0]) > _ENOUGH * _digit(values):
        most = max(most, _digit(values))  # both ends of the line are rounded, too
    return bool(away.max() <= most)


def _digit(values: FloatArray) -> float:
    """Return the value of the last digit that numbers are written with."""
    for digit in (10.0**-n for n in range(7)):
        if np.allclose(values / digit, np.round(values / digit), rtol=1e-12, atol=1e-4):
            return float(digit)
    return 0.0


PLAIN = Flavour(
    backend="CSV",
    matches=lambda names: True,  # noqa: ARG005 - the last resort
    layouts=_layouts,
    stamps=_stamps,
    frames=_frames,
    confidence=_confidence,
    counters=_counters,
)
