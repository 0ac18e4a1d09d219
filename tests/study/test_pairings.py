"""Right pairings of people and models against wrong ones: who is exchanged, and what it finds."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.analysis.options import Options
from bitbox.analysis.quick_z import quick_z
from bitbox.errors import TooShortError
from bitbox.provenance import hash_file
from bitbox.social import imitation_quality
from bitbox.study.pair import Job, compare, ended
from bitbox.study.pairing_scores import Row, Shown, score
from bitbox.study.pairing_table import Chance
from bitbox.study.pairing_test import Block, right_pairings
from bitbox.study.pairings import ALL, OTHER_CONTENT, OTHER_PEOPLE, SMALLEST, Pairings, Recorded
from bitbox.sync import Offset
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow.clocks import Clocks
from bitbox.workflow.settings import Settings

RANDOM = np.random.default_rng(3)


class TestRightPairings:
    def test_exact_where_there_are_few(self) -> None:
        scores = RANDOM.normal(size=(5, 5, 2)) + 0.7 * np.eye(5)[:, :, None]
        found = right_pairings([Block(scores, range(5))], seed=1)
        means = np.array(
            [
                np.mean([scores[i, j] for i, j in enumerate(order)], axis=0)
                for order in itertools.permutations(range(5))
            ]
        )
        assert found.n_permutations == 120
        assert found.p == pytest.approx((means >= means[0] - 1e-12).mean(axis=0))
        z = (means - means.mean(axis=0)) / means.std(axis=0)
        assert found.t == pytest.approx(z[0])
        assert found.p_fwer == pytest.approx(
            [(z.max(axis=1) >= value - 1e-12).mean() for value in z[0]]
        )
        rest = [np.delete(scores[i], i, axis=0).mean(axis=0) for i in range(5)]
        assert found.estimate == pytest.approx(np.mean(scores[range(5), range(5)] - rest, axis=0))

    def test_blocks_are_exchanged_by_themselves(self) -> None:
        blocks = [Block(RANDOM.normal(size=(3, 3, 1)), range(3)) for _ in range(2)]
        found = right_pairings(blocks, seed=1)
        orders = list(itertools.permutations(range(3)))
        sums = [
            sum(
                b.scores[i, j, 0] for b, o in zip(blocks, two, strict=True) for i, j in enumerate(o)
            )
            for two in itertools.product(orders, orders)
        ]
        assert found.n_permutations == 36
        assert found.p[0] == pytest.approx(np.mean(np.array(sums) >= sums[0] - 1e-12))

    def test_what_people_and_models_are_like_by_themselves_plays_no_part(self) -> None:
        scores = RANDOM.normal(size=(9, 9, 1))
        more = scores + RANDOM.normal(size=(9, 1, 1)) + RANDOM.normal(size=(1, 9, 1))
        two = [right_pairings([Block(s, range(9))], seed=1) for s in (scores, more)]
        assert two[0].p == pytest.approx(two[1].p)
        assert two[0].n_permutations == 10_000

    def test_too_few_ways_give_no_p(self) -> None:
        scores = 5 * np.eye(6)[:, :, None] + RANDOM.normal(size=(6, 6, 1))
        found = right_pairings([Block(scores, "aaaaab")], seed=1)  # six ways
        assert np.isnan(found.p).all()
        assert found.g[0] > 0
        halves = np.arange(6) < 3  # twenty ways, each 36 times
        two = 1.0 * (halves[:, None] == halves)[:, :, None]
        assert right_pairings([Block(two, "aaabbb")], seed=1).p[0] == pytest.approx(1 / 20)

    def test_a_pairing_without_score_counts_nowhere(self) -> None:
        scores = RANDOM.normal(size=(6, 6, 2)) + 4 * np.eye(6)[:, :, None]
        scores[0, 3] = np.nan
        scores[:, :, 1] = np.nan
        found = right_pairings([Block(scores, range(6))], seed=1)
        assert found.p[0] < 0.01
        assert np.isnan(found.p[1])
        assert found.n[0].tolist() == [6, 0]

    def test_a_person_counts_once_however_many_recordings(self) -> None:
        blocks = [
            Block(RANDOM.normal(size=(n, n, 1)), range(n), one_person=True) for n in (2, 3, 4)
        ]
        found = right_pairings(blocks, seed=1)
        assert found.n[0, 0] == 3
        means = [block.differences().mean() for block in blocks]
        assert found.estimate[0] == pytest.approx(np.mean(means))

    def test_level(self) -> None:
        """Six people whose recordings are alike in three conditions: one of twenty studies."""
        random = np.random.default_rng(11)
        hits = 0
        for k in range(200):
            scores = random.normal(size=(6, 6, 5)) + random.normal(size=(6, 6, 1))
            scores += random.normal(size=(6, 1, 5)) * 3 + random.normal(size=(1, 6, 5)) * 3
            found = right_pairings([Block(scores, range(6))], k, 199, intervals=False)
            hits += bool((found.p_fwer <= 0.05).any())
        assert 2 <= hits <= 20


def pairs(*rows: str) -> Pairings:
    """Return pairings of rows such as ``anna a dance 1 film``."""
    split = [row.split() for row in rows]
    return Pairings({k: Recorded(*r[:4], "", r[4]) for k, r in enumerate(split)}, seed=1)


class TestWhoIsExchanged:
    def test_people_within_groups_all_recordings_together(self) -> None:
        design = pairs(
            *(
                f"{who} {'a' if who in 'pqr' else 'b'} {c} 1 {who}{c}"
                for who in "pqrst"
                for c in "xy"
            )
        )
        found = design.exchanges()
        assert [(e.test, e.group, e.condition) for e in found] == [
            (OTHER_PEOPLE, g, c) for g in "ab" for c in ("x", "y", ALL)
        ]
        together = found[2].blocks
        assert [[sorted(unit.values()) for unit in block] for block in together] == [
            [[0, 1], [2, 3], [4, 5]]
        ]
        assert design.wanted(found)[0] == (0, 2, 4)

    def test_only_people_with_the_same_recordings(self) -> None:
        rows = [f"{who} a x {s} {who}{s}" for who in "pqrs" for s in "12" if who + s != "s2"]
        (found,) = pairs(*rows).exchanges()
        assert len(found.blocks) == 1
        assert len(found.blocks[0]) == 3  # s has nobody to be exchanged with

    def test_a_condition_in_which_all_saw_the_same_is_not_mixed_in(self) -> None:
        rows = [f"{who} a {c} 1 {'film' if c == 'y' else who}" for who in "pqrs" for c in "xy"]
        found = pairs(*rows).exchanges()
        assert [e.condition for e in found] == ["x", "y"]

    def test_one_model_for_all_leaves_other_content(self) -> None:
        rows = [f"{who} a {c} 1 film{c}" for who in "pqrs" for c in "xyz"]
        design = pairs(*rows)
        *people, content = design.exchanges()
        assert not any(design.differ(each) for each in people)
        assert content.test == OTHER_CONTENT
        assert content.one_person
        assert len(content.blocks) == 4
        assert design.wanted([content])[4] == (0, 2, 4)  # the first of each, and its own

    def test_who_saw_one_thing_each_is_exchanged_with_who_saw_another(self) -> None:
        design = pairs(
            *(f"{who} a {'x' if who in 'pq' else 'y'} 1 {who in 'pq'}" for who in "pqrs")
        )
        content = design.exchanges()[-1]
        assert content.test == OTHER_CONTENT
        assert not content.one_person
        assert [len(block) for block in content.blocks] == [4]

    def test_nothing_to_exchange(self) -> None:
        design = pairs(*(f"{who} a x 1 film" for who in "pqrs"))
        assert not any(design.differ(each) for each in design.exchanges())

    def test_circles_bound_what_is_scored(self) -> None:
        design = pairs(*(f"p{k} a x 1 m{k}" for k in range(1000)))
        (found,) = design.exchanges()
        sizes = [len(block) for block in found.blocks]
        assert design.circle == SMALLEST
        assert sum(sizes) == 1000
        assert set(sizes) <= {5, 6}
        assert sum(map(len, design.wanted([found]).values())) <= 6000


def test_a_thousand_people_can_be_exchanged_in_more_ways_than_there_are_numbers(
    tmp_path: Path,
) -> None:
    """At least as floating point: 720 to the power of 150."""
    design = pairs(*(f"p{k} a x 1 m{k}" for k in range(900)))
    names = [f"p{k}" for k in range(900)]
    table = Chance(design, design.exchanges(), {}, names, tmp_path).table(["smile"], seed=1)
    assert [row["test"] for row in table] == [OTHER_PEOPLE]
    assert table[0]["note"].endswith("pairings have no score and count nowhere.")


def job(folder: Path, name: str, participant: Path, model: Path, settings: Settings) -> Job:
    sources = {"participant": hash_file(participant), "model": hash_file(model)}
    return Job(name, participant, model, settings, sources, folder / name, folder / "cache")


def _reading(row: Row) -> tuple[Any, ...]:
    """Return how the model of a row is read."""
    loading = json.dumps(row.job.settings.loading("model"), sort_keys=True)
    return "model", None, loading, row.job.cache, row.job.sources["model"]


class TestScores:
    @pytest.fixture
    def rows(self, tmp_path: Path) -> list[Row]:
        """Two pairs on clocks that differ, of which stretches are compared."""
        jobs = []
        for k, settings in enumerate(
            (
                Settings(n_surrogates=19, seed=1, offset=7.0, model_start=3.0, model_end=38.0),
                Settings(n_surrogates=19, seed=1, start=5.0),
            )
        ):
            pair = imitated_pair(3, duration=45, seed=k)
            participant = pair.participant.shifted(-float(settings.offset))
            files = tmp_path / f"p{k}.parquet", tmp_path / f"m{k}.parquet"
            participant.to_parquet(files[0])
            pair.model.to_parquet(files[1])
            jobs.append(job(tmp_path, f"pair{k}", *files, settings))
            assert compare(jobs[-1])["error"] is None
        records = [j.record() or {} for j in jobs]
        shown = tuple(Shown.of(j, r) for j, r in zip(jobs, records, strict=True))
        return [
            Row(j, r, shown, tmp_path / "pairings" / f"{j.name}.json")
            for j, r in zip(jobs, records, strict=True)
        ]

    def test_right_and_wrong_pairings(self, rows: list[Row]) -> None:
        for k, row in enumerate(rows):
            assert score(row) == ended(f"pair{k}")
            assert row.is_done()
            found = row.kept()
            own, other = (found[f"pair{j}"]["z"] for j in (k, 1 - k))
            assert min(own.values()) > max(2, *map(abs, other.values()))
        pair = imitated_pair(3, duration=45, seed=0)
        cut = pair.participant.between(3.0, 38.0), pair.model.between(3.0, 38.0)
        direct = quick_z(*cut, Options(width=2.0, lag=1.2, polarity=False))
        assert rows[0].kept()["pair0"]["z"] == pytest.approx(direct, rel=1e-6)

    def test_only_what_is_missing_is_scored(self, rows: list[Row], monkeypatch) -> None:
        row = rows[0]
        score(row)
        before = row.path.read_bytes()
        found = row.kept()
        found["pair1"]["key"] = "another"
        row.path.write_text(json.dumps({**found, "gone": {"key": "x"}}), encoding="utf-8")
        assert not row.is_done()
        asked = []
        from bitbox.study import pairing_scores

        real = pairing_scores._scored
        monkeypatch.setattr(
            pairing_scores, "_scored", lambda r, s: asked.append(s.name) or real(r, s)
        )
        score(row)
        assert asked == ["pair1"]
        assert row.path.read_bytes() == before

    def test_nobody_is_compared_with_oneself(self, rows: list[Row]) -> None:
        """As where two people imitate each other, each the other's model."""
        row = rows[0]
        turned = Shown(
            "turned",
            row.job.participant,
            row.job.sources["participant"],
            rows[1].models[0].settings,
            (0, 9),
        )
        alone = Row(row.job, row.record, (*row.models, turned), row.path)
        score(alone)
        assert alone.kept()["turned"]["z"] == {}
        assert "same person" in alone.kept()["turned"]["error"]

    def test_why_a_pairing_has_no_score_is_kept(self, rows: list[Row]) -> None:
        row = rows[0]
        short = replace(row.models[0], name="short", stretch=(3.0, 6.0))
        score(Row(row.job, row.record, (short,), row.path))
        found = row.kept()["short"]
        assert found["z"] == {}
        assert "too short" in found["error"].lower()

    def test_what_cannot_be_read_any_more_is_no_score(self, rows: list[Row]) -> None:
        """It is told, what can be scored is, and it is tried again."""
        row = rows[0]
        path = row.models[1].path
        away = path.rename(path.with_suffix(".away"))
        assert "There is no file" in score(row)["error"]
        assert list(row.kept()) == ["pair0"]
        assert not row.is_done()
        path.write_bytes(row.models[0].path.read_bytes())
        assert "m1.parquet was changed while the study ran" in score(row)["error"]
        assert list(row.kept()) == ["pair0"]
        away.rename(path)
        assert score(row)["error"] is None
        assert row.is_done()

    def test_models_are_read_once_for_all_participants_and_not_all_are_held(
        self, rows: list[Row], monkeypatch
    ) -> None:
        from bitbox.study import pairing_scores

        read = []
        real = pairing_scores.load_recording
        monkeypatch.setattr(
            pairing_scores,
            "load_recording",
            lambda path, *given, **named: read.append(path.name) or real(path, *given, **named),
        )
        for row in rows:
            score(row)
        assert sorted(read) == ["m0.parquet", "m1.parquet", "p0.parquet", "p1.parquet"]
        shelf = pairing_scores._Shelf(1)
        held = [pairing_scores._load(row.job.model, *_reading(row)) for row in rows]
        for name in "abcabc":
            assert shelf.get(name, lambda: held[0]) is held[0]
        assert len(shelf._held) == 2

    @pytest.mark.parametrize("ppm", [40_000.0, -40_000.0])
    def test_drift_is_taken_out_of_right_and_wrong_pairings(
        self, tmp_path: Path, ppm: float
    ) -> None:
        """Three seconds, over 80, by which the participant would else be late or early."""
        pair = imitated_pair(3, duration=120, seed=5)
        steady, model = pair.participant.between(20.0, 100.0), pair.model.between(20.0, 100.0)
        found = Offset(7.0, 0.002, ppm, 3.0, 7.0, (-7.0, 113.0), "sound", True, "", None)
        # What the participant's own clock showed: that of the model, less the offset and the drift.
        moments = pair.participant.time - 7.0
        own = moments - (moments - 53.0) * ppm * 1e-6 / (1 + ppm * 1e-6)
        files = tmp_path / "p.parquet", tmp_path / "m.parquet"
        pair.participant.replace(time=own).to_parquet(files[0])
        pair.model.to_parquet(files[1])
        right = job(tmp_path, "pair", *files, Settings(offset="auto", remove_drift=True))
        scores = {}
        for removed in (True, False):
            clocks = Clocks(7.0, found, removed)
            record = {
                "clocks": json.loads(json.dumps(clocks.to_dict())),
                "stretch": [float(model.time[0]), float(model.time[-1])],
                "analysis": imitation_quality(steady, model, n_surrogates=19).provenance[
                    "parameters"
                ],
            }
            row = Row(right, record, (Shown.of(right, record),), tmp_path / f"{removed}.json")
            assert score(row)["error"] is None
            scores[removed] = row.kept()["pair"]
        direct = quick_z(steady, model, Options(width=2.0, lag=1.2, polarity=False))
        assert scores[True]["z"] == pytest.approx(direct, rel=0.05)
        assert max(scores[False]["z"].values()) < 0.7 * min(direct.values())
        assert scores[True]["key"] != scores[False]["key"]

    def test_too_short_for_shifts(self) -> None:
        pair = imitated_pair(2, duration=40, seed=1)
        with pytest.raises(TooShortError):
            quick_z(pair.participant.between(0, 5), pair.model, Options(width=2.0, lag=1.2))
