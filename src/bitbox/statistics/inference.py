"""From what was observed and what happens by chance to p, q and effect sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Differences below this are rounding: a surrogate this close counts as equal.
TIE = 1e-9
#: Correlations closer to 1 than this cannot be told apart (the accuracy the engine promises).
NEAR_ONE = 2e-6


#: Imitated beyond chance: a family-wise p of at most this.
ALPHA = 0.05
#: Shifts that differ by less than this share of a window are usually worth one.
USUALLY_ALIKE = 0.5


class Alike(NamedTuple):
    """For how many arrangements what was observed stands, its neighbours being no surrogates.

    Attributes
    ----------
    k : float
        How many successive surrogates are worth one independent one.
    in_mean, in_variance : float
        The weight of what was observed, that of a surrogate being 1; see `likeness`.
    at_least : float
        What k has to be taken for where it is asked whether anything can be told. Among few
        shifts k is uncertain, and were it to decide alone, recordings would be judged more often
        where it came out small, as it does where what was observed lies beside all others.
    """

    k: float = 1.0
    in_mean: float = 1.0
    in_variance: float = 1.0
    at_least: float = 1.0

    def can_tell(self, m: int, alpha: float = ALPHA) -> bool:
        """Return whether anything at all could reach p = alpha with m surrogates."""
        return least_p(m, max(self.k, self.at_least)) <= alpha * (1 + 1e-9)


#: All surrogates are independent.
INDEPENDENT = Alike()


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
        One-sided: (b + (k + 1) / 2) / (m + k), b of m surrogates being at least as large and k
        of them worth one; (b + 1) / (m + 1) if all are independent.
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


def infer(observed: FloatArray, null: FloatArray, alike: Alike = INDEPENDENT) -> Inference:
    """Compare observed statistics with their null distributions.

    Parameters
    ----------
    observed : (n,) array
        One statistic a signal, larger is more; NaN: not tested.
    null : (m, n) array
        The same statistics of m surrogates. Rows belong together: all signals of one surrogate.
    alike : Alike
        How alike successive surrogates are, see `likeness`.

    Returns
    -------
    Inference
        NaN for signals that are not tested; they don't count in p_fwer and q_fdr.

    Notes
    -----
    p can never be 0: what was observed is one of the m + 1 equally likely arrangements under the
    null hypothesis (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9, 39), or one of m + k
    of which it stands for k, see `family_wise`. p_fwer is the
    single-step max-statistic procedure of Westfall & Young (1993) on standardised statistics, so
    that signals with a wide null don't decide for the others; it keeps its level whatever
    the dependence between signals, see `family_wise`.
    """
    mean, sd, z = standardise(observed, null)
    tested = np.isfinite(observed) & np.isfinite(null).any(axis=0)
    p = np.where(tested, rank_p(observed, null, alike.k), np.nan)
    p_fwer, q = np.full_like(p, np.nan), np.full_like(p, np.nan)
    comparable = tested & np.isfinite(z)
    if comparable.any():
        largest = largest_z(observed[comparable], null[:, comparable], alike)
        p_fwer[comparable] = family_wise(z[comparable], largest, alike.k)
    if tested.any():
        q[tested] = false_discovery(p[tested])
    return Inference(mean, sd, z, p, p_fwer, q)


def false_discovery(p: FloatArray) -> FloatArray:
    """Return p-values adjusted for the false discovery rate.

    Benjamini & Hochberg (1995, J. R. Stat. Soc. B 57, 289). SciPy has this, too, in a module that
    takes half a second to load.

    Parameters
    ----------
    p : (k,) array
        None missing.
    """
    order = np.argsort(p)
    scaled = p[order] * (len(p) / np.arange(1, len(p) + 1))
    adjusted = np.empty_like(scaled)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.minimum(adjusted, 1.0)


def family_wise(z: FloatArray, largest: FloatArray, alike: float = 1.0) -> FloatArray:
    """Return the family-wise p of observed z from the largest z of every surrogate.

    Parameters
    ----------
    z : array
        Of what was observed.
    largest : (m,) array
        See `largest_z`; NaN where undefined.
    alike : float
        How many successive surrogates are worth one, k.

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
    return np.where(np.isnan(z), np.nan, _share(reached, len(known), alike))


def _share(reached: IntArray, m: IntArray | int, alike: float) -> FloatArray:
    """Return p, of what was observed and stands for `alike` arrangements among m others."""
    p: FloatArray = (reached + (alike + 1.0) / 2.0) / (m + alike)
    return p


def least_p(m: int, alike: float = 1.0) -> float:
    """Return the smallest p, of one signal or family-wise, that m surrogates can give."""
    return float(_share(np.zeros(1, dtype=np.int64), m, alike)[0])


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


def rank_p(observed: FloatArray, null: FloatArray, alike: float = 1.0) -> FloatArray:
    """Return p along the first axis of the null, as `family_wise`; undefined ones are left out."""
    with np.errstate(invalid="ignore"):
        reached = (null >= observed - TIE).sum(axis=0)
    return _share(reached, np.isfinite(null).sum(axis=0), alike)


def largest_z(observed: FloatArray, null: FloatArray, alike: Alike = INDEPENDENT) -> FloatArray:
    """Return the largest z of every surrogate, (m,), each against the others; NaN: undefined."""
    z = against_the_rest(observed, null, alike)
    largest = np.max(z, axis=1, where=~np.isnan(z), initial=-np.inf)
    return np.where(np.isneginf(largest), np.nan, largest)


def against_the_rest(
    observed: FloatArray, null: FloatArray, alike: Alike = INDEPENDENT
) -> FloatArray:
    """Return what z of every surrogate would be if it were what was observed.

    Parameters
    ----------
    observed : (n,) array
        What was observed: one of the arrangements.
    null : (m, n) array
        Surrogates; NaN where undefined.
    alike : Alike
        For how many arrangements what was observed stands.

    Returns
    -------
    (m, n) array
        Infinite where it is further above the others than what was observed could ever be.

    Notes
    -----
    For p_fwer to be right all arrangements have to be standardised alike. First all are, by the
    mean and the deviation of the whole circle, in which what was observed has the weights of
    `Alike`. But its z is its distance from the surrogates only: of its own influence on the whole
    it is rid. So are the surrogates, by the same rule. Where all are independent that is exactly
    the distance of each from the m others.
    """
    good = np.isfinite(null)
    m, a, b = good.sum(axis=0), alike.in_mean, alike.in_variance
    middle = np.where(good, null, 0.0).sum(axis=0) / np.maximum(m, 1)
    mean = middle + a * (observed - middle) / (m + a)
    values = np.where(good, null - mean, 0.0)
    squares = (values * values).sum(axis=0) + b * (observed - mean) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(squares > TIE**2, values / np.sqrt(squares / (m + b)), 0.0)
        # an observed z is w = z c / sqrt((m - 1 + z^2 d) / (m + b)) here: solved for z
        c, d = m / (m + a), m * (a * a + b * m) / (m + a) ** 2
        room = c * c * (m + b) - z * z * d
        z = np.where(room > 1e-9 * m, z * np.sqrt((m - 1) / room), np.sign(z) * np.inf)
    return np.where(good, z, np.nan)


def fisher_mean(r: FloatArray) -> float:
    """Return the hyperbolic tangent of the mean inverse hyperbolic tangent; NaN of nothing.

    Correlations within 2e-6 of 1, the accuracy they are known to, count as that far from it.
    """
    good = r[np.isfinite(r)]
    if not len(good):
        return float("nan")
    return float(np.tanh(np.mean(np.arctanh(np.clip(good, NEAR_ONE - 1, 1 - NEAR_ONE)))))


def likeness(null: FloatArray, shifts: IntArray, reach: int, window: int = 0) -> Alike:
    """Return how alike neighbouring shifts are, and so for how many what was observed stands.

    Parameters
    ----------
    null : (m, n) array
        Surrogates in the order of their shifts.
    shifts : (m,) array of int
        In frames, evenly spread.
    reach : int
        Nearer than this to shift 0 there are no surrogates.
    window : int
        A window's frames. Shifts of less than half of that are taken to be alike where it is
        asked whether anything can be told.

    Returns
    -------
    Alike

    Notes
    -----
    The arrangements nearer than a reach to what was observed are missing, as they hold the true
    coupling. Without coupling one of them that has the autocorrelation a with what was observed
    would be expected at a times its distance from the mean, and the square of that distance at a^2
    of its square, the rest being like anywhere. So in the mean what was observed has the weight of
    the sum of a over all that are missing, itself included, and in the variance that of a^2.
    """
    acf = _autocorrelation(null)
    spacing = (shifts[-1] - shifts[0]) / max(len(shifts) - 1, 1)
    missing = acf[1:][np.arange(1, len(acf)) * spacing < reach]
    in_mean = max(0.0, 1.0 + 2.0 * float(missing.sum()))
    in_variance = 1.0 + 2.0 * float((missing**2).sum())
    at_least = USUALLY_ALIKE * window / spacing if spacing else 1.0
    return Alike(autocorrelation_time(null), in_mean, in_variance, max(1.0, at_least))


def likeness_of_segments(circular: Alike, m: int, n: int, segments: int) -> Alike:
    """Return for how many of n random surrogates what was observed stands.

    The shifts of segments are drawn independently, so each surrogate is worth one. But they are
    drawn from the same `m` circular shifts, from which the same neighbours of what was observed
    are missing. It has the same share of the mean. The variance is a sum over segments; of the
    squared distance of what was observed each holds its part only, so that its neighbours' weight
    is divided by the number of segments.
    """
    in_mean, in_variance = circular.in_mean * n / m, circular.in_variance * n / m
    return Alike(1.0, in_mean, 1.0 + max(0.0, in_variance - 1.0) / segments)


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
    acf = _autocorrelation(null)
    below = np.flatnonzero(acf < 0.05)
    stop = int(below[0]) if len(below) else len(acf)
    return float(np.clip(1 + 2 * acf[1:stop].sum(), 1.0, max(len(null), 1)))


def _autocorrelation(null: FloatArray) -> FloatArray:
    """Return the mean autocorrelation of the columns that vary, by lag in rows; [1] if none."""
    columns = null[:, np.isfinite(null).all(axis=0)]
    columns = columns[:, columns.std(axis=0) > TIE]
    m = len(columns)
    if not columns.shape[1]:
        return np.ones(1)
    z = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    spectrum = np.abs(np.fft.rfft(z, n=2 * m, axis=0)) ** 2
    acf: FloatArray = np.fft.irfft(spectrum, axis=0)[:m].mean(axis=1) / (m - np.arange(m))
    return acf
