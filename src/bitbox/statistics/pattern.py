"""Whether what two people do at the same times is one pattern of movements.

Who laughs at the same jokes moves the same units at the same times, without imitating anybody, and
other units hardly: smile then goes with smile, and not with frown. Imitation of one expression
looks the same, so that it cannot be told from that; imitation of several does not, since every
expression is followed by its own. So it is looked at how signals go together across the two
people, and how much of that one pattern carries: the largest singular value of the matrix of all
pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics.contrast import Circle, Windowed, thinned
from bitbox.system.blas import one_blas_thread

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: Share of what goes together from which one pattern is nearly all of it. Chosen on simulated tasks
#: (validation/task_recordings.py, other seeds): people who laugh together are mostly above it,
#: those who imitate several expressions below.
MOST = 0.8
#: About how many signals have to move in it: that one signal goes with its own is no pattern.
LEAST_SIGNALS = 2.0
#: Part of the largest weight from which a signal belongs to it.
_BELONGS = 0.25
# Windows that are multiplied at once: 512, of joints in space, took 180 MB.
_WINDOWS = 64


@dataclass(frozen=True, eq=False)
class Pattern:
    """The pattern of movements in which two people go together most.

    Attributes
    ----------
    share : float
        How much of what goes together it is, 0 to 1.
    signals : float
        About how many signals move in it.
    weights : (n,) array
        How much every signal of both moves in it.
    """

    share: float
    signals: float
    weights: FloatArray

    @property
    def is_all(self) -> bool:
        """Whether it is nearly all that both do at the same times."""
        return self.share >= MOST and self.signals >= LEAST_SIGNALS

    @property
    def members(self) -> BoolArray:
        """Which signals belong to it, (n,)."""
        belongs: BoolArray = self.weights >= _BELONGS * self.weights.max()
        return belongs


def shared_pattern(x: FloatArray, y: FloatArray, plan: WindowPlan, min_valid: float) -> Pattern:
    """Return the pattern in which two people go together most, at the best latency of all.

    Parameters
    ----------
    x, y : (T, n, d) array
        Signals of participant and model; NaN is missing.
    plan : WindowPlan
        Windows and latencies.
    min_valid : float
        Share of a window that has to be known.
    """
    circle = Circle.of(plan)
    people = [Windowed(thinned(v, circle.fewer), circle.window, min_valid) for v in (x, y)]
    steps, n = circle.allowed(plan), x.shape[1]
    sums = np.zeros((len(steps), n, n))
    with one_blas_thread():
        for first in range(0, len(circle.starts), _WINDOWS):
            starts = circle.starts[first : first + _WINDOWS]
            mine = people[0].side(starts).windows
            places = np.arange(starts[0] - steps[-1], starts[-1] - steps[0] + 1)
            places = places[(places >= 0) & (places < circle.places)]
            theirs = people[1].side(places).windows
            for sum_, step in zip(sums, steps, strict=True):
                at = starts - step
                met = (at >= places[0]) & (at <= places[-1])
                met_y = theirs[at[met] - places[0]]
                sum_ += np.tensordot(mine[met], met_y, axes=([0, 2], [0, 2]))
    u, sizes, v = np.linalg.svd(sums)
    best = int(np.argmax(sizes[:, 0]))
    squares = sizes[best] ** 2
    weights = np.abs(u[best, :, 0] * v[best, 0])
    return Pattern(
        float(squares[0] / max(squares.sum(), 1e-300)),
        float(weights.sum() ** 2 / max((weights**2).sum(), 1e-300)),
        weights,
    )
