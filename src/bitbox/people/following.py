"""Who is followed, from frame to frame: one person, and the others are told apart.

A detector says where faces or bodies are; this module says who they are. No detector is called
here. While a video is gone through, somebody is followed as long as there is no doubt
(`bitbox.people.stretches`), and the likeliest is taken up when he or she is lost. Who was the right
one is known at the end (`bitbox.people.identity`): what was measured of somebody else is dropped,
and where the right one was not followed, the video is gone through once more with a plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitbox.people.identity import GONE, THE_PLACE, Choice, check_choice
from bitbox.people.stretches import SAME_LOOK, Linker, Pace, Sighting, Stretch, likeness

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NEAR = 2.5  # distance, in sizes, within which people are told apart in every frame
_PLANNED = 0.5  # sizes from the plan, within which somebody is the planned one


class Centred(Sighting, Protocol):
    """A face or body in one picture, of which the centre is known."""

    @property
    def centre(self) -> FloatArray:
        """Of the box around it, shape (2,), pixels."""


Found = TypeVar("Found", bound=Centred)


class Tracker(Generic[Found]):
    """Follows one person through a video that is seen for the first time.

    Parameters
    ----------
    which : {"largest", "left", "right"} or int
        Whom to follow, see `bitbox.people.identity`.
    pace : Pace
        How far anybody can get.

    Attributes
    ----------
    links : Linker
        Everybody seen so far.
    mine : Stretch or None
        Who is followed.
    n_found : int
        How many faces or bodies the latest search found.

    Raises
    ------
    ParameterError
        If `which` is something else.
    """

    task = ""  # what there is to say of it while it goes on

    def __init__(self, which: str | int, pace: Pace) -> None:
        check_choice(which)
        self.which = which
        self.links = Linker(pace)
        self.mine: Stretch | None = None
        self.n_found = 0
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

    def update(self, time: float, found: Sequence[Found]) -> Found | None:
        """Tell people apart and return the face to follow, or None where it is not seen.

        Parameters
        ----------
        time : float
            Seconds.
        found : list
            All faces or bodies in the image of that time.
        """
        whose = self.links.see(time, found)
        faces = {
            stretch: face for stretch, face in zip(whose, found, strict=True) if not stretch.refused
        }
        self.n_found = len(faces)
        mine = self._who(time, faces)
        if faces:
            self._scene_is_new = False
        if mine is None:
            return None
        if mine is not self.mine:
            self.mine = mine
            self._followed.append(mine)
        return faces[mine]

    def _who(self, time: float, faces: dict[Stretch, Found]) -> Stretch | None:
        beside = self.which != "largest" and len(faces) > 1
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
        if self.which != "largest":
            free = [s for s in free if _is_at(s, last)]
        return max(free, key=lambda stretch: stretch.size, default=None)

    def _first(self, faces: dict[Stretch, Found]) -> Stretch | None:
        """Return whom the choice means among these."""
        by_side = sorted(faces, key=lambda stretch: float(stretch.centre[0]))
        number = {"left": 0, "right": -1}.get(str(self.which), self.which)
        if not faces or (isinstance(number, int) and number >= len(faces)):
            return None
        self._was_alone = len(faces) == 1
        if isinstance(number, int):
            return by_side[number]
        return max(faces, key=lambda stretch: stretch.size)


class PlannedTracker(Generic[Found]):
    """Follows a person through a video that was seen before, by what was decided then.

    Parameters
    ----------
    choice : Choice
        Whom to follow, and when.
    """

    task = " once more, now that all are known"

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self.mine: Stretch | None = None
        self.n_found = 0

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

    def update(self, time: float, found: Sequence[Found]) -> Found | None:
        """Return the face that is where the plan has it, or None."""
        self.n_found = len(found)
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


def numbers_of(choice: Choice, times: FloatArray) -> IntArray:
    """Return the number of the stretch to follow at each time, -1 for none."""
    chosen = [choice.at(time) for time in times.tolist()]
    return np.array([-1 if s is None or s.refused else s.number for s in chosen], dtype=np.int64)


def was_missed(choice: Choice, times: FloatArray, whose: Sequence[int]) -> bool:
    """Tell whether the right one was seen in frames in which somebody else was followed."""
    followed = np.array(whose)
    for span in choice.spans:
        seen = span.stretch.log[:, 0]
        seen = seen[(seen >= span.start) & (seen <= span.stop)]
        if (followed[np.searchsorted(times, seen)] != span.stretch.number).any():
            return True
    return False
