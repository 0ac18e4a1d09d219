"""Trials in a run: read before anything is measured, tested when both recordings are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bitbox.analysis.trial_design import design_of
from bitbox.analysis.trials import check_latency, imitation_trials
from bitbox.errors import ParameterError
from bitbox.readers.events import read_events

if TYPE_CHECKING:
    import pandas as pd

    from bitbox.analysis.result import ImitationQuality
    from bitbox.analysis.trial_result import ImitationTrials
    from bitbox.workflow.clocks import Clocks
    from bitbox.workflow.recordings import Recording
    from bitbox.workflow.settings import Settings


def trials_of(settings: Settings) -> pd.DataFrame | None:
    """Return the trials that the settings name, checked; None: there are none.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no trials.
    ParameterError
        If imitation cannot be told from these trials, or with these settings.
    """
    if settings.trials is None:
        if settings.latency is not None:
            raise ParameterError(
                "A latency was given, but no trials.",
                expected="trials as well",
                got=f"latency={settings.latency}",
                todo="Name a file of trials with --trials; without trials --lag says how late an "
                "imitation may come.",
            )
        return None
    if settings.mirror == "either":
        raise ParameterError(
            "In trials one sense of imitation has to be chosen.",
            expected="mirror='no' or mirror='yes' (--mirror no, --mirror yes)",
            got="mirror='either'",
        )
    if settings.latency is not None:
        check_latency(settings.latency)
    events = read_events(settings.trials)
    design_of(events, None)
    return events


def in_trials(
    people: tuple[Recording, Recording],
    events: pd.DataFrame,
    settings: Settings,
    clocks: Clocks,
    quality: ImitationQuality,
) -> ImitationTrials:
    """Return the test in trials of two recordings, of the signals that were tested without.

    Parameters
    ----------
    people : (Recording, Recording)
        Participant and model.
    events : DataFrame
        The trials, as :func:`bitbox.readers.read_events` returns them.
    settings, clocks, quality
        Of the same run.
    """
    tested = [str(name) for name in quality.scorecard.index[quality.scorecard["z"].notna()]]
    more: dict[str, Any] = {} if settings.latency is None else {"latency": settings.latency}
    return imitation_trials(
        people[0].signals,
        people[1].signals,
        events,
        signals=tested or None,
        fps=settings.fps,
        offset=clocks.offset,
        mirror="yes" if settings.mirror == "yes" else "no",
        angular=settings.analysis()["angular"],
        seed=quality.seed,
        **more,
    )
