"""From joints in a picture to joints in space.

Across and up and down, joints are where the picture shows them: that can be trusted. How far away
each is, is the model's guess, made anew in every frame, and it tends to put hands and feet in front
of where they are. A limb, however, keeps its length: one that looks as long as it ever does lies in
the picture plane, and one that looks shorter can point towards the camera or away from it only by
what is missing. So the person's own limbs, measured over the whole recording, limit the guess.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.angles import middle, trunk_axes
from bitbox.body_backend.skeleton import (
    ANKLES,
    ELBOWS,
    HEELS,
    HIPS,
    INDEX,
    KNEES,
    LITTLE,
    SHOULDERS,
    TOES,
    WRISTS,
)

FloatArray = NDArray[np.float64]

#: Metres from the middle of the hips to the middle of the shoulders, in body coordinates.
TRUNK = 0.5
_LONG = 70.0  # percentile of how long a limb looks that is its length, lying in the picture plane
_STEADY = 1.0  # seconds over which the size of the person in the picture is steadied


def in_space(rows: NDArray[np.float32], seen: NDArray[np.bool_], time: FloatArray) -> FloatArray:
    """Return the joints in space, shape (T, 33, 3), from the middle of the hips.

    Parameters
    ----------
    rows : ndarray, shape (T, 33, 7)
        As in `bitbox.body_backend.track.BodyTrack`.
    seen : ndarray of bool, shape (T, 33)
        Where a joint is seen; it is NaN elsewhere.
    time : ndarray, shape (T,)
        Seconds.

    Notes
    -----
    x to the right of the picture, y down, z away from the camera; the trunk is mostly `TRUNK` long.
    How large the person is in the picture is steadied over a second, as much before as after.
    Perspective is left out: the person is taken to be far away, in sizes of his or her own.
    """
    values = rows.astype(np.float64)
    values[~seen] = np.nan
    points = values[..., 4:7]
    points[..., :2] = values[..., :2] / _pixels_a_metre(values, time)[:, None, None]
    points -= middle(points, HIPS)[:, None]
    _limit_depths(points)
    trunk = np.linalg.norm(middle(points, SHOULDERS), axis=1)
    known = trunk[np.isfinite(trunk)]
    if len(known):
        points *= TRUNK / float(np.median(known))
    return np.asarray(points)


#: Limbs, left and right, from the trunk outward: each end hangs on its start.
_LIMBS = (
    *((SHOULDERS, ELBOWS), (ELBOWS, WRISTS), (WRISTS, INDEX), (WRISTS, LITTLE)),
    *((HIPS, KNEES), (KNEES, ANKLES), (ANKLES, HEELS), (ANKLES, TOES)),
)


def _limit_depths(points: FloatArray) -> None:
    """Let no limb be longer than it is: what of it is missing in the picture is all its depth.

    Left and right limbs are equally long.
    """
    guess = points[..., 2].copy()
    for starts, ends in _LIMBS:
        flat = points[:, ends, :2] - points[:, starts, :2]  # (T, 2 sides, 2)
        looks = np.linalg.norm(flat, axis=-1)
        lengths = [np.percentile(side[np.isfinite(side)], _LONG) for side in looks.T if _any(side)]
        if not lengths:
            continue
        with np.errstate(invalid="ignore"):
            most = np.sqrt(np.maximum(max(lengths) ** 2 - looks**2, 0.0))
        further = guess[:, ends] - guess[:, starts]
        points[:, ends, 2] = points[:, starts, 2] + np.clip(further, -most, most)


def _any(values: FloatArray) -> bool:
    return bool(np.isfinite(values).any())


def in_body(points: FloatArray) -> FloatArray:
    """Return joints in the trunk's own frame: x to the subject's left, y down, z to the back."""
    axes = trunk_axes(points)
    frame = np.stack([axes.left, -axes.up, -axes.front], axis=1)  # (T, axis, 3)
    return np.asarray(np.einsum("tai,tji->tja", frame, points))


def _pixels_a_metre(values: FloatArray, time: FloatArray) -> FloatArray:
    """Return how large a metre of the model is in each picture: by the spread of all joints."""
    seen = np.isfinite(values[..., :1])
    count = seen.sum(axis=1, keepdims=True)
    spread = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for columns in (slice(0, 2), slice(4, 6)):
            places = np.where(seen, values[..., columns], 0.0)
            away = np.where(seen, places - places.sum(axis=1, keepdims=True) / count, 0.0)
            spread.append((away**2).sum(axis=(1, 2)))
        size = np.sqrt(spread[0] / spread[1])
    return _steadied(size, time)


def _steadied(values: FloatArray, time: FloatArray) -> FloatArray:
    """Return the median over a second around each time, NaN where there is no value."""
    out = np.full(len(values), np.nan)
    starts = np.searchsorted(time, time - _STEADY / 2)
    stops = np.searchsorted(time, time + _STEADY / 2, side="right")
    for frame in np.flatnonzero(np.isfinite(values)):
        out[frame] = np.nanmedian(values[starts[frame] : stops[frame]])
    return out
