"""How fast a pair of videos is processed, beside a plain decode-and-FaceMesh loop in the same run.

    python -m benchmarks.faces [--seconds 10] [--height 1080] [--runs 3]

The yardstick is what one would write first: PyAV decodes one video, MediaPipe's FaceMesh (with
iris refinement) looks at every frame. Against it stands what `bitbox imitate` does with a pair: two
videos tracked side by side. Both are counted in frames a second, and runs alternate.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from bitbox.face_backend.mediapipe import track_mesh
from bitbox.synthetic.demo import demo_performances
from bitbox.synthetic.video import Person, Scene, render_video


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


def pair(paths: list[Path]) -> list[np.ndarray]:
    """Track both videos side by side, as the command does."""
    with ThreadPoolExecutor(2) as pool:
        return [np.array(track.mesh) for track in pool.map(track_mesh, paths)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    size = (options.height * 16 // 9 // 2 * 2, options.height)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, performance in zip(("p", "m"), demo_performances(options.seconds), strict=True):
            paths.append(Path(folder) / f"{name}.mp4")
            render_video(paths[-1], Person(performance), Scene(size=size))
        measure(paths, options.runs)


def measure(paths: list[Path], runs: int) -> None:
    same = all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(alone(paths), pair(paths), strict=True)
    )
    print(f"the pair side by side gives the same meshes as one after the other: {same}")
    rates: dict[str, list[float]] = {"plain": [], "pair": []}
    for _ in range(runs):
        start = time.perf_counter()
        frames = plain(paths[0])
        rates["plain"].append(frames / (time.perf_counter() - start))
        start = time.perf_counter()
        frames = sum(len(mesh) for mesh in pair(paths))
        rates["pair"].append(frames / (time.perf_counter() - start))
    ratios = [b / a for a, b in zip(rates["plain"], rates["pair"], strict=True)]
    print(f"plain loop, one video: {statistics.median(rates['plain']):6.1f} frames/s")
    print(f"pair, two videos:      {statistics.median(rates['pair']):6.1f} frames/s")
    print(
        f"ratio: {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f} in {runs} runs; aim: 1.3)"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process, everything included: {peak:.0f} MB")


if __name__ == "__main__":
    main()
