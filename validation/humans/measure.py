"""What the tracker measures in a film of a rendered person, put beside the truth.

Each of the 468 points of the tracked mesh sits somewhere on the person's true skin. Where, is found
in the film's beginning, in which everybody is at rest: along the line of sight to the point, on the
skin at rest.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from validation.humans.body import ACTIONS
from validation.humans.films import Truth
from validation.humans.performance import REST

from bitbox.face_backend import geometry
from bitbox.face_backend.geometry import N_VERTICES, rotation_matrix
from bitbox.face_backend.mesh_track import MeshTrack

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: Points of the tracked mesh on the inner edge of each lip, and on the edges of the lids.
UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
UPPER_LIDS = (246, 161, 160, 159, 158, 157, 173, 466, 388, 387, 386, 385, 384, 398)
LOWER_LIDS = (7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382)


class Points(NamedTuple):
    """Where the tracked points sit on a person's skin.

    Attributes
    ----------
    triangle : ndarray of int32, shape (468,)
    weights : ndarray of float32, shape (468, 3)
        Of the triangle's corners.
    miss : ndarray of float32, shape (468,)
        Pixels from where the point is seen to the skin that it is put on.
    """

    triangle: NDArray[np.int32]
    weights: Float32
    miss: Float32

    def on(self, values: Float32, triangles: NDArray[np.int32]) -> Float32:
        """Return values of the skin's vertices (..., n, 3) at the points (..., 468, 3)."""
        corners = values[..., triangles[self.triangle], :]
        return np.asarray((corners * self.weights[:, :, None]).sum(axis=-2), dtype=np.float32)


class Tracked(NamedTuple):
    """What the tracker says about a film.

    Attributes
    ----------
    raw, refined : MeshTrack
        Before and after the mesh is fitted to the picture's texture.
    textures : ndarray of uint8, shape (T, pixels of the chart)
    """

    raw: MeshTrack
    refined: MeshTrack
    textures: NDArray[np.uint8]


def track(path: Path) -> Tracked:
    """Track the face in a film, as the project does, and keep what it does on the way."""
    from bitbox.face_backend import mediapipe, refinement

    kept: dict[str, NDArray[np.generic]] = {}
    fitted = refinement.refined

    def keep(
        mesh: Float32, textures: NDArray[np.uint8], folder: Path | None = None
    ) -> tuple[Float32, Float32]:
        kept["mesh"], kept["textures"] = np.array(mesh), np.array(textures)
        return fitted(mesh, textures, folder)

    refinement.refined = keep
    try:
        found = mediapipe.track_mesh(path)
    finally:
        refinement.refined = fitted
    raw = MeshTrack(
        np.asarray(kept["mesh"], dtype=np.float32),
        *(found.time, found.confidence, found.n_faces, found.size, found.findings, found.runtime),
    )
    return Tracked(raw, found, np.asarray(kept["textures"], dtype=np.uint8))


def points_on(truth: Truth, mesh: Float32) -> Points:
    """Return where the tracked points sit on the skin, from the frames at rest.

    Parameters
    ----------
    truth : Truth
    mesh : ndarray, shape (T, 468 or more, 3)
        The mesh as it is tracked, pixels.
    """
    rest = truth.time < REST
    seen = np.nanmedian(mesh[rest, :N_VERTICES, :2], axis=0).astype(np.float64)
    pose = truth.pose[rest][0]
    placed = truth.neutral @ rotation_matrix(pose[3:]).T + pose[:3]
    focal = truth.size[1] / 2 / np.tan(np.radians(truth.vertical_fov) / 2)
    flat = placed[:, :2] * focal / placed[:, 2:] + np.array(truth.size) / 2
    corners = flat[truth.triangles]
    front = _turned_to_us(placed, truth.triangles)
    depth = placed[truth.triangles, 2].mean(axis=1)
    allowed = _allowed(truth)
    triangle = np.zeros(N_VERTICES, dtype=np.int32)
    weights = np.zeros((N_VERTICES, 3), dtype=np.float32)
    miss = np.zeros(N_VERTICES, dtype=np.float32)
    for point in range(N_VERTICES):
        fit = front & allowed.get(point, np.True_)
        some = np.flatnonzero(fit)
        mixed, away = _nearest(seen[point], corners[some])
        # of those that hold the point, or nearly so, the one in front
        best = np.flatnonzero(away <= away.min() + 0.05)
        chosen = best[np.argmin(depth[some][best])]
        triangle[point], miss[point] = some[chosen], away[chosen]
        near = 1 / placed[truth.triangles[some[chosen]], 2]  # weights in the picture to in space
        straight = mixed[chosen] / near
        weights[point] = straight / straight.sum()
    return Points(triangle, weights, miss)


def _turned_to_us(placed: FloatArray, triangles: NDArray[np.int32]) -> NDArray[np.bool_]:
    a, b, c = (placed[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    return np.asarray((normal * a).sum(axis=1) < 0)


def _allowed(truth: Truth) -> dict[int, NDArray[np.bool_]]:
    """Return on which triangles the points on edges may be: where lips meet, a line of sight does
    not tell the upper from the lower one; what they do tells."""
    move = truth.basis[:, truth.triangles].mean(axis=2)

    def down(*names: str) -> FloatArray:
        return np.asarray(sum(move[ACTIONS.index(name), :, 1] for name in names))

    most = down("jawOpen").max()
    lower = down("jawOpen") > 0.45 * most
    found: dict[int, NDArray[np.bool_]] = dict.fromkeys(UPPER_LIP, ~lower)
    found |= dict.fromkeys(LOWER_LIP, lower)
    middle = truth.neutral[truth.triangles].mean(axis=1)
    # lids: the upper ones close far down, the lower ones hardly
    closing = down("eyeBlinkLeft", "eyeBlinkRight")
    upper = closing > 0.25 * closing.max()
    around = np.abs(middle[:, 1]) < 30
    found |= dict.fromkeys(UPPER_LIDS, upper | ~around)
    found |= dict.fromkeys(LOWER_LIDS, ~upper)
    return found


def _nearest(point: FloatArray, corners: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the place on each triangle (m, 3, 2) nearest a point, and how far."""
    a = corners[:, 0]
    ab, ac = corners[:, 1] - a, corners[:, 2] - a
    ap = point - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    s = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    t = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    mixed = np.stack([1 - s - t, s, t], axis=1)
    inside = (mixed >= 0).all(axis=1)
    away = np.where(inside, 0.0, np.inf)
    for one, two in ((0, 1), (1, 2), (2, 0)):
        p, q = corners[:, one], corners[:, two]
        along = ((point - p) * (q - p)).sum(axis=1) / np.maximum(((q - p) ** 2).sum(axis=1), 1e-12)
        along = np.clip(along, 0, 1)
        distance = np.linalg.norm(point - p - along[:, None] * (q - p), axis=1)
        closer = distance < away
        away = np.where(closer, distance, away)
        edge = np.zeros_like(mixed)
        edge[:, one], edge[:, two] = 1 - along, along
        mixed = np.where((closer & ~inside)[:, None], edge, mixed)
    return mixed, away


def deformation(track: MeshTrack, vertical_fov: float) -> tuple[FloatArray, FloatArray]:
    """Return a track's deformation (T, 468, 3) and pose (T, 6), as the project measures them."""
    from bitbox.face_backend.person import Person

    person = Person.measure(track, vertical_fov)
    found = geometry.canonicalize(track.mesh, track.size, vertical_fov, person=person.shape)
    return found.shape - person.still, found.pose


def beside(truth: Truth, tracked: Tracked) -> dict[str, NDArray[np.generic]]:
    """Return truth and measurement, ready to be written by `numpy.savez`."""
    points = points_on(truth, tracked.raw.mesh)
    basis = points.on(truth.basis, truth.triangles)
    neutral = points.on(truth.neutral, truth.triangles)
    arrays = truth.arrays() | {
        "point_neutral": neutral,
        "point_basis": basis,
        "point_triangle": points.triangle,
        "point_weights": points.weights,
        "point_miss": points.miss,
        "confidence": tracked.refined.confidence,
        "scale": np.array(scale_of(neutral)),
    }
    for name, one in (("raw", tracked.raw), ("refined", tracked.refined)):
        moved, pose = deformation(one, truth.vertical_fov)
        arrays[f"mesh_{name}"] = np.asarray(one.mesh, dtype=np.float32)
        arrays[f"deform_{name}"] = moved.astype(np.float32)
        arrays[f"pose_{name}"] = pose
    return arrays


def scale_of(neutral: Float32) -> float:
    """Return how large a face is beside the reference face, over the stable points."""
    right = np.array(geometry.STABLE_RIGHT)
    stable = np.unique(np.concatenate([right, geometry.mirror_vertices()[right]]))
    sizes = [
        float(np.linalg.norm(face[stable] - face[stable].mean(axis=0)))
        for face in (neutral, geometry.reference_face())
    ]
    return sizes[0] / sizes[1]
