"""Work in a process of its own: what comes back, and that it never outlives who waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from bitbox.errors import BackendError, InputError
from bitbox.progress import Progress
from bitbox.system.elsewhere import NotStartedError, ask, elsewhere


def silent(task: str, done: int, total: int | None) -> None:
    """Hear nothing."""


def added(a: int, b: int, progress: Progress) -> tuple[int, int]:
    sys.stdout.write("what libraries print is no message\n")
    for k in range(3):
        progress("Adding", k, 3)
    return a + b, os.getpid()


def refused(role: str, progress: Progress) -> None:
    error = InputError("It is empty.", expected="signals", got="nothing", todo="Save it again.")
    error.role = role
    raise error


def broken(progress: Progress) -> None:
    raise ZeroDivisionError("a defect")


def asked(progress: Progress) -> object:
    return [ask(k) for k in (1, 2)]


def endless(pid: Path, progress: Progress) -> None:
    pid.write_text(str(os.getpid()))
    try:
        for k in range(3000):
            progress("Waiting", k, None)
            time.sleep(0.01)
    finally:
        pid.with_suffix(".tidied").touch()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(") ")[1][:1]


def test_returns_what_the_function_does_and_tells_how_far_it_is() -> None:
    told: list[tuple[object, ...]] = []
    result, pid = elsewhere(added, {"a": 1, "b": 2}, lambda *call: told.append(call), silent)
    assert result == 3
    assert pid != os.getpid()
    assert told == [("Adding", k, 3) for k in range(3)]


def test_a_folder_of_data_is_not_imported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(Path(__file__).parents[2])
    (tmp_path / "queue.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [root, *(p for p in sys.path if p)])
    monkeypatch.setenv("PYTHONPATH", root)
    assert elsewhere(added, {"a": 1, "b": 2}, silent, silent)[0] == 3


def test_raises_what_the_function_does() -> None:
    with pytest.raises(InputError, match="Expected signals, but got nothing") as caught:
        elsewhere(refused, {"role": "model"}, silent, silent)
    assert caught.value.role == "model"


def test_a_defect_says_where_it_is() -> None:
    with pytest.raises(ZeroDivisionError, match="a defect") as caught:
        elsewhere(broken, {}, silent, silent)
    assert "in broken" in caught.value.__notes__[0]


def test_questions_are_answered() -> None:
    assert elsewhere(asked, {}, silent, lambda question: 10 * question) == [10, 20]
    assert ask(1) is None  # this process works for nobody


def test_ends_in_order_when_nobody_wants_to_hear_more(tmp_path: Path) -> None:
    def told(_: str, done: int, __: int | None) -> None:
        if done == 5:
            raise KeyboardInterrupt

    pid = tmp_path / "pid"
    with pytest.raises(KeyboardInterrupt):
        elsewhere(endless, {"pid": pid}, told, silent)
    assert pid.with_suffix(".tidied").exists()
    assert not alive(int(pid.read_text()))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_a_process_that_the_system_ends_is_a_sentence(tmp_path: Path) -> None:
    def told(_: str, done: int, __: int | None) -> None:
        if done == 5:
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    with pytest.raises(BackendError, match=r"ended before it was done\. Got signal 9.*memory"):
        elsewhere(endless, {"pid": tmp_path / "pid"}, told, silent)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes by their number")
def test_does_not_outlive_a_killed_one(tmp_path: Path) -> None:
    code = """
        from pathlib import Path
        from bitbox.system.elsewhere import elsewhere
        from tests.system.test_elsewhere import endless, silent

        elsewhere(endless, {"pid": Path(%r)}, silent, silent)
    """
    pid = tmp_path / "pid"
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code % str(pid))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
    )
    while not (pid.exists() and pid.read_text()):
        assert parent.poll() is None
        time.sleep(0.05)
    child = int(pid.read_text())
    assert alive(child)
    parent.kill()
    parent.wait()
    while alive(child):  # it looks up at its next picture
        time.sleep(0.05)
    assert pid.with_suffix(".tidied").exists()


def test_where_no_process_can_be_started_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitbox.system.elsewhere.sys.executable", "/nowhere/python")
    with pytest.raises(NotStartedError):
        elsewhere(added, {"a": 1, "b": 2}, silent, silent)
