"""The face laid flat: a chart on which textures of a tracked face are compared.

The chart is the reference face seen from the front, `SCALE` pixels a millimetre. A pixel of it is a
place on the skin: a fixed mixture of three vertices of the mesh, wherever these are in a frame. The
gaps between the lips and between the lids belong to no triangle of the mesh; a narrow edge of them
is on the chart, since that is where lips and lids show their movement best.

`modes` holds the displacements that are looked for on it. Arrays only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.geometry import N_VERTICES, reference_face
from bitbox.face_backend.units import mesh_edges

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SCALE = 0.75  # pixels per millimetre
#: The chart's width and height are multiples of this; displacements are kept at every fourth pixel.
GRID = 4
_MARGIN = 4.0  # millimetres around the face
_EDGE = 2  # pixels of the gaps that are on the chart
#: Opposite edges of the mouth and the eyes, from corner to corner.
_GAPS = (
    (
        (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
        (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    ),
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    (
        (263, 466, 388, 387, 386, 385, 384, 398, 362),
        (263, 249, 390, 373, 374, 380, 381, 382, 362),
    ),
)
N_MODES = 120


@dataclass(frozen=True, eq=False)
class Chart:
    """Which mixture of vertices each pixel is.

    Attributes
    ----------
    shape : (int, int)
        Height and width in pixels.
    inside : ndarray of bool, shape (height, width)
        Pixels on the face.
    mixture : csr_array, shape (number of pixels inside, 468)
        Weights of the vertices in each pixel inside, row by row of the chart.
    nodes : csr_array, shape (height * width / 16, 468)
        The same for the middle of each block of 4 x 4 pixels; those off the face are as the
        nearest place on it.
    """

    shape: tuple[int, int]
    inside: NDArray[np.bool_]
    mixture: csr_array
    nodes: csr_array


@cache
def triangles() -> IntArray:
    """Return the triangles of the mesh, shape (n, 3): all triples of neighbours.

    Three neighbours around a vertex that has no others are none.
    """
    neighbours: list[set[int]] = [set() for _ in range(N_VERTICES)]
    for a, b in mesh_edges():
        neighbours[a].add(int(b))
        neighbours[b].add(int(a))
    triples = {
        tuple(sorted((int(a), int(b), c)))
        for a, b in mesh_edges()
        for c in neighbours[a] & neighbours[b]
    }
    around = {tuple(sorted(ring)) for ring in neighbours if len(ring) == 3}
    return np.array(sorted(triples - around))


@cache
def facing() -> FloatArray:
    """Return the reference face (468, 3) nodded until forehead and chin (10, 152) are equally near.

    So it is seen as flat as it can be.
    """
    face = reference_face()
    _, down, back = face[152] - face[10]
    length = float(np.hypot(down, back))
    c, s = down / length, back / length
    return np.asarray(face @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]))


@cache
def chart() -> Chart:
    """Return the chart."""
    import cv2

    places, shape = _flat()
    inside = np.zeros(shape, dtype=bool)
    corners = np.zeros((*shape, 3), dtype=np.int64)
    weights = np.zeros((*shape, 3))
    nearest = np.full(shape, np.inf)
    gaps = _gap_triangles()
    for number, triangle in enumerate(np.concatenate([triangles(), gaps])):
        if number == len(triangles()):
            skin = inside.copy()
        rows, columns, mixed = _covered(places[triangle])
        depth = mixed @ facing()[triangle, 2]
        front = depth < nearest[rows, columns]
        at = rows[front], columns[front]
        nearest[at], inside[at] = depth[front], True
        corners[at], weights[at] = triangle, mixed[front]
    inside &= cv2.dilate(skin.astype(np.uint8), np.ones((2 * _EDGE + 1,) * 2)) > 0
    everywhere = _matrix(corners, weights)
    row, column = _nearest(inside, np.mgrid[[slice(GRID // 2, length, GRID) for length in shape]])
    return Chart(
        shape, inside, everywhere[np.flatnonzero(inside)], everywhere[row * shape[1] + column]
    )


def _nearest(inside: NDArray[np.bool_], places: IntArray) -> IntArray:
    """Return row and column (2, n) of the pixel inside that is nearest to each place (2, ...)."""
    import cv2

    wanted = places.reshape(2, -1)
    rim = inside & (cv2.erode(inside.astype(np.uint8), np.ones((3, 3))) == 0)
    candidates = np.argwhere(rim.T)[:, ::-1].T  # column by column
    away = ((wanted[:, :, None] - candidates[:, None]) ** 2).sum(axis=0)
    return np.where(inside[tuple(wanted)], wanted, candidates[:, away.argmin(axis=1)])


@cache
def modes() -> NDArray[np.float32]:
    """Return what the mesh is likely to get wrong, shape (120, 468, 2), in millimetres.

    Learnt from rendered people (``tools/learn_texture_modes.py``); each is likely to be about 1.
    """
    with (resources.files("bitbox.face_backend") / "data" / "texture_modes.npy").open("rb") as file:
        found: NDArray[np.float32] = np.load(file)
    return found


@cache
def slopes() -> csr_array:
    """Return the matrix (936, 468) from values at the vertices to their slopes along x and y.

    Per millimetre of the chart, at each vertex as the mean over its triangles by area; the slopes
    along x of all vertices come first.
    """
    from scipy.sparse import csr_array

    flat = facing()[:, :2]
    found = np.zeros((2, N_VERTICES, N_VERTICES))
    area = np.zeros(N_VERTICES)
    for triangle in triangles():
        sides = flat[triangle[1:]] - flat[triangle[0]]
        twice = abs(np.linalg.det(sides))
        if twice < 0.6:  # seen edge on
            continue
        slope = np.linalg.solve(sides, np.array([[-1.0, 1, 0], [-1, 0, 1]]))
        for vertex in triangle:
            found[:, vertex, triangle] += twice * slope
            area[vertex] += twice
    found /= np.maximum(area, 1e-9)[:, None]
    return csr_array(found.reshape(2 * N_VERTICES, N_VERTICES))


def flat_vertices() -> FloatArray:
    """Return where the vertices are on the chart, in pixels, shape (468, 2)."""
    return _flat()[0]


def _flat() -> tuple[FloatArray, tuple[int, int]]:
    """Return where the vertices are on the chart, in pixels, and its height and width."""
    flat = facing()[:, :2]
    low = flat.min(axis=0) - _MARGIN
    width, height = np.ceil((flat.max(axis=0) + _MARGIN - low) * SCALE / (2 * GRID)) * 2 * GRID
    return (flat - low) * SCALE, (int(height), int(width))


def _gap_triangles() -> IntArray:
    found = []
    for upper, lower in _GAPS:
        for k in range(len(upper) - 1):
            found.append((upper[k], upper[k + 1], lower[k]))
            found.append((upper[k + 1], lower[k + 1], lower[k]))
    return np.array([triple for triple in found if len(set(triple)) == 3])


def _covered(places: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return rows and columns of the pixels in a triangle, and the weights of its corners."""
    left, top = np.floor(places.min(axis=0)).astype(int)
    right, bottom = np.ceil(places.max(axis=0)).astype(int)
    rows, columns = (a.ravel() for a in np.mgrid[top : bottom + 1, left : right + 1])
    sides = (places[1:] - places[0]).T
    if abs(np.linalg.det(sides)) < 1e-6:
        return rows[:0], columns[:0], np.zeros((0, 3))
    two = np.linalg.solve(sides, np.stack([columns, rows]) - places[0][:, None])
    mixed = np.column_stack([1 - two.sum(axis=0), *two])
    held = (mixed > -1e-6).all(axis=1)
    return rows[held], columns[held], mixed[held]


def _matrix(corners: IntArray, weights: FloatArray) -> csr_array:
    from scipy.sparse import csr_array

    count = corners[..., 0].size
    row = np.repeat(np.arange(count), 3)
    entries = (weights.ravel(), (row, corners.ravel()))
    return csr_array(entries, shape=(count, N_VERTICES), dtype=np.float32)
