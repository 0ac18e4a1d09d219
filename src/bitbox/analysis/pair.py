"""Two people's signals: what can be compared, on one clock, and every pair of them correlated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitbox.analysis.correlation_result import CorrelationResult
from bitbox.correlation.engine import correlate
from bitbox.correlation.plan import WindowPlan
from bitbox.errors import SchemaError
from bitbox.progress import Progress
from bitbox.provenance import environment
from bitbox.signals import Components, Signals
from bitbox.signals.alignment import Aligned, align
from bitbox.signals.checks import check_cells, check_pairs

#: What the analysis takes: Signals, or a dictionary in Bitbox's layout.
SignalsLike = Signals | Mapping[str, Any]
#: Kinds of signals that can be correlated.
ACCEPTED = ("landmark", "landmark-can", "pose", "expression", "body")


def prepare(
    X: SignalsLike,
    Y: SignalsLike,
    *,
    fps: float | None = None,
    offset: float = 0.0,
    max_gap: float = 0.1,
) -> Aligned:
    """Check that two sets of signals can be compared, and put them on one clock.

    Parameters
    ----------
    X, Y : Signals or mapping
        Participant and model.
    fps, offset, max_gap
        As for :func:`bitbox.social.imitation`.

    Returns
    -------
    Aligned

    Raises
    ------
    SchemaError
        If a kind isn't accepted, or the two cannot be compared.
    InputError
        If there are more signals, or frames, than can be compared.
    """
    participant, model = _as_signals(X, "X", fps), _as_signals(Y, "Y", fps)
    check_comparable(participant, model)
    check_pairs(len(participant.names), len(model.names))
    return align(participant, model, fps=fps, offset=offset, max_gap=max_gap)


def check_comparable(X: Signals, Y: Signals) -> None:
    """Refuse signals of two kinds, or units and points of two different definitions."""
    if X.kind != Y.kind:
        raise SchemaError(
            "X and Y are different kinds of signals.",
            expected="the same kind for both",
            got=f"{X.kind!r} and {Y.kind!r}",
        )
    if X.schema != Y.schema and X.kind != "pose":
        raise SchemaError(
            f"The {X.kind} signals of X and Y follow different definitions, so that signals of "
            "the same name measure different things.",
            expected="one schema",
            got=f"{X.schema!r} (from {X.backend}) and {Y.schema!r} (from {Y.backend})",
            todo="Process both videos with the same back end.",
        )


def _as_signals(signals: SignalsLike, which: str, fps: float | None) -> Signals:
    if not isinstance(signals, Signals | Mapping):
        raise SchemaError(
            f"{which} is neither Signals nor a dictionary in Bitbox's layout.",
            expected="signals of kind " + ", ".join(ACCEPTED),
            got=type(signals).__name__,
        )
    kind = signals.get("type")
    if "type" in signals and kind not in ACCEPTED:
        raise SchemaError(
            f"{which} holds signals of a kind that cannot be correlated.",
            expected=" or ".join(repr(a) for a in ACCEPTED),
            got=repr(kind),
        )
    return signals if isinstance(signals, Signals) else Signals.from_bitbox(signals, fps=fps)


def every_pair(
    aligned: Aligned,
    plan: WindowPlan,
    parameters: Mapping[str, Any],
    *,
    components: Components | None,
    angular: bool,
    polarity: bool,
    min_valid: float,
    keep_windows: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> CorrelationResult:
    """Correlate every signal of the participant with every signal of the model, and label it.

    Parameters
    ----------
    aligned : Aligned
        Participant and model on one clock.
    plan : WindowPlan
        Windows and lags.
    parameters : mapping
        What is recorded of how the result was made.
    components, angular, polarity, min_valid, threads, progress
        As for :func:`bitbox.social.imitation`.
    keep_windows : bool
        Whether to keep every window's correlation and lag.
    """
    x_names, x = aligned.participant.components(components, angular=angular)
    y_names, y = aligned.model.components(components, angular=angular)
    if keep_windows:
        check_cells("What is found in every window", plan.n_windows, len(x_names) * len(y_names))
    found = correlate(
        x, y, plan, polarity=polarity, min_valid=min_valid, keep_windows=keep_windows,
        threads=threads, progress=progress,
    )  # fmt: skip
    return CorrelationResult(
        mean=found.mean,
        std=found.std,
        lag=found.lag,
        n_valid=found.n_valid,
        mean_abs=found.mean_abs,
        x_names=x_names,
        y_names=y_names,
        times=plan.centres + aligned.model.time[0],
        plan=plan,
        values=found.values,
        lags=found.lags,
        provenance={
            **environment(),
            "parameters": dict(parameters),
            "participant": dict(aligned.participant.provenance),
            "model": dict(aligned.model.provenance),
        },
        findings=aligned.findings,
    )
