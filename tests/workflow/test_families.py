"""Several families of signals in one run: measured once, tested by themselves, in one report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bitbox.cli import run
from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow.clocks import Clocks
from bitbox.workflow.recordings import Recording
from bitbox.workflow.run import analyse_files
from bitbox.workflow.settings import Settings, families_of

QUICK = ("--surrogates", "19", "--seed", "1", "--width", "1", "--lag", "0.4")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    pytest.importorskip("mediapipe")
    from bitbox.synthetic.performance import Bursts, perform
    from bitbox.synthetic.video import Scene, render_video

    folder = tmp_path_factory.mktemp("films")
    time = np.arange(200) / 20
    scene = Scene(size=(240, 180), eye_distance=40, vertical_fov=24)
    films = []
    for seed in (1, 2):
        films.append(folder / f"{seed}.mp4")
        render_video(films[-1], perform(time, {"smile": Bursts.random(10.0, seed)}), scene)
    return [str(film) for film in films]


def rows(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / name)


@pytest.mark.video
def test_each_family_is_measured_once_and_tested_by_itself(
    films: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["imitate", *films, "-o", str(out), "--signals", "pose, position", *QUICK]) == 0
    said = capsys.readouterr().out
    assert "Scorecard: pose" in said
    assert "Scorecard: position" in said

    assert len(list((out / "cache").glob("*_track_*"))) == len(films)

    card = rows(out, "scorecard.csv")
    assert list(card.columns[:2]) == ["family", "signal"]
    assert list(card["family"]) == ["pose"] * 3 + ["position"] * 3
    assert list(card["signal"]) == ["Rx", "Ry", "Rz", "Tx", "Ty", "Tz"]
    for name in ("pairs.csv", "columns.csv"):
        assert "family" in rows(out, name).columns or "family" in set(rows(out, name)["column"])
    for family in ("pose", "position"):
        alone = tmp_path / family
        assert run(["imitate", *films, "-o", str(alone), "--signals", family, *QUICK]) == 0
        by_itself = rows(alone, "scorecard.csv")
        assert "family" not in by_itself
        mine = card[card["family"] == family].drop(columns="family").reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, by_itself)

    record = json.loads((out / "run.json").read_text())
    assert record["settings"]["signals"] == "pose,position"
    assert list(record["families"]) == ["position"]
    assert {"participant.parquet", "participant.position.parquet"} <= set(record["files"])
    assert "corrected within a family" in (out / "methods.txt").read_text()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<section id="scorecard">' in page
    assert '<section id="family-1-scorecard">' in page
    assert "Scorecard: position" in page
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))

    # what another run does not write does not stay
    assert run(["imitate", *films, "-o", str(out), "--signals", "pose", *QUICK]) == 0
    assert not (out / "participant.position.parquet").exists()


@pytest.mark.parametrize("text", ["pose,smile", "pose,pose", "pose,", ","])
def test_names_that_are_none_are_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ParameterError, match="not understood"):
        families_of(text)
    assert run(["imitate", "a.mp4", "b.mp4", "-o", str(tmp_path / "x"), "--signals", text]) == 2
    assert "expression-local" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "x").exists()


def test_settings_of_each_family_differ_in_nothing_else() -> None:
    settings = Settings(signals="pose,hands", width=2.0)
    assert [one.signals for one in settings.by_family()] == ["pose", "hands"]
    assert {one.width for one in settings.by_family()} == {2.0}
    assert Settings().by_family() == (Settings(),)
    with pytest.raises(ParameterError, match="one family of signals"):
        Settings(signals="pose,hands", only=("Rx",)).by_family()
    assert len(Settings(signals="pose", only=("Rx",)).by_family()) == 1


def test_findings_say_of_which_family_they_are() -> None:
    from types import SimpleNamespace

    from bitbox.workflow.finished_run import Run, together

    def one(name: str, *findings: Finding) -> Run:
        settings = Settings(signals=name)
        nothing = SimpleNamespace()
        parts = (nothing, nothing, nothing, settings, findings, {"analysis": 1.0}, Path(), ())
        return Run(*parts, nothing)  # type: ignore[arg-type]

    shared, own = (Finding(code, "info", f"It is {code}.", "Look.") for code in ("dark", "short"))
    both = together([one("pose", shared), one("hands", shared, own)])
    assert [f.message for f in both.findings] == ["It is dark.", "hands: It is short."]
    assert both.timings == {"analysis": 2.0}
    assert [run.family for run in both.families] == ["pose", "hands"]


@pytest.mark.video
def test_fewer_frames_are_looked_at_for_bodies_at_their_true_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mediapipe")
    from bitbox.signals import Signals
    from bitbox.synthetic.body import render_body

    films = []
    for name, start in (("a", 20.0), ("b", 30.0)):
        course = start + 25 * np.sin(np.arange(240) / 8.0)
        poses = [{"left_shoulder_elevation": float(angle)} for angle in course]
        films.append(str(render_body(poses, tmp_path / f"{name}.mp4", size=(180, 240))))
    out = tmp_path / "out"
    quick = (*QUICK[:4], "--width", "1", "--lag", "0.2", "--signals", "body-angles")
    assert run(["imitate", *films, "-o", str(out), *quick, "--body-fps", "10"]) == 0
    whole = Signals.from_parquet(out / "participant.parquet")
    assert np.allclose(np.diff(whole.time), 0.1, atol=0.02)
    record = json.loads((out / "run.json").read_text())
    assert record["settings"]["body_fps"] == 10.0
    assert run(["imitate", *films, "-o", str(tmp_path / "x"), "--body-fps", "10"]) == 2
    assert "No signals of the body" in " ".join(capsys.readouterr().err.split())


def test_recordings_are_listened_to_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for the offset of two hours takes longer than the analysis of a family."""
    asked: list[object] = []

    def listened(*given: object) -> Clocks:
        asked.append(given)
        return Clocks(0.5)

    monkeypatch.setattr("bitbox.workflow.run.clocks_of", listened)
    monkeypatch.setattr(
        "bitbox.workflow.recordings.load_recording",
        lambda path, role, *_, **__: Recording(role, path, pair[role == "model"]),
    )
    pair = imitated_pair(3, imitated=2, duration=40, seed=1)
    settings = Settings(signals="pose,position", n_surrogates=19, seed=1, offset="auto")
    done = analyse_files(tmp_path / "a.mp4", tmp_path / "b.mp4", settings)
    assert len(asked) == 1
    assert [run.clocks.offset for run in (done, *done.more)] == [0.5, 0.5]
