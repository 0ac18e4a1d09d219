"""Copies of the data in which coupling is broken and everything else is kept.

Each kind is named for what it does, and stands for one null hypothesis:

``circular``
    *The two recordings have nothing to do with each other in time.* Each window meets another
    place of the model, all windows the same time away, around the end. Everything about each
    recording is kept, and all relations between the signals of one person. Needs signals whose
    character doesn't change over the recording.
``segments``
    *What happens in one part of one recording has nothing to do with the same part of the other.*
    Segments of the participant, some seconds each, are shifted like that, each by itself. Many
    more different surrogates than shifts, so small p can be trusted in short recordings, too; but
    what lasts longer than a segment is broken as well.
``local``
    *At which moment within some 20 s something is done has nothing to do with the other's moments.*
    Segments as above, but each is shifted by at most 20 s. What changes more slowly in both, say
    who is lively when, is kept, so that it cannot pass for imitation (the jitter method of
    Amarasingham et al. 2012, J. Neurophysiol. 107, 517).
``phase``
    *The model's signals are stationary Gaussian noise with the same spectra and cross-spectra.*
    Their Fourier phases are randomised, all signals by the same amounts.
``pairs``
    *This pair is like a pair of people who never met.* Other recordings take the model's place, or
    the participant's. People who saw or showed the same things at the same times are no null: they
    move together without having met.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.errors import InputError, ParameterError, TooShortError
from bitbox.statistics.inference import USUALLY_ALIKE

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Surrogate = Literal["circular", "segments", "local", "phase", "pairs"]
#: Whose place other recordings take.
Role = Literal["model", "participant"]

#: Fewer ways to break the coupling than this cannot give p = 0.05.
MIN_SURROGATES = 19
#: A segment is this many times as long as a window and its lags.
SEGMENT_LENGTH = 4
#: Local shifts are of at most so many seconds.
LOCAL = 20.0
#: With fewer segments their surrogates say no more than circular shifts do.
MIN_SEGMENTS = 4


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


def check_role(role: str) -> None:
    """Refuse a role that there is not.

    Raises
    ------
    ParameterError
    """
    if role not in get_args(Role):
        raise ParameterError(
            "Whose place other recordings take was not understood.",
            expected="role='model' or role='participant'",
            got=f"role={role!r}",
        )


def smallest_shift(plan: WindowPlan) -> int:
    """Return the smallest circular shift in frames: all the lags and a window, a reach.

    Then no window of the shifted model holds a frame that the true comparison could have used.
    """
    return plan.n_frames_needed


def can_shift(plan: WindowPlan) -> bool:
    """Return whether there are enough different shifts."""
    return possible_shifts(plan) >= MIN_SURROGATES


def possible_shifts(plan: WindowPlan) -> int:
    """Return how many circular shifts keep every window a reach from its own place.

    The places lie on a circle, so that is to be kept on both sides. Negative or 0: there is none.
    """
    return plan.n_places - 2 * smallest_shift(plan) + 1


def seconds_enough(plan: WindowPlan, alike: float, n: int) -> float:
    """Return about how long recordings have to be for circular shifts to tell anything.

    Parameters
    ----------
    plan : WindowPlan
        Windows and lags of recordings that are too short.
    alike : float
        How many shifts, one frame apart, are worth one independent surrogate.
    n : int
        How many shifts are asked for.

    Returns
    -------
    float
        Seconds, rounded up. There the smallest p, (k + 1) / 2 / (m + k), is 0.05, if movements
        go on as they are.
    """
    frames = max(1.0, alike, USUALLY_ALIKE * plan.window)  # few shifts give too small a number
    rows = max(1.0, min(frames, (n - 10.0) / 9.0))  # so many of n shifts may be worth one
    shifts = (9.0 * rows + 10.0) * frames / rows
    needed = max(plan.n_frames + 1.0, 3 * smallest_shift(plan) - 2 + shifts)
    return float(np.ceil(needed / plan.fps))


def circular_shifts(plan: WindowPlan, n: int) -> IntArray:
    """Return shifts in frames, spread evenly over the circle of places.

    Nothing is drawn, so no seed can be found that gives a smaller p.

    Parameters
    ----------
    plan : WindowPlan
        Windows and lags.
    n : int
        How many.

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
    possible = possible_shifts(plan)
    if not can_shift(plan):
        needed = plan.n_frames + MIN_SURROGATES - possible
        usually = seconds_enough(plan, 0.0, n)
        raise TooShortError(
            "The recording is too short to tell imitation from chance by circular shifts.",
            expected=f"at least {needed / plan.fps:.2f} s that both recordings share",
            got=f"{plan.n_frames / plan.fps:.2f} s",
            todo="Use a longer recording (movements being what they usually are, nothing can be "
            f"told from less than about {usually:.0f} s), or a smaller width or lag.",
        )
    return least + spread(possible, min(n, possible))


def spread(n: int, chosen: int) -> IntArray:
    """Return so many of the numbers below n, as evenly as can be and with equal margins."""
    return ((np.arange(chosen) + 0.5) * n / chosen).astype(np.int64)


def circular_places(plan: WindowPlan, shifts: IntArray) -> NDArray[np.int32]:
    """Return which place of the model each window meets after each shift.

    Places, not frames, lie on a circle: a window that would begin before the first place meets one
    of the last. So every window is compared in every surrogate, and none meets a stretch that is
    glued together from the end and the start of the recording. A shift of 0 is what was observed.

    Returns
    -------
    (m, windows) array of int32
        First frame of the model that any lag of the window reaches. In memory window by window,
        as it is read: of hours it is large.
    """
    own = (plan.starts - plan.max_lag).astype(np.int32)
    by_window: NDArray[np.int32] = own[:, None] - shifts[None, :].astype(np.int32)
    by_window %= plan.n_places
    return by_window.T


def segment_size(plan: WindowPlan) -> int:
    """Return how many windows a segment has at the least."""
    return -(-SEGMENT_LENGTH * smallest_shift(plan) // plan.step)


def segment_count(plan: WindowPlan) -> int:
    """Return into how many segments the windows can be cut."""
    return plan.n_windows // segment_size(plan)


def segment_places(plan: WindowPlan, n: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return which place of the model each window meets when segments are compared elsewhere.

    The participant's windows are cut into segments of consecutive windows, all about as long and
    at least four times as long as a window with its lags. Each is shifted by itself, by a random
    circular shift, all its windows together: neighbouring windows share frames, and must stay
    neighbours. Where the first segment begins is drawn anew for each surrogate; the last one goes
    on at the start of the recording.

    Returns
    -------
    (m, windows) array of int
        As `circular_places`.

    Raises
    ------
    TooShortError
        If there is no room for four segments.

    Notes
    -----
    Shifts are drawn independently. Exchanging the segments among themselves instead would make
    the test reject too often where there are few of them: the same few comparisons then serve all
    surrogates.
    """
    least, own = smallest_shift(plan), np.arange(plan.n_windows)
    n_segments = segment_count(plan)
    _check_segments(plan)
    turned = (own + rng.integers(plan.n_windows, size=(n, 1))) % plan.n_windows
    shifts = least + rng.integers(possible_shifts(plan), size=(n, n_segments))
    each = np.take_along_axis(shifts, turned * n_segments // plan.n_windows, axis=1)
    places: IntArray = (plan.step * own - each) % plan.n_places
    return places.astype(np.int32)


def _check_segments(plan: WindowPlan) -> None:
    """Refuse recordings in which there is no room for four segments."""
    if segment_count(plan) >= MIN_SEGMENTS:
        return
    size = segment_size(plan)
    needed = plan.n_frames_needed + (MIN_SEGMENTS * size - 1) * plan.step
    raise TooShortError(
        "The recording is too short to compare segments with other segments.",
        expected=f"at least {needed / plan.fps:.2f} s ({MIN_SEGMENTS} segments of "
        f"{size * plan.step / plan.fps:.2f} s)",
        got=f"{plan.n_frames / plan.fps:.2f} s",
        todo="Use surrogate='circular', a longer recording, or a smaller width or lag.",
    )


def largest_local_shift(plan: WindowPlan) -> int:
    """Return the largest local shift in frames.

    Raises
    ------
    ParameterError
        If windows and lags leave no room for shifts of that size.
    """
    least, largest = smallest_shift(plan), round(LOCAL * plan.fps)
    if 2 * least > largest:
        raise ParameterError(
            "Windows and lags are too long for local shifts.",
            expected=f"a window and its lags of at most {LOCAL / 2:g} s together, shifts being of "
            f"at most {LOCAL:g} s",
            got=f"{least / plan.fps:.2f} s",
            todo="Use a smaller width or lag, or surrogate='circular'.",
        )
    return largest


def local_places(plan: WindowPlan, n: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return which place of the model each window meets when segments are shifted a little.

    The windows are cut into segments as in `segment_places`, but nothing goes around the end: each
    segment is shifted by a random number of frames, at most 20 s, at least a reach, that leaves it
    within the recording. Or it stays, which counts as half a window's frames: nearer places than a
    reach hold the true coupling, and the true place has to stand for those that are like it.

    Returns
    -------
    (m, windows) array of int
        As `circular_places`.

    Raises
    ------
    TooShortError
        If there is no room for four segments.
    ParameterError
        If windows and lags are too long for such shifts.

    Notes
    -----
    Within 20 s there are few independent places, say 20. Were a segment never to stay, what was
    observed would vary by a twentieth more around the mean of the others, and they by a twentieth
    less: p would be at most 0.05 in 6 % of recordings (`validation/calibration.py`).
    """
    least, largest, size = smallest_shift(plan), largest_local_shift(plan), segment_size(plan)
    _check_segments(plan)
    own = plan.step * np.arange(plan.n_windows)
    offset = rng.integers(size, size=(n, 1))
    segment = (np.arange(plan.n_windows) + offset) // size
    begins = size * np.arange(segment.max() + 1) - offset
    # how far each can be moved towards the start, and towards the end
    back = own[np.clip(begins, 0, plan.n_windows - 1)]
    ahead = plan.n_places - 1 - own[np.minimum(begins + size, plan.n_windows) - 1]
    back, ahead = (np.minimum(room, largest) - least + 1 for room in (back, ahead))
    back, ahead = np.maximum(back, 0), np.maximum(ahead, 0)
    # where they are counts, too: as many frames as give about the same
    here = max(1, round(USUALLY_ALIKE * plan.window))
    drawn = rng.integers(np.maximum(back + ahead, 0) + here)
    shifts = np.where(drawn < back, least + drawn, -(least + drawn - back))
    shifts = np.where(drawn >= back + ahead, 0, shifts)
    places: IntArray = own - np.take_along_axis(shifts, segment, axis=1)
    return places.astype(np.int32)


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
