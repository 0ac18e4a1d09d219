"""Which face is whose, from frame to frame: one person is followed, the others are told apart.

A detector says where faces are; this module says who they are. It knows people by where they
were going, how large they were and what they look like (a small patch of the face, aligned by eyes
and mouth), so that a choice made once is held when people cross, leave, return, or when the
film is cut. No detector is called here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.video_picture import Picture

FloatArray = NDArray[np.float64]

_PATCH = 16  # side of the patch that a person is recognised by
#: Right eye, left eye and mouth in the patch, in shares of its side.
_ANCHORS = np.array([[0.3, 0.3], [0.7, 0.3], [0.5, 0.75]])
#: Two patches that correlate less than this are of different people.
SAME_LOOK = 0.5
_SAME_PLACE_LOOK = 0.25  # enough for somebody who was lost for a while where the face now is
_FORGET = 2.0  # seconds after which a bystander who is not seen any more is forgotten
_NEAR = 2.5  # distance, in face sizes, within which people are told apart in every frame
_CUT = 28.0  # mean absolute grey difference (of 255) of two frames that do not belong together


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
    """

    centre: FloatArray
    size: float
    angle: float
    look: FloatArray


@dataclass
class Person:
    """Somebody seen before."""

    centre: FloatArray
    size: float
    look: FloatArray
    seen: float
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2))
    is_rival: bool = False  # has been seen beside the chosen one, so is certainly somebody else

    def expected_at(self, time: float) -> FloatArray:
        """Where the person should be now, if the movement goes on for up to half a second."""
        return self.centre + self.velocity * min(time - self.seen, 0.5)

    def move(self, time: float, centre: FloatArray) -> None:
        """Take note of where the person is."""
        elapsed = time - self.seen
        if elapsed >= 0.5:
            self.velocity = np.zeros(2)
        elif elapsed > 0:
            share = min(1.0, elapsed / 0.15)
            self.velocity = (1 - share) * self.velocity + share * (centre - self.centre) / elapsed
        self.centre, self.seen = centre, time

    def see(self, found: Detection, time: float) -> None:
        """Take note of a new sighting."""
        self.move(time, found.centre)
        self.size = found.size
        look = 0.9 * self.look + 0.1 * found.look
        self.look = look / np.linalg.norm(look)


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


def thumbnail(picture: Picture) -> FloatArray:
    """Return a grey picture of at most 32 x 32 points, to compare frames by."""
    return picture.spots().astype(np.float64)


def is_cut(before: FloatArray | None, now: FloatArray) -> bool:
    """Tell whether two thumbnails are of different scenes."""
    return before is not None and float(np.abs(now - before).mean()) > _CUT


class FaceTracker:
    """Holds the choice of one face.

    Parameters
    ----------
    face : {"largest", "left", "right"} or int
        Whom to follow: the largest face, the one furthest to the left or right of the image, or
        the n-th from the left of the image (0 is the first), in the first image in which there
        are as many.

    Raises
    ------
    ParameterError
        If `face` is something else.
    """

    def __init__(self, face: str | int = "largest") -> None:
        named = isinstance(face, str) and face in {"largest", "left", "right"}
        numbered = isinstance(face, int) and not isinstance(face, bool) and face >= 0
        if not (named or numbered):
            raise ParameterError(
                "The choice of face is not known.",
                expected="'largest', 'left', 'right' or a number from 0 (the first from the left)",
                got=repr(face),
            )
        self.face = face
        self.chosen: Person | None = None
        self.others: list[Person] = []
        self._scene_is_new = False

    def cut(self) -> None:
        """Forget where people were: the film was cut. What they look like is kept."""
        self.others = []
        self._scene_is_new = True

    def follow(self, time: float, centre: FloatArray) -> None:
        """Take note of where the chosen one's face was measured to be."""
        if self.chosen is not None:
            self.chosen.move(time, centre)

    def is_crowded(self, time: float) -> bool:
        """Tell whether somebody else is, or will soon be, so near that faces could be confused."""
        if self.chosen is None:
            return False
        here = self.chosen.expected_at(time)
        return any(
            float(np.linalg.norm(other.expected_at(time) - here))
            < _NEAR * max(other.size, self.chosen.size)
            for other in self.others
        )

    def update(self, time: float, found: list[Detection]) -> Detection | None:
        """Tell people apart and return the chosen one's face, or None where it is not seen.

        Parameters
        ----------
        time : float
            Seconds.
        found : list of Detection
            All faces in the image of that time.
        """
        self.others = [person for person in self.others if time - person.seen < _FORGET]
        if self.chosen is None:
            return self._choose(time, found)
        if self._scene_is_new:
            return self._choose_again(time, found)
        people = [self.chosen, *self.others]
        whose = _assign(people, found, time)
        for person, index in zip(people, whose, strict=True):
            if index is not None:
                person.see(found[index], time)
        if whose[0] is None:
            whose[0] = self._come_back(found, whose, time)
        for index, detection in enumerate(found):
            if index not in whose:
                self.others.append(_new(detection, time))
        if whose[0] is None:
            return None
        for person in self.others:
            person.is_rival = person.is_rival or person.seen == time
        return found[whose[0]]

    def _come_back(
        self, found: list[Detection], whose: list[int | None], time: float
    ) -> int | None:
        """Find the chosen one, who was lost, among those who could be him or her."""
        chosen = self.chosen
        if chosen is None:
            return None
        rivals = {
            index for person, index in zip(self.others, whose[1:], strict=True) if person.is_rival
        }
        likeness = {
            index: float(detection.look @ chosen.look)
            for index, detection in enumerate(found)
            if index not in rivals
        }
        if not likeness or max(likeness.values()) < SAME_LOOK:
            return None
        best = max(likeness, key=likeness.__getitem__)
        self.others = [
            person for person, index in zip(self.others, whose[1:], strict=True) if index != best
        ]
        chosen.see(found[best], time)
        return best

    def _choose(self, time: float, found: list[Detection]) -> Detection | None:
        if not found:
            return None
        by_side = sorted(found, key=lambda detection: float(detection.centre[0]))
        if isinstance(self.face, int):
            if len(found) <= self.face:
                return None
            mine = by_side[self.face]
        elif self.face == "largest":
            mine = max(found, key=lambda detection: detection.size)
        else:
            mine = by_side[0 if self.face == "left" else -1]
        self.chosen = _new(mine, time)
        self.others = [_new(other, time, rival=True) for other in found if other is not mine]
        return mine

    def _choose_again(self, time: float, found: list[Detection]) -> Detection | None:
        """After a cut: who looks the same, else by the same rule as at the beginning."""
        if not found or self.chosen is None:
            return None
        self._scene_is_new = False
        chosen = self.chosen
        best = max(found, key=lambda detection: float(detection.look @ chosen.look))
        if float(best.look @ chosen.look) < SAME_LOOK:
            self.chosen = None
            return self._choose(time, found)
        self.chosen = _new(best, time)
        self.others = [_new(other, time, rival=True) for other in found if other is not best]
        return best


def _new(detection: Detection, time: float, *, rival: bool = False) -> Person:
    return Person(detection.centre, detection.size, detection.look, time, is_rival=rival)


def _assign(people: list[Person], found: list[Detection], time: float) -> list[int | None]:
    """Return for each person the index of his or her detection, or None."""
    if not found:
        return [None] * len(people)
    from scipy.optimize import linear_sum_assignment

    far = 10.0  # the cost of not being seen, and of what is impossible
    cost = np.full((len(people), len(found) + len(people)), far)
    for row, person in enumerate(people):
        for column, detection in enumerate(found):
            cost[row, column] = min(far, _unlikeness(person, detection, time))
    rows, columns = linear_sum_assignment(cost)
    whose: list[int | None] = [None] * len(people)
    for row, column in zip(rows, columns, strict=True):
        if column < len(found) and cost[row, column] < far:
            whose[row] = int(column)
    return whose


def _unlikeness(person: Person, detection: Detection, time: float) -> float:
    """Return how little a face speaks for a person; infinite where it cannot be the same."""
    elapsed = time - person.seen
    size = max(person.size, detection.size)
    distance = float(np.linalg.norm(detection.centre - person.expected_at(time))) / size
    if distance > 0.6 + 2.0 * min(elapsed, 1.0):
        return np.inf
    growth = abs(float(np.log(detection.size / person.size)))
    if growth > 0.5 + min(elapsed, 1.0):
        return np.inf
    likeness = float(detection.look @ person.look)
    if elapsed > 1.0 and likeness < _SAME_PLACE_LOOK:
        return np.inf
    return 2.0 * distance + growth + 4.0 * (1.0 - likeness)
