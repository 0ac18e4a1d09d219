"""What a person's skin looks like: painted by place on the base face.

A place on the base face is (x, y, z) in its own decimetres, y up: the corners of the mouth are at
y = 6.6, the eyes at 7.28, the brows at 7.48, the hair begins at about 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from validation.humans import data, raster
from validation.humans.body import topology
from validation.humans.people import Person

Float32 = NDArray[np.float32]

#: The part of texture space that is painted (u, v from above), and pixels per unit of it.
LEFT, TOP, RIGHT, BOTTOM, SCALE = 0.62, 0.13, 0.985, 0.90, 1600
#: Channels of a skin: linear red, green, blue; gloss; lips; slopes along x and y.
CHANNELS = 7
_HAIRLINE = (
    (-2.0, -0.6, -0.1, 0.1, 0.35, 0.6, 0.9, 1.15, 2.0),
    (6.5, 6.55, 6.65, 6.95, 7.25, 7.55, 7.82, 7.98, 8.0),
)


@dataclass(frozen=True, eq=False)
class Chart:
    """Where on the base face each pixel of the texture is.

    Attributes
    ----------
    place : ndarray of float32, shape (height, width, 3)
        Decimetres; far away where there is no skin.
    lips, lids, ears, inside : ndarray of float32, shape (height, width)
        How far a pixel belongs to these.
    """

    place: Float32
    lips: Float32
    lids: Float32
    ears: Float32
    inside: Float32


@cache
def chart() -> Chart:
    """Return where on the base face the pixels of the texture are."""
    import cv2

    form = topology()
    skin = np.flatnonzero(form.part == 0)
    width, height = round((RIGHT - LEFT) * SCALE), round((BOTTOM - TOP) * SCALE)
    corners = np.ones((3 * len(skin), 3), dtype=np.float32)
    corners[:, :2] = texture_pixels(form.texture[skin]).reshape(-1, 2)
    triangles = np.arange(3 * len(skin), dtype=np.int32).reshape(-1, 3)
    depth = np.zeros((height, width), dtype=np.float32)
    which = np.full((height, width), -1, dtype=np.int32)
    mixture = np.zeros((height, width, 2), dtype=np.float32)
    raster.draw(corners, triangles, depth, which, mixture)
    values = form.base[form.triangles[skin]].reshape(-1, 3).astype(np.float32)
    place = np.full((height, width, 3), 99.0, dtype=np.float32)
    raster.gather(which, mixture, triangles, values, place)
    masks = []
    for name in ("lips", "eyelids", "ears", "inside-mouth"):
        path = data.folder() / "mpfb2" / "textures" / f"mpfb_{name}.jpg"
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        size = mask.shape[0]
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        x, y = (columns / SCALE + LEFT) * size, (rows / SCALE + TOP) * size
        masks.append(cv2.remap(mask, x - 0.5, y - 0.5, cv2.INTER_LINEAR))
    return Chart(place, *masks)


def texture_pixels(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where texture coordinates are in the painted part, in pixels."""
    return np.asarray((coordinates - (LEFT, TOP)) * SCALE)


def linear(colour: tuple[float, float, float] | Float32) -> Float32:
    """Return linear light of a colour as it is seen."""
    return np.asarray(colour, dtype=np.float32) ** np.float32(2.2)


def smooth(low: float, high: float, values: Float32) -> Float32:
    """Return 0 below `low`, 1 above `high`, smoothly in between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), dtype=np.float32)


def hairiness(place: Float32, bald: float = 0.0) -> Float32:
    """Return how far places (..., 3) of the base face are under hair."""
    x, y, z = np.moveaxis(place, -1, 0)
    line = np.interp(z, *_HAIRLINE).astype(np.float32)
    front = smooth(-0.2, 0.5, z) * smooth(0.75, 0.2, np.abs(x))
    line = line + 0.02 * np.sin(23 * x) + bald * (1.2 * front + 0.25 * smooth(0.0, 0.5, z))
    return smooth(-0.02, 0.05, y - line)


def noise(shape: tuple[int, int], sizes: tuple[float, ...], seed: int) -> Float32:
    """Return noise of several sizes (pixels), each with standard deviation 1, shape + (sizes,)."""
    import cv2

    random = np.random.default_rng(seed)
    found = []
    for size in sizes:
        small = random.standard_normal((max(4, int(shape[0] / size)), max(4, int(shape[1] / size))))
        large = cv2.resize(small.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
        found.append(large / large.std())
    return np.stack(found, axis=-1)


@cache
def paint(person: Person, grained: float = 1.0) -> Float32:
    """Return a person's skin, shape (height, width, CHANNELS); grained: how much texture shows."""
    flat = chart()
    place = flat.place
    shape = place.shape[0], place.shape[1]
    x, y, z = np.moveaxis(place, -1, 0)
    away = np.abs(x)
    grain = noise(shape, (1.7, 6.0, 30.0, 90.0), person.seed + 1)
    # skin is smooth at a camera's distance, that of some more than that of others
    plain = np.random.default_rng(person.seed + 12).uniform(0.12, 0.38)
    grain[..., :3] *= grained * plain
    dark = float(np.mean(person.skin))
    colour = np.broadcast_to(linear(person.skin), (*shape, 3)).copy()
    uneven = (0.6 + 0.6 * person.wrinkled) * (0.7 if person.age < 14 else 1.0)
    colour *= 1 + uneven * (
        0.035 * grain[..., :1] + 0.04 * grain[..., 1:2] + 0.05 * grain[..., 2:3]
    )
    # blood: cheeks, nose, chin, ears and around the eyes
    blush = 0.6 * _spot(x, y, (0.38, 6.95), 0.2) + 0.7 * _spot(x, y, (0.0, 6.9), 0.13)
    blush += (
        0.35 * _spot(x, y, (0.0, 6.3), 0.16) + 0.5 * flat.ears + 0.25 * grain[..., 3].clip(-1, 1)
    )
    colour *= 1 + 0.25 * dark * blush[..., None] * np.array([0.5, -0.9, -0.7], dtype=np.float32)
    shade = 0.5 * _spot(x, y, (0.27, 7.16), 0.11) + 0.5 * flat.lids
    colour *= 1 - (0.10 + 0.12 * person.wrinkled) * shade[..., None] * np.array(
        [0.8, 1.1, 0.9], dtype=np.float32
    )
    _freckle(colour, person, (x, y, z), min(1.0, grained * (plain + person.freckles)))
    _whiskers(colour, person, (x, y, z))
    lip = np.clip(flat.lips * 1.1, 0, 1)
    line = np.exp(-(((y - 6.608) / 0.008) ** 2)) * (away < 0.26) * (z > 1.3)
    mouth = linear(person.lips) * (1 + 0.10 * grain[..., :1] + 0.08 * grain[..., 1:2])
    colour += lip[..., None] * (mouth - colour)
    colour *= (1 - 0.55 * line * lip)[..., None]
    colour += flat.inside[..., None] * (linear((0.42, 0.13, 0.12)) - colour)
    _lashes(colour, (x, y, z))
    _brows(colour, person, (x, y, z))
    hair = hairiness(place, person.bald) * (1 - np.clip(2 * flat.ears, 0, 1))
    strands = _strands(shape, person.seed)
    colour += hair[..., None] * (linear(person.hair) * (1 + 0.45 * strands[..., None]) - colour)
    skin = np.zeros((*shape, CHANNELS), dtype=np.float32)
    skin[..., :3] = np.clip(colour, 0.004, 1)
    oily = 0.55 + 0.5 * _spot(x, y, (0.0, 7.0), 0.16) + 0.35 * _spot(x, y, (0.0, 7.75), 0.3)
    oily += 0.2 * _spot(x, y, (0.4, 7.0), 0.15)
    skin[..., 3] = person.gloss * oily * (1 - hair) * (1 + 0.25 * grain[..., 1]) + 0.25 * hair
    skin[..., 4] = lip
    rough = (0.05 + 0.06 * person.wrinkled) * grain[..., 0] + 0.03 * person.wrinkled * grain[..., 1]
    skin[..., 5:7] = _slopes(rough * (1 - flat.inside))
    return skin


def _spot(x: Float32, y: Float32, middle: tuple[float, float], radius: float) -> Float32:
    """Return a soft spot, on both sides of the face."""
    from_it = (np.abs(x) - middle[0]) ** 2 + (y - middle[1]) ** 2
    return np.asarray(np.exp(-0.5 * from_it / radius**2), dtype=np.float32)


def _slopes(height: Float32) -> Float32:
    """Return the slopes of a rough surface along x and y of the base face, depth in pixels."""
    place = chart().place
    found = [np.gradient(height, axis=axis) for axis in (0, 1)]
    away = [np.sign(np.gradient(place[..., k], axis=k)) for k in (0, 1)]
    return np.stack([found[k] * away[k] for k in (0, 1)], axis=-1)


def _dab(colour: Float32, at: tuple[int, int], radius: float, factor: Float32) -> None:
    reach = int(np.ceil(2 * radius)) + 1
    rows = slice(max(0, at[0] - reach), at[0] + reach + 1)
    columns = slice(max(0, at[1] - reach), at[1] + reach + 1)
    part = colour[rows, columns]
    r, c = np.mgrid[
        rows.start : rows.start + part.shape[0], columns.start : columns.start + part.shape[1]
    ]
    weight = np.exp(-0.5 * ((r - at[0]) ** 2 + (c - at[1]) ** 2) / (radius / 1.5) ** 2)
    part *= 1 + weight[..., None].astype(np.float32) * (factor - 1)


def _freckle(
    colour: Float32, person: Person, at: tuple[Float32, Float32, Float32], grained: float
) -> None:
    random = np.random.default_rng(person.seed + 2)
    _, y, z = at
    face = np.argwhere((z > 0.5) & (z < 3) & (y > 6.1) & (y < 8.1))
    chosen = random.choice(len(face), int(1200 * person.freckles) + 30, replace=False)
    for number, k in enumerate(chosen):
        row, column = face[k]
        if number < 10:
            factor = np.array([0.35, 0.28, 0.25], dtype=np.float32)
            _dab(colour, (row, column), random.uniform(2, 4), factor)
        else:
            factor = 1 - grained * random.uniform(0.1, 0.3) * np.array(
                [0.6, 1.0, 1.2], dtype=np.float32
            )
            _dab(colour, (row, column), random.uniform(1.5, 5 if person.age > 60 else 3), factor)


def _whiskers(colour: Float32, person: Person, at: tuple[Float32, Float32, Float32]) -> None:
    """Paint stubble and beard: on jaw, chin and upper lip."""
    amount = max(person.stubble, person.beard)
    if amount == 0:
        return
    x, y, z = at
    away = np.abs(x)
    jaw = smooth(6.85, 6.55, y + 0.25 * smooth(0.35, 0.1, away) * (y > 6.45)) * smooth(5.7, 6.1, y)
    side = smooth(0.45, 0.62, away) * smooth(7.2, 6.9, y) * smooth(0.2, 0.45, z)
    lip = smooth(0.30, 0.24, away) * smooth(6.66, 6.70, y) * smooth(6.82, 6.78, y) * (z > 1.2)
    below = smooth(6.52, 6.46, y) * smooth(0.45, 0.3, away)
    where = np.clip(np.maximum.reduce([jaw * smooth(0.15, 0.3, away), side, lip, below]), 0, 1)
    where *= (z > 0.3) * (z < 3)
    random = np.random.default_rng(person.seed + 3)
    hairs = noise((colour.shape[0], colour.shape[1]), (1.6, 6.0), person.seed + 4)
    full = person.beard > 0
    strength = np.clip(
        (0.62 if full else 0.25) + 0.3 * hairs[..., 0] + 0.08 * hairs[..., 1], 0, 0.95
    )
    strength *= where * amount
    tone = linear(person.hair) * random.uniform(0.8, 1.1)
    colour += strength[..., None].astype(np.float32) * (tone * 0.9 - colour)


def _lashes(colour: Float32, at: tuple[Float32, Float32, Float32]) -> None:
    """Darken the edges of the lids, the upper one more."""
    x, y, z = at
    from_eye = np.hypot((np.abs(x) - 0.308) / 0.155, (y - 7.283) / 0.062)
    edge = np.exp(-(((from_eye - 1.0) / 0.22) ** 2)) * (z > 0.9) * (z < 3)
    dark = edge * np.where(y > 7.283, 0.55, 0.25)
    colour *= (1 - dark)[..., None].astype(np.float32)


def _brows(colour: Float32, person: Person, at: tuple[Float32, Float32, Float32]) -> None:
    """Paint the brows, stroke by stroke."""
    import cv2

    random = np.random.default_rng(person.seed + 6)
    x, y, z = at
    skin = (z > 0.6) & (z < 3) & (y > 7.3) & (y < 7.7)
    places = np.argwhere(skin)
    from scipy.spatial import cKDTree

    tree = cKDTree(np.column_stack([x[skin], y[skin]]))
    ink = np.zeros(colour.shape[:2], dtype=np.float32)
    thick = random.uniform(0.75, 1.2) * (1.1 - 0.25 * person.gender)
    high = random.uniform(-0.015, 0.02)
    arch = random.uniform(0.0, 0.045)
    for side in (-1, 1):
        for _ in range(700):
            t = random.uniform(0, 1)
            middle = (
                7.462 + high + 0.05 * t + arch * np.sin(np.pi * min(1, t * 1.25)) - 0.075 * t**3
            )
            width = 0.032 * thick * (1 - 0.65 * t**2) * min(1, 0.45 + 3 * t)
            start = np.array([0.10 + 0.45 * t, middle + random.normal(0, 0.55) * width])
            turn = np.radians(75 * (1 - t) ** 1.5 + random.normal(5 - 25 * t, 12))
            end = start + random.uniform(0.03, 0.06) * np.array([np.cos(turn), np.sin(turn)])
            _, nearest = tree.query(np.stack([start, end]) * (side, 1))
            (r0, c0), (r1, c1) = places[nearest]
            if np.hypot(r1 - r0, c1 - c0) < 40:
                stroke = random.uniform(0.5, 1.0)
                cv2.line(ink, (int(c0), int(r0)), (int(c1), int(r1)), stroke, 1, cv2.LINE_AA)
    ink = cv2.GaussianBlur(ink, (0, 0), 0.7) * 0.85 + 0.4 * cv2.GaussianBlur(ink, (0, 0), 4)
    cover = np.clip(ink * (0.35 + 0.65 * person.brows), 0, 0.92)[..., None]
    tone = linear(person.hair) * (0.75 if np.mean(person.hair) < 0.5 else 0.6)
    colour += cover * (tone - colour)


def _strands(shape: tuple[int, int], seed: int) -> Float32:
    """Return the streaks of hair, standard deviation 1."""
    import cv2

    random = np.random.default_rng(seed + 7)
    raw = random.standard_normal((shape[0], shape[1])).astype(np.float32)
    streaks = cv2.GaussianBlur(raw, (0, 0), sigmaX=14, sigmaY=1.1)
    return np.asarray(np.clip(streaks / streaks.std(), -2, 2), dtype=np.float32)
