"""What the page shows of one family of signals: its scorecard, courses, pairs and latencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.report.collected import Drawn, Figures
from bitbox.report.content import ReportContent
from bitbox.report.drawing import Drawing
from bitbox.report.heatmaps import correlation_heatmap, lag_heatmap, latency_heatmap
from bitbox.report.lines import DRAWN, course_title, course_values, time_course, time_courses
from bitbox.report.maps import latency_map, quality_map
from bitbox.report.profiles import lag_profile_chart
from bitbox.report.rows import latency_chart, scorecard_chart, shape_column
from bitbox.report.series import Course, courses, matched, window_latencies
from bitbox.report.tables import in_order, scorecard_table
from bitbox.report.trials import trial_rows, trial_signal_rows, trials_chart

if TYPE_CHECKING:
    import pandas as pd

FEW = 6
"""How many signals are drawn one beneath the other."""

_POINTS = 300_000
_NARROW = 12


def family(content: ReportContent, drawings: Figures, number: int = 0) -> dict[str, Any]:
    """Work out what the template shows of a family; the first, number 0, has no name of its own."""
    prefix = f"family-{number}-" if number else ""
    drawings = drawings.within(prefix)
    scorecard = sorted_scorecard(content)
    names = _names(content, scorecard)
    lines = courses(content, names)
    return {
        "name": content.family,
        "prefix": prefix,
        "suffix": f": {content.family}" if content.family else "",
        "content": content,
        "table": None
        if scorecard is None
        else scorecard_table(scorecard, content.descriptions, content.alpha),
        "charts": _charts(content, scorecard, drawings),
        "maps": _maps(content, scorecard, drawings),
        "trials": _trials(content, drawings),
        "profile": _profile(content, drawings),
        "courses": _courses(content, lines, drawings),
        "matrix": _matrix(content, drawings),
        "surface_every": max((surface.every for surface in content.surfaces), default=1),
        "surfaces": [
            (surface.name, drawings.add(f"surface-{i}", _surface(surface)))
            for i, surface in enumerate(content.surfaces)
        ],
    }


def sorted_scorecard(content: ReportContent) -> pd.DataFrame | None:
    """Return the scorecard in the order in which it is shown, if there is one with a signal."""
    if content.scorecard is None or content.scorecard.empty:
        return None
    return in_order(content.scorecard)[0]


def _names(content: ReportContent, scorecard: pd.DataFrame | None) -> list[str]:
    """Return the names of the matched signals, in the order of the scorecard if there is one."""
    if scorecard is not None:
        return [str(name) for name in scorecard.index]
    if content.matrix is not None:
        return [name for name, _, _ in matched(content.matrix)]
    if content.aligned is not None:
        return [name for name in content.aligned[0].names if name in content.aligned[1].names]
    return []


def _charts(
    content: ReportContent, scorecard: pd.DataFrame | None, drawings: Figures
) -> list[Drawn]:
    if scorecard is None:
        return []
    charts = []
    if shape_column(scorecard):
        chart = scorecard_chart(scorecard, alpha=content.alpha)
        charts.append(drawings.add("chart-shape", chart))
    latencies = None
    if "latency_q25" not in scorecard:
        # a tested scorecard has quartiles of its own, over the windows that count
        latencies = window_latencies(content.matrix, [str(name) for name in scorecard.index])
    if latencies is not None or "latency" in scorecard:
        chart = latency_chart(scorecard, latencies, alpha=content.alpha)
        charts.append(drawings.add("chart-latency", chart))
    return charts


def _maps(content: ReportContent, scorecard: pd.DataFrame | None, drawings: Figures) -> list[Drawn]:
    """Draw where on the face or body what is imitated, how closely and how late."""
    if scorecard is None:
        return []
    drawn = {
        "map-quality": quality_map(scorecard, alpha=content.alpha),
        "map-latency": latency_map(scorecard, alpha=content.alpha),
    }
    return [drawings.add(name, drawing) for name, drawing in drawn.items() if drawing is not None]


def _courses(
    content: ReportContent, lines: Sequence[Course], drawings: Figures
) -> dict[str, Any] | None:
    """Draw the first few signals beneath each other, and each one by itself."""
    if not lines:
        return None
    few = lines[:FEW]
    limit = int(np.clip(_POINTS // (2 * len(lines)), DRAWN, 20_000))
    frames = len(lines[0].time)
    overview = None
    if len(lines) > 1:
        overview = time_courses(
            few[0].time,
            np.stack([line.participant for line in few], axis=1),
            np.stack([line.model for line in few], axis=1),
            [line.name for line in few],
            unit=few[0].unit,
            labels=content.labels,
            limit=limit,
        )
    single = _single_courses(content, lines, limit, drawings)
    return {
        "overview": None if overview is None else drawings.add("overview", overview),
        "few": len(few),
        "all": len(lines),
        "single": [
            (line.name, content.descriptions.get(line.name, ""), drawn)
            for line, drawn in zip(lines, single, strict=True)
        ],
        "by_window": any(line.r is not None for line in lines),
        "every": max(line.every for line in lines),
        "distance": any(line.distance for line in lines),
        "frames": frames,
        "limit": limit if frames > limit else None,
    }


def _single_courses(
    content: ReportContent, lines: Sequence[Course], limit: int, drawings: Figures
) -> list[Drawn]:
    """Draw the first signal by itself; the others are the same figure with other values."""
    first = drawings.add("course-0", _single_course(content, lines[0], limit))
    drawn = [first]
    for i, line in enumerate(lines[1:], start=1):
        if _parts(line) == _parts(lines[0]):
            values = course_values(
                line.time, (line.participant, line.model), line.r, line.latency, limit
            )
            title = course_title(line.name)
            drawn.append(drawings.add_like(f"course-{i}", title, first, values))
        else:
            drawn.append(drawings.add(f"course-{i}", _single_course(content, line, limit)))
    return drawn


def _parts(line: Course) -> tuple[str, bool, bool]:
    """Return what the figures of two signals must share to differ in values only."""
    return line.unit, line.r is None, line.latency is None


def _single_course(content: ReportContent, line: Course, limit: int) -> Drawing:
    return time_course(
        line.time,
        line.participant,
        line.model,
        name=line.name,
        unit=line.unit,
        window_times=line.window_times,
        window_r=line.r,
        window_latency=line.latency,
        labels=content.labels,
        limit=limit,
    )


def _matrix(content: ReportContent, drawings: Figures) -> dict[str, Any] | None:
    matrix = content.matrix
    if matrix is None:
        return None
    x_names, y_names = ([str(name) for name in names] for names in (matrix.x_names, matrix.y_names))
    r = correlation_heatmap(matrix.mean, x_names, y_names)
    latency = latency_heatmap(-np.asarray(matrix.lag, dtype=float), x_names, y_names)
    centred = r.layout["meta"]["centred"]
    return {
        "centred": centred,
        "r": drawings.add("matrix-r", r),
        "latency": drawings.add("matrix-latency", latency),
        "rows": len(x_names),
        "columns": len(y_names),
        "narrow": len(y_names) <= _NARROW,
        "windows": len(matrix.times),
        "matched": len(matched(matrix)),
    }


def _profile(content: ReportContent, drawings: Figures) -> Drawn | None:
    found = content.profile
    if found is None:
        return None
    chart = lag_profile_chart(found.latency, found.z, allowed=content.allowed)
    return drawings.add("lag-profile", chart)


def _trials(content: ReportContent, drawings: Figures) -> dict[str, Any] | None:
    if content.trials is None:
        return None
    return {
        "headline": content.trials.headline,
        "chart": drawings.add("trials-chart", trials_chart(content.trials.trials)),
        "rows": trial_rows(content.trials.trials),
        "signals": trial_signal_rows(content.trials.scorecard, content.alpha),
    }


def _surface(surface: Any) -> Drawing:
    return lag_heatmap(
        surface.r,
        surface.times,
        -np.asarray(surface.lags, dtype=float),
        name=surface.name,
        polarity=surface.polarity,
    )
