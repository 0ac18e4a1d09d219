"""What is odd about the pictures of a file, and about where its clock starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bitbox.findings import Finding
from bitbox.video.opening import VideoInfo

#: A clock that shows less than this at the start of the file is at 0, in seconds.
_CLOCK_AT_ZERO = 0.1


class Oddities:
    """Notes what is odd about frames, one after the other.

    Parameters
    ----------
    name : str
        What the file is called.
    info : VideoInfo
        About the file.
    first : av.VideoFrame
        Its first frame.
    """

    def __init__(self, name: str, info: VideoInfo, first: Any) -> None:
        self._name, self._info = name, info
        self._resized = 0
        self._interlaced = 0
        self._odd_angle = round(float(first.rotation)) % 90 != 0

    def look(self, raw: Any) -> None:
        """Look at the next frame as it was decoded."""
        coded = self._info.coded_width, self._info.coded_height
        self._resized += (raw.width, raw.height) != coded
        self._interlaced += bool(raw.interlaced_frame)

    def findings(self) -> Iterator[Finding]:
        """Return what was odd in the frames so far."""
        if self._interlaced:
            yield Finding(
                "interlaced-video",
                "info",
                f"{self._interlaced} frames of {self._name} are interlaced; the first field "
                "of each was used, with half the vertical detail.",
                "Record progressively (25p or 30p rather than 50i or 60i) where you can.",
            )
        if self._resized:
            yield Finding(
                "size-changes",
                "warning",
                f"The picture of {self._name} changes its size; {self._resized} frames were "
                "scaled to the size of the first.",
                "Check that the picture keeps its shape; record with a fixed resolution.",
            )
        if self._odd_angle:
            yield Finding(
                "odd-rotation",
                "warning",
                f"{self._name} asks to be turned by an angle that is no multiple of 90 "
                f"degrees; it was turned by {self._info.rotation}.",
                "Export the video with its rotation applied.",
            )
        start = float(self._info.clock_start)
        if abs(start) > _CLOCK_AT_ZERO:
            yield Finding(
                "clock-start",
                "info",
                f"The clock of {self._name} shows {start:.3f} s at the start of the file; "
                "times are counted from there.",
                "Where both recordings were made by one clock, give the difference of their "
                "starts as the offset.",
            )
