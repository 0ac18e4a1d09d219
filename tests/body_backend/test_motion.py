"""Motion energy on films in which it is known what moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.body_backend import BodyProcessor
from bitbox.body_backend.motion import _Noise, body_masks, measure_motion
from bitbox.body_backend.runtime import Parts
from bitbox.errors import ParameterError, VideoError
from bitbox.video import write_video

pytestmark = pytest.mark.video


def film(folder: Path, noise: float, name: str = "film.mp4", frames: int = 24) -> Path:
    """A square of 20 x 20 pixels jumps from frame to frame by its width, in every second frame."""
    random = np.random.default_rng(3)
    images = []
    for k in range(frames):
        image = np.full((120, 160, 3), 90.0)
        left = 20 + 20 * ((k // 2) % 2)
        image[20:40, left : left + 20] = 200
        images.append(np.clip(image + random.normal(0, noise, image.shape), 0, 255).astype("u1"))
    return write_video(folder / name, images, 25, crf=1)


def test_the_share_of_what_changes_is_known(tmp_path: Path) -> None:
    found = measure_motion(film(tmp_path, 0), {"above": (0, 0, 160, 60), "below": (0, 70, 160, 50)})
    assert found.parts == ("whole", "above", "below")
    assert np.isnan(found.values[0]).all()
    jumps, rests = found.values[2::2], found.values[1::2]
    np.testing.assert_allclose(jumps[:, 0], 800 / (160 * 120), rtol=0.1)
    np.testing.assert_allclose(jumps[:, 2], 800 / (160 * 60), rtol=0.1)
    np.testing.assert_allclose(jumps[:, 1], 110 * 800 / (160 * 120), rtol=0.1)
    assert (rests == 0).all()
    assert (found.values[1:, 4:] == 0).all()


@pytest.mark.parametrize("noise", [2.0, 6.0])
def test_noise_is_not_motion(tmp_path: Path, noise: float) -> None:
    """A fixed threshold took the noise of a dark room for movement."""
    found = measure_motion(film(tmp_path, noise), {})
    assert found.threshold > 2 * noise  # a difference of two has 1.4 times the noise
    assert found.values[1::2, 0].max() < 0.005
    np.testing.assert_allclose(found.values[2::2, 0], 800 / (160 * 120), rtol=0.25)


def test_a_moving_camera_is_said(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = [random.integers(0, 255, (120, 160, 3)).astype("u1") for _ in range(6)]
    found = measure_motion(write_video(tmp_path / "moves.mp4", images, 25), {})
    assert "nothing-still" in {finding.code for finding in found.findings}


def test_noise_is_measured_where_least_happens() -> None:
    random = np.random.default_rng(1)
    noise = _Noise((160, 160))
    for _ in range(20):
        change = abs(random.normal(0, 2, (160, 160))).astype(np.int16)
        change[:, 60:] = 50  # most of the picture moves
        noise.see(change)
    assert 4 <= noise.threshold() <= 9


def test_whole_and_rectangles_need_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("tracked a body")

    monkeypatch.setattr("bitbox.body_backend.runtime.BodyRuntime.track", refuse)
    processor = BodyProcessor()
    processor.io(film(tmp_path, 1), tmp_path / "out")
    whole = processor.motion("whole")
    assert whole.schema == "openbitbox-motion"
    assert whole.provenance["source"]["noise threshold"] >= 2
    drawn = processor.motion({"me": (0, 0, 80, 120), "you": (80, 0, 80, 120)})
    assert drawn.names == ("me_share", "me_change", "you_share", "you_change")
    assert np.nanmax(drawn.values[:, 2]) < 0.01 < np.nanmax(drawn.values[:, 0])


def test_the_arm_that_moves_is_where_motion_is(waving: Path) -> None:
    processor = BodyProcessor()
    processor.io(waving)
    motion = processor.motion()
    mean = dict(zip(motion.names, np.nanmean(motion.values, axis=0), strict=True))
    assert mean["arms_share"] > 5 * mean["legs_share"]
    assert mean["arms_share"] > 3 * mean["trunk_share"]
    assert mean["arms_share"] > 5 * mean["head_share"]
    speed = abs(np.gradient(_raised()))
    arms = motion.values[:, motion.names.index("arms_share")]
    seen = np.isfinite(arms)
    assert seen.mean() > 0.9
    assert np.corrcoef(arms[seen], speed[seen])[0, 1] > 0.5


def _raised() -> list[float]:
    from tests.body_backend.conftest import wave

    return [pose["left_shoulder_elevation"] for pose in wave()]


def test_a_part_that_is_not_seen_is_missing() -> None:
    joints = np.full((2, 33, 2), 50.0)
    joints += np.random.default_rng(0).normal(0, 10, joints.shape)
    joints[1, 25] = np.nan  # a knee
    masks = body_masks(joints, (100, 100))
    first, second = masks(0, (100, 100)), masks(1, (100, 100))
    assert all(mask is not None and mask.any() for mask in first.values())
    assert second["legs"] is None
    assert second["arms"] is not None


def test_a_single_frame_does_not_move(tmp_path: Path) -> None:
    video = write_video(tmp_path / "one.mp4", [np.zeros((40, 40, 3), "u1")], 25)
    with pytest.raises(VideoError, match="single frame"):
        measure_motion(video, {})


@pytest.mark.parametrize(
    "regions",
    [(), "face", ("whole", "whole"), {"me": (0, 0, 1)}, {"me": "abcd"}, {"": (0, 0, 1, 1)}, {}],
)
def test_regions_that_cannot_be_understood_are_refused(regions: object) -> None:
    with pytest.raises(ParameterError):
        Parts.of(regions)  # type: ignore[arg-type]


def test_a_rectangle_beside_the_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="not in the picture"):
        measure_motion(film(tmp_path, 0), {"off": (300, 0, 50, 50)})
