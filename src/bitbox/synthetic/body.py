"""A person in a video whose joint angles are known: a figure of balls with a face.

Everything about it is written down here: its limbs, how they are turned, and where the camera is.
What `bitbox.body_backend` measures of it can be compared with that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.system.extras import need
from bitbox.system.kernel_cache import compiled

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

#: What a pose can say, in degrees; what it leaves out is 0. Left is the subject's left.
POSE_ANGLES = (
    *("trunk_lean", "trunk_bend", "trunk_turn", "hips_turn"),
    *(
        f"{side}_{name}"
        for side in ("left", "right")
        for name in (
            *("shoulder_elevation", "shoulder_plane", "elbow_flexion"),
            *("hip_flexion", "hip_abduction", "knee_flexion"),
        )
    ),
)
#: Metres. An adult of 1.7 m.
_TRUNK, _SHOULDERS, _HIPS = 0.5, 0.38, 0.2
_ARM, _FOREARM, _HAND, _THIGH, _SHANK, _FOOT = 0.29, 0.26, 0.1, 0.42, 0.41, 0.14
_DISTANCE = 3.2
_SKIN, _SHIRT, _TROUSERS, _SHOES = (205, 160, 135), (60, 90, 150), (50, 50, 60), (30, 30, 30)
_LIGHT = np.array([-0.4, -0.6, -0.7]) / np.linalg.norm([0.4, 0.6, 0.7])


def body_joints(pose: Mapping[str, float]) -> dict[str, FloatArray]:
    """Return where the joints of a figure are.

    Parameters
    ----------
    pose : mapping
        Angles in degrees, by the names in `POSE_ANGLES`, as `bitbox.body_backend` defines them.

    Returns
    -------
    dict of ndarray, shape (3,)
        Metres: x to the right of the picture, y down, z away from the camera; the middle of the
        hips is the origin.

    Raises
    ------
    ParameterError
        If a name is not known.

    Examples
    --------
    >>> from bitbox.synthetic.body import body_joints
    >>> joints = body_joints({'left_shoulder_elevation': 90})
    >>> joints['left_elbow'].round(2)  # level with the shoulder, to the right in the picture
    array([ 0.48, -0.5 ,  0.  ])
    """
    unknown = sorted(set(pose) - set(POSE_ANGLES))
    if unknown:
        raise ParameterError(
            f"A pose has no angle called {unknown[0]!r}.", expected=", ".join(POSE_ANGLES)
        )
    rad = {name: np.radians(float(pose.get(name, 0.0))) for name in POSE_ANGLES}
    # columns: left, up, front of somebody who faces the camera
    stand = np.array([[1, 0, 0], [0, -1, 0], [0, 0, -1]], dtype=np.float64)
    hips = stand @ _about_up(rad["hips_turn"])
    trunk = hips @ _tilt(rad["trunk_lean"], rad["trunk_bend"])
    pelvis = _square(trunk[:, 1], hips[:, 0])
    thorax = pelvis @ _about_up(rad["trunk_turn"])
    top = trunk[:, 1] * _TRUNK
    joints = {"neck": top, "head": top + thorax[:, 1] * 0.2}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        joints |= _arm(side, sign, top, thorax, rad) | _leg(side, sign, hips, pelvis, rad)
    return joints


def _arm(
    side: str, sign: float, top: FloatArray, thorax: FloatArray, rad: Mapping[str, float]
) -> dict[str, FloatArray]:
    shoulder = top + sign * thorax[:, 0] * _SHOULDERS / 2
    raised, plane, bent = (
        rad[f"{side}_{name}"] for name in ("shoulder_elevation", "shoulder_plane", "elbow_flexion")
    )
    out = np.cos(plane) * sign * thorax[:, 0] + np.sin(plane) * thorax[:, 2]
    upper = np.sin(raised) * out - np.cos(raised) * thorax[:, 1]
    onward = np.cos(raised) * out + np.sin(raised) * thorax[:, 1]  # where raising takes the arm
    lower = np.cos(bent) * upper + np.sin(bent) * onward
    elbow = shoulder + _ARM * upper
    wrist = elbow + _FOREARM * lower
    return {
        f"{side}_shoulder": shoulder,
        f"{side}_elbow": elbow,
        f"{side}_wrist": wrist,
        f"{side}_hand": wrist + _HAND * lower,
    }


def _leg(
    side: str, sign: float, hips: FloatArray, pelvis: FloatArray, rad: Mapping[str, float]
) -> dict[str, FloatArray]:
    hip = sign * hips[:, 0] * _HIPS / 2
    flexed, out, bent = (
        rad[f"{side}_{name}"] for name in ("hip_flexion", "hip_abduction", "knee_flexion")
    )
    forward = np.sin(flexed) * pelvis[:, 2] - np.cos(flexed) * pelvis[:, 1]
    thigh = np.cos(out) * forward + np.sin(out) * sign * pelvis[:, 0]
    # the shank bends backwards, square to the thigh, in the plane of the leg
    back = -(np.cos(flexed) * pelvis[:, 2] + np.sin(flexed) * pelvis[:, 1])
    shank = np.cos(bent) * thigh + np.sin(bent) * back
    knee = hip + _THIGH * thigh
    ankle = knee + _SHANK * shank
    toes = ankle + _FOOT * (0.8 * hips[:, 2] - 0.6 * hips[:, 1])
    return {
        f"{side}_hip": hip,
        f"{side}_knee": knee,
        f"{side}_ankle": ankle,
        f"{side}_toes": toes,
    }


def _about_up(angle: float) -> FloatArray:
    """Return the turn to the left, in the axes left, up and front."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def _tilt(lean: float, bend: float) -> FloatArray:
    """Return axes of which up leans forward and bends to the right, as seen along each other."""
    up = np.array([-np.tan(bend), 1.0, np.tan(lean)])
    return _square(up / np.linalg.norm(up), np.array([1.0, 0.0, 0.0]))


def _square(up: FloatArray, left: FloatArray) -> FloatArray:
    """Return axes (columns left, up, front) of an upward direction, and left as far as it goes."""
    left = left - (left @ up) * up
    left = left / np.linalg.norm(left)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def draw_body(
    pose: Mapping[str, float],
    size: tuple[int, int] = (360, 480),
    *,
    place: tuple[float, float] = (0.5, 0.52),
    height: float = 0.8,
    canvas: Image | None = None,
) -> Image:
    """Return a picture of a figure.

    Parameters
    ----------
    pose : mapping
        As for :func:`body_joints`.
    size : (int, int)
        Width and height of the picture in pixels.
    place : (float, float)
        Where the middle of the hips is, in shares of width and height.
    height : float
        How tall the standing figure is, in shares of the height of the picture.
    canvas : ndarray of uint8, shape (height, width, 3), optional
        What is behind; None: a plain wall.

    Examples
    --------
    >>> from bitbox.synthetic.body import draw_body
    >>> draw_body({'left_elbow_flexion': 60}, (180, 240)).shape
    (240, 180, 3)
    """
    w, h = size
    if canvas is None:
        canvas = np.full((h, w, 3), (170, 176, 180), dtype=np.uint8)
    image = canvas.astype(np.float64)
    far = np.full((h, w), np.inf)
    focal = height * h / 1.7 * _DISTANCE
    middle = np.array([place[0] * w, place[1] * h])

    def seen(point: FloatArray, radius: float) -> tuple[float, float, float, float]:
        away = _DISTANCE + point[2]
        x, y = middle + focal * point[:2] / away
        return float(x), float(y), float(away), float(focal * radius / away)

    joints = body_joints(pose)
    places, colours = [], []
    for start, end, first, last, colour in _limbs(joints):
        for share in np.linspace(0, 1, max(2, int(np.linalg.norm(end - start) / 0.012))):
            radius = first + share * (last - first)
            places.append((*seen(start + share * (end - start), radius), radius))
            colours.append(colour)
    _balls(image, far, np.array(places), np.array(colours, dtype=np.float64), _LIGHT)
    _head(image, far, seen(joints["head"], 0.15))
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def _limbs(
    joints: Mapping[str, FloatArray],
) -> list[tuple[FloatArray, FloatArray, float, float, tuple[int, int, int]]]:
    """Return start, end, radius at both, and colour of what is drawn."""
    found = []
    hips, neck = np.zeros(3), joints["neck"]
    for side in ("left", "right"):
        shoulder, elbow, wrist, hand = (
            joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist", "hand")
        )
        hip, knee, ankle, toes = (
            joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "toes")
        )
        found += [
            (hip, knee, 0.085, 0.06, _TROUSERS),
            (knee, ankle, 0.06, 0.042, _TROUSERS),
            (ankle, toes, 0.042, 0.034, _SHOES),
            (shoulder, elbow, 0.058, 0.045, _SHIRT),
            (elbow, wrist, 0.044, 0.03, _SKIN),
            (wrist, hand, 0.035, 0.035, _SKIN),
        ]
        for share in (0.2, 0.6, 1.0):  # the trunk, in strands
            low, high = share * hip, neck + share * 0.8 * (shoulder - neck)
            found.append((low, high + 0.06 * (low - high), 0.1, 0.09, _SHIRT))
    up = (neck - hips) / np.linalg.norm(neck - hips)
    found.append((neck, neck + 0.09 * up, 0.055, 0.055, _SKIN))
    return found


@partial(compiled, nogil=True)
def _balls(
    image: FloatArray, far: FloatArray, places: FloatArray, colours: FloatArray, light: FloatArray
) -> None:
    """Draw lit balls where nothing is nearer.

    Parameters
    ----------
    image : ndarray, shape (height, width, 3)
    far : ndarray, shape (height, width)
        How far away what is drawn is.
    places : ndarray, shape (n, 5)
        Of each ball x, y, distance, radius in pixels and radius in metres.
    colours : ndarray, shape (n, 3)
    light : ndarray, shape (3,)
        Where it comes from.
    """
    height, width = far.shape
    for ball in range(len(places)):
        x, y, away, radius, thick = places[ball]
        for row in range(max(0, int(y - radius)), min(height, int(y + radius) + 2)):
            for column in range(max(0, int(x - radius)), min(width, int(x + radius) + 2)):
                across, down = (column - x) / radius, (row - y) / radius
                depth = 1 - across * across - down * down
                if depth <= 0:
                    continue
                towards = np.sqrt(depth)
                if away - towards * thick >= far[row, column]:
                    continue
                far[row, column] = away - towards * thick
                lit = across * light[0] + down * light[1] - towards * light[2]
                shade = 0.55 + 0.45 * max(0.0, lit)
                for colour in range(3):
                    image[row, column, colour] = shade * colours[ball, colour]


@cache
def _face() -> Image:
    """Return the portrait's head, cut out."""
    need("Rendering bodies", "cv2", "skimage.data")
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[40:200, 150:300])


def _head(image: FloatArray, far: FloatArray, place: tuple[float, float, float, float]) -> None:
    """Draw a face, which looks into the camera, where nothing is nearer."""
    import cv2

    x, y, away, radius = place
    high, wide = max(2, round(2 * radius)), max(2, round(1.875 * radius))
    face = cv2.resize(_face(), (wide, high), interpolation=cv2.INTER_AREA)
    height, width = far.shape
    top, left = round(y - high / 2), round(x - 0.52 * wide)
    rows, columns = np.mgrid[0:high, 0:wide]
    inside = ((columns / wide - 0.5) / 0.44) ** 2 + ((rows / high - 0.5) / 0.5) ** 2 < 1
    inside &= (rows + top >= 0) & (rows + top < height)
    inside &= (columns + left >= 0) & (columns + left < width)
    rows, columns = rows[inside] + top, columns[inside] + left
    nearest = far[rows, columns] > away - 0.1
    image[rows[nearest], columns[nearest]] = face[inside][nearest]


def render_body(
    poses: Sequence[Mapping[str, float]],
    path: str | Path,
    *,
    fps: float = 30.0,
    size: tuple[int, int] = (360, 480),
    noise: float = 1.5,
    seed: int = 0,
) -> Path:
    """Write a video of a figure, one pose a frame.

    Parameters
    ----------
    poses : sequence of mappings
        As for :func:`body_joints`.
    path : path
        The video.
    fps : float
        Frames a second.
    size : (int, int)
        Width and height in pixels.
    noise : float
        Standard deviation of the camera's noise, in grey levels.
    seed : int
        Of the noise.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> from bitbox.synthetic.body import render_body
    >>> poses = [{'left_shoulder_elevation': 3.0 * k} for k in range(30)]
    >>> render_body(poses, 'wave.mp4', size=(180, 240)).name
    'wave.mp4'
    """
    from bitbox.video import write_video

    random = np.random.default_rng(seed)
    images = (
        np.clip(draw_body(pose, size) + random.normal(0, noise, (size[1], size[0], 3)), 0, 255)
        for pose in poses
    )
    return write_video(path, (image.astype(np.uint8) for image in images), fps)
