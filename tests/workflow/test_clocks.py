"""Clocks that are found by listening: the command `sync`, and analyses with an offset of auto."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from bitbox.cli import run
from bitbox.errors import ParameterError, UnsureError
from bitbox.sync import Offset
from bitbox.synthetic.signals import imitated_pair
from bitbox.synthetic.sound import RATE, heard, sound, write_sound
from bitbox.workflow.clocks import Clocks, clocks_of
from bitbox.workflow.recordings import Recording
from bitbox.workflow.settings import Settings
from tests.cli.reading import said

pytest.importorskip("av")


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two recordings of one conversation; the first started 2.5 s later."""
    folder, rng = tmp_path_factory.mktemp("talk"), np.random.default_rng(3)
    air = sound("talk", 32.5, rng)
    late, early = heard(air, rng)[round(2.5 * RATE) :], heard(air, rng)
    return write_sound(folder / "late.mp4", late), write_sound(folder / "early.mp4", early)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, rng = tmp_path_factory.mktemp("strangers"), np.random.default_rng(4)
    one, other = (
        write_sound(folder / f"{k}.mp4", heard(sound("talk", 20, rng), rng)) for k in "ab"
    )
    return one, other


def test_the_command_says_it_and_draws_it(talked, tmp_path, capsys) -> None:
    figure = tmp_path / "sync.html"
    assert run(["sync", *map(str, talked), "--figure", str(figure)]) == 0
    text = said(capsys)
    started = re.search(r"The first started (\d\.\d+) s later", text)
    given = re.search(r"--offset (\d\.\d+)", text)
    assert started is not None
    assert given is not None
    assert float(started[1]) == pytest.approx(2.5, abs=0.005)
    assert float(given[1]) == pytest.approx(2.5, abs=0.005)
    assert "agreement" in figure.read_text(encoding="utf-8")


def test_the_command_refuses_and_says_what_it_found(strangers, tmp_path, capsys) -> None:
    figure = tmp_path / "sync.html"
    assert run(["sync", *map(str, strangers), "--figure", str(figure)]) == 1
    text = said(capsys)
    assert "the likeliest offset" in text
    assert "clap three times" in text
    assert figure.exists()
    assert run(["sync", *map(str, strangers), "--figure", str(tmp_path / "sync.png")]) == 2
    assert "ends in .html" in said(capsys)


def test_movement_is_refused_without_a_word(tmp_path, capsys) -> None:
    participant, model, _ = imitated_pair(4, imitated=4, duration=60, delay=0.0, seed=1)
    files = [
        str(participant.shifted(-3.0).to_parquet(tmp_path / "a.parquet")),
        str(model.to_parquet(tmp_path / "b.parquet")),
    ]
    assert run(["sync", *files, "--by", "movement"]) == 2
    assert "--not-for-testing" in said(capsys)
    assert run(["sync", *files, "--by", "movement", "--not-for-testing"]) == 0
    text = said(capsys)
    assert "Never use it to test imitation on the same stretch" in text
    assert "--offset 3.0" in text


def test_clocks_are_listened_for(talked) -> None:
    clocks = clocks_of(*talked, Settings(offset="auto"))
    assert clocks.offset == pytest.approx(2.5, abs=0.005)
    assert [finding.code for finding in clocks.findings()] == ["offset-found"]
    assert "onsets of energy" in clocks.sentence()
    assert clocks_of(*talked, Settings(offset=1.5)) == Clocks(1.5)


def test_what_cannot_be_listened_to(talked, strangers, tmp_path) -> None:
    with pytest.raises(UnsureError):
        clocks_of(*strangers, Settings(offset="auto"))
    with pytest.raises(ParameterError, match="has to be found"):
        clocks_of(*talked, Settings(remove_drift=True))
    copy = shutil.copy(talked[0], tmp_path / "copy.mp4")
    for same in (talked[0], Path(copy)):
        with pytest.raises(ParameterError, match="one clock"):
            clocks_of(talked[0], same, Settings(offset="auto"))
    signals = imitated_pair(2, duration=10, seed=1)[0].to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ParameterError, match="has no sound"):
        clocks_of(talked[0], signals, Settings(offset="auto"))


def test_drift_is_taken_out_on_request() -> None:
    """A participant's clock that loses 200 ppm is brought to the model's."""
    participant, _, _ = imitated_pair(2, duration=600, fps=10, seed=1)
    found = Offset(2.0, 0.002, 200.0, 3.0, 2.06, (0.0, 600.0), "sound", True, "", None)
    person = Recording("participant", Path("a.mp4"), participant)
    kept, gone = Clocks(2.06, found), Clocks(2.06, found, removed=True)
    assert kept.steadied(person) is person
    (warning,) = [f for f in kept.findings() if f.code == "clocks-drift"]
    assert "0.120 s" in warning.message
    assert "remove_drift=True" in warning.todo
    (told,) = [f for f in gone.findings() if f.code == "drift-removed"]
    assert "0.120 s" in told.message
    steady = gone.steadied(person).signals
    for row in (0, 3000, -1):
        time = participant.time[row]
        assert steady.time[row] + gone.offset == pytest.approx(time + found.at(time), abs=1e-3)
    assert "taken out" in gone.sentence()
    assert "a drift of 200 parts per million was taken out" in gone.facts()["Clock"]
    assert kept.facts()["Clock"].startswith("+2.060 s")
    assert Clocks(0.0).facts() == {}


def with_sound(video: Path, path: Path, samples) -> Path:
    """Return a copy of a video with a sound track."""
    import av

    cut = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        picture = target.add_stream_from_template(source.streams.video[0])
        track = target.add_stream("aac", rate=RATE, layout="mono")
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = picture
                target.mux(packet)
        for first in range(0, len(cut), 1024):
            frame = av.AudioFrame.from_ndarray(cut[None, first : first + 1024], "s16", "mono")
            frame.sample_rate, frame.pts = RATE, first
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return path


@pytest.mark.video
def test_two_videos_that_did_not_start_together(tmp_path, capsys) -> None:
    pytest.importorskip("mediapipe")
    from bitbox.synthetic.performance import Bursts, perform
    from bitbox.synthetic.video import Scene, render_video

    time = np.arange(250) / 25
    smile = {"smile": Bursts.random(10.0, 1)}
    scene = Scene(size=(240, 180), eye_distance=40, vertical_fov=24)
    render_video(tmp_path / "face.mp4", perform(time, smile), scene)
    rng = np.random.default_rng(5)
    air = sound("talk", 11.2, rng)
    late, early = heard(air, rng)[round(1.2 * RATE) :], heard(air, rng)[: 10 * RATE]
    a = with_sound(tmp_path / "face.mp4", tmp_path / "a.mp4", late)
    b = with_sound(tmp_path / "face.mp4", tmp_path / "b.mp4", early)
    quick = ("--surrogates", "19", "--seed", "1", "--width", "1", "--lag", "0.4")
    out = tmp_path / "out"
    assert run(["imitate", str(a), str(b), "-o", str(out), "--offset", "auto", *quick]) == 0
    assert "found from the recordings' sound" in said(capsys)
    record = json.loads((out / "run.json").read_text())
    assert record["settings"]["offset"] == "auto"
    assert record["clocks"]["offset"] == pytest.approx(1.2, abs=0.005)
    assert record["analysis"]["parameters"]["offset"] == record["clocks"]["offset"]
    assert "onsets of energy" in (out / "methods.txt").read_text()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "onsets of energy" in page
    assert "to be on the model" in page
