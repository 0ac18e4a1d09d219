"""The part of the report that shows trials: a picture, and the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.errors import ParameterError
from bitbox.report.drawing import Drawing, trace
from bitbox.report.tables import UNDEFINED, number
from bitbox.report.theme import INK, MUTED, PARTICIPANT, axis, figure, plain

if TYPE_CHECKING:
    import pandas as pd


def trials_chart(trials: pd.DataFrame) -> Drawing:
    """Draw every trial in its order: how much more like what was shown the response is.

    Parameters
    ----------
    trials : DataFrame
        One row a trial, with ``label``, ``score`` and ``hit``, as
        :class:`bitbox.analysis.trial_result.ImitationTrials` has them.

    Raises
    ------
    ParameterError
        If there is no trial.

    Examples
    --------
    >>> import pandas as pd
    >>> from bitbox.report import figures
    >>> trials = pd.DataFrame({'label': ['smile', 'frown'], 'score': [0.8, -0.1]})
    >>> figure = figures.trials_chart(trials.assign(hit=[True, False]))
    >>> [trace.name for trace in figure.data]
    ['most like what was shown', 'more like something else']
    """
    if not len(trials):
        raise ParameterError("Without trials nothing can be drawn.")
    order = np.arange(1, len(trials) + 1)
    score = np.asarray(trials["score"], dtype=float)
    hit = trials["hit"].fillna(False).astype(bool).to_numpy()
    drawing = figure(240, "What was shown and what was done, trial by trial", top=28)
    drawing.update_layout(
        showlegend=True,
        hovermode="closest",
        xaxis=axis("Trial"),
        yaxis=axis("Score; 0 is chance", zeroline=True, zerolinecolor=MUTED, zerolinewidth=1),
    )
    labels = [plain(str(label)) for label in trials["label"]]
    groups = (
        (hit, PARTICIPANT, "most like what was shown"),
        (~hit, "#ffffff", "more like something else"),
    )
    for where, fill, name in groups:
        drawing.add_trace(
            trace(
                "scatter",
                x=order[where],
                y=score[where],
                mode="markers",
                name=name,
                text=[label for label, there in zip(labels, where, strict=True) if there],
                marker={"color": fill, "size": 9, "line": {"color": INK, "width": 1}},
                hovertemplate="trial %{x}, %{text}: %{y:.2f}<extra></extra>",
            )
        )
    return drawing


def trial_rows(trials: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the table of trials as text: number, onset, shown, score, hit, latency, gain."""
    rows: list[tuple[str, ...]] = []
    for k, row in enumerate(trials.to_dict("records"), start=1):
        hit: Any = row["hit"]
        rows.append(
            (
                str(k),
                number(row["onset"], "seconds"),
                str(row["label"]),
                number(row["score"], "ratio"),
                UNDEFINED if hit is None or hit != hit or str(hit) == "<NA>" else
                ("yes" if hit else "no"),
                number(row["latency"], "seconds"),
                number(row["gain"], "ratio"),
            )
        )  # fmt: skip
    return rows


def trial_signal_rows(card: pd.DataFrame, alpha: float) -> list[tuple[bool, tuple[str, ...]]]:
    """Return the signals of a test in trials: whether it is beyond chance, and its row as text."""
    card = card.sort_values("z", ascending=False, na_position="last", kind="stable")
    return [
        (
            bool(row["p_fwer"] <= alpha),
            (
                str(name),
                number(row["z"], "z"),
                number(row["p"], "p"),
                number(row["p_fwer"], "p"),
                number(row["gain"], "ratio"),
            ),
        )
        for name, row in zip(card.index, card.to_dict("records"), strict=True)
    ]
