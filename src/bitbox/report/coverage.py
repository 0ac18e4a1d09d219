"""The figure of when each person was tracked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import ParameterError
from bitbox.report.drawing import Drawing, trace
from bitbox.report.theme import LOST, MUTED, QUIET, axis, figure, small, tick

_STRIP = 600


def coverage_strip(people: Sequence[tuple[str, ArrayLike, ArrayLike]]) -> Drawing:
    """Draw when each person was tracked, one strip a person.

    Parameters
    ----------
    people : sequence of (label, time, covered)
        What the person is called, the times of the frames (seconds, shape (T,)), and whether
        (or to which share of the signals, 0 to 1) each frame was measured, shape (T,).

    Raises
    ------
    ParameterError
        If there are not as many frames as times.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.report import figures
    >>> time = np.arange(300) / 30
    >>> figure = figures.coverage_strip([('Participant', time, time < 8)])
    >>> figure.layout.title.text
    'When each person was tracked'
    """
    drawing = figure(40 * len(people) + 52, "When each person was tracked")
    for row, (_, time, covered) in enumerate(people):
        clock = np.asarray(time, dtype=float)
        share = np.asarray(covered, dtype=float)
        if clock.shape != share.shape or clock.ndim != 1:
            raise ParameterError(
                "The coverage of a recording cannot be drawn.",
                expected="one number a frame",
                got=f"{share.shape} numbers for {clock.shape} times",
            )
        edges, means = _binned(clock, share)
        drawing.add_trace(
            trace(
                "heatmap",
                x=edges,
                y=[row - 0.32, row + 0.32],
                z=small(means[None, :]),
                zmin=0,
                zmax=1,
                colorscale=[[0, LOST], [1, "#a9bccd"]],
                showscale=False,
                hovertemplate="%{x:.1f} s: %{z:.0%} tracked<extra></extra>",
            )
        )
    return drawing.update_layout(
        xaxis=axis("Time in the recording (s)"),
        yaxis={
            **axis(**QUIET),
            "tickmode": "array",
            "tickvals": list(range(len(people))),
            "ticktext": [tick(label) for label, _, _ in people],
            "tickfont": {"size": 12, "color": MUTED},
            "range": [len(people) - 0.5, -0.5],
        },
    )


def _binned(
    clock: NDArray[np.float64], share: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average over at most 600 stretches of frames; return their edges and means."""
    if len(clock) == 0:
        return np.array([0.0, 1.0]), np.array([np.nan])
    step = float(np.median(np.diff(clock))) if len(clock) > 1 else 1.0
    starts = np.arange(0, len(clock), max(1, -(-len(clock) // _STRIP)))
    counts = np.diff(np.append(starts, len(clock)))
    means = np.add.reduceat(share, starts) / counts
    return np.append(clock[starts], clock[-1] + step), means
