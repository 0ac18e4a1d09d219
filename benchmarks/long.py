"""What long recordings take: the main job on two tables of hours, or two videos, from outside.

    python -m benchmarks.long [--only 32x3h 100x1h 2min 10min 30min body-2min joints-10min ...]

CPU seconds of all threads, the most memory that a process holds at once, how much of that is its
own (the rest is files, such as libraries and the mesh, which the system can drop; Linux only), and
the size of the report. CPU seconds hardly depend on what else the machine does; divided by the
cores they are the time on a quiet one. The videos, at 15 frames a second, are ten seconds of two
faces, or bodies, repeated: their memory should hardly grow with the length.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from bitbox.synthetic.signals import imitated_pair

#: Signals and hours.
CASES = {"32x3h": (32, 3.0), "100x1h": (100, 1.0)}
#: Videos, and minutes.
VIDEOS = {"2min": 2.0, "10min": 10.0, "30min": 30.0}
#: Videos of bodies, minutes, and what is compared: 24 angles, or 33 joints in space.
BODIES = {
    "body-2min": (2.0, "body-angles"),
    "body-10min": (10.0, "body-angles"),
    "joints-2min": (2.0, "body-joints"),
    "joints-10min": (10.0, "body-joints"),
}
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


def film_bodies(folder: Path, minutes: float) -> list[Path]:
    """Film two figures of which one moves its arms as the other does, and repeat that."""
    from benchmarks.faces import repeated
    from bitbox.synthetic.body import render_body

    lifted = np.random.default_rng(1).normal(size=180).cumsum()
    files = []
    for who, late in (("participant", 5), ("model", 0)):
        moved = lifted[10 - late : 160 - late]
        poses = [
            {"left_shoulder_elevation": 60 + 5 * x, "right_elbow_flexion": 70 + 4 * y}
            for x, y in zip(moved, moved[::-1], strict=True)
        ]
        short = render_body(poses, folder / f"{who}.mp4", fps=15, size=(240, 320))
        files.append(repeated(short, round(6 * minutes)))
    return files


class Taken(NamedTuple):
    """Seconds, CPU seconds, and gigabytes of the largest process, in all and of its own."""

    seconds: float
    cpu: float
    memory: float
    own: float


def measure(files: list[Path], output: Path, signals: str | None = None) -> Taken:
    """Return what the main job took, with these signals or those of a face."""
    command = [sys.executable, "-m", "bitbox", "-q", "imitate", *map(str, files)]
    command += [] if signals is None else ["--signals", signals]
    start = time.perf_counter()
    child = subprocess.Popen(
        [*command, "-o", str(output), "--seed", "1"], stdout=subprocess.DEVNULL
    )
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(own_memory, child.pid)
        _, status, used = os.wait4(child.pid, 0)
        own = watching.result()
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"The main job failed: {status}")
    child.returncode = 0
    return Taken(time.perf_counter() - start, _cpu(used), used.ru_maxrss / 2**20, own)


def own_memory(pid: int) -> float:
    """Return the most gigabytes that a process, or one that it starts, has to itself; NaN: unknown.

    Looked at five times a second until the process ends.
    """
    most = math.nan
    while True:
        found = [_anonymous(Path(f"/proc/{one}/status")) for one in (pid, *_children(pid))]
        if math.isnan(found[0]):
            return most
        most = float(np.nanmax([most, *found]))
        time.sleep(0.2)


def _children(pid: int) -> list[str]:
    try:
        every = Path(f"/proc/{pid}/task").glob("*/children")
        return [child for file in every for child in file.read_text().split()]
    except OSError:
        return []


def _anonymous(status: Path) -> float:
    try:
        lines = [line for line in status.read_text().splitlines() if line.startswith("RssAnon")]
    except OSError:
        return math.nan
    return int(lines[0].split()[1]) / 2**20 if lines else math.nan


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def _made(folder: Path, name: str) -> list[Path]:
    if name in CASES:
        return write(folder, *CASES[name])
    return film(folder, VIDEOS[name]) if name in VIDEOS else film_bodies(folder, BODIES[name][0])


def main() -> None:
    """Measure the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = [*CASES, *VIDEOS, *BODIES]
    parser.add_argument("--only", nargs="+", choices=every, default=every)
    for name in parser.parse_args().only:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            # by another process: what this one ever held would count as its child's memory
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                files = pool.submit(_made, folder, name).result()
            signals = BODIES[name][1] if name in BODIES else None
            taken = measure(files, folder / "results", signals)
            report = (folder / "results" / "report.html").stat().st_size / 2**20
        print(
            f"{name:12}{taken.seconds:8.0f} s{taken.cpu:8.0f} CPU s{taken.memory:7.2f} GB"
            f" ({taken.own:.2f} of its own)"
            f"{report:8.1f} MB of report   " + (f"target: {TARGET}" if name in CASES else ""),
            flush=True,
        )


if __name__ == "__main__":
    main()
