"""Which regions of a face are seen: those that look as the person usually does there.

A hand over the mouth does not keep the network from finding a mouth. But after the fit of the
texture (`bitbox.face_backend.texture_fit`) skin that is seen matches the person's own texture,
wherever it has moved, and a hand does not. So for each of the seven regions of the local units, the
likeness of a frame is the median over small patches around the places of its units of their
correlation with the person's texture. How like it is usually differs from person to person and
from place to place, with beards, glasses, light and noise; so each region is compared with itself.
And what comes before a face covers more than one region, while a wide open mouth or a deep fold
shows in one; so a region is hidden only where another one looks strange as well.

Worked out on three rendered people, and judged on other films of them and on others
(``validation/robustness.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitbox.face_backend.face_chart import GRID, SCALE, chart, flat_vertices
from bitbox.face_backend.units import LOCAL_UNITS, unit_places

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]

#: The regions, in the order of the local units.
REGIONS: tuple[str, ...] = tuple(dict.fromkeys(unit.region for unit in LOCAL_UNITS))
#: A region of which less is visible is hidden: what is measured there is missing.
LEAST_VISIBLE = 0.5
_REACH = 18.0  # millimetres from the places of a region's units to the patches that belong to it
_DAMPED = 0.9  # near 1, likenesses differ by little and tell much; this much of them is believed
_USUAL = 0.75  # quantile over the frames
#: Regions hidden at once from which on head pose is wrong: on rendered people by 3 degrees in half
#: of such frames and by up to 80; where nothing is hidden, by 1 in half and 3 in nine of ten.
_MESH_SLIPS = 3


def likeness(images: Iterable[Float32], reference: Float32) -> Float32:
    """Return how like the person's texture each region is, -1 to 1.

    Parameters
    ----------
    images : iterable of ndarray, shape (height, width)
        Normalised textures on the chart, moved to where the reference is; 0 off the face.
    reference : ndarray, shape (height, width)
        The person's texture.

    Returns
    -------
    ndarray of float32, shape (images, 7)
        In the order of `REGIONS`.
    """
    own = _patches(reference * reference)
    rows = []
    for image in images:
        both, other = _patches(image * reference), _patches(image * image)
        rows.append(both / np.sqrt(other * own + np.float32(1e-6)))
    found = np.array(rows, dtype=np.float32).reshape(len(rows), -1)
    return np.column_stack([np.median(found[:, some], axis=1) for some in _places()])


def visible(like: ArrayLike) -> Float32:
    """Return how surely each region is seen, 0 to 1, from its likeness in all frames.

    Parameters
    ----------
    like : array_like, shape (T, 7)
        What `likeness` gave; NaN in frames without a face.

    Returns
    -------
    ndarray of float32, shape (T, 7)
        1 where a region looks as it usually does (as in the best quarter of the frames), below
        `LEAST_VISIBLE` where it and another one do not: it is hidden. The strangest region counts
        no less than the next. NaN without a face.
    """
    like = np.asarray(like, dtype=np.float64)
    if not np.isfinite(like).any():
        return np.full(like.shape, np.nan, dtype=np.float32)
    z = np.arctanh(_DAMPED * like)
    seen = 1 + z - np.nanquantile(z, _USUAL, axis=0)
    second = np.sort(seen, axis=1)[:, 1:2]
    return np.clip(np.maximum(seen, second), 0, 1).astype(np.float32)


def hidden(seen: ArrayLike) -> NDArray[np.bool_]:
    """Return which regions are hidden in which frames, from what `visible` gives."""
    return np.asarray(np.asarray(seen) < LEAST_VISIBLE)


def without_hidden(values: FloatArray, output: str, covered: NDArray[np.bool_]) -> FloatArray:
    """Put NaN where what the values of an output (T, columns) are read off is hidden; return them.

    Units and landmarks belong to one region each; a global unit is of the whole face; head pose
    is missing where three regions or more are hidden: the mesh is not quite where the face is then.
    """
    if output == "rectangle" or not covered.any():
        return values
    if output == "expression-local":
        lost = covered[:, regions_of_units()]
    elif output == "expression-global":
        lost = covered.any(axis=1, keepdims=True)
    elif output == "pose":
        lost = covered.sum(axis=1, keepdims=True) >= _MESH_SLIPS
    else:
        each = values.shape[1] // len(regions_of_landmarks())
        lost = np.repeat(covered[:, regions_of_landmarks()], each, axis=1)
    np.copyto(values, np.nan, where=lost)
    return values


@cache
def regions_of_units() -> NDArray[np.int64]:
    """Return the number of each local unit's region, shape (32,)."""
    return np.array([REGIONS.index(unit.region) for unit in LOCAL_UNITS])


@cache
def regions_of_landmarks() -> NDArray[np.int64]:
    """Return the number of the region in which each of the 51 landmarks is, shape (51,)."""
    parts = (
        *(("right brow", 5), ("left brow", 5), ("nose", 9), ("right eye", 6), ("left eye", 6)),
        *(("upper lip", 7), ("lower lip", 5), ("upper lip", 5), ("lower lip", 3)),
    )
    return np.concatenate([[REGIONS.index(region)] * count for region, count in parts])


@cache
def _places() -> list[NDArray[np.int64]]:
    """Return which patches belong to each region."""
    height, width = chart().shape
    rows, columns = np.mgrid[0:height:GRID, 0:width:GRID]
    middles = np.column_stack([columns.ravel(), rows.ravel()]) - 0.5
    on_face = _patches(chart().inside.astype(np.float32)).ravel() > 0.5
    found = []
    for region in REGIONS:
        units = [number for number, unit in enumerate(LOCAL_UNITS) if unit.region == region]
        vertices = flat_vertices()[np.concatenate([unit_places()[number] for number in units])]
        away = np.linalg.norm(middles[:, None] - vertices, axis=2).min(axis=1)
        found.append(np.flatnonzero(on_face & (away < _REACH * SCALE)))
    return found


def _patches(image: Float32) -> Float32:
    """Return the mean of an image in patches of two by two of the chart's blocks, overlapping."""
    import cv2

    height, width = image.shape
    blocks = cv2.resize(image, (width // GRID, height // GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(blocks, (2, 2)))
