"""Learn from rendered people where the model of joints errs by habit, and by how much.

Run as ``python -m tools.learn_habits FOLDER``: the calibration people of `validation/humans` are
filmed in FOLDER while they move at random (`validation.body_movements.at_random`; what is there is
not filmed again). It writes ``src/bitbox/body_backend/data/body_habits.npz``; with ``--choose`` it
only says what is left of the errors on people left out.

As all joints of these people move by themselves, and neither camera nor view is twice the same,
what can be told of the errors from where joints are guessed to be is no choreography. It is found
by ridge regression over all frames of all people and their mirror images. Only the depth of the
shoulders, and knees and ankles as seen from the hips, are learnt. Arms, hips and turns were tried
and are not taken: of them such mixtures learn how rendered people bend and stand, and on another
figure (`bitbox.synthetic.body`) they made elbows and shoulders worse. Feet are left out, since a
rendered person's turn with the hips.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from validation.body_accuracy import turned
from validation.body_movements import at_random
from validation.humans.people import Person, of
from validation.moving_people import SIZE, Camera, film

from bitbox.body_backend import habits
from bitbox.body_backend.angles import middle
from bitbox.body_backend.skeleton import HIPS, JOINTS, SHOULDERS
from bitbox.body_backend.space import as_guessed, trunk_of
from bitbox.body_backend.track import BodyTrack, joints_seen
from bitbox.body_backend.tracking import track_body

FloatArray = NDArray[np.float64]

DATA = Path(habits.__file__).parent / "data" / "body_habits.npz"
#: Ridge, as a share of the number of frames, all that is mixed being in standard deviations; on
#: people left out 0.001 to 0.01 are within a twentieth of each other, on development people, too.
RIDGE = 0.003
RIDGES = (0.001, 0.003, 0.01, 0.03, 0.1)
_VIEWS = (-60.0, -30.0, 0.0, 30.0, 60.0)
_PAIRS = [
    (JOINTS.index(name), JOINTS.index(name.replace("left", "right")))
    for name in JOINTS
    if name.startswith("left")
]


class Film(NamedTuple):
    """What was guessed in one film, and what is missing, in lengths of the trunk.

    `joints` is (frames, 33, 3); `missing` has the columns of `habits.corrections`, (frames, 13).
    """

    person: str
    joints: FloatArray
    missing: FloatArray


def measured(person: Person, folder: Path) -> Path:
    """Film and measure somebody who moves at random, unless that was done; return the file.

    It holds ``joints`` as seen from the front, ``time``, ``views``, and of each view ``rows_VIEW``
    and ``confidence_VIEW``.
    """
    kept = folder / f"{person.name}_at_random.npz"
    if kept.exists():
        return kept
    random = np.random.default_rng(person.seed + 5000)
    chosen = random.permutation(_VIEWS)[:3] + random.uniform(-12, 12, 3)
    views = tuple(float(round(view)) for view in chosen)
    camera = Camera(random.uniform(30, 65), random.uniform(0.4, 0.75))
    paths, joints = film(person, at_random(person.seed + 9000), views, folder, camera)
    arrays: dict[str, NDArray[np.generic]] = {"joints": joints, "views": np.array(views)}
    for view, path in paths.items():
        track = track_body(path, threshold=0.5)
        arrays[f"rows_{view:g}"] = np.asarray(track.rows)
        arrays[f"confidence_{view:g}"] = track.confidence
        arrays["time"] = track.time
        path.unlink()
    np.savez(kept, **arrays)
    return kept


def films(folder: Path) -> Iterator[Film]:
    """Yield all films, and each once more as a mirror shows it."""
    for person in of("calibration"):
        with np.load(measured(person, folder)) as stored:
            time = stored["time"]
            for view in stored["views"]:
                rows, confidence = stored[f"rows_{view:g}"], stored[f"confidence_{view:g}"]
                counts = np.ones(len(time), int)
                track = BodyTrack(rows, time, confidence, counts, SIZE, (), "")
                seen = joints_seen(track, 0.5)
                joints = as_guessed(rows, seen, time)
                joints /= trunk_of(np.where(seen[..., None], joints, np.nan))
                true = turned(stored["joints"], float(view))
                true = (true - middle(true, HIPS)[:, None]) / trunk_of(true)
                for one, other in ((joints, true), (mirrored(joints), mirrored(true))):
                    missing = _columns(other - one)
                    known = np.isfinite(missing).all(axis=1) & np.isfinite(one).all(axis=(1, 2))
                    yield Film(person.name, one[known], missing[known])


def mirrored(joints: FloatArray) -> FloatArray:
    """Return what a mirror shows: left and right exchanged."""
    out = joints * [-1.0, 1.0, 1.0]
    for left, right in _PAIRS:
        out[:, [left, right]] = out[:, [right, left]]
    return out


def _columns(away: FloatArray) -> FloatArray:
    legs = away[:, habits.LEGS].reshape(len(away), -1)
    return np.column_stack([middle(away, SHOULDERS)[:, 2], legs])


def learn(some: list[Film], legs: bool, ridge: float) -> FloatArray:
    """Return the mixtures that go best with what is missing, a column for each number of it."""
    x = np.concatenate([habits.features(film.joints, legs) for film in some])[:, :-1]
    y = np.concatenate([film.missing for film in some])
    spread = np.maximum(x.std(axis=0), 1e-3)
    z = (x - x.mean(axis=0)) / spread
    squares = z.T @ z + ridge * len(z) * np.eye(z.shape[1])
    weights = np.linalg.solve(squares, z.T @ (y - y.mean(axis=0))) / spread[:, None]
    return np.vstack([weights, y.mean(axis=0) - x.mean(axis=0) @ weights])


def choose(some: list[Film], legs: bool) -> None:
    """Print what is left of the errors on people left out: SD in hundredths of the trunk."""
    people = sorted({film.person for film in some})
    for ridge in (np.inf, *RIDGES):
        left = []
        for person in people:
            mine = [film for film in some if film.person == person]
            weights = learn([film for film in some if film.person != person], legs, min(ridge, 1e9))
            off = [film.missing - habits.features(film.joints, legs) @ weights for film in mine]
            left.append(100 * np.std(np.concatenate(off), axis=0))
        shoulders, *of_legs = np.mean(left, axis=0)
        told = f"{'with' if legs else 'without'} legs, ridge {ridge:g}: shoulders {shoulders:.1f}"
        print(told + (f", legs {np.mean(of_legs):.1f}" if legs else ""))


def main() -> None:
    """Film, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--choose", action="store_true")
    chosen = parser.parse_args()
    some = list(films(chosen.folder))
    if chosen.choose:
        for legs in (False, True):
            choose(some, legs)
        return
    upper, whole = learn(some, False, RIDGE)[:, :1], learn(some, True, RIDGE)
    np.savez(DATA, upper=upper.astype(np.float32), whole=whole.astype(np.float32))


if __name__ == "__main__":
    main()
