"""What every column of the scorecard means: one table for people, the CSV and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Column(NamedTuple):
    """One column of the scorecard."""

    name: str
    meaning: str
    unit: str
    values: str


#: The columns of the scorecard, in order. The index is the signal's name.
COLUMNS = (
    Column(
        "shape",
        "How closely the participant's movement has the course of the model's: in each window "
        "the largest correlation over the allowed lags (with polarity, its absolute value), "
        "averaged over the windows that count.",
        "correlation",
        "-1 to 1 (0 to 1 with polarity)",
    ),
    Column(
        "shape_fisher",
        "The same, averaged as Fisher's z: the hyperbolic tangent of the mean inverse hyperbolic "
        "tangent. Weighs near-perfect windows more.",
        "correlation",
        "-1 to 1",
    ),
    Column(
        "chance_mean",
        "Mean of shape over surrogates, in which the coupling is broken and everything else is "
        "kept: what shape is by chance in these recordings.",
        "correlation",
        "-1 to 1",
    ),
    Column("chance_sd", "Standard deviation of shape over surrogates.", "correlation", "0 or more"),
    Column(
        "z",
        "How far shape is above chance: (shape - chance_mean) / chance_sd. The effect size to "
        "compare signals and people of equally long recordings by.",
        "standard deviations",
        "any; 0 is chance",
    ),
    Column(
        "p",
        "Chance of a shape at least this large without coupling, one-sided: (b + (k + 1) / 2) / "
        "(m + k), where b of m surrogates reach it and k neighbouring ones are worth one. Of this "
        "signal alone. Not given where it could not be 0.05: too short to tell.",
        "probability",
        "1 / (m + 1) to 1, m counted in independent surrogates",
    ),
    Column(
        "p_fwer",
        "Family-wise p: the chance that any of the tested signals reaches this z without "
        "coupling, from the largest z of each surrogate. Shifts too close to be independent don't "
        "count as if they were. At or below 0.05: moves in time with the model beyond chance. Not "
        "given where it could not be 0.05: too short to tell.",
        "probability",
        "1 / (m + 1) to 1, m counted in independent surrogates",
    ),
    Column(
        "q_fdr",
        "p adjusted by Benjamini and Hochberg: the expected share of false positives among the "
        "signals with this q or less.",
        "probability",
        "0 to 1",
    ),
    Column(
        "specific_p",
        "Whether it is this movement of the model that is followed, and not any: p, over circular "
        "shifts, of the correlation with the model's signal of the same name less the mean of that "
        "with the model's other signals. People who react to the same things are in time without "
        "being specific. Of this signal alone. Not given for a single signal, or where only one "
        "signal moves in both.",
        "probability",
        "1 / (m + 1) to 1, m counted in independent surrogates",
    ),
    Column(
        "specific_p_fwer",
        "The same, corrected for all tested signals by the largest z of each surrogate, and not "
        "below the p of all signals together: first it is asked whether the person imitates at "
        "all. A signal is called imitated where this and p are at or below 0.05.",
        "probability",
        "1 / (m + 1) to 1, m counted in independent surrogates",
    ),
    Column(
        "latency",
        "By how much the participant follows: median over the windows in which both move and the "
        "correlation is above chance. Not given where the signal is not in time: then the best lag "
        "is arbitrary.",
        "seconds",
        "positive: the participant follows",
    ),
    Column("latency_q25", "First quartile of latency over those windows.", "seconds", "as latency"),
    Column("latency_q75", "Third quartile of latency over those windows.", "seconds", "as latency"),
    Column(
        "edge",
        "Share of those windows whose best lag is the first or the last that was allowed. Large "
        "values say that the best lag may lie outside the range. Without a range of lags (lag=0) "
        "there is none.",
        "share",
        "0 to 1",
    ),
    Column(
        "gain",
        "How large the participant's movement is relative to the model's, at the best lag: slope "
        "of the participant on the model within those windows, corrected for the model's "
        "measurement noise. Not given where latency is not.",
        "ratio",
        "1: as large as the model's",
    ),
    Column(
        "difference",
        "How far the participant's form is from the model's: median over the recording of the "
        "distance between the two at the lag at which it is smallest, each less its own median. "
        "What has the same course can differ in form: be smaller, or held longer.",
        "that of the signals; angles in degrees",
        "0 or more",
    ),
    Column(
        "difference_chance",
        "Mean of difference over surrogates. Not given where no p could be 0.05.",
        "as difference",
        "0 or more",
    ),
    Column(
        "difference_p",
        "Chance of a difference at most this large without coupling, over at most 99 circular "
        "shifts, or the other recordings. Of this signal alone.",
        "probability",
        "1 / (m + 1) to 1, m counted in independent surrogates",
    ),
    Column(
        "windows",
        "Number of windows that count: enough frames are there, and at least one of the two moves.",
        "windows",
        "0 or more",
    ),
    Column(
        "coverage",
        "Share of frames in which the signal is known for both people.",
        "share",
        "0 to 1",
    ),
    Column(
        "reverse_z",
        "z with the roles swapped: how far the model seems to follow the participant. A larger "
        "one than z speaks against imitation of the model by the participant.",
        "standard deviations",
        "any; 0 is chance",
    ),
    Column(
        "p_follow",
        "Whether the participant follows the model more than the model follows the participant: "
        "p, over the same surrogates, of shape less shape with the roles swapped. Who follows is "
        "in time (p_fwer) and has a p_follow of at most 0.05. In time alone, both may follow a "
        "third. Not given where either may lead (causality off).",
        "probability",
        "1 / (m + 1) to 1, m counted in independent surrogates",
    ),
    Column(
        "reliability",
        "How well the signal is measured: its correlation with the true movement on other people, "
        "for whom that is known. Below 0.6 it is shown, but not tested unless it is named. Empty "
        "where nobody measured it.",
        "correlation",
        "-1 to 1",
    ),
)


def data_dictionary() -> pd.DataFrame:
    """Return a table with ``column``, ``meaning``, ``unit`` and ``values``, one row a column."""
    import pandas as pd

    index = Column("signal", "Name of the signal, the same for participant and model.", "", "text")
    return pd.DataFrame(
        [(c.name, c.meaning, c.unit, c.values) for c in (index, *COLUMNS)],
        columns=["column", "meaning", "unit", "values"],
    )
