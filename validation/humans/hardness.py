"""Is rendered skin as hard to follow as real skin? ``python -m validation.humans.hardness FOLDER``.

The skin was made as hard to follow as it is by comparison with four real pairs of recordings alone,
each of one expression on two faces. At zero lag the 32 units of that time (a filter fitted to one
portrait, which is gone) agreed there with a median r of .68, .65, .73, .81 from the mesh alone and
.46, .34, .64, .56 from the mesh fitted to the texture; on people rendered doing the same, by .74
and .76 on average with skin that keeps its look, and by .67 and .62 with skin as it is.

This films some people doing the same, in other light and quality, and compares what the units'
places on the mesh do, read off as it is, without and with the texture fit. So read, the third of
the four real pairs agrees by `REAL`; figures from the old filter cannot be compared with it.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from validation.humans.films import QUALITIES, film
from validation.humans.measure import deformation, track
from validation.humans.people import by_name
from validation.humans.performance import all_at_once
from validation.humans.render import AS_SKIN, LIGHTS, Camera, Hardness

from bitbox.face_backend.units import local_units

FloatArray = NDArray[np.float64]

#: Who does the same, under which light, in which quality.
FILMED = (
    ("mara", "window", "webcam"),
    ("quon", "screen", "clean"),
    ("priya", "ceiling", "webcam"),
    ("june", "window", "clean"),
)
SEED = 777
#: The third real pair, read off in the same way.
REAL = {"raw": (0.81,), "refined": (0.87,)}


def agreement(one: FloatArray, other: FloatArray) -> float:
    """Return the median over the units (T, 32) of r between two recordings."""
    known = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(one[known].T, other[known].T, strict=True)]
    return float(np.nanmedian(r))


def agreements(folder: Path, hardness: Hardness) -> dict[str, list[float]]:
    """Return the agreement of all pairs of people, without and with the texture fit."""
    folder.mkdir(parents=True, exist_ok=True)
    same = all_at_once(SEED, turning=False, duration=16.0)
    units: dict[str, list[FloatArray]] = {"raw": [], "refined": []}
    for name, light, quality in FILMED:
        path, camera = folder / f"{name}.mp4", Camera()
        film(by_name(name), same, camera, LIGHTS[light], QUALITIES[quality], path, hardness)
        tracked = track(path)
        for form, mesh in (("raw", tracked.raw), ("refined", tracked.refined)):
            units[form].append(local_units(deformation(mesh, camera.vertical_fov)[0]))
    return {
        form: [agreement(a, b) for a, b in combinations(some, 2)] for form, some in units.items()
    }


def main() -> None:
    """Compare rendered pairs, soft and as hard as skin, with the real ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, hardness in (("soft", Hardness(0, 0, 0, 0, 3)), ("as skin", AS_SKIN)):
        for form, found in agreements(folder / name.replace(" ", "-"), hardness).items():
            told = " ".join(f"{value:.2f}" for value in found)
            print(f"{name}, {form}: {told}; mean {np.mean(found):.2f}", flush=True)
    for form, real in REAL.items():
        print(f"real, {form}: {' '.join(f'{r:.2f}' for r in real)}; mean {np.mean(real):.2f}")


if __name__ == "__main__":
    main()
