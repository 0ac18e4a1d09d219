"""What is no face and may be taken for one: drawn faces that move, and lettering.

Every seed gives another one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
Colour = tuple[int, ...]
Point = tuple[float, float]

SIZE = 320  # pixels of a picture along both sides
#: A disc with eyes and a mouth; a coloured cartoon; drawn with a pen; shaded; a letter.
STYLES = ("disc", "cartoon", "lines", "shaded", "smiley")
_FINER = 3  # pixels drawn for one that is shown, along both sides
_SKINS: tuple[Colour, ...] = (
    *((255, 221, 40), (255, 205, 60), (240, 200, 170), (228, 184, 150), (198, 150, 110)),
    *((150, 105, 75), (95, 62, 45), (255, 255, 255), (235, 235, 235), (170, 215, 160)),
)
_INKS: tuple[Colour, ...] = ((0, 0, 0), (30, 25, 25), (60, 40, 25), (40, 40, 90), (90, 20, 20))
_WHITE, _BLUSH = (255, 255, 255), (240, 140, 130)
_SMILEYS = (0x263A, 0x263B, *range(0x1F600, 0x1F640))
_WORDS = (
    *("CHAPTER", "Part", "Trial", "Bob & Ann", "THE END", "Session", "8", "OOO", "o_o", ":-)"),
    *("Look at the cross", "Please smile", "BLOCK 08", "Condition B", "00:08:00", "e8oo", "WOOF"),
    *("Copy me!", "100 %", "@BOB", "Q8&O", "Ready?", "Baseline", "Goodbye", "(o_o)", "§8 &c."),
)


@dataclass(frozen=True)
class Look:
    """Where a drawn face is in one picture, and what it does.

    Parameters
    ----------
    x, y, size : float
        Its middle and half its height, pixels.
    tilt : float
        Radians.
    blink : bool
    talk : float
        How far the mouth is open, 0 to 1.
    """

    x: float
    y: float
    size: float
    tilt: float = 0.0
    blink: bool = False
    talk: float = 0.0


def looks(random: np.random.Generator, frames: int, size: float) -> list[Look]:
    """Return what a face does: nothing, drift, or move, talk and blink, at random."""
    drifts, lives = [(False, False), (True, False), (True, True)][
        random.choice(3, p=[0.3, 0.3, 0.4])
    ]
    phase = random.uniform(0, 6, 5)
    x, y = SIZE / 2 + random.uniform(-20, 20, 2)
    found = []
    for number in range(frames):
        slow = np.sin(0.25 * number + phase)
        found.append(
            Look(
                x + drifts * 12 * slow[0],
                y + drifts * 8 * slow[1],
                size * (1 + 0.03 * lives * slow[2]),
                0.12 * lives * slow[3],
                bool(lives and (number + int(10 * phase[0])) % 12 < 2),
                0.5 * lives * (1 + float(np.sin(0.9 * number + phase[4]))),
            )
        )
    return found


def film(seed: int, frames: int, style: str, size: float) -> list[Image]:
    """Return the pictures of a drawn face.

    Parameters
    ----------
    seed : int
    frames : int
    style : one of `STYLES`
    size : float
        Half its height, pixels.
    """
    import cv2

    random = np.random.default_rng(seed)
    draw: Callable[[Image, Look], None]
    draw = smiley(random) if style == "smiley" else Artist(style, random).draw
    wall = cv2.resize(backdrop(random), (_FINER * SIZE,) * 2, interpolation=cv2.INTER_NEAREST)
    shown = []
    for look in looks(random, frames, size):
        canvas = wall.copy()
        draw(canvas, look)
        shown.append(np.asarray(cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA)))
    return shown


def backdrop(random: np.random.Generator) -> Image:
    """Return what is behind: white, a colour, one that changes, or clouds."""
    import cv2

    kind = random.integers(4)
    wall = np.empty((SIZE, SIZE, 3))
    wall[:] = _WHITE if kind == 0 else random.integers(60, 256, 3)
    if kind == 2:
        wall += np.linspace(-40, 40, SIZE)[:, None, None]
    if kind == 3:
        coarse = random.normal(0, 25, (20, 20, 1))
        wall += cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.asarray(wall.clip(0, 255), dtype=np.uint8)


class Pen:
    """Draws in the face's own frame: x to the right, y down, 1 is half its height."""

    def __init__(self, canvas: Image, look: Look) -> None:
        self.canvas, self.look = canvas, look
        self.scale = _FINER * look.size

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Return the pixel of a point."""
        c, s = np.cos(self.look.tilt), np.sin(self.look.tilt)
        return (
            round(_FINER * self.look.x + self.scale * (c * x - s * y)),
            round(_FINER * self.look.y + self.scale * (s * x + c * y)),
        )

    def ellipse(
        self, middle: Point, radii: Point, colour: Colour, line: float = -1, arc: Point = (0, 360)
    ) -> None:
        """Draw an ellipse: filled, or as a line of a width."""
        import cv2

        axes = tuple(max(1, round(self.scale * r)) for r in radii)
        thick = -1 if line < 0 else max(1, round(self.scale * line))
        tilt = float(np.degrees(self.look.tilt))
        cv2.ellipse(self.canvas, self.at(*middle), axes, tilt, *arc, colour, thick, cv2.LINE_AA)

    def line(self, points: list[Point], colour: Colour, line: float) -> None:
        """Draw a line through points."""
        import cv2

        corners = np.array([self.at(*p) for p in points], dtype=np.int32)
        thick = max(1, round(self.scale * line))
        cv2.polylines(self.canvas, [corners], False, colour, thick, cv2.LINE_AA)


@dataclass
class Artist:
    """Draws one face again and again."""

    style: str
    random: np.random.Generator
    has: dict[str, bool] = field(init=False)

    def __post_init__(self) -> None:
        random, style = self.random, self.style
        self.skin = _SKINS[random.integers(len(_SKINS))]
        self.ink = _INKS[random.integers(len(_INKS))]
        self.lips = tuple(int(v) for v in random.integers([150, 30, 30], [230, 110, 110]))
        self.hair = tuple(int(v) for v in random.integers(10, 160, 3))
        self.wide = 1.0 if style == "disc" and random.random() < 0.6 else random.uniform(0.7, 0.95)
        self.apart, self.high = random.uniform(0.28, 0.42), random.uniform(-0.3, -0.1)
        self.eye = (random.uniform(0.07, 0.14), random.uniform(0.06, 0.16))
        self.mouth = (random.uniform(0.25, 0.5), random.uniform(0.08, 0.3))
        self.chin = random.uniform(0.3, 0.5)
        self.pen = random.uniform(0.02, 0.05)
        coloured = style in ("cartoon", "shaded")
        chances = {
            "hair": 0.7 * (style == "cartoon"),
            "ears": style == "cartoon",
            "fill": 0.5 if style == "lines" else 1.0,
            "edge": 1.0 if style == "lines" else 0.5 * (style != "shaded"),
            "nose": 1.0 if coloured else 0.7 * (style == "lines"),
            "white eyes": 1.0 if coloured else 0.3 * (style == "disc"),
            "brows": 1.0 if style != "disc" else 0.3,
            "blush": 0.3,
            "lips": 0.7 * coloured,
            "light from the side": 0.5,
        }
        self.has = {name: bool(random.random() < chance) for name, chance in chances.items()}

    def draw(self, canvas: Image, look: Look) -> None:
        """Draw the face."""
        pen, has = Pen(canvas, look), self.has
        if has["hair"]:
            pen.ellipse((0, -0.15), (1.08 * self.wide, 1.02), self.hair)
        if has["ears"]:
            for side in (-1, 1):
                pen.ellipse((side * self.wide, 0), (0.12, 0.2), self.skin)
        if self.style == "shaded":
            self._shade(pen)
        elif has["fill"]:
            pen.ellipse((0, 0), (self.wide, 1), self.skin)
        if has["edge"]:
            pen.ellipse((0, 0), (self.wide, 1), self.ink, self.pen)
        if has["hair"]:
            pen.ellipse((0, -0.72), (0.75 * self.wide, 0.25), self.hair)
        for side in (-1, 1):
            self._eye(pen, side * self.apart, look.blink)
            if has["blush"]:
                pen.ellipse((side * 0.5, 0.25), (0.13, 0.1), _BLUSH)
        if has["nose"]:
            pen.line([(0.02, self.high + 0.1), (-0.07, 0.18), (0.05, 0.2)], self.ink, self.pen)
        self._mouth(pen, look.talk)

    def _shade(self, pen: Pen) -> None:
        """Paint a face that gets darker to its edge, or to one side."""
        for share in np.linspace(1, 0, 40):
            colour = tuple(int(v * (1 - 0.35 * share)) for v in self.skin)
            middle = -0.45 * (1 - share) * self.has["light from the side"]
            radii = (max(self.wide * share, 0.02), max(share, 0.02))
            pen.ellipse((middle, middle), radii, colour)

    def _eye(self, pen: Pen, x: float, blink: bool) -> None:
        (wide, high), y = self.eye, self.high
        if self.has["brows"]:
            brow = y - high - 0.12
            points = [(x - 0.14, brow + 0.03), (x, brow - 0.03), (x + 0.14, brow + 0.03)]
            pen.line(points, self.ink, 1.3 * self.pen)
        if blink:
            pen.line([(x - wide, y), (x + wide, y)], self.ink, self.pen)
            return
        if self.has["white eyes"]:
            pen.ellipse((x, y), (1.5 * wide, high), _WHITE)
        if self.has["white eyes"] or self.style == "lines":
            pen.ellipse((x, y), (1.5 * wide, high), self.ink, 0.6 * self.pen)
            pen.ellipse((x, y), (0.6 * wide, 0.6 * wide), self.ink)
        else:
            pen.ellipse((x, y), (wide, high), self.ink)

    def _mouth(self, pen: Pen, talk: float) -> None:
        wide, bent = self.mouth
        if self.has["lips"]:
            pen.ellipse((0, self.chin), (0.8 * wide, 0.08 + 0.15 * talk), self.lips)
            pen.ellipse((0, self.chin), (0.65 * wide, 0.01 + 0.12 * talk), self.ink)
        elif talk > 0.3:
            pen.ellipse((0, self.chin), (0.6 * wide, 0.05 + 0.2 * talk), self.ink)
        else:
            middle, radii = (0.0, self.chin - bent), (wide, bent + 0.1)
            pen.ellipse(middle, radii, self.ink, 1.3 * self.pen, (25, 155))


def fonts(name: str = "*.ttf") -> list[Path]:
    """Return the fonts that Matplotlib brings along."""
    import matplotlib as mpl

    folder = Path(mpl.__file__).parent / "mpl-data" / "fonts" / "ttf"
    return sorted(folder.glob(name))


def smiley(random: np.random.Generator) -> Callable[[Image, Look], None]:
    """Return what draws a smiley of a font in one colour."""
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    letter = chr(random.choice(_SMILEYS))
    (file,) = fonts("DejaVuSans.ttf")
    ink = _INKS[random.integers(len(_INKS))]

    def draw(canvas: Image, look: Look) -> None:
        font = ImageFont.truetype(str(file), int(2.2 * _FINER * look.size))
        board = Pictures.fromarray(canvas)
        middle = (_FINER * look.x, _FINER * look.y)
        ImageDraw.Draw(board).text(middle, letter, fill=ink, font=font, anchor="mm")
        canvas[:] = np.asarray(board)

    return draw


def emoji(seed: int, frames: int, size: float, file: Path) -> list[Image]:
    """Return the pictures of a face of a font of coloured pictures, 136 pixels wide."""
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    random = np.random.default_rng(seed)
    font = ImageFont.truetype(str(file), 109)
    letter = chr(random.choice([*range(0x1F600, 0x1F645), *range(0x1F466, 0x1F47A)]))
    face = Pictures.new("RGBA", (136, 128), (0, 0, 0, 0))
    ImageDraw.Draw(face).text((0, 0), letter, font=font, embedded_color=True)
    wall = Pictures.fromarray(backdrop(random))
    shown = []
    for look in looks(random, frames, size):
        side = round(2.1 * look.size)
        small = face.resize((side, side), Pictures.Resampling.LANCZOS)
        board = wall.copy()
        board.paste(small, (round(look.x - side / 2), round(look.y - side / 2)), small)
        shown.append(np.asarray(board))
    return shown


def lettering(seed: int) -> Image:
    """Return a title: one to three lines in any font of OpenCV or Matplotlib."""
    import cv2
    from PIL import Image as Pictures
    from PIL import ImageDraw, ImageFont

    random = np.random.default_rng(seed)
    dark, light = random.integers(0, 60, 3), random.integers(180, 256, 3)
    if random.random() < 0.4:
        dark, light = np.zeros(3, dtype=int), np.full(3, 255)
    paper, ink = (dark, light) if random.random() < 0.6 else (light, dark)
    image: Image = np.empty((SIZE, SIZE, 3), dtype=np.uint8)
    image[:] = paper
    colour = tuple(int(v) for v in ink)
    files = [file for file in fonts() if "STIXSiz" not in file.name and "cmex" not in file.name]
    for line in range(int(random.integers(1, 4))):
        words = " ".join(random.choice(_WORDS, random.integers(1, 3)))
        x, y = int(random.integers(5, 60)), 70 + 80 * line + int(random.integers(-15, 15))
        if random.random() < 0.5:
            scale, thick = float(random.uniform(0.8, 3.5)), int(random.integers(1, 6))
            font = int(random.integers(8))
            cv2.putText(image, words, (x, y), font, scale, colour, thick, cv2.LINE_AA)
        else:
            file = files[random.integers(len(files))]
            board = Pictures.fromarray(image)
            letters = ImageFont.truetype(str(file), int(random.integers(20, 110)))
            ImageDraw.Draw(board).text((x, y), words, fill=colour, font=letters, anchor="ls")
            image = np.array(board)
    if random.random() < 0.5:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(random.uniform(0.5, 2))))
    return image
