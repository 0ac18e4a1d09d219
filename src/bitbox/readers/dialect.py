"""How a text file of a table is written: what separates cells, which names stand above which."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from bitbox.errors import InputError
from bitbox.files import reason, require_file
from bitbox.findings import Finding
from bitbox.system.harmless import from_cell

_DELIMITERS = ("\t", ";", ",")
#: Excel's own first line, which says what separates the cells.
_STATED = re.compile(r'"?sep=([,;\t|])"?[,;\t| ]*')
_NUMBER = re.compile(
    r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf(inity)?)", re.I | re.A
)
#: What lines before the names begin with that are not part of the table.
_COMMENTS = ("#", "%")
#: Lines in which names are looked for below other text.
_NEAR = 60
#: How files of Excel and of OpenDocument begin, and whatever else is packed.
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
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
    findings : tuple of Finding
        What was left out before the names.
    """

    names: tuple[str, ...]
    delimiter: str
    rows: str
    line: int
    findings: tuple[Finding, ...] = ()


def read_dialect(path: Path) -> Dialect:
    """Read a file and find out how it is written.

    Raises
    ------
    InputError
        The file is missing, empty, too large, or not UTF-8 text, or its first line names no
        columns.
    """
    text, blank = _read_text(path)
    above, text = _without_comments(text)
    header, _, rows = text.partition("\n")
    line, stated = 2 + blank + len(above), _STATED.fullmatch(header)
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
    _refuse_preamble(path, header, names, rows, line)
    findings = _about_comments(path, blank, above)
    return Dialect(_one_a_cell(names, rows, delimiter), delimiter, rows, line, findings)


def _without_comments(text: str) -> tuple[list[str], str]:
    """Return the comments before a table, one a line, and the table.

    A comment that has a name for each cell of numbers below it is the line of names: NumPy's
    `savetxt` writes it like that.
    """
    above: list[str] = []
    start = 0
    while text.startswith(_COMMENTS, start) or (above and text.startswith("\n", start)):
        above += _lines(text, 1, start)
        start += len(above[-1]) + 1
    if not above:
        return above, text
    names, row = above[-1][1:], "".join(_lines(text, 1, start))
    cells = _split(row, _delimiter(row, row))
    if any(map(is_number, cells)) and len(_split(names, _delimiter(names, row))) == len(cells):
        return above[:-1], f"{names.lstrip(' ')}\n{text[start:]}"
    return above, text[start:]


def _lines(text: str, count: int, start: int = 0) -> list[str]:
    """Return some lines of what may be very long."""
    found: list[str] = []
    while len(found) < count and start < len(text):
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        found.append(text[start:stop])
        start = stop + 1
    return found


def _about_comments(path: Path, blank: int, above: list[str]) -> tuple[Finding, ...]:
    if not above:
        return ()
    first, last = blank + 1, blank + len(above)
    which = f"Line {first} begins" if len(above) == 1 else f"Lines {first} to {last} begin"
    return (
        Finding(
            "comments-left-out",
            "info",
            f"{path.name}: {which} with {above[0][0]!r} and {'was' if len(above) == 1 else 'were'} "
            f"taken for {'a comment' if len(above) == 1 else 'comments'}.",
            "Nothing, if the table begins below.",
        ),
    )


def _refuse_preamble(path: Path, header: str, names: list[str], rows: str, line: int) -> None:
    """Refuse a file in which other text stands above the names of the columns."""
    lines = [header, *_lines(rows, _NEAR)]
    for number, (this, below) in enumerate(itertools.pairwise(lines)):
        delimiter = _delimiter(this, below)
        cells = _split(this, delimiter)
        if (len(cells) < 2 or not all(cells)) or any(map(is_number, cells)):
            continue
        under = _split(below, delimiter)
        if len(under) == len(cells) and any(map(is_number, under)):
            if number == 0 or (len(cells) == len(names) and all(names)):
                return
            raise InputError(
                f"{path.name}: the names of the columns seem to stand in line {line - 1 + number}, "
                "below other text.",
                expected="a first line that names the columns",
                got=repr(header[:60]),
                todo="Remove the lines above the names, or begin each of them with '#'.",
            )


def _split(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line without surrounding spaces; none if it cannot be taken apart."""
    try:
        return [
            c.strip() for c in _cells(_single_spaces(line) if delimiter == " " else line, delimiter)
        ]
    except (csv.Error, StopIteration):
        return []


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number as tables have them."""
    return _NUMBER.fullmatch(cell.strip()) is not None


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
    likely = sorted(_DELIMITERS, key=bare.count, reverse=True)
    delimiter = likely[0] if likely[0] in bare else ","
    for other in likely:  # names may hold commas themselves
        if other in bare and len(_split(header, other)) == len(_first_row(rows, other)):
            return other
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
    if raw.startswith(_SPREADSHEETS):
        raise InputError(
            f"{path.name} is a spreadsheet, or packed.",
            expected="a text file of a table, such as CSV",
            todo="In a spreadsheet program, save it as 'CSV UTF-8'.",
        )
    if not raw.strip():
        raise InputError(f"{path.name} is empty.", todo="Export the recording again.")
    try:
        text = raw.decode(encoding_of(raw))
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} is not UTF-8 text (byte {error.start} does not fit).",
            expected="a CSV file in UTF-8, or UTF-16 that begins with its mark",
            todo="In a spreadsheet program, save it as 'CSV UTF-8'.",
        ) from error
    if "\0" in text:
        raise InputError(f"{path.name} is not a text file.", expected="a CSV file in UTF-8")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    content = text.lstrip("\n")
    return content, len(text) - len(content)


def encoding_of(raw: bytes) -> str:
    """Return the encoding of a text: UTF-16 where it begins with the mark of that, else UTF-8."""
    return "utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


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
