"""The correlation of every pair of signals: a result that unpacks like a tuple."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitbox.correlation.plan import WindowPlan
from bitbox.findings import Finding
from bitbox.notebook import ROWS, left_out, panel
from bitbox.signals.checks import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: The columns of :meth:`CorrelationResult.to_frame`: name, meaning, unit, values.
PAIR_COLUMNS = (
    ("participant_signal", "Name of the participant's signal.", "", "text"),
    ("model_signal", "Name of the model's signal.", "", "text"),
    (
        "mean",
        "Mean over windows of the chosen correlation: the largest over the allowed lags (with "
        "polarity, the largest absolute one, its sign kept). Not corrected for chance.",
        "correlation",
        "-1 to 1",
    ),
    ("std", "Standard deviation of that correlation over windows.", "correlation", "0 to 1"),
    (
        "lag",
        "Mean over windows of the lag at which it was found. Negative: the model moved earlier, "
        "the participant follows.",
        "seconds",
        "within the range of lags",
    ),
    ("windows", "Number of windows in which it is defined.", "windows", "0 or more"),
)

#: More columns of the table of pairs, where every pair was tested against chance.
PAIR_TEST_COLUMNS = (
    (
        "shape",
        "Mean over windows of the largest correlation, as in the scorecard, over all windows in "
        "which it is defined.",
        "correlation",
        "-1 to 1",
    ),
    ("z", "How far shape is above chance.", "standard deviations", "any; 0 is chance"),
    ("p", "Chance of a shape at least this large without coupling.", "probability", "0 to 1"),
    ("p_fwer", "The same, corrected for testing every pair.", "probability", "0 to 1"),
)


@dataclass(frozen=True, eq=False, repr=False)
class CorrelationResult:
    """Windowed, lagged correlation of every signal of X with every signal of Y.

    Unpacks into ``(mean, std, lag)``, or with ``stats=False`` into ``(values, lags)``.

    Attributes
    ----------
    mean, std, lag : ndarray, shape (n1, n2)
        Over the windows in which the correlation is defined: its mean, standard deviation
        (ddof 0) and mean lag in seconds. NaN where no window is defined. A negative lag says
        that Y moved earlier: X follows.
    n_valid : ndarray of int, shape (n1, n2)
        Number of defined windows.
    mean_abs : ndarray, shape (n1, n2), or None
        Mean over the defined windows of the correlation's magnitude: with ``polarity`` that is
        what was maximised.
    values, lags : ndarray, shape (windows, n1, n2), or None
        The chosen correlation (float32, which is what it is good to) and its lag (seconds) in
        every window; with ``stats=False``.
    x_names, y_names : tuple of str
        The signals of X and of Y.
    times : ndarray, shape (windows,)
        Centres of the windows of X, in seconds on Y's clock.
    plan : WindowPlan
        Window, step and lags, in frames and in seconds.
    provenance : mapping
        Parameters, versions and the provenance of X and Y.
    findings : tuple of Finding
        What is worth knowing about the data.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.social import imitation
    >>> result = imitation(participant, model, width=2.0, lag=1.0)
    >>> result
    <imitation: 3 x 3 signals, 38 windows of 2 s, lags up to 1 s, unpacks into mean, std, lag>
    >>> result.x_names
    ('s00', 's01', 's02')
    >>> corr_mean, corr_std, corr_lag = result
    """

    mean: FloatArray
    std: FloatArray
    lag: FloatArray
    n_valid: NDArray[np.int64]
    x_names: tuple[str, ...]
    y_names: tuple[str, ...]
    times: FloatArray
    plan: WindowPlan
    values: NDArray[np.float32] | None = None
    lags: FloatArray | None = None
    mean_abs: FloatArray | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def _fields(self) -> tuple[NDArray[np.floating[Any]], ...]:
        if self.values is not None and self.lags is not None:
            return self.values, self.lags
        return self.mean, self.std, self.lag

    def __iter__(self) -> Iterator[NDArray[np.floating[Any]]]:
        return iter(self._fields())

    def __len__(self) -> int:
        return len(self._fields())

    def __getitem__(self, index: int) -> NDArray[np.floating[Any]]:
        return self._fields()[index]

    def __repr__(self) -> str:
        windows = len(self.times)
        return (
            f"<{self.plan.mode}: {len(self.x_names)} x {len(self.y_names)} signals, "
            f"{windows} windows of {self.plan.window / self.plan.fps:.3g} s, lags up to "
            f"{self.plan.max_lag / self.plan.fps:.3g} s, "
            f"unpacks into {'values, lags' if len(self) == 2 else 'mean, std, lag'}>"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        order = np.argsort(-np.abs(self.mean.ravel()), kind="stable")  # NaN comes last
        chosen = [divmod(int(place), self.mean.shape[1]) for place in order[:ROWS]]
        if_all = left_out(len(chosen), self.mean.size, "to_frame()")
        return panel(
            f"{self.plan.mode.capitalize()}: {len(self.x_names)} x {len(self.y_names)} signals",
            [
                f"{len(self.times)} windows of {self.plan.window / self.plan.fps:.3g} s, lags up "
                f"to {self.plan.max_lag / self.plan.fps:.3g} s; the strongest pairs first",
                *(str(finding) for finding in self.findings),
            ],
            ("participant", "model", "mean r", "SD", "lag (s)", "windows"),
            [
                (
                    self.x_names[i],
                    self.y_names[j],
                    float(self.mean[i, j]),
                    float(self.std[i, j]),
                    float(self.lag[i, j]),
                    int(self.n_valid[i, j]),
                )
                for i, j in chosen
            ],
            note=f"Not corrected for chance. {if_all}".strip(),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy table, one row a pair of signals.

        Returns
        -------
        DataFrame
            With the columns ``participant_signal``, ``model_signal``, ``mean``, ``std``,
            ``lag`` (seconds; negative: the participant follows) and ``windows`` (how many are
            defined). The participant is X, the model is Y.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
        >>> from bitbox.social import imitation
        >>> frame = imitation(participant, model, width=2.0, lag=1.0).to_frame()
        >>> frame.loc[frame['mean'].idxmax(), 'participant_signal'] in ('s00', 's01')
        True
        """
        import pandas as pd

        n1, n2 = self.mean.shape
        return pd.DataFrame(
            {
                "participant_signal": np.repeat(np.array(self.x_names, dtype=object), n2),
                "model_signal": np.tile(np.array(self.y_names, dtype=object), n1),
                "mean": self.mean.ravel(),
                "std": self.std.ravel(),
                "lag": self.lag.ravel(),
                "windows": self.n_valid.ravel(),
            }
        )

    def to_xarray(self) -> xr.Dataset:
        """Return an xarray Dataset with named dimensions.

        Returns
        -------
        Dataset
            ``mean``, ``std``, ``lag`` and ``windows`` over (participant, model); with
            ``stats=False`` also ``r`` and ``r_lag`` over (time, participant, model).

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
        >>> from bitbox.social import imitation
        >>> data = imitation(participant, model, width=2.0, lag=1.0).to_xarray()
        >>> dict(data.sizes)
        {'participant': 3, 'model': 3, 'time': 38}
        """
        import xarray as xr

        pair = ("participant", "model")
        variables: dict[str, Any] = {
            "mean": (pair, self.mean),
            "std": (pair, self.std),
            "lag": (pair, self.lag, {"units": "s"}),
            "windows": (pair, self.n_valid),
        }
        if self.values is not None:
            variables["r"] = (("time", *pair), self.values)
            variables["r_lag"] = (("time", *pair), self.lags, {"units": "s"})
        return xr.Dataset(
            variables,
            coords={
                # as objects: NumPy's own text loses NULs at the end
                "participant": np.array(self.x_names, dtype=object),
                "model": np.array(self.y_names, dtype=object),
                "time": ("time", self.times, {"units": "s"}),
            },
        )

    def plot(self) -> Any:
        """Return a Plotly figure of the mean correlation of every pair.

        Raises
        ------
        BackendError
            If Plotly isn't installed (``pip install 'openbitbox[report]'``).

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
        >>> from bitbox.social import imitation
        >>> figure = imitation(participant, model, width=2.0, lag=1.0).plot()
        >>> figure.layout.title.text
        'Mean correlation of every pair of signals'
        """
        from bitbox.report.figures import correlation_heatmap

        return correlation_heatmap(self.mean, self.x_names, self.y_names)
