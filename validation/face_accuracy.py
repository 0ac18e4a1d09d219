"""Measure how accurate pose, units and latency are, on rendered faces with known truth.

Run as ``python validation/face_accuracy.py`` with the ``video`` extra installed; it takes some
minutes. It writes ``docs/validation/portrait.md`` and ``docs/images/accuracy-*.png``. None of the
recordings is one that the units were calibrated on: frame rate, size, amplitude, time course and
noise differ. The faces are the same two, though, since there is but one portrait to render.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend import geometry, units
from bitbox.face_backend.builtin import measure
from bitbox.face_backend.mediapipe import track_mesh
from bitbox.synthetic.performance import Bursts, perform
from bitbox.synthetic.video import FaceTruth, Person, Scene, render_video

FloatArray = NDArray[np.float64]

DOCS = Path(__file__).parents[1] / "docs"
NAMES = [unit.name for unit in units.LOCAL_UNITS]
SCENE = Scene(size=(1280, 720), eye_distance=90.0, noise=3.0, seed=9)
#: The field of view of the rendered camera, in degrees; the default of the measurement, too.
FOV = 63.0
FPS = 30.0
SEGMENT = 36  # frames for one movement
SWEEP = 60  # frames for one turn to and fro


class Recording(NamedTuple):
    """What was measured in one video, and the truth about it."""

    truth: FaceTruth
    time: FloatArray
    pose: FloatArray
    local: FloatArray


def record(person: Person, folder: Path, scene: Scene = SCENE) -> Recording:
    """Render a person, track the face, and measure pose and local units."""
    path = folder / "video.mp4"
    truth = render_video(path, person, scene)
    track = track_mesh(path)
    found = measure(track, ["pose", "expression-local"], FOV)
    return Recording(truth, track.time, found["pose"], found["expression-local"])


def correlation(a: FloatArray, b: FloatArray) -> float:
    """Return Pearson's r over the frames in which both are known."""
    known = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[known], b[known])[0, 1])


# --- one movement after another, and the head alone -------------------------------------------


def one_by_one(other: bool, folder: Path) -> Recording:
    """Record each movement once, then the head turning about each axis."""
    n_units = SEGMENT * len(NAMES)
    total = n_units + 3 * SWEEP
    time = np.arange(total) / FPS
    drives = {}
    for number, name in enumerate(NAMES):
        start = (number * SEGMENT + 3) / FPS
        drives[name] = Bursts((start,), ((SEGMENT - 6) / FPS,), (0.85,))
    head = {}
    for number, name in enumerate(("yaw", "pitch", "roll")):
        head[name] = np.zeros(total)
        start = n_units + number * SWEEP
        head[name][start : start + SWEEP] = 20 * np.sin(2 * np.pi * np.arange(SWEEP) / SWEEP)
    return record(Person(perform(time, drives, head), other=other), folder)


class Alone(NamedTuple):
    """How each unit answers to its movement made alone, and to the head; arrays over units."""

    r: FloatArray
    others: FloatArray
    head: FloatArray
    amplitude: FloatArray


def judge_alone(recording: Recording) -> Alone:
    """Compare each unit with its own movement, with the others, and with head movement."""
    n = len(NAMES)
    noise = units.noise_scale(recording.local[: n * SEGMENT])
    rest = np.median(recording.local[: n * SEGMENT], axis=0)
    r, others, amplitude = np.zeros(n), np.zeros(n), np.zeros(n)
    for index, name in enumerate(NAMES):
        part = slice(index * SEGMENT, (index + 1) * SEGMENT)
        true = recording.truth.movement(name)[part]
        r[index] = correlation(recording.local[part, index], true)
        design = np.column_stack([true / true.max(), np.ones(SEGMENT)])
        moved = np.abs(np.linalg.lstsq(design, recording.local[part], rcond=None)[0][0])
        amplitude[index] = moved[index]
        others[index] = (np.delete(moved / noise, index)).max() / (moved / noise)[index]
    head = np.zeros(n)
    for number, axis in enumerate(("yaw", "pitch", "roll")):
        frames = np.arange(SWEEP) + n * SEGMENT + number * SWEEP
        frames = frames[np.abs(recording.truth.head(axis)[frames]) <= 15]
        moved = np.abs(recording.local[frames] - rest).max(axis=0)
        head = np.maximum(head, moved / amplitude)
    return Alone(r, others, head, amplitude)


def pose_errors(recording: Recording) -> dict[str, tuple[float, float]]:
    """Return, by axis, the mean and largest error of the driven angle within 20 degrees."""
    n = len(NAMES) * SEGMENT
    rest = geometry.rotation_matrix(np.median(recording.pose[:n, 3:], axis=0))
    found = {}
    signs = {"yaw": (1, -1.0), "pitch": (0, 1.0), "roll": (2, 1.0)}
    for number, (axis, (column, sign)) in enumerate(signs.items()):
        frames = slice(n + number * SWEEP, n + (number + 1) * SWEEP)
        turned = geometry.rotation_matrix(recording.pose[frames, 3:]) @ rest.T
        true = np.zeros((SWEEP, 3))
        true[:, column] = sign * np.radians(recording.truth.head(axis)[frames])
        wrong = turned @ geometry.rotation_matrix(true).swapaxes(1, 2)
        angle = np.degrees(
            np.array([wrong[:, 2, 1], wrong[:, 0, 2], wrong[:, 1, 0]])[column]
        )  # sine of a small angle
        found[axis] = (float(np.abs(angle).mean()), float(np.abs(angle).max()))
    return found


# --- all together ------------------------------------------------------------------------------


def all_together(folder: Path, head: float) -> FloatArray:
    """Return r of each unit when all 32 move independently and the head turns."""
    duration = 18.0
    time = np.arange(round(duration * FPS)) / FPS
    drives = {
        name: Bursts.random(duration, seed=100 + number, rest=1.5)
        for number, name in enumerate(NAMES)
    }
    turning = {
        "yaw": head * 15 * np.sin(2 * np.pi * 0.21 * time),
        "pitch": head * 10 * np.sin(2 * np.pi * 0.17 * time + 1),
        "roll": head * 6 * np.sin(2 * np.pi * 0.13 * time + 2),
    }
    found = record(Person(perform(time, drives, turning)), folder)
    return np.array(
        [
            correlation(found.local[:, index], found.truth.movement(name))
            for index, name in enumerate(NAMES)
        ]
    )


# --- latency -----------------------------------------------------------------------------------


def frame_times(kind: str, duration: float) -> FloatArray:
    """Return the frame times of a recording that is named in words."""
    rates = {"24 fps": 24.0, "29.97 fps": 30000 / 1001, "60 fps": 60.0}
    if kind in rates:
        return np.arange(0, duration, 1 / rates[kind])
    steps = np.random.default_rng(2).uniform(1 / 45, 1 / 18, size=int(duration * 30))
    time = np.cumsum(steps)
    if kind == "18 to 45 fps, starting at 1.5 s":
        time = time + 1.5
    return time[time < duration + time[0]]


def latency_errors(folder: Path) -> list[tuple[str, float, float]]:
    """Return, for each frame rate, the error of a planted latency and half a frame, in seconds."""
    duration, planted = 6.0, 0.3
    course = Bursts.random(duration - 1, seed=3)
    model = record(Person(perform(frame_times("29.97 fps", duration), _mouth(course))), folder)
    rows = []
    kinds = ("24 fps", "29.97 fps", "60 fps", "18 to 45 fps", "18 to 45 fps, starting at 1.5 s")
    for kind in kinds:
        time = frame_times(kind, duration)
        late = course.imitated(planted, 0.8)
        follower = record(Person(perform(time, _mouth(late))), folder)
        found = delay(model, follower, NAMES.index("ll_jaw_drop"), time[0])
        rows.append((kind, found - planted, float(np.median(np.diff(time))) / 2))
    return rows


def _mouth(course: Bursts) -> dict[str, Bursts]:
    return {"ll_jaw_drop": course}


def delay(model: Recording, follower: Recording, unit: int, start: float) -> float:
    """Return by how much one recording of a unit follows another, in seconds.

    The times of a video count from its first frame, which the follower made at `start`.
    """
    grid = np.arange(1.6, 5.2, 0.001)
    shifts = np.arange(0.0, 0.6, 0.001)
    reference = np.interp(grid, follower.time + start, follower.local[:, unit])
    r = [
        correlation(reference, np.interp(grid - shift, model.time, model.local[:, unit]))
        for shift in shifts
    ]
    return float(shifts[int(np.argmax(r))])


# --- the page ----------------------------------------------------------------------------------


def share(values: FloatArray, reached: NDArray[np.bool_]) -> str:
    """Return how many units reach a mark, and the median."""
    return f"{int(reached.sum())} of {len(values)} (median {np.median(values):.2f})"


def draw(path: Path, title: str, values: dict[str, FloatArray], mark: float) -> None:
    """Draw one point a unit and condition, and the mark that is aimed at."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8.5, 3.6))
    for marker, (label, numbers) in zip("oxs", values.items(), strict=False):
        axes.plot(numbers, marker, label=label, markersize=4)
    axes.axhline(mark, color="0.6", linewidth=1)
    axes.set_xticks(range(len(NAMES)), NAMES, rotation=90, fontsize=7)
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def table(alone: list[Alone], together: tuple[FloatArray, FloatArray]) -> str:
    """Return the numbers of each unit as Markdown."""
    lines = [
        "| unit | r alone | largest other unit | head ±15° | r, all 32 | r, all 32, head turning |",
        "|---|---|---|---|---|---|",
    ]
    for index, name in enumerate(NAMES):
        both = [
            f"{min(a.r[index] for a in alone):.2f}",
            f"{max(a.others[index] for a in alone):.2f}",
            f"{max(a.head[index] for a in alone):.2f}",
            f"{together[0][index]:.2f}",
            f"{together[1][index]:.2f}",
        ]
        lines.append(f"| `{name}` | {' | '.join(both)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure everything and write the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recordings = [one_by_one(other, folder) for other in (False, True)]
        together = (all_together(folder, 0.0), all_together(folder, 1.0))
        latency = latency_errors(folder)
    alone = [judge_alone(recording) for recording in recordings]
    n = len(NAMES) * SEGMENT
    between = np.array(
        [
            correlation(*(r.local[i * SEGMENT : (i + 1) * SEGMENT, i] for r in recordings))
            for i in range(len(NAMES))
        ]
    )
    worst = Alone(
        np.min([a.r for a in alone], axis=0),
        np.max([a.others for a in alone], axis=0),
        np.max([a.head for a in alone], axis=0),
        np.min([a.amplitude for a in alone], axis=0),
    )
    images = DOCS / "images"
    images.mkdir(exist_ok=True)
    draw(
        images / "accuracy-r.png",
        "Correlation of each unit with the movement that was made",
        {"alone": worst.r, "all 32": together[0], "all 32, head turning": together[1]},
        0.9,
    )
    draw(
        images / "accuracy-others.png",
        "What moves a unit that should not, as a share of its own full movement",
        {"largest other unit (normalised)": worst.others, "head turning by 15 degrees": worst.head},
        0.2,
    )
    errors = [pose_errors(recording) for recording in recordings]
    pose = "\n".join(
        f"| {axis} | {np.mean([e[axis][0] for e in errors]):.1f}° "
        f"| {max(e[axis][1] for e in errors):.1f}° |"
        for axis in errors[0]
    )
    clock = "\n".join(
        f"| {kind} | {1000 * error:+.0f} ms | {1000 * half:.0f} ms |"
        for kind, error, half in latency
    )
    summary = [
        ("each movement alone: r ≥ 0.9", share(worst.r, worst.r >= 0.9)),
        ("the same in two renderings: r ≥ 0.9", share(between, between >= 0.9)),
        (
            "largest other unit < 0.3 of the unit that is moved, both normalised",
            share(worst.others, worst.others < 0.3),
        ),
        (
            "head turning by ±15°: unit moves by ≤ 0.2 of its full movement",
            share(worst.head, worst.head <= 0.2),
        ),
        ("all 32 moving at once: r ≥ 0.85", share(together[0], together[0] >= 0.85)),
        (
            "all 32 moving at once and the head turning: r ≥ 0.85",
            share(together[1], together[1] >= 0.85),
        ),
    ]
    rows = "\n".join(f"| {what} | {result} |" for what, result in summary)
    template = (Path(__file__).parent / "accuracy_template.md").read_text(encoding="utf-8")
    page = (
        template.replace("{{summary}}", rows)
        .replace("{{pose}}", pose)
        .replace("{{latency}}", clock)
        .replace("{{units}}", table(alone, together))
        .replace("{{frames}}", str(n + 3 * SWEEP))
    )
    (DOCS / "validation" / "portrait.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
