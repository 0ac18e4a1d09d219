"""What is tried against turning does what it says, on deformations whose cause is known."""

from __future__ import annotations

import numpy as np
import pytest
from validation import turning

from bitbox.face_backend.geometry import N_VERTICES


@pytest.fixture(scope="module")
def pose() -> np.ndarray:
    """A head that turns and nods by up to ten degrees, half a metre away."""
    time = np.arange(200) / 10
    angles = [np.sin(1.1 * time), np.sin(0.7 * time + 1), 0.2 * np.sin(1.9 * time)]
    turns = np.radians(10) * np.column_stack(angles)
    return np.column_stack([np.tile([0.0, 0.0, 500.0], (200, 1)), turns])


def test_what_goes_with_head_pose_is_taken_out_and_nothing_else(pose: np.ndarray) -> None:
    random = np.random.default_rng(2)
    pattern, other = random.normal(0, 1, (2, N_VERTICES, 3))
    course = random.choice([0.0, 1.0], size=200)
    turned = pose[:, 4, None, None] * pattern
    moved = course[:, None, None] * other
    alone = turning.less_pose(0.0, squares=False)(turned, pose)
    assert turning.far(alone).max() < 1e-9
    both = turning.less_pose(0.0, squares=False)(turned + moved, pose)
    true = turning.as_used(moved, pose)
    for unit in range(both.shape[1]):
        assert np.corrcoef(both[:, unit], true[:, unit])[0, 1] > 0.95


def test_units_have_counterparts() -> None:
    twins = turning.twin_units()
    assert [twins[twin] for twin in twins] == list(range(len(turning.NAMES)))
    assert turning.NAMES[twins[turning.NAMES.index("lb_draw_in")]] == "rb_draw_in"
    assert twins[turning.NAMES.index("ll_jaw_drop")] == turning.NAMES.index("ll_jaw_drop")
