"""Imitation quality: which movements are imitated, how well, how late, and beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.correlation_result import CorrelationResult
from bitbox.analysis.matching import Matching, match, stand_ins
from bitbox.analysis.options import Options, in_the_mirror
from bitbox.analysis.pair import SignalsLike
from bitbox.analysis.result import Headline, ImitationQuality
from bitbox.analysis.senses import (
    SENSES,
    Mirror,
    about_no_sides,
    about_senses,
    check_mirror,
)
from bitbox.correlation.plan import WindowPlan
from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.progress import Progress
from bitbox.provenance import environment
from bitbox.signals import Components
from bitbox.signals.alignment import Aligned
from bitbox.signals.checks import MOST_TESTED_PAIRS, check_pairs
from bitbox.signals.mirror import has_sides, sided_names
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import Directed, scorecard, window_table
from bitbox.statistics.directions import Directions
from bitbox.statistics.findings import Evidence, find
from bitbox.statistics.inference import ALPHA, Alike, infer
from bitbox.statistics.matrix import MatrixTest, Shifted, Specificity, every_pair_test, specificity
from bitbox.statistics.null import matched
from bitbox.statistics.senses import Advance, advance, better_of
from bitbox.statistics.spectra import typical_frequencies
from bitbox.statistics.windows import Pair, Rule

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


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
    mirror: Mirror = "no",
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
        :func:`bitbox.social.suggest` proposes one for the data.
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
    mirror : {'no', 'yes', 'either'}
        'no': the participant's left is compared with the model's left (anatomical imitation).
        'yes': as in a mirror, left with right (specular imitation): the model is taken as
        :meth:`Signals.mirrored` gives it, so that the names are the participant's sides.
        'either': both senses are tested, and the one in which signals with a side are more alike
        is kept, of the recordings and of every surrogate alike, so that p counts the choice. The
        p of specificity is doubled for it.
    signals : sequence of str, optional
        Which signals to test; None: all that both people have, but for those that are known to be
        measured badly (column ``reliability`` below 0.6), which are only shown. Corrections for
        many tests count the tested signals, so name them before looking at the data.
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

    Examples
    --------
    >>> from bitbox.social import imitation_quality
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=60, seed=1)
    >>> quality = imitation_quality(participant, model, n_surrogates=99, seed=1)
    >>> print(quality.headline)
    2 of 3 signals are imitated beyond chance (67%; family-wise p ≤ 0.05); median z = 3.0.
    >>> quality.scorecard['latency'].round(1).head(2).tolist()  # seconds
    [0.4, 0.4]
    """
    broken.check_surrogate(surrogate, n_surrogates)
    check_mirror(mirror, testable=not matrix_test)
    options = Options(
        width=width,
        step=step,
        lag=lag,
        causality=causality,
        fps=fps,
        offset=offset,
        max_gap=max_gap,
        polarity=polarity,
        angular=angular,
        components=components,
        min_valid=min_valid,
        mirror=mirror,
        threads=threads,
    )
    chance = Chance(
        surrogate=surrogate,
        n=n_surrogates,
        others=others,
        every_pair=matrix_test,
        seed=new_seed() if seed is None else check_seed(seed),
        progress=progress,
    )
    pair = _prepare(options.prepare(participant, model), options, signals)
    pair, tested = _test(pair, options, chance)
    matrix = options.correlate(pair.aligned, pair.plan, every_window=every_window)
    pairs, specific = _whole_matrix(pair, matrix, options, chance, tested.alike)
    return _assemble(pair, options, chance, tested, (matrix, pairs, specific))


@dataclass(frozen=True)
class Chance:
    """What imitation is tested against, each as documented in `imitation_quality`."""

    surrogate: broken.Surrogate
    n: int
    others: Sequence[SignalsLike] | None
    every_pair: bool
    seed: int
    progress: Progress | None


@dataclass(frozen=True)
class _Pair:
    """Two people's matching signals on one clock, and the windows they are compared in."""

    aligned: Aligned
    both: Matching
    plan: WindowPlan
    rule: Rule
    specular: bool
    left_out: BoolArray

    @property
    def sided(self) -> BoolArray:
        """Which of the signals the mirror changes; none, where the sides are not known."""
        if not has_sides(self.aligned.model):
            return np.zeros(len(self.both.names), dtype=np.bool_)
        return np.array(sided_names(self.aligned.model, self.both.names))

    def in_the_mirror(self, options: Options) -> _Pair:
        """Return the same in the other sense."""
        other = _prepare(in_the_mirror(self.aligned), options, self.both.names)
        return replace(other, specular=not self.specular, left_out=self.left_out)


@dataclass(frozen=True)
class _Tested:
    """What the test of the matching signals found.

    `alike` is of the circular shifts, where every pair is tested by these; `enough` as in Headline.
    """

    card: pd.DataFrame
    forward: Directed
    reverse: Directed
    alike: Alike
    enough: float
    lead: Advance | None


def _prepare(aligned: Aligned, options: Options, signals: Sequence[str] | None) -> _Pair:
    """Choose what is compared of two people on one clock, and in which windows."""
    both = match(aligned, options.components, options.angular, signals)
    check_pairs(len(both.names), len(both.names), MOST_TESTED_PAIRS)
    plan = options.plan(aligned)
    rule = Rule.make(plan, options.polarity, options.min_valid)
    # who names a signal wants it tested, and where all are doubtful there is nothing better
    named = signals is not None or both.doubtful.all()
    left_out = both.doubtful & (not named)
    return _Pair(aligned, both, plan, rule, options.mirror == "yes", left_out)


def _test(pair: _Pair, options: Options, chance: Chance) -> tuple[_Pair, _Tested]:
    """Test the matching signals, in both directions, against chance, and in both senses if asked.

    The pair that is returned is in the sense that was kept.
    """
    forward, reverse, alike = _compared(pair, options, chance)
    lead = None
    if options.mirror == "either":
        other, sided = pair.in_the_mirror(options), pair.sided
        forward_too, reverse_too, _ = _compared(other, options, chance)
        forward, mirrored = better_of(forward, forward_too, sided)
        reverse, _ = better_of(reverse, reverse_too, sided)
        pair = other if mirrored else pair
    else:
        lead = _lead_of_other_sense(pair, forward, options)
    both, plan = pair.both, pair.plan
    enough = float("nan")
    if not forward.can_tell:
        apart = broken.possible_shifts(plan) / len(forward.null)
        enough = broken.seconds_enough(plan, forward.alike.k * apart, chance.n)
    trust = both.reliability, pair.left_out
    card = scorecard(both.names, both.x, both.y, pair.rule, forward, reverse, *trust)
    return pair, _Tested(card, forward, reverse, alike, enough, lead)


def _lead_of_other_sense(pair: _Pair, forward: Directed, options: Options) -> Advance | None:
    """Return how much more alike the signals that have a side are in the other sense."""
    places = np.flatnonzero(pair.sided)
    names = [pair.both.names[i] for i in places]
    if not len(places) or not set(names) <= set(pair.aligned.model.mirrored().names):
        return None
    other = match(in_the_mirror(pair.aligned), options.components, options.angular, names)
    turned = [matched(Pair(other.x[:, k], other.y[:, k], pair.rule)) for k in range(len(names))]
    return advance([forward.observed[i] for i in places], turned, pair.plan)


def _compared(pair: _Pair, options: Options, chance: Chance) -> tuple[Directed, Directed, Alike]:
    """Return both directions, observed and in surrogates, and how alike circular shifts are."""
    both = pair.both
    job = Directions(
        both.x, both.y, pair.rule, chance.n, chance.seed, options.threads, chance.progress
    )
    if chance.surrogate == "pairs":
        how = options.components, options.angular
        forward, reverse = job.against_others(
            stand_ins(chance.others, pair.aligned, both.names, *how, pair.specular)
        )
    else:
        forward, reverse = job.against(chance.surrogate)
    alike = forward.alike
    if chance.every_pair and chance.surrogate != "circular":
        alike = job.against("circular")[0].alike
    return forward, reverse, alike


def _whole_matrix(
    pair: _Pair, matrix: CorrelationResult, options: Options, chance: Chance, alike: Alike
) -> tuple[MatrixTest | None, Specificity | None]:
    """Return the test of every pair, if wanted, and the specificity, if there can be one."""
    both, plan = pair.both, pair.plan
    if not chance.every_pair and (len(both.names) < 2 or not broken.can_shift(plan)):
        return None, None
    shapes = _of_matched(matrix, both.names, options.polarity)
    how = options.polarity, options.min_valid, options.threads, chance.progress
    shifted = Shifted(both.x, both.y, shapes, plan, *how)
    shifts = broken.circular_shifts(plan, chance.n)
    if chance.every_pair:
        return every_pair_test(both.names, shifted, shifts, alike)
    found = specificity(shifted, shifts)
    if found is not None and options.mirror == "either":
        found = replace(found, p=min(1.0, 2 * found.p) if found.p == found.p else found.p)
    return None, found


def _assemble(
    pair: _Pair,
    options: Options,
    chance: Chance,
    tested: _Tested,
    whole: tuple[CorrelationResult, MatrixTest | None, Specificity | None],
) -> ImitationQuality:
    """Put the result together, with what a careful colleague would point out."""
    aligned, plan, forward = pair.aligned, pair.plan, tested.forward
    matrix, pairs, specific = whole
    card = tested.card
    parameters: dict[str, Any] = {
        **options.parameters(aligned),
        "signals": list(pair.both.names),
        "surrogate": chance.surrogate,
        "n_surrogates": len(forward.null),
        "surrogates_alike": round(forward.alike.k, 3),
        "matrix_test": chance.every_pair,
        "sense": SENSES[pair.specular] if pair.sided.any() else None,
        "seed": chance.seed,
    }
    start = float(aligned.model.time[0])
    means = card["chance_mean"].to_numpy()
    return ImitationQuality(
        scorecard=card,
        headline=headline(card, plan.n_frames / plan.fps, tested.enough),
        findings=(
            *aligned.findings,
            *_about_senses(pair, tested, options),
            *find(_evidence(pair, tested, chance)),
        ),
        windows=window_table(pair.both.names, pair.rule, forward.observed, means, start),
        matrix=matrix,
        aligned=aligned,
        null=forward.null,
        specificity=specific,
        pairs=pairs,
        plan=plan,
        seed=chance.seed,
        provenance={
            **environment(),
            "parameters": parameters,
            "participant": dict(aligned.participant.provenance),
            "model": dict(aligned.model.provenance),
        },
    )


def _about_senses(pair: _Pair, tested: _Tested, options: Options) -> tuple[Finding, ...]:
    """Return what there is to say about mirroring."""
    if options.mirror != "no" and not pair.sided.any():
        return (about_no_sides(),)
    return tuple(about_senses(options.mirror, pair.specular, tested.lead))


def _evidence(pair: _Pair, tested: _Tested, chance: Chance) -> Evidence:
    """Gather what findings are made from."""
    both, forward, reverse = pair.both, tested.forward, tested.reverse
    return Evidence(
        card=tested.card,
        plan=pair.plan,
        observed=forward.observed,
        null=forward.null,
        reverse_p_fwer=infer(reverse.shape, reverse.null, reverse.alike).p_fwer,
        alike=forward.alike.k,
        moving=np.array([_moves(both.x), _moves(both.y)]),
        identical=np.array_equal(both.x, both.y, equal_nan=True),
        frequency=typical_frequencies(both.y, pair.plan.fps),
        surrogate=chance.surrogate,
        n_asked=chance.n,
        alpha=ALPHA,
        enough=tested.enough,
        unmatched=both.unmatched,
        left_out=pair.left_out,
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
