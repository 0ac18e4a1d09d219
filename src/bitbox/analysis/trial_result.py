"""What the test in trials returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.methods import with_references
from bitbox.analysis.trial_design import Design
from bitbox.findings import Finding
from bitbox.notebook import panel
from bitbox.statistics.inference import ALPHA
from bitbox.statistics.trials import Responses, TrialTest

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

#: What the columns of the table of trials mean: name, meaning, unit, values.
TRIAL_COLUMNS = (
    ("trial", "Number of the trial, in the order given.", "", "1 or more"),
    ("onset", "When it begins, on the model's clock.", "seconds", "0 or more"),
    ("offset", "When it ends.", "seconds", "after onset"),
    ("label", "What the model shows.", "", "text"),
    ("stratum", "Trials were exchanged within these.", "", "text"),
    (
        "score",
        "How much more like the model's own trial than like trials of other labels the response "
        "is: a mean over signals of products of standardised responses.",
        "",
        "any; 0 is chance",
    ),
    (
        "hit",
        "Whether the response is more like what was shown than like anything else that was shown.",
        "",
        "True, False; empty: not used",
    ),
    (
        "latency",
        "By how much the participant follows, of hits where there is imitation at all.",
        "seconds",
        "positive: the participant follows",
    ),
    (
        "gain",
        "How large the response is relative to the model's movement, of hits.",
        "ratio",
        "any",
    ),
)
#: The same of the table of signals.
SIGNAL_COLUMNS = (
    ("signal", "Name of the signal, the same for participant and model.", "", "text"),
    (
        "z",
        "How far the agreement of both people's responses over trials is above that in other "
        "orders of the trials.",
        "standard deviations",
        "any; 0 is chance",
    ),
    ("p", "Share of orders that reach it, of this signal alone.", "probability", "0 to 1"),
    (
        "p_fwer",
        "The same, corrected for all signals (step-down maximum of z).",
        "probability",
        "0 to 1",
    ),
    ("q_fdr", "p adjusted by Benjamini and Hochberg.", "probability", "0 to 1"),
    (
        "gain",
        "Slope over trials of the participant's responses on the model's; where p_fwer is at "
        "most 0.05.",
        "ratio",
        "1: as large as the model's",
    ),
    ("trials", "In how many trials the signal is known for both.", "trials", "0 or more"),
)

#: Permutations of the order that a change over trials is compared with.
_ORDERS = 999


@dataclass(frozen=True, eq=False, repr=False)
class ImitationTrials:
    """Whether a participant does what the model shows, trial by trial.

    Attributes
    ----------
    overall_p, overall_z : float
        Of all signals together: does what the participant does in a trial depend on what the model
        shows in it? NaN where that cannot be told.
    scorecard : DataFrame
        One row a signal: ``z``, ``p``, ``p_fwer`` (corrected for the number of signals), ``q_fdr``,
        ``gain`` (NaN where p_fwer is above 0.05), and in how many ``trials`` it is known.
    trials : DataFrame
        One row a trial: ``onset``, ``offset`` in seconds (of clips, from their start), ``label``,
        ``stratum``; ``score``, how much more like the model's own trial than like trials of other
        labels the response is (0 is chance); ``hit``, whether it is more like what was shown than
        like anything else that was shown; and, of hits where there is imitation at all, ``latency``
        in seconds (positive: the participant follows) and ``gain``.
    scores : DataFrame
        The ``score`` of every trial (row) and signal (column).
    order : (float, float)
        Rank correlation of the score with the trial's number, and its two-sided p.
    findings : tuple of Finding
        What a careful colleague would point out.
    arrangements : float
        How many different ways there are to put what is shown to trials.
    provenance : mapping
        Parameters, seed and versions.

    Examples
    --------
    >>> from bitbox.social import imitation_trials
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(4, imitated=3, duration=60, delay=0.4, seed=1)
    >>> trials = [(4.0 * k + 1, 4.0 * k + 4, f'clip {k}') for k in range(14)]
    >>> found = imitation_trials(participant, model, trials, seed=1, n_permutations=199)
    >>> list(found.scorecard.columns)
    ['z', 'p', 'p_fwer', 'q_fdr', 'gain', 'trials']
    >>> len(found.trials)
    14
    """

    overall_z: float
    overall_p: float
    scorecard: pd.DataFrame
    trials: pd.DataFrame
    scores: pd.DataFrame
    order: tuple[float, float]
    findings: tuple[Finding, ...]
    arrangements: float
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The result in a sentence or two."""
        used = self.trials["hit"].notna()
        n, hits = int(used.sum()), int(self.trials["hit"].sum())
        if np.isnan(self.overall_p):
            return (
                f"Whether the participant imitates cannot be told from these {n} trials: there are "
                f"only {self.arrangements:.0f} different ways to put what is shown to trials."
            )
        found = int((self.scorecard["p_fwer"] <= ALPHA).sum())
        tested = int(self.scorecard["p_fwer"].notna().sum())
        with_p = f"{n} trials, p = {self.overall_p:.2g}"
        told = (
            f"The participant imitates what is shown ({with_p})"
            if self.overall_p <= ALPHA
            else f"It is not shown that the participant imitates ({with_p})"
        )
        return (
            f"{told}: in {hits} of {n} trials the response is most like what the model showed; "
            f"{found} of {tested} signals depend on it (family-wise p ≤ {ALPHA:g})."
        )

    @property
    def data_dictionary(self) -> pd.DataFrame:
        """What every column of both tables means: ``table, column, meaning, unit, values``."""
        import pandas as pd

        rows = [("trials.csv", *row) for row in TRIAL_COLUMNS]
        rows += [("trials_scorecard.csv", *row) for row in SIGNAL_COLUMNS]
        return pd.DataFrame(rows, columns=["table", "column", "meaning", "unit", "values"])

    def methods(self) -> str:
        """Return a methods section: what was done, with the numbers used and references.

        Examples
        --------
        >>> from bitbox.social import imitation_trials
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> participant, model, truth = imitated_pair(4, imitated=3, duration=60, seed=1)
        >>> trials = [(4.0 * k + 1, 4.0 * k + 4, f'clip {k}') for k in range(14)]
        >>> found = imitation_trials(participant, model, trials, seed=1, n_permutations=199)
        >>> print(found.methods()[:44])
        Imitation was tested in 14 trials by exchang
        """
        p = self.provenance["parameters"]
        strata = self.trials["stratum"].nunique()
        drawn = (
            f"All {p['n_permutations']} orders were used, so that p is exact"
            if p["exact"]
            else f"{p['n_permutations']} random orders were drawn (seed {p['seed']}), and p is "
            "(b + 1) / (m + 1) with b of m reaching what was observed (Phipson & Smyth, 2010)"
        )
        return with_references(
            f"Imitation was tested in {len(self.trials)} trials by exchanging whole trials of the "
            "participant, all signals together"
            + (f", within {strata} strata" if strata > 1 else "")
            + ": without imitation, what a participant does in a trial does not depend on which "
            "movement the model shows in it (Harris, 2020, on nulls made of whole sessions). The "
            "response of a signal in a trial was its projection on the course of the model's "
            "movement in that trial (the first principal component of its signals), at the "
            f"latency from {p['latency'][0]:g} to {p['latency'][1]:g} s at which all signals "
            "together moved most. Responses were standardised over trials, the participant's taken "
            "relative to their mean over signals, and multiplied with the model's; sums over "
            f"trials were compared with those in other orders. {drawn}. Over signals, p was "
            "corrected family-wise by the step-down maximum of z (Westfall & Young, 1993)."
        )

    def __repr__(self) -> str:
        return f"<ImitationTrials: {self.headline}>"

    def __str__(self) -> str:
        return f"{self.headline}\n\n{self.trials.round(3).to_string()}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        card = self.scorecard.sort_values("z", ascending=False, kind="stable").head(12)
        columns = ["z", "p", "p_fwer", "gain"]
        return panel(
            "Imitation in trials",
            [self.headline, *(str(finding) for finding in self.findings)],
            ("signal", "z", "p", "family-wise p", "gain"),
            [
                (str(name), *(float(value) for value in row))
                for name, row in zip(card.index, card[columns].to_numpy(float), strict=True)
            ],
            bold=[bool(p <= ALPHA) for p in card["p_fwer"]],
        )


def order_effect(score: FloatArray, rng: np.random.Generator) -> tuple[float, float]:
    """Return the rank correlation of scores with their order, and its two-sided p."""
    known = score[np.isfinite(score)]
    if len(known) < 4 or np.ptp(known) == 0:
        return float("nan"), float("nan")
    ranks = np.argsort(np.argsort(known)).astype(float)
    ranks -= ranks.mean()
    place = np.arange(len(known)) - (len(known) - 1) / 2
    norm = float(np.sqrt((ranks @ ranks) * (place @ place)))
    observed = float(ranks @ place) / norm
    null = np.array([rng.permutation(ranks) @ place for _ in range(_ORDERS)]) / norm
    reached = int((np.abs(null) >= abs(observed) - 1e-9).sum())
    return observed, (reached + 1) / (_ORDERS + 1)


def trial_findings(
    design: Design,
    found: Responses,
    test: TrialTest,
    card: pd.DataFrame,
    ways: float,
    order: tuple[float, float],
    n_signals: int,
) -> Iterator[Finding]:
    """Yield what is worth knowing about a test in trials."""
    unused = [k + 1 for k in np.flatnonzero(~np.isfinite(test.score))]
    if unused:
        yield Finding(
            "unused-trials",
            "warning",
            f"{len(unused)} of {len(test.score)} trials could not be used (number "
            f"{', '.join(map(str, unused[:8]))}{' ...' if len(unused) > 8 else ''}): outside the "
            "recordings, too many frames missing, or the model doesn't move in them.",
            "Check that onsets are seconds on the clock of the model's recording.",
        )
    if 1.0 / ways > ALPHA:
        yield Finding(
            "too-few-trials",
            "warning",
            f"There are only {ways:.0f} different ways to put what is shown to trials, so that no "
            f"p could be {ALPHA:g}: none is given.",
            "Use more trials, of more movements; six trials of three movements are enough.",
        )
    if n_signals == 1:
        yield Finding(
            "specificity-untold",
            "warning",
            "With a single signal it can be told whether it moves more where the model moves it "
            "more, but not whether it does so more than the rest of the face.",
            "Compare several signals.",
        )
    if design.blocked:
        yield Finding(
            "blocked-order",
            "warning",
            "Each movement was shown in one go, so that a change over the session, such as "
            "fatigue, would look like imitation.",
            "Mix the order of trials; or say which block each trial is of (strata), if each "
            "holds several movements.",
        )
    if order[1] <= ALPHA:
        yield Finding(
            "order-effect",
            "info",
            f"Trials later in the session are imitated {'better' if order[0] > 0 else 'less well'} "
            f"(rank correlation {order[0]:.2f}, p = {order[1]:.2g}).",
            "Nothing, if that is of interest; fatigue, practice or a lost face may be behind it.",
        )
    lag = found.lag[test.hit & np.isfinite(found.lag)]
    ends = (np.nanmin(found.lag), np.nanmax(found.lag)) if np.isfinite(found.lag).any() else (0, 0)
    at_end = float(np.mean(np.isin(lag, ends))) if len(lag) else 0.0
    if (card["p_fwer"] <= ALPHA).any() and at_end > 0.3 and ends[0] < ends[1]:
        yield Finding(
            "latency-at-edge",
            "warning",
            f"In {at_end:.0%} of the hits the best latency is at an end of the allowed range, "
            "which may cut off the true one.",
            "Allow a wider range: latency=(least, most).",
        )
