"""The demonstration: two videos whose truth is known, analysed as if a user had brought them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bitbox.progress import Progress
from bitbox.synthetic.demo import DemoPair, render_demo
from bitbox.synthetic.demo_body import render_body_demo
from bitbox.workflow.finished_run import Run
from bitbox.workflow.results_folder import CACHE
from bitbox.workflow.run import imitate_files
from bitbox.workflow.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


def run_demo(
    folder: str | Path,
    seconds: float = 30.0,
    settings: Settings | None = None,
    *,
    body: bool = False,
    progress: Progress | None = None,
) -> tuple[list[Run], DemoPair]:
    """Render two videos and run the main job on them: the face, then the head; or the body.

    Parameters
    ----------
    folder : path
        Gets ``participant.mp4``, ``model.mp4``, ``results`` (the face) and ``results-head``; or
        ``participant-body.mp4``, ``model-body.mp4`` and ``results-body``.
    seconds : float
        Length of the videos.
    settings : Settings, optional
        How to analyse them. Where signals are named, only these are analysed.
    body : bool
        Whether to show figures that move arms, legs and trunk, and what is measured of bodies.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Returns
    -------
    runs : list of Run
        One a set of signals.
    pair : DemoPair
        The videos, and what is true of them.
    """
    folder = Path(folder)
    settings = settings or Settings()
    _require_models(body)
    if body:
        pair = render_body_demo(folder, duration=seconds, progress=progress)
        chosen = {"results-body": replace(settings, signals=settings.signals or "body-angles")}
    else:
        pair = render_demo(folder, duration=seconds, progress=progress)
        chosen = {"results": settings}
        if settings.signals is None:
            chosen["results-head"] = replace(settings, signals="pose")
    runs = [
        imitate_files(
            pair.participant,
            pair.model,
            folder / name,
            each,
            cache=folder / next(iter(chosen)) / CACHE,
            progress=progress,
        )
        for name, each in chosen.items()
    ]
    return runs, pair


def _require_models(body: bool) -> None:
    """Raise BackendError before anything is rendered that could not be measured."""
    if body:
        from bitbox.body_backend.embedders import chosen_bundle

        chosen_bundle()
    else:
        from bitbox.face_backend.mediapipe import chosen_model

        chosen_model()


def beside_truth(run: Run, pair: DemoPair) -> pd.DataFrame:
    """Return the scorecard rows of which the truth is known, with the truth as first columns.

    Returns
    -------
    DataFrame
        Indexed by signal: ``movement``, ``imitated``, ``delay`` and ``true gain``, then the
        scorecard's columns. Signals that no movement was meant to drive are left out.
    """
    truth = pair.truth.to_frame().rename(columns={"gain": "true_gain"})
    return truth.join(run.quality.scorecard, how="inner")
