"""The result in a sentence: whether this person imitates at all, and which movements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bitbox.statistics.card import imitated, in_time
from bitbox.statistics.inference import ALPHA
from bitbox.statistics.specificity import Specificity

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Headline:
    """The result in short: whether there is imitation at all, and how many signals are imitated.

    Attributes
    ----------
    share : float
        Share of the tested signals that are imitated: specific, with a family-wise p of at most
        `alpha`, and in time with the model, with a p of at most `alpha`. NaN if none is tested, or
        if it cannot be told.
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
    in_time : int
        How many signals move in time with the model beyond chance, specific or not.
    specific_p : float
        p of the specificity of all signals together: does the participant do what the model does,
        and not just something at the same time? NaN where that cannot be told.
    untold : str
        Why it cannot be told.

    Examples
    --------
    >>> from bitbox.social import imitation_quality
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=60, seed=1)
    >>> quality = imitation_quality(participant, model, n_surrogates=99, seed=1)
    >>> quality.headline.imitated, quality.headline.tested
    (2, 3)
    >>> round(quality.headline.share, 2)
    0.67
    """

    share: float
    imitated: int
    tested: int
    median_z: float
    alpha: float = ALPHA
    seconds: float = float("nan")
    enough: float = float("nan")
    in_time: int = 0
    specific_p: float = float("nan")
    untold: str = ""

    @property
    def too_short(self) -> bool:
        """Whether nothing could reach `alpha`, however alike the two are."""
        return bool(np.isfinite(self.enough))

    @property
    def specific_told(self) -> bool:
        """Whether imitation can be told from being in time."""
        return bool(np.isfinite(self.specific_p))

    def __str__(self) -> str:
        if not self.tested:
            return "No signal could be tested: none moves in both recordings at the same time."
        if self.too_short:
            return (
                f"Too short to tell: in {self.seconds:.1f} s, with these settings, no signal could "
                f"reach a family-wise p of {self.alpha:g}, however well it is imitated; about "
                f"{self.enough:.0f} s would be enough (median z = {self.median_z:.1f})."
            )
        of = "1 signal" if self.tested == 1 else f"{self.tested} signals"
        verb = "is" if self.tested == 1 else "are"
        level = f"family-wise p ≤ {self.alpha:g}"
        if not self.specific_told:
            moves = "moves" if self.tested == 1 else "move"
            return (
                f"{self.in_time} of {of} {moves} in time with the model beyond chance ({level}); "
                f"whether it is imitation cannot be told: {self.untold}; median z = "
                f"{self.median_z:.1f}."
            )
        told = (
            "The participant imitates the model"
            if self.specific_p <= self.alpha
            else "It is not shown that the participant imitates the model"
        )
        others = self.in_time - self.imitated
        more = f"; {others} more only in time with it" if others else ""
        return (
            f"{told} (specificity of all movements, p = {self.specific_p:.2g}): {self.imitated} of "
            f"{of} {verb} imitated beyond chance ({self.share:.0%}; {level}){more}; median z = "
            f"{self.median_z:.1f}."
        )


def headline(
    card: pd.DataFrame,
    seconds: float,
    enough: float = float("nan"),
    specific: Specificity | None = None,
    untold: str = "",
) -> Headline:
    """Return the result in short.

    Parameters
    ----------
    card : DataFrame
        The scorecard.
    seconds : float
        The length of the recordings.
    enough : float
        If they are too short to tell, the length that would do.
    specific : Specificity, optional
        Of all signals together; None where there is none.
    untold : str
        Why it cannot be told.
    """
    tested = int(card["z"].notna().sum())
    found, timed = int(imitated(card).sum()), int(in_time(card).sum())
    p = float("nan") if specific is None else specific.p
    told = tested and not np.isfinite(enough) and np.isfinite(p)
    share = found / tested if told else float("nan")
    median = float(card["z"].median()) if tested else float("nan")
    return Headline(share, found, tested, median, ALPHA, seconds, enough, timed, p, untold)
