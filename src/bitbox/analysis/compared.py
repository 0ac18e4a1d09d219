"""Two people's matching signals, and how they are tested against chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.matching import Matching, match, stand_ins
from bitbox.analysis.options import Options, in_the_mirror
from bitbox.analysis.pair import SignalsLike
from bitbox.correlation.plan import WindowPlan
from bitbox.progress import Progress
from bitbox.signals.alignment import Aligned
from bitbox.signals.checks import MOST_TESTED_PAIRS, check_pairs
from bitbox.signals.mirror import has_sides, sided_names
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import TIMING, Directed, scorecard
from bitbox.statistics.difference import Difference
from bitbox.statistics.directions import Directions
from bitbox.statistics.inference import Alike
from bitbox.statistics.lag_profile import NEAR, LagProfile
from bitbox.statistics.null import matched
from bitbox.statistics.senses import Advance, advance, better_of
from bitbox.statistics.specificity import OwnSignals, Specificity
from bitbox.statistics.windows import Pair, Rule

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Chance:
    """What imitation is tested against, each as documented in `imitation_quality`."""

    surrogate: broken.Surrogate
    n: int
    others: Sequence[SignalsLike] | None
    role: broken.Role
    every_pair: bool
    seed: int
    progress: Progress | None


@dataclass(frozen=True)
class Compared:
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

    def in_the_mirror(self, options: Options) -> Compared:
        """Return the same in the other sense."""
        other = chosen(in_the_mirror(self.aligned), options, self.both.names)
        return replace(other, specular=not self.specular, left_out=self.left_out)


@dataclass(frozen=True)
class Tested:
    """What the test of the matching signals found.

    `alike` is of the circular shifts, where every pair is tested by these; `others` are recordings
    that stood in, if any; `enough` is as in Headline.
    """

    forward: Directed
    reverse: Directed
    alike: Alike
    others: Sequence[FloatArray]
    enough: float
    lead: Advance | None

    def card(
        self,
        pair: Compared,
        specific: Specificity | None,
        profile: LagProfile | None,
        form: Difference,
    ) -> pd.DataFrame:
        """Return the scorecard."""
        both = pair.both
        own = OwnSignals.untold(len(both.names)) if specific is None else specific.signals
        trust = both.reliability, pair.left_out
        ways = self.forward, self.reverse
        card = scorecard(both.names, both.x, both.y, pair.rule, *ways, own, form, *trust)
        if profile is not None and pair.plan.causal and profile.peak < -NEAR:
            card[list(TIMING)] = np.nan  # who leads has no latency among those of who follows
        return card


def chosen(aligned: Aligned, options: Options, signals: Sequence[str] | None) -> Compared:
    """Choose what is compared of two people on one clock, and in which windows."""
    both = match(aligned, options.components, options.angular, signals)
    check_pairs(len(both.names), len(both.names), MOST_TESTED_PAIRS)
    plan = options.plan(aligned)
    rule = Rule.make(plan, options.polarity, options.min_valid)
    # who names a signal wants it tested, and where all are doubtful there is nothing better
    named = signals is not None or both.doubtful.all()
    left_out = both.doubtful & (not named)
    return Compared(aligned, both, plan, rule, options.mirror == "yes", left_out)


def tested_against_chance(
    pair: Compared, options: Options, chance: Chance
) -> tuple[Compared, Tested]:
    """Test the matching signals, in both directions, against chance, and in both senses if asked.

    The pair that is returned is in the sense that was kept.
    """
    forward, reverse, alike, others = _compared(pair, options, chance)
    lead = None
    if options.mirror == "either":
        other, sided = pair.in_the_mirror(options), pair.sided
        forward_too, reverse_too, _, others_too = _compared(other, options, chance)
        forward, mirrored = better_of(forward, forward_too, sided)
        reverse, _ = better_of(reverse, reverse_too, sided)
        pair, others = (other, others_too) if mirrored else (pair, others)
    else:
        lead = _lead_of_other_sense(pair, forward, options)
    plan, enough = pair.plan, float("nan")
    if not forward.can_tell:
        apart = broken.possible_shifts(plan) / len(forward.null)
        enough = broken.seconds_enough(plan, forward.alike.k * apart, chance.n)
    return pair, Tested(forward, reverse, alike, others, enough, lead)


def _lead_of_other_sense(pair: Compared, forward: Directed, options: Options) -> Advance | None:
    """Return how much more alike the signals that have a side are in the other sense."""
    places = np.flatnonzero(pair.sided)
    names = [pair.both.names[i] for i in places]
    if not len(places) or not set(names) <= set(pair.aligned.model.mirrored().names):
        return None
    other = match(in_the_mirror(pair.aligned), options.components, options.angular, names)
    turned = [matched(Pair(other.x[:, k], other.y[:, k], pair.rule)) for k in range(len(names))]
    return advance([forward.observed[i] for i in places], turned, pair.plan)


def _compared(
    pair: Compared, options: Options, chance: Chance
) -> tuple[Directed, Directed, Alike, Sequence[FloatArray]]:
    """Return both directions, how alike circular shifts are, and recordings that stood in."""
    both = pair.both
    others: Sequence[FloatArray] = ()
    job = Directions(
        both.x, both.y, pair.rule, chance.n, chance.seed, options.threads, chance.progress
    )
    if chance.surrogate == "pairs":
        how = options.components, options.angular
        turned = pair.specular and chance.role == "model"
        others = stand_ins(
            chance.others, pair.aligned, both, *how, role=chance.role, mirrored=turned
        )
        forward, reverse = job.against_others(others, chance.role)
    else:
        forward, reverse = job.against(chance.surrogate)
    alike = forward.alike
    if chance.every_pair and chance.surrogate != "circular":
        alike = job.against("circular")[0].alike
    return forward, reverse, alike, others
