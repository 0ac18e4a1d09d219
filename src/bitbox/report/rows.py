"""Figures with one row a signal: how well it is imitated, and how late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import ParameterError
from bitbox.report.drawing import Drawing, trace
from bitbox.report.theme import (
    CHANCE,
    INK,
    MUTED,
    PARTICIPANT,
    QUIET,
    RULE,
    axis,
    figure,
    name_axis,
)
from bitbox.statistics import card

if TYPE_CHECKING:
    import pandas as pd

Column = NDArray[np.float64]
# With these columns it was tested whether a signal is imitated.
_SPECIFIC = {"p", "specific_p_fwer"}
#: Fill of signals that are in time, but not specific.
IN_TIME = "#b9cbe0"


def shape_column(scorecard: pd.DataFrame) -> str | None:
    """Return the name of the column that says how well a signal is imitated, if there is one."""
    return next((name for name in ("shape", "mean") if name in scorecard), None)


def significance_column(scorecard: pd.DataFrame) -> str | None:
    """Return the name of the column by which a signal is beyond chance, if there is one.

    Only p-values that are corrected for the number of signals will do; the family-wise p, by
    which the headline counts, comes first. Where all are missing the recordings are too short to
    tell, and no signal is said not to be beyond chance.
    """
    names = ("p_fwer", "q_fdr")
    return next((n for n in names if n in scorecard and scorecard[n].notna().any()), None)


def beyond_chance(scorecard: pd.DataFrame, alpha: float) -> NDArray[np.bool_]:
    """Say for every signal whether it is beyond chance at the level `alpha`, shape (k,).

    Corrected for the number of signals, or imitated.
    """
    column = significance_column(scorecard)
    if column is None:
        return np.zeros(len(scorecard), dtype=bool)
    found = np.asarray(_column(scorecard, column) <= alpha)
    return found | imitated(scorecard, alpha) if set(scorecard) >= _SPECIFIC else found


def imitated(scorecard: pd.DataFrame, alpha: float) -> NDArray[np.bool_]:
    """Say for every signal whether it is imitated: specific and in time, (k,).

    Where it was not tested whether it is specific: whether it is beyond chance.
    """
    if not set(scorecard) >= _SPECIFIC:
        return beyond_chance(scorecard, alpha)
    return card.imitated(scorecard, alpha)


def _column(scorecard: pd.DataFrame, name: str) -> Column:
    return np.asarray(scorecard[name], dtype=float)


def _rows(scorecard: pd.DataFrame, title: str, x_title: str, **layout: Any) -> Drawing:
    """Return an empty chart with one row a signal, the first on top."""
    names = [str(name) for name in scorecard.index]
    if not names:
        raise ParameterError("A scorecard without signals cannot be drawn.")
    row = 24 if len(names) <= 24 else 15
    return figure(
        row * len(names) + 76,
        title,
        top=28,
        showlegend=True,
        hovermode="closest",
    ).update_layout(
        xaxis=axis(x_title, zeroline=True, zerolinecolor=MUTED, zerolinewidth=1),
        yaxis=name_axis(
            names,
            range=[len(names) - 0.5, -0.5],
            showgrid=True,
            gridcolor="#f1f3f5",
            **QUIET,
        ),
        **layout,
    )


def scorecard_chart(scorecard: pd.DataFrame, *, alpha: float = 0.05) -> Drawing:
    """Draw how closely each signal is imitated, and what chance alone would give.

    Parameters
    ----------
    scorecard : DataFrame
        One row a signal, its name as index. Drawn are ``shape`` (or ``mean``) as a dot,
        ``chance_mean`` and ``chance_sd`` as a band of two standard deviations to either side,
        and ``p_fwer`` (or ``q_fdr``) as a filled dot where it is at most `alpha`, a pale one where
        ``specific_p_fwer`` is not: in time with the model, but not specific.
        Without chance columns, ``sd`` (over windows) is drawn as whiskers. Columns that are
        missing are left out.
    alpha : float
        Level of significance.

    Raises
    ------
    ParameterError
        If there is no signal, or neither ``shape`` nor ``mean``.

    Examples
    --------
    >>> import pandas as pd
    >>> from bitbox.report import figures
    >>> card = pd.DataFrame({'shape': [0.9, 0.6], 'p_fwer': [0.01, 0.6]}, index=['smile', 'frown'])
    >>> figure = figures.scorecard_chart(card)
    >>> [trace.name for trace in figure.data]
    ['beyond chance', 'not beyond']
    """
    column = shape_column(scorecard)
    if column is None:
        raise ParameterError(
            "The scorecard cannot be drawn.",
            expected="a column 'shape' or 'mean'",
            got=", ".join(map(str, scorecard.columns)) or "no columns",
        )
    drawing = _rows(
        scorecard, "How closely each signal is imitated", "Correlation r, mean over windows"
    )
    values = _column(scorecard, column)
    row = np.arange(len(scorecard))
    if {"chance_mean", "chance_sd"} <= set(scorecard):
        _add_chance(drawing, scorecard, row)
    else:
        drawing.update_layout(xaxis={"rangemode": "tozero"})
    if "chance_mean" not in scorecard and "sd" in scorecard:
        sd = _column(scorecard, "sd")
        _add_spans(drawing, (values - sd, values + sd), row, (CHANCE, 3), "±1 SD over windows")
    tested = significance_column(scorecard)
    if tested is None:
        groups = [(np.ones(len(values), dtype=bool), PARTICIPANT, "mean over windows")]
    else:
        yes, timed = imitated(scorecard, alpha), beyond_chance(scorecard, alpha)
        groups = [(yes, PARTICIPANT, "beyond chance"), (~timed, "#ffffff", "not beyond")]
        if (timed & ~yes).any():
            groups[1:1] = [(timed & ~yes, IN_TIME, "only in time")]
    for where, fill, label in groups:
        drawing.add_trace(
            trace(
                "scatter",
                x=values[where],
                y=row[where],
                mode="markers",
                name=label,
                marker={"color": fill, "size": 9, "line": {"color": PARTICIPANT, "width": 1.5}},
                hovertemplate="%{y}: r = %{x:.2f}<extra></extra>",
            )
        )
    return drawing


def _add_chance(drawing: Drawing, scorecard: pd.DataFrame, row: NDArray[np.intp]) -> None:
    mean, sd = _column(scorecard, "chance_mean"), _column(scorecard, "chance_sd")
    drawing.add_trace(
        trace(
            "bar",
            x=4 * sd,
            base=mean - 2 * sd,
            y=row,
            orientation="h",
            width=0.62,
            marker={"color": CHANCE, "line": {"width": 0}},
            name="chance ± 2 SD",
            customdata=np.stack([mean, sd], axis=1),
            hovertemplate="%{y}, by chance: %{customdata[0]:.2f} ± %{customdata[1]:.2f}"
            "<extra></extra>",
        )
    )


def _add_spans(
    drawing: Drawing,
    ends: tuple[Column, Column],
    row: NDArray[np.intp],
    line: tuple[str, float],
    name: str,
) -> None:
    """Draw one horizontal line a row; one trace for all of them."""
    gap = np.full(len(row), np.nan)
    drawing.add_trace(
        trace(
            "scatter",
            x=np.stack([*ends, gap], axis=1).ravel(),
            y=np.repeat(row, 3),
            mode="lines",
            line={"color": line[0], "width": line[1]},
            name=name,
            hoverinfo="skip",
        )
    )


def latency_chart(
    scorecard: pd.DataFrame, latencies: ArrayLike | None = None, *, alpha: float = 0.05
) -> Drawing:
    """Draw how late the participant is in each signal.

    Parameters
    ----------
    scorecard : DataFrame
        One row a signal, its name as index, with ``latency`` in seconds (positive where the
        participant follows) and, where known, ``latency_q25`` and ``latency_q75``.
    latencies : array_like, shape (windows, k), optional
        The latency in every window, in the order of the rows. Where given, median, quartiles
        and the middle 90 % are computed from them.
    alpha : float
        Level of significance. Signals that are tested and not beyond chance have hollow dots:
        their latency means little.

    Raises
    ------
    ParameterError
        If there is no signal or no latency, or the shape of `latencies` doesn't fit.

    Notes
    -----
    Without window-wise latencies and quartiles, the dot is what the column ``latency`` holds.

    Examples
    --------
    >>> import pandas as pd
    >>> from bitbox.report import figures
    >>> card = pd.DataFrame({'shape': [0.9], 'latency': [0.4], 'p_fwer': [0.01]}, index=['smile'])
    >>> figure = figures.latency_chart(card)
    >>> figure.layout.xaxis.title.text
    'Latency (s); right of 0: the participant follows'
    """
    drawing = _rows(
        scorecard,
        "How late the participant is",
        "Latency (s); right of 0: the participant follows",
    )
    drawing.update_layout(xaxis={"rangemode": "tozero"})
    hollow = ~beyond_chance(scorecard, alpha) & (significance_column(scorecard) is not None)
    row = np.arange(len(scorecard))
    levels = _levels(scorecard, latencies)
    if "5" in levels:
        _add_spans(drawing, (levels["5"], levels["95"]), row, (RULE, 2), "middle 90 %")
    if "25" in levels:
        _add_spans(drawing, (levels["25"], levels["75"]), row, ("#8fb0d1", 6), "middle half")
    drawing.add_trace(
        trace(
            "scatter",
            x=levels["centre"],
            y=row,
            mode="markers",
            marker={
                "color": np.where(hollow, "#ffffff", INK),
                "size": 6,
                "line": {"color": INK, "width": 1},
            },
            name="median" if "25" in levels else "latency",
            hovertemplate="%{y}: %{x:+.2f} s<extra></extra>",
        )
    )
    return drawing


def _levels(scorecard: pd.DataFrame, latencies: ArrayLike | None) -> dict[str, Column]:
    """Return the quantiles to draw, each of shape (k,), by name."""
    k = len(scorecard)
    if latencies is None:
        if "latency" not in scorecard:
            raise ParameterError(
                "Latencies cannot be drawn.", expected="a column 'latency'", got="none"
            )
        levels = {"centre": _column(scorecard, "latency")}
        if {"latency_q25", "latency_q75"} <= set(scorecard):
            levels["25"] = _column(scorecard, "latency_q25")
            levels["75"] = _column(scorecard, "latency_q75")
        return levels
    values = np.asarray(latencies, dtype=float)
    if values.ndim != 2 or values.shape[1] != k:
        raise ParameterError(
            "Latencies cannot be drawn.", expected=f"windows x {k}", got=f"shape {values.shape}"
        )
    found = np.full((5, k), np.nan)
    some = np.isfinite(values).any(axis=0)
    if some.any():
        found[:, some] = np.nanquantile(values[:, some], [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    return dict(zip(("5", "25", "centre", "75", "95"), found, strict=True))
