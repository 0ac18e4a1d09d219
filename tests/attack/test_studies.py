"""Studies that are killed, and workers that are, end as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bitbox.cli import run
from bitbox.study import Study, engine
from bitbox.study.study import PAIRINGS, PAIRS
from tests.attack.places import ROUNDS
from tests.cli.reading import said
from tests.study.recordings import QUICK, content, recordings

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there"),
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning",
        "ignore::ResourceWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ),
]


def _killed_when(words: list[str], far_enough: Callable[[], bool]) -> None:
    """Start the command, with all that it starts, and kill it when it is far enough."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bitbox", "-q", *words], start_new_session=True
    )
    while not far_enough():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _times(folder: Path, pattern: str) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.glob(pattern)}


def test_a_study_that_is_killed_goes_on_and_ends_the_same(tmp_path, capsys) -> None:
    """With two workers, one of which is killed as well; a tenth of the recordings is broken.

    It is killed twice: while pairs are compared, and while wrong pairings are.
    """
    people, broken = (8, 1) if ROUNDS == 1 else (125, 25)
    study = Study(recordings(tmp_path, people, broken), tmp_path / "whole", QUICK)
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0"
    ) as client:
        result = study.run(client)
    out, pairs, pairings = tmp_path / "out", f"{PAIRS}/*/pair.json", f"{PAIRINGS}/*.json"
    words = ["study", str(study.path), "-o", str(out), "--surrogates", "19"]
    _killed_when([*words, "--workers", "2"], lambda: len(_times(out, pairs)) >= people // 2)
    left = _times(out, pairs)
    _killed_when([*words, "--workers", "2"], lambda: len(_times(out, pairings)) >= 2)
    assert not (out / "study.json").exists()
    left |= _times(out, pairs) | _times(out, pairings)
    with engine.local_client(2) as client:
        workers = client.run(os.getpid)
        killed = []

        def kill_one(_task: str, _done: int, _total: int | None) -> None:
            if not killed:
                killed.append(min(workers.values()))
                os.kill(killed[0], signal.SIGKILL)

        again = Study(study.path, out, QUICK).run(client, progress=kill_one)
    assert killed
    assert len(again.failures) == 2 * broken
    assert all(path.stat().st_mtime_ns == time for path, time in left.items())
    assert content(out) == content(result.folder)
    assert run([*words, "--workers", "1"]) == 1  # some failed
    said_so = f"{4 * people - 2 * broken} of {4 * people} pairs were compared"
    assert said_so in said(capsys)
