"""Reading a CSV file strictly: what is not clear is an error that names the line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import InputError
from bitbox.files import arrow_file, reason, require_file
from bitbox.neutral import from_cell

FloatArray = NDArray[np.float64]

#: How a missing value may be written, besides leaving the cell empty.
MISSING = ("", "NaN", "nan", "NAN", "NA", "N/A", "n/a", "null", "NULL", "None")
_DELIMITERS = (",", ";", "\t")


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
    """

    path: Path
    names: tuple[str, ...]
    columns: Any
    delimiter: str

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    def text(self, name: str) -> list[str]:
        """Return a column's cells as text without surrounding spaces."""
        return [cell.strip() for cell in self.columns[str(self.names.index(name))].to_pylist()]

    def numbers(self, name: str) -> FloatArray:
        """Return a column as numbers; empty cells and those of `MISSING` become NaN.

        Raises
        ------
        InputError
            A cell is neither a number nor missing, or is infinite.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = pc.utf8_trim_whitespace(self.columns[str(self.names.index(name))])
        if self.delimiter != "," and not pc.any(pc.match_substring(cells, ".")).as_py():
            cells = pc.replace_substring(cells, ",", ".")  # decimal commas
        missing = pc.is_in(cells, value_set=pa.array(MISSING))
        cells = pc.if_else(missing, pa.scalar(None, pa.string()), cells)
        try:
            values = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            self._not_a_number(name, cells.to_pylist())
        infinite = np.flatnonzero(np.isinf(values))
        if len(infinite):
            raise InputError(
                f"{self.path.name}: column {name!r} is infinite in line {infinite[0] + 2}.",
                expected="finite numbers, or an empty cell where the value is missing",
                got=str(values[infinite[0]]),
            )
        return np.asarray(values, dtype=np.float64)

    def matrix(self, names: Iterable[str]) -> FloatArray:
        """Return columns as numbers, shape (rows, columns)."""
        return np.column_stack([self.numbers(name) for name in names])

    def _not_a_number(self, name: str, cells: list[str | None]) -> NoReturn:
        for line, cell in enumerate(cells, start=2):
            if cell is not None and not _is_number(cell):
                raise InputError(
                    f"{self.path.name}: column {name!r} holds text in line {line}.",
                    expected="a number, or an empty cell where the value is missing",
                    got=repr(cell[:60]),
                )
        raise InputError(f"{self.path.name}: column {name!r} holds something else than numbers.")


def read_table(path: Path) -> Table:
    """Read a CSV file with a line of column names.

    Parameters
    ----------
    path : Path
        UTF-8 text; cells separated by commas, semicolons or tabs. With semicolons or tabs, numbers
        may be written with a decimal comma, throughout a column.

    Raises
    ------
    InputError
        The file is missing, empty, not UTF-8 text, ragged, or has columns without a name or of
        the same name.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    content = _read_text(path)
    header = content.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        names = tuple(
            from_cell(name.strip()) for name in next(csv.reader([header], delimiter=delimiter))
        )
    except csv.Error as error:
        raise InputError(
            f"{path.name} cannot be read as CSV: its first line does not name columns.",
            got=str(error),
        ) from error
    _check_names(path, names)
    places = [str(i) for i in range(len(names))]
    try:
        columns = arrow_csv.read_csv(
            arrow_file(content.encode()),
            read_options=arrow_csv.ReadOptions(column_names=places, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        _explain_ragged(path, content, delimiter, len(names), error)
    if not names[0]:
        names, columns = _without_row_numbers(path, names, columns)
    if columns.num_rows == 0:
        raise InputError(
            f"{path.name} has column names but no rows.", todo="Export the recording again."
        )
    return Table(path, names, columns, delimiter)


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
            todo="Sort the rows by time, keep one row a frame, and one person a file.",
        )
    return time


def _read_text(path: Path) -> str:
    require_file(path, "a CSV file")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read ({reason(error)}).") from error
    if not raw.strip():
        raise InputError(f"{path.name} is empty.", todo="Export the recording again.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} is not UTF-8 text (byte {error.start} does not fit).",
            expected="a CSV file in UTF-8",
            todo="In a spreadsheet program, save it as 'CSV UTF-8'.",
        ) from error
    if "\0" in text:
        raise InputError(f"{path.name} is not a text file.", expected="a CSV file in UTF-8")
    return text.lstrip("\n\r").replace("\r\n", "\n").replace("\r", "\n")


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
    if all(_is_number(name) for name in names):
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
    """Leave out a nameless first column that counts the rows, as pandas writes it."""
    if columns["0"].to_pylist() != [str(i) for i in range(columns.num_rows)]:
        raise _nameless(path, 1)
    columns = columns.drop_columns(["0"])
    return names[1:], columns.rename_columns([str(i) for i in range(len(names) - 1)])


def _explain_ragged(
    path: Path, content: str, delimiter: str, width: int, error: Exception
) -> NoReturn:
    reader = csv.reader(io.StringIO(content), delimiter=delimiter)
    with suppress(csv.Error):
        for row in reader:
            if row and len(row) != width:
                raise InputError(
                    f"{path.name}: line {reader.line_num} has another number of cells than the "
                    "first line has names.",
                    expected=f"{width} cells",
                    got=str(len(row)),
                    todo="The file may be cut off or joined from several; export it again.",
                ) from error
    raise InputError(f"{path.name} cannot be read as CSV.", got=str(error)) from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
