"""Thumbnails: frames cropped to face or body, as data in the page, with what was found over it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitbox.report.content import Picture, Thumbnail
from bitbox.system.extras import need

SIDE = 320
"""Longest side of an embedded image in pixels."""

# (first, last, closed) of the lines that the 51 landmarks make
LINES = (
    (0, 4, False),  # right brow
    (5, 9, False),  # left brow
    (10, 13, False),  # nose, bridge
    (14, 18, False),  # nose, base
    (19, 24, True),  # right eye
    (25, 30, True),  # left eye
    (31, 42, True),  # lips, outer
    (43, 50, True),  # lips, inner
)


def picture(thumbnail: Thumbnail) -> Picture:
    """Crop a frame to the face or body, shrink it and place its landmarks or joints.

    Raises
    ------
    BackendError
        If Pillow, which writes the image, isn't installed.
    """
    left, top, right, bottom = _crop(thumbnail)
    image = np.ascontiguousarray(thumbnail.image[top:bottom, left:right])
    scale = min(1.0, SIDE / max(image.shape[:2]))
    width, height = (max(1, round(n * scale)) for n in (right - left, bottom - top))
    landmarks = _landmarks(thumbnail)
    points = (landmarks - [left, top]) * [width / (right - left), height / (bottom - top)]
    return Picture(
        uri=_jpeg(image, (width, height)),
        width=width,
        height=height,
        time=float(thumbnail.time),
        found=len(points) > 0,
        paths=_bones(points, thumbnail.bones) if thumbnail.bones else _paths(points),
        points=tuple(
            (round(float(x), 1), round(float(y), 1)) for x, y in points[np.isfinite(points[:, 0])]
        ),
    )


def _landmarks(thumbnail: Thumbnail) -> NDArray[np.float64]:
    """Return the landmarks, or none of them where one is missing; of a body those that are seen."""
    if thumbnail.landmarks is None:
        return np.empty((0, 2))
    landmarks = np.asarray(thumbnail.landmarks, dtype=float)
    seen = np.isfinite(landmarks)
    return landmarks if (seen.any() if thumbnail.bones else seen.all()) else np.empty((0, 2))


def _crop(thumbnail: Thumbnail) -> tuple[int, int, int, int]:
    """Choose a square around the face; the middle of the frame where there is none."""
    height, width = thumbnail.image.shape[:2]
    landmarks = _landmarks(thumbnail)
    side = min(height, width)
    if len(landmarks) == 0:
        centre = np.array([width / 2, height / 2])
    else:
        low, high = np.nanmin(landmarks, axis=0), np.nanmax(landmarks, axis=0)
        # the 51 points reach from the brows to the mouth: a head is about twice as large
        larger = 1.2 if thumbnail.bones else 1.9
        side = min(side, max(24, round(larger * float((high - low).max()))))
        centre = (low + high) / 2
    left, top = (
        int(np.clip(round(c - side / 2), 0, n - side))
        for c, n in zip(centre, (width, height), strict=True)
    )
    return left, top, left + side, top + side


def _jpeg(image: NDArray[np.uint8], size: tuple[int, int]) -> str:
    need("Making pictures for the report", "PIL")
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).resize(size, Image.Resampling.LANCZOS).save(
        file, format="JPEG", quality=82, optimize=True
    )
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _bones(points: NDArray[np.float64], bones: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    if len(points) == 0:
        return ()
    return tuple(
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[list(bone)])
        for bone in bones
        if np.isfinite(points[list(bone)]).all()
    )


def _paths(points: NDArray[np.float64]) -> tuple[str, ...]:
    if len(points) == 0:
        return ()
    return tuple(
        "M"
        + "L".join(f"{x:.1f} {y:.1f}" for x, y in points[first : last + 1])
        + ("Z" if closed else "")
        for first, last, closed in LINES
    )
