"""The body processor on figures whose joint angles are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.body_backend import BodyProcessor
from bitbox.body_backend import tracking as body_tracking
from bitbox.errors import ParameterError, VideoError
from bitbox.signals import Signals
from tests.body_backend.conftest import FPS, SIZE, wave
from tests.body_models import require_models

pytestmark = pytest.mark.video


def processed(video: Path, folder: Path | None = None, **settings: object) -> BodyProcessor:
    processor = BodyProcessor(**settings)  # type: ignore[arg-type]
    processor.io(video, folder)
    return processor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all tests of this file keep what they measured."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def everything(waving: Path, folder: Path) -> dict[str, Signals]:
    names = ("rect", "joints", "joints_can", "angles", "hands", "motion")
    return dict(zip(names, processed(waving, folder).run_all(), strict=True))


def column(signals: Signals, name: str) -> np.ndarray:
    return signals.values[:, signals.names.index(name)]


def test_arms_in_the_picture_plane_are_measured_right(everything: dict[str, Signals]) -> None:
    angles = everything["angles"]
    for name, least in (("left_shoulder_elevation", 0.9), ("left_elbow_flexion", 0.75)):
        truth = np.array([pose[name] for pose in wave()])
        found = np.degrees(column(angles, name))
        assert np.isfinite(found).mean() > 0.9
        ok = np.isfinite(found)
        assert np.corrcoef(truth[ok], found[ok])[0, 1] > 0.95
        assert least < np.polyfit(truth[ok], found[ok], 1)[0] < 1.1
        assert np.median(abs(found - truth)[ok]) < 8
    still = np.degrees(column(angles, "right_shoulder_elevation"))
    assert np.nanstd(still) < 5


def test_nothing_is_late(everything: dict[str, Signals]) -> None:
    found = column(everything["angles"], "left_shoulder_elevation")
    truth = np.array([pose["left_shoulder_elevation"] for pose in wave()])
    lags = range(-3, 4)
    inner = slice(3, len(truth) - 3)
    r = [np.corrcoef(found[inner], np.roll(truth, lag)[inner])[0, 1] for lag in lags]
    assert lags[int(np.argmax(r))] == 0


def test_every_signal_says_what_it_is(everything: dict[str, Signals]) -> None:
    n = len(wave())
    shapes = {name: signals.values.shape for name, signals in everything.items()}
    assert shapes == {
        "rect": (n, 4),
        "joints": (n, 66),
        "joints_can": (n, 99),
        "angles": (n, 24),
        "hands": (n, 16),
        "motion": (n, 10),
    }
    assert [everything[name].kind for name in shapes] == ["rectangle", *["body"] * 5]
    assert len({signals.schema for signals in everything.values()}) == 6
    assert [signals.units for signals in everything.values()] == [
        *("px", "px", "m", "rad", "rad", "share, grey levels")
    ]
    labels, points = everything["joints_can"].components()
    assert labels[0] == "nose"
    assert points.shape == (n, 33, 3)
    assert "complexity 1" in everything["angles"].provenance["source"]["runtime"]
    np.testing.assert_allclose(everything["angles"].time, np.arange(n) / FPS, atol=1e-3)


def test_the_trunks_own_frame_has_hips_in_the_middle(everything: dict[str, Signals]) -> None:
    labels, points = everything["joints_can"].components()
    place = {name: points[:, k] for k, name in enumerate(labels)}
    hips = (place["left_hip"] + place["right_hip"]) / 2
    shoulders = (place["left_shoulder"] + place["right_shoulder"]) / 2
    np.testing.assert_allclose(hips, 0, atol=1e-9)
    np.testing.assert_allclose(shoulders[:, [0, 2]], 0, atol=1e-9)
    assert np.median(-shoulders[:, 1]) == pytest.approx(0.5)
    assert (place["left_shoulder"][:, 0] > 0.05).all()  # to the subject's left


def test_a_closer_camera_changes_pixels_and_not_the_body(
    everything: dict[str, Signals], tmp_path: Path
) -> None:
    from bitbox.synthetic.body import render_body

    poses = wave(1.0)
    large = render_body(poses, tmp_path / "large.mp4", fps=FPS, size=(480, 640))
    joints = processed(large).detect_joints()
    angles = processed(large).fit()[1]
    ratio = np.nanmedian(joints.values / everything["joints"].values[: len(poses)])
    assert ratio == pytest.approx(2, rel=0.05)
    name = "left_shoulder_elevation"
    difference = column(angles, name) - column(everything["angles"], name)[: len(poses)]
    assert np.degrees(np.nanmedian(abs(difference))) < 5


def test_steps_give_what_run_all_gives_without_tracking_again(
    everything: dict[str, Signals], waving: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tracked once more")

    monkeypatch.setattr(body_tracking, "track_body", refuse)
    processor = processed(waving, folder)
    assert processor.detect_bodies() == everything["rect"]
    assert processor.detect_joints() == everything["joints"]
    assert processor.fit() == (everything["joints_can"], everything["angles"])
    assert processor.motion() == everything["motion"]
    again = processed(waving, folder, visibility=0.6)
    assert again.detect_joints().provenance["settings"]["visibility"] == 0.6


def test_files_or_nothing_are_returned_where_that_is_asked_for(waving: Path, folder: Path) -> None:
    paths = processed(waving, folder, return_output="file").fit()
    assert [Signals.from_parquet(path).schema for path in paths] == [
        "openbitbox-joints-can-33",
        "openbitbox-angles",
    ]
    assert processed(waving, folder, return_output=None).detect_joints() is None


def test_what_is_not_in_the_picture_is_missing_and_said(no_legs: Path) -> None:
    processor = processed(no_legs)
    joints = processor.detect_joints()
    assert np.isnan(column(joints, "left_knee_x")).all()
    assert np.isnan(column(joints, "right_ankle_y")).all()
    assert np.isfinite(column(joints, "left_shoulder_x")).all()
    angles = processor.fit()[1]
    assert np.isnan(column(angles, "left_knee_flexion")).all()
    (finding,) = [f for f in processor.findings if f.code == "joints-hidden"]
    assert "left knee" in finding.message
    assert "left shoulder" not in finding.message


def test_fewer_frames_keep_their_true_times(waving: Path) -> None:
    joints = processed(waving, fps=5).detect_joints()
    np.testing.assert_allclose(joints.time, np.arange(20) / 5, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "waves"),
    [
        ({"person": "right"}, True),
        ({"person": "left"}, False),
        ({"person": 1}, True),
        ({"region": (200, 0, 200, 320)}, True),
        ({"region": (0, 0, 200, 320)}, False),
    ],
)
def test_one_of_two_people_is_followed(
    two_people: Path, settings: dict[str, object], waves: bool
) -> None:
    processor = processed(two_people, **settings)
    angles = processor.fit()[1]
    moved = np.degrees(np.nanstd(column(angles, "left_shoulder_elevation")))
    assert (moved > 20) == waves
    joints = processor.detect_joints()
    assert (np.nanmedian(column(joints, "nose_x")) > 200) == waves
    told = "several-people" in {finding.code for finding in processor.findings}
    assert told == ("person" in settings)


def test_nobody_in_the_picture_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    require_models()
    from bitbox.video import write_video

    grey = np.full((160, 160, 3), 120, np.uint8)
    video = write_video(tmp_path / "empty.mp4", [grey] * 8, 15)
    processor = processed(video, tmp_path / "out")
    with pytest.raises(VideoError, match="Nobody is seen in any of the 8 frames"):
        processor.fit()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_person_who_is_not_there_is_an_error(waving: Path) -> None:
    with pytest.raises(VideoError, match="Person number 3"):
        processed(waving, person=3, fps=2).detect_joints()


def test_a_picture_of_a_person_is_noticed(tmp_path: Path) -> None:
    require_models()
    from bitbox.synthetic.body import draw_body
    from bitbox.video import write_video

    poster = draw_body({}, SIZE)
    video = write_video(tmp_path / "poster.mp4", [poster] * 26, 4)
    processor = processed(video)
    processor.detect_joints()
    assert "body-never-moves" in {finding.code for finding in processor.findings}


@pytest.mark.parametrize("complexity", [0, 2, True, "full"])
def test_models_that_would_be_downloaded_are_refused_before(complexity: object) -> None:
    with pytest.raises(ParameterError, match="cannot be used") as caught:
        BodyProcessor(complexity=complexity)  # type: ignore[arg-type]
    assert "download" in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("person", "middle"),
        ("person", -1),
        ("region", (0, 0, 0, 10)),
        ("region", (1, 2, 3)),
        ("region", "left"),
        ("fps", 0.5),
        ("fps", "15"),
        ("visibility", 1.5),
        ("return_output", "list"),
    ],
)
def test_settings_that_make_no_sense_are_refused(setting: str, value: object) -> None:
    with pytest.raises(ParameterError):
        BodyProcessor(**{setting: value})  # type: ignore[arg-type]


def test_a_step_before_io_says_what_to_do() -> None:
    with pytest.raises(ParameterError, match="No video has been chosen"):
        BodyProcessor().fit()
