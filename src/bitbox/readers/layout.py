"""How columns of another tool's file become Signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitbox.errors import InputError, ParameterError
from bitbox.provenance import hash_file, versions
from bitbox.readers.table import FloatArray, Table, check_times
from bitbox.signals import Signals


@dataclass(frozen=True)
class Layout:
    """One kind of signals within a file.

    Parameters
    ----------
    kind, schema, units : str
        As for `Signals`.
    columns : sequence of (str, str)
        Column in the file, and name of the signal.
    dimension : int
        Coordinates a landmark.
    factor : float
        What values are multiplied with, for a change of units.
    """

    kind: str
    schema: str
    units: str
    columns: Sequence[tuple[str, str]]
    dimension: int = 1
    factor: float = 1.0


@dataclass(frozen=True)
class Flavour:
    """A tool's table: how to know it, and what is in it.

    Parameters
    ----------
    backend : str
        Name of the tool, recorded in the Signals.
    matches : callable
        Whether a file with these column names is of this tool.
    layouts : callable
        The kinds of signals that a file with these column names holds, the default first.
    time : callable
        Times in seconds of the rows, given the frame rate that the user stated (or None).
    confidence : callable
        Confidence of the rows from 0 to 1, NaN where the face is lost; or None.
    person : str or None
        Name of the column that tells several people apart.
    """

    backend: str
    matches: Callable[[Sequence[str]], bool]
    layouts: Callable[[Sequence[str]], list[Layout]]
    time: Callable[[Table, float | None], FloatArray]
    confidence: Callable[[Table], FloatArray | None]
    person: str | None = None


def read_flavour(
    table: Table, flavour: Flavour, *, fps: float | None, kind: str | None, person: str | None
) -> Signals:
    """Make Signals of a tool's table.

    Parameters
    ----------
    table : Table
        The file.
    flavour : Flavour
        The tool that wrote it.
    fps : float or None
        Frame rate of the video, for files that count frames and have no times.
    kind : str or None
        The kind of signals wanted; None: the first that the file holds.
    person : str or None
        Whose rows, where the file holds several people.

    Raises
    ------
    InputError
        The file does not hold that kind, that person, or usable numbers.
    """
    layout = choose_layout(table.path, flavour.layouts(table.names), kind)
    rows = _rows_of(table, flavour.person, person)
    time = flavour.time(table, fps)[rows]
    confidence = flavour.confidence(table)
    values = table.matrix([source for source, _ in layout.columns])[rows] * layout.factor
    if confidence is not None:
        confidence = confidence[rows]
        values[np.isnan(confidence)] = np.nan
        confidence = np.nan_to_num(confidence, nan=0.0)
    return Signals(
        values,
        check_times(table.path, time),
        tuple(name for _, name in layout.columns),
        kind=layout.kind,
        schema=layout.schema,
        units=layout.units,
        dimension=layout.dimension,
        backend=flavour.backend,
        confidence=confidence,
        provenance=file_provenance(table.path, f"{flavour.backend} table", fps=fps),
    )


def choose_layout(path: Path, layouts: Sequence[Layout], kind: str | None) -> Layout:
    """Return the layout of the wanted kind, or the first."""
    for layout in layouts:
        if kind in (None, layout.kind):
            return layout
    held = ", ".join(repr(layout.kind) for layout in layouts) or "nothing that is known"
    raise InputError(
        f"{path.name} holds no signals of kind {kind!r}.",
        expected=f"one of what it holds: {held}",
        todo="Leave kind out to read the first of them, or export the file with more output.",
    )


def frame_times(path: Path, frames: FloatArray, fps: float | None) -> FloatArray:
    """Return times in seconds of frames counted by the tool.

    Raises
    ------
    ParameterError
        The frame rate is not given, or makes no sense.
    """
    return frames / need_fps(path, fps)


def need_fps(path: Path, fps: float | None) -> float:
    """Return the frame rate, which a file without times cannot be read without."""
    if fps is None:
        raise ParameterError(
            f"{path.name} counts frames and has no times in seconds.",
            expected="the frame rate of the video it was made from",
            todo="Give it as fps, for instance fps=29.97.",
        )
    if not (np.isfinite(fps) and fps > 0):
        raise ParameterError(
            "The frame rate makes no sense.", expected="fps above 0", got=f"fps={fps}"
        )
    return float(fps)


def file_provenance(path: Path, form: str, **settings: object) -> Mapping[str, object]:
    """Return the record of which file Signals were read from."""
    return {
        "source": {"file": path.name, "sha256": hash_file(path), "format": form},
        "settings": {name: value for name, value in settings.items() if value is not None},
        "versions": versions(),
    }


def _rows_of(table: Table, column: str | None, person: str | None) -> slice | FloatArray:
    if column is None or column not in table.names:
        if person is not None:
            raise ParameterError(
                f"{table.path.name} does not tell people apart.",
                got=f"person={person!r}",
                todo="Leave person out.",
            )
        return slice(None)
    marks = np.array(table.text(column))
    people = sorted(set(marks.tolist()))
    if person is None and len(people) == 1:
        return slice(None)
    if person is None or str(person) not in people:
        raise InputError(
            f"{table.path.name} holds {len(people)} people (column {column!r}).",
            expected="person to be one of " + ", ".join(repr(mark) for mark in people[:8]),
            got=f"person={person!r}",
        )
    return np.asarray(np.flatnonzero(marks == str(person)))
