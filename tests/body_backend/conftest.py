"""Films of figures whose joint angles are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.body_backend import space
from bitbox.body_backend.habits import Corrections
from tests.body_models import require_models

FPS = 15.0
SIZE = (240, 320)


def wave(seconds: float = 4.0, delay: float = 0.0) -> list[dict[str, float]]:
    """The left arm is raised sideways and let down, and its elbow bends; all else is still."""
    time = np.arange(round(seconds * FPS)) / FPS - delay
    raised = 70 - 50 * np.cos(2 * np.pi * 0.5 * time)
    bent = 45 - 40 * np.cos(2 * np.pi * 0.75 * time)
    return [
        {
            "left_shoulder_elevation": float(a),
            "left_elbow_flexion": float(b),
            "right_shoulder_elevation": 20.0,
        }
        for a, b in zip(raised, bent, strict=True)
    ]


@pytest.fixture(scope="session")
def waving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody waves for four seconds."""
    require_models()
    from bitbox.synthetic.body import render_body

    return render_body(wave(), tmp_path_factory.mktemp("body") / "wave.mp4", fps=FPS, size=SIZE)


@pytest.fixture(scope="session")
def two_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people side by side; the one on the right of the picture waves."""
    require_models()
    from bitbox.synthetic.body import draw_body
    from bitbox.video import write_video

    size = (400, 320)
    images = []
    for pose in wave(3.0):
        alone = draw_body({}, size, place=(0.25, 0.52))
        images.append(draw_body(pose, size, place=(0.72, 0.52), canvas=alone))
    return write_video(tmp_path_factory.mktemp("two") / "two.mp4", images, FPS)


@pytest.fixture(scope="session")
def no_legs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody of whom only head, shoulders and arms are in the picture."""
    require_models()
    from bitbox.synthetic.body import draw_body
    from bitbox.video import write_video

    images = [draw_body(pose, (320, 240), place=(0.5, 1.02), height=1.5) for pose in wave(1.0)]
    return write_video(tmp_path_factory.mktemp("near") / "near.mp4", images, FPS)


@pytest.fixture
def no_habits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Joints that are measured exactly need nothing put right."""

    def none(joints: np.ndarray, legs: bool) -> Corrections:
        return Corrections(np.zeros(len(joints)), np.zeros((len(joints), 4, 3)))

    monkeypatch.setattr(space, "corrections", none)
