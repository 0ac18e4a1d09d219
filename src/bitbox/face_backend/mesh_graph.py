"""MediaPipe's face mesh model as a graph that one thread runs, and what comes out of it as arrays.

No step of this graph smooths over time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.measuring.graph import Graph, serialized

MeshArray = NDArray[np.float32]

N_POINTS = 478
_PRESENCE = "facelandmarkcpu__face_presence_score"
_THRESHOLD = "facelandmarkcpu__ThresholdingCalculator"


class MeshGraph:
    """The mesh model with iris refinement, ready to run.

    Raises
    ------
    ImportError
        MediaPipe is not installed, or is another version.
    RuntimeError, ValueError
        MediaPipe does not start.
    """

    def __init__(self) -> None:
        self._graph = Graph(
            "FaceLandmarkCpu",
            {"LANDMARKS": "landmarks"},
            inside=[_PRESENCE],
            side={"WITH_ATTENTION": True},
            unlimited=_THRESHOLD,
        )
        from mediapipe.python import packet_getter

        self._number = packet_getter.get_float

    def run(self, image: NDArray[np.uint8]) -> tuple[MeshArray, float]:
        """Return the mesh (478, 3) in shares of the image's side, and the presence score.

        Parameters
        ----------
        image : ndarray, shape (side, side, 3)
            RGB, all of it the face.
        """
        out = self._graph.run(image)
        return coordinates(serialized(out["landmarks"])), float(self._number(out[_PRESENCE]))

    def close(self) -> None:
        """End the run."""
        self._graph.close()


# One point in MediaPipe's serialised list: tag and length, then x, y, z, each after its tag.
_POINT = np.dtype(
    {"names": ["x", "y", "z"], "formats": 3 * ["<f4"], "offsets": [3, 8, 13], "itemsize": 17}
)
_TAGS = np.zeros(17, dtype=np.uint8)
_TAGS[[0, 1, 2, 7, 12]] = 0x0A, 15, 0x0D, 0x15, 0x1D
_IS_TAG = _TAGS > 0


def coordinates(landmarks: bytes) -> MeshArray:
    """Return a serialised landmark list as an array (478, 3).

    Asking each point for each number takes a tenth of the time of the mesh model itself, all of it
    with Python's lock held, so the list is read at once where it looks as expected.
    """
    raw = np.frombuffer(landmarks, dtype=np.uint8)
    if raw.size == N_POINTS * _TAGS.size:
        rows = raw.reshape(N_POINTS, _TAGS.size)
        if not ((rows != _TAGS) & _IS_TAG).any():
            points = raw.view(_POINT)
            return np.stack([points["x"], points["y"], points["z"]], axis=1)
    from mediapipe.framework.formats import landmark_pb2

    points = landmark_pb2.NormalizedLandmarkList.FromString(landmarks).landmark
    flat = [value for point in points for value in (point.x, point.y, point.z)]
    return np.array(flat, dtype=np.float32).reshape(N_POINTS, 3)
