"""Left with left, or as in a mirror: both senses of imitation, and what the choice costs."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.analysis.quality import imitation_quality
from bitbox.analysis.result import ImitationQuality
from bitbox.errors import ParameterError, SchemaError
from bitbox.signals import Signals
from bitbox.social import coordination, imitation
from bitbox.synthetic.signals import imitated_pair, independent_pair

NAMES = ("smile_left", "smile_right", "brow_left", "brow_right", "jaw")


def named(signals: Signals, names: tuple[str, ...] = NAMES) -> Signals:
    return signals.replace(names=names, schema="own")


@pytest.fixture(scope="module")
def pair() -> tuple[Signals, Signals]:
    """Left imitates left."""
    participant, model, _ = imitated_pair(5, imitated=4, duration=60, seed=2)
    return named(participant), named(model)


def quality(participant: Signals, model: Signals, mirror: str = "no", **more) -> ImitationQuality:
    named_too = {"n_surrogates": 99, "seed": 1} | more
    return imitation_quality(participant, model, mirror=mirror, **named_too)


def codes(result: ImitationQuality) -> set[str]:
    return {finding.code for finding in result.findings}


def test_a_mirrored_model_is_compared_in_the_mirror(pair) -> None:
    participant, model = pair
    plain, specular = quality(participant, model), quality(participant, model.mirrored(), "yes")
    assert specular.scorecard.equals(plain.scorecard)
    np.testing.assert_array_equal(specular.matrix.mean, plain.matrix.mean)
    assert specular.provenance["parameters"]["mirror"] == "yes"
    assert specular.provenance["parameters"]["sense"] == "specular"
    assert "specular imitation" in specular.methods()
    assert "anatomical or transposed imitation" in plain.methods()


def test_the_other_sense_is_pointed_out_where_it_fits(pair) -> None:
    participant, model = pair
    assert "other-sense-fits" not in codes(quality(participant, model))
    assert "other-sense-fits" not in codes(quality(participant, model.mirrored(), "yes"))
    for result in (
        quality(participant, model.mirrored()),
        quality(participant, model, "yes"),
    ):
        (found,) = [f for f in result.findings if f.code == "other-sense-fits"]
        assert found.severity == "warning"
        assert "mirror='either'" in found.todo


@pytest.mark.parametrize("surrogate", ["circular", "segments", "phase"])
def test_either_takes_the_sense_that_fits(pair, surrogate: str) -> None:
    participant, model = pair
    for shown, sense in ((model, "anatomical"), (model.mirrored(), "specular")):
        result = quality(participant, shown, "either", surrogate=surrogate)
        own = quality(
            participant, shown, "yes" if sense == "specular" else "no", surrogate=surrogate
        )
        assert result.provenance["parameters"]["sense"] == sense
        assert sense in next(f.message for f in result.findings if f.code == "sense-chosen")
        np.testing.assert_array_equal(result.scorecard["shape"], own.scorecard["shape"])
        np.testing.assert_array_equal(result.matrix.mean, own.matrix.mean)
        # the choice costs: chance is stronger where a side is, and as it was where none is
        higher = result.scorecard["chance_mean"] - own.scorecard["chance_mean"]
        assert higher.iloc[:4].mean() > 0
        assert higher["jaw"] == pytest.approx(0, abs=1e-12)
        assert result.specificity.p == pytest.approx(min(1, 2 * own.specificity.p))
        assert "Both senses of imitation were tested" in result.methods()


def test_either_is_calibrated() -> None:
    """Where there is no imitation, p is as it should be although the better sense was kept."""
    n, hits, p = 40, 0, []
    for seed in range(n):
        participant, model = independent_pair(5, duration=45, seed=seed)[:2]
        found = quality(named(participant), named(model), "either", lag=0.6, width=1.5)
        hits += bool((found.scorecard["p_fwer"] <= 0.05).any())
        p += found.scorecard["p"].iloc[:4].tolist()
    assert hits <= 6  # 2 expected; 7 or more happen once in 200 such tests
    assert np.mean(p) > 0.45
    assert np.mean(np.array(p) <= 0.2) < 0.27


def test_the_finding_is_seldom_wrong() -> None:
    wrong = 0
    for seed in range(20):
        participant, model = independent_pair(5, duration=45, seed=seed)[:2]
        wrong += "other-sense-fits" in codes(quality(named(participant), named(model)))
    assert wrong <= 1


def test_others_are_mirrored_as_the_model_is(pair) -> None:
    participant, model = pair
    others = [named(independent_pair(5, duration=60, seed=s)[1]) for s in range(19)]
    plain = quality(participant, model, surrogate="pairs", others=others)
    turned = [other.mirrored() for other in others]
    specular = quality(participant, model.mirrored(), "yes", surrogate="pairs", others=turned)
    assert specular.scorecard.equals(plain.scorecard)


def test_head_pose_has_sides() -> None:
    participant, model, _ = imitated_pair(3, imitated=3, duration=60, seed=4)
    people = [
        s.replace(names=("Rx", "Ry", "Rz"), kind="pose", schema="pose6")
        for s in (participant, model)
    ]
    result = quality(people[0], people[1].mirrored(), "either")
    assert result.provenance["parameters"]["sense"] == "specular"
    assert (result.scorecard["p_fwer"] <= 0.05).all()
    vectors = quality(people[0], people[1].mirrored(), "either", components="vector")
    assert vectors.provenance["parameters"]["sense"] == "specular"


def test_signals_without_sides_say_so() -> None:
    participant, model, _ = imitated_pair(2, duration=45, seed=1)
    with pytest.raises(SchemaError, match="left and which are right"):
        quality(participant, model, "yes")
    plain = quality(participant, model)
    assert plain.provenance["parameters"]["sense"] is None
    assert "Sides were compared" not in plain.methods()
    units = [named(s, ("AU06", "AU12")) for s in (participant, model)]
    assert "no-sides" in codes(quality(*units, "either"))
    assert quality(*units, "either").scorecard.equals(quality(*units).scorecard)


def test_correlations_in_the_mirror(pair) -> None:
    participant, model = pair
    for measure in (imitation, coordination):
        plain = measure(participant, model, width=2.0, lag=0.6)
        turned = measure(participant, model.mirrored(), width=2.0, lag=0.6, mirror="yes")
        np.testing.assert_array_equal(turned.mean, plain.mean)
        with pytest.raises(ParameterError, match="more alike than it is"):
            measure(participant, model, mirror="either")


def test_choices_that_make_no_sense(pair) -> None:
    with pytest.raises(ParameterError, match="not understood"):
        quality(*pair, "maybe")
    with pytest.raises(ParameterError, match="more alike than it is"):
        quality(*pair, "either", matrix_test=True)
