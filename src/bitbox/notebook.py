"""What results look like in a notebook: a title, a sentence and a small table, as HTML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from bitbox.system.harmless import visible

#: Most rows that are shown.
ROWS = 12

_CELL = "padding: 0.15em 0.8em; white-space: nowrap;"


def panel(
    title: str,
    lines: Iterable[str],
    headings: Sequence[str],
    rows: Sequence[Sequence[str | float]],
    *,
    bold: Sequence[bool] = (),
    note: str = "",
) -> str:
    """Return a small panel as HTML. All text is escaped, and can be read in any colours.

    Parameters
    ----------
    title : str
        In bold.
    lines : iterable of str
        Sentences beneath it.
    headings : sequence of str
        Of the table's columns.
    rows : sequence of sequences
        Text stands on the left; numbers are written with two decimals, NaN as a dash.
    bold : sequence of bool
        Which rows are in bold; none unless given.
    note : str
        Beneath the table.
    """
    strong = [*bold, *[False] * (len(rows) - len(bold))]
    body = "".join(
        "<tr>" + "".join(_cell(value, yes) for value in row) + "</tr>"
        for row, yes in zip(rows, strong, strict=True)
    )
    head = "".join(
        f'<th style="{_CELL} text-align: {_side(rows, place)};">{_text(heading)}</th>'
        for place, heading in enumerate(headings)
    )
    table = (
        f'<table style="border-collapse: collapse; margin: 0.4em 0;">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        if rows
        else ""
    )
    said = "".join(f"<div>{_text(line)}</div>" for line in lines)
    below = f'<div style="opacity: 0.75;">{_text(note)}</div>' if note else ""
    return f"<div><strong>{_text(title)}</strong>{said}{table}{below}</div>"


def left_out(shown: int, total: int, where: str) -> str:
    """Return the sentence about rows that are not shown, if there are any."""
    return f"{shown} of {total} are shown; {where} holds all." if shown < total else ""


def _text(text: str) -> str:
    return escape(visible(str(text)))


def _cell(value: str | float, strong: bool) -> str:
    number = not isinstance(value, str)
    text = _number(value) if not isinstance(value, str) else _text(value)
    weight = " font-weight: bold;" if strong else ""
    return f'<td style="{_CELL} text-align: {"right" if number else "left"};{weight}">{text}</td>'


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    # a small p is not 0.00, and millimetres in the thousands have no use for decimals
    return f"{value:.2f}" if value == 0 or 0.01 <= abs(value) < 1e4 else f"{value:.2g}"


def _side(rows: Sequence[Sequence[str | float]], place: int) -> str:
    return "left" if rows and isinstance(rows[0][place], str) else "right"
