"""Colours, type and safe text: what every figure of the report has in common.

The colours are told apart by people with any of the common colour vision deficiencies and in
grey print: participant and model differ in lightness as well as in hue, and both diverging
scales run from dark over white to dark through hues that are not confused.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.report.drawing import Drawing

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK = "#1f2328"
MUTED = "#5b6470"
RULE = "#d9dde2"
FAINT = "#eceff2"
PARTICIPANT = "#1b5e9e"
MODEL = "#cf7f12"
CHANCE = "#c9ced5"
LOST = "#a3243b"
UNDEFINED = "#b4b9c0"

TITLE = 28
"""Pixels that the title of a figure takes."""

FONT = '-apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

# blue - white - red, for correlation: positive is warm
CORRELATION_SCALE: list[tuple[float, str]] = [
    (0.0, "#154a80"),
    (0.25, "#6fa3cf"),
    (0.5, "#ffffff"),
    (0.75, "#e08e76"),
    (1.0, "#98202f"),
]
# brown - white - green, for latency, so that the two heatmaps are never taken for one another
LATENCY_SCALE: list[tuple[float, str]] = [
    (0.0, "#7a4a12"),
    (0.25, "#c9a15f"),
    (0.5, "#ffffff"),
    (0.75, "#67b0a5"),
    (1.0, "#04594e"),
]


def plain(text: object) -> str:
    """Return `text` such that Plotly shows it as it is, never as its pseudo-HTML.

    Plotly reads ``<b>``, ``<a href>`` and entities in names, titles and tick labels.
    """
    return html.escape(str(text), quote=False)


def short(text: object, length: int = 26) -> str:
    """Return `text` as one line of at most `length` characters, its middle an ellipsis."""
    line = " ".join(str(text).split())
    if len(line) <= length:
        return line
    head = (length - 1) * 2 // 3
    return f"{line[:head]}…{line[head + 1 - length :]}"


def tick(text: object) -> str:
    """Return a name as an axis can show it: short, and safe for Plotly."""
    return plain(short(text))


def axis(title: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return the looks of an axis: thin, quiet, titled with what it shows and its unit."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": MUTED}, "standoff": 8},
        "showgrid": False,
        "zeroline": False,
        "showline": True,
        "linecolor": RULE,
        "linewidth": 1,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": RULE,
        "tickfont": {"size": 11, "color": MUTED},
        "automargin": True,
        **changes,
    }


QUIET: dict[str, Any] = {"showline": False, "tickcolor": "rgba(0,0,0,0)", "ticklen": 6}
"""The looks of an axis of which only the labels are seen."""


def name_axis(names: list[str] | tuple[str, ...], **changes: Any) -> dict[str, Any]:
    """Return an axis with one tick a name at 0, 1, 2, ...; smaller type where there are many."""
    size = 11 if len(names) <= 24 else 10 if len(names) <= 45 else 8.5
    settings: dict[str, Any] = {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [tick(name) for name in names],
        "tickfont": {"size": size, "color": INK},
        "range": [-0.5, len(names) - 0.5],
        "ticklen": 2,
    }
    return axis(**{**settings, **changes})


def figure(height: int, title: str, *, top: int = 12, **layout: Any) -> Drawing:
    """Return an empty figure in the report's style.

    `height` is that of the figure without its title, `top` the room above the axes.
    """
    settings: dict[str, Any] = {
        "height": height + TITLE,
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "margin": {"l": 56, "r": 16, "t": top + TITLE, "b": 44},
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "namelength": 40},
        "showlegend": False,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12},
            "itemsizing": "constant",
            "traceorder": "normal",
        },
        "dragmode": "zoom",
    }
    settings["title"] = {
        "text": title,
        "x": 0,
        "xref": "container",
        "xanchor": "left",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"t": 8, "l": 8},
        "font": {"size": 14, "color": INK, "weight": 600},
    }
    return Drawing({**settings, **layout})


def untitled(drawing: Drawing | go.Figure) -> str:
    """Take the title out of a figure, and the room it had; return its text."""
    text = html.unescape(drawing.layout["title"]["text"])
    drawing.update_layout(
        title=None,
        height=drawing.layout["height"] - TITLE,
        margin={"t": drawing.layout["margin"]["t"] - TITLE},
    )
    return text


def small(values: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return values as single precision: all that a drawing can show, in half the file."""
    return np.asarray(values, dtype=np.float32)
