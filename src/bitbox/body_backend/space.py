"""From joints in a picture to joints in space.

Across and up and down, joints are where the picture shows them: that can be trusted. How far away
each is, is the model's guess, made anew in every frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.angles import middle, trunk_axes
from bitbox.body_backend.skeleton import HIPS, SHOULDERS

FloatArray = NDArray[np.float64]

#: Metres from the middle of the hips to the middle of the shoulders, in body coordinates.
TRUNK = 0.5
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
    trunk = np.linalg.norm(middle(points, SHOULDERS), axis=1)
    known = trunk[np.isfinite(trunk)]
    if len(known):
        points *= TRUNK / float(np.median(known))
    return np.asarray(points)


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
