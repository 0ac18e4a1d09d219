"""The built-in face models in newer versions of MediaPipe, which no longer run them by themselves.

MediaPipe 1 has no Face Mesh any more, and its FaceLandmarker wants another mesh model, looks for
the face by itself in every image, and hides how sure it is. Its ImageEmbedder, however, runs any
model that takes an image and gives numbers. So the same three models that `GraphRuntime` uses
(taken from the older wheel by `bitbox.measuring.models`) run on the same crops, and what
MediaPipe's graphs did with their numbers is done here: the mesh's eyes and lips are replaced by the
finer ones, and a detector's raw boxes become faces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.graphs import GraphRuntime, detection
from bitbox.face_backend.mesh_graph import N_POINTS, MeshArray
from bitbox.face_backend.tracking import Detection
from bitbox.measuring.embedder import (
    BoxFinder,
    Embedder,
    mediapipe_version,
    models_of,
    sigmoid,
)
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]
_Box = tuple[int, int, int, int]

#: The models in a bundle.
MESH, FAR, NEAR = "face_mesh.tflite", "far_faces.tflite", "near_faces.tflite"

_WHAT = "Tracking faces"
_MESH_SIDE = 192  # pixels; the mesh model's coordinates are in these, too
_N_PLAIN = 468
# Which points of the mesh the model's finer outputs replace, as in MediaPipe's own graph
# (LandmarksRefinementCalculator). The sides are those of the subject.
_LIPS = [
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
    *(76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407),
]
_RIGHT_EYE = [
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110),
    *(24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232),
    *(233, 244, 113, 225, 224, 223, 222, 221, 189, 35, 124, 46, 53, 52, 65, 143, 111, 117, 118),
    *(119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193),
]
_LEFT_EYE = [
    *(263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255),
    *(339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449),
    *(450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413, 265, 353, 276, 283, 282, 295),
    *(372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417),
]
_RIGHT_IRIS, _LEFT_IRIS = slice(468, 473), slice(473, 478)
_LIDS = 16  # the first points of an eye; the iris is as deep as they are on average

# From which score on a box is a face, as in MediaPipe's own graphs.
_FAR_SURELY, _NEAR_SURELY = 0.6, 0.5


class EmbedderRuntime(GraphRuntime):
    """The models of a bundle, ready to run; a context manager.

    Parameters
    ----------
    bundle : Path
        A file made by `bitbox.measuring.models.install_models`.

    Raises
    ------
    BackendError
        MediaPipe is not installed, or the file is no such bundle.
    """

    def __init__(self, bundle: Path) -> None:
        with models_of(bundle, MESH, FAR, NEAR) as (mesh, far, near):
            self._mesher = _Mesher(Embedder(mesh, _WHAT))
            self._finders = [
                _Finder(BoxFinder(Embedder(model, _WHAT), side, grids, surely))
                for model, side, grids, surely in (
                    (far, 192, [(48, 1)], _FAR_SURELY),
                    (near, 128, [(16, 2), (8, 6)], _NEAR_SURELY),
                )
            ]
        self._name = f"{mediapipe_version()} with the face models of 0.10.21"

    @property
    def name(self) -> str:
        """Name and version."""
        return self._name


class _Mesher:
    """The mesh model, as `MeshGraph` runs it."""

    def __init__(self, model: Embedder) -> None:
        self._model = model

    def run(self, image: NDArray[np.uint8]) -> tuple[MeshArray, float]:
        """Return the mesh (478, 3) in shares of the image's side, and the presence score."""
        plain, lips, right_eye, left_eye, right_iris, left_iris, flag = self._model.run(image)
        mesh = np.empty((N_POINTS, 3), dtype=np.float32)
        mesh[:_N_PLAIN] = plain.reshape(-1, 3)
        for points, finer in ((_LIPS, lips), (_RIGHT_EYE, right_eye), (_LEFT_EYE, left_eye)):
            mesh[points, :2] = finer.reshape(-1, 2)
        for iris, finer, eye in (
            (_RIGHT_IRIS, right_iris, _RIGHT_EYE),
            (_LEFT_IRIS, left_iris, _LEFT_EYE),
        ):
            mesh[iris, :2] = finer.reshape(-1, 2)
            mesh[iris, 2] = mesh[eye[:_LIDS], 2].mean()
        return mesh / np.float32(_MESH_SIDE), float(sigmoid(flag)[0])

    def close(self) -> None:
        """End MediaPipe's threads."""
        self._model.close()


class _Finder:
    """A face detector: one of MediaPipe's BlazeFace models.

    Parameters
    ----------
    boxes : BoxFinder
        The same for any part of a picture.
    """

    def __init__(self, boxes: BoxFinder) -> None:
        self._boxes = boxes

    def find(self, picture: Picture, window: _Box, looks: bool = True) -> list[Detection]:
        """Return the faces in a part of a picture, and their looks."""
        shown = picture if looks else None
        return [
            detection(points[0], points[1], points[2:], shown, score)
            for points, score in self._boxes.find(picture, window)
        ]

    def close(self) -> None:
        """End MediaPipe's threads."""
        self._boxes.close()
