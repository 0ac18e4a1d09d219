"""How well the offset and the drift of two recordings are found from their sound.

    python validation/sync.py                  # some minutes; prints a table
    python validation/sync.py --hour           # two recordings of an hour: time and memory
    python validation/sync.py --pairs 20       # a quick look

Everything is generated: talk, claps and music in a room, heard by two microphones with other
places, echoes and colours, with as much noise as sound (0 dB). What is promised: where it answers,
a median error of at most 5 ms and none of more than half a picture (16.7 ms); drift within 5 parts
per million over 10 minutes; of 200 pairs of recordings that have nothing in common at most 1
accepted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from bitbox.sync import offset
from bitbox.sync.finding import judged
from bitbox.sync.onsets import SAMPLE_RATE, Onsets, onsets_of
from bitbox.synthetic.sound import RATE, heard, sound, write_sound

SCENES = ("talk", "claps", "music")
SECONDS = (30, 45, 60, 120, 60, 30, 90)
HALF_A_PICTURE = 1 / 60
PROMISED = {"median": 0.005, "largest": HALF_A_PICTURE, "drift": 5.0, "accepted": 1}
MOST_SECONDS = 20  # that an hour may take


def listened(samples: np.ndarray) -> Onsets:
    """Return the onsets of samples."""
    lower = resample_poly(samples, 1, RATE // SAMPLE_RATE)
    return onsets_of([(0.0, lower.astype(np.float32))])


def pair(seed: int, scene: str, seconds: float, ppm: float) -> tuple[Onsets, Onsets, float]:
    """Return two recordings of one event, and by how much the first started later."""
    rng = np.random.default_rng(seed)
    late = round(rng.uniform(0, 15) * RATE)
    air = sound(scene, seconds + 16, rng)  # type: ignore[arg-type]
    n = round(seconds * RATE)
    first = heard(air, rng, noise=0.0)[late : late + n]
    second = heard(air, rng, noise=0.0, ppm=ppm)[:n]
    if rng.random() < 0.5:
        return listened(first), listened(second), late / RATE * (1 + ppm * 1e-6)
    return listened(second), listened(first), -late / RATE * (1 + ppm * 1e-6)


def accuracy(pairs: int) -> Iterator[tuple[str, float, bool, float]]:
    """Yield scene, length, whether there was an answer, and its error in seconds."""
    for seed in range(pairs):
        scene, seconds = SCENES[seed % 3], SECONDS[seed % 7]
        ppm = float(np.random.default_rng(10_000 + seed).uniform(-60, 60))
        one, other, truth = pair(seed, scene, seconds, ppm)
        found = judged(one, other)
        yield scene, seconds, found.sure, found.offset - truth


def drifts(pairs: int) -> list[float]:
    """Return the errors of drift over 10 minutes, in parts per million."""
    errors = []
    for seed in range(pairs):
        ppm = float(np.random.default_rng(20_000 + seed).uniform(-100, 100))
        rng = np.random.default_rng(500 + seed)
        air = sound(SCENES[seed % 3], 600, rng)  # type: ignore[arg-type]
        found = judged(
            listened(heard(air, rng, noise=0.0)), listened(heard(air, rng, noise=0.0, ppm=ppm))
        )
        errors.append(found.drift_ppm - ppm if found.sure else float("nan"))
    return errors


def accepted(pairs: int) -> int:
    """Return how many of so many pairs of unrelated recordings were accepted."""
    count = 0
    for seed in range(pairs):
        rng = np.random.default_rng(90_000 + seed)
        scenes = SCENES[seed % 3], SCENES[(seed // 3) % 3 if seed % 2 else seed % 3]
        both = [
            listened(heard(sound(scene, SECONDS[seed % 7], rng), rng, noise=0.0))  # type: ignore[arg-type]
            for scene in scenes
        ]
        count += judged(*both).sure
    return count


def hour(folder: Path) -> bool:
    """Print time and memory of finding offsets in some minutes and in an hour; True: as promised.

    Each in a process of its own, so that making the sound does not count.
    """
    spawned = multiprocessing.get_context("spawn")
    kept = False
    for minutes in (10, 60):
        with spawned.Pool(1) as pool:
            files = pool.apply(talked, (folder, minutes))
        with spawned.Pool(1) as pool:
            text, began, peak, took, busy = pool.apply(found_in, (files,))
        print(
            f"{minutes} min: {took:.1f} s, {busy:.1f} s of processor time; memory {began:.0f} MB "
            f"before, {peak:.0f} MB at most. {text}"
        )
        kept = took <= MOST_SECONDS
    print(f"at most {MOST_SECONDS} s for an hour: {'kept' if kept else 'BROKEN'}")
    return kept


def talked(folder: Path, minutes: int) -> list[Path]:
    """Write two recordings of one conversation; the first starts 2 s later, the clocks drift."""
    rng = np.random.default_rng(1)
    air = np.concatenate([sound("talk", 300, rng) for _ in range(minutes // 5)])
    return [
        write_sound(folder / f"a{minutes}.mp4", heard(air[2 * RATE :], rng, noise=20.0)),
        write_sound(folder / f"b{minutes}.mp4", heard(air, rng, noise=20.0, ppm=40.0)),
    ]


def found_in(files: list[Path]) -> tuple[str, float, float, float, float]:
    """Return what was found, megabytes before and at most, and seconds and those of processors."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    found = offset(*files)
    took = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return str(found), before.ru_maxrss / 1024, after.ru_maxrss / 1024, took, busy


def main() -> None:
    """Measure, print, and end with 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--hour", action="store_true")
    chosen = parser.parse_args()
    if chosen.hour:
        with tempfile.TemporaryDirectory() as folder:
            raise SystemExit(0 if hour(Path(folder)) else 1)
    rows = list(accuracy(chosen.pairs))
    for scene in SCENES:
        mine = [row for row in rows if row[0] == scene]
        errors = np.abs([row[3] for row in mine if row[2]])
        print(
            f"{scene:6s} {len(errors):3d} of {len(mine):3d} answered; error: median "
            f"{1e3 * np.median(errors):.1f} ms, largest {1e3 * errors.max():.1f} ms"
        )
    errors = np.abs([row[3] for row in rows if row[2]])
    drift = np.abs(drifts(max(3, chosen.pairs // 16)))
    print(f"drift over 10 min: largest error {np.nanmax(drift):.1f} ppm ({len(drift)} pairs)")
    wrong = accepted(chosen.pairs)
    print(f"unrelated: {wrong} of {chosen.pairs} accepted")
    kept = (
        np.median(errors) <= PROMISED["median"]
        and errors.max() <= PROMISED["largest"]
        and np.nanmax(drift) <= PROMISED["drift"]
        and wrong <= PROMISED["accepted"]
    )
    print("all promises kept" if kept else "A PROMISE IS BROKEN")
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
