"""The command with trials: what it leaves and says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from validation.task_recordings import IMITATORS, simulate

from bitbox.cli import run
from tests.cli.reading import said
from tests.signals_of import named


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Signals of participant and model, and events as BIDS has them."""
    task = simulate(IMITATORS[1], np.random.default_rng((1515, 1)))
    events = tmp_path / "events.tsv"
    rows = [(on, off - on, label) for on, off, label in task.trials]
    table = pd.DataFrame(rows, columns=["onset", "duration", "trial_type"])
    table.to_csv(events, sep="\t", index=False)
    return (
        named(task.participant).to_parquet(tmp_path / "participant.parquet"),
        named(task.model).to_parquet(tmp_path / "model.parquet"),
        events,
    )


def imitate(folder: Path, files: tuple[Path, ...], *more: object) -> int:
    participant, model, *_ = files
    command = ["imitate", participant, model, "-o", folder, "--surrogates", 99, "--seed", 1, *more]
    return run([str(argument) for argument in command])


def test_trials_are_tested_and_shown(files, tmp_path, capsys) -> None:
    folder = tmp_path / "results"
    assert imitate(folder, files, "--trials", files[2]) == 0
    assert "The participant imitates what is shown (16 trials" in said(capsys)
    trials = pd.read_csv(folder / "trials.csv")
    assert len(trials) == 16
    assert list(trials.columns[:4]) == ["trial", "onset", "offset", "label"]
    card = pd.read_csv(folder / "trials_scorecard.csv")
    assert len(card) == 8
    columns = pd.read_csv(folder / "columns.csv")
    for name, table in (("trials.csv", trials), ("trials_scorecard.csv", card)):
        assert set(columns.loc[columns["table"] == name, "column"]) == set(table.columns)
    text = (folder / "run.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    record = json.loads(text)["trials"]
    assert record["file"] == "events.tsv"
    assert record["overall_p"] <= 0.05
    assert record["parameters"]["latency"] == [-0.2, 1.5]
    methods = (folder / "methods.txt").read_text(encoding="utf-8")
    assert "Imitation was tested in 16 trials" in methods
    assert methods.count("References") == methods.count("Phipson, B.") == 1
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert '<section id="trials">' in page
    assert "What was shown and what was done" in page
    # without trials nothing of them is left
    assert imitate(folder, files) == 0
    assert not (folder / "trials.csv").exists()
    assert '<section id="trials">' not in (folder / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_done_is_said_before_anything_is_measured(files, tmp_path, capsys) -> None:
    folder = tmp_path / "results"
    for more, words in (
        (("--trials", files[2], "--mirror", "either"), "one sense of imitation has to be chosen"),
        (("--latency", "0", "2"), "no trials"),
        (("--trials", tmp_path / "none.tsv"), "none.tsv"),
        (("--trials", files[2], "--latency", "2", "1"), "latencies make no sense"),
    ):
        assert imitate(folder, files, *more) != 0
        assert words in said(capsys)
    same = files[2].with_name("same.tsv")
    table = pd.read_csv(files[2], sep="\t").assign(trial_type="smile")
    table.to_csv(same, sep="\t", index=False)
    assert imitate(folder, files, "--trials", same) != 0
    assert "trials show the same" in said(capsys)
    assert not folder.exists()
