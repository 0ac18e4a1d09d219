"""What is measured in a video that was flipped in fact is what mirroring makes of the other."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.signals import Signals
from bitbox.synthetic.performance import Bursts, perform
from bitbox.synthetic.video import Scene, render_video

pytest.importorskip("av")
pytest.importorskip("cv2")
pytest.importorskip("mediapipe")
pytestmark = pytest.mark.video

#: What moves on one side only, or to one side.
MOVED = ("le_upper_lid_lower", "ul_right_corner_raise")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Signals, Signals]]:
    """Signals of a video and of its mirror image, by output."""
    from bitbox.face_backend import FaceProcessor
    from bitbox.video import read_frames, write_video

    folder = tmp_path_factory.mktemp("flipped")
    time = np.arange(100) / 25
    drives = {
        MOVED[0]: Bursts((0.2, 2.2), (0.9, 0.9), (1.0, 0.8)),
        MOVED[1]: Bursts((1.2, 3.0), (0.9, 0.9), (0.8, 1.0)),
    }
    head = {"yaw": Bursts((0.4,), (2.0,), (9.0,)), "roll": Bursts((1.8,), (1.6,), (6.0,))}
    scene = Scene(size=(640, 480), eye_distance=104, vertical_fov=24)
    render_video(folder / "a.mp4", perform(time, drives, head), scene)
    with read_frames(folder / "a.mp4") as frames:
        images = [np.ascontiguousarray(frame.image[:, ::-1]) for frame in frames]
    write_video(folder / "b.mp4", images, 25)
    found: list[tuple[Signals, ...]] = []
    for name in ("a.mp4", "b.mp4"):
        processor = FaceProcessor()
        processor.io(folder / name)
        found.append(processor.run_all(normalize=False))
    outputs = ("rectangle", "landmark", "global", "pose", "landmark-can", "local")
    return dict(zip(outputs, zip(*found, strict=True), strict=True))


def alike(one: Signals, other: Signals, name: str) -> float:
    pair = np.column_stack([s.values[:, s.names.index(name)] for s in (one, other)])
    return float(np.corrcoef(pair[np.isfinite(pair).all(axis=1)].T)[0, 1])


def test_units_change_sides(measured) -> None:
    straight, flipped = measured["local"]
    for name in MOVED:
        other = {"le_upper_lid_lower": "re_upper_lid_lower"}.get(name)
        other = other or name.replace("right", "left")
        assert alike(straight.mirrored(), flipped, other) > 0.95
        assert alike(straight, flipped, other) < 0.9
        assert alike(straight, flipped.mirrored(), name) > 0.95


def test_the_head_turns_the_other_way(measured) -> None:
    straight, flipped = measured["pose"]
    for name in ("Ry", "Rz", "Tx"):
        assert alike(straight, flipped, name) < -0.9
        assert alike(straight.mirrored(), flipped, name) > 0.9
    turned = straight.mirrored().select(["Ry", "Rz"]).values - flipped.select(["Ry", "Rz"]).values
    assert np.nanmax(np.abs(turned)) < np.radians(4)


def test_landmarks_are_where_the_flipped_picture_has_them(measured) -> None:
    straight, flipped = measured["landmark"]
    away = straight.mirrored().values - flipped.values
    assert np.abs(np.nanmean(away)) < 0.5
    assert np.nanquantile(np.abs(away), 0.95) < 3  # pixels; the picture is 640 wide
    box, other = measured["rectangle"]
    wrong = np.nanmax(np.abs(np.nanmean(box.mirrored().values - other.values, axis=0)))
    assert wrong < 6  # pixels: one in a hundred of the width


def test_global_units_and_the_canonical_face_are_mirrored(measured) -> None:
    for which in ("global", "landmark-can"):
        straight, flipped = measured[which]
        size = np.nanstd(flipped.values, axis=0)
        lively = [
            name for name, s in zip(flipped.names, size, strict=True) if s > np.sort(size)[-8]
        ]
        after = [alike(straight.mirrored(), flipped, name) for name in lively]
        before = [alike(straight, flipped, name) for name in lively]
        assert np.median(after) > 0.9
        assert np.median(after) > np.median(before)
