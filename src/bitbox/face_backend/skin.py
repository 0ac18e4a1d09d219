"""What the skin and the head do, from how the tracked mesh is deformed. Arrays in, arrays out.

The deformation is the canonical shape of `bitbox.face_backend.geometry` less the person's own
neutral face, in millimetres, x to the subject's left, y down, z back. Both maps were learnt from
rendered people whose skin and head pose are known (``tools/learn_surface.py``).
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import InputError
from bitbox.face_backend.geometry import N_VERTICES, angles_of, rotation_matrix

__all__ = ["flattened", "head_pose", "learnt", "skin_movement"]

FloatArray = NDArray[np.float64]


def skin_movement(deformation: ArrayLike) -> FloatArray:
    """Return how the skin under the points of the mesh is displaced, from how the mesh is.

    Parameters
    ----------
    deformation : array_like, shape (T, 468, 3)
        Canonical shape less the person's neutral, millimetres. Frames with NaN give NaN.

    Returns
    -------
    ndarray, shape (T, 468, 3)
        Millimetres on a face of adult size.

    Raises
    ------
    InputError
        If the shape of the array is another one.

    Notes
    -----
    A tracked mesh falls back on the faces that its network was trained on: movements that are
    independent get lost in each other, and some places hardly move. What the skin does is a linear
    mixture of what all points do, learnt from rendered people whose skin is known
    (``tools/learn_surface.py``). Rigid movements of the whole face (shift, turn, size), which an
    imperfect head pose leaves, have no part in it.
    """
    reading, moving = learnt("surface_map")
    moved = (flattened(deformation) @ reading.T) @ moving
    return np.asarray(moved.reshape(-1, N_VERTICES, 3))


def head_pose(pose: ArrayLike, deformation: ArrayLike, tilt: float = 0.0) -> FloatArray:
    """Return head pose without what expression makes of it.

    Parameters
    ----------
    pose : array_like, shape (T, 6)
        As `bitbox.face_backend.geometry.canonicalize` gives it.
    deformation : array_like, shape (T, 468, 3)
        Of the same frames, millimetres.
    tilt : float, default 0.0
        By how much the person's face is tilted forward on the head, radians; it is taken off.

    Returns
    -------
    ndarray, shape (T, 6)
        The place is kept.

    Raises
    ------
    InputError
        If the shape of the deformation is another one.

    Notes
    -----
    The mesh's stable points are not quite still when the jaw drops or the brows rise, and a nod of
    the head is easily mistaken for that. How far the pose is turned by it shows in how the mesh is
    deformed.
    """
    pose = np.asarray(pose, dtype=np.float64)
    wrong = flattened(deformation) @ learnt("pose_map").T
    turned = rotation_matrix(pose[:, 3:]) @ rotation_matrix(wrong).swapaxes(1, 2)
    turned = turned @ rotation_matrix([-tilt, 0.0, 0.0])
    return np.concatenate([pose[:, :3], angles_of(turned)], axis=1)


@cache
def learnt(name: str) -> FloatArray:
    """Return weights that were learnt from rendered people, by the name of their file."""
    path = resources.files("bitbox.face_backend") / "data" / f"{name}.npy"
    with path.open("rb") as file:
        return np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)


def flattened(deformation: ArrayLike) -> FloatArray:
    """Return displacements (T, 468, 3) as (T, 1404), after a look at their shape."""
    array = np.asarray(deformation, dtype=np.float64)
    if array.ndim != 3 or array.shape[1:] != (N_VERTICES, 3):
        raise InputError(
            "The deformation has the wrong shape.",
            expected="(frames, 468, 3)",
            got=str(array.shape),
        )
    return array.reshape(len(array), 3 * N_VERTICES)
