"""The shape of a person: at rest, and what each facial action does to it.

Everything is in the axes of `bitbox.face_backend.geometry`: millimetres, x to the subject's left,
y down, z away from the viewer, the origin midway between the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from validation.humans import data
from validation.humans.people import Person

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: The facial actions, in the order of every array of drives.
ACTIONS: tuple[str, ...] = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight"),
    *("eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight"),
    *("eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight"),
    *("eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight"),
    *("jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel"),
    *("mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)

#: How far along the data's own scales: years to knots baby, child, young, old.
_YEARS, _KNOTS = (1.0, 11.0, 25.0, 90.0), ("baby", "child", "young", "old")
#: Areas whose targets make a face one's own, and the standard deviation of their weights.
_AREAS = {
    "nose": 0.2,
    "mouth": 0.18,
    "chin": 0.22,
    "cheek": 0.25,
    "eyes": 0.2,
    "eyebrows": 0.3,
    "forehead": 0.25,
    "ears": 0.15,
    "head": 0.15,
}
_ENDS = (
    *(("incr", "decr"), ("up", "down"), ("in", "out"), ("forward", "backward")),
    *(("convex", "concave"), ("compress", "uncompress")),
)
_HEAD_SHAPES = (
    *("head-oval", "head-round", "head-square", "head-rectangular"),
    *("head-triangular", "head-invertedtriangular", "head-diamond"),
)
_LEFT_OUT = (
    "head-trans",
    "head-age",
    "head-angle",
    "ear-trans",
    "mouth-trans",
    "nose-trans-in",
    "chin-cleft",
)
#: What is drawn: the body from here up (decimetres of the base mesh), eyes, teeth and tongue.
_LOWEST = 4.0
PARTS = (
    "body",
    "helper-l-eye",
    "helper-r-eye",
    "helper-upper-teeth",
    "helper-lower-teeth",
    "helper-tongue",
)


@dataclass(frozen=True, eq=False)
class Topology:
    """What is the same for everybody.

    Attributes
    ----------
    vertices : ndarray of int, shape (n,)
        The vertices that are drawn, as numbers of the base mesh.
    triangles : ndarray of int32, shape (m, 3)
        Of these.
    part : ndarray of uint8, shape (m,)
        Which of `PARTS` each triangle belongs to.
    texture : ndarray, shape (m, 3, 2)
        Texture coordinates of the corners, v from above.
    face : ndarray of int, shape (k,)
        The skin of the face, as numbers of the drawn vertices: what the truth is told of.
    face_triangles : ndarray of int32, shape (l, 3)
        Triangles of the face's vertices.
    base : ndarray, shape (n, 3)
        Places on the base mesh, decimetres, y up: where on a face each vertex is.
    """

    vertices: IntArray
    triangles: NDArray[np.int32]
    part: NDArray[np.uint8]
    texture: FloatArray
    face: IntArray
    face_triangles: NDArray[np.int32]
    base: FloatArray


@dataclass(frozen=True, eq=False)
class Body:
    """A person's shape.

    Attributes
    ----------
    places : ndarray of float32, shape (n, 3)
        At rest, millimetres.
    basis : ndarray of float32, shape (52, n, 3)
        What each action adds to them.
    share : ndarray of float32, shape (n,)
        How far each vertex goes along with the head.
    pivot : ndarray, shape (3,)
        About what the head turns.
    eyes : ndarray, shape (2, 3)
        Centres of the left and the right eye.
    """

    places: Float32
    basis: Float32
    share: Float32
    pivot: FloatArray
    eyes: FloatArray


@cache
def topology() -> Topology:
    """Return what is the same for everybody."""
    mesh = data.base_mesh()
    quads, texture, part = [], [], []
    for number, name in enumerate(PARTS):
        some = mesh.quads[name]
        kept = (mesh.places[some, 1] > _LOWEST).all(axis=1)
        if name == "body":
            kept &= (np.abs(mesh.places[some, 0]) < 2.6).all(axis=1)  # no arms
        quads.append(some[kept])
        texture.append(mesh.texture[mesh.texture_quads[name][kept]])
        part.append(np.full(kept.sum(), number))
    corners = np.concatenate(quads)
    halves = ([0, 1, 2], [0, 2, 3])
    triangles = np.concatenate([corners[:, half] for half in halves])
    coordinates = np.concatenate([np.concatenate(texture)[:, half] for half in halves])
    coordinates[..., 1] = 1 - coordinates[..., 1]
    vertices, triangles = np.unique(triangles, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    parts = np.tile(np.concatenate(part), 2)
    base = mesh.places[vertices]
    whole = (data.head_share()[vertices] > 0.99)[triangles].all(axis=1)
    skin = (parts == 0) & whole & _is_face(coordinates, base[triangles])
    face, renumbered = np.unique(triangles[skin], return_inverse=True)
    return Topology(
        vertices,
        triangles.astype(np.int32),
        parts.astype(np.uint8),
        coordinates,
        face,
        renumbered.reshape(-1, 3).astype(np.int32),
        base,
    )


def _is_face(texture: FloatArray, places: FloatArray) -> NDArray[np.bool_]:
    """Tell which triangles are skin of the face: the front of the head, without its holes."""
    import cv2

    parts = cv2.imread(str(data.folder() / "segmentation" / "body_parts_segmentation.png"))
    height, width = parts.shape[:2]
    middle = texture.mean(axis=1)
    column = np.clip((middle[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((middle[:, 1] * height).astype(int), 0, height - 1)
    colour = parts[row, column, ::-1].astype(int)
    head = np.abs(colour - (90, 86, 255)).max(axis=1) < 40
    x, y, z = places.mean(axis=1).T
    return np.asarray(head & (z > 0.25) & (y > 6.05) & (np.abs(x) < 0.82))


@cache
def _details() -> tuple[
    tuple[float, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]], ...
]:
    """Return what faces differ in: (spread, targets of one direction, of the other)."""
    found = []
    for area, spread in _AREAS.items():
        names = data.detail_names(area)
        for name in names:
            if name.startswith("r-") or any(part in name for part in _LEFT_OUT):
                continue
            for up, down in _ENDS:
                other = f"{name.removesuffix(up)}{down}"
                if not name.endswith(f"-{up}") or other not in names:
                    continue
                pairs = [
                    [(area, one)] + ([(area, f"r-{one[2:]}")] if one.startswith("l-") else [])
                    for one in (name, other)
                ]
                found.append((spread, tuple(pairs[0]), tuple(pairs[1])))
    return tuple(found)


def _macro_weights(person: Person) -> dict[str, float]:
    age = dict.fromkeys(_KNOTS, 0.0)
    for (low, year), (high, next_year) in pairwise(zip(_KNOTS, _YEARS, strict=True)):
        if year <= person.age <= next_year:
            age[high] = (person.age - year) / (next_year - year)
            age[low] = 1 - age[high]
    african, asian, caucasian = np.array(person.ethnicity) / sum(person.ethnicity)
    weights = {**age, "male": 1 - person.gender, "female": person.gender, "universal": 1.0}
    weights |= {"african": african, "asian": asian, "caucasian": caucasian}
    for name, value in (("muscle", person.muscle), ("weight", person.weight)):
        weights[f"average{name}"] = 1 - abs(2 * value - 1)
        weights[f"max{name}"] = max(0.0, 2 * value - 1)
        weights[f"min{name}"] = max(0.0, 1 - 2 * value)
    return weights


def _identity(person: Person) -> FloatArray:
    """Return a person's base mesh at rest, decimetres."""
    places = data.base_mesh().places.copy()

    def add(target: data.Offsets, weight: float) -> None:
        places[target.vertices] += weight * target.moved

    weights = _macro_weights(person)
    for name, target in data.macro_targets().items():
        amount = float(np.prod([weights[part] for part in name.split("-")]))
        if amount > 0:
            add(target, amount)
    random = np.random.default_rng(person.seed)
    left, right = (places[data.joint(f"{side}-eye")].mean(axis=0) for side in "lr")
    size = min(1.0, float(left[0] - right[0]) / 0.61)  # children's heads are small
    for spread, one, other in _details():
        amount = float(np.clip(random.normal(0, spread), -0.7, 0.7))
        for area, name in one if amount > 0 else other:
            add(data.detail_target(area, name), abs(amount) * size)
    shape = _HEAD_SHAPES[random.integers(len(_HEAD_SHAPES))]
    add(data.detail_target("head", shape), random.uniform(0, 0.5))
    for name in data.detail_names("asym"):
        if not name.startswith("asymm"):
            add(data.detail_target("asym", name), max(0.0, random.normal(-0.05, 0.1)))
    return places


def _actions(person: Person, size: float) -> FloatArray:
    """Return what each action does to a person, shape (52, 19158, 3), decimetres.

    Everybody makes a movement a little differently: stronger or weaker, in another direction.
    """
    random = np.random.default_rng(person.seed + 5000)
    basis = np.zeros((len(ACTIONS), data.N_VERTICES, 3))
    gain: dict[str, float] = {}
    turn: dict[str, float] = {}
    for row, name in enumerate(ACTIONS):
        both = name.removesuffix("Left").removesuffix("Right")
        if both not in gain:
            gain[both] = float(np.exp(random.normal(0, 0.12)))
            turn[both] = float(random.normal(0, 0.12))
        own = gain[both] * float(np.exp(random.normal(0, 0.05)))
        target = data.action_targets()[name]
        if both in ("eyeBlink", "mouthClose"):  # lids and lips have to meet
            basis[row, target.vertices] = size * target.moved
            continue
        angle = turn[both] * (-1 if name.endswith("Right") else 1)
        if name == both:
            angle = 0.0
        cos, sin = np.cos(angle), np.sin(angle)
        about = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
        basis[row, target.vertices] = size * own * target.moved @ about
    return basis


@cache
def body_of(person: Person) -> Body:
    """Return a person's shape."""
    places = _identity(person)
    base = data.base_mesh().places
    skin = topology().vertices[topology().face]
    size = float(np.ptp(places[skin], axis=0)[:2].sum() / np.ptp(base[skin], axis=0)[:2].sum())
    quads = data.base_mesh().quads
    eyes = np.stack([places[np.unique(quads[f"helper-{side}-eye"])].mean(axis=0) for side in "lr"])
    origin = eyes.mean(axis=0)
    axes = data.MILLIMETRES * np.array([1.0, -1.0, -1.0])
    drawn = topology().vertices
    pivot = places[data.joint("head")].mean(axis=0)
    return Body(
        ((places[drawn] - origin) * axes).astype(np.float32),
        (_actions(person, size)[:, drawn] * axes).astype(np.float32),
        data.head_share()[drawn].astype(np.float32),
        (pivot - origin) * axes,
        (eyes - origin) * axes,
    )
