"""Rendered videos, their options and the truth beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.errors import InputError, ParameterError
from bitbox.synthetic.movements import MOVEMENTS
from bitbox.synthetic.performance import Bursts, Performance, perform
from bitbox.synthetic.video import (
    FaceTruth,
    Person,
    Scene,
    render_frames,
    render_video,
    stage,
    truth_path,
)
from bitbox.video import Image, probe, read_frames

pytest.importorskip("av")
pytest.importorskip("cv2")
pytest.importorskip("skimage")
pytestmark = pytest.mark.video

SMALL = (320, 180)


def short(n: int = 6, fps: float = 30, **head: Any) -> Performance:
    return perform(np.arange(n) / fps, {"smile": Bursts((0.0,), (1.0,), (1.0,))}, head)


def images(truth: FaceTruth) -> list[Image]:
    return list(render_frames(truth))


def one(scene: Scene, performance: Performance | None = None) -> np.ndarray[Any, Any]:
    return images(stage(performance or short(1), scene))[0].astype(int)


def test_courses_are_functions_of_time() -> None:
    course = Bursts.random(20, seed=4)
    slow, fast = np.arange(0, 20, 1 / 24), np.arange(0, 20, 1 / 60)
    np.testing.assert_allclose(np.interp(slow, fast, course(fast)), course(slow), atol=0.01)
    later = course.imitated(0.4, 0.5)
    np.testing.assert_allclose(later(slow + 0.4), 0.5 * course(slow), atol=1e-12)
    assert course(slow).max() <= 2
    assert Bursts.random(20, seed=4) == course
    assert (Bursts.random(20, seed=4, signed=True)(slow) < 0).any()


def test_performances_add_up_expressions() -> None:
    both = perform(
        [0.0, 1.0], {"smile": [1.0, 0.0], "ul_left_corner_raise": 0.1}, {"yaw": [0.0, 5.0]}
    )
    course = both.drives[:, MOVEMENTS.index("ul_left_corner_raise")]
    np.testing.assert_allclose(course, [1.1, 0.1])
    np.testing.assert_allclose(both.head[:, 0], [0, 5])


@pytest.mark.parametrize(
    ("movements", "head", "sentence"),
    [
        ({"grin": 1.0}, {}, "no movement called 'grin'"),
        ({"smile": [1.0]}, {}, "time course of 'smile'"),
        ({"smile": float("nan")}, {}, "time course of 'smile'"),
        ({}, {"spin": 1.0}, "'spin'"),
    ],
)
def test_wrong_performances(movements: dict[str, Any], head: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        perform([0.0, 0.1, 0.2], movements, head)
    with pytest.raises(ParameterError, match="increase"):
        perform([0.0, 0.0], {})


def test_video_has_the_times_of_the_performance_and_truth_beside(tmp_path: Path) -> None:
    time = 2.5 + np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 12))
    performance = perform(time, {"smile": np.sin(time) ** 2}, {"yaw": 3.0})
    calls: list[tuple[int, int | None]] = []
    path = tmp_path / "a.mp4"
    truth = render_video(
        path,
        performance,
        Scene(size=SMALL),
        progress=lambda _, done, all_: calls.append((done, all_)),
    )
    assert calls == [(k + 1, 12) for k in range(12)]
    times = [f.time for f in read_frames(path)]
    np.testing.assert_allclose(times, time - time[0], atol=2e-5)
    info = probe(path)
    assert (info.width, info.height, info.codec, info.pixel_format) == (*SMALL, "h264", "yuv420p")
    kept = FaceTruth.load(truth_path(path))
    assert truth_path(path).name == "a.truth.json"
    np.testing.assert_allclose(kept.time, time, atol=1e-6)
    np.testing.assert_allclose(kept.movement("ul_left_corner_raise"), np.sin(time) ** 2, atol=1e-6)
    np.testing.assert_allclose(kept.head("yaw"), 3)
    assert kept.scene == truth.scene
    np.testing.assert_allclose(kept.mesh(), truth.mesh(), atol=1e-3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "a.truth.json"]


def test_truth_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"format": "else"}')
    (tmp_path / "b.json").write_text("[]")
    for name in ("a.json", "b.json", "none.json"):
        with pytest.raises(InputError, match="no truth about a video"):
            FaceTruth.load(tmp_path / name)


def test_turned_recording_is_seen_upright(tmp_path: Path) -> None:
    truth = stage(short(2), Scene(size=SMALL))
    for rotation in (0, 90, 180, 270):
        path = tmp_path / f"{rotation}.mp4"
        render_video(path, short(2), Scene(size=SMALL, crf=10), rotation=rotation)
        assert probe(path).rotation == rotation
        frame = next(iter(read_frames(path)))
        difference = np.abs(frame.image.astype(int) - images(truth)[0].astype(int))
        assert difference.mean() < 4


def test_noise_light_and_size() -> None:
    plain = one(Scene(size=SMALL))
    noisy = one(Scene(size=SMALL, noise=10))
    assert 8 < (noisy - plain)[:, :60].std() < 12
    dark = images(stage(short(5), Scene(size=SMALL, light=(1.0, 0.5))))
    assert dark[-1].mean() == pytest.approx(0.5 * dark[0].mean(), rel=0.02)
    truth = stage(short(1), Scene(size=SMALL, eye_distance=20))
    mesh = truth.mesh()[0]
    eyes = [mesh[[33, 133], :2].mean(axis=0), mesh[[263, 362], :2].mean(axis=0)]
    assert np.linalg.norm(eyes[0] - eyes[1]) == pytest.approx(20, rel=0.06)
    frames = images(stage(short(3), Scene(size=SMALL, noise=10)))
    assert (frames[0].astype(int) - frames[1])[:, :60].std() > 10  # new grain in each frame


def test_motion_blur_smears_what_moves_and_shifts_nothing() -> None:
    fast = perform(np.arange(9) / 30, {}, {"x": np.arange(9) * 15.0})
    sharp = images(stage(fast, Scene(size=SMALL)))[4].astype(float)
    blurred = images(stage(fast, Scene(size=SMALL, motion_blur=0.9)))[4].astype(float)
    assert np.abs(np.diff(blurred, axis=1)).mean() < 0.9 * np.abs(np.diff(sharp, axis=1)).mean()
    columns = np.arange(SMALL[0])

    def centre(image: np.ndarray[Any, Any]) -> float:
        wall = images(stage(perform([0.0], {}, {"x": 3000.0}), Scene(size=SMALL)))[0]
        weight = np.abs(image - wall).sum(axis=(0, 2))
        return float((weight * columns).sum() / weight.sum())

    assert centre(blurred) == pytest.approx(centre(sharp), abs=0.5)


def test_hand_passes_before_the_face() -> None:
    truth = stage(short(90, fps=15), Scene(size=SMALL, occluder=True))
    path = truth.occluder()
    nose = truth.mesh()[0, 1, :2]
    assert np.abs(path - nose).sum(axis=1).min() < 15
    assert np.abs(path[:, 0] - nose[0]).max() > 120 * truth.faces()[0].pixels_per_mm
    nearest = int(np.argmin(np.abs(path - nose).sum(axis=1)))
    x, y = path[nearest].astype(int)
    shown = images(truth)[nearest]
    np.testing.assert_allclose(shown[y + 8, x], [214, 160, 130], atol=3)


def test_two_people_cross_and_split_a_screen() -> None:
    time = np.arange(5) / 5
    right = perform(time, {}, {"x": np.linspace(-250, 250, 5)})
    left = perform(time, {}, {"x": np.linspace(250, -250, 5)})
    truth = stage([Person(right), Person(left, (0.5, 0.6), other=True)], Scene(SMALL, 20))
    noses = np.stack([truth.mesh(k)[:, 1, 0] for k in (0, 1)])
    assert noses[0, 0] < noses[1, 0]
    assert noses[0, -1] > noses[1, -1]
    split = stage([Person(short(1)), Person(short(1), other=True)], Scene(SMALL, 20, split=True))
    assert split.mesh(0)[0, 1, 0] < SMALL[0] / 2 < split.mesh(1)[0, 1, 0]
    shown = images(split)[0].astype(int)
    halves = shown[:, : SMALL[0] // 2], shown[:, SMALL[0] // 2 :]
    assert np.abs(halves[0] - halves[1]).mean() > 3
    with pytest.raises(ParameterError, match="same frame times"):
        stage([Person(short(2)), Person(short(3))])
    with pytest.raises(ParameterError, match="somebody"):
        stage([])


def test_same_seed_same_frames() -> None:
    scene = Scene(size=SMALL, noise=5, occluder=True, motion_blur=0.5)
    for a, b in zip(images(stage(short(3), scene)), images(stage(short(3), scene)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "wrong", [{"size": (8, 8)}, {"eye_distance": 0}, {"noise": -1}, {"motion_blur": 2}]
)
def test_scenes_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Scene(**wrong)
