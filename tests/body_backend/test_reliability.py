"""Angles that one camera cannot tell from where it stands are not tested by default."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from validation import body_accuracy

from bitbox.analysis.matching import RELIABLE
from bitbox.body_backend.angles import ANGLE_NAMES
from bitbox.body_backend.hands import HAND_NAMES
from bitbox.body_backend.reliability import Reliability, angle_reliability, hand_reliability
from bitbox.signals import Signals
from bitbox.social import imitation_quality
from bitbox.synthetic.signals import imitated_pair


def turned(degrees: float) -> np.ndarray:
    angles = np.zeros((20, len(ANGLE_NAMES)))
    angles[:, ANGLE_NAMES.index("shoulders_turn")] = np.radians(degrees)
    angles[3] = np.nan
    return angles


def test_what_is_reliable_depends_on_where_the_camera_stands() -> None:
    front, aside = angle_reliability(turned(-8)), angle_reliability(turned(55))
    assert front.r["trunk_bend"] > 0.9 > 0.8 > aside.r["trunk_bend"]
    assert "trunk_bend" in aside.doubtful
    assert "trunk_bend" not in front.doubtful
    assert "left_shoulder_plane" in front.doubtful
    assert front.r["left_knee_flexion"] == front.r["right_knee_flexion"]
    assert set(front.r) == set(ANGLE_NAMES)
    assert set(front.doubtful) < set(ANGLE_NAMES)


def test_nothing_is_known_of_people_seen_from_behind_or_never() -> None:
    nothing = Reliability({}, ())
    assert angle_reliability(turned(170)) == nothing
    assert angle_reliability(np.full((5, len(ANGLE_NAMES)), np.nan)) == nothing


def test_of_hands_the_spread_and_the_little_finger_are_not_reliable() -> None:
    found = hand_reliability()
    assert set(found) <= set(HAND_NAMES)
    assert found["left_middle_flexion"] > RELIABLE
    assert max(found["left_spread"], found["right_little_flexion"]) < RELIABLE


def test_the_data_are_what_was_measured() -> None:
    table = pd.read_csv(Path(__file__).parents[2] / "docs" / "validation" / "bodies.csv")
    found = body_accuracy.summary(table[table["split"] == body_accuracy.JUDGED])
    known = angle_reliability(turned(0))
    for name, value in known.r.items():
        row = found.loc[(name.removeprefix("left_").removeprefix("right_"), 0)]
        assert abs(row["r"] - value) <= 0.005 + 1e-9
        assert row["reliable"] == (name not in known.doubtful)


def test_unreliable_angles_are_shown_and_not_tested() -> None:
    pair = imitated_pair(len(ANGLE_NAMES), duration=60, seed=1)
    known = angle_reliability(turned(0))

    def as_angles(signals: Signals) -> Signals:
        return signals.replace(
            names=ANGLE_NAMES,
            kind="body",
            schema="openbitbox-angles",
            units="rad",
            provenance={"reliability": known.r, "unreliable": list(known.doubtful)},
        )

    quality = imitation_quality(
        as_angles(pair.participant), as_angles(pair.model), n_surrogates=99, seed=1
    )
    card = quality.scorecard
    assert np.isfinite(card.loc["left_shoulder_plane", "shape"])
    assert np.isnan(card.loc["left_shoulder_plane", "p_fwer"])
    assert np.isfinite(card.loc["left_shoulder_elevation", "p_fwer"])
    assert card["p_fwer"].isna().sum() == len(known.doubtful)
    assert "unreliable-signals" in [finding.code for finding in quality.findings]
    assert quality.difference.unit == "degrees"
