"""The main job: two recordings in; scorecard, tables, report and provenance on disk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitbox.analysis.quality import imitation_quality
from bitbox.analysis.suggest import LATENCY, suggest
from bitbox.findings import Finding
from bitbox.progress import Progress
from bitbox.statistics.card import imitated
from bitbox.workflow import first_use
from bitbox.workflow.clocks import Clocks, clocks_of
from bitbox.workflow.finished_run import Run, together
from bitbox.workflow.pair import load_both
from bitbox.workflow.recordings import Recording
from bitbox.workflow.results_folder import (
    CACHE,
    refuse_inputs_that_are_results,
    results_folder,
    write_results,
)
from bitbox.workflow.run_report import can_report
from bitbox.workflow.settings import Settings
from bitbox.workflow.trials import in_trials, trials_of

if TYPE_CHECKING:
    import pandas as pd

    from bitbox.analysis.result import ImitationQuality
    from bitbox.analysis.suggest import Suggestion
    from bitbox.analysis.trial_result import ImitationTrials


def imitate_files(
    participant: str | Path,
    model: str | Path,
    output: str | Path,
    settings: Settings | None = None,
    *,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Measure how closely a participant imitates a model, and write everything to a folder.

    Parameters
    ----------
    participant, model : path
        Videos, or files of signals.
    output : path
        Folder for the results; made if need be. Results of an earlier run are replaced, other
        files are left alone.
    settings : Settings, optional
        What to compare and how.
    cache : path, optional
        Folder for measured signals; None: ``cache`` inside the results folder.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Returns
    -------
    Run

    Raises
    ------
    BitboxError
        If the analysis cannot be done. Then no result has been written.

    Notes
    -----
    Results appear under their names all at once, after the last computation.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.workflow.run import imitate_files
    >>> from bitbox.workflow.settings import Settings
    >>> files = participant.to_parquet('anna.parquet'), model.to_parquet('model.parquet')
    >>> run = imitate_files(*files, 'results', Settings(n_surrogates=99, seed=1))
    >>> 'scorecard.csv' in [path.name for path in run.files]
    True
    """
    given = [] if settings is None or settings.trials is None else [Path(settings.trials)]
    refuse_inputs_that_are_results(Path(output), Path(participant), Path(model), *given)
    first_use.begin()
    with results_folder(Path(output)) as folder, _saying_what_is_there(folder):
        kept = folder / CACHE if cache is None else Path(cache)
        run = analyse_files(participant, model, settings, cache=kept, progress=progress)
        run = replace(run, folder=folder)
        return replace(run, files=write_results(run))


def analyse_files(
    participant: str | Path,
    model: str | Path,
    settings: Settings | None = None,
    *,
    cache: str | Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Measure how closely a participant imitates a model, and write nothing but the cache.

    Parameters
    ----------
    participant, model, settings, cache, progress
        As for :func:`imitate_files`; None as `cache`: nothing is kept.
    threads : int, optional
        Threads of the analysis; None: one a core. The result doesn't depend on it.

    Returns
    -------
    Run
        Its ``folder`` is the working folder, and it has no files.

    Raises
    ------
    BitboxError
        If the analysis cannot be done.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.workflow.run import analyse_files
    >>> from bitbox.workflow.settings import Settings
    >>> files = participant.to_parquet('anna.parquet'), model.to_parquet('model.parquet')
    >>> analyse_files(*files, Settings(n_surrogates=99, seed=1)).quality.headline.tested
    3
    """
    settings = settings or Settings()
    families = settings.by_family()
    events = trials_of(settings)  # before anything is measured
    kept = None if cache is None else Path(cache)
    paths = Path(participant), Path(model)
    clocks = clocks_of(*paths, settings, progress)  # once, however many families there are
    runs = [_one_family(paths, kept, one, clocks, events, threads, progress) for one in families]
    return together(runs)


def _one_family(
    paths: tuple[Path, Path],
    cache: Path | None,
    settings: Settings,
    clocks: Clocks,
    events: pd.DataFrame | None,
    threads: int | None,
    progress: Progress | None,
) -> Run:
    """Measure and analyse one family of signals."""
    started = time.perf_counter()
    people = load_both(*paths, cache, settings, clocks, progress, threads)
    loaded = time.perf_counter()
    quality = imitation_quality(
        people[0].signals,
        people[1].signals,
        every_window=settings.windows,
        threads=threads,
        progress=progress,
        **settings.analysis() | {"offset": clocks.offset},
    )
    timings = {"measuring": loaded - started, "analysis": time.perf_counter() - loaded}
    trials = None if events is None else in_trials(people, events, settings, clocks, quality)
    findings = (*clocks.findings(), *_findings(people, quality, trials))
    done = settings.as_done(*people)
    return Run(*people, quality, done, findings, timings, Path(), (), clocks, trials)


@contextlib.contextmanager
def _saying_what_is_there(folder: Path) -> Iterator[None]:
    """Say with an interruption what it left."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        if not getattr(stopped, "__notes__", ()):
            stopped.add_note(f"No results were written to {folder}.")
        raise


def suggest_for_files(
    participant: str | Path,
    model: str | Path,
    settings: Settings | None = None,
    *,
    latency: float = LATENCY,
    multiverse: bool = False,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[Suggestion, pd.DataFrame | None]:
    """Propose settings for two recordings; see :func:`bitbox.social.suggest`.

    Parameters
    ----------
    participant, model, settings, cache, progress
        As for :func:`imitate_files`; nothing is stored unless a cache is named.
    latency : float
        How late imitation is expected, in seconds.
    multiverse : bool
        Also repeat the analysis with other settings.

    Returns
    -------
    suggestion : Suggestion
    table : DataFrame or None
        The headline for each of some settings around the proposed ones.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.workflow.run import suggest_for_files
    >>> files = participant.to_parquet('anna.parquet'), model.to_parquet('model.parquet')
    >>> advice, table = suggest_for_files(*files)
    >>> advice.windows
    20
    """
    from bitbox.analysis.suggest import multiverse as try_settings

    settings = settings or Settings()
    kept = None if cache is None else Path(cache)
    paths = Path(participant), Path(model)
    clocks = clocks_of(*paths, settings, progress)
    people = load_both(*paths, kept, settings, clocks, progress)
    signals = people[0].signals, people[1].signals
    angular = settings.analysis()["angular"]
    clock: dict[str, Any] = {"fps": settings.fps, "offset": clocks.offset}
    found = suggest(*signals, latency=latency, angular=angular, **clock)
    if not multiverse:
        return found, None
    table = try_settings(
        *signals,
        widths=sorted({round(found.width * factor, 2) for factor in (0.5, 1, 2)}),
        lags=sorted({round(found.lag * factor, 2) for factor in (0.5, 1, 2)}),
        seed=settings.seed,
        angular=angular,
        mirror=settings.mirror,
        progress=progress,
        **clock,
    )
    return found, _headlines(table)


def _headlines(table: pd.DataFrame) -> pd.DataFrame:
    """Return the headline of each setting of a multiverse table."""
    import pandas as pd

    told = table["least_p_fwer"].notna() & table["specific_p_fwer"].notna()  # NaN, not none
    found = pd.Series(imitated(table), index=table.index).astype(float).where(told)
    beyond = table.assign(imitated=found, tested=table["z"].notna())
    groups = beyond.groupby(["width", "lag"], as_index=False)
    return groups.agg(
        imitated=("imitated", lambda column: column.sum(min_count=1)),
        tested=("tested", "sum"),
        median_z=("z", "median"),
        least=("least_p_fwer", "max"),
    )


def _about_one_recording(person: Recording) -> Finding:
    if person.landmarks is None:
        return Finding(
            "same-recording",
            "warning",
            "Participant and model are the same recording.",
            "Check that two different files, or two people of one file, are compared.",
        )
    return Finding(
        "same-recording",
        "info",
        "Participant and model are two faces of the same video.",
        "Check in the report's pictures who is who. A camera that moves moves both.",
    )


def _findings(
    people: tuple[Recording, Recording],
    quality: ImitationQuality,
    trials: ImitationTrials | None,
) -> tuple[Finding, ...]:
    """All findings, each naming whose recording it is about."""
    found = []
    for person in people:
        for finding in person.findings:
            message = f"{person.role.capitalize()}: {finding.message}"
            found.append(Finding(finding.code, finding.severity, message, finding.todo))
    told = {finding.code for finding in quality.findings}
    if people[0].sha256 == people[1].sha256 is not None and "same-recording" not in told:
        found.append(_about_one_recording(people[0]))
    if not can_report():
        found.append(
            Finding(
                "no-report",
                "warning",
                "The report was not written, because Plotly, Jinja or Pillow is not installed.",
                "For the report: pip install 'openbitbox[report]', and run the command again.",
            )
        )
    in_trials = () if trials is None else trials.findings
    # a recording's own are in both
    return tuple(dict.fromkeys((*found, *quality.findings, *in_trials)))
