"""The report of a finished run: gathers what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bitbox.report.content import Person, ReportContent
from bitbox.report.from_quality import person, quality_content
from bitbox.report.html import write_report
from bitbox.workflow.finished_run import Run
from bitbox.workflow.recordings import Recording


def can_report() -> bool:
    """Whether the libraries of the report extra are there."""
    return all(find_spec(name) is not None for name in ("plotly", "jinja2", "PIL"))


def write_run_report(run: Run, path: Path) -> Path:
    """Write the report of a run as one HTML file.

    Parameters
    ----------
    run : Run
        A finished analysis.
    path : Path
        The file.

    Raises
    ------
    BackendError
        If Plotly or Jinja isn't installed.
    """
    content = _content(run)
    if run.more:
        more = tuple(replace(_content(one), family=one.family) for one in run.more)
        content = replace(content, family=run.family, more=more)
    return write_report(content, path)


def _content(run: Run) -> ReportContent:
    """Return what the report shows of one family of signals."""
    return quality_content(
        run.quality,
        participant=recorded_person(run.participant, more=run.clocks.facts()),
        model=recorded_person(run.model),
        findings=run.findings,
        sources=_sources(run),
        surfaces=run.quality.lag_pictures(),
        trials=run.trials,
        methods=run.methods(),
    )


def recorded_person(
    recording: Recording, pictures: int = 4, more: Mapping[str, str] | None = None
) -> Person:
    """Return what the report shows of one person, `more` and a few pictures from the video."""
    return person(
        recording.signals,
        recording.role.capitalize(),
        file=recording.path.name,
        frames=recording.pictures(pictures),
        more=_face(recording) | _side(recording) | dict(more or {}),
    )


def _face(recording: Recording) -> dict[str, str]:
    """Return which face it is, where one was chosen."""
    if recording.landmarks is None:
        return {}
    face = recording.landmarks.provenance.get("settings", {}).get("face", "largest")
    if face == "largest":
        return {}
    which = f"the {face} face" if isinstance(face, str) else f"face {face}, from the left,"
    return {"Face": f"{which} of {recording.path.name}"}


def _side(recording: Recording) -> dict[str, str]:
    """Return where the person's left is seen, for whoever looks at the pictures."""
    if not recording.is_video:
        return {"Left and right": "exchanged, as was stated"} if recording.flipped else {}
    if recording.flipped:
        return {
            "Left and right": "the camera flipped the picture (as was stated): the person's left "
            "is on the left of it, as in a mirror"
        }
    return {"Left and right": "the person's left is on the right of the picture"}


def _sources(run: Run) -> dict[str, Any]:
    return {
        recording.role: dict(recording.signals.provenance.get("source", {}))
        or {"file": recording.path.name}
        for recording in (run.participant, run.model)
    }
