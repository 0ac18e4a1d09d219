"""Tests over people: a group against chance, groups and conditions against each other.

People are exchanged or change sign, never windows: what is generalised to is other people. Where
several scores are tested at once, the largest statistic of each permutation corrects for all of
them (Westfall and Young 1993; Nichols and Holmes 2002, doi:10.1002/hbm.1058).
"""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: People that a group needs to be tested.
LEAST_PEOPLE = 3
#: Permutations drawn where there are more than can all be taken.
PERMUTATIONS = 9999
_ONE_STEP = 512  # permutations worked on at once
_FEWEST_DRAWN = 5  # people that can be drawn again for an interval
_RESAMPLES = 1999


@dataclass(frozen=True)
class GroupTest:
    """What a test over people found, one number a score.

    Attributes
    ----------
    n : ndarray of int, shape (2, k)
        People with a value: of the group, or the pairs of values, in the first row; of the other
        group in the second (0 where there is none).
    estimate : ndarray, shape (k,)
        Mean, or difference of means.
    t : ndarray, shape (k,)
        One-sample or Welch's t: what is compared between permutations.
    p, p_fwer : ndarray, shape (k,)
        Two-sided, for each score by itself and corrected for all of them.
    g : ndarray, shape (k,)
        Hedges' g: `estimate` in standard deviations, corrected for small samples.
    low, high : ndarray, shape (k,)
        95 % interval of g by the bootstrap over people (BCa).
    n_permutations : int
        How many; all of them where there are few.
    """

    n: NDArray[np.int64]
    estimate: FloatArray
    t: FloatArray
    p: FloatArray
    p_fwer: FloatArray
    g: FloatArray
    low: FloatArray
    high: FloatArray
    n_permutations: int


def against_zero(
    values: FloatArray, seed: int, permutations: int = PERMUTATIONS, *, intervals: bool = True
) -> GroupTest:
    """Test whether scores differ from zero on average, by changing people's signs.

    For scores less what chance gives, and for differences of the same people between two
    conditions. It assumes that a person's score is as likely to be so far above as below zero.

    Parameters
    ----------
    values : (people, k) array
        NaN is missing.
    seed : int
        Where random numbers start.
    permutations : int
        How many are drawn, where there are more.
    intervals : bool
        False: no intervals (NaN), which take longest.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.study.group_tests import against_zero
    >>> scores = np.random.default_rng(1).normal(1, 1, (20, 1))
    >>> bool(against_zero(scores, seed=1).p[0] < 0.01)
    True
    """
    known = np.isfinite(values)
    n = known.sum(axis=0)
    filled = np.where(known, values, 0.0)
    squares = (filled**2).sum(axis=0)

    def t_of(signs: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = signs @ filled / n
            variance = (squares - n * mean**2) / (n - 1)
            t: FloatArray = np.where(n >= LEAST_PEOPLE, mean / np.sqrt(variance / n), np.nan)
        return t

    signs = _signs(len(values), seed, permutations)
    t = t_of(np.ones((1, len(values))))[0]
    p, p_fwer = _p_values(t, (t_of(part) for part in _parts(signs)), len(signs))
    _, estimate, g, low, high = effect_size(values, seed, intervals=intervals)
    return GroupTest(
        np.array([n, np.zeros_like(n)]), estimate, t, p, p_fwer, g, low, high, len(signs) + 1
    )


def effect_size(
    values: FloatArray, seed: int, *, intervals: bool = True
) -> tuple[NDArray[np.int64], FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return how many people have a score, its mean, Hedges' g of it, and the interval of g.

    Parameters are those of `against_zero`. Each is (k,); NaN with too few people.
    """
    known = np.isfinite(values)
    n = known.sum(axis=0)
    filled = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = np.where(n > 0, filled.sum(axis=0) / n, np.nan)
        deviation = np.sqrt(((filled**2).sum(axis=0) - n * estimate**2) / (n - 1))
        g = np.where(n >= LEAST_PEOPLE, estimate / deviation * _small(n - 1), np.nan)
    low, high = _intervals([values], _one_g, intervals & (n >= LEAST_PEOPLE), seed)
    return n, estimate, g, low, high


def between(
    first: FloatArray,
    second: FloatArray,
    seed: int,
    permutations: int = PERMUTATIONS,
    *,
    intervals: bool = True,
) -> GroupTest:
    """Test whether two groups of people differ, by exchanging who belongs to which.

    Parameters
    ----------
    first, second : (people, k) array
        NaN is missing. `estimate` is the mean of the first less that of the second.
    seed : int
        Where random numbers start.
    permutations : int
        How many are drawn, where there are more.
    intervals : bool
        False: no intervals (NaN), which take longest.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.study.group_tests import between
    >>> random = np.random.default_rng(1)
    >>> first, second = random.normal(1, 1, (20, 1)), random.normal(0, 1, (20, 1))
    >>> bool(between(first, second, seed=1).p[0] < 0.05)
    True
    """
    values = np.concatenate([first, second])
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    present = known.astype(float)
    total, total_squares, total_n = filled.sum(0), (filled**2).sum(0), present.sum(0)

    def t_of(chosen: FloatArray) -> FloatArray:
        na = chosen @ present
        a, aa = chosen @ filled, chosen @ filled**2
        nb, b, bb = total_n - na, total - a, total_squares - aa
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = (aa - a**2 / na) / (na - 1) / na + (bb - b**2 / nb) / (nb - 1) / nb
            t = (a / na - b / nb) / np.sqrt(variance)
        return np.where(np.minimum(na, nb) >= 2, t, 0.0)  # such a permutation tells nothing

    n = np.array([np.isfinite(first).sum(0), np.isfinite(second).sum(0)])
    enough = n.min(axis=0) >= LEAST_PEOPLE
    t = np.where(enough, t_of((np.arange(len(values)) < len(first))[None] * 1.0)[0], np.nan)
    chosen = _choices(len(values), len(first), seed, permutations)
    p, p_fwer = _p_values(t, (t_of(part) for part in _parts(chosen)), len(chosen))
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = mean_of(first) - mean_of(second)
    g = np.where(enough, _two_g(first, second), np.nan)
    low, high = _intervals([first, second], _two_g, intervals & enough, seed)
    return GroupTest(n, estimate, t, p, p_fwer, g, low, high, len(chosen) + 1)


def _p_values(t: FloatArray, nulls: object, count: int) -> tuple[FloatArray, FloatArray]:
    """Return two-sided p and p_fwer; what was observed counts as one of the permutations."""
    tested = np.isfinite(t)
    size = np.where(tested, np.abs(t), np.nan)
    exceeded, by_any = np.zeros(len(t)), np.zeros(len(t))
    slack = 1e-9 * np.maximum(size, 1)  # the same permutation, added up in another order
    for null in nulls:  # type: ignore[attr-defined]
        sizes = np.abs(np.where(np.isfinite(null) & tested, null, 0.0))
        exceeded += (sizes >= size - slack).sum(axis=0)
        by_any += (sizes.max(axis=1, initial=0.0)[:, None] >= size - slack).sum(axis=0)
    p, p_fwer = (np.where(tested, (1 + n) / (1 + count), np.nan) for n in (exceeded, by_any))
    return p, p_fwer


def _parts(rows: FloatArray) -> list[FloatArray]:
    return [rows[k : k + _ONE_STEP].astype(float) for k in range(0, len(rows), _ONE_STEP)]


def _signs(people: int, seed: int, count: int) -> FloatArray:
    """Return signs of people, (permutations, people): all but the one observed, or random ones."""
    if 2**people - 1 <= count:
        every = np.array(list(itertools.product([1, -1], repeat=people)), dtype=np.int8)
        return np.asarray(every[1:])
    random = np.random.default_rng(seed)
    return np.asarray(random.integers(0, 2, (count, people), dtype=np.int8) * 2 - 1)


def _choices(people: int, first: int, seed: int, count: int) -> FloatArray:
    """Return who is in the first group, (permutations, people): all but the observed, or random."""
    if math.comb(people, first) - 1 <= count:
        rows = np.zeros((math.comb(people, first), people), dtype=np.int8)
        for row, chosen in zip(rows, itertools.combinations(range(people), first), strict=True):
            row[list(chosen)] = 1
        return np.asarray(rows[1:])
    random = np.random.default_rng(seed)
    rows = np.tile((np.arange(people) < first).astype(np.int8), (count, 1))
    return np.asarray(random.permuted(rows, axis=1))


def _small(freedom: NDArray[np.int64]) -> FloatArray:
    """Return the correction of a standardised mean for small samples (Hedges 1981)."""
    return np.asarray(1 - 3 / (4 * freedom - 1))


def mean_of(values: FloatArray, axis: int = 0) -> FloatArray:
    """Return the mean of what is known along an axis, NaN where nothing is."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        total: FloatArray = np.where(known, values, 0.0).sum(axis=axis) / known.sum(axis=axis)
    return total


def _variance(values: FloatArray, axis: int = 0) -> FloatArray:
    known = np.isfinite(values)
    away = np.where(known, values - np.expand_dims(mean_of(values, axis), axis), 0.0)
    found: FloatArray = (away**2).sum(axis=axis) / (known.sum(axis=axis) - 1)
    return found


def _one_g(values: FloatArray, axis: int = 0) -> FloatArray:
    n = np.isfinite(values).sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        g: FloatArray = mean_of(values, axis) / np.sqrt(_variance(values, axis)) * _small(n - 1)
    return g


def _two_g(first: FloatArray, second: FloatArray, axis: int = 0) -> FloatArray:
    na, nb = np.isfinite(first).sum(axis=axis), np.isfinite(second).sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = (na - 1) * _variance(first, axis) + (nb - 1) * _variance(second, axis)
        pooled = np.sqrt(within / (na + nb - 2))
        g: FloatArray = (
            (mean_of(first, axis) - mean_of(second, axis)) / pooled * _small(na + nb - 2)
        )
    return g


def _intervals(
    groups: list[FloatArray], g: object, enough: NDArray[np.bool_], seed: int
) -> tuple[FloatArray, FloatArray]:
    """Return 95 % intervals of an effect size, people drawn again within their groups."""
    from scipy.stats import DegenerateDataWarning, bootstrap

    low, high = (np.full(len(enough), np.nan) for _ in range(2))
    for k in np.flatnonzero(enough):
        samples = [group[np.isfinite(group[:, k]), k] for group in groups]
        if any(len(sample) < _FEWEST_DRAWN or np.ptp(sample) == 0 for sample in samples):
            continue
        with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", DegenerateDataWarning)  # NaN says it
            found = bootstrap(
                samples,
                g,
                n_resamples=_RESAMPLES,
                vectorized=True,
                random_state=np.random.default_rng([seed, int(k)]),
            )
        low[k], high[k] = found.confidence_interval
    return low, high
