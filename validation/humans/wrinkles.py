"""Folds that come with movement: where they are, what brings them on, and how they look.

A fold is a furrow along a curve on the base face (decimetres, see `validation.humans.skin`). It
turns the skin's normals and darkens its ground, the more the stronger the actions are that bring it
on. It does not move the surface: the truth stays the mesh's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from validation.humans.body import ACTIONS
from validation.humans.people import Person
from validation.humans.skin import chart

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]
Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Fold:
    """Folds of one place.

    Attributes
    ----------
    rows, columns : slice
        Where in the texture.
    patch : ndarray of float32, shape (height, width, 3)
        Slopes along x and y, and how much darker, at full strength.
    weights : ndarray, shape (52,)
        How much each action brings it on.
    """

    rows: slice
    columns: slice
    patch: Float32
    weights: FloatArray


#: Name, curves on the subject's left side (mirrored), width in dm, depth, what brings them on.
#: Curves that reach x = 0 are continued on the other side.
_SIDED: tuple[tuple[tuple[Curve, ...], float, float, dict[str, float]], ...] = (
    (
        tuple(
            ((0.04, y - 0.01), (0.2, y + 0.015), (0.38, y + 0.02), (0.56, y - 0.05))
            for y in (7.64, 7.71, 7.78, 7.86)
        ),
        *(0.014, 1.0),
        {"browOuterUp": 1.0, "browInnerUp": 0.7},
    ),
    (
        (((0.04, 7.37), (0.05, 7.46), (0.045, 7.56)), ((0.085, 7.42), (0.10, 7.5), (0.105, 7.55))),
        *(0.013, 1.1),
        {"browDown": 1.0, "noseSneer": 0.3},
    ),
    (
        (((0.06, 7.2), (0.13, 7.12), (0.18, 7.08)), ((0.07, 7.26), (0.13, 7.2), (0.17, 7.17))),
        *(0.011, 0.9),
        {"noseSneer": 1.2},
    ),
    (
        tuple(
            ((0.475, 7.27 + 0.03 * k), (0.54, 7.27 + 0.065 * k), (0.62, 7.27 + 0.11 * k))
            for k in (-2, -1, 0, 1)
        ),
        *(0.009, 0.9),
        {"cheekSquint": 0.9, "mouthSmile": 0.6, "eyeSquint": 0.7, "eyeBlink": 0.35},
    ),
    (
        (
            ((0.17, 7.20), (0.25, 7.155), (0.36, 7.16), (0.45, 7.21)),
            ((0.17, 7.15), (0.26, 7.10), (0.37, 7.10), (0.46, 7.15)),
        ),
        *(0.011, 0.8),
        {"cheekSquint": 1.0, "mouthSmile": 0.5, "eyeSquint": 0.9},
    ),
    (
        (((0.15, 6.98), (0.20, 6.88), (0.27, 6.78), (0.31, 6.68), (0.33, 6.60)),),
        *(0.017, 1.5),
        {"mouthSmile": 1.0, "noseSneer": 0.7, "mouthUpperUp": 0.7, "cheekSquint": 0.4},
    ),
    (
        (
            ((0.30, 6.66), (0.32, 6.60), (0.30, 6.52)),
            ((0.36, 6.70), (0.39, 6.60), (0.37, 6.48)),
        ),
        *(0.012, 1.0),
        {"mouthSmile": 0.7, "mouthDimple": 1.0, "mouthStretch": 0.8, "mouthPress": 0.5},
    ),
    (
        (((0.25, 6.58), (0.29, 6.50), (0.31, 6.40)),),
        *(0.014, 1.0),
        {"mouthFrown": 1.0, "mouthLowerDown": 0.5, "mouthStretch": 0.4},
    ),
)
_MIDDLE: tuple[tuple[tuple[Curve, ...], float, float, dict[str, float]], ...] = (
    (
        tuple(((-0.22, y - 0.02), (0.0, y), (0.22, y - 0.02)) for y in (7.62, 7.69, 7.76)),
        *(0.014, 1.0),
        {"browInnerUp": 1.0},
    ),
    (
        tuple(((-0.06, y), (0.0, y - 0.008), (0.06, y)) for y in (7.24, 7.31)),
        *(0.012, 1.0),
        {"noseSneerLeft": 0.6, "noseSneerRight": 0.6, "browDownLeft": 0.25, "browDownRight": 0.25},
    ),
    (
        (((-0.15, 6.44), (-0.07, 6.455), (0.0, 6.46), (0.07, 6.455), (0.15, 6.44)),),
        *(0.016, 1.2),
        {"mouthShrugLower": 1.0, "mouthFrownLeft": 0.3, "mouthFrownRight": 0.3, "mouthPucker": 0.3},
    ),
    (
        tuple(((x, 6.67), (1.06 * x, 6.76)) for x in np.linspace(-0.17, 0.17, 9).tolist()),
        *(0.009, 0.7),
        {"mouthPucker": 1.0, "mouthFunnel": 0.4, "mouthPressLeft": 0.3, "mouthPressRight": 0.3},
    ),
    (
        tuple(((x, 6.50), (x, 6.70)) for x in np.linspace(-0.2, 0.2, 15).tolist()),
        *(0.007, 0.7),
        {"mouthPucker": 1.0, "mouthFunnel": 0.3},
    ),
)

#: What bulges (depth below 0) or sinks in when muscles under it contract: place on the subject's
#: left side, radius, depth, how much redder or paler, what brings it on.
_SWELLING: tuple[tuple[tuple[float, float], float, float, float, dict[str, float]], ...] = (
    ((0.34, 7.03), 0.11, -0.9, 0.05, {"mouthSmile": 1.0, "cheekSquint": 0.8, "noseSneer": 0.4}),
    ((0.41, 6.62), 0.06, -0.8, 0.03, {"mouthSmile": 0.7, "mouthDimple": 1.0, "mouthStretch": 0.6}),
    ((0.30, 7.185), 0.04, -0.7, 0.02, {"cheekSquint": 0.7, "eyeSquint": 1.0, "mouthSmile": 0.4}),
    ((0.10, 7.47), 0.045, -0.9, 0.03, {"browDown": 1.0, "noseSneer": 0.4}),
    ((0.30, 7.56), 0.06, -0.8, -0.04, {"browOuterUp": 1.0, "browInnerUp": 0.4}),
    ((0.30, 7.42), 0.05, 0.6, -0.02, {"browOuterUp": 0.8, "eyeWide": 0.5}),
    ((0.46, 6.75), 0.13, 0.8, -0.03, {"jawOpen": 0.9, "mouthFunnel": 0.6, "mouthPucker": 0.5}),
    ((0.23, 6.42), 0.07, -0.7, 0.03, {"mouthFrown": 1.0, "mouthLowerDown": 0.5, "mouthPress": 0.5}),
    ((0.14, 6.76), 0.05, -0.7, 0.02, {"mouthUpperUp": 0.9, "noseSneer": 0.5}),
    ((0.12, 6.73), 0.05, 0.7, -0.03, {"mouthPress": 0.7, "jawOpen": 0.4}),
    ((0.12, 6.36), 0.07, -0.9, -0.05, {"mouthShrugLower": 1.0, "mouthPucker": 0.6}),
    (
        (0.09, 6.72),
        0.06,
        -0.8,
        0.02,
        {"mouthPucker": 1.0, "mouthFunnel": 0.7, "mouthShrugUpper": 0.7},
    ),
)


@cache
def folds_of(person: Person) -> list[Fold]:
    """Return a person's folds: everybody has them at slightly other places and depths."""
    random = np.random.default_rng(person.seed + 40)
    found = []
    for curves, width, depth, causes in _SIDED:
        depth = depth * float(np.exp(random.normal(0, 0.25)))
        shift = random.normal(0, 0.012, size=2)
        for side, name in ((1, "Left"), (-1, "Right")):
            own = [
                [(side * (px + shift[0]), py + shift[1] + random.normal(0, 0.004)) for px, py in c]
                for c in curves
            ]
            weights = {
                cause + name if cause + name in ACTIONS else cause: amount
                for cause, amount in causes.items()
            }
            deep = depth * person.wrinkled
            found.append(_fold(own, width, (1.95 * deep, 0.32 * deep), weights))
    for (px, py), radius, depth, blush, causes in _SWELLING:
        depth = depth * float(np.exp(random.normal(0, 0.3)))
        for side, name in ((1, "Left"), (-1, "Right")):
            at = random.normal(0, 0.015, size=2)
            weights = {
                cause + name if cause + name in ACTIONS else cause: amount
                for cause, amount in causes.items()
            }
            spot = [[(side * (px + at[0]), py + at[1])]]
            found.append(_fold(spot, radius, (1.45 * depth, 2.3 * blush), weights))
    for curves, width, depth, causes in _MIDDLE:
        own = [[(px, py + random.normal(0, 0.006)) for px, py in c] for c in curves]
        deep = depth * person.wrinkled
        found.append(_fold(own, width, (1.95 * deep, 0.32 * deep), causes))
    return found


def _fold(
    curves: list[list[tuple[float, float]]],
    width: float,
    form: tuple[float, float],
    causes: dict[str, float],
) -> Fold:
    """Return folds along curves: form is how steep they are, and how much darker."""
    steep, darker = form
    place = chart().place
    x, y, z = np.moveaxis(place, -1, 0)
    points = np.concatenate([np.array(c) for c in curves])
    low, high = points.min(axis=0) - 4 * width, points.max(axis=0) + 4 * width
    near = (x > low[0]) & (x < high[0]) & (y > low[1]) & (y < high[1]) & (z > 0.6) & (z < 3)
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    row, column = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    there = near[row, column]
    at = np.stack([x[row, column], y[row, column]], axis=-1).astype(np.float64)
    patch = np.zeros((*there.shape, 3))
    for curve in curves:
        away, fade = _from_curve(at, np.array(curve))
        distance = np.linalg.norm(away, axis=-1)
        bell = np.exp(-0.5 * (distance / width) ** 2) * fade * there
        # slope of a furrow of the form of -bell
        patch[..., :2] += steep * bell[..., None] * away / width
        wider = np.exp(-0.5 * (distance / (1.3 * width)) ** 2) * fade * there
        patch[..., 2] += darker * wider
    weights = np.zeros(len(ACTIONS))
    for cause, amount in causes.items():
        weights[ACTIONS.index(cause)] = amount
    return Fold(row, column, patch.astype(np.float32), weights)


def _from_curve(at: FloatArray, curve: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the way from the nearest point of a curve, and how far the fold fades there."""
    best = np.full(at.shape[:-1], np.inf)
    away = np.zeros_like(at)
    fade = np.zeros(at.shape[:-1])
    if len(curve) == 1:
        return at - curve[0], np.ones(at.shape[:-1])
    n = len(curve) - 1
    for k in range(n):
        a, b = curve[k], curve[k + 1]
        t = np.clip(((at - a) @ (b - a)) / ((b - a) @ (b - a)), 0, 1)
        off = at - (a + t[..., None] * (b - a))
        distance = np.linalg.norm(off, axis=-1)
        closer = distance < best
        best = np.where(closer, distance, best)
        away = np.where(closer[..., None], off, away)
        along = (k + t) / n
        fade = np.where(closer, np.sqrt(np.clip(4 * along * (1 - along), 0, 1)) * 0.7 + 0.3, fade)
    return away, fade


class Wrinkled:
    """Puts together, frame by frame, the folds that there are.

    Attributes
    ----------
    texture : ndarray of float32, shape (height, width, 3)
        Slopes along x and y, and how much darker.
    """

    def __init__(self, folds: list[Fold], strength: float) -> None:
        self._folds = folds
        self._strength = strength
        self.texture = np.zeros(chart().place.shape, dtype=np.float32)

    def show(self, drives: FloatArray) -> Float32:
        """Return the texture for one frame's drives (52,)."""
        for fold in self._folds:
            self.texture[fold.rows, fold.columns] = 0
        for fold in self._folds:
            amount = float(fold.weights @ drives)
            if self._strength > 0 and amount > 0.02:
                amount = self._strength * min(amount, 1.4) ** 1.3
                self.texture[fold.rows, fold.columns] += np.float32(amount) * fold.patch
        return self.texture
