"""Figures: what they draw, that missing stays missing, and what they refuse."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bitbox.errors import BackendError, ParameterError
from bitbox.report import figures
from bitbox.report.theme import plain, short, untitled

TIME = np.arange(100) / 30
WAVE = np.sin(TIME)


def titled_axes(drawing: object) -> list[str]:
    layout = drawing.to_dict()["layout"]
    axes = [value for key, value in layout.items() if key.startswith(("xaxis", "yaxis"))]
    return [axis["title"]["text"] for axis in axes if axis.get("title", {}).get("text")]


# ---------------------------------------------------------------- thinning


@given(
    arrays(float, st.integers(0, 400), elements=st.floats(-1e6, 1e6) | st.just(np.nan)),
    st.integers(3, 60),
)
def test_thinning_keeps_extremes_order_and_the_limit(values: np.ndarray, limit: int) -> None:
    at = figures.thin(values, limit)
    assert len(at) <= max(limit, 3)
    assert np.all(np.diff(at) > 0)
    kept = values[at]
    assert np.isnan(kept).any() == np.isnan(values).any()
    if np.isfinite(values).any():
        assert np.nanmin(kept) == np.nanmin(values)
        assert np.nanmax(kept) == np.nanmax(values)
    else:
        assert not np.isfinite(kept).any()


def test_a_short_signal_is_not_thinned() -> None:
    np.testing.assert_array_equal(figures.thin(WAVE, 100), np.arange(100))


def test_a_single_outlier_and_a_single_gap_survive_thinning() -> None:
    values = np.zeros(100_000)
    values[54_321] = 7.0
    values[77_777] = np.nan
    at = figures.thin(values, 300)
    assert len(at) <= 300
    assert {54_321, 77_777} <= set(at.tolist())


def test_a_line_needs_points() -> None:
    with pytest.raises(ParameterError, match="limit >= 3"):
        figures.thin(WAVE, 2)


# ---------------------------------------------------------------- over time


def test_a_time_course_shows_both_people_and_the_windows() -> None:
    drawing = figures.time_course(
        TIME,
        WAVE,
        2 * WAVE,
        name="jaw",
        unit="mm",
        window_times=[1.0, 2.0],
        window_r=[0.5, np.nan],
        window_latency=[0.25, np.nan],
        labels=("Child", "Adult"),
    )
    model, participant, windows = drawing.data
    assert (participant.name, model.name) == ("Child", "Adult")
    np.testing.assert_allclose(participant.y, WAVE, rtol=1e-6)
    np.testing.assert_allclose(model.y, 2 * WAVE, rtol=1e-6)
    np.testing.assert_array_equal(windows.y, np.float32([0.5, np.nan]))
    np.testing.assert_array_equal(windows.customdata, np.float32([0.25, np.nan]))
    assert titled_axes(drawing) == ["mm", "Time (s)", "Correlation r"]


def test_a_gap_stays_a_gap() -> None:
    holed = WAVE.copy()
    holed[10:20] = np.nan
    drawing = figures.time_course(TIME, holed, WAVE, name="jaw")
    assert np.isnan(drawing.data[1].y[10:20]).all()
    assert drawing.data[1].connectgaps is None


def test_several_time_courses_share_a_clock_and_keep_their_own_scale() -> None:
    both = np.stack([WAVE, 10 * WAVE, -WAVE], axis=1)
    drawing = figures.time_courses(TIME, both, both, ["a", "b", "c"], unit="mm")
    assert [trace.yaxis for trace in drawing.data] == ["y", "y", "y2", "y2", "y3", "y3"]
    assert {trace.xaxis for trace in drawing.data} == {"x"}
    domains = [drawing.layout[f"yaxis{n}"].domain for n in ("", 2, 3)]
    assert domains[0][0] > domains[1][1] > domains[1][0] > domains[2][1]
    assert [trace.name for trace in drawing.data if trace.showlegend] == ["Model", "Participant"]
    assert "Time (s)" in titled_axes(drawing)


@pytest.mark.parametrize(
    ("time", "participant", "model"),
    [(TIME, WAVE, WAVE[:-1]), (TIME[:-1], WAVE, WAVE), (TIME, 1.0, 1.0)],
)
def test_two_clocks_are_refused(time: object, participant: object, model: object) -> None:
    with pytest.raises(ParameterError, match="on one clock"):
        figures.time_course(time, participant, model, name="jaw")


def test_names_must_fit_the_columns() -> None:
    with pytest.raises(ParameterError, match="2 columns"):
        figures.time_courses(TIME, WAVE[:, None], WAVE[:, None], ["a", "b"])
    with pytest.raises(ParameterError, match="at least one"):
        figures.time_courses(TIME, np.empty((100, 0)), np.empty((100, 0)), [])


def test_one_instant_and_no_instant_can_be_drawn() -> None:
    one = figures.time_course([3.0], [1.0], [1.0], name="jaw")
    assert list(one.layout.xaxis.range) == [2.5, 3.5]
    assert figures.time_course([], [], [], name="jaw").data[0].x.shape == (0,)


def test_the_strip_shows_the_share_of_tracked_frames() -> None:
    covered = np.ones(6000)
    covered[3000:3005] = 0
    drawing = figures.coverage_strip(
        [("Child", np.arange(6000) / 30, covered), ("Adult", TIME, np.ones(100, dtype=bool))]
    )
    child, adult = drawing.data
    assert child.z.shape == (1, 600)
    assert child.z[0, 300] == 0.5
    assert child.z.sum() == pytest.approx(599.5)
    assert len(child.x) == 601
    assert (adult.z == 1).all()
    assert list(drawing.layout.yaxis.ticktext) == ["Child", "Adult"]


def test_the_strip_refuses_what_does_not_fit() -> None:
    with pytest.raises(ParameterError, match="one number a frame"):
        figures.coverage_strip([("Child", TIME, np.ones(3))])


# ---------------------------------------------------------------- matrices


def test_heatmaps_are_centred_on_zero_with_undefined_apart() -> None:
    r = np.array([[0.5, np.nan], [-0.25, 0.0]])
    drawing = figures.correlation_heatmap(r, ["a", "b"], ["c", "d"])
    values, undefined, key = drawing.data
    assert (values.zmin, values.zmax) == (-0.5, 0.5)
    assert values.colorscale[2] == (0.5, "#ffffff")
    np.testing.assert_array_equal(values.z, r.astype("f4"))
    np.testing.assert_array_equal(undefined.z, np.float32([[np.nan, 0], [np.nan, np.nan]]))
    assert key.name.startswith("undefined")
    assert list(drawing.layout.xaxis.ticktext) == ["c", "d"]
    assert list(drawing.layout.yaxis.ticktext) == ["a", "b"]
    assert titled_axes(drawing) == ["Model's signal", "Participant's signal"]


def test_correlations_far_above_zero_are_told_apart() -> None:
    drawing = figures.correlation_heatmap([[0.9, 0.7], [np.nan, 0.8]], "ab", "cd")
    values = drawing.data[0]
    assert (values.zmin, values.zmax) == (0.7, 0.9)
    assert values.colorscale[0] == (0.0, "#ffffff")
    assert drawing.layout.meta["centred"] is False
    mixed = figures.correlation_heatmap([[0.9, 0.2], [-0.1, 0.8]], "ab", "cd")
    assert mixed.layout.meta["centred"] is True
    late = figures.latency_heatmap([[0.9, 0.7], [0.75, 0.8]], "ab", "cd")
    assert (late.data[0].zmin, late.data[0].zmax) == (-0.9, 0.9)


def test_the_latency_of_what_is_not_imitated_is_hollow() -> None:
    dots = figures.latency_chart(CARD).data[-1]
    assert list(dots.marker.color[:2]) == ["#1f2328", "#ffffff"]
    untested = figures.latency_chart(CARD.drop(columns="p_fwer")).data[-1]
    assert set(untested.marker.color) == {"#1f2328"}


def test_nothing_is_called_undefined_where_all_is_defined() -> None:
    assert len(figures.latency_heatmap(np.zeros((2, 3)), "ab", "cde").data) == 1


def test_a_matrix_of_nothing_is_all_undefined() -> None:
    drawing = figures.correlation_heatmap(np.full((2, 2), np.nan), "ab", "cd")
    assert drawing.data[0].showscale is False
    assert np.isfinite(drawing.data[1].z).all()


def test_a_large_heatmap_has_room_for_every_label() -> None:
    names = [f"GE{i}" for i in range(79)]
    drawing = figures.correlation_heatmap(np.zeros((79, 79)), names, names)
    assert drawing.layout.height >= 79 * 11
    assert drawing.layout.meta["width"][0] >= 79 * 11
    assert len(drawing.layout.xaxis.tickvals) == 79


@pytest.mark.parametrize("shape", [(2, 3), (0, 2)])
def test_matrices_that_do_not_fit_their_names_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ParameterError, match="don't belong together"):
        figures.correlation_heatmap(np.zeros(shape), "ab" if shape[0] else "", "ab")


def test_the_lag_heatmap_marks_what_the_analysis_chose() -> None:
    r = np.array([[-0.9, 0.5, np.nan]])
    latencies = [0.0, 0.5, 1.0]
    for polarity, chosen in ((True, 0.0), (False, 0.5)):
        drawing = figures.lag_heatmap(r, [1.0], latencies, name="jaw", polarity=polarity)
        assert drawing.data[-1].y[0] == chosen


def test_the_lag_heatmap_marks_the_strongest_of_each_window() -> None:
    r = np.array([[0.1, -0.9, 0.2], [np.nan, np.nan, np.nan], [0.3, 0.1, 0.4]])
    drawing = figures.lag_heatmap(r, [1.0, 2.0, 3.0], [0.0, 0.5, 1.0], name="jaw")
    np.testing.assert_array_equal(drawing.data[0].z, r.T.astype("f4"))
    best = drawing.data[-1]
    np.testing.assert_array_equal(best.x, np.float32([1, 3]))
    np.testing.assert_array_equal(best.y, np.float32([0.5, 1.0]))
    assert titled_axes(drawing) == ["Centre of the window (s)", "Latency (s)"]
    with pytest.raises(ParameterError, match="3 windows x 2 lags"):
        figures.lag_heatmap(r, [1.0, 2.0, 3.0], [0.0, 0.5], name="jaw")


# ---------------------------------------------------------------- one row a signal

CARD = pd.DataFrame(
    {
        "shape": [0.8, 0.4, np.nan],
        "chance_mean": [0.4, 0.4, np.nan],
        "chance_sd": [0.05, 0.1, np.nan],
        "p_fwer": [0.001, 0.6, np.nan],
        "latency": [0.4, -0.1, np.nan],
        "latency_q25": [0.3, -0.2, np.nan],
        "latency_q75": [0.5, 0.0, np.nan],
    },
    index=["jaw", "brow", "lip"],
)


def test_the_scorecard_chart_sets_each_signal_against_chance() -> None:
    drawing = figures.scorecard_chart(CARD)
    chance, beyond, other = drawing.data
    np.testing.assert_allclose(np.asarray(chance.base, float), [0.3, 0.2, np.nan])
    np.testing.assert_allclose(chance.x, [0.2, 0.4, np.nan])
    assert (beyond.name, list(beyond.x), list(beyond.y)) == ("beyond chance", [0.8], [0])
    assert list(other.y) == [1, 2]
    assert list(drawing.layout.yaxis.ticktext) == ["jaw", "brow", "lip"]


def test_the_level_decides_what_is_beyond_chance() -> None:
    assert list(figures.scorecard_chart(CARD, alpha=0.0005).data[1].x) == []


def test_uncorrected_p_values_mark_nothing() -> None:
    drawing = figures.scorecard_chart(CARD.rename(columns={"p_fwer": "p"}))
    assert [trace.name for trace in drawing.data] == ["chance ± 2 SD", "mean over windows"]


def test_raw_correlations_are_drawn_with_their_spread() -> None:
    raw = pd.DataFrame({"mean": [0.5, 0.2], "sd": [0.1, 0.3]}, index=["jaw", "brow"])
    spread, dots = figures.scorecard_chart(raw).data
    np.testing.assert_allclose(spread.x, [0.4, 0.6, np.nan, -0.1, 0.5, np.nan])
    np.testing.assert_array_equal(dots.x, [0.5, 0.2])


def test_latencies_come_from_the_windows_or_the_scorecard() -> None:
    half, dots = figures.latency_chart(CARD).data
    np.testing.assert_allclose(half.x[:5], [0.3, 0.5, np.nan, -0.2, 0.0])
    np.testing.assert_array_equal(dots.x, CARD["latency"])
    windows = np.full((101, 3), np.nan)
    windows[:, 0] = np.linspace(0, 1, 101)
    most, half, dots = figures.latency_chart(CARD, windows).data
    np.testing.assert_allclose(most.x[:2], [0.05, 0.95])
    np.testing.assert_allclose(half.x[:2], [0.25, 0.75])
    np.testing.assert_allclose(dots.x, [0.5, np.nan, np.nan])


def test_charts_that_lack_their_columns_are_refused() -> None:
    with pytest.raises(ParameterError, match="'shape' or 'mean'"):
        figures.scorecard_chart(CARD[["p_fwer"]])
    with pytest.raises(ParameterError, match="'latency'"):
        figures.latency_chart(CARD[["shape"]])
    with pytest.raises(ParameterError, match="windows x 3"):
        figures.latency_chart(CARD, np.zeros((5, 2)))
    with pytest.raises(ParameterError, match="without signals"):
        figures.scorecard_chart(CARD.iloc[:0])


# ---------------------------------------------------------------- text


def test_text_is_safe_and_short() -> None:
    assert plain("<b>x</b> & y") == "&lt;b&gt;x&lt;/b&gt; &amp; y"
    assert short("a" * 100) == "a" * 16 + "…" + "a" * 9
    assert short("two\nlines") == "two lines"
    assert len(short("b" * 27)) == 26


def test_a_title_can_be_taken_out_as_plain_text() -> None:
    drawing = figures.time_course(TIME, WAVE, WAVE, name="a < b & c")
    height = drawing.layout.height
    assert untitled(drawing) == "a < b & c: participant over model"
    assert drawing.layout.title.text is None
    assert drawing.layout.height == height - 28


def test_without_plotly_a_figure_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(BackendError, match=r"openbitbox\[report\]"):
        figures.correlation_heatmap(np.zeros((1, 1)), "a", "b")
