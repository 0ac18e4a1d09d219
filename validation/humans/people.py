"""Who is rendered: written down, with the split, before anything was fitted to anybody.

``calibration`` people may be learnt from, ``development`` people are for choosing between ways of
learning, and ``test`` people are measured once, at the end. What is changed after that is measured
on ``fresh`` people, once, who were written down before the change, and what is changed after that
on ``later`` people, in the same way. Nobody changes sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["calibration", "development", "test", "fresh", "later"]
Colour = tuple[float, float, float]

SPLITS: tuple[Split, ...] = ("calibration", "development", "test", "fresh", "later")


@dataclass(frozen=True)
class Person:
    """Somebody who can be rendered.

    Parameters
    ----------
    name : str
    split : {'calibration', 'development', 'test', 'fresh', 'later'}
    age : float
        Years, 4 to 85.
    gender : float
        0 male, 1 female.
    ethnicity : (float, float, float)
        Shares of the African, Asian and Caucasian mixes of the data.
    skin, hair, eyes, lips : (float, float, float)
        Colours, red, green and blue from 0 to 1 as they are seen in white light.
    seed : int
        What else the face is like: nose, mouth, chin, brows, how each movement looks, moles.
    weight, muscle : float
        0 to 1, 0.5 the average.
    brows : float
        How dark the brows are, 0 to 1.
    gloss : float
        How much the skin shines, 0 to 1.
    freckles, stubble, beard : float
        0 to 1.
    glasses : bool
    bald : float
        How far the hair has gone back, 0 to 1.
    """

    name: str
    split: Split
    age: float
    gender: float
    ethnicity: tuple[float, float, float]
    skin: Colour
    hair: Colour
    eyes: Colour
    lips: Colour
    seed: int
    weight: float = 0.5
    muscle: float = 0.5
    brows: float = 0.7
    gloss: float = 0.4
    freckles: float = 0.2
    stubble: float = 0.0
    beard: float = 0.0
    glasses: bool = False
    bald: float = 0.0

    @property
    def wrinkled(self) -> float:
        """How deep the folds are that come with movement, and those that stay, 0.3 to 1.3."""
        return float(min(1.3, 0.35 + max(0.0, self.age - 6) / 60))


PALE, FAIR, ROSY = (0.89, 0.74, 0.67), (0.83, 0.66, 0.56), (0.87, 0.66, 0.58)
OLIVE, TAN, GOLD = (0.74, 0.57, 0.44), (0.66, 0.48, 0.36), (0.82, 0.66, 0.52)
BROWN, DARK, DEEP = (0.50, 0.34, 0.25), (0.38, 0.25, 0.18), (0.27, 0.18, 0.13)
BLACK, UMBER, CHESTNUT = (0.07, 0.06, 0.06), (0.17, 0.12, 0.09), (0.32, 0.20, 0.12)
BLOND, RED, GREY = (0.62, 0.48, 0.30), (0.50, 0.24, 0.12), (0.60, 0.59, 0.58)
BLUE, GREEN, HAZEL, EBONY = (
    *((0.36, 0.49, 0.62), (0.38, 0.45, 0.32)),
    *((0.42, 0.30, 0.16), (0.17, 0.10, 0.07)),
)
NUDE, PINK, ROSE, WINE, PLUM, MAROON = (
    *((0.70, 0.47, 0.41), (0.78, 0.46, 0.44), (0.72, 0.33, 0.34)),
    *((0.55, 0.18, 0.22), (0.38, 0.20, 0.20), (0.30, 0.16, 0.14)),
)

PEOPLE: tuple[Person, ...] = (
    # calibration: twelve, three of them children
    Person("ada", "calibration", 27, 1.0, (0, 0, 1), FAIR, CHESTNUT, HAZEL, PINK, 101),
    Person(
        "ben",
        "calibration",
        34,
        0.0,
        (1, 0, 0),
        DARK,
        BLACK,
        EBONY,
        PLUM,
        102,
        stubble=0.5,
        gloss=0.7,
        freckles=0.0,
    ),
    Person(
        "chen",
        "calibration",
        24,
        1.0,
        (0, 1, 0),
        GOLD,
        BLACK,
        EBONY,
        ROSE,
        103,
        brows=0.9,
        freckles=0.1,
    ),
    Person(
        "dora",
        "calibration",
        72,
        1.0,
        (0, 0, 1),
        ROSY,
        GREY,
        BLUE,
        NUDE,
        104,
        brows=0.3,
        freckles=0.6,
        weight=0.6,
    ),
    Person(
        "emil",
        "calibration",
        6,
        0.0,
        (0, 0, 1),
        PALE,
        BLOND,
        BLUE,
        PINK,
        105,
        brows=0.35,
        gloss=0.25,
    ),
    Person(
        "fatou", "calibration", 9, 1.0, (1, 0, 0), BROWN, BLACK, EBONY, MAROON, 106, freckles=0.0
    ),
    Person(
        "gil",
        "calibration",
        45,
        0.0,
        (0.2, 0.2, 0.6),
        OLIVE,
        UMBER,
        HAZEL,
        NUDE,
        107,
        beard=0.9,
        weight=0.65,
    ),
    Person(
        "hana",
        "calibration",
        38,
        1.0,
        (0.1, 0.7, 0.2),
        GOLD,
        UMBER,
        EBONY,
        NUDE,
        108,
        glasses=True,
        brows=0.55,
    ),
    Person(
        "ivan",
        "calibration",
        58,
        0.0,
        (0, 0, 1),
        ROSY,
        GREY,
        GREEN,
        NUDE,
        109,
        bald=0.8,
        brows=0.5,
        gloss=0.8,
        stubble=0.3,
        muscle=0.7,
    ),
    Person(
        "june", "calibration", 31, 1.0, (0.6, 0.1, 0.3), TAN, UMBER, HAZEL, WINE, 110, gloss=0.6
    ),
    Person("kei", "calibration", 11, 0.0, (0, 0.9, 0.1), GOLD, BLACK, EBONY, PINK, 111, brows=0.8),
    Person(
        "leo",
        "calibration",
        22,
        0.0,
        (0.3, 0.3, 0.4),
        TAN,
        BLACK,
        HAZEL,
        NUDE,
        112,
        weight=0.3,
        brows=1.0,
        stubble=0.7,
    ),
    # development: five, one of them a child
    Person(
        "mara",
        "development",
        29,
        1.0,
        (0, 0.2, 0.8),
        PALE,
        RED,
        GREEN,
        PINK,
        201,
        freckles=0.9,
        brows=0.45,
    ),
    Person(
        "noah",
        "development",
        8,
        0.0,
        (0.1, 0.1, 0.8),
        ROSY,
        CHESTNUT,
        HAZEL,
        PINK,
        202,
        freckles=0.5,
        brows=0.5,
    ),
    Person(
        "oba",
        "development",
        66,
        0.0,
        (1, 0, 0),
        DEEP,
        GREY,
        EBONY,
        MAROON,
        203,
        bald=0.5,
        gloss=0.8,
        stubble=0.4,
        freckles=0.0,
    ),
    Person(
        "priya", "development", 40, 1.0, (0.3, 0.4, 0.3), BROWN, BLACK, EBONY, WINE, 204, brows=0.9
    ),
    Person(
        "quon",
        "development",
        52,
        0.0,
        (0, 1, 0),
        GOLD,
        UMBER,
        EBONY,
        NUDE,
        205,
        muscle=0.7,
        brows=0.6,
        gloss=0.6,
    ),
    # test: seven, two of them children; one with glasses, one with a beard
    Person("rosa", "test", 33, 1.0, (0.1, 0.2, 0.7), OLIVE, UMBER, HAZEL, ROSE, 301, weight=0.7),
    Person(
        "sami", "test", 41, 0.0, (0.2, 0.2, 0.6), TAN, BLACK, EBONY, NUDE, 302, beard=0.8, brows=0.9
    ),
    Person(
        "tess", "test", 5, 1.0, (0, 0.1, 0.9), PALE, BLOND, BLUE, PINK, 303, brows=0.3, gloss=0.25
    ),
    Person("uma", "test", 10, 1.0, (0.5, 0.3, 0.2), BROWN, BLACK, EBONY, PLUM, 304, freckles=0.0),
    Person(
        "vera", "test", 78, 1.0, (0, 0, 1), FAIR, GREY, BLUE, NUDE, 305, glasses=True, brows=0.3
    ),
    Person(
        "wole", "test", 28, 0.0, (1, 0, 0), DEEP, BLACK, EBONY, MAROON, 306, stubble=0.4, gloss=0.7
    ),
    Person(
        "xia", "test", 36, 1.0, (0, 1, 0), GOLD, BLACK, EBONY, ROSE, 307, brows=0.7, weight=0.35
    ),
    # fresh: seven more, as different from each other; for what was changed after the test
    Person("yara", "fresh", 22, 1.0, (0.2, 0.1, 0.7), TAN, BLACK, HAZEL, WINE, 401, brows=0.9),
    Person("zeno", "fresh", 58, 0.0, (0, 0, 1), FAIR, GREY, GREEN, NUDE, 402, beard=0.7, gloss=0.5),
    Person("abel", "fresh", 9, 0.0, (0.9, 0, 0.1), DARK, BLACK, EBONY, PLUM, 403, freckles=0.0),
    Person("bibi", "fresh", 6, 1.0, (0, 0.8, 0.2), GOLD, UMBER, EBONY, ROSE, 404, brows=0.5),
    Person("cleo", "fresh", 69, 1.0, (0.3, 0.1, 0.6), OLIVE, GREY, HAZEL, ROSE, 405, glasses=True),
    Person(
        "dima",
        "fresh",
        31,
        0.0,
        (0, 0.2, 0.8),
        PALE,
        BLOND,
        BLUE,
        PINK,
        406,
        stubble=0.5,
        brows=0.4,
    ),
    Person("eiko", "fresh", 45, 1.0, (0, 1, 0), GOLD, BLACK, EBONY, NUDE, 407, weight=0.65),
    # later: seven more; for what was changed after the fresh people were measured
    Person(
        "finn", "later", 27, 0.0, (0, 0, 1), ROSY, RED, BLUE, PINK, 501, freckles=0.8, brows=0.5
    ),
    Person("gaia", "later", 72, 1.0, (0, 0.2, 0.8), OLIVE, GREY, HAZEL, NUDE, 502, brows=0.35),
    Person("hugo", "later", 7, 0.0, (0.2, 0, 0.8), FAIR, CHESTNUT, GREEN, PINK, 503, gloss=0.3),
    Person("ines", "later", 11, 1.0, (0.5, 0.1, 0.4), TAN, UMBER, HAZEL, ROSE, 504, brows=0.8),
    Person("joon", "later", 48, 0.0, (0, 1, 0), GOLD, BLACK, EBONY, NUDE, 505, glasses=True),
    Person(
        "kofi", "later", 39, 0.0, (1, 0, 0), DARK, BLACK, EBONY, PLUM, 506, beard=0.8, gloss=0.6
    ),
    Person("lena", "later", 24, 1.0, (0, 0.5, 0.5), PALE, CHESTNUT, GREEN, WINE, 507, weight=0.3),
)


def by_name(name: str) -> Person:
    """Return somebody by name."""
    return {person.name: person for person in PEOPLE}[name]


def of(split: str) -> list[Person]:
    """Return the people of a split."""
    return [person for person in PEOPLE if person.split == split]


def drawn(number: int) -> Person:
    """Return somebody of no side, drawn at random: there is no end of people to learn from.

    One in five wears glasses, and one man in three has a beard.
    """
    random = np.random.default_rng([number, 2026])
    age = float(random.uniform(5, 15) if random.random() < 0.25 else random.uniform(15, 85))
    mix = random.dirichlet([0.6, 0.6, 0.6])
    gender = float(random.integers(2))
    tones = ((BROWN, DARK, DEEP, TAN), (GOLD, OLIVE, FAIR), (PALE, FAIR, ROSY, OLIVE))
    skin = _mixed([tones[k][random.integers(len(tones[k]))] for k in range(3)], mix)
    hairs = (BLACK, BLACK, UMBER, CHESTNUT, BLOND, RED)
    hair = hairs[random.integers(2 if mix[2] < 0.4 else len(hairs))]
    if random.random() < (age - 40) / 40:
        hair = GREY
    lips = (NUDE, PINK, ROSE, WINE, PLUM, MAROON)[random.integers(6)]
    grown = gender == 0 and age > 17
    return Person(
        f"drawn{number}",
        "calibration",
        age,
        gender,
        (float(mix[0]), float(mix[1]), float(mix[2])),
        skin,
        hair,
        (BLUE, GREEN, HAZEL, EBONY)[random.integers(4)],
        _mixed([lips, skin], np.array([0.7, 0.3])),
        10_000 + number,
        weight=float(random.uniform(0.3, 0.75)),
        muscle=float(random.uniform(0.35, 0.7)),
        brows=float(random.uniform(0.3, 1.0)),
        gloss=float(random.uniform(0.2, 0.8)),
        freckles=float(random.uniform(0, 0.6)),
        stubble=float(random.uniform(0, 0.6)) if grown else 0.0,
        beard=float(random.uniform(0.6, 1.0)) if grown and random.random() < 1 / 3 else 0.0,
        glasses=bool(random.random() < 0.2),
        bald=float(random.uniform(0, 0.8)) if grown and age > 40 else 0.0,
    )


def _mixed(colours: list[Colour], shares: NDArray[np.float64]) -> Colour:
    red, green, blue = (shares / shares.sum()) @ np.array(colours)
    return float(red), float(green), float(blue)
