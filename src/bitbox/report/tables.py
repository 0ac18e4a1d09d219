"""Tables of the report: numbers become text that reads well and still sorts by value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.report.rows import imitated, shape_column, significance_column
from bitbox.report.words import COLUMNS, Column, Format

if TYPE_CHECKING:
    import pandas as pd

UNDEFINED = "–"
_QUARTILES = ("latency_q25", "latency_q75")


@dataclass(frozen=True, slots=True)
class Bar:
    """Where to draw a value, 0 and the band of chance, in per cent of the cell's width."""

    value: float | None
    zero: float | None
    band: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, what it sorts by (None: undefined, last), and what is drawn in it."""

    text: str
    sort: float | None
    note: str = ""
    bar: Bar | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One signal: its name, a sentence about it, and its cells."""

    name: str
    description: str
    beyond: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The scorecard as the page shows it, its rows sorted by the column ``sorted_by``."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sorted_by: str | None
    tested_by: Column | None
    has_chance: bool
    low: str
    high: str


def number(value: Any, form: Format) -> str:
    """Write a number: a true minus sign, no more digits than it deserves, a dash for NaN."""
    x = float(value)
    if not math.isfinite(x):
        return UNDEFINED
    if form == "p":
        return "< 0.001" if 0 <= x < 0.001 else f"{x:.3f}"
    if form == "share":
        return f"{100 * x:.0f} %"
    if form == "count":
        return f"{x:.0f}"
    text = {"z": f"{x:.1f}", "size": f"{x:.3g}", "number": f"{x:.4g}"}.get(form, f"{x:.2f}")
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def in_order(scorecard: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """Sort a scorecard by z (or shape, or mean), strongest first, undefined ones last."""
    column = next((name for name in ("z", "shape", "mean") if name in scorecard), None)
    if column is None:
        return scorecard, None
    return scorecard.sort_values(column, ascending=False, kind="stable"), column


def scorecard_table(
    scorecard: pd.DataFrame, descriptions: Mapping[str, str], alpha: float
) -> Table:
    """Make the table of a scorecard; its rows keep the order given.

    Columns that are not known are shown by their own name.
    """
    columns = _columns(scorecard)
    main = shape_column(scorecard)
    has_chance = {"chance_mean", "chance_sd"} <= set(scorecard)
    low, high = _range(scorecard, main, has_chance)
    beyond = imitated(scorecard, alpha)
    rows = []
    for i, name in enumerate(map(str, scorecard.index)):
        record = scorecard.iloc[i]
        cells = [_cell(record, column) for column in columns]
        for at, column in enumerate(columns):
            if column.name == main:
                bar = _bar(record, column.name, has_chance, (low, high))
                cells[at] = Cell(cells[at].text, cells[at].sort, bar=bar)
        rows.append(Row(name, descriptions.get(name, ""), bool(beyond[i]), tuple(cells)))
    tested = significance_column(scorecard)
    return Table(
        columns=tuple(columns),
        rows=tuple(rows),
        sorted_by=next((c for c in ("z", "shape", "mean") if c in scorecard), None),
        tested_by=next((column for column in columns if column.name == tested), None),
        has_chance=has_chance,
        low=number(low, "r"),
        high=number(high, "r"),
    )


def _columns(scorecard: pd.DataFrame) -> list[Column]:
    known = {column.name: column for column in COLUMNS}
    merged = {"latency", *_QUARTILES} <= set(scorecard)
    columns = [
        column
        for name, column in known.items()
        if name in scorecard and not (merged and name in _QUARTILES)
    ]
    others = [str(name) for name in scorecard.columns if name not in known]
    return [*columns, *(Column(name, name, "", "number", main=False) for name in others)]


def _cell(record: pd.Series[Any], column: Column) -> Cell:
    value = record[column.name]
    try:
        x = float(value)
    except (TypeError, ValueError):
        return Cell(str(value), None)
    note = ""
    if column.name == "latency" and set(_QUARTILES) <= set(record.index) and math.isfinite(x):
        low, high = (number(record[name], "seconds") for name in _QUARTILES)
        note = f"[{low}, {high}]"
    return Cell(
        number(x, column.form),
        x if math.isfinite(x) else None,
        note,
        share=100 * min(max(x, 0.0), 1.0) if column.form == "share" and math.isfinite(x) else None,
    )


def _range(scorecard: pd.DataFrame, main: str | None, has_chance: bool) -> tuple[float, float]:
    """Return the values at the left and the right end of the bars.

    A bar that starts at 0 needs 0; a dot beside the band of chance does not.
    """
    if main is None:
        return 0.0, 1.0
    values = [np.asarray(scorecard[main], dtype=float)]
    if not has_chance:
        values.append(np.array([0.0]))
    if has_chance:
        mean, sd = (np.asarray(scorecard[c], dtype=float) for c in ("chance_mean", "chance_sd"))
        values += [mean - 2 * sd, mean + 2 * sd]
    together = np.concatenate(values)
    together = together[np.isfinite(together)]
    if len(together) == 0:
        return 0.0, 1.0
    low = math.floor(float(together.min()) * 10) / 10
    return low, max(math.ceil(float(together.max()) * 10) / 10, low + 0.1)


def _bar(
    record: pd.Series[Any], main: str, has_chance: bool, ends: tuple[float, float]
) -> Bar | None:
    def place(x: float) -> float:
        return round(100 * (x - ends[0]) / (ends[1] - ends[0]), 2)

    value = float(record[main])
    band = None
    if has_chance:
        mean, sd = float(record["chance_mean"]), float(record["chance_sd"])
        if math.isfinite(mean) and math.isfinite(sd):
            band = (place(mean - 2 * sd), place(mean + 2 * sd))
    if not math.isfinite(value) and band is None:
        return None
    zero = place(0.0) if ends[0] <= 0 <= ends[1] else None
    return Bar(place(value) if math.isfinite(value) else None, zero, band)


def shown(value: Any) -> str:
    """Write any value of a parameter or a fact as text."""
    if value is None:
        return "not set"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.10g}".replace("-", "−") if math.isfinite(value) else UNDEFINED
    return str(value)


def flat(mapping: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Walk a nested mapping as pairs of a path of names and a text."""
    for key, value in mapping.items():
        path = (*above, str(key))
        if isinstance(value, Mapping) and value:
            yield from flat(value, path)
        elif isinstance(value, Sequence) and not isinstance(value, str) and value:
            if any(isinstance(item, Mapping) for item in value):
                yield from flat({str(i): item for i, item in enumerate(value, 1)}, path)
            else:
                yield " › ".join(path), ", ".join(map(shown, value))
        else:
            empty = isinstance(value, Mapping | Sequence) and not value
            yield " › ".join(path), "none" if empty else shown(value)
