r"""Text from outside, made harmless for what shows or opens it.

Names come from files of strangers. In Signals and in Parquet they stay as they are. In a terminal,
control characters move the cursor or forge lines, and marks of writing direction change what a
name seems to be. A spreadsheet takes a cell that begins with ``=`` for a formula. NetCDF ends a
name at a NUL.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: What a spreadsheet may take for the beginning of a formula, as wide characters too.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
#: Categories of characters that are not seen: controls, formats, surrogates, separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
#: Joiners, which many scripts and emoji are written with and which move nothing.
_JOINERS = "\u200c\u200d"


def visible(text: str, *, lines: bool = False) -> str:
    r"""Return text with what cannot be seen as an escape, such as ``\x1b`` or ``\u202e``.

    Parameters
    ----------
    text : str
        What is to be shown in a terminal.
    lines : bool
        Leave line ends, for text of several lines.
    """
    return "".join(
        character if _is_seen(character) or (lines and character == "\n") else _escape(character)
        for character in text
    )


def _is_seen(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _UNSEEN


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def cell(text: str) -> str:
    """Return text that a spreadsheet takes for text: after an apostrophe, if it must be."""
    return f"'{text}" if _FORMULA.match(text) else text


def from_cell(text: str) -> str:
    """Return what :func:`cell` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose names and cells of text a spreadsheet takes for text."""

    def harmless(value: object) -> object:
        return cell(value) if isinstance(value, str) else value

    table = frame.rename(columns=harmless)
    if not frame.index.empty and isinstance(frame.index[0], str):
        table = table.rename(index=harmless)
    for place, kind in enumerate(frame.dtypes):
        if kind.kind not in "biufcmM":
            table.isetitem(place, [harmless(value) for value in frame.iloc[:, place]])
    return table


def for_netcdf(dataset: xr.Dataset) -> xr.Dataset:
    r"""Return a dataset in whose names NUL is written as ``\x00``."""
    texts = {
        name: (values.dims, [str(text).replace("\0", "\\x00") for text in values.to_numpy()])
        for name, values in dataset.coords.items()
        if values.dtype.kind in "OUT"
    }
    return dataset.assign_coords(texts)
