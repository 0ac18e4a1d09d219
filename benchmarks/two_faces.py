"""How long two faces of one video take, beside two videos of one face each.

    python -m benchmarks.two_faces [--seconds 30] [--runs 3]

Two videos, in two processes, as `bitbox imitate a.mp4 b.mp4` measures them; and one video that
shows both, decoded once by one process with a thread for each face. Most of the time goes into the
model of the mesh, which is asked for every face of every picture however many files there are.
What one video can spare is one of two decodings and one of two searches for faces.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.faces import effort, repeated
from bitbox.synthetic.demo import demo_performances
from bitbox.synthetic.video import Person, Scene, render_video
from bitbox.video import read_frames
from bitbox.workflow.clocks import Clocks
from bitbox.workflow.pair import load_both
from bitbox.workflow.settings import Settings

RENDERED = 10.0  # seconds that are rendered; more is repeated
FACES = Settings(participant_face="left", model_face="right")


def measured(
    paths: tuple[Path, Path], settings: Settings, threads: int | None
) -> tuple[float, float]:
    """Measure both people; return the seconds, and those of processors."""
    cache = paths[0].parent / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    start, busy = time.perf_counter(), effort()
    load_both(*paths, cache, settings, Clocks(0.0), None, threads)
    return time.perf_counter() - start, effort() - busy


def decoded(path: Path) -> float:
    """Return the seconds of processor time that decoding a video takes."""
    busy = effort()
    with read_frames(path) as frames:
        for frame in frames:
            frame.picture.brightness()
    return effort() - busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    times = max(1, round(options.seconds / RENDERED))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one, other = demo_performances(RENDERED)
        alone = Scene(size=(640, 480))
        render_video(folder / "a.mp4", Person(one, other=True), alone)
        render_video(folder / "b.mp4", Person(other), alone)
        both = [Person(one, other=True), Person(other)]
        render_video(folder / "both.mp4", both, Scene(size=(1280, 480), split=True))
        a, b, two = (repeated(folder / f"{n}.mp4", times) for n in ("a", "b", "both"))
        ways = {
            "two videos, two processes": ((a, b), Settings(), None),
            "one video, one process": ((two, two), FACES, None),
        }
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(options.runs):
            for way, given in ways.items():
                found[way].append(measured(*given))
                print(f"{way}: {found[way][-1][0]:.1f} s, {found[way][-1][1]:.1f} s of processors")
        middle = {
            way: [statistics.median(column) for column in zip(*rows, strict=True)]
            for way, rows in found.items()
        }
        first = middle["two videos, two processes"]
        for way, (took, busy) in middle.items():
            print(
                f"{way + ':':28}{took:6.1f} s ({took / first[0]:.2f}), {busy:6.1f} s of processor "
                f"time ({busy / first[1]:.2f}); medians of {options.runs}"
            )
        print(f"decoding the video of both: {decoded(two):.1f} s of processor time")


if __name__ == "__main__":
    main()
