"""How fast a signal moves: what the width of a window is to be judged by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Slower than this many seconds a period counts as posture, not movement.
SLOWEST = 10.0


def typical_frequency(signal: FloatArray, fps: float) -> float:
    """Return the frequency below which half of a signal's movement lies, in Hz.

    Parameters
    ----------
    signal : (T, d) array
        NaN is missing.
    fps : float
        Frames a second.

    Returns
    -------
    float
        NaN where the signal doesn't move, or has no two seconds without a gap.

    Notes
    -----
    Median frequency of Welch's power spectrum (pieces of up to 10 s without gaps, straight lines
    removed, summed over coordinates), above a tenth of a hertz and less the noise floor, which is
    the median power in the upper quarter of frequencies.
    """
    from scipy.signal import welch

    runs = _runs(~np.isnan(signal).any(axis=1))
    longest = max((stop - start for start, stop in runs), default=0)
    if longest < 2 * fps:
        return float("nan")
    piece = int(min(longest, SLOWEST * fps))
    total, weight = np.zeros(piece // 2 + 1), 0
    for start, stop in runs:
        if stop - start >= piece:
            frequency, power = welch(
                signal[start:stop], fs=fps, nperseg=piece, detrend="linear", axis=0
            )
            total += power.sum(axis=1) * (stop - start)
            weight += stop - start
    floor = np.median(total[3 * len(total) // 4 :])
    moving = np.maximum(total - floor, 0.0)
    moving[frequency < 1 / SLOWEST] = 0.0
    rounding = 1e-24 * float(np.nanmax(signal**2))
    if not moving.sum() > rounding:
        return float("nan")
    reached = np.cumsum(moving) / moving.sum()
    return float(np.interp(0.5, reached, frequency))


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and past-last frame of every stretch without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
