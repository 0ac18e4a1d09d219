"""How well each angle is measured, as far as that is known: r with the truth on other people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.angles import ANGLE_NAMES
from bitbox.body_backend.hands import HAND_NAMES

FloatArray = NDArray[np.float64]

#: Whoever is turned further from the camera than this, in degrees, is filmed from where nobody
#: measured.
_FURTHEST = 75.0


@dataclass(frozen=True)
class Reliability:
    """How well each angle of a recording is measured.

    Attributes
    ----------
    r : dict
        The median r with the truth on people whom nothing was fitted to
        (docs/validation/bodies.md), by name.
    doubtful : tuple of str
        Angles of which course or size was not right enough there to be tested.
    """

    r: dict[str, float]
    doubtful: tuple[str, ...]


def angle_reliability(angles: FloatArray) -> Reliability:
    """Return how well each angle of a recording is measured, by where the person was filmed from.

    One camera sees what lies in its picture, and guesses depth: from the front an arm raised to the
    side is right and a turn is not, from aside the bow.

    Parameters
    ----------
    angles : (T, n) array
        Those of `ANGLE_NAMES`, in radians; NaN is missing.

    Returns
    -------
    Reliability
        Of angles that were measured from about there. Empty where the person is mostly turned away
        from the camera, or never seen.
    """
    turn = np.degrees(np.abs(angles[:, ANGLE_NAMES.index("shoulders_turn")]))
    turn = turn[np.isfinite(turn)]
    if not len(turn) or np.median(turn) > _FURTHEST:
        return Reliability({}, ())
    views = sorted({row.view for row in _measured_angles()})
    nearest = min(views, key=lambda view: abs(view - float(np.median(turn))))
    there = {row.name: row for row in _measured_angles() if row.view == nearest}
    known = {name: there[_plain(name)] for name in ANGLE_NAMES if _plain(name) in there}
    return Reliability(
        {name: row.r for name, row in known.items()},
        tuple(name for name, row in known.items() if not row.reliable),
    )


def hand_reliability() -> dict[str, float]:
    """Return how well each angle of the hands is measured: the median of palm, back and edge.

    See docs/validation/hands.md; angles that were not measured on others are left out.
    """
    r = {name: float(value) for name, value in _lines("hand_reliability.csv")}
    return {name: r[_plain(name)] for name in HAND_NAMES if _plain(name) in r}


def _plain(name: str) -> str:
    """Return the name of an angle without its side."""
    return name.removeprefix("left_").removeprefix("right_")


class _Measured(NamedTuple):
    name: str
    view: float
    r: float
    reliable: bool


@cache
def _measured_angles() -> list[_Measured]:
    found = _lines("angle_reliability.csv")
    return [_Measured(name, float(view), float(r), kept == "True") for name, view, r, kept in found]


def _lines(name: str) -> list[list[str]]:
    path = resources.files("bitbox.body_backend") / "data" / name
    return [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
