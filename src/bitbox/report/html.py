"""The report: one HTML file that works offline and asks nobody for anything."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.files import replacing
from bitbox.findings import Finding
from bitbox.report.collected import Drawn, Figures
from bitbox.report.content import Person, Picture, ReportContent
from bitbox.report.coverage import coverage_strip
from bitbox.report.family import family, sorted_scorecard
from bitbox.report.page import filled, own_file
from bitbox.report.pictures import picture
from bitbox.report.rows import (
    beyond_chance,
    significance_column,
)
from bitbox.report.tables import flat, number, shown
from bitbox.report.words import PARAMETERS, SEVERITIES
from bitbox.system.extras import need

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Face:
    """A person as the page shows them."""

    person: Person
    coverage: str | None
    pictures: tuple[Picture, ...]


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
    drawings = Figures()
    context = _context(content, drawings)
    scripts = [plotly_js.read_text(encoding="utf-8"), own_file("report.js")]
    return filled(
        "report.html",
        scripts,
        own_file("report.css"),
        data=("figures_json", str(drawings)),
        **context,
    )


def _context(content: ReportContent, drawings: Figures) -> dict[str, Any]:
    """Work out everything that the template shows."""
    first = family(content, drawings)
    others = [family(one, drawings, k) for k, one in enumerate(content.more, start=1)]
    return {
        "content": content,
        "labels": content.labels,
        "first": first,
        "others": others,
        "glance": _glance(content, sorted_scorecard(content)),
        "severities": SEVERITIES,
        "findings": sorted(content.findings, key=_urgency),
        "urgent": [f for f in content.findings if f.severity != "info"],
        "faces": [_face(person) for person in content.people],
        "pictured": any(person.frames for person in content.people),
        "strip": _strip(content, drawings),
        "parameters": [
            (name, value, PARAMETERS.get(name, "")) for name, value in flat(content.parameters)
        ],
        "provenance": list(flat(content.provenance)),
        "methods": [part.strip() for part in (content.methods or "").split("\n\n") if part.strip()],
        "dictionary": _dictionary(content.data_dictionary),
    }


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


def _strip(content: ReportContent, drawings: Figures) -> Drawn | None:
    people = [
        (person.label, person.signals.time, np.isfinite(person.signals.values).any(axis=1))
        for person in content.people
        if person.signals is not None
    ]
    return drawings.add("strip", coverage_strip(people)) if people else None


def _dictionary(frame: pd.DataFrame | None) -> dict[str, Any] | None:
    if frame is None or frame.empty:
        return None
    if frame.index.name is not None:
        frame = frame.reset_index()
    return {
        "columns": [str(name) for name in frame.columns],
        "rows": [[shown(value) for value in row] for row in frame.itertuples(index=False)],
    }
