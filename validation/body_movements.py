"""How rendered people move: as in a test of all angles, or each joint at random.

Each pose holds angles in degrees, by the names that `validation.moving_people` takes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from validation.moving_people import FPS

FloatArray = NDArray[np.float64]

FRAMES = 150
_KNOT = 1.1  # seconds from one place that a joint goes to, to the next

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


def performance(seed: int, each: float = 2.4) -> list[dict[str, float]]:
    """Return poses: arms sideways, arms forward, the trunk, the legs, and all of it at once."""
    random = np.random.default_rng(seed)
    steps = round(each * FPS)
    time = np.arange(5 * steps) / FPS

    def course(low: float, high: float, parts: tuple[int, ...]) -> FloatArray:
        """Return a movement between two angles in some of the five parts, at rest elsewhere."""
        rate = random.uniform(0.3, 0.6)
        wave = 0.5 - 0.5 * np.cos(2 * np.pi * rate * time)
        active = np.repeat(np.isin(np.arange(5), parts), steps).astype(float)
        soft = np.convolve(np.pad(active, steps // 8, mode="edge"), _ramp(steps // 4), "same")
        soft = soft[steps // 8 : steps // 8 + len(time)]
        return np.asarray(low + (high - low) * wave * soft)

    moves = {
        "trunk_lean": course(0, 25, (2,)),
        "bow": course(0, 20, (2, 4)),
        "trunk_bend": course(0, random.choice([-22, 22]), (2, 4)),
        "trunk_turn": course(0, random.choice([-30, 30]), (2, 4)),
        "hips_turn": course(0, random.choice([-25, 25]), (2,)),
        "neck_turn": course(0, random.choice([-35, 35]), (2, 4)),
        "neck_flexion": course(0, 20, (2,)),
        "neck_bend": course(0, random.choice([-20, 20]), (2,)),
    }
    squat = course(0, 75, (3,))
    for side in ("left", "right"):
        moves[f"{side}_shoulder_elevation"] = np.maximum(
            course(12, random.uniform(80, 130), (0, 1, 4)), 12
        )
        random.random(2)  # planes once moved at rates of their own; the films stay what they were
        moves[f"{side}_shoulder_plane"] = np.repeat([10.0, 75.0, 10.0, 10.0, 40.0], steps)
        moves[f"{side}_elbow_flexion"] = np.maximum(
            course(8, random.uniform(70, 110), (0, 1, 4)), 8
        )
        lift = course(0, random.uniform(20, 50), (4,))
        moves[f"{side}_hip_flexion"] = squat + lift
        moves[f"{side}_knee_flexion"] = np.maximum(1.3 * squat + 1.2 * lift, 3)
        moves[f"{side}_hip_abduction"] = course(2, 25, (4,))
    for side in ("left", "right"):  # last, so that all else is what it was without them
        moves[f"{side}_wrist_flexion"] = course(0, random.uniform(30, 60), (1, 4))
    smooth = _ramp(5)
    return _rows(
        {name: np.convolve(np.pad(v, 2, mode="edge"), smooth, "valid") for name, v in moves.items()}
    )


def _ramp(length: int) -> FloatArray:
    window = np.hanning(max(3, length) + 2)[1:-1]
    return np.asarray(window / window.sum())


def _rows(moves: dict[str, FloatArray]) -> list[dict[str, float]]:
    length = len(next(iter(moves.values())))
    return [{name: float(course[k]) for name, course in moves.items()} for k in range(length)]


def at_random(seed: int, frames: int = FRAMES) -> list[dict[str, float]]:
    """Return poses in which each joint moves by itself; now and then, both arms do the same.

    From films of them can be learnt how a measurement errs, and no choreography: which movements go
    together is not as in `performance`.
    """
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
