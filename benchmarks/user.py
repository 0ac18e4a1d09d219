"""The speed a user feels: the public calls, the first use, and the whole command.

    python -m benchmarks.user [--rounds 7] [--only calls first command] [--seconds 60]

Calls are timed on 79 signals, 5 minutes at 30 frames a second, given as plain dictionaries in
Bitbox's layout; they take turns, so that whatever else the machine does hits them alike, and given
are medians, of times and of the ratios in each turn. The command is timed from outside, start of
the process included, on two rendered 720p videos, beside a plain loop that decodes both videos and
looks at every frame with MediaPipe's FaceMesh, on one core, in the same round. Run it on a quiet
machine; all of it takes about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.data import lose_at_random, lose_in_gaps, main_plan, pair
from bitbox.correlation.engine import correlate
from bitbox.social import coordination, imitation, imitation_quality
from bitbox.synthetic.signals import imitated_pair

Job = Callable[[], object]
SETTINGS: dict[str, Any] = {"width": 1.1, "step": 0.5, "fps": 30, "lag": 8 / 30}
WIDE = ("--width", "3")


def say(name: str, seconds: float, ratio: float | None = None, target: str = "") -> None:
    """Print a row: a time, its ratio to what stands above it, and what is aimed at."""
    times = f"{1e3 * seconds:9.1f} ms" if seconds < 1 else f"{seconds:9.2f} s "
    ratios = "" if ratio is None else f"{ratio:.2f}"
    print(f"{name:50}{times}{ratios:>8}  {target}", flush=True)


def take_turns(jobs: dict[str, Job], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every job in every round; the first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if turn > 0:
                times[name].append(time.perf_counter() - start)
    return times


def ratio(times: dict[str, list[float]], name: str, base: str) -> float:
    """Return the median over rounds of the ratio of two jobs."""
    return statistics.median(a / b for a, b in zip(times[name], times[base], strict=True))


def as_dict(values: np.ndarray) -> dict[str, Any]:
    """Return signals as somebody has them who used another back end."""
    names = [f"GE{i}" for i in range(values.shape[1])]
    frame = pd.DataFrame(values[:, :, 0], columns=names)
    return {"type": "expression", "schema": "3DMM", "frame count": len(frame), "data": frame}


def matrix_product(rounds: int) -> None:
    """Print the rate of a large single-precision matrix product, which limits say they rest on."""
    a = np.random.default_rng(0).standard_normal((2000, 2000)).astype(np.float32)
    with threadpool_limits(2, "blas"):
        taken = take_turns({"product": lambda: a @ a}, rounds)["product"]
    time.sleep(0.2)  # its threads go on spinning for a while, on all cores
    print(f"matrix product: {2 * 2000**3 / min(taken) / 1e9:.0f} GFLOP/s\n")


def calls(rounds: int) -> None:
    """Time the public calls."""
    x, y = pair()
    random = lose_at_random(x, 2), lose_at_random(y, 3)
    gaps = lose_in_gaps(x, 2, True), lose_in_gaps(y, 3, True)
    plan = main_plan()
    data = {"": (x, y), ", 2 % missing at random": random, ", 5 % in gaps of whole frames": gaps}
    people = {name: tuple(as_dict(values) for values in both) for name, both in data.items()}
    jobs: dict[str, Job] = {"engine alone": lambda: correlate(x, y, plan)}
    for name, (p, m) in people.items():
        jobs[f"imitation{name}"] = lambda p=p, m=m: imitation(p, m, **SETTINGS)
    for name in ("", ", 2 % missing at random"):
        p, m = people[name]
        jobs[f"coordination{name}"] = lambda p=p, m=m: coordination(p, m, **SETTINGS)
    few = imitated_pair(32, duration=300)
    participant, model = few.participant, few.model
    values = lose_at_random(participant.values[:, :, None], 4)[:, :, 0]
    holed = participant.replace(values=values)
    test = {**SETTINGS, "n_surrogates": 999, "seed": 1}
    jobs["imitation_quality, 32 signals, 999 surrogates"] = lambda: imitation_quality(
        participant, model, **test
    )
    jobs["imitation_quality, 2 % missing at random"] = lambda: imitation_quality(
        holed, model, **test
    )
    times = take_turns(jobs, rounds)
    quality = "imitation_quality, 32 signals, 999 surrogates"
    rows = [
        ("engine alone", None, ""),
        ("imitation", "engine alone", "1.5 times the engine, 25 ms at 190 GFLOP/s"),
        ("imitation, 2 % missing at random", "imitation", "2.5 times complete"),
        ("imitation, 5 % in gaps of whole frames", "imitation", "1.4 times complete"),
        ("coordination", None, "135 ms at 190 GFLOP/s"),
        ("coordination, 2 % missing at random", "coordination", "3 times complete"),
        (quality, None, "1.6 s"),
        ("imitation_quality, 2 % missing at random", quality, "2 times complete"),
    ]
    for name, base, target in rows:
        against = None if base is None else ratio(times, name, base)
        say(name, statistics.median(times[name]), against, target)


def run(command: list[str], **environment: str) -> float:
    """Return the seconds that a command takes; it must succeed.

    Its modules are compiled as in any installation, even where the environment forbids to keep it.
    """
    given = {**os.environ, **environment}
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return taken


def imitate(first: Path, second: Path, output: Path, *options: str) -> list[str]:
    """Return the command of the main job."""
    files = [str(first), str(second), "-o", str(output)]
    return [sys.executable, "-m", "bitbox", "-q", "imitate", *files, "--seed", "1", *options]


def first_use(rounds: int, folder: Path) -> None:
    """Time what a new environment costs: compiling, and importing."""
    files = [folder / f"{who}.csv" for who in ("participant", "model")]
    small = imitated_pair(32, duration=60)
    for signals, file in zip((small.participant, small.model), files, strict=True):
        holed = lose_at_random(signals.values[:, :, None], 4)[:, :, 0]
        signals.replace(values=holed).to_csv(file)
    command = imitate(*files, folder / "signals")
    fresh, warm = [], []
    for turn in range(max(1, rounds // 3)):
        cache = str(folder / f"compiled-{turn}")
        fresh.append(run(command, NUMBA_CACHE_DIR=cache))
        warm.append(run(command, NUMBA_CACHE_DIR=cache))
    print()
    say("the command on two CSV files, in a new environment", statistics.median(fresh))
    say("the same again", statistics.median(warm))
    extra = statistics.median(a - b for a, b in zip(fresh, warm, strict=True))
    say("compiling, that is, the difference", extra, None, "6 s")
    nothing = [sys.executable, "-c", "pass"]
    social = [sys.executable, "-c", "import bitbox.social"]
    imports = [run(social) - run(nothing) for _ in range(rounds)]
    say("import bitbox.social", statistics.median(imports), None, "0.6 s")


def plain_loop(paths: list[Path]) -> None:
    """Decode videos and look at every frame with FaceMesh: what one would write first."""
    import av
    import mediapipe as mp

    os.sched_setaffinity(0, {0})
    for path in paths:
        with (
            mp.solutions.face_mesh.FaceMesh(refine_landmarks=True) as mesh,
            av.open(str(path)) as container,
        ):
            for frame in container.decode(video=0):
                mesh.process(frame.to_ndarray(format="rgb24"))


def command(rounds: int, folder: Path, seconds: float) -> None:
    """Time the main job on two videos, and again with another width."""
    from bitbox.synthetic.demo import demo_performances
    from bitbox.synthetic.video import Person, Scene, render_video

    videos = []
    for name, performance in zip(("p", "m"), demo_performances(seconds), strict=True):
        videos.append(folder / f"{name}.mp4")
        render_video(videos[-1], Person(performance), Scene(size=(1280, 720)))
    loop = [sys.executable, "-m", "benchmarks.user", "--plain", *map(str, videos)]
    run(imitate(*videos, folder / "warm-up"))
    jobs: dict[str, list[float]] = {"plain": [], "whole": [], "again": []}
    for turn in range(max(1, rounds)):
        output = folder / f"results-{turn}"
        jobs["plain"].append(run(loop))
        jobs["whole"].append(run(imitate(*videos, output)))
        jobs["again"].append(run(imitate(*videos, output, *WIDE)))
    print()
    say("plain loop: decoding and FaceMesh, one core", statistics.median(jobs["plain"]))
    whole = ratio(jobs, "whole", "plain")
    say("bitbox imitate, everything", statistics.median(jobs["whole"]), whole, "0.85 times")
    say("again with another width", statistics.median(jobs["again"]), None, "3 s")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the two videos")
    parts = ["calls", "first", "command"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--plain", nargs="+", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        plain_loop(options.plain)
        return
    print(f"{'':50}{'median':>12}{'ratio':>8}  target")
    with tempfile.TemporaryDirectory() as name:
        if "calls" in options.only:
            matrix_product(options.rounds)
            calls(options.rounds)
        if "first" in options.only:
            first_use(options.rounds, Path(name))
        if "command" in options.only:
            command(options.rounds, Path(name), options.seconds)


if __name__ == "__main__":
    main()
