"""Both directions of imitation, as observed and in surrogates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.progress import Progress
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import Directed, observe
from bitbox.statistics.null import other_recordings, randomised_phases, replaced_windows
from bitbox.statistics.windows import Rule

FloatArray = NDArray[np.float64]


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
        rng = np.random.default_rng(self.seed)
        plan, how = self.rule.plan, {"threads": self.threads, "progress": self.progress}
        if surrogate == "phase":
            for signals in (self.x, self.y):
                broken.check_complete(signals)
            seeds = np.random.SeedSequence(self.seed).spawn(self.n)
            nulls = [
                randomised_phases(a, b, self.rule, seeds, **how)  # type: ignore[arg-type]
                for a, b in ((self.x, self.y), (self.y, self.x))
            ]
        else:
            if surrogate == "circular":
                shifts = broken.circular_shifts(plan, self.n, rng)
                places = broken.circular_places(plan, shifts)
            else:
                places = broken.segment_places(plan, self.n, rng)
            nulls = [
                replaced_windows(a, b, self.rule, places, **how)  # type: ignore[arg-type]
                for a, b in ((self.x, self.y), (self.y, self.x))
            ]
        return self._directed(nulls)

    def against_others(self, others: list[FloatArray]) -> tuple[Directed, Directed]:
        """Return forward and reverse direction with other recordings in the model's place."""
        return self._directed(
            [
                other_recordings(
                    self.x,
                    others,
                    self.rule,
                    swapped=swapped,
                    threads=self.threads,
                    progress=self.progress,
                )
                for swapped in (False, True)
            ]
        )

    def _directed(self, nulls: list[FloatArray]) -> tuple[Directed, Directed]:
        return (
            Directed(observe(self.x, self.y, self.rule, self.threads), nulls[0]),
            Directed(observe(self.y, self.x, self.rule, self.threads), nulls[1]),
        )
