"""Frames to hands: at the end of each arm that is seen, a hand is looked for and followed.

A frame depends on the ones before only through the square in which the hand is looked for, so
nothing is delayed, at any frame rate.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.embedders import open_hands
from bitbox.body_backend.hand_graph import N_POINTS, HandRuntime
from bitbox.body_backend.hands import SIDES
from bitbox.body_backend.pose_graph import Square
from bitbox.body_backend.skeleton import ELBOWS, INDEX, LITTLE, WRISTS
from bitbox.body_backend.tracking import every
from bitbox.findings import Finding
from bitbox.measuring.one_core import on_one_core
from bitbox.progress import Progress
from bitbox.video import read_frames
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]

#: A hand counts as seen where the model's presence score is at least this.
MIN_PRESENCE = 0.5
_LONG = 4.0  # of the palm: the side of the square in which a hand is looked for at first
_SHORT = 0.3  # of the forearm: a palm that looks shorter than this points at the camera
_AWAY = 0.5  # of the forearm: how far the hand's own wrist may be from the arm's
_SMALL = 15.0  # pixels from the wrist to the knuckles under which fingers are too coarse to trust


def track_hands(
    path: str | os.PathLike[str],
    joints: FloatArray,
    *,
    fps: float | None = None,
    progress: Progress | None = None,
) -> tuple[FloatArray, tuple[Finding, ...]]:
    """Follow the hands of a body that was followed before.

    Parameters
    ----------
    path : path-like
        The same video.
    joints : ndarray, shape (T, 33, 2)
        The body's joints in pixels, NaN where one is not seen.
    fps : float, optional
        How many frames a second the body was looked at; None: at all.
    progress : callable, optional
        Called as ``progress(task, frames_done, frames_total_or_None)``.

    Returns
    -------
    points : ndarray, shape (T, 2, 21, 3)
        Left and right hand in metres: x to the right of the picture, y down, z away from the
        camera. NaN where the hand, or the arm that it is at the end of, is not seen.
    findings : tuple of Finding
        What there is to say about them.

    Raises
    ------
    VideoError
        The video cannot be decoded.
    BackendError
        MediaPipe is not installed or does not start.
    """
    points = np.full((len(joints), len(SIDES), N_POINTS, 3), np.nan)
    lengths: list[float] = []
    name = Path(path).name
    with on_one_core(), read_frames(path) as frames, open_hands() as runtime:
        followers = [_Follower(runtime, side) for side in range(len(SIDES))]
        for row, frame in enumerate(every(frames, fps)):
            for side, follower in enumerate(followers):
                found, length = follower.step(frame.picture, joints[row])
                if found is not None:
                    points[row, side] = found
                    lengths.append(length)
            if progress is not None:
                progress(f"Tracking the hands in {name}", frame.index + 1, frames.info.n_frames)
    return points, tuple(_findings(points, joints, lengths))


class _Follower:
    """Follows one hand of one person from frame to frame."""

    def __init__(self, runtime: HandRuntime, side: int) -> None:
        self._runtime = runtime
        self._joints = [pair[side] for pair in (ELBOWS, WRISTS, INDEX, LITTLE)]
        self._square: Square | None = None

    def step(self, picture: Picture, joints: FloatArray) -> tuple[FloatArray | None, float]:
        """Return the hand's points in metres and its length in pixels, or None where it is lost."""
        elbow, wrist, index, little = joints[self._joints]
        if not np.isfinite([elbow, wrist]).all():
            self._square = None
            return None, 0.0
        forearm = float(np.linalg.norm(wrist - elbow))
        tries = [self._square] if self._square is not None else []
        aimed = _aimed(elbow, wrist, (index + little) / 2, forearm)
        for square in (*tries, aimed):
            hand = self._runtime.look(picture, square)
            if square is aimed and hand.presence >= MIN_PRESENCE:
                # The points depend a little on their square. One that is made from the points, as
                # in all later frames, keeps the first frame from standing out.
                hand = self._runtime.look(picture, hand.square())
            away = float(np.linalg.norm(hand.places[0] - wrist))
            if hand.presence >= MIN_PRESENCE and away <= _AWAY * max(forearm, hand.length):
                self._square = hand.square()
                return hand.points, hand.length
        self._square = None
        return None, 0.0


def _aimed(elbow: FloatArray, wrist: FloatArray, knuckles: FloatArray, forearm: float) -> Square:
    """Return where a hand is looked for that was not seen before: beyond the end of the arm."""
    along = knuckles - wrist
    if not np.isfinite(along).all():
        along = _SHORT * (wrist - elbow)
    palm = max(float(np.linalg.norm(along)), _SHORT * forearm, 1.0)
    direction = along / max(float(np.linalg.norm(along)), 1e-9)
    centre = wrist + palm * direction
    angle = math.atan2(direction[0], -direction[1])
    return Square(float(centre[0]), float(centre[1]), _LONG * palm, angle)


def _findings(points: FloatArray, joints: FloatArray, lengths: Sequence[float]) -> list[Finding]:
    found = []
    arms = [np.isfinite(joints[:, [ELBOWS[k], WRISTS[k]]]).all(axis=(1, 2)) for k in (0, 1)]
    seen = [np.isfinite(points[:, k, 0, 0]) for k in (0, 1)]
    shares = [100 * float(s.mean()) for s in seen]
    if min(shares) < 50:
        found.append(
            Finding(
                "hands-hidden",
                "warning",
                f"The left hand is seen in {shares[0]:.0f} % of the frames, the right one in "
                f"{shares[1]:.0f} % (the arms they are looked for at the end of, in "
                f"{100 * arms[0].mean():.0f} and {100 * arms[1].mean():.0f} %). What is not seen "
                "is missing.",
                "Film hands and forearms so that they stay in the picture, large and in front of "
                "something that looks different; or analyse body-angles.",
            )
        )
    if lengths and np.median(lengths) < _SMALL:
        found.append(
            Finding(
                "small-hands",
                "warning",
                f"The hands are small: {np.median(lengths):.0f} pixels from the wrist to the "
                f"knuckles, where {_SMALL:.0f} are the least for fingers to be told apart.",
                "Record from nearer by or at a higher resolution; trust only large movements.",
            )
        )
    return found
