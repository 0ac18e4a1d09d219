"""What follows the head is taken out, and nothing else."""

from __future__ import annotations

import numpy as np

from bitbox.face_backend.head_motion import HeadLeak, features, usual_leak

N = 900
TIME = np.arange(N) / 30


def turning(degrees: float) -> np.ndarray:
    """Return a head that turns about all axes, in rhythms of their own."""
    pose = np.zeros((N, 6))
    for column, rhythm in zip((3, 4, 5), (0.21, 0.34, 0.13), strict=True):
        pose[:, column] = np.radians(degrees) * np.sin(2 * np.pi * rhythm * TIME)
    return pose


def test_usual_leak_is_symmetric() -> None:
    mean, spread = usual_leak()
    assert mean.shape == spread.shape == (9, 1404)
    assert (spread >= 0.3 - 1e-6).all()
    # nodding moves the midline (tip of the nose, chin) up or down, not sideways
    assert np.abs(mean[0].reshape(468, 3)[[1, 152], 0]).max() < 0.1


def test_a_leak_is_taken_out() -> None:
    pose = turning(15)
    rng = np.random.default_rng(0)
    coefficients = usual_leak()[0] + 0.5 * rng.normal(size=(9, 1404))
    leak = (features(pose[:, 3:])[:, 1:] @ coefficients).reshape(N, 468, 3)
    left = HeadLeak.estimate(leak, pose, N / 30).remove(leak, pose)
    assert left.std() < 0.1 * leak.std()


def test_expressions_of_a_still_head_stay() -> None:
    pose = turning(1)
    smile = np.zeros((N, 468, 3))
    smile[:, 61, 1] = -5 * (np.sin(2 * np.pi * 0.7 * TIME) > 0.5)
    leak = HeadLeak.estimate(smile, pose, N / 30)
    left = leak.remove(smile, pose)
    assert np.corrcoef(left[:, 61, 1], smile[:, 61, 1])[0, 1] > 0.99


def test_frames_without_a_face_stay_missing() -> None:
    pose, deformation = turning(10), np.zeros((N, 468, 3))
    pose[:50], deformation[:50] = np.nan, np.nan
    left = HeadLeak.estimate(deformation, pose, N / 30).remove(deformation, pose)
    assert np.isnan(left[:50]).all()
    assert np.isfinite(left[50:]).all()
