"""Learn from rendered people how the skin moves when the tracked mesh is deformed.

Run as ``python tools/learn_surface.py FOLDER``, with the films of the calibration people that
`validation/humans` makes in FOLDER (``PERSON_PERFORMANCE.npz``: the tracked mesh, and where the
skin under each of its points truly is). It writes ``surface_map.npy`` and ``pose_map.npy`` in
``src/bitbox/face_backend/data``; with ``--choose`` it also says how well each ridge does on people
left out.

The mesh falls back on the faces that its network was trained on: movements that are independent get
lost in each other, and some places hardly move. What the skin does is found again as a linear
mixture of what all points of the mesh do, by ridge regression over all frames of all people and
their mirror images; standing still and shifts, turns and changes of size of the whole face move no
skin. Of the map the few directions are kept in which it moves skin at all. Films in which only the
head turns count more than their frames (`COUNTS`). Each film is learnt from twice: with the mesh as
the fit of the texture refines it, and, counting less (`PLAIN`), as it is tracked, so that what is
learnt does not rest on a fit that is as good as that on rendered skin.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend import geometry, units
from bitbox.face_backend.mesh_track import MeshTrack
from bitbox.face_backend.person import Person

FloatArray = NDArray[np.float64]

DATA = Path(units.__file__).parent / "data"
N = 3 * geometry.N_VERTICES
#: Ridge in square millimetres; 0.05 to 0.3 differ by a hundredth of r on development people.
RIDGE = 0.05
#: How many times a frame counts, by what is done in the film. Most of the time people hardly move,
#: or move one thing; in films in which all moves at once that is not learnt. Both these and the
#: ridge were chosen by what is missed of all aims together (docs/validation/faces.md).
COUNTS = {"single": 5.0, "head": 7.0}
#: The same for a frame of the mesh that is not refined.
PLAIN = 0.1
#: Weight of rigid movements of the whole face against all frames.
RIGID = 1000.0
#: Where less than this share of the skin's movement is found, it is not stretched any further.
LEAST = 0.6
#: Directions that are kept; 60 and 120 give the same to two digits of r.
RANK = 80


class Film(NamedTuple):
    """One recording of one person; displacements are (frames, 1404), without missing frames.

    `turned` is by how much the measured head pose is wrong, (frames, 3), radians. `form` is
    ``"refined"`` or ``"raw"``.
    """

    person: str
    performance: str
    mesh: FloatArray
    skin: FloatArray
    turned: FloatArray
    form: str


class Sums(NamedTuple):
    """What a regression needs: products of mesh with mesh, with skin, and with the pose's error.

    And those of skin with itself, each coordinate only with itself, and how many frames (or what
    they count).
    """

    mesh: FloatArray
    skin: FloatArray
    turned: FloatArray
    power: FloatArray
    frames: float

    def times(self, count: float) -> Sums:
        """Return the sums of so many such films (or of a part of one)."""
        return Sums(*(count * part for part in self))


def total(every: Iterable[Sums]) -> Sums:
    """Return the sums of several people together."""
    return Sums(*(sum(part) for part in zip(*every, strict=True)))


def read(path: Path, form: str = "refined") -> Film:
    """Return a film: the mesh as it is measured with the default lens, skin at adult size."""
    with np.load(path, allow_pickle=False) as file:
        size = (int(file["size"][0]), int(file["size"][1]))
        count = np.ones(len(file["time"]), dtype=np.int64)
        track = MeshTrack(
            file[f"mesh_{form}"], file["time"], file["confidence"], count, size, (), "rendered"
        )
        skin = np.tensordot(file["drives"], file["point_basis"], axes=1) / float(file["scale"])
        person, performance, true_pose = (
            str(file["person"]),
            str(file["performance"]),
            file["pose"],
        )
    face = Person.measure(track, geometry.VERTICAL_FOV)
    found = face.canonical(track, slice(None), geometry.VERTICAL_FOV)
    pose, shape = found.pose, found.shape
    seen = np.isfinite(shape).all(axis=(1, 2))
    deformation = shape[seen] - face.still
    skin = skin[seen] - np.median(skin[seen], axis=0)
    true, told = (geometry.rotation_matrix(p[seen, 3:]) for p in (true_pose, pose))
    turned = geometry.angles_of(true.swapaxes(1, 2) @ told)
    flat = deformation.reshape(-1, N), skin.reshape(-1, N).astype(np.float64)
    return Film(person, performance, *flat, turned, form)


def films(folder: Path) -> Iterator[Film]:
    """Yield the films in a folder, each with the refined mesh and with the plain one."""
    for path in sorted(folder.glob("*.npz")):
        yield read(path)
        yield read(path, "raw")


def sums(film: Film) -> Sums:
    """Return the products of one film and its mirror image, each about its mean."""
    mesh, skin, turned = (part - part.mean(axis=0) for part in film[2:5])
    twin = geometry.mirror_vertices()
    order = (3 * twin[:, None] + np.arange(3)).ravel()
    sign = np.tile([-1.0, 1.0, 1.0], geometry.N_VERTICES)
    both = [
        products + products[np.ix_(order, order)] * sign * sign[:, None]
        for products in (mesh.T @ mesh, mesh.T @ skin)
    ]
    wrong = mesh.T @ turned
    wrong = wrong + wrong[order] * sign[:, None] * [1, -1, -1]
    power = (skin**2).sum(axis=0)
    return Sums(*both, wrong, power + power[order], 2 * len(mesh))


def fitted(of: Sums, ridge: float = RIDGE) -> FloatArray:
    """Return the matrix (1404, 1404) from a deformation of the mesh to a displacement of skin."""
    rigid = np.linalg.svd(units.rigid_movements(), full_matrices=False)[2]
    normal = of.mesh + of.frames * (ridge * np.eye(N) + RIGID * rigid.T @ rigid)
    full = np.linalg.solve(normal, of.skin)
    full -= rigid.T @ (rigid @ full)  # little is left, and none of it means anything
    # What is shrunk by the ridge is stretched again: a millimetre stays a millimetre.
    shrunk = (full * of.skin).sum(axis=0) / of.power
    return np.asarray(full / np.clip(shrunk, LEAST, 1.0))


def upright(of: Sums, ridge: float = RIDGE) -> FloatArray:
    """Return the matrix (3, 1404) from a deformation of the mesh to the error of head pose."""
    return np.linalg.solve(of.mesh + of.frames * ridge * np.eye(N), of.turned).T


def reduced(of: Sums, full: FloatArray, rank: int = RANK) -> FloatArray:
    """Return the map as two factors, (2, rank, 1404): what is read, and the skin that it moves."""
    variance, directions = np.linalg.eigh(full.T @ of.mesh @ full / of.frames)
    kept = directions[:, np.argsort(variance)[::-1][:rank]].T
    return np.stack([kept @ full.T, kept])


def correlations(film: Film, full: FloatArray) -> FloatArray:
    """Return r of the 32 units with the truth; NaN for units that hardly move in the film."""
    readings = units.unit_readings().reshape(-1, N).T
    found, true = film.mesh @ (full @ readings), film.skin @ readings
    found, true = found - found.mean(axis=0), true - true.mean(axis=0)
    r = (found * true).sum(axis=0) / np.sqrt((found**2).sum(axis=0) * (true**2).sum(axis=0))
    return np.asarray(np.where(true.std(axis=0) > 0.15, r, np.nan))


def left_out(of: dict[str, Sums], every: Iterable[Film], ridge: float) -> FloatArray:
    """Return r of the units, (films, 32), each person measured as learnt from the others."""
    maps = {
        person: fitted(total(o for other, o in of.items() if other != person), ridge)
        for person in of
    }
    measured = (film for film in every if film.form == "refined")
    return np.array([correlations(film, maps[film.person]) for film in measured])


def main() -> None:
    """Learn, and write the map."""
    folder = Path(sys.argv[1])
    of: dict[str, Sums] = {}
    for film in films(folder):
        counts = COUNTS.get(film.performance, 1.0) * (PLAIN if film.form == "raw" else 1.0)
        found = sums(film).times(counts)
        of[film.person] = total([of[film.person], found]) if film.person in of else found
    if "--choose" in sys.argv:
        for ridge in (0.3, 1.0, 3.0, 10.0):
            r = np.nanmedian(left_out(of, films(folder), ridge), axis=0)
            print(f"ridge {ridge}: median r of the units {np.median(r):.3f}, least {r.min():.3f}")
    everybody = total(of.values())
    np.save(DATA / "pose_map.npy", upright(everybody).astype(np.float32))
    np.save(DATA / "surface_map.npy", reduced(everybody, fitted(everybody)).astype(np.float32))


if __name__ == "__main__":
    main()
