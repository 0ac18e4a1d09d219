"""Say how well pose and units are measured on rendered people.

``python -m validation.humans.judge FOLDER --split test`` takes the films that
``python -m validation.humans FOLDER --split test`` made and measured, and prints tables in
Markdown; with ``--write`` it puts them between the marks in ``docs/validation/faces.md`` and writes
the reliability of each unit into ``src/bitbox/face_backend/data/unit_reliability.csv``.

The truth of a unit is what its definition gives on the person's true skin, head pose taken out, at
adult size. What is measured is measured as in a user's recording: with the default lens, or with
``--lens-given`` with the true one. Nothing is fitted here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from validation.humans.people import SPLITS
from validation.humans.performance import REST, TOGETHER
from validation.page import put_tables

from bitbox.face_backend import geometry, units
from bitbox.face_backend.builtin import measure
from bitbox.face_backend.mesh_track import MeshTrack

FloatArray = NDArray[np.float64]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "validation" / "faces.md"
TABLE = ROOT / "src" / "bitbox" / "face_backend" / "data" / "unit_reliability.csv"
NAMES = [unit.name for unit in units.LOCAL_UNITS]
REGIONS = np.array([unit.region for unit in units.LOCAL_UNITS])
#: A unit is judged in films in which its place moves by at least so many millimetres (SD).
MOVES = 0.15


class Recording(NamedTuple):
    """One film: what was measured, and the truth; arrays over frames in which the face is seen."""

    person: str
    performance: str
    lens: float
    time: FloatArray
    found: FloatArray
    true: FloatArray
    pose: FloatArray
    true_pose: FloatArray
    drives: FloatArray
    actions: list[str]


def read(path: Path, lens_given: bool = False) -> Recording:
    """Return a film as the product measures it, beside the truth."""
    with np.load(path, allow_pickle=False) as file:
        size = (int(file["size"][0]), int(file["size"][1]))
        count = np.ones(len(file["time"]), dtype=np.int64)
        track = MeshTrack(
            file["mesh_refined"], file["time"], file["confidence"], count, size, (), "rendered"
        )
        lens = float(file["vertical_fov"]) if lens_given else geometry.VERTICAL_FOV
        told = measure(track, ["expression-local", "pose"], lens)
        seen = np.isfinite(told["expression-local"]).all(axis=1)
        skin = np.tensordot(file["drives"], file["point_basis"], axes=1) / float(file["scale"])
        return Recording(
            str(file["person"]),
            str(file["performance"]),
            float(file["vertical_fov"]),
            file["time"][seen],
            told["expression-local"][seen],
            units.local_units(skin)[seen],
            told["pose"][seen],
            file["pose"][seen],
            file["drives"][seen],
            [str(name) for name in file["action_names"]],
        )


def correlations(found: FloatArray, true: FloatArray) -> FloatArray:
    """Return r of each column; NaN where the truth hardly moves."""
    a, b = found - found.mean(axis=0), true - true.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.asarray(np.where(b.std(axis=0) > MOVES, r, np.nan))


def by_person(
    recordings: Iterable[Recording], measured: Callable[[Recording], FloatArray]
) -> FloatArray:
    """Return the median over each person's films of what is measured, (people, ...)."""
    found: dict[str, list[FloatArray]] = {}
    for recording in recordings:
        found.setdefault(recording.person, []).append(measured(recording))
    return np.array([_median(np.array(rows), 0) for rows in found.values()])


def _median(values: FloatArray, axis: int | None = None) -> FloatArray:
    """Return the median of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    filled = np.where(known.any(axis=axis, keepdims=True), values, 0.0)
    return np.asarray(np.where(known.any(axis=axis), np.nanmedian(filled, axis=axis), np.nan))


# --- one action at a time ----------------------------------------------------------------------


class Alone(NamedTuple):
    """How the units answer to actions made alone; arrays over actions."""

    r: FloatArray
    right: FloatArray
    elsewhere: FloatArray
    size: FloatArray
    extent: FloatArray


def alone(recording: Recording) -> Alone:
    """Judge a film of one action after another; NaN for actions that move no unit by 1 mm."""
    drive = np.array(
        [recording.drives[:, [recording.actions.index(n) for n in names]] for names in _rows()]
    )
    rows = np.full((5, len(drive)), np.nan)
    rest = recording.time < REST
    found = recording.found - np.median(recording.found[rest], axis=0)
    true = recording.true - np.median(recording.true[rest], axis=0)
    for number, course in enumerate(drive.max(axis=2)):
        made = np.flatnonzero(course > 0)
        if not len(made):
            continue
        around = slice(max(made[0] - 2, 0), made[-1] + 3)
        top = course > 0.9 * course.max()
        answer, moved = (np.median(part[top], axis=0) for part in (found, true))
        unit = int(np.abs(moved).argmax())
        if abs(moved[unit]) < 1:
            continue
        # units that are as good as equal in truth may change places
        best = int(np.abs(answer).argmax())
        others = REGIONS[unit] != REGIONS
        fair = np.abs(moved) / abs(moved[unit])
        rows[:, number] = (
            np.corrcoef(found[around, unit], true[around, unit])[0, 1],
            fair[best] > 0.75,
            np.max(np.abs(answer - moved)[others] / abs(answer[unit])),
            answer[unit] / moved[unit],
            abs(moved[unit]),
        )
    return Alone(*rows)


def _rows() -> Iterable[tuple[str, str]]:
    """Return the actions made together, always two (the same twice for one)."""
    return [(names[0], names[-1]) for names in TOGETHER]


# --- the rest ------------------------------------------------------------------------------------


def turned(recording: Recording) -> FloatArray:
    """Return how far each unit moves by turning alone, in millimetres, 95 % of frames."""
    away = np.abs(recording.found - np.median(recording.found, axis=0))
    return np.asarray(np.quantile(away, 0.95, axis=0))


def extents(recording: Recording) -> FloatArray:
    """Return how far each unit truly moves, in millimetres, 95 % of frames."""
    away = np.abs(recording.true - np.median(recording.true, axis=0))
    return np.asarray(np.quantile(away, 0.95, axis=0))


def rest_pitch(recording: Recording) -> float:
    """Return the pitch that is read of a person who looks straight ahead, degrees."""
    rest = recording.time < REST
    wrong = recording.pose[rest, 3] - recording.true_pose[rest, 3]
    return float(np.degrees(np.median(wrong)))


def delay(recording: Recording) -> float:
    """Return by how many frames the units that are measured well follow the truth."""
    r = correlations(recording.found, recording.true)
    found = []
    for unit in np.flatnonzero(np.nan_to_num(r) > 0.8):
        a, b = recording.found[:, unit], recording.true[:, unit]
        shifts = np.arange(-2, 3)
        likeness = [np.corrcoef(a[2 + s : len(a) - 2 + s], b[2:-2])[0, 1] for s in shifts.tolist()]
        top = int(np.clip(np.argmax(likeness), 1, 3))
        before, at, after = likeness[top - 1 : top + 2]
        found.append(shifts[top] + 0.5 * (before - after) / (before - 2 * at + after))
    return float(np.median(found))


def pose_r(recording: Recording) -> FloatArray:
    """Return r of pitch, yaw and roll."""
    return np.array(
        [
            np.corrcoef(recording.pose[:, axis], recording.true_pose[:, axis])[0, 1]
            for axis in (3, 4, 5)
        ]
    )


def pose_size(recording: Recording) -> FloatArray:
    """Return what is read of one degree of pitch, yaw and roll, by least squares."""
    return np.array(
        [
            np.polyfit(recording.true_pose[:, axis], recording.pose[:, axis], 1)[0]
            for axis in (3, 4, 5)
        ]
    )


# --- the page ------------------------------------------------------------------------------------


def mirrored_mean(values: FloatArray) -> FloatArray:
    """Return the mean of each unit and its counterpart on the other side."""
    swap = {"lb": "rb", "rb": "lb", "le": "re", "re": "le", "left": "right", "right": "left"}
    twin = [
        NAMES.index("_".join(swap.get(word, word) for word in name.split("_"))) for name in NAMES
    ]
    return np.asarray((values + values[twin]) / 2)


def judged(films: list[Recording]) -> tuple[list[str], FloatArray]:
    """Return the tables as lines of Markdown, and the reliability of each unit."""

    def of(*names: str) -> list[Recording]:
        return [film for film in films if film.performance in names]

    if not of("turning"):
        raise SystemExit("There are no films called turning.")
    still, turning = (
        by_person(of(name), lambda film: correlations(film.found, film.true))
        if of(name)
        else np.full((1, len(NAMES)), np.nan)
        for name in ("still", "turning")
    )
    head = np.full(len(NAMES), np.nan)
    if of("head"):
        full = _median(by_person(of("still", "turning"), extents), 0)
        head = _median(by_person(of("head"), turned), 0) / full
    rows = [
        *(_single(of("single")) if of("single") else []),
        ("all at once, head still: r ≥ 0.85, no unit under 0.7", _spread(still, 0.7)),
        ("all at once, head turning: r ≥ 0.8, no unit under 0.6", _spread(turning, 0.6)),
        (
            "turning alone moves a unit by ≤ 0.2 of its full movement",
            f"median {np.median(head):.2f}; {int((head <= 0.2).sum())} of {len(head)} units"
            if of("head")
            else "not filmed",
        ),
        *_pose(films, of("turning", "head")),
    ]
    late = np.array([delay(film) for film in of("still", "turning")])
    rows.append(
        (
            "latency within half a frame",
            f"median {np.median(late):+.2f}, at most {np.abs(late).max():.2f} frames",
        )
    )
    lines = [
        "| aim | reached |",
        "|---|---|",
        *(f"| {aim} | {reached} |" for aim, reached in rows),
        "",
        "| unit | r, head still | worst person | r, head turning | worst person | turning alone |",
        "|---|---|---|---|---|---|",
    ]
    for number, name in enumerate(NAMES):
        cells = [
            value
            for values in (still, turning)
            for value in (_median(values, 0)[number], _least(values[:, number]))
        ]
        shown = [f"{v:.2f}" if np.isfinite(v) else "–" for v in (*cells, head[number])]
        lines.append(f"| `{name}` | {' | '.join(shown)} |")
    return lines, mirrored_mean(_median(turning, 0))


def _single(films: list[Recording]) -> list[tuple[str, str]]:
    """Return the rows about actions made alone."""
    each = by_person(films, lambda film: np.array(alone(film)))
    r, right, elsewhere, size, extent = (each[:, row] for row in range(5))
    largest = np.argsort(np.nan_to_num(_median(extent, 0)))[::-1][:12]
    sizes = _median(size, 0)[largest]
    return [
        (
            "one action at a time: r of the unit that moves most ≥ 0.95",
            f"median {_median(r):.2f}; {_share(r >= 0.95, r)} of cells",
        ),
        ("the right unit answers most in ≥ 95 %", _share(right > 0, right)),
        (
            "wrong answer of a unit in another region ≤ 0.3 of the right one",
            f"median {_median(elsewhere):.2f}; {_share(elsewhere <= 0.3, elsewhere)} of cells",
        ),
        (
            "size of the 12 largest actions reads 0.75 to 1.33 of the skin's",
            f"{int(((sizes >= 0.75) & (sizes <= 1.33)).sum())} of {len(sizes)}"
            f" ({sizes.min():.2f} to {sizes.max():.2f})",
        ),
    ]


def _pose(films: list[Recording], turning: list[Recording]) -> list[tuple[str, str]]:
    """Return the rows about head pose."""
    pitch = {
        lens: [rest_pitch(film) for film in films if film.lens == lens]
        for lens in sorted({film.lens for film in films})
    }
    pose = _median(by_person(turning, pose_r), 0)
    sizes = {
        lens: np.median([pose_size(film) for film in turning if film.lens == lens], axis=0)
        for lens in sorted({film.lens for film in turning})
    }
    return [
        *(
            (
                f"pitch of people who look straight ahead within 5°, lens of {lens:g}°",
                f"{min(values):+.1f}° to {max(values):+.1f}°,"
                f" {sum(abs(v) <= 5 for v in values)} of {len(values)} films",
            )
            for lens, values in pitch.items()
        ),
        ("r of pitch, yaw, roll ≥ 0.95", ", ".join(f"{value:.2f}" for value in pose)),
        *(
            (
                f"of a degree of pitch, yaw, roll is read, lens of {lens:g}°",
                ", ".join(f"{value:.2f}" for value in size),
            )
            for lens, size in sizes.items()
        ),
    ]


def _least(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.min()) if len(known) else float("nan")


def _share(reached: NDArray[np.bool_], known: FloatArray) -> str:
    """Return a share of what is known in percent."""
    there = np.isfinite(known)
    return f"{100 * reached[there].mean():.0f} %"


def _spread(values: FloatArray, least: float) -> str:
    """Return the median of the units' medians, the least, and which are too low."""
    if not np.isfinite(values).any():
        return "not filmed"
    each = _median(values, 0)
    low = [f"`{name}`" for name, r in zip(NAMES, each, strict=True) if r < least]
    under = ", ".join(low) or "none"
    return f"median {np.nanmedian(each):.2f}, least {np.nanmin(each):.2f}; under: {under}"


def write(lines: list[str], reliability: FloatArray) -> None:
    """Put the tables on the page, and the reliability among the data."""
    put_tables(PAGE, "people", lines)
    rows = [f"{name},{r:.2f}" for name, r in zip(NAMES, reliability, strict=True)]
    TABLE.write_text("\n".join(["unit,r", *rows, ""]), encoding="utf-8")


def main() -> None:
    """Judge a split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where films and measurements are kept")
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--lens-given", action="store_true", help="measure with the true lens")
    parser.add_argument("--write", action="store_true", help="into docs and data")
    given = parser.parse_args()
    if given.write and given.lens_given:
        parser.error(
            "The page shows what the default lens gives: leave --lens-given or --write out."
        )
    films = [
        read(path, given.lens_given) for path in sorted((given.folder / given.split).glob("*.npz"))
    ]
    lines, reliability = judged(films)
    people = len({film.person for film in films})
    lines = [f"Measured on the {people} {given.split} people, in {len(films)} films.", "", *lines]
    print("\n".join(lines))
    if given.write:
        write(lines, reliability)


if __name__ == "__main__":
    main()
