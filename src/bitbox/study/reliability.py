"""How far a score tells people apart: between halves of a recording, and from session to session.

An individual's score can be interpreted where both are high; groups can be compared where they are
moderate. Neither says that the score is right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_FEWEST = 5  # people
_RESAMPLES = 1999


class Reliability(NamedTuple):
    """A coefficient with its 95 % interval (percentiles of the bootstrap over people).

    Attributes
    ----------
    value : float
        NaN where fewer than five people have all values.
    low, high : float
        Limits.
    n : int
        People.
    """

    value: float
    low: float
    high: float
    n: int


def split_half(first: FloatArray, second: FloatArray, seed: int) -> Reliability:
    """Return the reliability of the whole from the correlation of two halves.

    Parameters
    ----------
    first, second : (people,) array
        The score in one half of each recording, and in the other; NaN is missing.
    seed : int
        Where random numbers start.

    Notes
    -----
    Spearman and Brown (1910): twice the correlation over one more than it.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.study.reliability import split_half
    >>> scores = np.arange(20.0)
    >>> round(split_half(scores, scores[::-1] * 0 + scores, seed=1).value, 2)
    1.0
    """
    return _with_interval(np.stack([first, second], axis=1), _spearman_brown, seed)


def retest(values: FloatArray, seed: int) -> Reliability:
    """Return the intraclass correlation of sessions: one session, absolute agreement.

    Parameters
    ----------
    values : (people, sessions) array
        NaN is missing; people without all sessions are left out.
    seed : int
        Where random numbers start.

    Notes
    -----
    ICC(2,1) of Shrout and Fleiss (1979, doi:10.1037/0033-2909.86.2.420), ICC(A,1) of McGraw and
    Wong (1996): that people score higher in one session than in another lowers it.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.study.reliability import retest
    >>> scores = np.arange(20.0)
    >>> round(retest(np.stack([scores, scores], axis=1), seed=1).value, 2)
    1.0
    """
    return _with_interval(values, _agreement, seed)


def _with_interval(values: FloatArray, coefficient: object, seed: int) -> Reliability:
    whole = values[np.isfinite(values).all(axis=1)]
    n = len(whole)
    if n < _FEWEST or values.shape[1] < 2:
        return Reliability(np.nan, np.nan, np.nan, n)
    random = np.random.default_rng(seed)
    drawn = whole[random.integers(0, n, (_RESAMPLES, n))]
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(coefficient(whole[None])[0])  # type: ignore[operator]
        many = coefficient(drawn)  # type: ignore[operator]
    many = many[np.isfinite(many)]
    low, high = np.quantile(many, [0.025, 0.975]) if len(many) else (np.nan, np.nan)
    return Reliability(value, float(low), float(high), n)


def _spearman_brown(values: FloatArray) -> FloatArray:
    """Return the coefficient of each of some samples, (samples, people, 2)."""
    away = values - values.mean(axis=1, keepdims=True)
    size = np.sqrt((away**2).sum(axis=1).prod(axis=1))
    r = away.prod(axis=2).sum(axis=1) / size
    return np.asarray(2 * r / (1 + r))


def _agreement(values: FloatArray) -> FloatArray:
    """Return the coefficient of each of some samples, (samples, people, sessions)."""
    _, n, k = values.shape
    mean = values.mean(axis=(1, 2), keepdims=True)
    people, sessions = values.mean(axis=2, keepdims=True), values.mean(axis=1, keepdims=True)
    by_people = k * ((people - mean) ** 2).sum(axis=(1, 2)) / (n - 1)
    by_sessions = n * ((sessions - mean) ** 2).sum(axis=(1, 2)) / (k - 1)
    rest = ((values - people - sessions + mean) ** 2).sum(axis=(1, 2)) / ((n - 1) * (k - 1))
    return np.asarray(
        (by_people - rest) / (by_people + (k - 1) * rest + k * (by_sessions - rest) / n)
    )
