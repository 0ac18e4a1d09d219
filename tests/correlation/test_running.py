"""How the engine runs: threads, register files, memory, interruption, files, compiled code."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

import bitbox.correlation
from bitbox.correlation import careful, compiled, engine
from bitbox.correlation.engine import correlate, in_order, thread_count
from bitbox.errors import ParameterError
from tests.correlation.test_engine import check, make_plan, smooth


def pair(frames: int = 400, n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = smooth(rng, (frames, n, 1)), smooth(rng, (frames, n, 1))
    x[rng.random((frames, n)) < 0.01] = np.nan
    return x, y


@pytest.mark.parametrize("mode", ["imitation", "coordination"])
def test_threads_do_not_change_a_bit(mode) -> None:
    x, y = pair()
    plan = make_plan(400, 15, 3, 4, mode)
    one, *others = (correlate(x, y, plan, keep_windows=True, threads=n) for n in (1, 2, 5))
    for other in others:
        for name in ("mean", "std", "lag", "n_valid", "values", "lags"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("registers", ["wide", "narrow"])
@pytest.mark.parametrize("mode", ["imitation", "coordination"])
@pytest.mark.parametrize("step", [5, 16])
def test_both_register_files_agree_with_the_definition(registers, mode, step, monkeypatch) -> None:
    monkeypatch.setenv("BITBOX_REGISTERS", registers)
    x, y = pair(60, 18)
    y[30:] *= 1e-5
    check(x, y, make_plan(60, 12, step, 2, mode))


def test_an_unknown_register_file_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("BITBOX_REGISTERS", "huge")
    x, y = pair(60)
    with pytest.raises(ParameterError, match="'wide' or 'narrow'"):
        correlate(x, y, make_plan(60, 12, 10, 2))


def test_threads_are_at_least_one() -> None:
    assert thread_count(None) >= 1
    with pytest.raises(ParameterError, match="1 or more"):
        thread_count(0)


def test_only_a_few_results_wait() -> None:
    done: list[int] = []
    results = in_order(done.append, range(1000), threads=2)
    for _ in range(10):
        next(results)
    assert len(done) < 30
    results.close()


def test_errors_come_in_the_order_of_jobs() -> None:
    def job(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        if number >= 5:
            raise ValueError(number)
        return number

    for _ in range(10):
        results = in_order(job, range(20), threads=3)
        assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
        with pytest.raises(ValueError, match="5"):
            next(results)


def test_an_interruption_while_the_calling_thread_works_ends_all() -> None:
    caller, done = threading.get_ident(), []

    def job(number: int) -> None:
        if threading.get_ident() == caller:
            raise KeyboardInterrupt
        done.append(number)
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        list(in_order(job, range(1000), threads=2))
    assert len(done) < 10


def test_progress_counts_windows() -> None:
    x, y = pair()
    plan = make_plan(400, 15, 3, 4)
    seen: list[tuple[str, int, int | None]] = []
    correlate(x, y, plan, progress=lambda *a: seen.append(a))
    counts = [done for _, done, _ in seen]
    assert counts == sorted(counts)
    assert seen[-1] == ("Correlating", plan.n_windows, plan.n_windows)


def test_an_interruption_stops_the_work() -> None:
    x, y = pair(4000)
    plan = make_plan(4000, 15, 1, 4)
    before = threading.active_count()

    def interrupt(task: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        correlate(x, y, plan, progress=interrupt, threads=3)
    assert threading.active_count() == before  # every thread has ended, with what it was doing


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_work_in_a_process_that_was_forked() -> None:
    x, y = pair(400)
    plan = make_plan(400, 15, 3, 4)
    expected = correlate(x, y, plan, threads=2).mean
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        same = np.array_equal(correlate(x, y, plan, threads=2).mean, expected)
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0


def copied_package(folder: Path) -> Path:
    """Copy the engine, and what it stands on."""
    package, source = folder / "bitbox" / "correlation", Path(bitbox.correlation.__file__).parent
    shutil.copytree(source, package)
    (package.parent / "__init__.py").touch()
    shutil.copytree(source.parent / "system", package.parent / "system")
    for name in ("errors.py", "findings.py"):
        shutil.copy(source.parent / name, package.parent / name)
    return package


def test_kernels_work_where_nothing_can_be_kept(tmp_path: Path) -> None:
    package = copied_package(tmp_path)
    shutil.rmtree(package / "__pycache__", ignore_errors=True)
    (package / "__pycache__").touch()  # a file: not even root can make that folder
    (tmp_path / "home").touch()
    code = (
        "import numpy as np; from bitbox.correlation import definition;"
        "a = np.arange(8.0)[:, None];"
        "print(definition.__file__, definition.spread(a, 1, a, 1, 3)[2])"
    )
    home = str(tmp_path / "home" / "no")
    environment = {
        k: v for k, v in os.environ.items() if k not in {"NUMBA_CACHE_DIR", "PYTHONPATH"}
    } | {"PYTHONPATH": str(tmp_path), "HOME": home, "XDG_CACHE_HOME": home}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(package / "definition.py"), "2.0"]


def test_compiled_code_is_not_kept_past_a_change_of_any_kernel(tmp_path: Path) -> None:
    """Kernels contain those of other files, at whose changes numba does not look."""
    package = copied_package(tmp_path)
    (package / "probe.py").write_text(
        "from bitbox.correlation.compiled import kernel\n"
        "from bitbox.correlation.other import number\n"
        "@kernel\ndef probe():\n    return number()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path)}
    for value in (1, 2):
        (package / "other.py").write_text(
            "from bitbox.correlation.compiled import kernel\n"
            f"@kernel\ndef number():\n    return {value}\n"
        )
        code = "from bitbox.correlation import probe; print(probe.__file__, probe.probe())"
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        assert done.stdout.split() == [str(package / "probe.py"), str(value)]
    assert compiled.FINGERPRINT in compiled.kernel(lambda: 1).py_func.__qualname__


def test_blocks_of_signals_are_put_together(monkeypatch) -> None:
    x, y = pair(300, 19)
    plan = make_plan(300, 15, 3, 4)
    whole = correlate(x, y[:, :10], plan, keep_windows=True)
    seen: list[tuple[int, int | None]] = []
    monkeypatch.setattr(engine, "_SIGNALS", 7)
    got = correlate(
        x, y[:, :10], plan, keep_windows=True,
        progress=lambda _, done, total: seen.append((done, total)),
    )  # fmt: skip
    for name in ("mean", "std", "lag", "mean_abs", "values"):
        np.testing.assert_allclose(getattr(got, name), getattr(whole, name), atol=2e-6)
    np.testing.assert_array_equal(got.n_valid, whole.n_valid)
    np.testing.assert_allclose(got.mean_abs, np.nanmean(np.abs(got.values), axis=0, dtype=float))
    assert seen == sorted(seen)
    assert seen[-1] == (6 * plan.n_windows, 6 * plan.n_windows)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_other_numbers_are_taken_as_they_are(dtype) -> None:
    rng = np.random.default_rng(1)
    x, y = ((100 * smooth(rng, (200, 5, 2))).astype(dtype) for _ in range(2))
    plan = make_plan(200, 15, 3, 4)
    one = correlate(x, y, plan, keep_windows=True)
    other = correlate(x.astype(float), y.astype(float), plan, keep_windows=True)
    np.testing.assert_array_equal(one.values, other.values)


def test_whole_signals_are_the_same_beside_others_that_miss_frames() -> None:
    """Where most windows miss frames the plain way isn't tried; tiles without gaps are plain."""
    x, y = (smooth(np.random.default_rng(seed), (400, 20, 1)) for seed in (5, 6))
    plan = make_plan(400, 15, 3, 4)
    whole = correlate(x, y, plan, keep_windows=True)
    x[::12, :3] = np.nan
    some = correlate(x, y, plan, keep_windows=True)
    np.testing.assert_array_equal(some.values[:, 8:], whole.values[:, 8:])
    assert (some.values[:, 0] != whole.values[:, 0]).all()


def spy_on_states(monkeypatch) -> list[int]:
    """Return a list that will hold the states that tiles were in."""
    states: list[int] = []
    real = careful.windows

    def windows(*arguments):
        found = real(*arguments)
        states.extend(np.unique(arguments[6][2]))
        return found

    monkeypatch.setattr(careful, "windows", windows)
    return states


def test_a_few_pairs_with_too_little_left_are_done_by_the_definition(monkeypatch) -> None:
    """They do not take their tile to float64."""
    rng = np.random.default_rng(7)
    x, y = (0.01 * smooth(rng, (200, 20, 1)) for _ in range(2))
    x[20::40, 2] += 1.0  # nearly all that moves there
    y[20::40, 5] = np.nan  # is missing here
    states = spy_on_states(monkeypatch)
    check(x, y, make_plan(200, 15, 5, 2))
    assert set(states) == {careful.PLAIN, careful.GAPS}


def test_whole_windows_far_from_the_centre_need_no_sums_over_missing_frames(monkeypatch) -> None:
    """A signal that hardly moves beside what it did before is done as it is, in float64."""
    rng = np.random.default_rng(8)
    x, y = (smooth(rng, (200, 20, 1)) for _ in range(2))
    y[::60] += 300.0
    states = spy_on_states(monkeypatch)
    check(x, y, make_plan(200, 15, 5, 4))
    assert set(states) == {careful.PLAIN, careful.DOUBLE}


def test_windows_that_slide_are_done_anew_after_a_jump() -> None:
    rng = np.random.default_rng(2)
    x, y = (smooth(rng, (120, 4, 1)) for _ in range(2))
    y[:40] *= 1e7  # within the lags of one window after another
    check(x, y, make_plan(120, 12, 5, 20))


@pytest.mark.parametrize("threads", [1, 2])
def test_nothing_is_kept_of_a_call(threads: int) -> None:
    x, y = pair(200, 20)
    x[50:60, 3] = np.nan
    plan, before = make_plan(200, 15, 5, 4), threading.active_count()
    first = correlate(x, y, plan, threads=threads)
    assert threading.active_count() == before
    np.testing.assert_array_equal(correlate(x, y, plan, threads=threads).mean, first.mean)
    alone = weakref.ref(x)
    del x
    gc.collect()
    assert alone() is None
