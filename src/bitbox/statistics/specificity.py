"""Whether it is this movement of the model that is followed, and not any: the test.

What is compared, and at which latencies, is in `bitbox.statistics.contrast`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bitbox.statistics.contrast import Contrast
from bitbox.statistics.gain import noise_variance
from bitbox.statistics.inference import INDEPENDENT, Alike, infer, likeness
from bitbox.statistics.pattern import Pattern
from bitbox.statistics.surrogates import MIN_SURROGATES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: A signal moves if no more than this share of its variance can be measurement noise.
MOST_NOISE = 0.5
#: With fewer movements of their own (n signals of correlations r: n * n / sum of r * r) the model's
#: signals move as one.
LEAST_MOVEMENTS = 1.2
#: Frames that are looked at together: hours would be copied several times.
PIECE = 2**14


@dataclass(frozen=True, eq=False)
class OwnSignals:
    """Of every signal, whether the participant's goes with the model's own more than with others.

    Attributes
    ----------
    p, corrected, p_fwer : (n,) array
        Alone; corrected for all tested signals; and that, but not below p of all signals together.
        NaN where it cannot be told.
    """

    p: FloatArray
    corrected: FloatArray
    p_fwer: FloatArray

    @classmethod
    def untold(cls, n: int) -> OwnSignals:
        """Return that nothing can be told of n signals."""
        nothing = np.full(n, np.nan)
        return cls(nothing, nothing, nothing)


@dataclass(frozen=True)
class Specificity:
    """Are matching movements more alike than others: smile with smile than smile with frown.

    Attributes
    ----------
    matched, mismatched : float
        Mean shape over pairs of signals of the same name, and over all other pairs.
    difference : float
        matched - mismatched.
    z, p : float
        How far matching pairs are ahead of the others, in windows weighted by movement (see
        `bitbox.statistics.contrast`), compared with the same in surrogates; and the share of
        these that reach it, those that are alike counted as in the scorecard. p is NaN where it
        could not be 0.05.
    n_surrogates : int
        m.
    signals : OwnSignals
        The same of every signal by itself.
    pattern : Pattern or None
        One pattern of movements that is nearly all that both do at the same times: then p is not
        below the smallest, corrected, of a signal that it has no part in.
    """

    matched: float
    mismatched: float
    difference: float
    z: float
    p: float
    n_surrogates: int
    signals: OwnSignals
    pattern: Pattern | None = None

    def beyond(self, pattern: Pattern) -> Specificity:
        """Return the same with p that holds for movements that a pattern has no part in, too."""
        outside = self.signals.corrected[~pattern.members]
        p = float(np.fmin.reduce(outside, initial=1.0))  # 1: there are none
        own = replace(self.signals, p_fwer=np.maximum(self.signals.p_fwer, p))
        return replace(self, p=max(self.p, p), signals=own, pattern=pattern)

    def untold(self) -> Specificity:
        """Return the same without p."""
        nothing = OwnSignals.untold(len(self.signals.p))
        return replace(self, p=float("nan"), signals=nothing)

    def of_two_senses(self) -> Specificity:
        """Return the same with p that count that two senses of imitation were tried."""
        own = self.signals
        twice = [np.minimum(1.0, 2 * p) for p in (own.p, own.corrected, own.p_fwer)]
        return replace(self, p=float(np.minimum(1.0, 2 * self.p)), signals=OwnSignals(*twice))

    def __str__(self) -> str:
        return (
            f"Matching signals: r = {self.matched:.2f}, others: {self.mismatched:.2f}; "
            f"specificity: z = {self.z:.1f}, "
            + ("too short to tell" if np.isnan(self.p) else f"p = {self.p:.2g}")
            + (", of movements outside their one pattern." if self.pattern is not None else ".")
        )


def judged(
    seen: FloatArray, null: FloatArray, tested: BoolArray, likely: Callable[[FloatArray], Alike]
) -> tuple[float, float, OwnSignals]:
    """Return z and p of all signals together, and p of every signal.

    In a fixed order: first whether the person imitates at all, and only then which movements. So
    a signal's family-wise p is never below that of all together.

    Parameters
    ----------
    seen : (n + 1,) array
        What is observed of every signal, and of all together.
    null : (m, n + 1) array
        The same of surrogates.
    tested : (n,) array of bool
        Which signals are tested by themselves.
    likely : callable
        Says of some columns of the null how alike successive surrogates are.
    """
    each = np.where(tested, seen[:-1], np.nan)
    # how alike they are is steadier of several columns than of one
    alike = likely(null[:, np.append(np.isfinite(each), True)])
    result = infer(seen[-1:], null[:, -1:], alike)
    if not alike.can_tell(len(null)):
        return float(result.z[0]), float("nan"), OwnSignals.untold(len(tested))
    of_each, overall = infer(each, null[:, :-1], alike), float(result.p[0])
    return (
        float(result.z[0]),
        overall,
        OwnSignals(of_each.p, of_each.p_fwer, np.maximum(of_each.p_fwer, overall)),
    )


def specificity(
    found: Contrast,
    steps: IntArray,
    shapes: FloatArray,
    tested: BoolArray,
    others: Sequence[Contrast] = (),
) -> Specificity | None:
    """Compare pairs of one name with all others, against circular shifts or other recordings.

    Parameters
    ----------
    found : Contrast
        Of participant and model.
    steps : (k,) array of int
        Latencies that are allowed.
    shapes : (n, n) array
        Shapes of all pairs, which are told beside it.
    tested : (n,) array of bool
        Which signals are tested by themselves; all serve as others.
    others : sequence of Contrast
        Of other recordings in one person's place; none: circular shifts.

    Returns
    -------
    Specificity, or None where there is nothing to compare with.
    """
    matched, mismatched = contrast_of(shapes)
    shifts = found.circle.shifts(steps)
    if not np.isfinite(matched - mismatched) or not (others or len(shifts) >= MIN_SURROGATES):
        return None
    seen = found.largest(steps)[0]
    if others:
        null = np.concatenate([other.largest(steps) for other in others])
        z, p, signals = judged(seen, null, tested, lambda _: INDEPENDENT)
    else:
        null = found.largest(steps, shifts)
        reach = int(shifts[0]), found.circle.window
        z, p, signals = judged(seen, null, tested, lambda some: likeness(some, shifts, *reach))
    return Specificity(matched, mismatched, matched - mismatched, z, p, len(null), signals)


def why_untold(x: FloatArray, y: FloatArray) -> str | None:
    """Return why specificity cannot be had, whatever the length; None: it can.

    Parameters
    ----------
    x, y : (T, n, d) array
        Signals of participant and model; NaN is missing.
    """
    if x.shape[1] < 2:
        return "there is a single signal, and none to compare with"
    moving = [i for i in range(x.shape[1]) if all(_moves(person[:, i]) for person in (x, y))]
    if len(moving) < 2:
        return "no more than one signal moves in both"
    r = _correlations(y, moving)
    if len(moving) ** 2 / float((r * r).sum()) < LEAST_MOVEMENTS:
        return "all signals of the model move as one"
    return None


def _moves(signal: FloatArray) -> bool:
    """Return whether a signal, (T, d), is more than measurement noise."""
    known = signal[np.isfinite(signal).all(axis=1)]
    if not len(known) or not (known.max(axis=0) > known.min(axis=0)).any():
        return False
    return noise_variance(signal) < MOST_NOISE * float(known.var(axis=0).sum())


def _correlations(signals: FloatArray, which: list[int]) -> FloatArray:
    """Return how some of the signals, (T, n, d), go together over the recording."""

    def pieces() -> Iterator[FloatArray]:
        for first in range(0, len(signals), PIECE):
            piece = signals[first : first + PIECE, which]
            yield piece[np.isfinite(piece).all(axis=(1, 2))]

    count = sum(len(piece) for piece in pieces())
    mean = sum(piece.sum(axis=0) for piece in pieces()) / max(count, 1)
    cov = np.zeros((len(which), len(which)))
    for piece in pieces():
        away = piece - mean
        cov += np.einsum("tid,tjd->ij", away, away)
    size = np.sqrt(np.diag(cov))
    size = np.where(size > 0, size, 1.0)
    r: FloatArray = cov / size / size[:, None]
    return np.where(np.eye(len(r)) > 0, 1.0, r)


def contrast_of(shapes: FloatArray) -> tuple[float, float]:
    """Return the mean over matching and over other pairs, NaN where there is none."""
    own = np.eye(shapes.shape[0], shapes.shape[1], dtype=np.bool_)
    found = []
    for where in (own, ~own):
        values = shapes[where & np.isfinite(shapes)]
        found.append(float(values.mean()) if len(values) else float("nan"))
    return found[0], found[1]
