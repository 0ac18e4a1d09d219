"""Imitation in trials, on recordings of which it is known what the participant did."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bitbox.analysis.trial_result import ImitationTrials
from bitbox.errors import ParameterError
from bitbox.signals import Signals
from bitbox.social import imitation_trials
from bitbox.statistics.trials import Responses, exchange_trials, responses
from bitbox.synthetic.signals import movements

UNITS, FPS = 6, 30.0
SHOWN = {"smile": (0, 1), "frown": (2,), "pout": (3, 4), "wink": (5,)}
Trials = list[tuple[float, float, str]]


def signals(values: np.ndarray[Any, Any]) -> Signals:
    time = np.arange(len(values)) / FPS
    names = tuple(f"u{k}" for k in range(values.shape[1]))
    return Signals(
        values, time, names, kind="expression", schema="synthetic", units="SD", backend="synthetic"
    )


def recorded(
    does: str, n: int = 12, delay: float = 0.5, seed: int = 0
) -> tuple[Signals, Signals, Trials]:
    """Return participant, model and trials; who imitates, or does the same each time."""
    rng = np.random.default_rng(seed)
    onsets = 2.0 + 6.0 * np.arange(n)
    time = np.arange(round((onsets[-1] + 6) * FPS)) / FPS
    both = [
        0.15 * movements("bursts", len(time), UNITS, FPS, rng)
        + 0.03 * rng.standard_normal((len(time), UNITS))
        for _ in range(2)
    ]
    trials: Trials = []
    labels = rng.permutation([list(SHOWN)[k % 4] for k in range(n)])
    for onset, label in zip(onsets, labels, strict=True):
        length = rng.uniform(2, 3.5)
        trials.append((float(onset), float(onset + length), str(label)))
        units = list(SHOWN[str(label)])
        answers = {"imitates": units, "smiles": [0, 1], "whole": list(range(UNITS))}[does]
        for who, start, moved in ((0, onset + delay, answers), (1, onset, units)):
            phase = np.clip((time - start) / length, 0, 1)
            both[who][:, moved] += 0.5 - 0.5 * np.cos(2 * np.pi * phase)[:, None]
    return signals(both[0]), signals(both[1]), trials


@pytest.fixture(scope="module")
def imitated() -> ImitationTrials:
    return imitation_trials(*recorded("imitates"), seed=1, n_permutations=499)


def test_imitation_is_found(imitated: ImitationTrials) -> None:
    assert imitated.overall_p == pytest.approx(1 / 500)
    assert imitated.headline.startswith("The participant imitates what is shown (12 trials")
    card, table = imitated.scorecard, imitated.trials
    assert (card["p_fwer"] <= 0.05).sum() >= 4
    assert (card["p"] <= card["p_fwer"] + 1e-12).all()
    assert table["hit"].sum() >= 10
    hits = table[table["hit"].astype(bool)]
    assert hits["latency"].median() == pytest.approx(0.5, abs=0.1)
    assert hits["gain"].median() == pytest.approx(1.0, abs=0.25)
    assert (table["score"] > 0).sum() >= 10
    assert "Harris" in imitated.methods()
    assert "12 trials" in imitated._repr_html_()


@pytest.mark.parametrize("does", ["smiles", "whole"])
def test_doing_the_same_whenever_prompted_is_no_imitation(does: str) -> None:
    false = 0
    for seed in range(8):
        found = imitation_trials(*recorded(does, seed=seed), seed=1, n_permutations=199)
        false += found.overall_p <= 0.05
        if found.overall_p > 0.05:
            assert found.trials[["latency", "gain"]].isna().all(axis=None)
            assert found.headline.startswith("It is not shown")
    assert false <= 2


def test_a_leader_has_a_negative_latency() -> None:
    found = imitation_trials(*recorded("imitates", delay=-0.4), latency=(-1, 1), seed=1)
    assert found.trials["latency"].median() == pytest.approx(-0.4, abs=0.15)


def test_latencies_at_the_edge_are_pointed_out() -> None:
    found = imitation_trials(*recorded("imitates", delay=1.2), latency=(-0.2, 0.8), seed=1)
    assert "latency-at-edge" in {finding.code for finding in found.findings}


def test_the_same_seed_gives_the_same(imitated: ImitationTrials) -> None:
    again = imitation_trials(*recorded("imitates"), seed=1, n_permutations=499)
    pd.testing.assert_frame_equal(again.scorecard, imitated.scorecard)
    pd.testing.assert_frame_equal(again.trials, imitated.trials)


def test_trials_come_in_many_forms(tmp_path: Path, imitated: ImitationTrials) -> None:
    participant, model, trials = recorded("imitates")
    table = pd.DataFrame(trials, columns=["onset", "offset", "label"])
    bids = table.assign(duration=table["offset"] - table["onset"], trial_type=table["label"])
    bids = bids[["onset", "duration", "trial_type"]]
    file = tmp_path / "events.tsv"
    bids.to_csv(file, sep="\t", index=False)
    for given in (table, bids, file, str(file), list(map(tuple, trials))):
        found = imitation_trials(participant, model, given, seed=1, n_permutations=499)
        np.testing.assert_allclose(found.scorecard["p"], imitated.scorecard["p"])


def test_clips_are_trials() -> None:
    participant, model, trials = recorded("imitates")
    clips: tuple[list[Signals], list[Signals]] = ([], [])
    for onset, _, _ in trials:
        rows = slice(round((onset - 1) * FPS), round((onset + 4.5) * FPS))
        for kept, whole in zip(clips, (participant, model), strict=True):
            kept.append(signals(whole.values[rows]))
    labels = [label for _, _, label in trials]
    found = imitation_trials(*clips, labels, seed=1)
    assert found.overall_p <= 0.001
    assert found.trials["latency"].median() == pytest.approx(0.5, abs=0.1)
    with pytest.raises(ParameterError, match="come in pairs"):
        imitation_trials(clips[0], clips[1][:3], labels)
    with pytest.raises(ParameterError, match="12 labels"):
        imitation_trials(*clips, labels[:3])


def test_designs_that_tell_nothing_are_refused() -> None:
    participant, model, trials = recorded("imitates")
    with pytest.raises(ParameterError, match="All 12 trials show the same"):
        imitation_trials(participant, model, [(a, b, "smile") for a, b, _ in trials])
    same = recorded("imitates", seed=3)[1]
    values = same.values.copy() * 0.1
    for onset, offset, _ in trials:
        rows = slice(round(onset * FPS), round(offset * FPS))
        values[rows, :2] += np.sin(np.linspace(0, np.pi, len(values[rows])))[:, None] ** 2
    with pytest.raises(ParameterError, match="moves in the same way in all trials"):
        imitation_trials(participant, signals(values), [(a, b) for a, b, _ in trials])
    with pytest.raises(ParameterError, match="too few trials"):
        imitation_trials(participant, model, trials[:3])
    with pytest.raises(ParameterError, match="Too few trials can be used"):
        imitation_trials(participant, model, [(a + 500, b + 500, c) for a, b, c in trials])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latency": (1.0, 0.0)}, "latencies make no sense"),
        ({"latency": 1.0}, "latencies make no sense"),
        ({"latency": (0.01, 0.02)}, "No frame lies within"),
        ({"n_permutations": 5}, "number of permutations"),
        ({"seed": -1}, "seed makes no sense"),
        ({"strata": [1, 2]}, "strata don't fit"),
        ({"strata": "block"}, "strata don't fit"),
        ({"trials": [(1.0,)] * 5}, "Trial 1 is no trial"),
        ({"trials": [(1.0, 1.0, "a")] * 5}, "Trial 1 has no length"),
        ({"trials": [("x", 1.0, "a")] * 5}, "numbers of seconds"),
        (
            {"trials": [(k % 4, k % 4 + 1.0, f"{k % 2}") for k in range(6)]},
            "Trials 1 and 5 are at the same time",
        ),
    ],
)
def test_what_makes_no_sense(change: dict[str, Any], message: str) -> None:
    participant, model, trials = recorded("imitates", n=4)
    options: dict[str, Any] = {"trials": trials} | change
    with pytest.raises(ParameterError, match=message):
        imitation_trials(participant, model, **options)


def test_few_trials_give_no_p_and_say_so() -> None:
    participant, model, trials = recorded("imitates", n=4)
    two = [(a, b, "left" if k < 2 else "right") for k, (a, b, _) in enumerate(trials)]
    found = imitation_trials(participant, model, two, seed=1)
    assert np.isnan(found.overall_p)
    assert found.scorecard[["p", "p_fwer", "q_fdr"]].isna().all(axis=None)
    assert "cannot be told from these 4 trials" in found.headline
    codes = {finding.code for finding in found.findings}
    assert {"too-few-trials", "blocked-order"} <= codes


def test_missing_trials_are_said_and_not_made_up() -> None:
    participant, model, trials = recorded("imitates")
    values = participant.values.copy()
    rows = slice(round((trials[2][0] - 2) * FPS), round((trials[2][1] + 3) * FPS))
    values[rows] = np.nan
    found = imitation_trials(participant.replace(values=values), model, trials, seed=1)
    assert found.trials["score"].isna().tolist() == [k == 2 for k in range(12)]
    assert found.trials["hit"].isna().sum() == 1
    assert (found.scorecard["trials"] == 11).all()
    assert "number 3)" in {f.code: f.message for f in found.findings}["unused-trials"]
    assert found.overall_p <= 0.001


def test_one_signal_alone_is_said_to_tell_less() -> None:
    found = imitation_trials(*recorded("imitates"), signals=["u0"], seed=1)
    assert "specificity-untold" in {finding.code for finding in found.findings}
    assert found.overall_p <= 0.05


def test_few_trials_are_enumerated_within_strata() -> None:
    """All orders within two strata of three, against plain loops."""
    rng = np.random.default_rng(0)
    found = Responses(rng.normal(size=(6, 3, 1)), rng.normal(size=(6, 3, 1)), np.zeros(6))
    strata = np.array([0, 0, 0, 1, 1, 1])
    test = exchange_trials(found, list("abcdef"), strata, 100, rng)
    assert (test.exact, test.n_permutations, test.arrangements) == (True, 36, 36)

    def standard(sizes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        away = sizes[:, :, 0].copy()
        for part in (slice(0, 3), slice(3, 6)):
            away[part] -= away[part].mean(axis=0)
        return away / np.sqrt((away**2).mean(axis=0))

    a, b = standard(found.participant), standard(found.model)
    a = a - a.mean(axis=1, keepdims=True)
    orders = itertools.product(
        itertools.permutations(range(3)), itertools.permutations(range(3, 6))
    )
    null = np.array([(a[[*one, *two]] * b).sum(axis=0) for one, two in orders])
    np.testing.assert_allclose(test.p, (null >= null[0] - 1e-9).mean(axis=0))
    whole = null.sum(axis=1)
    assert test.overall_p == pytest.approx((whole >= whole[0] - 1e-9).mean())


def test_the_lag_and_the_size_of_a_response() -> None:
    """A copy of the model, 7 frames late and 0.6 times as large."""
    rng = np.random.default_rng(1)
    y = np.zeros((200, 3, 1))
    y[80:120, 0, 0] = np.sin(np.linspace(0, np.pi, 40)) ** 2
    y += 1e-3 * rng.normal(size=y.shape)
    x = 0.6 * np.roll(y, 7, axis=0)
    found = responses(x, y, [(70, 130)], np.arange(-5, 20))
    assert found.lag[0] == 7
    np.testing.assert_allclose(found.participant[0], 0.6 * found.model[0], atol=1e-9)
