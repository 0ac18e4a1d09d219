"""What is refused before two recordings are compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.errors import InputError
from bitbox.signals import Signals
from bitbox.workflow.recordings import Recording, Role, load_recording
from bitbox.workflow.together import require_two_faces

RNG = np.random.default_rng(0)
FACE = RNG.uniform(-50, 50, (51, 2))


def recording(role: Role, x: NDArray[np.float64], sha: str | None = "a") -> Recording:
    """A face of 100 pixels at places from left to right; NaN where it is lost."""
    points = FACE + np.column_stack([x, np.full(len(x), 200.0)])[:, None]
    names = tuple(f"{axis}{point}" for point in range(51) for axis in "xy")
    landmarks = Signals(
        points.reshape(len(x), -1), np.arange(len(x)) / 30, names,
        kind="landmark", schema="ibug51", units="px", dimension=2, backend="made up",
    )  # fmt: skip
    return Recording(role, Path("call.mp4"), landmarks, landmarks, sha256=sha)


LEFT, RIGHT = np.full(60, 160.0), np.full(60, 480.0)


def test_two_faces_of_one_video_are_fine() -> None:
    require_two_faces(recording("participant", LEFT), recording("model", RIGHT))


def test_the_same_face_of_one_video_is_refused() -> None:
    later = np.where(np.arange(60) < 20, np.nan, LEFT + RNG.normal(0, 1, 60))
    with pytest.raises(InputError, match=r"same face of the same video, call\.mp4") as told:
        require_two_faces(recording("participant", LEFT), recording("model", later))
    assert "40 of the 40 frames" in str(told.value)


def test_people_who_cross_are_two() -> None:
    across = np.linspace(160, 480, 60)
    require_two_faces(recording("participant", across), recording("model", across[::-1]))


def test_faces_in_the_same_place_of_two_videos_are_fine() -> None:
    require_two_faces(recording("participant", LEFT), recording("model", LEFT, sha="b"))
    require_two_faces(recording("participant", LEFT, None), recording("model", LEFT, None))


def test_never_seen_at_once() -> None:
    first, second = LEFT.copy(), LEFT.copy()
    first[:30], second[30:] = np.nan, np.nan
    require_two_faces(recording("participant", first), recording("model", second))


def test_the_same_person_of_one_table_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "dyad.csv"
    rows = [f"{k // 2 + 1},{k % 2},{k // 2 / 30},1,{RNG.uniform():.3f}\n" for k in range(120)]
    file.write_text("frame,face_id,timestamp,success,AU12_r\n" + "".join(rows))
    link = tmp_path / "link.csv"
    link.symlink_to(file)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(file.read_bytes())

    def read(role: Role, path: Path, person: str) -> Recording:
        return load_recording(path, role, stated={"person": person})

    mine = read("participant", file, "0")
    for path in (file, link):
        with pytest.raises(InputError, match=r"same person of the same file, dyad\.csv") as told:
            require_two_faces(mine, read("model", path, "0"))
        assert "60 of the 60 rows" in str(told.value)
    require_two_faces(mine, read("model", file, "1"))
    require_two_faces(mine, read("model", copy, "0"))  # whoever makes a copy means it


def test_the_same_person_of_one_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "pose"
    folder.mkdir()
    for frame in range(30):
        people = [
            {"pose_keypoints_2d": [v for p in range(25) for v in (at + RNG.normal(), 9 * p, 0.9)]}
            for at in (100, 600)
        ]
        text = json.dumps({"people": people})
        (folder / f"call_{frame:012d}_keypoints.json").write_text(text)

    def read(role: Role, person: str) -> Recording:
        return load_recording(folder, role, stated={"person": person, "fps": 30})

    with pytest.raises(InputError, match="same person of the same file, pose"):
        require_two_faces(read("participant", "left"), read("model", "0"))
    require_two_faces(read("participant", "left"), read("model", "right"))


def test_a_spreadsheet_is_no_video(tmp_path: Path) -> None:
    file = tmp_path / "scores.xlsx"
    file.write_bytes(b"PK\x03\x04\x14\x00")
    with pytest.raises(InputError, match=r"spreadsheet.*save it as 'CSV UTF-8'"):
        load_recording(file, "participant")
