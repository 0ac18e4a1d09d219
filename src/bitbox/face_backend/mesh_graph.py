"""MediaPipe's face mesh model as a graph that one thread runs, and what comes out of it as arrays.

MediaPipe's own Python interface runs its twenty steps on as many threads as there are cores, hands
over from one to the other, and turns each point into an object. Beside a second video that costs
more time than it saves. No step of this graph smooths over time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MeshArray = NDArray[np.float32]

N_POINTS = 478
_GRAPH = """
input_stream: "image"
input_stream: "roi"
input_side_packet: "with_attention"
executor { type: "ApplicationThreadExecutor" }
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:landmarks"
}
"""
_PRESENCE = "facelandmarkcpu__face_presence_score"
_THRESHOLD = "facelandmarkcpu__ThresholdingCalculator"
_STEP = 33333  # microseconds from one image to the next, which nothing depends on


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
        from google.protobuf import text_format  # type: ignore[import-untyped]
        from mediapipe.framework import calculator_pb2
        from mediapipe.framework.formats import rect_pb2
        from mediapipe.python import packet_creator
        from mediapipe.python._framework_bindings import calculator_graph

        plain = text_format.Parse(_GRAPH, calculator_pb2.CalculatorGraphConfig())
        self._graph = calculator_graph.CalculatorGraph(graph_config=_without_threshold(plain))
        self._out: dict[str, Any] = {}
        for name in ("landmarks", _PRESENCE):
            self._graph.observe_output_stream(name, self._out.__setitem__, True)
        self._graph.start_run({"with_attention": packet_creator.create_bool(True)})
        everything = rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1, height=1)
        self._everything = packet_creator.create_proto(everything)
        self._time = 0

    def run(self, image: NDArray[np.uint8]) -> tuple[MeshArray, float]:
        """Return the mesh (478, 3) in shares of the image's side, and the presence score.

        Parameters
        ----------
        image : ndarray, shape (side, side, 3)
            RGB, all of it the face.
        """
        from mediapipe.python import packet_creator, packet_getter
        from mediapipe.python._framework_bindings import image_frame

        self._time += _STEP
        packet = packet_creator.create_image_frame(image, image_format=image_frame.ImageFormat.SRGB)
        self._graph.add_packet_to_input_stream("image", packet.at(self._time))
        self._graph.add_packet_to_input_stream("roi", self._everything.at(self._time))
        self._graph.wait_until_idle()
        landmarks = packet_getter.get_proto(self._out["landmarks"])
        return coordinates(landmarks), float(packet_getter.get_float(self._out[_PRESENCE]))

    def close(self) -> None:
        """End the run."""
        self._graph.close()


def _without_threshold(config: Any) -> Any:
    """Return a graph in which each model's score and mesh come out, however low the score is."""
    from mediapipe.calculators.util import thresholding_calculator_pb2
    from mediapipe.framework import calculator_pb2
    from mediapipe.python._framework_bindings import resource_util, validated_graph_config

    resource_util.set_resource_dir(_resources())
    expanded = validated_graph_config.ValidatedGraphConfig()
    expanded.initialize(graph_config=config)
    whole = calculator_pb2.CalculatorGraphConfig()
    whole.ParseFromString(expanded.binary_config)
    extension = thresholding_calculator_pb2.ThresholdingCalculatorOptions.ext
    for node in whole.node:
        if node.name == _THRESHOLD:
            node.options.Extensions[extension].threshold = -1.0
    return whole


def _resources() -> str:
    """Return the folder in which MediaPipe looks for its models."""
    from importlib import util
    from pathlib import Path

    found = util.find_spec("mediapipe")
    if found is None or not found.submodule_search_locations:
        raise ImportError("MediaPipe is not installed")
    return str(Path(found.submodule_search_locations[0]).parent)


# One point in MediaPipe's serialised list: tag and length, then x, y, z, each after its tag.
_POINT = np.dtype(
    {
        "names": ["list", "size", "x_tag", "x", "y_tag", "y", "z_tag", "z"],
        "formats": ["u1", "u1", "u1", "<f4", "u1", "<f4", "u1", "<f4"],
    }
)
_TAGS = {"list": 0x0A, "size": 15, "x_tag": 0x0D, "y_tag": 0x15, "z_tag": 0x1D}


def coordinates(landmarks: Any) -> MeshArray:
    """Return a landmark list as an array (478, 3).

    Asking each point for each number takes a tenth of the time of the mesh model itself, all of it
    with Python's lock held, so the serialised list is read at once where it looks as expected.
    """
    raw = landmarks.SerializeToString()
    if len(raw) == N_POINTS * _POINT.itemsize:
        points = np.frombuffer(raw, dtype=_POINT)
        if all((points[name] == tag).all() for name, tag in _TAGS.items()):
            return np.stack([points["x"], points["y"], points["z"]], axis=1)
    flat = [value for point in landmarks.landmark for value in (point.x, point.y, point.z)]
    return np.array(flat, dtype=np.float32).reshape(N_POINTS, 3)
