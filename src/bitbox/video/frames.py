"""Video files: every frame once, upright, with square pixels, at its true time.

Phones record at a variable rate and store the picture turned by 90 degrees; camcorders store
interlaced fields and pixels that are not square; recordings start late or break off. All of that
is settled here, so that everything downstream sees plain RGB images and seconds.

Rules
-----
- One decoded frame is one `Frame`, hence one row of every signal. Nothing is dropped or repeated.
- Times are the presentation times stored in the container, counted from the start of the file: the
  start of its earliest track. What the container's clock shows there means nothing to another file
  (0 in most, 1.4 s in an MPEG transport stream, the time of day in others), and a finding tells it
  where it is not 0. A picture that sets in later than the sound keeps this offset.
- Times that do not increase are moved by the least that makes them increase, and a finding says so.
- Rotation and mirroring of the display matrix are applied; angles other than multiples of 90
  degrees are rounded to one.
- Pixels that are not square are resampled along the axis that has too few, so nothing is lost.
- Interlaced frames keep their first (top) field, the other lines interpolated: one image of one
  moment, without combing.
- A frame whose size differs from the first is scaled to the first one's.
- What a damaged or truncated file still holds is decoded, and a finding tells how much is missing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from bitbox.errors import VideoError
from bitbox.findings import Finding
from bitbox.video.clock import FrameClock
from bitbox.video.decoding import Decoding
from bitbox.video.oddities import Oddities
from bitbox.video.opening import VideoInfo, describe_file, open_video, stored_time, video_info
from bitbox.video.picture import Image, Picture, frame_picture
from bitbox.video.repeats import Repeats

__all__ = [
    "Frame",
    "FrameReader",
    "frames_at",
    "probe",
    "read_frames",
]

#: Two presentation times closer than this are the same, in seconds.
_TIME_ROUNDING = 1e-6
#: Seconds in floating point miss the stored tick by less than this share of one.
_TICK_ROUNDING = Fraction(1, 1000)
#: Containers that say where a time is to be found.
_INDEXED = {"mov", "matroska", "avi"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame.

    Parameters
    ----------
    index : int
        Number of the frame, from 0, in presentation order.
    time : float
        Presentation time in seconds from the start of the file; strictly increasing.
    picture : Picture
        The upright picture with square pixels; it is converted as far as it is looked at.
    damaged : bool
        Whether the decoder had to guess parts of the image.

    Examples
    --------
    >>> from bitbox.video import read_frames
    >>> frame = next(read_frames('participant.mp4'))
    >>> frame.index, frame.time, frame.image.shape
    (0, 0.0, (180, 320, 3))
    """

    index: int
    time: float
    picture: Picture
    damaged: bool = False

    @property
    def image(self) -> Image:
        """The whole as an upright RGB image, shape (height, width, 3), C-contiguous."""
        return self.picture.image

    def crop(self, centre: Sequence[float], side: float, angle: float, size: int) -> Image:
        """Return a tilted square of the picture as an upright image, see `Picture.crop`."""
        return self.picture.crop(centre, side, angle, size)


def probe(path: str | os.PathLike[str]) -> VideoInfo:
    """Describe a video file; its first frame is decoded to be sure that it can be.

    Parameters
    ----------
    path : path-like
        A video file.

    Returns
    -------
    VideoInfo

    Raises
    ------
    VideoError
        If there is no such file, it is not a video, or not one frame can be decoded.

    Examples
    --------
    >>> from bitbox.video import probe
    >>> round(probe('participant.mp4').fps)
    30
    """
    with read_frames(path) as frames:
        return frames.info


def read_frames(path: str | os.PathLike[str]) -> FrameReader:
    """Iterate over all frames of a video.

    Parameters
    ----------
    path : path-like
        A video file.

    Returns
    -------
    FrameReader
        An iterator of `Frame`, also usable in a ``with`` statement. It closes the file at the
        end, on an error, or when it is closed or collected. After the last frame, `findings` is
        complete.

    Raises
    ------
    VideoError
        If there is no such file, it is not a video, or not one frame can be decoded.

    Examples
    --------
    >>> from bitbox.video import read_frames
    >>> with read_frames('participant.mp4') as frames:
    ...     times = [frame.time for frame in frames]
    >>> len(times)
    150
    """
    return FrameReader(path)


def frames_at(path: str | os.PathLike[str], times: Sequence[float]) -> list[Image]:
    """Return the images at a few times, decoding no more than that takes.

    Parameters
    ----------
    path : path-like
        A video file.
    times : sequence of float
        Presentation times in seconds, as `read_frames` gave them.

    Returns
    -------
    list of ndarray
        For each time the first frame that is not earlier; the last frame of the file where
        there is none.

    Raises
    ------
    VideoError
        If the file cannot be decoded.

    Examples
    --------
    >>> from bitbox.video import frames_at
    >>> first, later = frames_at('participant.mp4', [0.0, 1.0])
    >>> later.shape
    (180, 320, 3)
    """
    wanted = [float(time) for time in times]
    with read_frames(path) as frames:
        found = {time: frames.image_at(time) for time in sorted(wanted)}
    missing = [time for time, image in found.items() if image is None]
    if missing:
        found |= _by_decoding(path, missing)
    return [image for image in map(found.get, wanted) if image is not None]


def _by_decoding(path: str | os.PathLike[str], times: Sequence[float]) -> dict[float, Image]:
    """Return the images at increasing times by going through the file from its beginning."""
    images: dict[float, Image] = {}
    left = list(times)
    with read_frames(path) as frames:
        for frame in frames:
            while left and frame.time >= left[0] - _TIME_ROUNDING:
                images[left.pop(0)] = frame.image
            if not left:
                return images
    return images | dict.fromkeys(left, frame.image)


class FrameReader(Iterator[Frame]):
    """Iterator over the frames of a video; made by `read_frames`.

    Attributes
    ----------
    info : VideoInfo
        What the file says about itself.
    n_read : int
        Frames delivered so far.

    Examples
    --------
    >>> from bitbox.video import read_frames
    >>> with read_frames('participant.mp4') as frames:
    ...     first = next(frames)
    >>> frames.n_read
    1
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._container, self._stream = open_video(self._path)
        try:
            self._decoding = Decoding()
            self._damaged_frames = 0
            self._frames = self._decoding.frames(self._container, self._stream)
            first = next(self._frames, None)
            if first is None:
                raise VideoError(
                    f"Not one frame of {self._path.name} can be decoded.",
                    expected="a playable video",
                    got=describe_file(self._path),
                    todo="Play the file in a video player; record or export it again.",
                )
            self._first: Any = first
            self.info = video_info(self._path, self._container, self._stream, first)
        except BaseException:
            self.close()
            raise
        self.n_read = 0
        self._clock = FrameClock(self.info.fps)
        self._repeats = Repeats()
        self._oddities = Oddities(self._path.name, self.info, first)
        self._done = False

    def __next__(self) -> Frame:
        """Return the next frame."""
        if self._first is not None:
            raw, self._first = self._first, None
        else:
            raw = next(self._frames, None)
        if raw is None:
            self._done = True
            self.close()
            raise StopIteration
        self._oddities.look(raw)
        picture = frame_picture(raw, self.info)
        stored = stored_time(raw)
        time = self._clock.next(None if stored is None else float(stored - self.info.clock_start))
        self._repeats.look(raw, time)
        self._damaged_frames += bool(raw.is_corrupt)
        frame = Frame(self.n_read, time, picture, bool(raw.is_corrupt))
        self.n_read += 1
        return frame

    def image_at(self, time: float) -> Image | None:
        """Return the image of the frame that has this time, None where only decoding all can tell.

        That is so in files without an index, which can only be searched by guessing; where there is
        no such frame; and where times were mended, which depends on all frames before.

        Examples
        --------
        >>> from bitbox.video import read_frames
        >>> with read_frames('participant.mp4') as frames:
        ...     image = frames.image_at(1.0)
        >>> image.shape
        (180, 320, 3)
        """
        if not set(self._container.format.name.split(",")) & _INDEXED or not self._seek(time):
            return None
        for frame in self:
            if frame.time >= time - _TIME_ROUNDING:
                is_it = frame.time <= time + _TIME_ROUNDING and not frame.damaged
                return frame.image if is_it else None
        return None

    def key_frame(self, time: float) -> Frame | None:
        """Return the last key frame that is not after this time: no other must be decoded for it.

        None where that cannot be told, as in `image_at`, or where it is damaged. What is read next
        is what follows it.
        """
        if not set(self._container.format.name.split(",")) & _INDEXED or not self._seek(time):
            return None
        frame = next(self, None)
        return None if frame is None or frame.damaged else frame

    def _seek(self, seconds: float) -> bool:
        """Go on at the last key frame that is not after a time; frames are counted anew."""
        import av

        if self._done:
            return False
        stored = Fraction(seconds) + self.info.clock_start
        offset = math.floor(stored / self._stream.time_base + _TICK_ROUNDING)
        try:
            self._container.seek(offset, stream=self._stream)
        except av.FFmpegError:
            return False
        self._first = None
        self._frames = self._decoding.frames(self._container, self._stream)
        self._clock = FrameClock(self.info.fps)
        self.n_read = 0
        return True

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_container"):
            self.close()

    def close(self) -> None:
        """Close the file; iteration ends.

        Examples
        --------
        >>> from bitbox.video import read_frames
        >>> frames = read_frames('participant.mp4')
        >>> frames.close()
        """
        self._frames = iter(())
        self._first = None
        self._container.close()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was odd about the file; complete once the last frame was read."""
        return (
            *self._oddities.findings(),
            *self._clock.findings(),
            *(self._repeats.findings(self._path.name) if self._done else ()),
            *self._damage_findings(),
        )

    def _damage_findings(self) -> Iterator[Finding]:
        if self._decoding.damaged or self._damaged_frames:
            yield Finding(
                "damaged-video",
                "warning",
                f"{self._path.name} is damaged (pieces that could not be decoded: "
                f"{self._decoding.damaged}; frames partly guessed by the decoder: "
                f"{self._damaged_frames}).",
                "Copy the file again from the camera, or check these frames by eye.",
            )
        missing = self._missing_seconds() if self._done else 0.0
        if missing > 0:
            have = self._clock.end - self.info.start_time
            yield Finding(
                "truncated-video",
                "warning",
                f"{self._path.name} breaks off: it declares {self.info.duration:.2f} s, but its "
                f"{self.n_read} frames cover {have:.2f} s ({missing:.2f} s are missing).",
                "Copy or record the file again; what is missing is not part of any result.",
            )

    def _missing_seconds(self) -> float:
        """Return how much of the declared duration has no frames, 0 if that is within tolerance."""
        info = self.info
        short = info.n_frames is not None and self.n_read < info.n_frames
        if info.duration is None or (info.n_frames and not short and not self._decoding.damaged):
            return 0.0
        missing = info.start_time + info.duration - self._clock.end
        # An edit list hides frames on purpose: then the duration is short as well. And where frames
        # are not counted, the last one's own duration may be longer than the average.
        step = 1 / info.fps if info.fps > 0 else 0.1
        grace = 0.95 * step if short or self._decoding.damaged else max(2.5 * step, 0.25)
        return missing if missing > grace else 0.0
