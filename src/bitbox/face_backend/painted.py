"""Whether what is followed is painted: a drawn face has places without shade, and skin has none.

The detectors and the mesh model take a disc with two eyes and a mouth for a face, and cartoons and
smileys as well. What tells them apart is how they are coloured in. A drawn face is painted evenly,
or shades off evenly; on skin, brightness is nowhere quite even, for a face is round and skin has a
texture. So a plane is fitted to the brightness around each place of the face laid flat. The place
is *even* where brightness is that plane but for less than small shares of the face's contrast and
of the brightness itself. A face is painted if more than `MOST_EVEN` of it is even.

A single noisy picture says little, and the average of a long film has lost what is fine; so
textures are averaged over about half a second. No real face must be lost: of what may be too bright
or too dark for the camera nothing is said, nor of faces with little contrast or few pixels. White
and black drawings are not recognised, then, nor those that an artist shaded as light does.

How well it works is in ``docs/validation/robustness.md``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.face_chart import chart

FloatArray = NDArray[np.float32]
Textures = NDArray[np.uint8]

#: Share of a face that is even from which on it is painted. Worked out on 15 photographed people
#: and 12 rendered ones, spoilt in many ways: of none is more than 0.06 even.
MOST_EVEN = 0.15
#: Frames whose textures are averaged.
_FRAMES = 16
_WINDOW = 11  # pixels of the chart across, in which brightness is compared with a plane
_OF_CONTRAST, _OF_BRIGHTNESS = 0.004, 0.003  # how much even places deviate at most
_DARKEST, _BRIGHTEST = 20, 230  # grey levels; beyond, a camera may have seen no differences
_LEAST_CONTRAST = 60  # grey levels
_LEAST_EYES = 20.0  # pixels between the eyes
_RIM = 4  # pixels at the edge of the face that do not count


class Paint:
    """Collects what one face looks like, frame by frame, and tells whether it is painted."""

    def __init__(self) -> None:
        self._sum = np.zeros(0, dtype=np.float32)
        self._count = 0
        self._even: list[float] = []

    def add(self, texture: Textures, eyes: float) -> None:
        """Add a frame.

        Parameters
        ----------
        texture : ndarray of uint8
            The face laid flat, see `bitbox.face_backend.refinement.laid_flat`.
        eyes : float
            Pixels between the outer corners of the eyes in the picture.
        """
        if eyes < _LEAST_EYES:
            return
        if self._count == 0:
            self._sum = np.zeros(texture.shape, dtype=np.float32)
        self._sum += texture
        self._count += 1
        if self._count == _FRAMES:
            self._look()

    def is_painted(self) -> bool | None:
        """Tell whether the face is painted, from all frames so far; None if that cannot be told."""
        even = self.evenness()
        return None if even is None else even > MOST_EVEN

    def evenness(self) -> float | None:
        """Return how much of the face is even, 0 to 1; None if that cannot be told."""
        if self._count and (self._count >= _FRAMES // 2 or not self._even):
            self._look()
        return float(np.mean(self._even)) if self._even else None

    def _look(self) -> None:
        self._even.append(evenness(self._sum / np.float32(self._count)))
        self._count = 0


def evenness(texture: FloatArray) -> float:
    """Return the share of a face that is even, from its texture on the chart in grey levels."""
    import cv2

    image = np.full(chart().shape, np.median(texture), dtype=np.float32)
    image[chart().inside] = texture
    image = cv2.blur(image, (3, 3))
    core = _core()
    low, high = np.percentile(image[core], [2, 98])
    if high - low < _LEAST_CONTRAST:
        return 0.0
    around = np.ones((9, 9), dtype=np.uint8)
    known = (cv2.erode(image, around) > _DARKEST) & (cv2.dilate(image, around) < _BRIGHTEST)
    most = np.minimum(_OF_CONTRAST * (high - low), _OF_BRIGHTNESS * image)
    return float(np.mean((known & (_off_plane(image) < most**2))[core]))


def _off_plane(image: FloatArray) -> FloatArray:
    """Return the mean square by which the surroundings of each pixel deviate from a plane."""
    import cv2

    half = _WINDOW // 2
    ones = np.ones(_WINDOW, dtype=np.float32)
    ramp = np.arange(-half, half + 1, dtype=np.float32)
    spread = float((ramp**2).mean())

    def mean(values: FloatArray, across: FloatArray, down: FloatArray) -> FloatArray:
        found = cv2.sepFilter2D(values, cv2.CV_32F, across, down, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(found / _WINDOW**2)

    image = image - image.mean()
    variance = mean(image * image, ones, ones) - mean(image, ones, ones) ** 2
    slopes = mean(image, ramp, ones) ** 2 + mean(image, ones, ramp) ** 2
    return np.asarray(np.maximum(variance - slopes / spread, 0))


@cache
def _core() -> NDArray[np.bool_]:
    """Return which pixels of the chart count."""
    import cv2

    side = 2 * _RIM + 1
    inside = chart().inside.astype(np.uint8)
    return np.asarray(cv2.erode(inside, np.ones((side, side), np.uint8)) > 0)
