"""Film people drawn at random who turn their heads: ``python -m validation.humans.heads FOLDER``.

What is the same for all frames of a recording, how a person's head is put on and whether they wear
glasses, takes many people and few pictures. So as many as are wanted (``--people``, from
``--first`` on) are drawn, filmed for `SECONDS` through any lens between 26 and 84 degrees, near or
far, in any light, clean or as by a webcam, and measured. Kept is, for each, ``FOLDER/NUMBER.npz``:
what was tracked (``mesh_refined``, ``confidence``, ``time``, ``size``), the median of the face laid
flat (``texture``), and what is true (``pose``, ``vertical_fov``, ``glasses``). What is there is
left as it is.

People of an even number look straight at first; those of an odd one hold their heads somewhere else
and hardly turn them, as somebody does who watches a screen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from validation.humans.body import ACTIONS
from validation.humans.films import QUALITIES, film
from validation.humans.measure import track
from validation.humans.people import drawn
from validation.humans.performance import Performance, wander
from validation.humans.render import AS_SKIN, LIGHTS, Camera

FloatArray = NDArray[np.float64]

SECONDS, FPS = 2.4, 10.0
#: Degrees of pitch, yaw and roll that heads are turned by.
TURNS = (12.0, 15.0, 8.0)
_LENSES = (26.0, 84.0)


def performance_of(number: int) -> Performance:
    """Return how somebody turns the head, with a little of an expression that stays."""
    random = np.random.default_rng([number, 77])
    time = np.arange(round(SECONDS * FPS)) / FPS
    turns = np.radians(TURNS) * wander(2.5 * time, random)
    turns[:3] = 0
    if number % 2:
        turns = 0.2 * turns + np.radians(TURNS) * random.uniform(-1, 1, 3)
    drives = np.zeros((len(time), len(ACTIONS)))
    for name in random.choice(ACTIONS, 3):
        drives[:, ACTIONS.index(name)] = random.uniform(0, 0.3)
    return Performance("heads", time, drives, turns)


def camera_of(number: int) -> Camera:
    """Return a camera: its lens, how near somebody sits, and where in the picture."""
    random = np.random.default_rng([number, 78])
    low, high = np.log(np.tan(np.radians(_LENSES) / 2))
    lens = float(np.degrees(2 * np.arctan(np.exp(random.uniform(low, high)))))
    place = (0.5 + random.uniform(-0.1, 0.1), 0.46 + random.uniform(-0.08, 0.08))
    return Camera(lens, eye_distance=float(random.uniform(42, 78)), place=place)


def measure(number: int, out: Path) -> None:
    """Film and track somebody, and keep what was measured and what is true."""
    person, performance, camera = drawn(number), performance_of(number), camera_of(number)
    random = np.random.default_rng([number, 79])
    light = list(LIGHTS.values())[random.integers(len(LIGHTS))]
    quality = QUALITIES[("clean", "webcam")[random.integers(2)]]
    path = out.with_suffix(".mp4")
    truth = film(person, performance, camera, light, quality, path, AS_SKIN)
    tracked = track(path)
    path.unlink()
    np.savez(
        out,
        mesh_refined=tracked.refined.mesh,
        confidence=tracked.refined.confidence,
        time=tracked.refined.time,
        size=np.array(tracked.refined.size),
        texture=np.median(tracked.textures, axis=0).astype(np.uint8),
        pose=truth.pose,
        vertical_fov=np.array(camera.vertical_fov),
        glasses=np.array(person.glasses),
    )


def main() -> None:
    """Film and measure people."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for number in range(given.first, given.first + given.people):
        out = given.folder / f"{number}.npz"
        if not out.exists():
            measure(number, out)


if __name__ == "__main__":
    main()
