"""Frames to face mesh: one person's face is followed through a video.

Which face is followed is decided by `bitbox.face_backend.tracking`: at first as far as can be known
then, and where that turns out wrong, once more. What finds faces and measures them is a runtime:
MediaPipe's two models (`bitbox.face_backend.graphs`), the same in newer versions of MediaPipe
(`bitbox.face_backend.embedders`), or its newer FaceLandmarker
(`bitbox.face_backend.tasks`); nothing else uses MediaPipe.

A frame depends on the ones before only through the crop in which the face is looked for, so the
mesh adds no latency, at any frame rate.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.geometry import misshapen, rigid_face
from bitbox.face_backend.graphs import GraphRuntime
from bitbox.face_backend.mesh_graph import N_POINTS
from bitbox.face_backend.mesh_track import (
    MeshArray,
    MeshTrack,
    findings_of,
    require_a_face,
)
from bitbox.face_backend.refinement import FaceSpool
from bitbox.face_backend.tracking import Crop, Detection, FaceTracker, PlannedTracker
from bitbox.measuring.one_core import on_one_core
from bitbox.measuring.quiet import quietly
from bitbox.measuring.scenes import Scenes
from bitbox.measuring.spool import room_for
from bitbox.people.following import numbers_of, was_missed
from bitbox.people.identity import Choice, choose
from bitbox.people.stretches import Stretch
from bitbox.progress import Progress
from bitbox.video import Frame, FrameReader, Picture, VideoInfo, read_frames

if TYPE_CHECKING:
    from bitbox.face_backend.tasks import TasksRuntime

FloatArray = NDArray[np.float64]

__all__ = ["MeshTrack", "chosen_model", "track_faces", "track_mesh"]

#: A face counts as tracked where the mesh model's presence score is at least this.
MIN_PRESENCE = 0.5
#: A mesh further from the shape of a face than this is none. Of 600 rendered faces turned by up to
#: 45 degrees with strong expressions the furthest is at 0.13, of 2456 frames of real people 0.10.
MOST_MISSHAPEN = 0.2
_SEARCH_EVERY = 0.5  # seconds between looks for other faces while there is one
_JUDGE_EVERY = 1.0  # seconds between second looks at what has stood one
_PATIENCE = 5  # second looks that are had before something is given up as no face
_CROP = 1.5  # side of the crop relative to the face in it, as the mesh model was trained


def track_mesh(
    path: str | os.PathLike[str],
    *,
    face: str | int = "largest",
    model: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> MeshTrack:
    """Follow one person's face through a video.

    Parameters
    ----------
    path : path-like
        A video file.
    face : {"largest", "left", "right"} or int, default "largest"
        Whom to follow where there are several, as `bitbox.people.identity` decides it. Left and
        right are those of the image; a number counts faces from the left of the image, from 0.
    model : path-like, optional
        Installed models, or a ``face_landmarker.task`` file for FaceLandmarker; None: the models
        that MediaPipe brings along, or else those that are installed. See `chosen_model`.
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
    (track,) = track_faces(path, [face], model=model, progress=progress, folder=folder)
    return track


def track_faces(
    path: str | os.PathLike[str],
    faces: Sequence[str | int],
    *,
    model: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> list[MeshTrack]:
    """Follow several people's faces through a video that is gone through once for all of them.

    Parameters
    ----------
    path, model, progress, folder
        As for `track_mesh`.
    faces : sequence of {"largest", "left", "right"} or int
        Whom to follow, each as for `track_mesh`: the tracks are the same.

    Returns
    -------
    list of MeshTrack
        In the order of `faces`.

    Raises
    ------
    VideoError, ParameterError, BackendError, OutputError
        As for `track_mesh`.
    """
    trackers = [FaceTracker(face) for face in faces]
    name, file = Path(path).name, chosen_model(model)
    with (
        on_one_core(),
        read_frames(path) as frames,
        contextlib.ExitStack() as every,
    ):
        runtimes = []
        for _ in faces:
            runtimes.append(open_runtime(file))
            every.enter_context(runtimes[-1])
        kept = [every.enter_context(contextlib.ExitStack()) for _ in faces]
        looks = _Looks()
        followers = [
            _Follower(tracker, SharedRuntime(runtime, looks) if len(faces) > 1 else runtime)
            for tracker, runtime in zip(trackers, runtimes, strict=True)
        ]
        spools = [own.enter_context(_spool(frames.info, folder, name)) for own in kept]
        _follow(frames, followers, spools, name, progress)
        tracks = []
        each = zip(faces, trackers, followers, spools, kept, runtimes, strict=True)
        for face, tracker, follower, spool, own, runtime in each:
            times = np.array(follower.times)
            choice = choose(tracker.links, face, end=float(times[-1]))
            if was_missed(choice, times, follower.whose):
                own.close()
                again = own.enter_context(read_frames(path))
                follower = _Follower(PlannedTracker(choice), runtime)
                spool = own.enter_context(_spool(again.info, folder, name))
                _follow(again, [follower], [spool], name, progress)
            track = _finished(frames, follower, spool, choice, runtime.name)
            require_a_face(track, path, face)
            told = (*findings_of(track, follower.scenes.cuts()), *choice.findings)
            tracks.append(replace(track, findings=(*track.findings, *told)))
            own.close()
    return tracks


def _finished(
    frames: FrameReader, follower: _Follower, spool: FaceSpool, choice: Choice, name: str
) -> MeshTrack:
    """Return the track of one face, without what was measured of somebody else."""
    times = np.array(follower.times)
    confidence = np.array(follower.confidence)
    wrong = np.array(follower.whose) != numbers_of(choice, times)
    confidence[wrong] = 0.0
    spool.drop(np.flatnonzero(wrong))
    mesh, visible = spool.refined()
    return MeshTrack(
        mesh,
        times,
        confidence,
        np.array(follower.counts),
        (frames.info.width, frames.info.height),
        tuple(frames.findings),
        name,
        visible,
    )


class _Looks:
    """The faces found in a picture that several look at."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.picture: Picture | None = None
        self.found: dict[bool, list[Detection]] = {}


class SharedRuntime:
    """A runtime that looks for the faces in a picture only where no other has.

    Parameters
    ----------
    runtime : GraphRuntime or TasksRuntime
        What looks.
    looks : _Looks
        What was found; shared by all that look at the same pictures.
    """

    def __init__(self, runtime: GraphRuntime | TasksRuntime, looks: _Looks) -> None:
        self._runtime, self._looks = runtime, looks
        self.mesh = runtime.mesh
        self.is_face = runtime.is_face

    def find(self, picture: Picture, *, closely: bool = False) -> list[Detection]:
        """Return all faces in a picture."""
        looks = self._looks
        with looks.lock:
            if picture is not looks.picture:
                looks.picture, looks.found = picture, {}
            if closely not in looks.found:
                looks.found[closely] = self._runtime.find(picture, closely=closely)
            return looks.found[closely]


@contextlib.contextmanager
def _spool(info: VideoInfo, folder: Path | None, name: str) -> Iterator[FaceSpool]:
    """Give room for what is measured of one face, as long as it is used."""
    with (
        room_for(_room(info), folder, name) as room,
        FaceSpool(N_POINTS, folder, room) as spool,
    ):
        yield spool


def _follow(
    frames: FrameReader,
    followers: Sequence[_Follower],
    spools: Sequence[FaceSpool],
    name: str,
    progress: Progress | None,
) -> None:
    """Go through all frames of a video and measure each of some faces in it."""
    whom = "the face" if len(followers) == 1 else f"{len(followers)} faces"
    task = f"Tracking {whom} in {name}{followers[0].tracker.task}"

    def measure(frame: Frame, which: int) -> None:
        spools[which].append(frame.picture, followers[which].step(frame))

    with ThreadPoolExecutor(max(1, len(followers) - 1)) as others:
        for frame in frames:
            jobs = [others.submit(measure, frame, k) for k in range(1, len(followers))]
            try:
                measure(frame, 0)
            finally:
                wait(jobs)
            for job in jobs:
                job.result()
            if progress is not None:
                progress(task, len(followers[0].times), frames.info.n_frames)
    for follower in followers:
        follower.judge()


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
    """Goes through the frames of one video and keeps to the chosen face.

    Attributes
    ----------
    tracker : FaceTracker or PlannedTracker
        Who decides whom to follow.
    times, confidence : list of float
    counts : list of int
        Faces in each frame, as of the latest search.
    whose : list of int
        The number of the stretch that was looked at in each frame; -1 for none.
    scenes : Scenes
    """

    def __init__(
        self,
        tracker: FaceTracker | PlannedTracker[Detection],
        runtime: GraphRuntime | TasksRuntime | SharedRuntime,
    ) -> None:
        self.tracker = tracker
        self._runtime = runtime
        self._crop: Crop | None = None
        self._searched = -math.inf
        self._judged: dict[Stretch, _Judgement] = {}
        self._n_faces = 0
        self.scenes = Scenes()
        self.times: list[float] = []
        self.confidence: list[float] = []
        self.counts: list[int] = []
        self.whose: list[int] = []

    def step(self, frame: Frame) -> MeshArray:
        """Return the mesh (478, 3) in this frame, NaN where lost."""
        mesh, presence = self._look(frame)
        mine = self.tracker.mine
        self.times.append(frame.time)
        self.confidence.append(presence if mesh is not None else 0.0)
        self.counts.append(self._n_faces)
        self.whose.append(-1 if self._crop is None or mine is None else mine.number)
        return np.full((N_POINTS, 3), np.nan, dtype=np.float32) if mesh is None else mesh

    def judge(self) -> None:
        """Let the tracker know what turned out to be no face: what mostly did not look like one."""
        for stretch, judgement in self._judged.items():
            stretch.refused = stretch.refused or judgement.against > judgement.for_it

    def _look(self, frame: Frame) -> tuple[MeshArray | None, float]:
        if self.scenes.may_be_new(frame.picture, frame.time):
            self.tracker.cut()
            self._crop = None
        if not self.tracker.is_awaited(frame.time):
            self._crop = None
        searched = False
        if self._crop is None or self.tracker.is_crowded(frame.time) or self._is_time(frame.time):
            self._search(frame)
            searched = True
        mesh, presence = self._measure(frame.picture)
        if mesh is None and not searched:
            self._search(frame)
            mesh, presence = self._measure(frame.picture)
        if mesh is not None and not self._is_face(frame):
            mesh = None
        if mesh is None or self._crop is None:
            return None, 0.0
        self.tracker.follow(frame.time, np.array([self._crop.x, self._crop.y]))
        self._n_faces = max(self._n_faces, 1)
        return mesh, presence

    def _is_time(self, time: float) -> bool:
        return time - self._searched >= _SEARCH_EVERY - 1e-6

    def _search(self, frame: Frame) -> None:
        """Look for all faces and aim the crop at the chosen one."""
        is_time = self._is_time(frame.time)
        found = self._runtime.find(frame.picture, closely=is_time and self._crop is None)
        if is_time:
            self._searched = frame.time
        mine = self.tracker.update(frame.time, found)
        self._n_faces = self.tracker.n_found
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
        """Return the mesh in the crop, and aim the crop at it for the next frame."""
        if self._crop is None:
            return None, 0.0
        mesh, presence = self._runtime.mesh(picture, self._crop)
        if presence < MIN_PRESENCE or misshapen(mesh[None])[0] > MOST_MISSHAPEN:
            return None, presence
        self._crop = _crop_of_mesh(mesh)
        return mesh, presence

    def _is_face(self, frame: Frame) -> bool:
        """Have a second look from time to time; forget what does not stand it."""
        mine = self.tracker.mine
        if mine is None or self._crop is None:
            return True
        judgement = self._judged.setdefault(mine, _Judgement())
        if judgement.for_it and frame.time - judgement.time < _JUDGE_EVERY:
            return True
        judgement.time = frame.time
        if self._runtime.is_face(frame.picture, self._crop):
            judgement.for_it += 1
        else:
            judgement.against += 1
        if judgement.for_it or judgement.against < _PATIENCE:
            return True
        self.tracker.refuse()
        self._crop = None
        return False


@dataclass
class _Judgement:
    """How often somebody's face stood a second look or did not, and when it was had."""

    for_it: int = 0
    against: int = 0
    time: float = -math.inf


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
