"""Parts of one plane of a picture, moved, scaled and turned.

What is scaled down is averaged over about the area of each new pixel, so noise is averaged, too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Stored pixels are averaged in blocks, as long as at least so many blocks make a new pixel.
_STRIDE = 1.5


def resampled(
    plane: NDArray[Any], way: FloatArray, size: tuple[int, int], smoothly: bool = True
) -> Any:
    """Return a part of one plane, see `Sampling`."""
    height, width = plane.shape[:2]
    return Sampling((height, width), way, size).of(plane, smoothly)


class Sampling:
    """How a part of planes of one shape is moved, scaled and turned by an affine map.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the planes.
    way : ndarray, shape (2, 3)
        Takes (x, y, 1) in the result to x and y in the plane.
    size : (int, int)
        Width and height of the result in pixels.

    Notes
    -----
    Interpolating between stored pixels blurs those that come to lie between two of them and not
    the others. As a face moves, this looks like noise: it makes the mesh tremble. So the part is
    blurred beforehand, by as much as an average of two by two places within each new pixel would,
    unless `of` is told not to.
    """

    def __init__(self, shape: tuple[int, int], way: FloatArray, size: tuple[int, int]) -> None:
        self.shape = shape
        self._size = size
        self._blocks: list[int] = []
        self._first: list[int] = []
        self._count: list[int] = []
        self._deviations: list[float] = []
        rows = []
        # in plain numbers: they are few, and arrays of them take ten times as long
        for (a, b, c), length in zip(way.tolist(), shape[::-1], strict=True):
            block = max(1, min(int(math.hypot(a, b) / _STRIDE), length))
            across, down, most = a * size[0], b * size[1], length // block
            left, right = (c + some(0.0, across) + some(0.0, down) for some in (min, max))
            low = min(max(math.floor(left / block) - 2, 0), most - 1)
            high = min(max(math.ceil(right / block) + 2, low + 1), most)
            self._blocks.append(block)
            self._first.append(low * block)
            self._count.append(high - low)
            # OpenCV counts from the middle of a pixel
            a, b, c = a / block, b / block, (c - low * block) / block
            rows.append((a, b, c + (a + b - 1) / 2))
            self._deviations.append(_deviation(math.hypot(a, b)))
        self._way = np.array(rows)

    def of(self, plane: NDArray[Any], smoothly: bool = True) -> Any:
        """Return the part of a plane, shape (height, width) or (height, width, 3)."""
        import cv2

        part = self._averaged(plane)
        if smoothly:
            across, down = self._deviations
            part = cv2.GaussianBlur(part, (3, 3), across, None, down, cv2.BORDER_REPLICATE)
        return cv2.warpAffine(
            part,
            self._way,
            self._size,
            flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _averaged(self, plane: NDArray[Any]) -> Any:
        """Return the averages of blocks of a plane, as far as they are needed."""
        import cv2

        (x, y), (columns, rows), (wide, high) = self._first, self._count, self._blocks
        part = plane[y : y + rows * high, x : x + columns * wide]
        if wide == high == 1:
            return part
        if not (wide % 2 or high % 2):  # OpenCV averages pairs several times as fast
            part = cv2.resize(
                part, (part.shape[1] // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA
            )
        return cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)


def _deviation(scale: float) -> float:
    """Return the deviation of a Gaussian whose three weights have a variance of a new pixel's 1/16.

    That of two places a half of a new pixel apart; a new pixel is `scale` ones, less than 3 but in
    pictures of a few pixels.
    """
    beside = min(scale, 3) ** 2 / 32
    return math.sqrt(-0.5 / math.log(beside / (1 - 2 * beside)))
