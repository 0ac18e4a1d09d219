"""The two senses of imitation: the same side (anatomical), or as in a mirror (specular)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics.card import Directed
from bitbox.statistics.null import Matched

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: How much more alike the other sense has to be, in r, and in standard errors.
MORE, ERRORS = 0.05, 4.0
#: With fewer stretches that share nothing no standard error is taken.
LEAST_STRETCHES = 8


@dataclass(frozen=True)
class Advance:
    """How much more alike the other sense is than that which was compared.

    Attributes
    ----------
    r : float
        Mean over windows and signals of the difference in correlation.
    errors : float
        That in standard errors, over stretches that share no frames.
    """

    r: float
    errors: float

    @property
    def clear(self) -> bool:
        """Whether the other sense fits clearly better."""
        return self.r > MORE and self.errors > ERRORS


def better_of(one: Directed, other: Directed, sided: BoolArray) -> tuple[Directed, bool]:
    """Return the sense in which signals with a side are more alike, and whether it is the other.

    Of every surrogate the better sense is taken by the same rule, so that whatever is compared
    with them pays for the choice.

    Parameters
    ----------
    one, other : Directed
        One direction of imitation in both senses, with the same surrogates.
    sided : (n,) array of bool
        Which signals have a side. The others are the same in both senses.

    Notes
    -----
    The choice is one for all signals: people imitate as in a mirror, or they don't, with the whole
    face. It is made by the mean shape over the signals that have a side and are defined in both.
    """
    rows = [np.vstack([sense.shape, sense.null])[:, sided] for sense in (one, other)]
    known = np.isfinite(rows[0]) & np.isfinite(rows[1])
    lead = np.where(known, rows[1] - rows[0], 0.0).sum(axis=1)
    chosen = lead > 0.0
    observed = other.observed if chosen[0] else one.observed
    null = np.where(chosen[1:, None], other.null, one.null)
    alike = max(one.alike, other.alike, key=lambda alike: alike.k)
    return Directed(observed, null, alike), bool(chosen[0])


def advance(
    compared: Sequence[Matched], other: Sequence[Matched], plan: WindowPlan
) -> Advance | None:
    """Return how much more alike the other sense is; None where that cannot be told.

    Parameters
    ----------
    compared, other : sequence of Matched
        The same signals, those that have a side, in both senses.
    plan : WindowPlan
        Windows and lags.
    """
    if not compared:
        return None
    with np.errstate(invalid="ignore"):
        each = np.array(
            [
                np.where(a.counted & b.counted, b.strength - a.strength, np.nan)
                for a, b in zip(compared, other, strict=True)
            ]
        )
    known = np.isfinite(each)
    count = known.sum(axis=0)
    windows = (np.where(known, each, 0.0).sum(axis=0) / np.maximum(count, 1))[count > 0]
    size = -(-plan.n_frames_needed // plan.step)
    stretches = len(windows) // size
    if stretches < LEAST_STRETCHES:
        return None
    means = windows[: stretches * size].reshape(stretches, size).mean(axis=1)
    error = float(means.std(ddof=1)) / np.sqrt(stretches)
    mean = float(windows.mean())
    return Advance(mean, mean / error if error > 0 else 0.0)
