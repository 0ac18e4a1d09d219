"""Parts of one plane of a picture, moved, scaled and turned.

What is scaled down is averaged over about the area of each new pixel, so noise is averaged, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Stored pixels are averaged in blocks, as long as at least so many blocks make a new pixel.
_STRIDE = 1.5


def resampled(
    plane: NDArray[Any], way: FloatArray, size: tuple[int, int], smoothly: bool = True
) -> Any:
    """Return a part of a plane, moved, scaled and turned by an affine map.

    Parameters
    ----------
    plane : ndarray, shape (height, width) or (height, width, 3)
    way : ndarray, shape (2, 3)
        Takes (x, y, 1) in the result to x and y in the plane.
    size : (int, int)
        Width and height of the result in pixels.
    smoothly : bool
        Whether to blur first, see below.

    Notes
    -----
    Interpolating between stored pixels blurs those that come to lie between two of them and not
    the others. As a face moves, this looks like noise: it makes the mesh tremble. So the part is
    blurred beforehand, by as much as an average of two by two places within each new pixel would.
    """
    import cv2

    blocks = [
        max(1, min(int(math.hypot(row[0], row[1]) / _STRIDE), length))
        for row, length in zip(way, plane.shape[1::-1], strict=True)
    ]
    part, corner = _averaged(plane, way, size, blocks)
    way = (way - [[0, 0, corner[0]], [0, 0, corner[1]]]) / np.reshape(blocks, (2, 1))
    if smoothly:
        across, down = (_deviation(math.hypot(row[0], row[1])) for row in way)
        part = cv2.GaussianBlur(part, (3, 3), across, None, down, cv2.BORDER_REPLICATE)
    way[:, 2] += (way[:, 0] + way[:, 1] - 1) / 2  # OpenCV counts from the middle of a pixel
    return cv2.warpAffine(
        part,
        way,
        size,
        flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _deviation(scale: float) -> float:
    """Return the deviation of a Gaussian whose three weights have a variance of a new pixel's 1/16.

    That of two places a half of a new pixel apart; a new pixel is `scale` ones, less than 3 but in
    pictures of a few pixels.
    """
    beside = min(scale, 3) ** 2 / 32
    return math.sqrt(-0.5 / math.log(beside / (1 - 2 * beside)))


def _averaged(
    plane: NDArray[Any], way: FloatArray, size: tuple[int, int], blocks: Sequence[int]
) -> tuple[Any, list[int]]:
    """Return the averages of blocks of a plane, as far as a sample needs them, and their corner."""
    import cv2

    w, h = size
    corners = way @ np.array([[0, w, 0, w], [0, 0, h, h], [1, 1, 1, 1]])
    first, count = [], []
    for ends, block, length in zip(corners, blocks, plane.shape[1::-1], strict=True):
        most = length // block
        low = min(max(math.floor(ends.min() / block) - 2, 0), most - 1)
        high = min(max(math.ceil(ends.max() / block) + 2, low + 1), most)
        first.append(low * block)
        count.append(high - low)
    (x, y), (columns, rows) = first, count
    part = plane[y : y + rows * blocks[1], x : x + columns * blocks[0]]
    if max(blocks) == 1:
        return part, first
    if not (blocks[0] % 2 or blocks[1] % 2):  # OpenCV averages pairs several times as fast
        part = cv2.resize(
            part, (part.shape[1] // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA
        )
    return cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), first
