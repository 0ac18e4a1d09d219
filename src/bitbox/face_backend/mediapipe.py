"""Frames to face mesh: one person's face is followed through a video.

Which face is followed is decided by `bitbox.face_backend.tracking`: at first as far as can be known
then, and where that turns out wrong, once more. What finds faces and measures them is a runtime:
MediaPipe's two models (`bitbox.face_backend.graphs`), the same in newer versions of MediaPipe
(`bitbox.face_backend.embedders`), or its newer FaceLandmarker
(`bitbox.face_backend.tasks`); nothing else uses MediaPipe. How a frame is gone about is in
`bitbox.face_backend.follower`.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend import glasses
from bitbox.face_backend.follower import Follower, Looks, SharedRuntime
from bitbox.face_backend.graphs import GraphRuntime
from bitbox.face_backend.mesh_graph import N_POINTS
from bitbox.face_backend.mesh_track import (
    MeshTrack,
    findings_of,
    require_a_face,
)
from bitbox.face_backend.refinement import FaceSpool
from bitbox.face_backend.tracking import FaceTracker, PlannedTracker
from bitbox.measuring.one_core import on_one_core
from bitbox.measuring.quiet import quietly
from bitbox.measuring.spool import room_for
from bitbox.people.following import numbers_of, was_missed
from bitbox.people.identity import Choice, choose
from bitbox.progress import Progress
from bitbox.video import Frame, FrameReader, VideoInfo, read_frames

if TYPE_CHECKING:
    from bitbox.face_backend.tasks import TasksRuntime

FloatArray = NDArray[np.float64]

#: Frames that are gone through together: as many as have so many pixels, and at most so many.
_TOGETHER, _MOST_TOGETHER = 10e6, 8

__all__ = ["MeshTrack", "chosen_model", "track_faces", "track_mesh"]


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
        looks = Looks()
        followers = [
            Follower(tracker, SharedRuntime(runtime, looks) if len(faces) > 1 else runtime)
            for tracker, runtime in zip(trackers, runtimes, strict=True)
        ]
        spools = [own.enter_context(_spool(frames.info, folder, name)) for own in kept]
        _follow(frames, followers, spools, name, progress)
        tracks = []
        each = zip(faces, trackers, followers, spools, kept, runtimes, strict=True)
        for face, tracker, follower, spool, own, runtime in each:
            times = np.array(follower.times)
            choice, before = choose(tracker.links, face, end=float(times[-1])), Choice()
            # What is followed anew may turn out to be no face or a drawn one, too.
            while choice.spans != before.spans and was_missed(choice, times, follower.whose):
                own.close()
                again = own.enter_context(read_frames(path))
                follower = Follower(PlannedTracker(choice), runtime)
                spool = own.enter_context(_spool(again.info, folder, name))
                _follow(again, [follower], [spool], name, progress)
                choice, before = choose(tracker.links, face, end=float(times[-1])), choice
            track = _finished(frames, follower, spool, choice, runtime.name)
            require_a_face(track, path, face)
            told = (*findings_of(track, follower.scenes.cuts()), *choice.findings)
            tracks.append(replace(track, findings=(*track.findings, *told)))
            own.close()
    return tracks


def _finished(
    frames: FrameReader, follower: Follower, spool: FaceSpool, choice: Choice, name: str
) -> MeshTrack:
    """Return the track of one face, without what was measured of somebody else."""
    times = np.array(follower.times)
    confidence = np.array(follower.confidence)
    wrong = np.array(follower.whose) != numbers_of(choice, times)
    confidence[wrong] = 0.0
    spool.drop(np.flatnonzero(wrong))
    usual = spool.usual()
    mesh, visible = spool.refined()
    return MeshTrack(
        mesh,
        times,
        confidence,
        np.array(follower.counts),
        (frames.info.width, frames.info.height),
        (*frames.findings, *(() if usual is None else glasses.finding_of(usual))),
        name,
        visible,
    )


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
    followers: Sequence[Follower],
    spools: Sequence[FaceSpool],
    name: str,
    progress: Progress | None,
) -> None:
    """Go through all frames of a video and measure each of some faces in it."""
    whom = "the face" if len(followers) == 1 else f"{len(followers)} faces"
    task = f"Tracking {whom} in {name}{followers[0].tracker.task}"

    def measure(some: Sequence[Frame], which: int) -> None:
        follower, found = followers[which], []
        for frame in some:
            found.append((follower.step(frame), follower.tracker.mine))
            if progress is not None and which == 0:
                progress(task, len(follower.times), frames.info.n_frames)
        for frame, (mesh, mine) in zip(some, found, strict=True):
            follower.saw(mine, mesh, spools[which].append(frame.picture, mesh))

    # Several look for faces in the same picture, which is done once.
    at_once = 1 if len(followers) > 1 else _at_once(frames.info)
    with ThreadPoolExecutor(max(1, len(followers) - 1)) as others:
        while some := list(itertools.islice(frames, at_once)):
            jobs = [others.submit(measure, some, k) for k in range(1, len(followers))]
            try:
                measure(some, 0)
            finally:
                wait(jobs)
            for job in jobs:
                job.result()
    for follower in followers:
        follower.judge()


def _at_once(info: VideoInfo) -> int:
    """Return how many frames are decoded, then looked at, then laid flat.

    What does one thing to a few frames finds its code and tables in the processor's cache, from
    which the mesh model drives everything else. They are in memory at once, so of large ones fewer.
    """
    return int(np.clip(_TOGETHER / (info.coded_width * info.coded_height), 1, _MOST_TOGETHER))


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
        A file to use in any case; the environment variable of `bitbox.measuring.models` may
        name one as well.

    Raises
    ------
    BackendError
        The file is not there, or one is needed and none is named or installed.
    """
    from bitbox.measuring.models import brings_models, find_model, named_model

    named = named_model(None if path is None else Path(path))
    if named is not None or brings_models():
        return named
    return find_model()


def open_runtime(model: Path | None = None) -> GraphRuntime | TasksRuntime:
    """Return MediaPipe's own models, the same from a bundle, or FaceLandmarker, ready to run."""
    if model is None:
        return GraphRuntime()
    from bitbox.face_backend.embedders import EmbedderRuntime
    from bitbox.face_backend.tasks import TasksRuntime
    from bitbox.measuring.models import is_bundle

    with quietly():
        return EmbedderRuntime(model) if is_bundle(model) else TasksRuntime(model)
