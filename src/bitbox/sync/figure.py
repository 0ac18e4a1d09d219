"""How well two recordings agree at every offset, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.errors import ParameterError
from bitbox.system.extras import need

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Points that are drawn; of more the highest of every few is.
_POINTS = 4000


def offset_figure(found: Any) -> go.Figure:
    """Return how well two recordings agree at every offset.

    Parameters
    ----------
    found : Offset
        What was found.

    Raises
    ------
    ParameterError
        There is nothing to draw.
    """
    if found.found is None:
        raise ParameterError("There is nothing to draw: the two recordings share nothing.")
    need("Drawing", "plotly")
    import plotly.graph_objects as go

    lags, curve = _thinned(found.found.curve_lags, found.found.curve)
    figure = go.Figure(go.Scattergl(x=lags, y=curve, mode="lines", line={"width": 1}))
    figure.add_vline(x=found.found.lag, line_dash="dot", line_color="#c0392b")
    figure.update_layout(
        title=str(found),
        xaxis_title="offset (s)",
        yaxis_title="agreement (standard deviations)",
        template="plotly_white",
        showlegend=False,
    )
    return figure


def _thinned(lags: Any, curve: Any) -> tuple[Any, Any]:
    some = max(1, len(lags) // _POINTS)
    count = len(lags) // some * some
    rows = np.nan_to_num(curve[:count], nan=-np.inf).reshape(-1, some).argmax(axis=1)
    at = np.arange(count // some) * some + rows
    return lags[at], curve[at]
