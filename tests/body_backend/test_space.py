"""Depth: a limb keeps its length, and the model's guess is held to that."""

from __future__ import annotations

import numpy as np

from bitbox.body_backend.skeleton import JOINTS
from bitbox.body_backend.space import TRUNK, in_space
from bitbox.synthetic.body import body_joints

PIXELS = 200.0  # a metre


def seen_by_a_model(poses: list[dict[str, float]], push: float) -> tuple[np.ndarray, np.ndarray]:
    """Return rows as the tracker gives them, the wrists pushed to the camera, and the truth."""
    truth = np.full((len(poses), 33, 3), np.nan)
    for row, pose in enumerate(poses):
        for name, place in body_joints(pose).items():
            if name in JOINTS:
                truth[row, JOINTS.index(name)] = place
    rows = np.zeros((len(poses), 33, 7), np.float32)
    rows[..., :2] = truth[..., :2] * PIXELS + 300
    rows[..., 4:7] = truth
    rows[:, [JOINTS.index("left_wrist"), JOINTS.index("right_wrist")], 6] -= push
    rows[..., 3] = np.isfinite(truth[..., 0])
    return rows, truth


def raised(n: int = 60) -> list[dict[str, float]]:
    return [{"left_shoulder_elevation": 2.0 * k, "left_elbow_flexion": 1.5 * k} for k in range(n)]


def test_an_arm_in_the_picture_plane_stays_there_whatever_the_model_says() -> None:
    rows, truth = seen_by_a_model(raised(), push=0.2)
    found = in_space(rows, rows[..., 3] > 0.5, np.arange(60) / 30)
    wrist = JOINTS.index("left_wrist")
    assert np.nanmax(abs(found[:, wrist] - truth[:, wrist])) < 0.01


def test_an_arm_towards_the_camera_keeps_its_depth_and_sign() -> None:
    poses = raised() + [
        {"left_shoulder_elevation": 90, "left_shoulder_plane": 1.5 * k} for k in range(40)
    ]
    rows, truth = seen_by_a_model(poses, push=0.0)
    found = in_space(rows, rows[..., 3] > 0.5, np.arange(100) / 30)
    elbow = JOINTS.index("left_elbow")
    assert np.nanmax(abs(found[60:, elbow] - truth[60:, elbow])) < 0.02
    assert found[-1, elbow, 2] < -0.2


def test_the_size_in_the_picture_drops_out() -> None:
    rows, _ = seen_by_a_model(raised(), push=0.0)
    near = rows.copy()
    near[..., :2] *= np.linspace(1, 2, 60)[:, None, None]  # somebody comes nearer
    time, seen = np.arange(60) / 30, rows[..., 3] > 0.5
    one, other = in_space(rows, seen, time), in_space(near, seen, time)
    shoulder = JOINTS.index("left_shoulder")
    length = np.linalg.norm(one[:, shoulder] - one[:, JOINTS.index("left_hip")], axis=1)
    assert np.ptp(length) < 1e-6
    assert np.nanmax(abs(other - one)[15:-15]) < 0.02
    hips = (one[:, JOINTS.index("left_hip")] + one[:, JOINTS.index("right_hip")]) / 2
    shoulders = (one[:, shoulder] + one[:, JOINTS.index("right_shoulder")]) / 2
    np.testing.assert_allclose(np.linalg.norm(shoulders - hips, axis=1), TRUNK, atol=1e-6)


def test_what_is_never_seen_is_missing_and_disturbs_nothing() -> None:
    rows, _ = seen_by_a_model(raised(), push=0.0)
    seen = rows[..., 3] > 0.5
    seen[:, JOINTS.index("left_knee")] = False
    seen[:, JOINTS.index("right_knee")] = False
    found = in_space(rows, seen, np.arange(60) / 30)
    assert np.isnan(found[:, JOINTS.index("left_knee")]).all()
    assert np.isfinite(found[:, JOINTS.index("left_elbow")]).all()
    nobody = in_space(rows, np.zeros_like(seen), np.arange(60) / 30)
    assert np.isnan(nobody).all()
