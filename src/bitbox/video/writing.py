"""Writing H.264 video that browsers play."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import OutputError, ParameterError
from bitbox.system.extras import need

Image = NDArray[np.uint8]


def write_video(
    path: str | os.PathLike[str],
    images: Iterable[Image],
    fps: float,
    *,
    times: Sequence[float] | NDArray[np.float64] | None = None,
    start: float = 0.0,
    crf: int = 18,
    preset: str = "veryfast",
    rotation: int = 0,
    mirrored: bool = False,
    pixel_aspect: Fraction | int = 1,
    pixel_format: str = "yuv420p",
    encoder_options: Mapping[str, str] | None = None,
) -> Path:
    """Write images as H.264 video that browsers and players show.

    The file is written under a temporary name and renamed when complete, so that a run that is
    stopped leaves nothing that looks finished.

    Parameters
    ----------
    path : path-like
        Where to write; the ending (.mp4, .mov, .mkv) chooses the container.
    images : iterable of ndarray of uint8, shape (height, width, 3)
        RGB images, all of one size. Odd sizes are padded by one repeated line or column where
        `pixel_format` stores colour at half resolution (as browsers need).
    fps : float
        Frame rate; with `times`, the nominal rate that the file declares.
    times : sequence of float, optional
        Presentation times in seconds, strictly increasing, one an image: variable frame rate.
    start : float, default 0
        Seconds added to all times.
    crf : int, default 18
        Quality, from 0 (lossless) over 18 (hardly visible loss) to 51 (worst).
    preset : str, default "veryfast"
        x264's trade of speed against size.
    rotation : {0, 90, 180, 270}
        Clockwise turn that players are told to apply; the images are stored as they are.
    mirrored : bool
        Whether players are told to mirror left and right, before turning.
    pixel_aspect : Fraction
        Width over height of one pixel.
    pixel_format : str
        As FFmpeg names it. Other than ``"yuv420p"`` is for tests: browsers may not play it.
    encoder_options : mapping, optional
        More options for libx264.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ParameterError
        If there is no image, they differ in size, or times are wrong in number or order.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.video import write_video
    >>> images = [np.full((48, 64, 3), 8 * k, np.uint8) for k in range(10)]
    >>> write_video('grey.mp4', images, fps=25).name
    'grey.mp4'
    """
    if not (math.isfinite(fps) and fps > 0):
        raise ParameterError("fps must be a positive number.", got=repr(fps))
    if rotation not in (0, 90, 180, 270):
        raise ParameterError("rotation must be 0, 90, 180 or 270.", got=repr(rotation))
    path = Path(path)
    options = {"crf": str(crf), "preset": preset, **(encoder_options or {})}
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=f".part{path.suffix}", dir=path.parent
        )
        os.close(descriptor)
        part = Path(name)
        try:
            with _Writer(part, fps, pixel_format, options) as writer:
                writer.orient(rotation, mirrored, Fraction(pixel_aspect))
                for image, time in _timed(images, fps, times):
                    writer.add(image, time + start)
            # mkstemp makes files private; give the result the rights any new file would have.
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"The video {path} cannot be written.",
            got=str(error),
            todo="Check that the folder exists, can be written to and has space.",
        ) from error
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _timed(
    images: Iterable[Image], fps: float, times: Sequence[float] | NDArray[np.float64] | None
) -> Iterator[tuple[Image, float]]:
    """Yield images with their times, checked as they come."""
    shape: tuple[int, ...] | None = None
    last = -math.inf
    count = 0
    for image in images:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ParameterError(
                f"Image {count} is no RGB image.",
                expected="an array (height, width, 3) of uint8",
                got=f"{image.shape} of {image.dtype}",
            )
        if shape is not None and image.shape != shape:
            raise ParameterError(
                f"Image {count} differs in size.", expected=str(shape), got=str(image.shape)
            )
        if times is not None and count >= len(times):
            raise ParameterError(f"There are more images than times ({len(times)}).")
        time = count / fps if times is None else float(times[count])
        if not (math.isfinite(time) and time > last):
            raise ParameterError(
                f"Time {count} is not after the one before.", got=f"{time} after {last}"
            )
        shape, last = image.shape, time
        yield image, time
        count += 1
    if count == 0:
        raise ParameterError("There is no image to write.")
    if times is not None and count < len(times):
        raise ParameterError(f"There are {len(times)} times, but only {count} images.")


class _Writer:
    """One H.264 file being written."""

    def __init__(self, path: Path, fps: float, pixel_format: str, options: dict[str, str]) -> None:
        need("Writing video", "av", "cv2")
        import av

        # The index comes first, for browsers; the start offset is stored to 1/90000 s, not 1/1000.
        mov = {"movflags": "+faststart", "movie_timescale": "90000"}
        self._container = av.open(
            f"file:{path.absolute()}",
            "w",
            options=mov if path.suffix.lower() in (".mp4", ".mov", ".m4v") else {},
        )
        rate = Fraction(fps).limit_denominator(1001)
        self._stream = self._container.add_stream("libx264", rate=rate, options=options)
        self._stream.pix_fmt = pixel_format
        self._halved = pixel_format.startswith(("yuv420", "yuv422"))
        # Fine enough for any rate to be written exactly, and for variable ones.
        base = Fraction(1, 90000)
        if (rate * 1000).denominator == 1 or (rate * 1001).denominator == 1:
            base = 1 / (rate * math.ceil(90000 / rate))
        self._base = base
        self._stream.codec_context.time_base = base
        self._sized = False

    def orient(self, rotation: int, mirrored: bool, aspect: Fraction) -> None:
        if rotation or mirrored:
            angle = math.radians(rotation)
            a, b = round(math.cos(angle)), round(math.sin(angle))
            flip = -1 if mirrored else 1
            one = 1 << 16
            self._stream.set_display_matrix(
                [flip * a * one, flip * b * one, 0, -b * one, a * one, 0, 0, 0, 1 << 30]
            )
        self._aspect = aspect

    def add(self, image: Image, time: float) -> None:
        import av

        if self._halved and (image.shape[0] % 2 or image.shape[1] % 2):
            pad = ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0))
            image = np.pad(image, pad, mode="edge")
        if not self._sized:
            self._stream.height, self._stream.width = image.shape[:2]
            self._stream.codec_context.sample_aspect_ratio = self._aspect
            self._sized = True
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts = round(time / float(self._base))
        frame.time_base = self._base
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                for packet in self._stream.encode(None):
                    self._container.mux(packet)
        finally:
            self._container.close()
