"""What the angles of a file are in: radians or degrees, by what is stated, written and seen."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np

from bitbox.errors import InputError
from bitbox.readers.clock import AngleUnit, Stated
from bitbox.signals.checks import FloatArray

#: Above this an angle is no angle in radians: half a turn, and what rounding adds.
_HALF_TURN = 3.2
#: Heads that are tracked turn less than a quarter, and in degrees no estimate keeps so still.
_QUARTER_TURN = math.pi / 2
_ENOUGH = 10
_CALLED = {"rad": "radians", "deg": "degrees"}
_FACTOR = {"rad": 1.0, "deg": math.pi / 180}

Evidence = Literal["stated", "documentation", "magnitude"]


def to_radians(
    path: Path, angles: FloatArray, documented: AngleUnit | None, stated: Stated
) -> tuple[FloatArray, dict[str, str]]:
    """Return angles in radians, and the record of what they were in and how that is known.

    Parameters
    ----------
    path : Path
        The file, for messages.
    angles : ndarray, shape (rows, angles)
        As they stand there; NaN is missing.
    documented : {'rad', 'deg'} or None
        What the tool writes, as far as its documentation and the version tell.
    stated : Stated
        What the user says.

    Raises
    ------
    InputError
        Documentation and numbers leave it open, and nothing is stated.
    """
    unit, evidence = _unit(path, angles, documented, stated)
    return angles * _FACTOR[unit], {"angle_unit": unit, "angle_unit_by": evidence}


def _unit(
    path: Path, angles: FloatArray, documented: AngleUnit | None, stated: Stated
) -> tuple[AngleUnit, Evidence]:
    if stated.angle_unit is not None:
        return stated.angle_unit, "stated"
    size = np.abs(angles[np.isfinite(angles).all(axis=1)])
    largest, enough = float(size.max(initial=0.0)), len(size) >= _ENOUGH
    if largest > _HALF_TURN:
        return "deg", "magnitude"
    if documented == "rad" or (documented == "deg" and not (enough and largest <= _QUARTER_TURN)):
        return documented, "documentation"
    if documented is None and enough and largest <= _QUARTER_TURN:
        return "rad", "magnitude"
    written = "" if documented is None else f", although the tool writes {_CALLED[documented]}"
    raise InputError(
        f"{path.name} does not tell if its angles are in radians or in degrees{written}.",
        expected="angles above half a turn in radians, or a head that turns less than a quarter",
        got=f"angles up to {largest:.3g} in {len(size)} rows",
        todo="Give angle_unit='rad' or angle_unit='deg'.",
    )
