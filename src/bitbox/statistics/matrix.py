"""The whole matrix against chance: every pair, and whether it is matching signals that match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.engine import correlate
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.surrogates import each_surrogate
from bitbox.progress import Progress
from bitbox.statistics.inference import family_wise, infer, largest_z, rank_p, standardise
from bitbox.statistics.surrogates import circular_places, spread

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Shifts that the specificity is judged by, unless the whole matrix is tested.
SPECIFICITY_SHIFTS = 99
# Values of the null kept at once: 128 MB.
_MOST_VALUES = 2**24
# Pairs judged at once.
_PAIRS = 256


@dataclass(frozen=True)
class Specificity:
    """Are matching movements more alike than others: smile with smile than smile with frown.

    Attributes
    ----------
    matched, mismatched : float
        Mean shape over pairs of signals of the same name, and over all other pairs.
    difference : float
        matched - mismatched.
    chance_mean, chance_sd, z, p : float
        The difference in circular shifts of the model: its mean, standard deviation, how far
        what is observed is above, and the share of shifts that reach it, (b + 1) / (m + 1).
    n_surrogates : int
        m.
    """

    matched: float
    mismatched: float
    difference: float
    chance_mean: float
    chance_sd: float
    z: float
    p: float
    n_surrogates: int

    def __str__(self) -> str:
        return (
            f"Matching signals: r = {self.matched:.2f}, others: {self.mismatched:.2f}; "
            f"z = {self.z:.1f}, p = {self.p:.2g}."
        )


@dataclass(frozen=True, eq=False)
class MatrixTest:
    """Every signal of the participant against every signal of the model, against chance.

    Attributes
    ----------
    names : tuple of str
        The n signals, of both people.
    shape, z, p, p_fwer : (n, n) array
        Rows: participant; columns: model. p is each pair's own; p_fwer is corrected for all
        pairs by the largest z of every surrogate.
    n_surrogates : int
        How many shifts.
    """

    names: tuple[str, ...]
    shape: FloatArray
    z: FloatArray
    p: FloatArray
    p_fwer: FloatArray
    n_surrogates: int

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy table, one row a pair."""
        import pandas as pd

        n = len(self.names)
        names = np.array(self.names, dtype=object)
        columns = {name: getattr(self, name).ravel() for name in ("shape", "z", "p", "p_fwer")}
        return pd.DataFrame(
            {"participant_signal": np.repeat(names, n), "model_signal": np.tile(names, n)} | columns
        )


@dataclass(frozen=True)
class Shifted:
    """Mean correlation of pairs of signals, as observed and after circular shifts of the model.

    The shape of the scorecard, but over all windows that are defined, still or not.
    """

    x: FloatArray
    y: FloatArray
    plan: WindowPlan
    polarity: bool
    min_valid: float
    threads: int | None = None
    progress: Progress | None = None

    def observed(self) -> FloatArray:
        """Return the shapes as observed, (n1, n2)."""
        total, count = self._sums(self.x, self.y)
        return _divide(total, count)

    def null(self, shifts: IntArray, rows: slice = slice(None)) -> Iterator[FloatArray]:
        """Yield the shapes after each shift, (rows, n2).

        As in `circular_places`, windows that reach across the seam are left out: all windows are
        computed, and those few are subtracted.
        """
        plan, x = self.plan, self.x[:, rows]
        across = circular_places(plan, shifts) < 0
        each = each_surrogate(
            x, self.y, plan, shifts=shifts, fisher=False, polarity=self.polarity,
            min_valid=self.min_valid, threads=self.threads,
        )  # fmt: skip
        for done, (shift, windows, one) in enumerate(zip(shifts, across, each, strict=True), 1):
            total, count = _totals(one.abs_r if self.polarity else one.r, one.n_valid)
            left_out = np.flatnonzero(windows)
            if len(left_out):  # they are neighbours
                first = plan.starts[left_out[0]] - plan.max_lag
                last = plan.starts[left_out[-1]] + plan.window
                frames = np.arange(first, last + (plan.max_lag if plan.two_sided else 0))
                seam = self._sums(x[frames], self.y[(frames - shift) % plan.n_frames])
                total, count = total - seam[0], count - seam[1]
            yield _divide(total, count)
            if self.progress is not None:
                self.progress("Comparing all pairs with chance", done, len(shifts))

    def _sums(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Sum over windows of the strength, and number of defined windows."""
        found = correlate(
            x,
            y,
            replace(self.plan, n_frames=len(x)),
            polarity=self.polarity,
            min_valid=self.min_valid,
            threads=self.threads,
        )
        if self.polarity and found.mean_abs is not None:
            return _totals(found.mean_abs, found.n_valid)
        return _totals(found.mean, found.n_valid)


def specificity(data: Shifted, shifts: IntArray) -> Specificity | None:
    """Compare matching pairs (the diagonal) with all others, against circular shifts.

    Returns
    -------
    Specificity, or None where there is no matching or no other pair.
    """
    observed = data.observed()
    matched, mismatched = contrast(observed, np.isfinite(observed))
    if not np.isfinite(matched - mismatched):
        return None
    thinned = shifts[spread(len(shifts), min(len(shifts), SPECIFICITY_SHIFTS))]
    null = np.array([np.subtract(*contrast(m, np.isfinite(observed))) for m in data.null(thinned)])
    return _judged(matched, mismatched, null)


def every_pair_test(
    names: Sequence[str], data: Shifted, shifts: IntArray, alike: float = 1.0
) -> tuple[MatrixTest, Specificity | None]:
    """Test every pair, corrected for all of them, and the specificity on the way.

    `alike` says how many successive shifts are worth one, as for `infer`.

    Notes
    -----
    Memory is bounded: the null of a few rows at a time is kept, and from one to the next only
    the largest z of every surrogate. Every pair is standardised by itself, so a single round
    over the rows will do.
    """
    observed = data.observed()
    n1, n2 = observed.shape
    step = max(1, _MOST_VALUES // (len(shifts) * n2))
    z, p = np.full(n1 * n2, np.nan), np.full(n1 * n2, np.nan)
    largest = np.full(len(shifts), np.nan)
    own, others = _Running(len(shifts)), _Running(len(shifts))
    flat, matching = observed.ravel(), np.eye(n1, n2, dtype=np.bool_).ravel()
    for first in range(0, n1, step):
        rows = slice(first, min(first + step, n1))
        null = np.empty((len(shifts), (rows.stop - first) * n2))
        for row, one in zip(null, data.null(shifts, rows), strict=True):
            row[:] = one.ravel()
        # a few pairs at a time, so that what is computed on the way stays small
        for some in range(0, null.shape[1], _PAIRS):
            part = null[:, some : some + _PAIRS]
            here = slice(first * n2 + some, first * n2 + some + part.shape[1])
            seen, same = flat[here], matching[here]
            z[here] = standardise(seen, part)[2]
            p[here] = np.where(np.isfinite(seen), rank_p(seen, part), np.nan)
            comparable = np.isfinite(z[here])
            if comparable.any():
                highest = largest_z(seen[comparable], part[:, comparable], alike)
                largest = np.fmax(largest, highest)
            own.add(part[:, np.isfinite(seen) & same])
            others.add(part[:, np.isfinite(seen) & ~same])
    shape = n1, n2
    p_fwer = family_wise(z, largest, alike).reshape(shape)
    result = MatrixTest(
        tuple(names), observed, z.reshape(shape), p.reshape(shape), p_fwer, len(shifts)
    )
    matched, mismatched = contrast(observed, np.isfinite(observed))
    if not np.isfinite(matched - mismatched):
        return result, None
    return result, _judged(matched, mismatched, own.mean() - others.mean())


class _Running:
    """Means over pairs, one a surrogate, of which only some are known at a time."""

    def __init__(self, n: int) -> None:
        self.total, self.count = np.zeros(n), np.zeros(n)

    def add(self, values: FloatArray) -> None:
        """Add (surrogates, pairs)."""
        self.total += np.nansum(values, axis=1)
        self.count += np.isfinite(values).sum(axis=1)

    def mean(self) -> FloatArray:
        """Return the means, (surrogates,)."""
        return _divide(self.total, self.count)


def contrast(shapes: FloatArray, known: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the mean over matching and over other pairs, NaN where there is none."""
    own = np.eye(shapes.shape[0], shapes.shape[1], dtype=np.bool_)
    found = []
    for where in (own & known, ~own & known):
        values = shapes[where]
        found.append(float(np.nanmean(values)) if np.isfinite(values).any() else float("nan"))
    return found[0], found[1]


def _judged(matched: float, mismatched: float, null: FloatArray) -> Specificity:
    result = infer(np.array([matched - mismatched]), null[:, None])
    return Specificity(
        matched,
        mismatched,
        matched - mismatched,
        float(result.chance_mean[0]),
        float(result.chance_sd[0]),
        float(result.z[0]),
        float(result.p[0]),
        len(null),
    )


def _totals(mean: FloatArray, n_valid: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return sums and numbers of windows from means, 0 where there is no window."""
    count = n_valid.astype(np.float64)
    return np.where(count > 0, mean, 0.0) * count, count


def _divide(total: FloatArray, count: FloatArray) -> FloatArray:
    mean: FloatArray = total / np.where(count > 0, count, np.nan)
    return mean
