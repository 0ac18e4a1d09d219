"""Expression units: what a deformed face mesh says about movement. Arrays in, arrays out.

`bitbox.face_backend.skin` tells how the skin is displaced under the points of the mesh, in
millimetres, x to the subject's left, y down, z back. Of that are read

- 79 **global** units: coefficients in one fixed orthonormal basis of smooth deformations;
- 32 **local** units: how far each of 32 named places moves in its direction.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.errors import InputError
from bitbox.face_backend.geometry import N_VERTICES, mirror_vertices, reference_face
from bitbox.face_backend.skin import flattened
from bitbox.face_backend.unit_table import LOCAL_UNITS, LocalUnit, Part

__all__ = [
    "GLOBAL_UNIT_NAMES",
    "LOCAL_UNITS",
    "LocalUnit",
    "global_basis",
    "global_units",
    "local_units",
    "noise_scale",
    "unit_movements",
    "unit_places",
    "unit_readings",
    "unit_reliability",
]

FloatArray = NDArray[np.float64]

N_GLOBAL = 79
GLOBAL_UNIT_NAMES: tuple[str, ...] = tuple(f"GE{k}" for k in range(N_GLOBAL))
_MIN_TRIPLES = 10  # frames with both neighbours that an estimate of noise needs


@cache
def global_basis() -> FloatArray:
    """Return the basis of the global units.

    Returns
    -------
    ndarray, shape (79, 468, 3)
        Orthonormal. The first is the mean vertical displacement of the face (the constant mode
        of the mesh graph's Laplacian, y); then come modes 1 to 26, each along x, y and z.
        The constant mode along x and z is left out: it is where the head is.
    """
    path = resources.files("bitbox.face_backend") / "data" / "deformation_modes.npy"
    with path.open("rb") as file:
        modes = np.load(file, allow_pickle=False)
    basis = np.zeros((N_GLOBAL, N_VERTICES, 3))
    basis[0, :, 1] = modes[0]
    for mode in range(1, 27):
        for axis in range(3):
            basis[1 + 3 * (mode - 1) + axis, :, axis] = modes[mode]
    basis.setflags(write=False)
    return basis


def global_units(displacement: ArrayLike) -> FloatArray:
    """Return the coefficients of a displacement in the basis of smooth deformations.

    Parameters
    ----------
    displacement : array_like, shape (T, 468, 3)
        Of the skin, see `bitbox.face_backend.skin`, millimetres. Frames with NaN give NaN.

    Returns
    -------
    ndarray, shape (T, 79)
        GE0..GE78. Millimetres: the basis is orthonormal, so that the square root of the sum of
        squares over vertices is kept.

    Raises
    ------
    InputError
        If the shape of the array is another one.
    """
    flat = flattened(displacement)
    return np.asarray(flat @ global_basis().reshape(N_GLOBAL, -1).T)


def local_units(displacement: ArrayLike) -> FloatArray:
    """Return how far each of the named places of the face moves in its direction.

    Parameters
    ----------
    displacement : array_like, shape (T, 468, 3)
        Of the skin, see `bitbox.face_backend.skin`, millimetres. Frames with NaN give NaN.

    Returns
    -------
    ndarray, shape (T, 32)
        Millimetres on a face of adult size, in the order of `LOCAL_UNITS`; positive in the
        direction that the unit's name says. `unit_readings` is what they are.

    Raises
    ------
    InputError
        If the shape of the array is another one.
    """
    return np.asarray(flattened(displacement) @ unit_readings().reshape(len(LOCAL_UNITS), -1).T)


def noise_scale(values: ArrayLike, apart: int = 1) -> FloatArray:
    """Return the size of the measurement noise of each signal.

    A movement is smooth from one frame to the next and noise is not, so the second difference
    is nearly all noise. Its median absolute value, scaled to a standard deviation of the signal
    itself, is not affected by the frames in which the face moves fast, as long as these are
    less than half.

    Parameters
    ----------
    values : array_like, shape (T, k)
        Signals; missing frames are NaN.
    apart : int
        Frames from one that is compared to the next.

    Returns
    -------
    ndarray, shape (k,)
        Standard deviation of the noise, in the unit of the values. NaN where there are fewer than
        ten frames with both neighbours, or where the signal does not vary at all.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise InputError(
            "The signals have the wrong shape.", expected="(frames, signals)", got=str(array.shape)
        )
    second = np.abs(array[2 * apart :] - 2 * array[apart:-apart] + array[: -2 * apart])
    scale = np.full(array.shape[1], np.nan)
    for column, differences in enumerate(second.T):
        known = differences[np.isfinite(differences)]
        if len(known) >= _MIN_TRIPLES:
            scale[column] = np.median(known) * 1.4826 / np.sqrt(6.0)
    scale[scale == 0] = np.nan
    return scale


@cache
def unit_movements() -> FloatArray:
    """Return the movement that each local unit stands for.

    Returns
    -------
    ndarray, shape (32, 468, 3)
        Displacement of the reference face in millimetres for one millimetre of the unit. It is
        largest at the unit's source vertices and falls off along the skin (not across the gap of
        the mouth or the eye) as a Gaussian.
    """
    between = vertex_distances()
    mirror = mirror_vertices()
    movements = np.zeros((len(LOCAL_UNITS), N_VERTICES, 3))
    for row, unit in enumerate(LOCAL_UNITS):
        for part in unit.parts:
            sources = mirror[list(part.sources)] if part.mirrored else np.array(part.sources)
            direction = np.array([*part.direction, 0.0])
            if part.mirrored:
                direction[0] *= -1
            distance = between[sources].min(axis=0)
            movements[row] += np.exp(-0.5 * (distance / part.spread) ** 2)[:, None] * direction
        movements[row] /= np.linalg.norm(movements[row], axis=1).max()
    movements.setflags(write=False)
    return movements


@cache
def unit_readings() -> FloatArray:
    """Return what each local unit is on the surface of a face.

    Returns
    -------
    ndarray, shape (32, 468, 3)
        Summed up with how the places of the vertices on the skin are displaced, in millimetres on
        a face of adult size, this gives the units: for each the mean movement of its place in its
        direction, and for what rides on another (the lip on the jaw), what it moves beyond that.
    """
    readings = np.zeros((len(LOCAL_UNITS), N_VERTICES, 3))
    for row, unit in enumerate(LOCAL_UNITS):
        for part in unit.parts:
            places = _read_at(part)
            across, down = part.direction
            if part.mirrored:
                across = -across
            share = 1 / (len(places) * len(unit.parts))
            np.add.at(readings[row], places, [across * share, down * share, 0.0])
    names = [unit.name for unit in LOCAL_UNITS]
    own = readings.copy()
    for row, unit in enumerate(LOCAL_UNITS):
        if unit.rides_on:
            taken = unit.share * own[names.index(unit.rides_on)]  # downwards
            readings[row] -= unit.parts[0].direction[1] * taken
    readings.setflags(write=False)
    return readings


def unit_places() -> list[NDArray[np.int64]]:
    """Return the vertices of the mesh whose mean movement each local unit is."""
    return [np.concatenate([_read_at(part) for part in unit.parts]) for unit in LOCAL_UNITS]


def _read_at(part: Part) -> NDArray[np.int64]:
    places = np.array(part.read_at or part.sources)
    return np.asarray(mirror_vertices()[places] if part.mirrored else places)


@cache
def vertex_distances() -> FloatArray:
    """Return the distances along the edges of the reference face, shape (468, 468), in mm."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    face = reference_face()
    edges = mesh_edges()
    length = np.linalg.norm(face[edges[:, 0]] - face[edges[:, 1]], axis=1)
    graph = coo_array((length, (edges[:, 0], edges[:, 1])), shape=(N_VERTICES, N_VERTICES))
    return np.asarray(dijkstra(graph, directed=False))


@cache
def mesh_edges() -> NDArray[np.int64]:
    """Return the pairs of vertices that the mesh joins, shape (1328, 2)."""
    path = resources.files("bitbox.face_backend") / "data" / "mesh_edges.csv"
    with path.open("r", encoding="utf-8") as file:
        return np.loadtxt(file, delimiter=",", skiprows=1).astype(np.int64)


@cache
def unit_reliability() -> dict[str, float]:
    """Return how well each local unit is measured: r with the truth on rendered people.

    The median over people whom nothing was fitted to, with all movements at once and the head
    turning; of left and right the mean. ``python -m validation.humans.judge`` measures it.
    """
    path = resources.files("bitbox.face_backend") / "data" / "unit_reliability.csv"
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return {name: float(r) for name, r in (line.split(",") for line in lines)}


def rigid_movements() -> FloatArray:
    """Return small shifts, turns and a change of size of the whole face, shape (7, 1404)."""
    face = reference_face()
    shifts = [np.broadcast_to(axis, face.shape) for axis in np.eye(3)]
    turns = [np.cross(axis, face) for axis in np.eye(3)]
    return np.array([*shifts, *turns, face]).reshape(7, -1)
