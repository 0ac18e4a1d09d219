"""Tables of no tool that is known: a time, and columns that are signals."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import InputError, NoClockError
from bitbox.findings import Finding
from bitbox.readers.bookkeeping import about_lost, counters, flag_of
from bitbox.readers.clock import PER_SECOND, Stamps, Stated
from bitbox.readers.columns import Flavour, Layout
from bitbox.readers.dialect import is_number
from bitbox.readers.table import MISSING, FloatArray, Table
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
#: Columns that may say whose a row is.
_PEOPLE = (
    *("person", "person_id", "participant", "participant_id", "subject", "subject_id", "identity"),
    *("face", "face_id", "track_id", "id"),
)
_MOST_PEOPLE = 20
#: Columns that may say what was shown or done.
_LABELS = (
    *("marker", "markers", "trigger", "triggers", "event", "events", "stimulus", "condition"),
    *("block", "trial", "session", "phase"),
)
_CONFIDENCE = "confidence"
_RESERVED = {*TIMES, *FRAMES, _CONFIDENCE}
_POSE = ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")


def need_clock(table: Table, stated: Stated) -> None:
    """Refuse a table without times where no frame rate is stated.

    Raises
    ------
    InputError
        If so.
    """
    if stated.fps is None and _stamps(table) is None:
        likely = [name for name in table.names if "time" in name.casefold()]
        raise NoClockError(
            f"{table.path.name} has no times.",
            expected="a column called 'time', in seconds, or the frame rate as `fps`",
            todo=f"If {likely[0]!r} holds them, call it 'time', or 'time_ms' if it counts "
            "milliseconds; or give `fps`."
            if likely
            else "Add the column, or give `fps`.",
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
    """Return the confidence of the rows, NaN where it is 0 or a flag says that nobody was seen."""
    own, flag = table.find(_CONFIDENCE), flag_of(table)
    if own is None and flag is None:
        return None
    # where it is unknown the values stay as they are
    found = np.ones(len(table)) if own is None else np.nan_to_num(table.numbers(own))
    if found.min() < 0 or found.max() > 1:
        raise InputError(
            f"{table.path.name}: column {own!r} is no confidence.",
            expected="numbers from 0 to 1",
            got=f"numbers from {found.min():g} to {found.max():g}",
            todo="Divide it by 100 if it holds percent; give it another name if it is a signal.",
        )
    found[_unsure(table)] = np.nan
    if flag is not None:
        found[flag[1]] = np.nan
    return found


def _unsure(table: Table) -> NDArray[np.bool_]:
    """Return where the confidence is 0, if that is so in some rows only."""
    own = table.find(_CONFIDENCE)
    if own is None:
        return np.zeros(len(table), dtype=np.bool_)
    lost: NDArray[np.bool_] = table.numbers(own) == 0
    return np.zeros_like(lost) if lost.all() else lost


def _person(table: Table) -> str | None:
    """Return the column that tells people apart, or says who the only one is."""
    for name in _PEOPLE:
        own = table.find(name)
        if own is not None and _has_few(table, own):
            return own
    return None


def _has_few(table: Table, name: str) -> bool:
    """Whether a column holds few different texts or whole numbers, as movements don't."""
    different = {cell for cell in set(table.text(name)) if cell not in MISSING}
    whole = all(not is_number(cell) or float(cell) % 1 == 0 for cell in different)
    return whole and len(different) <= _MOST_PEOPLE


def _labels(table: Table) -> list[str]:
    """Return the columns that say what was shown or done."""
    found = [table.find(name) for name in _LABELS]
    return [name for name in found if name is not None and _has_few(table, name)]


def _about_labels(table: Table, labels: list[str]) -> tuple[Finding, ...]:
    if not labels:
        return ()
    return (
        Finding(
            "labels-left-out",
            "info",
            f"{table.path.name}: left out, since by name and values it says what was shown or done "
            f"rather than how somebody moved: {some(labels)}.",
            "Nothing, if so. Otherwise give the column another name.",
        ),
    )


def _about_clocks(table: Table) -> tuple[Finding, ...]:
    """Say that a table has several clocks that run at different speeds."""
    every = [(table.find(name), unit) for name, unit in TIMES.items()]
    clocks = [Stamps(own, table.numbers(own), unit) for own, unit in every if own is not None]
    for used, other in itertools.product(clocks[:1], clocks[1:]):
        lengths = [float(np.ptp(s.values)) / PER_SECOND[s.unit] for s in (used, other)]
        if not np.isfinite(lengths).all() or abs(lengths[0] - lengths[1]) <= 0.01 * lengths[0]:
            continue
        return (
            Finding(
                "clocks-differ",
                "warning",
                f"{table.path.name} has several times: by {used.column!r} it takes {lengths[0]:.6g}"
                f" s, by {other.column!r} {lengths[1]:.6g} s. {used.column!r} was used.",
                "Check which is right, and remove the other.",
            ),
        )
    return ()


def _bookkeeping(table: Table) -> tuple[set[str], tuple[Finding, ...]]:
    """Return the columns that are no signals, and the findings that say so."""
    stamps, rows, flag = _stamps(table), np.arange(len(table)) * 1.0, flag_of(table)
    flags = set() if flag is None else {flag[0]}
    labels, person = _labels(table), _person(table)
    flags |= {*labels, *(() if person is None else (person,))}
    names = [n for n in table.names if n.casefold() not in _RESERVED and n not in flags]
    counting = counters(table, names, [rows] if stamps is None else [rows, stamps.values])
    findings = (*_about_clocks(table), *about_lost(table.path, _CONFIDENCE, _unsure(table)))
    findings += () if flag is None else about_lost(table.path, *flag)
    findings += _about_labels(table, labels)
    if counting:
        several = len(counting) > 1
        findings += (
            Finding(
                "counter-left-out",
                "warning",
                f"{table.path.name}: the column{'s' * several} "
                f"{some([name for name in names if name in counting])} only "
                f"{'count' if several else 'counts'}, as clocks and numbers of rows or trials do "
                f"and movements don't, and {'were' if several else 'was'} left out.",
                "Nothing, if these are not movements.",
            ),
        )
    return counting | flags, findings


PLAIN = Flavour(
    backend="CSV",
    matches=lambda names: True,  # noqa: ARG005 - the last resort
    layouts=_layouts,
    stamps=_stamps,
    frames=_frames,
    confidence=_confidence,
    person=_person,
    counters=_bookkeeping,
    codes=True,
)
