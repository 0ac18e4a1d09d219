"""The script that compares measured angles with the truth, on joints that are measured exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from validation import body_accuracy

from bitbox.body_backend.skeleton import JOINTS
from bitbox.synthetic.body import body_joints


def stored(folder: Path, late: int) -> Path:
    """Keep what a perfect tracker would have measured, some frames late in the view from aside."""
    time = np.arange(80) / 10
    truth = np.full((80, 33, 3), np.nan)
    for k, second in enumerate(time):
        pose = {
            "left_shoulder_elevation": 60 + 40 * np.sin(2.1 * second),
            "left_knee_flexion": 40 + 30 * np.sin(1.3 * second),
            "hips_turn": 20 * np.sin(1.7 * second),
        }
        for name, place in body_joints(pose).items():
            if name in JOINTS:
                truth[k, JOINTS.index(name)] = place
    arrays = {"joints": truth, "time": time}
    for view in body_accuracy.VIEWS:
        seen = body_accuracy.turned(truth, view)
        if view == 60:
            seen = np.roll(seen, late, axis=0)
        rows = np.ones((80, 33, 7), np.float32)
        rows[..., :2] = 80 * seen[..., :2] + 150
        rows[..., 4:7] = seen
        arrays[f"rows_{view:g}"] = rows
        arrays[f"confidence_{view:g}"] = np.ones(80)
    np.savez(folder / "yara.npz", **arrays)
    return folder / "yara.npz"


@pytest.mark.usefixtures("no_habits")
def test_exact_joints_have_no_error_and_lateness_is_told(tmp_path: Path) -> None:
    table = body_accuracy.compare(stored(tmp_path, late=1))
    at = table.set_index(["angle", "view"])
    raised = at.loc["left_shoulder_elevation"]
    assert (raised["r"].loc[:30] > 0.999).all()
    assert raised["slope"][0] == pytest.approx(1, abs=0.02)
    assert raised["error"][0] < 1
    assert raised["late"][0] == pytest.approx(0, abs=0.05)
    assert raised["late"][60] == pytest.approx(1, abs=0.1)
    assert at.loc[("shoulders_turn", 30), "offset"] == pytest.approx(0, abs=1)
    assert "trunk_bend" not in set(table["angle"])  # it did not move
    page = body_accuracy.page(table, before=table)
    assert "| `shoulder_elevation` | 0 | 1.00 |" in page
