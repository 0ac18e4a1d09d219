"""Cuts are told from cameras that swing, on made footage."""

from itertools import pairwise

import numpy as np
import pytest

from bitbox.measuring.scenes import Scenes
from bitbox.video import Picture

HEIGHT, WIDTH = 180, 320


def world(seed, roughness=1.2, contrast=55.0):
    """A wide picture with as much detail at every scale as photographs have."""
    rng = np.random.default_rng(seed)
    waves = np.fft.rfft2(rng.normal(size=(HEIGHT, 1600)))
    down, across = np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(1600)[None]
    waves /= (np.hypot(down, across) + 1 / 1600) ** roughness
    scene = np.fft.irfft2(waves, (HEIGHT, 1600))
    return (128 + contrast * (scene - scene.mean()) / scene.std()).clip(0, 255)


def shot(scene, lefts):
    """What a camera sees of a world from positions, in grey."""
    return [scene[:, round(left) : round(left) + WIDTH] for left in lefts]


def swinging(amplitude, hertz, frames=90):
    return 640 + amplitude * np.sin(2 * np.pi * hertz * np.arange(frames) / 30)


def cuts(images):
    scenes, suspected = Scenes(), []
    for number, image in enumerate(images):
        picture = Picture.of(np.repeat(image[..., None], 3, axis=2).astype(np.uint8))
        if scenes.may_be_new(picture, number / 30):
            suspected.append(number)
    return [round(time * 30) for time in scenes.cuts()], suspected


def largest_change(images):
    return max(np.abs(b - a).mean() for a, b in pairwise(images))


@pytest.mark.parametrize(("amplitude", "hertz"), [(150, 0.5), (300, 1.0), (60, 3.0), (500, 0.7)])
def test_a_camera_that_swings_is_no_cut(amplitude, hertz):
    images = shot(world(1), swinging(amplitude, hertz))
    assert largest_change(images) > 28  # more than a cut between dull pictures makes
    assert cuts(images)[0] == []


def test_a_camera_that_starts_and_stops_at_once_is_no_cut():
    lefts = np.r_[np.full(30, 100), 100 + 30 * np.arange(20), np.full(30, 700)]
    images = shot(world(2), lefts)
    assert largest_change(images) > 28
    assert cuts(images)[0] == []


def test_a_low_frame_rate_shown_with_repeated_pictures_is_no_cut():
    images = shot(world(1), np.repeat(swinging(300, 0.5, 30), 3))
    assert largest_change(images) > 28
    assert cuts(images)[0] == []


@pytest.mark.parametrize("contrast", [55, 18])
@pytest.mark.parametrize("amplitude", [0, 20, 100])
def test_a_cut_is_seen_also_between_dull_pictures_and_from_the_hand(contrast, amplitude):
    lefts = swinging(amplitude, 0.5, 40)
    images = shot(world(3, 1.6, contrast), lefts) + shot(world(4, 1.6, contrast), lefts)
    if contrast == 18:
        assert np.abs(images[40] - images[39]).mean() < 26.2  # of a cut that was missed
    assert cuts(images) == ([40], [40])


def test_light_that_changes_slowly_is_no_cut():
    images = [frame * light for frame, light in
              zip(shot(world(5), [0] * 60), np.linspace(1, 0.3, 60), strict=True)]  # fmt: skip
    assert cuts(images) == ([], [])


def test_one_picture_and_none():
    assert cuts(shot(world(5), [0])) == ([], [])
    assert cuts([]) == ([], [])
