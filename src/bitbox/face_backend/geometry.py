"""Head pose and identity taken out of a face mesh: arrays in, arrays out.

All functions take meshes over time and work on all frames at once. A row of NaN (a lost face)
gives a row of NaN. The axes are those of the camera, with the origin of the head midway between
the eyes: x to the right of the image (the subject's left), y down, z away from the camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import InputError, ParameterError
from bitbox.face_backend.registration import (
    EYES,
    lines_of_sight,
    on_the_face,
    refine,
    unproject,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

N_VERTICES = 468
VERTICAL_FOV = 63.0
#: Mesh vertex of each of the 51 iBUG landmarks 17..67, in order.
IBUG51: tuple[int, ...] = (
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),  # brows, from the image's left
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),  # nose
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91),  # lips, outside
    *(78, 82, 13, 312, 308, 317, 14, 87),  # lips, inside
)
#: Vertices that expressions hardly move, those of the subject's right side and the midline.
#: Brows, lids, cheeks, mouth and jaw are left out.
STABLE_RIGHT: tuple[int, ...] = (
    *(9, 10, 67, 69, 103, 104, 108, 109, 151),  # forehead
    *(21, 34, 54, 68, 71, 124, 127, 139, 143, 156, 162),  # temple
    *(34, 111, 127, 35, 227, 234, 143),  # beside the eye and in front of the ear
    *(33, 133),  # corners of the eye
    *(6, 8, 122, 168, 174, 188, 193, 245, 196, 197),  # bridge of the nose
    *(3, 5, 51, 134, 195, 198, 209, 217, 236, 248),  # side of the nose
)
#: Frames, and vertices, worked on at once, so that long recordings need little memory.
_CHUNK, _VERTICES = 250, 36


@dataclass(frozen=True)
class Canonical:
    """Head pose, and what is left of the face without it.

    Parameters
    ----------
    pose : ndarray, shape (T, 6)
        Tx, Ty, Tz in millimetres, Rx, Ry, Rz in radians.
    shape : ndarray, shape (T, 468, 3)
        The mesh in millimetres on the axes of the reference face, head pose and size removed;
        the person's own neutral is still in it.
    """

    pose: FloatArray
    shape: FloatArray

    def of(self, frames: IntArray, count: int) -> Canonical:
        """Return it as of these frames of a recording of so many; NaN in all others."""
        if len(frames) == count:
            return self
        pose = np.full((count, *self.pose.shape[1:]), np.nan)
        shape = np.full((count, *self.shape.shape[1:]), np.nan)
        pose[frames], shape[frames] = self.pose, self.shape
        return Canonical(pose, shape)


@cache
def _table() -> FloatArray:
    path = resources.files("bitbox.face_backend") / "data" / "reference_face.csv"
    with path.open("r", encoding="utf-8") as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1)
    table.setflags(write=False)
    return table


def reference_face() -> FloatArray:
    """Return the reference face (468, 3): symmetric, frontal, millimetres, eyes 63 mm apart."""
    return _table()[:, :3]


def mirror_vertices() -> IntArray:
    """Return for each of the 468 vertices its counterpart on the other side of the face."""
    return _table()[:, 3].astype(np.int64)


def _check_mesh(mesh: ArrayLike, name: str = "mesh") -> FloatArray:
    array = np.asarray(mesh)
    if array.ndim != 3 or array.shape[1] < N_VERTICES or array.shape[2] != 3:
        raise InputError(
            f"The face {name} has the wrong shape.",
            expected="(frames, 468 or 478 vertices, 3)",
            got=str(array.shape),
        )
    return array[:, :N_VERTICES]


def rectangle(mesh: ArrayLike) -> FloatArray:
    """Return the smallest upright rectangle around the face mesh.

    Parameters
    ----------
    mesh : array_like, shape (T, 468 or 478, 3)
        Pixels.

    Returns
    -------
    ndarray, shape (T, 4)
        x, y of the top left corner, width and height, in pixels. It may reach over the edge of
        the image.
    """
    xy = _check_mesh(mesh)[..., :2].astype(np.float64)
    low, high = xy.min(axis=1), xy.max(axis=1)
    return np.concatenate([low, high - low], axis=1)


def landmarks_2d(mesh: ArrayLike) -> FloatArray:
    """Return the 51 iBUG landmarks 17..67 in pixels.

    Parameters
    ----------
    mesh : array_like, shape (T, 468 or 478, 3)
        Pixels.

    Returns
    -------
    ndarray, shape (T, 102)
        Columns x0, y0, x1, y1, ...
    """
    points = _check_mesh(mesh)[:, list(IBUG51), :2].astype(np.float64)
    return points.reshape(len(points), 2 * len(IBUG51))


def canonicalize(
    mesh: ArrayLike,
    size: tuple[int, int],
    vertical_fov: float = VERTICAL_FOV,
    *,
    person: ArrayLike | None = None,
) -> Canonical:
    """Separate head pose from the shape of the face.

    To be called twice. At first nobody knows the person's face: the mesh is put back into space
    (a vertex seen at a pixel lies on the ray through that pixel, at a depth that follows from the
    mesh's own depth along the line of sight), and the reference face is turned, scaled and moved
    onto the points that expressions do not move (`STABLE_RIGHT` and their mirror images) by least
    squares (Umeyama 1991, "Least-squares estimation of transformation parameters between two point
    patterns", doi:10.1109/34.88573). The `neutral` of that is the person's own face. With it, the
    second call fits head pose by perspective, see `bitbox.face_backend.registration`, which turns
    out much better than the mesh's own depth allows.

    Parameters
    ----------
    mesh : array_like, shape (T, 468 or 478, 3)
        Pixels; z on the same scale as x, growing away from the camera.
    size : (int, int)
        Width and height of the image in pixels.
    vertical_fov : float, default 63.0
        The camera's vertical field of view in degrees.
    person : array_like, shape (468, 3), optional
        The person's own face, as `neutral` gives it from a first call on the same recording.

    Returns
    -------
    Canonical
        Pose and shape. Frames that hold a NaN give NaN; so do, in the shape of the second call,
        vertices seen along the face's own front, as in a profile.

    Raises
    ------
    InputError
        If the mesh has a wrong shape.
    ParameterError
        If the size is not positive, or the field of view not between 0 and 180 degrees.

    Notes
    -----
    A point of the head at h (millimetres, the head's own axes) is seen by the camera at
    ``R h + T`` with ``R = Rx(rx) Ry(ry) Rz(rz)``. Positive Rx is the head nodding down, positive
    Ry turning to the subject's right, positive Rz tilting to the subject's left shoulder.
    Distances assume that the face is of the reference face's (an adult's) size.
    """
    mesh = _check_mesh(mesh)
    width, height = size
    if not (width > 0 and height > 0):
        raise ParameterError(
            "The size of the image must be positive.", expected="(width, height)", got=str(size)
        )
    if not 0 < vertical_fov < 180:
        raise ParameterError(
            "The vertical field of view makes no sense.",
            expected="degrees between 0 and 180",
            got=str(vertical_fov),
        )
    focal = height / 2 / math.tan(math.radians(vertical_fov) / 2)
    pose = np.full((len(mesh), 6), np.nan)
    shape = np.full((len(mesh), N_VERTICES, 3), np.nan)
    own = None if person is None else _check_mesh(np.asarray(person)[None], "of the person")[0]
    seen = np.flatnonzero(np.isfinite(mesh).all(axis=(1, 2)))
    for first in range(0, len(seen), _CHUNK):
        part = seen[first : first + _CHUNK]
        points = mesh[part].astype(np.float64)
        which = np.arange(N_VERTICES) if own is None else _stable()[0]
        space = unproject(points, which, (width / 2, height / 2), focal)
        rotation, scale, shift = _register(space[:, _stable()[0]] if own is None else space)
        translation = shift / scale[:, None]
        if own is None:
            shape[part] = (space / scale[:, None, None] - translation[:, None]) @ rotation
        else:
            rays, depth = lines_of_sight(points, (width / 2, height / 2), focal)
            placed = refine(rays, depth, (rotation, translation), own, _stable())
            rotation, translation = placed
            shape[part] = on_the_face(rays, depth, placed, own)
        pose[part] = np.concatenate([translation, angles_of(rotation)], axis=1)
    return Canonical(pose, shape)


def rigid_face(mesh: ArrayLike) -> FloatArray:
    """Return the reference face where a mesh's stable points are: the mesh without expression.

    Parameters
    ----------
    mesh : array_like, shape (T, 468 or 478, 3)
        Pixels, without missing values.

    Returns
    -------
    ndarray, shape (T, 468, 3)
        The reference face turned, scaled and moved, in pixels. No perspective.
    """
    rotation, scale, shift = _register(_check_mesh(mesh)[:, _stable()[0]].astype(np.float64))
    turned = reference_face() @ rotation.swapaxes(1, 2)
    return np.asarray(scale[:, None, None] * turned + shift[:, None])


def misshapen(mesh: ArrayLike, rigid: FloatArray | None = None) -> FloatArray:
    """Return how far a mesh is from the shape of any face.

    Parameters
    ----------
    mesh : array_like, shape (T, 468 or 478, 3)
        Pixels, without missing values.
    rigid : ndarray, shape (T, 468, 3), optional
        What `rigid_face` gives for it, where that is known already.

    Returns
    -------
    ndarray, shape (T,)
        Root mean square distance of its points from the reference face, put where the mesh's stable
        points are (`rigid_face`), in distances between the outer corners of that face's eyes.
    """
    points = _check_mesh(mesh)
    rigid = rigid_face(points) if rigid is None else rigid
    away, eyes = points - rigid, rigid[:, EYES[0]] - rigid[:, EYES[2]]
    square = np.einsum("tvc,tvc->t", away, away) / (N_VERTICES * np.einsum("tc,tc->t", eyes, eyes))
    return np.asarray(np.sqrt(square))


@cache
def _stable() -> tuple[IntArray, IntArray]:
    """Return the stable vertices of both sides, and for each the place of its twin among them."""
    mirror = mirror_vertices()
    right = np.array(STABLE_RIGHT)
    vertices = np.unique(np.concatenate([right, mirror[right]]))
    return vertices, np.searchsorted(vertices, mirror[vertices])


def _register(target: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rotation (T,3,3), scale (T,) and shift (T,3) from the reference face to a face.

    Given are the stable vertices of the face, (T, V, 3).
    """
    source, source_mean, size = _stable_reference()
    target_mean = target.mean(axis=1)
    covariance = target.swapaxes(1, 2) @ source
    u, s, vt = np.linalg.svd(covariance)
    rotation = u @ vt
    mirrored = np.linalg.det(rotation) < 0
    if mirrored.any():  # a reflection is not a rotation
        s[mirrored, 2] *= -1
        u[mirrored, :, 2] *= -1
        rotation = u @ vt
    scale = s.sum(axis=1) / size
    shift = target_mean - scale[:, None] * (rotation @ source_mean)
    return rotation, scale, shift


@cache
def _stable_reference() -> tuple[FloatArray, FloatArray, float]:
    """Return the reference face's stable vertices about their mean, that, and their size."""
    source = reference_face()[_stable()[0]]
    mean = source.mean(axis=0)
    source = source - mean
    return source, mean, float((source**2).sum())


def angles_of(rotation: FloatArray) -> FloatArray:
    """Return rx, ry, rz (T, 3), in radians, of rotations ``Rx(rx) Ry(ry) Rz(rz)`` (T, 3, 3)."""
    # side by side: of strided columns arctan2's last bit depends on where in memory they lie
    flat = np.ascontiguousarray(rotation.reshape(-1, 9).T)
    rx = np.arctan2(-flat[5], flat[8])
    ry = np.arcsin(np.clip(flat[2], -1, 1))
    rz = np.arctan2(-flat[1], flat[0])
    return np.stack([rx, ry, rz], axis=1)


def rotation_matrix(angles: ArrayLike) -> FloatArray:
    """Return ``Rx(rx) Ry(ry) Rz(rz)``, the inverse of what `canonicalize` reports.

    Parameters
    ----------
    angles : array_like, shape (..., 3)
        Rx, Ry, Rz in radians.

    Returns
    -------
    ndarray, shape (..., 3, 3)
    """
    angles = np.asarray(angles, dtype=np.float64)
    (cx, cy, cz), (sx, sy, sz) = (
        np.moveaxis(np.cos(angles), -1, 0),
        np.moveaxis(np.sin(angles), -1, 0),
    )
    rows = [
        [cy * cz, -cy * sz, sy],
        [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
        [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def neutral(shape: ArrayLike) -> FloatArray:
    """Return a person's neutral face: the median of each coordinate over time.

    Parameters
    ----------
    shape : array_like, shape (T, 468, 3)
        As `canonicalize` gives it; frames of NaN are left out.

    Returns
    -------
    ndarray, shape (468, 3)

    Raises
    ------
    InputError
        If there is no frame with a face.

    Notes
    -----
    The median is the face that the person wears, whatever happens in less than half of the
    frames. In a recording that is mostly expression it is that expression.
    """
    array = _check_mesh(shape, "shape")
    seen = np.isfinite(array).all(axis=(1, 2))
    if not seen.any():
        raise InputError(
            "There is no frame with a face, so no neutral face can be found.",
            expected="at least one frame without missing values",
            got=f"{len(array)} frames, all missing",
        )
    some = range(0, N_VERTICES, _VERTICES)  # a median takes a copy of what it is of
    medians = [np.median(array[seen, first : first + _VERTICES], axis=0) for first in some]
    return np.asarray(np.concatenate(medians), dtype=np.float64)


def landmarks_3d(deformation: ArrayLike) -> FloatArray:
    """Return the 51 iBUG landmarks on the reference face, moved by a deformation.

    Parameters
    ----------
    deformation : array_like, shape (T, 468, 3)
        Shape minus the person's neutral, millimetres.

    Returns
    -------
    ndarray, shape (T, 153)
        Millimetres, columns x0, y0, z0, x1, ...
    """
    index = list(IBUG51)
    moved = _check_mesh(deformation, "deformation")[:, index] + reference_face()[index]
    return moved.reshape(len(moved), 3 * len(index))
