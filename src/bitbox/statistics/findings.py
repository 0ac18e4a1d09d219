"""What a careful colleague would point out about an analysis of imitation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.findings import Finding
from bitbox.statistics.activity import TOGETHER
from bitbox.statistics.data_findings import about_copies, about_sizes
from bitbox.statistics.inference import least_p
from bitbox.statistics.lag_profile import LagProfile
from bitbox.statistics.null import Matched
from bitbox.statistics.pattern import Pattern

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FEW_WINDOWS = 20
LOW_COVERAGE = 0.8
#: A best lag at the end of the range in more than this share of windows is suspicious.
AT_EDGE = 0.3
#: A reverse direction beyond chance, and its z this far ahead of the forward one's, needs an
#: explanation.
REVERSE_AHEAD = 1.0
#: Neither moves in more than this share of windows.
MOSTLY_STILL = 0.5
#: With fewer independent surrogates a p of 0.01 cannot be reached.
FEW_INDEPENDENT = 100
#: A window should hold at least this share of a movement there and back.
LEAST_CYCLES = 0.4


@dataclass(frozen=True)
class Evidence:
    """What the findings are made from.

    Attributes
    ----------
    card : DataFrame
        The scorecard.
    plan : WindowPlan
        Windows and lags.
    observed : sequence of Matched
        Windows of the matched signals, in the scorecard's order.
    null : (m, n) array
        Shapes of the surrogates.
    reverse_p_fwer : (n,) array
        Family-wise p of the reverse direction.
    alike : float
        How many successive rows of the null are worth one independent surrogate.
    moving : (2, n) array of bool
        Whether the participant's and the model's signals change at all.
    identical : (n,) array of bool
        Whether a signal is the same in both, frame by frame.
    frequency : (n,) array
        Typical frequency of the model's signals in Hz.
    surrogate : str
        How coupling was broken.
    n_asked : int
        Number of surrogates asked for.
    alpha : float
        Level of the family-wise p.
    enough : float
        If the recordings are too short to tell: about how many seconds would be enough; else NaN.
    unmatched : sequence of str
        Signals that only one of the two has.
    left_out : (n,) array of bool
        Signals that are not tested because they are known to be measured badly.
    untold : str
        Why imitation cannot be told from being in time; empty: it can.
    profile : LagProfile or None
        How movements match by latency, allowed or not.
    pattern : Pattern or None
        One pattern of movements that is nearly all that both do at the same times.
    together : float
        How closely the activity of both changes together, slowly; NaN: it doesn't change so.
    """

    card: pd.DataFrame
    plan: WindowPlan
    observed: Sequence[Matched]
    null: FloatArray
    reverse_p_fwer: FloatArray
    alike: float
    moving: BoolArray
    identical: BoolArray
    frequency: FloatArray
    surrogate: str
    n_asked: int
    alpha: float
    enough: float
    unmatched: Sequence[str]
    left_out: BoolArray
    untold: str = ""
    profile: LagProfile | None = None
    pattern: Pattern | None = None
    together: float = float("nan")


def find(evidence: Evidence) -> tuple[Finding, ...]:
    """Return all findings about an analysis."""
    checks = (_windows, _lags, _outside, _direction, _data, _pattern, _together, _surrogates)
    return tuple(finding for check in checks for finding in check(evidence))


def _windows(e: Evidence) -> Iterator[Finding]:
    counted = e.card["windows"][e.card["windows"] > 0]
    width = e.plan.window / e.plan.fps
    few = counted[counted < FEW_WINDOWS]
    if len(few):
        yield Finding(
            "few-windows",
            "warning",
            f"{_have(few.index)} only {few.min()}"
            + (f" to {few.max()}" if few.max() > few.min() else "")
            + f" windows that count; means over fewer than {FEW_WINDOWS} are unsteady.",
            "Use longer recordings, a shorter width or a smaller step.",
        )
    with np.errstate(invalid="ignore"):
        slow = e.card.index[width * e.frequency < LEAST_CYCLES]
    if len(slow):
        cycle = 1 / float(np.nanmedian(e.frequency[width * e.frequency < LEAST_CYCLES]))
        yield Finding(
            "windows-too-short",
            "warning",
            f"A window of {width:.3g} s is short for {_names(slow)}, which move slowly (a movement "
            f"there and back takes about {cycle:.1f} s): within a window they are nearly straight "
            "lines, and straight lines always correlate.",
            f"Use a width of {cycle / 2:.1f} s or more; bitbox.social.suggest proposes one.",
        )


def _lags(e: Evidence) -> Iterator[Finding]:
    if e.plan.max_lag == 0:
        return
    largest = e.plan.max_lag / e.plan.fps
    edge = e.card[(e.card["p_fwer"] <= e.alpha) & (e.card["edge"] > AT_EDGE)]
    # a causal range ends at 0 as well, and there a larger lag would not help
    simultaneous = edge["latency"] < largest / 2 if e.plan.causal else edge["latency"] > np.inf
    late, at_once = edge[~simultaneous], edge[simultaneous]
    allowed = f"{0.0 if e.plan.causal else -largest:.3g} to {largest:.3g} s"
    if len(late):
        yield Finding(
            "lag-at-edge",
            "warning",
            f"The best lag of {_names(late.index)} lies at an end of the allowed range ({allowed}) "
            f"in {late['edge'].median():.0%} of windows: the range may cut off the true latency.",
            "Use a larger lag, or check that both recordings start at the same time (offset).",
        )
    if len(at_once):
        yield Finding(
            "lag-at-edge",
            "warning",
            f"The best lag of {_names(at_once.index)} lies at an end of the allowed range "
            f"({allowed}), at no lag at all, in {at_once['edge'].median():.0%} of windows: the "
            "participant may move together with the model, or before.",
            "Check that both recordings start at the same time (offset), or allow lags both ways "
            "(causality=False).",
        )


def _outside(e: Evidence) -> Iterator[Finding]:
    largest = e.plan.max_lag / e.plan.fps
    least = 0.0 if e.plan.causal else -largest
    if e.profile is None or not e.profile.outside(least, largest):
        return
    peak = e.profile.peak
    where = f"{least:.3g} to {largest:.3g} s"
    if peak < 0:
        yield Finding(
            "peak-outside-lags",
            "warning",
            f"Movements go together best where the participant leads by {-peak:.1f} s, which is "
            f"not among the allowed lags ({where}). So no latency is given.",
            "Check who is who and that both recordings start at the same time (offset). If both "
            "are right, the participant leads: "
            + (
                "allow lags both ways (causality=False)."
                if e.plan.causal and -peak <= largest
                else f"use causality=False and lag={_lag_for(-peak):g}."
            ),
        )
        return
    yield Finding(
        "peak-outside-lags",
        "warning",
        f"Movements go together best at a latency of {peak:.1f} s, which is not among the allowed "
        f"lags ({where}).",
        f"Use lag={_lag_for(peak):g}, and say that it was chosen from the data; or check that both "
        "recordings start at the same time (offset).",
    )


def _lag_for(latency: float) -> float:
    """Return a lag that holds a latency and half a second more, in fifths of a second."""
    return float(np.ceil((latency + 0.5) * 5.0) / 5.0)


def _direction(e: Evidence) -> Iterator[Finding]:
    card = e.card
    if not e.plan.causal or e.plan.max_lag == 0:  # then the two directions are one
        return
    ahead = card["reverse_z"] - card["z"] > REVERSE_AHEAD
    reverse = card[ahead & (e.reverse_p_fwer <= e.alpha)]
    if len(reverse):
        yield Finding(
            "reverse-stronger",
            "warning",
            f"In {_names(reverse.index)} the model follows the participant more closely than the "
            f"participant the model (median z {reverse['reverse_z'].median():.1f} against "
            f"{reverse['z'].median():.1f}).",
            "Check who is who and that both recordings start at the same time (offset). If both "
            "are right, the participant leads.",
        )
    with np.errstate(invalid="ignore"):
        either = (card["p_fwer"] <= e.alpha) & (e.reverse_p_fwer <= e.alpha)
    either &= (card["p_follow"] > e.alpha) & ~ahead
    if either.any():
        yield Finding(
            "both-directions",
            "info",
            f"In {_names(card.index[either])} both directions are beyond chance, and neither is "
            "clearly ahead of the other: a shared cause, to which both react, would look the same.",
            "Don't call it following: that needs p_follow of at most 0.05 as well.",
        )


def _data(e: Evidence) -> Iterator[Finding]:
    if e.identical.all():
        yield Finding(
            "same-recording",
            "warning",
            "Participant and model are the same, frame by frame.",
            "Check that two different recordings, or two different faces, were chosen.",
        )
    if not e.identical.all():
        yield from about_copies(e.card.index[e.identical & e.moving[1]])
    yield from about_sizes(e.card["gain"].to_numpy())
    low = e.card["coverage"][e.card["coverage"] < LOW_COVERAGE]
    if len(low):
        yield Finding(
            "low-coverage",
            "warning",
            f"{_have(low.index)} values for both people in only {low.min():.0%}"
            + (f" to {low.max():.0%}" if low.max() > low.min() else "")
            + " of frames.",
            "Check why frames are missing: what is lost is seldom lost at random.",
        )
    both_still = np.array([_still_share(signal) for signal in e.observed])
    still = e.card.index[both_still > MOSTLY_STILL]
    if len(still):
        yield Finding(
            "mutual-stillness",
            "info",
            f"In {_names(still)} neither person moves in more than half of the windows "
            f"(up to {np.nanmax(both_still):.0%}); these don't count.",
            "There is nothing to do: the result rests on the movements that there are.",
        )
    if e.untold and not np.isfinite(e.enough) and e.card["z"].notna().any():
        yield Finding(
            "specificity-untold",
            "warning",
            f"Imitation cannot be told from reacting to the same things: {e.untold}. So signals "
            "can be in time with the model, but none is called imitated.",
            "Compare several signals, of a model who shows several movements; or use trials "
            "(imitation_trials).",
        )
    yield from _untested(e)
    if e.unmatched:
        yield Finding(
            "unmatched-signals",
            "info",
            f"{_names(e.unmatched)} were measured in one of the two only, and are not compared.",
            "There is nothing to do if that is meant.",
        )


def _untested(e: Evidence) -> Iterator[Finding]:
    if e.left_out.any():
        yield Finding(
            "unreliable-signals",
            "info",
            f"{_names(e.card.index[e.left_out])} cannot be measured well enough to be tested: on "
            "people whose true movement is known, the correlation with it is below 0.6 (column "
            "reliability), or, of angles of a body from where the camera stands, below 0.8 or "
            "their size wrong by more than a quarter. They are shown, but don't count in the "
            "headline and in the corrections for many tests.",
            "There is nothing to do; to test one of them all the same, name it: signals=[...].",
        )
    untested = e.card[["shape", "chance_mean"]].isna().any(axis=1).to_numpy()
    if not untested.any():
        return
    never = untested & (e.card["coverage"] == 0).to_numpy()
    still = [untested & ~never & ~moving for moving in e.moving]
    other = untested & ~never & ~still[0] & ~still[1]
    reasons = [
        (never, "never known in both recordings at the same time"),
        (still[0], "constant in the participant's recording"),
        (still[1] & ~still[0], "constant in the model's recording"),
        (other, "no window in which enough frames are known and something moves"),
    ]
    why = [f"{_names(e.card.index[which])}: {reason}" for which, reason in reasons if which.any()]
    all_of_them = bool(untested.all())
    yield Finding(
        "untested-signals",
        "warning" if all_of_them else "info",
        ("No signal could be tested (" if all_of_them else "Could not be tested (")
        + "; ".join(why)
        + ").",
        "Check that the right files were compared, and that the face was found in both."
        if all_of_them
        else "There is nothing to do if that is to be expected; they don't count in the "
        "corrections for many tests.",
    )


def _pattern(e: Evidence) -> Iterator[Finding]:
    if e.pattern is not None:
        yield Finding(
            "one-pattern",
            "warning",
            f"{e.pattern.share:.0%} of what both do at the same times is one pattern, of "
            f"{_names(e.card.index[e.pattern.members])}. People who laugh at the same things do "
            "that, too. So the p of specificity asks for another movement that is followed.",
            "Compare with a model who shows several expressions; or use trials (imitation_trials).",
        )


def _together(e: Evidence) -> Iterator[Finding]:
    if not e.together >= TOGETHER or e.surrogate in ("local", "pairs"):
        return
    yield Finding(
        "active-together",
        "warning",
        "Both people are lively in the same parts of the recordings, and quiet in the same parts "
        f"(r = {e.together:.2f}). Surrogates that move one of them far in time break that, too, "
        "so it can pass for movement in time with the model.",
        "Use surrogate='local', which keeps it, or cut the recordings to a part that is alike "
        "throughout (start and end).",
    )


def _surrogates(e: Evidence) -> Iterator[Finding]:
    m = len(e.null)
    if e.surrogate == "pairs":
        yield Finding(
            "others-as-chance",
            "info",
            "Chance is what other people's recordings give. People who saw or showed the same "
            "things at the same times move together without having met: they are no chance to "
            "compare with.",
            "Use recordings of people who saw something else, or showed something else, in a task "
            "that was otherwise the same.",
        )
    if e.surrogate == "circular" and m < e.n_asked:
        yield Finding(
            "fewer-surrogates",
            "info",
            f"There are only {m} different shifts in a recording of this length, not {e.n_asked}; "
            "all were used.",
            f"There is nothing to do: p cannot be below {1 / (m + 1):.2g}.",
        )
    independent = m / e.alike
    least = least_p(m, e.alike)
    if e.surrogate != "circular" or independent >= FEW_INDEPENDENT or not np.isfinite(e.null).any():
        return
    worth = (
        f"Shifts that differ by little give nearly the same: the {m} surrogates of this recording "
        f"are worth about {independent:.0f} independent ones"
    )
    if np.isfinite(e.enough):
        yield Finding(
            "too-short-to-tell",
            "warning",
            f"{worth}, too few for a p of {e.alpha:g}: p, p_fwer and q_fdr are not given.",
            f"Use recordings of {e.enough:.0f} s or more, or a smaller width or lag; bitbox "
            "suggest (bitbox.social.suggest) says whether that would do for these.",
        )
        return
    yield Finding(
        "few-independent-shifts",
        "info",
        f"{worth}, and p and p_fwer cannot be below {least:.2g}.",
        "Judge by p_fwer at 0.05 rather than by very small p or q_fdr; for finer p use longer "
        "recordings or surrogate='segments'.",
    )


def _still_share(signal: Matched) -> float:
    """Share of defined windows in which neither moves."""
    defined = np.isfinite(signal.r)
    return float((defined & ~signal.counted).sum() / defined.sum()) if defined.any() else np.nan


def _names(names: Iterable[object], most: int = 4) -> str:
    every = [str(name) for name in names]
    shown = ", ".join(every[:most])
    return shown + (f" and {len(every) - most} more" if len(every) > most else "")


def _have(names: Iterable[object]) -> str:
    every = list(names)
    return f"{_names(every)} {'has' if len(every) == 1 else 'have'}"
