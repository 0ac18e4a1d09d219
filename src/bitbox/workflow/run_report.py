"""The report of a finished run: gathers what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bitbox.face_backend.unit_table import LOCAL_UNITS
from bitbox.provenance import versions
from bitbox.report.content import Person, ReportContent, Thumbnail
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
    quality = run.quality
    content = ReportContent(
        title="How closely the participant imitates the model",
        participant=person(run.participant),
        model=person(run.model),
        headline=str(quality.headline),
        scorecard=quality.scorecard,
        findings=run.findings,
        aligned=(quality.aligned.participant, quality.aligned.model),
        matrix=quality.matrix,
        windows=quality.windows,
        descriptions=describe(quality.scorecard.index),
        parameters=dict(quality.provenance.get("parameters", {})),
        provenance={"versions": versions(), **_sources(run)},
        methods=quality.methods(),
        data_dictionary=quality.data_dictionary,
    )
    return write_report(content, path)


def person(recording: Recording, pictures: int = 4) -> Person:
    """Return what the report shows of one person."""
    signals = recording.signals
    facts: dict[str, str] = {
        "Duration": f"{signals.duration:.1f} s",
        "Frame rate": f"{signals.rate:.2f} frames a second",
        "Frames": f"{signals.n_frames}",
    }
    size = signals.provenance.get("source", {}).get("size")
    if size:
        facts["Picture"] = f"{size[0]} x {size[1]} pixels"
    facts |= {"Signals": f"{len(signals.names)} ({signals.schema})", "Measured by": signals.backend}
    return Person(
        label=recording.role.capitalize(),
        file=recording.path.name,
        facts=facts,
        signals=signals,
        frames=[
            Thumbnail(time, image, points) for time, image, points in recording.pictures(pictures)
        ],
    )


def describe(names: Any) -> dict[str, str]:
    """Return the sentence of every signal that has one."""
    known: Mapping[str, str] = {
        unit.name: unit.sentence + (f" ({unit.action_unit})" if unit.action_unit else "")
        for unit in LOCAL_UNITS
    } | {
        "Rx": "Head nods: turned about the axis from ear to ear (radians).",
        "Ry": "Head shakes: turned about the vertical axis (radians).",
        "Rz": "Head tilts towards a shoulder (radians).",
        "Tx": "Head moves sideways (millimetres).",
        "Ty": "Head moves up or down (millimetres).",
        "Tz": "Head moves towards or away from the camera (millimetres).",
    }
    return {name: known[name] for name in names if name in known}


def _sources(run: Run) -> dict[str, Any]:
    return {
        recording.role: dict(recording.signals.provenance.get("source", {}))
        or {"file": recording.path.name}
        for recording in (run.participant, run.model)
    }
