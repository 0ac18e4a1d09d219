"""The words of the report: what its columns and parameters are called and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["r", "z", "p", "seconds", "share", "count", "ratio", "number"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the scorecard.

    Parameters
    ----------
    name : str
        The column's name in the scorecard.
    heading : str
        What the table calls it.
    meaning : str
        What it says, in a sentence or two.
    form : str
        How its numbers are written.
    main : bool
        Whether it is shown at first; the others appear on request.
    """

    name: str
    heading: str
    meaning: str
    form: Format
    main: bool = True


COLUMNS: tuple[Column, ...] = (
    Column(
        "shape",
        "Shape (r)",
        "How closely the movement follows the model's in its course over time: the strongest "
        "correlation within the range of lags, averaged over windows; 1 is a perfect copy. "
        "Because the strongest of many correlations is taken, it is well above 0 even for people "
        "who never saw each other, so compare it with chance.",
        "r",
    ),
    Column(
        "mean",
        "Mean r",
        "The strongest correlation within the range of lags, averaged over windows; 1 is a "
        "perfect copy, -1 a mirrored one. It is not corrected for chance: strong values also "
        "occur between unrelated movements.",
        "r",
    ),
    Column("sd", "SD of r", "How much that correlation varies between windows.", "r"),
    Column(
        "shape_fisher",
        "Shape, Fisher",
        "The same average taken on Fisher's z scale and turned back, which weighs strong "
        "correlations more.",
        "r",
        main=False,
    ),
    Column(
        "chance_mean",
        "Chance, mean",
        "Mean of the same statistic over surrogates: copies of the data in which the coupling "
        "between the two people is broken and everything else is kept.",
        "r",
        main=False,
    ),
    Column(
        "chance_sd",
        "Chance, SD",
        "How much the statistic varies between surrogates.",
        "r",
        main=False,
    ),
    Column(
        "z",
        "z",
        "How many standard deviations of chance the shape lies above chance.",
        "z",
    ),
    Column(
        "p",
        "p",
        "Share of surrogates that reach the shape, the data counted among them; not corrected "
        "for the number of signals.",
        "p",
        main=False,
    ),
    Column(
        "p_fwer",
        "p, family-wise",
        "p corrected for the number of signals: the chance of even one false alarm among them.",
        "p",
    ),
    Column(
        "q_fdr",
        "q (FDR)",
        "p corrected for the number of signals: calling all signals with q below 0.05 imitated "
        "is wrong, on average, for at most 5 % of those called.",
        "p",
    ),
    Column(
        "latency",
        "Latency (s)",
        "How late the participant is at the best match, over windows, with the middle half of "
        "the windows in brackets where known. Positive: the participant follows. Negative: the "
        "participant is ahead.",
        "seconds",
    ),
    Column("latency_q25", "Latency, 25 %", "Lower quartile of the latency.", "seconds", False),
    Column("latency_q75", "Latency, 75 %", "Upper quartile of the latency.", "seconds", False),
    Column(
        "edge",
        "At the edge",
        "Share of windows whose best match lies at the end of the range of lags. Where this is "
        "high, the true latency may lie outside the range.",
        "share",
        main=False,
    ),
    Column(
        "gain",
        "Gain",
        "How large the participant's movement is in proportion to the model's, at the best "
        "match; 1 is as large, 0.5 half as large.",
        "ratio",
    ),
    Column(
        "windows",
        "Windows",
        "Number of windows in which the correlation is defined.",
        "count",
        main=False,
    ),
    Column(
        "coverage",
        "Coverage",
        "Share of the data in which the value is defined.",
        "share",
    ),
    Column(
        "reverse_z",
        "z, reversed",
        "The same z with the roles swapped, as if the model imitated the participant. Where it "
        "is as high as z, the direction of influence is not shown.",
        "z",
        main=False,
    ),
)

PARAMETERS: dict[str, str] = {
    "width": "Width of the windows in which movements are compared, in seconds.",
    "step": "Time from the start of one window to the next, in seconds.",
    "lag": "Largest latency that is looked for, in seconds.",
    "fps": "Frames a second of the common clock.",
    "polarity": "Whether mirrored movements (negative correlations) count as matches.",
    "causality": "Whether only latencies at which the participant follows are looked for.",
    "casuality": "Whether only latencies at which the participant follows are looked for.",
    "angular": "For head pose: rotations (true) or translations (false).",
    "offset": "Seconds by which the participant's clock was shifted.",
    "max_gap": "Longest gap that is bridged by a straight line, in seconds.",
    "min_valid": "Share of a window that must be measured in both people.",
    "components": "How signals with several coordinates are treated.",
    "n_surrogates": "Number of surrogates that make up chance.",
    "surrogate": "How the coupling between the two people is broken in a surrogate.",
    "seed": "Seed of the random numbers; the same seed gives the same result.",
    "normalize": "Whether units are put on the scale of their own measurement noise.",
    "runtime": "Which face processor was asked for.",
    "face": "Which face was followed where there are several.",
}

SEVERITIES = {"error": "Unusable", "warning": "May mislead", "info": "Good to know"}
