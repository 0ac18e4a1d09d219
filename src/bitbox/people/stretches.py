"""Who was where, from picture to picture: what is found in each is joined into stretches.

A stretch is somebody followed without a doubt: from one picture to the next a face or body may have
gone only as far as somebody can in the time that passed, in sizes of its own. To be the only one in
a picture is no evidence. Whom a stretch shows, and which ones are of the same person, is decided
when the whole recording is known, by `bitbox.people.identity`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FORGET = 2.0  # seconds without a sighting after which a stretch has ended
#: Two looks that correlate this much are of the same person, wherever he or she is. (Of pairs of
#: strangers, photographed alike, one in twenty-five does.)
SAME_LOOK = 0.75
#: What is enough for somebody in the same place, with the same size. (Strangers: one in four.)
SAME_PLACE_LOOK = 0.5
_LOOK_NEEDED = 1.0  # seconds unseen, or sizes away, from which on a look has to agree
_IN_PLACE = 0.3  # sizes; somebody who is no further away after a cut was not touched by it
_IN_PLACE_GROWTH = 0.2  # logarithm of the change of size
_FAR = 20.0  # the cost of not being seen, and of what is impossible
_AFTER_CUT = 0.6  # seconds before a cut in which somebody must have been seen to be in place


@dataclass(frozen=True)
class Pace:
    """How far anybody can have got, in sizes: at once, and more in each second, of one second."""

    jump: float
    speed: float


FACE = Pace(0.6, 1.5)
BODY = Pace(0.25, 1.0)


class Sighting(Protocol):
    """A face or body in one picture."""

    @property
    def points(self) -> FloatArray:
        """Points in the picture, shape (n, 2), pixels; NaN where one is not seen."""

    @property
    def size(self) -> float:
        """The longer side of the box around it, pixels."""

    @property
    def look(self) -> FloatArray | None:
        """What correlates with itself in other pictures: mean 0, norm 1; None: not known."""


class Stretch:
    """Somebody, seen from some time to another.

    Parameters
    ----------
    number : int
        Its place among all stretches of the recording.
    first : Sighting
    time : float
        When that was, in seconds.

    Attributes
    ----------
    points, size, look, centre
        As last seen.
    last : float
        When that was.
    rivals : set of int
        Numbers of the stretches seen in the same picture: certainly somebody else.
    refused : bool
        It turned out to be nobody.
    drawn : bool or None
        Whether it turned out to be a drawing of somebody; None: nobody looked.
    """

    def __init__(self, number: int, first: Sighting, time: float) -> None:
        self.number = number
        self.points = first.points
        self.size = first.size
        self.look = first.look
        self.last = time
        self.velocity = np.zeros(2)
        self.rivals: set[int] = set()
        self.refused = False
        self.drawn: bool | None = None
        self._log = array("d")
        self._note()

    @property
    def first(self) -> float:
        """When it was first seen."""
        return float(self._log[0])

    @property
    def log(self) -> FloatArray:
        """All sightings, shape (n, 4): time, x and y of the centre, and size."""
        return np.array(self._log).reshape(-1, 4)

    def place(self, time: float) -> FloatArray:
        """Return x, y and size at a time; between sightings things move evenly."""
        log = self.log
        return np.array([np.interp(time, log[:, 0], log[:, k]) for k in (1, 2, 3)])

    def expected_at(self, time: float) -> FloatArray:
        """Where the points should be, if the movement goes on for up to half a second."""
        return np.asarray(self.points + self.velocity * min(time - self.last, 0.5))

    def move(self, time: float, points: FloatArray) -> None:
        """Take note of where somebody is who was not looked at closely."""
        elapsed = time - self.last
        if elapsed >= 0.5:
            self.velocity = np.zeros(2)
        elif elapsed > 0:
            share = min(1.0, elapsed / 0.15)
            way = _moved(self.points, points) / elapsed
            self.velocity = (1 - share) * self.velocity + share * way
        else:
            del self._log[-4:]  # a second, better look at the same picture
        self.points, self.last = points, time
        self._note()

    def see(self, found: Sighting, time: float) -> None:
        """Take note of a sighting."""
        self.size = found.size
        self.move(time, found.points)
        if self.look is not None and found.look is not None:
            look = 0.9 * self.look + 0.1 * found.look
            self.look = look / max(float(np.linalg.norm(look)), 1e-9)

    def _note(self) -> None:
        self.centre = centre_of(self.points)
        self._log.extend((self.last, *self.centre.tolist(), self.size))


class Linker:
    """Joins what is found in the pictures of a recording, one after the other.

    Parameters
    ----------
    pace : Pace
        How far anybody can get.

    Attributes
    ----------
    stretches : list of Stretch
        All so far.
    groups : list of (float, tuple of int)
        Each time at which others were together in the picture than before, and their numbers.
    looked : array of float
        The times of all pictures that were looked through.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.stretches: list[Stretch] = []
        self.groups: list[tuple[float, tuple[int, ...]]] = []
        self.looked = array("d")
        self._open: list[Stretch] = []
        self._scene_is_new = False

    def cut(self) -> None:
        """Tell that the film was cut: only who stays exactly in place is still the same."""
        self._scene_is_new = True

    def open(self) -> list[Stretch]:
        """Return the stretches that may go on."""
        return list(self._open)

    def see(self, time: float, found: Sequence[Sighting]) -> list[Stretch]:
        """Return the stretch that each of the faces or bodies in a picture belongs to."""
        self.looked.append(time)
        self._open = [stretch for stretch in self._open if time - stretch.last < FORGET]
        whose = _assign(self._open, found, time, None if self._scene_is_new else self.pace)
        if self._scene_is_new and found:
            self._open = [
                s for s, index in zip(self._open, whose, strict=True) if index is not None
            ]
            whose = [index for index in whose if index is not None]
            self._scene_is_new = False
        owner: dict[int, Stretch] = {}
        for stretch, index in zip(self._open, whose, strict=True):
            if index is not None:
                stretch.see(found[index], time)
                owner[index] = stretch
        for index, sighting in enumerate(found):
            if index not in owner:
                owner[index] = Stretch(len(self.stretches), sighting, time)
                self.stretches.append(owner[index])
                self._open.append(owner[index])
        return self._together(time, [owner[index] for index in range(len(found))])

    def _together(self, time: float, seen: list[Stretch]) -> list[Stretch]:
        numbers = tuple(sorted(stretch.number for stretch in seen))
        if numbers and (not self.groups or self.groups[-1][1] != numbers):
            self.groups.append((time, numbers))
            for stretch in seen:
                stretch.rivals.update(set(numbers) - {stretch.number})
        return seen


def centre_of(points: FloatArray) -> FloatArray:
    """Return the mean of the points that are seen."""
    seen = points[np.isfinite(points[:, 0])]
    return np.asarray(seen.mean(axis=0)) if len(seen) else np.full(2, np.nan)


def likeness(one: FloatArray | None, other: FloatArray | None) -> float | None:
    """Return how two looks correlate, None where one is not known."""
    return None if one is None or other is None else float(one @ other)


def _moved(before: FloatArray, now: FloatArray) -> FloatArray:
    """Return how far somebody moved (x, y): the median of the points that are seen both times."""
    if len(before) == 1:
        return np.asarray((now - before)[0])
    both = np.isfinite(before[:, 0]) & np.isfinite(now[:, 0])
    if both.any():
        return np.asarray(np.median((now - before)[both], axis=0))
    return centre_of(now) - centre_of(before)


def _assign(
    people: Sequence[Stretch], found: Sequence[Sighting], time: float, pace: Pace | None
) -> list[int | None]:
    """Return for each stretch the index of what belongs to it, or None."""
    whose: list[int | None] = [None] * len(people)
    if not found or not people:
        return whose
    cost = np.full((len(people), len(found) + len(people)), _FAR)
    cost[:, : len(found)] = _unlikeness(people, found, time, pace)
    for row, column in _cheapest(cost):
        if column < len(found) and cost[row, column] < _FAR:
            whose[row] = int(column)
    return whose


def _cheapest(cost: FloatArray) -> Iterator[tuple[int, int]]:
    """Yield row and column of the cheapest assignment; one row needs no SciPy, which loads long."""
    if len(cost) == 1:
        yield 0, int(np.argmin(cost[0]))
        return
    from scipy.optimize import linear_sum_assignment

    yield from zip(*linear_sum_assignment(cost), strict=True)


def _unlikeness(
    people: Sequence[Stretch], found: Sequence[Sighting], time: float, pace: Pace | None
) -> FloatArray:
    """Return how little speaks for each to be each, shape (people, found); `_FAR` if it cannot be.

    `pace` is None right after a cut.
    """
    elapsed = np.array([[time - person.last] for person in people])
    with np.errstate(all="ignore"):  # points that are not seen
        distance, growth = _changes(people, found, time)
    looks = [item.look for item in (*people, *found)]
    unlike = np.zeros(distance.shape)
    if all(look is not None for look in looks):
        unlike = 1.0 - np.array(looks[: len(people)]) @ np.array(looks[len(people) :]).T
    if pace is None:
        possible = (distance <= _IN_PLACE) & (growth <= _IN_PLACE_GROWTH) & (elapsed <= _AFTER_CUT)
        possible &= unlike <= 1.0 - SAME_LOOK
    else:
        soon = np.minimum(elapsed, 1.0)
        possible = (distance <= pace.jump + pace.speed * soon) & (growth <= 0.5 + soon)
        surely = np.maximum(elapsed, distance) <= _LOOK_NEEDED
        possible &= surely | (unlike <= 1.0 - SAME_PLACE_LOOK)
    cost = np.where(possible, 2.0 * distance + growth + 4.0 * unlike, _FAR)
    return np.minimum(cost, _FAR)


def _changes(
    people: Sequence[Stretch], found: Sequence[Sighting], time: float
) -> tuple[FloatArray, FloatArray]:
    """Return how far each would have gone to be each, in sizes, and how much grown (log, >= 0).

    By the median of the points that are seen both times: who is half hidden has not moved.
    """
    before = np.array([person.expected_at(time) for person in people])[:, None]
    now = np.array([sighting.points for sighting in found])[None]
    both = np.isfinite(before[..., 0]) & np.isfinite(now[..., 0])
    count = both.sum(axis=2)
    steps = np.sort(np.where(both[..., None], now - before, np.inf), axis=2)
    middle = [np.maximum(count - k, 0) // 2 for k in (1, 0)]
    lower, upper = (np.take_along_axis(steps, m[..., None, None], 2)[:, :, 0] for m in middle)
    step = (lower + upper) / 2
    was = np.array([person.centre for person in people])
    apart = np.array([centre_of(sighting.points) for sighting in found])[None] - was[:, None]
    step = np.where(count[..., None] > 0, step, apart)
    sizes = [np.array([item.size for item in items]) for items in (people, found)]
    size = np.maximum(np.maximum(sizes[0][:, None], sizes[1][None]), 1e-9)
    growth = np.zeros(size.shape)
    if before.shape[2] == 1:
        growth = np.log(sizes[1][None] / sizes[0][:, None])
    else:
        extents = [
            np.where(both[..., None], points, -np.inf).max(axis=2)
            - np.where(both[..., None], points, np.inf).min(axis=2)
            for points in (before, now)
        ]
        ratio = np.log(extents[1].max(axis=2) / extents[0].max(axis=2))
        growth = np.where((count >= 3) & np.isfinite(ratio), ratio, 0.0)
    return np.hypot(step[..., 0], step[..., 1]) / size, np.abs(growth)
