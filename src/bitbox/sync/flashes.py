"""Flashes, or a lamp switched on, that two cameras saw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.progress import Progress
from bitbox.sync.matching import Match

FloatArray = NDArray[np.float64]

#: A step in brightness of the whole picture below this share is no flash.
_LEAST_STEP = 0.04
#: Seconds within which steps are one flash, and around an offset within which another is the same.
_ONE, _SAME = 0.15, 0.3
#: With more flashes than this nothing is one.
_MOST = 300


@dataclass(frozen=True)
class Flashes:
    """When the picture became brighter at once.

    Attributes
    ----------
    times : (n,) array
        Seconds: between the last darker picture and the first brighter one.
    frame : float
        Seconds from one picture to the next.
    first, last : float
        Seconds of the first and the last picture.
    """

    times: FloatArray
    frame: float
    first: float
    last: float


def flashes_in(path: Path, progress: Progress | None = None) -> Flashes:
    """Return the flashes of a video.

    Raises
    ------
    VideoError
        The video cannot be decoded.
    """
    from bitbox.video import read_frames

    times, light = [], []
    with read_frames(path) as frames:
        total = frames.info.n_frames
        for number, frame in enumerate(frames):
            times.append(frame.time)
            light.append(float(frame.image[::8, ::8].mean()))
            if progress is not None and number % 25 == 0:
                progress(f"Looking for flashes in {path.name}", number, total)
    return flashes_of(np.array(times), np.array(light))


def flashes_of(times: FloatArray, light: FloatArray) -> Flashes:
    """Return the flashes in pictures of known times and brightness (0 or more), (T,) each."""
    if len(times) < 2:
        return Flashes(np.empty(0), float("nan"), float("nan"), float("nan"))
    step = np.diff(np.log(light + 2.0))
    found: list[int] = []
    for k in np.flatnonzero(step > _LEAST_STEP):
        if found and times[k] - times[found[-1]] < _ONE:
            found[-1] = int(k) if step[k] > step[found[-1]] else found[-1]
        else:
            found.append(int(k))
    at = np.array(found, dtype=int)
    middle = (times[at] + times[at + 1]) / 2
    return Flashes(middle, float(np.median(np.diff(times))), float(times[0]), float(times[-1]))


def match_flashes(one: Flashes, other: Flashes) -> Match | None:
    """Return the offset at which most flashes are the same; None where one has none, or too many.

    The score is how many are, to within a picture; the rival that of the next best offset.
    """
    if not (0 < len(one.times) <= _MOST and 0 < len(other.times) <= _MOST):
        return None
    near = (one.frame + other.frame) / 2 * 1.05
    apart = np.sort((other.times[None, :] - one.times[:, None]).ravel())
    counts = np.array([_pairs(one, other, lag, near)[0].size for lag in apart], dtype=float)
    best = float(np.median(apart[counts == counts.max()]))
    first, second = _pairs(one, other, best, near)
    if not len(first):  # several offsets are as good as each other
        best = float(apart[int(np.argmax(counts))])
        first, second = _pairs(one, other, best, near)
    lag = float(np.mean(second - first))
    away = np.abs(apart - lag) > _SAME
    error = np.hypot(one.frame, other.frame) / np.sqrt(12 * len(first))
    begin, end = max(one.first, other.first - lag), min(one.last, other.last - lag)
    rival = float(counts[away].max()) if away.any() else 0.0
    score = float(len(first))
    return Match(
        lag, 0.0, (begin + end) / 2, (begin, end), float(error), 0.0, score, rival, score,
        apart, counts,
    )  # fmt: skip


def _pairs(one: Flashes, other: Flashes, lag: float, near: float) -> tuple[FloatArray, FloatArray]:
    """Return the flashes of both that are the same at an offset."""
    at = np.searchsorted(other.times, one.times + lag)
    before, after = np.clip(at - 1, 0, None), np.clip(at, None, len(other.times) - 1)
    away = [np.abs(other.times[k] - one.times - lag) for k in (before, after)]
    nearest = np.where(away[0] <= away[1], before, after)
    same = np.minimum(*away) <= near
    return one.times[same], other.times[nearest[same]]
