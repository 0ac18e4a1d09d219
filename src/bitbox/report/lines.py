"""Figures of signals over time: both people on one clock, and the correlation by window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import ParameterError
from bitbox.report.drawing import Drawing, Trace, trace
from bitbox.report.theme import (
    INK,
    MODEL,
    PARTICIPANT,
    QUIET,
    RULE,
    axis,
    figure,
    plain,
    short,
    small,
    tick,
)

FloatArray = NDArray[np.float64]
Values = NDArray[np.float32]

DRAWN = 1800
"""Most points that one line is drawn from, unless told otherwise."""

_ROW = 84
LABELS = ("Participant", "Model")


def thin(values: ArrayLike, limit: int = DRAWN) -> NDArray[np.intp]:
    """Choose which samples of a long signal to draw, such that its outline stays true.

    Parameters
    ----------
    values : array_like, shape (T,)
        The signal; NaN is missing.
    limit : int
        Most samples to keep, at least 3.

    Returns
    -------
    ndarray of int
        Indices in rising order: all of them where T <= limit. Otherwise the signal is cut into
        equal stretches, and the lowest and the highest value of each stretch are kept, together
        with one missing value where there is any, so that gaps stay gaps.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import figures
    >>> wave = np.sin(np.arange(10_000) / 50)
    >>> len(figures.thin(wave, 600)) <= 600
    True
    """
    signal = np.asarray(values, dtype=float)
    if limit < 3:
        raise ParameterError("A line needs points.", expected="limit >= 3", got=str(limit))
    if len(signal) <= limit:
        return np.arange(len(signal))
    width = -(-len(signal) // (limit // 3))
    n = -(-len(signal) // width)
    padded = np.full(n * width, np.nan)
    padded[: len(signal)] = signal
    stretches = padded.reshape(n, width)
    missing = ~np.isfinite(stretches)
    kept = (
        np.argmin(np.where(missing, np.inf, stretches), axis=1),
        np.argmax(np.where(missing, -np.inf, stretches), axis=1),
        np.argmax(missing, axis=1),
    )
    found = (~missing.all(axis=1), ~missing.all(axis=1), missing.any(axis=1))
    start = np.arange(n) * width
    chosen = np.unique(
        np.concatenate([(start + at)[yes] for at, yes in zip(kept, found, strict=True)])
    )
    inside: NDArray[np.intp] = chosen[chosen < len(signal)]
    return inside


def _points(
    time: FloatArray, pair: tuple[FloatArray, FloatArray], limit: int
) -> list[dict[str, Values]]:
    """Return x and y of the two lines: the model's, then the participant's."""
    chosen = [(values, thin(values, limit)) for values in pair[::-1]]
    return [{"x": small(time[at]), "y": small(values[at])} for values, at in chosen]


def course_values(
    time: FloatArray,
    pair: tuple[FloatArray, FloatArray],
    window_r: FloatArray | None = None,
    window_latency: FloatArray | None = None,
    limit: int = DRAWN,
) -> list[dict[str, Values]]:
    """Return what differs between figures of :func:`time_course` on one clock, trace by trace.

    A page that holds many of them holds one figure, and these values for each of the others.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import figures
    >>> time = np.arange(90) / 30
    >>> model, participant = figures.course_values(time, (np.sin(time), np.cos(time)))
    >>> sorted(model)
    ['x', 'y']
    """
    values = _points(time, pair, limit)
    if window_r is not None:
        latency = {} if window_latency is None else {"customdata": small(window_latency)}
        values.append({"y": small(window_r), **latency})
    return values


def _lines(
    time: FloatArray,
    pair: tuple[FloatArray, FloatArray],
    labels: tuple[str, str],
    limit: int,
    **changes: Any,
) -> list[Trace]:
    """Draw the model, broad and behind; the participant, fine and in front."""
    styles = {"participant": (PARTICIPANT, 1.5, 1), "model": (MODEL, 2.2, 2)}
    traces = []
    points = _points(time, pair, limit)
    for who, at, label in zip(("model", "participant"), points, labels[::-1], strict=True):
        colour, width, rank = styles[who]
        traces.append(
            trace(
                "scatter",
                **at,
                mode="lines",
                name=plain(short(label)),
                legendgroup=who,
                legendrank=rank,
                line={"color": colour, "width": width},
                hovertemplate="%{y:.3g}",
                **changes,
            )
        )
    return traces


def _checked(
    time: ArrayLike, participant: ArrayLike, model: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    clock, x, y = (np.asarray(a, dtype=float) for a in (time, participant, model))
    if x.shape != y.shape or clock.ndim != 1 or x.ndim == 0 or len(x) != len(clock):
        raise ParameterError(
            "Participant and model cannot be drawn on one clock.",
            expected="as many values as there are times",
            got=f"times {clock.shape}, participant {x.shape}, model {y.shape}",
        )
    return clock, x, y


def course_title(name: str) -> str:
    """Return the title of a figure of :func:`time_course`, as text.

    Examples
    --------
    >>> from bitbox.report import figures
    >>> figures.course_title('smile')
    'smile: participant over model'
    """
    return f"{short(name)}: participant over model"


def time_course(
    time: ArrayLike,
    participant: ArrayLike,
    model: ArrayLike,
    *,
    name: str,
    unit: str = "",
    window_times: ArrayLike | None = None,
    window_r: ArrayLike | None = None,
    window_latency: ArrayLike | None = None,
    labels: tuple[str, str] = LABELS,
    limit: int = DRAWN,
) -> Drawing:
    """Draw one signal of both people on one clock, and beneath it the correlation by window.

    Parameters
    ----------
    time, participant, model : array_like, shape (T,)
        Seconds, and the values of both; NaN is missing and drawn as a gap.
    name, unit : str
        What the signal is called and what it is measured in.
    window_times, window_r, window_latency : array_like, shape (windows,), optional
        Centre times of the windows (seconds), correlation at the best lag, and the latency
        there (seconds, positive where the participant follows).
    labels : tuple of str
        What participant and model are called.
    limit : int
        Most points a line is drawn from, see :func:`thin`.

    Raises
    ------
    ParameterError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import figures
    >>> time = np.arange(90) / 30
    >>> figure = figures.time_course(time, np.sin(time), np.cos(time), name='smile', unit='mm')
    >>> [trace.name for trace in figure.data]
    ['Model', 'Participant']
    """
    clock, x, y = _checked(time, participant, model)
    drawing = figure(
        240 if window_times is None or window_r is None else 330,
        plain(course_title(name)),
        hovermode="x unified",
        showlegend=True,
    )
    drawing.add_traces(_lines(clock, (x, y), labels, limit))
    seconds = axis("Time (s)")
    span = _span(clock)
    drawing.update_layout(
        xaxis={**seconds, "range": span},
        yaxis=axis(plain(unit) if unit else "Value", nticks=5),
    )
    if window_times is not None and window_r is not None:
        latency = None if window_latency is None else np.asarray(window_latency, dtype=float)
        _add_windows(drawing, window_times, window_r, latency)
        drawing.update_layout(
            xaxis={**axis(), "range": span, "showticklabels": False, "matches": "x2"},
            xaxis2={**seconds, "range": span, "anchor": "y2"},
            yaxis={"domain": [0.43, 1.0]},
            yaxis2={
                **axis("Correlation r", nticks=5, zeroline=True, zerolinecolor=RULE),
                "domain": [0.0, 0.33],
                "range": [-1.08, 1.08],
                "tickvals": [-1, 0, 1],
            },
        )
    return drawing


def _span(clock: FloatArray) -> list[float]:
    """Return the range of a time axis, with some room where there is only one instant."""
    if len(clock) == 0:
        return [0.0, 1.0]
    first, last = float(clock[0]), float(clock[-1])
    return [first, last] if last > first else [first - 0.5, first + 0.5]


def _add_windows(
    drawing: Drawing, times: ArrayLike, r: ArrayLike, latency: FloatArray | None
) -> None:
    values = np.asarray(r, dtype=float)
    follows = "<br>participant %{customdata:+.2f} s later" if latency is not None else ""
    drawing.add_trace(
        trace(
            "scatter",
            x=small(times),
            y=small(values),
            customdata=None if latency is None else small(latency),
            mode="lines+markers",
            name="r by window",
            showlegend=False,
            line={"color": RULE, "width": 1},
            marker={"color": INK, "size": 4},
            hovertemplate=f"r = %{{y:.2f}}{follows}<extra></extra>",
            xaxis="x2",
            yaxis="y2",
        )
    )


def time_courses(
    time: ArrayLike,
    participant: ArrayLike,
    model: ArrayLike,
    names: Sequence[str],
    *,
    unit: str = "",
    labels: tuple[str, str] = LABELS,
    limit: int = DRAWN,
) -> Drawing:
    """Draw several signals of both people, one beneath the other on one clock.

    Parameters
    ----------
    time : array_like, shape (T,)
        Seconds.
    participant, model : array_like, shape (T, k)
        The values; NaN is missing and drawn as a gap.
    names : sequence of str
        The k names.
    unit : str
        What all of them are measured in.
    labels, limit
        As for :func:`time_course`.

    Raises
    ------
    ParameterError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import figures
    >>> time = np.arange(90) / 30
    >>> pair = np.column_stack([np.sin(time), np.cos(time)])
    >>> figure = figures.time_courses(time, pair, pair[:, ::-1], ['smile', 'frown'])
    >>> len(figure.data)
    4
    """
    clock, x, y = _checked(time, participant, model)
    k = len(names)
    if x.ndim != 2 or x.shape[1] != k or k == 0:
        raise ParameterError(
            "Signals and names don't belong together.",
            expected=f"{k} columns" if k else "at least one signal",
            got=f"shape {x.shape}",
        )
    top = 46
    drawing = figure(
        _ROW * k + top + 44,
        "Participant over model, signal by signal",
        top=top,
        showlegend=True,
        hovermode="x",
    ).update_layout(legend={"y": 1 + 16 / (_ROW * k)})
    gap = 0.0 if k == 1 else 0.14 / k
    for i, name in enumerate(names):
        upper = 1 - i / k
        number = "" if i == 0 else str(i + 1)
        drawing.add_traces(
            _lines(
                clock,
                (x[:, i], y[:, i]),
                labels,
                limit,
                xaxis="x",
                yaxis=f"y{number}",
                showlegend=i == 0,
            )
        )
        place = {
            **axis(nticks=4, **QUIET),
            "domain": [max(0.0, upper - 1 / k + gap), upper - gap],
            "zeroline": True,
            "zerolinecolor": RULE,
            "anchor": "x",
        }
        drawing.update_layout(**{f"yaxis{number}": place})
        _name_row(drawing, name, unit, upper)
    last = "y" if k == 1 else f"y{k}"
    return drawing.update_layout(xaxis={**axis("Time (s)"), "range": _span(clock), "anchor": last})


def _name_row(drawing: Drawing, name: str, unit: str, upper: float) -> None:
    """Write a signal's name and unit over its row."""
    drawing.layout.setdefault("annotations", []).append(
        {
            "text": f"<b>{tick(name)}</b>" + (f"  {plain(unit)}" if unit else ""),
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": upper,
            "yshift": -2,
            "xanchor": "left",
            "yanchor": "middle",
            "showarrow": False,
            "font": {"size": 11.5, "color": INK},
            "bgcolor": "rgba(255,255,255,0.75)",
        }
    )
