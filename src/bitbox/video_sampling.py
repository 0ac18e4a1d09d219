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
#: Stored pixels are few where fewer than so many, along a line, make a new one.
_FEW = 1.25


def resampled(plane: NDArray[Any], way: FloatArray, size: tuple[int, int], close: bool) -> Any:
    """Return a part of a plane, moved, scaled and turned by an affine map.

    Parameters
    ----------
    plane : ndarray, shape (height, width) or (height, width, 3)
    way : ndarray, shape (2, 3)
        Takes (x, y, 1) in the result to x and y in the plane.
    size : (int, int)
        Width and height of the result in pixels.
    close : bool
        Whether it is looked at closely, as brightness is and colour is not.

    Notes
    -----
    Interpolating once for each pixel blurs those that come to lie between two stored ones and not
    the others. As a face moves, this looks like noise: it makes the mesh tremble. So brightness is
    blurred evenly first, or, where stored pixels are few, interpolated at four places a pixel.
    """
    import cv2

    length = np.hypot(way[:, 0], way[:, 1])
    blocks = [
        max(1, min(int(x / _STRIDE), n)) for x, n in zip(length, plane.shape[1::-1], strict=True)
    ]
    few = bool((length / blocks < _FEW).any())
    if max(blocks) > 1 or (close and not few):
        plane, corner = _in_blocks(plane, way, size, blocks)
        way = (way - [[0, 0, corner[0]], [0, 0, corner[1]]]) / np.reshape(blocks, (2, 1))
    if not close:
        return _warped(plane, way, size)
    if not few:
        return _warped(cv2.GaussianBlur(plane, (3, 3), 0), way, size)
    part = _warped(plane, way / [2, 2, 1], (2 * size[0], 2 * size[1]))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA)


def _warped(plane: NDArray[Any], way: FloatArray, size: tuple[int, int]) -> Any:
    """Return a part of a plane, interpolated once a pixel."""
    import cv2

    way = way.copy()
    way[:, 2] += (way[:, 0] + way[:, 1] - 1) / 2  # OpenCV counts from the middle of a pixel
    return cv2.warpAffine(
        plane,
        way,
        size,
        flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _in_blocks(
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
