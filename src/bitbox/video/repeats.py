"""Pictures that come more than once: a film that has fewer of them than frames, or stands still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.findings import Finding

#: Every so many lines are compared.
_LINES = 4
#: Neighbouring frames on each side that one is compared with: repeats of up to six are known.
_REACH = 5
#: A repeat changes the picture less than this share of what new pictures around it do. It does so
#: a little, since films are compressed anew.
_SHARE = 0.55
#: Share of repeats from which on it is no chance.
_MANY = 0.33
#: Grey levels, averaged over the picture, under which nothing changes; and for how many seconds.
_STILL, _LONG = 0.01, 1.0


class Repeats:
    """Watches the frames of a film, and remembers by how much each differs from the one before."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._changes: list[float] = []
        self._times: list[float] = []

    def look(self, raw: Any, time: float) -> None:
        """Take note of the next decoded frame."""
        plane = raw.planes[0]
        lines = np.frombuffer(plane, np.uint8)[: plane.height * abs(plane.line_size)]
        lines = lines.reshape(plane.height, -1)[::_LINES].copy()
        self._changes.append(_change(self._last, lines))
        self._times.append(time)
        self._last = lines

    def share(self) -> float:
        """Return the share of frames that repeat the picture before."""
        changes = np.array(self._changes[1:])
        if len(changes) <= 4 * _REACH:
            return 0.0
        around = np.lib.stride_tricks.sliding_window_view(changes, 2 * _REACH + 1)
        least = np.minimum(around[:, :_REACH].max(axis=1), around[:, _REACH + 1 :].max(axis=1))
        here = around[:, _REACH]
        moving = least > _STILL
        return float((here[moving] < _SHARE * least[moving]).mean()) if moving.any() else 0.0

    def stalls(self) -> list[tuple[float, float]]:
        """Return from when to when the picture does not change at all."""
        still = np.r_[False, np.array(self._changes[1:]) < _STILL, False]
        first = np.flatnonzero(still[1:] & ~still[:-1])
        last = np.flatnonzero(still[:-1] & ~still[1:])
        spans = [(self._times[a], self._times[b]) for a, b in zip(first, last, strict=True)]
        return [(start, stop) for start, stop in spans if stop - start >= _LONG]

    def findings(self, name: str) -> Iterator[Finding]:
        """Yield what is to be said about a film of this name."""
        share = self.share()
        if share > _MANY:
            span = self._times[-1] - self._times[0]
            rate = (1 - share) * (len(self._times) - 1) / span
            yield Finding(
                "repeated-pictures",
                "warning",
                f"{100 * share:.0f} % of the frames of {name} repeat the picture before: there are "
                f"about {rate:.0f} new ones a second, and movements are known no better than that.",
                "Use the recording as the camera made it, or give this rate as fps.",
            )
        stalls = self.stalls()
        if stalls:
            longest = max(stop - start for start, stop in stalls)
            yield Finding(
                "picture-stands-still",
                "warning",
                f"The picture of {name} does not change at all for up to {longest:.1f} s "
                f"({len(stalls)} times for 1 s or more, first at {stalls[0][0]:.2f} s).",
                "Look there: a frozen call shows a face that does not move, which is no stillness.",
            )


def _change(before: NDArray[np.uint8] | None, now: NDArray[np.uint8]) -> float:
    if before is None or before.shape != now.shape:
        return float("inf")
    difference = np.maximum(before, now) - np.minimum(before, now)
    return float(difference.mean(dtype=np.float64))
