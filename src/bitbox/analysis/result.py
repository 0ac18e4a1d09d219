"""What the test against chance returns: a result that reads like a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitbox.analysis.correlation_result import CorrelationResult
from bitbox.analysis.headline import Headline
from bitbox.analysis.lag_pictures import lag_pictures
from bitbox.analysis.methods import Done, methods_text
from bitbox.correlation.plan import WindowPlan
from bitbox.findings import Finding
from bitbox.notebook import ROWS, left_out, panel
from bitbox.report.content import LagSurface
from bitbox.signals.alignment import Aligned
from bitbox.signals.checks import FloatArray
from bitbox.statistics.card import imitated
from bitbox.statistics.columns import data_dictionary
from bitbox.statistics.difference import Difference
from bitbox.statistics.inference import least_p
from bitbox.statistics.lag_profile import LagProfile
from bitbox.statistics.matrix import MatrixTest
from bitbox.statistics.specificity import Specificity

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class ImitationQuality:
    """How well a participant imitates a model, signal by signal, against chance.

    Attributes
    ----------
    scorecard : DataFrame
        One row a signal; columns as described by :attr:`data_dictionary`. A signal that cannot
        be tested has NaN and doesn't count in the corrections for many tests.
    headline : Headline
        The result in one figure and, as text, in one sentence.
    findings : tuple of Finding
        What a careful colleague would point out.
    windows : DataFrame
        What every window of every matched signal holds: ``signal, time, r, latency``, whether it
        ``counts`` for shape, and whether it is ``telling``, for latency and gain. Times and
        latencies in seconds, times on the model's clock.
    matrix : CorrelationResult
        What :func:`bitbox.social.imitation` returns for the same data and parameters: every
        signal of the participant against every signal of the model.
    aligned : Aligned
        Participant and model on one clock, as they were compared.
    null : ndarray, shape (m, n)
        Shapes of the surrogates, in the scorecard's order of signals.
    specificity : Specificity or None
        Whether matching signals are more alike than others, against chance. None with a single
        signal.
    lag_profile : LagProfile or None
        By how much movements go with their own counterparts more than with others, at latencies
        from -2 to 5 s, with a p and the best latency. None where there is nothing to compare with,
        or the recordings are too short.
    difference : Difference
        Form, beside course: how far the two are apart, signal by signal and over all, in the
        signals' unit, and by chance.
    pairs : MatrixTest or None
        Every pair of signals against chance, with ``matrix_test=True``.
    plan : WindowPlan
        Windows and lags, in frames and seconds.
    seed : int
        The same data, parameters and seed give the same numbers.
    provenance : mapping
        Parameters, versions and the provenance of both recordings.

    Examples
    --------
    >>> from bitbox.social import imitation_quality
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=60, seed=1)
    >>> quality = imitation_quality(participant, model, n_surrogates=99, seed=1)
    >>> list(quality.scorecard.index[quality.scorecard['p_fwer'] <= 0.05])
    ['s00', 's01']
    >>> for finding in quality.findings:
    ...     print(finding.code)
    few-independent-shifts
    """

    scorecard: pd.DataFrame
    headline: Headline
    findings: tuple[Finding, ...]
    windows: pd.DataFrame
    matrix: CorrelationResult
    aligned: Aligned
    null: FloatArray
    specificity: Specificity | None
    lag_profile: LagProfile | None
    difference: Difference
    pairs: MatrixTest | None
    plan: WindowPlan
    seed: int
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def methods(self) -> str:
        """Return a methods section: what was done, with the numbers used and references.

        Examples
        --------
        >>> from bitbox.social import imitation_quality
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> participant, model, truth = imitated_pair(3, imitated=2, duration=60, seed=1)
        >>> quality = imitation_quality(participant, model, n_surrogates=99, seed=1)
        >>> print(quality.methods()[:58])
        Imitation was measured by windowed, lagged cross-correlati
        """
        return methods_text(
            Done(
                plan=self.plan,
                parameters=self.provenance["parameters"],
                versions=self.provenance["versions"],
                n_signals=len(self.scorecard),
                n_surrogates=len(self.null),
                n_specificity=None if self.specificity is None else self.specificity.n_surrogates,
                seed=self.seed,
                alpha=self.headline.alpha,
                too_short=self.headline.too_short,
                specific_told=self.headline.specific_told,
                one_pattern=self.specificity is not None and self.specificity.pattern is not None,
            )
        )

    @property
    def least_p_fwer(self) -> float:
        """The smallest family-wise p that these recordings could have given; NaN: too short."""
        if self.headline.too_short:
            return float("nan")
        alike = float(self.provenance["parameters"]["surrogates_alike"])
        return least_p(len(self.null), alike)

    @property
    def data_dictionary(self) -> pd.DataFrame:
        """What every column of the scorecard means."""
        return data_dictionary()

    def plot(self) -> Any:
        """Return the scorecard as a Plotly figure: each signal's shape, and what chance gives.

        Raises
        ------
        BackendError
            If Plotly isn't installed (``pip install 'openbitbox[report]'``).
        ParameterError
            If there is no signal.

        Examples
        --------
        >>> from bitbox.social import imitation_quality
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> participant, model, truth = imitated_pair(3, imitated=2, duration=60, seed=1)
        >>> quality = imitation_quality(participant, model, n_surrogates=99, seed=1)
        >>> figure = quality.plot()
        >>> figure.layout.title.text
        'How closely each signal is imitated'
        """
        from bitbox.report.figures import scorecard_chart

        return scorecard_chart(self.scorecard, alpha=self.headline.alpha)

    def report(self, path: str | Path, *, title: str | None = None) -> Path:
        """Write the report: one HTML file that works offline.

        Parameters
        ----------
        path : str or Path
            The file to write; a file of that name is replaced, in one step.
        title : str, optional
            What stands on top.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            If the file cannot be written.
        BackendError
            If Plotly, Jinja or Pillow isn't installed (``pip install 'openbitbox[report]'``).

        Notes
        -----
        It has all that the report of ``bitbox imitate`` has, but the pictures: a quality holds
        signals, not videos. What is said of each recording is said of the part and the frame rate
        in which it was compared.

        Examples
        --------
        >>> from bitbox.social import imitation_quality
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> participant, model, truth = imitated_pair(3, imitated=2, duration=60, seed=1)
        >>> quality = imitation_quality(participant, model, n_surrogates=99, seed=1)
        >>> quality.report('report.html').name
        'report.html'
        """
        from bitbox.report.from_quality import TITLE, quality_content
        from bitbox.report.html import write_report

        content = quality_content(self, title=title or TITLE, surfaces=self.lag_pictures())
        return write_report(content, path)

    def lag_pictures(self) -> list[LagSurface]:
        """Return what a report shows lag by lag: the (up to four) most strongly imitated signals.

        Of many windows only one of every few is computed, and `every` says so. Empty where nothing
        is imitated beyond chance.
        """
        parameters = self.provenance["parameters"]
        return lag_pictures(
            self.scorecard, self.aligned, self.plan, parameters, self.headline.alpha
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        card = self.scorecard.sort_values("z", ascending=False, kind="stable").head(ROWS)
        columns = ["shape", "chance_mean", "z", "p_fwer", "latency", "gain"]
        found = [bool(one) for one in imitated(card, self.headline.alpha)]
        if_all = left_out(len(card), len(self.scorecard), "scorecard")
        return panel(
            "Imitation quality",
            [str(self.headline), *(str(finding) for finding in self.findings)],
            ("signal", "shape", "chance", "z", "family-wise p", "latency (s)", "gain"),
            [
                (str(name), *(float(value) for value in row))
                for name, row in zip(card.index, card[columns].to_numpy(float), strict=True)
            ],
            bold=found,
            note=f"{'In bold: imitated beyond chance. ' if any(found) else ''}{if_all}".strip(),
        )

    def __repr__(self) -> str:
        return f"<ImitationQuality: {self.headline}>"

    def __str__(self) -> str:
        return f"{self.headline}\n\n{self.scorecard.round(3).to_string()}"
