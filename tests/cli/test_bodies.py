"""The main job on bodies: two films of figures, one of whom imitates the other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bitbox.body_backend import tracking
from bitbox.cli import run
from tests.cli.reading import said

pytest.importorskip("mediapipe.python")  # not in MediaPipe for Python 3.13
pytestmark = pytest.mark.video

FPS, SECONDS, DELAY = 10.0, 24.0, 0.5
QUICK = ("--surrogates", "49", "--seed", "1", "--lag", "0.8", "--width", "1.2")


def arms(seed: int) -> list[dict[str, float]]:
    """Both arms move sideways, each in its own way; the figure bends, too."""
    random = np.random.default_rng(seed)
    time = np.arange(-1, SECONDS + 1, 1 / FPS)

    def course(low: float, high: float) -> np.ndarray:
        noise = np.convolve(random.normal(size=len(time) + 20), np.hanning(13), "same")[10:-10]
        noise = (noise - noise.min()) / np.ptp(noise)
        return np.asarray(low + (high - low) * noise)

    moves = {
        "left_shoulder_elevation": course(15, 130),
        "right_shoulder_elevation": course(15, 130),
        "left_elbow_flexion": course(5, 80),
        "right_elbow_flexion": course(5, 80),
        "trunk_bend": course(-12, 12),
    }
    return [{name: float(values[k]) for name, values in moves.items()} for k in range(len(time))]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The participant does what the model does, half a second later, but not with the right arm."""
    from bitbox.synthetic.body import render_body

    folder = tmp_path_factory.mktemp("bodies")
    model, other = arms(1), arms(2)
    late, length = round(DELAY * FPS), round(SECONDS * FPS)
    first = round(1 * FPS)
    own = ("right_shoulder_elevation", "right_elbow_flexion")
    participant = [
        {name: (other if name in own else model)[k - late][name] for name in model[k]}
        for k in range(first, first + length)
    ]
    return (
        render_body(participant, folder / "anna.mp4", fps=FPS, size=(240, 240)),
        render_body(model[first : first + length], folder / "model.mp4", fps=FPS, size=(240, 240)),
    )


@pytest.fixture(scope="module")
def results(films: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "angles"
    assert imitate(*films, "-o", folder, "--signals", "body-angles", *QUICK) == 0
    return folder


def imitate(*arguments: object) -> int:
    return run(["imitate", *map(str, arguments)])


def test_limbs_that_imitate_are_told_from_one_that_does_not(results: Path) -> None:
    card = pd.read_csv(results / "scorecard.csv", index_col="signal")
    left, right = (card.loc[f"{side}_shoulder_elevation"] for side in ("left", "right"))
    assert left["shape"] > 0.85
    assert left["p_fwer"] <= 0.05
    assert left["latency"] == pytest.approx(DELAY, abs=0.5 / FPS)
    assert card.loc["trunk_bend", "p_fwer"] <= 0.05
    assert card.loc["trunk_bend", "latency"] == pytest.approx(DELAY, abs=0.5 / FPS)
    assert right["shape"] < 0.6
    assert not right["p_fwer"] <= 0.05


def test_the_folder_says_what_was_measured_and_shows_the_body(results: Path) -> None:
    told = json.loads((results / "run.json").read_text())
    assert told["settings"]["signals"] == "body-angles"
    report = (results / "report.html").read_text()
    assert report.count("data:image/jpeg") >= 8
    assert "Upper arm from the trunk" in report
    saved = pd.read_parquet(results / "participant.parquet")
    assert "left_elbow_flexion" in saved.columns


def test_other_signals_of_a_body_need_no_second_look(
    films: tuple[Path, Path], results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tracked once more")

    monkeypatch.setattr(tracking, "track_body", refuse)
    assert imitate(*films, "-o", results, "--signals", "body-joints", *QUICK) == 0
    card = pd.read_csv(results / "scorecard.csv", index_col="signal")
    assert card.loc["left_elbow", "p_fwer"] <= 0.05
    assert imitate(*films, "-o", results, "--signals", "motion", *QUICK) == 0
    card = pd.read_csv(results / "scorecard.csv", index_col="signal")
    assert set(card.index) >= {"whole_share", "arms_change"}


def test_a_body_compared_with_itself_is_refused(
    films: tuple[Path, Path], results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").symlink_to(results / "cache")
    code = imitate(films[1], films[1], "-o", tmp_path, "--signals", "body-angles", *QUICK)
    assert code == 1
    assert "the same body of the same video" in said(capsys)


def test_nobody_in_the_picture_is_a_sentence_and_no_results(
    films: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bitbox.video import write_video

    empty = write_video(tmp_path / "room.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 8, FPS)
    out = tmp_path / "out"
    assert imitate(empty, films[1], "-o", out, "--signals", "body-angles", *QUICK) == 1
    assert "Nobody is seen" in said(capsys)
    assert not (out / "scorecard.csv").exists()
