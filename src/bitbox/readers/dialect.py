"""How a text file of a table is written: what separates cells, which names stand above which."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from bitbox.errors import InputError
from bitbox.files import reason, require_file
from bitbox.system.harmless import from_cell

_DELIMITERS = (",", ";", "\t")
#: Excel's own first line, which says what separates the cells.
_STATED = re.compile(r'"?sep=([,;\t|])"?[,;\t| ]*')
#: Bytes of text that are read. Three hours at 30 frames a second of OpenFace have 1.4 GB.
MOST_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Dialect:
    """A text file, taken apart as far as its first line tells.

    Parameters
    ----------
    names : tuple of str
        One name a cell of the first row. Empty: of a first column without a name, and of
        columns at the end.
    delimiter : str
        What separates the cells of `rows`.
    rows : str
        All after the line of names.
    line : int
        Where in the file the first row is.
    """

    names: tuple[str, ...]
    delimiter: str
    rows: str
    line: int


def read_dialect(path: Path) -> Dialect:
    """Read a file and find out how it is written.

    Raises
    ------
    InputError
        The file is missing, empty, too large, or not UTF-8 text, or its first line names no
        columns.
    """
    text, blank = _read_text(path)
    header, _, rows = text.partition("\n")
    line, stated = 2 + blank, _STATED.fullmatch(header)
    if stated:
        header, _, rows = rows.partition("\n")
        line += 1
    delimiter = stated[1] if stated else _delimiter(header, rows)
    if delimiter == " ":
        header, rows = _single_spaces(header), _single_spaces(rows)
    try:
        names = [from_cell(name.strip()) for name in _cells(header, delimiter)]
    except (csv.Error, StopIteration) as error:
        raise InputError(
            f"{path.name} cannot be read as CSV: its first line does not name columns.",
            got=str(error) or "nothing",
        ) from error
    return Dialect(_one_a_cell(names, rows, delimiter), delimiter, rows, line)


def _one_a_cell(names: list[str], rows: str, delimiter: str) -> tuple[str, ...]:
    """Return the names, as many as the first row has cells.

    R names its rows, but not the column of these names; Excel ends lines with delimiters.
    """
    first = _first_row(rows, delimiter)
    extra = len(first) - len(names)
    if extra < 0 and not any(names[extra:]):
        return tuple(names[:extra])
    if extra == 1 and first[-1].strip() and delimiter in " \t":
        return ("", *names)
    if extra > 0 and not any(cell.strip() for cell in first[len(names) :]):
        return (*names, *[""] * extra)
    return tuple(names)


def _first_row(rows: str, delimiter: str) -> list[str]:
    found = re.search(r".*\S.*", rows)
    line = found[0] if found else ""
    try:
        return _cells(line.rstrip("\n"), delimiter)
    except (csv.Error, StopIteration):
        return []  # whoever reads the rows says what is wrong


def _delimiter(header: str, rows: str) -> str:
    bare = re.sub(r'"[^"]*"', '""', header)
    delimiter = max(_DELIMITERS, key=bare.count)
    if delimiter not in bare and " " in bare.strip():
        names = _cells(_single_spaces(header), " ")
        first = _first_row(_single_spaces(rows.lstrip("\n").partition("\n")[0]), " ")
        if len(first) - len(names) in (0, 1):
            return " "
    return delimiter


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter))


def _single_spaces(text: str) -> str:
    """Return text whose cells are separated by one space each, but not those within quotes."""
    text = re.sub(r'("[^"\n]*")| +', lambda match: match[1] or " ", text)
    return re.sub(r"^ | $", "", text, flags=re.MULTILINE)


def _read_text(path: Path) -> tuple[str, int]:
    """Return a file's text, and how many blank lines were left out before it."""
    check_bytes(path, require_file(path, "a CSV file").st_size)
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
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    content = text.lstrip("\n")
    return content, len(text) - len(content)


def check_bytes(path: Path, size: int) -> None:
    """Refuse a text file that is larger than can be read.

    Raises
    ------
    InputError
        It has more than `MOST_BYTES` bytes.
    """
    if size > MOST_BYTES:
        raise InputError(
            f"{path.name} is too large to be read.",
            expected=f"up to {MOST_BYTES / 1e9:g} GB of text",
            got=f"{size / 1e9:.1f} GB",
            todo="Keep only the columns that are needed, or cut the recording into parts.",
        )
