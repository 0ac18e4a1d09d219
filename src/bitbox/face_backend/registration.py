"""Where a known face is: its rotation and place in space, from its mesh in the image.

The fit is a perspective one by Gauss-Newton, for many frames at once. What counts is where the
stable points are in the image. The mesh's own depth is less sure. It understates how much nearer
one side of a turned face is than the other (on rendered heads turned by 20 degrees it shows 15),
so the left-right difference of depth counts little. The up-down difference counts by a third: it
overstates nodding (by 10 to 20 % on rendered heads, more the closer the camera).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EYES = (33, 133, 263, 362)
_LEFT_RIGHT_DEPTH = 0.05  # weight of differences in depth between mirrored points
_UP_DOWN_DEPTH = 0.3  # weight of what is the same on both sides
_STEPS = 6  # Gauss-Newton steps; the last one moves by less than 1e-6 radians


def refine(
    rays: FloatArray,
    depth: FloatArray,
    start: tuple[FloatArray, FloatArray],
    face: FloatArray,
    stable: tuple[IntArray, IntArray],
) -> tuple[FloatArray, FloatArray]:
    """Fit rotation and translation of a known face to its mesh.

    Parameters
    ----------
    rays : ndarray, shape (T, 468, 3)
        Direction of each vertex as the camera sees it: pixels from the image's centre, and the
        focal length in pixels.
    depth : ndarray, shape (T, 468)
        Depth along the line of sight to the eyes, relative to them, in pixels.
    start : (ndarray (T, 3, 3), ndarray (T, 3))
        Rotation and translation (millimetres) to begin with.
    face : ndarray, shape (468, 3)
        The face in its own frame, millimetres.
    stable : (ndarray of int (V,), ndarray of int (V,))
        The vertices that are fitted, and for each of them the place in this list of the vertex
        on the other side of the face.

    Returns
    -------
    rotation : ndarray, shape (T, 3, 3)
    translation : ndarray, shape (T, 3)
        Millimetres, in the camera's frame.
    """
    vertices, twin = stable
    rotation, translation = start
    focal = rays[:, 0, 2]
    sight = rays[:, EYES].mean(axis=1)
    away = np.linalg.norm(sight, axis=1)
    sight = sight / away[:, None]
    seen = rays[:, vertices, :2]
    measured = _balanced(depth[:, vertices, None], twin)[..., 0]
    for _ in range(_STEPS):
        arm = face[vertices] @ rotation.swapaxes(1, 2)
        eyes = (face[list(EYES)] @ rotation.swapaxes(1, 2)).mean(axis=1)
        point = arm + translation[:, None]
        # how each point moves with the three turns and the three shifts
        moves = np.zeros((*arm.shape, 6))
        moves[..., :3] = -_cross(arm)
        moves[..., 3:] = np.eye(3)
        scale = focal[:, None, None] / point[..., 2:]
        image = point[..., :2] * scale
        j_image = scale[..., None] * moves[..., :2, :]
        j_image -= (image / point[..., 2:])[..., None] * moves[..., 2:3, :]
        distance = np.einsum("tc,tc->t", eyes + translation, sight)
        ahead = np.einsum("tvc,tc->tv", arm - eyes[:, None], sight) * (away / distance)[:, None]
        j_ahead = np.einsum("tvcj,tc->tvj", moves, sight)
        j_ahead[..., :3] -= np.einsum("tcj,tc->tj", -_cross(eyes), sight)[:, None]
        j_ahead[..., 3:] = 0
        j_ahead *= (away / distance)[:, None, None]
        j_ahead[..., 3:] -= ahead[..., None] * sight[:, None] / distance[:, None, None]
        jacobian = np.concatenate(
            [j_image.reshape(len(arm), -1, 6), _balanced(j_ahead, twin)], axis=1
        )
        left = np.concatenate(
            [
                (seen - image).reshape(len(arm), -1),
                measured - _balanced(ahead[..., None], twin)[..., 0],
            ],
            axis=1,
        )
        transposed = jacobian.swapaxes(1, 2)
        step = np.linalg.solve(transposed @ jacobian, transposed @ left[..., None])[..., 0]
        rotation = _turn(step[:, :3]) @ rotation
        translation = translation + step[:, 3:]
    return rotation, translation


def on_the_face(
    rays: FloatArray,
    depth: FloatArray,
    placed: tuple[FloatArray, FloatArray],
    face: FloatArray,
) -> FloatArray:
    """Return where the vertices are on the face, in its own frame.

    Each vertex is where its line of sight meets the plane, parallel to the face's own front, that
    the vertex lies in on the person's own face. So what it moves across the face is free
    of errors of the measured depth. What the measured depth says beyond that becomes movement
    forwards or backwards.

    Parameters
    ----------
    rays, depth : ndarray
        As for `refine`.
    placed : (ndarray (T, 3, 3), ndarray (T, 3))
        Rotation and translation of the face.
    face : ndarray, shape (468, 3)
        The person's own face in its own frame, millimetres.

    Returns
    -------
    ndarray, shape (T, 468, 3)
        Millimetres.
    """
    rotation, translation = placed
    direction = rays @ rotation
    origin = -np.einsum("tcd,tc->td", rotation, translation)
    # A face in profile has no front to be seen: its lines of sight run along the plane.
    facing = direction[..., 2]
    facing = np.where(facing > 0.2 * np.linalg.norm(direction, axis=2), facing, np.nan)
    length = (face[:, 2] - origin[:, 2:]) / facing
    shape = origin[:, None] + length[..., None] * direction
    sight = rays[:, EYES].mean(axis=1)
    away = np.linalg.norm(sight, axis=1)
    sight = sight / away[:, None]
    own_sight = np.einsum("tcd,tc->td", rotation, sight)
    in_space = face[list(EYES)].mean(axis=0) @ rotation.swapaxes(1, 2) + translation
    distance = np.einsum("tc,tc->t", in_space, sight)
    eyes = shape[:, EYES].mean(axis=1)
    ahead = np.einsum("tvd,td->tv", shape - eyes[:, None], own_sight)
    beyond = depth * (distance / away)[:, None] - ahead
    shape[..., 2] += beyond * own_sight[:, 2:]
    return np.asarray(shape)


def _balanced(values: FloatArray, twin: IntArray) -> FloatArray:
    """Weigh depths: what the two sides of the face share, and how they differ (second axis)."""
    other = values[:, twin]
    return _UP_DOWN_DEPTH * (values + other) / 2 + _LEFT_RIGHT_DEPTH * (values - other) / 2


def _cross(vectors: FloatArray) -> FloatArray:
    """Return the matrices that take the cross product with vectors, (..., 3, 3)."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _turn(vectors: FloatArray) -> FloatArray:
    """Return the rotations (T, 3, 3) about vectors (T, 3) by their length (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    cross = _cross(vectors)
    straight = np.sinc(angle / np.pi)
    bent = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    return np.asarray(np.eye(3) + straight * cross + bent * cross @ cross)
