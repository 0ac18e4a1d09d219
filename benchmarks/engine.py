"""What the engine takes, against a yardstick measured in the same run.

    python -m benchmarks.engine [--rounds 9] [--quick] [--threads 2]

Cases of a comparison take turns, so that whatever else the machine does hits them alike; given are
the least time, and the median of the ratios of neighbours. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.data import lose_at_random, lose_in_gaps, main_plan, numpy_imitation, pair
from bitbox.correlation.engine import correlate, thread_count
from bitbox.correlation.plan import WindowPlan
from bitbox.correlation.surrogates import each_surrogate, surrogate_statistics

Job = Callable[[], object]


def take_turns(jobs: dict[str, Job], rounds: int) -> dict[str, list[float]]:
    """Return seconds of every job in every round; the first, which compiles, is not counted."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if turn > 0:
                times[name].append(time.perf_counter() - start)
    return times


def table(title: str, times: dict[str, list[float]], base: str) -> None:
    """Print least times, and median ratios to a base."""
    print(f"\n{title}\n{'':44}{'least':>10}{'to ' + base[:18]:>24}")
    for name, seconds in times.items():
        ratio = float(np.median(np.array(seconds) / np.array(times[base])))
        print(f"{name:44}{1e3 * min(seconds):8.1f} ms{ratio:24.2f}", flush=True)


def peak(threads: int) -> float:
    """Return the matrix product's single-precision rate, in 1e9 multiply-adds a second."""
    a = np.random.default_rng(0).standard_normal((2000, 2000)).astype(np.float32)
    with threadpool_limits(threads, "blas"):
        seconds = min(take_turns({"": lambda: a @ a}, 5)[""])
    return 2000**3 / seconds / 1e9


def products(plan: WindowPlan, pairs: int) -> float:
    """Return the multiply-adds that the definition of imitation takes, in 1e9."""
    return plan.n_windows * plan.lags.size * plan.window * pairs / 1e9


def speed(rounds: int, threads: int) -> None:
    x, y = pair()
    plan, sided = main_plan(), main_plan(causal=False)
    both = main_plan(mode="coordination")
    wide_x, wide_y = pair(n=153)
    long_x, long_y = pair(frames=108_000)
    slow = WindowPlan(9000, 30.0, 150, 75, 45)

    def yardstick() -> object:
        with threadpool_limits(threads, "blas"):
            return numpy_imitation(x, y, plan)

    def engine(a: np.ndarray, b: np.ndarray, p: WindowPlan) -> Job:
        return lambda: correlate(a, b, p, threads=threads)

    times = take_turns(
        {
            "NumPy and BLAS, main case": yardstick,
            "imitation, main case": engine(x, y, plan),
            "imitation, lags both ways": engine(x, y, sided),
            "imitation, 153 x 153": engine(wide_x, wide_y, plan),
            "imitation, windows of 5 s, lags to 1.5 s": engine(x, y, slow),
            "coordination": engine(x, y, both),
            "coordination, 2 % at random missing": engine(lose_at_random(x), y, both),
            "imitation, 1 h": engine(long_x, long_y, main_plan(108_000)),
        },
        rounds,
    )
    table("79 x 79 signals, 5 min at 30 fps", times, "NumPy and BLAS, main case")
    top = peak(threads)
    rate = products(plan, 79 * 79) / min(times["imitation, main case"])
    print(f"main case: {rate:.0f} of {top:.0f} 1e9 multiply-adds a second of a matrix product,")
    print(f"           a share of {rate / top:.2f}, everything included")


def gaps(rounds: int, threads: int) -> None:
    x, y = pair()
    cases = {
        "complete": (x, y),
        "2 % at random": (lose_at_random(x), lose_at_random(y)),
        "5 % in gaps of all signals": (lose_in_gaps(x, 2, True), lose_in_gaps(y, 3, True)),
        "5 % in gaps of each signal": (lose_in_gaps(x, 2, False), lose_in_gaps(y, 3, False)),
        "jumps of 1000 now and then": (x, y + 1000 * (np.arange(9000) // 300 % 2)[:, None, None]),
        "steady drift": (x, y + np.arange(9000)[:, None, None] / 10),
        "random walks": (x.cumsum(axis=0), y.cumsum(axis=0)),
        "offset of a million": (x + 1e6, y + 1e6),
    }
    plan = main_plan()
    jobs: dict[str, Job] = {
        name: (lambda a=a, b=b: correlate(a, b, plan, threads=threads))
        for name, (a, b) in cases.items()
    }
    table("Missing frames and awkward signals, main case", take_turns(jobs, rounds), "complete")


def scaling(rounds: int, most: int) -> None:
    x, y = pair()
    jobs: dict[str, Job] = {
        f"{n} threads": (lambda n=n: correlate(x, y, main_plan(), threads=n))
        for n in sorted({1, 2, most})
    }
    table("Threads, main case", take_turns(jobs, rounds), "1 threads")


def surrogates(rounds: int, threads: int) -> None:
    x, y = pair(n=32)
    all_x, all_y = pair()
    plan, shifts = main_plan(), np.arange(100, 1099)
    every = {"threads": threads}

    def ten(fisher: bool) -> Job:
        def run() -> None:
            for _ in each_surrogate(all_x, all_y, plan, shifts=shifts[:10], fisher=fisher, **every):
                pass

        return run

    jobs: dict[str, Job] = {
        "999 shifts, 32 matched pairs": lambda: surrogate_statistics(
            x, y, plan, shifts=shifts, **every
        ),
        "999 shifts, 32 matched pairs, 2 % missing": lambda: surrogate_statistics(
            lose_at_random(x), y, plan, shifts=shifts, **every
        ),
        "10 shifts, 79 x 79 pairs": ten(False),
        "10 shifts, 79 x 79 pairs, with Fisher's z": ten(True),
    }
    times = take_turns(jobs, max(1, rounds // 3))
    table("Surrogates, 5 min", times, "999 shifts, 32 matched pairs")


def memory() -> None:
    """Print how the process grows with the recording, less the recording itself."""
    print("\nMemory beyond the signals (MB); target: at most 32")
    code = (
        "import resource, sys; from benchmarks.data import *; "
        "from bitbox.correlation.engine import correlate; n = int(sys.argv[1]); "
        "correlate(*pair(900), main_plan(900)); x, y = pair(n); p = main_plan(n); "
        "a = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "correlate(x, y, p, threads=2); "
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - a) / 1e3)"
    )
    for frames in (9_000, 108_000, 540_000):
        command = [sys.executable, "-c", code, str(frames)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"  {frames:8d} frames {float(done.stdout):8.1f}", flush=True)


def starting() -> None:
    """Print how long a first call takes, compiled anew and from the cache."""
    print("\nFirst call in a new process (s)")
    code = (
        "import time; from benchmarks.data import *; from bitbox.correlation.engine import *; "
        "x, y = pair(900); p = main_plan(900); t = time.perf_counter(); correlate(x, y, p); "
        "print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in ("compiling", "from the cache"):
            environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True,
                check=True,
            )  # fmt: skip
            print(f"  {name:16}{float(done.stdout):8.2f}", flush=True)


def interruption() -> None:
    """Print how soon a process that works on an hour of everything ends after Ctrl-C."""
    print("\nFrom Ctrl-C to the end (s)")
    code = (
        "from benchmarks.data import *; from bitbox.correlation.engine import correlate; "
        "x, y = pair(108_000, 153); x[::50] = float('nan'); "
        "p = main_plan(108_000, mode='coordination'); "
        "correlate(x[:150], y[:150], main_plan(150, mode='coordination')); "
        "print('ready', flush=True); correlate(x, y, p)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5)
        start = time.perf_counter()
        process.send_signal(signal.SIGINT)
        process.wait()
        print(f"  {time.perf_counter() - start:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=thread_count(None))
    parser.add_argument("--quick", action="store_true", help="times only, fewer rounds")
    options = parser.parse_args()
    rounds = 3 if options.quick else options.rounds
    speed(rounds, options.threads)
    gaps(rounds, options.threads)
    if not options.quick:
        scaling(rounds, options.threads)
        surrogates(rounds, options.threads)
        starting()
        interruption()
        memory()
    print(
        f"\nThis process at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB"
    )


if __name__ == "__main__":
    main()
