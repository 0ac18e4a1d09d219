"""Glasses: rims, a bridge and temples as tubes, and lenses that reflect the light."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]

_AROUND = 8  # corners of a tube's cross section
_STEPS = 28  # corners of a rim


class Glasses(NamedTuple):
    """What is put on a face at rest; it goes along with the head.

    Attributes
    ----------
    places : ndarray, shape (n, 3)
        Millimetres.
    frame : ndarray of int32, shape (m, 3)
        Triangles of the frame.
    lenses : ndarray of int32, shape (l, 3)
        Triangles of the lenses.
    """

    places: FloatArray
    frame: NDArray[np.int32]
    lenses: NDArray[np.int32]


def glasses_for(face: Float32, eyes: FloatArray, seed: int) -> Glasses:
    """Return glasses that sit on a face at rest (vertices (k, 3), centres of the eyes (2, 3))."""
    random = np.random.default_rng(seed + 60)
    wide = float(np.abs(eyes[0, 0] - eyes[1, 0])) / 60
    half = np.array([24.0, 17.5 + 3 * random.random()]) * wide
    square = random.uniform(2.2, 4.0)
    thick = random.uniform(1.0, 1.9)
    places: list[FloatArray] = []
    frame: list[NDArray[np.int64]] = []
    lenses: list[NDArray[np.int64]] = []
    near = np.abs(np.abs(face[:, 0]) - abs(eyes[0, 0])) < half[0]
    near &= (np.abs(face[:, 1]) < half[1] + 4) & (np.abs(face[:, 0]) > 10)
    front = float(face[near, 2].min()) - 3.0
    corner = []

    def add(
        points: FloatArray, triangles: NDArray[np.int64], into: list[NDArray[np.int64]]
    ) -> None:
        into.append(triangles + sum(len(some) for some in places))
        places.append(points)

    for eye in eyes:
        angle = np.linspace(0, 2 * np.pi, _STEPS, endpoint=False)
        cos, sin = np.cos(angle), np.sin(angle)
        middle = np.array([eye[0] * 1.06, eye[1] + 2.0])
        x = middle[0] + half[0] * np.sign(cos) * np.abs(cos) ** (2 / square)
        y = middle[1] + half[1] * np.sign(sin) * np.abs(sin) ** (2 / square)
        z = front + 0.0035 * (x**2) / wide - 1.0
        rim = np.column_stack([x, y, z])
        add(*_tube(np.vstack([rim, rim[:1]]), thick), frame)
        centre = rim.mean(axis=0) - (0, 0, 1.5)
        fan = np.array([[_STEPS, k, (k + 1) % _STEPS] for k in range(_STEPS)])
        add(np.vstack([rim, centre]), fan, lenses)
        side = np.sign(eye[0])
        outer = rim[np.argmax(side * rim[:, 0] - 0.3 * rim[:, 1])]
        at_ear = np.abs(face[(np.abs(face[:, 1]) < 15), 0]).max() - 6
        temple = [
            outer,
            outer + np.array([2 * side, 0, 5]),
            np.array([side * at_ear, outer[1] + 2, 75.0]),
        ]
        add(*_tube(np.array(temple), thick), frame)
        corner.append(rim[np.argmin(side * rim[:, 0] + 0.4 * rim[:, 1])])
    bridge = np.array([corner[0], (corner[0] + corner[1]) / 2 - (0, 2.0, 2.0), corner[1]])
    add(*_tube(bridge, thick), frame)
    return Glasses(
        np.concatenate(places),
        np.concatenate(frame).astype(np.int32),
        np.concatenate(lenses).astype(np.int32),
    )


def _tube(line: FloatArray, radius: float) -> tuple[FloatArray, NDArray[np.int64]]:
    ahead = np.gradient(line, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    helper = np.where(np.abs(ahead[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    one = np.cross(ahead, helper)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    two = np.cross(ahead, one)
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)[:, None, None]
    points = line + radius * (np.cos(angle) * one + np.sin(angle) * two)
    points = points.transpose(1, 0, 2).reshape(-1, 3)
    found = []
    for k in range(len(line) - 1):
        for j in range(_AROUND):
            a, b = k * _AROUND + j, k * _AROUND + (j + 1) % _AROUND
            found += [[a, a + _AROUND, b], [b, a + _AROUND, b + _AROUND]]
    return points, np.array(found)
