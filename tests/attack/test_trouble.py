"""Ordinary trouble of the machine: a sentence, an exit code, and nothing half done; no defect."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bitbox.cli import run as bitbox
from bitbox.cli.streams import Stream
from bitbox.errors import OutputError
from bitbox.files import reason
from bitbox.workflow.results_folder import check_results
from tests.attack.places import command, left_over, signals_of, small_disk

SOURCE = Path(__file__).parents[2] / "src" / "bitbox"
posix = pytest.mark.skipif(sys.platform == "win32", reason="shells differ there")


def shell(line: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which "$@" is the command."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}", "bash", *command(*arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return signals_of(tmp_path_factory.mktemp("signals"), 1)


@posix
class TestOutput:
    def test_nobody_reads(self, pair) -> None:
        assert shell('"$@" | head -1 >/dev/null', "info", pair[0]).returncode == 0

    def test_closed(self, pair, tmp_path) -> None:
        arguments = ("imitate", *pair, "-o", tmp_path / "results", "--surrogates", 19)
        assert shell('"$@" >&- 2>&-', *arguments).returncode == 0
        check_results(tmp_path / "results")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_full(self, pair) -> None:
        done = shell('"$@" >/dev/full', "info", pair[0])
        assert done.returncode == 1
        assert "could not be written: No space left on device" in done.stderr
        assert shell('"$@" 2>/dev/full', "info", pair[0]).returncode == 0


def test_a_stream_keeps_its_first_failure(tmp_path: Path) -> None:
    class Full:
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

        def fileno(self) -> int:
            raise OSError

    stream = Stream(Full())  # type: ignore[arg-type]
    assert stream.write("text") == 4
    stream.flush()
    assert stream.failure is not None
    assert stream.failure.errno == 28


class TestDisk:
    @pytest.mark.parametrize("size", ["16k", "64k", "300k"])
    def test_full(self, pair, tmp_path, capsys, size) -> None:
        arguments = ["imitate", *map(str, pair), "--surrogates", "19", "--windows"]
        with small_disk(tmp_path / "disk", size) as disk:
            assert bitbox([*arguments, "-o", str(disk / "results")]) == 1
            said = capsys.readouterr().err
            assert "defect" not in said
            assert "No space left" in said
            assert [path.name for path in disk.rglob("*")] == []

    def test_full_when_there_are_results(self, pair, tmp_path, capsys) -> None:
        """The old ones stay whole."""
        arguments = ["-q", "imitate", *map(str, pair), "--surrogates", "19"]
        with small_disk(tmp_path / "disk", "12m") as disk:
            folder = disk / "results"
            assert bitbox([*arguments, "-o", str(folder)]) == 0
            before = (folder / "run.json").read_bytes()
            room = shutil.disk_usage(disk).free
            (disk / "large").write_bytes(bytes(max(0, room - 50_000)))
            assert bitbox([*arguments, "-o", str(folder)]) == 1
            assert "No space left" in capsys.readouterr().err
            assert (folder / "run.json").read_bytes() == before
            check_results(folder)
            assert left_over(folder) == []


class TestNames:
    @posix
    def test_no_utf8(self, pair, tmp_path) -> None:
        try:
            odd = Path(shutil.copy(pair[0], os.fsdecode(os.fsencode(tmp_path) + b"/p\xff.parquet")))
        except OSError:
            pytest.skip("this file system has UTF-8 only")
        folder = tmp_path / os.fsdecode(b"out\xfe")
        arguments = ["imitate", str(odd), str(pair[1]), "-o", str(folder), "--windows"]
        assert bitbox([*arguments, "--surrogates", "19"]) == 0
        assert check_results(folder)["inputs"]["participant"]["file"] == odd.name

    @pytest.mark.parametrize("name", ["x" * 256, "x/" * 3000, "x\0y"])
    def test_that_cannot_be(self, pair, tmp_path, capsys, name) -> None:
        good = [str(path) for path in pair]
        bad = str(tmp_path / name)
        tries = (
            ["imitate", bad, good[1], "-o", str(tmp_path / "results")],
            ["imitate", *good, "-o", bad],
            ["suggest", bad, good[1]],
            ["info", bad],
        )
        for arguments in tries:
            assert bitbox(arguments) in (1, 2)
            said = capsys.readouterr().err
            assert "defect" not in said
            assert "None" not in said
            assert list(tmp_path.iterdir()) == []


class TestMemory:
    @pytest.mark.skipif(sys.platform != "linux", reason="limits differ elsewhere")
    @pytest.mark.parametrize("kilobytes", [1_000_000, 1_900_000, 3_000_000])
    def test_limited(self, pair, tmp_path, kilobytes) -> None:
        """Without the check, some of these abort, and one waits for ever."""
        folder = tmp_path / "results"
        done = shell(f'ulimit -v {kilobytes}; "$@"', "imitate", *pair, "-o", folder)
        assert done.returncode == 1
        assert "ulimit -v unlimited" in done.stderr
        assert not folder.exists()

    @pytest.mark.parametrize(
        "error",
        [
            MemoryError(),
            RuntimeError("can't start new thread"),
            ImportError("libblas.so: failed to map segment from shared object"),
            OSError(12, "Cannot allocate memory"),
        ],
    )
    def test_is_told(self, capsys, monkeypatch, error) -> None:
        def fails(**_: object) -> None:
            raise error

        monkeypatch.setattr("bitbox.cli.app.main", fails)
        assert bitbox(["info", "a"]) == 1
        assert "not enough memory" in capsys.readouterr().err


def test_trouble_that_nobody_foresaw_names_the_file(capsys, monkeypatch) -> None:
    def fails(**_: object) -> None:
        raise OSError(5, "Input/output error", "/data/a.mp4")

    monkeypatch.setattr("bitbox.cli.app.main", fails)
    assert bitbox(["info", "a"]) == 1
    said = capsys.readouterr().err
    assert "Input/output error (/data/a.mp4)" in said
    assert "defect" not in said


def test_reasons_are_never_none() -> None:
    assert reason(OSError("Arrow says so")) == "Arrow says so"
    assert reason(OSError(28, "No space left on device")) == "No space left on device"
    assert reason(OSError()) == "OSError"
    assert reason(OutputError("Why not.")) == "Why not."
    for path in SOURCE.rglob("*.py"):
        if path.name != "files.py":
            assert "strerror" not in path.read_text(encoding="utf-8"), f"{path}: use files.reason"
