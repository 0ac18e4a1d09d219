"""imitation and coordination as documented, against the definitions in plain loops."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitbox.errors import ParameterError, SchemaError, TooShortError
from bitbox.signals import Signals
from bitbox.social import coordination, imitation
from tests import naive

FPS = 30.0


def expressions(seed: int, n: int = 3, frames: int = 90, **changes) -> Signals:
    values = np.random.default_rng(seed).normal(size=(frames, n)).cumsum(axis=0)
    arguments = {"kind": "expression", "schema": "test", "units": "mm", "backend": "test"}
    names = tuple(f"GE{i}" for i in range(n))
    return Signals(values, np.arange(frames) / FPS, names, **(arguments | changes))


def dictionary(seed: int, kind: str = "expression", columns=("a", "b"), **changes) -> dict:
    values = np.random.default_rng(seed).normal(size=(90, len(columns))).cumsum(axis=0)
    return {"type": kind, "schema": "s", "data": pd.DataFrame(values, columns=columns)} | changes


def planted(delay: int, frames: int = 240) -> tuple[Signals, Signals]:
    """A participant who follows `delay` frames later."""
    movement = expressions(5, 2, frames + 40)
    later = movement.values[20 - delay : 20 - delay + frames]
    time = np.arange(frames) / FPS
    return (
        movement.replace(values=later, time=time),
        movement.replace(values=movement.values[20 : 20 + frames], time=time),
    )


class TestContract:
    def test_signatures_are_the_documented_ones(self) -> None:
        documented = ["X", "Y", "width", "lag", "step", "fps", "stats", "polarity"]
        for function, more in (
            (imitation, ["casuality", "angular"]),
            (coordination, ["angular"]),
        ):
            parameters = inspect.signature(function).parameters
            positional = [n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
            assert positional == documented + more
            defaults = {n: parameters[n].default for n in positional[2:]}
            expected = dict.fromkeys(more, True) | {"stats": True, "polarity": True}
            expected |= {"width": 0.5, "lag": None, "step": None, "fps": None}
            assert defaults == expected

    def test_documented_calls_run_as_written(self) -> None:
        exp_glob_p, exp_glob_r = expressions(0, 4, 150), expressions(1, 4, 150)
        corr_mean, corr_std, corr_lag = imitation(
            exp_glob_p, exp_glob_r, width=1.1, step=0.5, fps=30
        )
        assert corr_mean.shape == corr_std.shape == corr_lag.shape == (4, 4)
        assert (corr_lag <= 0).all()
        _, _, corr_lag = imitation(exp_glob_p, exp_glob_r, casuality=False)
        assert (corr_lag > 0).any()
        corr_mean, _, _ = imitation(exp_glob_p, exp_glob_r, polarity=False)
        signed, _, _ = imitation(exp_glob_p, exp_glob_r)
        assert corr_mean.mean() > signed.mean()
        corr_vals, corr_lags = imitation(exp_glob_p, exp_glob_r, stats=False)
        assert corr_vals.shape == corr_lags.shape == (len(corr_vals), 4, 4)

    def test_defaults_of_lag_and_step(self) -> None:
        plan = imitation(expressions(0), expressions(1), width=1.0).plan
        assert (plan.window, plan.max_lag, plan.step) == (30, 30, 15)

    def test_both_spellings_of_casuality(self) -> None:
        x, y = expressions(0), expressions(1)
        wrong = imitation(x, y, casuality=False)
        np.testing.assert_array_equal(imitation(x, y, causality=False).lag, wrong.lag)
        np.testing.assert_array_equal(
            imitation(x, y, casuality=False, causality=False).lag, wrong.lag
        )
        for arguments in (
            {"casuality": True, "causality": False},
            {"casuality": False, "causality": True},
        ):
            with pytest.raises(ParameterError, match="two spellings"):
                imitation(x, y, **arguments)
        with pytest.raises(ParameterError, match="two spellings"):
            imitation(x, y, 0.5, None, None, None, True, True, True, causality=False)

    def test_result_carries_more(self) -> None:
        result = imitation(expressions(0), expressions(1), stats=False)
        assert result.x_names == ("GE0", "GE1", "GE2")
        assert result.n_valid.shape == (3, 3)
        assert len(result.times) == len(result.values)
        assert result.times[0] == pytest.approx((result.plan.max_lag + 7) / FPS)
        frame = result.to_frame()
        assert list(frame.columns) == [
            "participant_signal",
            "model_signal",
            "mean",
            "std",
            "lag",
            "windows",
        ]
        row = frame[(frame.participant_signal == "GE1") & (frame.model_signal == "GE2")]
        assert row["mean"].item() == result.mean[1, 2]
        data = result.to_xarray()
        assert data["r"].sel(participant="GE1", model="GE2").values == pytest.approx(
            result.values[:, 1, 2]
        )
        assert result.provenance["parameters"]["width"] == 0.5
        assert "unpacks into values, lags" in repr(result)
        assert len(result) == 2

    def test_dictionaries_in_bitbox_layout(self) -> None:
        a, b = dictionary(0), dictionary(1)
        result = imitation(a, b, fps=25)
        assert result.plan.fps == 25
        assert imitation(a, b).plan.fps == 30
        np.testing.assert_array_equal(
            result.mean,
            imitation(Signals.from_bitbox(a, fps=25), Signals.from_bitbox(b, fps=25)).mean,
        )

    def test_fps_does_not_relabel_true_times(self) -> None:
        slow = expressions(0).replace(time=np.arange(90) / 15)
        result = imitation(slow, slow, fps=30)
        assert result.plan.n_frames == pytest.approx(2 * 90, abs=2)


class TestMeaning:
    @pytest.mark.parametrize("delay", [0, 3, 8])
    def test_a_follower_has_negative_lag(self, delay: int) -> None:
        participant, model = planted(delay)
        result = imitation(participant, model, width=1.0, lag=0.5)
        np.testing.assert_allclose(np.diag(result.mean), 1)
        np.testing.assert_allclose(np.diag(result.lag), -delay / FPS, atol=1e-12)

    def test_swapping_roles_negates_two_sided_lags(self) -> None:
        a, b = expressions(0), expressions(1)
        one = coordination(a, b, lag=0.2)
        other = coordination(b, a, lag=0.2)
        np.testing.assert_allclose(one.mean, other.mean.T, atol=2e-6)
        np.testing.assert_allclose(one.lag, -other.lag.T, atol=1e-12)

    def test_offset_shifts_the_participant(self) -> None:
        participant, model = planted(8)
        late = participant.shifted(-1.0)
        result = imitation(late, model, width=1.0, lag=0.5, offset=1.0)
        np.testing.assert_allclose(np.diag(result.lag), -8 / FPS, atol=1e-12)

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.integers(0, 10**6),
        st.sampled_from(["imitation", "coordination"]),
        st.booleans(),
        st.booleans(),
        st.floats(0, 0.2),
    )
    def test_equals_the_definition(self, seed, mode, causal, polarity, missing) -> None:
        rng = np.random.default_rng(seed)
        x, y = (rng.normal(size=(40, 2)) for _ in range(2))
        x[rng.random(x.shape) < missing] = np.nan
        names, time = ("a", "b"), np.arange(40) / FPS
        common = {"kind": "expression", "schema": "t", "units": "mm", "backend": "t"}
        X, Y = Signals(x, time, names, **common), Signals(y, time, names, **common)
        arguments = {"width": 10 / FPS, "lag": 3 / FPS, "step": 7 / FPS, "polarity": polarity}
        if mode == "imitation":
            got = imitation(X, Y, **arguments, casuality=causal, stats=False)
        else:
            got = coordination(X, Y, **arguments, stats=False)
        values, lags = naive.correlate(
            x[:, :, None], y[:, :, None], 10, 7, 3, mode, causal, polarity
        )
        np.testing.assert_allclose(got.values, values, atol=2e-6)
        np.testing.assert_allclose(got.lags, np.array(lags) / FPS, atol=1e-9)


class TestKinds:
    def test_landmarks_are_vectors(self) -> None:
        names = [f"{axis}{i}" for i in range(51) for axis in "xy"]
        values = np.random.default_rng(0).normal(size=(60, 102))
        land = expressions(0, frames=60).replace(
            values=values, names=names, kind="landmark", dimension=2, schema="ibug51"
        )
        assert imitation(land, land)[0].shape == (51, 51)
        assert imitation(land, land, components="each")[0].shape == (102, 102)
        assert imitation(land, land, components="magnitude")[0].shape == (51, 51)
        turned = land.replace(
            values=(values.reshape(60, 51, 2) @ np.array([[0.6, -0.8], [0.8, 0.6]])).reshape(60, -1)
        )
        np.testing.assert_allclose(
            imitation(turned, turned).mean, imitation(land, land).mean, atol=2e-6
        )

    def test_pose_is_rotation_or_translation(self) -> None:
        columns = ["Tx", "Ty", "Tz", "Rx", "Ry", "Rz"]
        a, b = dictionary(0, "pose", columns), dictionary(1, "pose", columns)
        assert imitation(a, b).x_names == ("Rx", "Ry", "Rz")
        assert imitation(a, b, angular=False).x_names == ("Tx", "Ty", "Tz")

    def test_body_actions_are_accepted(self) -> None:
        assert imitation(dictionary(0, "body"), dictionary(1, "body"))[0].shape == (2, 2)

    def test_different_numbers_of_signals(self) -> None:
        assert imitation(expressions(0, 2), expressions(1, 5))[0].shape == (2, 5)

    @pytest.mark.parametrize(
        ("x", "y", "sentence"),
        [
            (dictionary(0, "rectangle"), dictionary(1), "X holds.*'landmark'.*'rectangle'"),
            (dictionary(0), dictionary(1, "rectangle"), "Y holds.*'rectangle'"),
            (dictionary(0, "face"), dictionary(0), "'face'"),
            (dictionary(0), np.ones((9, 2)), "Y is neither.*ndarray"),
            (dictionary(0), dictionary(0, "body"), "'expression' and 'body'"),
            (dictionary(0), dictionary(0, schema="other"), "'s'.*'other'"),
            ({"type": "pose"}, dictionary(0), "no 'data'"),
        ],
    )
    def test_others_are_refused(self, x, y, sentence: str) -> None:
        with pytest.raises(SchemaError, match=sentence):
            imitation(x, y)


class TestLimits:
    def test_too_short_says_how_many_seconds(self) -> None:
        with pytest.raises(TooShortError, match=r"at least 4\.000 s.*got 3\.000 s"):
            imitation(expressions(0), expressions(1), width=2.0)

    @pytest.mark.parametrize(
        "arguments",
        [{"width": 0}, {"width": np.nan}, {"lag": -1}, {"step": 0}, {"min_valid": 2}, {"fps": 0}],
    )
    def test_parameters_must_make_sense(self, arguments) -> None:
        with pytest.raises(ParameterError):
            imitation(expressions(0), expressions(1), **arguments)

    def test_still_and_missing_are_undefined(self) -> None:
        x, y = expressions(0, 3), expressions(1, 3)
        values = x.values.copy()
        values[:, 0] = 5.0
        values[:, 1] = np.nan
        mean, std, lag = imitation(x.replace(values=values), y)
        for array in (mean, std, lag):
            assert np.isnan(array[:2]).all()
            assert np.isfinite(array[2]).all()

    def test_progress_is_told(self) -> None:
        calls = []
        imitation(expressions(0), expressions(1), progress=lambda *call: calls.append(call))
        assert calls[-1][1] == calls[-1][2]
