"""Rendered people who move at random: each joint by itself, seen from anywhere in front.

From them can be learnt how a measurement errs, and no choreography: neither which movements go
together nor from where they are filmed is as in `validation.moving_people.performance`. The camera
is another one each time, nearer or further, higher or lower.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from validation.humans.people import Person
from validation.moving_people import FPS, Camera, film

from bitbox.body_backend.tracking import track_body

FloatArray = NDArray[np.float64]

FRAMES = 150
_KNOT = 1.1  # seconds from one place that a joint goes to, to the next
_VIEWS = (-60.0, -30.0, 0.0, 30.0, 60.0)

#: Of each movement: from, to (degrees), in which share of the time, and where it rests otherwise.
_TRUNK = {
    "trunk_lean": (-10, 40, 0.5, 0),
    "bow": (-5, 40, 0.4, 0),
    "trunk_bend": (-28, 28, 0.5, 0),
    "trunk_turn": (-38, 38, 0.5, 0),
    "hips_turn": (-35, 35, 0.5, 0),
    "neck_turn": (-40, 40, 0.5, 0),
    "neck_flexion": (-15, 25, 0.5, 0),
    "neck_bend": (-20, 20, 0.4, 0),
}
_ARM = {
    "shoulder_elevation": (8, 160, 0.75, 10),
    "shoulder_plane": (-15, 110, 1.0, 20),
    "upper_arm_turn": (-90, 60, 0.75, 0),
    "elbow_flexion": (3, 135, 0.75, 8),
    "wrist_flexion": (-10, 60, 0.5, 0),
}


def at_random(seed: int, frames: int = FRAMES) -> list[dict[str, float]]:
    """Return poses in which each joint moves by itself; now and then, both arms do the same."""
    random = np.random.default_rng(seed)

    def course(low: float, high: float, share: float, rest: float) -> FloatArray:
        return _course(random, frames, (low, high), share, rest)

    moves = {name: course(*values) for name, values in _TRUNK.items()}
    squat, bent = course(0, 90, 0.5, 0), random.uniform(1.0, 1.8)
    arms = [{name: course(*values) for name, values in _ARM.items()} for _ in range(2)]
    same = course(0, 1, 0.5, 0)
    for side, arm in zip(("left", "right"), arms, strict=True):
        for name, alone in arm.items():
            moves[f"{side}_{name}"] = same * arms[0][name] + (1 - same) * alone
        lift = np.maximum(course(-40, 60, 0.4, 0), 0)
        moves[f"{side}_hip_flexion"] = np.minimum(squat + lift, 100)
        knee = bent * squat + course(0.8, 1.4, 1.0, 1) * lift
        moves[f"{side}_knee_flexion"] = np.clip(knee, 3, 130)
        moves[f"{side}_hip_abduction"] = course(0, 32, 0.5, 2)
    return [{name: float(moves[name][k]) for name in moves} for k in range(frames)]


def _course(
    random: np.random.Generator,
    frames: int,
    ends: tuple[float, float],
    share: float,
    rest: float,
) -> FloatArray:
    """Return a movement to places at random between two ends, or at rest part of the time."""
    knots = np.arange(-1, frames / FPS / _KNOT + 2) * _KNOT
    places = np.where(
        random.random(len(knots)) < share, random.uniform(*ends, size=len(knots)), float(rest)
    )
    fine = np.interp(np.arange(-20, frames + 20) / FPS, knots, places)
    soft = np.hanning(round(_KNOT * FPS) + 2)[1:-1]
    return np.convolve(fine, soft / soft.sum(), "same")[20 : 20 + frames]


def measure_at_random(person: Person, folder: Path) -> Path:
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
