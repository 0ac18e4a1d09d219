"""A hand that passes before the face, as when somebody thinks or scratches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from validation.humans.render import Camera
from validation.humans.skin import linear

Float32 = NDArray[np.float32]
FloatArray = NDArray[np.float64]

#: Where the hand is, in distances between the eyes from the place between them: away, before the
#: mouth or an eye, away again; and how long that takes, in seconds.
_AWAY, _PERIOD = (1.9, 4.2), 5.0
MOUTH, LEFT_EYE = (0.15, 1.25), (0.6, 0.45)
#: Palm and fingers (from, to, thickness), in distances between the eyes, pointing up.
_PARTS = (
    ((0.0, 0.9), (0.0, 0.4), 1.15),
    ((-0.42, 0.3), (-0.55, -0.35), 0.27),
    ((-0.14, 0.2), (-0.18, -0.6), 0.29),
    ((0.14, 0.2), (0.17, -0.58), 0.29),
    ((0.42, 0.3), (0.5, -0.35), 0.25),
    ((-0.5, 0.8), (-0.95, 0.25), 0.3),
    ((0.0, 1.2), (0.3, 3.0), 0.8),
)


def covering(seconds: FloatArray) -> FloatArray:
    """Return how near the hand is to the mouth, 0 (away) to 1 (before it), at some times."""
    course = 0.5 - 0.5 * np.cos(2 * np.pi * np.clip(seconds - 2.0, 0, None) / _PERIOD)
    return np.asarray(np.clip(2.2 * course - 0.6, 0, 1))


def hand_at(
    camera: Camera, seconds: float, place: tuple[float, float] = MOUTH
) -> tuple[Float32, Float32]:
    """Return which share of each pixel the hand takes at a time, and how bright it is there.

    `place` is where it passes, in distances between the eyes from the place between them.
    """
    import cv2

    mask = np.zeros(camera.size[::-1], dtype=np.float32)
    shade = np.zeros_like(mask)
    near = float(covering(np.array(seconds)))
    if near == 0:
        return mask, shade
    size = camera.eye_distance
    eyes = np.array(camera.place) * camera.size
    middle = eyes + size * (np.array(_AWAY) + near * (np.array(place) - np.array(_AWAY)))
    for start, stop, thick in _PARTS:
        ends = [
            tuple((middle + size * np.array(at)).round().astype(int).tolist())
            for at in (start, stop)
        ]
        one = np.zeros_like(mask)
        cv2.line(one, ends[0], ends[1], 1.0, max(1, round(thick * size)), cv2.LINE_AA)
        round_off = cv2.GaussianBlur(one, (0, 0), 0.08 * size)
        shade = np.where(one > 0.5, 0.45 + 0.55 * round_off, shade)
        mask = np.maximum(mask, one)
    return mask, shade


def lay_hand(
    picture: Float32,
    camera: Camera,
    seconds: float,
    skin: tuple[float, float, float],
    place: tuple[float, float] = MOUTH,
) -> Float32:
    """Return a picture (linear light) with the hand before it as it is at a time."""
    mask, shade = hand_at(camera, seconds, place)
    if not mask.any():
        return picture
    bright = float(np.percentile(picture, 90)) / float(linear(skin).max())
    hand = shade[..., None] * linear(skin) * bright
    return np.asarray(picture + mask[..., None] * (hand - picture), dtype=np.float32)
