"""Studies that are killed, and workers that are, end as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from bitbox.cli import run
from bitbox.study import Study, engine
from bitbox.study.study import PAIRS
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


def test_a_study_that_is_killed_goes_on_and_ends_the_same(tmp_path, capsys) -> None:
    """With two workers, one of which is killed as well; a tenth of the recordings is broken."""
    people, broken = (8, 1) if ROUNDS == 1 else (125, 25)
    study = Study(recordings(tmp_path, people, broken), tmp_path / "whole", QUICK)
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0"
    ) as client:
        result = study.run(client)
    words = ["study", str(study.path), "-o", str(tmp_path / "out"), "--surrogates", "19"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bitbox", "-q", *words, "--workers", "2"], start_new_session=True
    )
    while len(list((tmp_path / "out").glob(f"{PAIRS}/*/pair.json"))) < people // 2:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "study.json").exists()
    left = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").glob(f"{PAIRS}/*/pair.json")}
    with engine.local_client(2) as client:
        workers = client.run(os.getpid)
        killed = []

        def kill_one(_task: str, _done: int, _total: int | None) -> None:
            if not killed:
                killed.append(min(workers.values()))
                os.kill(killed[0], signal.SIGKILL)

        again = Study(study.path, tmp_path / "out", QUICK).run(client, progress=kill_one)
    assert killed
    assert len(again.failures) == 2 * broken
    assert all(path.stat().st_mtime_ns == time for path, time in left.items())
    assert content(tmp_path / "out") == content(result.folder)
    assert run([*words, "--workers", "1"]) == 1  # some failed
    said_so = f"{4 * people - 2 * broken} of {4 * people} pairs were compared"
    assert said_so in said(capsys)
