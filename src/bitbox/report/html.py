"""The report: one HTML file that works offline and asks nobody for anything."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.files import replacing
from bitbox.findings import Finding
from bitbox.report.content import Person, Picture, ReportContent
from bitbox.report.coverage import coverage_strip
from bitbox.report.drawing import Drawing
from bitbox.report.heatmaps import correlation_heatmap, lag_heatmap, latency_heatmap
from bitbox.report.lines import DRAWN, course_title, course_values, time_course, time_courses
from bitbox.report.page import filled, own_file, safe_json
from bitbox.report.pictures import picture
from bitbox.report.profiles import lag_profile_chart
from bitbox.report.rows import (
    beyond_chance,
    latency_chart,
    scorecard_chart,
    shape_column,
    significance_column,
)
from bitbox.report.series import Course, courses, matched, window_latencies
from bitbox.report.tables import flat, in_order, number, scorecard_table, shown
from bitbox.report.theme import untitled
from bitbox.report.trials import trial_rows, trial_signal_rows, trials_chart
from bitbox.report.words import PARAMETERS, SEVERITIES
from bitbox.system.extras import need

if TYPE_CHECKING:
    import pandas as pd

Values = Mapping[str, NDArray[np.float32]]

FEW = 6
"""How many signals are drawn one beneath the other."""

_POINTS = 300_000
_NARROW = 12


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure's place in the page."""

    id: str
    title: str
    height: int
    narrowest: int | None = None
    broadest: int | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """A person as the page shows them."""

    person: Person
    coverage: str | None
    pictures: tuple[Picture, ...]


class _Figures:
    """Collects the figures of a page as JSON that is safe within a script element."""

    def __init__(self) -> None:
        self._json: dict[str, str] = {}

    def add(self, name: str, drawing: Drawing) -> Drawn:
        """Take a figure; its title becomes text of the page, where it can wrap and be read."""
        title = untitled(drawing)
        widths = drawing.layout.get("meta", {}).get("width", [None, None])
        self._json[name] = drawing.to_json()
        return Drawn(name, title, int(drawing.layout["height"]), *widths)

    def add_like(self, name: str, title: str, first: Drawn, values: Sequence[Values]) -> Drawn:
        """Take a figure that differs from an earlier one in values only; the page completes it."""
        traces = [{key: _encoded(array) for key, array in trace.items()} for trace in values]
        self._json[name] = json.dumps({"like": first.id, "data": traces})
        return replace(first, id=name, title=title)

    def __str__(self) -> str:
        return (
            "{"
            + ",".join(f"{safe_json(json.dumps(k))}:{safe_json(v)}" for k, v in self._json.items())
            + "}"
        )


def _encoded(array: NDArray[np.float32]) -> dict[str, str]:
    """Return numbers as Plotly reads them in the page."""
    little = array.astype("<f4", copy=False)
    return {"dtype": "f4", "bdata": base64.b64encode(little.tobytes()).decode("ascii")}


def write_report(content: ReportContent, path: str | Path) -> Path:
    """Write the report as one HTML file that works offline.

    Parameters
    ----------
    content : ReportContent
        What to show. A part that isn't given is left out.
    path : str or Path
        The file to write; a file of that name is replaced, in one step.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    BackendError
        If Plotly, Jinja or Pillow isn't installed.

    Notes
    -----
    The file holds everything it needs and forbids the browser to fetch anything else (by its
    content security policy). The same content gives the same file.

    Examples
    --------
    >>> from bitbox.report import ReportContent, write_report
    >>> write_report(ReportContent('Only a title'), 'report.html').name
    'report.html'
    """
    page = _render(content)
    target = Path(path)
    with replacing(target) as temporary:
        temporary.write_bytes(page.encode("utf-8", errors="replace"))
    return target


def _render(content: ReportContent) -> str:
    need("Making the report", "plotly")
    plotly_js = resources.files("plotly") / "package_data" / "plotly.min.js"
    drawings = _Figures()
    context = _context(content, drawings)
    scripts = [plotly_js.read_text(encoding="utf-8"), own_file("report.js")]
    return filled(
        "report.html",
        scripts,
        own_file("report.css"),
        data=("figures_json", str(drawings)),
        **context,
    )


def _context(content: ReportContent, drawings: _Figures) -> dict[str, Any]:
    """Work out everything that the template shows."""
    scorecard, _ = (None, None) if content.scorecard is None else in_order(content.scorecard)
    if scorecard is not None and scorecard.empty:
        scorecard = None
    names = _names(content, scorecard)
    lines = courses(content, names)
    return {
        "content": content,
        "labels": content.labels,
        "table": None
        if scorecard is None
        else scorecard_table(scorecard, content.descriptions, content.alpha),
        "charts": _charts(content, scorecard, drawings),
        "glance": _glance(content, scorecard),
        "severities": SEVERITIES,
        "findings": sorted(content.findings, key=_urgency),
        "urgent": [f for f in content.findings if f.severity != "info"],
        "faces": [_face(person) for person in content.people],
        "pictured": any(person.frames for person in content.people),
        "strip": _strip(content, drawings),
        "trials": _trials(content, drawings),
        "profile": _profile(content, drawings),
        "courses": _courses(content, lines, drawings),
        "matrix": _matrix(content, drawings),
        "surface_every": max((surface.every for surface in content.surfaces), default=1),
        "surfaces": [
            (surface.name, drawings.add(f"surface-{i}", _surface(surface)))
            for i, surface in enumerate(content.surfaces)
        ],
        "parameters": [
            (name, value, PARAMETERS.get(name, "")) for name, value in flat(content.parameters)
        ],
        "provenance": list(flat(content.provenance)),
        "methods": [part.strip() for part in (content.methods or "").split("\n\n") if part.strip()],
        "dictionary": _dictionary(content.data_dictionary),
    }


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
    content: ReportContent, scorecard: pd.DataFrame | None, drawings: _Figures
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


def _glance(content: ReportContent, scorecard: pd.DataFrame | None) -> list[tuple[str, str]]:
    """Return the few numbers beneath the headline."""
    facts: list[tuple[str, str]] = []
    if scorecard is not None:
        facts.append(("Signals compared", str(len(scorecard))))
        # where a signal is not imitated, its latency means nothing
        tested = significance_column(scorecard) is not None
        late = scorecard[beyond_chance(scorecard, content.alpha)] if tested else scorecard
        which = "signals in time" if tested else "signals"
        for card, column, label, form, unit in (
            (scorecard, "windows", "Windows a signal (median)", "count", ""),
            (scorecard, "z", "z against chance (median)", "z", ""),
            (late, "latency", f"Latency (median of {which})", "seconds", " s"),
        ):
            if column in card and card[column].notna().any():
                value = float(card[column].median())
                facts.append((label, number(value, form) + unit))  # type: ignore[arg-type]
    seen = [(person.label, share) for person in content.people if (share := _coverage(person))]
    if seen:
        labels, shares = zip(*seen, strict=True)
        facts.append((f"Frames measured: {', '.join(labels).lower()}", " · ".join(shares)))
    return facts


def _coverage(person: Person) -> str | None:
    """Say in which share of frames a person was measured."""
    if person.coverage is not None:
        return number(person.coverage, "share")
    if person.signals is None:
        return None
    return number(np.isfinite(person.signals.values).any(axis=1).mean(), "share")


def _urgency(finding: Finding) -> int:
    order = list(SEVERITIES)
    return order.index(finding.severity) if finding.severity in order else len(order)


def _face(person: Person) -> Face:
    pictures = (frame if isinstance(frame, Picture) else picture(frame) for frame in person.frames)
    return Face(person, _coverage(person), tuple(pictures))


def _strip(content: ReportContent, drawings: _Figures) -> Drawn | None:
    people = [
        (person.label, person.signals.time, np.isfinite(person.signals.values).any(axis=1))
        for person in content.people
        if person.signals is not None
    ]
    return drawings.add("strip", coverage_strip(people)) if people else None


def _courses(
    content: ReportContent, lines: Sequence[Course], drawings: _Figures
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
    content: ReportContent, lines: Sequence[Course], limit: int, drawings: _Figures
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


def _matrix(content: ReportContent, drawings: _Figures) -> dict[str, Any] | None:
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


def _profile(content: ReportContent, drawings: _Figures) -> Drawn | None:
    found = content.profile
    if found is None:
        return None
    chart = lag_profile_chart(found.latency, found.z, allowed=content.allowed)
    return drawings.add("lag-profile", chart)


def _trials(content: ReportContent, drawings: _Figures) -> dict[str, Any] | None:
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


def _dictionary(frame: pd.DataFrame | None) -> dict[str, Any] | None:
    if frame is None or frame.empty:
        return None
    if frame.index.name is not None:
        frame = frame.reset_index()
    return {
        "columns": [str(name) for name in frame.columns],
        "rows": [[shown(value) for value in row] for row in frame.itertuples(index=False)],
    }
