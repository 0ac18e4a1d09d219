"""One face from frame to frame: where it is looked for, and whether what is there is one.

A frame depends on the ones before only through the crop in which the face is looked for, so the
mesh adds no latency, at any frame rate.
"""

from __future__ import annotations

import math
import threading
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.geometry import misshapen, rigid_face
from bitbox.face_backend.graphs import GraphRuntime
from bitbox.face_backend.mesh_graph import N_POINTS
from bitbox.face_backend.mesh_track import MeshArray
from bitbox.face_backend.painted import Paint
from bitbox.face_backend.registration import EYES
from bitbox.face_backend.tracking import Crop, Detection, FaceTracker, PlannedTracker
from bitbox.measuring.scenes import Scenes
from bitbox.people.stretches import Stretch
from bitbox.video import Frame, Picture

if TYPE_CHECKING:
    from bitbox.face_backend.tasks import TasksRuntime

#: A face counts as tracked where the mesh model's presence score is at least this.
MIN_PRESENCE = 0.5
#: A mesh further from the shape of a face than this is none. Of 600 rendered faces turned by up to
#: 45 degrees with strong expressions the furthest is at 0.13, of 2456 frames of real people 0.10.
MOST_MISSHAPEN = 0.2
_SEARCH_EVERY = 0.5  # seconds between looks for other faces while there is one
_JUDGE_EVERY = 1.0  # seconds between second looks at what has stood one
_PATIENCE = 5  # second looks that are had before something is given up as no face
_CROP = 1.5  # side of the crop relative to the face in it, as the mesh model was trained


class Follower:
    """Goes through the frames of one video and keeps to the chosen face.

    Attributes
    ----------
    tracker : FaceTracker or PlannedTracker
        Who decides whom to follow.
    times, confidence : array of float
    counts : array of int
        Faces in each frame, as of the latest search.
    whose : array of int
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
        self.times, self.confidence = array("d"), array("d")
        self.counts, self.whose = array("q"), array("q")

    def step(self, frame: Frame) -> MeshArray:
        """Return the mesh (478, 3) in this frame, NaN where lost."""
        mesh, presence = self._look(frame)
        mine = self.tracker.mine
        self.times.append(frame.time)
        self.confidence.append(presence if mesh is not None else 0.0)
        self.counts.append(self._n_faces)
        self.whose.append(-1 if self._crop is None or mine is None else mine.number)
        return np.full((N_POINTS, 3), np.nan, dtype=np.float32) if mesh is None else mesh

    def saw(self, mine: Stretch | None, mesh: MeshArray, texture: NDArray[np.uint8]) -> None:
        """Take note of what the face in a frame looks like, laid flat, and whose it is."""
        if mine is not None and np.isfinite(mesh[0, 0]):
            eyes = float(np.hypot(*(mesh[EYES[2], :2] - mesh[EYES[0], :2])))
            self._judged[mine].paint.add(texture, eyes)

    def judge(self) -> None:
        """Let the tracker know what turned out to be no face, or a drawn one.

        No face is what mostly did not look like one.
        """
        for stretch, judgement in self._judged.items():
            stretch.refused = stretch.refused or judgement.against > judgement.for_it
            if stretch.drawn is None:
                stretch.drawn = judgement.paint.is_painted()

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
                self._crop = _crop_around(rigid_face(mesh[None])[0])

    def _measure(self, picture: Picture) -> tuple[MeshArray | None, float]:
        """Return the mesh in the crop, and aim the crop at it for the next frame."""
        if self._crop is None:
            return None, 0.0
        mesh, presence = self._runtime.mesh(picture, self._crop)
        if presence < MIN_PRESENCE:
            return None, presence
        rigid = rigid_face(mesh[None])
        if misshapen(mesh[None], rigid)[0] > MOST_MISSHAPEN:
            return None, presence
        self._crop = _crop_around(rigid[0])
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


class Looks:
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
    looks : Looks
        What was found; shared by all that look at the same pictures.
    """

    def __init__(self, runtime: GraphRuntime | TasksRuntime, looks: Looks) -> None:
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


@dataclass
class _Judgement:
    """How often a face stood a second look or did not, when, and what it looks like."""

    for_it: int = 0
    against: int = 0
    time: float = -math.inf
    paint: Paint = field(default_factory=Paint)


def _is_elsewhere(crop: Crop, face: Detection) -> bool:
    away = math.hypot(crop.x - face.centre[0], crop.y - face.centre[1])
    return away > 0.5 * face.size


def _crop_around(rigid: NDArray[np.float64]) -> Crop:
    """Return the square around a face, upright in the face's own frame.

    It is around the face as it would be without expression, see `rigid_face`. The mesh depends a
    little on its crop, and a crop that grows with the mouth, one frame late, was seen to delay the
    mouth by a third of a frame.
    """
    (left, top, _), (right, bottom, _) = rigid.min(axis=0).tolist(), rigid.max(axis=0).tolist()
    across, down, _ = (rigid[EYES[2]] - rigid[EYES[0]]).tolist()
    side = _CROP * max(right - left, bottom - top)
    return Crop((left + right) / 2, (top + bottom) / 2, side, math.atan2(down, across))
