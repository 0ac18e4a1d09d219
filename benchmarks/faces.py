"""How fast a pair of videos is processed, beside a plain decode-and-FaceMesh loop in the same run.

    python -m benchmarks.faces [--seconds 30] [--height 1080] [--runs 5]

The yardstick is what one would write first: PyAV decodes one video, MediaPipe's FaceMesh (with
iris refinement) looks at every frame. Against it stands what `bitbox imitate` does with a pair: two
videos tracked side by side, the second by a process that is started for it. Both are counted in
frames a second and in processor time a frame, and runs alternate. The videos are ten seconds of two
people, repeated: half a minute in all unless told otherwise, which is shorter than most recordings.
What each recording costs by itself, such as the second process and the person's texture, counts in
full. The memory of tracking and measuring a pair is taken in processes of their own, on these
videos and on the same five times as long.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from benchmarks.tracking import processed, tracked
from bitbox.face_backend.mediapipe import track_mesh
from bitbox.synthetic.demo import demo_performances
from bitbox.synthetic.video import Person, Scene, render_video
from bitbox.system.elsewhere import elsewhere

T = TypeVar("T")
RENDERED = 10.0  # seconds that are rendered; more is repeated


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep MediaPipe's start-up messages off the terminal."""
    saved = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def plain(path: Path) -> int:
    """Decode one video and run FaceMesh on every frame; return the number of frames."""
    import av
    import mediapipe as mp

    count = 0
    with (
        quiet(),
        mp.solutions.face_mesh.FaceMesh(refine_landmarks=True) as mesh,
        av.open(str(path)) as container,
    ):
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            mesh.process(frame.to_ndarray(format="rgb24"))
            count += 1
    return count


def alone(paths: list[Path]) -> list[np.ndarray]:
    """Track one video after the other."""
    return [np.array(track_mesh(path).mesh) for path in paths]


def side_by_side(work: Callable[..., T], paths: list[Path]) -> list[T]:
    """Do something with both videos at once, as the command does: here, and in a process."""
    with ThreadPoolExecutor(2) as pool:
        here = pool.submit(work, paths[0])
        there = pool.submit(elsewhere, work, {"path": paths[1]}, lambda *_: None, lambda _: None)
        return [here.result(), there.result()]


def pair(paths: list[Path]) -> list[np.ndarray]:
    """Track both videos side by side."""
    return side_by_side(tracked, paths)


class Speed(NamedTuple):
    """Frames a second, and processor time in milliseconds a frame."""

    rate: float
    effort: float


def effort() -> float:
    """Return the seconds of processor time of this process and of those that it waited for."""
    every = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in every)


def speed(work: Callable[[], int]) -> Speed:
    """Return how fast some work is that tells how many frames it went through."""
    start, busy = time.perf_counter(), effort()
    frames = work()
    wall, busy = time.perf_counter() - start, effort() - busy
    return Speed(frames / wall, 1000 * busy / frames)


def compare(paths: list[Path], runs: int) -> None:
    """Print whether a pair gives the same as one video after the other, and how fast it is."""
    same = all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(alone(paths), pair(paths), strict=True)
    )
    print(f"the pair side by side gives the same meshes as one after the other: {same}")
    compare_speed(lambda: plain(paths[0]), lambda: sum(map(len, pair(paths))), runs)


def compare_speed(one: Callable[[], int], two: Callable[[], int], runs: int) -> None:
    """Print how fast a plain loop and a pair are, both of which tell their number of frames."""
    plains, pairs = [], []
    for _ in range(runs):
        plains.append(speed(one))
        pairs.append(speed(two))
    for name, found in (("plain loop, one video", plains), ("pair, two videos", pairs)):
        rate, effort = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"{name + ':':23}{rate:6.1f} frames/s, {effort:5.2f} ms of processor time a frame")
    ratios = [b.rate / a.rate for a, b in zip(plains, pairs, strict=True)]
    print(
        f"ratio: {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f} in {runs} runs; aim: 1.3)"
    )


def repeated(path: Path, times: int) -> Path:
    """Write a video several times over into one file, without coding it again."""
    import av

    target = path.with_name(f"{path.stem}-{times}.mp4")
    with av.open(str(target), "w") as new:
        track = None
        for number in range(times):
            with av.open(str(path)) as old:
                source = old.streams.video[0]
                track = track or new.add_stream_from_template(source)
                for packet in old.demux(source):
                    if packet.dts is not None:
                        packet.pts += number * source.duration
                        packet.dts += number * source.duration
                        packet.stream = track
                        new.mux(packet)
    return target


def peak_memory(paths: list[Path]) -> tuple[int, float]:
    """Track and measure a pair; return the frames and both processes' highest memory in MB."""
    frames = sum(side_by_side(processed, paths))
    every = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return frames, sum(used.ru_maxrss for used in every) / 1024


def compare_memory(paths: list[Path]) -> None:
    """Print the memory that a pair takes, and five times that pair."""
    for times in (1, 5):
        videos = [repeated(path, times) for path in paths]
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            frames, peak = pool.apply(peak_memory, (videos,))
        print(f"peak memory of the processes that measure {frames} frames: {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    size = (options.height * 16 // 9 // 2 * 2, options.height)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        rendered = min(options.seconds, RENDERED)
        for name, performance in zip(("p", "m"), demo_performances(rendered), strict=True):
            path = Path(folder) / f"{name}.mp4"
            render_video(path, Person(performance), Scene(size=size))
            paths.append(repeated(path, round(options.seconds / rendered)))
        compare(paths, options.runs)
        compare_memory(paths)


if __name__ == "__main__":
    main()
