"""What a hand does: how far each finger is bent, how far they are spread, and the wrist.

Axes of a hand: `along`, from the wrist to the middle finger's knuckle; `thumb`, square to it in the
palm, towards the thumb; and `palm`, out of the palm. So right and left hands are measured alike.
Flexion is towards the palm and deviation towards the thumb, as the International Society of
Biomechanics has it (Wu et al. 2005, J. Biomechanics 38, 981).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FINGERS = ("thumb", "index", "middle", "ring", "little")
SIDES = ("left", "right")
#: What is measured of each hand.
MEANINGS: dict[str, str] = {
    "thumb_flexion": "its two joints together, 0 straight",
    **{
        f"{finger}_flexion": "its three joints together, 0 straight, positive towards the palm"
        for finger in FINGERS[1:]
    },
    "spread": "index from little finger, in the palm; missing where either is bent by more than "
    "60 degrees at the knuckle",
    "wrist_flexion": "hand from the forearm, positive towards the palm",
    "wrist_deviation": "hand from the forearm, positive towards the thumb",
}
HAND_NAMES: tuple[str, ...] = tuple(f"{side}_{name}" for side in SIDES for name in MEANINGS)

_WRIST = 0
_KNUCKLES = (5, 9, 13, 17)  # of index, middle, ring and little finger
_BACK = np.pi / 2  # no joint of a finger bends further towards the back of the hand
_CLEARLY = 0.2  # of the palm's length, four fingers together
_MOST_BENT = 0.5  # cosine of how far a finger may be bent for the spread to be seen


def hand_angles(points: FloatArray, forearm: FloatArray, side: int) -> FloatArray:
    """Return flexions of thumb and fingers, spread, and flexion and deviation of the wrist.

    Parameters
    ----------
    points : ndarray, shape (T, 21, 3)
        A hand's points in any unit: x to the right of the picture, y down, z away from the camera;
        NaN where it is not seen.
    forearm : ndarray, shape (T, 3)
        From the elbow to the wrist, in the same axes; NaN where that is not known.
    side : {0, 1}
        Left or right.

    Returns
    -------
    ndarray, shape (T, 8)
        Radians, in the order of `MEANINGS`.

    Notes
    -----
    The back of a left hand looks like the palm of a right one, and one picture leaves open which of
    the two it shows. Fingers bend towards the palm; where they would bend away from it, the depth
    that the model guessed is turned round.
    """
    points = points * np.where(_bends_back(points, side), [[1.0, 1.0, -1.0]], 1.0)[:, None]
    axes = _axes(points, side)
    flexions = [_thumb(points), *(_finger(points, axes, knuckle) for knuckle in _KNUCKLES)]
    return np.stack([*flexions, _spread(points, axes), *_wrist(axes, forearm)], axis=1)


def _axes(points: FloatArray, side: int) -> FloatArray:
    """Return along, thumb and palm of a hand, each a unit vector: shape (T, 3, 3)."""
    along = _unit(points[:, _KNUCKLES[1]] - points[:, _WRIST])
    across = points[:, _KNUCKLES[0]] - points[:, _KNUCKLES[3]]
    thumb = _unit(across - (across * along).sum(axis=1, keepdims=True) * along)
    palm = np.cross(thumb, along) if side == 1 else np.cross(along, thumb)
    return np.stack([along, thumb, palm], axis=1)


def _bends_back(points: FloatArray, side: int) -> NDArray[np.bool_]:
    """Return where the tips of the fingers are clearly behind the back of the hand, (T, 1)."""
    axes = _axes(points, side)
    ahead = sum(_in(axes, points[:, k + 3] - points[:, k])[2] for k in _KNUCKLES)
    with np.errstate(invalid="ignore"):
        return np.asarray(ahead < -_CLEARLY * _length(points))[:, None]


def _length(points: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(points[:, _KNUCKLES[1]] - points[:, _WRIST], axis=1))


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, np.nan))


def _in(axes: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return the parts of vectors (T, 3) along the axes of a hand, (3, T).

    Each part lies side by side: of strided ones the last bit of arctan2 depends on where in memory
    they lie.
    """
    return np.ascontiguousarray(np.einsum("tak,tk->at", axes, vectors))


def _segments(points: FloatArray, knuckle: int) -> Iterator[FloatArray]:
    """Yield the bone of the palm and the three of a finger, from the wrist outward."""
    chain = (_WRIST, knuckle, knuckle + 1, knuckle + 2, knuckle + 3)
    for start, end in pairwise(chain):
        yield points[:, end] - points[:, start]


def _finger(points: FloatArray, axes: FloatArray, knuckle: int) -> FloatArray:
    bent = np.zeros(len(points))
    before: FloatArray | None = None
    for bone in _segments(points, knuckle):
        along, _, palm = _in(axes, bone)
        heading = np.arctan2(palm, along)
        if before is not None:
            bent += (heading - before + _BACK) % (2 * np.pi) - _BACK
        before = heading
    return bent


def _thumb(points: FloatArray) -> FloatArray:
    bones = [points[:, k + 1] - points[:, k] for k in (1, 2, 3)]
    return _angle(bones[0], bones[1]) + _angle(bones[1], bones[2])


def _angle(one: FloatArray, other: FloatArray) -> FloatArray:
    across = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.asarray(np.arctan2(across, (one * other).sum(axis=-1)))


def _spread(points: FloatArray, axes: FloatArray) -> FloatArray:
    headings = []
    for knuckle in (_KNUCKLES[0], _KNUCKLES[3]):
        along, thumb, palm = _in(axes, points[:, knuckle + 1] - points[:, knuckle])
        flat = np.hypot(along, thumb)
        with np.errstate(invalid="ignore"):
            seen = (along > 0) & (flat >= _MOST_BENT * np.hypot(flat, palm))
        headings.append(np.where(seen, np.arctan2(thumb, along), np.nan))
    return np.asarray(headings[0] - headings[1])


def _wrist(axes: FloatArray, forearm: FloatArray) -> tuple[FloatArray, FloatArray]:
    along, thumb, palm = _in(axes, forearm)
    return np.arctan2(-palm, along), np.arctan2(-thumb, np.hypot(along, palm))
