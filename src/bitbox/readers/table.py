"""Reading a CSV file strictly: what is not clear is an error that names the line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import InputError
from bitbox.files import arrow_file
from bitbox.findings import Finding
from bitbox.readers.dialect import Dialect, is_number, read_dialect
from bitbox.signals.checks import check_cells

FloatArray = NDArray[np.float64]

#: How a missing value may be written, besides leaving the cell empty.
MISSING = ("", "NaN", "nan", "NAN", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "None")
#: Lines that fit into a sheet of Excel: now, and in .xls.
_SPREADSHEET_LINES = (1_048_576, 65_536)
#: Digits in groups of three, as thousands are written, but decimals can be.
_GROUPED = "^[+-]?[1-9][0-9]{0,2}([.,][0-9]{3})+$"
#: Digits after a mark that can only be decimals: not three of them, or after a zero.
_DECIMAL = "^[+-]?([0-9]+{0}([0-9]{{1,2}}|[0-9]{{4,}})|0[0-9]*{0}[0-9]{{3}})$"


@dataclass(frozen=True)
class Table:
    """A CSV file's cells, as text until they are asked for as numbers.

    Parameters
    ----------
    path : Path
        The file.
    names : tuple of str
        Column names without surrounding spaces, all different. A nameless first column that only
        counts the rows from 0 is left out.
    columns : pyarrow.Table
        The cells, column i under the name ``str(i)``.
    delimiter : str
        What separates the cells.
    line : int
        Where in the file the first row is.
    findings : tuple of Finding
        What was left out before the names.
    kept : ndarray of int, shape (rows,), or None
        Which rows of the file these are, from 0; None: all.
    """

    path: Path
    names: tuple[str, ...]
    columns: Any
    delimiter: str
    line: int = 2
    findings: tuple[Finding, ...] = ()
    kept: NDArray[np.intp] | None = None

    @cached_property
    def _places(self) -> dict[str, str]:
        return {name: str(i) for i, name in enumerate(self.names)}

    def head(self, rows: int) -> Table:
        """Return the first rows."""
        kept = None if self.kept is None else self.kept[:rows]
        return replace(self, columns=self.columns.slice(0, rows), kept=kept)

    def only(self, rows: NDArray[np.intp]) -> Table:
        """Return some of the rows of the file."""
        return replace(self, columns=self.columns.take(rows), kept=rows)

    @property
    def lines(self) -> NDArray[np.intp]:
        """Where in the file each row is, shape (rows,)."""
        return (np.arange(len(self)) if self.kept is None else self.kept) + self.line

    def find(self, name: str) -> str | None:
        """Return the column of this name, whether in upper or lower case, or None.

        Raises
        ------
        InputError
            There are several.
        """
        found = [own for own in self.names if own.casefold() == name.casefold()]
        if len(found) > 1:
            raise InputError(
                f"{self.path.name} has columns that differ only in upper and lower case: "
                f"{found[0]!r} and {found[1]!r}.",
                todo="Remove or rename one of them.",
            )
        return found[0] if found else None

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    def text(self, name: str) -> list[str]:
        """Return a column's cells as text without surrounding spaces."""
        return [cell.strip() for cell in self.columns[self._places[name]].to_pylist()]

    def numbers(self, name: str) -> FloatArray:
        """Return a column as numbers; empty cells and those of `MISSING` become NaN.

        Raises
        ------
        InputError
            A cell is neither a number nor missing, or is infinite.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = pc.utf8_trim_whitespace(self.columns[self._places[name]])
        missing = pc.is_in(cells, value_set=pa.array(MISSING))
        cells = pc.if_else(missing, pa.scalar(None, pa.string()), cells)
        cells = self._with_points(name, cells)
        try:
            values = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            self._not_a_number(name, cells.to_pylist())
        infinite = np.flatnonzero(np.isinf(values))
        if len(infinite):
            raise InputError(
                f"{self.path.name}: column {name!r} is infinite in line {self.lines[infinite[0]]}.",
                expected="finite numbers, or an empty cell where the value is missing",
                got=str(values[infinite[0]]),
            )
        return np.asarray(values, dtype=np.float64)

    def _with_points(self, name: str, cells: Any) -> Any:
        """Return cells with decimal points for decimal commas, if it is clear that they are."""
        import pyarrow.compute as pc

        if self.delimiter == ",":
            return cells
        points, commas = (pc.match_substring(cells, mark) for mark in ".,")
        has_points, has_commas = pc.any(points).as_py(), pc.any(commas).as_py()
        if has_points and has_commas:
            return cells  # neither way to write numbers: the first comma is refused as text
        grouped = pc.all(pc.match_substring_regex(cells.filter(commas), _GROUPED)).as_py()
        if has_commas and grouped and not self._has_decimal_commas:
            raise self._ambiguous(name, cells, commas, ",")
        grouped = pc.all(pc.match_substring_regex(cells.filter(points), _GROUPED)).as_py()
        if has_points and grouped and self._has_decimal_commas:
            raise self._ambiguous(name, cells, points, ".")
        return pc.replace_substring(cells, ",", ".") if has_commas else cells

    @cached_property
    def _has_decimal_commas(self) -> bool:
        """Whether some cell can only be a decimal comma, and none a decimal point."""
        import pyarrow.compute as pc

        def any_like(pattern: str) -> bool:
            return any(
                pc.any(pc.match_substring_regex(pc.utf8_trim_whitespace(column), pattern)).as_py()
                for column in self.columns.columns
            )

        return any_like(_DECIMAL.format(",")) and not any_like(_DECIMAL.format("[.]"))

    def _ambiguous(self, name: str, cells: Any, marked: Any, mark: str) -> InputError:
        row = marked.to_pylist().index(True)
        cell = cells[row].as_py()
        plain, decimal = cell.replace(mark, ""), cell.replace(mark, ".")
        return InputError(
            f"{self.path.name}: column {name!r} does not tell thousands from decimals in line "
            f"{self.lines[row]}.",
            expected=f"{plain} or {decimal}",
            got=repr(cell),
            todo="Save the file without marks for thousands, and with decimal points.",
        )

    def matrix(self, names: Iterable[str]) -> FloatArray:
        """Return columns as numbers, shape (rows, columns)."""
        return np.column_stack([self.numbers(name) for name in names])

    def _not_a_number(self, name: str, cells: list[str | None]) -> NoReturn:
        for line, cell in zip(self.lines, cells, strict=True):
            if cell is not None and not _is_written_plainly(cell):
                raise InputError(
                    f"{self.path.name}: column {name!r} holds text in line {line}.",
                    expected="a number, or an empty cell where the value is missing",
                    got=repr(cell[:60]),
                    todo=self._instead_of_text(name, line),
                )
        raise InputError(f"{self.path.name}: column {name!r} holds something else than numbers.")

    def _instead_of_text(self, name: str, line: int) -> str:
        if line == self.line:
            first = [column[0].as_py() for column in self.columns.columns]
            if len(first) > 1 and not any(map(is_number, first)):
                return f"If line {line} holds units or other text, remove it."
        if "time" in name.casefold():
            return "Times are to be in seconds, such as 83.5."
        return "Leave cells empty where there is no value, and text columns out."


def read_table(path: Path) -> Table:
    """Read a CSV file with a line of column names.

    Parameters
    ----------
    path : Path
        UTF-8 text; cells separated by commas, semicolons, tabs or spaces. Unless by commas, numbers
        may be written with a decimal comma, throughout a column.

    Raises
    ------
    InputError
        The file is missing, empty, not UTF-8 text, ragged, or has columns without a name or of
        the same name.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    written = read_dialect(path)
    if not written.rows.strip():
        raise _no_rows(path)
    check_cells(path.name, written.rows.count("\n") + 1, len(written.names))
    places = [str(i) for i in range(len(written.names))]
    try:
        columns = arrow_csv.read_csv(
            arrow_file(written.rows.encode()),
            read_options=arrow_csv.ReadOptions(column_names=places),
            parse_options=arrow_csv.ParseOptions(delimiter=written.delimiter),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=False
            ),
            memory_pool=pa.system_memory_pool(),  # Arrow's own keeps what is free
        )
    except pa.ArrowInvalid as error:
        _explain_ragged(path, written, error)
    names, columns = _without_empty(path, written.names, columns)
    if not names[0]:
        names, columns = _without_row_numbers(path, names, columns)
    _check_names(path, names)
    _refuse_joined(path, names, columns, written.line)
    findings = (*written.findings, *_about_limit(path, written.line + columns.num_rows - 1))
    return Table(path, names, columns, written.delimiter, written.line, findings)


def _about_limit(path: Path, lines: int) -> tuple[Finding, ...]:
    """Say that a table ends where spreadsheet programs cut tables off."""
    if lines not in _SPREADSHEET_LINES:
        return ()
    return (
        Finding(
            "cut-off",
            "warning",
            f"{path.name} ends in line {lines:,}, after which spreadsheet programs keep nothing.",
            "Check that the recording ends there; if not, export it without a spreadsheet.",
        ),
    )


def _refuse_joined(path: Path, names: tuple[str, ...], columns: Any, line: int) -> None:
    """Refuse a file in which a row repeats the names, as where several files were joined."""
    import pyarrow.compute as pc

    first = pc.equal(pc.utf8_trim_whitespace(columns[0]), names[0])
    for row in np.flatnonzero(first.to_numpy()):
        if tuple(column[int(row)].as_py().strip() for column in columns.columns) == names:
            raise InputError(
                f"{path.name}: line {line + row} repeats the names of the columns.",
                expected="one recording a file",
                got="a file that seems to be joined from several",
                todo="Save each recording in a file of its own.",
            )


def _without_empty(path: Path, names: tuple[str, ...], columns: Any) -> tuple[tuple[str, ...], Any]:
    """Leave out nameless columns at the end and rows at the end, if they are empty."""
    import pyarrow.compute as pc

    last = max((i for i, name in enumerate(names) if name), default=0) + 1
    for place in range(last, len(names)):
        if pc.any(pc.not_equal(pc.utf8_trim_whitespace(columns[place]), "")).as_py():
            raise _nameless(path, place + 1)
    names, columns = names[:last], columns.select(range(last))
    rows = columns.num_rows
    while rows and not any(column[rows - 1].as_py().strip() for column in columns.columns):
        rows -= 1
    if rows == 0:
        raise _no_rows(path)
    return names, columns.slice(0, rows)


def _no_rows(path: Path) -> InputError:
    return InputError(
        f"{path.name} has column names but no rows.", todo="Export the recording again."
    )


def _check_names(path: Path, names: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        if not name and (place > 1 or len(names) == 1):
            raise _nameless(path, place)
        if name in seen:
            raise InputError(
                f"{path.name} has two columns called {name!r}.",
                todo="Rename one of them in the first line.",
            )
        seen.add(name)
    if all(is_number(name) for name in names):
        raise InputError(
            f"{path.name} starts with numbers instead of column names.",
            expected="a first line that names the columns",
            got=", ".join(names[:4]),
        )


def _nameless(path: Path, place: int) -> InputError:
    return InputError(
        f"{path.name}: column {place} has no name.",
        expected="a name for each column in the first line",
        todo="Name the column, or remove it.",
    )


def _without_row_numbers(
    path: Path, names: tuple[str, ...], columns: Any
) -> tuple[tuple[str, ...], Any]:
    """Leave out a nameless first column that counts the rows, as pandas (from 0) and R (from 1)."""
    counted = columns["0"].to_pylist()
    first = counted[0].strip()
    if first not in ("0", "1") or counted != [str(i + int(first)) for i in range(len(counted))]:
        raise _nameless(path, 1)
    columns = columns.drop_columns(["0"])
    return names[1:], columns.rename_columns([str(i) for i in range(len(names) - 1)])


def _explain_ragged(path: Path, written: Dialect, error: Exception) -> NoReturn:
    reader = csv.reader(io.StringIO(written.rows), delimiter=written.delimiter)
    width = len(written.names)
    with suppress(csv.Error):
        for row in reader:
            if row and len(row) != width:
                raise InputError(
                    f"{path.name}: line {reader.line_num + written.line - 1} has another number "
                    "of cells than the first line has names.",
                    expected=f"{width} cells",
                    got=str(len(row)),
                    todo="Numbers may be written with decimal commas; export the file with "
                    "semicolons or tabs between the cells."
                    if written.delimiter == "," and len(row) == 2 * width
                    else "The file may be cut off or joined from several; export it again.",
                ) from error
    raise InputError(f"{path.name} cannot be read as CSV.", got=str(error)) from error


def _is_written_plainly(cell: str) -> bool:
    """Whether a cell is a number, in ASCII and without marks for thousands."""
    return is_number(cell) and "," not in cell
