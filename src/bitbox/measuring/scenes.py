"""Where a film is cut: one picture is far more unlike the one before than its neighbours are.

A camera that swings changes as much of the picture from frame to frame as a cut does, but in all
frames. So what counts is not how large a change is but that it stands alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]

_CHANGE = 15.0  # mean absolute grey difference (of 255) that every cut makes
_TIMES = 2.0  # as much as in the frames around it
_AROUND = 3  # frames before and after


class Scenes:
    """Goes through the pictures of a video, one after the other."""

    def __init__(self) -> None:
        self._before: FloatArray | None = None
        self._times: list[float] = []
        self._changes: list[float] = []

    def may_be_new(self, picture: Picture, time: float) -> bool:
        """Tell whether the film may have been cut just before this picture.

        What comes after is not known yet: it may also be a camera that starts to move at once.
        """
        now = picture.spots().astype(np.float64)
        change = 0.0 if self._before is None else float(np.abs(now - self._before).mean())
        before = self._changes[-_AROUND:]
        self._before = now
        self._times.append(time)
        self._changes.append(change)
        return change > _CHANGE and change > _TIMES * max(before)

    def cuts(self) -> list[float]:
        """Return the times of the first pictures after cuts, in seconds."""
        found = []
        for number, (time, change) in enumerate(zip(self._times, self._changes, strict=True)):
            around = self._changes[max(0, number - _AROUND) : number + _AROUND + 1]
            around.remove(change)
            if change > _CHANGE and change > _TIMES * max(around):
                found.append(time)
        return found
