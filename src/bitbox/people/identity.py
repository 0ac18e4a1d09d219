"""Whom a recording is about: decided from all stretches of it, when it has been seen to the end.

Stretches of the same person are brought together by what they look like and where they are;
who is ever seen beside somebody is somebody else. Then one person is chosen, and held:

- ``'largest'`` is the largest in the first picture with anybody who stays; a drawing of somebody is
  passed over if anybody else stays;
- ``'left'``, ``'right'`` and numbers (from the left, from 0) are decided where as many as it takes
  are first seen side by side, and hold before as after; where nobody is ever seen beside another,
  by where they mostly are;
- when the chosen one is gone for two seconds, the next one who stays is followed, but never anybody
  who was ever seen beside one followed before, and with ``'left'``, ``'right'`` or a number only
  somebody in the same place.

Everything else is missing. Findings say whom was followed, and when that changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.people.stretches import SAME_LOOK, SAME_PLACE_LOOK, Linker, Stretch, likeness

FloatArray = NDArray[np.float64]

#: Seconds after which somebody who is not seen any more is gone.
GONE = 2.0
#: Seconds that somebody must be seen to count (less in recordings of less than three).
STAYS = 1.0
#: Sizes between where one person was and where another one is in the same place.
THE_PLACE = 1.0
_SHARE = 0.4  # of the time of whoever is seen longest, which counts in any case
_STEP = 0.6  # seconds between sightings up to which somebody is seen in between as well
_MOST = 1000  # stretches that are compared with each other, the longest
_SAME_PLACE = 0.5  # sizes between where somebody was lost and where the same one is found
_PLACE_COUNTS = 0.2  # how much more likely the same place makes the same person, as likeness
_SAME_SIZE = 0.6  # the smaller's size in shares of the larger's


def check_choice(which: str | int, noun: str = "face") -> None:
    """Raise ParameterError unless it can be said who that is."""
    named = isinstance(which, str) and which in {"largest", "left", "right"}
    numbered = isinstance(which, int) and not isinstance(which, bool) and which >= 0
    if not (named or numbered):
        raise ParameterError(
            f"The choice of {noun} is not known.",
            expected="'largest', 'left', 'right' or a number from 0 (the first from the left)",
            got=repr(which),
        )


class Person:
    """Stretches of the same person, in the order of time; none overlap."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.stretches = sorted(stretches, key=lambda stretch: stretch.first)
        self.numbers = {stretch.number for stretch in stretches}
        self.rivals = set().union(*(stretch.rivals for stretch in stretches))

    @property
    def is_drawn(self) -> bool:
        """Whether wherever somebody looked it was a drawing."""
        looked = [stretch.drawn for stretch in self.stretches if stretch.drawn is not None]
        return bool(looked) and all(looked)

    def is_beside(self, other: Person) -> bool:
        """Tell whether both were ever seen in the same picture."""
        return bool(self.rivals & other.numbers)

    def seen(self, start: float = -np.inf, stop: float = np.inf) -> float:
        """Return how many seconds the person is seen for between two times."""
        total = 0.0
        for stretch in self.stretches:
            if stretch.first < stop and stretch.last > start:
                steps = np.diff(stretch.log[:, 0].clip(start, stop))
                total += float(steps[steps <= _STEP].sum())
        return total

    def usual_place(self) -> FloatArray:
        """Return the median of x, y and size."""
        return np.asarray(np.median(np.concatenate([s.log[:, 1:] for s in self.stretches]), axis=0))


@dataclass(frozen=True)
class Span:
    """From when to when a stretch is the one to follow, in seconds."""

    start: float
    stop: float
    stretch: Stretch


@dataclass(frozen=True)
class Choice:
    """Who is followed, from when to when.

    Parameters
    ----------
    spans : tuple of Span
        In the order of time.
    findings : tuple of Finding
        What there is to say about the choice.
    """

    spans: tuple[Span, ...] = ()
    findings: tuple[Finding, ...] = ()

    def at(self, time: float) -> Stretch | None:
        """Return the stretch to follow at a time."""
        index = bisect_right(self.spans, time, key=lambda span: span.start) - 1
        if index < 0 or time > self.spans[index].stop:
            return None
        return self.spans[index].stretch


def choose(linker: Linker, which: str | int, *, end: float, noun: str = "face") -> Choice:
    """Decide whom a recording is about.

    Parameters
    ----------
    linker : Linker
        What was seen.
    which : {"largest", "left", "right"} or int
        Whom to follow, see above.
    end : float
        When the recording ends, in seconds.
    noun : str
        What is followed, for the findings.

    Raises
    ------
    ParameterError
        If `which` is something else.
    """
    check_choice(which, noun)
    people = gather([stretch for stretch in linker.stretches if not stretch.refused])
    most = max((person.seen() for person in people), default=0.0)
    staying = [p for p in people if p.seen() >= min(STAYS, _SHARE * most)]
    if which == "largest":
        staying = [person for person in staying if not person.is_drawn] or staying
    first = _first_choice(linker, staying, which)
    if first is None:
        return Choice()
    followed = [first]
    spans: list[Span] = []
    start = -np.inf
    while True:
        current = followed[-1]
        change = _next(staying, followed, which, start, end)
        stop = np.inf if change is None else change[0]
        spans += [
            Span(max(s.first, start), s.last, s)
            for s in current.stretches
            if s.last >= start and s.first < stop
        ]
        if change is None:
            break
        start = change[0]
        followed.append(change[1])
    told = (
        *_about_choice(people, first, which, noun),
        *_about_changes(spans, noun),
        *_about_absence(linker, spans, noun),
        *_about_drawings(people, followed, spans, noun),
    )
    return Choice(tuple(spans), told)


def gather(stretches: Sequence[Stretch]) -> list[Person]:
    """Bring together the stretches of the same person, the surest first.

    Returns
    -------
    list of Person
        In the order in which they were first seen.
    """
    longest = sorted(stretches, key=lambda stretch: (stretch.first - stretch.last, stretch.number))
    ordered = sorted(longest[:_MOST], key=lambda stretch: (stretch.first, stretch.number))
    groups = {index: [stretch] for index, stretch in enumerate(ordered)}
    whose = list(range(len(ordered)))
    for earlier, later in _same(ordered):
        one, two = whose[earlier], whose[later]
        if one == two or any(_overlap(a, b) for a in groups[one] for b in groups[two]):
            continue
        groups[one] += groups.pop(two)
        whose = [one if owner == two else owner for owner in whose]
    people = [Person(group) for group in [*groups.values(), *([s] for s in longest[_MOST:])]]
    return sorted(people, key=lambda person: person.stretches[0].first)


def _same(ordered: Sequence[Stretch]) -> list[tuple[int, int]]:
    """Return which two stretches may be of the same person, the surest first."""
    if len(ordered) < 2:
        return []
    ends = [stretch.log[[0, -1], 1:] for stretch in ordered]
    first, last = np.array(ends).transpose(1, 0, 2)  # x, y and size
    size = np.maximum(np.maximum(last[:, None, 2], first[None, :, 2]), 1e-9)
    away = np.hypot(*(last[:, None, k] - first[None, :, k] for k in (0, 1))) / size
    smaller = np.minimum(last[:, None, 2], first[None, :, 2])
    in_place = (away <= _SAME_PLACE) & (smaller > _SAME_SIZE * size)
    looks = [stretch.look for stretch in ordered if stretch.look is not None]
    if len(looks) == len(ordered):
        look = np.array(looks) @ np.array(looks).T
        same = (look >= SAME_LOOK) | (in_place & (look >= SAME_PLACE_LOOK))
        sure = look + _PLACE_COUNTS * in_place
    else:
        same, sure = in_place, 1.0 - away
    starts, stops = (np.array([getattr(s, name) for s in ordered]) for name in ("first", "last"))
    pairs = np.argwhere(same & (stops[:, None] < starts[None, :]))
    order = np.argsort(-sure[tuple(pairs.T)], kind="stable")
    return [(int(earlier), int(later)) for earlier, later in pairs[order]]


def _overlap(one: Stretch, two: Stretch) -> bool:
    return one.first <= two.last and two.first <= one.last


def _first_choice(linker: Linker, staying: Sequence[Person], which: str | int) -> Person | None:
    """Return the person that the recording is about, to begin with."""
    owner = {number: person for person in staying for number in person.numbers}
    needed = 1 if which == "largest" else 2
    if isinstance(which, int):
        needed = max(2, which + 1)
    for time, numbers in linker.groups:
        places = [(linker.stretches[n].place(time), owner[n]) for n in numbers if n in owner]
        if len(places) >= needed:
            return _pick(places, which)
    if isinstance(which, int) and which > 0:
        return None
    return _pick([(person.usual_place(), person) for person in staying], which)


def _pick(places: list[tuple[FloatArray, Person]], which: str | int) -> Person | None:
    """Return who is called so, of some people at (x, y, size)."""
    if not places:
        return None
    if which == "largest":
        return max(places, key=lambda item: float(item[0][2]))[1]
    by_side = sorted(places, key=lambda item: float(item[0][0]))
    place = which if isinstance(which, int) else {"left": 0, "right": -1}[which]
    return by_side[place][1]


def _next(
    staying: Sequence[Person],
    followed: Sequence[Person],
    which: str | int,
    start: float,
    end: float,
) -> tuple[float, Person] | None:
    """Return who comes after the one followed last, and when; None if nobody does."""
    current = followed[-1]
    for lost, back in _absences(current, start, end):
        coming = []
        for person in staying:
            if person is current or not _may_follow(person, followed, which):
                continue
            begins = [
                max(s.first, lost) for s in person.stretches if lost < s.last and s.first < back
            ]
            if begins and person.seen(lost, back) >= min(STAYS, back - lost):
                coming.append((begins[0], -float(person.usual_place()[2]), person))
        if coming:
            first = min(coming, key=lambda item: item[:2])
            return first[0], first[2]
    return None


def _absences(person: Person, start: float, end: float) -> list[tuple[float, float]]:
    """Return from when to when somebody is gone, after some time."""
    seen = [s for s in person.stretches if s.last >= start]
    until = [s.last for s in seen]
    again = [*(s.first for s in seen[1:]), end]
    return [(a, b) for a, b in zip(until, again, strict=True) if b - a >= GONE]


def _may_follow(person: Person, followed: Sequence[Person], which: str | int) -> bool:
    if any(person.is_beside(other) for other in followed):
        return False
    if which == "largest":
        return True
    place, other = person.usual_place(), followed[0].usual_place()
    return bool(np.hypot(*(place[:2] - other[:2])) <= THE_PLACE * max(place[2], other[2]))


def _about_choice(
    people: Sequence[Person], first: Person, which: str | int, noun: str
) -> list[Finding]:
    """Say so where the chosen one comes later than somebody else."""
    begins = first.stretches[0].first
    earlier = [p for p in people if p is not first and p.stretches[0].first < begins]
    if not earlier or begins - earlier[0].stretches[0].first < STAYS:
        return []
    return [
        Finding(
            "chosen-later",
            "warning",
            f"Until {begins:.2f} s only somebody else is seen than the {noun} that is meant by"
            f" {which!r}; those frames are missing.",
            "Check that it is the right one; if not, choose another.",
        )
    ]


def _about_changes(spans: Sequence[Span], noun: str) -> list[Finding]:
    """Say so where it may be somebody else who is followed after a long absence."""
    unsure = []
    for before, after in pairwise(spans):
        look = likeness(before.stretch.look, after.stretch.look)
        if look is None or look < SAME_LOOK:
            unsure.append((before.stop, after.start))
    if not unsure:
        return []
    return [
        Finding(
            "another-person",
            "warning",
            f"The {noun} followed is not seen any more after {unsure[0][0]:.2f} s; from"
            f" {unsure[0][1]:.2f} s on the next that stays is followed, perhaps of somebody else"
            + (f" (and {len(unsure) - 1} times more)." if len(unsure) > 1 else "."),
            "Check that it is the same person; if not, cut the recording there.",
        )
    ]


def _about_absence(linker: Linker, spans: Sequence[Span], noun: str) -> list[Finding]:
    """Say so where others were seen but not the chosen one."""
    mine = {span.stretch.number for span in spans}
    seen = np.concatenate([span.stretch.log[:, 0] for span in spans])
    others = [s.log[:, 0] for s in linker.stretches if s.number not in mine and not s.refused]
    looked = np.array(linker.looked)
    alone = looked[np.isin(looked, np.concatenate([*others, []])) & ~np.isin(looked, seen)]
    alone = alone[alone > spans[0].start]
    if not len(alone):
        return []
    return [
        Finding(
            "only-others",
            "warning",
            f"In {len(alone)} frames, first at {alone[0]:.2f} s, the {noun} followed is not seen"
            " while somebody else is, who was not followed.",
            "Those frames are missing. To follow the other one, choose that one.",
        )
    ]


def _about_drawings(
    people: Sequence[Person], followed: Sequence[Person], spans: Sequence[Span], noun: str
) -> list[Finding]:
    """Say so where a drawing is followed, or was passed over."""
    drawn = [span for span in spans if span.stretch.drawn]
    passed = [person for person in people if person.is_drawn and person not in followed]
    if drawn:
        message = (
            f"The {noun} followed from {drawn[0].start:.2f} to {drawn[-1].stop:.2f} s looks drawn:"
            " its colours are as even as paint, and skin never is."
        )
        todo = "If it is no person, cut it out of the recording or choose another."
    elif passed:
        first = passed[0].stretches[0]
        message = (
            f"At {first.first:.2f} s there is a {noun} that looks drawn: its colours are as even as"
            " paint. It was passed over for another."
        )
        todo = "If it was the right one, choose it by 'left', 'right' or a number."
    else:
        return []
    return [Finding("drawn", "warning", message, todo)]
