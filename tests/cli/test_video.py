"""The main job on real video, and on the faulty video that people bring."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bitbox.cli import run
from bitbox.provenance import hash_file
from tests.cli.reading import said

pytest.importorskip("mediapipe")
av = pytest.importorskip("av")
pytestmark = pytest.mark.video

QUICK = ("--surrogates", "49", "--seed", "1", "--lag", "0.8")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    """Two videos of 14 s, small, and what is true of them."""
    from bitbox.synthetic.demo import render_demo

    return render_demo(tmp_path_factory.mktemp("demo"), duration=14, size=(480, 360))


@pytest.fixture(scope="module")
def two_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split screen: the participant left, the model right."""
    from bitbox.synthetic.demo import demo_performances
    from bitbox.synthetic.video import Person, Scene, render_video

    participant, model = demo_performances(10.0)
    path = tmp_path_factory.mktemp("split") / "split.mp4"
    people = [Person(participant, other=True), Person(model)]
    render_video(path, people, Scene(size=(640, 300), split=True))
    return path


def imitate(*arguments: object) -> int:
    return run(["imitate", *map(str, arguments)])


def test_two_videos_in_a_scorecard_and_a_report_out(demo, tmp_path, capsys) -> None:
    folder = tmp_path / "results"
    assert imitate(demo.participant, demo.model, "-o", folder, *QUICK) == 0
    assert "Tracking the face in participant.mp4" in said(capsys)
    first = (folder / "scorecard.csv").read_bytes()
    card = pd.read_csv(folder / "scorecard.csv", index_col="signal")
    assert len(card) == 32
    truth = demo.truth.to_frame().drop(columns="gain").join(card, how="inner")
    imitated, own = truth[truth.imitated], truth[~truth.imitated]
    assert imitated["shape"].median() > own["shape"].median()
    # 14 s are few windows: what is not beyond chance has no latency
    assert (card["latency"].notna() == (card["p_fwer"] <= 0.05)).all()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "data:image/" in page
    assert "participant.mp4" in page
    # the second run finds the signals and gives the same tables
    assert imitate(demo.participant, demo.model, "-o", folder, *QUICK) == 0
    assert "Tracking" not in said(capsys)
    assert (folder / "scorecard.csv").read_bytes() == first
    # and the saved signals stand for the videos
    again = tmp_path / "again"
    files = (folder / "participant.parquet", folder / "model.parquet")
    assert imitate(*files, "-o", again, *QUICK) == 0
    assert (again / "scorecard.csv").read_bytes() == first


def test_measured_anew_everything_is_the_same_byte_for_byte(demo, tmp_path) -> None:
    """In processes of their own, which may use other numbers of threads."""
    found = []
    for threads in ("1", "2"):
        place = tmp_path / threads
        place.mkdir()
        words = (demo.participant, demo.model, "-o", "results", *QUICK)
        subprocess.run(
            [sys.executable, "-m", "bitbox", "-q", "imitate", *map(str, words)],
            cwd=place,
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        files = [path for path in (place / "results").iterdir() if path.is_file()]
        found.append({path.name: hash_file(path) for path in files if path.name != "run.json"})
    assert "report.html" in found[0]
    assert "participant.parquet" in found[0]
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["pose", "position", "landmarks", "landmarks-3d"])
def test_other_signals(demo, tmp_path, name: str) -> None:
    folder = tmp_path / name
    cache = tmp_path.parent / "shared-cache"
    if cache.exists():
        folder.mkdir()
        shutil.copytree(cache, folder / "cache")
    assert imitate(demo.participant, demo.model, "-o", folder, *QUICK, "--signals", name) == 0
    shutil.copytree(folder / "cache", cache, dirs_exist_ok=True)
    expected = {"pose": 3, "position": 3, "landmarks": 51, "landmarks-3d": 51}
    assert len(pd.read_csv(folder / "scorecard.csv")) == expected[name]


def test_two_people_in_one_picture(two_faces, tmp_path, capsys) -> None:
    folder = tmp_path / "results"
    faces = ("--participant-face", "left", "--model-face", "right")
    assert imitate(two_faces, two_faces, "-o", folder, *QUICK, *faces) == 0
    capsys.readouterr()
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    codes = [finding["code"] for finding in record["findings"]]
    assert "several-faces" in codes
    assert "same-recording" in codes
    participant = pd.read_parquet(folder / "participant.parquet")
    assert not participant.equals(pd.read_parquet(folder / "model.parquet"))


def test_one_video_alone(two_faces, tmp_path, capsys) -> None:
    """Given once, both faces named: gone through once, the same as given twice."""
    faces = ("--participant-face", "left", "--model-face", "right")
    assert imitate(two_faces, "-o", tmp_path / "one", *QUICK, *faces) == 0
    text = said(capsys)
    assert "Tracking 2 faces in split.mp4" in text
    assert "Tracking the face" not in text
    page = (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    assert "the left face of split.mp4" in page
    assert "the right face of split.mp4" in page
    assert imitate(two_faces, two_faces, "-o", tmp_path / "two", *QUICK, *faces) == 0
    for name in ("scorecard.csv", "participant.parquet", "model.parquet"):
        one, two = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
        assert one == two, name
    for incomplete in ((), ("--model-face", "left"), ("--face", "left")):
        assert imitate(two_faces, "-o", tmp_path / "no", *QUICK, *incomplete) == 2
        assert "--participant-face left --model-face right" in said(capsys)


def test_a_face_is_not_compared_with_itself(two_faces, tmp_path, capsys) -> None:
    folder = tmp_path / "results"
    assert imitate(two_faces, two_faces, "-o", folder, *QUICK) == 1
    text = said(capsys)
    assert "the same face of the same video, split.mp4" in text
    assert "--participant-face left --model-face right" in text
    assert not (folder / "scorecard.csv").exists()


def test_info_of_a_video(demo, capsys) -> None:
    assert run(["info", str(demo.model)]) == 0
    text = said(capsys)
    assert "480 x 360 pixels" in text
    assert "30.00 frames a second" in text


class TestBadVideo:
    def refused(self, file: Path, other: Path, folder: Path, capsys, *sentences: str) -> None:
        before = sorted(folder.rglob("*"))
        assert imitate(file, other, "-o", folder / "results", *QUICK) == 1
        text = said(capsys)
        for sentence in (*sentences, file.name):
            assert sentence in text
        left = sorted(path for path in folder.rglob("*") if "cache" not in path.parts)
        assert [path for path in left if path.name != "results"] == before

    def test_without_a_face(self, demo, tmp_path, capsys) -> None:
        from bitbox.video import write_video

        wall = [np.full((240, 320, 3), 90 + k % 5, np.uint8) for k in range(60)]
        file = write_video(tmp_path / "wall.mp4", wall, 30)
        self.refused(file, demo.model, tmp_path, capsys, "face")

    def test_one_frame_only(self, demo, tmp_path, capsys) -> None:
        from bitbox.video import read_frames, write_video

        with read_frames(demo.model) as frames:
            image = next(frames).image
        file = write_video(tmp_path / "photo.mp4", [image], 30)
        before = [file]
        assert imitate(file, demo.model, "-o", tmp_path / "results", *QUICK) == 1
        assert "one frame" in said(capsys)
        assert [p for p in tmp_path.iterdir() if p.name != "results"] == before

    def test_sound_only(self, demo, tmp_path, capsys) -> None:
        file = tmp_path / "sound.mp4"
        with av.open(str(file), "w") as container:
            stream = container.add_stream("aac", rate=44100, layout="mono")
            for k in range(20):
                sound = np.zeros((1, 1024), np.float32)
                frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
                frame.rate, frame.pts, frame.time_base = 44100, 1024 * k, Fraction(1, 44100)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        self.refused(file, demo.model, tmp_path, capsys, "sound")

    def test_cut_off(self, demo, tmp_path, capsys) -> None:
        """What is there is used, and how much is missing is said."""
        data = demo.participant.read_bytes()
        file = tmp_path / "cut.mp4"
        file.write_bytes(data[: int(0.8 * len(data))])
        assert imitate(file, demo.model, "-o", tmp_path / "results", *QUICK) == 0
        text = said(capsys)
        assert "breaks off" in text
        assert "missing" in text

    def test_cut_off_before_the_index(self, demo, tmp_path, capsys) -> None:
        file = tmp_path / "cut.mp4"
        file.write_bytes(demo.participant.read_bytes()[:600])
        self.refused(file, demo.model, tmp_path, capsys, "cannot be")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_interrupted_while_tracking(demo, tmp_path) -> None:
    folder = tmp_path / "results"
    command = [sys.executable, "-m", "bitbox", "imitate", str(demo.participant), str(demo.model)]
    process = subprocess.Popen(
        [*command, "-o", str(folder)], stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    lines = []
    while process.poll() is None and process.stderr is not None:
        lines.append(process.stderr.readline())
        if "Tracking" in lines[-1]:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, "".join(lines) + err
    assert "Interrupted" in err
    assert not folder.exists()
