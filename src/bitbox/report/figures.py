"""Figures of movement over time: arrays in, Plotly figures out.

Nothing here knows of files, videos or the analysis. Latency is positive where the participant
follows. NaN is missing and is drawn as a gap, never as 0. Text that comes from outside is
escaped, because Plotly would read it as markup. The page of the report is made of the same
drawings, without Plotly's objects (`bitbox.report.drawing`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec

from bitbox.report import coverage, heatmaps, lines, profiles, rows, trials
from bitbox.report.drawing import Drawing
from bitbox.report.lines import DRAWN, course_title, course_values, thin

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "DRAWN",
    "correlation_heatmap",
    "course_title",
    "course_values",
    "coverage_strip",
    "lag_heatmap",
    "lag_profile_chart",
    "latency_chart",
    "latency_heatmap",
    "scorecard_chart",
    "thin",
    "time_course",
    "time_courses",
    "trials_chart",
]

Options = ParamSpec("Options")


def _as_plotly(draw: Callable[Options, Drawing]) -> Callable[Options, go.Figure]:
    """Return a function that gives Plotly's figure of what another draws."""

    @functools.wraps(draw)
    def drawn(*arguments: Options.args, **options: Options.kwargs) -> go.Figure:
        return draw(*arguments, **options).to_plotly()

    signature = inspect.signature(draw)
    drawn.__signature__ = signature.replace(return_annotation="go.Figure")  # type: ignore[attr-defined]
    return drawn


correlation_heatmap = _as_plotly(heatmaps.correlation_heatmap)
coverage_strip = _as_plotly(coverage.coverage_strip)
lag_heatmap = _as_plotly(heatmaps.lag_heatmap)
lag_profile_chart = _as_plotly(profiles.lag_profile_chart)
latency_chart = _as_plotly(rows.latency_chart)
latency_heatmap = _as_plotly(heatmaps.latency_heatmap)
scorecard_chart = _as_plotly(rows.scorecard_chart)
time_course = _as_plotly(lines.time_course)
time_courses = _as_plotly(lines.time_courses)
trials_chart = _as_plotly(trials.trials_chart)
