"""A pair is measured in two processes where that is sooner, with the same results."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bitbox.errors import OutputError, VideoError
from bitbox.measuring.spool import room_for
from bitbox.workflow import pair
from bitbox.workflow.clocks import Clocks
from bitbox.workflow.recordings import is_measured
from bitbox.workflow.settings import Settings

pytestmark = pytest.mark.video


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two people for just as long as makes a second process worth it."""
    pytest.importorskip("mediapipe")
    from bitbox.synthetic.performance import Bursts, perform
    from bitbox.synthetic.video import Scene, render_video

    folder = tmp_path_factory.mktemp("films")
    time = np.arange(round(pair.LONG * 15) + 5) / 15
    scene = Scene(size=(200, 160), eye_distance=36, vertical_fov=24)
    films = []
    for seed in (1, 2):
        films.append(folder / f"{seed}.mp4")
        moves = {"smile": Bursts.random(float(time[-1]), seed)}
        render_video(films[-1], perform(time, moves), scene)
    return films[0], films[1]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was done in another process."""
    calls: list[object] = []

    def noted(function, arguments, *how):  # type: ignore[no-untyped-def]
        calls.append(arguments["role"])
        return real(function, arguments, *how)

    real = pair.elsewhere
    monkeypatch.setattr(pair, "elsewhere", noted)
    return calls


def test_the_same_in_two_processes_as_in_one(films, started, tmp_path: Path, monkeypatch) -> None:
    told: list[str] = []
    loaded: list[int] = []
    monkeypatch.setattr(pair, "load_analysis", lambda: loaded.append(len(started)))
    settings, clocks = Settings(), Clocks(0.0)

    def load(folder: str, threads: int | None):  # type: ignore[no-untyped-def]
        where = tmp_path / folder
        return pair.load_both(
            *films, where, settings, clocks, lambda task, *_: told.append(task), threads
        )

    apart = load("apart", None)
    assert started == ["model"]
    assert any("1.mp4" in task for task in told)
    assert any("2.mp4" in task for task in told)
    alone = load("alone", 1)
    assert started == ["model"]
    for one, other in zip(apart, alone, strict=True):
        np.testing.assert_array_equal(one.signals.values, other.signals.values)
        assert one.findings == other.findings
        assert (one.role, one.sha256, one.path) == (other.role, other.sha256, other.path)
    assert loaded in ([1], [])  # while the other process is at work, if it still is
    assert is_measured(films[1], None, tmp_path / "apart")
    load("apart", None)  # it is found, and nothing has to be started
    assert started == ["model"]


def test_what_fails_there_is_told_here(films, started, tmp_path: Path) -> None:
    from bitbox.synthetic.video import write_video

    empty = np.full((120, 160, 3), 128, np.uint8)
    nobody = write_video(tmp_path / "nobody.mp4", [empty] * round(pair.LONG * 5 + 5), 5)
    with pytest.raises(VideoError, match="No face is seen") as caught:
        pair.load_both(films[0], nobody, tmp_path / "cache", Settings(), Clocks(0.0), None)
    assert caught.value.role == "model"
    assert started == ["model"]


def test_the_other_process_asks_for_room_here(films, started, tmp_path, monkeypatch) -> None:
    from bitbox.face_backend import mediapipe

    monkeypatch.setattr(mediapipe, "_room", lambda _: 0)  # in this process only
    usage = SimpleNamespace(free=10**9)
    monkeypatch.setattr("bitbox.measuring.spool.shutil.disk_usage", lambda _: usage)
    where = tmp_path / "cache"
    with (
        room_for(10**9 - 100, where, "a third recording"),
        pytest.raises(OutputError, match=r"measure 2\.mp4.*1\.00 GB are for another recording"),
    ):
        pair.load_both(*films, where, Settings(), Clocks(0.0), None)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at what processes are there")
def test_interrupted_while_both_are_tracked(films, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    command = [sys.executable, "-m", "bitbox", "imitate", *map(str, films), "-o", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (children := children_of(process.pid)):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert not folder.exists()
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def children_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split() + [
            child
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []
