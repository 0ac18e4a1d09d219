"""Processes that are killed or told to end at any moment: what they leave is whole or of no run."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bitbox.errors import InputError
from bitbox.workflow.results_folder import RECORD, RESULTS, check_results, results_folder
from tests.attack.places import ROUNDS, command, left_over, signals_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")

#: An analysis that takes as long as need be.
LONG = ("--surrogate", "phase", "--surrogates", 200_000)
#: Publishes, over and over, results that two runs wrote; only preparing them is made quick. Each
#: line of input is a folder: a child begins in it, and ends by whatever signal it is sent.
PUBLISHER = """
import os, shutil, signal, sys
from types import SimpleNamespace
from bitbox.workflow import results_folder
from bitbox.system.interrupts import Stopped, ending_in_order

if hasattr(signal, "SIGHUP"):  # ignored, and so rightly not heard, where nohup runs the tests
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
results_folder._prepare = lambda run, new: shutil.copytree(run.source, new)

def publish(folder, sources):
    number = 0
    while True:
        number += 1
        run = SimpleNamespace(folder=folder, source=sources[number % 2])
        results_folder.write_results(run)

from pathlib import Path
sources = [Path(name) for name in sys.argv[1:]]
for line in sys.stdin:
    folder = Path(line.rstrip("\\n"))
    child = os.fork()
    if child == 0:
        try:
            with ending_in_order():
                with results_folder.results_folder(folder):
                    os.write(1, b"ready\\n")
                    publish(folder, sources)
        except Stopped as stopped:
            os._exit(stopped.exit_code)
        os._exit(99)
    os.write(1, f"{child}\\n".encode())
    os.write(1, f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\\n".encode())
"""


@pytest.fixture(scope="module")
def generations(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Results of two runs; the first also has windows.nc."""
    from bitbox.workflow.run import imitate_files
    from bitbox.workflow.settings import Settings

    folder = tmp_path_factory.mktemp("generations")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitbox.workflow.results_folder.can_report", lambda: False)
        for seed in range(2):
            settings = Settings(n_surrogates=19, seed=1, windows=seed == 0)
            imitate_files(*signals_of(folder, seed), folder / str(seed), settings)
    return [folder / "0", folder / "1"]


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS if (folder / name).is_file()}


class Publisher:
    """A process that has imported everything and forks one that publishes."""

    def __init__(self, sources: list[Path]) -> None:
        self.child = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, *map(str, sources)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, folder: Path) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        first, second = self.line(), self.line()
        self.child = int(first if second == "ready" else second)
        return self.child

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):  # where a test failed
            if self.child:
                os.kill(self.child, signal.SIGKILL)
        self.process.communicate()


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"])
def test_results_are_of_one_run_whenever_it_ends(how: str, generations, tmp_path) -> None:
    wholes = [content(folder) for folder in generations]
    number = getattr(signal, how)
    moments = random.Random(how)  # noqa: S311
    without_record = unfinished = 0
    with Publisher(generations) as publisher:
        for turn in range(20 * ROUNDS):
            folder = shutil.copytree(generations[turn % 2], tmp_path / str(turn))
            child = publisher.start(folder)
            time.sleep(moments.uniform(0, 0.05))
            os.kill(child, number)
            code = int(publisher.line())
            assert code == (-number if how == "SIGKILL" else 128 + number)
            unfinished += bool(left_over(folder))
            if (folder / RECORD).exists():
                check_results(folder)
                assert content(folder) in wholes
            else:
                assert how == "SIGKILL"
                without_record += 1
                with pytest.raises(InputError, match="did not end"):
                    check_results(folder)
            with results_folder(folder):  # the next run finds the folder in order
                check_results(folder)
                assert content(folder) in wholes
            assert left_over(folder) == []
            shutil.rmtree(folder)
    if how != "SIGKILL":  # nearly always all is in order at once
        assert unfinished <= 1 + ROUNDS
    elif ROUNDS > 1:
        assert without_record  # some of the moments lay within


def test_runs_side_by_side_in_one_folder(generations, tmp_path) -> None:
    """Whoever is last, the results are of one run, and nothing of another is tidied away."""
    wholes = [content(folder) for folder in generations]
    folder = tmp_path / "results"
    with contextlib.ExitStack() as stack:
        publishers = [stack.enter_context(Publisher(generations)) for _ in range(3)]
        children = [publisher.start(folder) for publisher in publishers]
        for _ in range(30 * ROUNDS):
            time.sleep(0.02)
            with contextlib.suppress(FileNotFoundError):
                record = (folder / RECORD).read_bytes()
                assert record in [whole[RECORD] for whole in wholes]
        for child in children:
            os.kill(child, signal.SIGTERM)
        assert [publisher.line() for publisher in publishers] == ["143"] * 3
    check_results(folder)
    assert content(folder) in wholes
    assert left_over(folder) == []


@pytest.mark.parametrize("ignored", [False, True])
def test_the_command_ends_in_order_at_any_moment(ignored: bool, tmp_path) -> None:
    """Also where interruptions were ignored by whoever started it, as shells do for jobs."""
    pair = signals_of(tmp_path, 1)
    moments = random.Random(7)  # noqa: S311
    codes = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # else not heard, where nohup runs the tests
        if ignored:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    for _ in range(ROUNDS):
        for number, code in codes.items():
            folder = tmp_path / "results"
            process = subprocess.Popen(
                command("imitate", *pair, "-o", folder, *LONG),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=ignore,
            )
            while not folder.exists() and process.poll() is None:
                time.sleep(0.01)
            time.sleep(moments.uniform(0, 0.5))
            process.send_signal(number)
            _, said = process.communicate()
            assert process.returncode == code, said
            assert "No results were written to" in said.replace("\n", " ")
            assert "Traceback" not in said
            assert not folder.exists()


def test_a_hang_up_that_is_ignored_stays_so(tmp_path) -> None:
    pair = signals_of(tmp_path, 1)
    folder = tmp_path / "results"
    process = subprocess.Popen(
        command("-q", "imitate", *pair, "-o", folder, "--surrogates", 19),
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    while not folder.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGHUP)
    assert process.wait() == 0
    check_results(folder)
