"""Model files for the tests: the bundle that is installed, and one for FaceLandmarker.

Where MediaPipe brings its models along, the bundle is made of these; elsewhere `bitbox models
install` was run when the environment was set up.

The published ``face_landmarker.task`` cannot be downloaded everywhere the tests run. The models in
MediaPipe's wheel find and measure faces as well, but give their points in several outputs, where
FaceLandmarker wants one of 478 points. A concatenation put behind them mends that: points 0..467
are the mesh without refinement of eyes and lips; the ten iris points are filled with numbers that
mean nothing.
"""

from __future__ import annotations

import zipfile
from importlib import util
from pathlib import Path

from bitbox.face_backend.embedders import MESH, NEAR
from bitbox.measuring import models

_N_POINTS = 478
INSTALLED = models.FACE.path  # before a test moves the cache


def wheel_folder() -> Path | None:
    """The folder that holds MediaPipe if it brings its models along."""
    found = util.find_spec("mediapipe")
    if found is None or not found.submodule_search_locations or not models.brings_models():
        return None
    return Path(found.submodule_search_locations[0]).parent


def models_are_there() -> bool:
    return wheel_folder() is not None or INSTALLED.is_file()


def make_installed(path: Path) -> Path:
    """What `bitbox models install` makes."""
    folder = wheel_folder()
    if folder is None:
        path.write_bytes(INSTALLED.read_bytes())
    else:
        path.write_bytes(models.bundled(models.FACE, folder))
    return path


def make_bundle(path: Path) -> Path:
    """A model file for FaceLandmarker."""
    with zipfile.ZipFile(make_installed(path.with_suffix(".own"))) as own:
        detector, mesh = own.read(NEAR), own.read(MESH)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        bundle.writestr("face_detector.tflite", detector)
        bundle.writestr("face_landmarks_detector.tflite", _one_output(mesh))
    return path


def _one_output(data: bytes) -> bytes:
    import flatbuffers
    import numpy as np
    from mediapipe.tasks.metadata import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(data), 0))
    graph = model.subgraphs[0]
    outputs = {graph.tensors[i].name.decode(): i for i in graph.outputs}

    code = schema.OperatorCodeT()
    code.builtinCode = schema.BuiltinOperator.CONCATENATION
    code.deprecatedBuiltinCode = schema.BuiltinOperator.CONCATENATION
    code.version = 1
    model.operatorCodes.append(code)

    points = schema.TensorT()
    points.shape = np.array([1, 1, 1, 3 * _N_POINTS], dtype=np.int32)
    points.type = schema.TensorType.FLOAT32
    points.buffer = 0
    points.name = b"all_points"
    graph.tensors.append(points)

    join = schema.OperatorT()
    join.opcodeIndex = len(model.operatorCodes) - 1
    parts = ["output_mesh_identity", "output_left_iris", "output_right_iris", "output_left_iris"]
    join.inputs = np.array([outputs[part] for part in parts], dtype=np.int32)
    join.outputs = np.array([len(graph.tensors) - 1], dtype=np.int32)
    join.builtinOptionsType = schema.BuiltinOptions.ConcatenationOptions
    join.builtinOptions = schema.ConcatenationOptionsT()
    join.builtinOptions.axis = 3
    graph.operators.append(join)
    graph.outputs = np.array([len(graph.tensors) - 1, outputs["conv_faceflag"]], dtype=np.int32)

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
