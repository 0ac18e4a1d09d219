"""From what was observed and what happens by chance to p, q and effect sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Differences below this are rounding: a surrogate this close counts as equal.
TIE = 1e-9
#: Correlations closer to 1 than this cannot be told apart (the accuracy the engine promises).
NEAR_ONE = 2e-6


@dataclass(frozen=True)
class Inference:
    """What a null distribution says about the observed statistics, one entry a signal.

    Attributes
    ----------
    chance_mean, chance_sd : (n,) array
        Mean and standard deviation (ddof 1) of the statistic over surrogates.
    z : (n,) array
        (observed - chance_mean) / chance_sd.
    p : (n,) array
        One-sided: (b + 1) / (m + 1), b of m surrogates being at least as large.
    p_fwer : (n,) array
        The same for the largest z of all signals: the chance that any signal reaches this z.
    q_fdr : (n,) array
        Benjamini and Hochberg's adjusted p.
    """

    chance_mean: FloatArray
    chance_sd: FloatArray
    z: FloatArray
    p: FloatArray
    p_fwer: FloatArray
    q_fdr: FloatArray


def infer(observed: FloatArray, null: FloatArray, alike: float = 1.0) -> Inference:
    """Compare observed statistics with their null distributions.

    Parameters
    ----------
    observed : (n,) array
        One statistic a signal, larger is more; NaN: not tested.
    null : (m, n) array
        The same statistics of m surrogates. Rows belong together: all signals of one surrogate.
    alike : float
        How many successive surrogates are worth one, see `autocorrelation_time`; 1: independent.

    Returns
    -------
    Inference
        NaN for signals that are not tested; they don't count in p_fwer and q_fdr.

    Notes
    -----
    p can never be 0: what was observed is one of the m + 1 equally likely arrangements under the
    null hypothesis (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9, 39). p_fwer is the
    single-step max-statistic procedure of Westfall & Young (1993) on standardised statistics, so
    that signals with a wide null don't decide for the others; it keeps its level whatever
    the dependence between signals, see `family_wise`.
    """
    mean, sd, z = standardise(observed, null)
    tested = np.isfinite(observed) & np.isfinite(null).any(axis=0)
    p = np.where(tested, rank_p(observed, null), np.nan)
    p_fwer, q = np.full_like(p, np.nan), np.full_like(p, np.nan)
    comparable = tested & np.isfinite(z)
    if comparable.any():
        largest = largest_z(observed[comparable], null[:, comparable], alike)
        p_fwer[comparable] = family_wise(z[comparable], largest, alike)
    if tested.any():
        from scipy.stats import false_discovery_control

        q[tested] = false_discovery_control(p[tested])
    return Inference(mean, sd, z, p, p_fwer, q)


def family_wise(z: FloatArray, largest: FloatArray, alike: float = 1.0) -> FloatArray:
    """Return the family-wise p of observed z from the largest z of every surrogate.

    Parameters
    ----------
    z : array
        Of what was observed.
    largest : (m,) array
        See `largest_z`; NaN where undefined.
    alike : float
        As for `infer`, k.

    Returns
    -------
    array
        (b + (k + 1) / 2) / (m + k), with b of m surrogates reaching z. For k = 1 that is
        (b + 1) / (m + 1).

    Notes
    -----
    What was observed is one of the arrangements. Among shifts of which k are worth one it stands
    for k arrangements, its neighbours, which are no surrogates as they hold the true coupling.
    Without coupling half of them would reach it, besides itself: it lies somewhere on its hill.
    """
    known = np.sort(largest[~np.isnan(largest)])
    reached = len(known) - np.searchsorted(known, z - TIE)
    p: FloatArray = (reached + (alike + 1.0) / 2.0) / (len(known) + alike)
    return np.where(np.isnan(z), np.nan, p)


def least_p(m: int, alike: float = 1.0) -> float:
    """Return the smallest p that `family_wise` can give with m surrogates."""
    return float(family_wise(np.zeros(1), np.full(m, -1.0), alike)[0])


def standardise(
    observed: FloatArray, null: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean and SD of the null, and the observed statistic on their scale (z)."""
    good = np.isfinite(null)
    count = good.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(good, null, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
        squares = np.where(good, (null - mean) ** 2, 0.0).sum(axis=0)
        sd = np.sqrt(squares / np.where(count > 1, count - 1, np.nan))
        z = np.where(sd > TIE, (observed - mean) / sd, np.nan)
    return mean, sd, z


def rank_p(observed: FloatArray, null: FloatArray) -> FloatArray:
    """Return (b + 1) / (m + 1) along the first axis of the null; undefined surrogates left out."""
    with np.errstate(invalid="ignore"):
        reached = (null >= observed - TIE).sum(axis=0)
    p: FloatArray = (reached + 1.0) / (np.isfinite(null).sum(axis=0) + 1.0)
    return p


def largest_z(observed: FloatArray, null: FloatArray, alike: float = 1.0) -> FloatArray:
    """Return the largest z of every surrogate, (m,), each against the others; NaN: undefined."""
    z = against_the_rest(observed, null, alike)
    largest = np.max(z, axis=1, where=~np.isnan(z), initial=-np.inf)
    return np.where(np.isneginf(largest), np.nan, largest)


def against_the_rest(observed: FloatArray, null: FloatArray, alike: float = 1.0) -> FloatArray:
    """Return z of every surrogate: its distance from what the others are, in their deviations.

    Parameters
    ----------
    observed : (n,) array
        What was observed: one of the others, worth `alike` of them.
    null : (m, n) array
        Surrogates; NaN where undefined.
    alike : float
        As for `infer`. Surrogates nearer than that don't belong to the others.

    Returns
    -------
    (m, n) array
        Where the others are all the same, infinite for a value above them.

    Notes
    -----
    For p_fwer to be right all arrangements have to be standardised alike. What was observed is by
    surrogates that are independent of it; so is each surrogate. If its own value, or those of
    neighbours that are nearly the same, were part of its mean and deviation, its z would be drawn
    towards 0, that of what was observed would not, and p_fwer would be too small. With k = 1 all
    m + 1 are treated exactly alike.
    """
    good = np.isfinite(null)
    centre = np.where(good, null, 0.0).sum(axis=0) / np.maximum(good.sum(axis=0), 1)
    values: FloatArray = np.where(good, null - centre, 0.0)
    own = observed - centre
    count = _without_neighbours(good.astype(np.float64), alike) + alike
    total = _without_neighbours(values, alike) + alike * own
    squares = _without_neighbours(values * values, alike) + alike * own**2
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        sd = np.sqrt(np.maximum(squares - count * mean**2, 0.0) / (count - 1.0))
        distance = values - mean
        alone = np.where(distance > TIE, np.inf, 0.0)
        z = np.where(sd > TIE, distance / sd, alone)
    return np.where(good, z, np.nan)


def _without_neighbours(values: FloatArray, alike: float) -> FloatArray:
    """Sum over all rows but each row itself and those nearer than `alike`."""
    m, reach = len(values), int(np.ceil(alike - 1e-9))
    before = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    row = np.arange(m)
    first, stop = np.maximum(row - reach + 1, 0), np.minimum(row + reach, m)
    sums: FloatArray = before[-1] - (before[stop] - before[first])
    return sums


def fisher_mean(r: FloatArray) -> float:
    """Return the hyperbolic tangent of the mean inverse hyperbolic tangent; NaN of nothing.

    Correlations within 2e-6 of 1, the accuracy they are known to, count as that far from it.
    """
    good = r[np.isfinite(r)]
    if not len(good):
        return float("nan")
    return float(np.tanh(np.mean(np.arctanh(np.clip(good, NEAR_ONE - 1, 1 - NEAR_ONE)))))


def autocorrelation_time(null: FloatArray) -> float:
    """Return how many successive circular shifts are worth one independent surrogate.

    Parameters
    ----------
    null : (m, n) array
        Surrogates in the order of their shifts.

    Returns
    -------
    float
        The autocorrelation time of the null along the shift, in rows; between 1 and m.

    Notes
    -----
    Shifting by one frame more hardly changes anything. The mean autocorrelation over signals is
    summed up to where it first falls under 0.05 (Sokal 1997, in Functional Integration,
    131-192).
    """
    columns = null[:, np.isfinite(null).all(axis=0)]
    columns = columns[:, columns.std(axis=0) > TIE]
    m = len(columns)
    if not columns.shape[1]:
        return 1.0
    z = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    spectrum = np.abs(np.fft.rfft(z, n=2 * m, axis=0)) ** 2
    acf = np.fft.irfft(spectrum, axis=0)[:m].mean(axis=1) / (m - np.arange(m))
    below = np.flatnonzero(acf < 0.05)
    stop = int(below[0]) if len(below) else m
    return float(np.clip(1 + 2 * acf[1:stop].sum(), 1.0, m))
