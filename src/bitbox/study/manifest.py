"""The list of a study: one row a pair of recordings, all of it checked before anything runs."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitbox.errors import InputError, ParameterError
from bitbox.files import reason, require_file
from bitbox.study.columns import COLUMNS, NAMED, REQUIRED, TAKEN, duration, has_sound
from bitbox.system.extras import need
from bitbox.workflow.recordings import is_video

if TYPE_CHECKING:
    import pandas as pd

_LIKE = 0.75  # likeness from which on an unknown column is taken for a misspelt one
_SEPARATORS = {".tsv": "\t"}
_MOST_ROWS = 100_000


@dataclass(frozen=True)
class Problem:
    """Something in a manifest that has to be mended before the study can run.

    Attributes
    ----------
    line : int
        Line of the file, counted from 1, the header included.
    column : str
        Column that it is in; empty where it is the whole row.
    problem : str
        What is wrong, and what to do.

    Examples
    --------
    >>> from bitbox.study import Problem
    >>> Problem(2, 'model', 'The cell is empty. Name a file.').line
    2
    """

    line: int
    column: str
    problem: str


@dataclass(frozen=True)
class Entry:
    """One row: two recordings that are compared.

    Attributes
    ----------
    line : int
        Line of the file.
    name : str
        Name of its folder of results; no two are the same.
    participant, model : Path
        The recordings.
    labels : mapping
        ``id``, ``group``, ``condition`` and ``session``; empty where not given.
    settings : mapping
        What the row says of the analysis, as `bitbox.workflow.settings.Settings` takes it.
    others : mapping
        What stands in columns that this program knows nothing of: age, for example.

    Examples
    --------
    >>> from pathlib import Path
    >>> from bitbox.study import Entry
    >>> labels = {'id': 'anna', 'group': '', 'condition': 'dance', 'session': ''}
    >>> Entry(2, 'anna_dance', Path('anna.mp4'), Path('model.mp4'), labels).settings
    {}
    """

    line: int
    name: str
    participant: Path
    model: Path
    labels: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A list of pairs, and what is wrong with it.

    Attributes
    ----------
    entries : tuple of Entry
        The rows that are in order.
    problems : tuple of Problem
        Those that are not.

    Examples
    --------
    >>> from bitbox.study import Manifest
    >>> Manifest((), ()).to_frame().columns.tolist()
    ['line', 'column', 'problem']
    """

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the problems as a table: line, column, problem.

        Examples
        --------
        >>> from bitbox.study import Manifest, Problem
        >>> len(Manifest((), (Problem(2, 'model', 'The cell is empty.'),)).to_frame())
        1
        """
        import pandas as pd

        rows = [(p.line, p.column, p.problem) for p in self.problems]
        return pd.DataFrame(rows, columns=["line", "column", "problem"])


def read_manifest(path: str | Path) -> Manifest:
    r"""Read a manifest and check it.

    Parameters
    ----------
    path : path
        A CSV, TSV or XLSX file. Names of files in it are relative to its own folder.

    Returns
    -------
    Manifest

    Raises
    ------
    InputError
        The file cannot be read as a table, or is empty.
    BackendError
        It is XLSX, and openpyxl is not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from bitbox.study import read_manifest
    >>> table = 'id,participant,modell\nanna,anna.mp4,model.mp4\n'
    >>> _ = Path('manifest.csv').write_text(table)
    >>> [problem.column for problem in read_manifest('manifest.csv').problems]
    ['modell', 'model']
    """
    path = Path(path)
    require_file(path, "a table with one row a pair of recordings")
    header, rows = _workbook(path) if path.suffix.lower() == ".xlsx" else _text(path)
    if not rows:
        raise InputError(f"{path.name} has no rows.", expected="one row a pair of recordings")
    problems = list(_about_columns(header))
    known = {name.strip().lower(): k for k, name in enumerate(header)}
    if any(name not in known for name in REQUIRED):
        return Manifest((), tuple(problems))
    entries: list[Entry] = []
    for line, cells in rows:
        found = _entry(path.parent, line, header, cells)
        if isinstance(found, Entry):
            entries.append(found)
        else:
            problems += found
    problems += _twice(entries)
    return Manifest(tuple(entries), tuple(sorted(problems, key=lambda p: (p.line, p.column))))


def require_whole(manifest: Manifest, name: str) -> None:
    """Raise ParameterError if anything in a manifest has to be mended."""
    if manifest.problems:
        first = manifest.problems[0]
        count = len(manifest.problems)
        raise ParameterError(
            f"{name} has {count} problem{'s' if count > 1 else ''}; the first is in line "
            f"{first.line}: {first.problem}",
            todo="Mend them all and run it again; --check lists them and stops there.",
        )


def _text(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} is not written in UTF-8 (at byte {error.start}).",
            todo="Save it as 'CSV UTF-8'.",
        ) from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {reason(error)}.") from error
    if "\0" in text:
        raise InputError(f"{path.name} is no text.", expected="a CSV, TSV or XLSX table")
    lines = text.splitlines()
    separator = _SEPARATORS.get(path.suffix.lower()) or _separator(lines[0] if lines else "")
    reader = csv.reader(lines, delimiter=separator)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise InputError(f"{path.name}, line {reader.line_num}: {error}.") from error
    if not rows:
        raise InputError(f"{path.name} is empty.", expected="one row a pair of recordings")
    if len(rows) > _MOST_ROWS:
        raise InputError(f"{path.name} has {len(rows) - 1} rows.", expected=f"{_MOST_ROWS} at most")
    return rows[0][1], rows[1:]


def _separator(header: str) -> str:
    return max(",;\t", key=header.count)


def _workbook(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    need("Reading an Excel file", "openpyxl")
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = [
            (line, ["" if cell is None else _cell(cell) for cell in cells])
            for line, cells in enumerate(sheet.iter_rows(values_only=True, max_row=_MOST_ROWS), 1)
        ]
        book.close()
    except Exception as error:  # openpyxl raises whatever a damaged file makes it trip over
        raise InputError(
            f"{path.name} cannot be read as an Excel workbook ({reason(error)}).",
            todo="Save it as CSV UTF-8.",
        ) from error
    rows = [(line, cells) for line, cells in rows if any(cell.strip() for cell in cells)]
    if not rows:
        raise InputError(f"{path.name} is empty.", expected="one row a pair of recordings")
    return rows[0][1], rows[1:]


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # Excel has no other numbers
    return str(value)


def _about_columns(header: Sequence[str]) -> Iterator[Problem]:
    names = [name.strip() for name in header]
    lower = [name.lower() for name in names]
    for k, name in enumerate(lower):
        if not name:
            yield Problem(1, f"number {k + 1}", "The column has no name. Name it or remove it.")
        elif name in lower[:k]:
            yield Problem(1, names[k], "There are two columns of this name. Remove one.")
        elif name in TAKEN:
            yield Problem(
                1,
                names[k],
                "The tables of results have a column of this name. Give it another, such as "
                f"{'my_' + name!r}.",
            )
        elif name not in COLUMNS:
            likely = difflib.get_close_matches(name, COLUMNS, 1, _LIKE)
            if likely and likely[0] not in lower:
                yield Problem(
                    1,
                    names[k],
                    f"There is no such column; {likely[0]!r} is the nearest known one. Correct "
                    "it, or give a column of your own a name that is less alike.",
                )
    for name in REQUIRED:
        if name not in lower:
            yield Problem(1, name, f"The column is missing: {COLUMNS[name].meaning}.")


def _entry(
    folder: Path, line: int, header: Sequence[str], cells: Sequence[str]
) -> Entry | list[Problem]:
    """Return a row, or what is wrong with it."""
    if len([cell for cell in cells[len(header) :] if cell.strip()]):
        return [Problem(line, "", f"There are {len(cells)} cells under {len(header)} columns.")]
    row = {name.strip(): cell.strip() for name, cell in zip(header, cells, strict=False)}
    given = {name.lower(): text for name, text in row.items() if text and name.lower() in COLUMNS}
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, column in COLUMNS.items():
        if name not in given:
            if name in REQUIRED:
                problems.append(Problem(line, name, "The cell is empty. Name a file."))
            continue
        try:
            values[name] = column.read(given[name], folder)
        except ValueError as error:
            problems.append(Problem(line, name, str(error)))
    if not problems:
        for look in (_about_times, _about_clocks, _about_faces):
            problems += look(line, values)
    if problems:
        return problems
    labels = {name: str(values.get(name, "")) for name in NAMED}
    labels["id"] = labels["id"] or values["participant"].stem
    return Entry(
        line,
        "_".join(re.sub(r"[^\w.-]+", "-", text) for text in labels.values() if text),
        values["participant"],
        values["model"],
        labels,
        {
            column.setting: values[n]
            for n, column in COLUMNS.items()
            if column.setting and n in values
        },
        {name: text for name, text in row.items() if name.lower() not in COLUMNS and name},
    )


def _about_times(line: int, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the stretches: none is empty, or outside a recording."""
    for role, first, last in (
        ("participant", "start", "end"),
        ("model", "model_start", "model_end"),
    ):
        start, end = values.get(first), values.get(last)
        if start is not None and end is not None and end <= start:
            yield Problem(line, last, f"It ends at {end:g} s, and starts at {start:g} s.")
        length = None if start is end is None else duration(values[role])
        for name, moment in ((first, start), (last, end)):
            if length is not None and moment is not None and moment > length + 0.5:
                file = values[role].name
                yield Problem(line, name, f"{file} is only {length:.1f} s long, not {moment:g} s.")


def _about_clocks(line: int, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with an offset to be found from sound, and with trials."""
    if values.get("offset") == "auto":
        if values["participant"].samefile(values["model"]):
            yield Problem(
                line, "offset", "Both are one recording, which has one clock. Leave the cell empty."
            )
        for role in ("participant", "model"):
            if not has_sound(values[role]):
                yield Problem(
                    line,
                    "offset",
                    f"{values[role].name} has no sound, from which auto could find the offset. "
                    "Give it in seconds.",
                )
    if "trials" in values and values.get("mirror") == "either":
        yield Problem(
            line, "mirror", "In trials one sense of imitation has to be chosen: yes or no."
        )


def _about_faces(line: int, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield where a face is chosen in a file that shows none."""
    for role in ("participant", "model"):
        if f"{role}_face" in values and not is_video(values[role]):
            yield Problem(
                line,
                f"{role}_face",
                f"{values[role].name} is a file of signals, in which no face can be chosen. Leave "
                "the cell empty.",
            )


def _twice(entries: Sequence[Entry]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for entry in entries:
        name = entry.name.lower()  # of folders, which some systems do not tell apart by case
        if name in first:
            yield Problem(
                entry.line,
                "id",
                f"Line {first[name]} has the same id, group, condition and session. Give one of "
                "them another, such as the number of the trial as its condition.",
            )
        first.setdefault(name, entry.line)
