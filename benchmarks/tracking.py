"""What other processes do for `benchmarks.faces` and `.bodies`: they find it here."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bitbox.body_backend.tracking import track_body
from bitbox.face_backend.builtin import measure
from bitbox.face_backend.mediapipe import track_mesh
from bitbox.progress import Progress


def tracked(path: Path, progress: Progress | None = None) -> np.ndarray:
    """Track one video."""
    return np.array(track_mesh(path, progress=progress).mesh)


def processed(path: Path, progress: Progress | None = None) -> int:
    """Track and measure one video; return the number of frames."""
    track = track_mesh(path, progress=progress)
    measure(track, ["pose", "landmark", "expression-global", "expression-local"], 63.0)
    return len(track.time)


def followed(path: Path, progress: Progress | None = None) -> np.ndarray:
    """Track the body in one video."""
    return np.array(track_body(path, threshold=0.5, progress=progress).rows)
