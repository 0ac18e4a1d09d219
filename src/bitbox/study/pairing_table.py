"""Chance over the study: what is to be scored for it, and the rows of the table of tests."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import OutputError
from bitbox.files import reason
from bitbox.statistics.inference import ALPHA
from bitbox.study.group_tests import LEAST_PEOPLE, mean_of
from bitbox.study.pair import Job
from bitbox.study.pairing_scores import Row, Shown
from bitbox.study.pairing_test import Block, right_pairings
from bitbox.study.pairings import OTHER_CONTENT, OTHER_PEOPLE, Exchange, Pairings, Recorded
from bitbox.study.tables import OVERALL, Done

FloatArray = NDArray[np.float64]

_OF_MODEL = ("start", "end", "face", "person", "flipped")


@dataclass(frozen=True)
class Chance:
    """What is tested over a study by exchanging models, and the scores that it needs.

    Attributes
    ----------
    pairings : Pairings
        Who can be exchanged with whom.
    exchanges : list of Exchange
        What is tested.
    rows : mapping of int to Row
        What is scored, by the number of the pair.
    names : sequence of str
        Of all pairs.
    folder : Path
        Where scores are kept.
    """

    pairings: Pairings
    exchanges: list[Exchange]
    rows: Mapping[int, Row]
    names: Sequence[str]
    folder: Path

    @classmethod
    def of(cls, done: Sequence[Done], jobs: Sequence[Job], folder: Path, seed: int) -> Chance:
        """Return the tests of a study.

        Parameters
        ----------
        done : sequence of Done
            The study; pairs that could not be compared take no part.
        jobs : sequence of Job
            The same, one a row.
        folder : Path
            Where scores are kept.
        seed : int
            Where random numbers start.
        """
        there = [k for k, row in enumerate(done) if row.record is not None]
        pairings = Pairings({k: _recorded(done[k], jobs[k]) for k in there}, seed)
        exchanges = pairings.exchanges()
        usable = [each for each in exchanges if pairings.differ(each)]
        models = {k: Shown.of(jobs[k], done[k].record or {}) for k in there}
        rows = {
            k: Row(
                jobs[k],
                done[k].record or {},
                tuple(models[j] for j in others),
                folder / f"{jobs[k].name}.json",
            )
            for k, others in pairings.wanted(usable).items()
        }
        return cls(pairings, exchanges, rows, [job.name for job in jobs], folder)

    def scores(self) -> dict[tuple[str, str], dict[str, float]]:
        """Return the scores that are on the disk: by pair and pair of the model, one a signal."""
        return {
            (row.job.name, name): one["z"]
            for row in self.rows.values()
            for name, one in row.kept().items()
        }

    def tidy(self) -> None:
        """Remove scores that no test needs any more: of a pair that failed since, for example.

        Raises
        ------
        OutputError
            They cannot be removed.
        """
        wanted = {row.path for row in self.rows.values()}
        for path in self.folder.glob("*.json"):
            if path not in wanted:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise OutputError(f"{path} cannot be removed: {reason(error)}.") from error

    def counted(self) -> dict[str, Any]:
        """Return what the record of the study says of it."""
        scores = self.scores()
        wanted = sum(len(row.models) for row in self.rows.values())
        return {
            "pairings": wanted,
            "without_score": wanted - sum(bool(one) for one in scores.values()),
            "people_exchanged_at_most": self.pairings.circle,
        }

    def table(self, signals: Sequence[str], seed: int) -> list[dict[str, Any]]:
        """Return the rows of the table of tests: the mean over all signals, then every signal."""
        scores = self.scores()
        return [row for each in self.exchanges for row in self._of_one(each, scores, signals, seed)]

    def _of_one(
        self,
        exchange: Exchange,
        scores: Mapping[tuple[str, str], Mapping[str, float]],
        signals: Sequence[str],
        seed: int,
    ) -> list[dict[str, Any]]:
        where = {
            "test": exchange.test,
            "score": "z",
            "group": exchange.group,
            "condition": exchange.condition,
        }
        blocks = [self._block(exchange, block, scores, signals) for block in exchange.blocks]
        note = self._why_not(exchange, blocks)
        if not self.pairings.differ(exchange):
            empty = dict.fromkeys(("estimate", "t", "p", "p_fwer", "g", "g_low", "g_high"), np.nan)
            return [{**where, "signal": OVERALL, "n": 0, **empty, "permutations": 0, "note": note}]
        missing = sum(int(np.isnan(block.scores[:, :, 0]).sum()) for block in blocks)
        if missing and not note:
            total = sum(len(block.models) ** 2 for block in blocks)
            note = f"{missing} of {total} pairings have no score and count nowhere."
        rows = []
        parts = [slice(0, 1), slice(1, None)] if len(signals) > 1 else [slice(1, None)]
        for part in parts:
            some = [Block(b.scores[:, :, part], b.models, b.one_person) for b in blocks]
            found = right_pairings(some, seed)
            for k, name in enumerate([OVERALL, *signals][part]):
                values = {
                    c: float(getattr(found, c)[k]) for c in ("estimate", "t", "p", "p_fwer", "g")
                }
                rows.append(
                    {
                        **where,
                        "signal": name,
                        "n": int(found.n[0, k]),
                        **values,
                        "g_low": found.low[k],
                        "g_high": found.high[k],
                        "permutations": found.n_permutations,
                        "note": note,
                    }
                )
        return rows

    def _block(
        self,
        exchange: Exchange,
        units: Sequence[Mapping[Any, int]],
        scores: Mapping[tuple[str, str], Mapping[str, float]],
        signals: Sequence[str],
    ) -> Block:
        """Return the scores of units with each other's models, the mean of all signals first."""
        values = np.full((len(units), len(units), len(signals)), np.nan)
        for i, unit in enumerate(units):
            for j, other in enumerate(units):
                each = [self._score(unit[s], other[s], scores, signals) for s in unit]
                values[i, j] = mean_of(np.array(each), 0)
        whole = np.concatenate([mean_of(values, 2)[:, :, None], values], axis=2)
        return Block(whole, [self.pairings.shown(unit) for unit in units], exchange.one_person)

    def _score(
        self,
        own: int,
        other: int,
        scores: Mapping[tuple[str, str], Mapping[str, float]],
        signals: Sequence[str],
    ) -> list[float]:
        key = self.names[own], self.names[self.pairings.against(own, other)]
        found = scores.get(key, {})
        return [found.get(signal, np.nan) for signal in signals]

    def _why_not(self, exchange: Exchange, blocks: Sequence[Block]) -> str:
        """Return why there is no p; empty where there is."""
        if not exchange.blocks:
            if exchange.test == OTHER_CONTENT:
                return "No person has recordings in which something else was shown."
            return (
                "There are no two people with recordings of the same conditions and sessions, "
                "so nobody can be paired with another's model."
            )
        if not self.pairings.differ(exchange):
            if exchange.test == OTHER_CONTENT:
                return (
                    "All were shown the same, so there are no trials of other content: this study "
                    "cannot tell whether people match what they saw better than something else."
                )
            return (
                "All have the same model, so exchanging models between people changes nothing: "
                "wrong pairings of people cannot be had."
            )
        ways = math.prod(block.arrangements for block in blocks)
        people = len(blocks) if exchange.one_person else sum(len(b.models) for b in blocks)
        if ways < 1 / ALPHA or people < LEAST_PEOPLE:
            return (
                f"Too few people: what was shown can be exchanged in {ways} ways only, and p could "
                "not be 0.05 with fewer than 20. Four people with different models are enough."
            )
        return ""


def _recorded(row: Done, job: Job) -> Recorded:
    labels = row.entry.labels
    how = [getattr(job.settings, f"model_{name}") for name in _OF_MODEL]
    return Recorded(
        labels["id"],
        labels["group"],
        labels["condition"],
        labels["session"],
        job.settings.signals or "",
        json.dumps([job.sources["model"], *how], default=str),
    )


__all__ = ["OTHER_CONTENT", "OTHER_PEOPLE", "Chance"]
