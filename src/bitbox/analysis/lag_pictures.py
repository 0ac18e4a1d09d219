"""The correlation at every lag of the signals that are imitated most: what a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.surface import lag_surface
from bitbox.report.content import LagSurface
from bitbox.signals.alignment import Aligned

if TYPE_CHECKING:
    import pandas as pd

#: Most signals that are shown, and most correlations of each: 150 kB of a report.
SIGNALS, CELLS = 4, 40_000


def lag_pictures(
    scorecard: pd.DataFrame,
    aligned: Aligned,
    plan: WindowPlan,
    parameters: Mapping[str, Any],
    alpha: float,
) -> list[LagSurface]:
    """Return the correlation at every lag of at most four signals.

    Parameters
    ----------
    scorecard : DataFrame
        Those imitated beyond chance at `alpha` are shown, the largest z first; none where there
        are none.
    aligned : Aligned
        Participant and model on one clock.
    plan : WindowPlan
        Windows and lags of the analysis. Of many windows only one of every few is computed, such
        that a picture holds no more than 40,000 correlations; it says so.
    parameters : mapping
        Of the analysis: ``components``, ``angular``, ``min_valid`` and ``polarity``.

    Returns
    -------
    list of LagSurface
    """
    found = scorecard[scorecard["p_fwer"] <= alpha]
    names = [str(n) for n in found.sort_values("z", ascending=False, kind="stable").index[:SIGNALS]]
    if not names:
        return []
    how = parameters["components"]
    x_names, x = aligned.participant.components(how, angular=parameters["angular"])
    y_names, y = aligned.model.components(how, angular=parameters["angular"])
    # only these, or of hours all signals are copied
    x = x.take([x_names.index(name) for name in names], axis=1)
    y = y.take([y_names.index(name) for name in names], axis=1)
    pairs = [(k, k) for k in range(len(names))]
    every = max(1, -(-plan.n_windows * plan.lags.size // CELLS))
    shown = replace(plan, step=plan.step * every)
    surface = lag_surface(x, y, pairs, shown, min_valid=parameters["min_valid"])
    times = shown.centres + float(aligned.model.time[0])
    return [
        LagSurface(
            name,
            np.ascontiguousarray(surface.r[:, :, k]),
            times,
            shown.lag_seconds,
            polarity=bool(parameters["polarity"]),
            every=every,
        )
        for k, name in enumerate(names)
    ]
