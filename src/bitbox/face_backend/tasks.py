"""MediaPipe's newer interface, the Tasks FaceLandmarker, in place of the built-in models.

Offers what `bitbox.face_backend.mediapipe` needs of a runtime: all faces of an image, and the
mesh of the face in a crop. FaceLandmarker is run in its image mode, which does not smooth over
time. It finds faces itself and says nothing of how sure it is: the confidence of a mesh is 1.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import BackendError
from bitbox.face_backend.second_look import is_face
from bitbox.face_backend.tracking import Crop, Detection, look_at
from bitbox.measuring.embedder import mediapipe_version, tasks_library
from bitbox.provenance import hash_file
from bitbox.video.picture import Image, Picture

MeshArray = NDArray[np.float32]

_N_POINTS = 478
_WHAT = "Tracking faces"
_MOST_FACES = 10
_MIN_SCORE = 0.5
#: Corners of the eyes on either side of the image, and of the mouth.
_EYES = ((33, 133), (362, 263))
_MOUTH = (61, 291)


class TasksRuntime:
    """FaceLandmarker with a model file, ready to run; a context manager.

    Parameters
    ----------
    model : Path
        A ``face_landmarker.task`` file.

    Raises
    ------
    BackendError
        MediaPipe is not installed, or the file is not such a model.
    """

    def __init__(self, model: Path) -> None:
        mediapipe, vision, BaseOptions = tasks_library(_WHAT)
        self._picture = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB
        try:
            self._landmarker = vision.FaceLandmarker.create_from_options(
                vision.FaceLandmarkerOptions(
                    base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
                    running_mode=vision.RunningMode.IMAGE,
                    num_faces=_MOST_FACES,
                    min_face_detection_confidence=_MIN_SCORE,
                    min_face_presence_confidence=_MIN_SCORE,
                )
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise BackendError(
                f"{model.name} cannot be used as a face model by MediaPipe.",
                expected="a face_landmarker.task file",
                got=str(error).splitlines()[0] if str(error) else type(error).__name__,
            ) from error
        self.name = tasks_name(model)

    def __enter__(self) -> TasksRuntime:
        return self

    def __exit__(self, *_: object) -> None:
        self._landmarker.close()

    def mesh(self, picture: Picture, crop: Crop) -> tuple[MeshArray, float]:
        """Return the mesh (478, 3) in pixels of the face in a crop, and 1.0; or NaN and 0.0.

        Parameters
        ----------
        picture : Picture
        crop : Crop
            Around the face.
        """
        # An upright square that holds the tilted one; FaceLandmarker turns the face by itself.
        reach = crop.side * (abs(math.cos(crop.angle)) + abs(math.sin(crop.angle))) / 2
        part, corner = _cut_out(picture.image, crop.x, crop.y, reach)
        meshes = self._meshes(part)
        if not meshes:
            return np.full((_N_POINTS, 3), np.nan, dtype=np.float32), 0.0
        for mesh in meshes:
            mesh[:, :2] += corner
        middle = np.array([crop.x, crop.y])
        return min(meshes, key=lambda m: float(np.linalg.norm(_centre(m) - middle))), 1.0

    def find(self, picture: Picture, *, closely: bool = False) -> list[Detection]:
        """Return all faces that FaceLandmarker finds in an image.

        `closely` looks at overlapping quarters of the image where it finds none in the whole, for
        faces that are too small there.
        """
        meshes = self._meshes(picture.image)
        if not meshes and closely:
            meshes = self._meshes_in_quarters(picture.image)
        return [_detection(mesh, picture) for mesh in meshes]

    def is_face(self, picture: Picture, crop: Crop) -> bool:
        """Have a second look at a face that was found."""
        return is_face(self.find, picture, crop)

    def _meshes_in_quarters(self, image: Image) -> list[MeshArray]:
        height, width = image.shape[:2]
        found: list[MeshArray] = []
        for top in (0, height * 2 // 5):
            for left in (0, width * 2 // 5):
                part = image[top : top + height * 3 // 5, left : left + width * 3 // 5]
                for mesh in self._meshes(part):
                    mesh[:, :2] += np.array([left, top], dtype=np.float32)
                    if not any(_same_place(mesh, other) for other in found):
                        found.append(mesh)
        return found

    def _meshes(self, image: Image) -> list[MeshArray]:
        height, width = image.shape[:2]
        picture = self._picture(image_format=self._format, data=np.ascontiguousarray(image))
        scale = np.array([width, height, width], dtype=np.float32)
        return [
            np.array([(p.x, p.y, p.z) for p in points], dtype=np.float32) * scale
            for points in self._landmarker.detect(picture).face_landmarks
        ]


def tasks_name(model: Path) -> str:
    """Return the name and version of this runtime, with the checksum of its model."""
    return f"{mediapipe_version()} FaceLandmarker, model sha256 {hash_file(model)}"


def _cut_out(image: Image, x: float, y: float, reach: float) -> tuple[Image, NDArray[np.float32]]:
    """Return an upright square around (x, y), black outside the image, and its corner."""
    height, width = image.shape[:2]
    left, top = math.floor(x - reach), math.floor(y - reach)
    side = max(math.ceil(2 * reach), 1)
    part = np.zeros((side, side, 3), dtype=np.uint8)
    x0, x1 = max(left, 0), min(left + side, width)
    y0, y1 = max(top, 0), min(top + side, height)
    if x0 < x1 and y0 < y1:
        part[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return part, np.array([left, top], dtype=np.float32)


def _centre(mesh: MeshArray) -> NDArray[np.float64]:
    xy = mesh[:468, :2].astype(np.float64)
    return np.asarray((xy.min(axis=0) + xy.max(axis=0)) / 2)


def _same_place(one: MeshArray, other: MeshArray) -> bool:
    away = float(np.linalg.norm(_centre(one) - _centre(other)))
    return away < 0.5 * float(np.ptp(other[:468, :2], axis=0).max())


def _detection(mesh: MeshArray, picture: Picture) -> Detection:
    xy = mesh[:468, :2].astype(np.float64)
    right, left = (xy[list(corners)].mean(axis=0) for corners in _EYES)
    mouth = xy[list(_MOUTH)].mean(axis=0)
    across = left - right
    return Detection(
        centre=_centre(mesh),
        size=float(np.ptp(xy, axis=0).max()),
        angle=math.atan2(across[1], across[0]),
        look=look_at(picture, np.array([right, left, mouth])),
    )
