"""Frames to joints: one person's body is followed through a video.

Who is followed is decided by `bitbox.people`: at first as far as can be known then, and where that
turns out wrong, once more. A frame depends on the ones before only through the square in which the
body is looked for, so the joints are not delayed, at any frame rate.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from bitbox.body_backend.embedders import open_pose
from bitbox.body_backend.pose_graph import (
    COLUMNS,
    N_JOINTS,
    Body,
    PoseArray,
    PoseRuntime,
    Square,
)
from bitbox.body_backend.track import BodyTrack, findings_of, require_a_body
from bitbox.measuring.one_core import on_one_core
from bitbox.measuring.scenes import Scenes
from bitbox.measuring.spool import Spool, room_for
from bitbox.people.following import PlannedTracker, Tracker, numbers_of, was_missed
from bitbox.people.identity import choose
from bitbox.people.stretches import BODY
from bitbox.progress import Progress
from bitbox.system.cores import is_core_left
from bitbox.video import Frame, FrameReader, VideoInfo, read_frames
from bitbox.video.picture import Picture

Region = tuple[float, float, float, float]

#: A body counts as tracked where the model's presence score is at least this.
MIN_PRESENCE = 0.5
_EARLY = 0.1  # of a step: by how much a frame may be too early to count as the next one
_SEARCH_EVERY = 0.5  # seconds between looks for other people while there is somebody


def track_body(
    path: str | os.PathLike[str],
    *,
    person: str | int = "largest",
    region: Region | None = None,
    fps: float | None = None,
    threshold: float,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> BodyTrack:
    """Follow one person's body through a video.

    Parameters
    ----------
    path : path-like
        A video file.
    person : {"largest", "left", "right"} or int, default "largest"
        Whom to follow where there are several, as `bitbox.people.identity` decides it.
    region : (x, y, w, h), optional
        The part of the picture, in pixels, in which the middle of the person's hips stays; nobody
        else is looked at. None: all of it.
    fps : float, optional
        Look at no more than so many frames a second; None: at all.
    threshold : float
        How visible a joint must be, for the findings.
    progress : callable, optional
        Called as ``progress(task, frames_done, frames_total_or_None)``.
    folder : Path, optional
        Where the joints lie while they are measured; None: where temporary files are.

    Raises
    ------
    VideoError
        If the video cannot be decoded, or the person is never seen.
    ParameterError
        If `person` is none of the above.
    BackendError
        If MediaPipe is not installed or does not start.
    OutputError
        If there is no room for the joints.
    """
    tracker: Tracker[Body] = Tracker(person, BODY)
    name = Path(path).name
    with (
        on_one_core(),
        read_frames(path) as frames,
        open_pose() as models,
        Meanwhile(models) as runtime,
        contextlib.ExitStack() as kept,
    ):
        follower = _Follower(tracker, runtime, region)
        spool = kept.enter_context(_followed(frames, follower, fps, folder, name, progress))
        times = np.array(follower.times)
        choice = choose(tracker.links, person, end=float(times[-1]), noun="person")
        if was_missed(choice, times, follower.whose):
            kept.close()
            again = kept.enter_context(read_frames(path))
            follower = _Follower(PlannedTracker(choice), runtime, region)
            spool = kept.enter_context(_followed(again, follower, fps, folder, name, progress))
        confidence = np.array(follower.confidence)
        wrong = np.array(follower.whose) != numbers_of(choice, times)
        confidence[wrong] = 0.0
        spool.drop(np.flatnonzero(wrong))
        rows = spool.array()
    track = BodyTrack(
        rows,
        times,
        confidence,
        np.array(follower.counts),
        (frames.info.width, frames.info.height),
        tuple(frames.findings),
        models.name,
    )
    require_a_body(track, path, person)
    told = (*findings_of(track, follower.scenes.cuts(), threshold), *choice.findings)
    return replace(track, findings=(*track.findings, *told))


@contextlib.contextmanager
def _followed(
    frames: FrameReader,
    follower: _Follower,
    fps: float | None,
    folder: Path | None,
    name: str,
    progress: Progress | None,
) -> Iterator[Spool]:
    """Go through the frames of a video, and give what was measured as long as it is used."""
    task = f"Tracking the body in {name}{follower.tracker.task}"
    with (
        room_for(_room(frames.info), folder, name) as room,
        Spool(np.float32, (N_JOINTS, COLUMNS), folder, room) as spool,
    ):
        for frame in every(frames, fps):
            spool.append(follower.step(frame))
            if progress is not None:
                progress(task, frame.index + 1, frames.info.n_frames)
        yield spool


def every(frames: FrameReader, fps: float | None) -> Iterator[Frame]:
    """Yield the frames of a video, or no more than so many a second, as evenly as they allow."""
    start, taken = None, 0
    for frame in frames:
        start = frame.time if start is None else start
        if fps is None:
            yield frame
        elif (frame.time - start) * fps >= taken - _EARLY:
            taken = math.floor((frame.time - start) * fps + _EARLY) + 1
            yield frame


def _room(info: VideoInfo) -> int:
    """Return how many bytes the joints of all frames take; 0 where that is not known."""
    return (info.n_frames or 0) * N_JOINTS * COLUMNS * 4


class Meanwhile:
    """The models, of which that of joints works while the other looks for people.

    Where everybody is again where he or she was, as nearly always, the joints are known by then;
    else they are computed anew. Nothing else depends on it. Where no core is left for that, one
    comes after the other.
    """

    def __init__(self, runtime: PoseRuntime) -> None:
        self.find = runtime.find
        self._runtime = runtime
        self._helper = ThreadPoolExecutor(1) if is_core_left() else None
        self._begun: tuple[Picture, Square, Future[tuple[PoseArray, Square, float]]] | None = None

    def __enter__(self) -> Meanwhile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._helper is not None:
            self._helper.shutdown()

    def begin(self, picture: Picture, square: Square) -> None:
        """Begin with the joints in a square, which `joints` will probably be asked for."""
        if self._helper is not None:
            job = self._helper.submit(self._runtime.joints, picture, square)
            self._begun = picture, square, job

    def joints(self, picture: Picture, square: Square) -> tuple[PoseArray, Square, float]:
        """Return the joints in a square, from what was begun with if it was that."""
        begun, self._begun = self._begun, None
        if begun is not None:
            found = begun[2].result()  # in any case: the model does one thing at a time
            if begun[0] is picture and begun[1] is square:
                return found
        return self._runtime.joints(picture, square)


class _Follower:
    """Follows the chosen body from frame to frame; `times` and the like have a row for each."""

    def __init__(
        self,
        tracker: Tracker[Body] | PlannedTracker[Body],
        runtime: Meanwhile,
        region: Region | None,
    ) -> None:
        self.tracker = tracker
        self._runtime = runtime
        self._region = region
        self._square: Square | None = None
        self._searched = -math.inf
        self._n_people = 0
        self.scenes = Scenes()
        self.times: list[float] = []
        self.confidence: list[float] = []
        self.counts: list[int] = []
        self.whose: list[int] = []

    def step(self, frame: Frame) -> PoseArray:
        """Return the joints (33, 7) in this frame, NaN where lost."""
        joints, presence = self._look(frame)
        mine = self.tracker.mine
        self.times.append(frame.time)
        self.confidence.append(0.0 if joints is None else presence)
        self.counts.append(self._n_people)
        self.whose.append(-1 if joints is None or mine is None else mine.number)
        if joints is None:
            return np.full((N_JOINTS, COLUMNS), np.nan, dtype=np.float32)
        return joints

    def _look(self, frame: Frame) -> tuple[PoseArray | None, float]:
        if self.scenes.may_be_new(frame.picture, frame.time):
            self.tracker.cut()
            self._square = None
        if not self.tracker.is_awaited(frame.time):
            self._square = None
        searched = False
        late = frame.time - self._searched >= _SEARCH_EVERY - 1e-6
        if self._square is None or late or self.tracker.is_crowded(frame.time):
            if self._square is not None:
                self._runtime.begin(frame.picture, self._square)
            self._search(frame)
            searched = True
        joints, presence = self._measure(frame)
        if joints is None and not searched:
            self._search(frame)
            joints, presence = self._measure(frame)
        if joints is None or self._square is None:
            return None, 0.0
        self.tracker.follow(frame.time, np.array([self._square.x, self._square.y]))
        self._n_people = max(self._n_people, 1)
        return joints, presence

    def _search(self, frame: Frame) -> None:
        """Look for everybody and aim the square at the chosen one."""
        found = [
            body
            for body in self._runtime.find(frame.picture, self._region)
            if is_in(body.square, self._region)
        ]
        self._searched = frame.time
        mine = self.tracker.update(frame.time, found)
        self._n_people = self.tracker.n_found
        if mine is None:
            square = self._square
            if square is not None and any(not _is_elsewhere(square, body) for body in found):
                self._square = None  # somebody else is there now
        elif self._square is None or _is_elsewhere(self._square, mine):
            # The joints depend a little on their square. One that is made from the joints, as in
            # all later frames, keeps the first frame from standing out.
            _, square, presence = self._runtime.joints(frame.picture, mine.square)
            self._square = square if presence >= MIN_PRESENCE else mine.square

    def _measure(self, frame: Frame) -> tuple[PoseArray | None, float]:
        """Return the joints in the square, and aim the square at them for the next frame."""
        if self._square is None:
            return None, 0.0
        joints, square, presence = self._runtime.joints(frame.picture, self._square)
        if presence < MIN_PRESENCE or not is_in(square, self._region):
            self._square = None
            return None, presence
        self._square = square
        return joints, presence


def is_in(square: Square, region: Region | None) -> bool:
    """Tell whether the middle of somebody's hips is in a part of the picture."""
    if region is None:
        return True
    left, top, width, height = region
    return left <= square.x <= left + width and top <= square.y <= top + height


def _is_elsewhere(square: Square, body: Body) -> bool:
    away = math.hypot(square.x - body.square.x, square.y - body.square.y)
    return away > 0.25 * body.size
