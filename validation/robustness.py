"""Measure what spoils a face: compression, darkness, few pixels, a hand, glasses.

``python -m validation.robustness FOLDER --write`` films the five development people, all movements
at once and the head turning, and shows each of them in every condition: one performance, the same
pictures, spoilt. Films and what is measured in them are kept in ``FOLDER``; what is there is not
made again. The tables go between the marks in ``docs/validation/robustness.md``.

How a hidden region is recognised was worked out on three of the people, in films of ``--part 0``;
the tables are of other films, ``--part 1``, and of two people more.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from validation.humans import judge
from validation.humans.films import Truth, truth_of
from validation.humans.hand import LEFT_EYE, MOUTH, hand_at, lay_hand
from validation.humans.judge import MOVES
from validation.humans.measure import points_on, scale_of
from validation.humans.people import Person, of
from validation.humans.performance import all_at_once
from validation.humans.render import LIGHTS, Camera, Image, Renderer, as_seen
from validation.page import put_tables

from bitbox.face_backend import geometry, units
from bitbox.face_backend.builtin import measure
from bitbox.face_backend.mediapipe import track_mesh
from bitbox.face_backend.mesh_track import MeshTrack
from bitbox.face_backend.visibility import LEAST_VISIBLE, REGIONS
from bitbox.video import write_video

FloatArray = NDArray[np.float64]
Float32 = NDArray[np.float32]

CAMERA = Camera(63.0, (320, 320), 60.0)
FPS, SECONDS = 15.0, 16.0
PAGE = Path(__file__).parents[1] / "docs" / "validation" / "robustness.md"
#: A region is right in a frame where it is wrong by less than so many standard deviations.
RIGHT = 1.0
LEAST_FRAMES = 30


@dataclass(frozen=True)
class Condition:
    """What happens to the pictures.

    Parameters
    ----------
    name : str
    crf : int
        Compression, see `bitbox.video.write_video`.
    bright : float
        Light there is, as a share of that of the plain film.
    noise : float
        Grey levels of 255.
    eyes : float
        Pixels between the eyes.
    hand : str
        What a hand passes over: "mouth", "left eye", "" for nothing.
    glasses : bool
    """

    name: str
    crf: int = 18
    bright: float = 1.0
    noise: float = 1.5
    eyes: float = CAMERA.eye_distance
    hand: str = ""
    glasses: bool = False


CONDITIONS = (
    Condition("plain"),
    Condition("crf 23", crf=23),
    Condition("crf 30", crf=30),
    Condition("crf 36", crf=36),
    Condition("dark", bright=0.015, noise=5.0, crf=23),
    Condition("40 pixels between the eyes", eyes=40.0, crf=23),
    Condition("25 pixels between the eyes", eyes=25.0, crf=23),
    Condition("a hand over the mouth", hand="mouth", crf=23),
    Condition("a hand over the left eye", hand="left eye", crf=23),
    Condition("glasses", glasses=True, crf=23),
)


HANDS = {"mouth": MOUTH, "left eye": LEFT_EYE}


def shown(condition: Condition, lights: list[Float32], person: Person) -> Iterator[Image]:
    """Yield the pictures of a film, spoilt."""
    import cv2

    random = np.random.default_rng(person.seed + 71)
    share = condition.eyes / CAMERA.eye_distance
    size = tuple(2 * round(side * share / 2) for side in CAMERA.size)
    for number, light in enumerate(lights):
        picture = light.astype(np.float32)
        if condition.hand:
            place = HANDS[condition.hand]
            picture = lay_hand(picture, CAMERA, number / FPS, person.skin, place)
        if share < 1:
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        seen = as_seen(condition.bright * picture).astype(np.float32)
        grain = random.standard_normal(seen.shape, dtype=np.float32)
        yield np.clip(seen + condition.noise * grain + 0.5, 0, 255).astype(np.uint8)


def filmed(person: Person, part: int, folder: Path) -> dict[str, Path]:
    """Film somebody in all conditions where that has not been done; return the files of truth."""
    paths = {
        c.name: folder / f"{person.name}_{part}_{c.name.replace(' ', '_')}.npz" for c in CONDITIONS
    }
    for glasses in (False, True):
        these = [c for c in CONDITIONS if c.glasses == glasses]
        if all(paths[c.name].exists() for c in these):
            continue
        performance = all_at_once(7000 + 10 * person.seed + part, True, SECONDS, FPS)
        light = list(LIGHTS.values())[(person.seed + part) % len(LIGHTS)]
        renderer = Renderer(replace(person, glasses=glasses), CAMERA, light)
        lights = [
            renderer.picture(*given).astype(np.float16)
            for given in zip(performance.drives, performance.turns, performance.time, strict=True)
        ]
        truth = truth_of(renderer, performance)
        for condition in these:
            path = paths[condition.name]
            pictures = shown(condition, lights, person)
            write_video(path.with_suffix(".mp4"), pictures, FPS, crf=condition.crf)
            np.savez(path, **truth.arrays())
            print(f"{path.stem}: filmed", flush=True)
    return paths


# --- what is measured --------------------------------------------------------------------------


class Seen(NamedTuple):
    """What is measured in a film, beside the truth; arrays over frames.

    Attributes
    ----------
    found, plain : ndarray, shape (T, 32)
        The units, and the same if nothing were taken for hidden.
    true : ndarray, shape (T, 32)
    sure : ndarray, shape (T, 7)
        The confidence of each region.
    covered : ndarray, shape (T, 7)
        The share of each region's places that the hand covers.
    """

    found: FloatArray
    plain: FloatArray
    true: FloatArray
    sure: FloatArray
    covered: FloatArray

    def error(self) -> FloatArray:
        """Return how wrong each region is, (T, 7): the median of its units' errors.

        In standard deviations of the true movement; without the mean over the film.
        """
        wrong = self.plain - np.nanmedian(self.plain, axis=0)
        wrong -= self.true - np.median(self.true, axis=0)
        each = np.abs(wrong) / np.maximum(self.true.std(axis=0), 2 * MOVES)
        regions = [each[:, region == judge.REGIONS] for region in REGIONS]
        return np.column_stack([np.median(some, axis=1) for some in regions])


def tracked(film: Path) -> MeshTrack:
    """Return the tracked mesh of a film, from the disk where it has been tracked before."""
    kept = film.with_name(f"{film.stem}_track.npz")
    if not kept.exists():
        track = track_mesh(film.with_suffix(".mp4"))
        names = ("mesh", "time", "confidence", "n_faces", "size", "visible")
        np.savez(kept, **{name: np.asarray(getattr(track, name)) for name in names})
        print(f"{film.stem}: tracked", flush=True)
    with np.load(kept) as file:
        width, height = file["size"].tolist()
        some = (file[name] for name in ("mesh", "time", "confidence", "n_faces"))
        return MeshTrack(*some, (width, height), (), "rendered", file["visible"])


def truth_in(film: Path) -> Truth:
    """Return what is true of a film."""
    with np.load(film) as file:
        names = ("time", "drives", "pose", "neutral", "basis", "triangles", "vertices")
        width, height = file["size"].tolist()
        fov = float(file["vertical_fov"])
        return Truth(**{n: file[n] for n in names}, size=(width, height), vertical_fov=fov)


def seen(condition: Condition, films: dict[str, Path]) -> Seen:
    """Return what is measured in a film of somebody, of whom there are films."""
    track = tracked(films[condition.name])
    clear = films["glasses" if condition.glasses else "plain"]
    told, plain = (
        measure(one, ["expression-local"], geometry.VERTICAL_FOV)["expression-local"]
        for one in (track, replace(track, visible=None))
    )
    sure = np.nan_to_num(track.confidence[:, None] * np.asarray(track.visible))
    covered = np.zeros_like(sure)
    if condition.hand:
        covered = behind(HANDS[condition.hand], clear)
    return Seen(told, plain, truth_of_units(clear), sure, covered)


def truth_of_units(film: Path) -> FloatArray:
    """Return what the units truly are in a film, (T, 32): in all conditions the same."""
    _, neutral, moved = on_skin(film)
    return units.local_units(moved / scale_of(neutral))


@cache
def on_skin(film: Path) -> tuple[Truth, Float32, Float32]:
    """Return the truth, where the mesh's points are on the skin at rest, and how they move."""
    truth = truth_in(film)
    points = points_on(truth, tracked(film).mesh)
    moved = np.tensordot(truth.drives, points.on(truth.basis, truth.triangles), axes=1)
    return truth, points.on(truth.neutral, truth.triangles), moved


def behind(place: tuple[float, float], film: Path) -> FloatArray:
    """Return which share of the places of each region the hand covers, (T, 7)."""
    truth, neutral, moved = on_skin(film)
    places = [
        np.unique(np.concatenate([units.unit_places()[u] for u in np.flatnonzero(chosen)]))
        for chosen in (region == judge.REGIONS for region in REGIONS)
    ]
    found = np.zeros((len(moved), len(REGIONS)))
    middle = np.array(truth.size) / 2
    for frame, (pose, points) in enumerate(zip(truth.pose, neutral + moved, strict=True)):
        mask, _ = hand_at(CAMERA, frame / FPS, place)
        placed = points @ geometry.rotation_matrix(pose[3:]).T + pose[:3]
        at = (placed[:, :2] * CAMERA.focal / placed[:, 2:] + middle).astype(int)
        column, row = np.clip(at, 0, np.array(truth.size) - 1).T
        found[frame] = [mask[row[some], column[some]].mean() for some in places]
    return found


def correlations(found: FloatArray, true: FloatArray) -> FloatArray:
    """Return r of each unit over the frames that are there; NaN where the truth hardly moves."""
    r = np.full(found.shape[1], np.nan)
    for unit, values in enumerate(found.T):
        known = np.isfinite(values)
        if known.sum() >= LEAST_FRAMES:
            r[unit] = judge.correlations(values[known, None], true[known, unit, None])[0]
    return r


# --- the page ------------------------------------------------------------------------------------


def tables(every: dict[str, list[Seen]]) -> list[str]:
    """Return the tables as lines of Markdown, from what is seen by condition."""
    lines = [
        "| | median r of 32 units | worst unit | if nothing were missing | coverage"
        " | confidence where right | where wrong | right, but missing | covered, and missing |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    regions = [
        f"| median r | {' | '.join(REGIONS)} |",
        "|---|" + "---|" * len(REGIONS),
    ]
    for name, films in every.items():
        r, before = (
            _median(np.array([correlations(getattr(film, form), film.true) for film in films]))
            for form in ("found", "plain")
        )
        right = np.concatenate([(film.error() < RIGHT) & (film.covered < 0.05) for film in films])
        wrong = np.concatenate([film.error() >= RIGHT for film in films])
        covered = np.concatenate([film.covered > 0.5 for film in films])
        sure = np.concatenate([film.sure for film in films])
        missing = sure < LEAST_VISIBLE
        there = np.mean([np.isfinite(film.found).mean() for film in films])
        worst = int(np.nanargmin(r))
        cells = (
            f"{np.nanmedian(r):.2f}",
            f"{r[worst]:.2f} (`{judge.NAMES[worst]}`)",
            f"{np.nanmedian(before):.2f}",
            f"{100 * there:.0f} %",
            f"{sure[right].mean():.2f}",
            f"{sure[wrong].mean():.2f}",
            f"{100 * missing[right].mean():.1f} %",
            f"{100 * missing[covered].mean():.0f} %" if covered.any() else "–",
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
        each = [f"{np.nanmedian(r[region == judge.REGIONS]):.2f}" for region in REGIONS]
        regions.append(f"| {name} | {' | '.join(each)} |")
    return [*lines, "", *regions]


def _median(values: FloatArray) -> FloatArray:
    """Return the median over people; NaN for units that nobody moved."""
    known = np.isfinite(values).any(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[known] = np.nanmedian(values[:, known], axis=0)
    return found


def write(lines: list[str]) -> None:
    """Put the tables on the page."""
    put_tables(PAGE, "robustness", lines)


def main() -> None:
    """Film, measure, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="where films and measurements are kept")
    parser.add_argument("--part", type=int, default=1, help="number of the films")
    parser.add_argument("--people", nargs="*", help="only these")
    parser.add_argument("--write", action="store_true", help="into the docs")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    every: dict[str, list[Seen]] = {condition.name: [] for condition in CONDITIONS}
    for person in of("development"):
        if not given.people or person.name in given.people:
            films = filmed(person, given.part, given.folder)
            for condition in CONDITIONS:
                every[condition.name].append(seen(condition, films))
    lines = tables(every)
    print("\n".join(lines))
    if given.write:
        write(lines)


if __name__ == "__main__":
    main()
