"""Presentation times as stored in a file, made strictly increasing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bitbox.findings import Finding

#: Backward steps in time up to this many seconds are jitter; longer ones are a clock set back.
_JITTER = 1.0
_TICK = 1e-5
#: Without a frame for longer than this, in seconds and in frame intervals, the picture stalls.
_STALL, _STALL_FRAMES = 0.5, 3


class FrameClock:
    """Turns stored presentation times into strictly increasing ones, and remembers how."""

    def __init__(self, fps: float) -> None:
        self._step = 1 / fps if fps > 0 else 1 / 30
        self._last = -math.inf
        self._shift = 0.0
        self._absent = self._nudged = self._rebased = 0
        self._stalls: list[tuple[float, float]] = []

    @property
    def end(self) -> float:
        """When the last frame ends, in seconds."""
        return self._last + self._step

    def next(self, stored: float | None) -> float:
        """Return the time of the next frame, given the stored one."""
        if stored is None:
            self._absent += 1
            time = 0.0 if self._last == -math.inf else self._last + self._step
        else:
            time = stored + self._shift
            if time <= self._last - _JITTER:
                self._rebased += 1
                self._shift += self._last + self._step - time
                time = self._last + self._step
            elif time <= self._last:
                self._nudged += 1
                time = self._last + _TICK
        if time - self._last > max(_STALL, _STALL_FRAMES * self._step) and self._last > -math.inf:
            self._stalls.append((self._last, time))
        self._last = time
        return time

    def findings(self) -> Iterator[Finding]:
        """Yield what was odd about the times."""
        if self._stalls:
            longest = max(stop - start for start, stop in self._stalls)
            yield Finding(
                "stalled-video",
                "warning",
                f"There is no frame for up to {longest:.2f} s ({len(self._stalls)} stalls of more "
                f"than {_STALL} s, first at {self._stalls[0][0]:.2f} s).",
                "What lies between is missing in every result; look there for a pause.",
            )
        if self._absent:
            yield Finding(
                "missing-times",
                "warning",
                f"{self._absent} frames carry no presentation time; they were placed one frame "
                f"interval ({self._step:.4f} s) after the one before.",
                "Export the video to MP4 with timestamps if latencies matter.",
            )
        if self._nudged:
            yield Finding(
                "repeated-times",
                "warning",
                f"{self._nudged} frames have a time that is not after the one before; they were "
                "moved to just after it, and none was dropped.",
                "Check how the video was recorded or converted.",
            )
        if self._rebased:
            yield Finding(
                "clock-set-back",
                "warning",
                f"The clock of the recording is set back {self._rebased} times; what follows was "
                "joined on one frame interval later.",
                "Recordings that were glued together have no common clock: analyse them apart.",
            )
