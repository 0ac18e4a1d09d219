"""Motion energy: how much of a picture changes from frame to frame.

What changes by no more than noise does is not counted. How strong the noise is, is taken from the
recording itself: from the stillest quarter of the picture, in which hardly anything else happens.
One pass over the video is enough, as for every frame and part all thresholds are counted at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.skeleton import HIPS, PARTS, SHOULDERS
from bitbox.body_backend.tracking import every
from bitbox.errors import ParameterError, VideoError
from bitbox.findings import Finding
from bitbox.measuring.one_core import on_one_core
from bitbox.measuring.spool import Spool, room_for
from bitbox.progress import Progress
from bitbox.video import Picture, read_frames
from bitbox.video.sampling import resampled

FloatArray = NDArray[np.float64]
Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

#: Parts of the picture and of the body that motion can be measured in.
BODY_PARTS = tuple(PARTS)
WHOLE = "whole"
_SIDE = 320  # the picture is scaled down to so many pixels, which averages noise as well
_LEVELS = 64  # thresholds that are counted; noise is weaker
_CELLS = 16  # rows and columns of the cells among which the stillest are looked for
_RARE = 0.001  # share of the pixels of the stillest cells that noise alone may change
_LEAST = 2  # grey levels; less is rounding
_STRONG = 20  # grey levels of noise from which on the camera rather moves


@dataclass(frozen=True)
class Motion:
    """What changed.

    Parameters
    ----------
    values : ndarray, shape (T, 2 k)
        Of each part the share of its pixels that change (0 to 1) and their mean change over all of
        it (grey levels of 255). NaN in the first frame, and where a part is not seen.
    time : ndarray, shape (T,)
    parts : tuple of str
    threshold : int
        A pixel changes if its grey level changes by more than this.
    size : (int, int)
        Width and height of the video in pixels.
    findings : tuple of Finding
    """

    values: FloatArray
    time: FloatArray
    parts: tuple[str, ...]
    threshold: int
    size: tuple[int, int]
    findings: tuple[Finding, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(f"{part}_{what}" for part in self.parts for what in ("share", "change"))


#: Where parts are in a frame: takes its number and the size of a mask; gives a mask, or None, each.
Masks = Callable[[int, tuple[int, int]], Mapping[str, "Mask | None"]]


def check_rectangles(
    rectangles: Mapping[str, tuple[float, float, float, float]], size: tuple[int, int]
) -> None:
    """Refuse rectangles that are not in a picture of this size.

    Raises
    ------
    ParameterError
        One has no area in the picture.
    """
    for name, (x, y, w, h) in rectangles.items():
        inside = min(x + w, size[0]) - max(x, 0) >= 1 and min(y + h, size[1]) - max(y, 0) >= 1
        if w <= 0 or h <= 0 or not inside:
            raise ParameterError(
                f"The rectangle {name!r} is not in the picture.",
                expected=f"x, y, width and height in a picture of {size[0]} x {size[1]} pixels",
                got=f"({x:g}, {y:g}, {w:g}, {h:g})",
            )


def measure_motion(
    path: str | os.PathLike[str],
    rectangles: Mapping[str, tuple[float, float, float, float]],
    *,
    whole: bool = True,
    body: tuple[tuple[str, ...], Masks] | None = None,
    fps: float | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> Motion:
    """Measure how much changes from frame to frame.

    Parameters
    ----------
    path : path-like
        A video file.
    rectangles : mapping
        Of each a name, and x, y, width and height in pixels.
    whole : bool
        Whether the whole picture is a part.
    body : (names, callable), optional
        Other parts, and where they are in each frame.
    fps : float, optional
        Look at no more than so many frames a second; None: at all.
    progress : callable, optional
        Called as ``progress(task, frames_done, frames_total_or_None)``.
    folder : Path, optional
        Where counts lie while they are made; None: where temporary files are.

    Raises
    ------
    VideoError
        The video cannot be decoded, or has only one frame.
    ParameterError
        A rectangle is not in the picture.
    OutputError
        There is no room for the counts.
    """
    parts = (*((WHOLE,) if whole else ()), *rectangles, *(body[0] if body else ()))
    name = Path(path).name
    with on_one_core(), read_frames(path) as frames:
        size = (frames.info.width, frames.info.height)
        check_rectangles(rectangles, size)
        small = _small(size)
        fixed = {key: _rectangle(box, size, small) for key, box in rectangles.items()}
        if whole:
            fixed[WHOLE] = np.ones(small[::-1], dtype=bool)
        rows = (frames.info.n_frames or 0) * len(parts) * 2 * _LEVELS * 4
        with (
            room_for(rows, folder, name) as room,
            Spool(np.float32, (len(parts), 2, _LEVELS), folder, room) as spool,
        ):
            times: list[float] = []
            noise = _Noise(small)
            before: Grey | None = None
            for frame in every(frames, fps):
                grey = _grey(frame.picture, small)
                change = (
                    None if before is None else np.abs(np.subtract(grey, before, dtype=np.int16))
                )
                where = {**fixed, **(body[1](len(times), small) if body else {})}
                spool.append(_counted(change, [where[part] for part in parts]))
                if change is not None:
                    noise.see(change)
                before = grey
                times.append(frame.time)
                if progress is not None:
                    progress(f"Measuring motion in {name}", frame.index + 1, frames.info.n_frames)
            if len(times) < 2:
                raise VideoError(
                    f"{name} has a single frame, in which nothing moves.",
                    expected="a video of at least two frames",
                )
            threshold = noise.threshold()
            counts = spool.array()
            values = np.array(counts[:, :, :, threshold], dtype=np.float64)
    found = (*frames.findings, *_findings(threshold, name))
    return Motion(values.reshape(len(times), -1), np.array(times), parts, threshold, size, found)


def _change(now: Grey, before: Grey) -> NDArray[np.int16]:
    return np.asarray(np.abs(np.subtract(now, before, dtype=np.int16)))


def _small(size: tuple[int, int]) -> tuple[int, int]:
    shrink = max(1.0, max(size) / _SIDE)
    return max(_CELLS, round(size[0] / shrink)), max(_CELLS, round(size[1] / shrink))


def _grey(picture: Picture, small: tuple[int, int]) -> Grey:
    """Return how bright a picture is, scaled down."""
    bright = picture.brightness()
    width, height = small
    way = np.array([[picture.width / width, 0, 0], [0, picture.height / height, 0]])
    way = bright.place[:, :2] @ way + [[0, 0, bright.place[0, 2]], [0, 0, bright.place[1, 2]]]
    same_size = small == (picture.width, picture.height)
    part = resampled(bright.plane, way, small, smoothly=not same_size)
    return bright.grey(part)


def _rectangle(
    box: tuple[float, float, float, float], size: tuple[int, int], small: tuple[int, int]
) -> Mask:
    scale = small[0] / size[0], small[1] / size[1]
    x, y, w, h = box
    mask = np.zeros(small[::-1], dtype=bool)
    left, top = (max(0, round(v * s)) for v, s in zip((x, y), scale, strict=True))
    right = max(left + 1, round((x + w) * scale[0]))
    bottom = max(top + 1, round((y + h) * scale[1]))
    mask[min(top, small[1] - 1) : bottom, min(left, small[0] - 1) : right] = True
    return mask


def _counted(change: NDArray[np.int16] | None, masks: list[Mask | None]) -> NDArray[np.float32]:
    """Return, for every threshold, the share of pixels that change, and by how much on average."""
    out = np.full((len(masks), 2, _LEVELS), np.nan, dtype=np.float32)
    if change is None:
        return out
    for row, mask in enumerate(masks):
        if mask is None or not mask.any():
            continue
        counts = np.bincount(change[mask], minlength=256)
        above = np.cumsum(counts[::-1])[::-1]
        summed = np.cumsum((counts * np.arange(256))[::-1])[::-1]
        out[row, 0] = above[1 : _LEVELS + 1] / above[0]
        out[row, 1] = summed[1 : _LEVELS + 1] / above[0]
    return out


class _Noise:
    """How much pixels change by noise: counted in cells, of which the stillest are looked at."""

    def __init__(self, small: tuple[int, int]) -> None:
        width, height = small
        rows = np.minimum(np.arange(height) * _CELLS // height, _CELLS - 1)
        columns = np.minimum(np.arange(width) * _CELLS // width, _CELLS - 1)
        self._cell = (rows[:, None] * _CELLS + columns).astype(np.int64) * 256
        self._counts = np.zeros(_CELLS * _CELLS * 256, dtype=np.int64)

    def see(self, change: NDArray[np.int16]) -> None:
        """Take note of the changes between two frames."""
        self._counts += np.bincount((self._cell + change).ravel(), minlength=len(self._counts))

    def threshold(self) -> int:
        """Return what all but one in a thousand changes of the stillest quarter stay within."""
        counts = self._counts.reshape(-1, 256)
        mean = (counts * np.arange(256)).sum(axis=1) / counts.sum(axis=1)
        stillest = counts[np.argsort(mean, kind="stable")[: len(counts) // 4]].sum(axis=0)
        share = np.cumsum(stillest) / stillest.sum()
        return int(np.clip(np.searchsorted(share, 1 - _RARE), _LEAST, _LEVELS - 1))


def _findings(threshold: int, name: str) -> list[Finding]:
    if threshold < _STRONG:
        return []
    return [
        Finding(
            "nothing-still",
            "warning",
            f"No part of {name} is still: even in its stillest quarter grey levels change by"
            f" {threshold}. Changes up to that are not counted.",
            "Put the camera on a tripod, and switch off its automatic exposure. Motion energy of a"
            " moving camera says little about a person.",
        )
    ]


def body_masks(joints: FloatArray, size: tuple[int, int]) -> Masks:
    """Return where the parts of a body are in each frame.

    Parameters
    ----------
    joints : ndarray, shape (T, 33, 2)
        Pixels; NaN where one is not seen.
    size : (int, int)
        Width and height of the picture.

    Notes
    -----
    A part is where it is now or was in the frame before: what a limb uncovers has changed as well.
    Where one of its joints is not seen, it is missing.
    """

    def masks(number: int, small: tuple[int, int]) -> Mapping[str, Mask | None]:
        scale = np.array(small) / size
        now = _parts(joints[number] * scale, small)
        before = _parts(joints[max(0, number - 1)] * scale, small)
        both = {}
        for part, mask in now.items():
            earlier = before[part]
            both[part] = None if mask is None or earlier is None else mask | earlier
        return both

    return masks


def _parts(joints: FloatArray, small: tuple[int, int]) -> dict[str, Mask | None]:
    """Return a mask of each part in one frame, None where it is not seen."""
    import cv2

    out: dict[str, Mask | None] = {}
    shoulders, hips = joints[list(SHOULDERS)], joints[list(HIPS)]
    breadth = float(np.linalg.norm(shoulders[0] - shoulders[1]))
    tall = float(np.linalg.norm(shoulders.mean(axis=0) - hips.mean(axis=0)))
    width = np.nanmax([breadth, 0.6 * tall, 1.0]) if np.isfinite([breadth, tall]).any() else 0.0
    for part, lines in PARTS.items():
        points = [joints[list(line)] for line in lines]
        if part in ("arms", "legs"):
            points = [line[: 4 if np.isfinite(line[3, 0]) else 3] for line in points]
        if not np.isfinite(np.concatenate(points)).all() or width <= 0:
            out[part] = None
            continue
        canvas = np.zeros(small[::-1], dtype=np.uint8)
        if part == "head":
            middle = points[0].mean(axis=0)
            x, y = (round(float(v)) for v in middle)
            cv2.circle(canvas, (x, y), max(1, round(0.45 * width)), 1, -1)
        elif part == "trunk":
            cv2.fillConvexPoly(canvas, np.round(points[0]).astype(np.int32), 1)
        else:
            thick = max(1, round((0.28 if part == "arms" else 0.4) * width))
            for line in points:
                cv2.polylines(canvas, [np.round(line).astype(np.int32)], False, 1, thick)
        out[part] = canvas.astype(bool)
    return out
