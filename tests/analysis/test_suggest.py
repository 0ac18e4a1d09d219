"""Advice fits the data, and says so."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.analysis.quality import imitation_quality
from bitbox.analysis.suggest import multiverse, suggest
from bitbox.errors import ParameterError, TooShortError
from bitbox.synthetic.signals import imitated_pair
from tests.signals_of import named


@pytest.mark.parametrize(("bandwidth", "widest", "narrowest"), [(3.0, 3.5, 1.0), (0.5, 10.0, 7.0)])
def test_slow_movements_get_wide_windows(bandwidth: float, widest: float, narrowest: float) -> None:
    pair = imitated_pair(4, duration=120, process="autocorrelated", bandwidth=bandwidth)
    advice = suggest(pair.participant, pair.model)
    assert narrowest <= advice.width <= widest
    assert advice.step == advice.width / 2
    assert f"use width={advice.width:g}, step={advice.step:g}, lag={advice.lag:g}" in str(advice)
    assert 0.3 < advice.frequency / bandwidth < 0.9
    if advice.width < 10:
        assert advice.width * advice.frequency == pytest.approx(4, abs=0.2)


def test_a_trial_every_six_seconds_is_no_slow_movement() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(3600) / 30
    shown = 0.05 * rng.standard_normal((2, len(t), 4))
    for onset in np.arange(1, 115, 6.0):
        takes = rng.uniform(2, 4)
        shown[:, :, rng.integers(4)] += np.sin(np.pi * np.clip((t - onset) / takes, 0, 1)) ** 2
    advice = suggest(named(shown[0]), named(shown[1]))
    assert advice.width == 10
    takes = 1 / advice.frequency
    assert 2 < takes < 4.5  # 7 to 8 s is how rare they are
    assert f"a movement there and back takes about {takes:.1f} s" in str(advice)


def test_the_lag_follows_from_the_expected_latency() -> None:
    pair = imitated_pair(2, duration=60)
    assert suggest(pair.participant, pair.model).lag == pytest.approx(1.2)
    assert suggest(pair.participant, pair.model, latency=0.4).lag == pytest.approx(0.6)
    with pytest.raises(ParameterError, match="latency"):
        suggest(pair.participant, pair.model, latency=0)


def test_the_advice_can_be_followed() -> None:
    pair = imitated_pair(3, duration=60)
    advice = suggest(pair.participant, pair.model)
    found = imitation_quality(pair.participant, pair.model, n_surrogates=19, **advice.settings())
    assert found.plan.n_windows == advice.windows >= 20
    assert "few-windows" not in [finding.code for finding in found.findings]


def test_a_short_recording_limits_the_width() -> None:
    slow = imitated_pair(3, duration=20, process="autocorrelated", bandwidth=0.4)
    advice = suggest(slow.participant, slow.model)
    assert advice.windows >= 20
    assert "would suit the movements better" in advice.sentence
    brief = imitated_pair(3, duration=5)
    with pytest.raises(TooShortError, match="at least 6 s"):
        suggest(brief.participant, brief.model)


def test_a_model_that_hardly_moves_gets_the_usual() -> None:
    pair = imitated_pair(2, duration=60)
    still = pair.model.replace(values=np.zeros_like(pair.model.values))
    assert "hardly moves" in suggest(pair.participant, still).sentence


def test_every_setting_is_tried_once() -> None:
    pair = imitated_pair(3, imitated=2, duration=40, seed=2)
    told: list[tuple[str, int, int | None]] = []
    table = multiverse(
        pair.participant,
        pair.model,
        widths=(2.0, 3.0, 19.0),
        lags=(1.0,),
        polarities=(False, True),
        n_surrogates=99,
        progress=lambda *args: told.append(args),
    )
    assert told[-1] == ("Trying settings", 6, 6)
    assert len(table) == 2 * (3 + 3 + 1)
    short = table[table["width"] == 19.0]
    assert short["signal"].isna().all()
    assert short["z"].isna().all()
    plain = table[(table["width"] == 2.0) & ~table["polarity"]].set_index("signal")
    alone = imitation_quality(
        pair.participant, pair.model, lag=1.0, n_surrogates=99, seed=table.attrs["seed"]
    )
    np.testing.assert_array_equal(plain["z"], alone.scorecard["z"])
    assert (table["least_p_fwer"].isna() == table["p_fwer"].isna()).all()
    assert (plain["p_fwer"] >= 0.999 * plain["least_p_fwer"]).all()
    assert plain["least_p_fwer"].iloc[0] == alone.least_p_fwer
    with pytest.raises(ParameterError, match="no setting"):
        multiverse(pair.participant, pair.model, widths=())


def test_what_cannot_tell_anything_is_said_beforehand_and_what_can() -> None:
    whole = imitated_pair(32, duration=40, process="autocorrelated", seed=3).model
    model = whole.replace(values=whole.values[:360], time=whole.time[:360])
    assert imitation_quality(model, model, n_surrogates=99).headline.too_short
    advice = suggest(model, model)
    assert "(width=2, lag=1.2) can tell nothing from 12.0 s of recording: about 19" in str(advice)
    assert advice.width < 2
    assert advice.least_p_fwer <= 0.05
    found = imitation_quality(model, model, seed=1, **advice.settings())
    assert found.headline.in_time == 32  # whether it is specific needs some seconds more
    assert found.least_p_fwer == pytest.approx(advice.least_p_fwer, rel=1e-3)


def test_a_recording_that_no_setting_suits_is_told_how_long_it_should_be() -> None:
    slow = imitated_pair(3, duration=6.5, process="autocorrelated", bandwidth=0.3, seed=2)
    advice = suggest(slow.participant, slow.model)
    assert np.isnan(advice.least_p_fwer)
    assert "too short to tell imitation from chance: with these settings about" in str(advice)


def test_long_recordings_get_no_such_remark() -> None:
    pair = imitated_pair(3, duration=180)
    advice = suggest(pair.participant, pair.model)
    assert advice.least_p_fwer <= 0.05
    assert "tell" not in str(advice)
