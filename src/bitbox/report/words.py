"""The words of the report: what its columns and parameters are called and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bitbox.statistics import columns

Format = Literal["r", "z", "p", "seconds", "share", "count", "ratio", "size", "number"]


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


_MEANINGS = {column.name: column.meaning for column in columns.COLUMNS}


def _tested(name: str, heading: str, form: Format, main: bool = True) -> Column:
    """Return a column of the tested scorecard, with the meaning that is given for it there."""
    return Column(name, heading, _MEANINGS[name], form, main)


COLUMNS: tuple[Column, ...] = (
    _tested("shape", "Shape (r)", "r"),
    Column(
        "mean",
        "Mean r",
        "The strongest correlation within the range of lags, averaged over windows; 1 is a "
        "perfect copy, -1 an opposite one. It is not corrected for chance: strong values also "
        "occur between unrelated movements.",
        "r",
    ),
    Column("sd", "SD of r", "How much that correlation varies between windows.", "r"),
    _tested("shape_fisher", "Shape, Fisher", "r", main=False),
    _tested("chance_mean", "Chance, mean", "r", main=False),
    _tested("chance_sd", "Chance, SD", "r", main=False),
    _tested("z", "z", "z"),
    _tested("p", "p", "p", main=False),
    _tested("p_fwer", "Family-wise p", "p"),
    _tested("q_fdr", "q (FDR)", "p", main=False),
    _tested("specific_p", "Specific p, alone", "p", main=False),
    _tested("specific_p_fwer", "Specific p", "p"),
    _tested("latency", "Latency (s)", "seconds"),
    _tested("latency_q25", "Latency, 25 %", "seconds", main=False),
    _tested("latency_q75", "Latency, 75 %", "seconds", main=False),
    _tested("edge", "At the edge", "share", main=False),
    _tested("gain", "Gain", "ratio"),
    _tested("difference", "Difference", "size"),
    _tested("difference_chance", "Difference, chance", "size", main=False),
    _tested("difference_p", "Difference, p", "p", main=False),
    _tested("windows", "Windows", "count", main=False),
    _tested("coverage", "Coverage", "share"),
    _tested("reverse_z", "z, reversed", "z", main=False),
    _tested("p_follow", "p, follows", "p", main=False),
    _tested("reliability", "Reliability", "r"),
)

PARAMETERS: dict[str, str] = {
    "width": "Width of the windows in which movements are compared, in seconds.",
    "step": "Time from the start of one window to the next, in seconds.",
    "lag": "Largest latency that is looked for, in seconds.",
    "fps": "Frames a second of the common clock.",
    "polarity": "Whether opposite movements (negative correlations) count as matches.",
    "causality": "Whether only latencies at which the participant follows are looked for.",
    "casuality": "Whether only latencies at which the participant follows are looked for.",
    "angular": "For head pose: rotations (yes) or translations (no).",
    "mirror": "Whether sides are compared as in a mirror: left with right.",
    "sense": "Left with left (anatomical) or as in a mirror (specular).",
    "offset": "Seconds by which the participant's clock was shifted.",
    "max_gap": "Longest gap that is bridged by a straight line, in seconds.",
    "min_valid": "Share of a window that must be measured in both people.",
    "components": "How signals with several coordinates are treated.",
    "n_surrogates": "Number of surrogates that make up chance.",
    "surrogate": "How the coupling between the two people is broken in a surrogate.",
    "role": "Whose place other recordings take.",
    "seed": "Seed of the random numbers; the same seed gives the same result.",
    "normalize": "Whether units are put on the scale of their own measurement noise.",
    "runtime": "Which face processor was asked for.",
    "signals": "Which signals were compared.",
    "face": "Which face was followed where there are several.",
}

SEVERITIES = {"error": "Unusable", "warning": "May mislead", "info": "Good to know"}
