"""Learn from rendered people where straight ahead is, from the shape of a face.

Run as ``python -m tools.learn_straight_ahead FOLDER``, with the people that
``python -m validation.humans.heads FOLDER`` draws, films and measures. It writes ``tilt_map.npy``
into ``src/bitbox/face_backend/data``: weights of the 1404 coordinates of a person's own face as a
first look gives it, of the lens that was assumed, and a constant, whose sum is the pitch that is
read of this person looking straight ahead, in radians. With ``--choose`` it only says how well each
ridge does on people left out.

It is found by ridge regression over all people, each measured with the default lens, with the true
one, and with another. A face in a mirror is tilted alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend import geometry, person, skin
from bitbox.face_backend.mesh_track import MeshTrack

FloatArray = NDArray[np.float64]

DATA = Path(person.__file__).parent / "data" / "tilt_map.npy"
#: Square millimetres; 3 to 30 differ by little on people left out.
RIDGE = 10.0
RIDGES = (1.0, 3.0, 10.0, 30.0, 100.0)
_SHARES = 10  # of people left out, one after another


class Head(NamedTuple):
    """Somebody measured with some lens: the face, the lens, and the pitch that is read too much."""

    number: int
    lens: float
    face: FloatArray
    wrong: float


def heads(path: Path) -> list[Head]:
    """Return somebody as measured with the default lens, the true one, and one between."""
    with np.load(path, allow_pickle=False) as file:
        size = (int(file["size"][0]), int(file["size"][1]))
        count = np.ones(len(file["time"]), dtype=np.int64)
        track = MeshTrack(
            file["mesh_refined"], file["time"], file["confidence"], count, size, (), "rendered"
        )
        true, lens = file["pose"], float(file["vertical_fov"])
    found = []
    for fov in (geometry.VERTICAL_FOV, lens, (geometry.VERTICAL_FOV + lens) / 2):
        first = geometry.canonicalize(track.mesh, size, fov)
        own = person.Person.measure(track, fov)
        placed = own.canonical(track, slice(None), fov)
        pose = skin.head_pose(placed.pose, placed.shape - own.still)
        wrong = float(np.nanmedian(pose[:, 3] - true[:, 3]))
        found.append(Head(int(path.stem), fov, geometry.neutral(first.shape), wrong))
    return found


def inputs(some: list[Head]) -> FloatArray:
    """Return what is known of heads, and of the same heads in a mirror, (2 n, 1405)."""
    faces = np.array([head.face for head in some])
    twins = faces[:, geometry.mirror_vertices()] * [-1.0, 1.0, 1.0]
    lens = np.array([head.lens for head in some])
    wide, usual = (np.tan(np.radians(fov) / 2) for fov in (lens, geometry.VERTICAL_FOV))
    flat = np.concatenate([faces, twins]).reshape(2 * len(some), -1)
    # a lens of twice the width counts as much as a millimetre
    return np.column_stack([flat, np.tile(np.log(wide / usual), 2)])


def learn(some: list[Head], ridge: float) -> FloatArray:
    """Return the weights (1406,): the last is the constant."""
    x, y = inputs(some), np.tile([head.wrong for head in some], 2)
    about, middle = x - x.mean(axis=0), y.mean()
    products = about @ about.T + ridge * len(x) * np.eye(len(x))
    weights = about.T @ np.linalg.solve(products, y - middle)
    return np.append(weights, middle - x.mean(axis=0) @ weights)


def choose(every: list[Head]) -> None:
    """Print what is left on people left out, in degrees."""
    numbers = np.array([head.number for head in every])
    order = np.random.default_rng(0).permutation(np.unique(numbers))
    default = np.array([head.lens == geometry.VERTICAL_FOV for head in every])
    wrong = np.degrees([head.wrong for head in every])
    print(f"not corrected: SD {wrong[default].std():.2f}, {_within(wrong[default])}")
    for ridge in RIDGES:
        left = np.zeros(len(every))
        for share in range(_SHARES):
            out = np.isin(numbers, order[share::_SHARES])
            weights = learn([head for head, o in zip(every, out, strict=True) if not o], ridge)
            some = [head for head, o in zip(every, out, strict=True) if o]
            said = inputs(some)[: len(some)] @ weights[:-1] + weights[-1]
            left[out] = np.degrees([head.wrong for head in some] - said)
        told = ", ".join(
            f"{name}: SD {part.std():.2f}, {_within(part)}"
            for name, part in (("default lens", left[default]), ("others", left[~default]))
        )
        print(f"ridge {ridge:g}: {told}", flush=True)


def _within(degrees: FloatArray) -> str:
    return f"{100 * np.mean(np.abs(degrees) <= 5):.0f} % within 5 degrees"


def main() -> None:
    """Learn, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--choose", action="store_true", help="only try ridges on people left out")
    given = parser.parse_args()
    paths = sorted(given.folder.glob("*.npz"), key=lambda path: int(path.stem))
    every = [head for path in paths for head in heads(path)]
    if given.choose:
        choose(every)
        return
    np.save(DATA, learn(every, RIDGE).astype(np.float32))


if __name__ == "__main__":
    main()
