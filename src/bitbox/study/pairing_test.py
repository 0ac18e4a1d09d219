"""Do people match what they saw better than what others saw: exchanging who is paired with what.

Where what people do has nothing to do with what they were shown, whose model they are compared
with makes no difference. So the models are exchanged among people, or among the recordings of one
person, and all that each recording is like by itself stays in every exchange.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.statistics.inference import ALPHA
from bitbox.study.group_tests import (
    LEAST_PEOPLE,
    PERMUTATIONS,
    GroupTest,
    effect_size,
    mean_of,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ONE_STEP = 256  # exchanges worked on at once
_TIE = 1e-9  # differences in z below this are rounding


@dataclass(frozen=True, eq=False)
class Block:
    """Units that may be exchanged: people, or recordings of one person.

    Attributes
    ----------
    scores : (n, n, k) array
        Scores of each unit (row) with the models of each unit (column); its own on the diagonal.
        NaN is missing.
    models : sequence of n
        What each unit was shown; equal where it was the same.
    one_person : bool
        Whether all units are of one person.
    """

    scores: FloatArray
    models: Sequence[object]
    one_person: bool = False

    @property
    def arrangements(self) -> int:
        """In how many different ways models can be put to units."""
        ways = math.factorial(len(self.models))
        for count in Counter(self.models).values():
            ways //= math.factorial(count)
        return ways

    def differences(self) -> FloatArray:
        """Return how much better each unit matches its own model than the others', (n, k)."""
        n = len(self.scores)
        other = np.array([[one != two for two in self.models] for one in self.models])
        known = np.isfinite(self.scores) & other[:, :, None]
        rest = mean_of(np.where(known, self.scores, np.nan), 1)
        difference: FloatArray = self.scores[np.arange(n), np.arange(n)] - rest
        return difference


def right_pairings(
    blocks: Sequence[Block],
    seed: int,
    permutations: int = PERMUTATIONS,
    *,
    intervals: bool = True,
) -> GroupTest:
    """Test whether people match their own models better than others'.

    Parameters
    ----------
    blocks : sequence of Block
        At least one. Models are exchanged within each, all units of a block at once.
    seed : int
        Where random numbers start.
    permutations : int
        How many exchanges are drawn; if there are no more, all are used, and p is exact.
    intervals : bool
        False: no intervals of the effect sizes.

    Returns
    -------
    GroupTest
        ``estimate`` is the mean over people of their difference, own models less others', and ``g``
        is that in standard deviations between people. ``t`` is how far the mean over people of the
        scores with their own models is above that in exchanges, in standard deviations. p is
        one-sided: the share of exchanges that reach it. All are NaN, and so is p, where there are
        fewer than 20 different exchanges, so that no p could be 0.05.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.study.pairing_test import Block, right_pairings
    >>> scores = np.random.default_rng(1).normal(size=(12, 12, 1)) + 3 * np.eye(12)[:, :, None]
    >>> bool(right_pairings([Block(scores, range(12))], seed=1).p[0] < 0.001)
    True
    """
    units = [block.differences() for block in blocks]
    people = np.concatenate(
        [
            mean_of(d)[None] if block.one_person else d
            for block, d in zip(blocks, units, strict=True)
        ]
    )
    n, estimate, g, low, high = effect_size(people, seed, intervals=intervals)
    sizes = [len(block.models) for block in blocks]
    exact = math.prod(map(math.factorial, sizes)) <= permutations + 1
    ways = math.prod(block.arrangements for block in blocks)
    drawn = _every(sizes) if exact else _drawn(sizes, seed, permutations)
    null = np.concatenate([_means(blocks, orders) for orders in drawn])
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (null - null.mean(axis=0)) / null.std(axis=0)
    z[:, (null.std(axis=0) <= _TIE) | (n < LEAST_PEOPLE)] = np.nan
    seen = z[0]  # the first is what was observed
    p, p_fwer = (np.full(len(seen), np.nan) for _ in range(2))
    tested = np.isfinite(seen)
    if tested.any() and ways >= 1 / ALPHA:
        largest = z[:, tested].max(axis=1)[:, None]
        p[tested] = (z[:, tested] >= seen[tested] - _TIE).mean(axis=0)
        p_fwer[tested] = (largest >= seen[tested] - _TIE).mean(axis=0)
    return GroupTest(
        np.array([n, np.zeros_like(n)]), estimate, seen, p, p_fwer, g, low, high, len(null)
    )


def _means(blocks: Sequence[Block], orders: Sequence[IntArray]) -> FloatArray:
    """Return the mean over people of the scores in every exchange, (m, k).

    A pairing that has no score counts in no exchange, and neither does its signal.
    """
    total, weight = 0.0, 0.0
    for block, order in zip(blocks, orders, strict=True):
        each = 1 / len(block.models) if block.one_person else 1.0
        chosen = block.scores[np.arange(len(block.models)), order]  # (m, n, k)
        known = np.isfinite(chosen)
        total = total + each * np.where(known, chosen, 0.0).sum(axis=1)
        weight = weight + each * known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / weight)


def _every(sizes: Sequence[int]) -> Iterator[list[IntArray]]:
    """Yield all exchanges, the one observed first: of every block (m, n) orders."""
    orders = [np.array(list(itertools.permutations(range(n)))) for n in sizes]
    counts = [len(rows) for rows in orders]
    for first in range(0, math.prod(counts), _ONE_STEP):
        numbers = np.arange(first, min(first + _ONE_STEP, math.prod(counts)))
        places = np.unravel_index(numbers, counts)
        yield [rows[place] for rows, place in zip(orders, places, strict=True)]


def _drawn(sizes: Sequence[int], seed: int, count: int) -> Iterator[list[IntArray]]:
    """Yield the exchange that was observed, and random ones."""
    random = np.random.default_rng(seed)
    yield [np.arange(n)[None] for n in sizes]
    for first in range(0, count, _ONE_STEP):
        m = min(_ONE_STEP, count - first)
        yield [random.permuted(np.tile(np.arange(n), (m, 1)), axis=1) for n in sizes]
