"""How fast a body is tracked, beside a plain decode-and-Pose loop in the same run.

    python -m benchmarks.bodies [--seconds 6] [--height 720] [--runs 3] [--times 5]

The yardstick is what one would write first: PyAV decodes the video, MediaPipe's Pose (complexity 1,
nothing smoothed) looks at every frame. Both are counted in processor time a frame, which a busy
machine changes least, and in seconds; runs alternate, and the least of each is taken. Then a pair
of videos, each the first one some times over, is tracked side by side as `bitbox imitate` does it,
the second by a process that is started for it, and is compared in frames a second with the plain
loop over one of them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.faces import compare_speed, quiet, repeated, side_by_side
from benchmarks.tracking import followed
from bitbox.body_backend.tracking import track_body
from bitbox.synthetic.body import render_body


def plain(path: Path) -> int:
    """Decode one video and run Pose on every frame; return the number of frames."""
    import av
    import mediapipe as mp

    count = 0
    pose = mp.solutions.pose.Pose(model_complexity=1, smooth_landmarks=False)
    with pose, av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pose.process(frame.to_ndarray(format="rgb24"))
            count += 1
    return count


def ours(path: Path) -> int:
    """Track the body; return the number of frames."""
    return len(track_body(path, threshold=0.5).time)


def spent(work: Callable[[Path], int], path: Path) -> tuple[float, float]:
    """Return seconds of processor and clock time a frame."""
    with quiet():
        clock, processor = time.perf_counter(), time.process_time()
        count = work(path)
        return (time.process_time() - processor) / count, (time.perf_counter() - clock) / count


def compare_pair(path: Path, runs: int) -> None:
    """Print how many frames of a pair are tracked in a second, beside the plain loop."""
    with quiet():
        alone = followed(path)
        same = [np.array_equal(rows, alone, equal_nan=True) for rows in pair(path)]
        print(f"the pair side by side gives the same joints as one video alone: {all(same)}")
        compare_speed(lambda: plain(path), lambda: sum(map(len, pair(path))), runs)


def pair(path: Path) -> list[np.ndarray]:
    """Track a video twice at the same time, as two videos of a pair are."""
    return side_by_side(followed, [path, path])


def tell(runs: dict[str, list[tuple[float, float]]]) -> None:
    """Print the least processor and clock time of each."""
    best = {
        name: [1000 * min(column) for column in zip(*rows, strict=True)]
        for name, rows in runs.items()
    }
    for name, (processor, clock) in best.items():
        print(f"{name:6} {processor:6.1f} ms of processor time a frame, {clock:6.1f} ms")
    processor, clock = (best["plain"][k] / best["ours"][k] for k in range(2))
    print(f"ours is {clock:.2f} times as fast ({processor:.2f} by processor time; aim: 1)")


def main() -> None:
    """Render, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--times", type=int, default=5, help="how often the video, for a pair")
    chosen = parser.parse_args()
    size = (chosen.height * 3 // 4 // 2 * 2, chosen.height)
    poses = [
        {"left_shoulder_elevation": 20 + k % 100, "right_elbow_flexion": k % 70}
        for k in range(round(chosen.seconds * 15))
    ]
    with tempfile.TemporaryDirectory() as folder:
        video = render_body(poses, Path(folder) / "body.mp4", fps=15, size=size)
        runs: dict[str, list[tuple[float, float]]] = {"plain": [], "ours": []}
        for _ in range(chosen.runs):
            for name, work in (("plain", plain), ("ours", ours)):
                runs[name].append(spent(work, video))
        tell(runs)
        compare_pair(repeated(video, chosen.times), chosen.runs)


if __name__ == "__main__":
    main()
