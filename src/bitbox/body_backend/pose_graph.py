"""MediaPipe's two models of bodies, the detector and the 33 points, as graphs of their own.

MediaPipe's ready-made Pose follows whomever it happens to find, says nothing of the others, and by
itself smooths over time, which delays. Here the detector tells of all people, the points are
computed in the square that is asked for, and nothing is smoothed. It is the model of complexity 1,
which MediaPipe brings along; 0 and 2 would be downloaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import BackendError, ParameterError
from bitbox.measuring.embedder import mediapipe_version
from bitbox.measuring.graph import Graph
from bitbox.measuring.quiet import quietly
from bitbox.system.extras import unusable
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]
PoseArray = NDArray[np.float32]

N_JOINTS = 33
#: What is known of each joint: x, y (pixels), z (as large), visibility, and x, y, z in metres.
COLUMNS = 7
SIDE = 256  # pixels of the model's input along each side
_FIND_SIDE = 224  # of the detector's
_AROUND = 1.25  # how much more than the body the square shows, as the model was trained
_INSIDE = "poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation__"
_PRESENCE = f"{_INSIDE}pose_presence_score"
_THRESHOLD = f"{_INSIDE}ThresholdingCalculator"


@dataclass(frozen=True)
class Square:
    """A tilted square of the picture in which a body is: centre and side, and tilt in radians."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around(cls, middle: FloatArray, end: FloatArray) -> Square:
        """Return the square around a body, from the middle of its hips and a point on its circle.

        The point is beyond the head; the line to it is upright in the square.
        """
        across, down = end - middle
        radius = math.hypot(across, down)
        return cls(
            float(middle[0]), float(middle[1]), 2 * _AROUND * radius, math.atan2(across, -down)
        )


@dataclass(frozen=True)
class Body:
    """Somebody found in one picture."""

    square: Square
    score: float
    look: None = None

    @property
    def centre(self) -> FloatArray:
        """The middle of the hips, shape (2,), pixels."""
        return np.array([self.square.x, self.square.y])

    @property
    def points(self) -> FloatArray:
        """The centre as the only point, shape (1, 2)."""
        return self.centre[None]

    @property
    def size(self) -> float:
        """About how tall somebody is who stands, pixels."""
        return self.square.side / _AROUND


class PoseRuntime:
    """The detector of people and the model of their joints, ready to run; a context manager."""

    def __init__(self) -> None:
        try:
            with quietly():
                self._finder: Any = Graph("PoseDetectionCpu", {"DETECTIONS": "found"}, roi=False)
                self._model: Any = Graph(
                    "PoseLandmarkByRoiCpu",
                    {
                        "LANDMARKS": "joints",
                        "AUXILIARY_LANDMARKS": "circle",
                        "WORLD_LANDMARKS": "world",
                    },
                    inside=[_PRESENCE],
                    side={"MODEL_COMPLEXITY": 1},
                    unlimited=_THRESHOLD,
                )
                blank = Picture.of(np.zeros((64, 64, 3), dtype=np.uint8))
                self.find(blank, None)
                self.joints(blank, Square(32, 32, 64, 0.0))
        except (ImportError, OSError) as error:
            raise unusable(error, "Tracking bodies", "mediapipe") from error
        except (RuntimeError, ValueError) as error:
            raise BackendError(
                f"MediaPipe's Pose did not start: {error}",
                expected="mediapipe 0.10.21, which brings its models along (Python 3.11 or 3.12)",
                todo="Install the version of MediaPipe that openbitbox asks for.",
            ) from error

    @property
    def name(self) -> str:
        """Name and version."""
        return f"{mediapipe_version()} pose, complexity 1"

    def __enter__(self) -> PoseRuntime:
        return self

    def __exit__(self, *_: object) -> None:
        self._finder.close()
        self._model.close()

    def find(
        self, picture: Picture, region: tuple[float, float, float, float] | None
    ) -> list[Body]:
        """Return everybody found in a part (left, top, width, height) of the picture, or in all."""
        from mediapipe.python import packet_getter

        left, top, width, height = region or (0, 0, picture.width, picture.height)
        shrink = max(1.0, max(width, height) / _FIND_SIDE)
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        packet = self._finder.run(picture.window((left, top, width, height), size))["found"]
        if packet.is_empty():
            return []
        corner, scale = np.array([left, top]), np.array([width, height])
        bodies = []
        for found in packet_getter.get_proto_list(packet):
            points = [(p.x, p.y) for p in found.location_data.relative_keypoints[:2]]
            middle, end = corner + np.array(points) * scale
            bodies.append(Body(Square.around(middle, end), float(found.score[0])))
        return bodies

    def joints(self, picture: Picture, square: Square) -> tuple[PoseArray, Square, float]:
        """Return the joints (33, 7) in a square, the square around them, and how sure that is."""
        from mediapipe.python import packet_getter

        image = picture.crop((square.x, square.y), square.side, square.angle, SIDE)
        out = self._model.run(image)
        points = packet_getter.get_proto(out["joints"]).landmark
        joints = np.array([(p.x, p.y, p.z, p.visibility) for p in points])
        world = np.array([(p.x, p.y, p.z) for p in packet_getter.get_proto(out["world"]).landmark])
        circle = np.array([(p.x, p.y) for p in packet_getter.get_proto(out["circle"]).landmark[:2]])
        presence = float(packet_getter.get_float(out[_PRESENCE]))
        return *in_picture(square, joints, circle, world), presence


def in_picture(
    square: Square, joints: FloatArray, circle: FloatArray, world: FloatArray
) -> tuple[PoseArray, Square]:
    """Return where joints are in the picture, (33, 7), and the square around them.

    Parameters
    ----------
    square : Square
        What the model saw.
    joints : (33, 4) array
        x, y and z in shares of the square, and visibility.
    circle : (2, 2) array
        Of the body: the middle of its hips, and a point beyond the head; shares of the square.
    world : (33, 3) array
        In metres.
    """
    cos, sin = math.cos(square.angle), math.sin(square.angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    corner = np.array([square.x, square.y])
    found = np.empty((N_JOINTS, COLUMNS))
    found[:, :2] = corner + square.side * (joints[:, :2] - 0.5) @ turn.T
    found[:, 2] = square.side * joints[:, 2]
    found[:, 3] = joints[:, 3]
    found[:, 4:6] = world[:, :2] @ turn.T
    found[:, 6] = world[:, 2]
    middle, end = corner + square.side * (circle - 0.5) @ turn.T
    return found.astype(np.float32), Square.around(middle, end)


def check_complexity(complexity: Any) -> None:
    """Refuse the models that MediaPipe would download into its own folder.

    Raises
    ------
    ParameterError
        Another one than 1 is asked for.
    """
    if complexity == 1 and not isinstance(complexity, bool):
        return
    raise ParameterError(
        f"MediaPipe's Pose of complexity {complexity!r} cannot be used.",
        expected="1, the model that MediaPipe brings along",
        got=f"{complexity!r}; MediaPipe would download 0 and 2 into its own folder, unasked",
        todo="Leave `complexity` out.",
    )
