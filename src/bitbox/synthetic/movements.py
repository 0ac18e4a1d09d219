"""Named facial movements, as displacements of the portrait's points.

There is one movement for each of the 32 local units, under the unit's name, so that it is known
which unit ought to answer. The displacements are defined here, on the photograph, by themselves:
they share nothing with the definition of the units but the names. `EXPRESSIONS` are everyday
expressions made of several movements.

Left is the subject's left, which is on the right of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.synthetic.portrait import N_FACE, Portrait, portrait

FloatArray = NDArray[np.float64]
Side = Literal["left", "right"]

# Points by their number in MediaPipe's mesh, from the inner to the outer corner.
_UPPER_LID = {
    "left": (398, 384, 385, 386, 387, 388, 466),
    "right": (173, 157, 158, 159, 160, 161, 246),
}
_LOWER_LID = {
    "left": (382, 381, 380, 374, 373, 390, 249),
    "right": (155, 154, 153, 145, 144, 163, 7),
}
_ABOVE_UPPER_LID = {
    "left": ((414, 286, 258, 257, 259, 260, 467), (413, 441, 442, 443, 444, 445, 342)),
    "right": ((190, 56, 28, 27, 29, 30, 247), (189, 221, 222, 223, 224, 225, 113)),
}
_BELOW_LOWER_LID = {
    "left": ((341, 256, 252, 253, 254, 339, 255), (453, 452, 451, 450, 449, 448, 261)),
    "right": ((112, 26, 22, 23, 24, 110, 25), (233, 232, 231, 230, 229, 228, 31)),
}
_UPPER_LIP = (
    *(185, 40, 39, 37, 0, 267, 269, 270, 409, 184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(183, 42, 41, 38, 12, 268, 271, 272, 407, 191, 80, 81, 82, 13, 312, 311, 310, 415),
)
_LOWER_LIP = (
    *(146, 91, 181, 84, 17, 314, 405, 321, 375, 77, 90, 180, 85, 16, 315, 404, 320, 307),
    *(96, 89, 179, 86, 15, 316, 403, 319, 325, 95, 88, 178, 87, 14, 317, 402, 318, 324),
)
_CORNERS = (61, 291)
_JAW = (
    *(152, 377, 400, 378, 379, 365, 148, 176, 149, 150, 136, 175, 396, 369, 171, 140, 199, 428),
    *(208, 200, 421, 201, 18, 313, 83, 262, 32, 418, 194, 395, 170, 394, 169, 431, 211, 424, 204),
)
#: The edge of the upper teeth; at the corners of the mouth it goes with the lip.
_TEETH = tuple(range(N_FACE + 1, N_FACE + 8))


@dataclass(frozen=True)
class Push:
    """A pull on the skin: points, how many millimetres outwards and down, and how far it spreads.

    Parameters
    ----------
    points : tuple of int
        Points that move by all of it.
    outwards, down : float
        Millimetres, outwards being away from the midline on the given side.
    spread : float
        Standard deviation in millimetres of the fall-off around the points.
    side : {"left", "right"}
        The side that `outwards` refers to.
    kept : tuple of int
        Points that do not move.
    held : tuple of int
        Points that move by a tenth of what they else would.
    pinned : tuple of int
        Points by which the skin around is held back, 8 mm far, to three tenths at the point.
    """

    points: tuple[int, ...]
    outwards: float
    down: float
    spread: float
    side: Side = "left"
    kept: tuple[int, ...] = ()
    held: tuple[int, ...] = ()
    pinned: tuple[int, ...] = ()


def _eye(side: Side) -> tuple[int, ...]:
    return (*_UPPER_LID[side], *_LOWER_LID[side], *_ABOVE_UPPER_LID[side][0])


def _brow_pushes(side: Side) -> dict[str, tuple[Push, ...]]:
    left = side == "left"
    inner = (336, 285) if left else (107, 55)
    middle = (296, 334, 282, 295) if left else (66, 105, 52, 65)
    outer = (300, 293, 276, 283) if left else (70, 63, 46, 53)
    eye = _eye(side)

    def push(points: tuple[int, ...], outwards: float, down: float, spread: float) -> tuple[Push]:
        return (Push(points, outwards, down, spread, side, held=eye),)

    b = side[0] + "b_"
    return {
        f"{b}inner_raise": push(inner, 0, -6.5, 8),
        f"{b}middle_lower": push(middle, 0, 5.5, 8),
        f"{b}outer_raise": push(outer, 0, -6.5, 8),
        f"{b}draw_in": push(inner, -5.5, 0, 8),
    }


def _eye_pushes(side: Side) -> dict[str, tuple[Push, ...]]:
    left = side == "left"
    cheek = (330, 347, 280, 346) if left else (101, 118, 50, 117)
    fold = (442, 443, 444) if left else (222, 223, 224)
    lids = (*_UPPER_LID[side], *_LOWER_LID[side])
    e = side[0] + "e_"
    return {
        f"{e}cheek_raise": (Push(cheek, 0, -9, 11, side, kept=_TEETH, held=_UPPER_LID[side]),),
        f"{e}fold_lower": (Push(fold, 0, 3.5, 4.5, side, held=lids),),
    }


def _nose_pushes() -> dict[str, tuple[Push, ...]]:
    lips = (*_UPPER_LIP, *_LOWER_LIP)
    left, right = (279, 429, 358, 278), (49, 209, 129, 48)
    flare = ((278, 358, 294, 331, 279), (48, 129, 64, 102, 49))
    return {
        "no_left_wing_raise": (Push(left, 0, -6, 8, "left", kept=_TEETH, held=_LOWER_LIP),),
        "no_right_wing_raise": (Push(right, 0, -6, 8, "right", kept=_TEETH, held=_LOWER_LIP),),
        "no_flare": (
            Push(flare[0], 6, 0, 7, "left", held=lips),
            Push(flare[1], 6, 0, 7, "right", held=lips),
        ),
        "no_tip_lower": (Push((1, 4, 19, 44, 274), 0, 5, 7, held=lips),),
    }


def _lip_pushes(side: Side) -> dict[str, tuple[Push, ...]]:
    left = side == "left"
    upper = (269, 303, 271, 311, 270, 304) if left else (39, 73, 41, 81, 40, 74)
    lower = (402, 403, 404, 405, 320, 321) if left else (178, 179, 180, 181, 90, 91)
    corner = (291, 308, 306, 292) if left else (61, 78, 76, 62)
    return {
        f"ul_{side}_raise": (Push(upper, 0, -5, 6, side, kept=(*_LOWER_LIP, *_TEETH, *_JAW)),),
        f"ul_{side}_corner_raise": (Push(corner, 0, -7, 9, side, kept=_TEETH),),
        f"ll_{side}_lower": (Push(lower, 0, 5.5, 6.5, side, kept=(*_UPPER_LIP, *_TEETH)),),
        f"ll_{side}_corner_out": (Push(corner, 6.5, 0, 11, side, kept=_TEETH),),
    }


def _middle_pushes() -> dict[str, tuple[Push, ...]]:
    upper = (0, 11, 12, 13, 37, 267, 72, 302, 38, 268, 82, 312)
    lower = (14, 15, 16, 17, 87, 317, 86, 316, 85, 315, 84, 314)
    chin = (199, 200, 428, 208, 421, 201, 18, 313, 83)
    return {
        "ul_raise": (Push(upper, 0, -5, 6, kept=(*_LOWER_LIP, *_TEETH, *_JAW)),),
        "ll_lower": (Push(lower, 0, 6, 7, kept=(*_UPPER_LIP, *_TEETH)),),
        "ll_jaw_drop": (
            Push((*_LOWER_LIP, *_JAW), 0, 13, 10, kept=(*_UPPER_LIP, *_TEETH), pinned=_CORNERS),
        ),
        "ll_chin_raise": (Push(chin, 0, -5, 9, kept=(*_UPPER_LIP, *_TEETH)),),
    }


def _pushes() -> dict[str, tuple[Push, ...]]:
    return {
        **_brow_pushes("left"),
        **_brow_pushes("right"),
        **_nose_pushes(),
        **_eye_pushes("left"),
        **_eye_pushes("right"),
        **_middle_pushes(),
        **_lip_pushes("left"),
        **_lip_pushes("right"),
    }


#: All single movements; an amplitude of 1 is a strong one.
MOVEMENTS: tuple[str, ...] = (
    *(f"lb_{name}" for name in ("inner_raise", "middle_lower", "outer_raise", "draw_in")),
    *(f"rb_{name}" for name in ("inner_raise", "middle_lower", "outer_raise", "draw_in")),
    *("no_left_wing_raise", "no_right_wing_raise", "no_flare", "no_tip_lower"),
    *("le_upper_lid_lower", "le_lower_lid_raise", "le_cheek_raise", "le_fold_lower"),
    *("re_upper_lid_lower", "re_lower_lid_raise", "re_cheek_raise", "re_fold_lower"),
    *("ul_raise", "ul_left_raise", "ul_right_raise"),
    *("ul_left_corner_raise", "ul_right_corner_raise"),
    *("ll_lower", "ll_left_lower", "ll_right_lower"),
    *("ll_left_corner_out", "ll_right_corner_out", "ll_jaw_drop", "ll_chin_raise"),
)

#: Everyday expressions, as amounts of single movements.
EXPRESSIONS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "brow_raise": {
            f"{side}b_{part}": 0.9 for side in "lr" for part in ("inner_raise", "outer_raise")
        },
        "frown": {
            f"{side}b_{part}": amount
            for side in "lr"
            for part, amount in (("draw_in", 0.8), ("middle_lower", 0.7))
        },
        "blink": {"le_upper_lid_lower": 1.0, "re_upper_lid_lower": 1.0},
        "wink": {"le_upper_lid_lower": 1.0, "le_lower_lid_raise": 0.5},
        "squint": {"le_lower_lid_raise": 1.0, "re_lower_lid_raise": 1.0},
        "nose_wrinkle": {"no_left_wing_raise": 1.0, "no_right_wing_raise": 1.0},
        "smile": {
            f"{unit.format(side)}": amount
            for side in ("left", "right")
            for unit, amount in (("ul_{}_corner_raise", 1.0), ("ll_{}_corner_out", 0.7))
        },
        "lip_raise": {"ul_raise": 0.8, "ul_left_raise": 0.6, "ul_right_raise": 0.6},
        "mouth_open": {"ll_jaw_drop": 1.0},
        "o_mouth": {
            "ll_jaw_drop": 0.6,
            "ll_left_corner_out": -0.9,
            "ll_right_corner_out": -0.9,
        },
    }
)


def resolve(drives: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return amplitudes of single movements, expressions taken apart and added up.

    Parameters
    ----------
    drives : mapping of str to ndarray
        Amplitudes by name of a movement or expression.

    Raises
    ------
    ParameterError
        If a name is neither.
    """
    amounts: dict[str, FloatArray] = {}
    for name, course in drives.items():
        if name not in MOVEMENTS and name not in EXPRESSIONS:
            raise ParameterError(
                f"There is no movement called {name!r}.",
                expected=f"one of {', '.join((*EXPRESSIONS, *MOVEMENTS))}",
            )
        for single, share in EXPRESSIONS.get(name, {name: 1.0}).items():
            amounts[single] = amounts.get(single, 0.0) + share * np.asarray(course)
    return amounts


def mirrored(name: str) -> str:
    """Return the name of the same movement on the other side."""
    swaps = (("lb_", "rb_"), ("le_", "re_"), ("_left_", "_right_"))
    for left, right in swaps:
        if left in name:
            return name.replace(left, right)
        if right in name:
            return name.replace(right, left)
    return name


@lru_cache(maxsize=1)
def displacements() -> FloatArray:
    """Return the displacement of every point for an amplitude of 1.

    Returns
    -------
    ndarray, shape (32, V, 3)
        In pixels of the photograph, in the order of `MOVEMENTS`.
    """
    whole = portrait()
    pushes = _pushes()
    out = np.zeros((len(MOVEMENTS), len(whole.vertices), 3))
    for number, name in enumerate(MOVEMENTS):
        if name in pushes:
            for push in pushes[name]:
                out[number] += _pushed(whole, push)
        else:
            side: Side = "left" if name.startswith("le") else "right"
            out[number] = _lid(whole, side, upper="upper" in name)
    return out


def _axes(whole: Portrait) -> tuple[FloatArray, FloatArray]:
    """Return the face's own directions in the picture: to the subject's left, and down."""
    across = whole.vertices[263, :2] - whole.vertices[33, :2]
    across = across / np.linalg.norm(across)
    return np.array([across[0], across[1], 0.0]), np.array([-across[1], across[0], 0.0])


def _pushed(whole: Portrait, push: Push) -> FloatArray:
    left, down = _axes(whole)
    outwards = left if push.side == "left" else -left
    direction = (push.outwards * outwards + push.down * down) * whole.pixels_per_mm
    weight = _near(whole, push.points, push.spread)
    if push.pinned:
        weight *= 1 - 0.7 * _near(whole, push.pinned, 8.0)
    weight *= whole.head  # the body stays
    weight[list(push.held)] *= 0.1
    weight[list(push.kept)] = 0.0
    pushed: FloatArray = weight[:, None] * direction
    return pushed


def _near(whole: Portrait, points: tuple[int, ...], spread: float) -> FloatArray:
    """Return 1 at some points, falling off around them; the spread in millimetres."""
    flat = whole.vertices[:, :2]
    distance = np.linalg.norm(flat[:, None] - flat[list(points)][None], axis=2).min(axis=1)
    near: FloatArray = np.exp(-0.5 * (distance / (spread * whole.pixels_per_mm)) ** 2)
    return near


def _lid(whole: Portrait, side: Side, *, upper: bool) -> FloatArray:
    """Return the movement of a lid towards the other one, its skin following less and less."""
    points = whole.vertices
    out = np.zeros_like(points)
    margin, other = _UPPER_LID[side], _LOWER_LID[side]
    rings = _ABOVE_UPPER_LID[side]
    reach, shares = 0.85, (0.55, 0.1)
    if not upper:
        margin, other = other, margin
        rings, reach, shares = _BELOW_LOWER_LID[side], 0.4, (0.7, 0.25)
    way = reach * (points[list(other), :2] - points[list(margin), :2])
    for ring, share in ((margin, 1.0), *zip(rings, shares, strict=True)):
        out[list(ring), :2] = share * way
    return out
