"""Both directions of imitation, as observed and in surrogates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.progress import Progress
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import Directed
from bitbox.statistics.inference import INDEPENDENT, Alike, likeness, likeness_of_segments
from bitbox.statistics.null import both_ways, other_recordings, randomised_phases
from bitbox.statistics.windows import Rule

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def judged(
    null: FloatArray, n: int, shifts: IntArray, plan: WindowPlan, local: bool = False
) -> tuple[FloatArray, Alike]:
    """Return the surrogates' shapes and how alike they are.

    Parameters
    ----------
    null : (n + m, signals) array
        Shapes of n surrogates of segments, or none, and of all m circular shifts.
    n : int
        See `null`.
    shifts : (m,) array of int
        In frames.
    plan : WindowPlan
        Windows and lags.
    local : bool
        Whether segments were shifted a little only: then what was observed is one of the
        arrangements that they are drawn from, and no neighbours of it are missing.
    """
    if local:
        return null[:n], INDEPENDENT
    circular = likeness(null[n:], shifts, broken.smallest_shift(plan), plan.window)
    if not n:
        return null, circular
    segments = broken.segment_count(plan)
    return null[:n], likeness_of_segments(circular, len(shifts), n, segments)


@dataclass(frozen=True)
class Directions:
    """Both directions of imitation, observed and in surrogates."""

    x: FloatArray
    y: FloatArray
    rule: Rule
    n: int
    seed: int
    threads: int | None
    progress: Progress | None

    def against(self, surrogate: str) -> tuple[Directed, Directed]:
        """Return forward and reverse direction with surrogates made of the pair itself."""
        plan, how = self.rule.plan, {"threads": self.threads, "progress": self.progress}
        if surrogate == "phase":
            for signals in (self.x, self.y):
                broken.check_complete(signals)
            seeds = np.random.SeedSequence(self.seed).spawn(self.n)
            nulls = [
                randomised_phases(a, b, self.rule, seeds, **how)  # type: ignore[arg-type]
                for a, b in ((self.x, self.y), (self.y, self.x))
            ]
            return self._directed(nulls)
        segments = np.empty((0, plan.n_windows), dtype=np.int32)
        if surrogate in ("segments", "local"):
            cut = broken.local_places if surrogate == "local" else broken.segment_places
            segments = cut(plan, self.n, np.random.default_rng(self.seed))
        shifts = broken.circular_shifts(plan, self.n)
        places = broken.circular_places(plan, shifts)
        if len(segments):
            places = np.concatenate([segments, places])
        ways = both_ways(self.x, self.y, self.rule, places, **how)  # type: ignore[arg-type]
        forward, reverse = (
            Directed(observed, *judged(null, len(segments), shifts, plan, surrogate == "local"))
            for observed, null in ways
        )
        return forward, reverse

    def against_others(
        self, others: list[FloatArray], role: str = "model"
    ) -> tuple[Directed, Directed]:
        """Return forward and reverse direction with other recordings in one person's place.

        Parameters
        ----------
        others : list of (T, n, d) array
            The recordings.
        role : {'model', 'participant'}
            Whose place they take.
        """
        stays = self.x if role == "model" else self.y
        return self._directed(
            [
                other_recordings(
                    stays,
                    others,
                    self.rule,
                    swapped=swapped,
                    threads=self.threads,
                    progress=self.progress,
                )
                for swapped in (role == "participant", role == "model")
            ]
        )

    def _directed(self, nulls: list[FloatArray]) -> tuple[Directed, Directed]:
        """Add what is observed to the surrogates of both directions."""
        no_places = np.empty((0, self.rule.plan.n_windows), dtype=np.int32)
        ways = both_ways(self.x, self.y, self.rule, no_places, threads=self.threads)
        return Directed(ways[0][0], nulls[0]), Directed(ways[1][0], nulls[1])
