"""Who is who, and whom a recording is about, on made-up sequences of what is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.people.identity import Choice, choose
from bitbox.people.stretches import BODY, FACE, Linker, Stretch

FPS = 30
FloatArray = NDArray[np.float64]


def a_look(seed: int) -> FloatArray:
    patch = np.random.default_rng(seed).normal(size=768)
    return np.asarray(patch / np.linalg.norm(patch))


#: Faces are alike: these correlate by a half with each other, as strangers' faces may do.
COMMON = a_look(0)
LOOKS = {name: (COMMON + a_look(seed)) / np.sqrt(2) for seed, name in enumerate("LRSE", 1)}


@dataclass(frozen=True)
class Seen:
    who: str
    points: FloatArray
    size: float
    look: FloatArray | None


def face(who: str, x: float, size: float = 100.0, y: float = 200.0) -> Seen:
    return Seen(who, np.array([[x, y]]), size, LOOKS[who])


def body(who: str, x: float, size: float = 100.0) -> Seen:
    points = np.column_stack([np.full(5, x), np.linspace(0, size, 5)])
    return Seen(who, points, size, None)


#: Two tiles of a video call.
L, R = face("L", 160), face("R", 480)
BODY_L, BODY_R = body("L", 100), body("R", 150)


def seconds(length: float, *seen: Seen) -> list[list[Seen]]:
    return [list(seen)] * round(length * FPS)


def follow(
    frames: list[list[Seen]], which: str | int, cuts: tuple[float, ...] = (), pace=FACE
) -> tuple[str, Choice]:
    """Return whom the choice follows in each frame, a letter or '.', and the choice."""
    linker = Linker(pace)
    owners: list[dict[Stretch, str]] = []
    for number, found in enumerate(frames):
        if any(round(cut * FPS) == number for cut in cuts):
            linker.cut()
        whose = linker.see(number / FPS, found)
        owners.append({s: seen.who for s, seen in zip(whose, found, strict=True)})
    choice = choose(linker, which, end=(len(frames) - 1) / FPS)
    mine = [choice.at(number / FPS) for number in range(len(frames))]
    letters = [
        "." if s is None else there.get(s, ".") for s, there in zip(mine, owners, strict=True)
    ]
    return "".join(letters), choice


def codes(choice: Choice) -> set[str]:
    return {finding.code for finding in choice.findings}


def runs(letters: str) -> list[tuple[str, int]]:
    """Return each letter that stands for a while, and for how many frames."""
    out: list[tuple[str, int]] = []
    for letter in letters:
        if out and out[-1][0] == letter:
            out[-1] = (letter, out[-1][1] + 1)
        else:
            out.append((letter, 1))
    return out


@pytest.mark.parametrize("which", ["left", "largest", 0])
def test_the_only_other_body_is_not_followed(which: str | int) -> None:
    """The tracked one of two is missed for three frames, as OpenPose does."""
    tall = body("L", 100, 110)
    frames = seconds(1, tall, BODY_R) + [[BODY_R]] * 3 + seconds(1, BODY_R, tall)
    letters, choice = follow(frames, which, pace=BODY)
    assert runs(letters) == [("L", 30), (".", 3), ("L", 30)]
    (finding,) = choice.findings
    assert finding.code == "only-others"
    assert "In 3 frames, first at 1.00 s" in finding.message


def test_whoever_is_seen_for_the_first_time_where_another_was_is_too_far_away() -> None:
    """The other one was never seen before, so only the distance tells."""
    frames = seconds(1, BODY_L) + [[BODY_R]] * 5 + seconds(1, BODY_L, BODY_R)
    letters, _ = follow(frames, "left", pace=BODY)
    assert runs(letters) == [("L", 30), (".", 5), ("L", 30)]


def test_a_body_of_which_half_is_hidden_is_the_same() -> None:
    whole = body("L", 100)
    half = Seen("L", np.where(np.arange(5)[:, None] < 3, whole.points, np.nan), 50, None)
    letters, _ = follow(seconds(1, whole) + seconds(1, half) + seconds(1, whole), "largest",
                        pace=BODY)  # fmt: skip
    assert letters == "L" * 90


@pytest.mark.parametrize("cuts", [(), (2.0, 3.7)])
@pytest.mark.parametrize(("which", "expected"), [("left", "L"), ("right", "R")])
def test_a_tile_that_goes_dark(which: str, expected: str, cuts: tuple[float, ...]) -> None:
    """The left tile is dark for 1.7 s, which may be taken for two cuts."""
    frames = seconds(2, L, R) + seconds(1.7, R) + seconds(2, L, R)
    letters, choice = follow(frames, which, cuts)
    if expected == "L":
        assert runs(letters) == [("L", 60), (".", 51), ("L", 60)]
        assert codes(choice) == {"only-others"}
    else:
        assert letters == "R" * 171
        assert codes(choice) == set()


@pytest.mark.parametrize("cuts", [(), (2.0,)])
@pytest.mark.parametrize(("which", "other"), [("right", L), ("left", R)])
def test_a_tile_that_is_empty_at_first(which: str, other: Seen, cuts: tuple[float, ...]) -> None:
    frames = seconds(2, other) + seconds(3, L, R)
    letters, choice = follow(frames, which, cuts)
    mine = which[0].upper()
    assert runs(letters) == [(".", 60), (mine, 90)]
    assert codes(choice) == {"chosen-later"}
    assert "Until 2.00 s" in choice.findings[0].message


def test_a_tile_that_is_dark_for_long_is_not_replaced_by_the_other() -> None:
    for which in ("left", "largest"):
        frames = seconds(2, face("L", 160, 120), R) + seconds(10, R) + seconds(2, L, R)
        letters, choice = follow(frames, which)
        assert runs(letters) == [("L", 60), (".", 300), ("L", 60)]
        assert "another-person" not in codes(choice)


def test_both_away_and_only_the_other_comes_back() -> None:
    frames = seconds(2, L, R) + seconds(3) + seconds(4, R)
    for which in ("left", 0):
        letters, _ = follow(frames, which)
        assert runs(letters) == [("L", 60), (".", 210)]


def test_bodies_away_and_only_the_other_comes_back() -> None:
    frames = seconds(2, body("L", 100, 120), BODY_R) + seconds(3) + seconds(4, BODY_R)
    letters, _ = follow(frames, "largest", pace=BODY)
    assert runs(letters) == [("L", 60), (".", 210)]


def test_never_seen_beside_each_other_place_decides() -> None:
    frames = seconds(2, L) + seconds(3, R)
    assert runs(follow(frames, "right")[0]) == [(".", 60), ("R", 90)]
    assert runs(follow(frames, "left")[0]) == [("L", 60), (".", 90)]


def test_somebody_alone_is_left_and_right_and_largest() -> None:
    for which in ("left", "right", "largest", 0):
        letters, choice = follow(seconds(2, L), which)
        assert letters == "L" * 60
        assert choice.findings == ()


@pytest.mark.parametrize("cuts", [(), (1.5,)])
def test_the_next_who_stays_is_followed(cuts: tuple[float, ...]) -> None:
    """Somebody is seen at first; then a singer fills the picture for 129 frames."""
    singer = face("S", 320, 250)
    frames = seconds(1.5, face("E", 100)) + [[singer]] * 129
    letters, choice = follow(frames, "largest", cuts)
    assert runs(letters) == [("E", 45), ("S", 129)]
    (finding,) = choice.findings
    assert finding.code == "another-person"
    assert "from 1.50 s on" in finding.message


def test_who_is_seen_for_a_moment_at_first_is_not_chosen() -> None:
    letters, choice = follow([[face("E", 100)]] * 3 + seconds(4, face("S", 320)), "largest")
    assert runs(letters) == [(".", 3), ("S", 120)]
    assert choice.findings == ()


def test_a_passer_by_is_not_the_next() -> None:
    frames = seconds(3, L) + seconds(2.5) + seconds(0.5, face("E", 400)) + seconds(2.5)
    letters, choice = follow(frames + seconds(2, L), "largest")
    assert runs(letters) == [("L", 90), (".", 165 + 0), ("L", 60)]
    assert codes(choice) == {"only-others"}


def test_with_left_only_the_one_in_the_same_place_comes_next() -> None:
    gone = seconds(2, L, R) + seconds(3, R)
    letters, choice = follow(gone + seconds(2, face("E", 170), R), "left")
    assert runs(letters) == [("L", 60), (".", 90), ("E", 60)]
    assert codes(choice) == {"another-person", "only-others"}
    letters, _ = follow(gone + seconds(2, face("E", 330), R), "left")
    assert runs(letters) == [("L", 60), (".", 150)]


def test_who_comes_back_elsewhere_is_recognised_after_all() -> None:
    frames = seconds(2, L, R) + seconds(3, R) + seconds(2, R, face("L", 800))
    letters, _ = follow(frames, "left")
    assert runs(letters) == [("L", 60), (".", 90), ("L", 60)]


def test_hindsight_undoes_a_confusion() -> None:
    """One comes from where the other was lost; then the other is back."""
    frames = seconds(2, L) + seconds(2.5) + seconds(2, face("R", 180)) + seconds(2.5)
    frames += seconds(2, face("L", 165), R)
    letters, choice = follow(frames, "left")
    assert letters[:60] == "L" * 60
    assert "R" not in letters
    assert letters[-60:] == "L" * 60
    assert "only-others" in codes(choice)


def test_people_who_cross_are_not_swapped_by_side() -> None:
    frames = [[face("L", 100 + 6 * i), face("R", 580 - 6 * i)] for i in range(80)]
    assert follow(frames, "left")[0] == "L" * 80
    assert follow(frames, "right")[0] == "R" * 80


def test_a_number_waits_until_there_are_as_many() -> None:
    frames = seconds(1, L) + seconds(2, L, R) + seconds(1.2, L, R, face("E", 330))
    letters, choice = follow(frames, 2)
    assert runs(letters) == [(".", 30), ("R", 96)]
    assert codes(choice) == {"chosen-later"}
    assert follow(frames, 3)[0] == "." * 126


def test_after_a_cut_only_who_stays_in_place_is_the_same() -> None:
    """Two people change places at a cut; looks tell."""
    frames = seconds(2, L, R) + seconds(2, face("R", 160), face("L", 480))
    assert follow(frames, "left", cuts=(2.0,))[0] == "L" * 120


def test_nobody() -> None:
    letters, choice = follow(seconds(1), "largest")
    assert letters == "." * 30
    assert choice == Choice()


def test_what_turned_out_to_be_nobody_is_not_chosen() -> None:
    linker = Linker(FACE)
    for number in range(30):
        (lettering, _) = linker.see(number / FPS, [face("E", 100, 300), L])
        lettering.refused = True
    choice = choose(linker, "largest", end=1.0)
    assert [span.stretch.number for span in choice.spans] == [1]
    assert choice.findings == ()


@pytest.mark.parametrize("wrong", ["top", -1, True, 1.5])
def test_an_unknown_choice_is_refused(wrong: object) -> None:
    with pytest.raises(ParameterError, match="'largest', 'left', 'right'"):
        choose(Linker(FACE), wrong, end=0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
def test_it_never_follows_two_at_once_or_somebody_seen_beside(seed: int) -> None:
    """Random comings and goings of two: whoever is chosen, the other never is."""
    rng = np.random.default_rng(seed)
    here = np.repeat(rng.random((24, 2)) < 0.6, rng.integers(1, 60, 24), axis=0)
    frames = [[seen for seen, there in zip((L, R), row, strict=True) if there] for row in here]
    assert here.all(axis=1).any()
    for which in ("left", "right"):
        letters, _ = follow(frames, which)
        mine = which[0].upper()
        assert set(letters) <= {mine, "."}
        column = here[:, 0 if which == "left" else 1]
        assert letters.count(mine) > 0.95 * column.sum()


def test_thousands_of_stretches_can_be_told_apart() -> None:
    rng = np.random.default_rng(0)
    linker = Linker(BODY)
    for number in range(800):
        linker.see(number / FPS, [body("L", float(x)) for x in rng.uniform(0, 1e5, 2)])
    assert len(linker.stretches) > 1200
    assert choose(linker, "largest", end=27.0).spans
