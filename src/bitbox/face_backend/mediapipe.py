"""Frames to face mesh: one person's face is followed through a video.

Which face is followed is decided by `bitbox.face_backend.tracking`. What finds faces and measures
them is a runtime: MediaPipe's two models (`bitbox.face_backend.graphs`), the same in newer versions
of MediaPipe (`bitbox.face_backend.embedders`), or its newer FaceLandmarker
(`bitbox.face_backend.tasks`); nothing else uses MediaPipe.

A frame depends on the ones before only through the crop in which the face is looked for, so the
mesh adds no latency, at any frame rate.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.geometry import rigid_face
from bitbox.face_backend.graphs import GraphRuntime, quietly
from bitbox.face_backend.mesh_graph import N_POINTS
from bitbox.face_backend.mesh_track import (
    MeshArray,
    MeshTrack,
    findings_of,
    require_a_face,
)
from bitbox.face_backend.one_core import on_one_core
from bitbox.face_backend.refinement import FaceSpool
from bitbox.face_backend.spool import room_for
from bitbox.face_backend.tracking import Crop, Detection, FaceTracker, is_cut, thumbnail
from bitbox.progress import Progress
from bitbox.video import Frame, Picture, VideoInfo, read_frames

if TYPE_CHECKING:
    from bitbox.face_backend.tasks import TasksRuntime

FloatArray = NDArray[np.float64]

__all__ = ["MeshTrack", "chosen_model", "track_mesh"]

#: A face counts as tracked where the mesh model's presence score is at least this.
MIN_PRESENCE = 0.5
_SEARCH_EVERY = 0.5  # seconds between looks for other faces while there is one
_CROP = 1.5  # side of the crop relative to the face in it, as the mesh model was trained


def track_mesh(
    path: str | os.PathLike[str],
    *,
    face: str | int = "largest",
    model: Path | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
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
        Installed models, or a ``face_landmarker.task`` file for FaceLandmarker; None: the models
        that MediaPipe brings along. See `chosen_model`.
    progress : callable, optional
        Called as ``progress(task, frames_done, frames_total_or_None)``.
    folder : Path, optional
        Where the mesh lies while it is measured and used; None: where temporary files are.

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
    OutputError
        If there is no room for the mesh.
    """
    tracker = FaceTracker(face)
    task = f"Tracking the face in {Path(path).name}"
    times, confidence, counts = [], [], []
    with (
        on_one_core(),
        read_frames(path) as frames,
        open_runtime(model) as runtime,
        room_for(_room(frames.info), folder, Path(path).name) as room,
        FaceSpool(N_POINTS, folder, room) as faces,
    ):
        follower = _Follower(tracker, runtime)
        for frame in frames:
            mesh, presence = follower.step(frame)
            faces.append(frame.picture, mesh)
            times.append(frame.time)
            confidence.append(presence)
            counts.append(follower.n_faces)
            if progress is not None:
                progress(task, len(times), frames.info.n_frames)
        size = (frames.info.width, frames.info.height)
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


def _room(info: VideoInfo) -> int:
    """Return how many bytes the mesh of a video will need at most, 0 where that is not known."""
    n_frames = info.n_frames
    if n_frames is None and info.duration is not None:
        n_frames = math.ceil(info.duration * info.fps)
    return FaceSpool.size(N_POINTS, n_frames or 0)


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
        The file is not there, or one is needed and none is named or installed.
    """
    from bitbox.face_backend.models import brings_models, find_model, named_model

    named = named_model(None if path is None else Path(path))
    if named is not None or brings_models():
        return named
    return find_model()


def open_runtime(model: Path | None = None) -> GraphRuntime | TasksRuntime:
    """Return MediaPipe's own models, the same from a bundle, or FaceLandmarker, ready to run."""
    if model is None:
        return GraphRuntime()
    from bitbox.face_backend.embedders import EmbedderRuntime
    from bitbox.face_backend.models import is_bundle
    from bitbox.face_backend.tasks import TasksRuntime

    with quietly():
        return EmbedderRuntime(model) if is_bundle(model) else TasksRuntime(model)


class _Follower:
    """Goes through the frames of one video and keeps to the chosen face."""

    def __init__(self, tracker: FaceTracker, runtime: GraphRuntime | TasksRuntime) -> None:
        self._tracker = tracker
        self._runtime = runtime
        self._crop: Crop | None = None
        self._searched = -math.inf
        self._scene: FloatArray | None = None
        self.n_faces = 0
        self.cuts: list[float] = []

    def step(self, frame: Frame) -> tuple[MeshArray, float]:
        """Return the mesh (478, 3) in this frame, NaN where lost, and its confidence."""
        scene = thumbnail(frame.picture)
        if is_cut(self._scene, scene):
            self.cuts.append(frame.time)
            self._tracker.cut()
            self._crop = None
        self._scene = scene
        searched = False
        if self._crop is None or self._tracker.is_crowded(frame.time) or self._is_time(frame.time):
            self._search(frame)
            searched = True
        mesh, presence = self._measure(frame.picture)
        if mesh is None and not searched:
            self._search(frame)
            mesh, presence = self._measure(frame.picture)
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
        found = self._runtime.find(frame.picture, closely=is_time and self._crop is None)
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
            self._crop = Crop(
                float(mine.centre[0]), float(mine.centre[1]), _CROP * mine.size, mine.angle
            )
            # The mesh depends a little on its crop. A crop made from the mesh itself, as in all
            # later frames, keeps the first frame from standing out.
            mesh, presence = self._runtime.mesh(frame.picture, self._crop)
            if presence >= MIN_PRESENCE:
                self._crop = _crop_of_mesh(mesh)

    def _measure(self, picture: Picture) -> tuple[MeshArray | None, float]:
        if self._crop is None:
            return None, 0.0
        mesh, presence = self._runtime.mesh(picture, self._crop)
        return (mesh, presence) if presence >= MIN_PRESENCE else (None, presence)


def _is_elsewhere(crop: Crop, face: Detection) -> bool:
    away = math.hypot(crop.x - face.centre[0], crop.y - face.centre[1])
    return away > 0.5 * face.size


def _crop_of_mesh(mesh: MeshArray) -> Crop:
    """Return the square around a face, upright in the face's own frame.

    It is around the face as it would be without expression. The mesh depends a little on its crop,
    and a crop that grows with the mouth, one frame late, was seen to delay the mouth by a third
    of a frame.
    """
    xy = rigid_face(mesh[None])[0, :, :2]
    low, high = xy.min(axis=0), xy.max(axis=0)
    (x, y), side = (low + high) / 2, float((high - low).max())
    across = xy[263] - xy[33]
    return Crop(float(x), float(y), _CROP * side, math.atan2(across[1], across[0]))
