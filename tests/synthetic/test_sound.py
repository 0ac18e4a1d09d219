"""Generated sound is what it says, at the times it says."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.errors import ParameterError
from bitbox.synthetic.sound import RATE, heard, sound


@pytest.mark.parametrize("scene", ["talk", "claps", "music"])
def test_the_same_seed_gives_the_same_sound(scene: str) -> None:
    one, again = (sound(scene, 5, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert len(one) == 5 * RATE
    assert np.sqrt(np.mean(one**2)) == pytest.approx(0.1)


def test_a_microphone_hears_it_when_it_was() -> None:
    air = np.zeros(3 * RATE)
    air[RATE] = 1.0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        plain = heard(air, rng)
        assert np.abs(plain).argmax() / RATE == pytest.approx(1.0, abs=0.002)
        gained = heard(air, rng, ppm=5000.0)
        assert np.abs(gained).argmax() / RATE == pytest.approx(1.005, abs=0.002)


def test_noise_is_as_loud_as_asked() -> None:
    air = sound("talk", 20, np.random.default_rng(1))
    plain, noisy = (heard(air, np.random.default_rng(2), noise=n) for n in (None, 0.0))
    assert np.sqrt(np.mean((noisy - plain) ** 2)) == pytest.approx(0.1, rel=0.05)


def test_other_scenes_are_refused() -> None:
    with pytest.raises(ParameterError, match="no such sound"):
        sound("thunder", 1, np.random.default_rng(1))
