"""What is learnt from drawn people is what was put in, on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from tools import learn_glasses, learn_straight_ahead
from tools.learn_straight_ahead import Head

from bitbox.face_backend import geometry, person


def test_the_tilt_is_learnt_from_the_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    heads = []
    for number in range(80):
        deep = random.normal()  # how deep the eyes lie, which is what tilts these faces
        face = geometry.reference_face() + random.normal(0, 0.1, (468, 3))
        face[[33, 133, 263, 362], 2] += 3 * deep
        heads.append(Head(number, geometry.VERTICAL_FOV, face, 0.05 * deep + 0.02))
    weights = learn_straight_ahead.learn(heads[:60], 0.01)
    monkeypatch.setattr(person, "learnt", lambda _: weights)
    for head in heads[60:]:
        assert person.tilt_of(head.face, head.lens) == pytest.approx(head.wrong, abs=0.01)
        twin = head.face[geometry.mirror_vertices()] * [-1, 1, 1]
        assert person.tilt_of(twin, head.lens) == pytest.approx(head.wrong, abs=0.01)


def test_glasses_are_learnt_though_few_wear_them() -> None:
    random = np.random.default_rng(2)
    worn = np.arange(100) % 5 == 0
    seen = random.normal(0, 1, (100, 300))
    seen[worn, :20] += 1.5
    weights = learn_glasses.learn(seen, worn, 0.1)
    read = seen @ weights[:-1] + weights[-1]
    assert read[worn].min() > 0 > read[~worn].max()
    assert abs(read[worn].mean() + read[~worn].mean()) < 0.2
