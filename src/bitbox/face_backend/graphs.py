"""MediaPipe's two models, the face detector and the face mesh, run as graphs of their own.

MediaPipe's ready-made Face Mesh solution follows whichever face it happens to find, says nothing
of the others and hides how sure it is. Here the detector tells of all faces, the mesh with iris
refinement is computed for the crop that is asked for, and the mesh model's own presence score is
the confidence. What they get is no larger than they can see: MediaPipe copies every image.

There is no smoothing over time in these graphs (that is part of MediaPipe's Tasks and Holistic,
not of Face Mesh), so the mesh adds no latency, at any frame rate.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import BackendError
from bitbox.face_backend.mesh_graph import MeshArray, MeshGraph
from bitbox.face_backend.second_look import is_face
from bitbox.face_backend.tracking import Crop, Detection, look_at
from bitbox.measuring.embedder import mediapipe_version
from bitbox.measuring.graph import Graph
from bitbox.measuring.quiet import quietly
from bitbox.system.extras import unusable
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]
_Box = tuple[int, int, int, int]

_MESH_SIDE = 192  # pixels of the mesh model's input along each side
_FIND_SIDE = 192  # pixels of the far-range detector's input; the near-range one's has 128


class GraphRuntime:
    """MediaPipe's detectors and mesh model, ready to run; a context manager."""

    def __init__(self) -> None:
        with quietly():
            try:
                self._mesher: Any = MeshGraph()
                # Far first: it finds nearly all near ones as well.
                self._finders: list[Any] = [FinderGraph(reach) for reach in ("Full", "Short")]
                blank = Picture.of(np.zeros((64, 64, 3), dtype=np.uint8))
                self.mesh(blank, Crop(32, 32, 64, 0.0))
                self.find(blank)
            except (ImportError, OSError) as error:
                raise unusable(error, "Tracking faces", "mediapipe") from error
            except (RuntimeError, ValueError) as error:
                raise BackendError(
                    f"MediaPipe did not start: {error}",
                    todo="Install the version of MediaPipe that openbitbox asks for.",
                ) from error

    @property
    def name(self) -> str:
        """Name and version."""
        return f"{mediapipe_version()} face mesh with iris refinement"

    def __enter__(self) -> GraphRuntime:
        return self

    def __exit__(self, *_: object) -> None:
        for model in (self._mesher, *self._finders):
            model.close()

    def mesh(self, picture: Picture, crop: Crop) -> tuple[MeshArray, float]:
        """Return the mesh (478, 3) in pixels found in a crop, and the presence score."""
        image = picture.crop((crop.x, crop.y), crop.side, crop.angle, _MESH_SIDE)
        mesh, presence = self._mesher.run(image)
        mesh *= np.float32(crop.side)
        cos, sin = math.cos(crop.angle), math.sin(crop.angle)
        across, down = (mesh[:, axis] - np.float32(crop.side / 2) for axis in (0, 1))
        mesh[:, 0] = crop.x + cos * across - sin * down
        mesh[:, 1] = crop.y + sin * across + cos * down
        return mesh, presence

    def find(self, picture: Picture, *, closely: bool = False) -> list[Detection]:
        """Return all faces that the far-range model finds, or else the near-range one.

        `closely` looks at overlapping quarters of the image as well where neither finds any, for
        faces that are too small in the whole.
        """
        found = self._find_in(picture, (0, 0, picture.width, picture.height), self._finders)
        if found or not closely:
            return found
        for window in _quarters(picture.width, picture.height):
            for face in self._find_in(picture, window, self._finders[:1]):
                if not any(_is_same_place(face, other) for other in found):
                    found.append(face)
        return found

    def is_face(self, picture: Picture, crop: Crop) -> bool:
        """Have a second look at a face that was found, with the near-range model."""
        near = self._finders[1:]
        return is_face(
            lambda view: self._find_in(view, (0, 0, view.width, view.height), near, looks=False),
            picture,
            crop,
        )

    def _find_in(
        self, picture: Picture, window: _Box, finders: list[Any], looks: bool = True
    ) -> list[Detection]:
        for finder in finders:
            faces = finder.find(picture, window, looks)
            if faces:
                return list(faces)
        return []


class FinderGraph:
    """One of MediaPipe's face detectors, ready to run; raises what `Graph` does.

    Parameters
    ----------
    reach : {"Full", "Short"}
        How far away faces may be: 5 m or 2 m.
    """

    def __init__(self, reach: str) -> None:
        self._graph = Graph(f"FaceDetection{reach}RangeCpu", {"DETECTIONS": "found"}, roi=False)

    def find(self, picture: Picture, window: _Box, looks: bool = True) -> list[Detection]:
        """Return the faces in a part (left, top, width, height) of a picture, and their looks."""
        from mediapipe.python import packet_getter

        width, height = window[2:]
        shrink = max(1.0, max(width, height) / _FIND_SIDE)
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        packet = self._graph.run(picture.window(window, size))["found"]
        if packet.is_empty():
            return []
        every = packet_getter.get_proto_list(packet)
        return [_detection(found, picture if looks else None, window) for found in every]

    def close(self) -> None:
        """End the run."""
        self._graph.close()


def _quarters(width: int, height: int) -> list[_Box]:
    """Return nine overlapping windows (left, top, width, height) of half the image's size."""
    w, h = width // 2, height // 2
    return [(x, y, w, h) for y in (0, h // 2, height - h) for x in (0, w // 2, width - w)]


def _is_same_place(face: Detection, other: Detection) -> bool:
    distance = float(np.linalg.norm(face.centre - other.centre))
    return distance < 0.5 * max(face.size, other.size)


def _detection(found: Any, picture: Picture | None, window: _Box) -> Detection:
    left, top, width, height = window
    box = found.location_data.relative_bounding_box
    points = np.array([(p.x, p.y) for p in found.location_data.relative_keypoints])
    size = np.array([width, height], dtype=np.float64)
    corner = np.array([left, top], dtype=np.float64)
    centre = np.array([box.xmin + box.width / 2, box.ymin + box.height / 2]) * size + corner
    sizes = np.array([box.width, box.height]) * size
    return detection(centre, sizes, points * size + corner, picture, float(found.score[0]))


def detection(
    centre: FloatArray, size: FloatArray, points: FloatArray, picture: Picture | None, score: float
) -> Detection:
    """Return a face from its box and its six points (right eye, left eye, nose, mouth, ears).

    Without a picture it is not known what the face looks like.
    """
    eyes = points[1] - points[0]
    return Detection(
        centre=centre,
        size=float(size.max()),
        angle=math.atan2(eyes[1], eyes[0]),
        look=None if picture is None else look_at(picture, points[[0, 1, 3]]),
        score=score,
    )
