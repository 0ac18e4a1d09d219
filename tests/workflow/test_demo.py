"""The demonstration finds what is true of it."""

from __future__ import annotations

import pytest

from bitbox.cli import run

pytest.importorskip("mediapipe")
pytestmark = pytest.mark.video


def test_demo_finds_the_truth(tmp_path, capsys) -> None:
    from bitbox.workflow.demo import beside_truth, run_demo
    from bitbox.workflow.settings import Settings

    runs, pair = run_demo(tmp_path / "demo", 60, Settings(n_surrogates=199, seed=1))
    assert [run.folder.name for run in runs] == ["results", "results-head"]
    for done in runs:
        table = beside_truth(done, pair)
        imitated = table[table["imitated"]]
        own = table[~table["imitated"]]
        late = (imitated["latency"] - imitated["delay"]).abs()
        assert (late <= 1 / 30 + 1e-9).all(), late
        assert own["z"].max() < imitated["z"].min(), table["z"]
        beyond = (table["shape"] - table["chance_mean"]).groupby(table["movement"]).mean()
        assert beyond[own["movement"]].max() < beyond[imitated["movement"]].min(), beyond
        # A little of a smile that is imitated shows in a brow, which is in time then, but not
        # specific: nothing that is not imitated is said to be.
        assert ((own["p_fwer"] > 0.05) | (own["specific_p"] > 0.05)).all(), own
        assert (own["specific_p"] > 0.05).all(), own
        assert (imitated["p_fwer"] <= 0.05).all(), imitated
        assert (imitated["specific_p"] <= 0.05).all(), imitated
        assert (done.folder / "report.html").exists()


def test_the_demo_of_bodies_finds_the_truth(tmp_path) -> None:
    from bitbox.workflow.demo import beside_truth, run_demo
    from bitbox.workflow.settings import Settings

    settings = Settings(n_surrogates=199, seed=1, width=2.0)
    (done,), pair = run_demo(tmp_path / "demo", 40, settings, body=True)
    assert done.folder.name == "results-body"
    table = beside_truth(done, pair)
    imitated = table[table["imitated"]]
    own = table[~table["imitated"]]
    assert len(imitated) == 3
    assert (imitated["p_fwer"] <= 0.05).all(), table["p_fwer"]
    assert (own["p_fwer"] > 0.05).all(), table["p_fwer"]
    assert ((imitated["latency"] - imitated["delay"]).abs() <= 1 / 20 + 1e-9).all()
    assert ((imitated["gain"] - imitated["true_gain"]).abs() <= 0.15).all()
    assert (done.folder / "report.html").exists()


def test_demo_refuses_a_length_that_is_too_short(tmp_path) -> None:
    assert run(["demo", "--seconds", "5", "-o", str(tmp_path / "demo")]) == 2


@pytest.mark.parametrize("of", [[], ["--body"]])
def test_what_could_not_be_measured_is_not_rendered(of, tmp_path, capsys, monkeypatch) -> None:
    from bitbox.measuring import models

    monkeypatch.setenv(models.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(models.MODEL_VARIABLE, raising=False)
    monkeypatch.setattr(models, "brings_models", lambda: False)
    monkeypatch.setattr("bitbox.body_backend.embedders.brings_models", lambda: False)
    assert run(["demo", *of, "-o", str(tmp_path / "demo")]) == 1
    assert "bitbox models install" in capsys.readouterr().err
    assert not list(tmp_path.glob("demo/*.mp4"))
