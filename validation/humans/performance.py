"""What rendered people do: drives of their facial actions, and turns of their heads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from validation.humans.body import ACTIONS

FloatArray = NDArray[np.float64]

REST = 1.5  # seconds at rest at the beginning
#: Actions that are made on both sides at once when one action is shown at a time.
TOGETHER: tuple[tuple[str, ...], ...] = (
    *(("browDownLeft", "browDownRight"), ("browInnerUp",)),
    *(("browOuterUpLeft",), ("browOuterUpRight",), ("cheekPuff",)),
    *(("cheekSquintLeft", "cheekSquintRight"), ("eyeBlinkLeft",), ("eyeBlinkRight",)),
    *(("eyeSquintLeft", "eyeSquintRight"), ("eyeWideLeft", "eyeWideRight")),
    *(("jawForward",), ("jawLeft",), ("jawOpen",), ("jawRight",)),
    *(("mouthDimpleLeft", "mouthDimpleRight"), ("mouthFrownLeft",), ("mouthFrownRight",)),
    *(("mouthFunnel",), ("mouthLeft",), ("mouthRight",)),
    *(("mouthLowerDownLeft", "mouthLowerDownRight"), ("mouthPressLeft", "mouthPressRight")),
    *(("mouthPucker",), ("mouthRollLower",), ("mouthRollUpper",)),
    *(("mouthShrugLower",), ("mouthShrugUpper",), ("mouthSmileLeft",), ("mouthSmileRight",)),
    *(("mouthStretchLeft", "mouthStretchRight"), ("mouthUpperUpLeft", "mouthUpperUpRight")),
    *(("noseSneerLeft", "noseSneerRight"),),
)
#: How strong an action gets when all are made at once; 1 where it is not named.
_LIMITS = {"jawOpen": 0.8, "mouthClose": 0.0, "tongueOut": 0.0, "jawForward": 0.7}
#: Actions of which only so much is made together: their sum is brought down to the limit.
_SHARED: tuple[tuple[tuple[str, ...], float], ...] = (
    (("jawOpen", "mouthFunnel", "mouthPucker"), 1.0),
    (
        ("mouthPucker", "mouthSmileLeft", "mouthStretchLeft", "mouthDimpleLeft", "mouthFrownLeft"),
        1.1,
    ),
    (
        (
            "mouthPucker",
            "mouthSmileRight",
            "mouthStretchRight",
            "mouthDimpleRight",
            "mouthFrownRight",
        ),
        1.1,
    ),
    (("mouthPressLeft", "mouthRollLower", "mouthRollUpper", "jawOpen", "mouthFunnel"), 1.1),
    (("mouthPressRight", "mouthRollLower", "mouthRollUpper", "jawOpen", "mouthFunnel"), 1.1),
    (("mouthLeft", "mouthRight"), 0.8),
    (("jawLeft", "jawRight"), 0.8),
    (("mouthLeft", "jawLeft", "mouthRight", "jawRight"), 1.2),
    (("eyeBlinkLeft", "eyeWideLeft", "eyeSquintLeft"), 1.0),
    (("eyeBlinkRight", "eyeWideRight", "eyeSquintRight"), 1.0),
    (("browDownLeft", "browOuterUpLeft"), 1.0),
    (("browDownRight", "browOuterUpRight"), 1.0),
    (("browInnerUp", "browDownLeft"), 1.2),
    (("browInnerUp", "browDownRight"), 1.2),
    (("mouthShrugUpper", "mouthUpperUpLeft", "mouthRollUpper"), 1.0),
    (("mouthShrugLower", "mouthLowerDownLeft", "mouthRollLower"), 1.0),
)


@dataclass(frozen=True, eq=False)
class Performance:
    """What somebody does.

    Attributes
    ----------
    name : str
    time : ndarray, shape (T,)
        Seconds.
    drives : ndarray, shape (T, 52)
        0 to 1, in the order of `ACTIONS`.
    turns : ndarray, shape (T, 3)
        Rx, Ry, Rz of the head in radians, as `bitbox.face_backend.geometry` has them.
    """

    name: str
    time: FloatArray
    drives: FloatArray
    turns: FloatArray


def one_at_a_time(seed: int, fps: float = 10.0, each: float = 0.7) -> Performance:
    """Show the actions of `TOGETHER` one after another, in random order, the head still."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(TOGETHER))
    duration = REST + each * len(order) + 0.3
    time = np.arange(round(duration * fps)) / fps
    drives = np.zeros((len(time), len(ACTIONS)))
    for place, number in enumerate(order):
        course = random.uniform(0.8, 1.0) * _bump(time - REST - each * place, each)
        for name in TOGETHER[number]:
            drives[:, ACTIONS.index(name)] = course
    return Performance("single", time, drives, np.zeros((len(time), 3)))


def all_at_once(seed: int, turning: bool, duration: float = 20.0, fps: float = 10.0) -> Performance:
    """Make all actions at random times, overlapping, the head still or turning."""
    random = np.random.default_rng(seed)
    time = np.arange(round(duration * fps)) / fps
    drives = np.zeros((len(time), len(ACTIONS)))
    for column in range(len(ACTIONS)):
        drives[:, column] = _bursts(time, random)
    _look_together(drives, time, random)
    for column, name in enumerate(ACTIONS):
        drives[:, column] *= _LIMITS.get(name, 1.0)
    _limit(drives)
    turns = np.zeros((len(time), 3))
    if turning:
        begun = np.clip((time - REST) / 0.7, 0, 1)[:, None]
        turns = begun * np.radians([10.0, 15.0, 6.0]) * wander(time, random)
    return Performance("turning" if turning else "still", time, drives, turns)


def head_alone(seed: int, duration: float = 12.0, fps: float = 10.0) -> Performance:
    """Turn the head by up to 15 degrees in yaw, 12 in pitch and 8 in roll, the face at rest."""
    random = np.random.default_rng(seed)
    time = np.arange(round(duration * fps)) / fps
    begun = np.clip((time - REST) / 0.7, 0, 1)[:, None]
    turns = begun * np.radians([12.0, 15.0, 8.0]) * wander(time, random)
    return Performance("head", time, np.zeros((len(time), len(ACTIONS))), turns)


def _bump(time: FloatArray, length: float) -> FloatArray:
    """Return a movement to 1 and back within so many seconds, with a short hold."""
    share = time / length
    inside = (share > 0) & (share < 1)
    rise = np.clip(np.minimum(share, 1 - share) / 0.4, 0, 1)
    return np.where(inside, 0.5 - 0.5 * np.cos(np.pi * rise), 0.0)


def _bursts(time: FloatArray, random: np.random.Generator) -> FloatArray:
    """Return smooth bursts of one action, about 40 % of the time."""
    course = np.zeros_like(time)
    at = REST + random.exponential(1.0)
    while at < time[-1]:
        length = random.uniform(0.6, 2.2)
        course = np.maximum(course, random.uniform(0.25, 1.0) * _bump(time - at, length))
        at += length * random.uniform(0.6, 1.0) + random.exponential(1.5)
    return course


def _look_together(drives: FloatArray, time: FloatArray, random: np.random.Generator) -> None:
    """Let both eyes look the same way: left, right, up, down, in jumps."""
    begun = time > REST
    for column, name in enumerate(ACTIONS):
        if name.startswith("eyeLook"):
            drives[:, column] = 0
    goal, jump, x, y = np.zeros(2), REST, np.zeros(len(time)), np.zeros(len(time))
    for frame, now in enumerate(time):
        if begun[frame] and now > jump:
            goal = random.uniform(-0.6, 0.6, size=2) * (random.random() < 0.7)
            jump = now + random.uniform(0.5, 2.0)
        x[frame], y[frame] = goal
    for name, course in (
        *(("eyeLookOutLeft", x), ("eyeLookInRight", x), ("eyeLookInLeft", -x)),
        *(("eyeLookOutRight", -x), ("eyeLookUpLeft", y), ("eyeLookUpRight", y)),
        *(("eyeLookDownLeft", -y), ("eyeLookDownRight", -y)),
    ):
        drives[:, ACTIONS.index(name)] = np.maximum(0, course)


def _limit(drives: FloatArray) -> None:
    for names, most in _SHARED:
        columns = [ACTIONS.index(name) for name in names]
        total = drives[:, columns].sum(axis=1)
        drives[:, columns] *= np.minimum(1, most / np.maximum(total, 1e-9))[:, None]


def wander(time: FloatArray, random: np.random.Generator) -> FloatArray:
    """Return three independent courses between -1 and 1."""
    found = np.zeros((len(time), 3))
    for axis in range(3):
        for rate in random.uniform([0.10, 0.22], [0.20, 0.36]):
            found[:, axis] += np.sin(2 * np.pi * (rate * time + random.uniform()))
        found[:, axis] /= np.abs(found[:, axis]).max()
    return found
