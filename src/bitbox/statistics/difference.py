"""How far apart two people's signals are: the form of a movement, beside its course.

Correlations ask whether the participant moves as the model does, however much and from wherever.
Form asks how far the posture is from the model's: a raised arm that stays thirty degrees lower has
a perfect course, and differs by thirty degrees. What is taken out is each person's own neutral: the
median over the recording.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.jobs import in_order
from bitbox.statistics.contrast import Circle, thinned
from bitbox.statistics.inference import ALPHA, INDEPENDENT, TIE, Alike, likeness
from bitbox.statistics.surrogates import MIN_SURROGATES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Shifts that say what is chance.
MOST_SHIFTS = 99
#: Of longer recordings so many frames of the participant are compared, evenly spread.
MOST_FRAMES = 1000


@dataclass(frozen=True, eq=False)
class Difference:
    """The distance between two people, signal by signal and over all.

    Attributes
    ----------
    each : (n,) array
        Median over frames of the distance, at the lag at which it is smallest.
    chance, p : (n,) array
        Mean of that over surrogates, and p that it is so small by chance. NaN: too short to tell.
    overall, overall_chance, overall_p : float
        The same of the mean distance over all signals; NaN where they have no unit in common.
    unit : str
        Of the distances.
    """

    each: FloatArray
    chance: FloatArray
    p: FloatArray
    overall: float
    overall_chance: float
    overall_p: float
    unit: str

    @classmethod
    def untold(cls, n: int) -> Difference:
        """Return that nothing is known of n signals."""
        nothing = np.full(n, np.nan)
        return cls(nothing, nothing, nothing, math.nan, math.nan, math.nan, "")

    def __str__(self) -> str:
        if math.isnan(self.overall):
            return "No distance over all signals: they have no unit in common, or none is known."
        text = f"Form: {self.overall:.3g} {self.unit} apart"
        if self.unit == "unknown":
            text = f"Form: {self.overall:.3g} apart in the file's own unit"
        if math.isnan(self.overall_p):
            return text + "."
        return text + f" (by chance {self.overall_chance:.3g}, p = {self.overall_p:.2g})."


def difference(
    x: FloatArray,
    y: FloatArray,
    circle: Circle,
    steps: IntArray,
    unit: str,
    kept: BoolArray,
    others: Sequence[tuple[FloatArray, FloatArray]] = (),
    threads: int | None = None,
) -> Difference:
    """Return how far apart two people are, against circular shifts or other recordings.

    Parameters
    ----------
    x, y : (T, n, d) array
        Signals of participant and model; NaN is missing. Angles are in radians where `unit` says
        degrees.
    circle : Circle
        Rate and latencies.
    steps : (k,) array of int
        Latencies that are allowed, in steps of the circle.
    unit : str
        Of the distances; ``'degrees'`` turns radians into degrees; with a comma in it signals have
        different ones, and there is no distance over all.
    kept : (n,) array of bool
        Which signals are part of the distance over all.
    others : sequence of (x, y)
        Pairs in which other recordings took one person's place; none: circular shifts.
    threads : int, optional
        None: one a core. The result does not depend on it.
    """
    near = _Distances(x, y, circle, unit, kept)
    seen = near.smallest(steps)
    alike: Alike = INDEPENDENT
    if others:
        pairs = [_Distances(*pair, circle, unit, kept).smallest(steps) for pair in others]
        null = np.array(pairs)
    else:
        shifts = circle.shifts(steps, MOST_SHIFTS)
        moved = in_order(lambda shift: near.smallest(steps + shift), shifts.tolist(), threads)
        null = np.array(list(moved)).reshape(len(shifts), len(seen))
        if len(shifts) >= MIN_SURROGATES:
            used = null[:, np.append(kept, True)]
            alike = likeness(used, shifts, int(shifts[0]), circle.window)
    chance = p = np.full(len(seen), np.nan)
    k, m = alike.k, len(null)
    if m >= MIN_SURROGATES and k / (m + k) <= ALPHA:
        chance = null.mean(axis=0)
        # what was observed counts as all that it stands for, which errs, if at all, to the safe
        # side: distances change slowly along the shifts, so short recordings have few of them
        reached = (null <= seen + TIE).sum(axis=0)
        p = np.where(np.isfinite(chance), (reached + k) / (m + k), np.nan)
    return Difference(
        seen[:-1], chance[:-1], p[:-1], float(seen[-1]), float(chance[-1]), float(p[-1]), unit
    )


class _Distances:
    """Two people's signals, each less its own neutral, to be laid over each other at any lag."""

    def __init__(
        self, x: FloatArray, y: FloatArray, circle: Circle, unit: str, kept: BoolArray
    ) -> None:
        self._turns = unit == "degrees"
        self._kept = kept & ("," not in unit)
        mine, theirs = (self._from_neutral(thinned(v, circle.fewer)) for v in (x, y))
        self._frames = mine.shape[-1]
        every = max(1, math.ceil(self._frames / MOST_FRAMES))
        self._chosen = np.arange(0, self._frames, every)
        self._mine = np.ascontiguousarray(mine[:, :, self._chosen])
        self._theirs = theirs

    def _from_neutral(self, values: FloatArray) -> FloatArray:
        """Return signals (d, n, frames) less their medians."""
        turned = values.transpose(2, 1, 0)
        middle = _median(turned)
        scale = 180.0 / np.pi if self._turns else 1.0
        away: FloatArray = (turned - middle[:, :, None]) * scale
        return away

    def smallest(self, latencies: IntArray) -> FloatArray:
        """Return the smallest median distances over some latencies, (n + 1,): each, and all."""
        medians = np.array([self._medians(int(latency)) for latency in latencies])
        found: FloatArray = np.fmin.reduce(medians)
        return found

    def _medians(self, latency: int) -> FloatArray:
        apart = self._mine - self._theirs[:, :, (self._chosen - latency) % self._frames]
        if self._turns:
            apart = (apart + 180.0) % 360.0 - 180.0
        size = np.abs(apart[0]) if len(apart) == 1 else np.sqrt((apart**2).sum(axis=0))
        kept = size[self._kept]
        known = ~np.isnan(kept)
        count = known.sum(axis=0)
        mean = np.where(known, kept, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
        return _median(np.vstack([size, mean]))


def _median(values: FloatArray) -> FloatArray:
    """Return medians along the last axis of what is known; NaN where nothing is."""
    ordered = np.sort(values, axis=-1)  # NaN comes last
    count = np.full(values.shape[:-1], values.shape[-1])
    if np.isnan(ordered[..., -1]).any():
        count = values.shape[-1] - np.isnan(ordered).sum(axis=-1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, values.shape[-1] - 1)
    middle = [np.take_along_axis(ordered, k[..., None], -1)[..., 0] for k in (low, high)]
    found: FloatArray = np.where(count > 0, (middle[0] + middle[1]) / 2.0, np.nan)
    return found
