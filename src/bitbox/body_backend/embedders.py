"""The same models of bodies and hands in newer versions of MediaPipe, which have no graphs of them.

What MediaPipe's graphs did with the models' numbers is done here: boxes become people, and joints
are moved to where the model's own map of each has its centre.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend import hand_graph, pose_graph
from bitbox.body_backend.hand_graph import N_POINTS, Hand, HandRuntime
from bitbox.body_backend.pose_graph import N_JOINTS, Body, PoseArray, PoseRuntime, Square
from bitbox.measuring.embedder import (
    BoxFinder,
    Embedder,
    mediapipe_version,
    models_of,
    sigmoid,
)
from bitbox.measuring.models import BODY, brings_models, installed
from bitbox.measuring.quiet import quietly
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]

#: The models in a bundle.
PEOPLE, JOINTS, HAND = "people.tflite", "joints.tflite", "hand.tflite"
#: Of the detector: pixels along each side, cells and boxes in each, and from which score on it is
#: somebody.
_FIND_SIDE, _GRIDS, _SURELY = 224, [(28, 2), (14, 2), (7, 6)], 0.5
# What the model of joints says: of 33 joints and 6 other points, of which the first two give the
# body's circle.
_N_SAID, _PER_POINT = 39, 5
_MAP_SIDE = 64
_REACH = 4  # cells around a joint that its centre is taken of, to each side
_LEAST_SURE = 0.5  # of the surest of them; else the joint stays


class PoseEmbedder(PoseRuntime):
    """Detector and joints of a bundle, ready to run; a context manager.

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
        what = "Tracking bodies"
        with quietly(), models_of(bundle, PEOPLE, JOINTS) as (people, joints):
            self._finder = BoxFinder(Embedder(people, what), _FIND_SIDE, _GRIDS, _SURELY)
            self._model = Embedder(_told_its_scale(joints), what)

    @property
    def name(self) -> str:
        """Name and version."""
        return f"{mediapipe_version()} with pose, complexity 1, of 0.10.21"

    def find(
        self, picture: Picture, region: tuple[float, float, float, float] | None
    ) -> list[Body]:
        """Return everybody found in a part (left, top, width, height) of the picture, or in all."""
        left, top, width, height = region or (0, 0, picture.width, picture.height)
        window = (round(left), round(top), round(width), round(height))
        return [
            Body(Square.around(points[2], points[3]), score)
            for points, score in self._finder.find(picture, window)
        ]

    def joints(self, picture: Picture, square: Square) -> tuple[PoseArray, Square, float]:
        """Return the joints (33, 7) in a square, the square around them, and how sure that is."""
        side = pose_graph.SIDE
        image = picture.crop((square.x, square.y), square.side, square.angle, side)
        said, presence, _, maps, world = self._model.run(image)
        points = said.reshape(_N_SAID, _PER_POINT)
        places = _centred(points[:, :2] / side, maps.reshape(_MAP_SIDE, _MAP_SIDE, _N_SAID))
        joints = np.column_stack([places, points[:, 2] / side, sigmoid(points[:, 3])])
        found, around = pose_graph.in_picture(
            square,
            joints[:N_JOINTS],
            places[N_JOINTS : N_JOINTS + 2],
            world.reshape(_N_SAID, 3)[:N_JOINTS],
        )
        return found, around, float(presence[0])


class HandEmbedder(HandRuntime):
    """The model of hands of a bundle, ready to run; parameters and errors as above."""

    def __init__(self, bundle: Path) -> None:
        with quietly(), models_of(bundle, HAND) as (hand,):
            self._model = Embedder(hand, "Tracking hands")

    def look(self, picture: Picture, square: Square) -> Hand:
        """Return the hand in a square; where there is none its presence is low."""
        side = hand_graph.SIDE
        image = picture.crop((square.x, square.y), square.side, square.angle, side)
        places, presence, _, points = self._model.run(image)
        places = places.reshape(N_POINTS, 3)[:, :2] / side
        return hand_graph.in_picture(square, places, points.reshape(N_POINTS, 3), presence[0])


def chosen_bundle() -> Path | None:
    """Return the installed models, or None where MediaPipe brings its own along.

    Raises
    ------
    BackendError
        They are needed, and not installed.
    """
    return None if brings_models() else installed(BODY)


def open_pose() -> PoseRuntime:
    """Return MediaPipe's own models of bodies, or the installed ones, ready to run.

    Raises
    ------
    BackendError
        MediaPipe is not installed or does not start, or its models are not installed.
    """
    bundle = chosen_bundle()
    return PoseRuntime() if bundle is None else PoseEmbedder(bundle)


def open_hands() -> HandRuntime:
    """Return the same for hands."""
    bundle = chosen_bundle()
    return HandRuntime() if bundle is None else HandEmbedder(bundle)


def _centred(places: FloatArray, maps: FloatArray) -> FloatArray:
    """Move points, shares (n, 2), to the centres of their maps around them, (side, side, n).

    A map says of every cell how likely the point is there, as logits.
    """
    moved = places.copy()
    for k, (x, y) in enumerate((places * _MAP_SIDE).astype(int)):
        if not (0 <= x < _MAP_SIDE and 0 <= y < _MAP_SIDE):
            continue
        left, top = max(0, x - _REACH), max(0, y - _REACH)
        around = sigmoid(maps[top : y + _REACH + 1, left : x + _REACH + 1, k])
        if around.max() >= _LEAST_SURE:
            rows, columns = np.indices(around.shape)
            middle = np.array([(around * columns).sum(), (around * rows).sum()]) / around.sum()
            moved[k] = (np.array([left, top]) + middle) / _MAP_SIDE
    return moved


def _told_its_scale(model: bytes) -> bytes:
    """Return a model that says that its input goes from 0 to 1.

    MediaPipe wants to be told, and this model, which its own graph told, doesn't say.
    """
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as said
    from mediapipe.tasks.metadata import schema_py_generated as schema

    unit = said.ProcessUnitT()
    unit.optionsType = said.ProcessUnitOptions.NormalizationOptions
    unit.options = said.NormalizationOptionsT()
    unit.options.mean, unit.options.std = [0.0], [255.0]
    content = said.ContentT()
    content.contentPropertiesType = said.ContentProperties.ImageProperties
    content.contentProperties = said.ImagePropertiesT()
    content.contentProperties.colorSpace = said.ColorSpaceType.RGB
    image, graph, whole = said.TensorMetadataT(), said.SubGraphMetadataT(), said.ModelMetadataT()
    image.content, image.processUnits = content, [unit]
    graph.inputTensorMetadata, whole.subgraphMetadata = [image], [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(whole.Pack(builder), b"M001")

    made = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(bytes(builder.Output()), np.uint8)
    entry.name, entry.buffer = "TFLITE_METADATA", len(made.buffers)
    made.buffers = [*made.buffers, buffer]
    made.metadata = [*(made.metadata or []), entry]
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(made.Pack(builder), b"TFL3")
    return bytes(builder.Output())
