"""MediaPipe's model of a hand as a graph of its own.

MediaPipe's ready-made Hands looks for palms anywhere in the picture and does not know whose they
are. Here a hand is looked for where an arm ends, so whose it is, and which of the two, is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.pose_graph import Square
from bitbox.errors import BackendError
from bitbox.measuring.graph import Graph
from bitbox.measuring.quiet import quietly
from bitbox.system.extras import unusable
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]

N_POINTS = 21
SIDE = 224  # pixels of the model's input along each side
_AROUND = 2.0  # how much more than the hand the square shows, as the model was trained
_BEYOND = 0.1  # of the hand: how far towards the fingers the square is moved
_INSIDE = "handlandmarkcpu__"
_PRESENCE = f"{_INSIDE}hand_presence_score"
_THRESHOLD = f"{_INSIDE}ThresholdingCalculator"
_WRIST, _MIDDLE = 0, 9  # the points that give a hand's direction


@dataclass(frozen=True)
class Hand:
    """A hand in one picture.

    Attributes
    ----------
    places : ndarray, shape (21, 2)
        Its points in pixels: wrist, and from the palm outward four of thumb, index, middle, ring
        and little finger.
    points : ndarray, shape (21, 3)
        The same in metres, as the model guesses them: x to the right of the picture, y down, z away
        from the camera.
    presence : float
        How sure the model is that there is a hand, 0 to 1.
    """

    places: FloatArray
    points: FloatArray
    presence: float

    @property
    def length(self) -> float:
        """From the wrist to the middle finger's knuckle, pixels."""
        return float(np.linalg.norm(self.places[_MIDDLE] - self.places[_WRIST]))

    def square(self) -> Square:
        """Return the square around it in which the model sees it best."""
        along = self.places[_MIDDLE] - self.places[_WRIST]
        angle = math.atan2(along[0], -along[1])
        cos, sin = math.cos(angle), math.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        upright = self.places @ turn
        low, high = upright.min(axis=0), upright.max(axis=0)
        size = float((high - low).max())
        centre = turn @ ((low + high) / 2 - [0.0, _BEYOND * size])
        return Square(float(centre[0]), float(centre[1]), _AROUND * size, angle)


class HandRuntime:
    """The model of hands, ready to run; a context manager."""

    def __init__(self) -> None:
        try:
            with quietly():
                self._model: Any = Graph(
                    "HandLandmarkCpu",
                    {"LANDMARKS": "places", "WORLD_LANDMARKS": "points"},
                    inside=[_PRESENCE],
                    side={"MODEL_COMPLEXITY": 1},
                    unlimited=_THRESHOLD,
                )
                blank = Picture.of(np.zeros((64, 64, 3), dtype=np.uint8))
                self.look(blank, Square(32, 32, 64, 0.0))
        except (ImportError, OSError) as error:
            raise unusable(error, "Tracking hands", "mediapipe") from error
        except (RuntimeError, ValueError) as error:
            raise BackendError(
                f"MediaPipe's model of hands did not start: {error}",
                expected="mediapipe 0.10.21, which brings its models along (Python 3.11 or 3.12)",
                todo="Install the version of MediaPipe that openbitbox asks for.",
            ) from error

    def __enter__(self) -> HandRuntime:
        return self

    def __exit__(self, *_: object) -> None:
        self._model.close()

    def look(self, picture: Picture, square: Square) -> Hand:
        """Return the hand in a square; where there is none its presence is low."""
        from mediapipe.python import packet_getter

        image = picture.crop((square.x, square.y), square.side, square.angle, SIDE)
        out = self._model.run(image)
        found = packet_getter.get_proto(out["places"]).landmark
        places = np.array([(p.x, p.y) for p in found])
        points = np.array(
            [(p.x, p.y, p.z) for p in packet_getter.get_proto(out["points"]).landmark]
        )
        return in_picture(square, places, points, packet_getter.get_float(out[_PRESENCE]))


def in_picture(square: Square, places: FloatArray, points: FloatArray, presence: float) -> Hand:
    """Return the hand of points in shares of a square, (21, 2), and in metres, (21, 3)."""
    cos, sin = math.cos(square.angle), math.sin(square.angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    turned = np.column_stack([points[:, :2] @ turn.T, points[:, 2]])
    corner = np.array([square.x, square.y])
    return Hand(corner + square.side * (places - 0.5) @ turn.T, turned, float(presence))
