"""How movements match at every latency: a line, with the latencies that were allowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bitbox.errors import ParameterError
from bitbox.report.drawing import Drawing, trace
from bitbox.report.theme import CHANCE, FAINT, MUTED, PARTICIPANT, axis, figure


def lag_profile_chart(
    latency: ArrayLike, z: ArrayLike, *, allowed: tuple[float, float] | None = None
) -> Drawing:
    """Draw how much better movements match their own counterparts than others, by latency.

    Parameters
    ----------
    latency : array_like, shape (L,)
        Seconds; positive: the participant follows.
    z : array_like, shape (L,)
        How far matching pairs are ahead, in standard deviations of chance.
    allowed : (float, float), optional
        Latencies that the analysis allowed, shaded.

    Raises
    ------
    ParameterError
        If both are not as long as each other, or empty.

    Examples
    --------
    >>> from bitbox.report import figures
    >>> figure = figures.lag_profile_chart([-1, 0, 1], [0.2, 1.0, 3.5], allowed=(0, 1.2))
    >>> figure.layout.xaxis.title.text
    'Latency (s); right of 0: the participant follows'
    """
    x, y = (np.asarray(values, dtype=float) for values in (latency, z))
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise ParameterError(
            "The profile of latencies cannot be drawn.",
            expected="as many z as latencies, one or more",
            got=f"shapes {x.shape} and {y.shape}",
        )
    drawing = figure(240, "At which latency movements match their own counterparts", top=28)
    drawing.update_layout(
        showlegend=True,
        hovermode="closest",
        xaxis=axis("Latency (s); right of 0: the participant follows"),
        yaxis=axis("z against chance", zeroline=True, zerolinecolor=MUTED, zerolinewidth=1),
    )
    if allowed is not None:
        low, high = (float(v) for v in (np.nanmin([*y, -2.0]), np.nanmax([*y, 2.0])))
        drawing.add_trace(
            trace(
                "scatter",
                x=np.array([allowed[0], allowed[1], allowed[1], allowed[0]]),
                y=np.array([low, low, high, high]),
                mode="lines",
                fill="toself",
                fillcolor=FAINT,
                line={"width": 0},
                name="allowed lags",
                hoverinfo="skip",
            )
        )
    for level in (-2.0, 2.0):
        drawing.add_trace(
            trace(
                "scatter",
                x=x[[0, -1]],
                y=np.array([level, level]),
                mode="lines",
                line={"color": CHANCE, "width": 1, "dash": "dot"},
                name="chance ± 2 SD",
                showlegend=level > 0,
                hoverinfo="skip",
            )
        )
    drawing.add_trace(
        trace(
            "scatter",
            x=x,
            y=y,
            mode="lines",
            line={"color": PARTICIPANT, "width": 2},
            name="all signals",
            hovertemplate="%{x:+.1f} s: z = %{y:.1f}<extra></extra>",
        )
    )
    return drawing
