"""What is the same for all frames of a recording: the face of the person who is seen.

One camera hardly sees how deep a face is, and the mesh's own depth is that of the faces its network
was trained on. But a place whose depth is taken for too small slips over the face whenever the head
turns, by the error times the slope of its line of sight on the face. So the depth of each of the
person's 468 points is corrected until what slips with that slope is least (`deeper`); the less a
head turns, and the shorter a recording is, the less is corrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.geometry import (
    N_VERTICES,
    VERTICAL_FOV,
    Canonical,
    canonicalize,
    neutral,
    rotation_matrix,
)
from bitbox.face_backend.skin import learnt
from bitbox.measuring.parts import rows, spread

if TYPE_CHECKING:
    from bitbox.face_backend.mesh_track import MeshTrack

__all__ = ["Person"]

FloatArray = NDArray[np.float64]

_FRAMES = 5000  # the most that a person's neutral face is taken from
_FIRST = 600  # the most that are looked at before that, for the person's own shape
#: What is added to the sum of squares of the slopes: half of a turn by 5 degrees in each frame.
#: Somebody who smiles whenever the head turns loses a twentieth of the smile by it.
_ADDED = 0.5 * np.radians(5.0) ** 2
#: Seconds. In a shorter recording it is as much as in one of so many: a single movement that comes
#: with a single turn must not pass for depth.
_LONG = 10.0
_CHUNK = 250  # frames worked on at once


class Person(NamedTuple):
    """What is the same for all frames of a recording.

    Attributes
    ----------
    shape : ndarray, shape (468, 3)
        The person's own face, to which head pose is fitted, millimetres.
    still : ndarray, shape (468, 3)
        The neutral face, as it comes out of that fit.
    tilt : float
        By how much the face is tilted forward on the head, beside other people's, in radians: what
        pitch is read of this person looking straight ahead.
    whole : Canonical or None
        That fit in all frames, where a recording is short and it was made in all with a face.
    """

    shape: FloatArray
    still: FloatArray
    tilt: float
    whole: Canonical | None

    @classmethod
    def measure(cls, track: MeshTrack, vertical_fov: float) -> Person:
        """Measure a person in frames that are spread evenly over the recording."""
        frames = np.flatnonzero(track.confidence > 0)
        count = len(frames)
        bare = frames[~track.hidden()[frames].any(axis=1)]
        frames = bare if len(bare) else frames
        some = spread(frames, _FRAMES)
        few = spread(some, _FIRST)
        shape = neutral(_fitted(track, few, vertical_fov, None).shape)
        tilt = tilt_of(shape, vertical_fov)
        first = _fitted(track, few, vertical_fov, shape)
        seconds = max(float(np.ptp(track.time[few])), 1e-3)
        shape[:, 2] += deeper(first.shape, first.pose, shape, max(1.0, _LONG / seconds))
        found = _fitted(track, some, vertical_fov, shape)
        is_short = len(track.mesh) <= _FRAMES and len(some) == count
        whole = found.of(some, len(track.mesh)) if is_short else None
        return cls(shape, neutral(found.shape), tilt, whole)

    def canonical(self, track: MeshTrack, part: slice, vertical_fov: float) -> Canonical:
        """Return pose and shape in some frames."""
        if self.whole is not None:
            return Canonical(self.whole.pose[part], self.whole.shape[part])
        return canonicalize(track.mesh[part], track.size, vertical_fov, person=self.shape)


def _fitted(
    track: MeshTrack, frames: NDArray[np.int64], vertical_fov: float, person: FloatArray | None
) -> Canonical:
    """Return pose and shape in some frames; the person's face is None where it is not known yet."""
    poses, shapes = np.empty((len(frames), 6)), np.empty((len(frames), N_VERTICES, 3))
    for part, mesh in rows(track.mesh, frames):
        found = canonicalize(mesh, track.size, vertical_fov, person=person)
        poses[part], shapes[part] = found.pose, found.shape
    return Canonical(poses, shapes)


def deeper(
    shapes: FloatArray, poses: FloatArray, person: FloatArray, careful: float = 1.0
) -> FloatArray:
    """Return by how much each point of a face is further back than was thought.

    Parameters
    ----------
    shapes : ndarray, shape (T, 468, 3)
        The face in frames, head pose taken out, on the depth of `person`.
    poses : ndarray, shape (T, 6)
        Where the head was.
    person : ndarray, shape (468, 3)
        The person's own face, millimetres.
    careful : float, default 1.0
        How many times as much turning it takes to believe as much.

    Returns
    -------
    ndarray, shape (468,)
        Millimetres. Frames with missing values do not count.
    """
    known = np.flatnonzero(np.isfinite(shapes).all(axis=(1, 2)))
    slope_sum, place_sum = np.zeros((2, N_VERTICES, 2))
    power, pull = np.zeros((2, N_VERTICES))
    for first in range(0, len(known), _CHUNK):
        part = known[first : first + _CHUNK]
        pose, place = poses[part], shapes[part, :, :2] - person[:, :2]
        turned = rotation_matrix(pose[:, 3:])
        sight = person + np.einsum("tcd,tc->td", turned, pose[:, :3])[:, None]
        slope = sight[..., :2] / sight[..., 2:]
        slope_sum += slope.sum(axis=0)
        place_sum += place.sum(axis=0)
        power += np.einsum("tvc,tvc->v", slope, slope)
        pull += np.einsum("tvc,tvc->v", slope, place)
    count = max(len(known), 1)
    power -= (slope_sum**2).sum(axis=1) / count
    pull -= (slope_sum * place_sum).sum(axis=1) / count
    return np.asarray(-pull / (power + count * careful * _ADDED))


def tilt_of(shape: FloatArray, vertical_fov: float) -> float:
    """Return by how much a face is tilted forward on the head, in radians.

    Parameters
    ----------
    shape : ndarray, shape (468, 3)
        The person's own face as a first look gives it, millimetres.
    vertical_fov : float
        The field of view, in degrees, with which that was made.

    Notes
    -----
    Head pose is told by places on the face, and these are not at the same place on every head: the
    eyes of one lie deeper, the forehead of another is steeper. What that makes of pitch shows in
    the shape of the face; how, was learnt from rendered people of whom it is known where they look
    (``tools/learn_straight_ahead.py``).
    """
    wide, usual = np.tan(np.radians([vertical_fov, VERTICAL_FOV]) / 2)
    known = np.append(shape.ravel(), [np.log(wide / usual), 1.0])
    return float(known @ learnt("tilt_map"))
