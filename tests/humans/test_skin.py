"""What makes rendered skin hard to follow comes with the movement and stays with the light."""

from __future__ import annotations

import numpy as np
import pytest
from validation.humans import data

pytest.importorskip("cv2")
pytestmark = pytest.mark.skipif(
    not data.is_there(), reason="the shapes of people are not installed"
)


def drives(**amounts: float) -> np.ndarray:
    from validation.humans.body import ACTIONS

    return np.array([amounts.get(name, 0.0) for name in ACTIONS])


def test_folds_come_with_the_action_and_on_its_side() -> None:
    from validation.humans.people import by_name
    from validation.humans.skin import chart
    from validation.humans.wrinkles import Wrinkled, folds_of

    wrinkled = Wrinkled(folds_of(by_name("dora")), 1.0)
    assert not wrinkled.show(drives()).any()
    x = chart().place[..., 0]
    steep = np.abs(wrinkled.show(drives(mouthSmileLeft=1.0))[..., :2]).sum(axis=2)
    little = np.abs(wrinkled.show(drives(mouthSmileLeft=0.3))[..., :2]).sum(axis=2)
    assert steep.max() > 2 * little.max() > 0
    assert steep[x < -0.05].max() < 0.05 * steep.max()  # the subject's right side
    assert not wrinkled.show(drives()).any()  # and they go with it


def test_children_have_flatter_folds() -> None:
    from validation.humans.people import by_name

    assert by_name("emil").wrinkled < 0.5 * by_name("dora").wrinkled


def test_lips_change_and_light_moves() -> None:
    from validation.humans import light as lamp
    from validation.humans.people import by_name
    from validation.humans.render import LIGHTS, Camera, Renderer

    renderer = Renderer(by_name("ada"), Camera(63.0, (64, 64), 11.0), LIGHTS["window"])
    still = np.zeros(3)
    rest, again = (renderer._lamps(drives(), at) for at in (0.0, 2.0))
    assert rest[lamp.PRESSED] == rest[lamp.WET] == 0
    assert np.abs(rest[:3] - again[:3]).max() > 0.02
    pressed = renderer._lamps(drives(mouthPressLeft=1, mouthPressRight=1), 0.0)
    parted = renderer._lamps(drives(jawOpen=0.7), 0.0)
    assert pressed[lamp.PRESSED] > 0.3 > pressed[lamp.WET]
    assert parted[lamp.WET] > 0.3 > parted[lamp.PRESSED]
    shown = renderer.picture(drives(), still, 0.0)
    assert shown.shape == (64, 64, 3)
    assert np.isfinite(shown).all()


def test_a_hand_passes_before_the_mouth_and_nowhere_else() -> None:
    from validation.humans.hand import covering, lay_hand
    from validation.humans.render import Camera

    near = covering(np.linspace(0, 12, 121))
    assert near[:20].max() == 0
    assert near.max() == 1
    assert (near == 0).mean() > 0.3
    camera = Camera(63.0, (120, 120), 22.0)
    picture = np.full((120, 120, 3), 0.5, dtype=np.float32)
    assert lay_hand(picture, camera, 0.0, (0.8, 0.6, 0.5)) is picture
    covered = (lay_hand(picture, camera, 4.5, (0.8, 0.6, 0.5)) != picture).any(axis=2)
    eyes = (np.array(camera.place) * 120).astype(int)
    assert covered[eyes[1] + 26, eyes[0]]  # the mouth
    assert not covered[: eyes[1] + 3].any()  # the eyes
