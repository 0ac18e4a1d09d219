"""Joint angles, with their anatomical definitions.

They follow the conventions of the International Society of Biomechanics where one camera allows
(Wu et al. 2002, 2005, J. Biomechanics 35, 543 and 38, 981): trunk and neck bend positively to the
subject's right and turn positively to the left; an arm has a plane of elevation (0 sideways, 90
degrees forward) and an elevation. Flexion is positive everywhere, as clinicians count it (for the
trunk, neck and knee ISB counts extension).

Axes of a body: `left`, `up` and `front`, the last being left x up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.skeleton import (
    ANKLES,
    EARS,
    ELBOWS,
    HEELS,
    HIPS,
    INDEX,
    KNEES,
    LITTLE,
    NOSE,
    SHOULDERS,
    TOES,
    WRISTS,
)

FloatArray = NDArray[np.float64]

#: An arm that hangs (or points straight up) within this of vertical has no plane of elevation.
_NO_PLANE = np.radians(20.0)
#: Planes of elevation run from here on, behind the back, for one turn.
_FIRST_PLANE = np.radians(-135.0)
_UP = np.array([0.0, -1.0, 0.0])
_ACROSS = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True)
class Axes:
    """Unit vectors, shape (T, 3) each."""

    left: FloatArray
    up: FloatArray
    front: FloatArray


@dataclass(frozen=True)
class Angle:
    """One angle: its name and what it is.

    Attributes
    ----------
    name : str
    meaning : str
        From where to where it is measured, and what is positive.
    measure : callable
        Takes the joints (T, 33, 3) to radians (T,).
    """

    name: str
    meaning: str
    measure: Callable[[FloatArray], FloatArray]


def angles_of(points: FloatArray) -> FloatArray:
    """Return all angles in radians, shape (T, 24).

    Parameters
    ----------
    points : ndarray, shape (T, 33, 3)
        Joints in any unit: x to the right of the picture, y down, z away from the camera. NaN where
        one is not seen; what needs it is NaN.
    """
    return np.stack([angle.measure(points) for angle in ANGLES], axis=1)


def trunk_axes(points: FloatArray) -> Axes:
    """Return the axes of the trunk: up along it, left along shoulders and hips."""
    across = _between(points, HIPS[1], HIPS[0]) + _between(points, SHOULDERS[1], SHOULDERS[0])
    return _axes(across, _trunk(points))


def middle(points: FloatArray, pair: tuple[int, int]) -> FloatArray:
    """Return what is midway between two joints."""
    return np.asarray((points[:, pair[0]] + points[:, pair[1]]) / 2)


def _between(points: FloatArray, start: int, end: int) -> FloatArray:
    return np.asarray(points[:, end] - points[:, start])


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, np.nan))


def _dot(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.asarray((one * other).sum(axis=-1))


def _axes(across: FloatArray, along: FloatArray) -> Axes:
    up = _unit(along)
    left = _unit(across - _dot(across, up)[:, None] * up)
    return Axes(left, up, np.cross(left, up))


def _trunk(points: FloatArray) -> FloatArray:
    return middle(points, SHOULDERS) - middle(points, HIPS)


def _angle(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the angle between two vectors, 0 to pi."""
    across = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.arctan2(across, _dot(one, other))


def _upright(points: FloatArray) -> Axes:
    """Return the axes of somebody who stands as the hips do: up is that of the picture."""
    across = _between(points, HIPS[1], HIPS[0])
    return _axes(across, np.broadcast_to(_UP, across.shape))


def _trunk_lean(points: FloatArray) -> FloatArray:
    stand, trunk = _upright(points), _trunk(points)
    return np.arctan2(_dot(trunk, stand.front), _dot(trunk, stand.up))


def _trunk_bend(points: FloatArray) -> FloatArray:
    stand, trunk = _upright(points), _trunk(points)
    return np.arctan2(-_dot(trunk, stand.left), _dot(trunk, stand.up))


def _turn(pair: tuple[int, int]) -> Callable[[FloatArray], FloatArray]:
    """Return what measures how a line of two joints is turned against the picture."""

    def measure(points: FloatArray) -> FloatArray:
        across = _between(points, pair[1], pair[0])
        # side by side: of strided columns the last bit depends on where in memory they lie
        return np.arctan2(across[:, 2].copy(), across[:, 0].copy())

    return measure


def _trunk_turn(points: FloatArray) -> FloatArray:
    hips = _axes(_between(points, HIPS[1], HIPS[0]), _trunk(points))
    shoulders = _axes(_between(points, SHOULDERS[1], SHOULDERS[0]), _trunk(points))
    sine = _dot(np.cross(hips.left, shoulders.left), hips.up)
    return np.arctan2(sine, _dot(hips.left, shoulders.left))


def _thorax(points: FloatArray) -> Axes:
    return _axes(_between(points, SHOULDERS[1], SHOULDERS[0]), _trunk(points))


def _gaze(points: FloatArray) -> FloatArray:
    return np.asarray(points[:, NOSE] - middle(points, EARS))


def _neck_flexion(points: FloatArray) -> FloatArray:
    thorax, gaze = _thorax(points), _gaze(points)
    level = np.hypot(_dot(gaze, thorax.front), _dot(gaze, thorax.left))
    return np.arctan2(-_dot(gaze, thorax.up), level)


def _neck_bend(points: FloatArray) -> FloatArray:
    thorax, ears = _thorax(points), _between(points, EARS[1], EARS[0])
    return np.arctan2(
        _dot(ears, thorax.up), np.hypot(_dot(ears, thorax.left), _dot(ears, thorax.front))
    )


def _neck_turn(points: FloatArray) -> FloatArray:
    thorax, gaze = _thorax(points), _gaze(points)
    return np.arctan2(_dot(gaze, thorax.left), _dot(gaze, thorax.front))


def _outward(axes: Axes, side: int) -> FloatArray:
    return axes.left if side == 0 else -axes.left


def _elevation(side: int) -> Callable[[FloatArray], FloatArray]:
    def measure(points: FloatArray) -> FloatArray:
        return _angle(_between(points, SHOULDERS[side], ELBOWS[side]), -_thorax(points).up)

    return measure


def _plane(side: int) -> Callable[[FloatArray], FloatArray]:
    def measure(points: FloatArray) -> FloatArray:
        thorax = _thorax(points)
        arm = _unit(_between(points, SHOULDERS[side], ELBOWS[side]))
        front, out = _dot(arm, thorax.front), _dot(arm, _outward(thorax, side))
        plane = (np.arctan2(front, out) - _FIRST_PLANE) % (2 * np.pi) + _FIRST_PLANE
        with np.errstate(invalid="ignore"):
            return np.where(np.hypot(front, out) >= np.sin(_NO_PLANE), plane, np.nan)

    return measure


def _bent(first: int, joint: int, last: int) -> Callable[[FloatArray], FloatArray]:
    """Return what measures how far a joint is from straight."""

    def measure(points: FloatArray) -> FloatArray:
        return _angle(_between(points, first, joint), _between(points, joint, last))

    return measure


def _wrist(side: int) -> Callable[[FloatArray], FloatArray]:
    def measure(points: FloatArray) -> FloatArray:
        forearm = _between(points, ELBOWS[side], WRISTS[side])
        hand = middle(points, (INDEX[side], LITTLE[side])) - points[:, WRISTS[side]]
        return _angle(forearm, hand)

    return measure


def _pelvis(points: FloatArray) -> Axes:
    return _axes(_between(points, HIPS[1], HIPS[0]), _trunk(points))


def _hip_flexion(side: int) -> Callable[[FloatArray], FloatArray]:
    def measure(points: FloatArray) -> FloatArray:
        pelvis, thigh = _pelvis(points), _between(points, HIPS[side], KNEES[side])
        return np.arctan2(_dot(thigh, pelvis.front), -_dot(thigh, pelvis.up))

    return measure


def _hip_abduction(side: int) -> Callable[[FloatArray], FloatArray]:
    def measure(points: FloatArray) -> FloatArray:
        pelvis, thigh = _pelvis(points), _between(points, HIPS[side], KNEES[side])
        down = np.hypot(_dot(thigh, pelvis.front), _dot(thigh, pelvis.up))
        return np.arctan2(_dot(thigh, _outward(pelvis, side)), down)

    return measure


def _dorsiflexion(side: int) -> Callable[[FloatArray], FloatArray]:
    def measure(points: FloatArray) -> FloatArray:
        shank = _between(points, ANKLES[side], KNEES[side])
        return np.pi / 2 - _angle(shank, _between(points, HEELS[side], TOES[side]))

    return measure


def _of_side(side: int) -> tuple[Angle, ...]:
    name = ("left", "right")[side]
    shoulder, elbow, wrist = SHOULDERS[side], ELBOWS[side], WRISTS[side]
    hip, knee, ankle = HIPS[side], KNEES[side], ANKLES[side]
    return (
        Angle(
            f"{name}_shoulder_elevation",
            "upper arm from the trunk: 0 hanging, 90 degrees level, 180 straight up",
            _elevation(side),
        ),
        Angle(
            f"{name}_shoulder_plane",
            "plane in which the arm is raised: 0 sideways, 90 degrees forward; missing where the "
            "arm is within 20 degrees of hanging or of straight up",
            _plane(side),
        ),
        Angle(f"{name}_elbow_flexion", "0 straight", _bent(shoulder, elbow, wrist)),
        Angle(f"{name}_wrist_bend", "hand from the forearm, in any direction", _wrist(side)),
        Angle(
            f"{name}_hip_flexion",
            "thigh from the trunk: 0 in line with it, positive forward",
            _hip_flexion(side),
        ),
        Angle(
            f"{name}_hip_abduction",
            "thigh sideways from the trunk, positive outward",
            _hip_abduction(side),
        ),
        Angle(f"{name}_knee_flexion", "0 straight", _bent(hip, knee, ankle)),
        Angle(
            f"{name}_ankle_dorsiflexion",
            "foot from square to the shank, positive toes up",
            _dorsiflexion(side),
        ),
    )


ANGLES: tuple[Angle, ...] = (
    Angle("trunk_lean", "trunk from upright, positive forward", _trunk_lean),
    Angle("trunk_bend", "trunk from upright, positive to the right", _trunk_bend),
    Angle("trunk_turn", "shoulders against the hips, positive to the left", _trunk_turn),
    Angle("hips_turn", "hips from facing the camera, positive to the left", _turn(HIPS)),
    Angle(
        "shoulders_turn", "shoulders from facing the camera, positive to the left", _turn(SHOULDERS)
    ),
    Angle(
        "neck_flexion",
        "line from the ears to the nose against the trunk, positive down; not 0 at rest",
        _neck_flexion,
    ),
    Angle("neck_bend", "head against the trunk, positive to the right", _neck_bend),
    Angle("neck_turn", "head against the shoulders, positive to the left", _neck_turn),
    *_of_side(0),
    *_of_side(1),
)
ANGLE_NAMES = tuple(angle.name for angle in ANGLES)
