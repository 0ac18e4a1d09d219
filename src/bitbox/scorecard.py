"""Imitation quality: which movements are imitated, how well, how late, and beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.alignment import Aligned, align
from bitbox.correlation.plan import WindowPlan
from bitbox.errors import ParameterError, SchemaError
from bitbox.progress import Progress
from bitbox.provenance import environment
from bitbox.quality import Finding
from bitbox.signal_checks import some
from bitbox.signals import Components, Signals
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import scorecard
from bitbox.statistics.columns import data_dictionary
from bitbox.statistics.directions import Directions
from bitbox.statistics.windows import Rule

if TYPE_CHECKING:
    import pandas as pd

    from bitbox.results import CorrelationResult

FloatArray = NDArray[np.float64]
SignalsLike = Signals | Mapping[str, Any]

#: Imitated beyond chance: a family-wise p of at most this.
ALPHA = 0.05


@dataclass(frozen=True)
class Headline:
    """The result in one figure: how many of the tested signals are imitated beyond chance.

    Attributes
    ----------
    share : float
        Share of the tested signals with a family-wise p of at most `alpha`; NaN if none is tested.
    imitated, tested : int
        The numbers behind it.
    median_z : float
        Median z over the tested signals.
    alpha : float
        Level of the family-wise p.
    """

    share: float
    imitated: int
    tested: int
    median_z: float
    alpha: float = ALPHA

    def __str__(self) -> str:
        if not self.tested:
            return "No signal could be tested: none moves in both recordings at the same time."
        of = "1 signal is" if self.tested == 1 else f"{self.tested} signals are"
        return (
            f"{self.imitated} of {of} imitated beyond chance ({self.share:.0%}; family-wise "
            f"p ≤ {self.alpha:g}); median z = {self.median_z:.1f}."
        )


@dataclass(frozen=True, eq=False, repr=False)
class ImitationQuality:
    """How well a participant imitates a model, signal by signal, against chance.

    Attributes
    ----------
    scorecard : DataFrame
        One row a signal; columns as described by :attr:`data_dictionary`. A signal that cannot
        be tested has NaN and doesn't count in the corrections for many tests.
    headline : Headline
        The result in one figure and, as text, in one sentence.
    findings : tuple of Finding
        What a careful colleague would point out.
    matrix : CorrelationResult
        What :func:`bitbox.social.imitation` returns for the same data and parameters: every
        signal of the participant against every signal of the model.
    null : ndarray, shape (m, n)
        Shapes of the surrogates, in the scorecard's order of signals.
    plan : WindowPlan
        Windows and lags, in frames and seconds.
    seed : int
        The same data, parameters and seed give the same numbers.
    provenance : mapping
        Parameters, versions and the provenance of both recordings.
    """

    scorecard: pd.DataFrame
    headline: Headline
    findings: tuple[Finding, ...]
    matrix: CorrelationResult
    null: FloatArray
    plan: WindowPlan
    seed: int
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def data_dictionary(self) -> pd.DataFrame:
        """What every column of the scorecard means."""
        return data_dictionary()

    def __repr__(self) -> str:
        return f"<ImitationQuality: {self.headline}>"

    def __str__(self) -> str:
        return f"{self.headline}\n\n{self.scorecard.round(3).to_string()}"


def imitation_quality(
    participant: SignalsLike,
    model: SignalsLike,
    *,
    width: float = 1.1,
    step: float | None = None,
    lag: float | None = None,
    fps: float | None = None,
    polarity: bool = False,
    causality: bool = True,
    offset: float = 0.0,
    signals: Sequence[str] | None = None,
    components: Components | None = None,
    angular: bool = True,
    max_gap: float = 0.1,
    min_valid: float = 0.8,
    n_surrogates: int = 999,
    surrogate: broken.Surrogate = "circular",
    others: Sequence[SignalsLike] | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ImitationQuality:
    """Measure how well the participant imitates the model, and whether it is more than chance.

    Every signal of the participant is compared with the model's signal of the same name.

    Parameters
    ----------
    participant, model : Signals or mapping
        Who imitates and who is imitated; as for :func:`bitbox.social.imitation`.
    width : float
        Length of a window in seconds.
    step, lag : float, optional
        Seconds between windows (None: half of `width`), and largest lag (None: `width`).
    fps, offset, max_gap, components, angular, min_valid
        As for :func:`bitbox.social.imitation`.
    polarity : bool
        False: only movement in the same direction is imitation; each window's largest
        correlation counts. True: opposite movement counts as much; the largest absolute
        correlation counts.
    causality : bool
        True: the participant may only follow. False: lags both ways.
    signals : sequence of str, optional
        Which signals to test; None: all that both people have. Corrections for many tests count
        the tested signals, so name them before looking at the data.
    n_surrogates : int
        How many surrogates; p cannot be smaller than 1 / (n_surrogates + 1).
    surrogate : {'circular', 'segments', 'phase', 'pairs'}
        How coupling is broken, see :mod:`bitbox.statistics.surrogates`.
    others : sequence of Signals, optional
        For 'pairs': other recordings that take the model's place, one surrogate each.
    seed : int, optional
        Where random numbers start; None: a new one is drawn, and recorded in the result.
    threads : int, optional
        Threads to use; None: one a core. The result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(task, done, total)``.

    Returns
    -------
    ImitationQuality

    Raises
    ------
    SchemaError
        If the two cannot be compared, or have no signal in common.
    ParameterError
        If a parameter makes no sense.
    TooShortError
        If the recordings are too short for the windows or the surrogates.
    InputError
        If 'phase' surrogates are asked for and values are missing.
    """
    from bitbox.social import imitation, prepare

    broken.check_surrogate(surrogate, n_surrogates)
    aligned = prepare(participant, model, fps=fps, offset=offset, max_gap=max_gap)
    names, x, y = matched_arrays(aligned, components, angular, signals)
    plan = WindowPlan.from_seconds(
        len(x), aligned.fps, width=width, lag=lag, step=step, causal=causality
    )
    rule = Rule.make(plan, polarity, min_valid)
    seed = int(np.random.default_rng().integers(2**32)) if seed is None else int(seed)
    job = Directions(x, y, rule, n_surrogates, seed, threads, progress)
    if surrogate == "pairs":
        stand_ins = _others(others, aligned, names, components, angular)
        forward, reverse = job.against_others(stand_ins)
    else:
        forward, reverse = job.against(surrogate)
    card = scorecard(names, x, y, rule, forward, reverse)
    raw = imitation(
        aligned.participant,
        aligned.model,
        width=width,
        step=step,
        lag=lag,
        fps=aligned.fps,
        polarity=polarity,
        casuality=causality,
        angular=angular,
        components=components,
        max_gap=max_gap,
        min_valid=min_valid,
        threads=threads,
    )
    return ImitationQuality(
        scorecard=card,
        headline=headline(card),
        findings=aligned.findings,
        matrix=raw,
        null=forward.null,
        plan=plan,
        seed=seed,
        provenance={
            **environment(),
            "parameters": {
                "width": width,
                "step": width / 2 if step is None else step,
                "lag": width if lag is None else lag,
                "fps": aligned.fps,
                "polarity": polarity,
                "causality": causality,
                "offset": offset,
                "max_gap": max_gap,
                "components": components,
                "angular": angular,
                "min_valid": min_valid,
                "signals": list(names),
                "surrogate": surrogate,
                "n_surrogates": len(forward.null),
                "seed": seed,
            },
            "participant": dict(aligned.participant.provenance),
            "model": dict(aligned.model.provenance),
        },
    )


def headline(card: pd.DataFrame, alpha: float = ALPHA) -> Headline:
    """Return the share of tested signals that are imitated beyond chance."""
    tested = int(card["p_fwer"].notna().sum())
    imitated = int((card["p_fwer"] <= alpha).sum())
    share = imitated / tested if tested else float("nan")
    median = float(card["z"].median()) if tested else float("nan")
    return Headline(share, imitated, tested, median, alpha)


def matched_arrays(
    aligned: Aligned,
    components: Components | None,
    angular: bool,
    signals: Sequence[str] | None,
) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Return the names that both people have, and their signals as (T, n, d) arrays.

    Raises
    ------
    SchemaError
        If there is no name in common.
    ParameterError
        If a signal is asked for that one of them lacks.
    """
    x_names, x = aligned.participant.components(components, angular=angular)
    y_names, y = aligned.model.components(components, angular=angular)
    names = tuple(name for name in x_names if name in y_names)
    if not names:
        raise SchemaError(
            "Participant and model have no signal in common.",
            expected="signals of the same names",
            got=f"{some(x_names, 4)} and {some(y_names, 4)}",
        )
    if signals is not None:
        unknown = [name for name in signals if name not in names]
        if unknown or not len(signals):
            raise ParameterError(
                "The signals to test must be signals that both people have.",
                expected=some(names),
                got=some(unknown) or "none",
            )
        names = tuple(dict.fromkeys(signals))
    return (
        names,
        x[:, [x_names.index(name) for name in names]],
        y[:, [y_names.index(name) for name in names]],
    )


def _others(
    others: Sequence[SignalsLike] | None,
    aligned: Aligned,
    names: tuple[str, ...],
    components: Components | None,
    angular: bool,
) -> list[FloatArray]:
    """Return other recordings as (T, n, d) arrays on the pair's clock, NaN beyond their ends."""
    from bitbox.social import check_comparable

    if not others or len(others) < broken.MIN_SURROGATES:
        raise ParameterError(
            "Surrogates of the kind 'pairs' need other recordings.",
            expected=f"others=[...] with at least {broken.MIN_SURROGATES} recordings",
            got=f"{len(others or [])}",
        )
    arrays = []
    for other in others:
        found = other if isinstance(other, Signals) else Signals.from_bitbox(other, fps=aligned.fps)
        check_comparable(aligned.participant, found)
        moved = found.shifted(float(aligned.model.time[0] - found.time[0]))
        shared = align(aligned.participant, moved, fps=aligned.fps)
        labels, values = shared.model.components(components, angular=angular)
        missing = [name for name in names if name not in labels]
        if missing:
            raise SchemaError(
                "Another recording lacks a signal.", expected=some(names), got=f"no {missing[0]!r}"
            )
        array = np.full((aligned.model.n_frames, len(names), values.shape[2]), np.nan)
        length = min(len(array), len(values))
        array[:length] = values[:length, [labels.index(name) for name in names]]
        arrays.append(array)
    return arrays
