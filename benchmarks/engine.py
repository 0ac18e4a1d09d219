"""What the engine takes, against yardsticks measured in the same run, with the targets beside it.

    python -m benchmarks.engine [--rounds 7] [--quick] [--threads 2]

The yardstick is the single-precision matrix product: a share of 1 means that the operations of the
definition, 2 n1 n2 W lags windows, are done at the rate of a large matrix product on as many
threads. Cases take turns, so that whatever else the machine does hits them alike; given are the
least time, and the median of the shares in each turn. Run it on a quiet machine; about 4 minutes.
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
from bitbox.correlation.shifted import each_shift

Job = Callable[[], object]

#: Seconds of a turn: about what the matrix product takes.
TURN = 0.1

USE_BLAS = ("matrix product", "NumPy and BLAS, main case")


def take_turns(jobs: dict[str, Job], rounds: int) -> dict[str, list[float]]:
    """Return mean seconds of every job in every round; the first, which compiles, is not counted.

    In its turn a job is called until `TURN` is over, so that short ones are not measured less. The
    first call of a turn is not counted either: it finds the caches as the job before left them.
    """
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            job()
            start, calls = time.perf_counter(), 0
            while turn > 0 and (calls == 0 or time.perf_counter() - start < TURN):
                job()
                calls += 1
            if turn > 0:
                times[name].append((time.perf_counter() - start) / calls)
            if name in USE_BLAS:
                time.sleep(0.2)  # its threads go on spinning for a while, on all cores
    return times


def table(title: str, times: dict[str, list[float]], base: str) -> None:
    """Print least times, and median ratios to a base."""
    print(f"\n{title}\n{'':44}{'least':>10}{'to ' + base[:18]:>24}")
    for name, seconds in times.items():
        ratio = float(np.median(np.array(seconds) / np.array(times[base])))
        print(f"{name:44}{1e3 * min(seconds):8.1f} ms{ratio:24.2f}", flush=True)


def products(plan: WindowPlan, pairs: int) -> float:
    """Return the multiply-adds that the definition takes."""
    lags = plan.lags.size if plan.mode == "imitation" else (2 * plan.max_lag + 1) ** 2
    return float(plan.n_windows * lags * plan.window * pairs)


def speed(rounds: int, threads: int) -> None:
    """Print the share of a matrix product's rate that each case reaches."""
    short, long, wide, mesh = pair(), pair(frames=108_000), pair(n=153), pair(frames=900, n=1404)
    plan, both = main_plan(), main_plan(mode="coordination")
    cases = {
        "imitation, main case": (short, plan, 0.75),
        "  the same, every window out": (short, plan, 0.6),
        "  lags both ways": (short, main_plan(causal=False), 0.5),
        "  lags up to the width, L = 33": (short, WindowPlan(9000, 30.0, 33, 16, 33), 0.75),
        "  W = 150, L = 45": (short, WindowPlan(9000, 30.0, 150, 75, 45), 0.5),
        "  S = 1": (short, WindowPlan(9000, 30.0, 33, 1, 8), 0.5),
        "  1 h": (long, main_plan(108_000), 0.5),
        "  153 x 153": (wide, plan, 0.5),
        "  1404 x 1404, 30 s": (mesh, main_plan(900), 0.5),
        "coordination, main case": (short, both, 3.0),
        "  slow signals (random walks)": (tuple(a.cumsum(axis=0) for a in short), both, 3.0),
    }
    a = np.random.default_rng(0).standard_normal((2000, 2000)).astype(np.float32)
    b = a.copy()

    def matrix_product() -> object:
        with threadpool_limits(threads, "blas"):
            return a @ b

    def definition() -> object:
        with threadpool_limits(threads, "blas"):
            return numpy_imitation(*short, plan)

    def engine(name: str) -> Job:
        (x, y), case, _ = cases[name]
        keep = "every window" in name
        return lambda: correlate(x, y, case, threads=threads, keep_windows=keep)

    jobs = {"matrix product": matrix_product, "NumPy and BLAS, main case": definition}
    times = take_turns(jobs | {name: engine(name) for name in cases}, rounds)
    rate = 2000**3 / np.array(times.pop("matrix product"))
    print(f"matrix product: {2 * rate.max() / 1e9:.0f} GFLOP/s, {threads} threads")
    print(f"\n{'79 x 79 signals, 5 min at 30 fps':44}{'least':>10}{'share':>12}{'target':>10}")
    for name, seconds in times.items():
        (x, y), case, target = cases.get(name, (short, plan, float("nan")))
        share = np.median(products(case, x.shape[1] * y.shape[1]) / np.array(seconds) / rate)
        print(f"{name:44}{1e3 * min(seconds):8.1f} ms{share:11.2f}{target:10.2f}", flush=True)


def gaps(rounds: int, threads: int) -> None:
    x, y = pair()
    cases = {
        "complete": (x, y),
        "2 % at random, of each signal": (lose_at_random(x, 2), lose_at_random(y, 3)),
        "2 % at random, of all signals": (
            lose_at_random(x, 2, together=True),
            lose_at_random(y, 3, together=True),
        ),
        "5 % in gaps of all signals": (lose_in_gaps(x, 2, True), lose_in_gaps(y, 3, True)),
        "5 % in gaps of each signal": (lose_in_gaps(x, 2, False), lose_in_gaps(y, 3, False)),
        "jumps of 1000 now and then": (
            x,
            y + 1000 * ((np.arange(9000) + 7) // 300 % 2)[:, None, None],
        ),
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
    print("targets at the public call: 2.5 at random of each signal, 1.4 of all signals")


def coordination_gaps(rounds: int, threads: int) -> None:
    """Print what missing frames cost in coordination, of signals and of landmarks."""
    (x, y), (a, b) = pair(1800), pair(150, 17, 3)
    plan, short = (main_plan(n, mode="coordination") for n in (1800, 150))
    gap = a.copy()
    gap[::20] = np.nan
    for title, base, data, other in (
        ("79 signals, 1 min", (x, y, plan), (lose_at_random(x, 2), lose_at_random(y, 3), plan),
         "2 % at random, of each signal"),
        ("17 landmarks, 5 s", (a, b, short), (gap, b, short), "a missing frame in every window"),
    ):  # fmt: skip
        jobs: dict[str, Job] = {
            name: (lambda case=case: correlate(*case, threads=threads))
            for name, case in (("complete", base), (other, data))
        }
        times = take_turns(jobs, max(1, rounds // 3))
        table(f"Coordination with missing frames, {title}; target 3", times, "complete")


def scaling(rounds: int, most: int) -> None:
    x, y = pair()
    jobs: dict[str, Job] = {
        f"{n} threads": (lambda n=n: correlate(x, y, main_plan(), threads=n))
        for n in sorted({1, 2, most})
    }
    table("Threads, main case", take_turns(jobs, rounds), "1 threads")


def shifts(rounds: int, threads: int) -> None:
    x, y = pair()
    plan = main_plan()

    def ten() -> None:
        for _ in each_shift(x, y, plan, np.arange(100, 110), threads=threads):
            pass

    jobs: dict[str, Job] = {
        "10 shifts": ten,
        "one run": lambda: correlate(x, y, plan, threads=threads),
    }
    table("Circular shifts, 79 x 79, 5 min", take_turns(jobs, max(1, rounds // 3)), "one run")


def memory() -> None:
    """Print how far the process grows beyond the recording and the compiled code (Linux)."""
    if not os.path.exists("/proc/self/status"):
        return
    print("\nMemory beyond the signals (MB)")
    code = (
        "import sys; import numpy as np; from benchmarks.data import main_plan; "
        "from bitbox.correlation.engine import correlate; n, k = map(int, sys.argv[1:]); "
        "x, y = np.random.default_rng(0).standard_normal((2, n, k), dtype=np.float32); "
        "correlate(x[:100, :9], y[:100, :9], main_plan(100)); "
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1e3; "
        "before = peak(); correlate(x, y, main_plan(n), threads=2); print(peak() - before)"
    )
    for frames, n, most in (
        (9000, 79, 32),
        (108_000, 79, 32),
        (1_080_000, 79, 32),
        (900, 1404, 400),
    ):
        command = [sys.executable, "-c", code, str(frames), str(n)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(
            f"  {frames:8d} frames, {n:4d} signals{float(done.stdout):8.1f}, target {most}",
            flush=True,
        )


def starting() -> None:
    """Print how long a first call takes, compiled anew and from the cache, and what gaps add."""
    print("\nFirst call in a new process (s); target, for all that is compiled: 6")
    code = (
        "import time; from benchmarks.data import *; from bitbox.correlation.engine import *\n"
        "def first():\n"
        "    t = time.perf_counter(); correlate(x, y, p); return time.perf_counter() - t\n"
        "x, y = pair(900); p = main_plan(900); times = [first()]\n"
        "x[50] = np.nan; times.append(first())\n"
        "x[8, 3] = np.nan; times.append(first())\n"
        "print(*times)"
    )
    print(f"  {'':16}{'complete':>12}{'all signals miss a frame':>28}{'one signal does':>20}")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("compiling", "from the cache"):
            environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, text=True,
                check=True,
            )  # fmt: skip
            complete, shared, single = (float(value) for value in done.stdout.split())
            print(f"  {name:16}{complete:12.2f}{shared:28.2f}{single:20.2f}", flush=True)


def interruption() -> None:
    """Print how soon a process that works on an hour of everything ends after Ctrl-C."""
    print("\nFrom Ctrl-C to the end (s); target 1")
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
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=thread_count(None))
    parser.add_argument("--quick", action="store_true", help="times only, fewer rounds")
    options = parser.parse_args()
    rounds = 3 if options.quick else options.rounds
    speed(rounds, options.threads)
    gaps(rounds, options.threads)
    if not options.quick:
        coordination_gaps(rounds, options.threads)
        scaling(rounds, options.threads)
        shifts(rounds, options.threads)
        starting()
        interruption()
        memory()
    print(
        f"\nThis process at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB"
    )


if __name__ == "__main__":
    main()
