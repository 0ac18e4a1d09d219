"""Two recordings made to fit: sides, stretches and clocks, as the command takes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from bitbox.cli import run
from bitbox.cli.commands import app
from bitbox.errors import InputError, ParameterError, SchemaError
from bitbox.signals import Signals
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow.recordings import Recording
from bitbox.workflow.run import imitate_files
from bitbox.workflow.run_report import recorded_person
from bitbox.workflow.settings import Settings
from tests.cli.reading import said

NAMES = ("smile_left", "smile_right", "brow_left", "brow_right")
QUICK = {"n_surrogates": 49, "seed": 1}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Left imitates left, for a minute."""
    pair = imitated_pair(4, imitated=4, duration=60, seed=2)[:2]
    participant, model = (s.replace(names=NAMES, schema="own") for s in pair)
    return (
        participant.to_parquet(tmp_path / "anna.parquet"),
        model.to_parquet(tmp_path / "bob.parquet"),
    )


def imitate(files: tuple[Path, Path], tmp_path: Path, *more: str) -> int:
    quick = ("--surrogates", "49", "--seed", "1")
    return run(["imitate", *map(str, files), "-o", str(tmp_path / "out"), *quick, *more])


def test_a_flipped_recording_is_turned_back(files, tmp_path) -> None:
    anna, bob = files
    flipped = Signals.from_parquet(bob).mirrored().to_parquet(tmp_path / "flipped.parquet")
    plain = imitate_files(anna, bob, tmp_path / "plain", Settings(**QUICK))
    told = imitate_files(anna, flipped, tmp_path / "told", Settings(model_flipped=True, **QUICK))
    assert told.quality.scorecard.equals(plain.quality.scorecard)
    assert told.model.flipped
    record = json.loads((tmp_path / "told" / "run.json").read_text())
    assert record["settings"]["model_flipped"] is True
    untold = imitate_files(anna, flipped, tmp_path / "untold", Settings(**QUICK))
    assert "other-sense-fits" in [finding.code for finding in untold.findings]


def test_the_command_takes_the_mirror(files, tmp_path, capsys) -> None:
    assert imitate(files, tmp_path, "--model-flipped") == 0
    assert "--mirror either" in said(capsys)
    assert imitate(files, tmp_path, "--model-flipped", "--mirror", "yes") == 0
    assert "--mirror" not in said(capsys)
    card = pd.read_csv(tmp_path / "out" / "scorecard.csv", index_col="signal")
    assert (card["p_fwer"] <= 0.05).all()
    assert "specular" in (tmp_path / "out" / "methods.txt").read_text()
    assert imitate(files, tmp_path, "--mirror", "either", "--all-pairs") == 2
    assert "more alike than it is" in said(capsys)


def test_what_has_no_sides_cannot_be_flipped(tmp_path) -> None:
    participant, model, _ = imitated_pair(2, duration=40, seed=1)
    paths = participant.to_parquet(tmp_path / "a.parquet"), model.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(SchemaError) as raised:
        imitate_files(*paths, tmp_path / "out", Settings(participant_flipped=True, **QUICK))
    assert raised.value.role == "participant"


def test_the_report_says_where_left_is(files) -> None:
    signals = Signals.from_parquet(files[0])
    points = Signals(
        np.full((60, 102), np.nan), np.arange(60.0),
        tuple(f"{a}{i}" for i in range(51) for a in "xy"),
        kind="landmark", schema="ibug51", units="px", dimension=2, backend="test",
    )  # fmt: skip
    straight = Recording("participant", Path("a.mp4"), signals, points)
    flipped = Recording("participant", Path("a.mp4"), signals, points, flipped=True)
    assert "on the right of the picture" in recorded_person(straight).facts["Left and right"]
    assert "on the left of it" in recorded_person(flipped).facts["Left and right"]


def test_a_stretch_of_both(files, tmp_path) -> None:
    anna, bob = (Signals.from_parquet(path) for path in files)
    cut = anna.between(10, 50), bob.between(10, 50)
    paths = [s.to_parquet(tmp_path / f"{k}.parquet") for k, s in enumerate(cut)]
    expected = imitate_files(*paths, tmp_path / "cut", Settings(**QUICK))
    for stretch in (
        {"start": 10.0, "end": 50.0},
        {"model_start": 10.0, "model_end": 50.0},
        {"start": 10.0, "end": 50.0, "model_start": 10.0, "model_end": 50.0},
    ):
        found = imitate_files(*files, tmp_path / "out", Settings(**QUICK, **stretch))
        assert found.quality.scorecard.equals(expected.quality.scorecard)
        assert "partly-shared" not in [finding.code for finding in found.findings]


def test_the_other_is_cut_to_the_same_time(files, tmp_path) -> None:
    anna, bob = files
    late = Signals.from_parquet(bob).shifted(5).to_parquet(tmp_path / "late.parquet")
    whole = imitate_files(anna, bob, tmp_path / "a", Settings(start=10, end=50, **QUICK))
    found = imitate_files(anna, late, tmp_path / "b", Settings(start=10, end=50, offset=5, **QUICK))
    np.testing.assert_allclose(found.quality.scorecard["shape"], whole.quality.scorecard["shape"])
    assert found.model.signals.time[0] == pytest.approx(15)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1:30", 90), ("0:01:30.5", 90.5), ("1:00:00", 3600), ("12.25", 12.25)],
)
def test_times_are_written_as_people_write_them(text: str, seconds: float) -> None:
    option = next(p for p in app.commands["imitate"].params if p.name == "start")
    assert option.type.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["1:75", "1:60:00", "-3", "soon", "1:2:3:4", "", "1:-2"])
def test_other_times_are_refused(text: str) -> None:
    done = CliRunner().invoke(app, ["imitate", "a.mp4", "b.mp4", "-o", "x", f"--start={text}"])
    assert done.exit_code == 2
    assert "is not a time like 90, 1:30 or 0:01:30.5" in done.output


def test_stretches_that_hold_nothing(files, tmp_path, capsys) -> None:
    assert imitate(files, tmp_path, "--start", "50", "--end", "10") == 2
    assert "--start below --end" in said(capsys)
    assert imitate(files, tmp_path, "--model-start", "50", "--model-end", "10") == 2
    assert "--model-start below --model-end" in said(capsys)
    assert imitate(files, tmp_path, "--start", "2:00") == 1
    assert "0.00 to 59.97 s" in said(capsys)
    with pytest.raises(InputError, match="on its clock"):
        imitate_files(*files, tmp_path / "o", Settings(start=2.0, end=40, offset=80, **QUICK))
    with pytest.raises(ParameterError):
        imitate_files(*files, tmp_path / "o", Settings(start=5.0, end=4.0, **QUICK))
    assert not (tmp_path / "out").exists()
