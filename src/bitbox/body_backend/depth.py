"""How far away the end of a limb is: the model's guess, weighed against how long the limb is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_STEPS = np.linspace(-1.1, 1.1, 45)  # depths that are weighed, of a limb's length
_AT_ONCE = 10_000  # frames, so that long recordings take no more memory


def likely_depth(
    guess: FloatArray, looks: FloatArray, length: float, doubt: float, inexact: float
) -> FloatArray:
    """Return how much further away the end of a limb is than its start, by what is most likely.

    Parameters
    ----------
    guess : ndarray, shape (T,)
        How much further the model takes it to be.
    looks : ndarray, shape (T,)
        How long the limb looks in the picture.
    length : float
        How long it is.
    doubt : float
        How wrong guesses are: their standard deviation from the truth.
    inexact : float
        How wrong lengths are: the standard deviation of what joints in the picture tell of one.

    Returns
    -------
    ndarray, shape (T,)
        The mean over all depths, each weighed by how well guess and length go with it: a limb that
        looks much shorter than it is is turned as far as that tells; one that looks about as long
        as it is, as far as the guess does; one that may point to either side, half-way.
    """
    depths = _STEPS * length
    out = np.full(len(guess), np.nan)
    known = np.flatnonzero(np.isfinite(guess) & np.isfinite(looks))
    for start in range(0, len(known), _AT_ONCE):
        rows = known[start : start + _AT_ONCE]
        off = (np.hypot(looks[rows, None], depths) - length) / inexact
        cost = ((depths - guess[rows, None]) / doubt) ** 2 + off**2
        weight = np.exp((cost.min(axis=1, keepdims=True) - cost) / 2)
        out[rows] = (weight * depths).sum(axis=1) / weight.sum(axis=1)
    return out
