"""The portrait in motion: movements and head pose in, pixels and true positions out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bitbox.synthetic.movements import MOVEMENTS, displacements, mirrored
from bitbox.synthetic.portrait import PIVOT, Portrait, as_image, paint_mouth, portrait

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

#: What a head does: angles in degrees, x and y in millimetres, approach as a share of the size.
HEAD: tuple[str, ...] = ("yaw", "pitch", "roll", "x", "y", "approach")

#: The point of the photograph that is put at the asked-for position: between the eyes and mouth.
_CENTRE = np.array([224.0, 118.0])
_PHOTO = 512


class Face:
    """A person on a canvas.

    Parameters
    ----------
    size : (int, int)
        Width and height of the canvas in pixels.
    zoom : float
        Pixels of the canvas a pixel of the photograph takes; the outer eye corners are 60 pixels
        apart in the photograph.
    position : (float, float)
        Where the face is at rest, as shares of width and height. It is put lower where the
        photograph would end above the lower edge of the canvas.
    other_person : bool
        Whether to draw a second person: the portrait mirrored and recoloured.
    vertical_fov : float
        The camera's vertical field of view in degrees. At rest the photograph is seen as it is,
        whatever the field of view; when the head turns, perspective shows.
    """

    def __init__(
        self,
        size: tuple[int, int],
        zoom: float,
        position: tuple[float, float] = (0.5, 0.5),
        *,
        other_person: bool = False,
        vertical_fov: float = 63.0,
    ) -> None:
        self.size = size
        self.zoom = zoom
        self.other_person = other_person
        self.focal = size[1] / 2 / math.tan(math.radians(vertical_fov) / 2)
        self._portrait = portrait()
        self._displacements = displacements().reshape(len(MOVEMENTS), -1)
        x, y = position[0] * size[0], position[1] * size[1]
        self.centre = np.array([x, max(y, size[1] - (_PHOTO - 3 - _CENTRE[1]) * zoom)])
        # Read at about the size it is shown in: neither jagged nor slow.
        self._texture_scale = float(np.clip(zoom * 1.2, 0.2, 3.0))
        self._texture = _texture(self._portrait, self._texture_scale, other_person)
        flat = self._portrait.vertices[:, :2]
        self._in_texture = (flat + 0.5) * self._texture_scale - 0.5
        self._map = np.empty((size[1], size[0], 2), np.float32)

    @property
    def pixels_per_mm(self) -> float:
        """Pixels of the canvas that one millimetre of the face takes at rest."""
        return self._portrait.pixels_per_mm * self.zoom

    def points(self, drives: FloatArray, head: FloatArray) -> FloatArray:
        """Return where all points of the mesh are.

        Parameters
        ----------
        drives : ndarray, shape (32,)
            Amplitude of each of `MOVEMENTS`.
        head : ndarray, shape (6,)
            What the head does, in the order of `HEAD`.

        Returns
        -------
        ndarray, shape (V, 3)
            Pixels of the canvas; z on the same scale. The first 468 are MediaPipe's points of the
            portrait; for the other person they are those of its mirror image.
        """
        yaw, pitch, roll, x, y, approach = head
        if self.other_person:
            drives = drives[_MIRRORED]
        moved = self._portrait.vertices + (drives @ self._displacements).reshape(-1, 3)
        space = self._in_space(moved)
        pivot = self._in_space(PIVOT)
        turned = (space - pivot) @ rotation(yaw, pitch, roll).T + pivot
        space += self._portrait.head[:, None] * (turned - space)
        space[:, :2] += np.array([x, y]) * self.pixels_per_mm
        space[:, 2] -= self.focal * approach / (1 + approach)
        return self._seen(space)

    def _in_space(self, vertices: FloatArray) -> FloatArray:
        """Put vertices of the photograph where a camera would have to see them to take it.

        In pixels at the face's distance, which is one focal length, from the camera.
        """
        sign = -1.0 if self.other_person else 1.0
        away = vertices[..., 2:] * self.zoom
        flat = (vertices[..., :2] - _CENTRE) * self.zoom * np.array([sign, 1.0]) + self.centre
        rays = flat - np.array(self.size) / 2
        return np.concatenate([rays * (1 + away / self.focal), self.focal + away], axis=-1)

    def _seen(self, space: FloatArray) -> FloatArray:
        """Return what the camera sees: pixels, and depth relative to the face's on their scale."""
        larger = self.focal / space[:, 2:]
        out: FloatArray = np.concatenate([space[:, :2] * larger, space[:, 2:]], axis=1)
        out[:, :2] += np.array(self.size) / 2
        out[:, 2] -= np.average(space[:, 2], weights=self._portrait.head)
        return out

    def draw(self, canvas: Image, drives: FloatArray, head: FloatArray) -> None:
        """Draw the person over a canvas of shape (height, width, 3)."""
        from bitbox.synthetic.raster import draw_map, shade

        points = self.points(drives, head)
        triangles = self._portrait.triangles
        order = np.argsort(-points[triangles, 2].mean(axis=1), kind="stable")
        draw_map(np.ascontiguousarray(points[:, :2]), triangles[order], self._in_texture, self._map)
        shade(self._map, self._texture, canvas)


def rotation(yaw: float, pitch: float, roll: float) -> FloatArray:
    """Return the matrix that turns a head, angles in degrees.

    Parameters
    ----------
    yaw : float
        Positive: the face turns to the subject's left, the nose moves right in the picture.
    pitch : float
        Positive: the head nods, the nose moves down.
    roll : float
        Positive: the head tilts to the subject's left shoulder, clockwise in the picture.

    Returns
    -------
    ndarray, shape (3, 3)
        For points (x right, y down, z away); roll is applied first, then pitch, then yaw.
    """
    a, b, c = (math.radians(v) for v in (yaw, pitch, roll))
    turn = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
    nod = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    tilt = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    whole: FloatArray = turn @ nod @ tilt
    return whole


_MIRRORED = [MOVEMENTS.index(mirrored(name)) for name in MOVEMENTS]


def backdrop(size: tuple[int, int]) -> Image:
    """Return the photograph's wall without the person, filling a canvas."""
    import cv2

    width, height = size
    wall = portrait().backdrop
    share = min(1.0, height / width)
    part = wall[: max(2, round(_PHOTO * share)), : max(2, round(_PHOTO * min(1.0, width / height)))]
    return np.ascontiguousarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC))


def _texture(whole: Portrait, scale: float, other_person: bool) -> Image:
    """Return the photograph with opacity, shape (h, w, 4), enlarged and sharpened a little."""
    import cv2

    image = _recoloured(whole.image) if other_person else whole.image
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4
    size = (round(_PHOTO * scale), round(_PHOTO * scale))
    large = cv2.resize(image, size, interpolation=method).astype(np.float32)
    if scale > 1:
        soft = cv2.GaussianBlur(large, (0, 0), scale)
        large = large + 0.6 * (large - soft)
    colour = paint_mouth(as_image(large), scale)
    opacity = cv2.resize(whole.matte, size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(np.dstack([colour, opacity]))


def _recoloured(image: Image) -> Image:
    """Return the portrait as somebody else: darker hair and skin, and a blue suit."""
    import cv2

    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    suit = (hsv[..., 1] > 100) & (np.arange(_PHOTO)[:, None] > 185)
    hsv[..., 0] = np.where(suit, (hsv[..., 0].astype(int) + 100) % 180, hsv[..., 0])
    out = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)
    darker = 255 * (out / 255) ** 1.45
    return as_image(darker)
