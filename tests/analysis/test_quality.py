"""Imitation quality from end to end, on pairs of which the truth is known."""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from bitbox.analysis.quality import imitation_quality
from bitbox.analysis.result import ImitationQuality
from bitbox.errors import InputError, ParameterError, SchemaError, TooShortError
from bitbox.signals import Signals
from bitbox.social import imitation
from bitbox.statistics.inference import largest_z, likeness
from bitbox.statistics.surrogates import circular_shifts, smallest_shift
from bitbox.synthetic.signals import imitated_pair, independent_pair

COLUMNS = [
    "shape",
    "shape_fisher",
    "chance_mean",
    "chance_sd",
    "z",
    "p",
    "p_fwer",
    "q_fdr",
    "specific_p",
    "specific_p_fwer",
    "latency",
    "latency_q25",
    "latency_q75",
    "edge",
    "gain",
    "difference",
    "difference_chance",
    "difference_p",
    "windows",
    "coverage",
    "reverse_z",
    "p_follow",
    "reliability",
]


@pytest.fixture(scope="module")
def quality() -> ImitationQuality:
    participant, model, _ = imitated_pair(6, imitated=3, duration=60, delay=0.4, gain=0.7, seed=1)
    return imitation_quality(participant, model, n_surrogates=199, seed=1)


def test_the_table_has_the_promised_columns(quality: ImitationQuality) -> None:
    card = quality.scorecard
    assert list(card.columns) == COLUMNS
    assert card.index.name == "signal"
    assert list(card.index) == [f"s{k:02d}" for k in range(6)]
    assert list(quality.data_dictionary["column"]) == ["signal", *COLUMNS]
    assert card["windows"].dtype.kind == "i"


def test_what_is_imitated_is_found_and_nothing_else(quality: ImitationQuality) -> None:
    card = quality.scorecard
    assert (card["p_fwer"].iloc[:3] <= 0.05).all()
    assert (card["p_fwer"].iloc[3:] > 0.05).all()
    assert_allclose(card["latency"].iloc[:3], 0.4, atol=0.1)
    assert_allclose(card["gain"].iloc[:3], 0.7, atol=0.1)
    assert (card["latency_q25"] <= card["latency"])[:3].all()
    assert (card["latency"] <= card["latency_q75"])[:3].all()
    assert card[["latency", "latency_q25", "latency_q75", "gain"]].iloc[3:].isna().all(axis=None)
    assert (card[["specific_p", "specific_p_fwer", "p_follow"]].iloc[:3] <= 0.05).all(axis=None)
    assert (card["specific_p_fwer"].iloc[3:] > 0.05).all()
    assert (card["z"].iloc[:3] > card["reverse_z"].iloc[:3]).all()


def test_the_headline_says_it_in_one_sentence(quality: ImitationQuality) -> None:
    head = quality.headline
    assert (head.share, head.imitated, head.tested) == (0.5, 3, 6)
    assert head.median_z == pytest.approx(quality.scorecard["z"].median())
    assert str(head).startswith("The participant imitates the model (specificity of all movements")
    assert "3 of 6 signals are imitated beyond chance (50%" in str(head)
    assert head.specific_p == quality.specificity.p
    assert str(head) in repr(quality)
    assert "s00" in str(quality)


def test_the_table_follows_from_the_null(quality: ImitationQuality) -> None:
    card, null = quality.scorecard, quality.null
    assert null.shape == (199, 6)
    assert_allclose(card["chance_mean"], null.mean(axis=0))
    assert_allclose(card["chance_sd"], null.std(axis=0, ddof=1))
    reached = (null >= card["shape"].to_numpy()).sum(axis=0)
    # neighbouring shifts give nearly the same
    shifts = circular_shifts(quality.plan, 199)
    alike = likeness(null, shifts, smallest_shift(quality.plan))
    assert 2 <= alike.k <= 4
    assert_allclose(card["p"], (reached + (alike.k + 1) / 2) / (199 + alike.k))
    largest = largest_z(card["shape"].to_numpy(), null, alike)
    b = (largest[:, None] >= card["z"].to_numpy()).sum(axis=0)
    assert_allclose(card["p_fwer"], (b + (alike.k + 1) / 2) / (199 + alike.k), rtol=1e-3)
    assert quality.least_p_fwer == pytest.approx(card["p_fwer"].min(), rel=1e-3)


def test_shape_is_the_mean_of_the_raw_matrix_where_every_window_counts() -> None:
    participant, model, _ = independent_pair(3, duration=30, process="white", seed=2)
    for polarity in (False, True):
        found = imitation_quality(participant, model, polarity=polarity, n_surrogates=19, seed=0)
        assert (found.scorecard["windows"] == found.plan.n_windows).all()
        assert found.matrix.mean.shape == (3, 3)
        if not polarity:
            assert_allclose(found.scorecard["shape"], np.diag(found.matrix.mean), atol=1e-6)
        else:
            assert (found.scorecard["shape"] > np.diag(found.matrix.mean)).all()


def test_same_seed_same_table(quality: ImitationQuality) -> None:
    participant, model, _ = imitated_pair(6, imitated=3, duration=60, delay=0.4, gain=0.7, seed=1)
    again = imitation_quality(participant, model, n_surrogates=199, seed=1, threads=1)
    pd.testing.assert_frame_equal(again.scorecard, quality.scorecard, check_exact=True)
    other = imitation_quality(participant, model, n_surrogates=199)
    assert other.seed != 1
    repeated = imitation_quality(participant, model, n_surrogates=199, seed=other.seed)
    pd.testing.assert_frame_equal(repeated.scorecard, other.scorecard, check_exact=True)


def test_what_was_done_is_recorded(quality: ImitationQuality) -> None:
    parameters = quality.provenance["parameters"]
    assert parameters["seed"] == quality.seed == 1
    assert (parameters["width"], parameters["step"], parameters["lag"]) == (2.0, 1.0, 1.2)
    assert parameters["fps"] == pytest.approx(30)
    assert parameters["n_surrogates"] == 199
    assert quality.provenance["versions"]["bitbox"]


def test_opposite_movement_is_imitation_with_polarity_only() -> None:
    participant, model, _ = imitated_pair(2, duration=60, gain=-0.8, process="autocorrelated")
    plain = imitation_quality(participant, model, n_surrogates=99, seed=0).scorecard
    either = imitation_quality(participant, model, polarity=True, n_surrogates=99, seed=0).scorecard
    assert (plain["p"] > 0.2).all()
    assert (either["p"] <= 0.02).all()
    assert_allclose(either["gain"], -0.8, atol=0.15)


def test_a_leader_is_not_an_imitator() -> None:
    participant, model, _ = imitated_pair(3, duration=60, delay=-0.6, seed=4)
    card = imitation_quality(participant, model, n_surrogates=99, seed=0).scorecard
    assert (card["reverse_z"] > card["z"] + 1).all()


def test_only_the_named_signals_are_tested(quality: ImitationQuality) -> None:
    participant, model, _ = imitated_pair(6, imitated=3, duration=60, delay=0.4, gain=0.7, seed=1)
    found = imitation_quality(participant, model, signals=["s04", "s01"], n_surrogates=199, seed=1)
    assert list(found.scorecard.index) == ["s04", "s01"]
    kept = ["shape", "z", "latency", "gain", "reverse_z"]
    # how many shifts are worth one is estimated from all tested signals together
    assert_allclose(found.scorecard["p"], quality.scorecard.loc[["s04", "s01"], "p"], rtol=0.05)
    pd.testing.assert_frame_equal(
        found.scorecard[kept], quality.scorecard.loc[["s04", "s01"], kept]
    )
    assert found.matrix.mean.shape == (6, 6)
    assert found.headline.tested == 2


def test_a_signal_that_never_moves_is_not_tested() -> None:
    participant, model, _ = imitated_pair(3, duration=30, seed=5)
    values = participant.values.copy()
    values[:, 1] = 3.0
    still = participant.replace(values=values)
    found = imitation_quality(still, model, n_surrogates=99, seed=0)
    card = found.scorecard
    assert card.loc["s01"].drop(["windows", "coverage"]).isna().all()
    assert card.loc["s01", "windows"] == 0
    assert found.headline.tested == 2
    alone = imitation_quality(still, model, signals=["s00", "s02"], n_surrogates=99, seed=0)
    pd.testing.assert_frame_equal(alone.scorecard, card.loc[["s00", "s02"]])


def test_nothing_to_test_is_said() -> None:
    _, model, _ = imitated_pair(2, duration=30, seed=5)
    still = model.replace(values=np.zeros_like(model.values))
    found = imitation_quality(still, model, n_surrogates=19, seed=0)
    assert np.isnan(found.headline.share)
    assert "No signal could be tested" in str(found.headline)


def test_lost_frames_stay_lost() -> None:
    participant, model, _ = imitated_pair(3, duration=60, seed=6)
    values = participant.values.copy()
    values[300:900] = np.nan
    gappy = participant.replace(values=values)
    whole = imitation_quality(participant, model, n_surrogates=99, seed=0).scorecard
    card = imitation_quality(gappy, model, n_surrogates=99, seed=0).scorecard
    assert_allclose(card["coverage"], 2 / 3)
    assert (card["windows"] < 0.75 * whole["windows"]).all()
    assert (card["p"] <= 0.05).all()


@pytest.mark.parametrize("surrogate", ["segments", "phase"])
def test_other_surrogates_find_it_too(surrogate: str) -> None:
    participant, model, _ = imitated_pair(4, imitated=2, duration=90, seed=7)
    found = imitation_quality(participant, model, surrogate=surrogate, n_surrogates=99, seed=0)  # type: ignore[arg-type]
    assert found.null.shape == (99, 4)
    assert (found.scorecard["p_fwer"].iloc[:2] <= 0.05).all()
    assert (found.scorecard["p_fwer"].iloc[2:] > 0.05).all()


def test_other_recordings_as_surrogates() -> None:
    participant, model, _ = imitated_pair(3, imitated=2, duration=60, seed=8)
    others = [independent_pair(3, duration=50, process="bursts", seed=k).model for k in range(20)]
    others[3] = others[3].shifted(100.0)
    found = imitation_quality(participant, model, surrogate="pairs", others=others, seed=0)
    assert found.null.shape == (20, 3)
    assert (found.scorecard["p"].iloc[:2] <= 2 / 21 + 1e-12).all()
    assert found.scorecard["p"].iloc[2] > 0.1
    assert_allclose(found.scorecard["p"] * 21, (found.scorecard["p"] * 21).round())
    with pytest.raises(ParameterError, match="other recordings"):
        imitation_quality(participant, model, surrogate="pairs", others=others[:5])


def test_phases_cannot_be_randomised_with_gaps() -> None:
    participant, model, _ = imitated_pair(2, duration=30, seed=9)
    values = model.values.copy()
    values[40, 1] = np.nan
    with pytest.raises(InputError, match="1 of 900 frames"):
        imitation_quality(
            participant, model.replace(values=values), surrogate="phase", n_surrogates=19
        )


def test_landmarks_are_vectors() -> None:
    participant, model, _ = imitated_pair(6, duration=30, seed=10)
    names = tuple(f"{c}{k}" for k in range(3) for c in "xy")

    def as_landmarks(signals: Signals) -> Signals:
        return signals.replace(names=names, kind="landmark", dimension=2, schema="ibug51")

    card = imitation_quality(
        as_landmarks(participant), as_landmarks(model), n_surrogates=99, seed=0
    ).scorecard
    assert list(card.index) == ["landmark 0", "landmark 1", "landmark 2"]
    assert (card["p"] <= 0.025).all()  # as small as it can be here
    assert_allclose(card["gain"], 0.7, atol=0.15)


def test_errors_say_what_is_wrong() -> None:
    participant, model, _ = imitated_pair(2, duration=30, seed=11)
    short = model.replace(values=model.values[:200], time=model.time[:200])
    with pytest.raises(TooShortError, match=r"at least 10\.17 s"):
        imitation_quality(participant, short)
    with pytest.raises(SchemaError, match="no signal in common"):
        imitation_quality(participant, model.replace(names=("a", "b")))
    with pytest.raises(ParameterError, match="must be signals that both"):
        imitation_quality(participant, model, signals=["smile"])
    with pytest.raises(ParameterError, match="surrogate"):
        imitation_quality(participant, model, surrogate="shuffle")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="number of surrogates"):
        imitation_quality(participant, model, n_surrogates=0)
    with pytest.raises(ParameterError, match="seed"):
        imitation_quality(participant, model, seed=-1)


def test_progress_is_told_and_can_interrupt() -> None:
    participant, model, _ = imitated_pair(5, duration=30, seed=12)
    told: list[tuple[str, int, int | None]] = []
    imitation_quality(participant, model, n_surrogates=19, progress=lambda *args: told.append(args))
    assert ("Comparing with chance", 5, 5) in told

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        imitation_quality(participant, model, n_surrogates=19, progress=stop)
    assert threading.active_count() <= before + 1


def test_a_result_can_be_kept(quality: ImitationQuality) -> None:
    again = pickle.loads(pickle.dumps(quality))  # noqa: S301
    pd.testing.assert_frame_equal(again.scorecard, quality.scorecard)
    with pytest.raises(AttributeError):
        quality.seed = 2  # type: ignore[misc]


def test_matching_signals_match_better_than_others(quality: ImitationQuality) -> None:
    specific = quality.specificity
    assert specific is not None
    means = quality.matrix.mean
    off = means[~np.eye(6, dtype=bool)]
    assert_allclose(specific.matched, np.diag(means).mean(), atol=1e-6)
    assert_allclose(specific.mismatched, off.mean(), atol=1e-6)
    assert specific.p <= 0.02  # as small as it can be here
    assert specific.z > 2
    one = imitation_quality(
        *imitated_pair(6, imitated=3, duration=60, delay=0.4, gain=0.7, seed=1)[:2],
        signals=["s00"],
        n_surrogates=19,
    )
    assert one.specificity is None


def test_the_whole_matrix_can_be_tested() -> None:
    participant, model, _ = imitated_pair(4, imitated=2, duration=60, seed=3)
    found = imitation_quality(participant, model, matrix_test=True, n_surrogates=99, seed=0)
    assert found.pairs is not None
    table = found.pairs.to_frame()
    assert len(table) == 16
    hits = table[table["p_fwer"] <= 0.05]
    assert list(zip(hits["participant_signal"], hits["model_signal"], strict=True)) == [
        ("s00", "s00"),
        ("s01", "s01"),
    ]
    assert_allclose(np.diag(found.pairs.z), found.scorecard["z"], atol=0.5)


def test_methods_name_what_was_done(quality: ImitationQuality) -> None:
    text = quality.methods()
    for part in ("199 surrogates", "windows of 2 s", "0 to 1.2 s", "seed"):
        assert part in text
    assert "Boker" in text
    assert "Prichard" not in text
    participant, model, _ = imitated_pair(2, duration=30, seed=3)
    other = imitation_quality(
        participant, model, surrogate="phase", polarity=True, causality=False, n_surrogates=19
    ).methods()
    assert "Prichard, D." in other
    assert "largest absolute correlation" in other
    assert "either way" in other


def test_the_table_follows_from_the_windows(quality: ImitationQuality) -> None:
    windows, card = quality.windows, quality.scorecard
    assert len(windows) == 6 * quality.plan.n_windows
    counted = windows[windows["counts"]].groupby("signal")
    assert_allclose(counted["r"].mean(), card["shape"])
    assert_allclose(counted.size(), card["windows"])
    telling = windows[windows["telling"]].groupby("signal")["latency"]
    assert_allclose(telling.median()[:3], card["latency"][:3])
    assert_allclose(telling.quantile(0.75)[:3], card["latency_q75"][:3])
    assert windows["latency"].between(0, 1.2).all()
    assert windows["time"].min() == pytest.approx(1.2 + 59 / 60)


def test_every_pair_is_correlated_once_and_the_clock_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bitbox.analysis import options as clock
    from bitbox.analysis import pair as shared

    calls: list[str] = []
    for module, name in ((shared, "correlate"), (clock, "prepare")):
        one = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *a, _one=one, _name=name, **k: calls.append(_name) or _one(*a, **k)
        )
    participant, model, _ = imitated_pair(3, duration=30, seed=1)
    found = imitation_quality(participant, model, n_surrogates=19, every_window=True, seed=1)
    assert sorted(calls) == ["correlate", "prepare"]
    values, lags = found.matrix
    assert values.shape == lags.shape == (found.plan.n_windows, 3, 3)
    alone = imitation(participant, model, width=2.0, lag=1.2, polarity=False, stats=False)
    np.testing.assert_array_equal(values, alone.values)
    np.testing.assert_array_equal(found.aligned.model.values, model.values)


@pytest.mark.parametrize("polarity", [False, True])
def test_the_matrix_is_that_of_imitation(polarity: bool) -> None:
    participant, model, _ = imitated_pair(4, imitated=2, duration=30, seed=1)
    found = imitation_quality(participant, model, n_surrogates=19, seed=1, polarity=polarity)
    alone = imitation(participant, model, width=2.0, lag=1.2, polarity=polarity)
    for name in ("mean", "std", "lag", "n_valid", "mean_abs"):
        np.testing.assert_array_equal(getattr(found.matrix, name), getattr(alone, name))
    assert found.matrix.provenance["parameters"]["polarity"] == polarity
    # of some signals, in another order: their part of the whole matrix
    some = imitation_quality(
        participant, model, signals=["s02", "s00"], n_surrogates=19, seed=1, polarity=polarity
    )
    assert some.matrix.mean.shape == (4, 4)
    own = (alone.mean_abs if polarity else alone.mean)[np.ix_([2, 0], [2, 0])]
    assert some.specificity is not None
    assert some.specificity.matched == pytest.approx(np.diag(own).mean())


def cut(signals: Signals, seconds: float) -> Signals:
    frames = round(seconds * 30)
    return signals.replace(values=signals.values[:frames], time=signals.time[:frames])


@pytest.mark.parametrize("seconds", [10.5, 14.0, 17.9])
def test_what_is_too_short_to_tell_is_not_called_none(seconds: float) -> None:
    """An exact copy: nothing could be more alike, and nothing reached 0.05 all the same."""
    model = cut(imitated_pair(32, duration=40, process="autocorrelated", seed=3).model, seconds)
    found = imitation_quality(model, model, seed=1, matrix_test=seconds < 11)
    card, head = found.scorecard, found.headline
    assert (card["z"] > 3).all()
    assert card[["p", "p_fwer", "q_fdr"]].isna().all(axis=None)
    assert head.too_short
    assert np.isnan(head.share)
    assert head.tested == 32
    assert str(head).startswith(f"Too short to tell: in {seconds:.1f} s")
    assert f"about {head.enough:.0f} s would be enough" in str(head)
    assert "0 of 32" not in str(head)
    assert np.isnan(found.least_p_fwer)
    if found.pairs is not None:
        assert np.isnan(found.pairs.p).all()
        assert np.isnan(found.pairs.p_fwer).all()
    assert found.specificity is not None
    assert "too short to tell" in str(found.specificity)
    assert "cannot be told" in found.methods()
    codes = [finding.code for finding in found.findings]
    assert "too-short-to-tell" in codes
    assert "untested-signals" not in codes
    # and what is said to be enough is enough
    longer = cut(
        imitated_pair(32, duration=40, process="autocorrelated", seed=3).model, head.enough + 0.1
    )
    enough = imitation_quality(longer, longer, seed=1).headline
    assert enough.share == 1.0
    assert not enough.too_short


def test_narrow_windows_can_tell_what_wide_ones_cannot() -> None:
    model = cut(imitated_pair(32, duration=40, process="autocorrelated", seed=3).model, 12.0)
    assert imitation_quality(model, model, seed=1).headline.too_short
    narrow = imitation_quality(model, model, seed=1, width=1.0, lag=0.5).headline
    assert (narrow.in_time, narrow.tested) == (32, 32)
    assert narrow.imitated >= 30


def test_no_test_at_all_says_what_would_be_enough_too() -> None:
    model = cut(imitated_pair(2, duration=30, seed=1).model, 9.0)
    with pytest.raises(TooShortError, match=r"less than about 19 s"):
        imitation_quality(model, model)


@pytest.mark.parametrize(("seconds", "width", "lag"), [(20.0, 2.0, 1.2), (12.0, 1.0, 0.5)])
def test_p_is_right_in_short_recordings(seconds: float, width: float, lag: float) -> None:
    """`validation/short_recordings.py` does the same with more recordings and movements."""
    p, simple = [], []
    for seed in range(15):
        pair = independent_pair(20, duration=seconds, process="bursts", seed=500 + seed)
        found = imitation_quality(pair.participant, pair.model, width=width, lag=lag, seed=1)
        null, shape = found.null, found.scorecard["shape"].to_numpy()
        p += list(found.scorecard["p"])
        simple += list(((null >= shape).sum(axis=0) + 1) / (len(null) + 1))
    rejected = int(np.sum(np.array(p) <= 0.05))
    assert stats.binomtest(rejected, len(p), 0.05, alternative="greater").pvalue > 0.01
    assert rejected / len(p) > 0.02
    assert np.mean(np.array(simple) <= 0.05) > rejected / len(p)


def _measured(signals: Signals, **reliability: float) -> Signals:
    return replace(signals, provenance={**signals.provenance, "reliability": reliability})


@pytest.fixture(scope="module")
def rated() -> tuple[Signals, Signals]:
    """Two people, one of whose signals is known to be measured badly."""
    participant, model, _ = imitated_pair(4, imitated=4, duration=60, delay=0.4, seed=3)
    return _measured(participant, s00=0.9, s01=0.7, s02=0.9), _measured(model, s00=0.8, s01=0.5)


@pytest.fixture(scope="module")
def judged(rated: tuple[Signals, Signals]) -> ImitationQuality:
    return imitation_quality(*rated, n_surrogates=99, seed=1)


class TestSignalsThatAreKnownToBeMeasuredBadly:
    def test_are_shown_with_what_is_known(self, judged: ImitationQuality) -> None:
        card = judged.scorecard
        assert_allclose(card["reliability"], [0.8, 0.5, 0.9, np.nan])
        assert (card["shape"] > 0.5).all()
        assert card.loc["s01", "latency"] == pytest.approx(0.4, abs=0.1)

    def test_are_not_tested_and_do_not_count(self, rated, judged: ImitationQuality) -> None:
        card = judged.scorecard
        assert card.loc["s01", ["z", "p", "p_fwer", "q_fdr", "reverse_z"]].isna().all()
        assert (judged.headline.imitated, judged.headline.tested) == (3, 3)
        rest = imitation_quality(*rated, signals=["s00", "s02", "s03"], n_surrogates=99, seed=1)
        columns = ["z", "p_fwer", "q_fdr"]
        # how alike shifts are is estimated from all signals, hence nearly
        assert_allclose(card.loc[rest.scorecard.index, columns], rest.scorecard[columns], rtol=0.05)

    def test_may_be_said_so_by_name_whatever_their_r(self, rated) -> None:
        participant, model = rated
        said = {**participant.provenance, "unreliable": ["s02", "gone", 3]}
        participant = replace(participant, provenance=said)
        assert participant.unreliable == ("s02", "gone")
        quality = imitation_quality(participant, model, n_surrogates=99, seed=1)
        assert quality.scorecard["p"].isna().tolist() == [False, True, True, False]
        assert replace(participant, provenance={"unreliable": "s02"}).unreliable == ()

    def test_are_named_by_a_finding(self, judged: ImitationQuality) -> None:
        (finding,) = (f for f in judged.findings if f.code == "unreliable-signals")
        assert finding.message.startswith("s01 cannot be measured")
        assert "untested-signals" not in {f.code for f in judged.findings}

    def test_are_tested_by_who_names_them(self, rated) -> None:
        card = imitation_quality(*rated, signals=["s01"], n_surrogates=99, seed=1).scorecard
        assert card.loc["s01", "p_fwer"] <= 0.05
        assert card.loc["s01", "reliability"] == 0.5

    def test_are_tested_where_there_is_nothing_better(self, rated) -> None:
        worst = [one.select(["s01"]) for one in rated]
        assert imitation_quality(*worst, n_surrogates=99, seed=1).headline.tested == 1

    def test_what_a_file_of_others_says_is_looked_at(self) -> None:
        strange = {"reliability": {"s00": "good", "s01": 7, "s02": 0.5}}
        participant, _, _ = imitated_pair(3, duration=20, seed=3)
        assert replace(participant, provenance=strange).reliability == {"s02": 0.5}
        assert replace(participant, provenance={"reliability": [1]}).reliability == {}


def test_other_recordings_that_are_the_models_own_are_refused() -> None:
    participant, model, _ = imitated_pair(3, duration=60, seed=1)
    with pytest.raises(ParameterError, match="is the model's own"):
        imitation_quality(participant, model, surrogate="pairs", others=[model] * 25)
    with pytest.raises(ParameterError, match="is the participant's own"):
        imitation_quality(
            participant, model, surrogate="pairs", others=[participant] * 25, role="participant"
        )
    with pytest.raises(ParameterError, match="Whose place"):
        imitation_quality(participant, model, role="nobody")  # type: ignore[arg-type]


def test_others_can_stand_in_for_the_participant() -> None:
    participant, model, _ = imitated_pair(3, imitated=2, duration=60, seed=1)
    others = [
        independent_pair(3, duration=60, process="bursts", seed=k).participant
        for k in range(2, 41)
    ]  # fmt: skip
    found = imitation_quality(
        participant, model, surrogate="pairs", others=others, role="participant"
    )
    assert (found.scorecard["p_fwer"].iloc[:2] <= 0.05).all()
    assert (found.scorecard["p_fwer"].iloc[2:] > 0.05).all()
    assert found.headline.specific_p <= 0.05
    assert found.specificity is not None
    assert found.specificity.n_surrogates == 39
    assert "took the participant's place" in found.methods()
    assert "others-as-chance" in {finding.code for finding in found.findings}


def test_following_needs_more_than_being_in_time() -> None:
    """Who moves at the very same time follows no more than is followed."""
    participant, model, _ = imitated_pair(4, duration=90, delay=0.0, seed=5)
    found = imitation_quality(participant, model, n_surrogates=199, seed=1)
    assert (found.scorecard["p_fwer"] <= 0.05).all()
    assert (found.scorecard["p_follow"] > 0.05).all()
    assert "both-directions" in {finding.code for finding in found.findings}
    free = imitation_quality(participant, model, causality=False, n_surrogates=199, seed=1)
    assert free.scorecard["p_follow"].isna().all()
