"""The sound of a file, decoded in pieces, each at its true time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import VideoError
from bitbox.files import require_file
from bitbox.system.extras import need
from bitbox.video.decoding import Decoding
from bitbox.video.opening import CONTAINERS

#: What holds sound alone, besides the containers of video.
_SOUND_ONLY = ("wav", "flac", "mp3", "aac", "aiff", "caf", "w64")
#: Seconds between where a piece of sound ought to be and where its time puts it: a gap.
_GAP = 0.02
_PIECE = 1 << 16

Samples = NDArray[np.float32]


class SoundReader:
    """Reads the first sound track of a file, as one channel at a rate of one's choice.

    Iterating gives pairs of a time in seconds and samples. Times count from the start of the file,
    as those of its picture do. Where the track has a gap the next piece begins after it.

    Parameters
    ----------
    path : Path
        A video, or a file of sound alone.
    rate : int
        Samples a second.

    Raises
    ------
    VideoError
        The file cannot be opened, or has no sound.
    """

    def __init__(self, path: Path, rate: int) -> None:
        need("Reading sound", "av")
        import av

        if require_file(path, "one recording", error=VideoError).st_size == 0:
            raise VideoError(
                f"{path.name} is empty (0 bytes).", todo="Copy or record the file again."
            )
        logging.getLogger("libav").setLevel(logging.CRITICAL)
        whitelist = ",".join((*CONTAINERS, *_SOUND_ONLY))
        try:
            self._container: Any = av.open(
                f"file:{path.absolute()}",
                options={"format_whitelist": whitelist, "protocol_whitelist": "file"},
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise VideoError(
                f"{path.name} cannot be opened.",
                expected="a video, or sound such as WAV or M4A",
                todo="Play the file in a video player; record or export it again.",
            ) from error
        if not self._container.streams.audio:
            self._container.close()
            raise VideoError(
                f"{path.name} has no sound.",
                expected="a file with a sound track",
                todo="Find the offset another way: a flash that both cameras saw, or by eye.",
            )
        self._stream = self._container.streams.audio[0]
        self._rate = rate
        starts = [
            Fraction(s.start_time) * s.time_base
            for s in self._container.streams
            if s.start_time is not None and s.type in ("audio", "video")
        ]
        self._start = float(min(starts, default=Fraction(0)))

    def __iter__(self) -> Iterator[tuple[float, Samples]]:
        import av

        mono: Any = None
        first = 0.0
        held: list[Samples] = []
        length, seconds = 0, 0.0  # of `held` in samples, and of input since `first`
        for frame in Decoding().frames(self._container, self._stream):
            time = None if frame.time is None else float(frame.time) - self._start
            expected = first + seconds
            if mono is None or (time is not None and abs(time - expected) > _GAP):
                if mono is not None:
                    held += _channel(mono.resample(None))
                    yield from _piece(first, held)
                mono = av.AudioResampler(format="flt", layout="mono", rate=self._rate)
                first, held, seconds = (expected if time is None else time), [], 0.0
                length = 0
            seconds += frame.samples / frame.sample_rate
            frame.pts = None
            heard = _channel(mono.resample(frame))
            held += heard
            length += sum(map(len, heard))
            if length >= _PIECE:
                # what has come out is whole; the next piece goes on where this one ends
                yield from _piece(first, held)
                first, held = first + length / self._rate, []
                seconds -= length / self._rate
                length = 0
        if mono is not None:
            held += _channel(mono.resample(None))
            yield from _piece(first, held)

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    @property
    def duration(self) -> float | None:
        """Declared seconds; None where the file does not say."""
        import av

        duration = self._container.duration
        return None if duration is None else duration / av.time_base


def _channel(frames: list[Any]) -> list[Samples]:
    return [frame.to_ndarray()[0] for frame in frames]


def _piece(time: float, held: list[Samples]) -> Iterator[tuple[float, Samples]]:
    if held:
        yield time, np.concatenate(held)
