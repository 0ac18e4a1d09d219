"""What units do while only the head turns, and what was tried against it.

Run as ``python -m validation.turning FOLDER [deformations.npz]``, with the films that
``python -m validation.humans FOLDER --split development`` made, and deformations of real faces as
`validation/real_faces.py` describes them. It prints a table in Markdown: what is used, beside

- *true pose and depth*: the mesh put on the person's true face at the true head pose and lens. What
  is left is none of theirs (nor is it of the weights: see *learnt for true pose and depth*);
- *depth as it is at first*: without the depth of the person's own face that follows from the
  recording's own turning (`bitbox.face_backend.person`);
- *what goes with head pose*: the regression of each unit on pitch, yaw and roll, or on them and
  their squares and products, taken out (shrunk by what is added to the sum of squares, in frames of
  the usual size of a turn).

Whatever is fitted to a recording lessens what units do in the film in which only the head turns; it
is of use if they are no worse where everything moves. *Smile kept*: to the film in which the head
turns a smile is added that grows with turning to one side, and it is told how much is left of what
is read of it today.

With ``--learn``, and the films of the split ``calibration`` in FOLDER as well, what the skin does
is learnt anew from them, as ``tools/learn_surface.py`` does it:

- *turning alone counts n times*: with the films in which only the head turns; a frame of them
  counts so many times, and one of single actions as is said;
- *weights change*: the weight of each of the first `DIRECTIONS` directions in which the mesh is
  deformed is w + v |yaw|, or w + v yaw + u pitch, all learnt together.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tools import learn_surface
from validation.humans.judge import correlations
from validation.real_faces import NAMES, agreement, recordings, with_action_units

from bitbox.face_backend import geometry
from bitbox.face_backend.mesh_track import MeshTrack
from bitbox.face_backend.person import Person
from bitbox.face_backend.registration import EYES, on_the_face
from bitbox.face_backend.skin import skin_movement
from bitbox.face_backend.units import local_units, rigid_movements, unit_readings

FloatArray = NDArray[np.float64]
#: From deformation (T, 468, 3) and head pose (T, 6) to units.
Measure = Callable[[FloatArray, FloatArray], FloatArray]

DIRECTIONS = 250
INNER = 50.0  # millimetres from the middle of the face
_TURN = np.radians(5.0)  # the usual size of a turn


class Film(NamedTuple):
    """What was measured in a film, and the truth; frames without a face are left out."""

    person: str
    performance: str
    deformation: FloatArray
    pose: FloatArray
    shallow: FloatArray
    ideal: FloatArray
    true: FloatArray


def read(path: Path) -> Film:
    """Return a film, measured with the default lens."""
    with np.load(path, allow_pickle=False) as file:
        facts = dict(file)
    size, scale = (int(facts["size"][0]), int(facts["size"][1])), float(facts["scale"])
    count = np.ones(len(facts["time"]), dtype=np.int64)
    mesh = facts["mesh_refined"]
    track = MeshTrack(mesh, facts["time"], facts["confidence"], count, size, (), "rendered")
    person = Person.measure(track, geometry.VERTICAL_FOV)
    found = person.canonical(track, slice(None), geometry.VERTICAL_FOV)
    own = geometry.neutral(geometry.canonicalize(mesh, size).shape)
    shallow = geometry.canonicalize(mesh, size, person=own).shape
    focal = size[1] / 2 / np.tan(np.radians(float(facts["vertical_fov"])) / 2)
    rays = mesh[:, : geometry.N_VERTICES].astype(np.float64) - [size[0] / 2, size[1] / 2, 0]
    depth = rays[..., 2] - rays[:, EYES, 2].mean(axis=1, keepdims=True)
    rays[..., 2] = focal
    placed = geometry.rotation_matrix(facts["pose"][:, 3:]), facts["pose"][:, :3] / scale
    ideal = on_the_face(rays, depth, placed, facts["point_neutral"] / scale)
    skin = np.tensordot(facts["drives"], facts["point_basis"], axes=1) / scale
    known = np.isfinite(found.shape).all(axis=(1, 2)) & np.isfinite(ideal).all(axis=(1, 2))
    return Film(
        str(facts["person"]),
        str(facts["performance"]),
        (found.shape - person.still)[known],
        found.pose[known],
        (shallow - geometry.neutral(shallow))[known],
        (ideal - geometry.neutral(ideal))[known],
        local_units(skin)[known],
    )


def as_used(deformation: FloatArray, _pose: FloatArray) -> FloatArray:
    """Return the units as the product reads them."""
    return local_units(skin_movement(deformation))


def slip(path: Path) -> list[float]:
    """Return how far the points of the inner face slip over the skin in a film, mm (rms).

    In the picture, about their median: of the mesh as it is tracked, and refined.
    """
    with np.load(path, allow_pickle=False) as file:
        facts = dict(file)
    skin = facts["point_neutral"] + np.tensordot(facts["drives"], facts["point_basis"], axes=1)
    pose, size = facts["pose"], facts["size"]
    placed = skin @ geometry.rotation_matrix(pose[:, 3:]).swapaxes(1, 2) + pose[:, None, :3]
    focal = size[1] / 2 / np.tan(np.radians(float(facts["vertical_fov"])) / 2)
    seen = placed[..., :2] * focal / placed[..., 2:] + size / 2
    inner = np.abs(geometry.reference_face()[:, 0]) < INNER
    found = []
    for form in ("raw", "refined"):
        away = facts[f"mesh_{form}"][:, : geometry.N_VERTICES, :2] - seen
        away = (away - np.nanmedian(away, axis=0))[:, inner] * pose[:, 2].mean() / focal
        found.append(float(np.sqrt(np.nanmean(away**2))))
    return found


def less_pose(shrunk: float, squares: bool) -> Measure:
    """Return a measure that takes out of the units what goes with head pose."""

    def measure(deformation: FloatArray, pose: FloatArray) -> FloatArray:
        units = as_used(deformation, pose)
        turned = (pose[:, 3:] - np.median(pose[:, 3:], axis=0)) / _TURN
        if squares:
            pairs = [turned[:, a] * turned[:, b] for a in range(3) for b in range(a, 3)]
            turned = np.column_stack([turned, *pairs])
        turned = turned - turned.mean(axis=0)
        normal = turned.T @ turned + shrunk * len(pose) * np.eye(turned.shape[1])
        going = np.linalg.solve(normal, turned.T @ (units - units.mean(axis=0)))
        return np.asarray(units - turned @ going)

    return measure


TRIED: dict[str, Measure] = {
    "what is used": as_used,
    "what goes with head pose": less_pose(0.0, squares=False),
    "the same, shrunk": less_pose(1.0, squares=False),
    "with squares": less_pose(0.0, squares=True),
    "with squares, shrunk": less_pose(3.0, squares=True),
}


class Learner:
    """Learns from films how units follow from a deformation and head pose.

    Parameters
    ----------
    paths : list of Path
        Films of the people who are learnt from.
    """

    def __init__(self, paths: list[Path]) -> None:
        self.films = [read(path) for path in paths]
        self.sums: dict[str, learn_surface.Sums] = {}
        for path in paths:
            for form, count in (("refined", 1.0), ("raw", learn_surface.PLAIN)):
                film = learn_surface.read(path, form)
                found = [learn_surface.sums(film).times(count)]
                found += [self.sums[film.performance]] if film.performance in self.sums else []
                self.sums[film.performance] = learn_surface.total(found)
        self.rigid = np.linalg.svd(rigid_movements(), full_matrices=False)[2]
        moving = self._counted({"head": 0.0})
        spread = moving.mesh - self.rigid.T @ (self.rigid @ moving.mesh)
        spread -= (spread @ self.rigid.T) @ self.rigid
        self.directions = np.linalg.eigh(spread)[1][:, ::-1][:, :DIRECTIONS]

    def counting(self, head: float, single: float = 1.0) -> Measure:
        """Return the measure that is learnt if films of turning alone count so many times.

        And those of one action at a time.
        """
        every = self._counted({"head": head, "single": single})
        read_at, moved = learn_surface.reduced(every, learn_surface.fitted(every))
        weights = read_at.T @ (moved @ _readings())
        return lambda deformation, _pose: _flat(deformation) @ weights

    def _counted(self, counts: dict[str, float]) -> learn_surface.Sums:
        return learn_surface.total(
            found.times(counts.get(name, 1.0)) for name, found in self.sums.items()
        )

    def changing(self, turns: Callable[[FloatArray], FloatArray], ideal: bool = False) -> Measure:
        """Return the measure that is learnt if weights change with some function of pose.

        With `ideal` it is learnt for true pose and depth.
        """

        def given(deformation: FloatArray, pose: FloatArray) -> FloatArray:
            amounts = _flat(deformation) @ self.directions
            turned = turns((pose[:, 3:] - np.median(pose[:, 3:], axis=0)) / (2 * _TURN))
            return np.column_stack([amounts, *(amounts * by[:, None] for by in turned.T)])

        normal, wanted, power, frames = 0.0, 0.0, 0.0, 0
        for deformation, pose, true in self._shown(ideal):
            seen = given(deformation, pose)
            seen, true = seen - seen.mean(axis=0), true - true.mean(axis=0)
            normal, wanted = normal + seen.T @ seen, wanted + seen.T @ true
            power, frames = power + (true**2).sum(axis=0), frames + len(seen)
        ridge = learn_surface.RIDGE * frames * np.eye(len(np.asarray(normal)))
        weights = np.linalg.solve(normal + ridge, wanted)
        weights /= np.clip((weights * wanted).sum(axis=0) / power, learn_surface.LEAST, 1.0)
        return lambda deformation, pose: given(deformation, pose) @ weights

    def _shown(self, ideal: bool) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield deformation, pose and true units of films and their mirror images."""
        twin = geometry.mirror_vertices()
        for film in self.films:
            if film.performance == "head":
                continue
            deformation = film.ideal if ideal else film.deformation
            yield deformation, film.pose, film.true
            mirrored = deformation[:, twin] * [-1, 1, 1]
            pose = film.pose * [-1, 1, 1, 1, -1, -1]
            yield mirrored, pose, film.true[:, twin_units()]


def twin_units() -> list[int]:
    """Return the number of each unit's counterpart on the other side."""
    swap = {"lb": "rb", "rb": "lb", "le": "re", "re": "le", "left": "right", "right": "left"}
    return [NAMES.index("_".join(swap.get(w, w) for w in name.split("_"))) for name in NAMES]


def _flat(deformation: FloatArray) -> FloatArray:
    return deformation.reshape(len(deformation), -1)


def _readings() -> FloatArray:
    return unit_readings().reshape(len(NAMES), -1).T


def unchanged(turned: FloatArray) -> FloatArray:
    """Return no function of head pose."""
    return turned[:, :0]


def learnt(learner: Learner) -> Iterator[tuple[str, Measure]]:
    """Yield what is learnt anew, with its name."""
    for head in (0, 1, 5, 15):
        for single in (1.0, 2.5):
            name = f"turning alone counts {head} times, single actions {single:g} times"
            yield name, learner.counting(float(head), single)
    yield "weights do not change", learner.changing(unchanged)
    yield "weights change with the size of yaw", learner.changing(lambda t: np.abs(t[:, 1:2]))
    yield "weights change with yaw and pitch", learner.changing(lambda t: t[:, :2])


def far(units: FloatArray) -> FloatArray:
    """Return how far each unit goes from its median in 95 % of frames."""
    return np.asarray(np.quantile(np.abs(units - np.median(units, axis=0)), 0.95, axis=0))


def r_of(films: list[Film], measure: Measure, name: str) -> FloatArray:
    """Return r of each unit in the films of one name, median over people."""
    some = [film for film in films if film.performance == name]
    r = [correlations(measure(film.deformation, film.pose), film.true) for film in some]
    return np.asarray(np.nanmedian(r, axis=0))


def turning_alone(films: list[Film], measure: Measure) -> FloatArray:
    """Return how far units go as the head turns alone, as a share of their full movement."""
    alone = [far(measure(f.deformation, f.pose)) for f in films if f.performance == "head"]
    full = [far(f.true) for f in films if f.performance in ("still", "turning")]
    return np.asarray(np.median(alone, axis=0) / np.median(full, axis=0))


def smile_kept(films: list[Film], measure: Measure) -> float:
    """Return how much of a smile is left that comes whenever somebody turns to one side."""
    corner = [NAMES.index(f"ul_{side}_corner_raise") for side in ("left", "right")]
    shares = []
    for film in films:
        smiling = [f for f in films if f.person == film.person and f.performance == "single"]
        if film.performance != "head" or not smiling:
            continue
        top = smiling[0].deformation[smiling[0].true[:, corner].sum(axis=1).argmax()]
        turned = film.pose[:, 4] - np.median(film.pose[:, 4])
        course = np.clip(turned, 0, None) / turned.max()
        both = [
            measure(film.deformation + amount * course[:, None, None] * top, film.pose)
            for amount in (0.0, 1.0)
        ]
        gained = (both[1] - both[0])[:, corner].mean(axis=1)
        whole = as_used(top[None], film.pose[:1])[0, corner].mean()
        about = course - course.mean()
        shares.append(gained @ about / (whole * (about @ about)))
    return float(np.median(shares)) if shares else float("nan")


def on_real(path: Path, measure: Measure) -> tuple[FloatArray, FloatArray, float]:
    """Return r of a real pair's units, the same with one backwards, and r with another tool's."""
    data = recordings(path)

    def units(name: str) -> FloatArray:
        moved, pose = (np.asarray(data[f"{name}_{form}"], float) for form in ("refined", "pose"))
        return measure(moved, pose)

    a, b = units("pair_a"), units("pair_b")
    other = with_action_units(
        units("au"),
        [str(name) for name in data["au_names"]],
        np.asarray(data["au_values"], dtype=np.float64),
        np.asarray(data["au_success"], dtype=bool),
    )
    return agreement(a, b), agreement(a, b[::-1]), float(np.mean(list(other.values())))


def row(name: str, films: list[Film], measure: Measure, real: Path | None) -> str:
    """Return one line of the table."""
    turning, still = (r_of(films, measure, which) for which in ("turning", "still"))
    alone = turning_alone(films, measure)
    cells = [
        f"{np.median(alone):.2f} ({(alone <= 0.2).sum()})",
        f"{np.median(turning):.3f} ({(turning < 0.6).sum()})",
        f"{np.median(still):.3f} ({(still < 0.7).sum()})",
        f"{smile_kept(films, measure):.2f}",
    ]
    if real is not None:
        now, backwards, other = on_real(real, measure)
        cells.append(f"{np.median(now):.2f} ({(now < 0.5).sum()})")
        cells.append(f"{np.median(np.abs(backwards)):.2f}")
        cells.append(f"{other:.2f}")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="where films and measurements are kept")
    parser.add_argument("real", type=Path, nargs="?", help="deformations of real faces, .npz")
    parser.add_argument("--learn", action="store_true", help="learn anew as well")
    given = parser.parse_args()
    paths = sorted((given.folder / "development").glob("*.npz"))
    for name in ("head", "single", "still", "turning"):
        raw, refined = np.median([slip(p) for p in paths if f"_{name}" in p.stem], axis=0)
        print(f"{name}: the mesh is off the skin by {raw:.2f} mm, refined by {refined:.2f}.")
    print()
    films = [read(path) for path in paths]
    heads = ["", "turning alone (units ≤ 0.2)", "r, head turning (units under 0.6)"]
    heads += ["r, head still (units under 0.7)", "smile kept"]
    if given.real is not None:
        heads += ["real pair (units under 0.5)", "backwards", "other tool"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    ideal = [film._replace(deformation=film.ideal) for film in films]
    shallow = [film._replace(deformation=film.shallow) for film in films]
    for name, measure in TRIED.items():
        print(row(name, films, measure, given.real), flush=True)
    print(row("depth as it is at first", shallow, as_used, None), flush=True)
    print(row("true pose and depth", ideal, as_used, None), flush=True)
    if given.learn:
        learner = Learner(sorted((given.folder / "calibration").glob("*.npz")))
        for name, measure in learnt(learner):
            print(row(name, films, measure, given.real), flush=True)
        measure = learner.changing(unchanged, ideal=True)
        print(row("learnt for true pose and depth", ideal, measure, None))


if __name__ == "__main__":
    main()
