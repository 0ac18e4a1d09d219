"""How large the participant's movement is relative to the model's."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Up to this share of the model's variance is taken for noise and corrected for. A larger share is
#: fast movement rather than noise: speed cannot tell them apart there.
MOST_NOISE = 0.25


def noise_variance(signal: FloatArray) -> float:
    """Return the variance of white measurement noise in a signal, summed over coordinates.

    Parameters
    ----------
    signal : (T, d) array
        NaN is missing.

    Returns
    -------
    float
        From third differences, in which slow movement all but vanishes: 1.4826 times their
        median absolute value, squared, over the 20 that white noise of variance 1 has there.
        0 where there are fewer than ten third differences.

    Notes
    -----
    Movement counts as noise as far as it is as fast as the frames, so the estimate is an upper
    one for fast signals.
    """
    total = 0.0
    for column in signal.T:
        third = np.diff(column, 3)
        third = third[np.isfinite(third)]
        if len(third) >= 10:
            total += (1.4826 * float(np.median(np.abs(third)))) ** 2 / 20.0
    return total


def gain(x: FloatArray, y: FloatArray, starts: IntArray, lags: IntArray, window: int) -> float:
    """Return by how much the model's movement is multiplied in the participant's.

    Parameters
    ----------
    x, y : (T, d) array
        Participant and model, one signal; NaN is missing.
    starts, lags : (n,) array of int
        First frame of the windows of x, and the lag of y in each.
    window : int
        Frames a window.

    Returns
    -------
    float
        1: as large as the model's; NaN where there are no windows, or the model doesn't move.

    Notes
    -----
    The slope of x on y within windows, corrected for noise in y by the method of moments for
    errors in variables (Fuller 1987, Measurement Error Models, section 1.2): summed covariance
    over summed variance of y less its noise variance, `noise_variance`. Noise in x has no effect
    on a slope; noise in y alone would make it too small. Windows weigh by how much the model
    moves in them.

    Where more than a quarter of the model's variance would count as noise, speed doesn't tell
    noise from movement, and the slope is left uncorrected. Choosing the lag of each window by
    its correlation makes the slope of unrelated signals positive: read it only where imitation
    is beyond chance.
    """
    if not len(starts):
        return float("nan")
    a = sliding_window_view(x, window, axis=0)[starts]
    b = sliding_window_view(y, window, axis=0)[starts + lags]
    both = ~(np.isnan(a).any(axis=1) | np.isnan(b).any(axis=1))[:, None, :]
    count = both.sum(axis=2, keepdims=True)

    def centred(frames: FloatArray) -> FloatArray:
        total = np.where(both, frames, 0.0).sum(axis=2, keepdims=True)
        return np.where(both, frames - total / np.maximum(count, 1), 0.0)

    p, q = centred(a), centred(b)
    covariance, variance = float(np.sum(p * q)), float(np.sum(q * q))
    # centring a window takes one degree of freedom from the noise
    noise = noise_variance(y) * float(np.sum(np.maximum(count - 1, 0)))
    if not variance > 0:
        return float("nan")
    return covariance / (variance - (noise if noise <= MOST_NOISE * variance else 0.0))
