"""One clock for two recordings: true seconds, no padding, nothing invented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitbox.errors import ParameterError, TooShortError
from bitbox.signals import Signals
from bitbox.signals.alignment import align, resample


def recording(time, values=None, **changes) -> Signals:
    time = np.asarray(time, dtype=float)
    values = np.sin(time) if values is None else np.asarray(values, dtype=float)
    arguments = {"kind": "expression", "schema": "test", "units": "mm", "backend": "test"}
    return Signals(values.reshape(len(time), -1), time, ("a",), **(arguments | changes))


def regular(fps: float, seconds: float, start: float = 0.0) -> np.ndarray:
    return start + np.arange(int(seconds * fps) + 1) / fps


def test_one_grid_is_left_alone() -> None:
    values = np.random.default_rng(1).normal(size=301)
    values[40:43] = np.nan
    a, b = recording(regular(30, 10), values), recording(regular(30, 8))
    aligned = align(a, b)
    assert not aligned.resampled
    assert aligned.fps == pytest.approx(30)
    np.testing.assert_array_equal(aligned.participant.values[:, 0], values[:241])
    np.testing.assert_array_equal(aligned.model.values, b.values)
    np.testing.assert_array_equal(aligned.participant.time, aligned.model.time)


@pytest.mark.parametrize("offset", [0.5, -0.5])
def test_whole_frames_of_offset_move_rows(offset: float) -> None:
    a, b = recording(regular(30, 10)), recording(regular(30, 10))
    aligned = align(a, b, offset=offset)
    assert not aligned.resampled
    t = aligned.model.time
    np.testing.assert_allclose(aligned.participant.values[:, 0], np.sin(t - offset), atol=1e-12)
    np.testing.assert_allclose(aligned.model.values[:, 0], np.sin(t), atol=1e-12)


def test_start_times_are_kept() -> None:
    aligned = align(recording(regular(30, 5, start=2.0)), recording(regular(30, 6)))
    assert aligned.model.time[0] == pytest.approx(2.0)
    assert aligned.model.time[-1] == pytest.approx(6.0)


def codes(*recordings: Signals, **options: float) -> list[tuple[str, str]]:
    return [(f.code, f.severity) for f in align(*recordings, **options).findings]


def test_time_that_is_not_shared_is_told() -> None:
    whole, half = recording(regular(30, 20)), recording(regular(30, 10))
    for pair in ((half, whole), (whole, half)):
        (found,) = align(*pair).findings
        assert (found.code, found.severity) == ("partly-shared", "warning")
        assert "Only 10.00 of 20.00 seconds are shared" in found.message
    assert codes(whole, recording(regular(30, 19))) == [("partly-shared", "info")]
    assert codes(whole, recording(regular(30, 19.6))) == []
    assert codes(whole, whole, offset=5.0) == [("partly-shared", "warning")]


def test_starts_that_differ_are_told() -> None:
    late, early = recording(regular(30, 20, start=0.4)), recording(regular(30, 20))
    assert codes(late, early) == codes(early, late) == [("starts-differ", "info")]
    assert "participant's first frame is 0.40 s later" in align(late, early).findings[0].message
    assert codes(late, early, offset=-0.4) == []
    assert codes(recording(regular(30, 20, start=0.04)), early) == []


@pytest.mark.parametrize("rates", [(30, 25), (24, 60), (29.97, 30)])
def test_different_rates_meet_at_the_lower(rates) -> None:
    aligned = align(recording(regular(rates[0], 9)), recording(regular(rates[1], 9)))
    assert aligned.resampled
    assert aligned.fps == pytest.approx(min(rates))
    t = aligned.model.time
    np.testing.assert_allclose(np.diff(t), 1 / min(rates), rtol=1e-6)
    for signals in (aligned.participant, aligned.model):
        np.testing.assert_allclose(signals.values[:, 0], np.sin(t), atol=3e-4)
    assert [f.code for f in aligned.findings] == ["frame-rates-differ"]


@pytest.mark.parametrize(("rate", "frames", "told"), [(25, 900, 1), (25, 750, 0), (29.97, 900, 0)])
def test_as_many_frames_at_another_rate_are_told(rate: float, frames: int, told: int) -> None:
    model = recording(np.arange(900) / 30)
    aligned = align(recording(np.arange(frames) / rate), model)
    said = [f.message for f in aligned.findings if f.code == "same-number-of-frames"]
    assert len(said) == told
    assert all("one takes 35.96 s and the other 29.97 s" in message for message in said)


def test_variable_frame_rate() -> None:
    rng = np.random.default_rng(3)
    time = np.cumsum(rng.uniform(0.02, 0.05, 400))
    aligned = align(recording(time), recording(regular(30, 12)))
    t = aligned.model.time
    np.testing.assert_allclose(aligned.participant.values[:, 0], np.sin(t), atol=1e-3)


def test_fps_resamples_and_never_relabels() -> None:
    aligned = align(recording(regular(30, 10)), recording(regular(30, 10)), fps=60)
    assert aligned.fps == 60
    assert aligned.model.duration == pytest.approx(10)
    assert [f.code for f in aligned.findings] == ["upsampled"]


class TestGaps:
    @pytest.mark.parametrize(("missing", "bridged"), [(1, True), (2, True), (3, False)])
    def test_short_ones_are_bridged_long_ones_stay(self, missing: int, bridged: bool) -> None:
        time = regular(30, 4)
        values = time.copy()
        values[60 : 60 + missing] = np.nan
        grid = time[:-1] + 0.5 / 30
        got = resample(recording(time, values), grid, 0.1).values[:, 0]
        inside = slice(59, 60 + missing)
        if bridged:
            np.testing.assert_allclose(got, grid)
        else:
            assert np.isnan(got[inside]).all()
            assert np.isfinite(np.delete(got, np.r_[inside])).all()

    def test_dropped_frames_are_gaps_too(self) -> None:
        time = np.delete(regular(30, 4), np.arange(50, 60))
        got = resample(recording(time), regular(30, 4), 0.1).values[:, 0]
        assert np.flatnonzero(np.isnan(got)).tolist() == list(range(50, 60))

    def test_slow_recordings_are_not_all_gap(self) -> None:
        got = resample(recording(regular(5, 10)), regular(30, 10), 0.1).values
        assert np.isfinite(got).all()

    def test_ends_are_not_padded(self) -> None:
        values = np.sin(regular(30, 4))
        values[:5] = values[-5:] = np.nan
        grid = regular(60, 4)
        got = resample(recording(regular(30, 4), values), grid, 0.1).values[:, 0]
        assert np.isnan(got[grid < 5 / 30 - 1e-9]).all()
        assert np.isnan(got[grid > 4 - 5 / 30 + 1e-9]).all()

    def test_nothing_there_stays_nothing(self) -> None:
        time = regular(30, 2)
        got = resample(recording(time, np.full(len(time), np.nan)), time, 0.1)
        assert np.isnan(got.values).all()


@given(st.floats(0, 50), st.sampled_from([24.0, 25.0, 29.97, 30.0, 60.0]))
def test_clock_is_shared_whatever_the_start(start: float, fps: float) -> None:
    aligned = align(recording(regular(fps, 5, start)), recording(regular(30, 60)))
    t = aligned.model.time
    assert t[0] >= start - 0.05 / fps
    assert np.isfinite(aligned.participant.values).all()
    np.testing.assert_allclose(aligned.participant.values[:, 0], np.sin(t), atol=5e-3)


def test_confidence_follows() -> None:
    a = recording(regular(30, 2), confidence=np.linspace(0, 1, 61))
    aligned = align(a, recording(regular(25, 2)))
    np.testing.assert_allclose(
        aligned.participant.confidence, aligned.model.time / 2, atol=0.5 / 60 + 1e-9
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"fps": -1}, "fps=-1"), ({"max_gap": -0.1}, "max_gap"), ({"offset": np.nan}, "offset")],
)
def test_parameters_must_make_sense(changes, sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        align(recording(regular(30, 2)), recording(regular(30, 2)), **changes)


def test_too_short_is_said() -> None:
    with pytest.raises(TooShortError, match="participant's recording has one frame"):
        align(recording([0.0]), recording(regular(30, 2)))
    with pytest.raises(TooShortError, match=r"do not overlap.*5.00 to 7.00 s"):
        align(recording(regular(30, 2, 5)), recording(regular(30, 2)))


def test_signals_that_share_their_clock_are_taken_as_they_are() -> None:
    """Checking them again takes longer than correlating them."""
    a, b = (recording(regular(30, 2)) for _ in range(2))
    both = align(a, b)
    assert both.participant is a
    assert both.model is b
