"""What long recordings take: the main job on two tables of hours, or two videos, from outside.

    python -m benchmarks.long [--only 32x3h 100x1h 10min 30min]

CPU seconds of all threads, the most memory that a process holds at once, and the size of the
report. CPU seconds hardly depend on what else the machine does; divided by the cores they are the
time on a quiet one. The videos, at 15 frames a second, are ten seconds of two people, repeated:
their memory should hardly grow with the length.
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
#: Videos, and minutes.
VIDEOS = {"10min": 10.0, "30min": 30.0}
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


def film(folder: Path, minutes: float) -> list[Path]:
    """Film two people, and repeat that."""
    from benchmarks.faces import repeated
    from bitbox.synthetic.demo import demo_performances
    from bitbox.synthetic.performance import Performance
    from bitbox.synthetic.video import Person, Scene, render_video

    files = []
    for who, performance in zip(("participant", "model"), demo_performances(10.0), strict=True):
        every = (performance.time, performance.drives, performance.head)
        slower = Performance(*(values[::2] for values in every))
        short = folder / f"{who}.mp4"
        scene = Scene(size=(320, 240), eye_distance=55.0)
        render_video(short, Person(slower), scene)
        files.append(repeated(short, round(6 * minutes)))
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
    parser.add_argument("--only", nargs="+", choices=[*CASES, *VIDEOS], default=[*CASES, *VIDEOS])
    for name in parser.parse_args().only:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            # by another process: what this one ever held would count as its child's memory
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                make, wanted = (film, (VIDEOS[name],)) if name in VIDEOS else (write, CASES[name])
                files = pool.submit(make, folder, *wanted).result()
            taken, cpu, memory = measure(files, folder / "results")
            report = (folder / "results" / "report.html").stat().st_size / 2**20
        print(
            f"{name:8}{taken:8.0f} s{cpu:8.0f} CPU s{memory:7.2f} GB"
            f"{report:8.1f} MB of report   " + (f"target: {TARGET}" if name in CASES else ""),
            flush=True,
        )


if __name__ == "__main__":
    main()
