"""Whether films that hold fewer pictures than frames are told from films that do not.

``python -m validation.repeated_pictures`` renders people who sit still, talk or move about, films
them at 30 and 25 frames a second with 10, 12.5, 15, 24 or 25 new pictures a second, or all new,
codes the films with x264 (quality 18 to 36, with and without B frames, a key frame twice a second
or seldom, some of them twice over), and counts in how many the finding is there, and in how many
with the right share. The seeds begin with 5: the measure was chosen on lower ones.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.synthetic.performance import Bursts, Performance, perform
from bitbox.synthetic.video import Scene, render_video
from bitbox.video import read_frames, write_video

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

SEED = 5
FRAMES = 240
SIZE = (640, 360)
KINDS = ("still", "talks", "moves")
QUALITIES = (18, 23, 28, 32, 36)
#: Name, frames a second, and whether each frame of a period is new; empty: all are.
PATTERNS: dict[str, tuple[int, tuple[int, ...]]] = {
    "30 in 30": (30, ()),
    "25 in 25": (25, ()),
    "10 in 30": (30, (1, 0, 0)),
    "15 in 30": (30, (1, 0)),
    "12.5 in 25": (25, (1, 0)),
    "24 in 30": (30, (1, 1, 1, 1, 0)),
    "25 in 30": (30, (1, 1, 1, 1, 1, 0)),
}
#: How films are coded: x264's preset and options.
CODERS: dict[str, tuple[str, dict[str, str]]] = {
    "B frames": ("veryfast", {}),
    "no B frames": ("veryfast", {"bf": "0"}),
    "every second a B frame": ("veryfast", {"bf": "1", "b-adapt": "0"}),
    "two key frames a second": ("ultrafast", {"g": "15"}),
}


def sway(random: np.random.Generator, size: float, fastest: float) -> Callable[..., FloatArray]:
    """Return an aimless movement to and fro of a size, slow ones larger than fast ones."""
    hertz = random.uniform(0.1, fastest, 8)
    amplitudes = random.normal(size=8) / hertz**0.7
    amplitudes *= size * np.sqrt(2 / (amplitudes**2).sum())
    phases = random.uniform(0, 2 * np.pi, 8)

    def course(time: FloatArray) -> FloatArray:
        each = np.sin(2 * np.pi * np.multiply.outer(hertz, time) + phases[:, None])
        return np.asarray(amplitudes @ each)

    return course


def act(kind: str, seed: int, fps: int) -> Performance:
    """Return what somebody does: nothing much, talk, or move face and head."""
    random = np.random.default_rng(seed)
    time = np.arange(FRAMES) / fps
    more = 2 if kind == "talks" else 1
    sizes = {"yaw": 0.4, "pitch": 0.4, "roll": 0.2, "x": 0.7, "y": 0.4}
    head = {name: sway(random, more * size, 1.5)(time) for name, size in sizes.items()}
    face = {"blink": Bursts.random(time[-1], seed, length=(0.15, 0.3), rest=3.5)(time)}
    if kind == "talks":
        face["mouth_open"] = np.clip(0.3 + sway(random, 0.35, 5.0)(time), 0, 1)
    if kind == "moves":
        for k, name in enumerate(("smile", "brow_raise", "mouth_open")):
            face[name] = Bursts.random(time[-1], 10 * seed + k, rest=1.0)(time)
        head["yaw"] += Bursts.random(time[-1], seed + 90, size=(5, 15), signed=True)(time)
    return perform(time, face, head)


def rendered(kind: str, seed: int, fps: int, folder: Path) -> list[Image]:
    """Return pictures of somebody, as a camera's chip takes them."""
    path = folder / f"{kind}{seed}_{fps}.mp4"
    distance = float(np.random.default_rng(seed).uniform(0.09, 0.22)) * SIZE[1]
    render_video(path, act(kind, seed, fps), Scene(SIZE, distance, crf=8, seed=seed))
    with read_frames(path) as frames:
        return [frame.image for frame in frames]


def shown(pictures: list[Image], new: tuple[int, ...], noise: float, seed: int) -> Iterator[Image]:
    """Yield the frames of a film: pictures with noise of their own, some of them repeated."""
    random = np.random.default_rng(seed)
    height, width = pictures[0].shape[:2]
    grain = noise * random.standard_normal((height + 64, width + 64, 3))
    last = pictures[0]
    for k, picture in enumerate(pictures):
        if not new or new[k % len(new)]:
            y, x = random.integers(0, 64, 2)
            noisy = picture + grain[y : y + height, x : x + width]
            last = np.clip(noisy + 0.5, 0, 255).astype(np.uint8)
        yield last


def told(path: Path) -> str:
    """Return what the finding about repeated pictures says, nothing where there is none."""
    with read_frames(path) as frames:
        for _ in frames:
            pass
        return "".join(f.message for f in frames.findings if f.code == "repeated-pictures")


def judge(people: int, folder: Path) -> None:
    """Print, for each kind of movement, pattern and quality, how many films are found."""
    counts: dict[tuple[str, str, int], list[int]] = {}
    path, twice = folder / "film.mp4", folder / "twice.mp4"
    for seed, kind in itertools.product(range(SEED, SEED + people), KINDS):
        pictures = {fps: rendered(kind, seed, fps, folder) for fps in (25, 30)}
        for (name, (fps, new)), crf in itertools.product(PATTERNS.items(), QUALITIES):
            for k, (coder, (preset, options)) in enumerate(CODERS.items()):
                if new and (k + seed + QUALITIES.index(crf)) % 2:
                    continue  # half of the coders for each film that repeats pictures
                noise = (0.0, 3.0, 1.5)[(k + crf) % 3]
                frames = shown(pictures[fps], new, noise, seed)
                write_video(path, frames, fps, crf=crf, preset=preset, encoder_options=options)
                film = path
                if coder == "no B frames":
                    with read_frames(path) as again:
                        write_video(twice, (frame.image for frame in again), fps, crf=crf)
                    film = twice
                said = told(film)
                right = f"{100 * (1 - np.mean(new)):.0f} % of" if new else ""
                count = counts.setdefault((kind, name, crf), [0, 0, 0])
                count[0] += 1
                count[1] += bool(said)
                count[2] += said.startswith(right) if new else not said
                if bool(said) != bool(new) or not said.startswith(right):
                    print(f"  {kind} {seed}, {name}, {crf}, {coder}: {said[:5] or 'nothing'}")
    print("films, found, right:")
    for key, count in sorted(counts.items()):
        print(*key, *count, sep="\t", flush=True)


def main() -> None:
    """Judge as many people as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2)
    with tempfile.TemporaryDirectory() as folder:
        judge(parser.parse_args().people, Path(folder))


if __name__ == "__main__":
    main()
