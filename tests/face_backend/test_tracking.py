"""Who is who, decided from boxes and looks alone."""

import numpy as np
import pytest

from bitbox.errors import ParameterError
from bitbox.face_backend.tracking import Detection, FaceTracker, PlannedTracker, look_at
from bitbox.people.identity import choose
from bitbox.video import Picture

RNG = np.random.default_rng(7)


def a_look(seed):
    patch = np.random.default_rng(seed).normal(size=768)
    return patch / np.linalg.norm(patch)


LOOKS = {"ann": a_look(1), "bob": a_look(2), "eve": a_look(3)}


def seen(who, x, *, y=200.0, size=100.0, noise=0.3):
    look = LOOKS[who] + noise * a_look(int(RNG.integers(1 << 30)))
    return Detection(np.array([x, y]), size, 0.0, look / np.linalg.norm(look))


def follow(tracker, frames, dt=1 / 30):
    """Where the chosen one was seen in each frame, or None."""
    where = []
    for number, faces in enumerate(frames):
        mine = tracker.update(number * dt, faces)
        where.append(None if mine is None else float(mine.centre[0]))
    return where


@pytest.mark.parametrize(
    ("face", "x"), [("left", 100), ("right", 500), ("largest", 300), (0, 100), (1, 300), (2, 500)]
)
def test_first_choice(face, x):
    faces = [seen("ann", 300, size=130), seen("bob", 500), seen("eve", 100)]
    assert follow(FaceTracker(face), [faces]) == [x]


def test_a_number_waits_until_there_are_as_many():
    frames = [[seen("ann", 100)], [], [seen("bob", 300), seen("ann", 100)], [seen("bob", 300)]]
    assert follow(FaceTracker(1), frames) == [None, None, 300, 300]


@pytest.mark.parametrize("wrong", ["top", -1, True, 1.5])
def test_an_unknown_choice_is_refused(wrong):
    with pytest.raises(ParameterError, match="'largest', 'left', 'right'"):
        FaceTracker(wrong)


@pytest.mark.parametrize("face", ["left", "right"])
def test_people_who_cross_are_not_swapped(face):
    frames = [[seen("ann", 100 + 6 * i), seen("bob", 580 - 6 * i)] for i in range(80)]
    mine = follow(FaceTracker(face), frames)
    expected = [100 + 6 * i if face == "left" else 580 - 6 * i for i in range(80)]
    assert mine == expected


def test_who_is_hidden_is_lost_and_found_again():
    frames = []
    for i in range(80):
        ann, bob = seen("ann", 100 + 6 * i), seen("bob", 580 - 6 * i)
        frames.append([bob] if 30 <= i < 50 else [ann, bob])
    mine = follow(FaceTracker("left"), frames)
    assert mine[30:50] == [None] * 20
    assert mine[50:] == [100 + 6 * i for i in range(50, 80)]


def test_twins_who_cross_are_told_apart_by_their_way():
    frames = [[seen("ann", 100 + 6 * i), seen("ann", 580 - 6 * i)] for i in range(80)]
    assert follow(FaceTracker("left"), frames) == [100 + 6 * i for i in range(80)]


def test_a_bystander_does_not_take_over():
    frames = [[seen("ann", 100), seen("bob", 400)]] * 5 + [[seen("bob", 400)]] * 300
    mine = follow(FaceTracker("left"), frames)
    assert mine[5:] == [None] * 300


def test_a_stranger_who_comes_later_takes_over_only_in_the_same_place():
    frames = [[seen("ann", 100)]] * 5 + [[]] * 100 + [[seen("eve", 310)]] * 30
    assert follow(FaceTracker("left"), frames)[5:] == [None] * 130
    frames = [[seen("ann", 100)]] * 5 + [[]] * 100 + [[seen("eve", 110)]] * 30
    assert follow(FaceTracker("left"), frames)[105:] == [110.0] * 30


def test_who_is_gone_is_followed_by_the_next():
    frames = [[seen("ann", 100)]] * 5 + [[seen("eve", 500)]] * 130
    mine = follow(FaceTracker(), frames)
    assert mine[5:64] == [None] * 59
    assert mine[64:] == [500.0] * 71


def test_who_was_alone_is_left_for_the_one_who_is_meant():
    frames = [[seen("ann", 100)]] * 5 + [[seen("ann", 100), seen("bob", 400)]] * 5
    assert follow(FaceTracker("right"), frames) == [100.0] * 5 + [400.0] * 5


def test_what_is_no_face_is_left_for_the_next():
    tracker = FaceTracker()
    frames = [[seen("eve", 500, size=300), seen("ann", 100)]] * 5
    assert follow(tracker, frames) == [500.0] * 5
    tracker.refuse()
    assert follow(tracker, frames) == [100.0] * 5
    assert tracker.n_found == 1


def test_a_plan_is_followed():
    tracker = FaceTracker("right")
    frames = [[seen("ann", 100)]] * 40 + [
        [seen("bob", 400 + i), seen("ann", 100)] for i in range(40)
    ]
    follow(tracker, frames)
    plan = PlannedTracker(choose(tracker.links, "right", end=80 / 30))
    mine = follow(plan, frames)
    assert mine == [None] * 40 + [400.0 + i for i in range(40)]
    assert [plan.is_awaited(time) for time in (0.0, 1.2, 1.5)] == [False, False, True]
    assert plan.update(1.5, [seen("ann", 100)]) is None


def test_who_leaves_and_returns_elsewhere_is_recognised():
    frames = [[seen("ann", 100), seen("bob", 400)]] * 5 + [[seen("bob", 400)]] * 90
    frames += [[seen("bob", 400), seen("ann", 600)]] * 5
    assert follow(FaceTracker("left"), frames)[-5:] == [600.0] * 5


def test_who_was_not_recognised_at_first_is_as_soon_as_possible():
    """Turned away on return, then turned to the camera."""
    away = [Detection(np.array([300.0, 200.0]), 100.0, 0.0, a_look(99))]
    frames = [[seen("ann", 100)]] * 5 + [[]] * 40 + [away] * 5 + [[seen("ann", 300)]] * 5
    mine = follow(FaceTracker(), frames)
    assert mine[45:50] == [None] * 5
    assert mine[50:] == [300.0] * 5


def test_after_a_cut_the_same_person_is_taken():
    tracker = FaceTracker("left")
    follow(tracker, [[seen("ann", 100), seen("bob", 400)]] * 5)
    tracker.cut()
    assert tracker.update(1.0, []) is None
    mine = tracker.update(1.1, [seen("bob", 90), seen("ann", 500)])
    assert mine.centre[0] == 500


def test_after_a_cut_to_strangers_the_rule_applies_anew():
    tracker = FaceTracker("right")
    follow(tracker, [[seen("ann", 100)]] * 5)
    tracker.cut()
    mine = tracker.update(1.0, [seen("bob", 90), seen("eve", 500)])
    assert mine.centre[0] == 500


def test_crowding_is_noticed_before_people_meet():
    tracker = FaceTracker("left")
    follow(tracker, [[seen("ann", 100), seen("bob", 600)]] * 3)
    assert not tracker.is_crowded(0.1)
    tracker.update(0.2, [seen("ann", 300), seen("bob", 500)])
    assert tracker.is_crowded(0.2)


def test_a_look_is_the_same_wherever_and_however_large_the_face_is():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (8, 8, 3))
    face = np.kron(coarse, np.ones((10, 10, 1))).astype(np.uint8)
    points = np.array([[24.0, 24.0], [56.0, 24.0], [40.0, 60.0]])
    here = look_at(Picture.of(face), points)
    larger = np.zeros((400, 400, 3), np.uint8)
    larger[100:260, 200:360] = face.repeat(2, axis=0).repeat(2, axis=1)
    there = look_at(Picture.of(larger), points * 2 + [200, 100])
    assert here @ here == pytest.approx(1)
    assert here @ there > 0.95
    assert here @ look_at(Picture.of(larger[::-1]), points * 2 + [200, 140]) < 0.5


def test_an_even_patch_is_no_division_by_zero():
    look = look_at(
        Picture.of(np.full((50, 50, 3), 7, np.uint8)), np.array([[10, 10], [30, 10], [20, 40.0]])
    )
    np.testing.assert_array_equal(look, 0)
