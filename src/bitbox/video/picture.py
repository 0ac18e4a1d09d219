"""The picture of one frame, of which only as much is converted as is looked at.

A decoder gives a picture as it was stored: lying on its side, in planes of brightness and colour.
To turn all of a large picture into an upright RGB image takes longer than to look at the face in
it. So a `Picture` keeps the stored planes, and cuts out, scales down, turns and converts what it
is asked for: a tilted square with a face, or the whole at a size that a detector takes.

Pictures that need more care (interlaced, unusual pixel formats) are converted as a whole, and the
parts are taken from that image.

Coordinates are in pixels of the upright image, x to the right and y down; the upper left pixel
extends from 0 to 1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.video.opening import VideoInfo
from bitbox.video.sampling import Sampling

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float64]

#: Stored formats that are taken apart here: bits, and how many pixels share a colour (x, y).
_PLANAR = {
    "yuv420p": (8, 2, 2),
    "yuvj420p": (8, 2, 2),
    "yuv422p": (8, 2, 1),
    "yuvj422p": (8, 2, 1),
    "yuv444p": (8, 1, 1),
    "yuvj444p": (8, 1, 1),
    "yuv420p10le": (10, 2, 2),
    "yuv422p10le": (10, 2, 1),
}
#: Shares of red and blue in brightness, by the number of the colour space in H.273. 2 is "not
#: told", which FFmpeg takes for BT.601 at any size.
_SHARES = {
    1: (0.2126, 0.0722),  # BT.709
    2: (0.299, 0.114),
    5: (0.299, 0.114),  # BT.601, 625 lines
    6: (0.299, 0.114),  # BT.601, 525 lines
    9: (0.2627, 0.0593),  # BT.2020
}
_FULL_RANGE = 2
_SPOTS = 32  # rows and columns of the points that frames are compared by


@dataclass(frozen=True)
class _Stored:
    """A picture as stored, and how to get from the upright image to it.

    Parameters
    ----------
    planes : sequence of ndarray
        One of shape (height, width, 3) in RGB, or brightness and the two colour differences.
    width, height : int
        Of the stored picture, pixels.
    place : ndarray, shape (2, 3)
        Takes (x, y, 1) in the upright image to x and y in the stored picture.
    colours : ndarray, shape (3, 4), or None
        Takes (Y, U, V, 1) to RGB from 0 to 255; None where the picture is stored in RGB.
    grey : (float, float)
        Gain and offset from Y to grey levels.
    """

    planes: Sequence[NDArray[Any]]
    width: int
    height: int
    place: FloatArray
    colours: FloatArray | None
    grey: tuple[float, float] = (1.0, 0.0)

    def rgb(self, parts: Sequence[NDArray[Any]]) -> Image:
        """Return the RGB image of equally large parts of the planes."""
        import cv2

        if self.colours is None:
            return np.asarray(parts[0], dtype=np.uint8)
        image = cv2.transform(cv2.merge(parts), self.colours)
        return np.asarray(image if image.dtype == np.uint8 else image.clip(0, 255), dtype=np.uint8)


@dataclass(frozen=True)
class Brightness:
    """How bright a picture is, as stored: what can be had of it without converting any.

    Parameters
    ----------
    plane : ndarray, shape (height, width)
        Stored values.
    place : ndarray, shape (2, 3)
        Takes (x, y, 1) in the upright image to x and y in the plane.
    gain, offset : float
        Grey levels from 0 to 255 are ``gain * value + offset``.
    """

    plane: NDArray[Any]
    place: FloatArray
    gain: float
    offset: float

    def grey(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Return values of the plane as grey levels."""
        return np.asarray(_greys(self.gain, self.offset, values.dtype.itemsize)[values])


class Picture:
    """An upright picture with square pixels.

    Parameters
    ----------
    width, height : int
        Size of the upright picture in pixels.
    convert : callable
        Returns the whole as an RGB image, shape (height, width, 3). Called at most once.
    stored : optional
        The planes to take parts from; None: parts are taken from the whole image.
    """

    def __init__(
        self, width: int, height: int, convert: Callable[[], Image], stored: _Stored | None = None
    ) -> None:
        self.width = width
        self.height = height
        self._convert = convert
        self._image: Image | None = None
        self._stored = stored

    @classmethod
    def of(cls, image: Image) -> Picture:
        """Return the picture that an RGB image shows."""
        return cls(image.shape[1], image.shape[0], lambda: image)

    @property
    def image(self) -> Image:
        """The whole as an RGB image, shape (height, width, 3), C-contiguous."""
        if self._image is None:
            self._image = self._convert()
        return self._image

    def crop(self, centre: Sequence[float], side: float, angle: float, size: int) -> Image:
        """Return a tilted square of the picture as an upright image.

        Parameters
        ----------
        centre : (float, float)
            Of the square, pixels.
        side : float
            Of the square, pixels.
        angle : float
            Tilt in radians, clockwise: what lies along it in the picture is level in the crop.
        size : int
            Pixels of the crop along each side.

        Returns
        -------
        ndarray of uint8, shape (size, size, 3)
            RGB. Outside the picture, its edge is repeated.
        """
        scale = side / size
        a, b = scale * math.cos(angle), scale * math.sin(angle)
        x = centre[0] - (a - b) * size / 2
        y = centre[1] - (b + a) * size / 2
        return self.sample(np.array([[a, -b, x], [b, a, y]]), (size, size))

    def window(self, box: Sequence[float], size: tuple[int, int]) -> Image:
        """Return an upright rectangle of the picture.

        Parameters
        ----------
        box : (float, float, float, float)
            Left, top, width and height, pixels.
        size : (int, int)
            Width and height of the result in pixels.
        """
        left, top, width, height = box
        if (*size, 0, 0) == (width, height, left, top) == (self.width, self.height, 0, 0):
            return self.image
        way = np.array([[width / size[0], 0, left], [0, height / size[1], top]])
        return self.sample(way, size)

    def sample(self, way: FloatArray, size: tuple[int, int]) -> Image:
        """Return a part of the picture, moved, scaled and turned by an affine map.

        Parameters
        ----------
        way : ndarray, shape (2, 3)
            Takes (x, y, 1) in the result to x and y in this picture.
        size : (int, int)
            Width and height of the result in pixels.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3)
            RGB. Outside the picture, its edge is repeated.
        """
        stored = self._planes()
        place = stored.place
        way = place[:, :2] @ way
        way[:, 2] += place[:, 2]
        parts = []
        sampling: Sampling | None = None
        for number, plane in enumerate(stored.planes):
            # A plane of colours may have fewer rows and columns, and is not looked at as closely.
            height, width = plane.shape[:2]
            if sampling is None or sampling.shape != (height, width):
                step = [[-(-stored.width // width)], [-(-stored.height // height)]]
                sampling = Sampling((height, width), way / step, size)
            parts.append(sampling.of(plane, smoothly=number == 0))
        return stored.rgb(parts)

    def spots(self) -> NDArray[np.uint8]:
        """Return at most 32 x 32 points of the stored picture in grey, to compare frames by."""
        import cv2

        stored = self._planes()
        points = stored.planes[0][_spots(stored.height, stored.width)]
        if stored.colours is None:
            return np.asarray(cv2.cvtColor(points, cv2.COLOR_RGB2GRAY))
        return self.brightness().grey(points)

    def brightness(self) -> Brightness:
        """Return how bright the picture is, as stored."""
        import cv2

        stored = self._planes()
        if stored.colours is None:
            plane = cv2.cvtColor(stored.planes[0], cv2.COLOR_RGB2GRAY)
            return Brightness(plane, stored.place, 1.0, 0.0)
        return Brightness(stored.planes[0], stored.place, *stored.grey)

    def _planes(self) -> _Stored:
        if self._stored is None:
            size = (self.width, self.height)
            self._stored = _Stored([self.image], *size, np.eye(2, 3), None)
        return self._stored


def frame_picture(raw: Any, info: VideoInfo) -> Picture:
    """Return the picture of a decoded frame.

    Parameters
    ----------
    raw : av.VideoFrame
    info : VideoInfo
        About the video it is from: how its pictures are turned, and what size they have.
    """
    return Picture(info.width, info.height, lambda: _whole(raw, info), _stored(raw, info))


def _stored(raw: Any, info: VideoInfo) -> _Stored | None:
    """Return the planes of a frame, None where it takes more than that to see it right."""
    layout = _PLANAR.get(raw.format.name)
    shares = _SHARES.get(int(raw.colorspace))
    if layout is None or shares is None or raw.interlaced_frame:
        return None
    if any(plane.line_size <= 0 for plane in raw.planes):
        return None
    bits, x_step, y_step = layout
    width, height = raw.width, raw.height
    planes = []
    for number, plane in enumerate(raw.planes):
        columns = width if number == 0 else -(-width // x_step)
        rows = height if number == 0 else -(-height // y_step)
        values = np.frombuffer(plane, np.uint8 if bits == 8 else np.dtype("<u2"))
        lines = values.reshape(plane.height, -1)
        planes.append(lines[:rows, :columns])
    full = raw.format.name.startswith("yuvj") or int(raw.color_range) == _FULL_RANGE
    place = _place(info.rotation, info.mirrored, (info.width, info.height), (width, height))
    colours = _colours(*shares, full, bits)
    return _Stored(planes, width, height, place, colours, _grey(*shares, full, bits))


@functools.lru_cache(16)  # the frames of a video are alike
def _place(
    rotation: int, mirrored: bool, upright: tuple[int, int], stored: tuple[int, int]
) -> FloatArray:
    """Return the map from the upright image to the stored picture, shape (2, 3)."""
    # In shares of width and height, clockwise turn undone: (u, v, 1) -> (a, b).
    unturned = {
        0: [[1, 0, 0], [0, 1, 0]],
        90: [[0, 1, 0], [-1, 0, 1]],
        180: [[-1, 0, 1], [0, -1, 1]],
        270: [[0, -1, 1], [1, 0, 0]],
    }
    place = np.array(unturned[rotation], dtype=np.float64)
    if mirrored:  # which is done before turning
        place[0] = [0, 0, 1] - place[0]
    place[:, :2] /= upright
    return np.asarray(place * np.reshape(stored, (2, 1)))


@functools.lru_cache(16)
def _colours(red: float, blue: float, full: bool, bits: int) -> FloatArray:
    """Return the matrix from (Y, U, V, 1) to RGB from 0 to 255, as ITU-R BT.601 and 709 define it.

    Parameters
    ----------
    red, blue : float
        Their shares in brightness.
    full : bool
        Whether values use the full range, rather than 16 to 235 (and 240 for colour).
    bits : int
        Of a stored value.
    """
    green = 1 - red - blue
    u, v = 2 * (1 - blue), 2 * (1 - red)
    plain = np.array([[1, 0, v], [1, -u * blue / green, -v * red / green], [1, u, 0]])
    black, gains = (0, [1, 1, 1]) if full else (16, [255 / 219, 255 / 224, 255 / 224])
    matrix = plain * gains
    offset = -matrix @ [black, 128, 128]
    return np.column_stack([matrix / 2 ** (bits - 8), offset])


@functools.lru_cache(16)
def _grey(red: float, blue: float, full: bool, bits: int) -> tuple[float, float]:
    """Return gain and offset from Y to grey, which has no colour difference, as for `_colours`."""
    middle = 2 ** (bits - 1)
    colours = _colours(red, blue, full, bits)
    return float(colours[0, 0]), float(colours[0] @ [0, middle, middle, 1])


@functools.lru_cache(16)
def _greys(gain: float, offset: float, size: int) -> NDArray[np.uint8]:
    """Return the grey level of every value that has so many bytes."""
    values: NDArray[Any] = np.arange(256**size).astype(f"u{size}")
    levels = values * np.float32(gain) + np.float32(offset + 0.5)
    return np.asarray(levels.clip(0, 255).astype(np.uint8))


@functools.lru_cache(16)
def _spots(height: int, width: int) -> tuple[NDArray[Any], ...]:
    """Return the rows and columns of points that are spread over a picture."""
    rows, columns = (np.linspace(0, n - 1, min(_SPOTS, n)).astype(np.intp) for n in (height, width))
    return np.ix_(rows, columns)


def _whole(raw: Any, info: VideoInfo) -> Image:
    """Return a frame as an upright RGB image with square pixels."""
    turned = info.rotation in (90, 270)
    width, height = (info.height, info.width) if turned else (info.width, info.height)
    image: Image
    if raw.interlaced_frame:
        image = _first_field(raw.to_ndarray(format="rgb24"))
        if image.shape[:2] != (height, width):
            import av

            whole = av.VideoFrame.from_ndarray(image, format="rgb24")
            image = whole.to_ndarray(width=width, height=height)
    else:
        image = raw.to_ndarray(format="rgb24", width=width, height=height)
    if info.mirrored:
        image = image[:, ::-1]
    if info.rotation:
        image = np.rot90(image, -info.rotation // 90)
    return np.ascontiguousarray(image)


def _first_field(image: Image) -> Image:
    """Return an image made of the even lines, the odd ones interpolated between them."""
    out = image.copy()
    below = image[2::2]
    odd = out[1::2]
    np.copyto(
        odd[: len(below)], ((image[:-2:2].astype(np.uint16) + below + 1) // 2).astype(np.uint8)
    )
    if len(odd) > len(below):
        odd[-1] = image[-2]
    return out
