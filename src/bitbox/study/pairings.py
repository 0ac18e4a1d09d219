"""Who is exchanged with whom, to tell whether right pairings match better than wrong ones.

People are exchanged within a group, all their recordings together: one takes the models of another,
recording by recording of the same condition and session. Where all have the same models there are
no wrong pairings of people. Then recordings in which something else was shown stand in.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

#: With more pairings than this, only so many people are exchanged with each other.
MOST = 5000
#: How many, at the least.
SMALLEST = 6
OTHER_PEOPLE = "own model against other people's"
OTHER_CONTENT = "own model against other content"
#: As a condition: all conditions together.
ALL = "all"


class Recorded(NamedTuple):
    """A pair that was compared.

    Attributes
    ----------
    id, group, condition, session : str
        What the manifest says.
    choice : str
        Which signals were measured; others cannot be compared with these.
    shown : str
        What was shown: the same where the model is.
    """

    id: str
    group: str
    condition: str
    session: str
    choice: str
    shown: str


#: What a person or a recording is compared with: by slot, such as condition and session, the number
#: of the pair.
Unit = Mapping[Hashable, int]


@dataclass(frozen=True)
class Exchange:
    """Which units may be exchanged, to be tested together.

    Attributes
    ----------
    test : str
        `OTHER_PEOPLE` or `OTHER_CONTENT`.
    group, condition : str
        Of whom; the condition may be `ALL`.
    blocks : tuple of tuples of Unit
        Units of one block are exchanged; all of a block have the same slots.
    one_person : bool
        Whether the units of a block are recordings of one person.
    """

    test: str
    group: str
    condition: str
    blocks: tuple[tuple[Unit, ...], ...]
    one_person: bool = False


@dataclass(frozen=True)
class Pairings:
    """The pairings of a study, right and wrong.

    Parameters
    ----------
    pairs : mapping of int to Recorded
        The pairs that were compared, by their number.
    seed : int
        Where random numbers start.
    """

    pairs: Mapping[int, Recorded]
    seed: int

    @property
    def circle(self) -> int | None:
        """People that are exchanged with each other, at the most; None: all of a group."""
        count = len(self.pairs)
        return max(SMALLEST, MOST // count) if count**2 > MOST else None

    def exchanges(self) -> list[Exchange]:
        """Return what is tested: in every group each condition, and all, or other content."""
        groups = dict.fromkeys(pair.group for pair in self.pairs.values())
        return [each for group in groups for each in self._of_group(group)]

    def shown(self, unit: Unit) -> tuple[str, ...]:
        """Return what a unit was shown, slot by slot."""
        return tuple(self.pairs[unit[slot]].shown for slot in sorted(unit, key=str))

    def wanted(self, exchanges: Iterable[Exchange]) -> dict[int, tuple[int, ...]]:
        """Return, for each pair that takes part, the pairs whose models it is compared with.

        A pair is the first of those with this model; its own is among them.
        """
        found: dict[int, set[int]] = {}
        for exchange in exchanges:
            for block in exchange.blocks:
                for unit in block:
                    for slot, k in unit.items():
                        found.setdefault(k, {k})
                        found[k] |= {self.against(k, other[slot]) for other in block}
        return {k: tuple(sorted(found[k])) for k in sorted(found)}

    def against(self, number: int, other: int) -> int:
        """Return with which pair's model one is compared, to compare it with that of another."""
        shown = self.pairs[other].shown
        return number if self.pairs[number].shown == shown else self._first[shown]

    @cached_property
    def _first(self) -> dict[str, int]:
        first: dict[str, int] = {}
        for k, pair in self.pairs.items():
            first.setdefault(pair.shown, k)
        return first

    def _of_group(self, group: str) -> list[Exchange]:
        inside = [k for k, pair in self.pairs.items() if pair.group == group]
        conditions = list(dict.fromkeys(self.pairs[k].condition for k in inside))
        found, differing = [], []
        for name in conditions:
            part = [k for k in inside if self.pairs[k].condition == name]
            found.append(Exchange(OTHER_PEOPLE, group, name, self._of_people(part, True)))
            differing.append(part if self.differ(found[-1]) else [])
        if sum(map(bool, differing)) > 1:
            together = self._of_people(sorted(k for part in differing for k in part), True)
            found.append(Exchange(OTHER_PEOPLE, group, ALL, together))
        if any(self.differ(each) for each in found):
            return found
        own = Exchange(OTHER_CONTENT, group, ALL, self._of_recordings(inside), one_person=True)
        if not self.differ(own):
            own = Exchange(OTHER_CONTENT, group, ALL, self._of_people(inside, False))
        return [*found, own]

    def differ(self, exchange: Exchange) -> bool:
        """Return whether what was shown differs anywhere between units that are exchanged."""
        return any(len(set(map(self.shown, block))) > 1 for block in exchange.blocks)

    def _of_people(self, numbers: Sequence[int], conditions: bool) -> tuple[tuple[Unit, ...], ...]:
        """Return blocks of people with recordings in the same slots.

        Parameters
        ----------
        numbers : sequence of int
            Pairs.
        conditions : bool
            False: conditions are no slots. Who has several recordings in a slot takes no part.
        """
        people: dict[str, dict[Hashable, int]] = {}
        several = set()
        for k in numbers:
            pair = self.pairs[k]
            slot = (pair.condition if conditions else "", pair.session, pair.choice)
            own = people.setdefault(pair.id, {})
            if slot in own:
                several.add(pair.id)
            own[slot] = k
        circles = self._circles(people)
        blocks: dict[Hashable, list[Unit]] = {}
        for name, unit in people.items():
            if name not in several:
                blocks.setdefault((circles[name], frozenset(unit)), []).append(unit)
        return tuple(tuple(block) for block in blocks.values() if len(block) > 1)

    def _of_recordings(self, numbers: Sequence[int]) -> tuple[tuple[Unit, ...], ...]:
        """Return blocks of recordings of one person each."""
        people: dict[Hashable, dict[str, int]] = {}
        for k in numbers:
            pair = self.pairs[k]
            name = f"{pair.condition} {pair.session} {k}"
            people.setdefault((pair.id, pair.choice), {})[name] = k
        blocks: list[tuple[Unit, ...]] = []
        for own in people.values():
            circles = self._circles(own)
            blocks += [
                tuple({"": k} for name, k in own.items() if circles[name] == circle)
                for circle in sorted(set(circles.values()))
            ]
        return tuple(block for block in blocks if len(block) > 1)

    def _circles(self, names: Iterable[str]) -> dict[str, int]:
        """Put names into circles at random, of about the same size; all into one where few."""
        order = sorted(names, key=self._drawn)
        count = 1 if self.circle is None else math.ceil(len(order) / self.circle)
        parts = np.array_split(np.arange(len(order)), max(1, count))
        return {order[k]: circle for circle, part in enumerate(parts) for k in part}

    def _drawn(self, name: str) -> str:
        return hashlib.sha256(f"{self.seed} {name}".encode()).hexdigest()
