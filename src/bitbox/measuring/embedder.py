"""Models from an image to numbers, in versions of MediaPipe that no longer run them themselves.

Newer versions of MediaPipe have only ready-made tasks, which look for faces and people by
themselves and want models of their own. One of these tasks, the ImageEmbedder, runs any model that
takes an image and gives numbers. What MediaPipe's graphs did with these is done here and in the
back ends.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import BackendError
from bitbox.system.extras import unusable
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]
_Box = tuple[int, int, int, int]

_SAME = 0.3  # boxes that share this much of their union are of one face or person
_MOST_LOGIT = 100.0


@contextlib.contextmanager
def models_of(bundle: Path, *names: str) -> Iterator[list[bytes]]:
    """Give models of a bundle to what makes them ready.

    Raises
    ------
    BackendError
        The file is no such bundle, or MediaPipe cannot use what is in it.
    """
    try:
        with zipfile.ZipFile(bundle) as models:
            yield [models.read(name) for name in names]
    except BackendError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise BackendError(
            f"The models in {bundle.name} cannot be used by MediaPipe.",
            got=str(error).splitlines()[0] if str(error) else type(error).__name__,
            todo="Install them anew: bitbox models install.",
        ) from error


class Embedder:
    """Any model from an image to numbers.

    Parameters
    ----------
    model : bytes
        A TFLite file that says how its input is scaled.
    what : str
        What it serves, for errors.

    Raises
    ------
    BackendError
        MediaPipe is not installed, or not one that may be used.
    RuntimeError, ValueError
        It is no such model.
    """

    def __init__(self, model: bytes, what: str) -> None:
        mediapipe, vision, BaseOptions = tasks_library(what)
        self._image = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB
        try:
            self._embedder = vision.ImageEmbedder.create_from_options(
                vision.ImageEmbedderOptions(base_options=BaseOptions(model_asset_buffer=model))
            )
        except OSError as error:  # its part in C is loaded only now
            raise unusable(error, what, "mediapipe") from error

    def run(self, image: NDArray[np.uint8]) -> list[FloatArray]:
        """Return the model's outputs, each of one dimension."""
        picture = self._image(image_format=self._format, data=np.ascontiguousarray(image))
        outputs = self._embedder.embed(picture).embeddings
        return [np.asarray(output.embedding, dtype=np.float64) for output in outputs]

    def close(self) -> None:
        """End MediaPipe's threads."""
        self._embedder.close()


class BoxFinder:
    """A detector that says of each cell of some grids whether somebody is there, and where.

    Parameters
    ----------
    model : Embedder
        Gives a box and some points for each cell, and a score.
    side : int
        Pixels of its input along each side.
    grids : sequence of (int, int)
        Cells along each side, and boxes in each, in the model's order.
    surely : float
        Boxes with a lower score are nobody.
    """

    def __init__(
        self, model: Embedder, side: int, grids: Sequence[tuple[int, int]], surely: float
    ) -> None:
        self._model = model
        self._side = side
        self._surely = surely
        self._cells = np.concatenate([_cells(*grid) for grid in grids])

    def find(self, picture: Picture, window: _Box) -> list[tuple[FloatArray, float]]:
        """Return for everybody in a part of a picture a box and points in pixels, and a score.

        The first row of the points is the centre of the box, the second its size.
        """
        left, top, width, height = window
        longer = max(width, height)
        size = [max(1, round(self._side * length / longer)) for length in (width, height)]
        margin = [(self._side - length) / 2 for length in size]
        part = picture.window(window, (size[0], size[1]))
        scale = np.array([width / size[0], height / size[1]])
        found = self._found(_amid(part, margin, self._side))
        for points, _ in found:
            places = np.arange(len(points)) != 1
            points[places] -= margin
            points *= scale
            points[places] += (left, top)
        return found

    def close(self) -> None:
        """End MediaPipe's threads."""
        self._model.close()

    def _found(self, image: NDArray[np.uint8]) -> list[tuple[FloatArray, float]]:
        """Return the same in an image of the model's own size."""
        raw, logits = self._model.run(image)
        scores = sigmoid(logits)
        likely = np.flatnonzero(scores >= self._surely)
        points = raw.reshape(len(scores), -1, 2)[likely]
        places = np.arange(points.shape[1]) != 1
        points[:, places] += self._cells[likely, None] * self._side
        return _merged(points, scores[likely])


def _amid(part: NDArray[np.uint8], margin: Sequence[float], side: int) -> NDArray[np.uint8]:
    """Return a square with a part of a picture in its middle, to half a pixel, else black."""
    import cv2

    move = np.array([[1.0, 0.0, margin[0]], [0.0, 1.0, margin[1]]])
    image = cv2.warpAffine(part, move, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(image, dtype=np.uint8)


def _cells(count: int, repeats: int) -> FloatArray:
    """Return the centres of a grid's cells in shares of the side, each as often as it has boxes."""
    middles = (np.arange(count) + 0.5) / count
    y, x = np.meshgrid(middles, middles, indexing="ij")
    return np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0)


def _merged(points: FloatArray, scores: FloatArray) -> list[tuple[FloatArray, float]]:
    """Return one box a person: the mean of those that overlap the surest one, and that one's score.

    The mean is weighted by the scores.
    """
    found = []
    order = np.argsort(-scores, kind="stable")
    while order.size:
        same = _overlap(points[order[0]], points[order]) > _SAME
        same[0] = True
        mine = order[same]
        mean = np.average(points[mine], axis=0, weights=scores[mine])
        found.append((mean, float(scores[order[0]])))
        order = order[~same]
    return found


def _overlap(one: FloatArray, others: FloatArray) -> FloatArray:
    """Return how much of their union a box shares with others."""
    low = np.maximum(one[0] - one[1] / 2, others[:, 0] - others[:, 1] / 2)
    high = np.minimum(one[0] + one[1] / 2, others[:, 0] + others[:, 1] / 2)
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    union = np.prod(one[1]) + np.prod(others[:, 1], axis=1) - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return shares from 0 to 1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_MOST_LOGIT, _MOST_LOGIT))))


def mediapipe_version() -> str:
    """Return MediaPipe's name and version."""
    from importlib import metadata

    return f"mediapipe {metadata.version('mediapipe')}"


def tasks_library(what: str) -> tuple[Any, Any, Any]:
    """Return MediaPipe, its vision tasks and its BaseOptions.

    Raises
    ------
    BackendError
        It is not installed, or is a version that reports its use to its makers: videos of people
        are measured here, and no socket is opened.
    """
    from importlib import metadata

    try:
        version = metadata.version("mediapipe")
        if not version.startswith("0.10.") or int(version.split(".")[2]) >= 34:
            raise BackendError(
                f"MediaPipe {version} reports its use to its makers over the network, and is not "
                "used here.",
                expected="MediaPipe 0.10.21 to 0.10.33",
                todo="Install an earlier one: pip install 'mediapipe<0.10.34'.",
            )
        import mediapipe
        from mediapipe.tasks.python import vision
        from mediapipe.tasks.python.core.base_options import BaseOptions
    except (ImportError, OSError) as error:
        raise unusable(error, what, "mediapipe") from error
    return mediapipe, vision, BaseOptions
