"""The report of an imitation quality: what of the result goes where on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from bitbox.correlation.plan import WindowPlan
from bitbox.findings import Finding
from bitbox.provenance import versions
from bitbox.report.content import (
    LagSurface,
    MatrixResult,
    Person,
    Picture,
    ProfileResult,
    ReportContent,
    Thumbnail,
    TrialsResult,
)
from bitbox.report.descriptions import describe
from bitbox.signals import Signals
from bitbox.signals.alignment import Aligned

if TYPE_CHECKING:
    import pandas as pd

TITLE = "How closely the participant imitates the model"


class QualityResult(Protocol):
    """What the report needs to know of an imitation quality."""

    @property
    def scorecard(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def headline(self) -> Any: ...  # noqa: D102
    @property
    def findings(self) -> tuple[Finding, ...]: ...  # noqa: D102
    @property
    def windows(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def matrix(self) -> MatrixResult: ...  # noqa: D102
    @property
    def aligned(self) -> Aligned: ...  # noqa: D102
    @property
    def lag_profile(self) -> ProfileResult | None: ...  # noqa: D102
    @property
    def difference(self) -> object: ...  # noqa: D102
    @property
    def plan(self) -> WindowPlan: ...  # noqa: D102
    @property
    def provenance(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def data_dictionary(self) -> pd.DataFrame: ...  # noqa: D102
    def methods(self) -> str: ...  # noqa: D102


def quality_content(
    quality: QualityResult,
    *,
    title: str = TITLE,
    participant: Person | None = None,
    model: Person | None = None,
    findings: Sequence[Finding] | None = None,
    sources: Mapping[str, Any] | None = None,
    surfaces: Sequence[LagSurface] = (),
    trials: TrialsResult | None = None,
    methods: str | None = None,
) -> ReportContent:
    """Return what the report of a quality shows.

    Parameters
    ----------
    quality : QualityResult
        What `bitbox.social.imitation_quality` returned.
    title : str
        The title.
    participant, model : Person, optional
        What is known of the two; None: what their signals on the common clock say.
    findings : sequence of Finding, optional
        None: those of the quality.
    sources : mapping, optional
        Where the two recordings come from; None: what the signals say of it.
    surfaces : sequence of LagSurface
        Pairs to be shown lag by lag.
    trials : TrialsResult, optional
        The test in trials of the same two.
    methods : str, optional
        The methods section; None: that of the quality.
    """
    pair = quality.aligned.participant, quality.aligned.model
    if sources is None:
        sources = {
            role: dict(signals.provenance["source"])
            for role, signals in zip(("participant", "model"), pair, strict=True)
            if isinstance(signals.provenance.get("source"), Mapping)
        }
    return ReportContent(
        title=title,
        participant=participant or person(pair[0], "Participant"),
        model=model or person(pair[1], "Model"),
        headline=str(quality.headline),
        scorecard=quality.scorecard,
        form=str(quality.difference),
        findings=quality.findings if findings is None else findings,
        aligned=pair,
        matrix=quality.matrix,
        windows=quality.windows,
        surfaces=surfaces,
        profile=quality.lag_profile,
        allowed=allowed_latencies(quality),
        trials=trials,
        descriptions=describe(quality.scorecard.index),
        parameters=dict(quality.provenance.get("parameters", {})),
        provenance={"versions": quality.provenance.get("versions", versions()), **sources},
        methods=quality.methods() if methods is None else methods,
        data_dictionary=quality.data_dictionary,
        alpha=quality.headline.alpha,
    )


def allowed_latencies(quality: QualityResult) -> tuple[float, float]:
    """Return the least and the largest latency that were allowed, in seconds."""
    lags = quality.plan.lag_seconds
    return float(-lags[-1]) + 0.0, float(-lags[0]) + 0.0


def person(
    signals: Signals,
    label: str,
    *,
    file: str | None = None,
    frames: Sequence[Thumbnail | Picture] = (),
    more: Mapping[str, str] | None = None,
) -> Person:
    """Return what the report shows of one person whose signals these are, with `more` facts."""
    source = signals.provenance.get("source")
    source = source if isinstance(source, Mapping) else {}
    facts: dict[str, str] = {
        "Duration": f"{signals.duration:.1f} s",
        "Frame rate": f"{signals.rate:.2f} frames a second",
        "Frames": f"{signals.n_frames}",
    }
    size = source.get("size")
    if isinstance(size, list | tuple) and len(size) == 2:
        facts["Picture"] = f"{size[0]} x {size[1]} pixels"
    facts |= {"Signals": f"{len(signals.names)} ({signals.schema})", "Measured by": signals.backend}
    facts |= more or {}
    name = file if file is not None else source.get("file")
    return Person(
        label=label,
        file=None if name is None else str(name),
        facts=facts,
        signals=signals,
        frames=frames,
    )
