"""What the signals that bitbox measures are, a sentence each."""

from __future__ import annotations

from collections.abc import Iterable

from bitbox.body_backend.angles import ANGLES
from bitbox.body_backend.hands import MEANINGS, SIDES
from bitbox.face_backend.unit_table import LOCAL_UNITS

_POSE = {
    "Rx": "Head nods: turned about the axis from ear to ear (radians).",
    "Ry": "Head shakes: turned about the vertical axis (radians).",
    "Rz": "Head tilts towards a shoulder (radians).",
    "Tx": "Head moves sideways (millimetres).",
    "Ty": "Head moves up or down (millimetres).",
    "Tz": "Head moves towards or away from the camera (millimetres).",
}

_ANGLES = {
    angle.name: f"{angle.meaning[0].upper()}{angle.meaning[1:]} (radians)." for angle in ANGLES
}

_HANDS = {
    f"{side}_{name}": f"{name.split('_')[0].capitalize()} of the {side} hand: {meaning} (radians)."
    for side in SIDES
    for name, meaning in MEANINGS.items()
}


def describe(names: Iterable[str]) -> dict[str, str]:
    """Return the sentence of every signal that has one."""
    known = (
        {
            unit.name: unit.sentence + (f" ({unit.action_unit})" if unit.action_unit else "")
            for unit in LOCAL_UNITS
        }
        | _POSE
        | _ANGLES
        | _HANDS
    )
    return {name: known[name] for name in names if name in known}
