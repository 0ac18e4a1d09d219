"""From joints in a picture to joints in space.

Across and up and down, joints are where the picture shows them: that can be trusted, but for knees
and hips. How far away each is, is the model's guess, made anew in every frame. What it gets wrong
by habit is put right (`bitbox.body_backend.habits`). And limbs keep their lengths: one that looks
as long as it ever does lies in the picture plane, and one that looks shorter points towards the
camera or away from it by what is missing. So the person's own limbs, measured over the whole
recording, are weighed against the guess (`bitbox.body_backend.depth`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.angles import middle, trunk_axes
from bitbox.body_backend.depth import likely_depth
from bitbox.body_backend.habits import LEGS, corrections
from bitbox.body_backend.skeleton import (
    ANKLES,
    ELBOWS,
    HEAD,
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
# What follows was chosen on the calibration people of `validation/humans`.
_DOUBT, _INEXACT = 0.25, 0.09  # of arms' depth, in trunks; and of their length, in lengths
_DOUBT_OF_HIPS, _INEXACT_HIPS = 0.1, 0.05
_HIPS_TURN = 0.5  # how much of the hips' depth to believe
_HIPS_WIDE = 0.82  # how wide hips are, of how wide the model's are in metres


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
    guess = as_guessed(rows, seen, time)
    trunk = trunk_of(np.where(seen[..., None], guess, np.nan))
    if np.isfinite(trunk):
        _put_right(guess, trunk, _legs_are_seen(seen))
        _narrow_hips(guess, rows, trunk)
    points = np.where(seen[..., None], guess, np.nan)
    points -= middle(points, HIPS)[:, None]
    if np.isfinite(trunk):
        _limit_depths(points, trunk)
        points *= TRUNK / trunk_of(points)
    return np.asarray(points)


def as_guessed(rows: NDArray[np.float32], seen: NDArray[np.bool_], time: FloatArray) -> FloatArray:
    """Return all joints as the model guesses them, the hidden ones too, from the hips' middle.

    Metres of the model, of which a person may be more or fewer; (T, 33, 3).
    """
    values = rows.astype(np.float64)
    points = values[..., 4:7].copy()
    values[~seen] = np.nan
    points[..., :2] = rows[..., :2] / _pixels_a_metre(values, time)[:, None, None]
    return np.asarray(points - middle(points, HIPS)[:, None])


#: Left and right joints of what hangs on the shoulders and on the hips, from there outward.
_ARMS = ((SHOULDERS, ELBOWS), (ELBOWS, WRISTS))
_LIMBS = (
    *(*_ARMS, (WRISTS, INDEX), (WRISTS, LITTLE)),
    *((HIPS, KNEES), (KNEES, ANKLES), (ANKLES, HEELS), (ANKLES, TOES)),
)
#: What moves with the shoulders, and with knees and ankles in the order of `LEGS`.
_ABOVE = (*HEAD, *SHOULDERS, *ELBOWS, *WRISTS, *INDEX, *LITTLE)
_WITH_LEGS = (
    *((KNEES[0],), (KNEES[1],)),
    *((ANKLES[side], HEELS[side], TOES[side]) for side in (0, 1)),
)


def _legs_are_seen(seen: NDArray[np.bool_]) -> bool:
    """Tell whether legs are mostly seen while hips are."""
    known = seen[:, HIPS].all(axis=1)
    return bool(seen[known][:, LEGS].mean() > 0.5) if known.any() else False


def _put_right(guess: FloatArray, trunk: float, legs: bool) -> None:
    """Move joints from where the model guesses them by habit to where they are."""
    found = corrections(guess / trunk, legs)
    guess[:, _ABOVE, 2] += trunk * found.shoulders[:, None]
    for joints, away in zip(_WITH_LEGS, found.legs.transpose(1, 0, 2), strict=True):
        guess[:, joints] += trunk * away[:, None]


def trunk_of(points: FloatArray) -> float:
    """Return how long the trunk mostly is; NaN where it is never seen."""
    trunk = np.linalg.norm(middle(points, SHOULDERS) - middle(points, HIPS), axis=1)
    known = trunk[np.isfinite(trunk)]
    return float(np.median(known)) if len(known) else np.nan


def _narrow_hips(guess: FloatArray, rows: NDArray[np.float32], trunk: float) -> None:
    """Turn the hips no further than how wide they look allows; half as far as the model guesses."""
    left, right = HIPS
    across = guess[:, left] - guess[:, right]
    model = np.linalg.norm(rows[:, left, 4:7] - rows[:, right, 4:7], axis=1)
    wide = _HIPS_WIDE * float(np.nanmedian(model))
    depth = likely_depth(
        _HIPS_TURN * across[:, 2],
        np.hypot(across[:, 0], across[:, 1]),
        wide,
        _DOUBT_OF_HIPS * trunk,
        _INEXACT_HIPS * wide,
    )
    guess[:, left, 2], guess[:, right, 2] = depth / 2, -depth / 2


def _limit_depths(points: FloatArray, trunk: float) -> None:
    """Hold limbs to their lengths, from the trunk outward: each end hangs on its start.

    Of arms, what is missing in the picture is weighed against the guess. No other limb is longer
    than it is: what of it is missing in the picture is all its depth. Left and right limbs are
    equally long.
    """
    guess = points[..., 2].copy()
    for starts, ends in _LIMBS:
        flat = points[:, ends, :2] - points[:, starts, :2]  # (T, 2 sides, 2)
        looks = np.linalg.norm(flat, axis=-1)
        lengths = [np.percentile(side[np.isfinite(side)], _LONG) for side in looks.T if _any(side)]
        if not lengths:
            continue
        length = float(max(lengths))
        further = guess[:, ends] - guess[:, starts]
        if (starts, ends) in _ARMS:
            doubt, inexact = _DOUBT * trunk, _INEXACT * length
            sides = zip(further.T, looks.T, strict=True)
            depths = [likely_depth(*side, length, doubt, inexact) for side in sides]
            points[:, ends, 2] = points[:, starts, 2] + np.stack(depths, axis=1)
            continue
        with np.errstate(invalid="ignore"):
            most = np.sqrt(np.maximum(length**2 - looks**2, 0.0))
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
