"""Copies of the data in which coupling is broken and everything else is kept.

Each kind is named for what it does, and stands for one null hypothesis:

``circular``
    *The two recordings have nothing to do with each other in time.* The model's signals are moved
    in time together. Everything about each recording is kept, and all relations between the
    signals of one person. Needs signals whose character doesn't change over the recording.
``segments``
    *What happens in one part of the recording has nothing to do with the same part of the other.*
    Blocks of windows of one are paired with other blocks of the other. Survives slow changes
    within a block only as far as blocks are alike; what is slower than a block is broken, too.
``phase``
    *The model's signals are stationary Gaussian noise with the same spectra and cross-spectra.*
    Their Fourier phases are randomised, all signals by the same amounts.
``pairs``
    *This pair is like a pair of people who never met.* Other recordings take the model's place.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.errors import InputError, ParameterError, TooShortError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Surrogate = Literal["circular", "segments", "phase", "pairs"]

#: Fewer ways to break the coupling than this cannot give p = 0.05.
MIN_SURROGATES = 19
#: A block of `segments` is this many times as long as a window and its lags.
BLOCK_LENGTH = 4
#: With fewer blocks there are too few ways to exchange them (44 for five).
MIN_BLOCKS = 5


def check_surrogate(surrogate: str, n_surrogates: int) -> None:
    """Refuse a kind that doesn't exist and a number that makes no sense.

    Raises
    ------
    ParameterError
    """
    if surrogate not in get_args(Surrogate):
        raise ParameterError(
            "There is no such kind of surrogate.",
            expected="one of " + ", ".join(repr(s) for s in get_args(Surrogate)),
            got=repr(surrogate),
        )
    whole = isinstance(n_surrogates, int | np.integer) and not isinstance(n_surrogates, bool)
    if not whole or n_surrogates < MIN_SURROGATES:
        raise ParameterError(
            "The number of surrogates makes no sense.",
            expected=f"a whole number, {MIN_SURROGATES} or more (p cannot be below 1 / (n + 1))",
            got=repr(n_surrogates),
        )


def smallest_shift(plan: WindowPlan) -> int:
    """Return the smallest circular shift in frames: all the lags and a window.

    Then no window of the shifted model holds a frame that the true comparison could have used.
    """
    return int(plan.lags[-1] - plan.lags[0]) + plan.window


def circular_shifts(plan: WindowPlan, n: int, rng: np.random.Generator) -> IntArray:
    """Return shifts in frames, spread evenly over the recording from a random start.

    Parameters
    ----------
    plan : WindowPlan
        Windows and lags.
    n : int
        How many.
    rng : numpy.random.Generator
        Where the start comes from.

    Returns
    -------
    (m,) array of int
        Different and ascending; all possible ones where there are no more than `n`.

    Raises
    ------
    TooShortError
        If fewer than 19 shifts are possible.
    """
    least = smallest_shift(plan)
    possible = plan.n_frames - 2 * least + 1
    if possible < MIN_SURROGATES:
        needed = 2 * least + MIN_SURROGATES - 1
        raise TooShortError(
            "The recording is too short to tell imitation from chance by circular shifts.",
            expected=f"at least {needed / plan.fps:.2f} s that both recordings share",
            got=f"{plan.n_frames / plan.fps:.2f} s",
            todo="Use a longer recording, or a smaller width or lag.",
        )
    if possible <= n:
        return least + np.arange(possible, dtype=np.int64)
    spread = (rng.random() + np.arange(n)) * (possible / n)
    return least + np.minimum(spread.astype(np.int64), possible - 1)


def circular_places(plan: WindowPlan, shifts: IntArray) -> IntArray:
    """Return which place of the model each window meets after each shift.

    Returns
    -------
    (m, windows) array of int
        First frame of the model that any lag of the window reaches. -1 where a lag reaches
        across the seam, where the model's last frame meets its first: such windows are left out
        of that surrogate.
    """
    first, last = int(plan.lags[0]), int(plan.lags[-1])
    places = (plan.starts[None, :] + first - shifts[:, None]) % plan.n_frames
    return np.where(places + (last - first) + plan.window <= plan.n_frames, places, -1)


def segment_places(plan: WindowPlan, n: int, rng: np.random.Generator) -> IntArray:
    """Return which place of the model each window meets when blocks of windows are exchanged.

    Every block of the participant meets a block of the model from another time. Blocks are at
    least four times as long as a window with its lags, so that neighbouring windows, which share
    frames, stay neighbours. Where the blocks begin is drawn anew for each surrogate; the few
    windows left over at the ends are left out.

    Returns
    -------
    (m, windows) array of int
        As `circular_places`.

    Raises
    ------
    TooShortError
        If there is no room for five blocks.
    """
    size = -(-BLOCK_LENGTH * smallest_shift(plan) // plan.step)
    n_blocks = plan.n_windows // size
    if n_blocks < MIN_BLOCKS:
        needed = plan.n_frames_needed + (MIN_BLOCKS * size - 1) * plan.step
        raise TooShortError(
            "The recording is too short to exchange segments.",
            expected=f"at least {needed / plan.fps:.2f} s ({MIN_BLOCKS} segments of "
            f"{size * plan.step / plan.fps:.2f} s)",
            got=f"{plan.n_frames / plan.fps:.2f} s",
            todo="Use surrogate='circular', a longer recording, or a smaller width or lag.",
        )
    own = plan.starts + int(plan.lags[0])
    places = np.full((n, plan.n_windows), -1, dtype=np.int64)
    for row in places:
        start = int(rng.integers(plan.n_windows - n_blocks * size + 1))
        blocks = own[start : start + n_blocks * size].reshape(n_blocks, size)
        row[start : start + n_blocks * size] = blocks[derangement(n_blocks, rng)].ravel()
    return places


def derangement(n: int, rng: np.random.Generator) -> IntArray:
    """Return a random permutation that leaves nothing in its place (n of 2 or more)."""
    while True:
        order = rng.permutation(n)
        if not (order == np.arange(n)).any():
            return order


def phase_randomised(signals: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return signals with the same spectra and cross-spectra, and random phases.

    Parameters
    ----------
    signals : (T, ...) array
        Without missing values.
    rng : numpy.random.Generator
        Where the phases come from.

    Returns
    -------
    (T, ...) array
        Every frequency of all signals is turned by the same random angle, so that what the
        signals have to do with each other is kept.

    Raises
    ------
    InputError
        If a value is missing: a Fourier transform has no notion of gaps.

    Notes
    -----
    Prichard & Theiler (1994), Physical Review Letters 73, 951-954.
    """
    check_complete(signals)
    n_frames = len(signals)
    spectrum = np.fft.rfft(signals, axis=0)
    angles = rng.uniform(0, 2 * np.pi, len(spectrum))
    angles[0] = 0.0
    if n_frames % 2 == 0:
        angles[-1] = 0.0
    turned = spectrum * np.exp(1j * angles).reshape(-1, *[1] * (signals.ndim - 1))
    randomised: FloatArray = np.fft.irfft(turned, n=n_frames, axis=0)
    return randomised


def check_complete(signals: FloatArray) -> None:
    """Refuse missing values, which phase randomisation cannot keep.

    Raises
    ------
    InputError
    """
    lost = int(np.isnan(signals).reshape(len(signals), -1).any(axis=1).sum())
    if lost:
        raise InputError(
            "Phases can only be randomised in signals without gaps.",
            got=f"{lost} of {len(signals)} frames with a missing value",
            todo="Use surrogate='circular', which keeps gaps as they are, or leave out the "
            "signals that have gaps (signals=...).",
        )
