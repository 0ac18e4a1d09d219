"""Compute the reference face and the basis of smooth deformations that bitbox ships as data.

Run as ``python tools/make_reference_face.py`` with the ``video`` extra installed. It writes, into
``src/bitbox/face_backend/data``:

- ``reference_face.csv``: one row a mesh vertex, with x, y, z in millimetres and the index of the
  vertex on the other side of the face (`mirror`). The face is that of the astronaut portrait that
  comes with scikit-image (NASA, public domain), made symmetric, turned frontal and scaled so that
  its eyes are 63 mm apart, the mean of adults (Dodgson 2004, "Variation and extrema of human
  interpupillary distance", doi:10.1117/12.529999).
- ``mesh_edges.csv``: the edges of the mesh graph, made symmetric.
- ``deformation_modes.npy``: 28 lowest modes of the graph's Laplacian, constant mode included,
  one a row, each of unit norm. The sign is fixed by making the largest entry positive.

The results are committed, so that everybody's coefficients have the same meaning and sign.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DATA = Path(__file__).parents[1] / "src" / "bitbox" / "face_backend" / "data"
N_VERTICES = 468
N_MODES = 28
EYE_DISTANCE = 63.0
#: Degrees by which the line from forehead to chin (vertices 10, 152) is tilted in people who look
#: straight ahead: without it, rendered ones with lenses of 30 to 80 degrees read 9 to 17 degrees
#: nodding down (`validation/humans`).
TILT = 12.5
# Pairs of vertices at the same place on the subject's left and right side.
LEFT = [263, 362, 291, 454, 300, 336, 284, 323]
RIGHT = [33, 133, 61, 234, 70, 107, 54, 93]


def portrait_mesh() -> FloatArray:
    """Return the portrait's mesh in pixels (x right, y down, z away), weak perspective."""
    from mediapipe.python.solutions.face_mesh import FaceMesh
    from PIL import Image
    from skimage import data

    # The mesh model looks at a crop of 192 pixels (256 after its attention): enlarging the small
    # face in the portrait by smooth interpolation keeps its own coarse one out of the result.
    portrait = Image.fromarray(data.astronaut()).crop((110, 0, 350, 240))
    image = np.array(portrait.resize((960, 960), Image.Resampling.LANCZOS))
    with FaceMesh(static_image_mode=False, refine_landmarks=True) as face_mesh:
        for _ in range(3):  # from the second pass on, the crop comes from the mesh itself
            found = face_mesh.process(image).multi_face_landmarks[0].landmark
    size = image.shape[1]
    return np.array([(p.x, p.y, p.z) for p in found[:N_VERTICES]]) * size


def upright(mesh: FloatArray) -> FloatArray:
    """Turn the mesh so that left-right is x and forehead-chin (vertices 10, 152) is y."""
    x = (mesh[LEFT] - mesh[RIGHT]).sum(axis=0)
    x /= np.linalg.norm(x)
    y = mesh[152] - mesh[10]
    y -= (y @ x) * x
    y /= np.linalg.norm(y)
    return (mesh - mesh[[*LEFT, *RIGHT]].mean(axis=0)) @ np.stack([x, y, np.cross(x, y)], axis=1)


def mirror_vertices(mesh: FloatArray) -> IntArray:
    """Return for each vertex its counterpart on the other side (itself on the midline)."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    mirror = linear_sum_assignment(cdist(mesh * [-1, 1, 1], mesh) ** 2)[1]
    if not np.array_equal(mirror[mirror], np.arange(N_VERTICES)):
        raise RuntimeError("the left-right pairing of vertices is not its own inverse")
    if not np.array_equal(mirror[LEFT], RIGHT):
        raise RuntimeError("the left-right pairing of vertices disagrees with the known pairs")
    return np.asarray(mirror, dtype=np.int64)


def reference_face(mesh: FloatArray, mirror: IntArray) -> FloatArray:
    """Return the symmetric face, looking straight ahead, in mm, origin midway between the eyes."""
    mesh = upright(mesh)
    for _ in range(5):
        other = mesh[mirror] * [-1, 1, 1]
        centre, other_centre = mesh.mean(axis=0), other.mean(axis=0)
        u, _, vt = np.linalg.svd((other - other_centre).T @ (mesh - centre))
        other = (other - other_centre) @ (u @ vt) + centre
        mesh = upright((mesh + other) / 2)
    mesh = (mesh + mesh[mirror] * [-1, 1, 1]) / 2
    left_eye, right_eye = mesh[[263, 362]].mean(axis=0), mesh[[33, 133]].mean(axis=0)
    scale = EYE_DISTANCE / np.linalg.norm(left_eye - right_eye)
    face = (mesh - (left_eye + right_eye) / 2) * scale
    c, s = np.cos(np.radians(TILT)), np.sin(np.radians(TILT))
    return face @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def mesh_edges(mirror: IntArray) -> IntArray:
    """Return the undirected edges (n, 2) of the mesh and of its mirror image."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    edges = np.array(sorted(FACEMESH_TESSELATION), dtype=np.int64)
    both = np.sort(np.concatenate([edges, mirror[edges]]), axis=1)
    return np.unique(both, axis=0)


def deformation_modes(edges: IntArray) -> FloatArray:
    """Return the lowest eigenvectors of the graph Laplacian as rows."""
    laplacian = np.zeros((N_VERTICES, N_VERTICES))
    laplacian[edges[:, 0], edges[:, 1]] = laplacian[edges[:, 1], edges[:, 0]] = -1
    laplacian -= np.diag(laplacian.sum(axis=1))
    values, vectors = np.linalg.eigh(laplacian)
    if np.diff(values[: N_MODES + 1]).min() < 1e-4:
        raise RuntimeError("two modes have the same eigenvalue: the basis would be arbitrary")
    modes = vectors[:, :N_MODES].T
    largest = np.take_along_axis(modes, np.abs(modes).argmax(axis=1)[:, None], axis=1)
    return np.asarray(modes * np.sign(largest))


def main() -> None:
    """Write the three data files."""
    mesh = portrait_mesh()
    mirror = mirror_vertices(upright(mesh))
    face = reference_face(mesh, mirror)
    edges = mesh_edges(mirror)
    DATA.mkdir(exist_ok=True)
    rows = [f"{x:.3f},{y:.3f},{z:.3f},{m}" for (x, y, z), m in zip(face, mirror, strict=True)]
    (DATA / "reference_face.csv").write_text("\n".join(["x,y,z,mirror", *rows, ""]))
    (DATA / "mesh_edges.csv").write_text("\n".join(["a,b", *(f"{a},{b}" for a, b in edges), ""]))
    np.save(DATA / "deformation_modes.npy", deformation_modes(edges))


if __name__ == "__main__":
    main()
