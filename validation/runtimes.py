"""Measure how well the models that `bitbox models install` installs do beside the built-in runtime.

Run as ``python validation/runtimes.py`` on Python 3.11 or 3.12, where MediaPipe has both, with the
``video`` extra installed; it takes some minutes. It renders a face that makes all 32 movements at
once, once with the head still and once turning, measures it with either runtime, and writes the
table between the marks in ``docs/runtimes.md``.

``python -m validation.runtimes --people FOLDER`` tells, on any Python, how well the units of the
development people are measured with the runtime that it has (`validation.robustness`, plain films,
kept in the folder). What each runtime gave is kept there, too; where there are two, they are
compared. The reliability that Signals carry is the built-in runtime's.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from importlib import util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend import units
from bitbox.face_backend.builtin import measure
from bitbox.face_backend.mediapipe import chosen_model, track_mesh
from bitbox.measuring import models
from bitbox.synthetic.performance import Bursts, perform
from bitbox.synthetic.video import FaceTruth, Person, Scene, render_video

FloatArray = NDArray[np.float64]

PAGE = Path(__file__).parents[1] / "docs" / "runtimes.md"
NAMES = [unit.name for unit in units.LOCAL_UNITS]
SCENE = Scene(size=(480, 480), eye_distance=90.0, noise=3.0, seed=23)
FOV, FPS, SECONDS = 63.0, 30.0, 15.0


def render(path: Path, head: float) -> FaceTruth:
    """Render a face with all movements at once, the head turning by `head` times 15 degrees."""
    time = np.arange(round(SECONDS * FPS)) / FPS
    drives = {
        name: Bursts.random(SECONDS, seed=500 + number, rest=1.2)
        for number, name in enumerate(NAMES)
    }
    turning = {
        "yaw": head * 15 * np.sin(2 * np.pi * 0.23 * time),
        "pitch": head * 10 * np.sin(2 * np.pi * 0.19 * time + 1),
        "roll": head * 6 * np.sin(2 * np.pi * 0.13 * time + 2),
    }
    return render_video(path, Person(perform(time, drives, turning)), SCENE)


def local_units(path: Path, model: Path | None) -> FloatArray:
    """Return the 32 local units of a video, in millimetres."""
    return measure(track_mesh(path, model=model), ["expression-local"], FOV)["expression-local"]


def each_r(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return Pearson's r of each column with the same one of another array."""
    known = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
    return np.array([np.corrcoef(a[known, i], b[known, i])[0, 1] for i in range(a.shape[1])])


def shown(r: FloatArray) -> str:
    """Return the median and the least of some correlations."""
    return f"{np.median(r):.3f} ({r.min():.3f})"


def bundle(folder: Path) -> Path:
    """Make the bundle of the models that this MediaPipe brings along."""
    found = util.find_spec("mediapipe")
    if found is None or not found.submodule_search_locations or not models.brings_models():
        raise SystemExit("This needs MediaPipe 0.10.21, which has both runtimes.")
    path = folder / "face.task"
    content = Path(found.submodule_search_locations[0]).parent
    path.write_bytes(models.bundled(models.FACE, content))
    return path


def people(folder: Path) -> None:
    """Say how well units are measured on rendered people with the runtime that is here."""
    from validation.humans.people import of
    from validation.robustness import filmed, truth_of_units

    name, rows = "", []
    for person in of("development"):
        film = filmed(person, 1, folder)["plain"]
        track = track_mesh(film.with_suffix(".mp4"), model=chosen_model())
        found = measure(track, ["expression-local"], FOV)["expression-local"]
        rows.append(each_r(found, truth_of_units(film)))
        name = track.runtime
        print(f"{person.name}: {shown(rows[-1])}", flush=True)
    np.savez(folder / f"runtime_{re.sub('[^a-z0-9.]+', '_', name.lower())[:60]}.npz", r=rows)
    print(f"{name}: r of the units, median over people (least unit): {shown(np.median(rows, 0))}")
    kept = {path.stem: np.load(path)["r"] for path in sorted(folder.glob("runtime_*.npz"))}
    for one, r in kept.items():
        away = np.median(r, 0) - np.median(rows, 0)
        print(f"{one}: {shown(np.median(r, 0))}; differs by {np.abs(away).max():.3f} at most")


def main() -> None:
    """Measure both runtimes and write the table, or one of them on people."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--people", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    if given.people is not None:
        people(given.people)
    else:
        beside_each_other()


def beside_each_other() -> None:
    """Measure both runtimes on one rendered face, and write the table."""
    lines = [
        "| median r of 32 units (least) | head still | head turning by ±15° |",
        "|---|---|---|",
    ]
    cells: list[list[str]] = [[], [], []]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = bundle(folder)
        for head in (0.0, 1.0):
            video = folder / "video.mp4"
            truth = render(video, head)
            true = np.column_stack([truth.movement(unit) for unit in NAMES])
            built_in, installed = local_units(video, None), local_units(video, model)
            cells[0].append(shown(each_r(built_in, true)))
            cells[1].append(shown(each_r(installed, true)))
            cells[2].append(shown(each_r(installed, built_in)))
    titles = (
        "built-in runtime, with the movement made",
        "installed models, with the movement made",
        "installed models, with the built-in runtime",
    )
    lines += [f"| {title} | {' | '.join(row)} |" for title, row in zip(titles, cells, strict=True)]
    table = "\n".join(lines)
    page = PAGE.read_text(encoding="utf-8")
    marked = r"(<!-- runtimes -->\n).*?(\n<!-- end -->)"
    written, count = re.subn(marked, rf"\g<1>{table}\g<2>", page, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{PAGE.name} has no place for the table.")
    PAGE.write_text(written, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
