"""How columns of another tool's file become Signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bitbox.errors import InputError, ParameterError
from bitbox.findings import Finding
from bitbox.provenance import hash_file, versions
from bitbox.readers.angles import to_radians
from bitbox.readers.bookkeeping import refuse_codes
from bitbox.readers.clock import Clock, Stamps, Stated
from bitbox.readers.oddities import oddities
from bitbox.readers.table import MISSING, FloatArray, Table
from bitbox.signals import ROTATION, Signals


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
    angles : {'rad', 'deg', 'unknown'} or None
        What the tool's angles (`Rx`, `Ry` and `Rz` of a pose) are in; None: they are left as they
        are.
    """

    kind: str
    schema: str
    units: str
    columns: Sequence[tuple[str, str]]
    dimension: int = 1
    angles: Literal["rad", "deg", "unknown"] | None = None


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
    stamps : callable
        The file's own times, or None.
    frames : callable
        Frame numbers of the rows, from 0, or None.
    confidence : callable
        Confidence of the rows from 0 to 1, NaN where the face is lost; or None.
    person : callable
        Name of the column that tells several people apart, or None.
    counters : callable
        Columns that are not signals whatever their names, and what is said about that.
    codes : bool
        Whether numbers may stand for missing values.
    """

    backend: str
    matches: Callable[[Sequence[str]], bool]
    layouts: Callable[[Sequence[str]], list[Layout]]
    stamps: Callable[[Table], Stamps | None]
    frames: Callable[[Table], FloatArray | None]
    confidence: Callable[[Table], FloatArray | None]
    person: Callable[[Table], str | None] = lambda table: None  # noqa: ARG005
    counters: Callable[[Table], tuple[set[str], tuple[Finding, ...]]] = lambda table: (set(), ())  # noqa: ARG005
    codes: bool = False


def read_flavour(table: Table, flavour: Flavour, stated: Stated) -> Signals:
    """Make Signals of a tool's table.

    Parameters
    ----------
    table : Table
        The file.
    flavour : Flavour
        The tool that wrote it.
    stated : Stated
        What the user says: which signals, whose, and what the file's numbers mean.

    Raises
    ------
    InputError
        The file does not hold that kind, that person, or usable numbers.
    """
    table = _of_person(table, flavour.person(table), stated.person)
    counters, noticed = flavour.counters(table)
    names = [name for name in table.names if name not in counters]
    layout = choose_layout(table.path, flavour.layouts(names), stated.kind)
    confidence = flavour.confidence(table)
    sources = [source for source, _ in layout.columns]
    values = table.matrix(sources)
    settings = _in_radians(table.path, values, layout, stated)
    clock = Clock(table.path, flavour.stamps(table), flavour.frames(table), table.lines)
    time, findings = clock.times(stated)
    if confidence is not None:
        values[np.isnan(confidence)] = np.nan
        confidence = np.nan_to_num(confidence, nan=0.0)
    if flavour.codes:
        refuse_codes(table.path, sources, values, table.lines, layout.kind)
    odd = oddities(table.path, sources, values, table.lines)
    return Signals(
        values,
        time,
        tuple(name for _, name in layout.columns),
        kind=layout.kind,
        schema=layout.schema,
        units=layout.units,
        dimension=layout.dimension,
        backend=flavour.backend,
        confidence=confidence,
        provenance=file_provenance(
            table.path,
            f"{flavour.backend} table",
            (*table.findings, *noticed, *findings, *odd),
            **stated.settings(),
            **settings,
        ),
    )


def _in_radians(path: Path, values: FloatArray, layout: Layout, stated: Stated) -> dict[str, str]:
    """Turn a tool's angles into radians, in place, and return the record of what they were in."""
    columns = [i for i, (_, name) in enumerate(layout.columns) if name in ROTATION]
    if layout.angles is None or not columns:
        return {}
    documented = None if layout.angles == "unknown" else layout.angles
    values[:, columns], record = to_radians(path, values[:, columns], documented, stated)
    return record


def choose_layout(path: Path, layouts: Sequence[Layout], kind: str | None) -> Layout:
    """Return the layout of the wanted kind, or the first."""
    for layout in layouts:
        if kind in (None, layout.kind):
            return layout
    held = ", ".join(repr(layout.kind) for layout in layouts) or "nothing that is known"
    raise InputError(
        f"{path.name} holds no signals of kind {kind!r}.",
        expected=f"one of what it holds: {held}",
        todo="Leave `kind` out to read the first of them, or export the file with more output.",
    )


def column(name: str) -> Callable[[Table], FloatArray | None]:
    """Return what reads the frame numbers of a column that counts from 0, if it is there."""

    def numbers(table: Table) -> FloatArray | None:
        own = table.find(name)
        return None if own is None else table.numbers(own)

    return numbers


def file_provenance(
    path: Path, form: str, findings: Sequence[Finding] = (), **settings: object
) -> Mapping[str, object]:
    """Return the record of which file Signals were read from, and what was noticed."""
    noticed = {"findings": [finding.to_dict() for finding in findings]} if findings else {}
    return {
        **noticed,
        "source": {"file": path.name, "sha256": hash_file(path), "format": form},
        "settings": {name: value for name, value in settings.items() if value is not None},
        "versions": versions(),
    }


def named(name: str) -> Callable[[Table], str | None]:
    """Return what tells whether a table has a column of this name."""
    return lambda table: name if name in table.names else None


def _of_person(table: Table, column: str | None, person: str | None) -> Table:
    """Return the rows of one person."""
    if column is None:
        if person is not None:
            raise ParameterError(
                f"{table.path.name} does not tell people apart.",
                got=f"person={person!r}",
                todo="Leave `person` out.",
            )
        return table
    marks = np.array(["" if mark in MISSING else mark for mark in table.text(column)])
    people = sorted(set(marks.tolist()) - {""})  # what has no mark belongs to nobody
    if person is None and len(people) < 2:
        return table.only(np.flatnonzero(marks == people[0])) if people else table
    if person is None or str(person) not in people:
        raise InputError(
            f"{table.path.name} holds {len(people)} people (column {column!r}).",
            expected="`person` to be one of " + ", ".join(repr(mark) for mark in people[:8]),
            got=f"person={person!r}",
        )
    return table.only(np.flatnonzero(marks == str(person)))
