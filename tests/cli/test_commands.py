"""The command: what it leaves, what it says, how it exits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bitbox.cli import run
from bitbox.signals import Signals
from bitbox.synthetic.signals import imitated_pair
from tests.cli.reading import said

RESULTS = {
    "columns.csv",
    "methods.txt",
    "model.parquet",
    "pairs.csv",
    "participant.parquet",
    "report.html",
    "run.json",
    "scorecard.csv",
}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two files of signals, 40 s, of which some are imitated."""
    participant, model, _ = imitated_pair(duration=40, seed=3)
    return (
        participant.to_parquet(tmp_path / "participant.parquet"),
        model.to_parquet(tmp_path / "model.parquet"),
    )


def bitbox(*arguments: object) -> int:
    return run([str(argument) for argument in arguments])


class TestImitate:
    def test_leaves_everything_and_prints_the_scorecard(self, pair, tmp_path, capsys) -> None:
        folder = tmp_path / "results"
        assert bitbox("imitate", *pair, "-o", folder, "--seed", 1, "--surrogates", 99) == 0
        text = said(capsys)
        assert "Scorecard" in text
        assert "report.html" in text
        left = {path.name for path in folder.iterdir()}
        assert left >= RESULTS
        assert not [name for name in left if name.startswith(".")]
        scorecard = pd.read_csv(folder / "scorecard.csv")
        assert scorecard.columns[0] == "signal"
        names = Signals.from_parquet(pair[0]).names
        assert set(scorecard["signal"]) == set(names)
        pairs = pd.read_csv(folder / "pairs.csv")
        assert len(pairs) == len(names) ** 2
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        assert record["analysis"]["parameters"]["seed"] == 1
        assert record["inputs"]["participant"]["file"] == "participant.parquet"
        assert str(tmp_path) not in json.dumps(record)
        assert Signals.from_parquet(folder / "model.parquet") == Signals.from_parquet(pair[1])

    def test_again_gives_the_same_files_and_spares_others(self, pair, tmp_path) -> None:
        folder = tmp_path / "results"
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
        found = []
        for _ in range(2):
            assert (
                bitbox("-q", "imitate", *pair, "-o", folder, "--seed", 1, "--surrogates", 99) == 0
            )
            found.append({name: (folder / name).read_bytes() for name in RESULTS - {"run.json"}})
        assert found[0] == found[1]
        assert (folder / "notes.txt").read_text() == "mine"

    def test_windows_on_request(self, pair, tmp_path) -> None:
        import xarray as xr

        folder = tmp_path / "results"
        arguments = ("--windows", "--surrogates", 19, "--width", 1, "--lag", 0.6)
        assert bitbox("-q", "imitate", *pair, "-o", folder, *arguments) == 0
        with xr.open_dataset(folder / "windows.nc", engine="h5netcdf") as data:
            assert data["r"].dims == ("time", "participant", "model")
            assert float(np.abs(data["r_lag"]).max()) <= 0.6 + 1e-6

    def test_without_the_report_extra_all_else_is_there(
        self, pair, tmp_path, capsys, monkeypatch
    ) -> None:
        monkeypatch.setattr("bitbox.workflow.run_report.find_spec", lambda _: None)
        folder = tmp_path / "results"
        assert bitbox("imitate", *pair, "-o", folder, "--surrogates", 19) == 0
        assert "openbitbox[report]" in said(capsys)
        assert {path.name for path in folder.iterdir()} == RESULTS - {"report.html"}

    def test_options_reach_the_analysis(self, pair, tmp_path) -> None:
        folder = tmp_path / "results"
        arguments = ("--width", 1.5, "--step", 0.75, "--lag", 0.8, "--fps", 25, "--offset", 0.1)
        code = bitbox("-q", "imitate", *pair, "-o", folder, *arguments, "--surrogates", 19)
        assert code == 0
        parameters = json.loads((folder / "run.json").read_text())["analysis"]["parameters"]
        wanted = {"width": 1.5, "step": 0.75, "lag": 0.8, "fps": 25.0, "offset": 0.1}
        assert {name: parameters[name] for name in wanted} == wanted

    def test_every_column_is_explained(self, pair, tmp_path) -> None:
        folder = tmp_path / "results"
        assert bitbox("-q", "imitate", *pair, "-o", folder, "--surrogates", 19, "--all-pairs") == 0
        columns = pd.read_csv(folder / "columns.csv")
        for table in ("scorecard.csv", "pairs.csv"):
            explained = list(columns.loc[columns["table"] == table, "column"])
            assert explained == list(pd.read_csv(folder / table).columns)
        assert "surrogates" in (folder / "methods.txt").read_text(encoding="utf-8")


class TestSuggest:
    def test_proposes_with_a_reason(self, pair, capsys) -> None:
        assert bitbox("suggest", *pair) == 0
        text = said(capsys)
        assert "--width" in text
        assert "a movement there and back takes about" in text

    def test_multiverse(self, pair, capsys) -> None:
        assert bitbox("-q", "suggest", *pair, "--multiverse", "--seed", 1) == 0
        text = said(capsys)
        assert "beyond chance" in text
        assert "smallest p possible" in text


class TestInfo:
    def test_of_signals(self, pair, capsys) -> None:
        assert bitbox("info", pair[0]) == 0
        text = said(capsys)
        assert "expression signals" in text
        assert "30.00 frames a second" in text


def test_cache_is_listed_kept_and_cleared(pair, tmp_path, capsys) -> None:
    from bitbox.face_backend import Cache

    folder = tmp_path / "cache"
    signals = Signals.from_parquet(pair[0])
    Cache(folder).write_signals("participant", "pose", "0" * 64, signals)
    (folder / "mine.txt").write_text("mine")
    assert bitbox("cache", "list", folder) == 0
    assert "participant pose" in said(capsys)
    assert bitbox("cache", "keep", folder, "1", "year") == 0
    assert "1 year" in said(capsys)
    assert bitbox("cache", "keep", folder, "a while") == 2
    assert bitbox("cache", "clear", folder) == 0
    assert "1 stored result(s)" in said(capsys)
    assert bitbox("cache", "list", folder) == 0
    assert "0 results" in said(capsys)
    assert (folder / "mine.txt").exists()
    assert bitbox("cache", "list", tmp_path / "none") == 1


def csv(folder: Path, frame: pd.DataFrame | str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text(frame if isinstance(frame, str) else frame.to_csv(index=False))
    return path


class TestBadInput:
    def refused(self, arguments, folder: Path, capsys, *sentences: str, code: int = 1) -> None:
        """Exit code, sentences, and nothing left behind."""
        before = sorted(folder.rglob("*"))
        assert bitbox("imitate", *arguments, "-o", folder / "results") == code
        text = said(capsys)
        for sentence in sentences:
            assert sentence in text
        assert sorted(folder.rglob("*")) == before

    def test_no_such_file(self, pair, tmp_path, capsys) -> None:
        self.refused([tmp_path / "none.mp4", pair[1]], tmp_path, capsys, "no file", "none.mp4")

    @pytest.mark.parametrize(
        ("content", "sentence"), [(b"", "empty"), (b"hello, I am a text\n" * 20, "video")]
    )
    def test_not_a_video(self, pair, tmp_path, capsys, content, sentence) -> None:
        pytest.importorskip("av")
        file = tmp_path / "a.mp4"
        file.write_bytes(content)
        self.refused([file, pair[1]], tmp_path, capsys, "a.mp4", sentence)

    def test_different_schemas(self, pair, tmp_path, capsys) -> None:
        other = Signals.from_parquet(pair[1]).replace(schema="other")
        other.to_parquet(tmp_path / "other.parquet")
        self.refused(
            [pair[0], tmp_path / "other.parquet"], tmp_path, capsys, "different definitions"
        )

    def test_a_rectangle(self, tmp_path, capsys) -> None:
        names, time = ("x", "y", "w", "h"), np.arange(300) / 30
        values = np.random.default_rng(0).normal(size=(300, 4))
        common = {"schema": "rectangle", "units": "px", "backend": "test"}
        rectangle = Signals(values, time, names, kind="rectangle", **common)
        path = rectangle.to_parquet(tmp_path / "rect.parquet")
        other = rectangle.to_parquet(tmp_path / "other.parquet")
        self.refused([path, other], tmp_path, capsys, "'rectangle'", "'landmark'")

    def test_a_window_longer_than_the_recording(self, pair, tmp_path, capsys) -> None:
        self.refused([*pair, "--width", "60"], tmp_path, capsys, "too short", " s (")

    @pytest.mark.parametrize(
        ("rows", "sentence"),
        [
            ("time,a,b\n0,1,2\n0.1,x,3\n0.2,2,3\n", "x"),
            ("time,a,b\n0,1,2\n0.1,inf,3\n0.2,2,3\n", "infinit"),
            ("time,a,a\n0,1,2\n0.1,1,3\n0.2,2,3\n", "two columns called"),
            ("time,a,b\n0,1,2\n0.2,1,3\n0.1,2,3\n", "time runs backwards"),
            ("", "empty"),
        ],
    )
    def test_tables_with_faults(self, tmp_path, capsys, rows, sentence) -> None:
        path = csv(tmp_path, rows)
        self.refused([path, path], tmp_path, capsys, "a.csv", sentence)

    def test_a_folder_that_cannot_be_written(self, pair, tmp_path, capsys) -> None:
        (tmp_path / "results").write_text("I am a file")
        self.refused(pair, tmp_path, capsys, "cannot be written", "-o")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["imitate"],
            ["imitate", "a.mp4", "b.mp4"],
            ["imitate", "a.mp4", "b.mp4", "-o", "r", "--width", "long"],
            ["imitate", "a.mp4", "b.mp4", "-o", "r", "--face", "middle"],
            ["dance"],
        ],
    )
    def test_wrong_usage(self, arguments, capsys) -> None:
        assert run(arguments) == 2
        assert "Usage" in said(capsys)

    def test_values_that_make_no_sense(self, pair, tmp_path, capsys) -> None:
        self.refused([*pair, "--width", "-1"], tmp_path, capsys, "width", code=2)

    def test_debug_shows_the_traceback(self, tmp_path) -> None:
        from bitbox.errors import InputError

        with pytest.raises(InputError):
            run(["--debug", "info", str(tmp_path / "none.parquet")])


def test_help_is_for_people(capsys) -> None:
    assert run(["--help"]) == 0
    text = said(capsys)
    for word in ("participant", "model", "chance", "bitbox demo", "report.html"):
        assert word in text
    assert run([]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_interrupted_leaves_nothing(pair, tmp_path) -> None:
    folder = tmp_path / "results"
    command = [sys.executable, "-m", "bitbox", "imitate", *map(str, pair), "-o", str(folder)]
    command += ["--surrogate", "phase", "--surrogates", "200000"]  # as long as need be
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    while not folder.exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Interrupted" in err
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_the_exit_code_of_an_interruption_does_not_depend_on_where_it_hits(tmp_path) -> None:
    code = """
from bitbox import cli

def interrupted(**_):
    exec("raise KeyboardInterrupt")

cli.app.main = interrupted
cli.main(["info"])
"""
    (tmp_path / "interrupted.py").write_text(code)
    command = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 130, done.stderr
    assert "Interrupted" in done.stderr
