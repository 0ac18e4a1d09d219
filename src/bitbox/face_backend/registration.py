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


def lines_of_sight(
    mesh: FloatArray, centre: tuple[float, float], focal: float
) -> tuple[FloatArray, FloatArray]:
    """Return the rays to all vertices, and their depths relative to the eyes."""
    rays = np.empty_like(mesh)
    rays[..., :2] = mesh[..., :2] - centre
    rays[..., 2] = focal
    return rays, mesh[..., 2] - mesh[:, EYES, 2].mean(axis=1)[:, None]


def unproject(
    mesh: FloatArray, which: IntArray, centre: tuple[float, float], focal: float
) -> FloatArray:
    """Put some vertices into space, in units in which the eyes are one focal length away.

    The mesh's depth is that of a face looked at straight: it grows along the line of sight to the
    face, not along the camera's axis. So the vertices are placed in a frame that looks at the
    face (as a camera turned to it would see it) and turned back into the camera's.
    """
    eyes = mesh[:, EYES].mean(axis=1)
    sight = np.concatenate([eyes[:, :2] - centre, np.full((len(eyes), 1), focal)], axis=1)
    away = np.linalg.norm(sight, axis=1)  # focal length of the camera turned to the face
    turn = _turn_to(sight / away[:, None])
    wanted = mesh[:, which]
    rays = np.empty_like(wanted)
    rays[..., :2] = wanted[..., :2] - centre
    rays[..., 2] = focal
    rays = rays @ turn
    depth = away[:, None] + wanted[..., 2] - eyes[:, 2:]
    points: FloatArray = rays * (depth / rays[..., 2])[..., None]
    return points @ turn.swapaxes(1, 2)


def _turn_to(sight: FloatArray) -> FloatArray:
    """Return the smallest rotations (T,3,3) that take the camera's axis to unit vectors (T,3)."""
    x, y, z = sight.T
    bend = 1 / (1 + z)
    rows = [
        [1 - bend * x * x, -bend * x * y, x],
        [-bend * x * y, 1 - bend * y * y, y],
        [-x, -y, z],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


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
    focal = rays[:, 0, 2, None]
    sight = rays[:, EYES].mean(axis=1)
    away = np.linalg.norm(sight, axis=1)
    sight = sight / away[:, None]
    seen = np.ascontiguousarray(rays[:, vertices, :2].swapaxes(1, 2))
    wanted = np.concatenate([seen, _balanced(depth[:, None, vertices], twin)], axis=1)
    for _ in range(_STEPS):
        arm = rotation @ face[vertices].T
        eyes = (rotation @ face[list(EYES)].T).mean(axis=2)
        distance = np.einsum("tc,tc->t", eyes + translation, sight)
        ratio = (away / distance)[:, None]
        image, j_image = _in_the_image(arm, translation, focal)
        ahead = ratio * ((sight[:, None] @ arm)[:, 0] - np.einsum("tc,tc->t", sight, eyes)[:, None])
        # how far ahead of the eyes each point moves with the three turns and the three shifts
        j_ahead = np.empty((len(arm), 6, len(vertices)))
        j_ahead[:, :3] = ratio[..., None] * _crossed(arm - eyes[..., None], sight[..., None])
        j_ahead[:, 3:] = -ahead[:, None] * (sight / distance[:, None])[..., None]
        found = np.concatenate([image, _balanced(ahead[:, None], twin)], axis=1)
        jacobian = np.concatenate([j_image, _balanced(j_ahead, twin)], axis=2)
        left = (wanted - found).reshape(len(arm), -1, 1)
        step = np.linalg.solve(jacobian @ jacobian.swapaxes(1, 2), jacobian @ left)[..., 0]
        rotation = _turn(step[:, :3]) @ rotation
        translation = translation + step[:, 3:]
    return rotation, translation


def _in_the_image(
    arm: FloatArray, translation: FloatArray, focal: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return where points are in the image, and how that changes as the face moves.

    Parameters
    ----------
    arm : ndarray, shape (T, 3, V)
        The points, turned but not shifted, millimetres.
    translation : ndarray, shape (T, 3)
        What they are shifted by.
    focal : ndarray, shape (T, 1)
        Pixels.

    Returns
    -------
    image : ndarray, shape (T, 2, V)
        Pixels.
    change : ndarray, shape (T, 6, 2 V)
        By the three turns and the three shifts: of all x, then of all y.
    """
    x, y, z = arm.swapaxes(0, 1)
    across, down, ahead = (arm + translation[..., None]).swapaxes(0, 1)
    scale = focal / ahead
    across, down = across / ahead, down / ahead
    zero = np.zeros_like(x)
    by_x = [-across * y, z + across * x, -y, zero + 1, zero, -across]
    by_y = [-z - down * y, down * x, x, zero, zero + 1, -down]
    change = np.concatenate([np.stack(by_x, axis=1), np.stack(by_y, axis=1)], axis=2)
    change *= np.concatenate([scale, scale], axis=1)[:, None]
    return np.stack([across, down], axis=1) * focal[..., None], change


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
    """Weigh depths: what the two sides of the face share, and how they differ (last axis)."""
    same, other = (_UP_DOWN_DEPTH + _LEFT_RIGHT_DEPTH) / 2, (_UP_DOWN_DEPTH - _LEFT_RIGHT_DEPTH) / 2
    return same * values + other * values[..., twin]


def _crossed(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the cross product of vectors along the second axis."""
    (x, y, z), (u, v, w) = a.swapaxes(0, 1), b.swapaxes(0, 1)
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=1)


def _cross(vectors: FloatArray) -> FloatArray:
    """Return the matrices that take the cross product with vectors, (T, 3, 3)."""
    x, y, z = vectors.T
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
