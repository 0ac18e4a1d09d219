"""Frames to face mesh: the only module that uses MediaPipe.

MediaPipe's ready-made Face Mesh solution follows whichever face it happens to find, says nothing
of the others and hides how sure it is. So its two models, the face detector and the mesh with iris
refinement, are run here as graphs of their own: which face is followed is decided by
`bitbox.face_backend.tracking`, and the mesh model's own presence score is the confidence.

There is no smoothing over time in these graphs (that is part of MediaPipe's Tasks and Holistic,
not of Face Mesh), so the mesh adds no latency, at any frame rate: a frame depends on the ones
before only through the crop in which the face is looked for.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import BackendError
from bitbox.face_backend.geometry import rigid_face
from bitbox.face_backend.mesh_track import (
    MeshArray,
    MeshTrack,
    findings_of,
    require_a_face,
)
from bitbox.face_backend.refinement import FaceSpool
from bitbox.face_backend.tracking import (
    Detection,
    FaceTracker,
    is_cut,
    look_at,
    thumbnail,
)
from bitbox.progress import Progress
from bitbox.video import Frame, read_frames

if TYPE_CHECKING:
    from bitbox.face_backend.tasks import TasksRuntime

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

__all__ = ["MeshTrack", "chosen_model", "runtime_name", "track_mesh"]

N_POINTS = 478
#: A face counts as tracked where the mesh model's presence score is at least this.
MIN_PRESENCE = 0.5
_MIN_DETECTION = 0.5
_SEARCH_EVERY = 0.3  # seconds between looks for other faces while there is one
_CROP = 1.5  # side of the crop relative to the face in it, as the mesh model was trained
_GRAPH = """
input_stream: "image"
input_stream: "roi"
input_side_packet: "with_attention"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:landmarks"
}
"""
_PRESENCE = "facelandmarkcpu__face_presence_score"
_CHATTER = (
    "Created TensorFlow Lite XNNPACK delegate",
    "All log messages before absl::InitializeLog()",
    "inference_feedback_manager.cc",
    "landmark_projection_calculator.cc",
)
_building = threading.Lock()


@dataclass(frozen=True)
class _Crop:
    """A tilted square of the image: centre and side in pixels, angle in radians."""

    x: float
    y: float
    side: float
    angle: float


def track_mesh(
    path: str | os.PathLike[str],
    *,
    face: str | int = "largest",
    model: Path | None = None,
    progress: Progress | None = None,
) -> MeshTrack:
    """Follow one person's face through a video.

    Parameters
    ----------
    path : path-like
        A video file.
    face : {"largest", "left", "right"} or int, default "largest"
        Whom to follow where there are several: chosen in the first image with a face and held
        from then on. Left and right are those of the image; a number counts faces from the left
        of the image, from 0, in the first image that has as many.
    model : Path, optional
        A ``face_landmarker.task`` file for MediaPipe's newer interface; None: the models that
        MediaPipe brings along. See `chosen_model`.
    progress : callable, optional
        Called as ``progress(task, frames_done, frames_total_or_None)``.

    Returns
    -------
    MeshTrack
        One row for each decoded frame.

    Raises
    ------
    VideoError
        If the video cannot be decoded, or the face is never seen.
    ParameterError
        If `face` is none of the above.
    BackendError
        If MediaPipe is not installed or does not start.
    """
    tracker = FaceTracker(face)
    task = f"Tracking the face in {Path(path).name}"
    times, confidence, counts = [], [], []
    with read_frames(path) as frames, open_runtime(model) as runtime, FaceSpool(N_POINTS) as faces:
        follower = _Follower(tracker, runtime)
        for frame in frames:
            mesh, presence = follower.step(frame)
            faces.append(frame.image, mesh)
            times.append(frame.time)
            confidence.append(presence)
            counts.append(follower.n_faces)
            if progress is not None:
                progress(task, len(times), frames.info.n_frames)
        size = (frame.image.shape[1], frame.image.shape[0])
        findings = tuple(frames.findings)
        mesh_over_time = faces.refined()
    track = MeshTrack(
        mesh_over_time,
        np.array(times),
        np.array(confidence),
        np.array(counts),
        size,
        findings,
        runtime.name,
    )
    require_a_face(track, path, face)
    return replace(track, findings=(*findings, *findings_of(track, follower.cuts)))


def chosen_model(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the model file that tracking needs, or None where MediaPipe brings its models along.

    Parameters
    ----------
    path : path-like, optional
        A file to use in any case; the environment variable of `bitbox.face_backend.models` may
        name one as well.

    Raises
    ------
    BackendError
        The file is not there, or one is needed and none is named or was fetched.
    """
    from bitbox.face_backend.models import find_model, named_model

    named = named_model(None if path is None else Path(path))
    if named is not None or _brings_models():
        return named
    return find_model()


def _brings_models() -> bool:
    """Tell whether this MediaPipe has its own models; looked up, since importing it is slow."""
    found = util.find_spec("mediapipe")
    if found is None or not found.submodule_search_locations:
        return True  # the error that it is not installed comes when it is started
    folder = Path(found.submodule_search_locations[0])
    return (folder / "python" / "solution_base.py").is_file()


def open_runtime(model: Path | None = None) -> _Runtime | TasksRuntime:
    """Return MediaPipe's own models, or FaceLandmarker with a model file, ready to run."""
    if model is None:
        return _Runtime()
    from bitbox.face_backend.tasks import TasksRuntime

    with _building, _quiet():
        return TasksRuntime(model)


def runtime_name() -> str:
    """Return the name and version of the built-in runtime.

    Raises
    ------
    BackendError
        If MediaPipe is not installed.
    """
    from importlib import metadata

    try:
        return f"mediapipe {metadata.version('mediapipe')} face mesh with iris refinement"
    except metadata.PackageNotFoundError:
        raise _no_mediapipe("MediaPipe is not installed") from None


class _Follower:
    """Goes through the frames of one video and keeps to the chosen face."""

    def __init__(self, tracker: FaceTracker, runtime: _Runtime | TasksRuntime) -> None:
        self._tracker = tracker
        self._runtime = runtime
        self._crop: _Crop | None = None
        self._searched = -math.inf
        self._scene: FloatArray | None = None
        self.n_faces = 0
        self.cuts: list[float] = []

    def step(self, frame: Frame) -> tuple[MeshArray, float]:
        """Return the mesh (478, 3) in this frame, NaN where lost, and its confidence."""
        scene = thumbnail(frame.image)
        if is_cut(self._scene, scene):
            self.cuts.append(frame.time)
            self._tracker.cut()
            self._crop = None
        self._scene = scene
        searched = False
        if self._crop is None or self._tracker.is_crowded(frame.time) or self._is_time(frame.time):
            self._search(frame)
            searched = True
        mesh, presence = self._measure(frame.image)
        if mesh is None and not searched:
            self._search(frame)
            mesh, presence = self._measure(frame.image)
        if mesh is None:
            self._crop = None
            return np.full((N_POINTS, 3), np.nan, dtype=np.float32), 0.0
        self._crop = _crop_of_mesh(mesh)
        self._tracker.follow(frame.time, np.array([self._crop.x, self._crop.y]))
        self.n_faces = max(self.n_faces, 1)
        return mesh, presence

    def _is_time(self, time: float) -> bool:
        return time - self._searched >= _SEARCH_EVERY - 1e-6

    def _search(self, frame: Frame) -> None:
        """Look for all faces and aim the crop at the chosen one."""
        is_time = self._is_time(frame.time)
        found = self._runtime.find(frame.image, closely=is_time and self._crop is None)
        self.n_faces = len(found)
        if is_time:
            self._searched = frame.time
        mine = self._tracker.update(frame.time, found)
        if mine is None:
            crop = self._crop
            if crop is not None and any(not _is_elsewhere(crop, face) for face in found):
                self._crop = None  # somebody else is there now
            return
        if self._crop is None or _is_elsewhere(self._crop, mine):
            self._crop = _Crop(
                float(mine.centre[0]), float(mine.centre[1]), _CROP * mine.size, mine.angle
            )
            # The mesh depends a little on its crop. A crop made from the mesh itself, as in all
            # later frames, keeps the first frame from standing out.
            mesh, presence = self._runtime.mesh(frame.image, self._crop)
            if presence >= MIN_PRESENCE:
                self._crop = _crop_of_mesh(mesh)

    def _measure(self, image: Image) -> tuple[MeshArray | None, float]:
        if self._crop is None:
            return None, 0.0
        mesh, presence = self._runtime.mesh(image, self._crop)
        return (mesh, presence) if presence >= MIN_PRESENCE else (None, presence)


def _is_elsewhere(crop: _Crop, face: Detection) -> bool:
    away = math.hypot(crop.x - face.centre[0], crop.y - face.centre[1])
    return away > 0.5 * face.size


def _crop_of_mesh(mesh: MeshArray) -> _Crop:
    """Return the square around a face, upright in the face's own frame.

    It is around the face as it would be without expression. The mesh depends a little on its crop,
    and a crop that grows with the mouth, one frame late, was seen to delay the mouth by a third
    of a frame.
    """
    xy = rigid_face(mesh[None])[0, :, :2]
    low, high = xy.min(axis=0), xy.max(axis=0)
    (x, y), side = (low + high) / 2, float((high - low).max())
    across = xy[263] - xy[33]
    return _Crop(float(x), float(y), _CROP * side, math.atan2(across[1], across[0]))


class _Runtime:
    """MediaPipe's detectors and mesh model, ready to run; a context manager."""

    def __init__(self) -> None:
        try:
            from google.protobuf import text_format  # type: ignore[import-untyped]
            from mediapipe.framework import calculator_pb2
            from mediapipe.framework.formats import rect_pb2
            from mediapipe.python.solution_base import SolutionBase
            from mediapipe.python.solutions.face_detection import FaceDetection
        except ImportError as error:
            raise _no_mediapipe(f"MediaPipe cannot be used ({error})") from error
        self._rect = rect_pb2.NormalizedRect
        graph = text_format.Parse(_GRAPH, calculator_pb2.CalculatorGraphConfig())
        with _building, _quiet():
            try:
                self._mesher = SolutionBase(
                    graph_config=graph,
                    side_inputs={"with_attention": True},
                    # The score is wanted below the threshold as well; it is applied here.
                    calculator_params={"facelandmarkcpu__ThresholdingCalculator.threshold": -1.0},
                    outputs=["landmarks", _PRESENCE],
                )
                self._finders = [
                    FaceDetection(
                        model_selection=near_or_far, min_detection_confidence=_MIN_DETECTION
                    )
                    for near_or_far in (1, 0)  # far first: it finds nearly all near ones as well
                ]
                blank = np.zeros((64, 64, 3), dtype=np.uint8)
                self.mesh(blank, _Crop(32, 32, 64, 0.0))
                self.find(blank)
            except (RuntimeError, ValueError) as error:
                raise BackendError(
                    f"MediaPipe did not start: {error}",
                    todo="Install the version of MediaPipe that openbitbox asks for.",
                ) from error

    @property
    def name(self) -> str:
        """Name and version."""
        return runtime_name()

    def __enter__(self) -> _Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        for solution in (self._mesher, *self._finders):
            solution.close()

    def mesh(self, image: Image, crop: _Crop) -> tuple[MeshArray, float]:
        """Return the mesh (478, 3) in pixels found in a crop, and the presence score."""
        height, width = image.shape[:2]
        roi = self._rect(
            x_center=crop.x / width,
            y_center=crop.y / height,
            width=crop.side / width,
            height=crop.side / height,
            rotation=crop.angle,
        )
        result = self._mesher.process({"image": image, "roi": roi})
        mesh = _coordinates(result.landmarks)
        mesh *= np.array([width, height, width], dtype=np.float32)
        return mesh, float(getattr(result, _PRESENCE))

    def find(self, image: Image, *, closely: bool = False) -> list[Detection]:
        """Return all faces that the far-range model finds, or else the near-range one.

        `closely` looks at overlapping quarters of the image as well where neither finds any, for
        faces that are too small in the whole.
        """
        found = self._find_in(image, (0, 0, image.shape[1], image.shape[0]), self._finders)
        if found or not closely:
            return found
        for window in _quarters(image.shape[1], image.shape[0]):
            for face in self._find_in(image, window, self._finders[:1]):
                if not any(_is_same_place(face, other) for other in found):
                    found.append(face)
        return found

    def _find_in(
        self, image: Image, window: tuple[int, int, int, int], finders: list[Any]
    ) -> list[Detection]:
        left, top, width, height = window
        part = np.ascontiguousarray(image[top : top + height, left : left + width])
        for finder in finders:
            detections = finder.process(part).detections
            if detections:
                return [_detection(found, image, window) for found in detections]
        return []


# One point in MediaPipe's serialised list: tag and length, then x, y, z, each after its tag.
_POINT = np.dtype(
    {
        "names": ["list", "size", "x_tag", "x", "y_tag", "y", "z_tag", "z"],
        "formats": ["u1", "u1", "u1", "<f4", "u1", "<f4", "u1", "<f4"],
    }
)
_TAGS = {"list": 0x0A, "size": 15, "x_tag": 0x0D, "y_tag": 0x15, "z_tag": 0x1D}


def _coordinates(landmarks: Any) -> MeshArray:
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


def _quarters(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Return nine overlapping windows (left, top, width, height) of half the image's size."""
    w, h = width // 2, height // 2
    return [(x, y, w, h) for y in (0, h // 2, height - h) for x in (0, w // 2, width - w)]


def _is_same_place(face: Detection, other: Detection) -> bool:
    distance = float(np.linalg.norm(face.centre - other.centre))
    return distance < 0.5 * max(face.size, other.size)


def _detection(found: Any, image: Image, window: tuple[int, int, int, int]) -> Detection:
    left, top, width, height = window
    box = found.location_data.relative_bounding_box
    points = np.array([(p.x, p.y) for p in found.location_data.relative_keypoints])
    corner = np.array([left, top], dtype=np.float64)
    points = points * (width, height) + corner
    eyes = points[1] - points[0]
    centre = np.array([(box.xmin + box.width / 2) * width, (box.ymin + box.height / 2) * height])
    return Detection(
        centre=centre + corner,
        size=max(box.width * width, box.height * height),
        angle=math.atan2(eyes[1], eyes[0]),
        look=look_at(image, points[[0, 1, 3]]),
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the start-up messages of MediaPipe's C++ part from the user; pass on all others.

    They are written to the file descriptor itself, before any logging set-up is heard, so what
    comes through it meanwhile is kept back, and what is not known chatter is written afterwards.
    """
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, AttributeError, ValueError):  # no standard error: nothing to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            for line in file.read().splitlines(keepends=True):
                if not any(known in line.decode(errors="replace") for known in _CHATTER):
                    os.write(2, line)


def _no_mediapipe(what: str) -> BackendError:
    return BackendError(
        f"{what}, so faces cannot be tracked.",
        expected="MediaPipe 0.10.21 on Python 3.11 or 3.12",
        got=f"Python {sys.version_info.major}.{sys.version_info.minor}",
        todo="Install it with: pip install 'openbitbox[video]'.",
    )
