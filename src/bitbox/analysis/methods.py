"""The paragraph for a paper's methods section, with what was actually done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics.surrogates import LOCAL

REFERENCES = {
    "Boker et al., 2002": "Boker, S. M., Xu, M., Rotondo, J. L., & King, K. (2002). Windowed "
    "cross-correlation and peak picking for the analysis of variability in the association "
    "between behavioral time series. Psychological Methods, 7(3), 338-355.",
    "Moulder et al., 2018": "Moulder, R. G., Boker, S. M., Ramseyer, F., & Tschacher, W. (2018). "
    "Determining synchrony between behavioral time series: An application of surrogate data "
    "generation for establishing falsifiable null-hypotheses. Psychological Methods, 23(4), "
    "757-773.",
    "Phipson & Smyth, 2010": "Phipson, B., & Smyth, G. K. (2010). Permutation p-values should "
    "never be zero: Calculating exact p-values when permutations are randomly drawn. Statistical "
    "Applications in Genetics and Molecular Biology, 9(1), 39.",
    "Westfall & Young, 1993": "Westfall, P. H., & Young, S. S. (1993). Resampling-based multiple "
    "testing. Wiley.",
    "Benjamini & Hochberg, 1995": "Benjamini, Y., & Hochberg, Y. (1995). Controlling the false "
    "discovery rate: A practical and powerful approach to multiple testing. Journal of the Royal "
    "Statistical Society B, 57(1), 289-300.",
    "Prichard & Theiler, 1994": "Prichard, D., & Theiler, J. (1994). Generating surrogate data "
    "for time series with several simultaneously measured variables. Physical Review Letters, "
    "73(7), 951-954.",
    "Bernieri & Rosenthal, 1991": "Bernieri, F. J., & Rosenthal, R. (1991). Interpersonal "
    "coordination: Behavior matching and interactional synchrony. In R. S. Feldman & B. Rimé "
    "(Eds.), Fundamentals of nonverbal behavior (pp. 401-432). Cambridge University Press.",
    "Harris, 2020": "Harris, K. D. (2020). Nonsense correlations in neuroscience. bioRxiv. "
    "https://doi.org/10.1101/2020.11.29.402719",
    "Amarasingham et al., 2012": "Amarasingham, A., Harrison, M. T., Hatsopoulos, N. G., & Geman, "
    "S. (2012). Conditional modeling and the jitter method of spike resampling. Journal of "
    "Neurophysiology, 107(2), 517-531.",
    "Tunçgenç et al., 2021": "Tunçgenç, B., Pacheco, C., Rochowiak, R., Nicholas, R., Rengarajan, "
    "S., Zou, E., Messenger, B., Vidal, R., & Mostofsky, S. H. (2021). Computerized assessment of "
    "motor imitation as a scalable method for distinguishing children with autism. Biological "
    "Psychiatry: Cognitive Neuroscience and Neuroimaging, 6(3), 321-328.",
    "Berger, 1982": "Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance "
    "sampling. Technometrics, 24(4), 295-300.",
    "Fuller, 1987": "Fuller, W. A. (1987). Measurement error models. Wiley.",
}

_SURROGATES = {
    "circular": "{m} surrogates in which the model's signals were shifted together in time, by at "
    "least the largest lag and a window (Moulder et al., 2018); windows that left the recording at "
    "one end were compared at the other, none across the ends",
    "segments": "{m} surrogates in which segments of consecutive windows of the participant were "
    "compared with stretches of the model's recording from random other times (Moulder et al., "
    "2018)",
    "local": "{m} surrogates in which segments of consecutive windows of the participant were "
    "compared with stretches of the model's recording from at most {local:g} s earlier or later, "
    "so that what changes more slowly in both is kept (Amarasingham et al., 2012)",
    "phase": "{m} surrogates in which the Fourier phases of the model's signals were randomised, "
    "those of all signals by the same amounts (Prichard & Theiler, 1994)",
    "pairs": "{m} surrogates in which other recordings took the {role}'s place (Bernieri & "
    "Rosenthal, 1991)",
}


@dataclass(frozen=True)
class Done:
    """What was done, as far as a methods section tells it.

    Attributes
    ----------
    plan : WindowPlan
        Windows and lags.
    parameters, versions : mapping
        As in the provenance of the result.
    n_signals, n_surrogates : int
        How many of each.
    n_specificity : int or None
        How many shifts specificity was compared with; None: there is none.
    seed : int
        Of the random numbers.
    alpha : float
        Level of the family-wise p.
    too_short : bool
        Whether nothing could reach it.
    specific_told : bool
        Whether there is a p of specificity.
    one_pattern : bool
        Whether that asks for a movement outside of one pattern, too.
    """

    plan: WindowPlan
    parameters: Mapping[str, Any]
    versions: Mapping[str, str]
    n_signals: int
    n_surrogates: int
    n_specificity: int | None
    seed: int
    alpha: float
    too_short: bool
    specific_told: bool
    one_pattern: bool = False


def methods_text(done: Done) -> str:
    """Return a methods section: paragraphs separated by blank lines, and references.

    Parameters
    ----------
    done : Done
        What to describe; all numbers are those that were used.
    """
    paragraphs = [_correlation(done), _chance(done), _columns(done), _software(done)]
    text = "\n\n".join(paragraphs)
    return with_references(text)


def with_references(text: str) -> str:
    """Return a text and the references that it names."""
    used = [entry for key, entry in REFERENCES.items() if _cited(key, text)]
    return text + "\n\nReferences\n\n" + "\n\n".join(sorted(used))


def _cited(key: str, text: str) -> bool:
    author, year = key.rsplit(", ", 1)
    return f"{author}, {year}" in text or f"{author} ({year})" in text


def _correlation(done: Done) -> str:
    p, plan = done.parameters, done.plan
    way = (
        f"the model's window was moved back in time by 0 to {plan.max_lag / plan.fps:.3g} s (the "
        "participant follows)"
        if plan.causal
        else f"the model's window was moved by up to {plan.max_lag / plan.fps:.3g} s either way"
    )
    largest = "largest absolute" if p["polarity"] else "largest"
    opposite = "counted as much as" if p["polarity"] else "did not count as"
    return (
        "Imitation was measured by windowed, lagged cross-correlation (Boker et al., 2002). Both "
        f"recordings were brought to one clock of {plan.fps:.4g} frames a second"
        + (f", the participant's offset by {p['offset']:g} s" if p["offset"] else "")
        + f". In windows of {plan.window / plan.fps:.3g} s, one every {plan.step / plan.fps:.3g} s "
        f"({plan.n_windows} windows), each of {done.n_signals} signals of the participant "
        f"was correlated with the model's signal of the same name; {way}, and the {largest} "
        f"correlation was kept. Movement in the opposite direction {opposite} imitation. Frames "
        f"missing in either recording were left out; windows with less than {p['min_valid']:.0%} "
        "of their frames, and windows in which neither person moved (less than a tenth of the "
        "movement in the signal's liveliest windows, by standard deviation), did not count."
        + _sides(p)
    )


def _sides(p: Mapping[str, Any]) -> str:
    """Return which side was compared with which, where the signals have sides."""
    if p.get("sense") is None:
        return ""
    if p["mirror"] == "either":
        return (
            " Both senses of imitation were tested, anatomical or transposed (the participant's "
            "left with the model's left) and specular (as in a mirror, left with right). That "
            "sense was kept in which signals with a side were more alike on average, of the "
            f"recordings ({p['sense']}) and of every surrogate alike, so p values count the "
            "choice; that of specificity was doubled."
        )
    if p["sense"] == "specular":
        return (
            " Sides were compared as in a mirror, the participant's left with the model's right "
            "(specular imitation)."
        )
    return (
        " Sides were compared as they are, the participant's left with the model's left "
        "(anatomical or transposed imitation)."
    )


def _chance(done: Done) -> str:
    p, m = done.parameters, done.n_surrogates
    alike = p["surrogates_alike"]
    share, worth = "(b + 1) / (m + 1)", ""
    if alike > 1:
        share = "(b + (k + 1) / 2) / (m + k)"
        worth = (
            f", k = {alike:.1f} neighbouring shifts being worth one independent surrogate (the "
            "autocorrelation time of the surrogates' means) and what was observed standing for its "
            "neighbours, which are no surrogates"
        )
    called = (
        f"In these recordings no p could have been {done.alpha:g}, so none is given, "
        "and whether there is imitation cannot be told"
        if done.too_short
        else f"Signals with a corrected p of at most {done.alpha:g} are said to move in time with "
        "the model beyond chance. False discovery rates (Benjamini & Hochberg, 1995) are given as "
        "well"
    )
    return (
        "The mean over windows was compared with its distribution in "
        + _SURROGATES[p["surrogate"]].format(m=m, role=p.get("role"), local=LOCAL)
        + f". The seed of the random numbers was {done.seed}. p values are one-sided, {share} "
        f"with b of m surrogates reaching what was observed (Phipson & Smyth, 2010){worth}. z is "
        "the distance from the surrogates' mean in their standard deviations. Over signals, p was "
        "corrected family-wise by the largest z of each surrogate (Westfall & Young, 1993), each "
        f"standardised by the others and what was observed. {called}. As a control, the same was "
        "done with roles swapped" + _follow(done) + "."
    )


def _follow(done: Done) -> str:
    """Return what was done to tell who follows whom."""
    if not done.plan.causal:
        return ""
    return (
        ", and the difference between both directions was compared with the same in every "
        "surrogate (p_follow)"
    )


def _columns(done: Done) -> str:
    text = (
        "Latency is the median, over windows in which both move and the correlation is above "
        "chance, of the lag that was kept. Gain is the slope of the participant on the model "
        "within these windows, corrected for measurement noise of the model (Fuller, 1987). Both "
        "are given where a signal is in time beyond chance. Difference, of form, is the "
        "median over the recording of the distance between both people, each less its own median, "
        "at the lag at which it is smallest; it was compared with the same in surrogates. (For "
        "form and time in dances, see Tunçgenç et al., 2021.)"
    )
    if done.n_specificity is not None:
        text += (
            " People who react to the same events move in time without imitating each other, and "
            "surrogates made of shifts break that, too (Amarasingham et al., 2012; Harris, 2020). "
            "So it was also tested whether movements are specific: by how much pairs of signals of "
            "the same name are ahead of pairs of others. In each window and at each lag, the "
            "correlation of a signal with its counterpart, weighted by how much both move, less "
            "the mean with the model's and of the participant's other signals; its mean over "
            "windows in standard errors, the largest over the lags, was compared with "
            f"{done.n_specificity} "
            + ("other recordings" if done.parameters["surrogate"] == "pairs" else "circular shifts")
            + ", of all signals together and then of each, corrected family-wise by the largest z "
            "and not below the p of all together. "
        )
    if done.one_pattern:
        text += (
            "Most of what both people did at the same times was one pattern of movements (the "
            "largest singular value of the weighted correlations of all pairs), which a shared "
            "cause would bring about, too; so the p of all signals together is not below the "
            "smallest corrected p of a signal that the pattern has no part in. "
        )
    text += (
        "Signals are called imitated where the corrected p of specificity and their own p of being "
        f"in time are both at most {done.alpha:g} (an intersection-union test; Berger, 1982)."
        if done.specific_told
        else " Whether movements are specific, and not reactions to the same events, can't be told "
        "from these recordings, so no signal is called imitated."
    )
    return text


def _software(done: Done) -> str:
    versions = done.versions
    return (
        f"The analysis was done with openbitbox {versions['bitbox']} (Python "
        f"{versions['python']}, NumPy {versions['numpy']}, SciPy {versions['scipy']})."
    )
