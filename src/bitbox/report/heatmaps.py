"""Figures of every participant signal against every model signal, and of every lag by window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import ParameterError
from bitbox.report.drawing import Drawing, Trace, trace
from bitbox.report.theme import (
    CORRELATION_SCALE,
    INK,
    LATENCY_SCALE,
    MUTED,
    UNDEFINED,
    axis,
    figure,
    name_axis,
    small,
    tick,
)


def correlation_heatmap(
    r: ArrayLike,
    x_names: Sequence[str],
    y_names: Sequence[str],
    *,
    title: str = "Mean correlation of every pair of signals",
) -> Drawing:
    """Draw correlations of every participant signal (rows) with every model signal (columns).

    Parameters
    ----------
    r : array_like, shape (n1, n2)
        Correlations; NaN is undefined and drawn grey.
    x_names, y_names : sequence of str
        Names of the participant's and of the model's signals.
    title : str
        The title.

    Raises
    ------
    ParameterError
        If the shape doesn't fit the names.

    Notes
    -----
    The colours are centred on 0. Where all correlations are well above 0, as the largest of
    many lags is by chance alone, they run from the smallest to the largest instead, or nothing
    could be told apart; ``figure.layout.meta["centred"]`` says which it is.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import figures
    >>> figure = figures.correlation_heatmap([[0.8, -0.1]], ['smile'], ['smile', 'frown'])
    >>> figure.data[0].type
    'heatmap'
    """
    return _matrix(r, x_names, y_names, title, ("Mean r", CORRELATION_SCALE, "r = %{z:.2f}"), True)


def latency_heatmap(
    latency: ArrayLike,
    x_names: Sequence[str],
    y_names: Sequence[str],
    *,
    title: str = "Mean latency of every pair of signals",
) -> Drawing:
    """Draw latencies in seconds, positive where the participant (rows) follows the model.

    Parameters and errors are those of :func:`correlation_heatmap`.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import figures
    >>> figure = figures.latency_heatmap([[0.4, np.nan]], ['smile'], ['smile', 'frown'])
    >>> figure.layout.title.text
    'Mean latency of every pair of signals'
    """
    scale = ("Latency (s)", LATENCY_SCALE, "latency %{z:+.2f} s")
    return _matrix(latency, x_names, y_names, title, scale)


def _matrix(
    values: ArrayLike,
    x_names: Sequence[str],
    y_names: Sequence[str],
    title: str,
    scale: tuple[str, list[tuple[float, str]], str],
    narrow: bool = False,
) -> Drawing:
    z = np.asarray(values, dtype=float)
    n1, n2 = len(x_names), len(y_names)
    if z.shape != (n1, n2) or 0 in z.shape:
        raise ParameterError(
            "A matrix and the names of its rows and columns don't belong together.",
            expected=f"{n1} x {n2} values, at least one",
            got=f"shape {z.shape}",
        )
    cell = 34 if max(n1, n2) <= 12 else 20 if max(n1, n2) <= 32 else 11
    drawing = figure(cell * n1 + 150, title, meta={"width": _widths(cell, n1, n2), "centred": True})
    pair = "participant %{y}<br>model %{x}"
    drawing.add_traces(
        _layers(z, *scale, pair, {"x": list(range(n2)), "y": list(range(n1))}, min(220, cell * n1))
    )
    if narrow and _far_above_zero(z):
        low, high = float(np.nanmin(z)), float(np.nanmax(z))
        warm = [[2 * at - 1, colour] for at, colour in CORRELATION_SCALE if at >= 0.5]
        drawing.data[0].update(zmin=low, zmax=high, colorscale=warm)
        drawing.update_layout(meta={**drawing.layout["meta"], "centred": False})
    _name_undefined(drawing, z)
    return drawing.update_layout(
        xaxis=name_axis(tuple(y_names), title="Model's signal", tickangle=-90),
        yaxis=name_axis(tuple(x_names), title="Participant's signal", range=[n1 - 0.5, -0.5]),
    )


def _far_above_zero(z: NDArray[np.float64]) -> bool:
    """Say whether the smallest value is above half of the largest."""
    defined = z[np.isfinite(z)]
    return len(defined) > 1 and 0 < defined.max() / 2 < defined.min() < defined.max()


def _widths(cell: int, n1: int, n2: int) -> list[int]:
    """Narrowest and broadest width in pixels at which cells are neither lost nor stretched."""
    room = 190
    return [min(cell, 11) * n2 + room, max(420, round(cell * 1.6) * n2 + room, cell * n1 // 2)]


def _layers(
    z: NDArray[np.float64],
    unit: str,
    colours: list[tuple[float, str]],
    number: str,
    where: str,
    places: dict[str, Any],
    bar: int,
) -> list[Trace]:
    """Draw defined values on a scale centred on 0, and undefined ones grey."""
    defined = np.isfinite(z)
    largest = float(np.abs(z[defined]).max()) if defined.any() else 0.0
    limit = largest or 1.0
    layers = [
        trace(
            "heatmap",
            z=small(np.where(defined, z, np.nan)),
            **places,
            zmin=-limit,
            zmax=limit,
            colorscale=colours,
            showscale=bool(defined.any()),
            colorbar={
                "title": {"text": unit, "side": "top", "font": {"size": 12, "color": MUTED}},
                "thickness": 10,
                "lenmode": "pixels",
                "len": max(90, bar),
                "y": 1,
                "yanchor": "top",
                "outlinewidth": 0,
                "nticks": 5,
                "tickfont": {"size": 11, "color": MUTED},
            },
            # each layer answers for its own cells only
            hoverongaps=False,
            hovertemplate=f"{where}<br>{number}<extra></extra>",
        )
    ]
    if not defined.all():
        layers.append(
            trace(
                "heatmap",
                z=small(np.where(defined, np.nan, 0.0)),
                **places,
                zmin=0,
                zmax=1,
                colorscale=[[0, UNDEFINED], [1, UNDEFINED]],
                showscale=False,
                hoverongaps=False,
                hovertemplate=f"{where}<br>undefined<extra></extra>",
            )
        )
    return layers


def _name_undefined(drawing: Drawing, z: NDArray[np.float64]) -> None:
    """Add a legend that says what grey is, where there is any."""
    if np.isfinite(z).all():
        return
    drawing.add_trace(
        trace(
            "scatter",
            x=[None],
            y=[None],
            mode="markers",
            marker={"color": UNDEFINED, "symbol": "square", "size": 11},
            name="undefined (too little data, or no movement)",
            showlegend=True,
            hoverinfo="skip",
        )
    )
    drawing.update_layout(showlegend=True)


def lag_heatmap(
    r: ArrayLike, times: ArrayLike, latency: ArrayLike, *, name: str, polarity: bool = True
) -> Drawing:
    """Draw the correlation of one pair of signals for every window and every latency.

    Parameters
    ----------
    r : array_like, shape (windows, lags)
        Correlations; NaN is undefined and drawn grey.
    times : array_like, shape (windows,)
        Centre times of the windows in seconds.
    latency : array_like, shape (lags,)
        Seconds; positive where the participant follows.
    name : str
        What the pair is called.
    polarity : bool
        What a dot marks in each window: the largest absolute correlation (True), or the largest.

    Raises
    ------
    ParameterError
        If the shapes don't belong together.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import figures
    >>> r = np.array([[0.1, 0.9, 0.2], [0.0, 0.8, 0.3]])  # 2 windows, 3 latencies
    >>> figure = figures.lag_heatmap(r, [1.0, 2.0], [0.0, 0.2, 0.4], name='smile')
    >>> figure.data[-1].y.round(1)  # the latency of the strongest correlation of each window
    array([0.2, 0.2], dtype=float32)
    """
    z = np.asarray(r, dtype=float)
    clock = np.asarray(times, dtype=float)
    seconds = np.asarray(latency, dtype=float)
    if z.shape != (len(clock), len(seconds)) or 0 in z.shape:
        raise ParameterError(
            "The correlations by window and lag cannot be drawn.",
            expected=f"{len(clock)} windows x {len(seconds)} lags",
            got=f"shape {z.shape}",
        )
    drawing = figure(300, f"{tick(name)}: correlation at every latency")
    drawing.add_traces(
        _layers(
            z.T,
            "r",
            CORRELATION_SCALE,
            "r = %{z:.2f}",
            "%{x:.1f} s, latency %{y:+.2f} s",
            {"x": clock, "y": seconds},
            180,
        )
    )
    _name_undefined(drawing, z)
    some = np.isfinite(z).any(axis=1)
    strength = np.abs(z[some]) if polarity else z[some]
    best = np.argmax(np.where(np.isfinite(strength), strength, -np.inf), axis=1)
    drawing.add_trace(
        trace(
            "scatter",
            x=small(clock[some]),
            y=small(seconds[best]),
            mode="markers",
            marker={"color": INK, "size": 4, "line": {"color": "#ffffff", "width": 1}},
            name="strongest correlation of each window",
            showlegend=True,
            hoverinfo="skip",
        )
    )
    return drawing.update_layout(
        showlegend=True,
        xaxis=axis("Centre of the window (s)"),
        yaxis=axis("Latency (s)"),
    )
