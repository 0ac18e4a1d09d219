"""Maps of a face or a body: where it is imitated how well, and how late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.report.descriptions import describe
from bitbox.report.drawing import Drawing, trace
from bitbox.report.places import Sketch, segments, sketch
from bitbox.report.rows import beyond_chance, imitated, shape_column
from bitbox.report.theme import CHANCE, INK, MUTED, axis, figure, plain

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
#: From light to dark, for colours that mean more and more; readable without colour vision.
QUALITY = [[0.0, "#dbe9f6"], [0.5, "#5b9bd0"], [1.0, "#0b3c6f"]]
LATENCY = [[0.0, "#f3ead9"], [0.5, "#c98d3a"], [1.0, "#5f3206"]]
_HEIGHT = {"face": 340, "body": 420}


def quality_map(scorecard: pd.DataFrame, *, alpha: float = 0.05) -> Drawing | None:
    """Draw a face or a body with each signal at its place, coloured by how well it is imitated.

    Signals that are not beyond chance are hollow; those that are only in time are small.

    Parameters
    ----------
    scorecard : DataFrame
        One row a signal, its name as index, with ``shape`` (or ``mean``).
    alpha : float
        Level of significance.

    Returns
    -------
    Drawing, or None where fewer than three signals have a place that is known.
    """
    found, column = sketch([str(name) for name in scorecard.index]), shape_column(scorecard)
    if found is None or column is None:
        return None
    title = f"Where on the {found.what}: how closely (r)"
    beyond = beyond_chance(scorecard, alpha)
    return _map(found, scorecard, column, (beyond, alpha), title, ("r", QUALITY))


def latency_map(scorecard: pd.DataFrame, *, alpha: float = 0.05) -> Drawing | None:
    """Draw the same, coloured by how late the participant follows, where that is known.

    Parameters
    ----------
    scorecard : DataFrame
        As for `quality_map`, with ``latency`` in seconds.
    alpha : float
        Level of significance.

    Returns
    -------
    Drawing, or None where no latency is known at a place.
    """
    found = sketch([str(name) for name in scorecard.index])
    if found is None or "latency" not in scorecard:
        return None
    late = beyond_chance(scorecard, alpha) & np.isfinite(scorecard["latency"].to_numpy(float))
    if not late[[name in found.places for name in map(str, scorecard.index)]].any():
        return None
    title = f"Where on the {found.what}: how late (s)"
    return _map(found, scorecard, "latency", (late, alpha), title, ("s", LATENCY))


def _map(
    found: Sketch,
    scorecard: pd.DataFrame,
    column: str,
    filled: tuple[NDArray[np.bool_], float],
    title: str,
    scale: tuple[str, list[list[Any]]],
) -> Drawing:
    drawing = figure(_HEIGHT[found.what], title, top=28).update_layout(
        showlegend=True,
        hovermode="closest",
        dragmode=False,
        meta={"width": [300, 560]},
        xaxis=axis(visible=False, fixedrange=True),
        yaxis=axis(visible=False, fixedrange=True, scaleanchor="x"),
        margin={"l": 8, "r": 8, "b": 8, "t": 56},
    )
    x, y = segments(found.lines)
    lines = {"color": CHANCE, "width": 1.5}
    drawing.add_trace(
        trace("scatter", x=x, y=y, mode="lines", line=lines, hoverinfo="skip", showlegend=False)
    )
    names = [str(name) for name in scorecard.index]
    values = scorecard[column].to_numpy(float)
    placed = np.array([name in found.places for name in names])
    shown, alpha = filled
    wholly = shown & imitated(scorecard, alpha)
    colours = _colours(values[placed & shown], *scale)
    for which, name, marker in (
        (placed & ~shown, "not beyond chance", _HOLLOW),
        (placed & shown & ~wholly, "only in time", {**colours, "size": 11}),
        (placed & wholly, "imitated", colours),
    ):
        rows = np.flatnonzero(which)
        if len(rows):
            own = marker if marker is _HOLLOW else {**marker, "color": values[rows]}
            drawing.add_trace(_points(found, [names[k] for k in rows], values[rows], own, name))
    return drawing


_HOLLOW: dict[str, Any] = {
    "size": 13,
    "color": "#ffffff",
    "line": {"color": MUTED, "width": 1.2},
}


def _colours(values: FloatArray, unit: str, colours: list[list[Any]]) -> dict[str, Any]:
    """Return markers that are coloured by their value, on one scale for all."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if high - low < 1e-6:
        low, high = low - 0.05, high + 0.05
    return {
        "size": 16,
        "cmin": low,
        "cmax": high,
        "colorscale": colours,
        "line": {"color": INK, "width": 0.8},
        "colorbar": {
            "title": {"text": unit, "side": "top", "font": {"size": 12, "color": MUTED}},
            "thickness": 10,
            "len": 0.6,
            "outlinewidth": 0,
            "nticks": 5,
            "tickfont": {"size": 11, "color": MUTED},
        },
    }


def _points(
    found: Sketch, names: list[str], values: FloatArray, marker: dict[str, Any], legend: str
) -> dict[str, Any]:
    said = describe(names)
    places = np.array([found.places[name] for name in names])
    texts = [
        f"<b>{plain(name)}</b><br>{plain(said.get(name, ''))}<br>"
        + (f"{value:.2f}" if np.isfinite(value) else "not known")
        for name, value in zip(names, values, strict=True)
    ]
    return trace(
        "scatter",
        x=places[:, 0],
        y=places[:, 1],
        mode="markers",
        marker=marker,
        text=texts,
        hovertemplate="%{text}<extra></extra>",
        name=legend,
    )
