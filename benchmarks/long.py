"""What long recordings take: the main job on two tables of hours, from outside.

    python -m benchmarks.long [--only 32x3h 100x1h]

CPU seconds of all threads, the most memory held at once, and the size of the report. CPU seconds
hardly depend on what else the machine does; divided by the cores they are the time on a quiet one.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from bitbox.synthetic.signals import imitated_pair

#: Signals and hours.
CASES = {"32x3h": (32, 3.0), "100x1h": (100, 1.0)}
TARGET = "330 CPU s, 1 GB"


def write(folder: Path, n: int, hours: float) -> list[Path]:
    """Write two tables as a lab has them: a time and n signals, four digits."""
    pair = imitated_pair(n, duration=hours * 3600, seed=1)
    files = []
    for who, signals in (("participant", pair.participant), ("model", pair.model)):
        table = pd.DataFrame(signals.values.round(4), columns=list(signals.names))
        table.insert(0, "time", signals.time.round(4))
        files.append(folder / f"{who}.csv")
        table.to_csv(files[-1], index=False)
    return files


def measure(files: list[Path], output: Path) -> tuple[float, float, float]:
    """Return seconds, CPU seconds and gigabytes of the main job."""
    command = [sys.executable, "-m", "bitbox", "-q", "imitate", *map(str, files)]
    start = time.perf_counter()
    child = subprocess.Popen(
        [*command, "-o", str(output), "--seed", "1"], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"The main job failed: {status}")
    child.returncode = 0
    return time.perf_counter() - start, _cpu(used), used.ru_maxrss / 2**20


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    for name in parser.parse_args().only:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            # by another process: what this one ever held would count as its child's memory
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                files = pool.submit(write, folder, *CASES[name]).result()
            taken, cpu, memory = measure(files, folder / "results")
            report = (folder / "results" / "report.html").stat().st_size / 2**20
        print(
            f"{name:8}{taken:8.0f} s{cpu:8.0f} CPU s{memory:7.2f} GB"
            f"{report:8.1f} MB of report   target: {TARGET}",
            flush=True,
        )


if __name__ == "__main__":
    main()
