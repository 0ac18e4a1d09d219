"""Imitation quality: which movements are imitated, how well, how late, and beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.errors import ParameterError
from bitbox.matching import match, stand_ins
from bitbox.methods import methods_text
from bitbox.pair import SignalsLike, every_pair, prepare
from bitbox.progress import Progress
from bitbox.provenance import environment
from bitbox.quality import Finding
from bitbox.signal_checks import MOST_TESTED_PAIRS, check_pairs
from bitbox.signals import Components
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import scorecard, window_table
from bitbox.statistics.columns import data_dictionary
from bitbox.statistics.directions import Directions
from bitbox.statistics.findings import Evidence, find
from bitbox.statistics.inference import ALPHA, Alike, infer, least_p
from bitbox.statistics.matrix import MatrixTest, Shifted, Specificity, every_pair_test, specificity
from bitbox.statistics.spectra import typical_frequencies
from bitbox.statistics.windows import Rule

if TYPE_CHECKING:
    import pandas as pd

    from bitbox.alignment import Aligned
    from bitbox.results import CorrelationResult

__all__ = ["ALPHA", "Headline", "ImitationQuality", "imitation_quality"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Headline:
    """The result in one figure: how many of the tested signals are imitated beyond chance.

    Attributes
    ----------
    share : float
        Share of the tested signals with a family-wise p of at most `alpha`; NaN if none is tested,
        or if the recordings are too short to tell.
    imitated, tested : int
        The numbers behind it.
    median_z : float
        Median z over the tested signals.
    alpha : float
        Level of the family-wise p.
    seconds : float
        How long the recordings are.
    enough : float
        Too short to tell, since nothing could reach `alpha`: about how many seconds would be
        enough with the same settings. NaN if the recordings are long enough.
    """

    share: float
    imitated: int
    tested: int
    median_z: float
    alpha: float = ALPHA
    seconds: float = float("nan")
    enough: float = float("nan")

    @property
    def too_short(self) -> bool:
        """Whether nothing could reach `alpha`, however alike the two are."""
        return bool(np.isfinite(self.enough))

    def __str__(self) -> str:
        if not self.tested:
            return "No signal could be tested: none moves in both recordings at the same time."
        if self.too_short:
            return (
                f"Too short to tell: in {self.seconds:.1f} s, with these settings, no signal could "
                f"reach a family-wise p of {self.alpha:g}, however well it is imitated; about "
                f"{self.enough:.0f} s would be enough (median z = {self.median_z:.1f})."
            )
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
    windows : DataFrame
        What every window of every matched signal holds: ``signal, time, r, latency``, whether it
        ``counts`` for shape, and whether it is ``telling``, for latency and gain. Times and
        latencies in seconds, times on the model's clock.
    matrix : CorrelationResult
        What :func:`bitbox.social.imitation` returns for the same data and parameters: every
        signal of the participant against every signal of the model.
    null : ndarray, shape (m, n)
        Shapes of the surrogates, in the scorecard's order of signals.
    specificity : Specificity or None
        Whether matching signals are more alike than others, against chance. None with a single
        signal.
    pairs : MatrixTest or None
        Every pair of signals against chance, with ``matrix_test=True``.
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
    windows: pd.DataFrame
    matrix: CorrelationResult
    aligned: Aligned
    null: FloatArray
    specificity: Specificity | None
    pairs: MatrixTest | None
    plan: WindowPlan
    seed: int
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def methods(self) -> str:
        """Return a methods section: what was done, with the numbers used and references."""
        return methods_text(self)

    @property
    def least_p_fwer(self) -> float:
        """The smallest family-wise p that these recordings could have given; NaN: too short."""
        if self.headline.too_short:
            return float("nan")
        alike = float(self.provenance["parameters"]["surrogates_alike"])
        return least_p(len(self.null), alike)

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
    width: float = 2.0,
    step: float | None = None,
    lag: float | None = 1.2,
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
    matrix_test: bool = False,
    every_window: bool = False,
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
        Length of a window in seconds. It should hold about one movement there and back;
        :func:`bitbox.suggest.suggest` proposes one for the data.
    step : float, optional
        Seconds from one window to the next; None: half of `width`.
    lag : float, optional
        Largest lag in seconds; None: the same as `width`. Every lag that is allowed is another
        chance to look alike, so no more than needed.
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
    matrix_test : bool
        True: also test every pair of signals, corrected for all pairs. Takes longer.
    every_window : bool
        True: the result's `matrix` also holds every pair's correlation and lag in every window, as
        :func:`bitbox.social.imitation` gives them with ``stats=False``.
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
        If 'phase' surrogates are asked for and values are missing, or there are more signals, or
        frames, than can be tested.
    """
    broken.check_surrogate(surrogate, n_surrogates)
    seed = new_seed() if seed is None else check_seed(seed)
    aligned = prepare(participant, model, fps=fps, offset=offset, max_gap=max_gap)
    both = match(aligned, components, angular, signals)
    check_pairs(len(both.names), len(both.names), MOST_TESTED_PAIRS)
    plan = WindowPlan.from_seconds(
        len(both.x), aligned.fps, width=width, lag=lag, step=step, causal=causality
    )
    geometry = {
        "width": width,
        "step": width / 2 if step is None else step,
        "lag": width if lag is None else lag,
        "causality": causality,
    }
    clock = {"fps": aligned.fps, "offset": offset, "max_gap": max_gap}
    rule = Rule.make(plan, polarity, min_valid)
    job = Directions(both.x, both.y, rule, n_surrogates, seed, threads, progress)
    if surrogate == "pairs":
        used = stand_ins(others, aligned, both.names, components, angular)
        forward, reverse = job.against_others(used)
    else:
        forward, reverse = job.against(surrogate)
    card = scorecard(both.names, both.x, both.y, rule, forward, reverse)
    enough = float("nan")
    if not forward.can_tell:
        apart = broken.possible_shifts(plan) / len(forward.null)
        enough = broken.seconds_enough(plan, forward.alike.k * apart, n_surrogates)
    evidence = Evidence(
        card=card,
        plan=plan,
        observed=forward.observed,
        null=forward.null,
        reverse_p_fwer=infer(reverse.shape, reverse.null, reverse.alike).p_fwer,
        alike=forward.alike.k,
        moving=np.array([_moves(both.x), _moves(both.y)]),
        identical=np.array_equal(both.x, both.y, equal_nan=True),
        frequency=typical_frequencies(both.y, plan.fps),
        surrogate=surrogate,
        n_asked=n_surrogates,
        alpha=ALPHA,
        enough=enough,
        unmatched=both.unmatched,
    )
    raw: dict[str, Any] = {
        "components": components,
        "angular": angular,
        "polarity": polarity,
        "min_valid": min_valid,
    }
    matrix = every_pair(
        aligned, plan, clock | geometry | raw, keep_windows=every_window, threads=threads, **raw
    )
    shapes = _of_matched(matrix, both.names, polarity)
    shifted = Shifted(both.x, both.y, shapes, plan, polarity, min_valid, threads, progress)
    alike = forward.alike
    if matrix_test and surrogate != "circular":  # pairs are tested by shifts all the same
        alike = job.against("circular")[0].alike
    pairs, specific = _whole_matrix(both.names, shifted, n_surrogates, alike, matrix_test)
    parameters: dict[str, Any] = {
        **geometry,
        **clock,
        **raw,
        "signals": list(both.names),
        "surrogate": surrogate,
        "n_surrogates": len(forward.null),
        "surrogates_alike": round(forward.alike.k, 3),
        "matrix_test": matrix_test,
        "seed": seed,
    }
    return ImitationQuality(
        scorecard=card,
        headline=headline(card, plan.n_frames / plan.fps, enough),
        findings=(*aligned.findings, *find(evidence)),
        windows=window_table(
            both.names,
            rule,
            forward.observed,
            card["chance_mean"].to_numpy(),
            float(aligned.model.time[0]),
        ),
        matrix=matrix,
        aligned=aligned,
        null=forward.null,
        specificity=specific,
        pairs=pairs,
        plan=plan,
        seed=seed,
        provenance={
            **environment(),
            "parameters": parameters,
            "participant": dict(aligned.participant.provenance),
            "model": dict(aligned.model.provenance),
        },
    )


def _of_matched(matrix: CorrelationResult, names: Sequence[str], polarity: bool) -> FloatArray:
    """Return the means over windows of what was maximised, of all pairs of the named signals."""
    rows, columns = ([side.index(n) for n in names] for side in (matrix.x_names, matrix.y_names))
    means = matrix.mean_abs if polarity and matrix.mean_abs is not None else matrix.mean
    return means[np.ix_(rows, columns)]


def _moves(signals: FloatArray) -> BoolArray:
    """Return which signals, (T, n, d), take more than one value."""
    low = np.min(signals, axis=0, where=~np.isnan(signals), initial=np.inf)
    high = np.max(signals, axis=0, where=~np.isnan(signals), initial=-np.inf)
    changes: BoolArray = (high > low).any(axis=1)
    return changes


def headline(card: pd.DataFrame, seconds: float, enough: float = float("nan")) -> Headline:
    """Return the share of tested signals that are imitated beyond chance.

    `seconds` is the length of the recordings; `enough`, if they are too short to tell, the length
    that would do.
    """
    tested = int(card["z"].notna().sum())
    imitated = int((card["p_fwer"] <= ALPHA).sum())
    share = imitated / tested if tested and not np.isfinite(enough) else float("nan")
    median = float(card["z"].median()) if tested else float("nan")
    return Headline(share, imitated, tested, median, ALPHA, seconds, enough)


def new_seed() -> int:
    """Return a seed nobody chose."""
    return int(np.random.default_rng().integers(2**32))


def check_seed(seed: int) -> int:
    """Return the seed if it is one.

    Raises
    ------
    ParameterError
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError(
            "The seed makes no sense.", expected="a whole number, 0 or more", got=repr(seed)
        )
    return int(seed)


def _whole_matrix(
    names: Sequence[str], data: Shifted, n: int, alike: Alike, every_pair: bool
) -> tuple[MatrixTest | None, Specificity | None]:
    """Return the test of every pair, if wanted, and the specificity, if there can be one."""
    if not every_pair and (len(names) < 2 or not broken.can_shift(data.plan)):
        return None, None
    shifts = broken.circular_shifts(data.plan, n)
    if every_pair:
        return every_pair_test(names, data, shifts, alike)
    return None, specificity(data, shifts)
