"""Angles are what their definitions say, on figures that were put together from them."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.body_backend.angles import ANGLE_NAMES, angles_of, trunk_axes
from bitbox.body_backend.skeleton import JOINTS
from bitbox.synthetic.body import POSE_ANGLES, body_joints


def measured(pose: dict[str, float]) -> dict[str, float]:
    points = np.full((1, 33, 3), np.nan)
    for name, place in body_joints(pose).items():
        if name in JOINTS:
            points[0, JOINTS.index(name)] = place
    return dict(zip(ANGLE_NAMES, np.degrees(angles_of(points)[0]), strict=True))


def some_pose(seed: int) -> dict[str, float]:
    random = np.random.default_rng(seed)
    limits = {
        "elevation": (25, 150),
        "plane": (-30, 120),
        "flexion": (5, 110),
        "abduction": (-20, 40),
    }
    pose = {}
    for name in POSE_ANGLES:
        low, high = limits.get(name.rsplit("_", 1)[1], (-35, 35))
        pose[name] = float(random.uniform(low, high))
    return pose


@pytest.mark.parametrize("seed", range(20))
def test_angles_come_back_from_where_the_joints_are(seed: int) -> None:
    pose = some_pose(seed)
    found = measured(pose)
    for name, value in pose.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def test_the_other_side_has_the_same_signs() -> None:
    pose = some_pose(3)
    swap = {"left": "right", "right": "left"}
    mirror = {}
    for name, value in pose.items():
        side, _, rest = name.partition("_")
        other = f"{swap[side]}_{rest}" if side in swap else name
        mirror[other] = -value if name.endswith(("_bend", "_turn")) else value
    one, other = measured(pose), measured(mirror)
    assert one["left_shoulder_plane"] == pytest.approx(other["right_shoulder_plane"])
    assert one["trunk_turn"] == pytest.approx(-other["trunk_turn"])
    assert one["shoulders_turn"] == pytest.approx(-other["shoulders_turn"])


def test_a_hanging_arm_has_no_plane_and_a_hidden_joint_no_angle() -> None:
    found = measured({"left_shoulder_elevation": 10, "right_shoulder_elevation": 30})
    assert np.isnan(found["left_shoulder_plane"])
    assert found["right_shoulder_plane"] == pytest.approx(0)
    assert np.isnan(found["left_wrist_bend"])  # the figure has no fingers
    assert np.isnan(found["neck_turn"])


def test_axes_are_right_handed_and_face_the_camera() -> None:
    points = np.full((1, 33, 3), np.nan)
    for name, place in body_joints({}).items():
        if name in JOINTS:
            points[0, JOINTS.index(name)] = place
    axes = trunk_axes(points)
    np.testing.assert_allclose(axes.left, [[1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(axes.up, [[0, -1, 0]], atol=1e-12)
    np.testing.assert_allclose(axes.front, [[0, 0, -1]], atol=1e-12)
