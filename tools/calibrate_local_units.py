"""Calibrate the local units: measure what the tracked mesh does when one movement is made.

Run as ``python tools/calibrate_local_units.py`` with the ``video`` extra installed; it takes some
minutes. It writes ``local_filter.npy`` in ``src/bitbox/face_backend/data``.

A tracked mesh, refined by the picture, follows the skin well, but not to the millimetre, and
movements overlap. So units are not read off single points. Here two rendered people, before three
cameras, make each of the 32 movements once, turn and move the head, and then move at random. From
that are estimated

- the response of the mesh to one millimetre of each movement, made symmetric, and
- the covariance of everything else: noise, head movement, and what is not linear.

The filter is the generalised least-squares estimate of the 32 amplitudes under that covariance,
and blind to rigid movements of the whole face. Each unit uses only vertices within 60 mm of the
places that move in it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from bitbox.face_backend import builtin, geometry, units
from bitbox.face_backend.mediapipe import track_mesh
from bitbox.face_backend.mesh_track import MeshTrack
from bitbox.synthetic.movements import MOVEMENTS, displacements, mirrored
from bitbox.synthetic.performance import perform
from bitbox.synthetic.portrait import portrait
from bitbox.synthetic.video import Person, Scene, render_video

FloatArray = NDArray[np.float64]

FPS = 24.0
#: Pictures of different size, noise and compression, so that none of these is learnt.
SCENES = (
    Scene(size=(960, 720), eye_distance=72.0, noise=2.0, seed=1),
    Scene(size=(854, 480), eye_distance=62.0, noise=4.0, crf=24, seed=2),
    Scene(size=(800, 600), eye_distance=66.0, noise=3.0, vertical_fov=48.0, seed=3),
)
#: The field of view that is assumed, in degrees. As in real recordings, it is not always right.
FOV = 63.0
N_MOVEMENT, N_HEAD, N_HEAD_RANDOM, N_RANDOM = 28, 40, 240, 400
HEAD_RANGE = {"yaw": 20.0, "pitch": 20.0, "roll": 18.0, "x": 50.0, "y": 30.0, "approach": 0.2}
DEPTH = 0.3  # weight of z: a single camera hardly sees depth
REACH = 60.0  # millimetres
HEAD_SHARE = 3.0  # weight of head movement among what is to be told apart
FLOOR = 6e-4  # share of the mean variance added to all coordinates
#: How much units are shrunk to tell them apart under noise: hardly, since the mesh is refined.
RIDGE = 0.02


class Response(NamedTuple):
    """What a mesh does: per movement (32, 1404), and the covariance of all else (1404, 1404)."""

    movements: FloatArray
    covariance: FloatArray


def amplitudes_in_mm() -> FloatArray:
    """Return how many millimetres the skin moves at most in each movement of amplitude 1."""
    moved = np.linalg.norm(displacements(), axis=2).max(axis=1) / portrait().pixels_per_mm
    order = [MOVEMENTS.index(unit.name) for unit in units.LOCAL_UNITS]
    return np.asarray(moved[order])


class Take(NamedTuple):
    """One person in one scene: truth, and what is measured."""

    drives: dict[str, FloatArray]
    head: dict[str, FloatArray]
    kind: NDArray[np.int64]
    deformation: FloatArray


def script(seed: int) -> tuple[dict[str, FloatArray], dict[str, FloatArray], NDArray[np.int64]]:
    """Return movements, head movements and the kind of each frame: 0 one, 1 head, 2 random."""
    rng = np.random.default_rng(seed)
    names = [unit.name for unit in units.LOCAL_UNITS]
    n_one, n_sweeps = N_MOVEMENT * len(names), N_HEAD * len(HEAD_RANGE)
    n_head = n_sweeps + N_HEAD_RANDOM
    total = n_one + n_head + N_RANDOM
    kind = np.repeat([0, 1, 2], [n_one, n_head, N_RANDOM])
    burst = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_MOVEMENT) / (N_MOVEMENT - 4))
    burst[-4:] = 0
    drives = {name: np.zeros(total) for name in names}
    for number, name in enumerate(names):
        drives[name][number * N_MOVEMENT : (number + 1) * N_MOVEMENT] = burst
        course = gaussian_filter1d(rng.normal(size=N_RANDOM), 5)
        drives[name][kind == 2] = np.clip(0.5 * course / course.std() + 0.1, 0, 1)
    head = {name: np.zeros(total) for name in HEAD_RANGE}
    sweep = np.sin(2 * np.pi * np.arange(N_HEAD) / N_HEAD)
    for number, (name, extent) in enumerate(HEAD_RANGE.items()):
        start = n_one + number * N_HEAD
        head[name][start : start + N_HEAD] = extent * sweep
        course = gaussian_filter1d(rng.normal(size=N_HEAD_RANDOM), 6)
        together = np.clip(0.5 * extent * course / course.std(), -extent, extent)
        head[name][n_one + n_sweeps : n_one + n_head] = together
    for name, extent in (("yaw", 8.0), ("pitch", 6.0), ("roll", 4.0)):
        course = gaussian_filter1d(rng.normal(size=N_RANDOM), 10)
        head[name][kind == 2] = np.clip(extent * course / course.std(), -18, 18)
    return drives, head, kind


def take(other: bool, scene: Scene, seed: int, folder: Path) -> Take:
    """Render and track a person going through the script; frames without a face are left out."""
    drives, head, kind = script(seed)
    time = np.arange(len(kind)) / FPS
    path = folder / f"person{int(other)}.mp4"
    render_video(path, Person(perform(time, drives, head), other=other), scene)
    return measured(track_mesh(path), seed)


def measured(track: MeshTrack, seed: int) -> Take:
    """Return the deformation in a track of the script, and the truth."""
    drives, head, kind = script(seed)
    face = builtin.Person.measure(track, FOV)
    found = geometry.canonicalize(track.mesh, track.size, FOV, person=face.shape)
    deformation = found.shape - face.still
    seen = np.isfinite(deformation).all(axis=(1, 2))
    drives, head = ({name: v[seen] for name, v in part.items()} for part in (drives, head))
    return Take(drives, head, kind[seen], deformation[seen].reshape(seen.sum(), -1))


def measure(one_take: Take) -> Response:
    """Return how the mesh responds to the movements, and what else moves it."""
    drives, head, kind, deformation = one_take
    amount = np.column_stack([drives[unit.name] for unit in units.LOCAL_UNITS])
    amount *= amplitudes_in_mm()
    one = kind == 0
    design = np.column_stack([amount[one], np.ones(one.sum())])
    found = np.linalg.lstsq(design, deformation[one], rcond=None)[0]
    covariance = np.cov((deformation[one] - design @ found).T)
    turning = deformation[kind == 1] - found[-1]
    covariance += HEAD_SHARE * turning.T @ turning / len(turning)
    turns = np.column_stack([head[name][kind == 2] for name in ("yaw", "pitch", "roll")])
    design = np.column_stack(
        [
            amount[kind == 2],
            turns,
            turns**2,
            turns[:, :2].prod(axis=1),
            np.ones(np.count_nonzero(kind == 2)),
        ]
    )
    mixed = deformation[kind == 2]
    covariance += np.cov((mixed - design @ np.linalg.lstsq(design, mixed, rcond=None)[0]).T)
    return Response(found[:-1], covariance)


def flipped(response: Response) -> Response:
    """Return the response of the mirror image."""
    mirror = geometry.mirror_vertices()
    order = (3 * mirror[:, None] + np.arange(3)).ravel()
    sign = np.tile([-1.0, 1.0, 1.0], geometry.N_VERTICES)
    names = [unit.name for unit in units.LOCAL_UNITS]
    twin = [names.index(mirrored(name)) for name in names]
    movements = response.movements[twin][:, order] * sign
    covariance = response.covariance[np.ix_(order, order)] * sign * sign[:, None]
    return Response(movements, covariance)


def average(responses: list[Response]) -> Response:
    """Return the mean of several people and their mirror images."""
    both = [*responses, *map(flipped, responses)]
    return Response(
        np.mean([r.movements for r in both], axis=0), np.mean([r.covariance for r in both], axis=0)
    )


def local_filter(response: Response) -> FloatArray:
    """Return the matrix (32, 1404) from a deformation to the units in millimetres."""
    weight = np.tile([1.0, 1.0, DEPTH], geometry.N_VERTICES)
    design = np.concatenate([response.movements, units.rigid_movements()]) * weight
    covariance = response.covariance * weight * weight[:, None]
    floor = FLOOR * np.trace(covariance) / len(covariance)
    moved = np.linalg.norm(units.unit_movements(), axis=2) > 0.5
    face = geometry.reference_face()
    found = np.zeros((len(units.LOCAL_UNITS), len(weight)))
    for number, places in enumerate(moved):
        distance = np.linalg.norm(face[:, None] - face[places], axis=2).min(axis=1)
        used = np.flatnonzero(np.repeat(distance < REACH, 3))
        part = design[:, used]
        whitened = np.linalg.solve(
            covariance[np.ix_(used, used)] + floor * np.eye(len(used)), part.T
        )
        normal = part @ whitened
        ridge = RIDGE * np.diag(normal).copy()
        ridge[len(moved) :] = 0  # rigid movements are taken out altogether
        shrunk = np.linalg.solve(normal + np.diag(ridge), whitened.T)[number]
        found[number, used] = shrunk / (shrunk @ part[number])  # a millimetre stays a millimetre
    return np.asarray(found * weight)


def main() -> None:
    """Measure both people in all scenes, and write the filter."""
    with tempfile.TemporaryDirectory() as folder:
        takes = [
            take(other, scene, 5 + number, Path(folder))
            for number, scene in enumerate(SCENES)
            for other in (False, True)
        ]
    write(takes)


def write(takes: list[Take]) -> None:
    """Write the filter."""
    path = Path(units.__file__).parent / "data" / "local_filter.npy"
    responses = [measure(one) for one in takes]
    np.save(path, local_filter(average(responses)).astype(np.float32))


if __name__ == "__main__":
    main()
