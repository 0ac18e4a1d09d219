"""Studies that are killed, and workers that are, end as if nothing had happened."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bitbox.cli import run
from bitbox.errors import OutputError
from bitbox.study import Study, engine
from bitbox.study.study import PAIRINGS, PAIRS
from tests.attack.places import ROUNDS, filled, read_only, small_disk
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
    whole = (path for path in folder.glob(pattern) if not path.name.startswith("."))  # others
    return {path: path.stat().st_mtime_ns for path in whole}


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


class TestTrouble:
    """Full disks, folders that cannot be written to, and recordings that are gone.

    Each while pairs are compared, while wrong pairings are, and while the tables are written.
    """

    @pytest.fixture(scope="class")
    def client(self) -> Iterator[Any]:
        with distributed.Client(
            processes=False, n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as found:
            yield found

    @pytest.fixture(scope="class")
    def table(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        path = recordings(tmp_path_factory.mktemp("recordings"), 4)
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        own = [row for row in rows if ",own,1," in row]  # four pairs, sixteen pairings
        path.write_text("\n".join([header.replace("group,", "kind,"), *own]), encoding="utf-8")
        return path

    @pytest.fixture(scope="class")
    def whole(self, table: Path, client: Any) -> dict[str, str]:
        """What is there where nothing went wrong."""
        result = Study(table, table.parent / "whole", QUICK).run(client)
        assert result.failures.empty
        return content(result.folder)

    @pytest.mark.parametrize("free", [0, 40_000])
    def test_the_disk_fills_up_while_pairs_are_compared(
        self, table: Path, whole: dict[str, str], client: Any, tmp_path: Path, free: int
    ) -> None:
        with small_disk(tmp_path / "disk", "20m") as disk:
            study = Study(table, disk / "out", QUICK)
            with filled(disk, free), pytest.raises(OutputError, match="No space left") as error:
                study.run(client)
            assert ("what was done is kept" in str(error.value)) == bool(free)
            left = _times(study.folder, f"{PAIRS}/*/pair.json")
            assert len(left) < len(_times(table.parent / "whole", f"{PAIRS}/*/pair.json"))
            assert bool(left) == bool(free)
            assert study.run(client).failures.empty
            assert content(study.folder) == whole
            assert left.items() <= _times(study.folder, f"{PAIRS}/*/pair.json").items()

    @pytest.mark.parametrize("free", [16_000, 100_000])
    def test_the_disk_fills_up_after_the_pairs(
        self, table: Path, whole: dict[str, str], client: Any, tmp_path: Path, free: int
    ) -> None:
        """While wrong pairings are compared, or while the tables are written."""
        with small_disk(tmp_path / "disk", "20m") as disk:
            Study(table, disk / "out", QUICK, pairings=False).run(client)
            study = Study(table, disk / "out", QUICK)
            tables = {path: path.read_bytes() for path in study.folder.glob("*.*")}
            with filled(disk, free), pytest.raises(OutputError, match="No space left"):
                study.run(client)
            left = _times(study.folder, f"{PAIRINGS}/*.json")
            assert len(left) == 4 if free == 100_000 else 0 < len(left) < 4
            assert {path: path.read_bytes() for path in study.folder.glob("*.*")} == tables
            assert study.run(client).failures.empty
            assert content(study.folder) == whole
            assert left.items() <= _times(study.folder, f"{PAIRINGS}/*.json").items()

    def test_the_folder_cannot_be_written_to(
        self, table: Path, whole: dict[str, str], client: Any, tmp_path: Path, capsys: Any
    ) -> None:
        """From the beginning, and from the moment at which wrong pairings are compared."""
        with small_disk(tmp_path / "disk", "20m") as disk:
            study = Study(table, disk / "out", QUICK)
            with read_only(disk):
                assert run(["study", str(table), "-o", str(study.folder)]) == 1
                told = capsys.readouterr().err
                assert f"Results cannot be written to {study.folder}: Read-only file system" in told
                assert "defect" not in told

            protected = contextlib.ExitStack()

            def protect(task: str, done: int, total: int | None) -> None:
                if task == "Comparing pairs" and done == total:
                    protected.enter_context(read_only(disk))

            with protected, pytest.raises(OutputError, match="Read-only"):
                study.run(client, progress=protect)
            assert _times(study.folder, f"{PAIRINGS}/*.json") == {}
            assert study.run(client).failures.empty
            assert content(study.folder) == whole

    @pytest.mark.parametrize("when", ["pairs", "wrong pairings"])
    @pytest.mark.parametrize("how", ["gone", "changed"])
    def test_a_recording_is_lost(
        self,
        table: Path,
        whole: dict[str, str],
        client: Any,
        tmp_path: Path,
        capsys: Any,
        when: str,
        how: str,
    ) -> None:
        path = table.parent / "m2_1.parquet"
        before = path.read_bytes()
        pairs = f"{PAIRS}/*/pair.json"

        def lose(task: str, done: int, total: int | None) -> None:
            if task == "Comparing pairs" and done == (total if when == "wrong pairings" else 1):
                path.unlink()
                if how == "changed":
                    shutil.copy(table.parent / "m3_1.parquet", path)

        study = Study(table, tmp_path / "out", QUICK)
        try:
            result = study.run(client, progress=lose)
            told = set(result.failures["error"])
            if when == "pairs":
                assert result.failures["id"].tolist() == ["p2"]
                assert result.pairs["done"].sum() == 3
            else:
                assert result.pairs["done"].all()
                assert all("was compared, but not with all wrong pairings" in one for one in told)
            word = "no file" if how == "gone" else "was changed while the study ran"
            assert all(word in one and path.name in one for one in told)
            assert not any("defect" in one for one in told)
            left = _times(study.folder, pairs)
            path.unlink(missing_ok=True)
            assert run(["study", str(table), "-o", str(study.folder)]) == 1
            assert "line 4, model: There is no file" in said(capsys)
        finally:
            path.write_bytes(before)
        assert study.run(client).failures.empty
        assert content(study.folder) == whole
        assert left.items() <= _times(study.folder, pairs).items()
