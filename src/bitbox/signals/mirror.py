"""Left and right exchanged: what would have been measured if the picture had been flipped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bitbox.errors import SchemaError
from bitbox.signals.checks import FloatArray, some

#: What the 26 modes of deformation do when the face is mirrored: stay (+) or change sign (-).
_MODES = "+-+-+-+++--+-+-++-+-+-+-++"
#: The 51 landmarks, iBUG 17 to 67, each replaced by the one on the other side.
_LANDMARKS = tuple(
    number - 17
    for number in (
        *(26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33, 32, 31),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),
    )
)
#: The words left and right in a name, as in smile_left, mouthSmileLeft or LEFT_BROW.
_WORD = re.compile(
    r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[LR]))(left|right|Left|Right|LEFT|RIGHT)(?![a-z])"
)
_OTHER = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "l": "r", "L": "R"}
_OTHER |= {other: one for one, other in _OTHER.items()}
#: Left and right as single letters: lb_draw_in and re_cheek_raise, LWrist_x, AU12L.
_LOCAL = re.compile(r"^([lr])(?=[be]_)")
_BODY = re.compile(r"^([LR])(?=[A-Z])")
_UNIT = re.compile(r"(?<=^AU\d)([LR])$|(?<=^AU\d\d)([LR])$")
#: Action units without a side: both sides at once.
_BOTH_SIDES = re.compile(r"AU\d+(_[rc])?")
#: Coordinates and angles that change sign.
_POSE = {"Tx": -1, "Ty": 1, "Tz": 1, "Rx": 1, "Ry": -1, "Rz": -1}


class Sided(Protocol):
    """What has to be known of signals."""

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def values(self) -> FloatArray: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def schema(self) -> str: ...  # noqa: D102
    @property
    def units(self) -> str: ...  # noqa: D102
    @property
    def backend(self) -> str: ...  # noqa: D102
    @property
    def provenance(self) -> Mapping[str, Any]: ...  # noqa: D102


#: Angles of a body that are positive to one side.
_TURNS = ("trunk_bend", "trunk_turn", "hips_turn", "shoulders_turn", "neck_bend", "neck_turn")


@dataclass(frozen=True)
class _Column:
    """What a column becomes in the mirror: another name, a sign, and something added."""

    name: str
    sign: int = 1
    plus: float = 0.0


def has_sides(signals: Sided) -> bool:
    """Tell whether mirroring changes anything: False, too, where the sides are not known."""
    try:
        columns = _columns(signals)
    except SchemaError:
        return False
    return any(
        column.sign < 0 or column.name != name
        for name, column in zip(signals.names, columns, strict=True)
    )


def sided_names(signals: Sided, labels: tuple[str, ...]) -> list[bool]:
    """Return which of these signals (columns, or landmarks and the like) the mirror changes."""
    columns = dict(zip(signals.names, _columns(signals), strict=True))
    return [
        label not in columns or columns[label].sign < 0 or columns[label].name != label
        for label in labels
    ]


def mirrored(signals: Sided) -> dict[str, Any]:
    """Return what changes when signals are mirrored, see `bitbox.signals.Signals.mirrored`."""
    columns = _columns(signals)
    places = {name: k for k, name in enumerate(signals.names)}
    values = signals.values.copy()
    names = []
    for k, (name, column) in enumerate(zip(signals.names, columns, strict=True)):
        pair = column.name in places
        source = places[column.name] if pair else k
        values[:, k] = column.sign * signals.values[:, source] + column.plus
        names.append(name if pair else column.name)
    if signals.kind == "rectangle":  # x is that of the left edge, which was the right one
        values[:, places["x"]] -= signals.values[:, places["w"]]
    marked = {key: value for key, value in signals.provenance.items() if key != "mirrored"}
    if not signals.provenance.get("mirrored"):
        marked["mirrored"] = True
    return {"values": values, "names": tuple(names), "provenance": marked}


def _columns(signals: Sided) -> list[_Column]:
    """Return what each column becomes.

    Raises
    ------
    SchemaError
        It is not known which of these signals are left and right.
    """
    kind, schema = signals.kind, signals.schema
    if kind == "pose":
        return [_Column(name, _pose_sign(signals, name)) for name in signals.names]
    if kind in ("landmark", "landmark-can"):
        return [_landmark(signals, name) for name in signals.names]
    if kind == "rectangle":
        width = _picture_width(signals)
        return [_Column(n, -1, width) if n == "x" else _Column(n) for n in signals.names]
    if schema.startswith("openbitbox-global-79"):
        return [_Column(name, _mode_sign(int(name[2:]))) for name in signals.names]
    return _by_name(signals, _rule(kind, schema))


def _pose_sign(signals: Sided, name: str) -> int:
    if name not in _POSE:
        raise _unknown(signals, f"a column called {name!r}")
    return _POSE[name]


def _landmark(signals: Sided, name: str) -> _Column:
    axis, number = name[0], int(re.sub(r"\D", "", name))
    if number >= len(_LANDMARKS) or signals.schema != "ibug51":
        raise _unknown(signals, f"{name!r} of the schema {signals.schema!r}")
    other = name.replace(str(number), str(_LANDMARKS[number]))
    if axis != "x":
        return _Column(other)
    return _Column(other, -1, _picture_width(signals) if signals.kind == "landmark" else 0.0)


def _picture_width(signals: Sided) -> float:
    """Return the width of the picture, where it is known; 0 mirrors at its left edge."""
    source = signals.provenance.get("source")
    size = source.get("size") if isinstance(source, dict) else None
    return float(size[0]) if signals.units == "px" and size else 0.0


def _mode_sign(unit: int) -> int:
    """Return the sign of a global unit; see `bitbox.face_backend.units.global_basis`."""
    if unit == 0:
        return 1
    mode, axis = divmod(unit - 1, 3)
    return (1 if _MODES[mode] == "+" else -1) * (-1 if axis == 0 else 1)


def _rule(kind: str, schema: str) -> Callable[[str], str]:
    """Return what turns a name into that of the other side."""
    patterns = [_WORD, _UNIT]
    if schema.startswith("openbitbox-local"):
        patterns.append(_LOCAL)
    if kind == "body":
        patterns.append(_BODY)

    def other(name: str) -> str:
        for pattern in patterns:
            name = pattern.sub(lambda match: _OTHER[match[0]], name)
        return name

    return other


def _by_name(signals: Sided, other: Callable[[str], str]) -> list[_Column]:
    """Exchange what has left or right in its name; refuse where nothing has."""
    columns = [_Column(other(name)) for name in signals.names]
    sided = [c.name != name for name, c in zip(signals.names, columns, strict=True)]
    known = signals.schema.startswith(
        ("openbitbox-local", "openbitbox-motion", "arkit", "mediapipe-blend", "openpose")
    )
    units = all(_BOTH_SIDES.fullmatch(name) for name in signals.names)
    if signals.schema.startswith("3DI") or not (known or units or any(sided)):
        raise _unknown(signals, f"{signals.kind} signals called {some(signals.names, 3)}")
    if signals.schema == "openbitbox-angles":
        return [
            _Column(c.name, -1) if name.startswith(_TURNS) else c
            for c, name in zip(columns, signals.names, strict=True)
        ]
    if signals.kind == "body":
        across = [name.endswith(("_x", ".x")) for name in signals.names]
        width = _picture_width(signals)
        columns = [
            _Column(c.name, -1, width) if x else c for c, x in zip(columns, across, strict=True)
        ]
    return columns


def _unknown(signals: Sided, got: str) -> SchemaError:
    return SchemaError(
        "It is not known which of these signals are left and which are right, so they cannot be "
        "mirrored.",
        expected="head pose, 51 landmarks, units of the built-in runtime, ARKit or MediaPipe "
        "blendshapes, joints and angles of bodies, OpenPose points, or names with left and right "
        "in them",
        got=f"{got} (from {signals.backend})",
        todo="Leave `mirror` out, or give the signals names such as smile_left and smile_right.",
    )
