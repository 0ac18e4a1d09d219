"""The shape of imitation, signal by signal, as observed and in surrogates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.engine import in_order
from bitbox.progress import Progress
from bitbox.statistics.surrogates import phase_randomised
from bitbox.statistics.windows import Pair, Rule, Windows
from bitbox.system.blas import one_blas_thread

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True)
class Matched:
    """What the windows of one matched signal hold.

    Attributes
    ----------
    r, lag : (windows,) array
        Correlation at the chosen lag (signed), and the lag in frames; NaN where undefined.
    counted : (windows,) array of bool
        Defined, and at least one of the two moves.
    both_move : (windows,) array of bool
        Counted, and both move: where a lag means something.
    strength : (windows,) array
        What the shape averages: r, or its absolute value under polarity.
    """

    r: FloatArray
    lag: FloatArray
    counted: BoolArray
    both_move: BoolArray
    strength: FloatArray

    @property
    def shape(self) -> float:
        """Mean strength over the counted windows; NaN where there is none."""
        return float(self.strength[self.counted].mean()) if self.counted.any() else float("nan")


def matched(pair: Pair) -> Matched:
    """Return what is observed in one signal."""
    return _matched(pair, *pair.observed())


def _matched(pair: Pair, r: FloatArray, lag: FloatArray) -> Matched:
    """Return what one signal's windows hold, of which r and lag are known."""
    x_still, y_still = pair.x_still, pair.y_still[pair.rule.own_places]
    defined = np.isfinite(r)
    return Matched(
        r,
        lag,
        defined & ~(x_still & y_still),
        defined & ~(x_still | y_still),
        np.abs(r) if pair.rule.polarity else r,
    )


def both_ways(
    x: FloatArray,
    y: FloatArray,
    rule: Rule,
    places: NDArray[np.int32],
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[tuple[list[Matched], FloatArray]]:
    """Return what is observed and the surrogates' shapes: x following y, and y following x.

    Parameters
    ----------
    x, y : (T, n, d) array
        Matched signals.
    rule : Rule
        Geometry and choice of lag.
    places : (m, windows) array of int
        As for `mean_over`; the same for both directions.
    threads : int, optional
        None: one a core. The result doesn't depend on it.
    progress : callable, optional
        Called with the number of signals done.

    Returns
    -------
    list of two (observed, null)
        Observed: one `Matched` a signal; null: (m, n) shapes, NaN where no window counts.
    """

    def one(i: int) -> list[tuple[Matched, FloatArray]]:
        a, b = Windows(x[:, i], rule), Windows(y[:, i], rule)
        pairs = Pair(a, b, rule), Pair(b, a, rule)
        found = [(pair, *pair.compared(places)) for pair in pairs]
        return [(_matched(pair, *observed), null[0]) for pair, observed, null in found]

    signals = in_threads(one, x.shape[1], threads, progress, "Comparing with chance")
    ways = zip(*signals, strict=True)
    return [([o for o, _ in way], np.stack([null for _, null in way], axis=1)) for way in ways]


def one_way(
    x: FloatArray, y: FloatArray, rule: Rule, places: NDArray[np.int32]
) -> tuple[list[Matched], FloatArray]:
    """Return what is observed and the surrogates' shapes of x following y alone.

    Parameters and returned values are those of `both_ways`, for one direction and one thread.
    """
    pairs = [Pair(x[:, i], y[:, i], rule) for i in range(x.shape[1])]
    with one_blas_thread():
        found = [(pair, *pair.compared(places)) for pair in pairs]
    return (
        [_matched(pair, *observed) for pair, observed, _ in found],
        np.stack([null[0] for *_, null in found], axis=1),
    )


def randomised_phases(
    x: FloatArray,
    y: FloatArray,
    rule: Rule,
    seeds: Sequence[np.random.SeedSequence],
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> FloatArray:
    """Return the shapes when the phases of y are randomised, (m, n); no value may be missing."""
    windows = [Windows(x[:, i], rule) for i in range(x.shape[1])]

    def one(surrogate: int) -> FloatArray:
        other = phase_randomised(y, np.random.default_rng(seeds[surrogate]))
        other -= other.mean(axis=0)
        pairs = (Pair(own, other[:, i], rule) for i, own in enumerate(windows))
        return np.array([matched(pair).shape for pair in pairs])

    return np.stack(in_threads(one, len(seeds), threads, progress, "Comparing with chance"))


def other_recordings(
    x: FloatArray,
    others: Sequence[FloatArray],
    rule: Rule,
    *,
    swapped: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> FloatArray:
    """Return the shapes when other recordings take the place of y, (m, n).

    With `swapped`, the others take the place of the one who imitates and x is imitated.
    """
    own = [Windows(x[:, i], rule) for i in range(x.shape[1])]

    def one(surrogate: int) -> FloatArray:
        shapes = []
        for i, mine in enumerate(own):
            theirs = Windows(others[surrogate][:, i], rule)
            pair = Pair(theirs, mine, rule) if swapped else Pair(mine, theirs, rule)
            shapes.append(matched(pair).shape)
        return np.array(shapes)

    return np.stack(in_threads(one, len(others), threads, progress, "Comparing with others"))


def in_threads(
    work: Callable[[int], T],
    n: int,
    threads: int | None,
    progress: Progress | None,
    task: str,
) -> list[T]:
    """Do numbered pieces of work in threads, in order; stops soon after an interruption."""
    done = []
    with one_blas_thread():
        for result in in_order(work, range(n), threads):
            done.append(result)
            if progress is not None:
                progress(task, len(done), n)
    return done
