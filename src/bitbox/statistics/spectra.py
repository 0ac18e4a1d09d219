"""How fast a signal moves: what the width of a window is to be judged by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Slower than this many seconds a period counts as posture, not movement.
SLOWEST = 10.0
#: Movement stands out of measurement noise where it has so many times its power.
STANDS_OUT = 4.0
# Signals worked on at once.
_TOGETHER = 16


def typical_frequencies(signals: FloatArray, fps: float) -> FloatArray:
    """Return how often a second each signal goes there and back while it moves, in Hz.

    Parameters
    ----------
    signals : (T, n, d) array
        NaN is missing.
    fps : float
        Frames a second.

    Returns
    -------
    (n,) array
        NaN where the signal doesn't move, or has no two seconds without a gap.

    Notes
    -----
    By Rice's formula (1945, Bell System Technical Journal 24, 46-156) noise with the power spectrum
    S crosses its mean, upwards, as often as the root of the integral of f^2 S over that of S. For a
    rhythm that is its frequency, for noise of all frequencies up to B it is 0.58 B, and for single
    movements of L seconds there and back it is about 0.7 / L, however rare they are. The frequency
    below which half of the power lies would be 0.4 / L: rest between movements counts as slow.

    S is Welch's estimate (pieces of up to 10 s without gaps, straight lines removed, summed over
    coordinates), above a tenth of a hertz, less the noise floor, which is the median power in the
    upper quarter of frequencies, and up to where it no longer stands out of that.
    """
    found = np.full(signals.shape[1], np.nan)
    known = ~np.isnan(signals).any(axis=2)
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    for k, there in enumerate(patterns.T):
        columns = np.flatnonzero(which.ravel() == k)
        # signals with the same gaps together, a few at a time to bound memory
        for part in np.array_split(columns, -(-len(columns) // _TOGETHER)):
            found[part] = _with_the_same_gaps(signals[:, part], _runs(there), fps)
    return found


def _with_the_same_gaps(signals: FloatArray, runs: list[tuple[int, int]], fps: float) -> FloatArray:
    """Return the typical frequencies of signals that are known in the same stretches."""
    n = signals.shape[1]
    longest = max((stop - start for start, stop in runs), default=0)
    if longest < 2 * fps:
        return np.full(n, np.nan)
    piece = int(min(longest, SLOWEST * fps))
    frequency = np.fft.rfftfreq(piece, 1 / fps)
    total = np.zeros((len(frequency), n))
    for start, stop in runs:
        if stop - start >= piece:
            total += _power(signals[start:stop], piece, fps).sum(axis=2) * (stop - start)
    floor = np.median(total[3 * len(total) // 4 :], axis=0)
    moving = np.maximum(total - floor, 0.0)
    moving[frequency < 1 / SLOWEST] = 0.0
    top = np.argmax(moving, axis=0)
    weak = total <= STANDS_OUT * floor
    beyond = weak & (np.arange(len(total))[:, None] > top)
    moving[np.logical_or.accumulate(beyond, axis=0) & ~weak[top, np.arange(n)]] = 0.0
    whole = moving.sum(axis=0)
    rounding = 1e-24 * np.nanmax(signals**2, axis=(0, 2))
    whole = np.where(whole > rounding, whole, np.nan)
    found: FloatArray = np.sqrt((frequency[:, None] ** 2 * moving).sum(axis=0) / whole)
    return found


def _power(signals: FloatArray, piece: int, fps: float) -> FloatArray:
    """Return Welch's power spectrum of (T, n, d) signals, (piece // 2 + 1, n, d).

    Hann windows that overlap by half. `scipy.signal.welch` gives the same, but takes half a second
    to load.
    """
    starts = range(0, len(signals) - piece + 1, piece - piece // 2)
    ramp = np.arange(piece) - (piece - 1) / 2
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(piece) / piece)
    total = np.zeros((piece // 2 + 1, *signals.shape[1:]))
    for start in starts:
        part = signals[start : start + piece]
        slope = np.tensordot(ramp, part, axes=1) / (ramp @ ramp)
        level = part - part.mean(axis=0) - ramp[:, None, None] * slope
        total += np.abs(np.fft.rfft(level * window[:, None, None], axis=0)) ** 2
    total[1 : (piece + 1) // 2] *= 2  # what lies at negative frequencies
    return np.asarray(total / (len(starts) * fps * (window @ window)))


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and past-last frame of every stretch without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
