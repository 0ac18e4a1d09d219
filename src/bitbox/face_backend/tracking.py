"""Which face is whose, from frame to frame: one person is followed, the others are told apart.

A detector says where faces are; this module says who they are. No detector is called here. While a
video is gone through, a face is followed as long as there is no doubt (`bitbox.people.stretches`),
and the likeliest is taken up when it is lost. Who was the right one is known at the end
(`bitbox.people.identity`): what was measured of somebody else is dropped, and where the right one
was not followed, the video is gone through once more with a plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.people.identity import GONE, THE_PLACE, Choice, check_choice
from bitbox.people.stretches import FACE, SAME_LOOK, Linker, Stretch, likeness
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]

_PATCH = 16  # side of the patch that a person is recognised by
#: Right eye, left eye and mouth in the patch, in shares of its side.
_ANCHORS = np.array([[0.3, 0.3], [0.7, 0.3], [0.5, 0.75]])
_NEAR = 2.5  # distance, in face sizes, within which people are told apart in every frame
_PLANNED = 0.5  # face sizes from the plan, within which a face is the planned one


@dataclass(frozen=True)
class Crop:
    """A tilted square of the image: centre and side in pixels, angle in radians."""

    x: float
    y: float
    side: float
    angle: float


@dataclass(frozen=True)
class Detection:
    """One face found in one image.

    Parameters
    ----------
    centre : ndarray, shape (2,)
        Of its box, pixels.
    size : float
        The longer side of its box, pixels.
    angle : float
        Tilt of the line through the eyes, radians, clockwise in the image.
    look : ndarray, shape (768,)
        Standardised patch of the face, see `look_at`.
    score : float
        How sure the detector is, 0 to 1; 1 where it does not say.
    """

    centre: FloatArray
    size: float
    angle: float
    look: FloatArray
    score: float = 1.0

    @property
    def points(self) -> FloatArray:
        """The centre as the only point, shape (1, 2)."""
        return self.centre[None]


def look_at(picture: Picture, eyes_and_mouth: FloatArray) -> FloatArray:
    """Return a small standardised patch of a face, by which it is recognised.

    Parameters
    ----------
    picture : Picture
    eyes_and_mouth : ndarray, shape (3, 2)
        Right eye, left eye and mouth of the subject, pixels.

    Returns
    -------
    ndarray, shape (768,)
        Mean 0 and norm 1, so that the product of two is their correlation.
    """
    design = np.c_[_ANCHORS * _PATCH, np.ones(3)]
    affine = np.linalg.lstsq(design, eyes_and_mouth, rcond=None)[0]
    patch = picture.sample(affine.T, (_PATCH, _PATCH)).astype(np.float64)
    flat = patch.ravel() - patch.mean()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-9))


class FaceTracker:
    """Follows one face through a video that is seen for the first time.

    Parameters
    ----------
    face : {"largest", "left", "right"} or int
        Whom to follow, see `bitbox.people.identity`.

    Attributes
    ----------
    links : Linker
        Everybody seen so far.
    mine : Stretch or None
        Who is followed.
    n_faces : int
        How many faces the latest search found.

    Raises
    ------
    ParameterError
        If `face` is something else.
    """

    task = ""  # what there is to say of it while it goes on

    def __init__(self, face: str | int = "largest") -> None:
        check_choice(face)
        self.face = face
        self.links = Linker(FACE)
        self.mine: Stretch | None = None
        self.n_faces = 0
        self._followed: list[Stretch] = []
        self._scene_is_new = False
        self._was_alone = False

    def cut(self) -> None:
        """Take note of a cut: only who stays in place is followed on without a look."""
        self.links.cut()
        self._scene_is_new = True

    def is_awaited(self, _: float) -> bool:
        """Tell whether the face may be seen at this time."""
        return True

    def follow(self, time: float, centre: FloatArray) -> None:
        """Take note of where the chosen one's face was measured to be."""
        if self.mine is not None:
            self.mine.move(time, centre[None])

    def is_crowded(self, time: float) -> bool:
        """Tell whether somebody else is, or will soon be, so near that faces could be confused."""
        mine = self.mine
        if mine is None:
            return False
        here = mine.expected_at(time)
        return any(
            float(np.linalg.norm(other.expected_at(time) - here))
            < _NEAR * max(other.size, mine.size)
            for other in self.links.open()
            if other is not mine and not other.refused
        )

    def refuse(self) -> None:
        """Take note that what is followed is no face."""
        if self.mine is not None:
            self.mine.refused = True
            self._followed.remove(self.mine)
            self.mine = None

    def update(self, time: float, found: Sequence[Detection]) -> Detection | None:
        """Tell people apart and return the face to follow, or None where it is not seen.

        Parameters
        ----------
        time : float
            Seconds.
        found : list of Detection
            All faces in the image of that time.
        """
        whose = self.links.see(time, found)
        faces = {
            stretch: face for stretch, face in zip(whose, found, strict=True) if not stretch.refused
        }
        self.n_faces = len(faces)
        mine = self._who(time, faces)
        if faces:
            self._scene_is_new = False
        if mine is None:
            return None
        if mine is not self.mine:
            self.mine = mine
            self._followed.append(mine)
        return faces[mine]

    def _who(self, time: float, faces: dict[Stretch, Detection]) -> Stretch | None:
        beside = self.face != "largest" and len(faces) > 1
        if not self._followed or (beside and self._was_alone):
            return self._first(faces)
        if self.mine in faces:
            return self.mine
        known = {stretch.number for stretch in self._followed}
        free = [stretch for stretch in faces if not stretch.rivals & known]
        last = self._followed[-1]
        alike = {s: likeness(faces[s].look, last.look) or 0.0 for s in free}
        best = max(alike, key=alike.__getitem__, default=None)
        if best is not None and alike[best] >= SAME_LOOK:
            return best
        if self._scene_is_new and all(stretch.first == time for stretch in faces):
            return self._first(faces)
        if time - last.last < GONE:
            return None
        if self.face != "largest":
            free = [s for s in free if _is_at(s, last)]
        return max(free, key=lambda stretch: stretch.size, default=None)

    def _first(self, faces: dict[Stretch, Detection]) -> Stretch | None:
        """Return whom the choice means among these."""
        by_side = sorted(faces, key=lambda stretch: float(stretch.centre[0]))
        number = {"left": 0, "right": -1}.get(str(self.face), self.face)
        if not faces or (isinstance(number, int) and number >= len(faces)):
            return None
        self._was_alone = len(faces) == 1
        if isinstance(number, int):
            return by_side[number]
        return max(faces, key=lambda stretch: stretch.size)


class PlannedTracker:
    """Follows a face through a video that was seen before, by what was decided then.

    Parameters
    ----------
    choice : Choice
        Whom to follow, and when.
    """

    task = " once more, now that all are known"

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self.mine: Stretch | None = None
        self.n_faces = 0

    def cut(self) -> None:
        """Do nothing: the plan knows."""

    def is_awaited(self, time: float) -> bool:
        """Tell whether the face may be seen at this time."""
        return self._choice.at(time) is not None

    def follow(self, time: float, centre: FloatArray) -> None:
        """Do nothing: the plan knows."""

    def is_crowded(self, _: float) -> bool:
        """Tell that faces could be confused: they were before."""
        return True

    def refuse(self) -> None:
        """Do nothing: the plan knows."""

    def update(self, time: float, found: Sequence[Detection]) -> Detection | None:
        """Return the face that is where the plan has it, or None."""
        self.n_faces = len(found)
        self.mine = self._choice.at(time)
        if self.mine is None:
            return None
        x, y, size = self.mine.place(time)
        away = [float(np.hypot(*(face.centre - (x, y)))) / size for face in found]
        best = int(np.argmin(away)) if away else 0
        return found[best] if away and away[best] <= _PLANNED else None


def _is_at(stretch: Stretch, before: Stretch) -> bool:
    away = float(np.linalg.norm(stretch.centre - before.centre))
    return away <= THE_PLACE * max(stretch.size, before.size)
