"""Where signals are on a face or a body, and a sketch of it to draw them on.

Seen from the front, as in a picture: what is the person's left is on the right. Up is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.angles import ANGLE_NAMES
from bitbox.face_backend.geometry import IBUG51, reference_face
from bitbox.face_backend.unit_table import LOCAL_UNITS, Part
from bitbox.report.pictures import LINES

FloatArray = NDArray[np.float64]

#: With fewer signals on it nothing is drawn.
FEWEST = 3
# Joints of the sketched body: x to the person's left, y up.
_LIMBS = {
    "shoulder": (1.7, 7.4),
    "elbow": (2.5, 5.5),
    "wrist": (3.1, 3.7),
    "hip": (0.9, 4.1),
    "knee": (1.15, 1.9),
    "ankle": (1.2, -0.4),
    "toe": (1.7, -0.9),
    "finger": (3.35, 2.9),
}
_BONES = (
    *(("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "finger")),
    *(("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "toe")),
)
_MIDDLE = {"neck": (0.0, 8.2), "shoulders": (0.0, 7.4), "trunk": (0.0, 6.0), "hips": (0.0, 4.1)}


@dataclass(frozen=True, eq=False)
class Sketch:
    """Lines of a face or a body, and the places of signals on it.

    Attributes
    ----------
    what : {'face', 'body'}
    lines : tuple of (k, 2) array
    places : mapping
        (x, y) of each signal that has one; no two lie on each other.
    """

    what: str
    lines: tuple[FloatArray, ...]
    places: dict[str, tuple[float, float]]


def sketch(names: Sequence[str]) -> Sketch | None:
    """Return a face or a body with the places of these signals; None: too few have one."""
    for what, lines, places, apart in (
        ("face", _face_lines, _unit_places, 6.0),
        ("body", _body_lines, _angle_places, 0.55),
    ):
        known = {name: place for name, place in places().items() if name in set(names)}
        if len(known) >= FEWEST:
            return Sketch(what, tuple(lines()), _beside(known, apart))
    return None


def _face_lines() -> list[FloatArray]:
    from scipy.spatial import ConvexHull

    face = reference_face()[:, :2] * (1.0, -1.0)
    hull = face[ConvexHull(face).vertices]
    points = face[list(IBUG51)]
    found = [np.vstack([hull, hull[:1]])]
    for first, last, closed in LINES:
        line = points[first : last + 1]
        found.append(np.vstack([line, line[:1]]) if closed else line)
    return found


def _unit_places() -> dict[str, tuple[float, float]]:
    return {
        unit.name: _mean([place for part in unit.parts for place in _vertices(part)])
        for unit in LOCAL_UNITS
    }


def _vertices(part: Part) -> FloatArray:
    """Return where the vertices of a part are, (k, 2)."""
    places = reference_face()[list(part.read_at or part.sources), :2] * (1.0, -1.0)
    return places * (-1.0, 1.0) if part.mirrored else places


def _mean(places: Sequence[FloatArray]) -> tuple[float, float]:
    x, y = np.mean(places, axis=0)
    return float(x), float(y)


def _body_lines() -> list[FloatArray]:
    turn = np.linspace(0, 2 * np.pi, 40)
    head = np.column_stack([0.75 * np.sin(turn), 9.3 + 0.95 * np.cos(turn)])
    found = [head, np.array([(0.0, 8.35), _MIDDLE["shoulders"]])]
    for side in (-1.0, 1.0):
        found += [np.array([_LIMBS[a], _LIMBS[b]]) * (side, 1.0) for a, b in _BONES]
    across = np.array([(-1.0, 1.0), (1.0, 1.0)])
    return found + [across * _LIMBS[joint] for joint in ("shoulder", "hip")]


def _angle_places() -> dict[str, tuple[float, float]]:
    found = {}
    for name in ANGLE_NAMES:
        side, _, rest = name.partition("_")
        if side in ("left", "right"):
            x, y = _LIMBS[rest.split("_")[0]]
            found[name] = (x if side == "left" else -x, y)
        else:
            found[name] = _MIDDLE[side]
    return found


def _beside(places: dict[str, tuple[float, float]], apart: float) -> dict[str, tuple[float, float]]:
    """Move places that lie on each other apart, along a row; each row around its middle."""
    rows: list[list[str]] = []
    for name, (x, y) in places.items():
        for row in rows:
            first = places[row[0]]
            if np.hypot(x - first[0], y - first[1]) < apart:
                row.append(name)
                break
        else:
            rows.append([name])
    moved = {}
    for row in rows:
        middle = _mean([np.array(places[name]) for name in row])
        for k, name in enumerate(row):
            moved[name] = (middle[0] + (k - (len(row) - 1) / 2) * apart, middle[1])
    return moved


def segments(lines: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return x and y of all lines after each other, NaN between them."""
    gap = np.full((1, 2), np.nan)
    joined = np.vstack([part for line in lines for part in (line, gap)])
    return joined[:, 0], joined[:, 1]
