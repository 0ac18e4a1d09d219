"""Who is rendered, what they do, and what is said where their shapes are not there."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from validation.humans import data
from validation.humans.people import PEOPLE, SPLITS, drawn, of

from bitbox.errors import BitboxError

# Written down here as well: whoever moves somebody to another side has to do it twice.
SIDES = {
    "calibration": "ada ben chen dora emil fatou gil hana ivan june kei leo",
    "development": "mara noah oba priya quon",
    "test": "rosa sami tess uma vera wole xia",
    "fresh": "yara zeno abel bibi cleo dima eiko",
    "later": "finn gaia hugo ines joon kofi lena",
}


def test_nobody_changes_sides() -> None:
    assert {side: " ".join(person.name for person in of(side)) for side in SPLITS} == SIDES


def test_people_differ() -> None:
    assert len(PEOPLE) >= 18
    assert len({person.seed for person in PEOPLE}) == len(PEOPLE)
    children = [person for person in PEOPLE if 4 <= person.age <= 12]
    assert len(children) >= 6
    assert {person.split for person in children} == set(SPLITS)
    for side in ("calibration", "test", "fresh", "later"):
        assert any(person.glasses for person in of(side))
        assert any(person.beard for person in of(side))
        assert any(person.age > 65 for person in of(side))
        mixes = {max(range(3), key=person.ethnicity.__getitem__) for person in of(side)}
        assert mixes == {0, 1, 2}
    assert any(0 < max(person.ethnicity) < 0.7 for person in PEOPLE)


def test_missing_data_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BitboxError, match="People cannot be rendered") as caught:
        data.folder()
    assert "requirements/humans.txt" in str(caught.value)


def test_the_package_of_the_data_is_never_imported() -> None:
    for path in sorted((data_module := data.Path(data.__file__)).parent.glob("*.py")):
        assert "import anny" not in path.read_text(encoding="utf-8"), path.name
    assert data_module.name == "data.py"


@pytest.mark.skipif(not data.is_there(), reason="the shapes of people are not installed")
class TestShapes:
    def test_the_face_is_where_it_should_be(self) -> None:
        from validation.humans.body import body_of, topology

        for person in (of("calibration")[0], of("calibration")[4]):
            body = body_of(person)
            face = body.places[topology().face]
            assert np.abs(body.eyes.mean(axis=0)).max() < 1e-3
            assert body.eyes[0, 0] > 20  # the subject's left is to the right of the picture
            mouth_opens = body.basis[24, topology().face, 1]
            assert face[mouth_opens.argmax(), 1] > 40  # what goes down is below the eyes
            assert mouth_opens.max() > 15
            assert (body.share[topology().face] > 0.98).all()

    def test_actions_move_one_side(self) -> None:
        from validation.humans.body import ACTIONS, body_of, topology

        body, face = body_of(of("calibration")[1]), topology().face
        for name in ("mouthSmile", "browDown", "eyeBlink", "noseSneer"):
            for side, sign in (("Left", 1), ("Right", -1)):
                moved = np.linalg.norm(body.basis[ACTIONS.index(name + side), face], axis=1)
                most = moved > 0.5 * moved.max()
                assert (sign * body.places[face][most, 0] > -6).all()

    def test_children_have_small_faces(self) -> None:
        from validation.humans.body import body_of

        wide = {p.name: float(np.ptp(body_of(p).eyes[:, 0])) for p in of("calibration")}
        assert wide["emil"] < 0.85 * wide["ada"]


@pytest.mark.skipif(not data.is_there(), reason="the shapes of people are not installed")
class TestPerformance:
    def test_one_at_a_time(self) -> None:
        from validation.humans.performance import REST, TOGETHER, one_at_a_time

        made = one_at_a_time(3)
        assert made.drives[made.time < REST].max() == 0
        assert (made.drives > 0.01).sum(axis=1).max() <= max(map(len, TOGETHER))
        assert (made.drives.max(axis=0) > 0.7).sum() == sum(map(len, TOGETHER))

    def test_all_at_once(self) -> None:
        from validation.humans.performance import REST, all_at_once

        still, turning = all_at_once(4, turning=False), all_at_once(4, turning=True)
        assert still.drives[still.time < REST].max() == 0
        assert 0 <= still.drives.min() <= still.drives.max() <= 1
        assert np.median((still.drives > 0.05).sum(axis=1)) > 8
        assert not still.turns.any()
        assert np.degrees(np.abs(turning.turns).max(axis=0)) == pytest.approx([10, 15, 6], rel=0.2)


def test_people_are_drawn_without_end_and_always_the_same() -> None:
    some = [drawn(number) for number in range(200)]
    assert some == [drawn(number) for number in range(200)]
    assert len({person.seed for person in (*some, *PEOPLE)}) == 200 + len(PEOPLE)
    assert 20 < sum(person.glasses for person in some) < 60
    assert 5 <= min(person.age for person in some) < 12
    assert max(person.age for person in some) > 70
    assert all(person.gender == 0 and person.age > 17 for person in some if person.beard)
    assert {max(range(3), key=person.ethnicity.__getitem__) for person in some} == {0, 1, 2}
