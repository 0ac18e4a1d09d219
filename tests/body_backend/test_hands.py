"""Angles of hands: by their definitions, and of rendered people whose fingers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.body_backend import BodyProcessor, hand_tracking
from bitbox.body_backend.hands import FINGERS, HAND_NAMES, MEANINGS, hand_angles
from bitbox.body_backend.skeleton import ELBOWS, JOINTS, WRISTS
from tests.body_models import require_models

FOREARM = np.array([[0.0, -0.25, 0.0]])


def right_hand(
    bent: float = 0.0, spread: float = 0.0, palm: float = 0.0, thumbwards: float = 0.0
) -> np.ndarray:
    """Return the points (1, 21, 3) of a right hand that points up, its palm to the camera.

    Angles in radians: of each joint of the fingers, of index from little finger, of the wrist.
    """
    points = np.zeros((21, 3))
    points[1:5] = [(0.03, -0.02, 0), (0.05, -0.04, 0), (0.07, -0.05, 0), (0.085, -0.055, 0)]
    for finger, across in enumerate((0.02, 0.0, -0.02, -0.04)):
        at = np.array([across, -0.09, 0.0])
        points[5 + 4 * finger] = at
        aside = spread * across / 0.06
        for joint in range(1, 4):
            angle = bent * joint
            step = 0.03 * np.array([0.0, -np.cos(angle), -np.sin(angle)])
            turn = np.array(
                [
                    [np.cos(aside), -np.sin(aside), 0],
                    [np.sin(aside), np.cos(aside), 0],
                    [0, 0, 1],
                ]
            )
            at = at + turn @ step
            points[5 + 4 * finger + joint] = at
    y, z = points[:, 1].copy(), points[:, 2].copy()
    points[:, 1] = y * np.cos(palm) - z * np.sin(palm)
    points[:, 2] = y * np.sin(palm) + z * np.cos(palm)
    x, y = points[:, 0].copy(), points[:, 1].copy()
    points[:, 0] = x * np.cos(thumbwards) - y * np.sin(thumbwards)
    points[:, 1] = x * np.sin(thumbwards) + y * np.cos(thumbwards)
    return points[None]


def measured(points: np.ndarray, side: int = 1, forearm: np.ndarray = FOREARM) -> dict[str, float]:
    return dict(zip(MEANINGS, hand_angles(points, forearm, side)[0], strict=True))


def test_a_flat_hand_in_line_with_its_forearm_is_zero() -> None:
    found = measured(right_hand())
    for name in ("wrist_flexion", "wrist_deviation", "spread"):
        assert found[name] == pytest.approx(0, abs=1e-6)
    assert found["middle_flexion"] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("bent", [0.2, 0.8, 1.5])
def test_fingers_bend_towards_the_palm(bent: float) -> None:
    straight, found = measured(right_hand()), measured(right_hand(bent))
    for finger in FINGERS[1:]:
        change = found[f"{finger}_flexion"] - straight[f"{finger}_flexion"]
        assert change == pytest.approx(3 * bent, abs=0.15)


def test_spread_and_wrist_have_the_sign_that_the_table_gives() -> None:
    assert measured(right_hand(spread=0.6))["spread"] == pytest.approx(0.6, abs=0.05)
    assert measured(right_hand(palm=0.4))["wrist_flexion"] == pytest.approx(0.4, abs=1e-6)
    assert measured(right_hand(thumbwards=0.3))["wrist_deviation"] == pytest.approx(0.3, abs=1e-6)


def test_a_left_hand_is_measured_as_its_mirror_image() -> None:
    points = right_hand(0.5, 0.4, 0.2, 0.1)
    mirror = np.array([-1.0, 1.0, 1.0])
    right = hand_angles(points, FOREARM, 1)
    assert np.allclose(hand_angles(points * mirror, FOREARM * mirror, 0), right)


def test_depth_that_bends_fingers_backward_is_turned_round() -> None:
    points = right_hand(0.7)
    turned = points * [1.0, 1.0, -1.0]
    assert np.allclose(
        hand_angles(turned, FOREARM, 1)[:, :6], hand_angles(points, FOREARM, 1)[:, :6]
    )


def test_spread_is_missing_of_a_fist_and_everything_of_a_hand_not_seen() -> None:
    assert np.isnan(measured(right_hand(1.4))["spread"])
    assert np.isnan(hand_angles(np.full((1, 21, 3), np.nan), FOREARM, 0)).all()
    found = measured(right_hand(), forearm=np.full((1, 3), np.nan))
    assert np.isnan(found["wrist_flexion"])
    assert np.isfinite(found["index_flexion"])


@pytest.fixture(scope="module")
def fists(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A rendered person opens and closes the left hand, its back to the camera."""
    from validation.humans import data

    if not data.is_there():
        pytest.skip("The shapes of people (requirements/humans.txt) are not installed.")
    require_models()
    from validation.humans.people import by_name
    from validation.moving_people import Mover

    from bitbox.video import write_video

    mover, random = Mover(by_name("mara"), (600, 800)), np.random.default_rng(1)
    closed = 85 - 85 * np.cos(2 * np.pi * np.arange(30) / 15)
    shots = []
    for bent in closed:
        pose = {f"left_{finger}_flexion": float(bent) for finger in FINGERS[1:]}
        for side in ("left", "right"):
            pose |= {f"{side}_shoulder_elevation": 50.0, f"{side}_shoulder_plane": 20.0}
            pose |= {f"{side}_elbow_flexion": 40.0, f"{side}_forearm_turn": 90.0}
        shots.append(mover.photograph(mover.posed(pose), 0.0, random)[130:500])
    folder = tmp_path_factory.mktemp("hands")
    return write_video(folder / "fists.mp4", shots, 10.0), closed


@pytest.mark.video
def test_a_rendered_fist_opens_and_closes(fists: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    video, closed = fists
    processor = BodyProcessor()
    processor.io(video, tmp_path)
    hands = processor.detect_hands()
    assert hands.names == HAND_NAMES
    assert (hands.schema, hands.units) == ("openbitbox-hands", "rad")
    for finger in ("index", "middle", "ring"):
        found = hands.values[:, HAND_NAMES.index(f"left_{finger}_flexion")]
        still = hands.values[:, HAND_NAMES.index(f"right_{finger}_flexion")]
        seen = np.isfinite(found)
        assert seen.mean() > 0.8
        assert np.corrcoef(found[seen], closed[seen])[0, 1] > 0.7
        assert np.nanstd(still) < 0.4 * np.nanstd(found)
    flipped = hands.mirrored()
    place = HAND_NAMES.index("right_index_flexion")
    assert np.array_equal(
        flipped.values[:, place], hands.values[:, HAND_NAMES.index("left_index_flexion")], True
    )


@pytest.mark.video
def test_a_hand_is_missing_where_its_arm_is_not_seen(fists: tuple[Path, np.ndarray]) -> None:
    video, closed = fists
    joints = np.full((len(closed), len(JOINTS), 2), np.nan)
    joints[:, [ELBOWS[0], WRISTS[0]]] = [[10.0, 10.0], [30.0, 10.0]]  # where there is no hand
    points, findings = hand_tracking.track_hands(video, joints)
    assert np.isnan(points).all()
    assert [finding.code for finding in findings] == ["hands-hidden"]
    assert "100 and 0 %" in findings[0].message


def test_the_last_bit_of_angles_does_not_depend_on_where_memory_lies() -> None:
    """NumPy takes another way for some strided columns; two runs differed."""
    random = np.random.default_rng(0)
    points, arm = random.normal(size=(300, 21, 3)), random.normal(size=(300, 3))
    first = hand_angles(points, arm, 0).tobytes()
    for _ in range(150):
        kept = [np.empty(size, np.uint8) for size in random.integers(1, 200_000, 10)]
        assert hand_angles(points.copy(), arm.copy(), 0).tobytes() == first
        del kept
