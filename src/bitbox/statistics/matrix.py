"""The whole matrix against chance: every pair of signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.shifted import each_shift
from bitbox.progress import Progress
from bitbox.statistics.inference import (
    INDEPENDENT,
    Alike,
    family_wise,
    largest_z,
    rank_p,
    standardise,
)

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Values of the null kept at once: 128 MB.
_MOST_VALUES = 2**24
# Pairs judged at once.
_PAIRS = 256


@dataclass(frozen=True, eq=False)
class MatrixTest:
    """Every signal of the participant against every signal of the model, against chance.

    Attributes
    ----------
    names : tuple of str
        The n signals, of both people.
    shape, z, p, p_fwer : (n, n) array
        Rows: participant; columns: model. p is each pair's own; p_fwer is corrected for all
        pairs by the largest z of every surrogate. Both are NaN where neither could be 0.05.
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

    Attributes
    ----------
    x, y : (T, n1, d) and (T, n2, d) array
        Signals of participant and model.
    observed : (n1, n2) array
        The shapes as observed: the mean over windows of the chosen correlation, or, under
        polarity, of its magnitude.
    """

    x: FloatArray
    y: FloatArray
    observed: FloatArray
    plan: WindowPlan
    polarity: bool
    min_valid: float
    threads: int | None = None
    progress: Progress | None = None

    def null(self, shifts: IntArray, rows: slice = slice(None)) -> Iterator[FloatArray]:
        """Yield the shapes after each shift, (rows, n2), places as in `circular_places`."""
        each = each_shift(
            self.x[:, rows], self.y, self.plan, shifts, polarity=self.polarity,
            min_valid=self.min_valid, threads=self.threads,
        )  # fmt: skip
        for done, one in enumerate(each, 1):
            yield one.abs_r if self.polarity else one.r
            if self.progress is not None:
                self.progress("Comparing all pairs with chance", done, len(shifts))


def every_pair_test(
    names: Sequence[str], data: Shifted, shifts: IntArray, alike: Alike = INDEPENDENT
) -> MatrixTest:
    """Test every pair, corrected for all of them.

    `alike` says how alike successive shifts are, as for `infer`.

    Notes
    -----
    Memory is bounded: the null of a few rows at a time is kept, and from one to the next only
    the largest z of every surrogate. Every pair is standardised by itself, so a single round
    over the rows will do.
    """
    observed = data.observed
    n1, n2 = observed.shape
    step = max(1, _MOST_VALUES // (len(shifts) * n2))
    z, p = np.full(n1 * n2, np.nan), np.full(n1 * n2, np.nan)
    largest = np.full(len(shifts), np.nan)
    flat = observed.ravel()
    for first in range(0, n1, step):
        rows = slice(first, min(first + step, n1))
        null = np.empty((len(shifts), (rows.stop - first) * n2))
        for row, one in zip(null, data.null(shifts, rows), strict=True):
            row[:] = one.ravel()
        # a few pairs at a time, so that what is computed on the way stays small
        for some in range(0, null.shape[1], _PAIRS):
            part = null[:, some : some + _PAIRS]
            here = slice(first * n2 + some, first * n2 + some + part.shape[1])
            seen = flat[here]
            z[here] = standardise(seen, part)[2]
            p[here] = np.where(np.isfinite(seen), rank_p(seen, part, alike.k), np.nan)
            comparable = np.isfinite(z[here])
            if comparable.any():
                highest = largest_z(seen[comparable], part[:, comparable], alike)
                largest = np.fmax(largest, highest)
    shape = n1, n2
    p_fwer = family_wise(z, largest, alike.k).reshape(shape)
    if not alike.can_tell(len(shifts)):
        p[:], p_fwer[:] = np.nan, np.nan
    return MatrixTest(
        tuple(names), observed, z.reshape(shape), p.reshape(shape), p_fwer, len(shifts)
    )
