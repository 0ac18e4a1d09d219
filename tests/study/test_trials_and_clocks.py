"""Trials, and offsets that are found from sound, in a study's table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from validation.task_recordings import IMITATORS, simulate

from bitbox.analysis.trials import imitation_trials
from bitbox.errors import ParameterError
from bitbox.provenance import hash_file
from bitbox.study import Study, read_manifest
from bitbox.study.pair import Job, compare
from bitbox.study.study import PAIRINGS
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow.recordings import Recording
from bitbox.workflow.settings import Settings
from tests.signals_of import named
from tests.study.recordings import QUICK, content

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people in trials, and one whose recording has none."""
    folder = tmp_path_factory.mktemp("trials")
    rows = ["id,participant,model,trials"]
    for k in range(4):
        task = simulate(IMITATORS[1], np.random.default_rng((1515, k)))
        named(task.participant).to_parquet(folder / f"p{k}.parquet")
        named(task.model).to_parquet(folder / f"m{k}.parquet")
        events = pd.DataFrame(
            [(on, off - on, label) for on, off, label in task.trials],
            columns=["onset", "duration", "trial_type"],
        )
        events.to_csv(folder / f"t{k}.tsv", sep="\t", index=False)
        rows.append(f"p{k},p{k}.parquet,m{k}.parquet,{f't{k}.tsv' if k else ''}")
    path = folder / "manifest.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_one_row_a_pair_trial_and_signal(shown: Path, client: Any) -> None:
    study = Study(shown, shown.parent / "out", Settings(n_surrogates=19, latency=(0.0, 1.5)))
    result = study.run(client)
    assert result.failures.empty
    scores = pd.read_csv(result.folder / "scores.csv")
    pd.testing.assert_frame_equal(
        scores[["id", "signal", "trial", "trial_score"]],
        result.scores[["id", "signal", "trial", "trial_score"]],
        check_dtype=False,
    )
    whole, trials = scores[scores["trial"].isna()], scores[scores["trial"].notna()]
    signals = whole["signal"].nunique()
    assert len(whole) == 4 * signals
    assert set(trials["id"]) == {"p1", "p2", "p3"}
    assert (trials.groupby("id").size() == 16 * signals).all()
    assert whole.loc[whole["id"] == "p0", "trial_z"].isna().all()

    task = simulate(IMITATORS[1], np.random.default_rng((1515, 1)))
    direct = imitation_trials(
        named(task.participant), named(task.model), task.trials, latency=(0.0, 1.5), seed=1
    )
    first = trials[trials["id"] == "p1"]
    table = first.pivot(index="trial", columns="signal", values="trial_score")
    np.testing.assert_allclose(table[direct.scores.columns], direct.scores, atol=1e-6)
    np.testing.assert_allclose(table.mean(axis=1), direct.trials["score"], atol=1e-6)
    pairs = result.pairs.set_index("id")
    assert pairs.loc["p1", "trials_hits"] == direct.trials["hit"].sum()
    assert pairs.loc["p1", "trials_overall_p"] <= 0.05
    assert np.isnan(pairs.loc["p0", "trials_hits"])
    groups = result.groups.set_index(["test", "signal"]).sort_index()
    assert groups.loc[("against chance, in trials", "all signals"), "n"] == 3
    assert groups.loc[("against chance", "all signals"), "n"] == 4
    record = json.loads((result.folder / "study.json").read_text(encoding="utf-8"))
    assert record["pairs"][1]["settings"]["trials"] == "t1.tsv"
    assert len(record["pairs"][1]["inputs"]["trials"]["sha256"]) == 64
    assert "trials" not in record["pairs"][0]["inputs"]

    before = content(result.folder)
    study.run(client)
    assert content(result.folder) == before
    events = shown.parent / "t2.tsv"
    events.write_text(events.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    jobs, _ = Study(shown, result.folder, study.settings)._jobs()
    assert [job.name for job in jobs if job.record() is None] == ["p2"]


def test_trials_are_checked_before_anything_runs(shown: Path) -> None:
    folder = shown.parent
    (folder / "few.tsv").write_text("onset\tduration\ttrial_type\n1\t2\ta\n", encoding="utf-8")
    (folder / "bad.csv").write_text(
        "participant,model,trials,mirror\n"
        "p0.parquet,m0.parquet,none.tsv,\n"
        "p1.parquet,m1.parquet,few.tsv,\n"
        "p2.parquet,m2.parquet,t2.tsv,either\n",
        encoding="utf-8",
    )
    found = {(p.line, p.column): p.problem for p in read_manifest(folder / "bad.csv").problems}
    assert "no file" in found[2, "trials"]
    assert "too few trials" in found[3, "trials"]
    assert "one sense" in found[4, "mirror"]
    with pytest.raises(ParameterError, match="latencies"):
        Study(shown, settings=Settings(latency=(2.0, 1.0)))


def test_names_of_results_are_taken(shown: Path) -> None:
    """They would have stood twice in scores.csv."""
    (shown.parent / "gain.csv").write_text(
        "participant,model,gain\np0.parquet,m0.parquet,3\n", encoding="utf-8"
    )
    (problem,) = read_manifest(shown.parent / "gain.csv").problems
    assert (problem.line, problem.column) == (1, "gain")
    assert "my_gain" in problem.problem


@pytest.mark.video
class TestOffset:
    @pytest.fixture(scope="class")
    def talked(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Two people who heard one conversation, the first from 2.5 s later on, and a stranger."""
        pytest.importorskip("av")
        from bitbox.synthetic.sound import RATE, heard, sound, write_sound

        folder, rng = tmp_path_factory.mktemp("talk"), np.random.default_rng(3)
        air = sound("talk", 42.5, rng)
        write_sound(folder / "late.mp4", heard(air, rng)[round(2.5 * RATE) :])
        write_sound(folder / "early.mp4", heard(air, rng))
        write_sound(folder / "other.mp4", heard(sound("talk", 20, rng), rng))
        return folder

    def test_found_with_its_uncertainty(self, talked: Path, client: Any, monkeypatch) -> None:
        """The sound is real; what is measured in the pictures, which are grey, is made up."""
        pair = imitated_pair(3, duration=42.5, seed=1)
        late = pair.participant.between(2.5, None)
        signals = {
            "late": late.shifted(-float(late.time[0])),
            "early": pair.model,
            "other": pair.model,
        }

        def made_up(path: Path, role: Any, *_: Any, **__: Any) -> Recording:
            return Recording(role, path, signals[path.stem])

        for module in ("study.pair", "workflow.recordings", "study.pairing_scores"):
            monkeypatch.setattr(f"bitbox.{module}.load_recording", made_up)
        monkeypatch.setattr("bitbox.workflow.pair.track_both", lambda *_: None)
        path = talked / "manifest.csv"
        path.write_text(
            "id,participant,model,offset\n"
            "a,late.mp4,early.mp4,auto\nb,late.mp4,early.mp4,2.5\nc,other.mp4,early.mp4,Auto\n",
            encoding="utf-8",
        )
        result = Study(path, talked / "out", QUICK).run(client)
        pairs = result.pairs.set_index("id")
        assert pairs.loc["a", "offset"] == pytest.approx(2.5, abs=0.005)
        assert 0 < pairs.loc["a", "offset_uncertainty"] < 0.02
        assert np.isfinite(pairs.loc["a", "offset_drift_ppm"])
        assert pairs.loc["b", "offset"] == 2.5
        assert np.isnan(pairs.loc["b", "offset_uncertainty"])
        assert pairs.loc["a", "imitated"] == pairs.loc["b", "imitated"] == 3
        (failure,) = result.failures.to_dict("records")
        assert failure["id"] == "c"
        assert "offset" in failure["error"]
        assert "offset-found" in set(result.quality.loc[result.quality["id"] == "a", "code"])

        path.write_text(
            "id,participant,model,offset\na,late.mp4,early.mp4,auto\nb,late.mp4,other.mp4,2.5\n",
            encoding="utf-8",
        )
        result = Study(path, talked / "drift", replace(QUICK, remove_drift=True)).run(client)
        assert result.failures.empty
        told = result.quality.groupby("code")["id"].agg(list)
        assert told["drift-removed"] == ["a"]  # of b the offset was stated
        scores = json.loads((talked / "drift" / PAIRINGS / "a.json").read_text(encoding="utf-8"))
        assert scores["a"]["z"] == pytest.approx(scores["b"]["z"], rel=0.1)  # it showed the same

    def test_a_drift_is_only_taken_out_where_one_is_looked_for(self, talked: Path) -> None:
        path = talked / "stated.csv"
        path.write_text("participant,model,offset\nlate.mp4,early.mp4,2.5\n", encoding="utf-8")
        with pytest.raises(ParameterError, match="has to be found"):
            Study(path, settings=Settings(remove_drift=True))
        path.write_text("participant,model\nlate.mp4,early.mp4\n", encoding="utf-8")
        Study(path, settings=Settings(remove_drift=True, offset="auto"))

    def test_without_sound_it_is_refused_by_line(self, talked: Path) -> None:
        from bitbox.video import write_video

        write_video(talked / "mute.mp4", [np.zeros((32, 32, 3), np.uint8)] * 20, 10)
        imitated_pair(2, duration=10, seed=1).model.to_parquet(talked / "m.parquet")
        path = talked / "bad.csv"
        path.write_text(
            "participant,model,offset\nlate.mp4,mute.mp4,auto\nlate.mp4,m.parquet,auto\n"
            "late.mp4,late.mp4,auto\nlate.mp4,early.mp4,soon\n",
            encoding="utf-8",
        )
        found = {(p.line, p.column): p.problem for p in read_manifest(path).problems}
        assert "mute.mp4 has no sound" in found[2, "offset"]
        assert "m.parquet has no sound" in found[3, "offset"]
        assert "one clock" in found[4, "offset"]
        assert "or auto" in found[5, "offset"]


def test_a_pair_without_its_trials_is_not_done(shown: Path, tmp_path: Path) -> None:
    folder = shown.parent
    files = folder / "p1.parquet", folder / "m1.parquet"
    settings = Settings(n_surrogates=19, seed=1, trials=str(folder / "t1.tsv"))
    roles = {"participant": files[0], "model": files[1], "trials": folder / "t1.tsv"}
    sources = {role: hash_file(path) for role, path in roles.items()}
    job = Job("p1", *files, settings, sources, tmp_path / "p1", tmp_path / "cache")
    assert compare(job)["error"] is None
    assert job.record() is not None
    (tmp_path / "p1" / "trials.csv").unlink()
    assert job.record() is None
