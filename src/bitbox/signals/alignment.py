"""Two recordings on one clock.

Seconds are always true: a recording is resampled to the common grid, never re-labelled. Where
both already sit on the same regular grid, their values are used as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bitbox.errors import InputError, ParameterError, TooShortError
from bitbox.findings import Finding
from bitbox.signals import Signals
from bitbox.signals.checks import FASTEST, MOST_CELLS, FloatArray

#: Times within this share of a frame count as equal: 1.7 ms at 30 frames a second.
TOLERANCE = 0.05
#: Two rates that differ by less than this share are the same rate.
SAME_RATE = 0.001
#: Recordings whose first frames are this many frames apart start together.
_SAME_START = 1.5
#: Seconds that one recording may be longer than the other, or start earlier, without a word.
_LEFT_OVER = 0.5
#: Two recordings that happen to have the same number of frames are shorter.
_MANY_FRAMES = 100
#: Rates this share apart are not those of two cameras with the same setting.
_OTHER_RATE = 0.02
#: Share of the longer recording below which what is shared is cause for concern.
_MOST = 0.9


@dataclass(frozen=True)
class Aligned:
    """Two Signals whose rows share one regular clock.

    Attributes
    ----------
    participant, model : Signals
        With equal ``time``, on the model's clock.
    fps : float
        Frames a second of the common grid.
    resampled : bool
        False where both were on this grid already and no value was touched.
    findings : tuple of Finding
        What is worth knowing about how the clocks were joined.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> signals = imitated_pair(3, duration=10, seed=1).participant
    >>> from bitbox.signals.alignment import align
    >>> align(signals, signals.shifted(2.0)).resampled  # the clocks meet frame by frame
    False
    """

    participant: Signals
    model: Signals
    fps: float
    resampled: bool
    findings: tuple[Finding, ...]


def align(
    participant: Signals,
    model: Signals,
    *,
    fps: float | None = None,
    max_gap: float = 0.1,
    offset: float = 0.0,
) -> Aligned:
    """Put two recordings on one clock.

    Parameters
    ----------
    participant, model : Signals
        Each with true times.
    fps : float, optional
        Rate of the common grid in frames a second; None: the lower of the two rates.
    max_gap : float
        When resampling, a stretch without values is bridged by a straight line if the values
        around it are at most this many seconds apart (0.1); a longer one stays NaN.
    offset : float
        Seconds added to the participant's clock, for recordings that did not start together.

    Returns
    -------
    Aligned

    Raises
    ------
    ParameterError
        If fps, max_gap or offset makes no sense.
    InputError
        If the common grid would be larger than can be held.
    TooShortError
        If a recording has one frame only, or the two don't overlap in time.

    Notes
    -----
    Both recordings are resampled linearly, column by column, to ``t0 + k / fps`` over the time
    that they share; ends are not padded. If both already are on one regular grid of that rate
    (every time within 5 % of a frame of it), they are only cut to the time that they share: no
    value is changed and no gap bridged.

    Examples
    --------
    >>> from bitbox.signals.alignment import align
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> fast = imitated_pair(2, duration=10, fps=50, seed=1).participant
    >>> slow = imitated_pair(2, duration=10, fps=25, seed=1).model
    >>> aligned = align(fast, slow, offset=1.0)
    >>> aligned.fps, aligned.participant.n_frames, aligned.model.n_frames
    (25.0, 225, 225)
    >>> [finding.code for finding in aligned.findings]
    ['partly-shared', 'frame-rates-differ']
    """
    _check_parameters(fps, max_gap, offset)
    _check_rate(fps, participant, model)
    participant = participant.shifted(offset)
    for who, signals in (("participant", participant), ("model", model)):
        if signals.n_frames < 2:
            raise TooShortError(
                f"The {who}'s recording has one frame only.",
                expected="a recording with movement in it",
                got="1 frame",
            )
    start = max(participant.time[0], model.time[0])
    stop = min(participant.time[-1], model.time[-1])
    if not stop > start:
        raise TooShortError(
            "The two recordings do not overlap in time.",
            got=f"participant {_span(participant)}, model {_span(model)}",
            todo="Check the offset, and the start times of the two files.",
        )
    rate = min(participant.rate, model.rate) if fps is None else float(fps)
    findings = (
        *_read_findings(participant, model),
        *_time_findings(participant, model, rate, offset),
        *_rate_findings(participant, model, rate),
    )
    shared = _shared_rows(participant.time, model.time, rate)
    if shared is not None:
        rows_p, rows_m = shared
        time = model.time[rows_m]
        return Aligned(
            _rows(participant, rows_p, time), _rows(model, rows_m, time), rate, False, findings
        )
    frames = int(np.floor((stop - start) * rate + TOLERANCE)) + 1
    _check_frames(frames, stop - start, rate, participant, model)
    grid = start + np.arange(frames) / rate
    return Aligned(
        resample(participant, grid, max_gap), resample(model, grid, max_gap), rate, True, findings
    )


def _check_frames(
    frames: int, seconds: float, rate: float, participant: Signals, model: Signals
) -> None:
    """Refuse a common grid that would not fit into memory, before it is made."""
    columns = max(len(participant.names), len(model.names))
    if frames * columns > MOST_CELLS:
        raise InputError(
            f"The recordings share {seconds:,.0f} s, which is more than can be analysed at once at "
            f"{rate:g} frames a second.",
            expected=f"up to {MOST_CELLS:,} numbers (frames times signals) a recording",
            got=f"{frames:,} frames of {columns:,} signals",
            todo="Check the first and last times of both files; if they are true, give a lower "
            "fps, keep fewer signals, or cut the recordings into parts.",
        )


def resample(signals: Signals, grid: FloatArray, max_gap: float) -> Signals:
    """Return the signals at the times of `grid`, by linear interpolation.

    A value is defined where the nearest values before and after it are at most `max_gap`
    seconds apart, or are neighbouring frames of a recording slower than that.
    """
    longest = max(max_gap, 1.5 / signals.rate) * (1 + 1e-9)
    columns = [
        _interpolate(signals.time, column, grid, longest, TOLERANCE / signals.rate)
        for column in signals.values.T
    ]
    confidence = None
    if signals.confidence is not None:
        nearest = np.searchsorted((signals.time[1:] + signals.time[:-1]) / 2, grid)
        confidence = signals.confidence[nearest]
    return signals.replace(values=np.column_stack(columns), time=grid, confidence=confidence)


def _interpolate(
    time: FloatArray, column: FloatArray, grid: FloatArray, longest: float, near: float
) -> FloatArray:
    """Interpolate one column over its defined values; NaN beyond them and in long gaps."""
    result = np.full(len(grid), np.nan)
    defined = np.isfinite(column)
    times, values = time[defined], column[defined]
    if not len(times):
        return result
    after = np.searchsorted(times, grid, side="left").clip(0, len(times) - 1)
    before = np.searchsorted(times, grid, side="right").clip(1, len(times)) - 1
    inside = (grid >= times[0]) & (grid <= times[-1]) & (times[after] - times[before] <= longest)
    result[inside] = np.interp(grid[inside], times, values)
    # a grid point that all but meets a frame takes its value, even beside a gap or at the ends
    for candidate in (before, after):
        hit = np.isnan(result) & (np.abs(times[candidate] - grid) <= near)
        result[hit] = values[candidate[hit]]
    return result


def _shared_rows(a: FloatArray, b: FloatArray, rate: float) -> tuple[slice, slice] | None:
    """Rows of two clocks that meet pairwise on one regular grid of this rate, or None."""
    grid_a, grid_b = (a - a[0]) * rate, (b - b[0]) * rate
    if not (_on_grid(grid_a) and _on_grid(grid_b)):
        return None
    shift = float(np.round((b[0] - a[0]) * rate))
    if abs((b[0] - a[0]) * rate - shift) > TOLERANCE:
        return None
    first_a, first_b = max(0, int(shift)), max(0, -int(shift))
    count = min(len(a) - first_a, len(b) - first_b)
    # the grids may drift apart although each is within the tolerance of its own
    gap = np.abs(a[first_a : first_a + count] - b[first_b : first_b + count]) * rate
    if gap.max() > 2 * TOLERANCE:
        return None
    return slice(first_a, first_a + count), slice(first_b, first_b + count)


def _on_grid(frames: FloatArray) -> bool:
    return bool(np.all(np.abs(frames - np.arange(len(frames))) <= TOLERANCE))


def _rows(signals: Signals, rows: slice, time: FloatArray) -> Signals:
    """Return some rows at these times: the signals themselves where that changes nothing."""
    if np.array_equal(signals.time, time):
        return signals
    confidence = None if signals.confidence is None else signals.confidence[rows]
    return signals.replace(values=signals.values[rows], time=time, confidence=confidence)


def _read_findings(participant: Signals, model: Signals) -> tuple[Finding, ...]:
    """What was noticed when the recordings were read, with whose it is."""
    return tuple(
        replace(finding, message=f"{who}: {finding.message}")
        for who, signals in (("Participant", participant), ("Model", model))
        for finding in signals.findings
    )


def _time_findings(
    participant: Signals, model: Signals, rate: float, offset: float
) -> Iterator[Finding]:
    """Yield what time the two do not share; the participant's clock is shifted already."""
    late = float(participant.time[0] - model.time[0])
    if offset == 0 and abs(late) > _SAME_START / rate:
        who, other = ("participant", "model") if late > 0 else ("model", "participant")
        yield Finding(
            "starts-differ",
            "info",
            f"The {who}'s first frame is {abs(late):.2f} s later on its file's clock than the "
            f"{other}'s; the two clocks were taken as one.",
            "If both began at the same moment all the same, give the difference as the offset.",
        )
    shared = float(
        min(participant.time[-1], model.time[-1]) - max(participant.time[0], model.time[0])
    )
    lengths = {"participant": participant.duration, "model": model.duration}
    longest = max(lengths.values())
    if longest - shared > max(_LEFT_OVER, 2 / rate):
        whole = ", ".join(f"{who} {length:.2f} s" for who, length in lengths.items())
        yield Finding(
            "partly-shared",
            "warning" if shared < _MOST * longest else "info",
            f"Only {shared:.2f} of {longest:.2f} seconds are shared ({whole}); what lies outside "
            "is not part of any result.",
            "Check that both recordings are whole, and the offset.",
        )


def _rate_findings(participant: Signals, model: Signals, rate: float) -> tuple[Finding, ...]:
    findings = []
    rates = f"participant {participant.rate:.2f}, model {model.rate:.2f} frames a second"
    if abs(participant.rate - model.rate) > SAME_RATE * rate:
        findings.append(
            Finding(
                "frame-rates-differ",
                "info",
                f"The two recordings have different frame rates ({rates}); both were resampled "
                f"to {rate:.2f}.",
                "Nothing, if the lower rate is fast enough for the movements (25 or more is).",
            )
        )
    apart = abs(participant.rate - model.rate) / rate
    if participant.n_frames == model.n_frames >= _MANY_FRAMES and apart > _OTHER_RATE:
        findings.append(
            Finding(
                "same-number-of-frames",
                "warning",
                f"Both recordings have {model.n_frames} frames, at different rates ({rates}): one "
                f"takes {participant.duration:.2f} s and the other {model.duration:.2f} s.",
                "Check both rates: if the recordings are equally long, one rate is wrong, and time "
                "goes by too fast or too slowly there.",
            )
        )
    if rate > min(participant.rate, model.rate) * (1 + SAME_RATE):
        findings.append(
            Finding(
                "upsampled",
                "warning",
                f"The analysis runs at {rate:.2f} frames a second, more than was recorded "
                f"({rates}); the values in between are straight lines.",
                "Leave `fps` out to use the lower of the two rates.",
            )
        )
    return tuple(findings)


def _check_parameters(fps: float | None, max_gap: float, offset: float) -> None:
    if fps is not None and not (np.isfinite(fps) and fps > 0):
        raise ParameterError(
            "The frame rate makes no sense.", expected="fps above 0", got=f"fps={fps}"
        )
    if not (np.isfinite(max_gap) and max_gap >= 0):
        raise ParameterError(
            "The longest gap to bridge makes no sense.",
            expected="max_gap in seconds, 0 or more",
            got=f"max_gap={max_gap}",
        )
    if not np.isfinite(offset):
        raise ParameterError(
            "The offset makes no sense.", expected="seconds", got=f"offset={offset}"
        )


def _check_rate(fps: float | None, participant: Signals, model: Signals) -> None:
    """Refuse a grid finer than any recording of people, on which all would be straight lines."""
    most = np.nanmax([FASTEST, participant.rate, model.rate])
    if fps is not None and fps > most * (1 + SAME_RATE):
        raise ParameterError(
            "The frame rate makes no sense.",
            expected=f"fps up to {most:g}",
            got=f"fps={fps:g}",
            todo="Leave `fps` out to use the lower of the two rates.",
        )


def _span(signals: Signals) -> str:
    return f"{signals.time[0]:.2f} to {signals.time[-1]:.2f} s"
