"""Imitation in trials: whether what the participant does depends on what the model shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.matching import match
from bitbox.analysis.options import in_the_mirror
from bitbox.analysis.pair import SignalsLike, prepare
from bitbox.analysis.quality import check_seed, new_seed
from bitbox.analysis.senses import check_mirror
from bitbox.analysis.trial_design import (
    LEAST_TRIALS,
    Design,
    clips_as_trials,
    design_of,
    frames_of,
    refuse_alike,
)
from bitbox.analysis.trial_result import ImitationTrials, order_effect, trial_findings
from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.provenance import environment
from bitbox.signals import Components, Signals
from bitbox.statistics.inference import ALPHA, false_discovery
from bitbox.statistics.trials import (
    Responses,
    TrialTest,
    different_arrangements,
    exchange_trials,
    responses,
)

FloatArray = NDArray[np.float64]


def imitation_trials(
    participant: SignalsLike | Sequence[SignalsLike],
    model: SignalsLike | Sequence[SignalsLike],
    trials: Any,
    *,
    latency: tuple[float, float] = (-0.2, 1.5),
    strata: Any = None,
    n_permutations: int = 1999,
    seed: int | None = None,
    signals: Sequence[str] | None = None,
    fps: float | None = None,
    offset: float = 0.0,
    max_gap: float = 0.1,
    components: Components | None = None,
    angular: bool = True,
    mirror: Literal["no", "yes"] = "no",
) -> ImitationTrials:
    """Test in trials whether the participant does what the model shows, and not just something.

    Where both are prompted, or react to the same things, everything that moves is in time. Here it
    is asked whether the participant's movement in a trial depends on which movement the model
    showed in that trial: whole trials of the participant, all signals together, are exchanged.

    Parameters
    ----------
    participant, model : Signals or mapping, or sequences of them
        One recording each, or as many short clips of each, a clip being a trial.
    trials : sequence of (onset, offset, label), table or path
        When the model's movements begin and end, in seconds on the model's clock, and what is
        shown: tuples; or a DataFrame with ``onset``, ``duration`` (or ``offset``) and
        ``trial_type`` (or ``label``); or a file that :func:`bitbox.readers.read_events` reads. Of
        clips: a label each. Without labels every trial counts as another movement.
    latency : (float, float)
        How late the participant may be, in seconds, from least to most; negative: may lead.
    strata : sequence, optional
        Trials are only exchanged with those of the same value, such as a block or session: one
        value a trial, or the name of the table's column. None: the column ``stratum``, if the file
        has one.
    n_permutations : int
        How many exchanges are drawn. If there are no more all are used, and p is exact.
    seed : int, optional
        Where random numbers start; None: a new one is drawn, and recorded in the result.
    signals, fps, offset, max_gap, components, angular
        As for :func:`bitbox.social.imitation_quality`.
    mirror : {'no', 'yes'}
        Whether the participant imitates as in a mirror, left with right.

    Returns
    -------
    ImitationTrials

    Raises
    ------
    ParameterError
        If a parameter makes no sense, there are fewer than four trials, or all show the same: then
        doing it and doing something cannot be told apart.
    InputError
        If the trials cannot be read.
    SchemaError
        If the two cannot be compared, or have no signal in common.

    Notes
    -----
    The size of a response is its projection on the course of the model's movement in that trial, at
    the lag at which all signals together move most; see :func:`bitbox.statistics.trials.responses`.
    p is (b + 1) / (m + 1), or exact; p_fwer is the step-down maximum of Westfall and Young (1993).

    Examples
    --------
    >>> from bitbox.social import imitation_trials
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(4, imitated=3, duration=60, delay=0.4, seed=1)
    >>> trials = [(4.0 * k + 1, 4.0 * k + 4, f'clip {k}') for k in range(14)]
    >>> found = imitation_trials(participant, model, trials, seed=1, n_permutations=199)
    >>> print(found.headline[:57])  # these two move all the time, not in trials
    It is not shown that the participant imitates (14 trials,
    """
    check_latency(latency)
    check_mirror(mirror, testable=False)
    if (
        isinstance(n_permutations, bool)
        or int(n_permutations) != n_permutations
        or (n_permutations < 19)
    ):
        raise ParameterError(
            "The number of permutations makes no sense.",
            expected="a whole number, 19 or more",
            got=repr(n_permutations),
        )
    seed = new_seed() if seed is None else check_seed(seed)
    how: dict[str, Any] = {"fps": fps, "offset": offset, "max_gap": max_gap}
    kinds: dict[str, Any] = {"components": components, "angular": angular, "signals": signals}
    kinds["mirror"] = mirror
    findings: tuple[Finding, ...] = ()
    source: dict[str, Any] = {}
    if _are_clips(participant):
        names, x, y, rate, design = clips_as_trials(
            participant, model, trials, strata, latency, how, kinds
        )
        frames = design.frames
    else:
        aligned = prepare(participant, model, **how)  # type: ignore[arg-type]
        aligned = in_the_mirror(aligned) if mirror == "yes" else aligned
        both = match(aligned, components, angular, signals)
        names, x, y, rate, findings = both.names, both.x, both.y, aligned.fps, aligned.findings
        start = float(aligned.model.time[0])
        design = frames_of(design_of(trials, strata), len(x), rate, start)
        frames = design.frames
        source = {
            "participant": dict(aligned.participant.provenance),
            "model": dict(aligned.model.provenance),
        }
    lags = np.arange(math.ceil(latency[0] * rate - 1e-6), math.floor(latency[1] * rate + 1e-6) + 1)
    if not len(lags):
        raise ParameterError(
            "No frame lies within the latencies.",
            expected=f"at least {1 / rate:.3g} s between them",
            got=f"latency={latency}",
        )
    found = responses(x, y, frames, lags.astype(np.int64))
    refuse_alike(design, found)
    rng = np.random.default_rng(seed)
    test = exchange_trials(found, design.labels, design.codes, n_permutations, rng)
    parameters = {
        "latency": list(latency),
        "n_permutations": test.n_permutations,
        "exact": test.exact,
        "fps": rate,
        "offset": offset,
        "max_gap": max_gap,
        "components": components,
        "angular": angular,
        "mirror": mirror,
        "signals": list(names),
        "seed": seed,
    }
    provenance = {**environment(), "parameters": parameters, **source}
    return _assemble(names, design, found, test, rate, findings, provenance, rng)


def check_latency(latency: Any) -> None:
    """Refuse latencies that are no range of seconds.

    Raises
    ------
    ParameterError
    """
    try:
        low, high = (float(value) for value in latency)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ParameterError(
            "The latencies make no sense.",
            expected="latency=(least, most) in seconds",
            got=repr(latency),
        )


def _are_clips(participant: Any) -> bool:
    return isinstance(participant, Sequence) and not isinstance(participant, Signals | str | Path)


def _assemble(
    names: tuple[str, ...],
    design: Design,
    found: Responses,
    test: TrialTest,
    rate: float,
    findings: tuple[Any, ...],
    provenance: dict[str, Any],
    rng: np.random.Generator,
) -> ImitationTrials:
    """Put the result together; what cannot be told is NaN."""
    import pandas as pd

    known = np.isfinite(test.score)
    if known.sum() < LEAST_TRIALS:
        raise ParameterError(
            "Too few trials can be used.",
            expected=f"{LEAST_TRIALS} in which both people are measured and the model moves",
            got=f"{int(known.sum())} of {len(known)}",
            todo="Check that the onsets are seconds on the clock of the model's recording.",
        )
    ways = different_arrangements(design.codes[known], [
        label for label, there in zip(design.labels, known, strict=True) if there
    ])  # fmt: skip
    told = 1.0 / ways <= ALPHA
    p, p_fwer = (
        values if told else np.full_like(values, np.nan) for values in (test.p, test.p_fwer)
    )
    overall = test.overall_p if told else math.nan
    gain_of_signal, gain_of_trial = _gains(found)
    q = np.full_like(p, np.nan)
    if np.isfinite(p).any():
        q[np.isfinite(p)] = false_discovery(p[np.isfinite(p)])
    card = pd.DataFrame(
        {
            "z": test.z,
            "p": p,
            "p_fwer": p_fwer,
            "q_fdr": q,
            "gain": np.where(p_fwer <= ALPHA, gain_of_signal, np.nan),
            "trials": (
                np.isfinite(found.participant).all(axis=2) & np.isfinite(found.model).all(axis=2)
            ).sum(axis=0),
        },
        index=pd.Index(list(names), name="signal"),
    )
    responded = test.hit & bool(overall <= ALPHA)
    table = pd.DataFrame(
        {
            "onset": design.onset,
            "offset": design.offset,
            "label": list(design.labels),
            "stratum": list(design.strata),
            "score": test.score,
            "hit": _hits(test.hit, known),
            "latency": np.where(responded, found.lag / rate, np.nan),
            "gain": np.where(responded, gain_of_trial, np.nan),
        }
    )
    order = order_effect(test.score, rng)
    return ImitationTrials(
        overall_z=test.overall_z,
        overall_p=overall,
        scorecard=card,
        trials=table,
        scores=pd.DataFrame(test.scores, columns=list(names)),
        order=order,
        findings=(*findings, *trial_findings(design, found, test, card, ways, order, len(names))),
        arrangements=ways,
        provenance=provenance,
    )


def _hits(hit: NDArray[np.bool_], known: NDArray[np.bool_]) -> Any:
    """Return yes or no, and nothing where it is unknown."""
    import pandas as pd

    told = [bool(one) if there else None for one, there in zip(hit, known, strict=True)]
    return pd.array(told, dtype="boolean")


def _gains(found: Responses) -> tuple[FloatArray, FloatArray]:
    """Return how large the participant's responses are relative to the model's.

    Of every signal: the slope over trials; of every trial: the slope over signals.
    """
    both = np.isfinite(found.participant) & np.isfinite(found.model)
    a, b = np.where(both, found.participant, 0.0), np.where(both, found.model, 0.0)
    count = np.maximum(both.sum(axis=0), 1)
    away = [np.where(both, values - values.sum(axis=0) / count, 0.0) for values in (a, b)]
    with np.errstate(invalid="ignore", divide="ignore"):
        of_signal = (away[0] * away[1]).sum(axis=(0, 2)) / (away[1] ** 2).sum(axis=(0, 2))
        of_trial = (a * b).sum(axis=(1, 2)) / (b**2).sum(axis=(1, 2))
    return of_signal, of_trial
