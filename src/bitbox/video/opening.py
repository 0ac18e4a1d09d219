"""Opening a video file: what it says about itself, or in plain words why it is of no use."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from bitbox.errors import VideoError
from bitbox.files import require_file
from bitbox.system.cores import is_core_left
from bitbox.system.extras import need

#: The containers that are opened, as FFmpeg names them. Each holds what it shows: lists of other
#: files, patterns for names, devices and scripts, which FFmpeg would open as well, are left out.
CONTAINERS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "asf", "flv", "ogg", "mxf"),
    *("dv", "gxf", "nut", "ivf", "rm", "wtv", "nsv", "lxf", "dhav", "gif", "yuv4mpegpipe"),
    *("h261", "h263", "h264", "hevc", "vvc", "av1", "obu", "m4v", "mpegvideo", "mjpeg", "vc1"),
)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video file says about itself.

    Parameters
    ----------
    path : Path
        The file.
    width, height : int
        Size in pixels as delivered by `read_frames`: upright, with square pixels.
    fps : float
        Average frame rate; NaN where the file does not say. Never used to make up times.
    n_frames : int or None
        Frames declared by the container, None where it does not say. A claim, not a count.
    duration : float or None
        Declared duration of the picture in seconds.
    start_time : float
        Time of the first frame in seconds, counted from the start of the file: 0 unless the picture
        sets in later than the sound.
    clock_start : Fraction
        What the container's own clock shows at the start of the file, in seconds: the time of
        its earliest track.
    rotation : int
        Degrees (0, 90, 180, 270) the stored picture is turned clockwise to be upright.
    mirrored : bool
        Whether the display matrix mirrors the picture.
    codec, pixel_format : str
        As FFmpeg names them, such as ``"h264"`` and ``"yuv420p"``.
    pixel_aspect : float
        Width over height of one stored pixel.
    coded_width, coded_height : int
        Size in pixels as stored.
    interlaced : bool
        Whether the first frame is made of two fields.
    has_audio : bool
        Whether there is a sound track.

    Examples
    --------
    >>> from bitbox.video import probe
    >>> info = probe('participant.mp4')
    >>> info.width, info.height
    (320, 180)
    """

    path: Path
    width: int
    height: int
    fps: float
    n_frames: int | None
    duration: float | None
    start_time: float
    clock_start: Fraction
    rotation: int
    mirrored: bool
    codec: str
    pixel_format: str
    pixel_aspect: float
    coded_width: int
    coded_height: int
    interlaced: bool
    has_audio: bool


def open_video(path: Path) -> tuple[Any, Any]:
    """Open a file and choose its picture track."""
    need("Reading video", "av", "cv2")
    import av

    if require_file(path, "one video file", error=VideoError).st_size == 0:
        raise VideoError(f"{path.name} is empty (0 bytes).", todo="Copy or record the file again.")
    logging.getLogger("libav").setLevel(logging.CRITICAL)  # our findings say it in words
    try:
        container = av.open(
            f"file:{path.absolute()}",
            options={"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "file"},
            **_text_options(av.__version__),
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{path.name} cannot be opened as a video.",
            expected="a video file such as MP4, MOV, MKV, WebM or AVI",
            got=describe_file(path),
            todo="Play the file in a video player; record or export it again.",
        ) from error
    stream = _picture_track(container)
    if stream is None:
        kinds = sorted({stream.type for stream in container.streams} - {"video"})
        container.close()
        raise VideoError(
            f"{path.name} has no video track.",
            expected="a file with moving pictures",
            got=f"only {' and '.join(kinds)}" if kinds else describe_file(path),
        )
    # threads hand over to each other: in all they take half as long again as one alone
    stream.thread_type = "AUTO" if is_core_left() else "NONE"
    return container, stream


def _text_options(pyav: str) -> dict[str, str]:
    """Return what lets tags that are no UTF-8 pass: PyAV 19 does so itself and has no option."""
    return {"metadata_errors": "ignore"} if int(pyav.split(".")[0]) < 19 else {}


def _picture_track(container: Any) -> Any:
    """Return the largest picture track, or None. Cover art does not count."""
    from av.stream import Disposition

    tracks = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic and stream.codec_context is not None
    ]
    return max(tracks, key=lambda s: s.width * s.height, default=None)


_LISTS = (b"ffconcat", b"#extm3u", b"[playlist]", b"[reference]", b"<asx")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")


def describe_file(path: Path) -> str:
    """Say in a few words what a file that is no good video seems to be."""
    with open(path, "rb") as file:
        head = file.read(4096)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"):
        if b"moov" not in _boxes(path):
            return (
                "a recording that was never finished (its index, the 'moov' part, is missing: the "
                "camera stopped or the copy broke off)"
            )
        return "a damaged MP4 or MOV file"
    if head.lstrip().lower().startswith(_LISTS):
        return "a list that names other files (name the video itself)"
    if not any(byte < 9 or 13 < byte < 32 for byte in head):
        return "a text file"
    if head.startswith(_PICTURES):
        return "a single picture"
    return f"{path.stat().st_size} bytes that are no known video format, or damaged"


def _boxes(path: Path) -> set[bytes]:
    """Return the names of the top-level boxes of an MP4 file that are there in full or in part."""
    names: set[bytes] = set()
    size = path.stat().st_size
    position = 0
    with open(path, "rb") as file:
        while position + 8 <= size:
            file.seek(position)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            names.add(head[4:8])
            if length < 8:
                break
            position += length
    return names


def video_info(path: Path, container: Any, stream: Any, first: Any) -> VideoInfo:
    """Describe an open file, given its first decoded frame."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    aspect = aspect if aspect > 0 else Fraction(1)
    width, height = first.width, first.height
    if aspect > 1:
        width = round(width * aspect)
    elif aspect < 1:
        height = round(height / aspect)
    rotation, mirrored = _orientation(first)
    if rotation in (90, 270):
        width, height = height, width
    start = stored_time(first) or Fraction(0)
    clock_start = _clock_start(container, start)
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        fps=_rate(stream),
        n_frames=stream.frames or None,
        duration=_duration(container, stream, float(start)),
        start_time=float(start - clock_start),
        clock_start=clock_start,
        rotation=rotation,
        mirrored=mirrored,
        codec=stream.codec_context.name,
        pixel_format=first.format.name,
        pixel_aspect=float(aspect),
        coded_width=first.width,
        coded_height=first.height,
        interlaced=bool(first.interlaced_frame),
        has_audio=bool(container.streams.audio),
    )


def stored_time(frame: Any) -> Fraction | None:
    """Return the presentation time of a decoded frame on the container's clock, in seconds."""
    return None if frame.pts is None else Fraction(frame.pts * frame.time_base)


def _clock_start(container: Any, first: Fraction) -> Fraction:
    """Return the time of the earliest of all tracks of picture and sound, and the first frame."""
    from av.stream import Disposition

    starts = [
        stream.start_time * Fraction(stream.time_base)
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.start_time is not None and not stream.disposition & Disposition.attached_pic
    ]
    earliest: Fraction = min([first, *starts])
    return earliest


def _duration(container: Any, stream: Any, start: float) -> float | None:
    """Return the declared duration of the picture, None where only that of the whole is known.

    `start` is the time of the first frame on the container's clock.
    """
    if "matroska" in container.format.name:
        # Counted from time zero, not from the first frame; and FFmpeg gives every track the
        # length of the longest, so that with several tracks only the picture's own tag counts.
        clock = str(stream.metadata.get("DURATION", "")).split(":")
        try:
            hours, minutes, seconds = (float(part) for part in clock)
            return 3600 * hours + 60 * minutes + seconds - start
        except ValueError:
            pass
        if container.duration is not None and len(container.streams) == 1:
            return float(container.duration / 1e6) - start
        return None
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return float(container.duration / 1e6)
    return None


def _rate(stream: Any) -> float:
    """Return the average frame rate, NaN where the file does not say."""
    # A start offset can mislead FFmpeg's average: then its guess is right.
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return float(rate)
    return math.nan


def _orientation(frame: Any) -> tuple[int, bool]:
    """Return (clockwise turn after mirroring left-right, mirrored) from the display matrix."""
    from av.sidedata.sidedata import Type

    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return round(-float(frame.rotation) / 90) * 90 % 360, False
    # Row vectors: (x, y) -> (a x + c y, b x + d y), y pointing down.
    a, b, _, c, d = (float(v) for v in np.frombuffer(bytes(data), dtype=np.int32)[:5])
    mirrored = a * d - b * c < 0
    if mirrored:  # mirroring first flips the sign of x, hence of the first row
        a, b = -a, -b
    return round(math.degrees(math.atan2(b, a)) / 90) * 90 % 360, mirrored
