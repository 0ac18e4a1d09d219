"""What Signals check about the arrays they are made of, and the sentences when a check fails."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import InputError, SchemaError

FloatArray = NDArray[np.float64]

#: Kinds of signals. All but the rectangle can be correlated.
KINDS = ("rectangle", "landmark", "landmark-can", "pose", "expression", "body")
#: Names that a signal cannot have, since they are columns of a saved file.
RESERVED = ("time", "confidence")

#: Frames a second that a recording of a person may have.
SLOWEST, FASTEST = 3.0, 500.0
#: Numbers (frames times signals) that are held at once: 0.8 GB, three hours at 30 frames a second
#: of 300 signals.
MOST_CELLS = 100_000_000
#: Pairs of signals that are correlated in one call.
MOST_PAIRS = 4_000_000
#: Pairs of matched signals that are tested against chance, which compares each with each again for
#: every surrogate.
MOST_TESTED_PAIRS = 250_000

_COORDINATE = re.compile(r"([xyz])_?(\d+)")


def some(names: Sequence[str], most: int = 8) -> str:
    """Quote the first few names for a message."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _locked(array: FloatArray) -> FloatArray:
    array.setflags(write=False)
    return array


def _floats(data: ArrayLike, what: str) -> FloatArray:
    """Return an own float64 copy."""
    if isinstance(data, np.ma.MaskedArray):
        data = np.where(np.asarray(data.mask), np.nan, data.data)
    try:
        return np.array(data, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InputError(f"The {what} are not all numbers.", got=str(error)) from error


def check_cells(what: str, frames: int, signals: int) -> None:
    """Refuse more numbers than memory can be expected to hold, before any of them is made.

    Raises
    ------
    InputError
        There are more than `MOST_CELLS`.
    """
    if frames * signals > MOST_CELLS:
        raise InputError(
            f"{what} is too large: {frames:,} rows of {signals:,} columns.",
            expected=f"up to {MOST_CELLS:,} numbers",
            got=f"{frames * signals:,}",
            todo="Keep only the columns that are needed, or cut the recording into parts.",
        )


def check_pairs(first: int, second: int, most: int = MOST_PAIRS) -> None:
    """Refuse more pairs of signals than can be compared, before any is.

    Raises
    ------
    InputError
        There are more than `most`.
    """
    if first * second > most:
        raise InputError(
            f"There are too many signals to compare each with each: {first:,} and {second:,}.",
            expected=f"up to {most:,} pairs (as of {round(most**0.5):,} signals of each person)",
            got=f"{first * second:,}",
            todo="Keep the signals that matter (Signals.select), or fewer columns in the file.",
        )


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names if they are different, non-empty and free."""
    checked = tuple(names)
    for name in checked:
        if not isinstance(name, str) or not name:
            raise InputError("Every signal needs a name.", expected="text", got=repr(name))
        if any("\ud800" <= character <= "\udfff" for character in name):
            raise InputError("The name of a signal cannot be written to a file.", got=ascii(name))
        if name.lower() in RESERVED:
            raise InputError(
                f"A signal cannot be called {name!r}: that column is kept for the {name.lower()}.",
                todo="Rename the signal.",
            )
    if len(set(checked)) < len(checked):
        doubled = [name for name, times in Counter(checked).items() if times > 1]
        raise InputError(
            "Two signals have the same name.",
            expected="names that are all different",
            got=f"{some(doubled)} more than once",
        )
    return checked


def check_values(values: ArrayLike, names: tuple[str, ...]) -> FloatArray:
    """Return a locked copy of the values if shape and numbers are right."""
    array = _floats(values, "values")
    if array.ndim != 2 or array.shape[1] != len(names) or 0 in array.shape:
        raise InputError(
            "The values don't have the shape that the names promise.",
            expected=f"an array of shape (frames, {len(names) or 'signals'}), with one frame "
            "and one signal at least",
            got=f"shape {array.shape}",
        )
    finite = np.isfinite(array)
    if finite.all():
        return _locked(array)
    infinite = np.isinf(array)
    if infinite.any():
        frames, columns = np.nonzero(infinite)
        raise InputError(
            "The values contain infinities.",
            expected="numbers, or NaN where a value is missing",
            got=f"an infinity in signal {names[columns[0]]!r}, frame {frames[0]}",
        )
    # NaN has many forms: which one comes out of a sum is the processor's affair
    np.copyto(array, np.nan, where=~finite)
    return _locked(array)


def check_time(time: ArrayLike, n_frames: int) -> FloatArray:
    """Return a locked copy of the times if they are finite and increase."""
    array = _floats(time, "times")
    if array.shape != (n_frames,):
        raise InputError(
            "There must be one time a frame.",
            expected=f"shape ({n_frames},)",
            got=f"shape {array.shape}",
        )
    if not np.isfinite(array).all():
        frame = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InputError(
            "A frame has no time.", expected="seconds", got=f"{array[frame]} at frame {frame}"
        )
    steps = np.diff(array)
    if (steps <= 0).any():
        frame = int(np.flatnonzero(steps <= 0)[0]) + 1
        raise InputError(
            "Time does not run forward.",
            expected="strictly increasing seconds",
            got=f"{array[frame]:.15g} s at frame {frame} after {array[frame - 1]:.15g} s",
            todo="Sort the rows by time and remove doubled ones.",
        )
    return _locked(array)


def frame_rate(time: FloatArray) -> float:
    """Return one over the mean frame interval, pauses left out (NaN for 1 frame).

    Intervals of more than 1.5 times the median are pauses (dropped frames, gaps).
    """
    return round(1.0 / frame_interval(time), 6)  # 30, not 30.000000000000004


def frame_interval(time: FloatArray) -> float:
    """Return the mean frame interval, pauses left out (NaN for 1 frame)."""
    if len(time) < 2:
        return float("nan")
    intervals = np.diff(time)
    return float(intervals[intervals <= 1.5 * np.median(intervals)].mean())


def check_confidence(confidence: ArrayLike | None, n_frames: int) -> FloatArray | None:
    """Return a locked copy of the confidences if they lie between 0 and 1."""
    if confidence is None:
        return None
    array = _floats(confidence, "confidences")
    defined = array[~np.isnan(array)]
    if array.shape != (n_frames,) or (defined < 0).any() or (defined > 1).any():
        raise InputError(
            "The confidence cannot be used.",
            expected=f"{n_frames} numbers from 0 to 1",
            got=f"shape {array.shape}"
            + (f", from {defined.min():g} to {defined.max():g}" if defined.size else ""),
        )
    return _locked(array)


def check_provenance(provenance: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the provenance as JSON would give it back."""
    try:
        # through JSON and back, so that what is saved and read again is equal
        return cast("dict[str, Any]", json.loads(json.dumps(dict(provenance or {}))))
    except (TypeError, ValueError) as error:
        raise InputError(
            "The provenance must be something that JSON can hold.", got=str(error)
        ) from error


def check_reliability(content: object) -> dict[str, float]:
    """Return the correlations, by signal, in a record of them, which a file of others may be."""
    return {
        str(name): float(r)
        for name, r in (content.items() if isinstance(content, dict) else ())
        if isinstance(r, int | float) and -1 <= r <= 1
    }


def check_unreliable(content: object) -> tuple[str, ...]:
    """Return the names in a list of them, which a file of others may be."""
    names = content if isinstance(content, list) else ()
    return tuple(name for name in names if isinstance(name, str))


def check_kind(kind: str, dimension: int, names: tuple[str, ...]) -> None:
    """Refuse an unknown kind, and columns that do not fit the kind."""
    if kind not in KINDS:
        raise SchemaError(
            "This kind of signals is not known.", expected="one of " + some(KINDS), got=repr(kind)
        )
    if kind in ("landmark", "landmark-can"):
        landmark_columns(names, dimension)
    elif kind == "body" and dimension in (2, 3):
        joint_columns(names, dimension)
    elif dimension != 1:
        raise SchemaError(
            f"Signals of kind {kind!r} have one coordinate each.",
            expected="dimension 1",
            got=f"dimension {dimension}",
        )


def landmark_columns(names: tuple[str, ...], dimension: int) -> dict[int, list[int]]:
    """Return the columns of x, y (and z) of each landmark, in the order of their first mention."""
    axes = "xyz"[:dimension] if dimension in (2, 3) else ""
    points: dict[int, dict[str, int]] = {}
    for column, name in enumerate(names):
        match = _COORDINATE.fullmatch(name)
        if match is None or match[1] not in axes:
            raise SchemaError(
                "The columns of landmarks must name coordinate and number.",
                expected=f"{', '.join(a + '0' for a in axes)}, ... (dimension 2 or 3)",
                got=f"{name!r} with dimension {dimension}",
            )
        points.setdefault(int(match[2]), {})[match[1]] = column
    for number, found in points.items():
        if len(found) != dimension:
            raise SchemaError(
                f"Landmark {number} lacks a coordinate.",
                expected=", ".join(f"{a}{number}" for a in axes),
                got=", ".join(f"{a}{number}" for a in sorted(found)),
            )
    return {number: [found[a] for a in axes] for number, found in points.items()}


def joint_columns(names: tuple[str, ...], dimension: int) -> dict[str, list[int]]:
    """Return the columns of x, y (and z) of each joint, in the order of their first mention."""
    axes = "xyz"[:dimension]
    joints: dict[str, dict[str, int]] = {}
    for column, name in enumerate(names):
        joint, _, axis = name.rpartition("_")
        if not joint or len(axis) != 1 or axis not in axes:
            raise SchemaError(
                "The columns of joints must name joint and coordinate.",
                expected=f"{', '.join('nose_' + a for a in axes)}, ...",
                got=f"{name!r} with dimension {dimension}",
            )
        joints.setdefault(joint, {})[axis] = column
    for joint, found in joints.items():
        if len(found) != dimension:
            raise SchemaError(
                f"The joint {joint!r} lacks a coordinate.",
                expected=", ".join(f"{joint}_{a}" for a in axes),
                got=", ".join(f"{joint}_{a}" for a in sorted(found)),
            )
    return {joint: [found[a] for a in axes] for joint, found in joints.items()}


def spread(values: FloatArray) -> tuple[list[float], list[float], list[float]]:
    """Return the lowest, middle and highest value of each column; NaN where there is none."""
    columns = [column[np.isfinite(column)] for column in values.T]
    lowest, middle, highest = (
        [float(measure(column)) if len(column) else float("nan") for column in columns]
        for measure in (np.min, np.median, np.max)
    )
    return lowest, middle, highest
