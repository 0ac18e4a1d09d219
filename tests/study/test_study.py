"""A study runs to its end whatever happens to a pair, a worker or itself, and ends the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bitbox.cli import run
from bitbox.cli.studies import _show_result
from bitbox.cli.terminal import Terminal
from bitbox.errors import ParameterError
from bitbox.provenance import hash_file
from bitbox.study import Study, engine
from bitbox.workflow.settings import Settings
from tests.cli.reading import said
from tests.study.recordings import QUICK, content, recordings

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, client: Any):
    folder = tmp_path_factory.mktemp("study")
    study = Study(recordings(folder, 8, broken=1), folder / "out", QUICK)
    return study, study.run(client)


def test_the_tables(done) -> None:
    result = done[1]
    assert len(result.pairs) == 32
    assert result.pairs["done"].sum() == 30
    assert len(result.scores) == 30 * 4
    assert list(result.failures["line"]) == [2, 3]
    assert result.failures["error"].str.contains("p0_1.parquet").all()
    assert set(result.scores["age"]) == {str(5 + k) for k in range(8)}
    for name in ("scores", "pairs", "failures", "groups", "reliability", "quality"):
        table = pd.read_csv(result.folder / f"{name}.csv")
        assert len(table) == len(getattr(result, name))
    record = json.loads((result.folder / "study.json").read_text(encoding="utf-8"))
    assert all(hash_file(result.folder / f) == h for f, h in record["files"].items())
    assert len(record["pairs"]) == 32


def test_groups_differ_where_they_do(done) -> None:
    groups = done[1].groups.set_index(["test", "condition", "signal"]).sort_index()
    own = groups.loc[("group against group", "own", "all signals")].iloc[0]
    assert own["g"] < -2
    assert own["p"] < 0.05
    assert (own["n"], own["n_versus"]) == (4, 4)
    other = groups.loc[("group against group", "other", "all signals")].iloc[0]
    assert other["p"] > 0.05
    within = groups.loc[("condition against condition, same people", "own", "all signals")]
    assert (within["estimate"] > 0).all()
    chance = groups.loc[("against chance", "own", "all signals")]
    assert (chance["p"] == 2 / 16).all()  # as small as four people can give


@pytest.mark.parametrize(
    ("people", "sentences"),
    [
        (
            4,
            [
                "against chance, a own: not tested: add people (2; at least 3 are needed)",
                "against b: not tested: add people (2 against 2; at least 3 of each are needed)",
            ],
        ),
        (1, ["not tested: all values are the same; check that each row of the manifest"]),
    ],
)
def test_why_nothing_is_tested(
    people: int, sentences: list[str], tmp_path: Path, client: Any, capsys
) -> None:
    path = recordings(tmp_path, people)
    if people == 1:  # four ids, one recording
        head, row = path.read_text(encoding="utf-8").splitlines()[:2]
        rows = [row.replace("p0,", f"q{k},", 1) for k in range(4)]
        path.write_text("\n".join([head, *rows]), encoding="utf-8")
    result = Study(path, tmp_path / "out", QUICK).run(client)
    assert _show_result(Terminal(), result) == 0
    told = said(capsys)
    for sentence in sentences:
        assert sentence in told


def test_right_pairings_match_better_where_people_imitate(done) -> None:
    """Three in b imitate signals of their own models; in a one of four has lost a recording."""
    result = done[1]
    rows = result.groups[result.groups["test"] == "own model against other people's"]
    rows = rows.set_index(["group", "condition", "signal"])
    own = rows.loc[("b", "own", "all signals")]
    assert own["p"] == pytest.approx(1 / 24)
    assert own["permutations"] == 24
    assert own["estimate"] > 1
    assert np.isnan(rows.loc[("a", "own", "all signals"), "p"])
    assert "Too few people" in rows.loc[("a", "own", "all signals"), "note"]
    assert "All have the same model" in rows.loc[("b", "other", "all signals"), "note"]
    assert ("b", "all", "all signals") not in rows.index
    record = json.loads((result.folder / "study.json").read_text(encoding="utf-8"))
    # four people, two sessions each; in the other group three of them with all sessions
    assert record["chance"]["pairings"] == 4 * 4 * 2 + 3 * 3 * 2
    methods = (result.folder / "methods.txt").read_text(encoding="utf-8")
    assert "50 pairings in all" in methods
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "Own models are matched better than other people" in page


def test_pairings_can_be_left_out(done, tmp_path: Path, client) -> None:
    study = Study(done[0].path, done[1].folder, QUICK, pairings=False)
    before = content(done[1].folder)
    result = study.run(client)
    assert not result.groups["test"].str.startswith("own model").any()
    done[0].run(client)
    assert content(done[1].folder) == before


def test_reliability_counts_who_has_all_values(done) -> None:
    table = done[1].reliability.set_index(["signal", "score", "kind"]).sort_index()
    assert table.loc[("all signals", "shape", "split half"), "n"] == 8
    assert table.loc[("all signals", "shape", "sessions"), "n"] == 7


def test_halves_have_no_frame_in_common(done) -> None:
    """Each is the mean of windows, so the whole lies between or near them, and they differ."""
    scores = done[1].scores
    assert scores[["half_a", "half_b"]].notna().all(axis=None)
    assert (scores["half_a"] != scores["half_b"]).all()
    assert scores[["half_a", "half_b"]].mean(axis=1).corr(scores["shape"]) > 0.8


def test_spss_reads_it(done) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    table, about = pyreadstat.read_sav(str(done[1].folder / "study.sav"))
    assert len(table) == len(done[1].scores)
    assert list(about.column_labels) == list(done[1].scores.columns)


def test_the_report_holds_everybody(done) -> None:
    pytest.importorskip("jinja2")
    page = (done[1].folder / "report.html").read_text(encoding="utf-8")
    assert "30 of 32 pairs were compared, of 8 people." in page
    assert "p0_1.parquet" in page
    assert "script-src" in page


def test_nothing_is_done_twice_and_a_new_row_costs_only_itself(done, client, monkeypatch) -> None:
    study, result = done
    before = content(result.folder)
    asked = []
    monkeypatch.setattr(
        engine, "run_jobs", lambda jobs, _: asked.extend(job.name for job in jobs) or iter(())
    )
    Study(study.path, result.folder, QUICK).run(client)
    assert asked == ["p0_a_own_1", "p0_a_other_1"]  # what failed is tried again
    longer = study.path.with_name("longer.csv")
    longer.write_text(
        study.path.read_text(encoding="utf-8") + "\np9,a,own,1,9,p1_1.parquet,model.parquet",
        encoding="utf-8",
    )
    asked.clear()
    Study(longer, result.folder, QUICK).run(client)
    assert asked == ["p0_a_own_1", "p0_a_other_1", "p9_a_own_1"]
    asked.clear()
    Study(study.path, result.folder, Settings(n_surrogates=29)).run(client)
    assert len(asked) == 32
    monkeypatch.undo()
    study.run(client)
    assert content(result.folder) == before


def test_a_manifest_with_problems_is_not_begun(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("participant,model\nx.mp4,y.mp4\n", encoding="utf-8")
    study = Study(tmp_path / "m.csv", tmp_path / "out")
    with pytest.raises(ParameterError, match="2 problems; the first is in line 2"):
        study.run()
    assert not (tmp_path / "out").exists()


def test_a_study_has_one_family_of_signals(tmp_path: Path) -> None:
    """Of others nothing would have been written."""
    with pytest.raises(ParameterError, match="one family of signals"):
        Study(recordings(tmp_path, 1), settings=Settings(signals="pose,landmarks"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--dry-run"], "needs --slurm"),
        (["-o", "out", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "one of --workers"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, capsys, words, sentence: str) -> None:
    path = recordings(tmp_path, 1)
    assert run(["study", str(path), *words]) == 2
    assert sentence in said(capsys)


def test_what_another_version_compared_is_no_result_and_told(
    tmp_path: Path, client: Any, monkeypatch, capsys
) -> None:
    """As where workers elsewhere have another one, or it is replaced while the study runs."""
    from bitbox.study import pair

    def replaced(_task: str, done: int, _total: int | None) -> None:
        if done == 1:
            monkeypatch.setattr(pair, "_code", lambda: "another version")

    path = recordings(tmp_path, 1)
    result = Study(path, tmp_path / "out", QUICK).run(client, progress=replaced)
    assert len(result.failures) >= 1
    assert result.failures["error"].str.contains("another version of openbitbox").all()
    assert _show_result(Terminal(), result) == 1
