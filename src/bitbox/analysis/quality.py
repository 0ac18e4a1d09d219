"""Imitation quality: which movements are imitated, how well, how late, and beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.compared import Chance, Compared, Tested, chosen, tested_against_chance
from bitbox.analysis.correlation_result import CorrelationResult
from bitbox.analysis.form import form
from bitbox.analysis.headline import headline
from bitbox.analysis.options import Options
from bitbox.analysis.pair import SignalsLike
from bitbox.analysis.result import ImitationQuality
from bitbox.analysis.senses import (
    SENSES,
    Mirror,
    about_no_sides,
    about_senses,
    check_mirror,
)
from bitbox.analysis.specific import contrast_of_pair, of_matched, specific_to_movements
from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.progress import Progress
from bitbox.provenance import environment
from bitbox.signals import Components
from bitbox.statistics import surrogates as broken
from bitbox.statistics.activity import active_together
from bitbox.statistics.card import window_table
from bitbox.statistics.difference import Difference
from bitbox.statistics.findings import Evidence, find
from bitbox.statistics.inference import ALPHA, infer
from bitbox.statistics.lag_profile import LagProfile, lag_profile
from bitbox.statistics.matrix import MatrixTest, Shifted, every_pair_test
from bitbox.statistics.specificity import Specificity, why_untold
from bitbox.statistics.spectra import typical_frequencies
from bitbox.system import ahead

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
    role: broken.Role = "model",
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
        Length of a window in seconds. It should hold one movement there and back or more;
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
        measured badly (column ``reliability`` below 0.6, or in :attr:`Signals.unreliable`), which
        are only shown. Corrections for many tests count the tested signals, so name them before
        looking at the data.
    n_surrogates : int
        How many surrogates; p cannot be smaller than 1 / (n_surrogates + 1).
    surrogate : {'circular', 'segments', 'local', 'phase', 'pairs'}
        How coupling is broken, see :mod:`bitbox.statistics.surrogates`.
    others : sequence of Signals, optional
        For 'pairs': other recordings that take a person's place, one surrogate each. Of people
        who saw, or showed, other things: who saw the same moves at the same times, and is no null.
    role : {'model', 'participant'}
        For 'pairs': whose place they take. 'participant': people who saw something else stand in
        for the participant.
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
    >>> print(str(quality.headline)[:34])
    The participant imitates the model
    >>> quality.headline.imitated, quality.headline.tested  # signals
    (2, 3)
    >>> quality.scorecard['latency'].round(1).head(2).tolist()  # seconds
    [0.4, 0.4]
    """
    broken.check_surrogate(surrogate, n_surrogates)
    broken.check_role(role)
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
        role=role,
        every_pair=matrix_test,
        seed=new_seed() if seed is None else check_seed(seed),
        progress=progress,
    )
    pair = chosen(options.prepare(participant, model), options, signals)
    pair, tested = tested_against_chance(pair, options, chance)
    ahead.wait()  # for kernels that another process compiles, if one does
    matrix = options.correlate(pair.aligned, pair.plan, every_window=every_window)
    pairs = _every_pair(pair, matrix, options, chance, tested)
    seen = contrast_of_pair(pair, options)
    specific = specific_to_movements(pair, matrix, options, chance, tested, seen)
    profile = None if seen is None else lag_profile(seen)
    apart = form(pair, options, chance, tested)
    return _assemble(pair, options, chance, tested, (matrix, pairs, specific, profile, apart))


def _every_pair(
    pair: Compared, matrix: CorrelationResult, options: Options, chance: Chance, found: Tested
) -> MatrixTest | None:
    """Return the test of every pair, if wanted."""
    if not chance.every_pair:
        return None
    both, plan = pair.both, pair.plan
    shapes = of_matched(matrix, both.names, options.polarity)
    how = options.polarity, options.min_valid, options.threads, chance.progress
    shifted = Shifted(both.x, both.y, shapes, plan, *how)
    shifts = broken.circular_shifts(plan, chance.n)
    return every_pair_test(both.names, shifted, shifts, found.alike)


def _assemble(
    pair: Compared,
    options: Options,
    chance: Chance,
    tested: Tested,
    whole: tuple[
        CorrelationResult, MatrixTest | None, Specificity | None, LagProfile | None, Difference
    ],
) -> ImitationQuality:
    """Put the result together, with what a careful colleague would point out."""
    aligned, plan, forward = pair.aligned, pair.plan, tested.forward
    matrix, pairs, specific, profile, apart = whole
    card = tested.card(pair, specific, profile, apart)
    untold = _untold(pair, specific)
    parameters: dict[str, Any] = {
        **options.parameters(aligned),
        "signals": list(pair.both.names),
        "surrogate": chance.surrogate,
        "role": chance.role if chance.surrogate == "pairs" else None,
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
        headline=headline(card, plan.n_frames / plan.fps, tested.enough, specific, untold),
        findings=(
            *aligned.findings,
            *_about_senses(pair, tested, options),
            *find(_evidence(pair, tested, chance, (card, profile, specific), untold)),
        ),
        windows=window_table(pair.both.names, pair.rule, forward.observed, means, start),
        matrix=matrix,
        aligned=aligned,
        null=forward.null,
        specificity=specific,
        lag_profile=profile,
        difference=apart,
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


def _about_senses(pair: Compared, tested: Tested, options: Options) -> tuple[Finding, ...]:
    """Return what there is to say about mirroring."""
    if options.mirror != "no" and not pair.sided.any():
        return (about_no_sides(),)
    return tuple(about_senses(options.mirror, pair.specular, tested.lead))


def _untold(pair: Compared, specific: Specificity | None) -> str:
    """Return why specificity cannot be told; empty: it is told."""
    if specific is not None and np.isfinite(specific.p):
        return ""
    why = why_untold(pair.both.x, pair.both.y)
    return why or "the recordings are too short for that"


def _evidence(
    pair: Compared,
    tested: Tested,
    chance: Chance,
    found: tuple[pd.DataFrame, LagProfile | None, Specificity | None],
    untold: str,
) -> Evidence:
    """Gather what findings are made from."""
    both, forward, reverse = pair.both, tested.forward, tested.reverse
    return Evidence(
        card=found[0],
        plan=pair.plan,
        observed=forward.observed,
        null=forward.null,
        reverse_p_fwer=infer(reverse.shape, reverse.null, reverse.alike).p_fwer,
        alike=forward.alike.k,
        moving=np.array([_moves(both.x), _moves(both.y)]),
        identical=_same(both.x, both.y),
        frequency=typical_frequencies(both.y, pair.plan.fps),
        surrogate=chance.surrogate,
        n_asked=chance.n,
        alpha=ALPHA,
        enough=tested.enough,
        unmatched=both.unmatched,
        left_out=pair.left_out,
        untold=untold,
        profile=found[1],
        pattern=None if found[2] is None else found[2].pattern,
        together=active_together(both.x, both.y, pair.plan),
    )


def _same(x: FloatArray, y: FloatArray) -> BoolArray:
    """Return which signals, (T, n, d), have the same values in both."""
    return np.asarray(((x == y) | (np.isnan(x) & np.isnan(y))).all(axis=(0, 2)))


def _moves(signals: FloatArray) -> BoolArray:
    """Return which signals, (T, n, d), take more than one value."""
    low = np.min(signals, axis=0, where=~np.isnan(signals), initial=np.inf)
    high = np.max(signals, axis=0, where=~np.isnan(signals), initial=-np.inf)
    changes: BoolArray = (high > low).any(axis=1)
    return changes


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
