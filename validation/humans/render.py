"""Pictures of a person: shape, skin, light and camera put together, frame by frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from validation.humans import light as lamp
from validation.humans import raster
from validation.humans.body import ACTIONS, body_of, topology
from validation.humans.data import base_mesh
from validation.humans.glasses import Glasses, glasses_for
from validation.humans.people import Person
from validation.humans.skin import hairiness, linear, noise, paint, smooth, texture_pixels
from validation.humans.wrinkles import Wrinkled, folds_of

from bitbox.face_backend.geometry import rotation_matrix

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

_FINER = 1.5  # pixels that are computed for one that is shown, along both sides
_SHADOW, _SHADOW_SCALE = 320, 1.0  # pixels of the shadow map, and a millimetre in them
_DIRECTIONS = 60  # from which the shade of folds that stay is taken


@dataclass(frozen=True)
class Camera:
    """What takes the pictures.

    Parameters
    ----------
    vertical_fov : float
        Degrees.
    size : (int, int)
        Width and height in pixels.
    eye_distance : float
        Pixels between the eyes at rest: how near the person sits.
    place : (float, float)
        Where between the eyes is at rest, as shares of width and height.
    """

    vertical_fov: float = 63.0
    size: tuple[int, int] = (320, 320)
    eye_distance: float = 60.0
    place: tuple[float, float] = (0.5, 0.44)

    @property
    def focal(self) -> float:
        """The focal length in pixels."""
        return self.size[1] / 2 / math.tan(math.radians(self.vertical_fov) / 2)


@dataclass(frozen=True)
class Light:
    """What lights the scene.

    Parameters
    ----------
    name : str
    key, fill : (float, float, float)
        Where the light comes from, as a direction in the camera's axes (y down, z away).
    strength : (float, float, float)
        Of key, fill, and light from everywhere.
    tint : (float, float, float)
        Colour of the key light.
    shadow : float
        How dark shadows are, 0 to 1.
    sway : float
        Degrees by which the key light moves to and fro.
    flicker : float
        Share by which its strength changes.
    band : float
        Depth of a soft shadow that wanders over the face, 0 to 1.
    """

    name: str
    key: tuple[float, float, float]
    fill: tuple[float, float, float]
    strength: tuple[float, float, float]
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shadow: float = 0.6
    sway: float = 0.0
    flicker: float = 0.0
    band: float = 0.0


#: Soft light from the side, light from above, and the light of a screen that changes.
LIGHTS: dict[str, Light] = {
    "window": Light(
        "window",
        (-0.55, -0.5, -0.75),
        (0.7, 0.0, -0.7),
        (0.72, 0.20, 0.26),
        (1.0, 0.97, 0.92),
        0.55,
        14.0,
        0.2,
        0.5,
    ),
    "ceiling": Light(
        "ceiling",
        (0.15, -0.85, -0.55),
        (-0.3, 0.3, -0.9),
        (0.80, 0.14, 0.28),
        (1.0, 0.95, 0.86),
        0.7,
        9.0,
        0.06,
        0.15,
    ),
    "screen": Light(
        "screen",
        (0.25, 0.1, -0.95),
        (-0.8, -0.3, -0.4),
        (0.55, 0.22, 0.26),
        (0.92, 0.97, 1.0),
        0.5,
        25.0,
        0.4,
        0.0,
    ),
}


@dataclass(frozen=True)
class Hardness:
    """How much of what makes skin hard to follow there is; 1 as it should be, 0 none.

    Parameters
    ----------
    folds : float
        Wrinkles that come with movement.
    gloss : float
        What shines.
    lips : float
        Lips that change colour and shine.
    moving : float
        Light that moves and changes.
    grain : float
        How much the texture of the skin shows that could be followed.
    """

    folds: float = 1.0
    gloss: float = 1.0
    lips: float = 1.0
    moving: float = 1.0
    grain: float = 1.0


AS_SKIN = Hardness()


class Renderer:
    """Renders one person under one light with one camera.

    Parameters
    ----------
    person : Person
    camera : Camera
    light : Light
    hardness : Hardness

    Attributes
    ----------
    places : ndarray of float32, shape (n, 3)
        The person at rest, as drawn: with hair and shirt.
    rest : ndarray, shape (3,)
        Where the head's origin is at rest, millimetres in the camera's axes.
    """

    def __init__(
        self, person: Person, camera: Camera, light: Light, hardness: Hardness = AS_SKIN
    ) -> None:
        self.person, self.camera, self.light, self.hardness = person, camera, light, hardness
        self._form, self._body = topology(), body_of(person)
        self.places = _dressed(person)
        near = float(np.linalg.norm(self._body.eyes[0] - self._body.eyes[1]))
        away = camera.focal * near / camera.eye_distance
        middle = (np.array(camera.place) - 0.5) * camera.size
        self.rest = np.array([*(middle * away / camera.focal), away])
        self._glasses = self._put_on() if person.glasses else None
        self._skin = paint(person, hardness.grain)
        self._wrinkled = Wrinkled(folds_of(person), hardness.folds)
        self._moved = self._body.basis.reshape(len(ACTIONS), -1)
        self._triangles, self._part, self._texture = self._joined()
        self._open = _openness(person)
        self._behind = self._backdrop()
        self._look = self._looks()

    # --- what is the same in all frames ---------------------------------------------------------

    def _put_on(self) -> Glasses:
        face = self.places[self._form.face]
        return glasses_for(face, self._body.eyes, self.person.seed)

    def _joined(self) -> tuple[NDArray[np.int32], NDArray[np.uint8], Float32]:
        triangles, part = self._form.triangles, self._form.part
        texture = texture_pixels(self._form.texture).astype(np.float32)
        texture[part != 0] = -1
        if self._glasses is not None:
            frame = self._glasses.frame + len(self.places)
            triangles = np.concatenate([triangles, frame]).astype(np.int32)
            part = np.concatenate([part, np.full(len(frame), 6, dtype=np.uint8)])
            texture = np.concatenate([texture, np.full((len(frame), 3, 2), -1, dtype=np.float32)])
        return triangles, part, np.ascontiguousarray(texture)

    def _backdrop(self) -> Float32:
        width, height = (round(_FINER * side) for side in self.camera.size)
        random = np.random.default_rng(self.person.seed + 8)
        colour = linear(tuple(random.uniform(0.25, 0.75) + random.uniform(-0.06, 0.06, 3)))
        cloudy = noise((height, width), (30.0, 160.0), self.person.seed + 9)
        return np.asarray(colour * (1 + 0.04 * cloudy[..., :1] + 0.12 * cloudy[..., 1:]).clip(0.3))

    def _looks(self) -> Float32:
        random = np.random.default_rng(self.person.seed + 10)
        look = np.zeros(lamp.N_LOOK, dtype=np.float32)
        look[lamp.SHIRT : lamp.SHIRT + 3] = linear(tuple(random.uniform(0.15, 0.75, 3)))
        look[lamp.IRIS : lamp.IRIS + 3] = linear(self.person.eyes)
        look[lamp.FRAME : lamp.FRAME + 3] = linear(tuple(random.uniform(0.05, 0.3, 3)))
        look[lamp.PLAIN : lamp.PLAIN + 3] = linear(self.person.skin)
        eye = base_mesh().places[np.unique(base_mesh().quads["helper-l-eye"])]
        look[lamp.EYE_X : lamp.EYE_X + 3] = (eye.min(axis=0) + eye.max(axis=0)) / 2
        return look

    # --- one frame ------------------------------------------------------------------------------

    def pose(self, turns: FloatArray) -> FloatArray:
        """Return Tx, Ty, Tz, Rx, Ry, Rz of a head that is turned about its joint, shape (6,)."""
        rotation = rotation_matrix(turns)
        pivot = self._body.pivot
        return np.concatenate([self.rest + pivot - rotation @ pivot, turns])

    def picture(self, drives: FloatArray, turns: FloatArray, seconds: float) -> Float32:
        """Return a frame as linear light, shape (height, width, 3)."""
        rotation = rotation_matrix(turns).astype(np.float32)
        placed = self._placed(drives, turns)
        camera = self.camera
        size = (round(_FINER * camera.size[1]), round(_FINER * camera.size[0]))
        corners = np.empty_like(placed)
        scale = camera.focal / placed[:, 2:]
        middle = np.array(camera.size) / 2
        corners[:, :2] = _FINER * (placed[:, :2] * scale + middle) - 0.5
        corners[:, 2] = 1 / placed[:, 2]
        depth = np.zeros(size, dtype=np.float32)
        which = np.full(size, -1, dtype=np.int32)
        mixture = np.empty((*size, 2), dtype=np.float32)
        raster.draw(corners, self._triangles, depth, which, mixture)
        numbers = self._lamps(drives, seconds)
        carried = self._carried(placed, numbers[:3].astype(np.float64))
        shadow = np.full((_SHADOW, _SHADOW), -1e9, dtype=np.float32)
        raster.draw_depth(carried[:, lamp.SHADOW :], self._triangles, shadow)
        out = self._behind * float(numbers[lamp.AMBIENT : lamp.FILL_COLOUR + 6].mean() * 2.2)
        folds = self._wrinkled.show(drives)
        lamp.shade(
            (which, mixture),
            (self._triangles, self._part, self._texture),
            carried,
            (self._skin, folds, self._look, rotation),
            (numbers, shadow),
            out,
        )
        if self._glasses is not None:
            self._look_through(self._glasses, out, (depth, corners), carried, numbers)
        import cv2

        return np.asarray(cv2.resize(out, camera.size, interpolation=cv2.INTER_AREA))

    def _placed(self, drives: FloatArray, turns: FloatArray) -> Float32:
        """Return all vertices in the camera's axes."""
        pose = self.pose(turns)
        rotation = rotation_matrix(turns).astype(np.float32)
        moved = (drives.astype(np.float32) @ self._moved).reshape(-1, 3) + self.places
        share = self._body.share[:, None]
        along = moved @ rotation.T + pose[:3].astype(np.float32)
        found = share * along + (1 - share) * (moved + self.rest.astype(np.float32))
        if self._glasses is not None:
            worn = self._glasses.places @ rotation_matrix(turns).T + pose[:3]
            found = np.concatenate([found, worn])
        return np.ascontiguousarray(found, dtype=np.float32)

    def _carried(self, placed: Float32, key: FloatArray) -> Float32:
        n = len(self.places)
        carried = np.zeros((len(placed), lamp.N_CARRIED), dtype=np.float32)
        normal = np.empty_like(placed)
        raster.normals_of(placed, self._triangles, normal)
        carried[:, :3] = normal
        carried[:, lamp.PLACE : lamp.PLACE + 3] = placed
        carried[:n, lamp.BASE : lamp.BASE + 3] = self._form.base
        carried[:n, lamp.OPEN] = self._open
        carried[n:, lamp.OPEN] = 1
        carried[:, lamp.SHADOW :] = _towards(placed - self.rest.astype(np.float32), key)
        return carried

    def _lamps(self, drives: FloatArray, seconds: float) -> Float32:
        """Return the numbers that this frame is lit by."""
        light, moving = self.light, self.hardness.moving
        phase = 0.7 * self.person.seed
        sway = np.radians(light.sway) * moving
        slow = np.sin([0.9 * seconds + phase, 0.63 * seconds + 2 * phase, 1.7 * seconds + phase])
        key = np.array(light.key) + sway * np.array([slow[0], 0.6 * slow[1], 0.0])
        fill = np.array(light.fill)
        strength = np.array(light.strength)
        strength[0] *= 1 + moving * light.flicker * slow[2]
        numbers = np.zeros(lamp.N_LIGHT)
        numbers[lamp.KEY : lamp.KEY + 3] = key / np.linalg.norm(key)
        numbers[lamp.FILL : lamp.FILL + 3] = fill / np.linalg.norm(fill)
        numbers[lamp.KEY_COLOUR : lamp.KEY_COLOUR + 3] = strength[0] * np.array(light.tint) * 1.35
        numbers[lamp.FILL_COLOUR : lamp.FILL_COLOUR + 3] = strength[1] * 1.35
        numbers[lamp.AMBIENT : lamp.AMBIENT + 3] = strength[2] * 1.35
        numbers[lamp.GLOSS] = 1.3 * self.hardness.gloss
        pressed = _of(drives, "mouthPressLeft", "mouthPressRight") + 0.8 * _of(
            drives, "mouthRollLower", "mouthRollUpper"
        )
        parted = (
            _of(drives, "jawOpen")
            + 0.4 * _of(drives, "mouthFunnel")
            + 0.3 * _of(drives, "mouthLowerDownLeft", "mouthLowerDownRight")
        )
        numbers[lamp.PRESSED] = self.hardness.lips * min(0.8, 1.4 * pressed)
        numbers[lamp.WET] = self.hardness.lips * min(1.0, parted)
        numbers[lamp.DARKNESS] = light.shadow
        numbers[lamp.BAND_DEPTH] = light.band * moving
        numbers[lamp.BAND_PHASE] = 0.8 * seconds + phase
        return numbers.astype(np.float32)

    def _look_through(
        self,
        glasses: Glasses,
        out: Float32,
        seen: tuple[Float32, Float32],
        carried: Float32,
        numbers: Float32,
    ) -> None:
        """Lay the lenses over a picture: they take a little light and reflect some."""
        depth, corners = seen
        lenses = glasses.lenses + np.int32(len(self.places))
        which = np.full(depth.shape, -1, dtype=np.int32)
        mixture = np.zeros((*depth.shape, 2), dtype=np.float32)
        raster.draw(corners, lenses, depth, which, mixture)
        placed = np.ascontiguousarray(carried[:, lamp.PLACE : lamp.PLACE + 3])
        normal = np.empty_like(placed)
        raster.normals_of(placed, lenses, normal)
        both = np.zeros((*depth.shape, 6), dtype=np.float32)
        raster.gather(which, mixture, lenses, np.hstack([normal, placed]), both)
        rows, columns = np.nonzero(which >= 0)
        n, p = both[rows, columns, :3], both[rows, columns, 3:]
        n *= -np.sign((n * p).sum(axis=1, keepdims=True))
        view = -p / np.linalg.norm(p, axis=1, keepdims=True)
        mirrored = 2 * (n * view).sum(axis=1, keepdims=True) * n - view
        mirrored /= np.linalg.norm(mirrored, axis=1, keepdims=True)
        window = smooth(0.955, 0.985, mirrored @ numbers[:3]) * 0.5
        screen = smooth(0.90, 0.93, mirrored @ numbers[lamp.FILL : lamp.FILL + 3]) * 0.25
        out[rows, columns] = 0.9 * out[rows, columns] + (window + screen)[:, None] * 0.5 + 0.01


def _of(drives: FloatArray, *names: str) -> float:
    return float(np.mean([drives[ACTIONS.index(name)] for name in names]))


@cache
def _dressed(person: Person) -> Float32:
    """Return a person at rest with hair and a shirt: the vertices under them are pushed out."""
    form, body = topology(), body_of(person)
    normal = np.empty_like(body.places)
    raster.normals_of(body.places, form.triangles, normal)
    base = form.base.astype(np.float32)
    skin = np.zeros(len(base), dtype=bool)
    skin[np.unique(form.triangles[form.part == 0])] = True
    random = np.random.default_rng(person.seed + 11)
    thick = random.uniform(6, 16) * (0.6 if person.age > 60 else 1.0)
    x, y, z = base.T
    ear = (np.abs(x) > 0.72) & (y < 7.4) & (z > 0.05) & (z < 0.75)
    hair = hairiness(base, person.bald) * ~ear * thick * (0.6 + 0.4 * smooth(7.4, 8.3, y))
    line = 5.62 + 0.45 * np.maximum(0, np.abs(x) - 0.55) + 0.4 * np.maximum(0, 0.3 - z)
    shirt = 7.0 * smooth(0.05, -0.1, y - line.astype(np.float32))
    return np.asarray(body.places + (skin * (hair + shirt))[:, None] * normal, dtype=np.float32)


@cache
def _openness(person: Person) -> Float32:
    """Return how much of the sky each vertex sees at rest, 0 to 1."""
    places, triangles = _dressed(person), topology().triangles
    normal = np.empty_like(places)
    raster.normals_of(places, triangles, normal)
    random = np.random.default_rng(0)
    seen, total = np.zeros(len(normal)), np.full(len(normal), 1e-6)
    solid = triangles[topology().part == 0]
    for direction in random.standard_normal((_DIRECTIONS, 3)):
        direction /= np.linalg.norm(direction)
        facing = np.clip(normal @ direction, 0, None)
        corners = _towards(places, direction)
        depth = np.full((_SHADOW, _SHADOW), -1e9, dtype=np.float32)
        raster.draw_depth(corners, solid, depth)
        at = np.clip((corners[:, :2] + 0.5).astype(int), 0, _SHADOW - 1)
        seen += facing * (depth[at[:, 1], at[:, 0]] < corners[:, 2] + 4.0)
        total += facing
    return np.asarray(0.15 + 0.85 * seen / total, dtype=np.float32)


def _towards(places: Float32, direction: FloatArray) -> Float32:
    """Return places as a light from a direction sees them: pixels, and how near they are."""
    one = np.cross(direction, [0.0, 1.0, 0.2])
    one /= np.linalg.norm(one)
    two = np.cross(direction, one)
    axes = np.stack([_SHADOW_SCALE * one, _SHADOW_SCALE * two, direction])
    found = places @ axes.T.astype(np.float32)
    found[:, :2] += _SHADOW / 2
    return np.ascontiguousarray(found, dtype=np.float32)


def as_seen(picture: Float32) -> Image:
    """Return linear light as an image: gamma 2.2, 8 bits."""
    return np.asarray(255 * np.clip(picture, 0, 1) ** (1 / 2.2) + 0.5, dtype=np.uint8)
