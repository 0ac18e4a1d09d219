"""People and films that several tests look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def heads():
    """Two people: the portrait, and its mirror image in other colours."""
    from skimage import data

    ann = data.astronaut()[0:230, 120:330].astype(float)
    bob = ann[:, ::-1] * [0.85, 0.8, 1.0] + [0, 10, 0]
    return ann, bob


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The portrait, moving to the left, for half a second."""
    from skimage.data import astronaut

    from bitbox.video import write_video

    images = [np.ascontiguousarray(astronaut()[0:240, 100 + i : 420 + i]) for i in range(14)]
    return write_video(tmp_path_factory.mktemp("video") / "a.mp4", images, 25)
