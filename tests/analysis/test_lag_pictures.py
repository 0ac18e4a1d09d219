"""What a report shows lag by lag."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.analysis import lag_pictures
from bitbox.analysis.result import ImitationQuality
from bitbox.social import imitation_quality, lag_surface
from bitbox.synthetic.signals import imitated_pair, independent_pair


@pytest.fixture(scope="module")
def quality() -> ImitationQuality:
    participant, model, _ = imitated_pair(8, imitated=6, own=0.1, delay=0.4, seed=3)
    return imitation_quality(participant, model.shifted(0.0), n_surrogates=99, seed=1)


def test_the_most_strongly_imitated_are_shown(quality: ImitationQuality) -> None:
    pictures = quality.lag_pictures()
    best = quality.scorecard.sort_values("z", ascending=False)
    assert len(pictures) == 4
    assert [picture.name for picture in pictures] == list(best.index[:4])
    for picture in pictures:
        assert picture.every == 1
        assert not picture.polarity


def test_they_are_what_the_analysis_chose_from(quality: ImitationQuality) -> None:
    for picture in quality.lag_pictures():
        rows = quality.windows[quality.windows["signal"] == picture.name]
        np.testing.assert_allclose(picture.times, rows["time"])
        np.testing.assert_allclose(np.nanmax(picture.r, axis=1), rows["r"], atol=2e-6)
    signals = quality.aligned
    surface = lag_surface(signals.participant, signals.model, width=2.0, lag=1.2)
    names = list(surface["participant_signal"].values)
    first = quality.lag_pictures()[0]
    np.testing.assert_allclose(first.r, surface.values[:, :, names.index(first.name)], atol=2e-6)
    np.testing.assert_allclose(first.lags, surface["lag"])


def test_long_recordings_are_shown_window_by_window_but_not_all(quality, monkeypatch) -> None:
    whole = quality.lag_pictures()[0]
    monkeypatch.setattr(lag_pictures, "CELLS", whole.r.size // 5)
    few = quality.lag_pictures()[0]
    assert few.every in (5, 6)
    assert few.r.size <= whole.r.size // 5 + whole.r.shape[1]
    np.testing.assert_array_equal(few.r, whole.r[:: few.every])
    np.testing.assert_allclose(few.times, whole.times[:: few.every])


def test_none_where_nothing_is_imitated() -> None:
    pair = independent_pair(3, seed=2)
    quality = imitation_quality(pair.participant, pair.model, n_surrogates=99, seed=1)
    assert quality.headline.imitated == 0
    assert quality.lag_pictures() == []


def test_the_report_says_that_windows_are_left_out(quality, monkeypatch, tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    page = quality.report(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Lag by lag" in page
    assert "one of every" not in page
    monkeypatch.setattr(lag_pictures, "CELLS", 500)
    page = quality.report(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "There are so many windows that one of every" in page
