"""What the commands print when they are done."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitbox.cli.results import show_results
from bitbox.cli.terminal import Formats, Terminal
from bitbox.report.descriptions import describe
from bitbox.workflow.recordings import is_video, refuse_stated
from bitbox.workflow.results_folder import RECORD

if TYPE_CHECKING:
    import pandas as pd

    from bitbox.analysis.suggest import Suggestion
    from bitbox.analysis.trial_result import ImitationTrials
    from bitbox.synthetic.demo import DemoPair
    from bitbox.workflow.finished_run import Run

_FORMATS: Formats = {
    "shape": "{:.2f}".format,
    "sd": "{:.2f}".format,
    "chance_mean": "{:.2f}".format,
    "z": "{:.1f}".format,
    "p_fwer": "{:.3f}".format,
    "q_fdr": "{:.3f}".format,
    "specific_p_fwer": "{:.3f}".format,
    "latency": "{:.2f} s".format,
    "gain": "{:.2f}".format,
    "windows": "{:.0f}".format,
    "coverage": "{:.0%}".format,
}
_LEGEND = (
    "shape, sd: mean and standard deviation over windows of the correlation at the best lag; "
    "chance: the mean for uncoupled copies; z: how far beyond; p, q: corrected for the number of "
    "movements; specific: p that it goes with this movement of the model more than with others; "
    "imitated: specific, and its own p (in scorecard.csv), of at most 0.05; latency: positive, the "
    "participant follows; gain: "
    "size relative to the model."
)
#: Columns that a narrow terminal can do without, the first first: scorecard.csv has them all.
_SPARE = ("windows", "sd", "q_fdr", "coverage", "chance_mean", "gain", "z")
_HEADINGS: Mapping[str, str] = {
    "signal": "movement",
    "chance_mean": "chance",
    "p_fwer": "p (fwer)",
    "q_fdr": "q (fdr)",
    "specific_p_fwer": "specific",
}


def show_run(terminal: Terminal, run: Run) -> None:
    """Print headline, scorecard, findings and where the report is."""
    for one in run.families:
        _show_family(terminal, one, f": {one.family}" if run.more else "")
    terminal.show(_LEGEND)
    terminal.findings(run.findings)
    terminal.show(_where(run), whole=True)


def _show_family(terminal: Terminal, run: Run, which: str) -> None:
    """Print headline, scorecard and what else there is of one family of signals."""
    terminal.show(str(run.quality.headline), style="bold")
    terminal.show()
    title = f"Scorecard{which}"
    terminal.table(by_strength(with_sd(run)), title, _FORMATS, _HEADINGS, _SPARE)
    if run.quality.specificity is not None:
        terminal.show(str(run.quality.specificity))
    terminal.show(str(run.quality.difference))
    if run.trials is not None:
        _show_trials(terminal, run.trials)
    terminal.show()


def _show_trials(terminal: Terminal, trials: ImitationTrials) -> None:
    """Print what a test in trials found, trial by trial."""
    terminal.show()
    terminal.show(trials.headline, style="bold")
    table = trials.trials.assign(
        hit=["–" if hit is None else "yes" if hit else "no" for hit in _hits(trials.trials)],
        trial=[str(k) for k in range(1, len(trials.trials) + 1)],
    ).set_index("trial")
    formats: Formats = {
        "onset": "{:.1f} s".format,
        "label": str,
        "score": "{:.2f}".format,
        "hit": str,
        "latency": "{:.2f} s".format,
        "gain": "{:.2f}".format,
    }
    headings = {"signal": "trial", "label": "shown", "hit": "most like it"}
    terminal.table(table, "Trials", formats, headings, ("gain", "latency"))


def _hits(trials: pd.DataFrame) -> list[bool | None]:
    """Return whether each trial is a hit; None: it was not used."""
    return [bool(hit) if known else None for hit, known in zip(
        trials["hit"], trials["hit"].notna(), strict=True
    )]  # fmt: skip


def _where(run: Run) -> str:
    """Return where to look next."""
    report = run.folder / "report.html"
    return f"Report: {report}" if report in run.files else f"Results: {run.folder}"


def show_demo(terminal: Terminal, runs: Sequence[Run], pair: DemoPair) -> None:
    """Print what was measured beside what is true."""
    from bitbox.workflow.demo import beside_truth

    landmarks = runs[0].participant.landmarks
    body = landmarks is not None and landmarks.kind == "body"
    titles = ("The body",) if body else ("The face", "The head")
    for run, title in zip(runs, titles, strict=False):
        table = beside_truth(run, pair).join(with_sd(run)["sd"])
        truth: Formats = {
            "movement": str,
            "imitated": lambda value: "yes" if value else "no",
            "delay": "{:.2f} s".format,
            "true_gain": "{:.2f}".format,
        }
        headings = {
            **_HEADINGS,
            "signal": "signal",
            "imitated": "imitated?",
            "delay": "true delay",
            "true_gain": "true gain",
        }
        terminal.table(
            table,
            f"{title}: truth (left) and measurement",
            {**truth, **_FORMATS},
            headings,
            _SPARE,
        )
    terminal.show(_LEGEND)
    for run in runs:
        terminal.findings(run.findings)
    which = " --signals body-angles" if body else ""
    again = f"bitbox imitate {pair.participant} {pair.model}{which} -o results/"
    terminal.show(f"Your own videos: {again}", whole=True)
    for run in runs:
        terminal.show(_where(run), whole=True)


def with_sd(run: Run) -> pd.DataFrame:
    """Return the scorecard with the standard deviation over windows beside the shape."""
    matrix = run.quality.matrix
    sd = [
        float(matrix.std[matrix.x_names.index(name), matrix.y_names.index(name)])
        for name in run.quality.scorecard.index
    ]
    return run.quality.scorecard.assign(sd=sd)


def by_strength(scorecard: pd.DataFrame) -> pd.DataFrame:
    """Return the scorecard with the strongest evidence first, the untested last."""
    return scorecard.sort_values("z", ascending=False, na_position="last", kind="stable")


def show_info(terminal: Terminal, path: Path, stated: Mapping[str, Any]) -> None:
    """Print what a file holds, read as the user states, or a folder of results."""
    given = {name: value for name, value in stated.items() if value is not None}
    if os.path.isfile(path / RECORD):
        refuse_stated(path, given, "a folder of results")
        show_results(terminal, path)
    elif is_video(path):
        refuse_stated(path, given)
        _show_video(terminal, path)
    else:
        _show_signals(terminal, path, given)


def _show_video(terminal: Terminal, path: Path) -> None:
    from bitbox.video import probe

    info = probe(path)
    terminal.show(f"{path.name}: a video", style="bold")
    facts = {
        "picture": f"{info.width} x {info.height} pixels",
        "rotation": f"turned by {info.rotation} degrees to be upright" if info.rotation else None,
        "frame rate": f"{info.fps:.2f} frames a second on average",
        "frames": None if info.n_frames is None else f"{info.n_frames} declared",
        "duration": None if info.duration is None else f"{info.duration:.2f} s",
        "first frame at": f"{info.start_time:.3f} s",
        "codec": f"{info.codec}, {info.pixel_format}",
        "interlaced": "yes" if info.interlaced else None,
        "sound": "yes" if info.has_audio else "no",
    }
    _show_facts(terminal, facts)


def _show_signals(terminal: Terminal, path: Path, stated: Mapping[str, Any]) -> None:
    import pandas as pd

    from bitbox.readers import read_signals

    signals = read_signals(path, **stated)
    terminal.show(f"{path.name}: {signals.kind} signals", style="bold")
    source = signals.provenance.get("source", {})
    facts = {
        "schema": f"{signals.schema}, in {signals.units}",
        "measured by": signals.backend,
        "from": source.get("file"),
        "frames": f"{signals.n_frames}",
        "time": f"{signals.time[0]:.3f} to {signals.time[-1]:.3f} s",
        "frame rate": f"{signals.rate:.2f} frames a second",
    }
    _show_facts(terminal, facts)
    frame = pd.DataFrame(
        {
            "coverage": signals.coverage,
            "mean": _quietly(signals.values, "nanmean"),
            "sd": _quietly(signals.values, "nanstd"),
        },
        index=list(signals.names),
    )
    numbers = "{:.4g}".format
    formats = {"coverage": "{:.0%}".format, "mean": numbers, "sd": numbers}
    terminal.table(frame, "Signals", formats, {})
    for name, sentence in describe(signals.names).items():
        terminal.show(f"  {name}: {sentence}", style="dim")
    terminal.findings(signals.findings)


def show_suggestion(terminal: Terminal, suggestion: Suggestion, table: pd.DataFrame | None) -> None:
    """Print the proposed settings, and what other settings give."""
    terminal.advise(str(suggestion))
    chosen = " ".join(f"--{name} {value:g}" for name, value in suggestion.settings().items())
    terminal.show(f"bitbox imitate ... {chosen}", whole=True)
    if table is not None:
        formats: Formats = {
            "lag": "{:g} s".format,
            "imitated": "{:.0f}".format,
            "tested": "{:.0f}".format,
            "median_z": "{:.1f}".format,
            "least": "{:.3f}".format,
        }
        shown = table.assign(width=[f"{width:g} s" for width in table["width"]]).set_index("width")
        headings = {"signal": "width", "imitated": "beyond chance", "median_z": "median z"}
        headings["least"] = "smallest p possible"
        terminal.table(shown, "How the headline changes with the settings", formats, headings)
        if table["least"].isna().any():
            terminal.show(
                "Settings without a smallest p possible (–): the recordings are too short for them "
                "to tell anything."
            )


def show_models(terminal: Terminal) -> None:
    """Print which models are there."""
    from bitbox.measuring import models

    if models.brings_models():
        terminal.show("This MediaPipe brings its models along: there is nothing to install.")
        return
    for bundle in models.BUNDLES:
        if models.is_installed(bundle):
            terminal.show(
                f"Installed: {bundle.what}, in {bundle.path} "
                f"({bundle.path.stat().st_size / 1e6:.1f} MB; licence in {models.LICENCE_NAME} "
                "beside it)."
            )
        else:
            what = "damaged" if bundle.path.exists() else "not installed"
            terminal.show(f"The {bundle.what} are {what}. Install them: bitbox models install.")


def show_cache(terminal: Terminal, folder: Path) -> None:
    """Print what is stored in a folder."""
    import pandas as pd

    from bitbox.face_backend import Cache

    cache = Cache.at(folder)
    entries = cache.entries()
    total = sum(entry.size for entry in entries) / 1e6
    if entries:
        frame = pd.DataFrame(
            {
                "what": [entry.what for entry in entries],
                "size": [entry.size / 1e6 for entry in entries],
                "written": [f"{entry.modified:%Y-%m-%d %H:%M}" for entry in entries],
                "expired": ["yes" if entry.expired else "no" for entry in entries],
            },
            index=[entry.recording for entry in entries],
        )
        formats: Formats = {
            "what": str,
            "size": "{:.1f} MB".format,
            "written": str,
            "expired": str,
        }
        terminal.table(frame, f"Stored in {folder}", formats, {"signal": "recording"})
    terminal.show(f"{len(entries)} results, {total:.1f} MB, kept: {cache.retention}.")


def _quietly(values: Any, statistic: str) -> Any:
    """Column statistics in which a column without values is NaN without a word."""
    import numpy as np

    columns = [column[np.isfinite(column)] for column in values.T]
    return [getattr(np, statistic)(column) if len(column) else np.nan for column in columns]


def _show_facts(terminal: Terminal, facts: Mapping[str, str | None]) -> None:
    for name, fact in facts.items():
        if fact is not None:
            terminal.show(f"  {name:<15} {fact}")
