"""A folder of results is of one run, can be checked, and is replaced as a whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bitbox.cli import run as bitbox
from bitbox.errors import InputError, OutputError, ParameterError
from bitbox.system.scratch import locked, tidy, unfinished
from bitbox.workflow import results_folder as module
from bitbox.workflow.finished_run import Run
from bitbox.workflow.results_folder import (
    RECORD,
    RESULTS,
    check_results,
    refuse_inputs_that_are_results,
    results_folder,
    write_results,
)
from bitbox.workflow.run import imitate_files
from bitbox.workflow.settings import Settings
from tests.attack.places import left_over, signals_of

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
pytestmark = pytest.mark.filterwarnings("ignore:This process .* multi-threaded:DeprecationWarning")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two runs of different recordings; the first also writes windows.nc."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitbox.workflow.results_folder.can_report", lambda: False)
        return [
            imitate_files(
                *signals_of(folder, seed),
                folder / str(seed),
                Settings(n_surrogates=19, seed=1, windows=seed == 0),
            )
            for seed in range(2)
        ]


@pytest.fixture
def folder(runs: list[Run], tmp_path: Path) -> Path:
    """Results of the first run."""
    return shutil.copytree(runs[0].folder, tmp_path / "results")


@pytest.fixture(autouse=True)
def quick(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare results by copying what the same run wrote before."""
    written = {id(run.quality): run.folder for run in runs}
    monkeypatch.setattr(
        module, "_prepare", lambda run, new: shutil.copytree(written[id(run.quality)], new)
    )


def moved(run: Run, folder: Path) -> Run:
    from dataclasses import replace

    return replace(run, folder=folder)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


class TestRecord:
    def test_holds_the_hash_of_every_other_result(self, folder: Path) -> None:
        record = check_results(folder)
        others = {path.name for path in folder.iterdir()} - {RECORD}
        assert set(record["files"]) == others
        assert "windows.nc" in others

    @pytest.mark.parametrize("name", ["scorecard.csv", "model.parquet", "methods.txt"])
    def test_tells_that_a_result_was_changed(self, folder: Path, name: str) -> None:
        with (folder / name).open("ab") as file:
            file.write(b"\n")
        with pytest.raises(InputError, match=f"{name} in .* is not what the run wrote"):
            check_results(folder)

    def test_tells_that_a_result_is_gone(self, folder: Path) -> None:
        (folder / "pairs.csv").unlink()
        with pytest.raises(InputError, match=r"pairs\.csv .* cannot be read"):
            check_results(folder)

    def test_a_folder_without_a_record_is_of_no_run(self, folder: Path, tmp_path: Path) -> None:
        (folder / RECORD).unlink()
        with pytest.raises(InputError, match="did not end"):
            check_results(folder)
        with pytest.raises(InputError, match="no finished results"):
            check_results(tmp_path / "nothing")

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": 3}', "\0"])
    def test_a_spoilt_record_is_an_error(self, folder: Path, text: str) -> None:
        (folder / RECORD).write_text(text)
        with pytest.raises(InputError, match="cannot be used"):
            check_results(folder)

    def test_info_of_a_folder_of_results(self, folder: Path, capsys) -> None:
        assert bitbox(["info", str(folder)]) == 0
        assert "of one run" in capsys.readouterr().out
        (folder / "pairs.csv").write_text("mine")
        assert bitbox(["info", str(folder)]) == 1
        assert "pairs.csv" in capsys.readouterr().err


class TestReplacing:
    def test_all_are_of_the_new_run(self, runs, folder) -> None:
        (folder / "notes.txt").write_text("mine")
        files = write_results(moved(runs[1], folder))
        assert files[-1].name == RECORD
        new = content(runs[1].folder)
        assert content(folder) == {**new, "notes.txt": b"mine"}  # no windows.nc of the old run
        check_results(folder)
        assert left_over(folder) == []

    @pytest.mark.parametrize("at", range(16))
    def test_if_one_cannot_be_moved_the_old_ones_stay(self, runs, folder, monkeypatch, at) -> None:
        before = content(folder)
        count = 0
        move = os.replace

        def fails_once(source: Path, target: Path) -> None:
            nonlocal count
            count += 1
            if count == at + 1:
                raise PermissionError(13, "Permission denied")
            move(source, target)

        monkeypatch.setattr("bitbox.workflow.results_folder.os.replace", fails_once)
        names = 8 + 7  # of the old run, and of the new
        if at >= names:
            write_results(moved(runs[1], folder))
            assert count == names
            return
        with pytest.raises(OutputError, match="cannot be replaced: Permission denied") as caught:
            write_results(moved(runs[1], folder))
        assert "Close it" in str(caught.value)
        assert content(folder) == before
        assert left_over(folder) == []

    @pytest.mark.parametrize("name", ["scorecard.csv", RECORD, "windows.nc"])
    def test_a_folder_in_the_way_is_seen_before_anything_is_measured(
        self, tmp_path, monkeypatch, name
    ) -> None:
        (tmp_path / "results" / name).mkdir(parents=True)
        monkeypatch.setattr(
            "bitbox.workflow.recordings.load_recording", lambda *_, **__: pytest.fail("measured")
        )
        with pytest.raises(OutputError, match=rf"{name} cannot be replaced: a folder"):
            imitate_files("a.csv", "b.csv", tmp_path / "results")
        assert [path.name for path in (tmp_path / "results").iterdir()] == [name]

    def test_a_folder_that_came_in_the_way_meanwhile(self, runs, folder) -> None:
        (folder / "report.html").mkdir()
        before = content(folder)
        with pytest.raises(OutputError, match=r"report\.html cannot be replaced"):
            write_results(moved(runs[1], folder))
        assert content(folder) == before
        assert left_over(folder) == []

    @forks
    @pytest.mark.parametrize("at", range(16))
    def test_a_run_killed_meanwhile_is_undone_by_the_next(self, runs, folder, at) -> None:
        """As a kill would, nothing of the run does anything any more after a move."""
        before, after = content(folder), content(runs[1].folder)
        child = os.fork()
        if child == 0:
            count = 0
            move = os.replace

            def die(source: Path, target: Path) -> None:
                nonlocal count
                if count == at:
                    os._exit(9)
                count += 1
                move(source, target)

            os.replace = die
            write_results(moved(runs[1], folder))
            os._exit(0)
        killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        assert killed == (at < 15)
        if killed and at > 0:
            assert not (folder / RECORD).exists()
        with results_folder(folder):
            assert content(folder) == (before if killed else after)
            check_results(folder)
        assert left_over(folder) == []

    def test_where_the_folder_was_removed_it_is_made_again(self, runs, tmp_path) -> None:
        write_results(moved(runs[1], tmp_path / "a" / "b"))
        check_results(tmp_path / "a" / "b")

    def test_an_interruption_waits_until_all_are_moved(self, runs, folder, monkeypatch) -> None:
        import signal

        move = os.replace

        def interrupted(source: Path, target: Path) -> None:
            signal.raise_signal(signal.SIGINT)
            move(source, target)

        monkeypatch.setattr("bitbox.workflow.results_folder.os.replace", interrupted)
        former = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(KeyboardInterrupt) as caught:
                write_results(moved(runs[1], folder))
        finally:
            signal.signal(signal.SIGINT, former)
        assert "are complete" in caught.value.__notes__[0]
        assert content(folder) == content(runs[1].folder)
        assert left_over(folder) == []


class TestFolder:
    def test_what_was_made_for_a_run_that_fails_is_removed(self, tmp_path: Path) -> None:
        def fail() -> None:
            with results_folder(tmp_path / "results") as folder:
                (folder / "cache").mkdir()
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert list(tmp_path.iterdir()) == []

    def test_the_cache_of_another_run_is_not(self, tmp_path: Path) -> None:
        (tmp_path / "cache").mkdir()
        with pytest.raises(RuntimeError), results_folder(tmp_path):
            raise RuntimeError
        assert (tmp_path / "cache").is_dir()

    @pytest.mark.parametrize("name", ["x" * 256, "a\0b", "a/" * 3000])
    def test_a_name_that_cannot_be(self, tmp_path: Path, name: str) -> None:
        with (
            pytest.raises(OutputError, match=r"cannot be written to .*: (?!None)\w"),
            results_folder(tmp_path / name),
        ):
            pytest.fail("made")


def _dies_after(removals: int) -> Callable[..., None]:
    """Return an `os.unlink` that ends the process, as a kill would, at one removal."""
    left, unlink = removals + 1, os.unlink  # the first is the lock's, before the work

    def remove(path: object, **options: object) -> None:
        nonlocal left
        if left == 0:
            os._exit(9)
        left -= 1
        unlink(path, **options)  # type: ignore[arg-type,call-overload]

    return remove


class TestUnfinished:
    def test_what_is_in_use_stays(self, tmp_path: Path) -> None:
        with unfinished(tmp_path, ".work-") as place:
            tidy(tmp_path, ".work-")
            assert place.is_dir()
        assert list(tmp_path.iterdir()) == []

    @forks
    def test_what_was_left_goes(self, tmp_path: Path) -> None:
        child = os.fork()
        if child == 0:
            with unfinished(tmp_path, ".work-") as place:
                (place / "half").write_text("x")
                os._exit(9)
        os.waitpid(child, 0)
        assert [path.name[:6] for path in tmp_path.iterdir()] == [".work-"]
        tidy(tmp_path, ".work-")
        assert list(tmp_path.iterdir()) == []

    @forks
    def test_who_is_killed_while_removing_leaves_what_the_next_removes(
        self, tmp_path: Path
    ) -> None:
        """The next run removes the rest: what tells whose the folder was goes last."""
        for survived in range(8):
            child = os.fork()
            if child == 0:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(os, "unlink", _dies_after(survived))
                    with unfinished(tmp_path, ".work-") as place:
                        for name in ("a", "b", "old", "new"):
                            (place / name).mkdir()
                            (place / name / "result").write_text("x")
                        (place / "switching").touch()
                os._exit(0)
            os.waitpid(child, 0)
            tidy(tmp_path, ".work-")
            assert list(tmp_path.iterdir()) == [], survived

    def test_one_of_an_older_version_goes_after_a_day(self, tmp_path: Path) -> None:
        place = tmp_path / ".work-1"
        place.mkdir()
        (place / "half").write_text("x")
        tidy(tmp_path, ".work-")
        assert place.is_dir()
        os.utime(place, (1e9, 1e9))
        tidy(tmp_path, ".work-")
        assert not place.exists()

    def test_others_wait_for_the_lock(self, tmp_path: Path) -> None:
        from concurrent.futures import ThreadPoolExecutor

        inside, most = 0, 0

        def work(_: int) -> None:
            nonlocal inside, most
            for _ in range(30):
                with locked(tmp_path):
                    inside += 1
                    most = max(most, inside)
                    inside -= 1

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert most == 1
        assert list(tmp_path.iterdir()) == []


def test_every_result_is_known(runs: list[Run]) -> None:
    """What is not would stay when another run's results come."""
    record = json.loads((runs[0].folder / RECORD).read_text(encoding="utf-8"))
    with_trials = {"trials.csv", "trials_scorecard.csv"}
    alone = {name for name in RESULTS if name.count(".") == 1}
    assert set(record["files"]) | {RECORD, "report.html"} | with_trials == alone


class TestInputs:
    """Signals that an earlier run measured were replaced by the next."""

    def test_that_are_results_are_refused_before_anything_is_done(
        self, folder: Path, tmp_path: Path
    ) -> None:
        before = content(folder)
        link = tmp_path / "signals.parquet"
        link.symlink_to(folder / "participant.parquet")
        here = Path(os.path.relpath(folder / "participant.parquet"))
        for mine in (folder / "participant.parquet", link, here, folder / "." / "run.json"):
            for pair in ((mine, tmp_path / "none.csv"), (tmp_path / "none.csv", mine)):
                with pytest.raises(ParameterError, match="replaced by a result of its own"):
                    imitate_files(*pair, folder)
        assert content(folder) == before

    def test_the_command_says_what_to_do(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        files = [str(folder / f"{who}.parquet") for who in ("model", "participant")]
        assert bitbox(["imitate", *files, "-o", str(folder)]) != 0
        assert "Name another folder with -o" in " ".join("".join(capsys.readouterr()).split())

    def test_others_beside_them_are_fine(self, folder: Path, tmp_path: Path) -> None:
        for path in (folder / "other.parquet", tmp_path / "model.parquet"):
            shutil.copy(folder / "model.parquet", path)
            refuse_inputs_that_are_results(folder, path)
        refuse_inputs_that_are_results(tmp_path / "new", folder / "model.parquet")
        refuse_inputs_that_are_results(folder, Path("\0"), tmp_path / "none")
