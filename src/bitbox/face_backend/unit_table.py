"""The 32 local units: what each is called, what it means and where on the face it is.

A unit is how far its place on the skin moves in its direction, in millimetres on a face of adult
size: the mean over a few vertices. The lower lip and the skin of the chin ride on the jaw, the
corners of the mouth go half its way, and the skin above the eye half that of the brow. Their units
are what they move beyond that: the lower lip goes down by ``ll_lower + ll_jaw_drop``.
"""

from __future__ import annotations

from dataclasses import dataclass

UP, DOWN, OUT, IN = (0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Part:
    """One place that moves: mesh vertices, as on the subject's left side, and a direction.

    Parameters
    ----------
    sources : tuple of int
        Vertices that move most.
    direction : (float, float)
        Along x (outwards) and y (down).
    spread : float
        Standard deviation, in millimetres along the skin, of the fall-off.
    mirrored : bool
        Whether the vertices and the direction are to be taken on the subject's right side.
    read_at : tuple of int
        Vertices whose mean movement is the unit, where these are not the ones that move most.
    """

    sources: tuple[int, ...]
    direction: tuple[float, float]
    spread: float
    mirrored: bool = False
    read_at: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalUnit:
    """A facial movement.

    Parameters
    ----------
    name : str
        Short name, such as ``lb_inner_raise``. Left is the subject's left.
    region : str
        One of left brow, right brow, nose, left eye, right eye, upper lip, lower lip.
    sentence : str
        What moves where when the unit is positive.
    action_unit : str or None
        The nearest action unit of the Facial Action Coding System, if there is one.
    parts : tuple of Part
        What moves.
    rides_on : str
        The unit, up or down, by which its place is taken along; the unit is what it moves beyond.
    share : float
        The share of that unit's way that it is taken.
    """

    name: str
    region: str
    sentence: str
    action_unit: str | None
    parts: tuple[Part, ...]
    rides_on: str = ""
    share: float = 0.0


def _brow(side: str, mirrored: bool) -> list[LocalUnit]:
    prefix, region = side[0] + "b", f"{side} brow"

    def unit(
        name: str,
        sentence: str,
        action_unit: str,
        sources: tuple[int, ...],
        direction: tuple[float, float],
    ) -> LocalUnit:
        part = Part(sources, direction, 8.0, mirrored)
        return LocalUnit(f"{prefix}_{name}", region, sentence, action_unit, (part,))

    return [
        unit(
            "inner_raise",
            f"The inner end of the {side} brow goes up.",
            "AU1",
            (336, 285),
            UP,
        ),
        unit(
            "middle_lower",
            f"The middle of the {side} brow goes down.",
            "AU4",
            (296, 295, 334, 282),
            DOWN,
        ),
        unit(
            "outer_raise",
            f"The outer end of the {side} brow goes up.",
            "AU2",
            (293, 283, 300, 276),
            UP,
        ),
        unit(
            "draw_in",
            f"The inner end of the {side} brow is drawn towards the other brow.",
            "AU4",
            (336, 285),
            IN,
        ),
    ]


def _eye(side: str, mirrored: bool) -> list[LocalUnit]:
    prefix, region = side[0] + "e", f"{side} eye"

    def unit(
        name: str, sentence: str, action_unit: str | None, part: Part, rides_on: str = ""
    ) -> LocalUnit:
        share = 0.5 if rides_on else 0.0
        return LocalUnit(
            f"{prefix}_{name}", region, sentence, action_unit, (part,), rides_on, share
        )

    return [
        unit(
            "upper_lid_lower",
            f"The upper lid of the {side} eye goes down, as in a blink.",
            "AU45",
            Part((385, 386, 387), DOWN, 5.0, mirrored),
        ),
        unit(
            "lower_lid_raise",
            f"The lower lid of the {side} eye goes up, as in squinting.",
            "AU7",
            Part((380, 374, 373), UP, 5.0, mirrored),
        ),
        unit(
            "cheek_raise",
            f"The cheek under the {side} eye goes up.",
            "AU6",
            Part((330, 347, 280), UP, 9.0, mirrored),
        ),
        unit(
            "fold_lower",
            f"The skin between the {side} brow and its upper lid goes down. Half of the brow's"
            " way is taken off.",
            None,
            Part((442, 443, 444), DOWN, 4.0, mirrored),
            f"{side[0]}b_middle_lower",
        ),
    ]


def _nose() -> list[LocalUnit]:
    wing = (279, 429, 358)

    def raised(side: str, mirrored: bool) -> LocalUnit:
        return LocalUnit(
            f"no_{side}_wing_raise",
            "nose",
            f"The {side} wing of the nose and the skin beside it go up, as in wrinkling the nose.",
            "AU9",
            (Part(wing, UP, 7.0, mirrored),),
        )

    flare = (278, 358, 294, 331)
    return [
        raised("left", False),
        raised("right", True),
        LocalUnit(
            "no_flare",
            "nose",
            "The wings of the nose move apart.",
            "AU38",
            (Part(flare, OUT, 6.0), Part(flare, OUT, 6.0, mirrored=True)),
        ),
        LocalUnit(
            "no_tip_lower",
            "nose",
            "The tip of the nose goes down.",
            None,
            (Part((1, 4, 19), DOWN, 8.0),),
        ),
    ]


def _upper_lip() -> list[LocalUnit]:
    def raised(side: str, mirrored: bool) -> LocalUnit:
        return LocalUnit(
            f"ul_{side}_raise",
            "upper lip",
            f"The upper lip goes up on the {side}, halfway to the corner.",
            "AU10",
            (Part((269, 303, 271, 311), UP, 6.0, mirrored),),
        )

    def corner(side: str, mirrored: bool) -> LocalUnit:
        return LocalUnit(
            f"ul_{side}_corner_raise",
            "upper lip",
            f"The {side} corner of the mouth goes up, as in smiling; negative: down, as in AU15."
            " Half of the jaw's way is taken off.",
            "AU12",
            (Part((291, 308), UP, 9.0, mirrored),),
            rides_on="ll_jaw_drop",
            share=0.5,
        )

    return [
        LocalUnit(
            "ul_raise",
            "upper lip",
            "The middle of the upper lip goes up.",
            "AU10",
            (Part((0, 11, 12, 13), UP, 7.0),),
        ),
        raised("left", False),
        raised("right", True),
        corner("left", False),
        corner("right", True),
    ]


def _lower_lip() -> list[LocalUnit]:
    def lowered(side: str, mirrored: bool) -> LocalUnit:
        return LocalUnit(
            f"ll_{side}_lower",
            "lower lip",
            f"The lower lip goes down on the {side}, halfway to the corner, further than the jaw"
            " takes it.",
            "AU16",
            (Part((402, 403, 404, 405), DOWN, 6.0, mirrored),),
            rides_on="ll_jaw_drop",
            share=1.0,
        )

    def corner(side: str, mirrored: bool) -> LocalUnit:
        return LocalUnit(
            f"ll_{side}_corner_out",
            "lower lip",
            f"The {side} corner of the mouth moves outwards; negative: inwards, as in AU18.",
            "AU20",
            (Part((291, 308), OUT, 12.0, mirrored),),
        )

    jaw = (152, 377, 400, 175, 396, 369, 199, 428, 200, 421, 18, 313, 17, 314, 14, 317)
    edge = (152, 377, 400)
    return [
        LocalUnit(
            "ll_lower",
            "lower lip",
            "The middle of the lower lip goes down, further than the jaw takes it.",
            "AU16",
            (Part((14, 15, 16, 17), DOWN, 7.0),),
            rides_on="ll_jaw_drop",
            share=1.0,
        ),
        lowered("left", False),
        lowered("right", True),
        corner("left", False),
        corner("right", True),
        LocalUnit(
            "ll_jaw_drop",
            "lower lip",
            "The jaw drops: chin and lower lip go down together.",
            "AU26",
            (
                Part(jaw, DOWN, 14.0, read_at=edge),
                Part(jaw, DOWN, 14.0, mirrored=True, read_at=edge),
            ),
        ),
        LocalUnit(
            "ll_chin_raise",
            "lower lip",
            "The skin of the chin goes up, pushing the lower lip.",
            "AU17",
            (Part((199, 200, 428), UP, 9.0), Part((199, 200, 428), UP, 9.0, mirrored=True)),
            rides_on="ll_jaw_drop",
            share=1.0,
        ),
    ]


#: All local units, in the order of the columns of `local_units`.
LOCAL_UNITS: tuple[LocalUnit, ...] = (
    *_brow("left", False),
    *_brow("right", True),
    *_nose(),
    *_eye("left", False),
    *_eye("right", True),
    *_upper_lip(),
    *_lower_lip(),
)
